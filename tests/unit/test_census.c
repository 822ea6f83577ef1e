/*
 * test_census.c - the census says of everybody what a build of the whole directory would say, after any change.
 *
 * Random small directories in which names, numbers, DNs and ids collide all the time, changed at random; beside the census
 * everything is built anew from all entries, against the state before (identity.c), and compared. Time passes, too, and
 * grants begin and end by it.
 */
#include <config.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/civil_date.h"
#include "common/grant.h"
#include "daemon/census.h"
#include "daemon/grant_book.h"
#include "tests/unit/suite.h"

#define BASE "dc=x"

enum { PEOPLE = 24, ITEMS = 32, NAMES = 8, NUMBERS = 7, DNS = 30, ROUNDS = 400 };

static struct settings settings;
static uint64_t dice;
static bool dn_collide, may_accept;
static int64_t now;
static unsigned active_rounds;
static struct entry_heap *heap;		/* NULL: entries stay in memory */

static unsigned
roll(unsigned sides)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((dice >> 33) % sides);
}

/* ---- entries ---- */

static const char *const names[NAMES] = { "ada", "bob", "Ada", "eve", "joe", "kim", "lea", "0day" };
static const char *const group_names[NAMES] = { "web", "ops", "Web", "dev", "payroll", "ada", "log", "all staff" };

static void
dn_of(unsigned i, char ret[static 64])
{
	(void)snprintf(ret, 64, i % 2 == 0 ? "uid=u%u,ou=people," BASE : "cn=g%u,ou=groups," BASE, i / 2);
	if (i == DNS - 1)
		(void)snprintf(ret, 64, "uid=far,dc=elsewhere");
}

static void
__attribute__((format(printf, 3, 4)))
set(struct entry *e, const char *name, const char *format, ...)
{
	char text[96];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	ck_assert_int_eq(entry_add_value(e, name, text, strlen(text)), 0);
}

static void
set_time(struct entry *e, const char *name, int64_t from_now_sec)
{
	char text[32];

	set(e, name, "%s", civil_date_format_generalized(now + from_now_sec + roll(80), text));
}

static void
fill_user(struct entry *e)
{
	set(e, "objectClass", "posixAccount");
	set(e, "uid", "%s", names[roll(NAMES)]);
	if (roll(12) == 0)
		set(e, "uid", "%s", names[roll(NAMES)]);
	set(e, "uidNumber", "%u", 2000 + roll(NUMBERS));
	if (roll(10) != 0)
		set(e, "gidNumber", "%u", roll(9) == 0 ? 5u : 3000 + roll(NUMBERS));
	set(e, "homeDirectory", "/home/x%u", roll(3));
	if (roll(12) != 0)
		set(e, "employeeType", "contractor");
	if (roll(3) == 0)
		set(e, "primaryGroupID", "%u", 510 + roll(4));
	if (!dn_collide && roll(3) == 0)	/* of two that are one, the first would count, whichever that is */
		set(e, "entryUUID", "6f7e5c8a-0b1d-4c1e-9a53-2f3a4b5c6d%02u", roll(ITEMS));
	if (roll(5) == 0)
		set(e, "nsAccountLock", "TRUE");
	if (roll(6) == 0)
		set_time(e, "ismsNotAfter", 0);
}

static void
fill_group(struct entry *e)
{
	char dn[64];

	set(e, "objectClass", roll(8) == 0 ? "groupOfNames" : "posixGroup");
	if (roll(15) != 0)
		set(e, "cn", "%s", group_names[roll(NAMES)]);
	if (roll(15) != 0)
		set(e, "gidNumber", "%u", roll(12) == 0 ? 7u : 3000 + roll(NUMBERS));
	if (!dn_collide && roll(3) == 0)
		set(e, "entryUUID", "6f7e5c8a-0b1d-4c1e-9a53-2f3a4b5c6e%02u", roll(ITEMS));
	if (roll(3) == 0)
		set(e, "primaryGroupToken", "%u", 510 + roll(4));
	for (unsigned i = roll(6); i > 0; i--) {
		dn_of(roll(DNS), dn);
		set(e, "member", "%s", dn);
	}
	for (unsigned i = roll(4); i > 0; i--)
		set(e, "memberUid", "%s", names[roll(NAMES)]);
}

static void
set_dn(struct entry *e, const char *name, unsigned parity)
{
	char dn[64];

	dn_of((roll(PEOPLE) & ~1u) + (roll(12) == 0 ? 1 - parity : parity), dn);
	set(e, name, "%s", dn);
}

/* Good in most of its parts, each. */
static struct entry *
new_grant(unsigned i)
{
	struct entry *e;
	char dn[64];

	(void)snprintf(dn, sizeof dn, "cn=grant%u,ou=grants," BASE, i);
	e = entry_new(dn);
	ck_assert_ptr_nonnull(e);
	set(e, "objectClass", roll(20) == 0 ? "ismsRequest" : "ismsGrant");
	for (unsigned n = roll(25) == 0 ? roll(3) : 1; n > 0; n--)
		set_dn(e, "ismsMember", 0);
	set_dn(e, "ismsGroup", 1);
	set_dn(e, "ismsApprover", 0);
	if (roll(4) != 0)
		set_time(e, "ismsFrom", -60);
	for (unsigned n = roll(25) == 0 ? roll(3) : 1; n > 0; n--)
		set_time(e, "ismsUntil", 0);
	return e;
}

static struct entry *
new_entry(unsigned i)
{
	struct entry *e;
	char dn[64];

	if (i >= PEOPLE)
		return new_grant(i);
	dn_of(dn_collide ? roll(DNS) : i, dn);
	e = entry_new(dn);
	ck_assert_ptr_nonnull(e);
	if (roll(20) == 0) {
		fill_user(e);
		fill_group(e);
	} else if (roll(5) == 0 ? roll(2) == 0 : i % 2 == 0) {
		fill_user(e);
	} else {
		fill_group(e);
	}
	return e;
}

/* The same again, one thing changed. */
static struct entry *
other_members(const struct entry *e)
{
	struct entry *copy = entry_new(e->dn);
	char dn[64];

	ck_assert_ptr_nonnull(copy);
	ck_assert_int_eq(entry_add_all(copy, e), 0);
	dn_of(roll(DNS), dn);
	if (roll(2) == 0)
		set(copy, "member", "%s", dn);
	else
		ck_assert_int_eq(entry_set(copy, roll(2) == 0 ? "member" : "memberUid", NULL), 0);
	return copy;
}

/* ---- the whole, built anew ---- */

static struct model {
	struct entry *list[ITEMS];	/* owned; NULL: not there */
	bool gone[ITEMS];
	struct entries entries, effective;
	struct identities now;
	struct identity_holders holders;
} model;

static void
add_entry(struct entries *to, unsigned i)
{
	struct entry *e = entry_new(model.list[i]->dn), *there;

	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(entry_add_all(e, model.list[i]), 0);
	e->gone = model.gone[i];
	there = entries_find(to, e->dn);
	if (there == NULL) {
		ck_assert_int_eq(entries_add(to, e), 0);
		return;
	}
	if (!there->gone)
		ck_assert_int_eq(entry_add_all(there, e), 0);
	entry_free(e);
}

static void
build(bool accept)
{
	struct identities before = model.now;
	struct entries old = model.entries, old_effective = model.effective;
	static bool had_one;

	model.entries = (struct entries){ 0 };
	for (int there = 0; there < 2; there++)
		for (unsigned i = 0; i < ITEMS; i++)
			if (model.list[i] != NULL && model.gone[i] == (there == 0))
				add_entry(&model.entries, i);
	had_one = before.user_count + before.group_count > 0;
	model.effective = (struct entries){ 0 };
	ck_assert_int_eq(grants_apply(&model.entries, &settings, now, &model.effective), 0);
	ck_assert_int_eq(identities_build_after(&model.effective, &settings, had_one ? &before : NULL,
	    accept ? NULL : &model.holders, &model.now), 0);
	ck_assert_int_ge(identity_holders_update(&model.holders, had_one ? &before : NULL, &model.now), 0);
	identities_done(&before);
	entries_done(&old);
	entries_done(&old_effective);
}

/* ---- what a publisher would know by the news ---- */

static struct published {
	char name[33];
	uint32_t id;
	char groups[512];
} users[64], groups[64];
static size_t published_users, published_groups;

static void
drop(struct published *list, size_t *count, const char *name)
{
	for (size_t i = 0; i < *count; i++)
		if (strcmp(list[i].name, name) == 0)
			list[i--] = list[--*count];
}

static int
compare_words(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The groups of facts, sorted: their order is nobody's business. */
static void
sorted_groups(const struct facts *f, char ret[static 512])
{
	char words[32][33], copy[1024], *at = copy;
	size_t count = 0, used = 0;

	(void)snprintf(copy, sizeof copy, "%.1000s", f->groups);
	for (char *word; (word = strsep(&at, " ")) != NULL && count < 32;)
		(void)snprintf(words[count++], sizeof words[0], "%.32s", word);
	qsort(words, count, sizeof words[0], compare_words);
	ret[0] = '\0';
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(ret + used, 512 - used, "%s ", words[i]);
}

static void
describe(const struct identities *all, const struct identity *user, struct published *ret)
{
	static struct facts f;

	identity_facts(all, user, &f);
	(void)snprintf(ret->name, sizeof ret->name, "%s", user->name);
	ret->id = user->uid;
	sorted_groups(&f, ret->groups);
}

static void
hear(const struct census_news *news)
{
	const struct identities *all = &news->part.identities;

	if (news->whole)
		published_users = published_groups = 0;
	for (size_t i = 0; i < news->gone_user_count; i++)
		drop(users, &published_users, news->gone_users[i]);
	for (size_t i = 0; i < news->gone_group_count; i++)
		drop(groups, &published_groups, news->gone_groups[i]);
	for (size_t i = 0; i < all->user_count; i++) {
		if (!census_touches_user(news, &all->users[i]) || all->users[i].state != FACTS_MANAGED)
			continue;
		drop(users, &published_users, all->users[i].name);
		describe(all, &all->users[i], &users[published_users++]);
	}
	for (size_t i = 0; i < all->group_count; i++) {
		if (!census_touches_group(news, &all->groups[i]) || all->groups[i].gid == 0)
			continue;
		drop(groups, &published_groups, all->groups[i].name);
		groups[published_groups] = (struct published){ .id = all->groups[i].gid };
		memcpy(groups[published_groups++].name, all->groups[i].name, sizeof groups[0].name);
	}
}

static const struct published *
find(const struct published *list, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].name, name) == 0)
			return &list[i];
	return NULL;
}

/* ---- comparing ---- */

static void
compare_user(struct census *c, const struct identity_holders *holders, const char *name, unsigned round)
{
	static struct facts wanted, got;
	struct census_part part = { 0 };
	const struct identity *user;
	char wanted_groups[512], got_groups[512];

	identity_facts(&model.now, identities_find(&model.now, name), &wanted);
	ck_assert_int_eq(census_find(c, &settings, holders, name, &part, &user), 0);
	identity_facts(&part.identities, user, &got);
	sorted_groups(&wanted, wanted_groups);
	sorted_groups(&got, got_groups);
	ck_assert_msg(got.state == wanted.state, "round %u: %s is %d, not %d: %s / %s", round, name, got.state, wanted.state,
	    got.fault, wanted.fault);
	if (wanted.state == FACTS_MANAGED) {
		ck_assert_msg(strcmp(got_groups, wanted_groups) == 0, "round %u: %s: %s, not %s", round, name, got_groups,
		    wanted_groups);
		ck_assert_str_eq(got.primary_group, wanted.primary_group);
		ck_assert_str_eq(got.entry_id, wanted.entry_id);
		ck_assert_uint_eq(got.uid, wanted.uid);
		ck_assert_uint_eq(got.gid, wanted.gid);
		ck_assert_uint_eq(got.disabled, wanted.disabled);
	}
	census_part_done(&part);
}

static void
compare_published(unsigned round)
{
	size_t good = 0, good_groups = 0;

	for (size_t i = 0; i < model.now.user_count; i++) {
		const struct published *p = find(users, published_users, model.now.users[i].name);
		struct published wanted;

		if (model.now.users[i].state != FACTS_MANAGED)
			continue;
		good++;
		describe(&model.now, &model.now.users[i], &wanted);
		ck_assert_msg(p != NULL && p->id == wanted.id && strcmp(p->groups, wanted.groups) == 0,
		    "round %u: %s is published with %s, not %s", round, wanted.name, p != NULL ? p->groups : "nothing",
		    wanted.groups);
	}
	for (size_t i = 0; i < model.now.group_count; i++) {
		const struct published *p = find(groups, published_groups, model.now.groups[i].name);

		if (model.now.groups[i].gid == 0)
			continue;
		good_groups++;
		ck_assert_msg(p != NULL && p->id == model.now.groups[i].gid, "round %u: group %s", round,
		    model.now.groups[i].name);
	}
	ck_assert_msg(published_users == good, "round %u: %zu published, %zu good", round, published_users, good);
	ck_assert_msg(published_groups == good_groups, "round %u: %zu groups, %zu good", round, published_groups, good_groups);
}

static void
compare_counts(const struct census *c, unsigned round)
{
	struct census_counts counts;

	census_counts(c, &counts);
	ck_assert_msg(counts.users == model.now.user_count, "round %u: %zu users, not %zu", round, counts.users,
	    model.now.user_count);
	ck_assert_uint_eq(counts.groups, model.now.group_count);
	ck_assert_uint_eq(counts.good_users, published_users);
	ck_assert_uint_eq(counts.good_groups, published_groups);
	/* Who was let off as a newcomer and is broken for another reason is one again when that is mended, not before. */
	ck_assert_msg(may_accept || counts.newcomers == model.now.newcomer_count, "round %u: %zu newcomers, not %zu", round,
	    counts.newcomers, model.now.newcomer_count);
	/* A second thing that is wrong with a group may be seen later than by looking at everybody again. */
	ck_assert_uint_ge(counts.faults, model.now.user_count - published_users);
	ck_assert_ptr_nonnull(counts.faults > 0 ? census_fault(c, counts.faults - 1) : "");
	ck_assert_ptr_null(census_fault(c, counts.faults));
}

/*
 * Where one DN is several entries', which no server has at rest, the order of their values decides who of them had what
 * before: two histories need not agree. What must hold: nobody good shares a name or a number.
 */
static void
compare_claims(unsigned round)
{
	for (size_t i = 0; i < published_users; i++)
		for (size_t k = 0; k < i; k++)
			ck_assert_msg(strcmp(users[i].name, users[k].name) != 0 && users[i].id != users[k].id, "round %u: %s and %s",
			    round, users[i].name, users[k].name);
	for (size_t i = 0; i < published_groups; i++)
		for (size_t k = 0; k < i; k++)
			ck_assert_msg(strcmp(groups[i].name, groups[k].name) != 0 && groups[i].id != groups[k].id,
			    "round %u: group %s", round, groups[i].name);
}

/* ---- changes ---- */

/* At most one that is gone may have a DN: which of two stays is nobody's business. */
static bool
is_dn_gone(const struct entry *e)
{
	for (unsigned i = 0; i < ITEMS; i++)
		if (model.list[i] != NULL && model.gone[i] && strcmp(model.list[i]->ndn, e->ndn) == 0)
			return true;
	return false;
}

/* As the replica does: in the heap mostly, and then also without the entry itself. */
static void
tell(struct entry_changes *to, const uint8_t id[ENTRY_ID_SIZE], struct entry *e, bool gone)
{
	uint32_t number = heap != NULL && e != NULL && roll(5) != 0 ? entry_heap_put(heap, e) : ENTRY_NOWHERE;
	bool alone = number != ENTRY_NOWHERE && roll(3) == 0;

	to->heap = heap;
	ck_assert_int_eq(entry_changes_add_stored(to, id, alone ? NULL : e, number, gone), 0);
	entry_heap_drop(heap, number);
}

static void
change(unsigned i, struct entry_changes *ret)
{
	const uint8_t id[ENTRY_ID_SIZE] = { 1, (uint8_t)i };
	struct entry *before = model.list[i], *e;
	bool gone;

	if (before != NULL && roll(4) == 0)
		e = NULL;
	else if (before != NULL && identity_is_group(before) && roll(2) == 0)
		e = other_members(before);
	else if (before != NULL && roll(6) == 0)
		e = entry_ref(before);
	else
		e = new_entry(i);
	model.list[i] = NULL;
	gone = e != NULL && roll(10) == 0 && !is_dn_gone(e);
	model.list[i] = e;
	model.gone[i] = gone;
	tell(ret, id, e, gone);
	entry_free(before);
}

static void
list_whole(struct entry_changes *ret)
{
	ret->whole = true;
	for (unsigned i = 0; i < ITEMS; i++) {
		const uint8_t id[ENTRY_ID_SIZE] = { 1, (uint8_t)i };

		if (model.list[i] != NULL)
			tell(ret, id, model.list[i], model.gone[i]);
	}
}

/* What a source does. */
static int
update(struct census *c, struct grant_book *book, const struct census_how *how, struct entry_changes *changes,
    struct census_news *ret)
{
	const struct grant_moment moment = { .census = c, .settings = &settings, .now_utc_sec = now, .anew = how->anew };
	size_t all, active;
	int r;

	ck_assert_int_eq(grant_book_stage(book, &moment, changes), 0);
	r = census_update(c, how, changes, ret);
	ck_assert_int_ge(r, 0);
	ck_assert_int_eq(census_complete(c), 0);
	grant_book_commit(book);
	ck_assert(grant_book_next(book) == 0 || grant_book_next(book) > now);
	grant_book_counts(book, &all, &active);
	active_rounds += active > 0;
	return r;
}

static void
one_round(struct census *c, struct grant_book *book, struct identity_holders *holders, unsigned round)
{
	struct census_how how = { .settings = &settings, .holders = holders };
	struct entry_changes changes = { 0 };
	struct census_news news = { 0 };
	int r;

	now += roll(3) == 0 ? roll(15) : 0;
	for (unsigned n = roll(4) == 0 ? 0 : roll(4) + 1; n > 0; n--)
		change(roll(2) == 0 ? PEOPLE + roll(ITEMS - PEOPLE) : roll(PEOPLE), &changes);
	if (roll(12) == 0) {
		entry_changes_done(&changes);
		list_whole(&changes);
	}
	how.anew = round == 0 || roll(25) == 0;
	how.accept_newcomers = may_accept && roll(8) == 0;
	r = update(c, book, &how, &changes, &news);
	if (r > 0)
		hear(&news);
	/* Whoever changed nothing judges nobody; a build of the whole would come to the same. */
	build(how.accept_newcomers);
	census_news_done(&news);
	if (dn_collide) {
		compare_claims(round);
		return;
	}
	for (unsigned i = 0; i < NAMES; i++)
		compare_user(c, holders, names[i], round);
	compare_published(round);
	compare_counts(c, round);
	ck_assert_uint_eq(holders->count, model.holders.count);
	for (size_t i = 0; i < holders->count; i++)
		ck_assert_str_eq(holders->list[i].entry_id, model.holders.list[i].entry_id);
}

START_TEST(as_the_whole)
{
	struct identity_holders holders = { 0 };
	struct grant_book *book = grant_book_new();
	struct census *c;

	ck_assert_ptr_nonnull(book);
	now = 1800000000;
	active_rounds = 0;
	settings_defaults(&settings);
	(void)snprintf(settings.directory_max_grant, sizeof settings.directory_max_grant, "100s web=20s payroll=0s");
	(void)snprintf(settings.directory_base, sizeof settings.directory_base, BASE);
	dice = (uint64_t)_i * 7919 + 1;
	may_accept = _i % 2 == 0;
	dn_collide = _i % 4 == 0;
	ck_assert_int_eq(census_new(&c), 0);
	heap = NULL;
	if (_i % 8 >= 4)
		ck_assert_int_eq(entry_heap_new(_i % 16 >= 8 ? suite_folder() : "/nowhere/at/all", &heap), 0);
	census_use_heap(c, heap);
	published_users = published_groups = 0;
	for (unsigned round = 0; round < ROUNDS; round++)
		one_round(c, book, &holders, round);
	ck_assert(dn_collide || active_rounds > 4);	/* where many have one DN, hardly any grant names one person */
	grant_book_free(book);
	census_free(c);
	entry_heap_free(heap);
	identity_holders_done(&holders);
	identity_holders_done(&model.holders);
	identities_done(&model.now);
	entries_done(&model.entries);
	entries_done(&model.effective);
	for (unsigned i = 0; i < ITEMS; i++)
		entry_free(model.list[i]);
	model = (struct model){ 0 };
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { as_the_whole, 40 } };

	return suite_run("census", rows, ROWS(rows), 60);
}
