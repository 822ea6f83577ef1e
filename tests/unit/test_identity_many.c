/*
 * test_identity_many.c - a directory that two processors read: the same of each entry as of a few, and in one order.
 */
#include <config.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/arena.h"
#include "common/together.h"
#include "tests/unit/identity_maker.h"
#include "tests/unit/suite.h"

#define USERS	(TOGETHER_MIN + 5000u)
#define GROUPS	100u

/* ---- two at once ---- */

struct place {
	pthread_t thread;
	bool asked, deaf;		/* deaf: no signal is handled there */
};

static void
look_around(void *arg)
{
	struct place *p = arg;
	sigset_t mask;

	p->thread = pthread_self();
	p->asked = true;
	p->deaf = pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0 && sigismember(&mask, SIGTERM) == 1;
}

START_TEST(many_get_a_thread)
{
	struct place one = { 0 }, other = { 0 };

	together(TOGETHER_MIN, look_around, &one, look_around, &other);
	ck_assert(one.asked && other.asked);
	ck_assert(pthread_equal(one.thread, pthread_self()));
	ck_assert(!pthread_equal(other.thread, pthread_self()));
	ck_assert(other.deaf && !one.deaf);
}
END_TEST

START_TEST(few_get_none)
{
	struct place one = { 0 }, other = { 0 };

	together(TOGETHER_MIN - 1, look_around, &one, look_around, &other);
	ck_assert(one.asked && other.asked);
	ck_assert(pthread_equal(one.thread, pthread_self()) && pthread_equal(other.thread, pthread_self()));
}
END_TEST

/* Whatever lay in either is in the first; what it takes then spoils nothing. */
START_TEST(arenas_become_one)
{
	struct arena a = { NULL }, more = { NULL }, empty = { NULL };
	const char *texts[200];
	char piece[16];

	arena_join(&a, &empty);
	ck_assert_ptr_null(a.last);
	for (unsigned i = 0; i < 150; i++) {
		(void)snprintf(piece, sizeof piece, "text %u", i);
		texts[i] = arena_text(i % 3 == 0 ? &a : &more, piece);
		ck_assert_ptr_nonnull(texts[i]);
	}
	arena_join(&a, &more);
	ck_assert_ptr_null(more.last);
	for (unsigned i = 150; i < 200; i++) {
		(void)snprintf(piece, sizeof piece, "text %u", i);
		texts[i] = arena_text(&a, piece);
	}
	arena_join(&empty, &a);
	ck_assert_ptr_null(a.last);
	for (unsigned i = 0; i < 200; i++) {
		(void)snprintf(piece, sizeof piece, "text %u", i);
		ck_assert_str_eq(texts[i], piece);
	}
	arena_done(&empty);
}
END_TEST

/* ---- a directory ---- */

static void
add_groups(void)
{
	for (unsigned g = 0; g < GROUPS; g++) {
		add("dn: cn=g%u,ou=groups," BASE "\nobjectClass: posixGroup\ncn: g%u\ngidNumber: %u\n", g, g, 40000 + g);
		for (unsigned i = g; i < USERS; i += GROUPS)
			add("memberUid: u%u\n", i);
		add("\n");
	}
	/* groups of groups, and one user by DN */
	add("dn: cn=even,ou=groups," BASE "\nobjectClass: posixGroup\nobjectClass: groupOfNames\ncn: even\ngidNumber: 41000\n");
	for (unsigned g = 0; g < GROUPS; g += 2)
		add("member: cn=g%u,ou=groups," BASE "\n", g);
	add("member: uid=u1,ou=people," BASE "\n\n");
}

static unsigned
groups_of(unsigned i)
{
	return i % 2 == 0 || i == 1 ? 2 : 1;
}

/* Every twentieth comes with a fault of his own, whichever of the two reads him. */
static bool
has_fault(unsigned i)
{
	return i % 20 == 3;
}

static void
add_users(void)
{
	char name[16];

	for (unsigned i = 0; i < USERS; i++) {
		(void)snprintf(name, sizeof name, "u%u", i);
		add_user(name, 10000 + i, has_fault(i) ? "shadowExpire: never\n" : "displayName: One of many\n");
	}
}

START_TEST(everybody_is_read_once_and_in_order)
{
	char name[16];

	begin();
	add_users();
	add_groups();
	build_after(NULL);
	ck_assert_uint_eq(all.user_count, USERS);
	ck_assert_uint_eq(all.group_count, GROUPS + 1);
	for (size_t i = 1; i < all.user_count; i++)
		ck_assert_int_lt(strcmp(all.users[i - 1].name, all.users[i].name), 0);
	for (unsigned i = 0; i < USERS; i++) {
		const struct identity *user;

		(void)snprintf(name, sizeof name, "u%u", i);
		user = identities_find(&all, name);
		ck_assert_msg(user != NULL, "%s", name);
		ck_assert_uint_eq(user->uid, 10000 + i);
		ck_assert_uint_eq(user->state, has_fault(i) ? FACTS_BROKEN : FACTS_MANAGED);
		ck_assert_uint_eq(user->group_count, groups_of(i));
		if (!has_fault(i))
			ck_assert_str_eq(user->display, "One of many");
	}
	ck_assert_uint_eq(all.fault_count, USERS / 20);
	end();
}
END_TEST

/* Of one name, at both ends of the directory: they stand side by side, and members of that name are the last one's. */
START_TEST(claims_from_either_half_contend)
{
	begin();
	add("dn: uid=twin,ou=other," BASE "\nobjectClass: posixAccount\nuid: twin\nuidNumber: 5000\ngidNumber: 5000\n"
	    "homeDirectory: /home/twin\nemployeeType: employee\n\n");
	add("dn: uid=both,ou=other," BASE "\nobjectClass: posixAccount\nuid: ada\nuid: eve\nuidNumber: 5001\ngidNumber: 5001\n"
	    "homeDirectory: /home/both\nemployeeType: employee\n\n");
	add_users();
	add_user("twin", 5002, "");
	add("dn: cn=ones,ou=groups," BASE "\nobjectClass: posixGroup\ncn: ones\ngidNumber: 41001\nmemberUid: twin\nmemberUid: eve\n\n");
	build_after(NULL);
	ck_assert_uint_eq(all.user_count, USERS + 4);
	for (size_t i = 0; i + 1 < all.user_count; i++) {
		const struct identity *user = &all.users[i], *next = user + 1;

		if (strcmp(user->name, "twin") != 0)
			continue;
		ck_assert_str_eq(next->name, "twin");
		ck_assert_uint_eq(user->uid, 5000);
		ck_assert_uint_eq(next->uid, 5002);
		ck_assert_uint_eq(user->group_count, 0);
		ck_assert_uint_eq(next->group_count, 1);
		break;
	}
	ck_assert_uint_eq(facts_of("twin")->state, FACTS_BROKEN);
	ck_assert_msg(strstr(facts.fault, "also claimed by") != NULL, "%s", facts.fault);
	ck_assert_uint_eq(facts_of("ada")->state, FACTS_BROKEN);
	ck_assert_uint_eq(facts_of("eve")->state, FACTS_BROKEN);
	ck_assert_uint_eq(identities_find(&all, "eve")->group_count, 1);
	ck_assert_uint_eq(identities_find(&all, "ada")->group_count, 0);
	end();
}
END_TEST

/* Whoever writes entries may write very many of one name, and as many groups that list it. */
START_TEST(a_crowd_of_one_name)
{
	enum { CROWD = 100000 };

	begin();
	for (unsigned i = 0; i < CROWD; i++) {
		add("dn: cn=%u,ou=people," BASE "\nobjectClass: posixAccount\nuid: x\nuidNumber: %u\ngidNumber: 5000\n"
		    "homeDirectory: /home/x\nemployeeType: employee\n\n", i, 10000 + i);
		add("dn: cn=c%u,ou=groups," BASE "\nobjectClass: posixGroup\ncn: c%u\ngidNumber: %u\nmemberUid: x\n\n", i, i,
		    70000 + i);
	}
	build_after(NULL);
	ck_assert_uint_eq(all.user_count, CROWD);
	ck_assert_uint_eq(facts_of("x")->state, FACTS_BROKEN);
	ck_assert_uint_eq(all.users[0].group_count, 0);
	end();
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ many_get_a_thread, 0 },
		{ few_get_none, 0 },
		{ arenas_become_one, 0 },
		{ everybody_is_read_once_and_in_order, 0 },
		{ claims_from_either_half_contend, 0 },
		{ a_crowd_of_one_name, 0 },
	};

	return suite_run("identity many", rows, ROWS(rows), 60);
}
