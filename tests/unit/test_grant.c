/*
 * test_grant.c - which grants count and when (common/grant.c), and what a book of them tells over time (grant_book.c).
 *
 * Beside each refusal stands the same grant with one value changed.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/grant.h"
#include "daemon/grant_book.h"
#include "daemon/wall_clock_store.h"
#include "tests/unit/suite.h"

#define BASE	"dc=x"
#define ADA	"uid=ada,ou=people," BASE
#define BOB	"uid=bob,ou=people," BASE
#define WEB	"cn=web,ou=groups," BASE
#define START	1800000000LL		/* 2027-01-15T08:00:00Z */
#define AT(min)	"20270115080" min "00Z"

static struct settings settings;
static struct entries all;

static struct entry *
add(const char *dn, const char *const *pairs)
{
	struct entry *e = entry_new(dn);

	ck_assert_ptr_nonnull(e);
	for (size_t i = 0; pairs[i] != NULL; i += 2)
		ck_assert_int_eq(entry_add_value(e, pairs[i], pairs[i + 1], strlen(pairs[i + 1])), 0);
	ck_assert_int_eq(entries_add(&all, e), 0);
	return e;
}

static struct entry *
add_user(const char *name, const char *number)
{
	char dn[64], home[64];

	(void)snprintf(dn, sizeof dn, "uid=%s,ou=people," BASE, name);
	(void)snprintf(home, sizeof home, "/home/%s", name);
	return add(dn, (const char *const[]){ "objectClass", "posixAccount", "uid", name, "uidNumber", number, "gidNumber",
	    "3000", "homeDirectory", home, "employeeType", "employee", NULL });
}

static void
setup(void)
{
	settings_defaults(&settings);
	(void)snprintf(settings.directory_base, sizeof settings.directory_base, BASE);
	(void)snprintf(settings.directory_max_grant, sizeof settings.directory_max_grant, "5m ops=10m vault=0s");
	all = (struct entries){ 0 };
	(void)add_user("ada", "2001");
	(void)add_user("bob", "2002");
	for (size_t i = 0; i < 3; i++) {
		static const char *const names[] = { "web", "ops", "vault" }, *const gids[] = { "3001", "3002", "3003" };
		char dn[64];

		(void)snprintf(dn, sizeof dn, "cn=%s,ou=groups," BASE, names[i]);
		(void)add(dn, (const char *const[]){ "objectClass", "posixGroup", "cn", names[i], "gidNumber", gids[i], NULL });
	}
}

static void
teardown(void)
{
	entries_done(&all);
}

/* ada in web from 08:01 to 08:05, by bob. */
static struct entry *
new_grant(void)
{
	static const char *const pairs[] = { "objectClass", "ismsGrant", "cn", "g1", "ismsMember", ADA, "ismsGroup", WEB,
		"ismsApprover", BOB, "ismsFrom", AT("1"), "ismsUntil", AT("5"), "ismsReason", "deploy", NULL };
	struct entry *e = entry_new("cn=g1,ou=grants," BASE);

	ck_assert_ptr_nonnull(e);
	for (size_t i = 0; pairs[i] != NULL; i += 2)
		ck_assert_int_eq(entry_add_value(e, pairs[i], pairs[i + 1], strlen(pairs[i + 1])), 0);
	return e;
}

/* Judge a grant; fault receives "" when it is good. */
static void
judge(const struct entry *e, struct grant_window *ret, char fault[static GRANT_FAULT_SIZE])
{
	struct grant_nesting nesting = { 0 };
	struct grant g = { 0 };
	int r = grant_read(e, &g, fault);

	ck_assert_int_eq(grant_nesting_add_all(&nesting, &all), 0);
	if (r == 0)
		r = grant_judge_among(&all, &g, &nesting, &settings, ret, fault);
	if (r == 0)
		fault[0] = '\0';
	grant_done(&g);
	grant_nesting_done(&nesting);
}

static const struct {
	const char *name, *value;	/* NULL: without it */
	const char *more;		/* a second value */
	const char *fault;		/* part of it; NULL: good */
} grants[] = {
	{ "ismsReason", NULL, NULL, NULL },
	{ "ismsMember", "UID=Ada , ou=people,dc=X", NULL, NULL },
	{ "ismsMember", NULL, NULL, "ismsMember is missing" },
	{ "ismsMember", "ada", NULL, "is no DN" },
	{ "ismsMember", ADA, BOB, "must have one plain value" },
	{ "ismsMember", "uid=eve,ou=people," BASE, NULL, "the member is no user" },
	{ "ismsMember", WEB, NULL, "the member is no user" },
	{ "ismsMember", BOB, NULL, "approved it himself" },
	{ "ismsMember", "UID=BOB,OU=people, " BASE, NULL, "approved it himself" },
	{ "ismsGroup", NULL, NULL, "ismsGroup is missing" },
	{ "ismsGroup", WEB, "cn=ops,ou=groups," BASE, "must have one plain value" },
	{ "ismsGroup", "cn=none,ou=groups," BASE, NULL, "there is no such group" },
	{ "ismsGroup", ADA, NULL, "there is no such group" },
	{ "ismsGroup", "cn=vault,ou=groups," BASE, NULL, "takes no grants" },
	{ "ismsApprover", NULL, NULL, "ismsApprover is missing" },
	{ "ismsApprover", "uid=eve,ou=people," BASE, NULL, "the approver is no user" },
	{ "ismsApprover", WEB, NULL, "the approver is no user" },
	{ "ismsApprover", BOB, ADA, "must have one plain value" },
	{ "ismsUntil", NULL, NULL, "ismsUntil is missing" },
	{ "ismsUntil", "tomorrow", NULL, "is no GeneralizedTime" },
	{ "ismsUntil", "20270115080500", NULL, "is no GeneralizedTime" },
	{ "ismsUntil", AT("5"), AT("4"), "must have one plain value" },
	{ "ismsUntil", AT("1"), NULL, "is not after ismsFrom" },
	{ "ismsUntil", AT("6"), NULL, NULL },
	{ "ismsUntil", "20270115080601Z", NULL, "the longest grant of this group is 5 minutes (" },
	{ "ismsFrom", "now", NULL, "is no GeneralizedTime" },
	{ "ismsFrom", AT("1"), AT("2"), "must have one plain value" },
	{ "ismsFrom", AT("5"), NULL, "is not after ismsFrom" },
};

START_TEST(by_its_values)
{
	struct entry *e = new_grant();
	char fault[GRANT_FAULT_SIZE];
	struct grant_window window;

	ck_assert_int_eq(entry_set(e, grants[_i].name, grants[_i].value), 0);
	if (grants[_i].more != NULL)
		ck_assert_int_eq(entry_add_value(e, grants[_i].name, grants[_i].more, strlen(grants[_i].more)), 0);
	judge(e, &window, fault);
	if (grants[_i].fault == NULL)
		ck_assert_str_eq(fault, "");
	else
		ck_assert_msg(strstr(fault, grants[_i].fault) != NULL, "%s: \"%s\", not \"%s\"", grants[_i].name, fault,
		    grants[_i].fault);
	entry_free(e);
}
END_TEST

/* A half-open span, and of the longest length where no begin is named. */
START_TEST(by_time)
{
	struct entry *e = new_grant();
	char fault[GRANT_FAULT_SIZE];
	struct grant_window w;

	judge(e, &w, fault);
	ck_assert_str_eq(fault, "");
	ck_assert(!grant_counts(&w, START + 59) && grant_counts(&w, START + 60));
	ck_assert(grant_counts(&w, START + 299) && !grant_counts(&w, START + 300));
	ck_assert_int_eq(entry_set(e, "ismsFrom", NULL), 0);
	judge(e, &w, fault);
	ck_assert_str_eq(fault, "");
	ck_assert(!grant_counts(&w, START - 1) && grant_counts(&w, START));
	ck_assert_int_eq(entry_set(e, "ismsGroup", "cn=ops,ou=groups," BASE), 0);
	judge(e, &w, fault);
	ck_assert(!grant_counts(&w, START - 301) && grant_counts(&w, START - 300));
	entry_free(e);
}
END_TEST

/* The approver has to be somebody for as long as it counts. */
START_TEST(by_its_approver)
{
	struct entry *e = new_grant(), *bob = entries_find(&all, BOB);
	char fault[GRANT_FAULT_SIZE];
	struct grant_window w;

	ck_assert_int_eq(entry_set(bob, "nsAccountLock", "TRUE"), 0);
	judge(e, &w, fault);
	ck_assert_str_eq(fault, "the approver is disabled");
	ck_assert_int_eq(entry_set(bob, "nsAccountLock", "FALSE"), 0);
	ck_assert_int_eq(entry_set(bob, "employeeType", "service"), 0);
	judge(e, &w, fault);
	ck_assert_str_eq(fault, "the approver is no person");
	ck_assert_int_eq(entry_set(bob, "employeeType", "employee"), 0);
	ck_assert_int_eq(entry_set(bob, "uidNumber", "0"), 0);
	judge(e, &w, fault);
	ck_assert_ptr_nonnull(strstr(fault, "the approver's entry is refused"));
	ck_assert_int_eq(entry_set(bob, "uidNumber", "2002"), 0);
	ck_assert_int_eq(entry_set(bob, "ismsNotAfter", AT("3")), 0);
	ck_assert_int_eq(entry_set(bob, "ismsNotBefore", AT("2")), 0);
	judge(e, &w, fault);
	ck_assert_str_eq(fault, "");
	ck_assert(!grant_counts(&w, START + 119) && grant_counts(&w, START + 120));
	ck_assert(grant_counts(&w, START + 179) && !grant_counts(&w, START + 180));
	entry_free(e);
}
END_TEST

START_TEST(longest)
{
	static const char *const good[] = { "30d", " 30d  sudo=8h ", "0s", "1d a=0s b=366d" };
	static const char *const bad[] = { "", "sudo=8h", "30d 8h", "30d =8h", "30d sudo=", "30d sudo=8x", "soon", "99999d",
		"30d sudo=-1d" };
	char error[256];

	for (size_t i = 0; i < ROWS(good); i++)
		ck_assert_msg(grant_longest_check(good[i], error, sizeof error) == 0, "%s", good[i]);
	for (size_t i = 0; i < ROWS(bad); i++)
		ck_assert_msg(grant_longest_check(bad[i], error, sizeof error) < 0, "%s", bad[i]);
	ck_assert_int_eq(grant_longest_sec("30d sudo=8h", "sudo"), 8 * 3600);
	ck_assert_int_eq(grant_longest_sec("30d sudo=8h", "sud"), 30 * 86400);
	ck_assert_int_eq(grant_longest_sec("30d sudo=8h", "sudoers"), 30 * 86400);
	ck_assert_int_eq(grant_longest_sec("30d sudo=0s", "sudo"), 0);
}
END_TEST

START_TEST(applied)
{
	struct entries effective = { 0 };
	struct entry *e = new_grant();

	ck_assert_int_eq(entries_add(&all, e), 0);
	ck_assert_int_eq(grants_apply(&all, &settings, START + 60, &effective), 0);
	ck_assert(entry_has_value(entries_find(&effective, WEB), "member", ADA));
	ck_assert(!entry_has_value(entries_find(&all, WEB), "member", ADA));
	ck_assert_uint_eq(effective.count, all.count);
	entries_done(&effective);
	ck_assert_int_eq(grants_apply(&all, &settings, START + 300, &effective), 0);
	ck_assert(!entry_has_value(entries_find(&effective, WEB), "member", ADA));
	entries_done(&effective);
}
END_TEST

/* ---- a book of them ---- */

static struct census *census;
static struct grant_book *book;
static char heard[512];

static void
hear(const struct grant_told *told, void *arg)
{
	static const char *const turns[] = { [GRANT_BEGAN] = "began", [GRANT_ENDED] = "ended", [GRANT_REFUSED] = "refused" };
	size_t len = strlen(heard);

	(void)arg;
	(void)snprintf(heard + len, sizeof heard - len, "%s %s %s;", turns[told->turn], told->user, told->group);
}

/* NULL: time alone. What was told comes to heard. */
static void
take(struct entry_changes *changes, int64_t now)
{
	const struct grant_moment moment = { .census = census, .settings = &settings, .now_utc_sec = now };
	const struct census_how how = { .settings = &settings };
	struct entry_changes none = { 0 };
	struct census_news news = { 0 };

	if (changes == NULL)
		changes = &none;
	ck_assert_int_eq(grant_book_stage(book, &moment, changes), 0);
	ck_assert_int_ge(census_update(census, &how, changes, &news), 0);
	ck_assert_int_eq(census_complete(census), 0);
	grant_book_commit(book);
	heard[0] = '\0';
	grant_book_each_told(book, hear, NULL);
	census_news_done(&news);
}

static void
change(struct entry *e, unsigned char number, int64_t now)
{
	const uint8_t id[ENTRY_ID_SIZE] = { 9, number };
	struct entry_changes changes = { 0 };

	ck_assert_int_eq(entry_changes_add(&changes, id, e, false), 0);
	take(&changes, now);
}

static void
begin(struct entry *grant, int64_t now)
{
	struct entry_changes changes = { .whole = true };

	ck_assert_int_eq(census_new(&census), 0);
	book = grant_book_new();
	ck_assert_ptr_nonnull(book);
	for (unsigned i = 0; i < all.count; i++) {
		const uint8_t id[ENTRY_ID_SIZE] = { 1, (uint8_t)i };

		ck_assert_int_eq(entry_changes_add(&changes, id, all.list[i], false), 0);
	}
	if (grant != NULL) {
		const uint8_t id[ENTRY_ID_SIZE] = { 9, 1 };

		ck_assert_int_eq(entry_changes_add(&changes, id, grant, false), 0);
	}
	take(&changes, now);
}

static void
end(void)
{
	grant_book_free(book);
	census_free(census);
}

static const struct grant_loss *
losses_of_ada(size_t *ret_count)
{
	struct census_part part = { 0 };
	const struct grant_loss *losses;
	const struct identity *who;

	ck_assert_int_eq(census_find(census, &settings, NULL, "ada", &part, &who), 0);
	ck_assert_ptr_nonnull(who);
	losses = grant_book_losses(book, who->entry_id, ret_count);
	census_part_done(&part);
	return losses;
}

static bool
is_member(const char *user, const char *group)
{
	struct census_part part = { 0 };
	const struct identity *who;
	bool found = false;

	ck_assert_int_eq(census_find(census, &settings, NULL, user, &part, &who), 0);
	ck_assert_ptr_nonnull(who);
	for (size_t i = 0; i < who->group_count; i++)
		found = found || strcmp(part.identities.groups[who->groups[i]].name, group) == 0;
	census_part_done(&part);
	return found;
}

START_TEST(begins_and_ends)
{
	struct entry *e = new_grant();
	const struct grant_loss *loss;
	size_t count;

	begin(NULL, START);
	ck_assert_int_eq(grant_book_next(book), 0);
	change(e, 1, START + 10);
	ck_assert_str_eq(heard, "");
	ck_assert_int_eq(grant_book_next(book), START + 60);
	ck_assert(!is_member("ada", "web"));
	take(NULL, START + 60);
	ck_assert_str_eq(heard, "began ada web;");
	ck_assert_int_eq(grant_book_next(book), START + 300);
	ck_assert(is_member("ada", "web"));
	take(NULL, START + 299);
	ck_assert_str_eq(heard, "");
	ck_assert(is_member("ada", "web"));
	ck_assert_ptr_null(losses_of_ada(&count));
	take(NULL, START + 302);
	ck_assert_str_eq(heard, "ended ada web;");
	ck_assert_int_eq(grant_book_next(book), 0);
	ck_assert(!is_member("ada", "web"));
	loss = losses_of_ada(&count);
	ck_assert_uint_eq(count, 1);
	ck_assert_uint_eq(loss->reach->count, 1);
	ck_assert_str_eq(loss->reach->list[0].name, "web");
	ck_assert_uint_eq(loss->reach->list[0].gid, 3001);
	ck_assert_int_eq(loss->at_utc_sec, START + 300);
	entry_free(e);
	end();
}
END_TEST

/* A process that was down has told nobody, and what ended meanwhile is lost all the same. */
START_TEST(after_a_restart)
{
	struct entry *e = new_grant();
	size_t count;

	begin(e, START + 100);
	ck_assert_str_eq(heard, "");
	ck_assert(is_member("ada", "web"));
	end();
	begin(e, START + 400);
	ck_assert_str_eq(heard, "");
	ck_assert(!is_member("ada", "web"));
	ck_assert_ptr_nonnull(losses_of_ada(&count));
	entry_free(e);
	end();
}
END_TEST

/* Taken away, shortened, or its approver is put out: at once. */
START_TEST(taken_back)
{
	struct entry *e = new_grant(), *shorter = new_grant(), *bob = entry_new(BOB);
	const uint8_t id[ENTRY_ID_SIZE] = { 1, 1 };
	struct entry_changes changes = { 0 };
	size_t count;

	begin(e, START + 100);
	ck_assert_int_eq(entry_set(shorter, "ismsUntil", AT("2")), 0);
	change(shorter, 1, START + 130);
	ck_assert_str_eq(heard, "ended ada web;");
	ck_assert_int_eq(losses_of_ada(&count)->at_utc_sec, START + 130);
	change(e, 1, START + 140);
	ck_assert_str_eq(heard, "began ada web;");
	change(NULL, 1, START + 150);
	ck_assert_str_eq(heard, "ended ada web;");
	ck_assert(!is_member("ada", "web"));
	change(e, 1, START + 160);
	ck_assert(is_member("ada", "web"));
	ck_assert_int_eq(entry_add_all(bob, entries_find(&all, BOB)), 0);
	ck_assert_int_eq(entry_set(bob, "nsAccountLock", "TRUE"), 0);
	ck_assert_int_eq(entry_changes_add(&changes, id, bob, false), 0);
	take(&changes, START + 170);
	ck_assert_str_eq(heard, "ended ada web;refused ada web;");
	ck_assert(!is_member("ada", "web"));
	ck_assert_ptr_nonnull(losses_of_ada(&count));
	ck_assert_uint_eq(count, 3);
	entry_free(e);
	entry_free(shorter);
	entry_free(bob);
	end();
}
END_TEST

/* The group's own members are the directory's, whatever grants made of it. */
START_TEST(group_changes_meanwhile)
{
	struct entry *e = new_grant(), *web = entry_new(WEB);
	const uint8_t id[ENTRY_ID_SIZE] = { 1, 2 };
	struct entry_changes changes = { 0 };

	begin(e, START + 100);
	ck_assert_int_eq(entry_add_all(web, entries_find(&all, WEB)), 0);
	ck_assert_int_eq(entry_add_value(web, "member", BOB, strlen(BOB)), 0);
	ck_assert_int_eq(entry_changes_add(&changes, id, web, false), 0);
	take(&changes, START + 110);
	ck_assert(is_member("ada", "web") && is_member("bob", "web"));
	take(NULL, START + 300);
	ck_assert(!is_member("ada", "web") && is_member("bob", "web"));
	entry_free(e);
	entry_free(web);
	end();
}
END_TEST

/* What the census could not take comes again as if nothing had been. */
START_TEST(forgotten)
{
	const struct grant_moment moment = { .census = NULL, .settings = &settings, .now_utc_sec = START + 300 };
	struct entry *e = new_grant();
	struct entry_changes changes = { 0 };
	struct grant_moment now = moment;
	size_t count;

	begin(e, START + 100);
	now.census = census;
	ck_assert_int_eq(grant_book_stage(book, &now, &changes), 0);
	ck_assert_uint_eq(changes.count, 1);
	grant_book_forget(book);
	entry_changes_done(&changes);
	ck_assert_ptr_null(losses_of_ada(&count));
	take(NULL, START + 301);
	ck_assert_str_eq(heard, "ended ada web;");
	ck_assert(!is_member("ada", "web"));
	entry_free(e);
	end();
}
END_TEST

START_TEST(faults_are_told_once)
{
	struct entry *e = new_grant();
	char text[IDENTITY_FAULT_SIZE];

	ck_assert_int_eq(entry_set(e, "ismsApprover", ADA), 0);
	begin(NULL, START);
	change(e, 1, START + 70);
	ck_assert_str_eq(heard, "refused  ;");
	ck_assert_str_eq(grant_book_fault(book, 0, text),
	    "cn=g1,ou=grants,dc=x: the member approved it himself; somebody else has to");
	ck_assert_ptr_null(grant_book_fault(book, 1, text));
	ck_assert(!is_member("ada", "web"));
	take(NULL, START + 80);
	ck_assert_str_eq(heard, "");
	entry_free(e);
	e = new_grant();
	change(e, 1, START + 90);
	ck_assert_str_eq(heard, "began ada web;");
	ck_assert_ptr_null(grant_book_fault(book, 0, text));
	entry_free(e);
	end();
}
END_TEST

/* A pair of readings lives through a restart of this boot; what is damaged or of another boot changes nothing. */
START_TEST(clock_is_kept)
{
	struct wall_clock clock, now;
	char path[300];
	FILE *f;

	wall_clock_init(&clock);
	ck_assert_int_eq(wall_clock_load(suite_folder(), &clock), 0);
	clock.real_usec += 3600LL * 1000000;	/* the wall clock is set back by an hour, then the process starts */
	clock.boot_usec = clock.boot_usec > 130000000 ? clock.boot_usec : 130000000;
	ck_assert_int_eq(wall_clock_save(suite_folder(), &clock), 0);
	wall_clock_init(&now);
	if (now.boot_usec >= clock.boot_usec) {
		ck_assert_int_eq(wall_clock_load(suite_folder(), &now), 1);
		ck_assert_int_gt(wall_clock_now_usec(&now), clock.real_usec - 1000000);
	}
	(void)snprintf(path, sizeof path, "%s/clock", suite_folder());
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs("00000000-0000-0000-0000-000000000000 9000000000000000 200000000\n", f), 0);
	ck_assert_int_eq(fclose(f), 0);
	wall_clock_init(&now);
	ck_assert_int_eq(wall_clock_load(suite_folder(), &now), 0);
	ck_assert_int_lt(now.real_usec, 9000000000000000);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs("soon", f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(wall_clock_load(suite_folder(), &now), -EBADMSG);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ by_its_values, ROWS(grants) }, { by_time, 1 }, { by_its_approver, 1 }, { longest, 1 }, { applied, 1 },
		{ begins_and_ends, 1 }, { after_a_restart, 1 }, { taken_back, 1 }, { group_changes_meanwhile, 1 }, { forgotten, 1 },
		{ faults_are_told_once, 1 }, { clock_is_kept, 1 },
	};

	return suite_run_between("grant", rows, ROWS(rows), 10, setup, teardown);
}
