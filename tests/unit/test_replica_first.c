/*
 * test_replica_first.c - the first state of all: it is told before it is stored, and stored in parts, of which none is
 * taken for the whole after a crash.
 */
#include <config.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/replica_store.h"
#include "tests/unit/replica_scene.h"
#include "tests/unit/suite.h"

#define MANY 40000u			/* entries, in several parts */

static int commits_left = -1;		/* then the process is killed; -1: it is not */

int __real_replica_store_commit(struct replica_store *s);
int __wrap_replica_store_commit(struct replica_store *s);

int
__wrap_replica_store_commit(struct replica_store *s)
{
	int result = __real_replica_store_commit(s);

	if (commits_left > 0 && --commits_left == 0)
		(void)raise(SIGKILL);
	return result;
}

static void
put_many(void)
{
	char dn[40];

	for (uint32_t i = 0; i < MANY; i++) {
		uint8_t uuid[SYNC_UUID_SIZE] = { 1 };
		struct entry *e;

		memcpy(uuid + 8, &i, sizeof i);
		(void)snprintf(dn, sizeof dn, "cn=entry%u,dc=x", (unsigned)i);
		e = entry_new(dn);
		ck_assert_ptr_nonnull(e);
		ck_assert_int_eq(entry_add_value(e, "cn", dn, strlen(dn)), 0);
		ck_assert_int_eq(replica_put(r, uuid, e), 0);
	}
}

static unsigned told;

/* Everybody is there already, and can be told of. */
static void
on_first(void *arg)
{
	struct entry_changes changes = { 0 };

	told++;
	ck_assert_ptr_eq(arg, &told);
	ck_assert_uint_eq(replica_count(r), 2);
	ck_assert_int_eq(replica_confirmed_utc_sec(r), now_sec);
	ck_assert_int_eq(replica_changes(r, &changes), 0);
	ck_assert(changes.whole && changes.count == 2);
	entry_changes_done(&changes);
}

START_TEST(told_before_it_is_stored)
{
	begin(_i);
	replica_on_first(r, on_first, &told);
	put(1, "uid=a,dc=x", "one");
	put(2, "uid=b,dc=x", "two");
	told = 0;
	apply();
	ck_assert_uint_eq(told, 1);
	replica_drop(r);
	put(1, "uid=a,dc=x", "other");	/* from here on what is told is stored */
	apply();
	ck_assert_uint_eq(told, 1);
	replica_close(r);
	open_it("origin");
	ck_assert_uint_eq(replica_count(r), 2);
	replica_on_first(r, on_first, &told);
	replica_drop(r);
	put(2, "uid=b,dc=x", "other");
	apply();
	ck_assert_uint_eq(told, 1);
	end();
}
END_TEST

/* How far a reading is, for whoever watches: also what is known already has come. */
START_TEST(received_is_counted)
{
	atomic_size_t received = 7;

	begin(_i);
	replica_count_received(r, &received);
	replica_drop(r);
	ck_assert_uint_eq(received, 0);
	put(1, "uid=a,dc=x", "one");
	put(2, "uid=b,dc=x", "two");
	ck_assert_uint_eq(received, 2);
	apply();
	ck_assert_uint_eq(received, 0);
	replica_drop(r);
	put(1, "uid=a,dc=x", "one");
	ck_assert_uint_eq(received, 1);
	replica_drop(r);
	ck_assert_uint_eq(received, 0);
	end();
}
END_TEST

static void
put_user(unsigned char id, const char *number, bool is_user)
{
	const uint8_t uuid[SYNC_UUID_SIZE] = { 100, id };
	struct entry *e = entry_new(id == 1 ? "uid=a,dc=x" : "uid=b,dc=x");

	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(entry_set(e, "objectClass", is_user ? "posixAccount" : "device"), 0);
	ck_assert_int_eq(entry_set(e, "uid", id == 1 ? "a" : "b"), 0);
	ck_assert_int_eq(entry_set(e, "uidNumber", number), 0);
	ck_assert_int_eq(replica_put(r, uuid, e), 0);
}

/* One is told of twice, and is another one or gone the second time: all are told once they are stored. */
START_TEST(twice_in_the_first)
{
	begin(_i % 2);
	replica_on_first(r, on_first, &told);
	told = 0;
	put_user(1, "2000", true);
	put_user(2, "2001", true);
	if (_i / 2 == 0)
		remove_user(1);
	else
		put_user(1, _i / 2 == 1 ? "2002" : "2000", _i / 2 == 1);
	apply();
	ck_assert_uint_eq(told, 0);
	ck_assert_uint_eq(replica_count(r), _i / 2 == 0 ? 1 : 2);
	end();
}
END_TEST

static off_t
store_bytes(void)
{
	static const char *const names[] = { "replica.db", "replica.db-wal" };
	char path[96];
	struct stat st;
	off_t bytes = 0;

	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		bytes += stat(path, &st) == 0 ? st.st_size : 0;
	}
	return bytes;
}

/* Killed after some parts: nobody of them is there, and what comes next is a first state again. */
START_TEST(killed_between_parts)
{
	int status;
	pid_t child;

	begin(_i % 2);
	replica_close(r);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		open_it("origin");
		replica_drop(r);
		commits_left = 1 + _i / 2;
		put_many();
		apply();
		_exit(1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	ck_assert_int_gt(store_bytes(), 1000000);	/* of some parts */
	open_it("origin");
	ck_assert_uint_eq(replica_count(r), 0);
	ck_assert(!replica_cookie(r)->there);
	ck_assert_int_eq(replica_confirmed_utc_sec(r), 0);
	replica_on_first(r, on_first, &told);
	told = 0;
	put(1, "uid=a,dc=x", "one");
	put(2, "uid=b,dc=x", "two");
	apply();
	ck_assert_uint_eq(told, 1);
	replica_close(r);
	open_it("origin");
	ck_assert_uint_eq(replica_count(r), 2);
	ck_assert(replica_cookie(r)->there);
	end();
}
END_TEST

/* All parts and the end: everybody comes back. */
START_TEST(whole_after_all_parts)
{
	begin(_i);
	put_many();
	apply();
	ck_assert_uint_eq(replica_count(r), MANY);
	replica_close(r);
	open_it("origin");
	ck_assert_uint_eq(replica_count(r), MANY);
	ck_assert(replica_cookie(r)->there);
	end();
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ told_before_it_is_stored, 2 }, { received_is_counted, 2 }, { twice_in_the_first, 6 },
		{ killed_between_parts, 4 }, { whole_after_all_parts, 2 },
	};

	return suite_run("replica_first", rows, ROWS(rows), 60);
}
