/*
 * roll.c - index over the accepted users of a roster (see roll.h).
 *
 * Runs in the publisher. Pure but for its memory; it must never say that a user whose end has come may stay.
 */
#include <config.h>

#include "daemon/roll.h"

#include <stdlib.h>
#include <string.h>

struct roll {
	struct roster *roster;		/* borrowed */
	const struct roster_user **by_uid;	/* owned; sorted */
	const struct roster_user **by_name;	/* owned; sorted */
	int64_t *ends;				/* owned; sorted, each once */
	uint32_t count;
	size_t end_count;
};

static const int64_t warn_secs[] = ROLL_WARN_SECS;

#define WARNINGS (sizeof warn_secs / sizeof warn_secs[0])

static int
compare_uid(const void *a, const void *b)
{
	const struct roster_user *const *x = a, *const *y = b;

	return ((*x)->uid > (*y)->uid) - ((*x)->uid < (*y)->uid);
}

static int
compare_name(const void *a, const void *b)
{
	const struct roster_user *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static int
compare_end(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
sort_ends(struct roll *roll)
{
	size_t kept = 0;

	if (roll->end_count > 0)
		qsort(roll->ends, roll->end_count, sizeof *roll->ends, compare_end);
	for (size_t i = 0; i < roll->end_count; i++) {
		if (kept == 0 || roll->ends[kept - 1] != roll->ends[i])
			roll->ends[kept++] = roll->ends[i];
	}
	roll->end_count = kept;
}

struct roll *
roll_new(struct roster *roster, const struct publisher_check *check)
{
	size_t room = check->user_count > 0 ? check->user_count : 1;
	struct roll *roll = calloc(1, sizeof *roll);

	if (roll == NULL)
		return NULL;
	roll->roster = roster;
	roll->by_uid = calloc(room, sizeof *roll->by_uid);
	roll->by_name = calloc(room, sizeof *roll->by_name);
	roll->ends = calloc(room, sizeof *roll->ends);
	if (roll->by_uid == NULL || roll->by_name == NULL || roll->ends == NULL) {
		roll_free(roll);
		return NULL;
	}
	for (uint32_t i = 0; i < check->user_count; i++) {
		const struct roster_user *u = roster_user_at(roster, check->users[i]);

		roll->by_uid[roll->count] = roll->by_name[roll->count] = u;
		roll->count++;
		if (u->not_after_utc_sec != 0)
			roll->ends[roll->end_count++] = u->not_after_utc_sec;
	}
	if (roll->count > 0) {
		qsort(roll->by_uid, roll->count, sizeof *roll->by_uid, compare_uid);
		qsort(roll->by_name, roll->count, sizeof *roll->by_name, compare_name);
	}
	sort_ends(roll);
	return roll;
}

void
roll_free(struct roll *roll)
{
	if (roll == NULL)
		return;
	free(roll->by_uid);
	free(roll->by_name);
	free(roll->ends);
	free(roll);
}

static const struct roster_user *
find(const struct roster_user *const *list, uint32_t count, const struct roster_user *key,
    int (*compare)(const void *, const void *))
{
	const struct roster_user *const *hit = count > 0 ? bsearch(&key, list, count, sizeof *list, compare) : NULL;

	return hit != NULL ? *hit : NULL;
}

const struct roster_user *
roll_find_uid(const struct roll *roll, uint32_t uid)
{
	const struct roster_user key = { .uid = uid };

	return roll == NULL ? NULL : find(roll->by_uid, roll->count, &key, compare_uid);
}

const struct roster_user *
roll_find_name(const struct roll *roll, const char *name)
{
	const struct roster_user key = { .name = name };

	return roll == NULL ? NULL : find(roll->by_name, roll->count, &key, compare_name);
}

uint32_t
roll_count(const struct roll *roll)
{
	return roll == NULL ? 0 : roll->count;
}

enum reason
roll_judge(const struct roster_user *user, int64_t now_utc_sec)
{
	if ((user->flags & ROSTER_ENDED) != 0)
		return REASON_DISABLED;
	if (user->not_after_utc_sec != 0 && now_utc_sec >= user->not_after_utc_sec)
		return REASON_EXPIRED;
	return REASON_OK;
}

int64_t
roll_next_end(const struct roll *roll, int64_t now_utc_sec)
{
	size_t low = 0, high = roll == NULL ? 0 : roll->end_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (roll->ends[middle] > now_utc_sec)
			high = middle;
		else
			low = middle + 1;
	}
	return roll == NULL || low == roll->end_count ? 0 : roll->ends[low];
}

int64_t
roll_next_due(const struct roll *roll, int64_t now_utc_sec, uint32_t warn_before_sec)
{
	int64_t first = roll_next_end(roll, now_utc_sec);

	for (size_t i = 0; i <= WARNINGS; i++) {
		int64_t before_sec = i < WARNINGS ? warn_secs[i] : warn_before_sec;
		int64_t end = roll_next_end(roll, now_utc_sec + before_sec);

		if (before_sec > warn_before_sec)	/* the setting names the first warning */
			continue;
		if (end != 0 && (first == 0 || end - before_sec < first))
			first = end - before_sec;
	}
	return first;
}

bool
roll_warning_due(int64_t not_after_utc_sec, int64_t since_utc_sec, int64_t now_utc_sec, uint32_t warn_before_sec)
{
	if (not_after_utc_sec == 0 || now_utc_sec >= not_after_utc_sec)
		return false;
	for (size_t i = 0; i <= WARNINGS; i++) {
		int64_t before_sec = i < WARNINGS ? warn_secs[i] : warn_before_sec;
		int64_t at = not_after_utc_sec - before_sec;

		if (before_sec <= warn_before_sec && since_utc_sec < at && at <= now_utc_sec)
			return true;
	}
	return false;
}
