/*
 * test_census_crowd.c - very many entries that claim what one good user has: what is said of him is said in bounded time.
 */
#include <config.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon/census.h"
#include "tests/unit/suite.h"

enum { CROWD = 100100, FEW_MS = 5000 };

static struct settings settings;
static struct census *census;
static struct entry_changes changes;

/* An entry of a crowd, or, with id 0, of the user: one of its values is what he has. */
static void
tell(uint32_t id, const char *uid, unsigned uid_number, unsigned gid_number, bool is_user)
{
	uint8_t uuid[ENTRY_ID_SIZE] = { 1 };
	char text[64];
	struct entry *e;

	memcpy(uuid + 1, &id, sizeof id);
	(void)snprintf(text, sizeof text, "cn=e%u,dc=x", id);
	e = entry_new(text);
	ck_assert_ptr_nonnull(e);
	(void)snprintf(text, sizeof text, "6f7e5c8a-0b1d-4c1e-9a53-2f3a%08x", id);
	ck_assert_int_eq(entry_set(e, "entryUUID", text), 0);
	ck_assert_int_eq(entry_set(e, "objectClass", is_user ? "posixAccount" : "posixGroup"), 0);
	ck_assert_int_eq(entry_set(e, is_user ? "uid" : "cn", uid), 0);
	(void)snprintf(text, sizeof text, "%u", uid_number);
	if (is_user)
		ck_assert_int_eq(entry_set(e, "uidNumber", text), 0);
	(void)snprintf(text, sizeof text, "%u", gid_number);
	ck_assert_int_eq(entry_set(e, "gidNumber", text), 0);
	ck_assert_int_eq(entry_set(e, "homeDirectory", "/home/x"), 0);
	ck_assert_int_eq(entry_set(e, "employeeType", "employee"), 0);
	ck_assert_int_eq(entry_changes_add(&changes, uuid, e, false), 0);
	entry_free(e);
}

static void
update(void)
{
	const struct census_how how = { .settings = &settings };
	struct census_news news = { 0 };

	ck_assert_int_ge(census_update(census, &how, &changes, &news), 0);
	census_news_done(&news);
	ck_assert_int_eq(census_complete(census), 0);
}

static long
cpu_ms(void)
{
	return (long)(clock() / (CLOCKS_PER_SEC / 1000));
}

static bool
is_in(const char *name)
{
	struct census_part part = { 0 };
	const struct identity *user = NULL;
	long began_ms = cpu_ms();
	bool good;

	ck_assert_int_eq(census_find(census, &settings, NULL, name, &part, &user), 0);
	good = user != NULL && user->state == FACTS_MANAGED;
	census_part_done(&part);
	ck_assert_int_lt(cpu_ms() - began_ms, FEW_MS);
	return good;
}

/* They claim his name, his number, his primary group's number, that group's name. */
START_TEST(a_crowd)
{
	char name[32];

	settings_defaults(&settings);
	(void)snprintf(settings.directory_base, sizeof settings.directory_base, "dc=x");
	ck_assert_int_eq(census_new(&census), 0);
	tell(0, "ada", 2001, 3000, true);
	tell(1, "web", 0, 3000, false);
	update();
	ck_assert(is_in("ada"));
	for (uint32_t i = 2; i < CROWD; i++) {
		(void)snprintf(name, sizeof name, "n%u", i);
		tell(i, _i == 0 ? "ada" : _i == 3 ? "web" : name, _i == 1 ? 2001 : 70000 + i, _i == 2 ? 3000 : 300000 + i, _i < 2);
	}
	update();
	ck_assert(is_in("ada") == (_i != 0));	/* of two entries of one uid nobody is either, however many there are */
	if (_i == 1)
		ck_assert(!is_in("n77"));
	tell(0, "ada", 2001, 3001, true);
	update();
	ck_assert(is_in("ada") == (_i != 0));
	census_free(census);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { a_crowd, 4 } };

	return suite_run("census crowd", rows, ROWS(rows), 120);
}
