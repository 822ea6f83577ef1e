/*
 * nss_isms.c - lookups by name and id, and the groups of a user.
 *
 * glibc calls these in every process that resolves a name, root's among them. Each takes the current
 * snapshot, finds, packs, gives back; nothing is kept between calls. No IPC, no environment, no locale;
 * the only allocation is the array of initgroups that must grow.
 */
#include <config.h>

#include "nss/nss_isms.h"

#include <errno.h>
#include <stdlib.h>

#include "nss/nss_answer.h"
#include "nss/nss_pack.h"
#include "nss/nss_view.h"

/* Give the snapshot back and answer; whatever is wrong with it is reported once. */
static inline enum nss_status
finish(struct nss_view *view, int r, int *errnop)
{
	if (__builtin_expect(r == -EBADMSG, 0))
		nss_report_fault(r, &view->snapshot);
	nss_view_leave(view);
	return nss_answer(r, errnop);
}

enum nss_status
_nss_isms_getpwnam_r(const char *name, struct passwd *ret, char *buf, size_t size, int *errnop)
{
	struct snapshot_user user;
	struct nss_view view;
	int r;

	r = nss_view_enter(&view);
	if (r < 0)
		return nss_answer(r, errnop);
	r = snapshot_find_user(&view.snapshot, name, &user);
	if (r > 0)
		r = nss_pack_user(&user, ret, buf, size);
	return finish(&view, r, errnop);
}

enum nss_status
_nss_isms_getpwuid_r(uid_t uid, struct passwd *ret, char *buf, size_t size, int *errnop)
{
	struct snapshot_user user;
	struct nss_view view;
	int r;

	r = nss_view_enter(&view);
	if (r < 0)
		return nss_answer(r, errnop);
	r = snapshot_find_uid(&view.snapshot, uid, &user);
	if (r > 0)
		r = nss_pack_user(&user, ret, buf, size);
	return finish(&view, r, errnop);
}

enum nss_status
_nss_isms_getgrnam_r(const char *name, struct group *ret, char *buf, size_t size, int *errnop)
{
	struct snapshot_group group;
	struct nss_view view;
	int r;

	r = nss_view_enter(&view);
	if (r < 0)
		return nss_answer(r, errnop);
	r = snapshot_find_group(&view.snapshot, name, &group);
	if (r > 0)
		r = nss_pack_group(&group, ret, buf, size);
	return finish(&view, r, errnop);
}

enum nss_status
_nss_isms_getgrgid_r(gid_t gid, struct group *ret, char *buf, size_t size, int *errnop)
{
	struct snapshot_group group;
	struct nss_view view;
	int r;

	r = nss_view_enter(&view);
	if (r < 0)
		return nss_answer(r, errnop);
	r = snapshot_find_gid(&view.snapshot, gid, &group);
	if (r > 0)
		r = nss_pack_group(&group, ret, buf, size);
	return finish(&view, r, errnop);
}

/* ---- initgroups ---- */

struct gid_array {
	gid_t **gids;
	long *size;
	long used, limit;
	long before;	/* elements that other sources put there */
	gid_t primary;
};

/* Room for so many more, as far as the limit goes: doubled, but not beyond it. Returns 0 or -ENOMEM. */
static int
array_reserve(struct gid_array *to, long more)
{
	long size = *to->size, wanted = to->used + more;
	gid_t *bigger;

	if (to->limit > 0 && wanted > to->limit)
		wanted = to->limit;
	if (wanted <= size)
		return 0;
	while (size < wanted)
		size = size < 32 ? 64 : size * 2;
	if (to->limit > 0 && size > to->limit)
		size = to->limit;
	bigger = reallocarray(*to->gids, (size_t)size, sizeof **to->gids);
	if (bigger == NULL)
		return -ENOMEM;
	*to->gids = bigger;
	*to->size = size;
	return 0;
}

/* Elements that may be used. */
static long
array_end(const struct gid_array *to)
{
	return to->limit > 0 && to->limit < *to->size ? to->limit : *to->size;
}

/* So many were written behind those that are used: what was not there yet stays. */
static void
array_keep_new(struct gid_array *to, int count)
{
	const gid_t primary = to->primary;
	const long before = to->before, end = to->used + count;
	gid_t *list = *to->gids;
	long kept = to->used;

	for (long i = to->used; i < end; i++) {
		const gid_t gid = list[i];
		bool known = gid == primary;

		for (long k = 0; k < before && !known; k++)
			known = list[k] == gid;
		list[kept] = gid;
		kept += !known;
	}
	to->used = kept;
}

/* Append all groups of a user, as far as the limit goes. Returns 1, -EBADMSG or -ENOMEM. */
static int
array_add_user(struct gid_array *to, const struct snapshot *s, const struct snapshot_user *user)
{
	struct snapshot_gids gids;
	long room;
	int n, r;

	r = snapshot_gids_begin(s, user, &gids);
	if (r < 0)
		return r;
	if (array_reserve(to, user->group_count) < 0)
		return -ENOMEM;
	while ((room = array_end(to) - to->used) > 0) {
		if (room > user->group_count)
			room = user->group_count;	/* more it does not have */
		n = snapshot_gids_next(s, &gids, *to->gids + to->used, (uint32_t)room);
		if (n <= 0)
			return n < 0 ? n : 1;
		array_keep_new(to, n);
	}
	return 1;
}

enum nss_status
_nss_isms_initgroups_dyn(const char *name, gid_t group, long *start, long *size, gid_t **groups, long limit,
    int *errnop)
{
	struct gid_array to = {
		.gids = groups, .size = size, .used = *start, .limit = limit, .before = *start, .primary = group,
	};
	struct snapshot_user user;
	struct nss_view view;
	int r;

	r = nss_view_enter(&view);
	if (r < 0)
		return nss_answer(r, errnop);
	r = snapshot_find_user(&view.snapshot, name, &user);
	if (r > 0)
		r = array_add_user(&to, &view.snapshot, &user);
	if (r > 0)
		*start = to.used;	/* all of them or none */
	return finish(&view, r, errnop);
}
