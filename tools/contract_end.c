/*
 * contract_end.c - ends of accounts in the forms that directories use.
 *
 * Runs in isms-userctl only. Reading must agree with identity_time.c, which is what decides: set-expiry
 * therefore checks its result by identities_build() before it writes.
 */
#include <config.h>

#include "tools/contract_end.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/civil_date.h"
#include "common/zone.h"

#define DAY_SEC			86400
#define TICKS_PER_SEC		10000000	/* accountExpires: 100 ns since 1601-01-01 */
#define TICKS_NEVER		0x7FFFFFFFFFFFFFFFu
#define EPOCH_OF_1601_SEC	11644473600

enum form { FORM_GENERALIZED, FORM_DAYS, FORM_TICKS };

static const struct {
	const char *attribute;
	enum form form;
} ends[END_COUNT] = {
	[END_PWD] = { "pwdEndTime", FORM_GENERALIZED },
	[END_SHADOW] = { "shadowExpire", FORM_DAYS },
	[END_KERBEROS] = { "krbPrincipalExpiration", FORM_GENERALIZED },
	[END_AD] = { "accountExpires", FORM_TICKS },
	[END_OWN] = { "ismsNotAfter", FORM_GENERALIZED },
};

const char *
contract_end_attribute(enum contract_end end)
{
	return ends[end].attribute;
}

int
contract_end_pick(const struct directory *d, enum contract_end *ret)
{
	if (!directory_knows(d, ends[END_PWD].attribute) && !directory_knows(d, ends[END_OWN].attribute))
		return -EOPNOTSUPP;
	*ret = directory_knows(d, ends[END_PWD].attribute) ? END_PWD : END_OWN;
	return 0;
}

/* Digits only, as the deciding reader demands. */
static int
parse_number(const char *text, uint64_t *ret)
{
	char *end;

	if (text[0] < '0' || text[0] > '9' || strlen(text) > 19)
		return -EBADMSG;
	*ret = strtoull(text, &end, 10);
	return *end == '\0' ? 0 : -EBADMSG;
}

int
contract_end_read(const struct entry *e, enum contract_end end, int64_t *ret_utc_sec)
{
	const char *text = NULL;
	uint64_t n = 0;
	int r;

	r = entry_single(e, ends[end].attribute, &text);
	if (r <= 0)
		return r;
	switch (ends[end].form) {
	case FORM_GENERALIZED:
		return civil_date_parse_generalized(text, strlen(text), ret_utc_sec) < 0 ? -EBADMSG : 1;
	case FORM_DAYS:
		if (strcmp(text, "-1") == 0)
			return 0;
		if (parse_number(text, &n) < 0 || n > CIVIL_DATE_MAX_SEC / DAY_SEC)
			return -EBADMSG;
		*ret_utc_sec = (int64_t)n * DAY_SEC;
		return 1;
	default:
		if (parse_number(text, &n) < 0 || n > TICKS_NEVER)
			return -EBADMSG;
		if (n == 0 || n == TICKS_NEVER)
			return 0;
		*ret_utc_sec = (int64_t)(n / TICKS_PER_SEC) - EPOCH_OF_1601_SEC;
		return 1;
	}
}

char *
contract_end_format(enum contract_end end, int64_t utc_sec, char buf[static CONTRACT_END_TEXT_MAX])
{
	switch (ends[end].form) {
	case FORM_GENERALIZED:
		return civil_date_format_generalized(utc_sec, buf);
	case FORM_DAYS:
		(void)snprintf(buf, CONTRACT_END_TEXT_MAX, "%lld", (long long)((utc_sec + DAY_SEC - 1) / DAY_SEC));
		return buf;
	default:
		(void)snprintf(buf, CONTRACT_END_TEXT_MAX, "%lld",
		    (long long)(utc_sec + EPOCH_OF_1601_SEC) * TICKS_PER_SEC);
		return buf;
	}
}

char *
contract_end_local(int64_t utc_sec, const char *name, char *buf, size_t size)
{
	struct zone zone = { 0 };
	int32_t offset_sec = 0, minutes;
	char text[32];

	buf[0] = '\0';
	if (strcmp(name, "UTC") != 0) {
		if (zone_load(name, &zone) < 0)
			return buf;
		offset_sec = zone_offset(&zone, utc_sec);
		zone_done(&zone);
	}
	(void)civil_date_format(utc_sec + offset_sec, text);	/* shows 2027-02-01T00:00:00Z */
	text[10] = ' ';
	minutes = (offset_sec < 0 ? -offset_sec : offset_sec) / 60;
	(void)snprintf(buf, size, "%.19s %c%02d:%02d %s", text, offset_sec < 0 ? '-' : '+', (int)(minutes / 60),
	    (int)(minutes % 60), name);
	return buf;
}
