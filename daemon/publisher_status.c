/*
 * publisher_status.c - key=value lines about the publisher, for `isms-userctl status`.
 *
 * Runs in the publisher. Names of refused entries come from the directory and are printable ASCII by then.
 */
#include <config.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/civil_date.h"
#include "daemon/publisher_state.h"

#define REFUSED_SHOWN 20u

struct lines {
	char *at;
	size_t left;
};

/* Add a line, or nothing of it where it does not fit. */
static void __attribute__((format(printf, 2, 3)))
add(struct lines *l, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(l->at, l->left, format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= l->left) {
		*l->at = '\0';
		return;
	}
	l->at += n;
	l->left -= (size_t)n;
}

void
publisher_status(struct publisher *p, char *buf, size_t size)
{
	const struct refusals *refusals = &p->refusals;
	struct lines l = { .at = buf, .left = size };
	int64_t now_utc_sec = publisher_now_utc_sec(p), end;
	char date[32];

	buf[0] = '\0';
	end = roll_next_end(&p->roll, now_utc_sec);
	add(&l, "publisher=running\n");
	add(&l, "generation=%llu\n", (unsigned long long)p->generation_seen);
	if (p->published.base != NULL) {
		add(&l, "created=%s\n", civil_date_format(snapshot_created_utc_sec(&p->published), date));
		add(&l, "valid_until=%s\n", civil_date_format(snapshot_valid_until_utc_sec(&p->published), date));
		add(&l, "users=%u\n", snapshot_user_count(&p->published));
		add(&l, "groups=%u\n", snapshot_group_count(&p->published));
	} else
		add(&l, "users=0\ngroups=0\n");
	if (p->book != NULL)
		add(&l, "last_roster_age_sec=%lld\n", (long long)(now_utc_sec - p->confirmed_utc_sec));
	else
		add(&l, "last_roster_age_sec=never\n");
	add(&l, "next_end=%s\n", end > 0 && end <= CIVIL_DATE_MAX_SEC ? civil_date_format(end, date) : "none");
	add(&l, "ends_under_way=%u\n", session_end_active(p->ender));
	add(&l, "live_sessions_ended=%u\n", session_end_total(p->ender));
	add(&l, "local_groups=%u\n", p->last.local_gid_count);
	if (p->last.error < 0)
		add(&l, "fault=the snapshot could not be written: %s\n", strerror(-p->last.error));
	add(&l, "refused=%u\n", refusals->count);
	for (uint32_t i = 0; i < refusals->listed_count && i < REFUSED_SHOWN; i++) {
		const struct refused *r = &refusals->listed[i];
		bool is_group = r->kind == REGISTER_GROUPS;

		add(&l, "refused_entry=%s %s (%u): %s\n", is_group ? "group" : "user", r->name, r->id,
		    refusal_text(r->why, is_group));
	}
}
