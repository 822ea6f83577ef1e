/*
 * account.h - one account of the directory, opened for a verb: entries, what they mean, and the errors said.
 */
#ifndef ISMS_ACCOUNT_H
#define ISMS_ACCOUNT_H

#include "common/identity.h"
#include "tools/directory_edit.h"
#include "tools/invocation.h"

#define ACCOUNT_DN_MAX 1280

struct account {
	struct directory *directory;		/* owned */
	struct entries effective;		/* as they were read, with the members that grants give now */
	struct identities identities;		/* what the entries mean; after a change only by account_refresh() */
	const struct identity *identity;	/* borrowed from identities; NULL when only the directory was opened */
	const char *base;			/* borrowed from the settings; NULL until they were read */
};

/*
 * Read the settings, open the directory, and find a user.
 *
 *  name  NULL: the directory alone
 *  ret   close with account_done(), on failure too
 *
 * Returns EXIT_DONE; else it has said what is wrong: EXIT_REFUSED for a name that cannot be or is not there, or an
 * operator whom the server refuses, EXIT_USAGE for one who was not named, EXIT_UNREACHABLE for a directory that cannot
 * be read.
 */
enum exit_code account_open(struct invocation *in, const char *name, enum directory_mode mode, struct account *ret);

/*
 * Find a user of a directory that is open: account->identity.
 *
 * Returns EXIT_DONE; else it has said what is wrong: EXIT_REFUSED for a name that cannot be or is not there.
 */
enum exit_code account_find(struct account *account, const char *name);

/* The user of a DN, however it is written; NULL: none. dn may be NULL. */
const struct identity *account_find_dn(const struct account *account, const char *dn);

/*
 * Understand the entries again after changes, and find the user again.
 *
 * Returns 0, -ENOMEM, or -ENOENT: the user is no longer there.
 */
int account_refresh(const struct invocation *in, struct account *account, const char *name);

/* Commit; says what failed. Returns EXIT_DONE, EXIT_REFUSED (by a server alone) or EXIT_UNREACHABLE. */
enum exit_code account_commit(struct account *account);

/* Make ou=NAME below the base where a directory lacks it. Returns 0 or -errno of directory_add(). */
int account_need_unit(const struct invocation *in, struct directory *d, const char *name);

/*
 * Whether the directory is on a server that will not say anything before --bind-dn or --sasl is given; after
 * invocation_settings().
 */
bool account_needs_name(const struct invocation *in);

/* Close and wipe; what was not committed is forgotten. */
void account_done(struct account *account);

/* Complain unless a name may be one of a user or group ("user", "group"). Returns whether it may. */
bool account_name_allowed(const char *what, const char *name);

/* "employee" ...; NULL for KIND_UNKNOWN. */
const char *account_kind_name(enum kind kind);
enum kind account_kind_find(const char *name);

/* One word: "active", "expired", "disabled", "locked", "not-yet-valid" or "broken". */
const char *account_state(const struct identity *identity, int64_t now_utc_sec);

/* The name in a sponsor's DN ("uid=carol,ou=people,..."), else the DN. Returns buf. */
char *account_sponsor_name(const struct identity *identity, char *buf, size_t size);

/* Random UUID (RFC 9562, version 4); buf of 37 bytes. Returns 0 or -EIO. */
int account_make_uuid(char buf[static 37]);

#endif
