/*
 * roll.h - the accepted users of the roster in force, and when which of them must leave.
 *
 * Built once for each roster; asked by uid (whose processes are those?), by name, and for the next instant at which
 * anything is due. Cost of the last: a few binary searches over the distinct ends, however many users there are.
 */
#ifndef ISMS_ROLL_H
#define ISMS_ROLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/verdict.h"
#include "daemon/publisher_check.h"
#include "daemon/roster.h"

/* Besides [login] warn-before: a person is warned this long before the end. */
#define ROLL_WARN_SECS { 300, 60, 10 }

struct roll;

/*
 * Build.
 *
 *  roster  borrowed; must outlive the roll
 *  check   its accepted users
 *
 * Returns NULL without memory.
 */
struct roll *roll_new(struct roster *roster, const struct publisher_check *check);
void roll_free(struct roll *roll);

/* Find an accepted user; NULL when absent, also for roll == NULL. */
const struct roster_user *roll_find_uid(const struct roll *roll, uint32_t uid);
const struct roster_user *roll_find_name(const struct roll *roll, const char *name);

/* Users in it; 0 for NULL. */
uint32_t roll_count(const struct roll *roll);

/* REASON_OK, REASON_DISABLED or REASON_EXPIRED (now_utc_sec has reached the end). */
enum reason roll_judge(const struct roster_user *user, int64_t now_utc_sec);

/* The first end after now; 0 when there is none. */
int64_t roll_next_end(const struct roll *roll, int64_t now_utc_sec);

/* The first instant after now at which a user must leave or be warned; 0 when there is none. */
int64_t roll_next_due(const struct roll *roll, int64_t now_utc_sec, uint32_t warn_before_sec);

/* Whether a warning fell due for this end after since and until now, and the end is still to come. */
bool roll_warning_due(int64_t not_after_utc_sec, int64_t since_utc_sec, int64_t now_utc_sec, uint32_t warn_before_sec);

#endif
