/*
 * test_entry_heap.c - what is put into the heap comes out as it was, from the file or from memory, or not at all.
 */
#define _GNU_SOURCE
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/census.h"
#include "daemon/entry_heap.h"
#include "daemon/entry_pack.h"
#include "tests/unit/heap_file.h"
#include "tests/unit/suite.h"

enum { ENTRIES = 300, STEPS = 20000 };

static uint64_t dice;

static unsigned
roll(unsigned sides)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((dice >> 33) % sides);
}

static void
add(struct entry *e, const char *name, const void *bytes, size_t len)
{
	ck_assert_int_eq(entry_add_value(e, name, bytes, len), 0);
}

/* Of any size: a person, a group of some, now and then one of many or with long values. */
static struct entry *
make(unsigned i)
{
	static char bytes[5000];
	char text[64];
	unsigned members = roll(20) == 0 ? roll(3000) : roll(8);
	struct entry *e;

	(void)snprintf(text, sizeof text, "cn=E%u , dc=x", i);
	e = entry_new(text);
	ck_assert_ptr_nonnull(e);
	e->waits = roll(4) == 0;
	add(e, "cn", text, strlen(text));
	add(e, "jpegPhoto", "\0\xff\n", 3);
	add(e, "cn;lang-en", "", 0);
	for (unsigned k = 0; k < members; k++) {
		(void)snprintf(text, sizeof text, "uid=u%u,dc=x", roll(100000));
		add(e, k % 3 == 0 ? "memberUid" : "member", text, strlen(text));
	}
	for (size_t k = 0; k < sizeof bytes; k++)
		bytes[k] = (char)roll(256);
	for (unsigned k = roll(4); k > 0; k--)
		add(e, "description", bytes, roll(sizeof bytes));
	return e;
}

/* Whether b is a, but for members. */
static bool
is_head(const struct entry *a, const struct entry *b)
{
	if (strcmp(a->dn, b->dn) != 0 || strcmp(a->ndn, b->ndn) != 0 || a->waits != b->waits)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const char *name = a->attributes[i].name;

		if (strcmp(name, "member") == 0 || strcmp(name, "memberUid") == 0) {
			if (entry_attribute(b, name) != NULL)
				return false;
		} else if (!entry_same_values(a, b, name)) {
			return false;
		}
	}
	return true;
}

/* Of a heap; what it has read ahead is soon of before. */
static struct entry_window window;

static void
compare(struct entry_heap *h, uint32_t number, const struct entry *e)
{
	struct entry *whole, *head, *next;

	if (roll(8) == 0)
		entry_window_done(&window);
	ck_assert_int_eq(entry_heap_next(h, &window, number, &next), 0);
	ck_assert(entry_same(next, e));
	ck_assert_str_eq(next->ndn, e->ndn);
	entry_free(next);

	ck_assert_int_eq(entry_heap_get(h, number, true, &whole), 0);
	ck_assert(entry_same(whole, e));
	ck_assert_str_eq(whole->ndn, e->ndn);
	ck_assert_int_eq(entry_heap_get(h, number, false, &head), 0);
	ck_assert(is_head(e, head));
	ck_assert(entry_heap_is(h, number, e));
	entry_free(whole);
	entry_free(head);
}

/* Alone for a call of ours: the results of tests are in a file, too. */
static void
limit_files(rlim_t bytes)
{
	const struct rlimit limit = { bytes, RLIM_INFINITY };

	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* 0: in a file; 1: no such folder, all of it in memory; 2: a file that ends after some; 3: in memory as asked for. */
START_TEST(comes_out_as_it_was)
{
	static struct entry *list[ENTRIES];
	static uint32_t numbers[ENTRIES];
	struct entry_heap *h;
	unsigned held = 0;
	struct stat st;

	dice = (uint64_t)_i + 1;
	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(entry_heap_new(_i == 3 ? NULL : _i == 1 ? "/nowhere/at/all" : heap_folder(), &h), 0);
	for (unsigned step = 0; step < STEPS; step++) {
		unsigned i = roll(ENTRIES);

		if (list[i] == NULL) {
			list[i] = make(i);
			limit_files(_i == 2 ? 700000 : RLIM_INFINITY);
			numbers[i] = entry_heap_put(h, list[i]);
			limit_files(RLIM_INFINITY);
			ck_assert_uint_ne(numbers[i], ENTRY_NOWHERE);
			entry_heap_hold(h, numbers[i]);
			entry_heap_drop(h, numbers[i]);
			held++;
		} else if (roll(3) == 0) {
			entry_heap_drop(h, numbers[i]);
			entry_free(list[i]);
			list[i] = NULL;
			held--;
		} else if (roll(4) == 0) {
			compare(h, numbers[i], list[i]);
		}
	}
	ck_assert_int_eq(heap_file() < 0, _i % 2 == 1);
	if (_i == 2) {
		ck_assert_int_eq(fstat(heap_file(), &st), 0);
		ck_assert_int_le(st.st_size, 700000);
	}
	if (_i == 0) {			/* what is free is used again */
		ck_assert_int_eq(fstat(heap_file(), &st), 0);
		ck_assert_int_gt(st.st_size, 100000);
		ck_assert_int_lt(st.st_size, 30000000);
	}
	for (unsigned i = 0; i < ENTRIES; i++) {
		if (list[i] != NULL)
			compare(h, numbers[i], list[i]);
		entry_free(list[i]);
		list[i] = NULL;
	}
	ck_assert_uint_gt(held, ENTRIES / 2);
	entry_window_done(&window);
	entry_heap_free(h);
}
END_TEST

/* One changed, or one more value, is another one; the same again is not. */
START_TEST(says_what_is_the_same)
{
	struct entry_heap *h;
	struct entry *e, *other;
	uint32_t number;

	dice = 5;
	ck_assert_int_eq(entry_heap_new(heap_folder(), &h), 0);
	e = make(1);
	number = entry_heap_put(h, e);
	other = entry_new(e->dn);
	ck_assert_ptr_nonnull(other);
	ck_assert_int_eq(entry_add_all(other, e), 0);
	other->waits = e->waits;
	ck_assert(entry_heap_is(h, number, other));
	other->waits = !e->waits;
	ck_assert(!entry_heap_is(h, number, other));
	other->waits = e->waits;
	add(other, "memberUid", "one-more", 8);
	ck_assert(!entry_heap_is(h, number, other));
	entry_free(e);
	entry_free(other);
	entry_heap_free(h);
}
END_TEST

/* A member of more than 64 KiB breaks its group, which must be seen also by whoever reads it without members. */
START_TEST(too_long_a_member)
{
	char *bytes = calloc(1, ENTRY_VALUE_MAX + 1);
	struct entry *e = entry_new("cn=g,dc=x"), *head;
	struct entry_heap *h;

	ck_assert_ptr_nonnull(bytes);
	memset(bytes, 'a', ENTRY_VALUE_MAX + 1);
	for (int over = 0; over < 2; over++) {
		ck_assert_int_eq(entry_heap_new(heap_folder(), &h), 0);
		ck_assert_int_eq(entry_set(e, "member", NULL), 0);
		add(e, "member", bytes, (size_t)(ENTRY_VALUE_MAX + over));
		ck_assert_int_eq(entry_heap_get(h, entry_heap_put(h, e), false, &head), 0);
		ck_assert_int_eq(entry_attribute(head, "member") != NULL, over);
		entry_free(head);
		entry_heap_free(h);
	}
	entry_free(e);
	free(bytes);
}
END_TEST

/* Every name comes back as it was written; one of attributes.def takes a byte. */
START_TEST(names)
{
	static const char *const all[] = {
#define ATTRIBUTE(number, name) name,
#include "common/attributes.def"
#undef ATTRIBUTE
		"UIDnumber", "uidNumbers", "uid;lang-en", "x",
	};
	const size_t known = sizeof all / sizeof all[0] - 4;

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		struct entry *e = entry_new("cn=a"), *again;
		size_t size, head, name = i < known ? 1 : 2 + strlen(all[i]);
		uint8_t *block;

		ck_assert_ptr_nonnull(e);
		add(e, all[i], "v", 1);
		block = entry_pack(e, &size, &head);
		ck_assert_ptr_nonnull(block);
		ck_assert_uint_eq(size, 1 + 1 + strlen("cn=a") + name + 1 + 1 + 1);
		ck_assert_int_eq(entry_unpack(block, size, NULL, &again), 0);
		ck_assert_str_eq(again->attributes[0].name, all[i]);
		ck_assert(entry_same(e, again));
		free(block);
		entry_free(e);
		entry_free(again);
	}
}
END_TEST

/* A disk that says otherwise yields nobody: neither another one, nor one who is not there. */
START_TEST(another_file)
{
	enum { MANY = 9000 };		/* more than are written at once */
	struct pollfd damage = { .events = POLLIN };
	struct entry_heap *h;
	struct entry *e, *other;
	uint32_t number;
	char byte;
	int fd;

	ck_assert_int_eq(entry_heap_new(heap_folder(), &h), 0);
	e = entry_new("uid=ada,ou=people,dc=x");
	ck_assert_ptr_nonnull(e);
	add(e, "uidNumber", "2001", 4);
	add(e, "gecos", "long enough for what is changed", 31);
	number = entry_heap_put(h, e);
	for (unsigned i = 0; i < MANY; i++)
		ck_assert_uint_ne(entry_heap_put(h, e), ENTRY_NOWHERE);
	compare(h, number, e);
	fd = heap_file();
	damage.fd = entry_heap_damage_fd(h);
	ck_assert_int_eq(poll(&damage, 1, 0), 0);
	for (off_t at = 0; at < 50; at++) {
		ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
		byte ^= 4;
		ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
		for (int members = 0; members < 2; members++)
			ck_assert_int_eq(entry_heap_get(h, number, members != 0, &other), -EIO);
		byte ^= 4;
		ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
	}
	compare(h, number, e);
	ck_assert_int_eq(poll(&damage, 1, 0), 1);
	ck_assert_int_eq(ftruncate(fd, 20), 0);
	ck_assert_int_eq(entry_heap_get(h, number, true, &other), -EIO);
	entry_free(e);
	entry_heap_free(h);
}
END_TEST

/* ---- who is judged by it ---- */

static struct settings settings;

/* Tell the census of an entry that is in the heap alone. */
static int
update(struct census *c, struct entry_heap *h, unsigned char id, uint32_t number)
{
	const uint8_t uuid[ENTRY_ID_SIZE] = { id };
	const struct census_how how = { .settings = &settings };
	struct entry_changes changes = { .heap = h };
	struct census_news news = { 0 };
	int r;

	ck_assert_int_eq(entry_changes_add_stored(&changes, uuid, NULL, number, false), 0);
	r = census_update(c, &how, &changes, &news);
	census_news_done(&news);
	if (r >= 0)
		ck_assert_int_eq(census_complete(c), 0);
	return r;
}

static uint32_t
put_user(struct entry_heap *h, const char *uid, const char *shell)
{
	struct entry *e;
	uint32_t number;
	char text[64];

	(void)snprintf(text, sizeof text, "uid=%.20s,dc=x", uid);
	e = entry_new(text);
	ck_assert_ptr_nonnull(e);
	add(e, "objectClass", "posixAccount", 12);
	add(e, "uid", uid, strlen(uid));
	add(e, "uidNumber", shell[0] == 'b' ? "2001" : "2002", 4);
	add(e, "gidNumber", "3000", 4);
	add(e, "homeDirectory", "/home/ada", 9);
	add(e, "employeeType", "employee", 8);
	add(e, "loginShell", shell, strlen(shell));
	number = entry_heap_put(h, e);
	entry_free(e);
	return number;
}

static uint32_t
put_group(struct entry_heap *h, const char *gid)
{
	struct entry *e = entry_new("cn=web,dc=x");
	uint32_t number;

	ck_assert_ptr_nonnull(e);
	add(e, "objectClass", "posixGroup", 10);
	add(e, "cn", "web", 3);
	add(e, "gidNumber", gid, 4);
	add(e, "member", "uid=ada,dc=x", 12);
	number = entry_heap_put(h, e);
	entry_free(e);
	return number;
}

/* The state of a user, or -errno. */
static int
state_of(struct census *c, const char *name)
{
	struct census_part part = { 0 };
	const struct identity *user;
	int r = census_find(c, &settings, NULL, name, &part, &user);

	if (r == 0)
		r = user == NULL ? (int)FACTS_UNKNOWN : (int)user->state;
	census_part_done(&part);
	return r;
}

/* What cannot be read fails a question and a change, which leaves all as it was, and comes to the same later. */
START_TEST(nobody_by_another_file)
{
	enum { MANY = 9000 };
	uint32_t ada, web, mended;
	struct entry_heap *h;
	struct census *c;
	char byte;
	int fd;

	settings_defaults(&settings);
	(void)snprintf(settings.directory_base, sizeof settings.directory_base, "dc=x");
	ck_assert_int_eq(entry_heap_new(heap_folder(), &h), 0);
	ck_assert_int_eq(census_new(&c), 0);
	census_use_heap(c, h);
	web = put_group(h, "3000");
	ada = put_user(h, "ada", "bash");
	for (unsigned i = 0; i < MANY; i++)
		entry_heap_hold(h, put_user(h, "bob", "sh"));
	mended = put_user(h, "ada", "bsh");
	ck_assert_int_eq(update(c, h, 1, web), 1);
	ck_assert_int_eq(update(c, h, 2, ada), 1);
	ck_assert_int_eq(state_of(c, "ada"), FACTS_MANAGED);
	fd = heap_file();
	ck_assert_int_eq(pread(fd, &byte, 1, 20), 1);
	byte ^= 1;
	ck_assert_int_eq(pwrite(fd, &byte, 1, 20), 1);
	ck_assert_int_eq(state_of(c, "ada"), -EIO);		/* her group is what cannot be read */
	ck_assert_int_eq(update(c, h, 2, mended), -EIO);
	ck_assert_int_eq(update(c, h, 1, put_group(h, "3001")), -EIO);
	ck_assert_int_eq(update(c, h, 1, ENTRY_NOWHERE), -EIO);
	byte ^= 1;
	ck_assert_int_eq(pwrite(fd, &byte, 1, 20), 1);
	ck_assert_int_eq(state_of(c, "ada"), FACTS_MANAGED);
	ck_assert_int_eq(update(c, h, 2, mended), 1);
	ck_assert_int_eq(state_of(c, "ada"), FACTS_MANAGED);
	ck_assert_int_eq(update(c, h, 1, ENTRY_NOWHERE), 1);
	ck_assert_int_eq(update(c, h, 2, ENTRY_NOWHERE), 1);
	ck_assert_int_eq(state_of(c, "ada"), FACTS_UNKNOWN);
	census_free(c);
	entry_heap_free(h);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ comes_out_as_it_was, 4 }, { says_what_is_the_same, 0 }, { too_long_a_member, 0 }, { names, 0 }, { another_file, 0 },
		{ nobody_by_another_file, 0 },
	};

	return suite_run("entry_heap", rows, ROWS(rows), 60);
}
