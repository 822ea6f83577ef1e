/*
 * service_account.h - what binds a service account: owner, keys, networks and command, as `add` sets them.
 */
#ifndef ISMS_SERVICE_ACCOUNT_H
#define ISMS_SERVICE_ACCOUNT_H

#include "tools/key_entry.h"

struct service_account {
	enum kind kind;
	const char *owner, *command;	/* borrowed; NULL: not given */
	bool has_key;
	struct authorized_key key;
	char key_value[KEY_ENTRY_SIZE];
	char sources[1024];		/* space separated; "": none */
};

/* Read the options. Returns EXIT_DONE, or has said what is wrong. */
enum exit_code service_account_read(const struct invocation *in, enum kind kind, struct service_account *ret);

/* Judge the owner by the directory. Returns EXIT_DONE, or has said what is wrong. */
enum exit_code service_account_check(const struct invocation *in, const struct account *account,
    const struct service_account *service);

/* Hand it over for the entry of a DN. Returns 0, -ENODATA where the directory has no such attributes, or -errno. */
int service_account_set(struct account *account, const char *dn, const struct service_account *service);

#endif
