/*
 * people.c - writes the population of people.h, in the form that a peer wants.
 *
 *   bench_people USERS ldif                 entries below dc=example,dc=com
 *   bench_people USERS passwd|group         text, as in /etc
 *   bench_people FIELD index FILE           the index of libnss-cache: by field FIELD of a text, as nsscache writes it
 *
 * On standard output. Built by `make check`, run by tests/bench.
 */
#define _GNU_SOURCE

#include "tests/benchmark/people.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BASE "dc=example,dc=com"

static uint32_t users, groups;

/* ---- members ---- */

/* Call for each user whom group j lists: i, i + STEP, ... are his groups, and the first is his primary one. */
static void
each_member(uint32_t j, void (*call)(uint32_t i, int first))
{
	int first = 1;

	for (uint32_t k = 1; k < 100; k++) {
		uint32_t i = (j + groups - PEOPLE_STEP * k % groups) % groups;

		for (; i < users; i += groups) {
			if (k >= people_small_groups_of(i))
				continue;
			call(i, first);
			first = 0;
		}
	}
}

static void
member_line(uint32_t i, int first)
{
	(void)first;
	printf("memberUid: u%u\n", i);
}

static void
member_text(uint32_t i, int first)
{
	printf("%su%u", first ? "" : ",", i);
}

static void
everybody(void (*call)(uint32_t i, int first))
{
	for (uint32_t i = 0; i < users && i < PEOPLE_LARGE; i++)
		call(i, i == 0);
}

/* ---- forms ---- */

static void
group_entry(const char *name, uint32_t gid)
{
	printf("\ndn: cn=%s,ou=groups," BASE "\nobjectClass: posixGroup\ncn: %s\ngidNumber: %u\n", name, name, gid);
}

static void
write_ldif(void)
{
	char name[16];

	printf("dn: " BASE "\nobjectClass: domain\ndc: example\n");
	printf("\ndn: ou=people," BASE "\nobjectClass: organizationalUnit\nou: people\n");
	printf("\ndn: ou=groups," BASE "\nobjectClass: organizationalUnit\nou: groups\n");
	printf("\ndn: ou=tokens," BASE "\nobjectClass: organizationalUnit\nou: tokens\n");
	for (uint32_t i = 0; i < users; i++) {
		printf("\ndn: uid=u%u,ou=people," BASE "\nobjectClass: inetOrgPerson\nobjectClass: posixAccount\n", i);
		printf("uid: u%u\ncn: User %u\nsn: %u\ngecos: User %u\nemployeeType: employee\n", i, i, i, i);
		printf("uidNumber: %u\ngidNumber: %u\n", PEOPLE_ID + i, PEOPLE_ID + i % groups);
		printf("homeDirectory: /home/u%u\nloginShell: /bin/bash\n", i);
	}
	group_entry("everybody", PEOPLE_EVERYBODY);
	everybody(member_line);
	for (uint32_t j = 0; j < groups; j++) {
		(void)snprintf(name, sizeof name, "g%u", j);
		group_entry(name, PEOPLE_ID + j);
		each_member(j, member_line);
	}
}

static void
write_passwd(void)
{
	for (uint32_t i = 0; i < users; i++)
		printf("u%u:x:%u:%u:User %u:/home/u%u:/bin/bash\n", i, PEOPLE_ID + i, PEOPLE_ID + i % groups, i, i);
}

static void
write_group(void)
{
	printf("everybody:x:%u:", PEOPLE_EVERYBODY);
	everybody(member_text);
	for (uint32_t j = 0; j < groups; j++) {
		printf("\ng%u:x:%u:", j, PEOPLE_ID + j);
		each_member(j, member_text);
	}
	putchar('\n');
}

/* ---- the index: "KEY NUL OFFSET NUL ... newline", sorted by bytes, all lines of one length ---- */

struct line {
	char key[16];
	long offset;
};

static int
by_key(const void *one, const void *other)
{
	const struct line *a = one, *b = other;

	return strcmp(a->key, b->key);
}

static void
write_index(unsigned field, const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = NULL, offset[24];
	size_t size = 0, count = 0, room = 0, width = 0;
	struct line *lines = NULL;

	if (f == NULL)
		err(1, "%s", path);
	for (long at = 0; getline(&text, &size, f) > 0; at = ftell(f)) {
		const char *begin = text;

		for (unsigned n = 1; n < field; n++)
			begin += strcspn(begin, ":") + 1;
		if (count == room && (lines = reallocarray(lines, room += 65536, sizeof lines[0])) == NULL)
			err(1, "memory");
		(void)snprintf(lines[count].key, sizeof lines[count].key, "%.*s", (int)strcspn(begin, ":"), begin);
		lines[count].offset = at;
		size_t needs = strlen(lines[count].key) + (size_t)snprintf(offset, sizeof offset, "%ld", at);

		width = needs > width ? needs : width;
		count++;
	}
	qsort(lines, count, sizeof lines[0], by_key);
	for (size_t n = 0; n < count; n++) {
		int used = snprintf(offset, sizeof offset, "%ld", lines[n].offset);

		printf("%s%c%s%c", lines[n].key, 0, offset, 0);
		for (size_t pad = strlen(lines[n].key) + (size_t)used; pad < width; pad++)
			putchar(0);
		putchar('\n');
	}
	free(lines);
	free(text);
	fclose(f);
}

int
main(int argc, char **argv)
{
	static char room[1 << 20];
	const char *what = argc > 2 ? argv[2] : "";

	users = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
	groups = people_groups(users);
	(void)setvbuf(stdout, room, _IOFBF, sizeof room);
	if (strcmp(what, "ldif") == 0)
		write_ldif();
	else if (strcmp(what, "passwd") == 0)
		write_passwd();
	else if (strcmp(what, "group") == 0)
		write_group();
	else if (strcmp(what, "index") == 0 && argc == 4)
		write_index(users, argv[3]);
	else
		errx(2, "usage: bench_people USERS ldif|passwd|group | FIELD index FILE");
	if (fflush(stdout) != 0 || ferror(stdout))
		err(1, "write");
	return 0;
}
