/*
 * test_heap_damage.c - an entry that cannot be read (entry_heap.h) denies whoever depends on it, and is told of: an
 * owner, an approver, a grant, its member. Beside each stands the same question while all can be read, and anew.
 */
#define _GNU_SOURCE
#include <config.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/census.h"
#include "daemon/grant_book.h"
#include "tests/unit/heap_file.h"
#include "tests/unit/suite.h"

#define BASE	"dc=x"
#define PEOPLE	",ou=people," BASE
#define ALICE	"uid=alice" PEOPLE	/* approves */
#define BOB	"uid=bob" PEOPLE	/* has a grant and an exemption */
#define CAROL	"uid=carol" PEOPLE	/* owns the robot */
#define WEB	"cn=web,ou=groups," BASE
#define GRANT	"cn=bob-web,ou=grants," BASE
#define EXEMPT	"cn=bob-mfa,ou=exemptions," BASE
#define START	1800000000LL		/* 2027-01-15T08:00:00Z */
#define NOW	(START + 100)
#define END	(START + 300)
#define PENDING	300000			/* bytes; more than the heap writes at once */

static struct settings settings;
static struct entry_heap *heap;
static struct census *census;
static struct grant_book *book;
static struct entry_changes changes;

/* ---- a directory in the heap ---- */

static void
put(const char *dn, const char *const *pairs)
{
	const uint8_t id[ENTRY_ID_SIZE] = { (uint8_t)(changes.count + 1) };
	struct entry *e = entry_new(dn);
	uint32_t number;

	ck_assert_ptr_nonnull(e);
	for (size_t i = 0; pairs[i] != NULL; i += 2)
		ck_assert_int_eq(entry_add_value(e, pairs[i], pairs[i + 1], strlen(pairs[i + 1])), 0);
	number = entry_heap_put(heap, e);
	ck_assert_uint_ne(number, ENTRY_NOWHERE);
	ck_assert_int_eq(entry_changes_add_stored(&changes, id, NULL, number, false), 0);
	entry_heap_drop(heap, number);
	entry_free(e);
}

static void
put_user(const char *name, const char *number, const char *kind, const char *owner)
{
	char dn[64], home[64];

	(void)snprintf(dn, sizeof dn, "uid=%s" PEOPLE, name);
	(void)snprintf(home, sizeof home, "/home/%s", name);
	put(dn, (const char *const[]){ "objectClass", "posixAccount", "uid", name, "uidNumber", number, "gidNumber", "3000",
	    "homeDirectory", home, "employeeType", kind, owner != NULL ? "owner" : NULL, owner, NULL });
}

/* Something large, before which everything goes into the file. */
static void
put_filler(void)
{
	char *text = malloc(PENDING + 1);

	ck_assert_ptr_nonnull(text);
	memset(text, 'a', PENDING);
	text[PENDING] = '\0';
	put("cn=filler," BASE, (const char *const[]){ "objectClass", "device", "cn", text, NULL });
	free(text);
}

static void
tell_all(void)
{
	changes = (struct entry_changes){ .whole = true, .heap = heap };
	put_user("alice", "2001", "employee", NULL);
	put_user("bob", "2002", "employee", NULL);
	put_user("carol", "2003", "employee", NULL);
	put_user("robot", "2004", "service", CAROL);
	put(WEB, (const char *const[]){ "objectClass", "posixGroup", "objectClass", "groupOfNames", "cn", "web",
	    "gidNumber", "3001", "member", ALICE, NULL });
	put(GRANT, (const char *const[]){ "objectClass", "ismsGrant", "cn", "bob-web", "ismsMember", BOB, "ismsGroup", WEB,
	    "ismsApprover", ALICE, "ismsReason", "test", "ismsFrom", "20270115080000Z", "ismsUntil", "20270115080500Z",
	    NULL });
	put(EXEMPT, (const char *const[]){ "objectClass", "ismsExemption", "cn", "bob-mfa", "ismsControl", "mfa",
	    "ismsMember", BOB, "ismsApprover", ALICE, "ismsFrom", "20270115080000Z", "ismsUntil", "20270116080000Z",
	    "ismsReason", "test", NULL });
	put_filler();
}

/* What was told, or the time alone. Returns 0 or -errno. */
static int
take(int64_t now)
{
	const struct grant_moment moment = { .census = census, .settings = &settings, .now_utc_sec = now };
	const struct census_how how = { .settings = &settings };
	struct census_news news = { 0 };
	int r = grant_book_stage(book, &moment, &changes);

	if (r == 0) {
		r = census_update(census, &how, &changes, &news);
		(r < 0 ? grant_book_forget : grant_book_commit)(book);
	}
	entry_changes_done(&changes);
	census_news_done(&news);
	if (r >= 0)
		r = census_complete(census);
	return r < 0 ? r : 0;
}

static void
begin(void)
{
	settings_defaults(&settings);
	(void)snprintf(settings.directory_base, sizeof settings.directory_base, BASE);
	(void)snprintf(settings.directory_max_grant, sizeof settings.directory_max_grant, "5m");
	ck_assert_int_eq(entry_heap_new(heap_folder(), &heap), 0);
	ck_assert_int_eq(census_new(&census), 0);
	census_use_heap(census, heap);
	book = grant_book_new();
	ck_assert_ptr_nonnull(book);
	tell_all();
}

static void
end(void)
{
	grant_book_free(book);
	census_free(census);
	entry_heap_free(heap);
}

/* ---- questions ---- */

/* As the directory process asks: a user's facts, his groups, who answers for him. */
struct answer {
	struct facts facts;
	bool in_web;
};

static int
ask(const char *name, struct answer *ret)
{
	const struct census_asking asking = { .settings = &settings, .now_utc_sec = NOW };
	struct census_part part = { 0 };
	const struct identity *user;
	int r = census_find(census, &settings, NULL, name, &part, &user);

	*ret = (struct answer){ .in_web = false };
	if (r == 0) {
		ck_assert_ptr_nonnull(user);
		identity_facts(&part.identities, user, &ret->facts);
		for (size_t i = 0; i < user->group_count; i++)
			ret->in_web = ret->in_web || strcmp(part.identities.groups[user->groups[i]].name, "web") == 0;
		r = census_care(census, &asking, user, &ret->facts);
	}
	census_part_done(&part);
	return r;
}

static bool
is_told(void)
{
	struct pollfd damage = { .fd = entry_heap_damage_fd(heap), .events = POLLIN };

	return poll(&damage, 1, 0) == 1;
}

/* Change a byte of the block of an entry: one that does not wait, its DN with its length before it. */
static void
damage(const char *dn)
{
	uint8_t start[128] = { 0, (uint8_t)strlen(dn) }, byte;
	struct stat st;
	uint8_t *bytes, *at;
	off_t place;
	int fd = heap_file();

	memcpy(start + 2, dn, strlen(dn));
	ck_assert_int_eq(fstat(fd, &st), 0);
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	ck_assert(bytes != MAP_FAILED);
	at = memmem(bytes, (size_t)st.st_size, start, 2 + strlen(dn));
	ck_assert_ptr_nonnull(at);
	place = at - bytes + 10;
	ck_assert_int_eq(munmap(bytes, (size_t)st.st_size), 0);
	ck_assert_int_eq(pread(fd, &byte, 1, place), 1);
	byte ^= 1;
	ck_assert_int_eq(pwrite(fd, &byte, 1, place), 1);
}

/* Which entry is damaged, and what cannot be answered for it. */
static const struct { const char *dn; bool robot, bob, grant_end; } rows[] = {
	{ NULL, false, false, false },
	{ CAROL, true, false, false },
	{ ALICE, false, true, true },
	{ EXEMPT, false, true, false },
	{ BOB, false, true, true },
};

START_TEST(denies)
{
	struct answer robot, bob;

	begin();
	ck_assert_int_eq(take(NOW), 0);
	ck_assert_int_eq(ask("robot", &robot), 0);
	ck_assert_uint_eq(robot.facts.owner_state, CARE_VALID);
	ck_assert_int_eq(ask("bob", &bob), 0);
	ck_assert(bob.in_web && bob.facts.exemptions[0] != '\0');
	ck_assert(!is_told());
	if (rows[_i].dn != NULL)
		damage(rows[_i].dn);
	ck_assert_int_eq(ask("robot", &robot), rows[_i].robot ? -EIO : 0);
	ck_assert_int_eq(ask("bob", &bob), rows[_i].bob ? -EIO : 0);
	ck_assert_int_eq(take(END), rows[_i].grant_end ? -EIO : 0);
	if (!rows[_i].grant_end) {	/* what cannot be read has not kept it */
		(void)ask("bob", &bob);
		ck_assert(!bob.in_web);
	}
	ck_assert(is_told() == (rows[_i].dn != NULL));
	end();
	begin();			/* the next process reads all anew */
	ck_assert_int_eq(take(END), 0);
	ck_assert_int_eq(ask("robot", &robot), 0);
	ck_assert_uint_eq(robot.facts.owner_state, CARE_VALID);
	ck_assert_int_eq(ask("bob", &bob), 0);
	ck_assert(!bob.in_web && bob.facts.exemptions[0] != '\0' && !is_told());
	end();
}
END_TEST

/* A grant that is told and cannot be read: nothing of that state comes into force, be it a first one or another. */
START_TEST(a_grant_that_is_told)
{
	struct answer bob;

	begin();
	damage(GRANT);
	ck_assert_int_eq(take(NOW), -EIO);
	ck_assert(is_told());
	end();
	begin();
	ck_assert_int_eq(take(NOW), 0);
	tell_all();			/* the same once more, in other places, the first of them damaged */
	damage(GRANT);
	ck_assert_int_eq(take(NOW), 0);
	ck_assert_int_eq(ask("bob", &bob), 0);
	ck_assert(bob.in_web && !is_told());
	end();
}
END_TEST

int
main(void)
{
	const struct suite_row tests[] = { { denies, ROWS(rows) }, { a_grant_that_is_told, 0 } };

	return suite_run("heap_damage", tests, ROWS(tests), 60);
}
