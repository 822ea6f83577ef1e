/*
 * test_civil_date.c - TM01a, TM03a: GeneralizedTime; bare dates in zones; durations; formats.
 *
 * The instants of the tables come from another implementation (Python's calendar and zoneinfo).
 */
#include <config.h>

#include "common/civil_date.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/zone.h"
#include "tests/unit/suite.h"

#define NOW 1798761600		/* 2027-01-01T00:00:00Z */

static const struct {
	const char *text;
	int64_t utc_sec;
} valid[] = {
{ "19700101000000Z", 0 },
	{ "19700101000001Z", 1 },
	{ "1970010100Z", 0 },
	{ "197001010000Z", 0 },
	{ "19700101000000.999Z", 0 },
	{ "19700101010000+0100", 0 },
	{ "19691231230000-0100", 0 },
	{ "19700101235959Z", 86399 },
	{ "20000229000000Z", 951782400 },
	{ "20000229235959Z", 951868799 },
	{ "20240229120000Z", 1709208000 },
	{ "20280229000000Z", 1835395200 },
	{ "24000229000000Z", 13574563200 },
	{ "21000228235959Z", 4107542399 },
	{ "20380119031407Z", 2147483647 },
	{ "20380119031408Z", 2147483648 },
	{ "20380119031409Z", 2147483649 },
	{ "21060207062815Z", 4294967295 },
	{ "21060207062816Z", 4294967296 },
	{ "99991231235959Z", 253402300799 },
	{ "99991231235960Z", 253402300799 },
	{ "99991231225959-0100", 253402300799 },
	{ "99991231235959.9999999Z", 253402300799 },
	{ "20260630220000Z", 1782856800 },
	{ "20260630220000+0000", 1782856800 },
	{ "20260630220000-0000", 1782856800 },
	{ "20260630220000+00", 1782856800 },
	{ "20260701000000+0200", 1782856800 },
	{ "20260701000000+02", 1782856800 },
	{ "20260630170000-0500", 1782856800 },
	{ "20260701033000+0530", 1782856800 },
	{ "20260701075959+0959", 1782856859 },
	{ "20260630000000+2359", 1782691260 },
	{ "20260630000000-2359", 1782863940 },
	{ "202606302200Z", 1782856800 },
	{ "2026063022Z", 1782856800 },
	{ "2026063022+0100", 1782853200 },
	{ "202606302230-0130", 1782864000 },
	{ "2026063022.5Z", 1782858600 },
	{ "2026063022,5Z", 1782858600 },
	{ "2026063022.25Z", 1782857700 },
	{ "2026063022.0002777777777777777777777777777Z", 1782856800 },
	{ "2026063022.00027777777777777777777777777778Z", 1782856801 },
	{ "2026063022.9999999999999Z", 1782860399 },
	{ "202606302215.5Z", 1782857730 },
	{ "202606302215.99Z", 1782857759 },
	{ "202606302215,1+0200", 1782850506 },
	{ "20260630221559.5Z", 1782857759 },
	{ "20260630221559,000Z", 1782857759 },
	{ "20260630221559.123456789-0100", 1782861359 },
	{ "20161231235960Z", 1483228799 },
	{ "20161231235960.9Z", 1483228799 },
	{ "20170101005960+0100", 1483228799 },
	{ "20160630000060Z", 1467244859 },
};

START_TEST(tm01a_generalized_time)
{
	int64_t t = -1;

	ck_assert_int_eq(civil_date_parse_generalized(valid[_i].text, strlen(valid[_i].text), &t), 0);
	ck_assert_msg(t == valid[_i].utc_sec, "%s: %lld", valid[_i].text, (long long)t);
}
END_TEST

static const char *const invalid[] = {
	"", "Z", "2", "2026", "202606", "20260630", "20260630Z", "2026063022", "202606302200", "20260630220000",
	"20260630220000z", "20260630220000 Z", " 20260630220000Z", "20260630220000Z ", "20260630220000ZZ",
	"20260630240000Z", "20260630250000Z", "20260630226000Z", "20260630220061Z", "20260630220099Z",
	"20260030220000Z", "20261330220000Z", "20260600220000Z", "20260631220000Z", "20260229000000Z",
	"20260230000000Z", "21000229000000Z", "20240230000000Z", "20261131000000Z", "20260132000000Z",
	"19691231235959Z", "19700101000000+0001", "00000101000000Z", "000001010000Z", "19000101000000Z",
	"99991231235959-0001", "20260630220000.Z", "20260630220000,Z", "2026063022.Z", "20260630220000..5Z",
	"20260630220000.5", "20260630220000.5z", "20260630220000.a5Z", "20260630220000+", "20260630220000+0",
	"20260630220000+000", "20260630220000+00000", "20260630220000+2400", "20260630220000+0060",
	"20260630220000+01:00", "20260630220000+0100Z", "20260630220000Z+0100", "20260630220000*0100",
	"2026063022000Z", "202606302Z", "+0260630220000Z", "-2026063022000Z", "2026 630220000Z", "0x260630220000Z",
	"1e260630220000Z", "20260630T220000Z", "2026-06-30T22:00:00Z", "202606302200001Z", "20260630220000.5.5Z",
	"never", "0", "-1", "20260630220000\nZ",
};

START_TEST(tm01a_generalized_time_refused)
{
	int64_t t = 42;

	ck_assert_msg(civil_date_parse_generalized(invalid[_i], strlen(invalid[_i]), &t) == -EINVAL, "%s",
	    invalid[_i]);
	ck_assert_int_eq(t, 42);	/* outputs are written only on success */
}
END_TEST

START_TEST(tm01a_length_counts_not_the_nul)
{
	static const char text[] = "20260630220000Z\0";
	int64_t t;

	ck_assert_int_eq(civil_date_parse_generalized(text, 15, &t), 0);
	ck_assert_int_eq(civil_date_parse_generalized(text, 16, &t), -EINVAL);	/* embedded NUL */
	ck_assert_int_eq(civil_date_parse_generalized(text, 14, &t), -EINVAL);
	ck_assert_int_eq(civil_date_parse_generalized(text, 0, &t), -EINVAL);
}
END_TEST

START_TEST(tm03a_far_dates)
{
	static const struct { const char *text, *iso; } rows[] = {
		{ "20380119031408Z", "2038-01-19T03:14:08Z" },
		{ "21060207062816Z", "2106-02-07T06:28:16Z" },
		{ "99991231235959Z", "9999-12-31T23:59:59Z" },
	};
	char buf[32];
	int64_t t;

	for (int i = 0; i < ROWS(rows); i++) {
		ck_assert_int_eq(civil_date_parse_generalized(rows[i].text, 15, &t), 0);
		ck_assert_str_eq(civil_date_format(t, buf), rows[i].iso);
		ck_assert_str_eq(civil_date_format_generalized(t, buf), rows[i].text);
		ck_assert_int_eq(civil_date_parse_until(rows[i].iso, "UTC", NOW, &t), 0);
		ck_assert_str_eq(civil_date_format(t, buf), rows[i].iso);
	}
}
END_TEST

START_TEST(every_day_there_and_back)
{
	int64_t day = 0, year;
	unsigned month, date;
	static const unsigned char lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	for (int64_t y = 1970; y <= 9999; y++) {
		bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

		for (unsigned m = 1; m <= 12; m++) {
			for (unsigned d = 1; d <= lengths[m - 1] + (m == 2 && leap ? 1u : 0u); d++, day++) {
				civil_date_of_days(day, &year, &month, &date);
				if (civil_date_days(y, m, d) != day || year != y || month != m || date != d)
					ck_abort_msg("day %lld", (long long)day);
			}
		}
	}
	ck_assert_int_eq(day, 2932897);
	ck_assert_int_eq(civil_date_days(1969, 12, 31), -1);
	ck_assert_int_eq(civil_date_days(0, 3, 1), -719468);
	civil_date_of_days(-719469, &year, &month, &date);
	ck_assert_int_eq(year, 0);
	ck_assert_uint_eq(month, 2);
	ck_assert_uint_eq(date, 29);
}
END_TEST

static const struct {
	const char *date, *zone, *end;
} days[] = {
	{ "2026-12-31", "UTC", "2027-01-01T00:00:00Z" },
	{ "1970-01-01", "UTC", "1970-01-02T00:00:00Z" },
	{ "9999-12-31", "UTC", "9999-12-31T23:59:59Z" },
	{ "2024-02-29", "UTC", "2024-03-01T00:00:00Z" },
	{ "2026-12-31", "Etc/UTC", "2027-01-01T00:00:00Z" },
	{ "2026-12-31", "Etc/GMT+12", "2027-01-01T12:00:00Z" },
	{ "2025-12-31", "Europe/Berlin", "2025-12-31T23:00:00Z" },
	{ "2025-06-30", "Europe/Berlin", "2025-06-30T22:00:00Z" },
	{ "2025-03-29", "Europe/Berlin", "2025-03-29T23:00:00Z" },
	{ "2025-03-30", "Europe/Berlin", "2025-03-30T22:00:00Z" },
	{ "2025-10-25", "Europe/Berlin", "2025-10-25T22:00:00Z" },
	{ "2025-10-26", "Europe/Berlin", "2025-10-26T23:00:00Z" },
	{ "2024-12-31", "America/New_York", "2025-01-01T05:00:00Z" },
	{ "2024-12-31", "Asia/Kolkata", "2024-12-31T18:30:00Z" },
	{ "2024-12-31", "Pacific/Kiritimati", "2024-12-31T10:00:00Z" },
	{ "2024-12-31", "Pacific/Chatham", "2024-12-31T10:15:00Z" },
	{ "2024-06-30", "Australia/Lord_Howe", "2024-06-30T13:30:00Z" },
	{ "1970-01-02", "Europe/London", "1970-01-02T23:00:00Z" },
	{ "2018-11-03", "America/Sao_Paulo", "2018-11-04T03:00:00Z" },	/* midnight does not exist */
	{ "2018-02-17", "America/Sao_Paulo", "2018-02-18T03:00:00Z" },	/* 23:00 comes twice */
	{ "2024-10-26", "Atlantic/Azores", "2024-10-27T00:00:00Z" },	/* midnight comes twice */
	{ "2024-03-30", "Asia/Beirut", "2024-03-30T22:00:00Z" },
	{ "2011-12-29", "Pacific/Apia", "2011-12-30T10:00:00Z" },	/* the next day is skipped */
	{ "2024-03-30", "America/Scoresbysund", "2024-03-31T01:00:00Z" },
};

START_TEST(bare_date_ends_with_its_day)
{
	char buf[32];
	int64_t t;

	ck_assert_int_eq(civil_date_parse_until(days[_i].date, days[_i].zone, NOW, &t), 0);
	ck_assert_msg(strcmp(civil_date_format(t, buf), days[_i].end) == 0, "%s %s: %s", days[_i].date, days[_i].zone,
	    buf);
}
END_TEST

/* A zone file without transitions: version 2, one type, a footer. */
static size_t
make_zone(uint8_t buf[256], const char *footer)
{
	static const uint8_t header[44] = { 'T', 'Z', 'i', 'f', '2', [39] = 1, [43] = 4 };
	static const uint8_t type[] = { 0, 0, 0, 0, 0, 0, 'U', 'T', 'C', 0 };
	uint8_t *p = buf;

	for (int i = 0; i < 2; i++) {
		memcpy(p, header, sizeof header);
		memcpy(p + sizeof header, type, sizeof type);
		p += sizeof header + sizeof type;
	}
	*p++ = '\n';
	memcpy(p, footer, strlen(footer));
	p += strlen(footer);
	*p++ = '\n';
	return (size_t)(p - buf);
}

static const struct {
	const char *footer;
	int64_t day;		/* civil_date_days() of the date */
	const char *end;	/* NULL: refused */
} footers[] = {
	{ "", 20000, "2024-10-05T00:00:00Z" },
	{ "UTC0", 20000, "2024-10-05T00:00:00Z" },
	{ "CET-1CEST,M3.5.0,M10.5.0/3", 29768, "2051-07-03T22:00:00Z" },
	{ "CET-1CEST,M3.5.0,M10.5.0/3", 29951, "2052-01-02T23:00:00Z" },
	{ "CET-1CEST,M3.5.0,M10.5.0/3", 2932531, "9998-12-31T23:00:00Z" },
	{ "EST5EDT,M3.2.0,M11.1.0", 29404, "2050-07-05T04:00:00Z" },
	{ "EST5EDT,M3.2.0,M11.1.0", 29584, "2051-01-01T05:00:00Z" },
	{ "AEST-10AEDT,M10.1.0,M4.1.0/3", 32886, "2060-01-15T13:00:00Z" },	/* southern half */
	{ "AEST-10AEDT,M10.1.0,M4.1.0/3", 33068, "2060-07-15T14:00:00Z" },
	{ "IST-1GMT0,M10.5.0,M3.5.0/1", 29399, "2050-06-29T23:00:00Z" },	/* summer is standard */
	{ "IST-1GMT0,M10.5.0,M3.5.0/1", 29583, "2050-12-31T00:00:00Z" },
	{ "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 29399, "2050-06-29T13:30:00Z" },
	{ "<-03>3", 29399, "2050-06-30T03:00:00Z" },
	{ "EST5EDT,0/0,J365/25", 29399, "2050-06-30T04:00:00Z" },		/* DST all the year */
	{ "EST5EDT,0/0,J365/25", 29583, "2050-12-31T04:00:00Z" },
	{ "AAA0BBB,J60,J300", 29278, "2050-03-01T00:00:00Z" },			/* Mar 1 at 2:00: still standard */
	{ "AAA0BBB,J60/0,J300", 29279, "2050-03-01T23:00:00Z" },
	{ "AAA0BBB,59/0,J300", 29279, "2050-03-01T23:00:00Z" },
	{ "EET-2EEST,M3.4.4/50,M10.4.4/50", 29295, "2050-03-17T22:00:00Z" },	/* hours beyond a day */
	{ "WGT3WGST,M3.5.0/-2,M10.5.0/-1", 29399, "2050-06-30T02:00:00Z" },	/* hours before it */
	{ "AAA-1:30:30", 29399, "2050-06-29T22:29:30Z" },
	{ "CET", 0, NULL }, { "CE-1", 0, NULL }, { "CET-1CEST", 0, NULL }, { "CET-1CEST,", 0, NULL },
	{ "CET-1CEST,M3.5.0", 0, NULL }, { "CET-1CEST,M13.5.0,M10.5.0", 0, NULL },
	{ "CET-1CEST,M3.6.0,M10.5.0", 0, NULL }, { "CET-1CEST,M3.5.7,M10.5.0", 0, NULL },
	{ "CET-1CEST,M3.5.0,M10.5.0x", 0, NULL }, { "CET-1CEST,J0,J1", 0, NULL }, { "CET-1CEST,366,1", 0, NULL },
	{ "CET-1CEST,M3.5.0/168,M10.5.0", 0, NULL }, { "CET-25", 0, NULL }, { "<CET-1", 0, NULL },
	{ "CET-1:60", 0, NULL }, { "CET-1CEST-", 0, NULL }, { "CET-1CEST,M3", 0, NULL }, { "CET-1CEST,M3.5", 0, NULL },
	{ "CET-1CE,M3.5.0,M10.5.0", 0, NULL }, { "CET-1:00:60", 0, NULL }, { "CET-1CEST,M3.5.0/,M10.5.0", 0, NULL },
};

START_TEST(zone_footer)
{
	struct zone zone;
	uint8_t data[256];
	char buf[32];
	int r = zone_parse(data, make_zone(data, footers[_i].footer), &zone);

	if (footers[_i].end == NULL) {
		ck_assert_msg(r == -EBADMSG, "%s", footers[_i].footer);
		return;
	}
	ck_assert_msg(r == 0, "%s", footers[_i].footer);
	civil_date_format(zone_instant_after(&zone, (footers[_i].day + 1) * 86400), buf);
	ck_assert_msg(strcmp(buf, footers[_i].end) == 0, "%s: %s", footers[_i].footer, buf);
}
END_TEST

START_TEST(zone_every_prefix_and_count_refused)
{
	struct zone zone;
	uint8_t data[256], changed[256];
	size_t size = make_zone(data, "CET-1CEST,M3.5.0,M10.5.0/3");

	ck_assert_int_eq(zone_parse(data, size, &zone), 0);
	for (size_t i = 0; i < size; i++)
		ck_assert_int_eq(zone_parse(data, i, &zone), -EBADMSG);
	for (size_t i = 20; i < 44; i++) {	/* each byte of each count, in both headers */
		for (size_t block = 0; block < 2; block++) {
			memcpy(changed, data, size);
			changed[block * 54 + i] = (uint8_t)(changed[block * 54 + i] + 0x7f);
			ck_assert_int_eq(zone_parse(changed, size, &zone), -EBADMSG);
		}
	}
	memcpy(changed, data, size);
	changed[4] = '\0';			/* version 1 has no 64-bit data */
	ck_assert_int_eq(zone_parse(changed, size, &zone), -EBADMSG);
	memcpy(changed, data, size);
	changed[54 + 44] = 0x7f;		/* an offset of years */
	ck_assert_int_eq(zone_parse(changed, size, &zone), -EBADMSG);
}
END_TEST

static const struct {
	const char *text, *zone;
	int error;
} refused[] = {
	{ "2026-12-31", "Europe/Nowhere", -ENOENT }, { "2026-12-31", "../../../etc/passwd", -ENOENT },
	{ "2026-12-31", "/etc/localtime", -ENOENT }, { "2026-12-31", "", -ENOENT }, { "2026-12-31", "Europe", -ENOENT },
	{ "2026-12-31", "Europe/../Europe/Berlin", -ENOENT }, { "2026-12-31", "Europe//Berlin", -ENOENT },
	{ "2026-12-31", "Europe/Berlin/", -ENOENT }, { "2026-12-31", "Europe/Berlin/x", -ENOENT },
	{ "2026-12-31", "localtime", -ENOENT }, { "2026-12-31", "zone.tab", -ENOENT },
	{ "", "UTC", -EINVAL }, { "never", "UTC", -EINVAL }, { "2026", "UTC", -EINVAL }, { "2026-12", "UTC", -EINVAL },
	{ "2026-12-32", "UTC", -EINVAL }, { "2026-02-29", "UTC", -EINVAL }, { "2026-13-01", "UTC", -EINVAL },
	{ "2026-1-1", "UTC", -EINVAL }, { "20261231", "UTC", -EINVAL }, { "31.12.2026", "UTC", -EINVAL },
	{ "12/31/2026", "UTC", -EINVAL }, { " 2026-12-31", "UTC", -EINVAL }, { "2026-12-31 ", "UTC", -EINVAL },
	{ "1969-12-31", "UTC", -EINVAL }, { "2026-12-31T", "UTC", -EINVAL }, { "2026-12-31T18", "UTC", -EINVAL },
	{ "2026-12-31T18:00", "UTC", -EINVAL }, { "2026-12-31T18:00:00", "UTC", -EINVAL },
	{ "2026-12-31T24:00:00Z", "UTC", -EINVAL }, { "2026-12-31T18:60:00Z", "UTC", -EINVAL },
	{ "2026-12-31T18:00:60Z", "UTC", -EINVAL }, { "2026-12-31 18:00:00Z", "UTC", -EINVAL },
	{ "2026-12-31t18:00:00z", "UTC", -EINVAL }, { "2026-12-31T18:00:00+0200", "UTC", -EINVAL },
	{ "2026-12-31T18:00:00+02", "UTC", -EINVAL }, { "2026-12-31T18:00:00+24:00", "UTC", -EINVAL },
	{ "2026-12-31T18:00:00.5Z", "UTC", -EINVAL }, { "2026-12-31T18:00:00Zx", "UTC", -EINVAL },
	{ "1970-01-01T00:00:00+00:01", "UTC", -EINVAL }, { "9999-12-31T23:59:59-00:01", "UTC", -EINVAL },
	{ "+", "UTC", -EINVAL }, { "+90", "UTC", -EINVAL }, { "+d", "UTC", -EINVAL }, { "+-1d", "UTC", -EINVAL },
	{ "++1d", "UTC", -EINVAL }, { "+1w", "UTC", -EINVAL }, { "+1D", "UTC", -EINVAL }, { "+1d ", "UTC", -EINVAL },
	{ "+ 1d", "UTC", -EINVAL }, { "+1dd", "UTC", -EINVAL }, { "-1d", "UTC", -EINVAL }, { "+1.5d", "UTC", -EINVAL },
	{ "+9999999999999999999d", "UTC", -EINVAL }, { "+9223372036854775807s", "UTC", -EINVAL },
	{ "+106751991167301d", "UTC", -EINVAL }, { "90d", "UTC", -EINVAL },
};

START_TEST(until_refused)
{
	int64_t t = 42;
	int r = civil_date_parse_until(refused[_i].text, refused[_i].zone, NOW, &t);

	ck_assert_msg(r == refused[_i].error, "%s %s: %d", refused[_i].text, refused[_i].zone, r);
	ck_assert_int_eq(t, 42);
}
END_TEST

START_TEST(until_accepted)
{
	static const struct { const char *text; int64_t utc_sec; } rows[] = {
		{ "2026-12-31T18:00:00Z", 1798740000 }, { "2026-12-31T18:00:00+02:00", 1798732800 },
		{ "2026-12-31T18:00:00-05:30", 1798759800 }, { "1970-01-01T00:00:00Z", 0 },
		{ "9999-12-31T23:59:59Z", CIVIL_DATE_MAX_SEC }, { "+90d", NOW + 7776000 }, { "+8h", NOW + 28800 },
		{ "+15m", NOW + 900 }, { "+20s", NOW + 20 }, { "+0s", NOW },
	};
	int64_t t;

	for (int i = 0; i < ROWS(rows); i++) {
		ck_assert_int_eq(civil_date_parse_until(rows[i].text, "No/Zone/Is/Read", NOW, &t), 0);
		ck_assert_msg(t == rows[i].utc_sec, "%s: %lld", rows[i].text, (long long)t);
	}
	ck_assert_int_eq(civil_date_parse_until("+1s", "UTC", CIVIL_DATE_MAX_SEC, &t), -EINVAL);
	ck_assert_int_eq(civil_date_parse_until("+1s", "UTC", CIVIL_DATE_MAX_SEC - 1, &t), 0);
	ck_assert_int_eq(civil_date_parse_until("+1s", "UTC", -1, &t), -EINVAL);
	ck_assert_int_eq(civil_date_parse_until("+1s", "UTC", INT64_MAX, &t), -EINVAL);
}
END_TEST

/* TM06a: neither TZ nor a locale can reach the parsers. */
START_TEST(tm06a_zone_of_the_environment)
{
	int64_t before, after;

	ck_assert_int_eq(civil_date_parse_until("2026-06-30", "Europe/Berlin", NOW, &before), 0);
	ck_assert_int_eq(setenv("TZ", "Pacific/Kiritimati", 1), 0);
	ck_assert_int_eq(setenv("TZDIR", "/tmp", 1), 0);
	ck_assert_int_eq(civil_date_parse_until("2026-06-30", "Europe/Berlin", NOW, &after), 0);
	ck_assert_int_eq(before, after);
	ck_assert_int_eq(civil_date_parse_generalized("20260630220000Z", 15, &after), 0);
	ck_assert_int_eq(before, after);
	ck_assert_int_eq(unsetenv("TZ"), 0);
	ck_assert_int_eq(unsetenv("TZDIR"), 0);
}
END_TEST

START_TEST(duration)
{
	static const struct { const char *text; int64_t max, sec; int error; } rows[] = {
		{ "20", 100, 20, 0 }, { "20s", 100, 20, 0 }, { "15m", 900, 900, 0 }, { "8h", 28800, 28800, 0 },
		{ "90d", 7776000, 7776000, 0 }, { "0", 0, 0, 0 }, { "007s", 7, 7, 0 },
		{ "101", 100, 0, -ERANGE }, { "16m", 900, 0, -ERANGE }, { "9223372036854775808", INT64_MAX, 0, -ERANGE },
		{ "9223372036854775807", INT64_MAX, INT64_MAX, 0 }, { "9223372036854775807d", INT64_MAX, 0, -ERANGE },
		{ "", 100, 0, -EINVAL }, { "s", 100, 0, -EINVAL }, { "20x", 100, 0, -EINVAL }, { "30 s", 100, 0, -EINVAL },
		{ "-1", 100, 0, -EINVAL }, { "+1", 100, 0, -EINVAL }, { " 1", 100, 0, -EINVAL }, { "1 ", 100, 0, -EINVAL },
		{ "1ss", 100, 0, -EINVAL }, { "1m30s", 100, 0, -EINVAL }, { "1.5h", 10000, 0, -EINVAL },
		{ "0x10", 100, 0, -EINVAL }, { "1S", 100, 0, -EINVAL },
	};

	for (int i = 0; i < ROWS(rows); i++) {
		int64_t sec = 0;

		ck_assert_msg(civil_date_parse_duration(rows[i].text, rows[i].max, &sec) == rows[i].error, "%s",
		    rows[i].text);
		ck_assert_int_eq(sec, rows[i].sec);
	}
}
END_TEST

START_TEST(formats)
{
	static const struct { int64_t sec; const char *text; } spans[] = {
		{ -5, "0 seconds" }, { 0, "0 seconds" }, { 1, "1 second" }, { 20, "20 seconds" }, { 59, "59 seconds" },
		{ 60, "1 minute" }, { 61, "61 seconds" }, { 119, "119 seconds" }, { 120, "2 minutes" },
		{ 900, "15 minutes" }, { 3600, "1 hour" }, { 3661, "61 minutes" }, { 7200, "2 hours" },
		{ 86400, "1 day" }, { 90000, "25 hours" }, { 172799, "47 hours" }, { 172800, "2 days" },
		{ 259200 + 5, "3 days" }, { INT64_MAX, "106751991167300 days" },
	};
	char buf[32];

	for (int i = 0; i < ROWS(spans); i++)
		ck_assert_str_eq(civil_date_format_span(spans[i].sec, buf), spans[i].text);
	ck_assert_str_eq(civil_date_format(0, buf), "1970-01-01T00:00:00Z");
	ck_assert_str_eq(civil_date_format(-1, buf), "1970-01-01T00:00:00Z");
	ck_assert_str_eq(civil_date_format(INT64_MAX, buf), "9999-12-31T23:59:59Z");
	ck_assert_str_eq(civil_date_format(1782856800, buf), "2026-06-30T22:00:00Z");
	ck_assert_str_eq(civil_date_format_generalized(1782856800, buf), "20260630220000Z");
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ tm01a_generalized_time, ROWS(valid) },
		{ tm01a_generalized_time_refused, ROWS(invalid) },
		{ tm01a_length_counts_not_the_nul, 0 },
		{ tm03a_far_dates, 0 },
		{ every_day_there_and_back, 0 },
		{ bare_date_ends_with_its_day, ROWS(days) },
		{ zone_footer, ROWS(footers) },
		{ zone_every_prefix_and_count_refused, 0 },
		{ until_refused, ROWS(refused) },
		{ until_accepted, 0 },
		{ tm06a_zone_of_the_environment, 0 },
		{ duration, 0 },
		{ formats, 0 },
	};

	return suite_run("civil_date", rows, ROWS(rows), 20);
}
