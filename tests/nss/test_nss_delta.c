/*
 * test_nss_delta.c - the built module upon a base with a delta: what it answers, maps, and does when one is bad.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/snapshot.h"
#include "tests/nss/module.h"
#include "tests/nss/scratch.h"
#include "tests/nss/test_nss.h"

static char buf[65536];
static struct passwd pw;
static struct group gr;
static int error;

static enum nss_status
look_up(void)
{
	return module.getpwnam_r("u1", &pw, buf, sizeof buf, &error);
}

/* A second, after which a file that was refused is tried again. */
static void
pass_a_second(void)
{
	const struct timespec time = { .tv_sec = 1, .tv_nsec = 100000000 };

	(void)nanosleep(&time, NULL);
}

/* u1 has another shell, u2 is gone, v is new; u3 left the group of all. */
static void
publish_changes(uint64_t generation)
{
	struct snapshot_header_in header = plain_header;
	struct snapshot_builder *b;
	struct snapshot base;

	MUST(snapshot_open(scratch_path("./" SNAPSHOT_BASE_NAME), getuid(), &base) == 0);
	b = snapshot_builder_new_delta(&base);
	for (uint32_t i = 1; i <= 3; i++)
		MUST(snapshot_builder_hide_user(b, POPULATION_UID + i) == 0);
	MUST(snapshot_builder_hide_group(b, POPULATION_EVERYBODY) == 0);
	for (uint32_t j = 0; j < many_users.groups; j++) {
		char name[16];

		(void)snprintf(name, sizeof name, "g%u", j);
		MUST(snapshot_builder_hide_group(b, POPULATION_GID + j) == 0);
		MUST(snapshot_builder_add_group(b, POPULATION_GID + j, name) == 0);
		MUST(snapshot_builder_keep_members(b, POPULATION_GID + j) == 0);
	}
	MUST(snapshot_builder_add_group(b, POPULATION_EVERYBODY, "everybody") == 0);
	MUST(snapshot_builder_keep_members(b, POPULATION_EVERYBODY) == 0);
	MUST(snapshot_builder_add_user(b, POPULATION_UID + 1, 4000, "u1", "", "/", "/bin/zsh",
	    (const uint32_t[]){ POPULATION_EVERYBODY }, 1) == 0);
	MUST(snapshot_builder_add_user(b, POPULATION_UID + 3, 4000, "u3", "", "/", "/bin/sh", NULL, 0) == 0);
	MUST(snapshot_builder_add_user(b, 4500, 4000, "v", "", "/", "/bin/sh", (const uint32_t[]){ 27 }, 1) == 0);
	header.generation = generation;
	MUST(snapshot_builder_publish(b, scratch_path("."), &header) == 0);
	snapshot_builder_free(b);
	snapshot_close(&base);
}

static void
delta_answers(void)
{
	long start = 1, size = 64;
	gid_t *gids = calloc(64, sizeof *gids);
	uid_t last = 0;
	int listed = 0, members = 0;

	module_publish(&many_users, &plain_header);
	module_load();
	MUST(look_up() == NSS_STATUS_SUCCESS && strcmp(pw.pw_shell, "/bin/bash") == 0);
	publish_changes(2);
	MUST(look_up() == NSS_STATUS_SUCCESS && strcmp(pw.pw_shell, "/bin/zsh") == 0 && strcmp(pw.pw_dir, "/") == 0);
	MUST(module.getpwnam_r("u2", &pw, buf, sizeof buf, &error) == NSS_STATUS_NOTFOUND);
	MUST(module.getpwuid_r(POPULATION_UID + 2, &pw, buf, sizeof buf, &error) == NSS_STATUS_NOTFOUND);
	MUST(module.getpwuid_r(4500, &pw, buf, sizeof buf, &error) == NSS_STATUS_SUCCESS && strcmp(pw.pw_name, "v") == 0);
	MUST(module.getpwnam_r("u4", &pw, buf, sizeof buf, &error) == NSS_STATUS_SUCCESS);
	MUST(module.initgroups_dyn("u3", 4000, &start, &size, &gids, -1, &error) == NSS_STATUS_SUCCESS && start == 1);
	MUST(module.initgroups_dyn("v", 4000, &start, &size, &gids, -1, &error) == NSS_STATUS_SUCCESS);
	MUST(start == 2 && gids[1] == 27);
	start = 1;
	MUST(module.initgroups_dyn("u4", 4000, &start, &size, &gids, -1, &error) == NSS_STATUS_SUCCESS && start == 22);
	MUST(module.getgrgid_r(POPULATION_EVERYBODY, &gr, buf, sizeof buf, &error) == NSS_STATUS_SUCCESS);
	for (; gr.gr_mem[members] != NULL; members++)
		MUST(strcmp(gr.gr_mem[members], "u2") != 0 && strcmp(gr.gr_mem[members], "u3") != 0);
	MUST(members == 198 && strcmp(gr.gr_mem[0], "u0") == 0 && strcmp(gr.gr_mem[197], "u1") == 0);
	MUST(module.setpwent(0) == NSS_STATUS_SUCCESS);
	for (; module.getpwent_r(&pw, buf, sizeof buf, &error) == NSS_STATUS_SUCCESS; listed++) {
		MUST(pw.pw_uid > last && strcmp(pw.pw_name, "u2") != 0);
		last = pw.pw_uid;
		if (listed == 100)
			publish_changes(3);	/* another generation in the middle */
	}
	MUST(listed == 200 && module_sends == 0 && !module_strange_open);
	free(gids);
}

/* A change maps the small file, and the page; the base stays where it is. */
static void
delta_keeps_the_base(void)
{
	uintptr_t base;
	int opens;

	module_publish(&many_users, &plain_header);
	module_load();
	MUST(look_up() == NSS_STATUS_SUCCESS && module_delta_mappings() == 0);
	base = module_mapping();
	for (uint64_t generation = 2; generation < 50; generation++) {
		publish_changes(generation);
		opens = module_opens;
		MUST(look_up() == NSS_STATUS_SUCCESS && strcmp(pw.pw_shell, "/bin/zsh") == 0);
		MUST(module_opens - opens == 2 && module_mapping() == base);
		MUST(module_mappings() == 1 && module_delta_mappings() == 1);
	}
}

/* While a delta is there that cannot be used, the base alone is no answer: what it says is older. */
static void
delta_refused_and_cured(void)
{
	struct snapshot_header_in next = plain_header;
	const char *delta;

	module_publish(&many_users, &plain_header);
	publish_changes(2);
	delta = scratch_path("delta.1.0000000000000001.snap");
	MUST(chmod(delta, 0666) == 0);
	module_load();
	for (int i = 0; i < 10; i++)
		MUST(look_up() == NSS_STATUS_UNAVAIL && error == EINVAL);
	MUST(module_sends == 1 && strstr(module_last_event, "or its delta, is not") != NULL && module_mappings() == 0);
	MUST(chmod(delta, 0644) == 0);
	pass_a_second();
	MUST(look_up() == NSS_STATUS_SUCCESS && strcmp(pw.pw_shell, "/bin/zsh") == 0 && module_delta_mappings() == 1);
	/* one of another base: what is mapped serves on */
	next.generation = 3;
	module_publish(&many_users, &next);
	module_withdraw_bare();		/* else the page says that it has none */
	MUST(rename(scratch_path("delta.1.0000000000000001.snap"), scratch_path("delta.1.0000000000000003.snap")) == 0);
	MUST(look_up() == NSS_STATUS_SUCCESS && strcmp(pw.pw_shell, "/bin/zsh") == 0);
	MUST(module_sends == 2 && strstr(module_last_event, "its delta belongs to another") != NULL);
	MUST(module_delta_mappings() == 1);
	MUST(unlink(scratch_path("delta.1.0000000000000003.snap")) == 0);
	pass_a_second();
	MUST(look_up() == NSS_STATUS_SUCCESS && strcmp(pw.pw_shell, "/bin/bash") == 0);
	MUST(module_mappings() == 1 && module_delta_mappings() == 0);
}

const struct process_test delta_tests[] = {
	{ "delta_answers", delta_answers }, { "delta_keeps_the_base", delta_keeps_the_base },
	{ "delta_refused_and_cured", delta_refused_and_cured },
};
const int delta_test_count = sizeof delta_tests / sizeof delta_tests[0];
