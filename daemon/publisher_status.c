/*
 * publisher_status.c - key=value lines about the publisher, for `isms-userctl status`.
 *
 * Runs in the publisher. Names of refused entries come from the directory and are printable ASCII by then.
 */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "daemon/publisher_state.h"
#include "daemon/status_lines.h"

#define REFUSED_SHOWN 20u

void
publisher_status(struct publisher *p, char *buf, size_t size)
{
	const struct refusals *refusals = &p->refusals;
	struct status_lines l;
	int64_t now_utc_sec = publisher_now_utc_sec(p), end;

	status_lines_begin(&l, buf, size);
	end = roll_next_end(&p->roll, now_utc_sec);
	status_lines_add(&l, "publisher=running\n");
	status_lines_add(&l, "generation=%llu\n", (unsigned long long)p->generation_seen);
	if (p->published.base != NULL) {
		status_lines_time(&l, "created", snapshot_created_utc_sec(&p->published), "never");
		status_lines_time(&l, "valid_until", snapshot_valid_until_utc_sec(&p->published), "never");
		status_lines_add(&l, "users=%u\n", snapshot_user_count(&p->published));
		status_lines_add(&l, "groups=%u\n", snapshot_group_count(&p->published));
	} else
		status_lines_add(&l, "users=0\ngroups=0\n");
	if (p->book != NULL)
		status_lines_add(&l, "last_roster_age_sec=%lld\n", (long long)(now_utc_sec - p->confirmed_utc_sec));
	else
		status_lines_add(&l, "last_roster_age_sec=never\n");
	status_lines_time(&l, "next_end", end, "none");
	status_lines_add(&l, "ends_under_way=%u\n", session_end_active(p->ender));
	status_lines_add(&l, "live_sessions_ended=%u\n", session_end_total(p->ender));
	status_lines_add(&l, "local_groups=%u\n", p->last.local_gid_count);
	if (p->last.error < 0)
		status_lines_add(&l, "fault=the snapshot could not be written: %s\n", strerror(-p->last.error));
	status_lines_add(&l, "refused=%u\n", refusals->count);
	for (uint32_t i = 0; i < refusals->listed_count && i < REFUSED_SHOWN; i++) {
		const struct refused *r = &refusals->listed[i];
		bool is_group = r->kind == REGISTER_GROUPS;

		status_lines_add(&l, "refused_entry=%s %s (%u): %s\n", is_group ? "group" : "user", r->name, r->id,
		    refusal_text(r->why, is_group));
	}
}
