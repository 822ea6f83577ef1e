/*
 * publisher_tell.c - a break-glass account was armed, or is used: one line on the terminals of administrators.
 *
 * Runs in the publisher. The text comes from the directory: it must never reach a terminal with a control character, nor
 * as often as somebody likes, nor anybody but root and those who become root or read the journal anyway.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/loop.h"
#include "daemon/publisher_state.h"
#include "daemon/publisher_tell.h"
#include "daemon/report.h"
#include "daemon/session_warn.h"

#define DEV		"/dev"
#define SPAN_MS		60000
#define TOLD_MAX	16	/* within a span */

static const char *const admin_groups[] = { "sudo", "wheel", "adm" };
#define ADMIN_GROUPS (sizeof admin_groups / sizeof admin_groups[0])

struct telling {
	const struct publisher *p;
	char text[SESSION_WARN_TEXT_MAX];
	struct user_lists lists;
};

/* A managed user has the local groups that policy keeps for him and that list him, as the snapshot says. */
static bool
is_managed_admin(const struct local_accounts *local, const struct user_record *u, struct user_lists *lists)
{
	struct roster_user user;

	user_record_read(u, lists, &user);
	for (uint32_t i = 0; i < user.local_count; i++)
		for (size_t g = 0; g < ADMIN_GROUPS; g++) {
			const struct local_group *group = local_accounts_group(local, admin_groups[g]);

			if (strcmp(user.locals[i], admin_groups[g]) == 0 && group != NULL && local_group_lists(group, u->text))
				return true;
		}
	return false;
}

static bool
is_local_admin(const struct local_accounts *local, uint32_t uid)
{
	for (size_t i = 0; i < local->user_count; i++)
		for (size_t g = 0; local->users[i].uid == uid && g < ADMIN_GROUPS; g++) {
			const struct local_group *group = local_accounts_group(local, admin_groups[g]);

			if (group != NULL && local_group_lists(group, local->users[i].name))
				return true;
		}
	return false;
}

static bool
tell(uint32_t uid, char *buf, size_t size, void *arg)
{
	struct telling *t = arg;
	const struct user_record *u = register_user_by_uid(t->p->book, uid);

	if (u != NULL ? !is_managed_admin(&t->p->local, u, &t->lists) : !is_local_admin(&t->p->local, uid))
		return false;
	(void)snprintf(buf, size, "%s", t->text);
	return true;
}

/* Whether a peer may have one more told now. The directory process, which parses network data, cannot use up the others'. */
static bool
has_room(struct publisher *p, uid_t peer)
{
	size_t at = peer == p->peers.directory ? 0 : 1;
	int64_t now_ms = loop_now_ms();

	if (p->told[at].count == 0 || now_ms - p->told[at].since_ms >= SPAN_MS) {
		p->told[at].since_ms = now_ms;
		p->told[at].count = 0;
	}
	return p->told[at].count++ < TOLD_MAX;
}

int
publisher_tell_emergency(struct connection *c, const void *msg)
{
	struct publisher *p = connection_context(c);
	const struct msg_emergency *m = msg;
	struct msg_done answer = { 0 };
	struct telling *t = has_room(p, connection_uid(c)) ? calloc(1, sizeof *t) : NULL;

	if (t == NULL) {
		answer.error = EBUSY;
		return connection_send(c, MSG_DONE, &answer, ST_NEW);
	}
	t->p = p;
	session_warn_emergency(t->text, sizeof t->text, m);
	(void)session_warn_root(DEV, t->text);
	(void)session_warn_each(DEV, tell, t);
	free(t);
	return connection_send(c, MSG_DONE, &answer, ST_NEW);
}
