/*
 * publisher_check.h - which records may be published on this host, each looked at alone (THREATS 5.2).
 *
 * Pure: a record, settings and the local accounts in, what is wrong with it out. One bad record never costs another its
 * place, and never gets a default in place of what it lacks.
 */
#ifndef ISMS_PUBLISHER_CHECK_H
#define ISMS_PUBLISHER_CHECK_H

#include <stdbool.h>

#include "common/settings.h"
#include "daemon/local_accounts.h"
#include "daemon/roster.h"

#define PUBLISHER_GECOS_MAX	255
#define PUBLISHER_NOLOGIN	"/usr/sbin/nologin"

enum refusal {
	REFUSAL_NONE,
	REFUSAL_NAME,		/* not of the only form that names may have */
	REFUSAL_RESERVED,	/* a name of ours */
	REFUSAL_LOCAL_NAME,
	REFUSAL_LOCAL_ID,
	REFUSAL_RANGE,
	REFUSAL_PRIMARY_RANGE,
	REFUSAL_PRIMARY_LOCAL,
	REFUSAL_SUBORDINATE,	/* within a range of /etc/subuid, or of /etc/subgid for a group */
	REFUSAL_PRIMARY_SUBORDINATE,
	REFUSAL_HOME,
	REFUSAL_LOCAL_HOME,
	REFUSAL_NESTED_HOME,
	REFUSAL_NAME_TWICE,
	REFUSAL_ID_TWICE,
	REFUSAL_COUNT
};

/* What is wrong with a record by itself; publisher_judge.h compares it with others. */
enum refusal publisher_check_user(const struct roster_user *user, const struct settings *settings,
    const struct local_accounts *local);
enum refusal publisher_check_group(const struct roster_group *group, const struct settings *settings,
    const struct local_accounts *local);

/* What is wrong and how to mend it, for `isms-userctl status` and events; never NULL. */
const char *refusal_text(enum refusal why, bool is_group);

/* Absolute, below one of the prefixes ("/home/ /srv/"), without "." or "..", control characters or ':'. */
bool publisher_home_allowed(const char *home, const char *prefixes);

/* The shell itself when the list ("/bin/sh /bin/bash") has it, else PUBLISHER_NOLOGIN. */
const char *publisher_shell(const char *shell, const char *allowed);

/* Copy gecos without ':', control characters and broken UTF-8 (each becomes '?'); cut at a character. Returns ret. */
char *publisher_gecos(const char *gecos, char ret[PUBLISHER_GECOS_MAX + 1]);

#endif
