/*
 * test_group_names.c - two groups of one name: which of them it is whose name policy means.
 */
#include <config.h>

#include "common/identity.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/identity_maker.h"
#include "tests/unit/suite.h"

#define OTHER_UUID "7f7e5c8a-0b1d-4c1e-9a53-2f3a4b5c6d7e"

/*
 * A group is the entry that had the name, not whatever is called so. Some who may write elsewhere in the directory make
 * a second one, to be in the first by its name or to make it vanish (THREATS 5.4, 5.8).
 */
#define ADMINS "dn: cn=admins,ou=groups," BASE "\nobjectClass: posixGroup\ncn: admins\ngidNumber: 3000\nmemberUid: ada\n"
#define ADMINS_TOO "dn: cn=admins,ou=aaa," BASE "\nobjectClass: posixGroup\ncn: admins\n%smemberUid: eve\n%s\n"

static void
two_admins(const struct identities *before, const char *gid, const char *first_uuid, const char *more_uuid)
{
	begin();
	add_user("ada", 2000, "");
	add_user("bob", 2001, "");
	add_user("eve", 2002, "");
	if (more_uuid != NULL)
		add(ADMINS_TOO, gid, more_uuid);
	if (first_uuid != NULL)
		add(ADMINS "%s\n", first_uuid);
	build_after(before);
}

/* Take the view of now as the one before. */
static void
put_away(struct identities *ret, struct entries *ret_entries, char **ret_text)
{
	*ret = all;
	*ret_entries = entries;
	*ret_text = text;
	all = (struct identities){ 0 };
	entries = (struct entries){ 0 };
}

static const struct { const char *gid, *first_uuid, *more_uuid; } second_groups[] = {
	{ "gidNumber: 3001\n", "", "" }, { "gidNumber: 3000\n", "", "" }, { "gidNumber: 0\n", "", "" },
	{ "gidNumber: 3001\n", "entryUUID: " UUID "\n", "entryUUID: " OTHER_UUID "\n" },
};

START_TEST(second_group_of_a_name)
{
	struct identities before[2];
	struct entries entries_before[2];
	char *text_before[2];

	two_admins(NULL, "", second_groups[_i].first_uuid, NULL);
	ck_assert_str_eq(facts_of("ada")->groups, "admins");
	for (int again = 0; again < 2; again++) {
		put_away(&before[again], &entries_before[again], &text_before[again]);
		two_admins(&before[again], second_groups[_i].gid, second_groups[_i].first_uuid, second_groups[_i].more_uuid);
		ck_assert_msg(facts_of("ada")->state == FACTS_MANAGED, "%s", facts.fault);
		ck_assert_str_eq(facts.groups, "admins");
		ck_assert_msg(facts_of("eve")->state == FACTS_MANAGED, "%s", facts.fault);
		ck_assert_str_eq(facts.groups, "");
		ck_assert_uint_eq(all.groups[0].gid, 0);
		ck_assert_uint_eq(all.groups[1].gid, 3000);
		ck_assert_uint_ge(all.fault_count, 1);
		ck_assert_msg(strstr(all.faults[0].text, "cn=admins,ou=aaa") != NULL, "%s", all.faults[0].text);
	}
	for (int i = 0; i < 2; i++) {
		identities_done(&before[i]);
		entries_done(&entries_before[i]);
		free(text_before[i]);
	}
	end();
}
END_TEST

/* Whose a name is that two bring at once nobody can say: neither matches, and who is in either waits (I10). */
START_TEST(two_new_groups_of_a_name)
{
	struct identities before;
	struct entries entries_before;
	char *text_before;

	two_admins(NULL, "gidNumber: 3001\n", "", "");
	for (int again = 0; again < 2; again++) {
		ck_assert_uint_eq(facts_of("ada")->state, FACTS_BROKEN);
		ck_assert_msg(strstr(facts.fault, "its group \"admins\" is in doubt") != NULL, "%s", facts.fault);
		ck_assert_uint_eq(facts_of("eve")->state, FACTS_BROKEN);
		ck_assert_uint_eq(facts_of("bob")->state, FACTS_MANAGED);
		ck_assert_uint_eq(all.groups[0].gid + all.groups[1].gid, 0);
		ck_assert_uint_eq(all.fault_count, 4);
		if (again == 0) {
			put_away(&before, &entries_before, &text_before);
			two_admins(&before, "gidNumber: 3001\n", "", "");
		}
	}
	identities_done(&before);
	entries_done(&entries_before);
	free(text_before);
	end();
	two_admins(NULL, "", "", NULL);		/* one of them alone is good */
	ck_assert_uint_eq(facts_of("ada")->state, FACTS_MANAGED);
	ck_assert_uint_eq(facts_of("eve")->state, FACTS_MANAGED);
	end();
}
END_TEST

/* By entryUUID, where there is one: who had the name has moved, and another one stands at his place. */
START_TEST(moved_group_keeps_its_name)
{
	struct identities before;
	struct entries entries_before;
	char *text_before;

	two_admins(NULL, "", "entryUUID: " UUID "\n", NULL);
	put_away(&before, &entries_before, &text_before);
	two_admins(&before, "gidNumber: 3001\n", "entryUUID: " OTHER_UUID "\n", "entryUUID: " UUID "\n");
	ck_assert_str_eq(facts_of("eve")->groups, "admins");
	ck_assert_str_eq(facts_of("ada")->groups, "");
	identities_done(&before);
	entries_done(&entries_before);
	free(text_before);
	end();
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ second_group_of_a_name, ROWS(second_groups) }, { two_new_groups_of_a_name, 0 }, { moved_group_keeps_its_name, 0 },
	};

	return suite_run("group names", rows, ROWS(rows), 60);
}
