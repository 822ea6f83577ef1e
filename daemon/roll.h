/*
 * roll.h - the instants at which accepted users must leave, and what is due when.
 *
 * Asked for the next instant at which anything is due: a few binary searches over the distinct ends, however many users
 * there are.
 */
#ifndef ISMS_ROLL_H
#define ISMS_ROLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/verdict.h"
#include "daemon/register.h"

/* Besides [login] warn-before: a person is warned this long before the end. */
#define ROLL_WARN_SECS { 300, 60, 10 }

struct roll_end {
	int64_t at_utc_sec;
	uint32_t users;
};

struct roll {
	struct roll_end *ends;		/* owned; ascending, each once */
	size_t count, room;
};

void roll_done(struct roll *roll);	/* a zeroed struct is fine */

/* Make room for so many more ends, none of which can then fail. Returns 0 or -ENOMEM. */
int roll_reserve(struct roll *roll, size_t more);

/* A user came, or went; 0 is no end. */
void roll_add(struct roll *roll, int64_t not_after_utc_sec);
void roll_remove(struct roll *roll, int64_t not_after_utc_sec);

/* The ends of all accepted users anew; there is room for all of them. */
void roll_fill(struct roll *roll, const struct register_book *book);

/* REASON_OK, REASON_DISABLED or REASON_EXPIRED (now_utc_sec has reached the end). */
enum reason roll_judge(const struct user_record *user, int64_t now_utc_sec);

/* The first end after now; 0 when there is none. */
int64_t roll_next_end(const struct roll *roll, int64_t now_utc_sec);

/* The first instant after now at which a user must leave or be warned; 0 when there is none. */
int64_t roll_next_due(const struct roll *roll, int64_t now_utc_sec, uint32_t warn_before_sec);

/* Whether a warning fell due for this end after since and until now, and the end is still to come. */
bool roll_warning_due(int64_t not_after_utc_sec, int64_t since_utc_sec, int64_t now_utc_sec, uint32_t warn_before_sec);

#endif
