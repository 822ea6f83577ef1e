/*
 * publisher_check.h - which records of a roster may be published on this host (THREATS 5.2).
 *
 * Pure: a roster, settings, the local accounts and the published snapshot in; accepted and refused records out.
 * One bad record never costs another its place, and never gets a default in place of what it lacks.
 */
#ifndef ISMS_PUBLISHER_CHECK_H
#define ISMS_PUBLISHER_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/settings.h"
#include "common/snapshot.h"
#include "daemon/local_accounts.h"
#include "daemon/roster.h"

#define PUBLISHER_GECOS_MAX	255
#define PUBLISHER_LISTED_MAX	256	/* refused records that are kept by name; all are counted */
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

struct refused {
	enum refusal why;
	bool is_group;
	uint32_t id;
	char name[36];		/* cut; anything but printable ASCII is '?' */
};

struct publisher_check {
	uint32_t *users;	/* owned; roster indexes of accepted users, in roster order */
	uint32_t user_count;
	bool *groups;		/* owned; for each roster group whether it is accepted */
	uint32_t group_count;	/* of the accepted ones */
	struct refused listed[PUBLISHER_LISTED_MAX];
	uint32_t listed_count;
	uint32_t refused_count;
};

/*
 * Judge a roster.
 *
 *  local     what /etc/passwd, /etc/group, /etc/subuid and /etc/subgid hold now
 *  previous  what is published: of several records with one name or id the one that holds it there stays, and the
 *            newcomers are refused; NULL, or where none of them holds it: all of them are refused
 *
 * Returns 0 or -ENOMEM. Free with publisher_check_done().
 */
int publisher_check(struct roster *roster, const struct settings *settings, const struct local_accounts *local,
    const struct snapshot *previous, struct publisher_check *ret);

/* Frees and zeroes; a zeroed struct is fine. */
void publisher_check_done(struct publisher_check *check);

/* What is wrong and how to mend it, for `isms-userctl status` and events; never NULL. */
const char *refusal_text(enum refusal why, bool is_group);

/* Absolute, below one of the prefixes ("/home/ /srv/"), without "." or "..", control characters or ':'. */
bool publisher_home_allowed(const char *home, const char *prefixes);

/* The shell itself when the list ("/bin/sh /bin/bash") has it, else PUBLISHER_NOLOGIN. */
const char *publisher_shell(const char *shell, const char *allowed);

/* Copy gecos without ':', control characters and broken UTF-8 (each becomes '?'); cut at a character. Returns ret. */
char *publisher_gecos(const char *gecos, char ret[PUBLISHER_GECOS_MAX + 1]);

#endif
