/*
 * crash_replica.c - the replica's transaction, cut off or on a disk that fails: the store has the old or the new entries,
 * with the cookie that belongs to them, and whoever has left is remembered (THREATS 5.5).
 */
#include <config.h>

#include "tests/faults/crash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/identity.h"
#include "daemon/holders_store.h"
#include "daemon/replica.h"

#define USERS	30
#define BASE	"dc=example,dc=com"
#define SERVER	"ldaps://a"
#define READ_ANEW 1		/* answer: done, over a store that could not be read */

static struct replica *r;	/* of the child that runs the operation */

/* ---- what is done ---- */

static void
open_it(void)
{
	char fault[512] = "";

	if (replica_open(crash_folder(), "origin", &r, fault, sizeof fault) < 0)
		r = NULL;
}

static void
put(unsigned id, const char *shell)
{
	uint8_t uuid[SYNC_UUID_SIZE] = { (uint8_t)id };
	char dn[64], uid[16], number[16], entry_id[40];
	struct entry *e;

	(void)snprintf(dn, sizeof dn, "uid=u%u,ou=people," BASE, id);
	(void)snprintf(uid, sizeof uid, "u%u", id);
	(void)snprintf(number, sizeof number, "%u", 3000 + id);
	(void)snprintf(entry_id, sizeof entry_id, "%08x-0000-0000-0000-000000000000", id);
	e = entry_new(dn);
	if (e == NULL || entry_set(e, "objectClass", "posixAccount") < 0 || entry_set(e, "uid", uid) < 0 ||
	    entry_set(e, "uidNumber", number) < 0 || entry_set(e, "entryUUID", entry_id) < 0 ||
	    entry_set(e, "loginShell", shell) < 0 || replica_put(r, uuid, e) < 0)
		_exit(3);
}

static void
leave(unsigned id)
{
	const uint8_t uuid[SYNC_UUID_SIZE] = { (uint8_t)id };

	if (replica_remove(r, uuid) < 0)
		_exit(3);
}

/* Returns what replica_apply() does, but what is not stored is a failure here. */
static int
apply(const char *bytes)
{
	struct sync_cookie cookie = { .there = true, .len = 3, .server = SERVER };
	char fault[512];
	int e;

	memcpy(cookie.bytes, bytes, 3);
	e = replica_apply(r, &cookie, 1000, fault, sizeof fault);
	return e == 1 ? -EIO : e;
}

static void
put_everybody(const char *shell)
{
	replica_drop(r);
	for (unsigned id = 1; id <= USERS; id++)
		put(id, shell);
}

/* ---- the operations ---- */

static void
fill(void)
{
	open_it();
	if (r == NULL)
		crash_wrong("no replica");
	put_everybody("/bin/sh");
	if (apply("old") != 0)
		crash_wrong("the old state cannot be stored");
}

static void
nothing(void)
{
}

static void
stored(void)
{
	fill();
	replica_close(r);
}

static void
killed(void)
{
	fill();
	_exit(0);	/* its log stays */
}

static int
apply_change(void)
{
	put(1, "/bin/bash");
	put(40, "/bin/bash");
	leave(2);
	return apply("new");
}

static int
change(void)
{
	replica_drop(r);
	return apply_change();
}

static int
first(void)
{
	open_it();
	if (r == NULL)
		return -ENOMEM;
	put_everybody("/bin/sh");
	return apply("new");
}

static int
restart(void)
{
	bool anew;
	int e;

	open_it();
	if (r == NULL)
		return -ENOMEM;
	replica_drop(r);
	anew = !replica_cookie(r)->there;
	if (anew) {			/* it could not be read: the server tells of all that it has */
		for (unsigned id = 3; id <= USERS; id++)
			put(id, "/bin/sh");
		replica_only_these(r);
	}
	e = apply_change();
	replica_close(r);
	r = NULL;
	return e == 0 && anew ? READ_ANEW : e;
}

static int
refresh(void)
{
	put_everybody("/bin/bash");
	leave(2);
	put(40, "/bin/bash");
	replica_only_these(r);
	return apply("new");
}

/* Everybody is gone: a person must look, and the server must tell of it again. */
static int
hold(void)
{
	replica_drop(r);
	put(1, "/bin/bash");
	for (unsigned id = 2; id <= USERS; id++)
		leave(id);
	return apply("new");
}

/* Who left is written to the file of holders, and then forgotten by the store. */
static int
remember(void)
{
	struct identity_holders departed = { 0 };
	int e = replica_departed(r, &departed);

	if (e == 0)
		e = holders_store_write(crash_folder(), BASE, &departed);
	if (e == 0)
		replica_departed_kept(r);
	identity_holders_done(&departed);
	return e;
}

static void
departed(void)
{
	fill();
	if (change() != 0)
		crash_wrong("the change cannot be stored");
	replica_close(r);
}

/* The process lives on, and the server tells of one thing more. */
static bool
one_more(void)
{
	if (r == NULL)
		open_it();
	if (r == NULL)
		return false;
	replica_drop(r);
	put(50, "/bin/bash");
	return apply("two") == 0;
}

/* As ldap_sync.c does where memory was short: from the store on, and the same again. */
static bool
change_again(void)
{
	if (r == NULL || replica_count(r) != USERS || replica_cookie(r)->bytes[0] != 'n') {
		replica_close(r);
		open_it();
		if (r == NULL || change() != 0)
			return false;
	}
	return one_more();
}

/* ---- what is there ---- */

struct view {
	unsigned users, bash;		/* users, those with /bin/bash */
	bool second, fortieth, fiftieth;
	char cookie[4];			/* "": none */
	bool left;			/* u2 is remembered as departed */
};

static bool
is_remembered(void)
{
	struct identity_holders all = { 0 }, more = { 0 };
	bool found;

	if (replica_departed(r, &all) < 0 || holders_store_read(crash_folder(), BASE, &more) < 0)
		crash_wrong("who left cannot be read");
	found = (identity_holders_find(&all, false, "u2") != NULL && identity_holders_find(&all, true, "3002") != NULL) ||
	    (identity_holders_find(&more, false, "u2") != NULL && identity_holders_find(&more, true, "3002") != NULL);
	identity_holders_done(&all);
	identity_holders_done(&more);
	return found;
}

static struct view
view_now(void)
{
	struct entry_changes all = { 0 };
	struct view v = { .users = 0 };
	char fault[512] = "";

	if (replica_open(crash_folder(), "origin", &r, fault, sizeof fault) < 0 || fault[0] != '\0')
		crash_wrong("the store cannot be opened: %s", fault);
	if (replica_changes(r, &all) < 0 || !all.whole)
		crash_wrong("no memory");
	v.users = (unsigned)all.count;
	for (size_t i = 0; i < all.count; i++) {
		const char *uid = entry_value(all.list[i].e, "uid"), *shell = entry_value(all.list[i].e, "loginShell");

		if (uid == NULL || shell == NULL)
			crash_wrong("half an entry");
		v.bash += strcmp(shell, "/bin/bash") == 0;
		v.second = v.second || strcmp(uid, "u2") == 0;
		v.fortieth = v.fortieth || strcmp(uid, "u40") == 0;
		v.fiftieth = v.fiftieth || strcmp(uid, "u50") == 0;
	}
	entry_changes_done(&all);
	if (replica_cookie(r)->there)
		(void)snprintf(v.cookie, sizeof v.cookie, "%.3s", (const char *)replica_cookie(r)->bytes);
	v.left = is_remembered();
	replica_close(r);
	return v;
}

static bool
same(const struct view *a, const struct view *b)
{
	return a->users == b->users && a->bash == b->bash && a->second == b->second && a->fortieth == b->fortieth &&
	    a->fiftieth == b->fiftieth && strcmp(a->cookie, b->cookie) == 0 && a->left == b->left;
}

/* Old or new; the new one where it was answered so; and what came after it, where something did. */
static void
judge_views(const struct trace_result *t, bool again, const struct view *old, const struct view *new)
{
	struct view more = *new, v = view_now();

	if (again) {
		more.users++;
		more.bash++;
		more.fiftieth = true;
		(void)strcpy(more.cookie, "two");
	}
	if (same(&v, &more) || (!again && !(t->answered && t->answer >= 0) && same(&v, old)))
		return;
	crash_wrong("%u users, %u with bash, u2 %d u40 %d u50 %d, cookie \"%s\", u2 remembered %d", v.users, v.bash, v.second,
	    v.fortieth, v.fiftieth, v.cookie, v.left);
}

static const struct view none = { .users = 0 };
static const struct view filled = { .users = USERS, .second = true, .cookie = "old" };
static const struct view changed = { .users = USERS, .bash = 2, .fortieth = true, .cookie = "new", .left = true };

static void
judge_first(const struct trace_result *t, bool again)
{
	const struct view new = { .users = USERS, .second = true, .cookie = "new" };

	judge_views(t, again, &none, &new);
}

static void
judge_change(const struct trace_result *t, bool again)
{
	judge_views(t, again, &filled, &changed);
}

/* Who was in a store that could not be read, nobody knew when he left. */
static void
judge_restart(const struct trace_result *t, bool again)
{
	struct view new = changed;

	new.left = t->answer != READ_ANEW;
	judge_views(t, again, &filled, &new);
}

static void
judge_refresh(const struct trace_result *t, bool again)
{
	struct view new = changed;

	new.bash = USERS;
	judge_views(t, again, &filled, &new);
}

static void
judge_hold(const struct trace_result *t, bool again)
{
	const struct view new = { .users = USERS, .bash = 1, .second = true, .cookie = "" };

	judge_views(t, again, &filled, &new);
}

/* By the store or by the file, at every moment. */
static void
judge_departed(const struct trace_result *t, bool again)
{
	judge_views(t, again, &changed, &changed);
}

const struct crash_operation crash_replica[] = {
	{ "the replica's first refresh", 50, nothing, NULL, { NULL, first, NULL }, judge_first, NULL },
	{ "a change in the replica", 10, stored, NULL, { open_it, change, change_again }, judge_change, NULL },
	{ "a full refresh of the replica", 10, stored, NULL, { open_it, refresh, NULL }, judge_refresh, NULL },
	{ "a mass change held in the replica", 10, stored, NULL, { open_it, hold, NULL }, judge_hold, NULL },
	{ "the replica after a kill, a change, and its end", 60, killed, NULL, { NULL, restart, NULL }, judge_restart, NULL },
	{ "who left, from the replica to a file", 15, departed, NULL, { open_it, remember, one_more }, judge_departed, NULL },
	{ .name = NULL },
};
