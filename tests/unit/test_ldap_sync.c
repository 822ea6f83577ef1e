/*
 * test_ldap_sync.c - the thread that follows a directory, and a server that lets nobody in.
 */
#include <config.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/tree.h"
#include "daemon/ldap_sync_parts.h"
#include "daemon/replica_store.h"
#include "tests/unit/ldapi_socket.h"
#include "tests/unit/suite.h"

static int listener;
static atomic_uint visits;

static void *
hang_up_on_everybody(void *arg)
{
	int fd;

	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		atomic_fetch_add(&visits, 1);
		(void)close(fd);
	}
	return arg;
}

static void
no_news(void *arg)
{
	(void)arg;
}

/* Pauses are spread over five seconds, then more: also when somebody rings while there is no session to hear it. */
START_TEST(pauses_stay_pauses)
{
	const struct ldap_sync_state seen = { .connected = true };
	struct settings settings;
	struct ldap_sync *sync = NULL;
	sd_event *event = NULL;
	pthread_t server;

	settings_defaults(&settings);
	listener = ldapi_socket(settings.directory_uri, sizeof settings.directory_uri);
	ck_assert_int_eq(listen(listener, 16), 0);
	ck_assert_int_eq(pthread_create(&server, NULL, hang_up_on_everybody, NULL), 0);
	(void)signal(SIGPIPE, SIG_IGN);		/* as ismsd does */
	(void)snprintf(settings.directory_bind_dn, sizeof settings.directory_bind_dn, "external");
	ck_assert_int_eq(sd_event_new(&event), 0);
	ck_assert_int_eq(ldap_sync_start(event, &settings, suite_folder(), NULL, no_news, NULL, &sync), 0);
	for (int i = 0; i < 1000 && atomic_load(&visits) == 0; i++)
		(void)usleep(10000);
	ldap_sync_approve(sync, &seen);
	(void)usleep(2000000);
	ck_assert_uint_le(atomic_load(&visits), 8);
	for (int i = 0; i < 1000 && atomic_load(&visits) < 2; i++)	/* the ring itself, and half a second after the first */
		(void)usleep(10000);
	ck_assert_uint_ge(atomic_load(&visits), 2);
	ldap_sync_stop(sync);
	(void)sd_event_unref(event);
	(void)shutdown(listener, SHUT_RDWR);
	ck_assert_int_eq(pthread_join(server, NULL), 0);
	(void)close(listener);
}
END_TEST

/* ---- out of memory: sessions are played by the test, on the thread; its replica is real ---- */

static bool plays, store_fails, tree_fails;
static int torn;			/* whether memory runs out in the middle of an apply */
static atomic_int sessions;

int __wrap_ldap_session_run(struct ldap_session *s);
int __real_ldap_session_run(struct ldap_session *s);
int __wrap_replica_store_begin(struct replica_store *s);
int __real_replica_store_begin(struct replica_store *s);
const void *__wrap_tree_add(void **root, const void *item, tree_order *order);
const void *__real_tree_add(void **root, const void *item, tree_order *order);

int
__wrap_replica_store_begin(struct replica_store *s)
{
	return store_fails ? -ENOSPC : __real_replica_store_begin(s);
}

const void *
__wrap_tree_add(void **root, const void *item, tree_order *order)
{
	return tree_fails ? NULL : __real_tree_add(root, item, order);
}

static int
put(struct ldap_session *s, unsigned char id, const char *cn)
{
	const uint8_t uuid[SYNC_UUID_SIZE] = { id };
	struct entry *e = entry_new("uid=ada,dc=x");

	return e == NULL || entry_set(e, "cn", cn) < 0 ? -EIO : replica_put(s->replica, uuid, e);
}

static int
tell_of(struct ldap_session *s, unsigned char id, const char *cn)
{
	int r = put(s, id, cn);

	if (r < 0)
		return r;
	r = replica_apply(s->replica, &s->cookie, 1000, s->fault, sizeof s->fault);
	return r < 0 ? r : s->complete(s);
}

int
__wrap_ldap_session_run(struct ldap_session *s)
{
	int number, r;

	if (!plays)
		return __real_ldap_session_run(s);
	number = atomic_fetch_add(&sessions, 1);
	replica_drop(s->replica);
	s->refreshed = true;
	if (number > 0) {
		s->turn(s);		/* nothing is known yet, where all of it had to be opened anew */
		if (torn != 0 && put(s, 1, "disabled") < 0)
			return -EIO;
		return tell_of(s, 3, "somebody else") == 0 ? -EHOSTUNREACH : -EIO;
	}
	store_fails = false;
	r = tell_of(s, 1, "enabled");
	store_fails = true;		/* a full disk, from here on */
	if (r == 0)
		r = tell_of(s, 1, "disabled");
	tree_fails = torn != 0;
	if (r == 0 && torn != 0)
		r = tell_of(s, 2, "one too many");
	tree_fails = false;
	return r == 0 || r == -ENOMEM ? -ENOMEM : -EIO;
}

static struct {
	struct ldap_sync *sync;
	char cn[32];			/* as it was told last */
	bool went_back, told_since;
} told;

static void
take_news(void *arg)
{
	struct entry_changes changes = { 0 };
	struct ldap_sync_state state;

	(void)arg;
	(void)ldap_sync_take(told.sync, &changes, &state);
	for (size_t i = 0; i < changes.count; i++) {
		const char *cn = changes.list[i].e != NULL ? entry_value(changes.list[i].e, "cn") : "";

		told.told_since = told.told_since || changes.list[i].id[0] == 3;
		if (changes.list[i].id[0] != 1)
			continue;
		told.went_back = told.went_back || (strcmp(told.cn, "disabled") == 0 && strcmp(cn, "enabled") == 0);
		(void)snprintf(told.cn, sizeof told.cn, "%s", cn);
	}
	entry_changes_done(&changes);
	if (atomic_load(&sessions) == 1 && strcmp(told.cn, "disabled") == 0)
		ldap_sync_want_all(told.sync);	/* as when there was no memory to take it in */
}

/* What the store could not be given is not forgotten, nor is what it has from before told as news, when memory ran out. */
START_TEST(no_way_back)
{
	struct settings settings;
	sd_event *event = NULL;

	settings_defaults(&settings);
	(void)snprintf(settings.directory_uri, sizeof settings.directory_uri, "ldaps://localhost");
	torn = _i;
	plays = true;
	ck_assert_int_eq(sd_event_new(&event), 0);
	ck_assert_int_eq(ldap_sync_start(event, &settings, suite_folder(), NULL, take_news, NULL, &told.sync), 0);
	for (int i = 0; i < 400 && !told.told_since; i++)
		ck_assert_int_ge(sd_event_run(event, 100000), 0);
	ck_assert(told.told_since);
	ck_assert(!told.went_back);
	if (torn == 0)
		ck_assert_str_eq(told.cn, "disabled");
	ldap_sync_stop(told.sync);
	(void)sd_event_unref(event);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { pauses_stay_pauses, 0 }, { no_way_back, 2 } };

	return suite_run("ldap sync", rows, ROWS(rows), 60);
}
