/*
 * publisher_lost.c - ends or tells those who run with a group that was granted and is not any more (see
 * publisher_lost.h).
 *
 * Runs in the publisher. It must never end a user whose processes do not have such a group.
 */
#include <config.h>

#include "daemon/publisher_lost.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "daemon/loop.h"
#include "daemon/proc_scan.h"
#include "daemon/publisher_state.h"
#include "daemon/report.h"
#include "daemon/session_warn.h"

#define PROC		"/proc"
#define DEV		"/dev"
#define AGAIN_MS	1500
#define LOOKS		3
#define HOLDERS_MAX	4096		/* of one look; the others are seen by the next one */

/* Somebody who runs with a group that he lost. */
struct holder {
	uint32_t uid, gid;
	bool ends, fresh;		/* fresh: not told yet */
};

struct publisher_lost {
	struct holder *list;		/* owned; of the last look */
	size_t count;
	unsigned looks_left;
	sd_event_source *again;		/* owned */
};

struct looking {
	struct publisher *p;
	struct user_lists lists;
	struct holder *list;		/* owned */
	size_t count;
};

int
publisher_lost_new(struct publisher_lost **ret)
{
	*ret = calloc(1, sizeof **ret);
	return *ret != NULL ? 0 : -ENOMEM;
}

void
publisher_lost_free(struct publisher_lost *lost)
{
	if (lost == NULL)
		return;
	sd_event_source_disable_unref(lost->again);
	free(lost->list);
	free(lost);
}

bool
publisher_lost_concerns(const struct publisher *p, const struct publisher_before *before)
{
	const struct judging *j = before->judging;

	for (uint32_t i = 0; j != NULL && i < j->fresh.count; i++)
		if ((record_user(register_at(p->book, REGISTER_USERS, j->fresh.list[i]))->flags & ROSTER_LOST) != 0)
			return true;
	return false;
}

/* ---- who has what ---- */

static struct holder *
find_holder(struct holder *list, size_t count, uint32_t uid)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].uid == uid)
			return &list[i];
	return NULL;
}

static void
note(struct looking *l, uint32_t uid, uint32_t gid, bool ends)
{
	struct holder *h = find_holder(l->list, l->count, uid), *had;

	if (h == NULL && l->count == HOLDERS_MAX)
		return;
	if (h == NULL)
		h = &l->list[l->count++];
	else if (h->ends || !ends)
		return;
	had = find_holder(l->p->lost->list, l->p->lost->count, uid);
	*h = (struct holder){ uid, gid, ends, had == NULL || had->gid != gid || had->ends != ends };
}

/* By one of the uids that a process has. */
static void
look_at(struct looking *l, const struct proc_facts *facts, uint32_t uid)
{
	const struct user_record *u = uid != PROC_NO_UID ? register_user_by_uid(l->p->book, uid) : NULL;
	struct roster_user user;
	size_t which;

	if (u == NULL || (u->flags & ROSTER_LOST) == 0)
		return;
	user_record_read(u, &l->lists, &user);
	if (proc_has_group(PROC, facts->pid, user.lost, user.lost_count, &which) == 1)
		note(l, uid, user.lost[which], which < user.lost_ending);
}

static void
visit(const struct proc_facts *facts, void *arg)
{
	struct looking *l = arg;
	uint32_t last = PROC_NO_UID;

	for (unsigned i = 0; i < 5; i++) {
		uint32_t uid = i < 4 ? facts->uids[i] : facts->login_uid;

		if (uid != last)
			look_at(l, facts, uid);
		last = uid;
	}
}

/* ---- what comes of it ---- */

static bool
tell(uint32_t uid, char *buf, size_t size, void *arg)
{
	struct publisher *p = arg;
	const struct holder *h = find_holder(p->lost->list, p->lost->count, uid);
	const struct group_record *g;

	if (h == NULL || !h->fresh)
		return false;
	g = register_group_by_gid(p->book, h->gid);
	session_warn_lost(buf, size, g != NULL ? g->text : "that you were granted", h->ends,
	    publisher_ends_contact(p, register_user_by_uid(p->book, uid)));
	return true;
}

static void
act(struct publisher *p)
{
	bool fresh = false;

	for (size_t i = 0; i < p->lost->count; i++)
		fresh = fresh || p->lost->list[i].fresh;
	if (fresh)
		(void)session_warn_each(DEV, tell, p);
	for (size_t i = 0; i < p->lost->count; i++) {
		const struct user_record *u = register_user_by_uid(p->book, p->lost->list[i].uid);

		if (p->lost->list[i].ends && u != NULL)
			publisher_ends_put_out(p, u, REASON_GRANT_ENDED);
	}
}

static int on_again(sd_event_source *source, uint64_t usec, void *arg);

static void
look(struct publisher *p)
{
	struct looking *l = calloc(1, sizeof *l);
	int r = -ENOMEM;

	if (l != NULL)
		l->list = calloc(HOLDERS_MAX, sizeof *l->list);
	if (l != NULL && l->list != NULL) {
		l->p = p;
		r = proc_scan(PROC, visit, l);
	}
	if (r == 0) {
		free(p->lost->list);
		p->lost->list = l->list;
		p->lost->count = l->count;
		l->list = NULL;
		act(p);
	} else
		report_log(LOG_ERR, "cannot see who runs with a group that he lost: %s", strerror(-r));
	if (l != NULL)
		free(l->list);
	free(l);
	if (--p->lost->looks_left > 0)
		(void)loop_timer(p->event, &p->lost->again, AGAIN_MS, on_again, p);
}

static int
on_again(sd_event_source *source, uint64_t usec, void *arg)
{
	(void)source;
	(void)usec;
	look(arg);
	return 0;
}

void
publisher_lost_look(struct publisher *p)
{
	p->lost->looks_left = LOOKS;
	look(p);
}
