/*
 * test_replica.c - what a server told of its directory: nothing of a part is seen, everything of a whole is kept, and a
 * restart resumes from it.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/replica_scene.h"
#include "tests/unit/suite.h"

/* "cn of a entry" by DN; NULL when it is not there. */
static const char *
cn_of(const char *dn)
{
	static char text[64];
	struct entries all = { 0 };
	const struct entry *e;

	shown(&all);
	e = entries_find(&all, dn);
	if (e != NULL)
		(void)snprintf(text, sizeof text, "%s", entry_value(e, "cn"));
	entries_done(&all);
	return e != NULL ? text : NULL;
}

static void
remove_one(unsigned char id)
{
	const uint8_t uuid[SYNC_UUID_SIZE] = { id };

	ck_assert_int_eq(replica_remove(r, uuid), 0);
}

static void
keep(unsigned char id)
{
	const uint8_t uuid[SYNC_UUID_SIZE] = { id };

	ck_assert_int_eq(replica_keep(r, uuid), 0);
}

START_TEST(nothing_of_a_part)
{
	begin(_i);
	put(1, "uid=a,dc=x", "one");
	ck_assert_ptr_null(cn_of("uid=a,dc=x"));
	replica_drop(r);		/* the connection was lost */
	apply();
	ck_assert_uint_eq(replica_count(r), 0);
	put(1, "uid=a,dc=x", "one");
	apply();
	ck_assert_str_eq(cn_of("uid=a,dc=x"), "one");
	end();
}
END_TEST

/* An entry of so many bytes, as it would be with that many values. */
static int
put_large(unsigned char id, size_t bytes)
{
	const uint8_t uuid[SYNC_UUID_SIZE] = { id };
	struct entry *e = entry_new(id == 1 ? "cn=first" : "cn=second");

	ck_assert_ptr_nonnull(e);
	e->bytes = bytes;
	return replica_put(r, uuid, e);
}

/* A server that says ever more is not listened to for ever, in one gathering nor beside what is held (THREATS 5.4). */
START_TEST(too_many_bytes)
{
	const size_t half = REPLICA_BYTES_MAX / 2;

	begin(_i);
	for (int held = 0; held < 2; held++) {
		ck_assert_int_eq(put_large(1, half), 0);
		if (held != 0)
			apply();
		ck_assert_int_eq(put_large(2, half), -E2BIG);
		ck_assert_int_eq(put_large(2, half - 4096), 0);
		replica_drop(r);
	}
	ck_assert_uint_eq(replica_count(r), 1);
	put(1, "cn=first", "small again");
	apply();
	ck_assert_int_eq(put_large(2, half), 0);
	end();
}
END_TEST

/* What is told again as it is held takes no room and counts as there; what was told otherwise in between does not. */
START_TEST(told_again)
{
	const size_t most = REPLICA_BYTES_MAX - 8192;
	struct entries all;

	begin(_i);
	ck_assert_int_eq(put_large(1, most), 0);
	put(2, "uid=b,dc=x", "two");
	put(3, "uid=c,dc=x", "three");
	apply();
	ck_assert_int_eq(put_large(1, most), 0);	/* the same: twice it would be too much */
	put(3, "uid=c,dc=x", "drei");
	put(3, "uid=c,dc=x", "three");
	replica_only_these(r);
	apply();
	ck_assert_uint_eq(replica_count(r), 2);
	ck_assert_str_eq(cn_of("uid=c,dc=x"), "three");
	ck_assert_ptr_null(cn_of("uid=b,dc=x"));
	remove_one(3);
	put(3, "uid=c,dc=x", "three");		/* gone and back: it stays */
	apply();
	shown(&all);
	ck_assert_uint_eq(all.count, 2);
	entries_done(&all);
	end();
}
END_TEST

/* Disconnected in the present phase: nobody was removed (RP02a). Completed: whoever was not mentioned is gone. */
START_TEST(rp02a_present_abort)
{
	begin(_i);
	put(1, "uid=a,dc=x", "one");
	put(2, "uid=b,dc=x", "two");
	put(3, "uid=c,dc=x", "three");
	apply();
	keep(1);
	replica_only_these(r);
	replica_drop(r);
	ck_assert_uint_eq(replica_count(r), 3);
	keep(1);
	put(3, "uid=c,dc=x", "drei");
	put(4, "uid=d,dc=x", "four");
	replica_only_these(r);
	apply();
	ck_assert_uint_eq(replica_count(r), 3);
	ck_assert_str_eq(cn_of("uid=a,dc=x"), "one");
	ck_assert_ptr_null(cn_of("uid=b,dc=x"));
	ck_assert_str_eq(cn_of("uid=c,dc=x"), "drei");
	ck_assert_str_eq(cn_of("uid=d,dc=x"), "four");
	end();
}
END_TEST

/* The same identity by entryUUID; and a new one that took an old one's name. */
START_TEST(rp07a_rename)
{
	begin(_i);
	put(1, "uid=a,dc=x", "one");
	apply();
	put(1, "uid=z,dc=x", "one");
	apply();
	ck_assert_uint_eq(replica_count(r), 1);
	ck_assert_ptr_null(cn_of("uid=a,dc=x"));
	ck_assert_str_eq(cn_of("uid=z,dc=x"), "one");
	remove_one(1);
	put(2, "uid=z,dc=x", "another");
	apply();
	ck_assert_uint_eq(replica_count(r), 1);
	ck_assert_str_eq(cn_of("uid=z,dc=x"), "another");
	end();
}
END_TEST

/* Kept, and not ours: only right for what comes in the same refresh. */
START_TEST(rp12a_providers)
{
	begin(_i);
	put(1, "uid=a,dc=x", "one");
	apply();
	keep(1);
	keep(2);
	ck_assert(!replica_is_whole(r));
	put(3, "uid=c,dc=x", "three");
	ck_assert(!replica_is_whole(r));
	put(2, "uid=b,dc=x", "two");
	ck_assert(replica_is_whole(r));
	keep(3);
	ck_assert(replica_is_whole(r));
	keep(4);
	ck_assert(!replica_is_whole(r));
	replica_drop(r);
	ck_assert(replica_is_whole(r));
	end();
}
END_TEST

START_TEST(a_restart_resumes)
{
	begin(_i);
	put(1, "uid=a,dc=x", "one");
	put(2, "uid=b,dc=x", "two");
	apply();
	remove_one(2);
	put(3, "uid=c,dc=x", "three");
	apply();
	put(4, "uid=d,dc=x", "never applied");
	replica_close(r);
	open_it("origin");
	ck_assert_uint_eq(replica_count(r), 2);
	ck_assert_str_eq(cn_of("uid=a,dc=x"), "one");
	ck_assert_str_eq(cn_of("uid=c,dc=x"), "three");
	ck_assert(replica_cookie(r)->there);
	ck_assert_uint_eq(replica_cookie(r)->len, 3);
	ck_assert_mem_eq(replica_cookie(r)->bytes, "abc", 3);
	ck_assert_str_eq(replica_cookie(r)->server, "ldaps://a");
	ck_assert_int_eq(replica_confirmed_utc_sec(r), 1000);
	replica_confirm(r, 2000);
	replica_close(r);
	open_it("another origin");	/* other attributes, another base: all of it is to be read anew */
	ck_assert_uint_eq(replica_count(r), 0);
	ck_assert(!replica_cookie(r)->there);
	end();
}
END_TEST

/* A store that is no store any more costs a full refresh, and nothing else. */
START_TEST(torn_store)
{
	char path[128];
	FILE *f;

	begin(_i);
	put(1, "uid=a,dc=x", "one");
	apply();
	replica_close(r);
	(void)snprintf(path, sizeof path, "%s/replica.db", folder);
	f = fopen(path, "wb");
	ck_assert_ptr_nonnull(f);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_ge(fputs("no database", f), 0);
	ck_assert_int_eq(fclose(f), 0);
	open_it("origin");
	ck_assert_uint_eq(replica_count(r), 0);
	ck_assert(!replica_cookie(r)->there);
	put(1, "uid=a,dc=x", "one");
	apply();
	ck_assert_str_eq(cn_of("uid=a,dc=x"), "one");
	end();
}
END_TEST

/* No place to store it: memory has it, at once, and says so. */
START_TEST(store_unwritable)
{
	begin(_i);
	replica_close(r);
	fault[0] = '\0';
	ck_assert_int_eq(replica_open("/nowhere/at/all", "origin", &r, fault, sizeof fault), 0);
	replica_use_heap(r, heap);
	ck_assert_ptr_nonnull(strstr(fault, "/nowhere/at/all"));
	put(1, "uid=a,dc=x", "one");
	ck_assert_int_eq(replica_apply(r, &cookie, 1000, fault, sizeof fault), 1);
	ck_assert_ptr_nonnull(strstr(fault, "cannot be stored"));
	ck_assert_str_eq(cn_of("uid=a,dc=x"), "one");
	end();
}
END_TEST

/* What was given out never changes under whoever has it. */
START_TEST(views_stay)
{
	struct entries before = { 0 };

	begin(_i);
	put(1, "uid=a,dc=x", "one");
	apply();
	shown(&before);
	put(1, "uid=a,dc=x", "eins");
	apply();
	remove_one(1);
	apply();
	ck_assert_str_eq(entry_value(entries_find(&before, "uid=a,dc=x"), "cn"), "one");
	entries_done(&before);
	ck_assert_uint_eq(replica_count(r), 0);
	end();
}
END_TEST

static void
put_user(unsigned char id, unsigned number)
{
	uint8_t uuid[SYNC_UUID_SIZE] = { 100, id };
	char dn[64], text[16];
	struct entry *e;

	(void)snprintf(dn, sizeof dn, "uid=u%u,dc=x", id);
	(void)snprintf(text, sizeof text, "%u", number);
	e = entry_new(dn);
	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(entry_set(e, "objectClass", "posixAccount"), 0);
	ck_assert_int_eq(entry_set(e, "uidNumber", text), 0);
	ck_assert_int_eq(entry_set(e, "cn", text), 0);
	ck_assert_int_eq(replica_put(r, uuid, e), 0);
}

/* Of 100 users ten may go unasked; eleven wait for a person, and so they do over a restart. */
START_TEST(rp04a_mass_change)
{
	begin(_i);
	for (unsigned char i = 0; i < 100; i++)
		put_user(i, 2000u + i);
	apply();
	for (unsigned char i = 0; i < 90; i++)
		put_user(i, 2000u + i);
	replica_only_these(r);
	apply();
	ck_assert_uint_eq(replica_count(r), 90);
	replica_only_these(r);		/* a refresh that names nobody */
	apply();
	ck_assert_uint_eq(replica_count(r), 90);
	ck_assert_uint_eq(replica_held(r)->removed, 90);
	put_user(1, 2001);		/* back again: one less is held */
	apply();
	ck_assert_uint_eq(replica_held(r)->removed, 89);
	replica_close(r);
	open_it("origin");
	ck_assert_uint_eq(replica_count(r), 90);
	replica_drop(r);
	put_user(1, 2001);
	replica_only_these(r);
	apply();
	ck_assert_uint_eq(replica_held(r)->removed, 89);
	replica_approve(r);
	apply();
	ck_assert_uint_eq(replica_count(r), 1);
	ck_assert_uint_eq(replica_held(r)->removed, 0);
	replica_close(r);
	open_it("origin");
	ck_assert_uint_eq(replica_count(r), 1);
	end();
}
END_TEST

/* One by one, as a server tells of them: those of a minute count together. */
START_TEST(rp04a_one_by_one)
{
	begin(_i);
	for (unsigned char i = 0; i < 100; i++)
		put_user(i, 2000u + i);
	apply();
	for (unsigned char i = 0; i < 30; i++) {
		const uint8_t uuid[SYNC_UUID_SIZE] = { 100, i };

		ck_assert_int_eq(replica_remove(r, uuid), 0);
		apply();
	}
	ck_assert_uint_eq(replica_count(r), 90);
	ck_assert_uint_eq(replica_held(r)->removed, 20);
	replica_approve(r);
	apply();
	ck_assert_uint_eq(replica_count(r), 70);
	for (unsigned char i = 30; i < 50; i++) {	/* ten in a minute are a day's work */
		const uint8_t uuid[SYNC_UUID_SIZE] = { 100, i };

		now_sec += 10;
		ck_assert_int_eq(replica_remove(r, uuid), 0);
		apply();
	}
	ck_assert_uint_eq(replica_count(r), 50);
	end();
}
END_TEST

/* The last one of a small directory, too: an empty tree is no tree. */
START_TEST(rp04a_nobody_left)
{
	begin(_i);
	put_user(1, 2001);
	put_user(2, 2002);
	apply();
	replica_only_these(r);
	apply();
	ck_assert_uint_eq(replica_count(r), 2);
	put_user(2, 2002);
	apply();
	ck_assert_uint_eq(replica_count(r), 1);	/* only one has gone: that is a day's work */
	end();
}
END_TEST

static void
put_named(unsigned char id, unsigned number, const char *cn)
{
	uint8_t uuid[SYNC_UUID_SIZE] = { 100, id };
	char dn[64], text[16];
	struct entry *e;

	(void)snprintf(dn, sizeof dn, "uid=u%u,dc=x", id);
	(void)snprintf(text, sizeof text, "%u", number);
	e = entry_new(dn);
	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(entry_set(e, "objectClass", "posixAccount"), 0);
	ck_assert_int_eq(entry_set(e, "uidNumber", text), 0);
	ck_assert_int_eq(entry_set(e, "cn", cn), 0);
	ck_assert_int_eq(replica_put(r, uuid, e), 0);
}

/* The number of u<id> that is shown. */
static unsigned long
number_of(unsigned char id)
{
	struct entries all = { 0 };
	unsigned long number;
	char dn[64];

	(void)snprintf(dn, sizeof dn, "uid=u%u,dc=x", id);
	shown(&all);
	ck_assert_uint_eq(entry_attribute(entries_find(&all, dn), "uidNumber")->count, 1);
	number = strtoul(entry_value(entries_find(&all, dn), "uidNumber"), NULL, 10);
	entries_done(&all);
	return number;
}

/* What tightens one entry is applied while others are held; new numbers wait, and are taken when they are few. */
START_TEST(rp05a_tighten)
{
	begin(_i);
	for (unsigned char i = 0; i < 60; i++)
		put_user(i, 2000u + i);
	apply();
	for (unsigned char i = 0; i < 40; i++)
		put_user(i, 5000u + i);
	put_named(50, 2050, "disabled");
	apply();
	ck_assert_uint_eq(replica_held(r)->renumbered, 40);
	ck_assert_uint_eq(number_of(3), 2003);
	ck_assert_str_eq(cn_of("uid=u50,dc=x"), "disabled");
	for (unsigned char i = 3; i < 40; i++)
		put_user(i, 2000u + i);
	apply();
	ck_assert_uint_eq(replica_held(r)->renumbered, 0);
	ck_assert_uint_eq(number_of(2), 5002);
	ck_assert_uint_eq(number_of(3), 2003);
	end();
}
END_TEST

/* Whose number waits is ended at once, in the change that renumbers him or in a later one; the number is not taken before. */
START_TEST(rp05a_renumbered_and_ended)
{
	begin(_i);
	for (unsigned char i = 0; i < 60; i++)
		put_user(i, 2000u + i);
	apply();
	for (unsigned char i = 0; i < 40; i++)
		put_named(i, 5000u + i, i == 7 ? "disabled" : "stays");
	apply();
	ck_assert_uint_eq(replica_held(r)->renumbered, 40);
	ck_assert_str_eq(cn_of("uid=u7,dc=x"), "disabled");
	ck_assert_str_eq(cn_of("uid=u8,dc=x"), "stays");
	ck_assert_uint_eq(number_of(7), 2007);
	put_named(8, 5008, "disabled");
	apply();
	ck_assert_uint_eq(replica_held(r)->renumbered, 40);
	ck_assert_str_eq(cn_of("uid=u8,dc=x"), "disabled");
	ck_assert_uint_eq(number_of(8), 2008);
	replica_approve(r);
	apply();
	ck_assert_uint_eq(replica_held(r)->renumbered, 0);
	ck_assert_uint_eq(number_of(7), 5007);
	ck_assert_str_eq(cn_of("uid=u8,dc=x"), "disabled");
	ck_assert_uint_eq(number_of(8), 5008);
	end();
}
END_TEST

/*
 * A restart while much is held back: what tightened somebody meanwhile is there, who would go is there, whose number
 * waits has the old one; and all of it is told anew, since the cookie would say that it need not be.
 */
START_TEST(rp05a_tightened_over_a_restart)
{
	begin(_i);
	for (unsigned char i = 0; i < 60; i++)
		put_user(i, 2000u + i);
	apply();
	now_sec = 5000;
	for (unsigned char i = 0; i < 20; i++)
		remove_user(i);
	for (unsigned char i = 20; i < 30; i++)
		put_named(i, 5000u + i, i == 27 ? "disabled" : "stays");
	put_named(40, 2040, "disabled");
	put_user(70, 2070);
	apply();
	ck_assert_uint_eq(replica_held(r)->removed, 20);
	put_named(41, 2041, "disabled");	/* in a later one */
	apply();
	replica_close(r);
	open_it("origin");
	ck_assert_uint_eq(replica_count(r), 60);
	ck_assert_str_eq(cn_of("uid=u40,dc=x"), "disabled");
	ck_assert_str_eq(cn_of("uid=u41,dc=x"), "disabled");
	ck_assert_str_eq(cn_of("uid=u42,dc=x"), "2042");
	ck_assert_str_eq(cn_of("uid=u27,dc=x"), "disabled");
	ck_assert_uint_eq(number_of(27), 2027);
	ck_assert_str_eq(cn_of("uid=u3,dc=x"), "2003");
	ck_assert_int_eq(replica_confirmed_utc_sec(r), 1000);
	ck_assert(!replica_cookie(r)->there);
	replica_drop(r);
	for (unsigned char i = 20; i < 60; i++)
		put_named(i, i < 30 ? 5000u + i : 2000u + i, i == 27 || i == 40 || i == 41 ? "disabled" : "stays");
	put_user(70, 2070);
	replica_only_these(r);
	apply();
	ck_assert_uint_eq(replica_held(r)->removed, 20);
	ck_assert_uint_eq(replica_held(r)->renumbered, 10);
	replica_approve(r);
	apply();
	replica_close(r);
	open_it("origin");
	ck_assert(replica_cookie(r)->there);
	ck_assert_uint_eq(replica_count(r), 41);
	ck_assert_uint_eq(number_of(27), 5027);
	ck_assert_str_eq(cn_of("uid=u41,dc=x"), "disabled");
	end();
}
END_TEST

static void
put_users(unsigned char count)
{
	for (unsigned char i = 0; i < count; i++)
		put_user(i, 2000u + i);
	apply();
}

/* Who was gone in a mass change, and is said to be there again before anybody has looked, does not go by approval. */
START_TEST(gone_and_back)
{
	begin(_i);
	put_users(20);
	for (unsigned char i = 0; i < 10; i++) {
		const uint8_t uuid[SYNC_UUID_SIZE] = { 100, i };

		ck_assert_int_eq(replica_remove(r, uuid), 0);
	}
	apply();
	ck_assert_uint_eq(replica_held(r)->removed, 10);
	for (unsigned char i = 0; i < 20; i++) {	/* the present phase of another session, but for one */
		const uint8_t uuid[SYNC_UUID_SIZE] = { 100, i };

		if (i != 7)
			ck_assert_int_eq(replica_keep(r, uuid), 0);
	}
	replica_only_these(r);
	apply();
	ck_assert_uint_eq(replica_held(r)->removed, 0);
	ck_assert_uint_eq(replica_count(r), 19);
	ck_assert_ptr_null(cn_of("uid=u7,dc=x"));
	end();
}
END_TEST

/* Made anew in a mass change: the old ones are shown until a person has looked, and can be told from those who are there. */
START_TEST(gone_and_its_dn_taken)
{
	struct entries all = { 0 };

	begin(_i);
	put_users(20);
	for (unsigned char i = 0; i < 10; i++)
		remove_user(i);
	put(1, "uid=u3,dc=x", "another");
	apply();
	ck_assert_uint_eq(replica_held(r)->removed, 10);
	ck_assert_str_eq(cn_of("uid=u3,dc=x"), "2003");
	shown(&all);
	ck_assert_uint_eq(all.count, 20);
	entries_done(&all);
	replica_approve(r);
	apply();
	ck_assert_str_eq(cn_of("uid=u3,dc=x"), "another");
	ck_assert_ptr_null(cn_of("uid=u4,dc=x"));
	end();
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ nothing_of_a_part, 2 }, { too_many_bytes, 2 }, { told_again, 2 }, { rp02a_present_abort, 2 },
		{ rp07a_rename, 2 }, { rp12a_providers, 2 }, { gone_and_back, 2 }, { gone_and_its_dn_taken, 2 },
		{ a_restart_resumes, 2 }, { torn_store, 2 }, { store_unwritable, 2 }, { views_stay, 2 },
		{ rp04a_mass_change, 2 }, { rp04a_one_by_one, 2 }, { rp04a_nobody_left, 2 }, { rp05a_tighten, 2 },
		{ rp05a_renumbered_and_ended, 2 }, { rp05a_tightened_over_a_restart, 2 },
	};

	return suite_run("replica", rows, ROWS(rows), 60);
}
