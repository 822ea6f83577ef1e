/*
 * test_nss.c - what the built module answers. Behaviour in a process: test_nss_process.c.
 */
#include <config.h>

#include "tests/nss/test_nss.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/snapshot_format.h"
#include "daemon/snapshot_build.h"
#include "tests/nss/module.h"
#include "tests/nss/population.h"
#include "tests/nss/scratch.h"
#include "tests/unit/suite.h"

const struct population many_users = { 200, 50, 20 };
static const uint32_t local_gids[] = { 27 };
const struct snapshot_header_in plain_header = {
	.generation = 1, .enumerate = true, .contact = "it@example.com", .local_gid_count = 1, .local_gids = local_gids,
};

enum { UNTOUCHED = 12345 };

static char buf[65536];
static struct passwd pw;
static struct group gr;
static int error;

static bool
within(const void *at)
{
	return (const char *)at >= buf && (const char *)at < buf + sizeof buf;
}

static void
answers(void)
{
	module_publish(&many_users, &plain_header);
	module_load();
	MUST(module.getpwnam_r("u42", &pw, buf, sizeof buf, &error) == NSS_STATUS_SUCCESS);
	MUST(strcmp(pw.pw_name, "u42") == 0 && strcmp(pw.pw_passwd, "x") == 0 && pw.pw_uid == 100042);
	MUST(pw.pw_gid == 100042 && strcmp(pw.pw_gecos, "User 42") == 0 && strcmp(pw.pw_dir, "/home/u42") == 0);
	MUST(strcmp(pw.pw_shell, "/bin/bash") == 0);
	MUST(within(pw.pw_name) && within(pw.pw_passwd) && within(pw.pw_gecos) && within(pw.pw_dir) && within(pw.pw_shell));
	MUST(module.getpwuid_r(100007, &pw, buf, sizeof buf, &error) == NSS_STATUS_SUCCESS);
	MUST(strcmp(pw.pw_name, "u7") == 0);
	MUST(module.getgrgid_r(100003, &gr, buf, sizeof buf, &error) == NSS_STATUS_SUCCESS);
	MUST(strcmp(gr.gr_name, "g3") == 0 && gr.gr_gid == 100003 && strcmp(gr.gr_passwd, "x") == 0);
	MUST(within(gr.gr_name) && within(gr.gr_passwd) && within(gr.gr_mem) && within(gr.gr_mem[0]));
	MUST((uintptr_t)gr.gr_mem % _Alignof(char *) == 0);
	MUST(module.getgrnam_r("everybody", &gr, buf, sizeof buf, &error) == NSS_STATUS_SUCCESS);
	for (int i = 0; i < 200; i++) {
		char name[16];

		(void)snprintf(name, sizeof name, "u%d", i);
		MUST(strcmp(gr.gr_mem[i], name) == 0);
	}
	MUST(gr.gr_mem[200] == NULL);
	MUST(module.getpwnam_r("nobody-here", &pw, buf, sizeof buf, &error) == NSS_STATUS_NOTFOUND);
	MUST(module.getpwuid_r(0, &pw, buf, sizeof buf, &error) == NSS_STATUS_NOTFOUND);
	MUST(module.getgrnam_r("root", &gr, buf, sizeof buf, &error) == NSS_STATUS_NOTFOUND);
	MUST(module.getgrgid_r((gid_t)-1, &gr, buf, sizeof buf, &error) == NSS_STATUS_NOTFOUND);
	MUST(module_sends == 0 && !module_strange_open);
}

/* ---- ns01a, ns02a ---- */

/* A snapshot whose only record was changed after it was built, under a header that fits. */
static void
publish_forged(uint32_t uid, uint32_t gid, const char *name)
{
	struct snapshot_builder *b = snapshot_builder_new();
	struct snapshot_user_record *record;
	struct snapshot_image image;
	struct snapshot_user user;
	struct snapshot s;

	MUST(snapshot_builder_add_user(b, 4000, 4000, name, "", "/", "/bin/sh", NULL, 0) == 0);
	MUST(snapshot_builder_add_user(b, 4001, 4000, "good", "", "/", "/bin/sh", NULL, 0) == 0);
	MUST(snapshot_image_make(b, &plain_header, &image) == 0);
	s = (struct snapshot){ .base = image.bytes, .size = image.size };
	MUST(snapshot_find_uid(&s, 4001, &user) == 1);
	record = (void *)(image.bytes + ((const struct snapshot_header *)(void *)image.bytes)->section[SECTION_USERS].at);
	MUST(record->uid == 4000);
	record->uid = uid;
	record->gid = gid;
	module_publish_image(&image);
	snapshot_image_done(&image);
	snapshot_builder_free(b);
}

static void
ns01a_id_range(void)
{
	static const uint32_t ids[] = { 0, 1, 999, 60001, 61184, 65534, 65535, 0x80000000u, UINT32_MAX };

	module_load();
	for (int i = 0; i < ROWS(ids); i++) {
		publish_forged(ids[i], 4000, "toor");
		MUST(module.getpwnam_r("toor", &pw, buf, sizeof buf, &error) == NSS_STATUS_NOTFOUND);
		MUST(module.getpwuid_r(ids[i], &pw, buf, sizeof buf, &error) == NSS_STATUS_NOTFOUND);
		publish_forged(4000, ids[i], "toor");	/* the primary gid */
		MUST(module.getpwnam_r("toor", &pw, buf, sizeof buf, &error) == NSS_STATUS_NOTFOUND);
		MUST(module.getpwuid_r(4000, &pw, buf, sizeof buf, &error) == NSS_STATUS_NOTFOUND);
		MUST(module.getpwnam_r("good", &pw, buf, sizeof buf, &error) == NSS_STATUS_SUCCESS);
	}
}

static void
ns02a_name(void)
{
	static const char *const names[] = { "root", "0", "Root", "a:b", "-x", "..", "a." };

	module_load();
	for (int i = 0; i < ROWS(names); i++) {
		publish_forged(4000, 4000, names[i]);
		MUST(module.getpwnam_r(names[i], &pw, buf, sizeof buf, &error) == NSS_STATUS_NOTFOUND);
		MUST(module.getpwuid_r(4000, &pw, buf, sizeof buf, &error) == NSS_STATUS_NOTFOUND);
		MUST(module.getpwnam_r("good", &pw, buf, sizeof buf, &error) == NSS_STATUS_SUCCESS);
	}
}

/* ---- ns03a, ns04a ---- */

/* Room for size bytes that ends where the next byte kills. */
static char *
fenced(size_t size)
{
	static char *map;
	const size_t room = 1 << 16;

	if (map == NULL) {
		map = mmap(NULL, room + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		MUST(map != MAP_FAILED && mprotect(map + room, 4096, PROT_NONE) == 0);
	}
	return map + room - size;
}

static enum nss_status
sized_getpwnam(char *to, size_t size, int *ret_error)
{
	return module.getpwnam_r("u99", &pw, to, size, ret_error);
}

static enum nss_status
sized_getpwuid(char *to, size_t size, int *ret_error)
{
	return module.getpwuid_r(POPULATION_UID + 99, &pw, to, size, ret_error);
}

static enum nss_status
sized_getpwent(char *to, size_t size, int *ret_error)
{
	return module.getpwent_r(&pw, to, size, ret_error);
}

static enum nss_status
sized_getgrnam(char *to, size_t size, int *ret_error)
{
	return module.getgrnam_r("everybody", &gr, to, size, ret_error);
}

static enum nss_status
sized_getgrgid(char *to, size_t size, int *ret_error)
{
	return module.getgrgid_r(POPULATION_EVERYBODY, &gr, to, size, ret_error);
}

static enum nss_status
sized_getgrent(char *to, size_t size, int *ret_error)
{
	return module.getgrent_r(&gr, to, size, ret_error);
}

static const struct {
	enum nss_status (*look)(char *to, size_t size, int *ret_error);
	bool is_group;
} lookups[] = {
	{ sized_getpwnam, false }, { sized_getpwuid, false }, { sized_getpwent, false },
	{ sized_getgrnam, true }, { sized_getgrgid, true }, { sized_getgrent, true },
};

/* Everything that a record says, in one text. */
static const char *
told(bool is_group)
{
	static char text[8192];
	size_t used;

	if (!is_group) {
		(void)snprintf(text, sizeof text, "%s:%s:%u:%u:%s:%s:%s", pw.pw_name, pw.pw_passwd, pw.pw_uid, pw.pw_gid, pw.pw_gecos,
		    pw.pw_dir, pw.pw_shell);
		return text;
	}
	used = (size_t)snprintf(text, sizeof text, "%s:%s:%u:", gr.gr_name, gr.gr_passwd, gr.gr_gid);
	for (char **member = gr.gr_mem; *member != NULL; member++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s,", *member);
	MUST(used < sizeof text);
	return text;
}

/* All buffer sizes: too small, too small, ..., big enough; never both. An enumeration stays where it is meanwhile. */
static void
erange_sweep(unsigned which)
{
	const struct passwd no_pw = { .pw_uid = 7 };
	const struct group no_gr = { .gr_gid = 7 };
	enum nss_status last = NSS_STATUS_TRYAGAIN;
	char whole[8192];

	MUST(module.setpwent(0) == NSS_STATUS_SUCCESS && module.setgrent(0) == NSS_STATUS_SUCCESS);
	MUST(lookups[which].look(buf, sizeof buf, &error) == NSS_STATUS_SUCCESS);
	(void)snprintf(whole, sizeof whole, "%s", told(lookups[which].is_group));
	MUST(module.setpwent(0) == NSS_STATUS_SUCCESS && module.setgrent(0) == NSS_STATUS_SUCCESS);
	for (size_t size = 0; size <= 4096; size++) {
		enum nss_status got;

		pw = no_pw;
		gr = no_gr;
		error = UNTOUCHED;
		got = lookups[which].look(fenced(size), size, &error);
		if (got == NSS_STATUS_TRYAGAIN) {
			MUST(error == ERANGE && last == NSS_STATUS_TRYAGAIN);
			MUST(memcmp(&pw, &no_pw, sizeof pw) == 0 && memcmp(&gr, &no_gr, sizeof gr) == 0);
		} else {
			MUST(got == NSS_STATUS_SUCCESS && error == UNTOUCHED && strcmp(told(lookups[which].is_group), whole) == 0);
			MUST(module.setpwent(0) == NSS_STATUS_SUCCESS && module.setgrent(0) == NSS_STATUS_SUCCESS);
		}
		last = got;
	}
	MUST(last == NSS_STATUS_SUCCESS);
}

static void
ns03a_erange(void)
{
	const struct population p = { 100, 50, 20 };

	module_publish(&p, &plain_header);
	module_load();
	for (unsigned i = 0; i < ROWS(lookups); i++)
		erange_sweep(i);
	MUST(module.getpwnam_r("u99", &pw, fenced(34), 34, &error) == NSS_STATUS_SUCCESS);	/* and not one too many */
	MUST(strcmp(pw.pw_dir, "/home/u99") == 0 && strcmp(pw.pw_passwd, "x") == 0);
	MUST(module.getpwnam_r("u99", &pw, fenced(33), 33, &error) == NSS_STATUS_TRYAGAIN);
}

/* The first lookup opens and maps; errno shows nothing of it. */
static void
ns04a_errno(void)
{
	module_publish(&many_users, &plain_header);
	module_load();
	error = UNTOUCHED;
	for (int i = 0; i < 2; i++) {
		errno = EDOM;
		MUST(module.getpwnam_r("u1", &pw, buf, sizeof buf, &error) == NSS_STATUS_SUCCESS && errno == EDOM);
		MUST(module.getpwnam_r("nope", &pw, buf, sizeof buf, &error) == NSS_STATUS_NOTFOUND && errno == EDOM);
		MUST(module.getpwuid_r(1, &pw, buf, sizeof buf, &error) == NSS_STATUS_NOTFOUND && errno == EDOM);
		MUST(module.getgrnam_r("nope", &gr, buf, sizeof buf, &error) == NSS_STATUS_NOTFOUND && errno == EDOM);
		MUST(module.getgrgid_r(1, &gr, buf, sizeof buf, &error) == NSS_STATUS_NOTFOUND && errno == EDOM);
		MUST(module.setpwent(0) == NSS_STATUS_SUCCESS && errno == EDOM);
		module_publish(&many_users, &plain_header);	/* the next one opens again */
	}
	MUST(error == UNTOUCHED);
}

/* ---- initgroups ---- */

static void
ns11a_initgroups(void)
{
	long start = 1, size = 1;
	gid_t *gids = calloc(1, sizeof *gids);

	module_publish(&many_users, &plain_header);
	module_load();
	gids[0] = 100042;	/* as glibc does: the primary one first */
	MUST(module.initgroups_dyn("u42", 100042, &start, &size, &gids, -1, &error) == NSS_STATUS_SUCCESS);
	MUST(start == 21 && size >= start && gids[1] == POPULATION_EVERYBODY);	/* 21 groups, the primary one among them */
	for (long i = 0; i < start; i++)
		for (long k = 0; k < i; k++)
			MUST(gids[i] != gids[k]);
	/* again: all there already */
	MUST(module.initgroups_dyn("u42", 100042, &start, &size, &gids, -1, &error) == NSS_STATUS_SUCCESS && start == 21);
	/* a limit that is reached, and one that was reached before */
	start = 1;
	MUST(module.initgroups_dyn("u42", 100042, &start, &size, &gids, 5, &error) == NSS_STATUS_SUCCESS && start == 5);
	MUST(module.initgroups_dyn("u42", 100042, &start, &size, &gids, 5, &error) == NSS_STATUS_SUCCESS && start == 5);
	/* a limit and an array that must grow: never beyond it */
	free(gids);
	gids = calloc(2, sizeof *gids);
	start = 1;
	size = 2;
	MUST(module.initgroups_dyn("u43", 100043, &start, &size, &gids, 7, &error) == NSS_STATUS_SUCCESS);
	MUST(start == 7 && size == 7);
	start = 1;
	error = UNTOUCHED;
	MUST(module.initgroups_dyn("root", 0, &start, &size, &gids, -1, &error) == NSS_STATUS_NOTFOUND);
	MUST(start == 1 && error == UNTOUCHED);
	free(gids);
}

/* A managed user with no groups, and one with a local group, which getgrgid does not know. */
static void
initgroups_edges(void)
{
	struct snapshot_builder *b = snapshot_builder_new();
	const uint32_t sudo = 27;
	long start = 1, size = 4;
	gid_t *gids = calloc(4, sizeof *gids);

	MUST(snapshot_builder_add_user(b, 4000, 4000, "lonely", "", "/", "/bin/sh", NULL, 0) == 0);
	MUST(snapshot_builder_add_user(b, 4001, 4000, "kept", "", "/", "/bin/sh", &sudo, 1) == 0);
	MUST(snapshot_builder_publish(b, scratch_path("."), &plain_header) == 0);
	snapshot_builder_free(b);
	module_load();
	MUST(module.initgroups_dyn("lonely", 4000, &start, &size, &gids, -1, &error) == NSS_STATUS_SUCCESS && start == 1);
	MUST(module.initgroups_dyn("kept", 4000, &start, &size, &gids, -1, &error) == NSS_STATUS_SUCCESS);
	MUST(start == 2 && gids[1] == 27);
	MUST(module.getgrgid_r(27, &gr, buf, sizeof buf, &error) == NSS_STATUS_NOTFOUND);
	free(gids);
}

/* What policy took away is gone from both sides. */
static void
ns13a_strip_view(void)
{
	struct snapshot_builder *b = snapshot_builder_new();
	const uint32_t web = 5000;
	long start = 1, size = 4;
	gid_t *gids = calloc(4, sizeof *gids);

	MUST(snapshot_builder_add_group(b, 5000, "web") == 0 && snapshot_builder_add_group(b, 5001, "secret") == 0);
	MUST(snapshot_builder_add_user(b, 4000, 4000, "ada", "", "/", "/bin/sh", &web, 1) == 0);
	MUST(snapshot_builder_publish(b, scratch_path("."), &plain_header) == 0);
	snapshot_builder_free(b);
	module_load();
	MUST(module.getgrnam_r("web", &gr, buf, sizeof buf, &error) == NSS_STATUS_SUCCESS);
	MUST(strcmp(gr.gr_mem[0], "ada") == 0 && gr.gr_mem[1] == NULL);
	MUST(module.getgrnam_r("secret", &gr, buf, sizeof buf, &error) == NSS_STATUS_SUCCESS && gr.gr_mem[0] == NULL);
	MUST(module.initgroups_dyn("ada", 4000, &start, &size, &gids, -1, &error) == NSS_STATUS_SUCCESS);
	MUST(start == 2 && gids[1] == 5000);
	free(gids);
}

/* ---- enumeration ---- */

static void
enumeration(void)
{
	struct snapshot_header_in other = plain_header;
	uid_t expected = POPULATION_UID;
	int groups = 0;

	module_publish(&many_users, &plain_header);
	module_load();
	MUST(module.setpwent(0) == NSS_STATUS_SUCCESS);
	MUST(module.getpwent_r(&pw, buf, 8, &error) == NSS_STATUS_TRYAGAIN && error == ERANGE);	/* nobody is skipped */
	while (module.getpwent_r(&pw, buf, sizeof buf, &error) == NSS_STATUS_SUCCESS) {
		MUST(pw.pw_uid == expected++);
		if (expected == POPULATION_UID + 100) {	/* another generation in the middle */
			other.generation = 2;
			module_publish(&many_users, &other);
		}
	}
	MUST(expected == POPULATION_UID + 200);
	MUST(module.getpwent_r(&pw, buf, sizeof buf, &error) == NSS_STATUS_NOTFOUND);
	MUST(module.endpwent() == NSS_STATUS_SUCCESS);
	MUST(module.getpwent_r(&pw, buf, sizeof buf, &error) == NSS_STATUS_SUCCESS && pw.pw_uid == POPULATION_UID);
	MUST(module.setgrent(0) == NSS_STATUS_SUCCESS);
	while (module.getgrent_r(&gr, buf, sizeof buf, &error) == NSS_STATUS_SUCCESS)
		groups++;
	MUST(groups == 51 && module.endgrent() == NSS_STATUS_SUCCESS);
	other.generation = 3;
	other.enumerate = false;
	module_publish(&many_users, &other);
	MUST(module.setpwent(0) == NSS_STATUS_SUCCESS);
	MUST(module.getpwent_r(&pw, buf, sizeof buf, &error) == NSS_STATUS_NOTFOUND);
	MUST(module.getgrent_r(&gr, buf, sizeof buf, &error) == NSS_STATUS_NOTFOUND);
}

static const struct process_test answer_tests[] = {
	{ "answers", answers }, { "ns01a_id_range", ns01a_id_range }, { "ns02a_name", ns02a_name },
	{ "ns03a_erange", ns03a_erange }, { "ns04a_errno", ns04a_errno }, { "ns11a_initgroups", ns11a_initgroups },
	{ "initgroups_edges", initgroups_edges }, { "ns13a_strip_view", ns13a_strip_view },
	{ "enumeration", enumeration },
};

START_TEST(answer)
{
	ck_assert_msg(module_test(answer_tests[_i].test), "%s", answer_tests[_i].name);
}
END_TEST

START_TEST(process)
{
	ck_assert_msg(module_test(process_tests[_i].test), "%s", process_tests[_i].name);
}
END_TEST

START_TEST(delta)
{
	ck_assert_msg(module_test(delta_tests[_i].test), "%s", delta_tests[_i].name);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ answer, ROWS(answer_tests) }, { process, process_test_count }, { delta, delta_test_count },
	};
	int status;

	scratch_make();
	status = suite_run("nss", rows, ROWS(rows), 120);
	scratch_remove();
	return status;
}
