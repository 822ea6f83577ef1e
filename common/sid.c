/*
 * sid.c - security identifiers of Active Directory, and the ids that are made of them (see sid.h).
 *
 * Directory process and isms-userctl. It must never make one id of two SIDs: another domain has the same last numbers.
 */
#include <config.h>

#include "common/sid.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define REVISION	1
#define HEAD_BYTES	8	/* revision, count, authority */
#define AUTHORITY_NT	5
#define DOMAIN_NUMBERS	4	/* 21 and the three of the domain */
#define DOMAIN_FIRST	21
#define BUILTIN_FIRST	32
#define ID_MIN		1000	/* DESIGN 4.7: the floor that no setting lowers */

/* Digits without sign or leading zero. Returns how many were read, 0 for none or beyond max. */
static size_t
read_number(const char *text, uint64_t max, uint64_t *ret)
{
	uint64_t n = 0;
	size_t len = 0;

	for (; text[len] >= '0' && text[len] <= '9'; len++) {
		unsigned digit = (unsigned)(text[len] - '0');

		if ((len == 1 && text[0] == '0') || digit > max || n > (max - digit) / 10)
			return 0;
		n = n * 10 + digit;
	}
	*ret = n;
	return len;
}

int
sid_parse(const char *text, struct sid *ret)
{
	struct sid sid = { 0 };
	uint64_t n = 0;
	size_t at = 4, len;

	if (strncmp(text, "S-1-", 4) != 0 || (len = read_number(text + at, (1ULL << 48) - 1, &sid.authority)) == 0)
		return -EINVAL;
	for (at += len; text[at] == '-'; at += 1 + len) {
		len = read_number(text + at + 1, UINT32_MAX, &n);
		if (len == 0 || sid.count == SID_NUMBERS_MAX)
			return -EINVAL;
		sid.numbers[sid.count++] = (uint32_t)n;
	}
	if (sid.count == 0)
		return -EINVAL;
	*ret = sid;
	return (int)at;
}

static bool
is_domain(const struct sid *sid)
{
	return sid->authority == AUTHORITY_NT && sid->count == DOMAIN_NUMBERS && sid->numbers[0] == DOMAIN_FIRST;
}

int
sid_range_parse(const char *text, struct sid_range *ret)
{
	struct sid_range range = { .there = true };
	uint64_t first = 0, last = 0;
	size_t len;
	int at;

	if (strcmp(text, "none") == 0) {
		*ret = (struct sid_range){ .there = false };
		return 0;
	}
	at = sid_parse(text, &range.domain);
	if (at < 0 || !is_domain(&range.domain) || text[at] != ' ')
		return -EINVAL;
	text += at + 1;
	len = read_number(text, INT32_MAX, &first);
	if (len == 0 || text[len] != '-')
		return -EINVAL;
	text += len + 1;
	len = read_number(text, INT32_MAX, &last);
	if (len == 0 || text[len] != '\0' || first < ID_MIN || last < first)
		return -EINVAL;
	range.first = (uint32_t)first;
	range.last = (uint32_t)last;
	*ret = range;
	return 0;
}

int
sid_decode(const void *bytes, size_t len, struct sid *ret)
{
	const uint8_t *b = bytes;
	struct sid sid = { 0 };

	if (len < HEAD_BYTES || b[0] != REVISION || b[1] == 0 || b[1] > SID_NUMBERS_MAX ||
	    len != HEAD_BYTES + 4 * (size_t)b[1])
		return -EINVAL;
	sid.count = b[1];
	for (size_t i = 2; i < HEAD_BYTES; i++)
		sid.authority = sid.authority << 8 | b[i];
	for (size_t i = 0; i < sid.count; i++) {
		const uint8_t *n = b + HEAD_BYTES + 4 * i;

		sid.numbers[i] = (uint32_t)n[0] | (uint32_t)n[1] << 8 | (uint32_t)n[2] << 16 | (uint32_t)n[3] << 24;
	}
	*ret = sid;
	return 0;
}

char *
sid_format(const struct sid *sid, char buf[static SID_TEXT_SIZE])
{
	size_t at = (size_t)snprintf(buf, SID_TEXT_SIZE, "S-1-%llu", (unsigned long long)sid->authority);

	for (unsigned i = 0; i < sid->count && at < SID_TEXT_SIZE; i++)
		at += (size_t)snprintf(buf + at, SID_TEXT_SIZE - at, "-%u", (unsigned)sid->numbers[i]);
	return buf;
}

bool
sid_is_builtin(const struct sid *sid)
{
	return sid->authority == AUTHORITY_NT && sid->count == 2 && sid->numbers[0] == BUILTIN_FIRST;
}

int
sid_range_id(const struct sid_range *range, uint32_t rid, uint32_t *ret)
{
	if (rid > range->last - range->first)
		return -ERANGE;
	*ret = range->first + rid;
	return 0;
}

int
sid_rid(const struct sid *sid, const struct sid *domain, uint32_t *ret)
{
	if (sid->count == 0)
		return -EXDEV;
	if (domain != NULL && (sid->authority != domain->authority || sid->count != domain->count + 1 ||
	    memcmp(sid->numbers, domain->numbers, domain->count * sizeof sid->numbers[0]) != 0))
		return -EXDEV;
	*ret = sid->numbers[sid->count - 1];
	return 0;
}
