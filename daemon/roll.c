/*
 * roll.c - the ends of accepted users, sorted (see roll.h).
 *
 * Runs in the publisher. Pure but for its memory; it must never say that a user whose end has come may stay.
 */
#include <config.h>

#include "daemon/roll.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const int64_t warn_secs[] = ROLL_WARN_SECS;

#define WARNINGS (sizeof warn_secs / sizeof warn_secs[0])

void
roll_done(struct roll *roll)
{
	free(roll->ends);
	*roll = (struct roll){ 0 };
}

int
roll_reserve(struct roll *roll, size_t more)
{
	size_t room = roll->count + more;
	struct roll_end *ends;

	if (room <= roll->room)
		return 0;
	if (room < roll->room + roll->room / 2)
		room = roll->room + roll->room / 2;
	ends = reallocarray(roll->ends, room, sizeof *ends);
	if (ends == NULL)
		return -ENOMEM;
	roll->ends = ends;
	roll->room = room;
	return 0;
}

/* The first end that is later than an instant. */
static size_t
first_after(const struct roll *roll, int64_t utc_sec)
{
	size_t low = 0, high = roll->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (roll->ends[middle].at_utc_sec > utc_sec)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

void
roll_add(struct roll *roll, int64_t not_after_utc_sec)
{
	size_t after = first_after(roll, not_after_utc_sec);

	if (not_after_utc_sec == 0)
		return;
	if (after > 0 && roll->ends[after - 1].at_utc_sec == not_after_utc_sec) {
		roll->ends[after - 1].users++;
		return;
	}
	memmove(&roll->ends[after + 1], &roll->ends[after], (roll->count - after) * sizeof roll->ends[0]);
	roll->ends[after] = (struct roll_end){ .at_utc_sec = not_after_utc_sec, .users = 1 };
	roll->count++;
}

void
roll_remove(struct roll *roll, int64_t not_after_utc_sec)
{
	size_t after = first_after(roll, not_after_utc_sec);

	if (after == 0 || roll->ends[after - 1].at_utc_sec != not_after_utc_sec || --roll->ends[after - 1].users > 0)
		return;
	memmove(&roll->ends[after - 1], &roll->ends[after], (roll->count - after) * sizeof roll->ends[0]);
	roll->count--;
}

static int
compare_end(const void *a, const void *b)
{
	const struct roll_end *x = a, *y = b;

	return (x->at_utc_sec > y->at_utc_sec) - (x->at_utc_sec < y->at_utc_sec);
}

void
roll_fill(struct roll *roll, const struct register_book *book)
{
	const struct register_table *users = &book->tables[REGISTER_USERS];
	struct roll_end *ends = roll->ends;
	size_t count = 0;

	roll->count = 0;
	for (uint32_t i = 0; i < users->end; i++) {
		const struct record *r = users->list[i];

		if (r != NULL && (r->bits & RECORD_ACCEPTED) != 0 && record_user(r)->not_after_utc_sec != 0)
			ends[count++] = (struct roll_end){ .at_utc_sec = record_user(r)->not_after_utc_sec, .users = 1 };
	}
	if (count > 1)
		qsort(ends, count, sizeof *ends, compare_end);
	for (size_t i = 0; i < count; i++) {
		if (roll->count > 0 && ends[roll->count - 1].at_utc_sec == ends[i].at_utc_sec)
			ends[roll->count - 1].users++;
		else
			ends[roll->count++] = ends[i];
	}
}

enum reason
roll_judge(const struct user_record *user, int64_t now_utc_sec)
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
	size_t after = first_after(roll, now_utc_sec);

	return after == roll->count ? 0 : roll->ends[after].at_utc_sec;
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
