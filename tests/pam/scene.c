/*
 * scene.c - a PAM application with everything that pam_isms meets, in a temporary folder.
 */
#include <config.h>

#include "tests/pam/scene.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/snapshot_write.h"

#define HUGE_BYTES (1024 * 1024)

static const struct { const char *service, *options; } stacks[] = {
	{ "sshd", "" }, { "su", "" }, { "sudo", "" }, { "cron", "" }, { "locker", "" },
	{ "login", "" }, { "verbose", "debug" }, { "first", "use_first_pass" }, { "typo", "use_frist_pass" },
	{ "who", "identify" },
};

static void
path_of(const struct scene *scene, const char *name, char ret[static 512])
{
	(void)snprintf(ret, 512, "%s/%s", scene->dir, name);
}

void
scene_write(const struct scene *scene, const char *name, const char *text)
{
	char path[512];
	FILE *f;

	path_of(scene, name, path);
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void
publish(const struct scene *scene, bool with_ada)
{
	const uint32_t groups[] = { SCENE_ADA_GROUP };
	const struct snapshot_header_in header = {
		.generation = 1, .created_utc_sec = time(NULL), .valid_until_utc_sec = time(NULL) + 3600,
		.contact = SCENE_CONTACT,
	};
	struct snapshot_builder *b = snapshot_builder_new();

	ck_assert_ptr_nonnull(b);
	ck_assert_int_eq(snapshot_builder_add_group(b, SCENE_ADA_UID, "ada"), 0);
	ck_assert_int_eq(snapshot_builder_add_group(b, SCENE_ADA_GROUP, "web-deploy"), 0);
	if (with_ada)
		ck_assert_int_eq(snapshot_builder_add_user(b, SCENE_ADA_UID, SCENE_ADA_UID, "ada", "Ada", "/home/ada",
		    "/bin/bash", groups, 1), 0);
	ck_assert_int_eq(snapshot_builder_add_user(b, 20009, SCENE_ADA_UID, "eve", "Eve", "/home/eve", "/bin/bash",
	    NULL, 0), 0);
	ck_assert_int_eq(snapshot_builder_publish(b, scene->dir, &header), 0);
	snapshot_builder_free(b);
}

void
scene_snapshot(const struct scene *scene)
{
	publish(scene, true);
}

void
scene_snapshot_without_ada(const struct scene *scene)
{
	publish(scene, false);
}

void
scene_no_snapshot(const struct scene *scene)
{
	char path[512];

	path_of(scene, "base.1.snap", path);
	ck_assert_int_eq(unlink(path), 0);
}

void
scene_corrupt_snapshot(const struct scene *scene)
{
	scene_no_snapshot(scene);
	scene_write(scene, "base.1.snap", "not a snapshot");
}

static void
write_stacks(const struct scene *scene)
{
	/* pam_debug stands where only PAM_IGNORE leads: libpam would hide that code. */
	static const char stack[] = "%s [success=done new_authtok_reqd=done ignore=ignore default=die] " TEST_MODULE " %s\n"
	    "%s [default=die] pam_debug.so auth=module_unknown cred=module_unknown acct=module_unknown "
	    "prechauthtok=module_unknown chauthtok=module_unknown open_session=module_unknown close_session=module_unknown\n";
	static const char *const types[] = { "auth", "account", "session", "password" };
	char text[4096];

	for (size_t i = 0; i < sizeof stacks / sizeof *stacks; i++) {
		size_t used = 0;

		for (size_t t = 0; t < sizeof types / sizeof *types; t++)
			used += (size_t)snprintf(text + used, sizeof text - used, stack, types[t], stacks[i].options, types[t]);
		scene_write(scene, stacks[i].service, text);
	}
	scene_write(scene, "other", "auth required pam_deny.so\naccount required pam_deny.so\n");
}

void
scene_listen(struct scene *scene)
{
	char path[512];

	path_of(scene, "ismsd.sock", path);
	act_open(&scene->actor, path);
	scene->listening = true;
}

void
scene_stop(struct scene *scene)
{
	char path[512];

	if (!scene->listening)
		return;
	actor_close(&scene->actor);
	path_of(scene, "ismsd.sock", path);
	ck_assert_int_eq(unlink(path), 0);
	scene->listening = false;
}

/*
 * The owner of the folder stands for root, whose supplementary groups the module takes away. An ordinary user's stay,
 * which is a refusal: where that is so, the module is told that there are none. With them, as root: test_pam_groups.
 */
static void
hide_groups(void)
{
	static gid_t groups[65536];
	int n = getgroups(sizeof groups / sizeof groups[0], groups);

	ck_assert_int_ge(n, 0);
	if (setgroups((size_t)n, groups) == 0)
		ck_assert_int_eq(unsetenv("ISMS_TEST_NO_GROUPS"), 0);
	else
		ck_assert_int_eq(setenv("ISMS_TEST_NO_GROUPS", "1", 1), 0);
}

void
scene_open(struct scene *scene)
{
	char text[256];

	memset(scene, 0, sizeof *scene);
	(void)snprintf(scene->dir, sizeof scene->dir, "%s/isms-pam-XXXXXX", suite_folder());
	ck_assert_ptr_nonnull(mkdtemp(scene->dir));
	ck_assert_int_eq(setenv("ISMS_TEST_DIR", scene->dir, 1), 0);
	ck_assert_int_eq(unsetenv("ISMS_TEST_SELF"), 0);
	ck_assert_int_eq(unsetenv("ISMS_TEST_HURRY"), 0);
	hide_groups();
	(void)snprintf(text, sizeof text, "root:x:0:0:root:/root:/bin/bash\nbob:x:1000:1000::/home/bob:/bin/bash\n"
	    "isms:x:%u:999::/:/usr/sbin/nologin\n", (unsigned)getuid());
	scene_write(scene, "passwd", text);
	scene_snapshot(scene);
	write_stacks(scene);
	scene_listen(scene);
}

void
scene_end(struct scene *scene)
{
	if (scene->pamh != NULL)
		ck_assert_int_eq(pam_end(scene->pamh, PAM_SUCCESS), PAM_SUCCESS);
	scene->pamh = NULL;
}

void
scene_close(struct scene *scene)
{
	struct dirent *entry;
	char path[512];
	DIR *dir;

	scene_end(scene);
	scene_stop(scene);
	dir = opendir(scene->dir);
	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)) != NULL) {
		path_of(scene, entry->d_name, path);
		if (entry->d_name[0] != '.')
			(void)unlink(path);
	}
	(void)closedir(dir);
	ck_assert_int_eq(rmdir(scene->dir), 0);
}

/* ---- the person ---- */

static int
answer(const struct scene *scene, const struct typed *typed, struct pam_response *response)
{
	switch (typed->reply) {
	case REPLY_TEXT:
	case REPLY_ERROR_AND_TEXT:
		response->resp = strdup(typed->text);
		return typed->reply == REPLY_TEXT ? PAM_SUCCESS : PAM_CONV_ERR;
	case REPLY_MADE:
	case REPLY_ERROR_AND_MADE:
		response->resp = scene->make(scene->asked);
		return typed->reply == REPLY_MADE ? PAM_SUCCESS : PAM_CONV_ERR;
	case REPLY_HUGE:
		response->resp = malloc(HUGE_BYTES + 1);
		memset(response->resp, 'x', HUGE_BYTES);
		response->resp[HUGE_BYTES] = '\0';
		return PAM_SUCCESS;
	case REPLY_NULL_TEXT:
		return PAM_SUCCESS;
	case REPLY_AGAIN:
		return PAM_CONV_AGAIN;
	case REPLY_NULL:
	case REPLY_ERROR:
	case REPLY_NONE:
		break;
	}
	return PAM_CONV_ERR;
}

static int
prompted(struct scene *scene, struct pam_response **ret)
{
	static const struct typed nothing = { REPLY_NONE, NULL };
	const struct typed *typed = scene->typed == NULL ? &nothing : &scene->typed[scene->asked];
	int r;

	if (scene->on_prompt != NULL)
		scene->on_prompt(scene);
	if (typed->reply == REPLY_NONE) {
		scene->beyond++;
		return PAM_CONV_ERR;
	}
	scene->asked++;
	if (typed->reply == REPLY_NULL)
		return PAM_SUCCESS;
	*ret = calloc(1, sizeof **ret);
	if (*ret == NULL)
		return PAM_BUF_ERR;
	r = answer(scene, typed, *ret);
	if (r != PAM_SUCCESS && typed->reply != REPLY_ERROR_AND_TEXT && typed->reply != REPLY_ERROR_AND_MADE) {
		free(*ret);
		*ret = NULL;
	}
	return r;
}

static int
converse(int count, const struct pam_message **messages, struct pam_response **ret, void *arg)
{
	struct scene *scene = arg;
	int style = messages[0]->msg_style;

	if (count != 1)
		return PAM_CONV_ERR;
	if (scene->on_watch != NULL && strcmp(messages[0]->msg, "watch") == 0) {
		scene->on_watch(scene);
		return PAM_SUCCESS;
	}
	if (scene->lines < SCENE_LINES_MAX) {
		scene->line[scene->lines].style = style;
		(void)snprintf(scene->line[scene->lines].text, sizeof scene->line[0].text, "%s", messages[0]->msg);
		scene->lines++;
	}
	if (style == PAM_PROMPT_ECHO_ON || style == PAM_PROMPT_ECHO_OFF)
		return prompted(scene, ret);
	*ret = calloc(1, sizeof **ret);	/* some applications give an empty response to a message, too */
	return PAM_SUCCESS;
}

/* Instead of libpam's sleep. */
static void
delay(int status, unsigned usec, void *arg)
{
	struct scene *scene = arg;

	(void)status;
	scene->delay_usec = usec;
}

void
scene_start(struct scene *scene, const char *service, const char *user)
{
	const struct pam_conv conv = { .conv = converse, .appdata_ptr = scene };

	scene_end(scene);
	scene->asked = scene->beyond = scene->lines = scene->delay_usec = 0;
	ck_assert_int_eq(pam_start_confdir(service, user, &conv, scene->dir, &scene->pamh), PAM_SUCCESS);
	ck_assert_int_eq(pam_set_item(scene->pamh, PAM_FAIL_DELAY, (const void *)delay), PAM_SUCCESS);
}

/* ---- what came of it ---- */

const char *
scene_events(const struct scene *scene)
{
	static char text[16384];
	char path[512];
	size_t n = 0;
	FILE *f;

	path_of(scene, "events", path);
	f = fopen(path, "re");
	if (f != NULL) {
		n = fread(text, 1, sizeof text - 1, f);
		(void)fclose(f);
	}
	text[n] = '\0';
	return text;
}

unsigned
scene_event_count(const struct scene *scene)
{
	unsigned n = 0;

	for (const char *c = scene_events(scene); *c != '\0'; c++)
		n += *c == '\n';
	return n;
}

bool
scene_saw(const struct scene *scene, int style, const char *text)
{
	for (unsigned i = 0; i < scene->lines; i++)
		if ((style == 0 || scene->line[i].style == style) && strcmp(scene->line[i].text, text) == 0)
			return true;
	return false;
}

const struct msg_prompt *
say_password(void)
{
	static const struct msg_prompt prompt = { .echo = 0, .is_password = 1, .text = "Password: " };

	return &prompt;
}

const struct msg_prompt *
say_code(void)
{
	static const struct msg_prompt prompt = { .echo = 1, .is_password = 0, .text = "One-time code: " };

	return &prompt;
}

const struct msg_verdict *
say(enum verdict verdict, enum reason reason)
{
	static struct msg_verdict said[VERDICT_COUNT];

	said[verdict] = (struct msg_verdict){ .verdict = verdict, .reason = reason,
		.txn = "0123456789abcdef0123456789abcdef" };
	if (verdict == VERDICT_ALLOW)
		strcpy(said[verdict].proof, "fedcba9876543210fedcba9876543210");
	else
		strcpy(said[verdict].text, "Access refused. If you should have access, contact " SCENE_CONTACT ".");
	return &said[verdict];
}

int
scene_call(struct scene *scene, const struct step *steps, int (*call)(pam_handle_t *, int), int flags)
{
	int rc;

	actor_play(&scene->actor, steps);
	rc = call(scene->pamh, flags);
	ck_assert_int_eq(actor_join(&scene->actor), 0);
	return rc;
}

int
scene_run(const char *name, const struct suite_row *rows, int count, void (*setup)(void), void (*teardown)(void))
{
	return suite_run_between(name, rows, count, SUITE_PATIENCE_SEC, setup, teardown);
}
