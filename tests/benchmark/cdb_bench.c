/*
 * cdb_bench.c - the same people in a constant database (tinycdb), to weigh it against our own layout.
 *
 *   cdb_bench [USERS...]      default: 10000 100000 1000000
 *
 * Run by hand beside nss_bench, whose keys and rounds it has: `make nss_bench cdb_bench`, which wants libcdb-dev. The
 * product does not. A user is there by name and by number: ids, the strings, and, by name, the gids of his 21 groups;
 * what is not there is the members of a group.
 */
#define _GNU_SOURCE

#include <cdb.h>
#include <err.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { KEYS = 1 << 18, ROUNDS = 7, GROUPS_OF = 21 };

static struct cdb base;
static uint32_t keys[KEYS];
static char names[KEYS][12], misses[KEYS][12];

static double
now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void
must(int good, const char *what)
{
	if (!good)
		errx(1, "%s", what);
}

/* ---- a record: uid, gid, name, gecos, home, shell, each string with its NUL ---- */

static int
answer(const void *key, unsigned length, struct passwd *pw, char *buf, size_t size)
{
	struct cdb view = base;		/* cdb_find writes to it: each caller needs his own */
	uint32_t ids[2];
	const char *data;

	if (cdb_find(&view, key, length) <= 0)
		return 0;
	data = cdb_get(&view, cdb_datalen(&view), cdb_datapos(&view));
	if (data == NULL || cdb_datalen(&view) < sizeof ids || cdb_datalen(&view) - sizeof ids > size)
		return -1;
	memcpy(ids, data, sizeof ids);
	memcpy(buf, data + sizeof ids, cdb_datalen(&view) - sizeof ids);
	pw->pw_uid = ids[0];
	pw->pw_gid = ids[1];
	pw->pw_name = buf;
	pw->pw_gecos = pw->pw_name + strlen(pw->pw_name) + 1;
	pw->pw_dir = pw->pw_gecos + strlen(pw->pw_gecos) + 1;
	pw->pw_shell = pw->pw_dir + strlen(pw->pw_dir) + 1;
	return 1;
}

static void
by_name(uint32_t i, char *buf, size_t size)
{
	struct passwd pw;

	must(answer(names[i], (unsigned)strlen(names[i]), &pw, buf, size) == 1 && pw.pw_uid == 100000 + keys[i], "a name");
}

static void
no_name(uint32_t i, char *buf, size_t size)
{
	struct passwd pw;

	must(answer(misses[i], (unsigned)strlen(misses[i]), &pw, buf, size) == 0, "a name that is not there");
}

static void
by_uid(uint32_t i, char *buf, size_t size)
{
	uint32_t uid = 100000 + keys[i];
	struct passwd pw;

	must(answer(&uid, sizeof uid, &pw, buf, size) == 1 && pw.pw_uid == uid, "a uid");
}

static void
add_user(struct cdb_make *make, uint32_t i, uint32_t groups)
{
	uint32_t ids[2] = { 100000 + i, 100000 + i % groups }, gids[GROUPS_OF] = { 90000 };
	char record[256], name[16];
	size_t used = sizeof ids;
	unsigned length;

	for (uint32_t k = 1; k < GROUPS_OF; k++)
		gids[k] = 100000 + (i + 7 * k) % groups;
	memcpy(record, ids, sizeof ids);
	used += (size_t)sprintf(record + used, "u%u%cUser %u%c/home/u%u%c/bin/bash", i, 0, i, 0, i, 0) + 1;
	length = (unsigned)sprintf(name, "u%u", i);
	must(cdb_make_add(make, ids, sizeof ids[0], record, (unsigned)used) == 0, "add");
	memcpy(record + used, gids, sizeof gids);
	must(cdb_make_add(make, name, length, record, (unsigned)(used + sizeof gids)) == 0, "add");
}

static void
publish(uint32_t users)
{
	char path[] = "/tmp/cdb_bench.XXXXXX";
	struct cdb_make make;
	double begin = now_ns();
	int fd = mkstemp(path);
	struct stat st;

	must(fd >= 0 && unlink(path) == 0 && cdb_make_start(&make, fd) == 0, "a file");
	for (uint32_t i = 0; i < users; i++)
		add_user(&make, i, users / 5 + 1);
	must(cdb_make_finish(&make) == 0 && cdb_init(&base, fd) == 0 && fstat(fd, &st) == 0, "finish");
	close(fd);
	printf("%u users: %.1f bytes a user, without members of groups; made in %.2f s\n", users, (double)st.st_size / users,
	    (now_ns() - begin) / 1e9);
	for (uint32_t i = 0; i < KEYS; i++) {
		keys[i] = (uint32_t)random() % users;
		(void)snprintf(names[i], sizeof names[i], "u%u", keys[i]);
		(void)snprintf(misses[i], sizeof misses[i], "v%u", keys[i]);
	}
}

static int
compare(const void *one, const void *other)
{
	double a = *(const double *)one, b = *(const double *)other;

	return (a > b) - (a < b);
}

static void
measure(const char *operation, void (*call)(uint32_t, char *, size_t))
{
	double ns[ROUNDS], begin;
	char buf[1024];

	for (unsigned k = 0; k <= ROUNDS; k++) {	/* the first is to warm up */
		begin = now_ns();
		for (uint32_t i = 0; i < KEYS; i++)
			call(i, buf, sizeof buf);
		ns[k ? k - 1 : 0] = (now_ns() - begin) / KEYS;
	}
	qsort(ns, ROUNDS, sizeof ns[0], compare);
	printf("  %-24s %10.1f ns (best %.1f)\n", operation, ns[ROUNDS / 2], ns[0]);
}

int
main(int argc, char **argv)
{
	static const char *const sizes[] = { "10000", "100000", "1000000" };
	int count = argc > 1 ? argc - 1 : 3;

	for (int i = 0; i < count; i++) {
		publish((uint32_t)strtoul(argc > 1 ? argv[i + 1] : sizes[i], NULL, 10));
		measure("getpwnam, any user", by_name);
		measure("getpwuid, any user", by_uid);
		measure("getpwnam, absent", no_name);
		cdb_free(&base);
	}
	return 0;
}
