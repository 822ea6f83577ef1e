/*
 * test_census_approval.c - a person's word is about whom he saw: who comes later, or becomes another, waits (THREATS 5.5).
 */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "daemon/census.h"
#include "tests/unit/suite.h"

static struct settings settings;
static struct identity_holders holders;
static struct census *census;
static struct entry_changes changes;
static struct entry_heap *heap;		/* NULL: entries stay in memory */

static void
tell(unsigned char id, const char *name, unsigned number, bool waits)
{
	const uint8_t uuid[ENTRY_ID_SIZE] = { id };
	char dn[64], text[48];
	uint32_t number_there;
	struct entry *e;

	(void)snprintf(dn, sizeof dn, "uid=e%u,dc=x", id);
	e = entry_new(dn);
	ck_assert_ptr_nonnull(e);
	(void)snprintf(text, sizeof text, "6f7e5c8a-0b1d-4c1e-9a53-2f3a4b5c6d%02u", id);
	ck_assert_int_eq(entry_set(e, "entryUUID", text), 0);
	ck_assert_int_eq(entry_set(e, "objectClass", "posixAccount"), 0);
	ck_assert_int_eq(entry_set(e, "uid", name), 0);
	(void)snprintf(text, sizeof text, "%u", number);
	ck_assert_int_eq(entry_set(e, "uidNumber", text), 0);
	ck_assert_int_eq(entry_set(e, "gidNumber", "3000"), 0);
	ck_assert_int_eq(entry_set(e, "homeDirectory", "/home/x"), 0);
	ck_assert_int_eq(entry_set(e, "employeeType", "employee"), 0);
	e->waits = waits;
	number_there = heap != NULL ? entry_heap_put(heap, e) : ENTRY_NOWHERE;
	changes.heap = heap;
	ck_assert_int_eq(entry_changes_add_stored(&changes, uuid, heap != NULL ? NULL : e, number_there, false), 0);
	entry_heap_drop(heap, number_there);
	entry_free(e);
}

static void
update(bool approved)
{
	const struct census_how how = { .settings = &settings, .holders = &holders, .accept_approved = approved };
	struct census_news news = { 0 };

	ck_assert_int_ge(census_update(census, &how, &changes, &news), 0);
	census_news_done(&news);
	ck_assert_int_eq(census_complete(census), 0);
}

static bool
is_in(const char *name)
{
	struct census_part part = { 0 };
	const struct identity *user = NULL;
	bool good;

	ck_assert_int_eq(census_find(census, &settings, &holders, name, &part, &user), 0);
	good = user != NULL && user->state == FACTS_MANAGED;
	census_part_done(&part);
	return good;
}

/* Two names and a number were other people's; somebody claims the first. */
static void
begin(int in_heap)
{
	heap = NULL;
	if (in_heap != 0)
		ck_assert_int_eq(entry_heap_new(suite_folder(), &heap), 0);
	settings_defaults(&settings);
	(void)snprintf(settings.directory_base, sizeof settings.directory_base, "dc=x");
	holders = (struct identity_holders){ 0 };
	ck_assert_int_eq(identity_holders_add(&holders, false, "ada", "old-1"), 0);
	ck_assert_int_eq(identity_holders_add(&holders, false, "bob", "old-2"), 0);
	ck_assert_int_eq(identity_holders_add(&holders, true, "2009", "old-3"), 0);
	ck_assert_int_eq(census_new(&census), 0);
	census_use_heap(census, heap);
	tell(1, "ada", 2001, false);
	tell(9, "joe", 2008, false);
	update(false);
	ck_assert(!is_in("ada"));
	ck_assert(is_in("joe"));
}

static void
end(void)
{
	census_free(census);
	entry_heap_free(heap);
	identity_holders_done(&holders);
}

/* Two are not the same two: a number tells. */
START_TEST(who_is_held)
{
	uint32_t ada, both, other;

	begin(_i);
	ada = census_held_who(census, "");
	ck_assert_uint_eq(census_held_who(census, ""), ada);
	ck_assert_uint_ne(census_held_who(census, "uid=old,dc=x"), ada);
	tell(2, "bob", 2002, false);
	update(false);
	both = census_held_who(census, "");
	ck_assert_uint_ne(both, ada);
	tell(1, "joan", 2001, false);
	tell(3, "eve", 2009, false);	/* two again */
	update(false);
	other = census_held_who(census, "");
	ck_assert_uint_ne(other, both);
	tell(3, "eve", 2003, false);
	tell(1, "ada", 2001, false);
	update(false);
	ck_assert_uint_eq(census_held_who(census, ""), both);
	end();
}
END_TEST

START_TEST(later_ones_wait)
{
	begin(_i / 3);
	if (_i % 3 == 0) {			/* before he looked, or after it */
		tell(2, "bob", 2002, false);
		update(false);
	}
	census_approve(census);
	if (_i % 3 == 1)
		tell(2, "bob", 2002, false);
	if (_i % 3 == 2) {
		tell(2, "bob", 2002, false);
		update(false);
	}
	update(true);
	ck_assert(is_in("ada"));
	ck_assert(is_in("bob") == (_i % 3 == 0));
	ck_assert(is_in("joe"));
	update(true);			/* nobody has looked again */
	ck_assert(is_in("bob") == (_i % 3 == 0));
	tell(1, "ada", 2001, false);
	update(false);
	ck_assert(is_in("ada"));
	end();
}
END_TEST

START_TEST(who_becomes_another_waits)
{
	begin(_i);
	census_approve(census);
	tell(1, "bob", 2001, false);	/* it was seen as ada */
	update(true);
	ck_assert(!is_in("bob"));
	census_approve(census);
	tell(1, "bob", 2009, false);	/* seen with another number */
	update(true);
	ck_assert(!is_in("bob"));
	census_approve(census);
	update(true);
	ck_assert(is_in("bob"));
	end();
}
END_TEST

/* A number that was held back was seen with the one who gets it. */
START_TEST(a_number_that_waited)
{
	begin(_i / 2);
	tell(9, "joe", 2008, true);
	update(false);
	census_approve(census);
	tell(9, "joe", 2009, false);
	update(_i % 2 == 0);
	ck_assert(is_in("joe") == (_i % 2 == 0));
	end();
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ who_is_held, 2 }, { later_ones_wait, 6 }, { who_becomes_another_waits, 2 }, { a_number_that_waited, 4 },
	};

	return suite_run("census approval", rows, ROWS(rows), 60);
}
