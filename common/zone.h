/*
 * zone.h - a time zone read from its TZif file (RFC 8536), for the end of a bare date.
 */
#ifndef ISMS_ZONE_H
#define ISMS_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZONE_FOLDER	"/usr/share/zoneinfo"
#define ZONE_NAME_MAX	63

/* One day of the year of a POSIX TZ rule, and the local second at which the clock changes. */
struct zone_change {
	enum { ZONE_CHANGE_JULIAN, ZONE_CHANGE_DAY, ZONE_CHANGE_WEEKDAY } form;
	int day;		/* Jn: 1..365, n: 0..365 */
	int month, week, weekday;	/* Mm.w.d */
	int32_t at_sec;
};

/* What holds after the last transition of the file. */
struct zone_footer {
	bool set, has_dst;
	int32_t std_sec, dst_sec;	/* east of UTC */
	struct zone_change dst_begins, dst_ends;
};

struct zone {
	uint8_t *data;			/* owned when zone_load() made it; else NULL */
	const uint8_t *times, *indexes, *types;
	uint32_t time_count, type_count;
	struct zone_footer footer;
};

/* Whether a name may stand for a file below ZONE_FOLDER: no "..", no leading "/", letters, digits and "_+-/". */
bool zone_name_valid(const char *name);

/*
 * Read a zone.
 *
 *  name  e.g. "Europe/Berlin"
 *  ret   free with zone_done()
 *
 * Returns 0, -ENOENT for a name that is not valid or has no file, -EBADMSG for a malformed file, or another -errno.
 */
int zone_load(const char *name, struct zone *ret);

/*
 * The same from memory; data must outlive *ret.
 *
 * Returns 0 or -EBADMSG: not version 2 or later, malformed, or one that counts leap seconds ("right/...").
 */
int zone_parse(const uint8_t *data, size_t size, struct zone *ret);

/* Free what zone_load() made; a zeroed zone is fine. */
void zone_done(struct zone *zone);

/* Seconds east of UTC at an instant. */
int32_t zone_offset(const struct zone *zone, int64_t utc_sec);

/*
 * The first instant from which on the zone's clocks never again show less than local_sec (seconds since
 * 1970-01-01 00:00 as shown). Where clocks skip it, that is the skip; where they show it twice, the last.
 */
int64_t zone_instant_after(const struct zone *zone, int64_t local_sec);

#endif
