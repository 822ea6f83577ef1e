/*
 * civil_date.h - calendar dates and UTC instants, without mktime, localtime or TZ (THREATS 5.7).
 */
#ifndef ISMS_CIVIL_DATE_H
#define ISMS_CIVIL_DATE_H

#include <stddef.h>
#include <stdint.h>

/* 0000-01-01 .. never: instants that the parsers can return lie in years 1970 to 9999. */
#define CIVIL_DATE_MAX_SEC 253402300799LL

/* Days since 1970-01-01 of a civil date (proleptic Gregorian); month 1..12, day 1..31, not checked. */
int64_t civil_date_days(int64_t year, unsigned month, unsigned day);

/* The civil date of a number of days since 1970-01-01; the inverse of civil_date_days(). */
void civil_date_of_days(int64_t days, int64_t *ret_year, unsigned *ret_month, unsigned *ret_day);

/*
 * RFC 4517 GeneralizedTime: YYYYMMDDHH[MM[SS]][(.|,)f](Z|+hh[mm]|-hh[mm]). Fractions round down; second 60 is 59.
 *
 * Returns 0 and the instant, or -EINVAL (no zone, 24:00, month 13, Feb 30, year before 1970 ...).
 */
int civil_date_parse_generalized(const char *text, size_t len, int64_t *ret_utc_sec);

/*
 * What an administrator types: "2026-12-31" (end of that day in the zone), "2026-12-31T18:00:00Z",
 * "2026-12-31T18:00:00+02:00", "+90d", "+8h", "+15m", "+20s" (from now).
 *
 *  zone     "UTC" or a file below /usr/share/zoneinfo; read only for a bare date
 *  now      base of relative times
 *
 * The last day of 9999 ends a second early, at CIVIL_DATE_MAX_SEC.
 *
 * Returns 0, -EINVAL for anything else, -ENOENT for an unknown zone, or what zone_load() says of its file.
 */
int civil_date_parse_until(const char *text, const char *zone, int64_t now_utc_sec, int64_t *ret_utc_sec);

/* "90d", "8h", "15m", "20s", "20" (seconds). Returns 0 or -EINVAL, -ERANGE above max_sec. */
int civil_date_parse_duration(const char *text, int64_t max_sec, int64_t *ret_sec);

/* ISO 8601, "2026-06-30T22:00:00Z"; buf of at least 21 bytes; returns buf. 0 becomes "never" only by the caller. */
char *civil_date_format(int64_t utc_sec, char buf[static 32]);

/* GeneralizedTime, "20260630220000Z"; returns buf. */
char *civil_date_format_generalized(int64_t utc_sec, char buf[static 32]);

/* "3 days", "20 seconds": the largest unit that reads well; negative counts as 0. Returns buf. */
char *civil_date_format_span(int64_t sec, char buf[static 32]);

#endif
