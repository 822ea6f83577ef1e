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

static bool
array_has(const struct gid_array *to, gid_t gid)
{
	for (long i = 0; i < to->before; i++)
		if ((*to->gids)[i] == gid)
			return true;
	return gid == to->primary;
}

/* Room for one more: doubled, but not beyond the limit. Returns 0, -ENOMEM, or -E2BIG at the limit. */
static int
array_reserve(struct gid_array *to)
{
	long size = *to->size;
	gid_t *bigger;

	if (to->limit > 0 && to->used >= to->limit)
		return -E2BIG;
	if (to->used < size)
		return 0;
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

/* Append what is not there yet. Returns 0, also when the limit ends it, or -ENOMEM. */
static int
array_add(struct gid_array *to, const uint32_t *gids, int count)
{
	int r;

	for (int i = 0; i < count; i++) {
		if (array_has(to, gids[i]))
			continue;
		r = array_reserve(to);
		if (r < 0)
			return r == -E2BIG ? 0 : r;
		(*to->gids)[to->used++] = gids[i];
	}
	return 0;
}

/* Append all groups of a user. Returns 1, -EBADMSG or -ENOMEM. */
static int
array_add_user(struct gid_array *to, const struct snapshot *s, const struct snapshot_user *user)
{
	struct snapshot_gids gids;
	uint32_t some[64];
	int n, r;

	r = snapshot_gids_begin(s, user, &gids);
	if (r < 0)
		return r;
	while ((n = snapshot_gids_next(s, &gids, some, sizeof some / sizeof some[0])) > 0) {
		r = array_add(to, some, n);
		if (r < 0)
			return r;
	}
	return n < 0 ? n : 1;
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
