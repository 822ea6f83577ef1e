/*
 * directory_probe.h - what whoever is bound may do to one attribute of one entry, found out without doing it.
 *
 * OpenLDAP has no request that tells access rights. It does judge them before it looks whether a change is possible, so
 * a change that is impossible whatever the entry holds is told apart: "not allowed" or "not possible". Each is sent
 * under the critical no-op control besides (draft-zeilenga-ldap-noop), and RFC 4511 4.6 has a modify done whole or not
 * at all. An assertion that fails (RFC 4528) would be no use: it is answered before the rights are looked at.
 */
#ifndef ISMS_DIRECTORY_PROBE_H
#define ISMS_DIRECTORY_PROBE_H

#include <ldap.h>
#include <stdbool.h>

enum answer {
	ANSWER_NO,
	ANSWER_YES,
	ANSWER_UNKNOWN,		/* probe->why says what the server said instead */
};

struct probe {
	LDAP *ld;		/* borrowed, bound as the one who is looked at */
	int timeout_sec;	/* of one operation */
	bool takes_no_changes;	/* from anybody: a copy of another server, or read-only */
	bool obeys_noop;	/* the database that is asked has shown that it does nothing under the no-op control */
	bool seen;		/* some answer was another one than "no such object"; the caller clears it */
	char why[256];
};

/* Whether a result code says that it is not allowed; "no such object": may not even know that it is there. */
bool probe_refused(int code);

/*
 * Whether values of an attribute may be read; also where the entry has none: then whether they may be searched for.
 *
 *  attribute  one that the server's schema has
 */
enum answer probe_read(struct probe *p, const char *dn, const char *attribute);

/* Whether values may be compared with one that is given; a server that lets one read lets one compare. */
enum answer probe_compare(struct probe *p, const char *dn, const char *attribute, const char *value);

/* Whether values may be added, and taken away. value: any that fits the attribute's syntax; it is never written. */
enum answer probe_add(struct probe *p, const char *dn, const char *attribute, const char *value);
enum answer probe_remove(struct probe *p, const char *dn, const char *attribute, const char *value);

/*
 * Whether an attribute's value may be replaced by itself: what a compare and swap needs. Sets obeys_noop.
 *
 *  value  the one that the entry has now
 */
enum answer probe_swap(struct probe *p, const char *dn, const char *attribute, const char *value);

/* Whether entries may be made below a DN. Unknown until obeys_noop: only that control keeps it from being done. */
enum answer probe_create(struct probe *p, const char *parent);

/* Whether an entry may be renamed; to the name of another one that is there, so that it cannot be. Unknown as above. */
enum answer probe_rename(struct probe *p, const char *dn, const char *taken);

#endif
