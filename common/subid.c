/*
 * subid.c - reads the ranges of subordinate ids (see subid.h).
 *
 * Runs in the publisher, the front and in isms-userctl add. It must never take a file that could not be read whole for an empty
 * one: every id of it would pass as free. Numbers are read as newuidmap(1) reads them, in base 8 and 16 too.
 */
#include <config.h>

#include "common/subid.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES	1024	/* shadow's own limit */

static bool
parse_number(const char *text, uint64_t *ret)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*ret = strtoull(text, &end, 0);
	return errno == 0 && *end == '\0';
}

/* The range of a line without its newline, which is cut up. Returns false for a line that lends nothing. */
static bool
parse_line(char *line, struct subid_range *ret)
{
	char *first_text = strchr(line, ':'), *count_text;
	uint64_t first, count, last;

	if (first_text == NULL || first_text == line)
		return false;
	*first_text++ = '\0';
	count_text = strchr(first_text, ':');
	if (count_text == NULL)
		return false;
	*count_text++ = '\0';
	if (!parse_number(first_text, &first) || !parse_number(count_text, &count) || first > UINT32_MAX || count == 0)
		return false;
	last = count - 1 > UINT32_MAX - first ? UINT32_MAX : first + count - 1;
	*ret = (struct subid_range){ (uint32_t)first, (uint32_t)last };
	return true;
}

static int
append(struct subids *s, struct subid_range range)
{
	struct subid_range *grown;

	if (s->count == SUBID_RANGES_MAX)
		return -E2BIG;
	if (s->count == 0 || (s->count >= 16 && (s->count & (s->count - 1)) == 0)) {
		grown = reallocarray(s->ranges, s->count == 0 ? 16 : s->count * 2, sizeof *grown);
		if (grown == NULL)
			return -ENOMEM;
		s->ranges = grown;
	}
	s->ranges[s->count++] = range;
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const struct subid_range *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* Sort, and join what overlaps. */
static void
normalise(struct subids *s)
{
	size_t to = 0;

	if (s->count == 0)
		return;
	qsort(s->ranges, s->count, sizeof *s->ranges, compare);
	for (size_t from = 1; from < s->count; from++) {
		if (s->ranges[from].first > s->ranges[to].last)
			s->ranges[++to] = s->ranges[from];
		else if (s->ranges[from].last > s->ranges[to].last)
			s->ranges[to].last = s->ranges[from].last;
	}
	s->count = to + 1;
}

static int
load_lines(FILE *f, struct subids *s)
{
	char line[LINE_MAX_BYTES];
	bool in_long = false;	/* behind the beginning of a line that is too long, all of which is ignored */
	struct subid_range range;
	int r = 0;

	while (r == 0 && fgets(line, sizeof line, f) != NULL) {
		size_t len = strlen(line);
		bool is_whole = (len > 0 && line[len - 1] == '\n') || len < sizeof line - 1;

		if (len > 0 && line[len - 1] == '\n')
			line[len - 1] = '\0';
		if (!in_long && is_whole && parse_line(line, &range))
			r = append(s, range);
		in_long = !is_whole;
	}
	return r == 0 && ferror(f) ? -EIO : r;
}

int
subids_load(const char *path, struct subids *ret)
{
	struct subids s = { 0 };
	FILE *f = fopen(path, "re");
	int r;

	*ret = s;
	if (f == NULL)
		return errno == ENOENT ? 0 : -errno;
	r = load_lines(f, &s);
	(void)fclose(f);
	if (r < 0) {
		subids_done(&s);
		return r;
	}
	normalise(&s);
	*ret = s;
	return 0;
}

void
subids_done(struct subids *s)
{
	free(s->ranges);
	*s = (struct subids){ 0 };
}

const struct subid_range *
subids_find(const struct subids *s, uint32_t id)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->ranges[middle].last < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->count && s->ranges[low].first <= id ? &s->ranges[low] : NULL;
}

bool
subids_has(const struct subids *s, uint32_t id)
{
	return subids_find(s, id) != NULL;
}
