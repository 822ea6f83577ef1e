/*
 * test_census_complete.c - what the first state leaves for later: nobody is found before it is known who is in which group.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/census.h"
#include "daemon/census_index.h"
#include "tests/unit/suite.h"

static struct settings settings;
static bool index_fails;

int __real_census_index_add(struct census_index *x, uint64_t key, uint32_t item);
int __wrap_census_index_add(struct census_index *x, uint64_t key, uint32_t item);

int
__wrap_census_index_add(struct census_index *x, uint64_t key, uint32_t item)
{
	return index_fails ? -ENOMEM : __real_census_index_add(x, key, item);
}

static void
add(struct entry_changes *changes, unsigned char id, const char *dn, const char *const (*values)[2], size_t count)
{
	const uint8_t uuid[ENTRY_ID_SIZE] = { id };
	struct entry *e = entry_new(dn);

	ck_assert_ptr_nonnull(e);
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(entry_add_value(e, values[i][0], values[i][1], strlen(values[i][1])), 0);
	ck_assert_int_eq(entry_changes_add(changes, uuid, e, false), 0);
	entry_free(e);
}

static void
add_both(struct entry_changes *changes)
{
	static const char *const user[][2] = {
		{ "objectClass", "posixAccount" }, { "entryUUID", "6f7e5c8a-0b1d-4c1e-9a53-2f3a4b5c6d7e" }, { "uid", "ada" },
		{ "cn", "Ada" }, { "uidNumber", "2000" }, { "gidNumber", "2000" }, { "homeDirectory", "/home/ada" },
		{ "employeeType", "employee" },
	};
	static const char *const group[][2] = {
		{ "objectClass", "posixGroup" }, { "cn", "quarantine" }, { "gidNumber", "3000" }, { "memberUid", "ada" },
	};

	add(changes, 1, "uid=ada,ou=people,dc=x", user, ROWS(user));
	add(changes, 2, "cn=quarantine,ou=groups,dc=x", group, ROWS(group));
}

static int
find(struct census *c, uint32_t *ret_groups)
{
	const struct identity *found = NULL;
	struct census_part part = { 0 };
	int r = census_find(c, &settings, NULL, "ada", &part, &found);

	*ret_groups = 0;
	if (r == 0) {
		ck_assert_ptr_nonnull(found);
		ck_assert_int_eq(found->state, FACTS_MANAGED);
		*ret_groups = found->group_count;
	}
	census_part_done(&part);
	return r;
}

/* 0: it is made up for by whoever asks next; 1: by being asked for again; 2: by the next change. */
START_TEST(nobody_without_his_groups)
{
	const struct census_how how = { .settings = &settings, .anew = true };
	struct entry_changes changes = { .whole = true }, none = { 0 };
	struct census_news news = { 0 };
	struct census *c;
	uint32_t groups;

	settings_defaults(&settings);
	(void)snprintf(settings.directory_base, sizeof settings.directory_base, "dc=x");
	ck_assert_int_eq(census_new(&c), 0);
	add_both(&changes);
	ck_assert_int_eq(census_update(c, &how, &changes, &news), 1);
	ck_assert_uint_eq(news.part.identities.user_count, 1);
	ck_assert_uint_eq(news.part.identities.users[0].group_count, 1);
	census_news_done(&news);
	index_fails = true;
	ck_assert_int_eq(census_complete(c), -ENOMEM);
	ck_assert_int_eq(find(c, &groups), -ENOMEM);
	index_fails = false;
	if (_i == 1)
		ck_assert_int_eq(census_complete(c), 0);
	if (_i == 2) {
		const struct census_how later = { .settings = &settings };

		ck_assert_int_ge(census_update(c, &later, &none, &news), 0);
		census_news_done(&news);
		ck_assert_int_eq(census_complete(c), 0);
	}
	ck_assert_int_eq(find(c, &groups), 0);
	ck_assert_uint_eq(groups, 1);
	census_free(c);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { nobody_without_his_groups, 3 } };

	return suite_run("census_complete", rows, ROWS(rows), 60);
}
