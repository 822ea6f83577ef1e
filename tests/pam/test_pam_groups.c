/*
 * test_pam_groups.c - which groups a process keeps, and that it really does.
 *
 * The part that changes a process needs root and runs in a child; without root the refusal to change is tested.
 */
#include <config.h>

#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pam/pam_groups.h"
#include "tests/pam/scene.h"

#define ADA	SCENE_ADA_UID	/* also her primary group */
#define WEB	SCENE_ADA_GROUP
#define DOCKER	27u

static struct scene scene;

static void
setup(void)
{
	scene_open(&scene);
}

static void
teardown(void)
{
	scene_close(&scene);
}

static const struct {
	gid_t list[6];
	size_t count;
	gid_t want[6];
	size_t kept;
} keeps[] = {
	{ { ADA, WEB }, 2, { ADA, WEB }, 2 },
	{ { WEB, ADA }, 2, { WEB, ADA }, 2 },			/* order stays */
	{ { 0, WEB, DOCKER, ADA }, 4, { WEB, ADA, 0, DOCKER }, 2 },
	{ { DOCKER, 4, 0 }, 3, { DOCKER, 4, 0 }, 0 },
	{ { ADA, ADA }, 2, { ADA, ADA }, 2 },
	{ { 0 }, 0, { 0 }, 0 },
};

START_TEST(keep)
{
	const gid_t allowed[] = { 4000, WEB, 30000 };
	gid_t list[6];

	memcpy(list, keeps[_i].list, sizeof list);
	ck_assert_uint_eq(groups_keep(list, keeps[_i].count, ADA, allowed, 3), keeps[_i].kept);
	ck_assert_mem_eq(list, keeps[_i].want, keeps[_i].count * sizeof *list);
}
END_TEST

/* ---- a process of its own ---- */

/* The kernel keeps lists sorted. */
static const struct change {
	gid_t before[4];
	size_t count;
	gid_t after[4];
	size_t kept;
	const char *dropped;
} changes[] = {
	{ { 0, DOCKER, ADA, WEB }, 4, { ADA, WEB }, 2, "0 27" },
	{ { ADA, WEB }, 2, { ADA, WEB }, 2, "" },
	{ { ADA }, 1, { ADA }, 1, "" },			/* nothing is added, WEB neither */
	{ { 4, DOCKER }, 2, { ADA }, 1, "4 27" },	/* never an empty list: sudo matches every group then */
	{ { 0 }, 1, { 0 }, 1, "" },			/* a service's own */
	{ { 0 }, 0, { 0 }, 0, "" },			/* sshd's monitor */
};

static struct groups_change
strip(bool privileged)
{
	struct snapshot snapshot;
	struct snapshot_user ada;
	struct groups_change change;
	char path[128];

	(void)snprintf(path, sizeof path, "%s/base.1.snap", scene.dir);
	if (snapshot_open(path, getuid(), &snapshot) < 0 || snapshot_find_user(&snapshot, "ada", &ada) != 1)
		_exit(10);
	groups_strip(&snapshot, &ada, privileged, &change);
	snapshot_close(&snapshot);
	return change;
}

static int
in_child(const struct change *c)
{
	struct groups_change change;
	gid_t now[8];
	int n;

	if (setgroups(c->count, c->before) < 0)
		return 11;
	for (int twice = 0; twice < 2; twice++) {	/* idempotent: sshd calls setcred twice */
		change = strip(true);
		n = getgroups(8, now);
		if (change.failed || strcmp(change.text, twice == 0 ? c->dropped : "") != 0)
			return 12;
		if (n < 0 || (size_t)n != c->kept || memcmp(now, c->after, c->kept * sizeof *now) != 0)
			return 13;
	}
	return 0;
}

/* Root by uid, but without any capability. */
static bool
powerless(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct nothing[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	return syscall(SYS_capset, &header, nothing) == 0;
}

/* Without the right to change: a failure for who counts as root, nothing at all for everybody else. */
static int
without_right(const struct change *c)
{
	struct groups_change change;
	gid_t now[8];

	if (setgroups(c->count, c->before) < 0 || !powerless())
		return 11;
	change = strip(false);
	if (change.failed || change.dropped != 0 || getgroups(8, now) != (int)c->count)
		return 12;
	change = strip(true);
	return change.failed && strcmp(change.text, c->dropped) == 0 ? 0 : 13;
}

static int
run_child(int (*child)(const struct change *), const struct change *c)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(child(c));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(strips)
{
	if (!suite_as_root())
		return;
	ck_assert_int_eq(run_child(in_child, &changes[_i]), 0);
}
END_TEST

START_TEST(needs_right)
{
	if (!suite_as_root())
		return;
	ck_assert_int_eq(run_child(without_right, &changes[0]), 0);
}
END_TEST

/* setcred takes them and reports; open_session finds none left, and says so; a refresh touches nothing. */
static int
log_in(const struct change *c)
{
	gid_t now[8];

	if (setgroups(c->count, c->before) < 0)
		return 11;
	if (pam_setcred(scene.pamh, PAM_REFRESH_CRED) != PAM_SUCCESS || getgroups(8, now) != (int)c->count)
		return 12;
	if (pam_setcred(scene.pamh, PAM_ESTABLISH_CRED) != PAM_SUCCESS || getgroups(8, now) != (int)c->kept)
		return 13;
	return pam_open_session(scene.pamh, 0) == PAM_SUCCESS ? 0 : 14;
}

START_TEST(reports)
{
	const struct msg_done done = { .error = 0 };
	const struct step way[] = {
		EXPECT(CRED_REPORT), SEND(DONE, &done), ACCEPT,
		EXPECT(SESSION_OPEN), SEND(VERDICT, say(VERDICT_ALLOW, REASON_OK)), HANG_UP,
	};

	if (!suite_as_root())
		return;
	scene_start(&scene, "su", "ada");
	actor_play(&scene.actor, way);
	ck_assert_int_eq(run_child(log_in, &changes[0]), 0);
	ck_assert_int_eq(actor_join(&scene.actor), 0);
	ck_assert_str_eq(scene.actor.got[0].msg.cred.user, "ada");
	ck_assert_str_eq(scene.actor.got[0].msg.cred.dropped, "0 27");
	ck_assert_uint_eq(scene.actor.got[0].msg.cred.failed, 0);
	ck_assert_str_eq(scene.actor.got[1].msg.open.dropped, "");
	ck_assert_uint_eq(scene_event_count(&scene), 0);
}
END_TEST

/* Nobody to report to: the groups go all the same, and the module writes the event. */
static int
setcred_alone(const struct change *c)
{
	gid_t now[8];

	if (setgroups(c->count, c->before) < 0 || pam_setcred(scene.pamh, PAM_REINITIALIZE_CRED) != PAM_SUCCESS)
		return 11;
	return getgroups(8, now) == (int)c->kept ? 0 : 12;
}

START_TEST(reports_itself)
{
	if (!suite_as_root())
		return;
	scene_stop(&scene);
	scene_start(&scene, "sudo", "ada");
	ck_assert_int_eq(run_child(setcred_alone, &changes[0]), 0);
	ck_assert_uint_eq(scene_event_count(&scene), 1);
	ck_assert_ptr_nonnull(strstr(scene_events(&scene), "ISMS_GROUPS=0 27"));
}
END_TEST

/* What could not be taken away denies the session, whatever the front says. */
static int
open_without_right(const struct change *c)
{
	if (setgroups(c->count, c->before) < 0 || !powerless())
		return 11;
	return pam_open_session(scene.pamh, 0) == PAM_SESSION_ERR ? 0 : 12;
}

START_TEST(session_denied)
{
	const struct step way[] = { EXPECT(SESSION_OPEN), SEND(VERDICT, say(VERDICT_ALLOW, REASON_OK)), HANG_UP };

	if (!suite_as_root())
		return;
	scene_start(&scene, "su", "ada");
	actor_play(&scene.actor, way);
	ck_assert_int_eq(run_child(open_without_right, &changes[0]), 0);
	ck_assert_int_eq(actor_join(&scene.actor), 0);
	ck_assert_uint_eq(scene.actor.got[0].msg.open.strip_failed, 1);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ keep, ROWS(keeps) }, { strips, ROWS(changes) }, { needs_right, 0 }, { reports, 0 }, { reports_itself, 0 },
		{ session_denied, 0 },
	};

	return scene_run("pam_groups", rows, ROWS(rows), setup, teardown);
}
