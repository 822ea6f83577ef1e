/*
 * asker.h - who asks in tests/bench, alone or beside others.
 */
#ifndef ISMS_TESTS_ASKER_H
#define ISMS_TESTS_ASKER_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum { ASKER_ROOM = 1 << 20, ASKER_CROWD = 8 };

struct asker {	/* one in each thread or process */
	uint64_t random;
	char *room;
	double ns;
	bool failed;
};
/* One call, of the n-th key where the operation does not choose its own: whether the answer was right. */
typedef bool (*call_fn)(struct asker *a, uint32_t n);

/* The time of a clock, in nanoseconds. */
double asker_now_ns(clockid_t clock);

/* The middle one of so many figures, which it puts in order. */
double asker_median(double *figures, unsigned count);

/* Each number below bound as often as the others; inline, since it is measured too. */
static inline uint32_t
asker_below(struct asker *a, uint32_t bound)
{
	a->random ^= a->random << 13;
	a->random ^= a->random >> 7;
	a->random ^= a->random << 17;
	return (uint32_t)((a->random >> 32) * bound >> 32);
}

/* The room is the caller's to free. Whoever has another seed asks for others. */
void asker_begin(struct asker *a, uint64_t seed);

/*
 * How long a call takes in each of so many threads or processes, in the mean.
 *
 *  count  at most ASKER_CROWD
 *  ms     for how long they ask
 *
 * Returns nanoseconds; 0: some answer was wrong.
 */
double asker_crowd_ns(call_fn call, unsigned count, bool processes, double ms);

#endif
