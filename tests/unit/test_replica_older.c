/*
 * test_replica_older.c - a server that lags behind, or was restored from a backup, brings nobody back, and who is only no
 * user any more goes like others (THREATS 5.5).
 */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "common/entry_mark.h"
#include "tests/unit/replica_scene.h"
#include "tests/unit/suite.h"

#define T(second)	("202611261200" #second ".000000Z#000000#001#000000")

static uint64_t
mark(const char *csn)
{
	return entry_mark_csn(csn, strlen(csn));
}

/* A user whose entry was changed last at a time. */
static void
put_at(unsigned char id, const char *csn, const char *attribute, const char *value)
{
	const uint8_t uuid[SYNC_UUID_SIZE] = { 100, id };
	struct entry *e;
	char dn[32], text[16];

	(void)snprintf(dn, sizeof dn, "uid=u%u,dc=x", id);
	(void)snprintf(text, sizeof text, "%u", 2000u + id);
	e = entry_new(dn);
	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(entry_set(e, "objectClass", "posixAccount"), 0);
	ck_assert_int_eq(entry_set(e, "uidNumber", text), 0);
	ck_assert_int_eq(entry_set(e, attribute, value), 0);
	ck_assert_int_eq(entry_set(e, "entryCSN", csn), 0);
	entry_mark_take(e, true);
	ck_assert_ptr_null(entry_attribute(e, "entryCSN"));
	ck_assert_int_eq(replica_put(r, uuid, e), 0);
}

/* The server knows its directory up to a time. */
static void
knows(const char *csn)
{
	cookie.len = (size_t)snprintf((char *)cookie.bytes, sizeof cookie.bytes, "rid=000,csn=%s", csn);
}

/* A value of u<id>; "-" when he has none, NULL when he is not shown. */
static const char *
value_of(unsigned char id, const char *name)
{
	static char text[64];
	struct entries all = { 0 };
	const struct entry *e;
	const char *value;
	char dn[32];

	(void)snprintf(dn, sizeof dn, "uid=u%u,dc=x", id);
	shown(&all);
	e = entries_find(&all, dn);
	value = e != NULL ? entry_value(e, name) : NULL;
	(void)snprintf(text, sizeof text, "%s", value != NULL ? value : "-");
	entries_done(&all);
	return e != NULL ? text : NULL;
}

/* From here on what is held is in the heap, where there is one. */
static void
told(void)
{
	struct entries all;

	shown(&all);
	entries_done(&all);
}

/* Three users; the first was disabled since, the second has gone, the third is new. */
static void
begin_scene(int in_heap)
{
	begin(in_heap);
	put_at(1, T(01), "cn", "one");
	put_at(2, T(02), "cn", "two");
	knows(T(02));
	apply();
	told();
	put_at(1, T(11), "nsAccountLock", "TRUE");
	remove_user(2);
	put_at(3, T(12), "cn", "three");
	knows(T(13));
	apply();
	told();
	ck_assert_uint_eq(replica_older(r), 0);
}

/* All of another server, which has heard nothing of all that. */
static void
fail_over(void)
{
	replica_drop(r);
	put_at(1, T(01), "cn", "one");
	put_at(2, T(02), "cn", "two");
	replica_only_these(r);
	knows(T(02));
	apply();
}

static void
stays_as_known(void)
{
	ck_assert_str_eq(value_of(1, "nsAccountLock"), "TRUE");
	ck_assert_ptr_null(value_of(2, "cn"));
	ck_assert_str_eq(value_of(3, "cn"), "three");
}

START_TEST(lagging)
{
	char names[256];

	begin_scene(_i);
	fail_over();
	stays_as_known();
	ck_assert_uint_eq(replica_older(r), 3);
	replica_older_names(r, names, sizeof names);
	ck_assert_ptr_nonnull(strstr(names, "uid=u1,dc=x"));
	ck_assert_ptr_nonnull(strstr(names, "uid=u3,dc=x"));
	fail_over();			/* again */
	stays_as_known();
	ck_assert_uint_eq(replica_older(r), 3);
	replica_close(r);		/* a restart knows it still, and asks for all of it */
	open_it("origin");
	ck_assert(!replica_cookie(r)->there);
	stays_as_known();
	fail_over();
	stays_as_known();
	ck_assert_uint_eq(replica_older(r), 3);
	end();
}
END_TEST

/* It catches up step by step, as it hears of it: by itself all is as it should be, and newer things count. */
START_TEST(catching_up)
{
	begin_scene(_i);
	fail_over();
	put_at(1, T(10), "cn", "a change before he was disabled");
	apply();
	stays_as_known();
	put_at(1, T(11), "nsAccountLock", "TRUE");
	remove_user(2);
	put_at(3, T(12), "cn", "three");
	knows(T(13));
	apply();
	stays_as_known();
	ck_assert_uint_eq(replica_older(r), 0);
	put_at(1, T(20), "cn", "enabled");
	put_at(2, T(21), "cn", "back");
	remove_user(3);
	knows(T(22));
	apply();
	ck_assert_str_eq(value_of(1, "nsAccountLock"), "-");
	ck_assert_str_eq(value_of(2, "cn"), "back");
	ck_assert_ptr_null(value_of(3, "cn"));
	replica_close(r);
	open_it("origin");
	ck_assert(replica_cookie(r)->there);
	ck_assert_str_eq(value_of(2, "cn"), "back");
	ck_assert_ptr_null(value_of(3, "cn"));
	end();
}
END_TEST

/* A restored directory: a person says that it is right. It is so over a restart, and what is told again changes nothing. */
START_TEST(approved)
{
	begin_scene(_i);
	fail_over();
	replica_approve(r);
	apply();
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(replica_older(r), 0);
		ck_assert_str_eq(value_of(1, "nsAccountLock"), "-");
		ck_assert_str_eq(value_of(2, "cn"), "two");
		ck_assert_ptr_null(value_of(3, "cn"));
		replica_close(r);
		open_it("origin");
		ck_assert(replica_cookie(r)->there);
		fail_over();
	}
	put_at(3, T(12), "cn", "three");	/* the server that was ahead, after all: who went by its word does not come back */
	knows(T(13));
	apply();
	told();
	ck_assert_str_eq(value_of(3, "cn"), "three");
	end();
}
END_TEST

/* What shuts a user out is taken from anybody; and so is what bears no mark. */
START_TEST(tightened)
{
	begin_scene(_i);
	put_at(3, T(05), "nsAccountLock", "TRUE");
	apply();
	ck_assert_str_eq(value_of(3, "nsAccountLock"), "TRUE");
	ck_assert_uint_eq(replica_older(r), 0);
	put_at(3, T(06), "cn", "not yet enabled");
	apply();
	ck_assert_str_eq(value_of(3, "nsAccountLock"), "TRUE");
	put_at(3, "", "cn", "nobody knows when");
	apply();
	ck_assert_str_eq(value_of(3, "nsAccountLock"), "-");
	put_at(3, T(06), "cn", "older than was seen");
	apply();
	ck_assert_str_eq(value_of(3, "cn"), "nobody knows when");
	put_at(3, T(30), "ismsNotAfter", "19700101001639Z");
	put_at(1, T(05), "ismsNotAfter", "19700101001639Z");	/* has ended, by the clock of the scene */
	apply();
	ck_assert_str_eq(value_of(1, "ismsNotAfter"), "19700101001639Z");
	put_at(1, T(30), "cn", "again");
	apply();
	put_at(1, T(29), "ismsNotAfter", "19700101002000Z");	/* will end: that waits */
	apply();
	ck_assert_str_eq(value_of(1, "cn"), "again");
	ck_assert_uint_eq(replica_older(r), 1);
	end();
}
END_TEST

/* Servers that write something of their own beside it tell the same all the same; and what they name is known. */
START_TEST(same_or_named)
{
	const uint8_t second[SYNC_UUID_SIZE] = { 100, 2 }, nobody[SYNC_UUID_SIZE] = { 100, 99 };

	begin_scene(_i);
	put_at(3, T(05), "cn", "three");
	apply();
	ck_assert_uint_eq(replica_older(r), 0);
	put_at(3, T(06), "cn", "other");
	apply();
	ck_assert_uint_eq(replica_older(r), 1);
	ck_assert_str_eq(value_of(3, "cn"), "three");
	fail_over();
	ck_assert_int_eq(replica_keep(r, second), 0);
	ck_assert(replica_is_whole(r));
	ck_assert_int_eq(replica_keep(r, nobody), 0);
	ck_assert(!replica_is_whole(r));
	end();
}
END_TEST

/* u<id> is no user any more, but still an entry that is told of: a group, say. */
static void
put_no_user(unsigned char id)
{
	const uint8_t uuid[SYNC_UUID_SIZE] = { 100, id };
	struct entry *e;
	char dn[32];

	(void)snprintf(dn, sizeof dn, "uid=u%u,dc=x", id);
	e = entry_new(dn);
	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(entry_set(e, "objectClass", "posixGroup"), 0);
	ck_assert_int_eq(entry_set(e, "cn", "nobody"), 0);
	ck_assert_int_eq(replica_put(r, uuid, e), 0);
}

static void
put_no_users(unsigned char from, unsigned char end_before)
{
	for (unsigned char i = from; i < end_before; i++)
		if (i != 7)
			put_no_user(i);
	apply();
}

/* Who loses posixAccount is removed as a user: few at once, many after a person's look, and one who gets it back stays. */
START_TEST(rp04a_no_users_any_more)
{
	begin(_i);
	for (unsigned char i = 0; i < 100; i++)
		put_at(i, "", "cn", "user");
	apply();
	put_no_users(90, 100);
	ck_assert_uint_eq(replica_held(r)->removed, 0);
	ck_assert_str_eq(value_of(95, "cn"), "nobody");
	put_no_user(7);
	put_no_users(0, 40);
	ck_assert_uint_eq(replica_held(r)->removed, 40);
	ck_assert_uint_eq(replica_held(r)->renumbered, 0);
	ck_assert_str_eq(value_of(7, "cn"), "user");
	put_at(7, "", "cn", "user");
	apply();
	ck_assert_uint_eq(replica_held(r)->removed, 39);
	replica_close(r);
	open_it("origin");
	ck_assert_str_eq(value_of(8, "cn"), "user");
	replica_drop(r);
	put_no_users(0, 40);
	ck_assert_uint_eq(replica_held(r)->removed, 39);
	replica_approve(r);
	apply();
	ck_assert_uint_eq(replica_held(r)->removed, 0);
	ck_assert_str_eq(value_of(7, "cn"), "user");
	ck_assert_str_eq(value_of(8, "cn"), "nobody");
	put_no_users(40, 46);		/* 51 users are left: six at once are many */
	ck_assert_uint_eq(replica_held(r)->removed, 6);
	end();
}
END_TEST

static const struct { const char *csn; bool is_one; } csns[] = {
	{ "20261126120000.000000Z#000000#001#000000", true }, { "20061208120000Z#000000#00#000000", true },
	{ "20261126120000.000000Z#000000#00g#000000", false }, { "20261126120000.00000xZ#000000#001#000000", false },
	{ "20261326120000.000000Z#000000#001#000000", false }, { "99991126120000.000000Z#000000#001#000000", false },
	{ "", false }, { "20261126120000.000000Z", false }, { "################################", false },
	{ "20261126120000.000000Z#000000#001", false }, { "20261126120000.000000Z#000000#00001#0", false },
};

START_TEST(marks)
{
	const char cookie_text[] = "rid=001,sid=002,csn=20261126120000.000000Z#000000#001#000000;"
	    "20261126120005.000000Z#000000#00a#000000";
	const uint8_t *bytes = (const uint8_t *)cookie_text;
	const size_t len = sizeof cookie_text - 1;
	const uint64_t early = mark(T(01)), late = mark(T(02)), whole = mark("20261126120001Z#000000#00#000000");

	for (size_t i = 0; i < sizeof csns / sizeof csns[0]; i++)
		ck_assert_msg((mark(csns[i].csn) != 0) == csns[i].is_one, "%s", csns[i].csn);
	ck_assert(entry_mark_older(early, late));
	ck_assert(!entry_mark_older(late, early));
	ck_assert(!entry_mark_older(early, early));
	ck_assert(!entry_mark_older(0, late));
	ck_assert(!entry_mark_older(early, 0));
	ck_assert(entry_mark_older(early, mark("20261126120001.000001Z#000000#001#000000")));
	ck_assert(!entry_mark_older(early, whole));	/* some time within the same second */
	ck_assert(!entry_mark_older(whole, early));
	ck_assert(entry_mark_older(whole, late));
	ck_assert_int_eq(entry_mark_server(early), 1);
	ck_assert_uint_eq(entry_mark_known(bytes, len, 1), mark("20261126120000.000000Z#000000#001#000000"));
	ck_assert_uint_eq(entry_mark_known(bytes, len, 10), mark("20261126120005.000000Z#000000#00a#000000"));
	ck_assert_uint_eq(entry_mark_known(bytes, len, 7), mark("20261126120005.000000Z#000000#00a#000000"));
	ck_assert_uint_eq(entry_mark_known(bytes, len, -1), mark("20261126120005.000000Z#000000#00a#000000"));
	ck_assert_uint_eq(entry_mark_known((const uint8_t *)"host:389#cn=sync:dc=x#17", 24, -1), 0);
	ck_assert_uint_eq(entry_mark_known(bytes, 0, -1), 0);
}
END_TEST

/* Servers that tell no entryCSN tell modifyTimestamp; where each has a time of its own, nothing is compared. */
START_TEST(taken)
{
	struct entry *e = entry_new("uid=a,dc=x");

	ck_assert_int_eq(entry_set(e, "modifyTimestamp", "20261126120001Z"), 0);
	entry_mark_take(e, true);
	ck_assert_uint_ne(e->mark, 0);
	ck_assert(entry_mark_older(e->mark, mark(T(02))));
	ck_assert_ptr_null(entry_attribute(e, "modifyTimestamp"));
	ck_assert_int_eq(entry_set(e, "modifyTimestamp", "20261126120001Z"), 0);
	entry_mark_take(e, false);
	ck_assert_uint_eq(e->mark, 0);
	ck_assert_ptr_null(entry_attribute(e, "modifyTimestamp"));
	entry_free(e);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ lagging, 2 }, { catching_up, 2 }, { approved, 2 }, { tightened, 2 }, { same_or_named, 2 },
		{ rp04a_no_users_any_more, 2 }, { marks, 0 }, { taken, 0 },
	};

	return suite_run("replica_older", rows, ROWS(rows), 60);
}
