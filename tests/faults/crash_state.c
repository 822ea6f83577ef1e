/*
 * crash_state.c - the front's transactions, cut off or on a disk that fails: no code that was answered as accepted is
 * accepted again, no number of an event is given twice (THREATS I9; CASES OT08a, OT09a, DM06a).
 */
#include <config.h>

#include "tests/faults/crash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/state.h"

#define TOKEN	"t1"
#define NOW_SEC	1800000000

static struct state *s;		/* of the child that runs the operation */

static void
open_it(void)
{
	if (state_open(crash_folder(), &s) < 0)
		_exit(3);
}

static int
accept_code(uint64_t code)
{
	const struct clock_mark mark = { .known = true, .mark_sec = NOW_SEC + (int64_t)code, .boot_id = "boot" };
	const struct acceptance a = {
		.user = "ada", .scope = SCOPE_REMOTE, .token = TOKEN, .last = code, .now_utc_sec = NOW_SEC, .mark = &mark,
	};

	return state_accept(s, &a);
}

/* ---- the old states: code 100 was accepted, then three failures were counted, 5 events numbered ---- */

static void
fill(void)
{
	const struct failures failed = { .count = 3, .last_utc_sec = 7 };
	uint64_t number = 0;
	int e;

	open_it();
	e = accept_code(100);
	if (e == 0)
		e = state_set_failures(s, "ada", SCOPE_REMOTE, &failed);
	for (int i = 0; i < 5 && e == 0; i++)
		e = state_next_sequence(s, "ada", NOW_SEC, &number);
	if (e < 0 || number != 5)
		crash_wrong("the old state cannot be stored: %s", strerror(-e));
}

static void
nothing(void)
{
}

static void
stored(void)
{
	fill();
	state_close(s);
}

static void
killed(void)
{
	fill();
	_exit(0);
}

/* ---- the operations ---- */

static int
accept_new(void)
{
	return accept_code(101);
}

static int
accept_and_end(void)
{
	int r = accept_code(101);

	state_close(s);
	return r;
}

static int
first_code(void)
{
	open_it();
	return accept_code(101);
}

static int
code_after_kill(void)
{
	open_it();
	return accept_and_end();
}

static int
count_failure(void)
{
	const struct failures failed = { .count = 4, .last_utc_sec = 8 };

	return state_set_failures(s, "ada", SCOPE_REMOTE, &failed);
}

static int
next_number(void)
{
	uint64_t number = 0;
	int r = state_next_sequence(s, "ada", NOW_SEC, &number);

	return r < 0 ? r : (int)number;
}

/* ---- the disk is well again, and so is the process ---- */

static bool
accepts_again(void)
{
	int r = accept_code(101);

	return (r == 0 || r == -EEXIST) && accept_code(102) == 0 && state_fault(s) == NULL;
}

static bool
counts_again(void)
{
	return count_failure() == 0 && state_fault(s) == NULL;
}

static bool
numbers_again(void)
{
	int first = next_number(), second = next_number();

	return first > 5 && second == first + 1 && state_fault(s) == NULL;
}

/* ---- what is there ---- */

struct view {
	uint64_t code;
	unsigned failures;
	int64_t clock;		/* less NOW_SEC */
	uint64_t numbers;	/* given so far */
};

static struct view
view_now(void)
{
	struct otp_mark otp = { .known = false };
	struct clock_mark mark = { .known = false };
	struct failures failed = { .count = 0 };
	struct view v;
	uint64_t next = 0;

	open_it();
	if (state_fault(s) != NULL)
		crash_wrong("the store cannot be used: %s", state_fault(s));
	if (state_token_mark(s, TOKEN, &otp) < 0 || state_failures(s, "ada", SCOPE_REMOTE, &failed) < 0 ||
	    state_load_clock(s, &mark) < 0)
		crash_wrong("the store cannot be read");
	v = (struct view){ .code = otp.known ? otp.last : 0, .failures = failed.count,
		.clock = mark.known ? mark.mark_sec - NOW_SEC : 0 };
	/* Whatever was accepted is refused, and the one after it is not. */
	if (v.code != 0 && (accept_code(v.code) != -EEXIST || accept_code(v.code - 1) != -EEXIST))
		crash_wrong("code %llu is accepted again", (unsigned long long)v.code);
	if (accept_code(v.code + 1) != 0)
		crash_wrong("the next code is not accepted");
	if (state_next_sequence(s, NULL, NOW_SEC, &next) < 0)
		crash_wrong("no number for an event");
	v.numbers = next - 1;
	state_close(s);
	return v;
}

static bool
same(const struct view *a, const struct view *b)
{
	return a->code == b->code && a->failures == b->failures && a->clock == b->clock && a->numbers == b->numbers;
}

static void
judge_views(const struct trace_result *t, const struct view *old, const struct view *new)
{
	struct view v = view_now();

	if (same(&v, new) || (!(t->answered && t->answer >= 0) && same(&v, old)))
		return;
	crash_wrong("code %llu, %u failures, clock %lld, %llu numbers", (unsigned long long)v.code, v.failures,
	    (long long)v.clock, (unsigned long long)v.numbers);
}

static const struct view empty = { .code = 0 };
static const struct view filled = { .code = 100, .failures = 3, .clock = 100, .numbers = 5 };

static void
judge_code(const struct trace_result *t, bool again)
{
	const struct view new = { .code = 101, .clock = 101, .numbers = 5 };
	const struct view more = { .code = 102, .clock = 102, .numbers = 5 };

	judge_views(t, again ? &more : &filled, again ? &more : &new);
}

static void
judge_first(const struct trace_result *t, bool again)
{
	const struct view new = { .code = 101, .clock = 101 };

	(void)again;
	judge_views(t, &empty, &new);
}

static void
judge_failure(const struct trace_result *t, bool again)
{
	struct view new = filled;

	new.failures = 4;
	judge_views(t, again ? &new : &filled, &new);
}

/* A number that nobody got may be missing; none is given twice. */
static void
judge_number(const struct trace_result *t, bool again)
{
	struct view new = filled, v = view_now();

	if (again) {
		if (v.numbers < 7 || v.numbers > 8)
			crash_wrong("%llu numbers", (unsigned long long)v.numbers);
		return;
	}
	new.numbers = 6;
	if (!same(&v, &new) && (t->answered && t->answer > 0 ? true : !same(&v, &filled)))
		crash_wrong("%llu numbers, answered %d", (unsigned long long)v.numbers, t->answer);
}

const struct crash_operation crash_state[] = {
	{ "OT08a OT09a DM06a the first code of all", 50, nothing, NULL, { NULL, first_code, NULL }, judge_first, NULL },
	{ "OT08a OT09a DM06a a code", 8, stored, NULL, { open_it, accept_new, accepts_again }, judge_code, NULL },
	{ "OT08a OT09a DM06a a code, and the end", 15, stored, NULL, { open_it, accept_and_end, NULL }, judge_code, NULL },
	{ "OT08a OT09a DM06a after a kill, a code, and the end", 60, killed, NULL, { NULL, code_after_kill, NULL },
		judge_code, NULL },
	{ "DM06a a failure is counted", 8, stored, NULL, { open_it, count_failure, counts_again }, judge_failure, NULL },
	{ "DM06a the number of an event", 8, stored, NULL, { open_it, next_number, numbers_again }, judge_number, NULL },
	{ .name = NULL },
};
