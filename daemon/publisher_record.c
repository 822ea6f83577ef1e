/*
 * publisher_record.c - see publisher_record.h. Runs in the publisher.
 */
#include <config.h>

#include "daemon/publisher_record.h"

#include <stdlib.h>
#include <string.h>

static int
compare_gid(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
fill_gids(const struct publisher_making *m, struct publisher_record *to)
{
	const struct roster_user *u = &to->user;
	uint32_t count = 0, kept = 0, locals;

	for (uint32_t i = 0; i < u->group_count; i++)
		if (id_set_has(&m->book->gids, u->groups[i]))
			to->gids[count++] = u->groups[i];
	locals = publisher_groups_of(m->groups, u, to->gids + count);
	count += locals;
	if (locals > 0)		/* the others are sorted */
		qsort(to->gids, count, sizeof *to->gids, compare_gid);
	for (uint32_t i = 0; i < count; i++) {
		if (to->gids[i] != u->gid && (kept == 0 || to->gids[kept - 1] != to->gids[i]))
			to->gids[kept++] = to->gids[i];
	}
	to->gid_count = kept;
}

void
publisher_record_make(const struct publisher_making *m, const struct user_record *user, struct publisher_record *ret)
{
	user_record_read(user, &ret->lists, &ret->user);
	ret->shell = publisher_shell(ret->user.shell, m->settings->nss_shells);
	(void)publisher_gecos(ret->user.gecos, ret->gecos);
	fill_gids(m, ret);
}

bool
publisher_record_is_in(const struct publisher_record *r, const struct snapshot *s)
{
	struct snapshot_user had;
	uint32_t gids[PUBLISHER_GIDS_MAX];

	if (s->base == NULL || snapshot_find_user(s, r->user.name, &had) != 1 || had.uid != r->user.uid ||
	    had.gid != r->user.gid || had.group_count != r->gid_count || strcmp(had.gecos, r->gecos) != 0 ||
	    strcmp(had.home, r->user.home) != 0 || strcmp(had.shell, r->shell) != 0)
		return false;
	return snapshot_user_gids(s, &had, gids) == 1 && memcmp(gids, r->gids, had.group_count * sizeof *gids) == 0;
}

bool
publisher_group_is_in(const struct record *group, const struct snapshot *s)
{
	struct snapshot_group had;

	return s->base != NULL && snapshot_find_group(s, record_name(group, REGISTER_GROUPS), &had) == 1 &&
	    had.gid == group->id;
}
