/*
 * test_snapshot_names.c - names that may be, of every length, are found, and no other ones.
 */
#include <config.h>

#include "common/snapshot.h"

#include <stdio.h>
#include <string.h>

#include "daemon/snapshot_build.h"
#include "tests/unit/suite.h"

static const struct snapshot_header_in header = { .generation = 1 };

static struct snapshot
snapshot_of(const struct snapshot_image *image)
{
	return (struct snapshot){ .base = image->bytes, .size = image->size };
}

enum { LONGEST = 32 };

static const struct { const char *name; bool allowed; } names[] = {
	{ "a", true }, { "_", true }, { "ab", true }, { "a-b", true }, { "ada", true }, { "a.b_c-9", true },
	{ "u1234567", true }, { "abcdefghijklmnop", true }, { "abcdefghijklmnopq", true },
	{ "abcdefghijklmnopqrstuvwxyz012345", true }, { "abcdefghijklmnopqrstuvwxyz0123456", false },
	{ "", false }, { "0", false }, { "123", false }, { "1a", false }, { "-a", false }, { ".a", false },
	{ "a.", false }, { "..", false }, { "a$", false }, { "Ada", false }, { "adA", false }, { "a b", false },
	{ "a:b", false }, { "a/b", false }, { "a,b", false }, { "a\nb", false }, { "a@b", false }, { "a%b", false },
	{ "a+b", false }, { "ad\xc3\xa4", false }, { "abcdefg\x80", false }, { "abcdefgh\x80jklmno", false },
	{ "abcdefghijklmno:qrstuvwx", false }, { "abcdefghijklmnopqrstuv:x", false }, { "root", false },
	{ "roots", true }, { "roo", true }, { "a`b", false }, { "a{b", false }, { "a^b", false },
};

START_TEST(names_allowed)
{
	ck_assert_int_eq(snapshot_name_allowed(names[_i].name, strlen(names[_i].name)), names[_i].allowed);
}
END_TEST

/* Every byte in every place of every length, beside the rule in plain words. */
START_TEST(names_allowed_exhaustively)
{
	char name[33];

	for (size_t len = 1; len <= 32; len++) {
		for (size_t at = 0; at < len; at++) {
			for (int c = 0; c < 256; c++) {
				bool first = (c >= 'a' && c <= 'z') || c == '_';
				bool other = first || (c >= '0' && c <= '9') || c == '.' || c == '-';
				bool good = (at == 0 ? first : other) && !(at == len - 1 && c == '.');

				memset(name, 'x', len);
				name[at] = (char)c;
				ck_assert_msg(snapshot_name_allowed(name, len) == good, "%zu %zu %d", len, at, c);
			}
		}
	}
}
END_TEST

/* Names of every length are found, and no prefix or extension of one is. */
START_TEST(name_lengths)
{
	struct snapshot_builder *b = snapshot_builder_new();
	struct snapshot_image image;
	struct snapshot s;
	struct snapshot_user user;
	char name[40];

	for (uint32_t len = 1; len <= 32; len += 2) {
		memset(name, 'n', len);
		name[len] = '\0';
		ck_assert_int_eq(snapshot_builder_add_user(b, 2000 + len, 2000, name, "", "/", "/bin/sh", NULL, 0), 0);
	}
	ck_assert_int_eq(snapshot_image_make(b, &header, &image), 0);
	s = snapshot_of(&image);
	ck_assert_int_eq(snapshot_check_whole(&s), 0);
	for (uint32_t len = 1; len <= 33; len++) {
		memset(name, 'n', len);
		name[len] = '\0';
		ck_assert_int_eq(snapshot_find_user(&s, name, &user), len % 2 == 1 && len <= 32);
	}
	snapshot_image_done(&image);
	snapshot_builder_free(b);
}
END_TEST

/* A record whose name differs from what its hash says, in whichever byte, is not the one that is asked for. */
START_TEST(names_compared)
{
	struct snapshot_builder *b = snapshot_builder_new();
	struct snapshot_user user;
	struct snapshot_group group;
	struct snapshot_image image;
	struct snapshot s;
	const int len = _i + 1;
	char name[LONGEST + 1] = "";

	memset(name, 'n', (size_t)len);
	ck_assert_int_eq(snapshot_builder_add_user(b, 2000, 2000, name, "", "/", "/bin/sh", NULL, 0), 0);
	ck_assert_int_eq(snapshot_builder_add_group(b, 2000, name), 0);
	ck_assert_int_eq(snapshot_image_make(b, &header, &image), 0);
	s = snapshot_of(&image);
	for (int at = 0; at < len; at++) {
		ck_assert_int_eq(snapshot_find_user(&s, name, &user), 1);
		ck_assert_int_eq(snapshot_find_group(&s, name, &group), 1);
		((char *)(uintptr_t)user.name)[at] = ((char *)(uintptr_t)group.name)[at] = 'm';
		ck_assert_int_eq(snapshot_find_user(&s, name, &user), 0);
		ck_assert_int_eq(snapshot_find_group(&s, name, &group), 0);
		((char *)(uintptr_t)user.name)[at] = ((char *)(uintptr_t)group.name)[at] = 'n';
	}
	snapshot_image_done(&image);
	snapshot_builder_free(b);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ names_allowed, ROWS(names) }, { names_allowed_exhaustively, 0 }, { name_lengths, 0 },
		{ names_compared, LONGEST },
	};

	return suite_run("snapshot_names", rows, ROWS(rows), 60);
}
