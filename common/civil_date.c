/*
 * civil_date.c - calendar dates and UTC instants, by arithmetic alone.
 *
 * Runs in every process of ismsd and in isms-userctl. Must never call mktime, localtime or strptime,
 * read TZ or a locale, or guess: what is not exactly of a form below is refused (THREATS 5.7).
 * Zone files, needed for bare dates only, are read by zone.c.
 */
#include <config.h>

#include "common/civil_date.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/zone.h"

enum { MINUTE_SEC = 60, HOUR_SEC = 3600, DAY_SEC = 86400 };

int64_t
civil_date_days(int64_t year, unsigned month, unsigned day)
{
	/* Years that begin in March put the leap day last; an era is 400 years of 146097 days. */
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void
civil_date_of_days(int64_t days, int64_t *ret_year, unsigned *ret_month, unsigned *ret_day)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t of_era = z - era * 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t m = (5 * of_year + 2) / 153;
	unsigned month = (unsigned)(m < 10 ? m + 3 : m - 9);

	*ret_year = year + era * 400 + (month <= 2);
	*ret_month = month;
	*ret_day = (unsigned)(of_year - (153 * m + 2) / 5 + 1);
}

static unsigned
days_of_month(int64_t year, unsigned month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
		return 29;
	return days[month - 1];
}

static bool
valid_date(int64_t year, unsigned month, unsigned day)
{
	return month >= 1 && month <= 12 && day >= 1 && day <= days_of_month(year, month);
}

/* A text that is being eaten from the left. */
struct cursor {
	const char *at, *end;
};

/* Exactly count decimal digits. */
static bool
take_number(struct cursor *c, int count, unsigned *ret)
{
	unsigned n = 0;

	if (c->end - c->at < count)
		return false;
	for (int i = 0; i < count; i++) {
		if (c->at[i] < '0' || c->at[i] > '9')
			return false;
		n = n * 10 + (unsigned)(c->at[i] - '0');
	}
	c->at += count;
	*ret = n;
	return true;
}

static bool
take_char(struct cursor *c, char wanted)
{
	if (c->at == c->end || *c->at != wanted)
		return false;
	c->at++;
	return true;
}

static bool
at_digit(const struct cursor *c)
{
	return c->at < c->end && *c->at >= '0' && *c->at <= '9';
}

/* The whole seconds in 0.DIGITS of unit_sec, exactly: Horner from the last digit, since floors may be nested. */
static bool
take_fraction(struct cursor *c, unsigned unit_sec, unsigned *ret_sec)
{
	const char *first = c->at;
	unsigned sec = 0;

	while (at_digit(c))
		c->at++;
	if (c->at == first)
		return false;
	for (const char *p = c->at; p > first; p--)
		sec = ((unsigned)(p[-1] - '0') * unit_sec + sec) / 10;
	*ret_sec = sec;
	return true;
}

/* Z, or +hh[mm] and -hh[mm]; with separator also +hh:mm. Nothing may follow. */
static bool
take_zone(struct cursor *c, bool separator, int64_t *ret_offset_sec)
{
	unsigned hour = 0, minute = 0;
	bool west;

	if (take_char(c, 'Z')) {
		*ret_offset_sec = 0;
		return c->at == c->end;
	}
	west = take_char(c, '-');
	if ((!west && !take_char(c, '+')) || !take_number(c, 2, &hour))
		return false;
	if (separator ? !take_char(c, ':') || !take_number(c, 2, &minute) :
	    at_digit(c) && !take_number(c, 2, &minute))
		return false;
	if (hour > 23 || minute > 59 || c->at != c->end)
		return false;
	*ret_offset_sec = (west ? -1 : 1) * (int64_t)(hour * HOUR_SEC + minute * MINUTE_SEC);
	return true;
}

static int
instant(int64_t days, int64_t sec_of_day, int64_t offset_sec, int64_t *ret_utc_sec)
{
	int64_t t = days * DAY_SEC + sec_of_day - offset_sec;

	if (t < 0 || t > CIVIL_DATE_MAX_SEC)
		return -EINVAL;
	*ret_utc_sec = t;
	return 0;
}

int
civil_date_parse_generalized(const char *text, size_t len, int64_t *ret_utc_sec)
{
	unsigned year, month, day, hour, minute = 0, second = 0, fraction = 0, unit_sec = HOUR_SEC;
	struct cursor c = { text, text + len };
	int64_t offset_sec;

	if (!take_number(&c, 4, &year) || !take_number(&c, 2, &month) || !take_number(&c, 2, &day) ||
	    !take_number(&c, 2, &hour) || !valid_date(year, month, day) || hour > 23)
		return -EINVAL;
	if (at_digit(&c)) {
		if (!take_number(&c, 2, &minute) || minute > 59)
			return -EINVAL;
		unit_sec = MINUTE_SEC;
		if (at_digit(&c)) {
			if (!take_number(&c, 2, &second) || second > 60)
				return -EINVAL;
			unit_sec = 1;
		}
	}
	if ((take_char(&c, '.') || take_char(&c, ',')) && !take_fraction(&c, unit_sec, &fraction))
		return -EINVAL;
	if (!take_zone(&c, false, &offset_sec))
		return -EINVAL;
	if (second == 60)	/* a leap second has no number of its own in UTC seconds; the earlier one is the stricter */
		second = 59;
	return instant(civil_date_days(year, month, day),
	    (int64_t)hour * HOUR_SEC + minute * MINUTE_SEC + second + fraction, offset_sec, ret_utc_sec);
}

static int
unit_seconds(char unit, int64_t *ret)
{
	switch (unit) {
	case 's':
	case '\0':
		*ret = 1;
		return 0;
	case 'm':
		*ret = MINUTE_SEC;
		return 0;
	case 'h':
		*ret = HOUR_SEC;
		return 0;
	case 'd':
		*ret = DAY_SEC;
		return 0;
	default:
		return -EINVAL;
	}
}

int
civil_date_parse_duration(const char *text, int64_t max_sec, int64_t *ret_sec)
{
	size_t digits = strspn(text, "0123456789");
	int64_t n = 0, unit_sec;

	if (digits == 0 || unit_seconds(text[digits], &unit_sec) < 0 ||
	    (text[digits] != '\0' && text[digits + 1] != '\0'))
		return -EINVAL;
	for (size_t i = 0; i < digits; i++) {
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, text[i] - '0', &n))
			return -ERANGE;
	}
	if (__builtin_mul_overflow(n, unit_sec, &n) || n > max_sec)
		return -ERANGE;
	*ret_sec = n;
	return 0;
}

/* "+90d": a unit must be given, since a bare number of what would be a guess. */
static int
parse_relative(const char *text, int64_t now_utc_sec, int64_t *ret_utc_sec)
{
	int64_t sec;
	size_t len = strlen(text);

	if (now_utc_sec < 0 || now_utc_sec > CIVIL_DATE_MAX_SEC || len == 0 ||
	    (text[len - 1] >= '0' && text[len - 1] <= '9') ||
	    civil_date_parse_duration(text, CIVIL_DATE_MAX_SEC - now_utc_sec, &sec) < 0)
		return -EINVAL;
	*ret_utc_sec = now_utc_sec + sec;
	return 0;
}

/* The first instant that no longer belongs to a day of the zone. */
static int
end_of_day(int64_t day, const char *zone_name, int64_t *ret_utc_sec)
{
	struct zone zone = { 0 };
	int64_t end = (day + 1) * DAY_SEC;
	int r;

	if (strcmp(zone_name, "UTC") != 0) {
		r = zone_load(zone_name, &zone);
		if (r < 0)
			return r;
		end = zone_instant_after(&zone, end);
		zone_done(&zone);
	}
	if (end < 0)
		return -EINVAL;
	*ret_utc_sec = end < CIVIL_DATE_MAX_SEC ? end : CIVIL_DATE_MAX_SEC;
	return 0;
}

int
civil_date_parse_until(const char *text, const char *zone, int64_t now_utc_sec, int64_t *ret_utc_sec)
{
	struct cursor c = { text, text + strlen(text) };
	unsigned year, month, day, hour, minute, second;
	int64_t offset_sec;

	if (text[0] == '+')
		return parse_relative(text + 1, now_utc_sec, ret_utc_sec);
	if (!take_number(&c, 4, &year) || !take_char(&c, '-') || !take_number(&c, 2, &month) ||
	    !take_char(&c, '-') || !take_number(&c, 2, &day) || !valid_date(year, month, day) || year < 1970)
		return -EINVAL;
	if (c.at == c.end)
		return end_of_day(civil_date_days(year, month, day), zone, ret_utc_sec);
	if (!take_char(&c, 'T') || !take_number(&c, 2, &hour) || !take_char(&c, ':') ||
	    !take_number(&c, 2, &minute) || !take_char(&c, ':') || !take_number(&c, 2, &second) ||
	    hour > 23 || minute > 59 || second > 59 || !take_zone(&c, true, &offset_sec))
		return -EINVAL;
	return instant(civil_date_days(year, month, day),
	    (int64_t)hour * HOUR_SEC + minute * MINUTE_SEC + second, offset_sec, ret_utc_sec);
}

struct civil_time {
	unsigned year, month, day, hour, minute, second;
};

static struct civil_time
split(int64_t utc_sec)
{
	int64_t t = utc_sec < 0 ? 0 : utc_sec > CIVIL_DATE_MAX_SEC ? CIVIL_DATE_MAX_SEC : utc_sec;
	unsigned of_day = (unsigned)(t % DAY_SEC);
	struct civil_time c;
	int64_t year;

	civil_date_of_days(t / DAY_SEC, &year, &c.month, &c.day);
	c.year = (unsigned)year;
	c.hour = of_day / HOUR_SEC;
	c.minute = of_day / MINUTE_SEC % 60;
	c.second = of_day % 60;
	return c;
}

char *
civil_date_format(int64_t utc_sec, char buf[static 32])
{
	struct civil_time c = split(utc_sec);

	(void)snprintf(buf, 32, "%04u-%02u-%02uT%02u:%02u:%02uZ", c.year % 10000, c.month % 100, c.day % 100,
	    c.hour, c.minute % 100, c.second % 100);
	return buf;
}

char *
civil_date_format_generalized(int64_t utc_sec, char buf[static 32])
{
	struct civil_time c = split(utc_sec);

	(void)snprintf(buf, 32, "%04u%02u%02u%02u%02u%02uZ", c.year % 10000, c.month % 100, c.day % 100,
	    c.hour, c.minute % 100, c.second % 100);
	return buf;
}

char *
civil_date_format_span(int64_t sec, char buf[static 32])
{
	static const struct { int64_t sec; const char *name; } units[] = {
		{ DAY_SEC, "day" }, { HOUR_SEC, "hour" }, { MINUTE_SEC, "minute" }, { 1, "second" },
	};
	size_t i = 0;
	int64_t n;

	if (sec < 0)
		sec = 0;
	/* "25 hours" tells more than "1 day", "1 day" more than "24 hours". */
	while (i < 3 && sec < 2 * units[i].sec && (sec == 0 || sec % units[i].sec != 0))
		i++;
	n = sec / units[i].sec;
	(void)snprintf(buf, 32, "%lld %s%s", (long long)n, units[i].name, n == 1 ? "" : "s");
	return buf;
}
