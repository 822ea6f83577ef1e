/*
 * zone.c - the contents of TZif files (RFC 8536) and the POSIX TZ rule in their footer.
 *
 * Runs in isms-userctl and the directory process, for bare dates alone. Must never trust a count or an
 * index of the file: zone_parse() checks all of them once; the rest only walks what passed. Does no I/O.
 */
#include <config.h>

#include "common/zone.h"

#include <errno.h>
#include <string.h>

#include "common/civil_date.h"

enum { HOUR_SEC = 3600, DAY_SEC = 86400, TZIF_HEADER = 44, TZIF_TYPE = 6 };

#define OFFSET_MAX_SEC (26 * HOUR_SEC)	/* RFC 8536 3.2: -24:59:59 .. 25:59:59 */

static uint32_t
be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t
be64(const uint8_t *p)
{
	return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

/* ---- footer: POSIX TZ rule, e.g. CET-1CEST,M3.5.0,M10.5.0/3 -------------------------------------- */

static bool
skip_abbreviation(const char **at)
{
	const char *p = *at;

	if (*p == '<') {
		p += strcspn(p, ">");
		if (*p != '>')
			return false;
		*at = p + 1;
		return true;
	}
	while ((*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z'))
		p++;
	if (p - *at < 3)
		return false;
	*at = p;
	return true;
}

static bool
take_int(const char **at, int min, int max, int *ret)
{
	int n = 0;

	if (**at < '0' || **at > '9')
		return false;
	for (; **at >= '0' && **at <= '9'; (*at)++) {
		n = n * 10 + (**at - '0');
		if (n > max)
			return false;
	}
	*ret = n;
	return n >= min;
}

/* [+-]h[h[h]][:mm[:ss]] */
static bool
take_time(const char **at, int hour_max, int32_t *ret_sec)
{
	int hour, minute = 0, second = 0;
	bool negative = **at == '-';

	if (**at == '-' || **at == '+')
		(*at)++;
	if (!take_int(at, 0, hour_max, &hour))
		return false;
	if (**at == ':') {
		(*at)++;
		if (!take_int(at, 0, 59, &minute))
			return false;
		if (**at == ':') {
			(*at)++;
			if (!take_int(at, 0, 59, &second))
				return false;
		}
	}
	*ret_sec = (negative ? -1 : 1) * (hour * HOUR_SEC + minute * 60 + second);
	return true;
}

static bool
take_change(const char **at, struct zone_change *ret)
{
	bool good;

	if (**at != ',')
		return false;
	(*at)++;
	if (**at == 'M') {
		ret->form = ZONE_CHANGE_WEEKDAY;
		(*at)++;
		good = take_int(at, 1, 12, &ret->month) && *(*at)++ == '.' && take_int(at, 1, 5, &ret->week) &&
		    *(*at)++ == '.' && take_int(at, 0, 6, &ret->weekday);
	} else if (**at == 'J') {
		ret->form = ZONE_CHANGE_JULIAN;
		(*at)++;
		good = take_int(at, 1, 365, &ret->day);
	} else {
		ret->form = ZONE_CHANGE_DAY;
		good = take_int(at, 0, 365, &ret->day);
	}
	ret->at_sec = 2 * HOUR_SEC;
	if (!good || **at != '/')
		return good;
	(*at)++;
	return take_time(at, 167, &ret->at_sec);	/* RFC 8536 3.3.1: -167 .. 167 */
}

static bool
parse_footer(const char *text, struct zone_footer *ret)
{
	struct zone_footer f = { 0 };
	int32_t west;

	if (text[0] == '\0') {		/* nothing known after the last transition: its offset goes on */
		*ret = f;
		return true;
	}
	f.set = true;
	if (!skip_abbreviation(&text) || !take_time(&text, 24, &west))
		return false;
	f.std_sec = -west;
	if (*text != '\0') {
		f.has_dst = true;
		f.dst_sec = f.std_sec + HOUR_SEC;
		if (!skip_abbreviation(&text))
			return false;
		if (*text != ',') {
			if (!take_time(&text, 24, &west))
				return false;
			f.dst_sec = -west;
		}
		if (!take_change(&text, &f.dst_begins) || !take_change(&text, &f.dst_ends) || *text != '\0')
			return false;
	}
	*ret = f;
	return true;
}

/* Seconds since 1970-01-01, as shown by a clock, at which a rule's change falls in a year. */
static int64_t
change_local(const struct zone_change *change, int64_t year)
{
	int64_t first = civil_date_days(year, 1, 1), day;
	bool leap = civil_date_days(year, 3, 1) - first == 60;

	switch (change->form) {
	case ZONE_CHANGE_JULIAN:	/* February 29 is never counted */
		day = first + change->day - 1 + (leap && change->day >= 60);
		break;
	case ZONE_CHANGE_DAY:
		day = first + change->day;
		break;
	default: {
		int64_t month = civil_date_days(year, (unsigned)change->month, 1);
		int64_t next = change->month == 12 ? civil_date_days(year + 1, 1, 1) :
		    civil_date_days(year, (unsigned)change->month + 1, 1);
		int64_t weekday = ((month + 4) % 7 + 7) % 7;	/* 1970-01-01 was a Thursday */

		day = month + (change->weekday - weekday + 7) % 7 + 7 * (change->week - 1);
		if (day >= next)	/* week 5 means the last */
			day -= 7;
		break;
	}
	}
	return day * DAY_SEC + change->at_sec;
}

static int64_t
year_of(int64_t utc_sec)
{
	int64_t year, days = (utc_sec >= 0 ? utc_sec : utc_sec - (DAY_SEC - 1)) / DAY_SEC;
	unsigned month, day;

	civil_date_of_days(days, &year, &month, &day);
	return year;
}

/*
 * The footer's offset at an instant, and the next change after it. The latest change not after the
 * instant holds; a beginning wins over an end at the same time, which is how "always DST" is written.
 */
static int32_t
footer_offset(const struct zone_footer *f, int64_t utc_sec, int64_t *ret_next)
{
	int64_t year = year_of(utc_sec), latest = INT64_MIN, next = INT64_MAX;
	int32_t offset = f->std_sec;

	/* Two years back: a change may come up to a week after its day, in the year that follows (fuzz: week-late). */
	for (int64_t y = year - 2; f->has_dst && y <= year + 1; y++) {
		const struct { int64_t at; int32_t offset; } changes[] = {
			{ change_local(&f->dst_ends, y) - f->dst_sec, f->std_sec },
			{ change_local(&f->dst_begins, y) - f->std_sec, f->dst_sec },
		};

		for (int i = 0; i < 2; i++) {
			if (changes[i].at > utc_sec) {
				next = changes[i].at < next ? changes[i].at : next;
			} else if (changes[i].at > latest || (changes[i].at == latest && i == 1)) {
				latest = changes[i].at;
				offset = changes[i].offset;
			}
		}
	}
	*ret_next = next;
	return offset;
}

/* ---- the file ----------------------------------------------------------------------------------- */

struct tzif_header {
	uint32_t isut, isstd, leap, time, type, chars;
};

static bool
read_header(const uint8_t *p, size_t size, struct tzif_header *ret)
{
	if (size < TZIF_HEADER || memcmp(p, "TZif", 4) != 0 || p[4] < '2')
		return false;
	*ret = (struct tzif_header){ .isut = be32(p + 20), .isstd = be32(p + 24), .leap = be32(p + 28),
		.time = be32(p + 32), .type = be32(p + 36), .chars = be32(p + 40) };
	return true;
}

/* Bytes of a data block; the counts are 32 bits each, so that 64 bits cannot overflow. */
static uint64_t
block_size(const struct tzif_header *h, unsigned time_size)
{
	return (uint64_t)h->time * time_size + h->time + (uint64_t)h->type * TZIF_TYPE + h->chars +
	    (uint64_t)h->leap * (time_size + 4) + h->isstd + h->isut;
}

static bool
records_valid(const struct zone *z)
{
	for (uint32_t i = 0; i < z->time_count; i++) {
		if (z->indexes[i] >= z->type_count ||
		    (i > 0 && be64(z->times + i * 8) <= be64(z->times + (i - 1) * 8)))
			return false;
	}
	for (uint32_t i = 0; i < z->type_count; i++) {
		int32_t offset = (int32_t)be32(z->types + i * TZIF_TYPE);

		if (offset <= -OFFSET_MAX_SEC || offset >= OFFSET_MAX_SEC)
			return false;
	}
	return true;
}

int
zone_parse(const uint8_t *data, size_t size, struct zone *ret)
{
	const uint8_t *p = data;
	struct tzif_header h;
	struct zone z = { 0 };
	const uint8_t *end;
	char footer[128];
	size_t len;

	/* The first block has 32-bit times for old readers; skip it. */
	if (!read_header(p, size, &h) || block_size(&h, 4) > size - TZIF_HEADER)
		return -EBADMSG;
	len = TZIF_HEADER + (size_t)block_size(&h, 4);
	p += len;
	size -= len;
	if (!read_header(p, size, &h) || block_size(&h, 8) > size - TZIF_HEADER || h.type == 0 || h.type > 256 ||
	    h.leap != 0)
		return -EBADMSG;
	z.times = p + TZIF_HEADER;
	z.time_count = h.time;
	z.indexes = z.times + (size_t)h.time * 8;
	z.types = z.indexes + h.time;
	z.type_count = h.type;
	len = TZIF_HEADER + (size_t)block_size(&h, 8);
	p += len;
	size -= len;
	if (size < 2 || *p++ != '\n')
		return -EBADMSG;
	end = memchr(p, '\n', size - 1);
	if (end == NULL || (size_t)(end - p) >= sizeof footer)
		return -EBADMSG;
	memcpy(footer, p, (size_t)(end - p));
	footer[end - p] = '\0';
	if (strlen(footer) != (size_t)(end - p) || !parse_footer(footer, &z.footer) || !records_valid(&z))
		return -EBADMSG;
	*ret = z;
	return 0;
}

/* The offset at an instant and the next instant after it at which it may change. */
static int32_t
segment(const struct zone *z, int64_t utc_sec, int64_t *ret_next)
{
	uint32_t low = 0, high = z->time_count;	/* low: how many transitions lie at or before the instant */

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (be64(z->times + (size_t)middle * 8) <= utc_sec)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == z->time_count && z->footer.set)
		return footer_offset(&z->footer, utc_sec, ret_next);
	*ret_next = low == z->time_count ? INT64_MAX : be64(z->times + (size_t)low * 8);
	/* Before the first transition the first type holds (RFC 8536 3.2). */
	return (int32_t)be32(z->types + (size_t)(low == 0 ? 0 : z->indexes[low - 1]) * TZIF_TYPE);
}

int32_t
zone_offset(const struct zone *zone, int64_t utc_sec)
{
	int64_t next;

	return segment(zone, utc_sec, &next);
}

int64_t
zone_instant_after(const struct zone *zone, int64_t local_sec)
{
	int64_t at = local_sec - 2 * OFFSET_MAX_SEC, stop = local_sec + 2 * OFFSET_MAX_SEC, after = at;

	/* Of each stretch with one offset: the end of the part in which clocks show less than local_sec. */
	while (at < stop) {
		int64_t next, end, offset = segment(zone, at, &next);

		end = local_sec - offset < next ? local_sec - offset : next;
		if (end > at)
			after = end;
		at = next;
	}
	return after;
}
