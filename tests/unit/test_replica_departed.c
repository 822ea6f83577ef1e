/*
 * test_replica_departed.c - who had a name or a number before is known to the store that has him no more, and beside it.
 */
#include <config.h>

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/holders_store.h"
#include "tests/unit/replica_scene.h"
#include "tests/unit/suite.h"

/* What a user is known by. */
static void
put_known(unsigned char id, const char *name, unsigned number, const char *cn)
{
	uint8_t uuid[SYNC_UUID_SIZE] = { 100, id };
	char dn[64], text[16];
	struct entry *e;

	(void)snprintf(dn, sizeof dn, "uid=%s,dc=x", name);
	e = entry_new(dn);
	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(entry_set(e, "objectClass", "posixAccount"), 0);
	ck_assert_int_eq(entry_set(e, "uid", name), 0);
	(void)snprintf(text, sizeof text, "%u", number);
	ck_assert_int_eq(entry_set(e, "uidNumber", text), 0);
	(void)snprintf(text, sizeof text, "id-%u-AF", id);
	ck_assert_int_eq(entry_set(e, "entryUUID", text), 0);
	ck_assert_int_eq(entry_set(e, "cn", cn), 0);
	ck_assert_int_eq(replica_put(r, uuid, e), 0);
}

/* "id-1 id-2 ..." of those who had these; "-": nobody has departed from it. */
static void
departed_are(size_t count, const char *name, const char *name_id, const char *number, const char *number_id)
{
	struct identity_holders all = { 0 };
	const char *id;

	ck_assert_int_eq(replica_departed(r, &all), 0);
	ck_assert_uint_eq(all.count, count);
	id = identity_holders_find(&all, false, name);
	ck_assert_str_eq(id != NULL ? id : "-", name_id);
	id = identity_holders_find(&all, true, number);
	ck_assert_str_eq(id != NULL ? id : "-", number_id);
	identity_holders_done(&all);
}

/* Who goes, or gives a name or number up, is known to the same store that has him no more: no crash lies between. */
START_TEST(departed_with_the_removal)
{
	begin(_i);
	for (unsigned char i = 0; i < 20; i++) {
		char name[8];

		(void)snprintf(name, sizeof name, "k%u", i);
		put_known(i, name, 2000u + i, "one");
	}
	apply();
	put_known(4, "k4", 2004, "changed");
	apply();
	departed_are(0, "k4", "-", "2004", "-");
	remove_user(1);
	put_known(2, "other", 2002, "one");
	put_known(3, "k3", 4003, "one");
	apply();
	replica_close(r);
	open_it("origin");		/* as after a crash: nobody was told of it */
	departed_are(6, "k1", "id-1-af", "2001", "id-1-af");
	departed_are(6, "k2", "id-2-af", "2002", "id-2-af");
	departed_are(6, "k3", "id-3-af", "2003", "id-3-af");
	departed_are(6, "k4", "-", "2004", "-");
	replica_departed_kept(r);
	departed_are(0, "k1", "-", "2001", "-");
	remove_user(5);
	apply();
	replica_close(r);
	open_it("origin");
	departed_are(2, "k5", "id-5-af", "2005", "id-5-af");
	end();
}
END_TEST

/* Who is held back has not departed; who was renamed meanwhile has; and by approval all of them. */
START_TEST(departed_in_a_hold)
{
	begin(_i);
	for (unsigned char i = 0; i < 20; i++) {
		char name[8];

		(void)snprintf(name, sizeof name, "k%u", i);
		put_known(i, name, 2000u + i, "one");
	}
	apply();
	for (unsigned char i = 0; i < 10; i++)
		remove_user(i);
	put_known(12, "other", 2012, "one");
	apply();
	ck_assert_uint_eq(replica_held(r)->removed, 10);
	departed_are(2, "k12", "id-12-af", "2012", "id-12-af");
	departed_are(2, "k1", "-", "2001", "-");
	replica_approve(r);
	apply();
	departed_are(22, "k1", "id-1-af", "2001", "id-1-af");
	end();
}
END_TEST

/* Asked with other attributes or as somebody else the store begins anew, and knows who was there; at another base not. */
START_TEST(departed_by_another_origin)
{
	begin(_i);
	replica_close(r);
	open_it("dc=x\none map");
	put_known(1, "k1", 2001, "one");
	put(2, "cn=group,dc=x", "no user");
	apply();
	departed_are(0, "k1", "-", "2001", "-");
	replica_close(r);
	open_it("dc=x\nanother map");
	ck_assert_uint_eq(replica_count(r), 0);
	ck_assert(!replica_cookie(r)->there);
	departed_are(2, "k1", "id-1-af", "2001", "id-1-af");
	replica_close(r);
	open_it("dc=y\nanother map");
	departed_are(0, "k1", "-", "2001", "-");
	end();
}
END_TEST

static void
change_store(const char *sql)
{
	char path[128];
	sqlite3 *db;

	(void)snprintf(path, sizeof path, "%s/replica.db", folder);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_changes(db), 1);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

/* One whose row cannot be read takes nobody with him; and of a store of another form who had departed stays known. */
START_TEST(departed_by_what_can_be_read)
{
	begin(_i);
	replica_close(r);
	open_it("dc=x\none map");
	put_known(1, "k1", 2001, "one");
	put_known(2, "k2", 2002, "one");
	apply();
	replica_close(r);
	change_store("UPDATE packed SET body = x'000000000000000000ff' WHERE hex(uuid) LIKE '6402%'");
	open_it("dc=x\nanother map");
	ck_assert_str_eq(fault, "");
	departed_are(2, "k1", "id-1-af", "2001", "id-1-af");
	departed_are(2, "k2", "-", "2002", "-");
	put_known(3, "k3", 2003, "one");
	apply();
	replica_close(r);
	change_store("UPDATE meta SET value = CAST('another form' || char(10) || 'dc=x' || char(10) || 'another map' AS BLOB)"
	    " WHERE key = 'origin'");
	open_it("dc=x\nanother map");
	ck_assert_uint_eq(replica_count(r), 0);
	ck_assert(!replica_cookie(r)->there);
	departed_are(2, "k1", "id-1-af", "2001", "id-1-af");
	end();
}
END_TEST

/* Those known before stay: they are joined, not replaced. */
START_TEST(holders_join)
{
	struct identity_holders all = { 0 }, more = { 0 };

	ck_assert_int_eq(identity_holders_join(&all, &more), 0);
	ck_assert_int_eq(identity_holders_add(&all, false, "mid", "id-a"), 0);
	ck_assert_int_eq(identity_holders_add(&more, false, "mid", "id-b"), 0);
	ck_assert_int_eq(identity_holders_join(&all, &more), 0);
	ck_assert_int_eq(identity_holders_add(&more, false, "ada", "id-c"), 0);
	ck_assert_int_eq(identity_holders_add(&more, true, "2000", "id-b"), 0);
	ck_assert_int_eq(identity_holders_join(&all, &more), 1);
	ck_assert_uint_eq(all.count, 3);
	ck_assert_str_eq(identity_holders_find(&all, false, "mid"), "id-a");
	ck_assert_str_eq(identity_holders_find(&all, false, "ada"), "id-c");
	ck_assert_str_eq(identity_holders_find(&all, true, "2000"), "id-b");
	identity_holders_done(&all);
	identity_holders_done(&more);
}
END_TEST

/* Who had which name before, kept beside the replica; of another base nobody. */
START_TEST(former_holders)
{
	struct identity_holders all = { 0 }, again = { 0 };
	char path[128];
	FILE *f;

	begin(_i);
	ck_assert_int_eq(holders_store_read(folder, "dc=x", &all), 0);
	ck_assert_uint_eq(all.count, 0);
	ck_assert_int_eq(identity_holders_add(&all, true, "2000", "id-b"), 0);
	ck_assert_int_eq(identity_holders_add(&all, false, "zoe", "id-a"), 0);
	ck_assert_int_eq(identity_holders_add(&all, false, "ada", "id-a"), 0);
	ck_assert_int_eq(identity_holders_add(&all, false, "ada", "id-c"), -EEXIST);
	ck_assert_int_eq(identity_holders_add(&all, false, "", "id-c"), -EINVAL);
	ck_assert_int_eq(holders_store_write(folder, "dc=x", &all), 0);
	ck_assert_int_eq(holders_store_read(folder, "dc=x", &again), 0);
	ck_assert_uint_eq(again.count, 3);
	ck_assert_str_eq(identity_holders_find(&again, false, "ada"), "id-a");
	ck_assert_str_eq(identity_holders_find(&again, true, "2000"), "id-b");
	ck_assert_ptr_null(identity_holders_find(&again, true, "ada"));
	identity_holders_done(&again);
	ck_assert_int_eq(holders_store_read(folder, "dc=y", &again), 0);
	ck_assert_uint_eq(again.count, 0);
	(void)snprintf(path, sizeof path, "%s/holders", folder);
	f = fopen(path, "a");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_gt(fprintf(f, "uid torn\n"), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(holders_store_read(folder, "dc=x", &again), -EBADMSG);
	ck_assert_uint_eq(again.count, 3);
	identity_holders_done(&again);
	identity_holders_done(&all);
	ck_assert_int_eq(unlink(path), 0);
	end();
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ departed_with_the_removal, 2 }, { departed_in_a_hold, 2 }, { departed_by_another_origin, 2 },
		{ departed_by_what_can_be_read, 2 },
		{ holders_join, 0 }, { former_holders, 2 },
	};

	return suite_run("replica_departed", rows, ROWS(rows), 60);
}
