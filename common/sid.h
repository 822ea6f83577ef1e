/*
 * sid.h - security identifiers of Active Directory, and the ids that are made of them.
 *
 * Pure. One domain, one range: id = first id of the range + the last number (RID) of the SID. So every host that has the
 * same line in isms.conf says the same, whatever it has read before, and the SID can be told from the id.
 */
#ifndef ISMS_SID_H
#define ISMS_SID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SID_NUMBERS_MAX	15	/* MS-DTYP 2.4.2: sub-authorities */
#define SID_TEXT_SIZE	200

struct sid {
	uint64_t authority;	/* 48 bits */
	unsigned count;
	uint32_t numbers[SID_NUMBERS_MAX];
};

/* [directory] id-from-sid. */
struct sid_range {
	bool there;		/* false: ids are uidNumber and gidNumber, as the directory says them */
	struct sid domain;
	uint32_t first, last;	/* of the ids */
};

/*
 * Read "none" or "S-1-5-21-A-B-C FIRST-LAST".
 *
 * Returns 0, or -EINVAL: no SID of a domain, or no range between 1000 and INT32_MAX.
 */
int sid_range_parse(const char *text, struct sid_range *ret);

/* Read the text of a SID. Returns the bytes of it that were read, or -EINVAL. */
int sid_parse(const char *text, struct sid *ret);

/* Read objectSid, as a server delivers it (MS-DTYP 2.4.2.2). Returns 0 or -EINVAL. */
int sid_decode(const void *bytes, size_t len, struct sid *ret);

/* Write a SID as text. Returns buf. */
char *sid_format(const struct sid *sid, char buf[static SID_TEXT_SIZE]);

/* Whether a SID is one of the groups that every machine has for itself (S-1-5-32-...). */
bool sid_is_builtin(const struct sid *sid);

/*
 * The id of a number within the domain.
 *
 * Returns 0, or -ERANGE: the range is too short for it.
 */
int sid_range_id(const struct sid_range *range, uint32_t rid, uint32_t *ret);

/*
 * The last number of a SID.
 *
 *  domain  that it must be of; NULL: any
 *
 * Returns 0, or -EXDEV: of another domain, or of none.
 */
int sid_rid(const struct sid *sid, const struct sid *domain, uint32_t *ret);

#endif
