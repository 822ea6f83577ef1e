/*
 * exemption.h - an exemption as FACTS carries it: which control is lowered, when, and for what alone.
 *
 * The directory process writes a line for each entry of class ismsExemption that is about the user and can be read; policy
 * asks them. Pure. What is odd in an entry or a line is no exemption: the control holds.
 */
#ifndef ISMS_EXEMPTION_H
#define ISMS_EXEMPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/entry.h"
#include "common/policy_limits.h"

enum control { CONTROL_NONE, CONTROL_MFA, CONTROL_SOURCE, CONTROL_DORMANT, CONTROL_REVIEW, CONTROL_HOURS, CONTROL_COUNT };

#define EXEMPTION_NAME_MAX	64
#define EXEMPTION_LINE_MAX	512	/* with its newline */
#define EXEMPTION_SOURCES_MAX	4	/* networks of one */
#define EXEMPTION_TERM_MAX_SEC	(INT64_C(366) * 86400)	/* from begin, or from when it was made, to end */

struct exemption {
	char name[EXEMPTION_NAME_MAX + 1];	/* cn */
	enum control control;
	int64_t from_utc_sec, until_utc_sec;	/* [from, until); from 0: at once; there is always an end */
	char key[64];			/* "SHA256:..."; "" for any */
	char service[65];		/* "" for any */
	char sources[240];		/* networks, separated by commas; "" for any */
};

/* "mfa" and so on; CONTROL_NONE for anything else. */
enum control exemption_control(const char *word);
const char *exemption_control_name(enum control control);

/* Whether an entry calls itself one. */
bool exemption_is(const struct entry *e);

/*
 * Read an entry of class ismsExemption, but for who approved it.
 *
 *  member  DN of whom it has to be about, normalised; NULL: anybody
 *  fault   receives what is wrong (size bytes)
 *
 * Returns 0, or -EINVAL with the fault.
 */
int exemption_read(const struct entry *e, const char *member, struct exemption *ret, char *fault, size_t size);

/*
 * Whether who approved it has an entry below ou=roles, as operators have who are no accounts. Anybody else who is no account
 * is nobody: he has left, or never was.
 *
 *  base  [directory] base
 */
bool exemption_by_operator(const struct entry *e, const char *base);

/* Write the line. Returns its length, or -ENOBUFS. */
int exemption_format(const struct exemption *x, char *buf, size_t size);

/*
 * Take the next line.
 *
 *  at  in FACTS' text; moved behind the line
 *
 * Returns false at the end. A line that cannot be read gives CONTROL_NONE.
 */
bool exemption_next(const char **at, struct exemption *ret);

/*
 * Whether it lowers a control for a request.
 *
 *  key, service, rhost  of the request; "" for none
 */
bool exemption_holds(const struct exemption *x, enum control control, int64_t now_utc_sec, const char *key,
    const char *service, const char *rhost);

#endif
