/*
 * nss_enumerate.c - getpwent and getgrent, for snapshots that allow it (off by default).
 *
 * The only state that the module keeps for a caller: how far each map was read, in which generation.
 * Records ascend by id, so when the snapshot changes in between, reading goes on behind the last id:
 * nobody who is in both is given twice or left out. Under a lock that forks unlocked (nss_view.h).
 */
#include <config.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "nss/nss_answer.h"
#include "nss/nss_isms.h"
#include "nss/nss_pack.h"
#include "nss/nss_view.h"

struct cursor {
	_Atomic uint64_t generation;	/* that `at` belongs to; 0: at is to be found again */
	_Atomic uint64_t at;
	_Atomic uint32_t last;		/* id given last; 0 is never given */
};

static struct cursor users, groups;

static enum nss_status
reset(struct cursor *c)
{
	int before = errno;

	if (nss_view_lock() == 0) {
		atomic_store(&c->generation, 0);
		atomic_store(&c->last, 0);
		nss_view_unlock();
	}
	errno = before;
	return NSS_STATUS_SUCCESS;
}

/* Where to read on, in this generation. */
static uint64_t
resume(const struct cursor *c, const struct snapshot *s)
{
	return atomic_load(&c->generation) == snapshot_generation(s) ? atomic_load(&c->at) : 0;
}

/* A child may be forked between any two of these: generation 0 makes the middle harmless. */
static void
advance(struct cursor *c, const struct snapshot *s, uint64_t at, uint32_t last)
{
	atomic_store(&c->generation, 0);
	atomic_store(&c->at, at);
	atomic_store(&c->last, last);
	atomic_store(&c->generation, snapshot_generation(s));
}

static int
next_user(const struct snapshot *s, struct passwd *ret, char *buf, size_t size)
{
	uint64_t at = resume(&users, s);
	struct snapshot_user user;
	int r;

	do
		r = snapshot_next_user(s, &at, &user);
	while (r > 0 && user.uid <= atomic_load(&users.last));
	if (r > 0)
		r = nss_pack_user(&user, ret, buf, size);
	if (r > 0)
		advance(&users, s, at, user.uid);
	return r;
}

static int
next_group(const struct snapshot *s, struct group *ret, char *buf, size_t size)
{
	uint64_t at = resume(&groups, s);
	struct snapshot_group group;
	int r;

	do
		r = snapshot_next_group(s, &at, &group);
	while (r > 0 && group.gid <= atomic_load(&groups.last));
	if (r > 0)
		r = nss_pack_group(&group, ret, buf, size);
	if (r > 0)
		advance(&groups, s, at, group.gid);
	return r;
}

/* The next record of either map; ret is of that map's type. */
static enum nss_status
next(bool user, void *ret, char *buf, size_t size, int *errnop)
{
	struct nss_view view;
	int r;

	r = nss_view_enter(&view);
	if (r < 0)
		return nss_answer(r, errnop);
	if (!snapshot_enumerable(&view.snapshot)) {
		r = 0;
		goto out;
	}
	r = nss_view_lock();
	if (r < 0)
		goto out;
	r = user ? next_user(&view.snapshot, ret, buf, size) : next_group(&view.snapshot, ret, buf, size);
	nss_view_unlock();
	if (r == -EBADMSG)
		nss_report_fault(r, &view.snapshot);
out:
	nss_view_leave(&view);
	return nss_answer(r, errnop);
}

enum nss_status
_nss_isms_setpwent(int stay_open)
{
	(void)stay_open;
	return reset(&users);
}

enum nss_status
_nss_isms_endpwent(void)
{
	return reset(&users);
}

enum nss_status
_nss_isms_getpwent_r(struct passwd *ret, char *buf, size_t size, int *errnop)
{
	return next(true, ret, buf, size, errnop);
}

enum nss_status
_nss_isms_setgrent(int stay_open)
{
	(void)stay_open;
	return reset(&groups);
}

enum nss_status
_nss_isms_endgrent(void)
{
	return reset(&groups);
}

enum nss_status
_nss_isms_getgrent_r(struct group *ret, char *buf, size_t size, int *errnop)
{
	return next(false, ret, buf, size, errnop);
}
