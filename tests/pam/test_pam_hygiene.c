/*
 * test_pam_hygiene.c - what pam_isms leaves behind in its caller: nothing (CASES PH).
 */
#include <config.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/pam/scene.h"

#define FD_MAX 256

typedef int entry_point(pam_handle_t *, int, int, const char **);

static struct scene scene;

static const struct typed both[] = { { REPLY_TEXT, "right horse" }, { REPLY_TEXT, "123456" }, { REPLY_NONE, NULL } };

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

/* ---- descriptors ---- */

static void
list_fds(bool ret[FD_MAX])
{
	for (int fd = 0; fd < FD_MAX; fd++)
		ret[fd] = fcntl(fd, F_GETFD) >= 0;
}

static bool used_stdio;

static void
look_at_stdio(struct scene *s)
{
	bool fds[FD_MAX];

	(void)s;
	list_fds(fds);
	used_stdio |= fds[0] || fds[1] || fds[2];
}

START_TEST(ph01a_descriptors)
{
	const struct step way[] = {
		EXPECT(AUTH_BEGIN), SEND(PROMPT, say_password()), EXPECT(ANSWER), SEND(PROMPT, say_code()), EXPECT(ANSWER),
		SEND(VERDICT, say(VERDICT_ALLOW, REASON_AUTH_PASSED)), ACCEPT,
		EXPECT(ACCOUNT), SEND(VERDICT, say(VERDICT_ALLOW, REASON_OK)), EXPECT(ACK), ACCEPT,
		EXPECT(SESSION_OPEN), HANG_UP,
	};
	bool before[FD_MAX], after[FD_MAX];
	int saved[3], status, rc[4];
	pid_t pid;

	pid = actor_fork(&scene.actor, way);
	scene_start(&scene, "su", "ada");
	scene.typed = both;
	scene.on_prompt = look_at_stdio;
	for (int fd = 0; fd < 3; fd++) {
		saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 100);
		(void)close(fd);
	}
	list_fds(before);
	rc[0] = pam_authenticate(scene.pamh, 0);
	rc[1] = pam_acct_mgmt(scene.pamh, 0);
	rc[2] = pam_open_session(scene.pamh, 0);
	scene_start(&scene, "su", "nobody-there");
	rc[3] = pam_setcred(scene.pamh, PAM_ESTABLISH_CRED);
	list_fds(after);
	for (int fd = 0; fd < 3; fd++) {
		(void)dup2(saved[fd], fd);
		(void)close(saved[fd]);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(rc[0], PAM_SUCCESS);
	ck_assert_int_eq(rc[1], PAM_SUCCESS);
	ck_assert_int_eq(rc[2], PAM_SESSION_ERR);
	ck_assert_int_eq(rc[3], SCENE_IGNORE);
	ck_assert(!used_stdio);
	ck_assert_mem_eq(before, after, sizeof before);
}
END_TEST

/* No descriptor to be had at all: refused. (The entry point itself: libpam fails besides, for its audit record.) */
START_TEST(ph01a_no_descriptor)
{
	const struct step granted[] = {
		EXPECT(ACCOUNT), SEND(VERDICT, say(VERDICT_ALLOW, REASON_OK)), EXPECT(ACK), HANG_UP,
	};
	struct rlimit limit, none;
	entry_point *entry;
	void *module;
	int rc[2];

	scene_start(&scene, "su", "ada");
	module = dlopen(TEST_MODULE, RTLD_NOW);
	ck_assert_ptr_nonnull(module);
	entry = (entry_point *)dlsym(module, "pam_sm_acct_mgmt");
	ck_assert_ptr_nonnull(entry);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = limit.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	rc[0] = entry(scene.pamh, 0, 0, NULL);
	ck_assert_int_eq(pam_set_item(scene.pamh, PAM_USER, "nobody-there"), PAM_SUCCESS);
	rc[1] = entry(scene.pamh, 0, 0, NULL);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_int_eq(rc[0], PAM_PERM_DENIED);
	ck_assert_int_eq(rc[1], PAM_PERM_DENIED);
	(void)dlclose(module);
	scene_start(&scene, "su", "ada");
	ck_assert_int_eq(scene_call(&scene, granted, pam_acct_mgmt, 0), PAM_SUCCESS);
}
END_TEST

START_TEST(ph02a_daemon_closes)
{
	const struct step at_once[] = { PAUSE(0), HANG_UP };
	const struct step after_prompt[] = { EXPECT(AUTH_BEGIN), SEND(PROMPT, say_password()), HANG_UP };

	(void)signal(SIGPIPE, SIG_DFL);
	scene_start(&scene, "su", "ada");
	for (int i = 0; i < 50; i++) {
		scene.typed = both;
		scene.asked = 0;
		ck_assert_int_eq(scene_call(&scene, i % 2 == 0 ? at_once : after_prompt, pam_authenticate, 0), PAM_AUTH_ERR);
	}
}
END_TEST

/* ---- secrets ---- */

#define CANARY_LEN	64
#define PIECE_LEN	16	/* both ends are looked for: free() writes over the first, a copy may lack the last */
#define MASK		0x55
#define CANARIES	3	/* prompts of an auth, at most */

static char canaries[CANARIES][CANARY_LEN];	/* masked: this process must not hold the plain text itself */
static uint8_t window[1 << 20];

static char *
make_canary(unsigned prompt)
{
	char *plain = malloc(CANARY_LEN + 1);

	ck_assert_ptr_nonnull(plain);
	for (int i = 0; i < CANARY_LEN; i++)
		plain[i] = (char)(canaries[prompt - 1][i] ^ MASK);
	plain[CANARY_LEN] = '\0';
	return plain;
}

static unsigned
count_piece(const char *masked, const uint8_t *p, size_t n)
{
	const uint8_t *end = p + n;
	unsigned found = 0;

	while (end - p >= PIECE_LEN) {
		int i = 0;

		p = memchr(p, masked[0] ^ MASK, (size_t)(end - p));
		if (p == NULL || end - p < PIECE_LEN)
			break;
		while (i < PIECE_LEN && p[i] == (uint8_t)(masked[i] ^ MASK))
			i++;
		found += i == PIECE_LEN;
		p++;
	}
	return found;
}

static unsigned
count_canaries(const uint8_t *p, size_t n)
{
	unsigned found = 0;

	for (int c = 0; c < CANARIES; c++)
		for (int at = 0; at < CANARY_LEN; at += CANARY_LEN - PIECE_LEN)
			found += count_piece(canaries[c] + at, p, n);
	return found;
}

/* How many pieces of a canary stand in writable memory of this process: what a core file would show. */
static unsigned
scan_memory(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	unsigned long from, to;
	unsigned found = 0;
	char line[512], mode[8];

	ck_assert_ptr_nonnull(maps);
	ck_assert_int_ge(mem, 0);
	while (fgets(line, sizeof line, maps) != NULL) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3 || mode[1] != 'w' || to - from > (1ul << 32))
			continue;
		for (unsigned long at = from; at < to; at += sizeof window - CANARY_LEN) {
			bool own = at < (unsigned long)window + sizeof window && at + sizeof window > (unsigned long)window;
			ssize_t n = own ? 0 : pread(mem, window, to - at < sizeof window ? to - at : sizeof window, (off_t)at);

			found += n > 0 ? count_canaries(window, (size_t)n) : 0;
		}
	}
	explicit_bzero(window, sizeof window);
	(void)fclose(maps);
	(void)close(mem);
	return found;
}

static void
make_canaries(void)
{
	FILE *f = fopen("/dev/urandom", "re");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fread(canaries, sizeof canaries, 1, f), 1);
	(void)fclose(f);
	for (size_t i = 0; i < sizeof canaries; i++)	/* no zero byte in the plain text */
		if (((char *)canaries)[i] == MASK)
			((char *)canaries)[i] = 'x';
}

static bool unscanned;

/* One auth against a front in another process, then the scan: nothing that was typed stands anywhere. */
static int
type_and_scan(const struct step *way, const char *user, const struct typed *typed)
{
	int status, rc;
	pid_t pid;

	make_canaries();
	pid = actor_fork(&scene.actor, way);
	scene_start(&scene, "su", user);
	scene.typed = typed;
	scene.make = make_canary;
	rc = pam_authenticate(scene.pamh, 0);
	scene_end(&scene);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	if (!unscanned)
		ck_assert_uint_eq(scan_memory(), 0);
	return rc;
}

static const struct typed made[] = { { REPLY_MADE, NULL }, { REPLY_MADE, NULL }, { REPLY_NONE, NULL } };

/* Loop: granted, refused, the daemon gone after the code, unknown name. */
START_TEST(ph04a_wiped)
{
	const struct step end[] = {
		SEND(VERDICT, say(VERDICT_ALLOW, REASON_AUTH_PASSED)), SEND(VERDICT, say(VERDICT_DENY, REASON_MFA_FAILED)), HANG_UP,
		SEND(VERDICT, say(VERDICT_NOT_OURS, REASON_UNKNOWN_USER)),
	};
	const int want[] = { PAM_SUCCESS, PAM_AUTH_ERR, PAM_AUTH_ERR, PAM_USER_UNKNOWN };
	const struct step way[] = {
		EXPECT(AUTH_BEGIN), SEND(PROMPT, say_password()), EXPECT(ANSWER), SEND(PROMPT, say_code()), EXPECT(ANSWER),
		end[_i], HANG_UP,
	};

	ck_assert_int_eq(type_and_scan(way, _i == 3 ? "nobody-there" : "ada", made), want[_i]);
	ck_assert_uint_eq(scene.asked, 2);
}
END_TEST

/* Loop: the conversation fails at the k-th of three prompts, with and without a text all the same. */
START_TEST(pa04a_wiped)
{
	const struct step way[] = {	/* a front that goes on asking, and says yes in the end */
		EXPECT(AUTH_BEGIN), SEND(PROMPT, say_password()), EXPECT(ANSWER), SEND(PROMPT, say_code()), EXPECT(ANSWER),
		SEND(PROMPT, say_code()), EXPECT(ANSWER), SEND(VERDICT, say(VERDICT_ALLOW, REASON_AUTH_PASSED)), HANG_UP,
	};
	const unsigned failing = (unsigned)_i / 2;
	struct typed typed[5] = { made[0], made[0], made[0], { REPLY_NONE, NULL } };

	unscanned = getenv("ISMS_VALGRIND") != NULL;	/* minutes; there it is for leaks */
	if (failing < 3)
		typed[failing].reply = _i % 2 == 0 ? REPLY_ERROR : REPLY_ERROR_AND_MADE;
	ck_assert_int_eq(type_and_scan(way, "ada", typed), failing < 3 ? PAM_AUTH_ERR : PAM_SUCCESS);
	ck_assert_uint_eq(scene.asked, failing < 3 ? failing + 1 : 3);
	unscanned = false;
}
END_TEST

/* The twin: the scan finds one that somebody keeps, and nothing once that is wiped ... */
START_TEST(ph04a_scan_finds)
{
	char *kept;

	make_canaries();
	kept = make_canary(2);
	ck_assert_uint_ge(scan_memory(), 2);
	explicit_bzero(kept, CANARY_LEN);
	free(kept);
	if (getenv("ISMS_VALGRIND") == NULL)	/* which keeps registers in memory */
		ck_assert_uint_eq(scan_memory(), 0);
}
END_TEST

/* ... and one that was freed as it was, deep in a block that the scan's own streams do not use up. */
START_TEST(ph04a_scan_finds_freed)
{
	enum { BLOCK = 16384, AT = 12000 };
	char *kept, *block = malloc(BLOCK), *fence = malloc(64);	/* what is freed must not be the end of the heap */

	ck_assert(block != NULL && fence != NULL);
	make_canaries();
	kept = make_canary(2);
	for (int i = 0; i < CANARY_LEN; i++)
		((volatile char *)block)[AT + i] = kept[i];
	explicit_bzero(kept, CANARY_LEN);
	free(kept);
	free(block);
	ck_assert_uint_ge(scan_memory(), 1);
	free(fence);
}
END_TEST

/* ---- the caller's state ---- */

struct state {
	int error;
	mode_t mask;
	char cwd[512];
	sigset_t blocked;
	void (*on_pipe)(int), (*on_alarm)(int);
	uid_t uid[3];
	gid_t gid[3];
	struct rlimit limit[RLIM_NLIMITS];
};

static void
read_state(struct state *ret)
{
	struct sigaction action;
	int saved = errno;

	memset(ret, 0, sizeof *ret);
	ret->error = saved;
	ret->mask = umask(0);
	(void)umask(ret->mask);
	ck_assert_ptr_nonnull(getcwd(ret->cwd, sizeof ret->cwd));
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, NULL, &ret->blocked), 0);
	ck_assert_int_eq(sigaction(SIGPIPE, NULL, &action), 0);
	ret->on_pipe = action.sa_handler;
	ck_assert_int_eq(sigaction(SIGALRM, NULL, &action), 0);
	ret->on_alarm = action.sa_handler;
	ck_assert_int_eq(getresuid(&ret->uid[0], &ret->uid[1], &ret->uid[2]), 0);
	ck_assert_int_eq(getresgid(&ret->gid[0], &ret->gid[1], &ret->gid[2]), 0);
	for (unsigned i = 0; i < RLIM_NLIMITS; i++)
		ck_assert_int_eq(getrlimit((__rlimit_resource_t)i, &ret->limit[i]), 0);
	errno = saved;
}

static const struct {
	const char *name;
	int flags;
	enum message request;
} entries[] = {
	{ "pam_sm_acct_mgmt", 0, MSG_ACCOUNT },
	{ "pam_sm_setcred", PAM_ESTABLISH_CRED, MSG_CRED_REPORT },
	{ "pam_sm_setcred", PAM_REINITIALIZE_CRED, MSG_CRED_REPORT },
	{ "pam_sm_setcred", PAM_DELETE_CRED, MSG_CRED_REPORT },
	{ "pam_sm_open_session", 0, MSG_SESSION_OPEN },
	{ "pam_sm_close_session", 0, MSG_SESSION_CLOSE },
	{ "pam_sm_chauthtok", PAM_PRELIM_CHECK, MSG_CHANGE_BEGIN },
	{ "pam_sm_chauthtok", PAM_UPDATE_AUTHTOK, MSG_CHANGE_BEGIN },
};

/* The whole talk that a request leads to; returns whether a managed user's call comes to its end. */
static bool
script(struct step way[8], enum message request)
{
	static const struct msg_done done = { .error = 0 };
	const bool reports = request == MSG_CRED_REPORT || request == MSG_SESSION_CLOSE;
	int step = 0;

	way[step++] = (struct step){ .op = ACT_EXPECT, .number = request };
	if (request == MSG_CHANGE_BEGIN) {
		way[step++] = (struct step)SEND(PROMPT, say_password());
		way[step++] = (struct step)EXPECT(ANSWER);
		way[step++] = (struct step)SEND(PROMPT, say_code());
		way[step++] = (struct step)EXPECT(ANSWER);
	}
	way[step++] = reports ? (struct step)SEND(DONE, &done) : (struct step)SEND(VERDICT, say(VERDICT_DENY, REASON_LOCKED));
	way[step] = (struct step)HANG_UP;
	return request != MSG_CRED_REPORT;	/* only where there is a group to lose */
}

/* The entry points themselves are called: libpam sets errno besides (its audit record). Loop over names. */
START_TEST(ph05a_state)
{
	static const char *const names[] = { "ada", "bob", "nobody-there" };
	void *module = dlopen(TEST_MODULE, RTLD_NOW);
	struct state before, after;
	mode_t mask;

	ck_assert_ptr_nonnull(module);
	mask = umask(0137);
	for (int i = 0; i < 2 * ROWS(entries); i++) {	/* the second time without a daemon */
		entry_point *entry = (entry_point *)dlsym(module, entries[i / 2].name);
		struct step way[8];
		bool whole = script(way, entries[i / 2].request);

		ck_assert_ptr_nonnull(entry);
		scene_start(&scene, "su", names[_i]);
		scene.typed = both;
		if (i % 2 == 0)
			actor_play(&scene.actor, way);
		else
			scene_stop(&scene);
		errno = 4711;
		read_state(&before);
		(void)entry(scene.pamh, entries[i / 2].flags, 0, NULL);
		read_state(&after);
		ck_assert_mem_eq(&before, &after, sizeof before);
		if (i % 2 == 1)
			scene_listen(&scene);
		else if (actor_abandon(&scene.actor) != 0)
			ck_assert_msg(!whole || _i != 0, "%s: the talk was not held", entries[i / 2].name);
	}
	(void)umask(mask);
	(void)dlclose(module);
}
END_TEST

static struct state watched[2];
static unsigned watches;

static void
watch(struct scene *s)
{
	(void)s;
	if (watches == 0)
		errno = 4711;
	if (watches < 2)
		read_state(&watched[watches]);
	watches++;
}

/* Auth needs libpam's leave to set PAM_AUTHTOK, so its neighbours in the stack look. Loop: names x daemon or none. */
START_TEST(ph05a_state_in_auth)
{
	static const char *const names[] = { "ada", "bob", "nobody-there" };
	const struct step way[] = {
		EXPECT(AUTH_BEGIN), SEND(PROMPT, say_password()), EXPECT(ANSWER), SEND(PROMPT, say_code()), EXPECT(ANSWER),
		SEND(VERDICT, say(_i == 0 ? VERDICT_ALLOW : VERDICT_NOT_OURS, REASON_OK)), HANG_UP,
	};

	scene_write(&scene, "watched", "auth optional " TEST_GIVER " watch\n"
	    "auth [success=ok default=ignore] " TEST_MODULE "\nauth optional " TEST_GIVER " watch\n");
	if (_i % 2 == 1)
		scene_stop(&scene);
	scene_start(&scene, "watched", names[_i / 2]);
	scene.typed = both;
	scene.on_watch = watch;
	watches = 0;
	memset(watched, 0, sizeof watched);
	if (_i == 0 || _i == 4)
		ck_assert_int_eq(scene_call(&scene, way, pam_authenticate, 0) == PAM_SUCCESS, _i == 0);
	else
		ck_assert_int_ne(pam_authenticate(scene.pamh, 0), PAM_SUCCESS);
	ck_assert_uint_eq(watches, 2);
	ck_assert_int_eq(watched[0].error, 4711);
	ck_assert_mem_eq(&watched[0], &watched[1], sizeof watched[0]);
}
END_TEST

START_TEST(ph07a_getpwent_loop)
{
	static const char *const names[] = { "ada", "bob", "daemon", "nobody-there" };
	char want[64][33], got[64][33];
	struct passwd *p;
	unsigned n = 0, m = 0;

	setpwent();
	while (n < 64 && (p = getpwent()) != NULL)
		(void)snprintf(want[n++], sizeof want[0], "%s", p->pw_name);
	endpwent();
	ck_assert_uint_ge(n, 2);
	scene_stop(&scene);
	setpwent();
	while (m < 64 && (p = getpwent()) != NULL) {
		(void)snprintf(got[m++], sizeof got[0], "%s", p->pw_name);
		scene_start(&scene, "su", names[m % 4]);
		(void)pam_acct_mgmt(scene.pamh, PAM_SILENT);
	}
	endpwent();
	ck_assert_uint_eq(m, n);
	for (unsigned i = 0; i < n; i++)
		ck_assert_str_eq(got[i], want[i]);
}
END_TEST

/* The daemon dies at every point of the conversation, a thousand times; the locker goes on asking. */
START_TEST(ph08a_locker_survives)
{
	const struct step ways[][6] = {
		{ PAUSE(0), HANG_UP },
		{ EXPECT(AUTH_SELF), HANG_UP },
		{ EXPECT(AUTH_SELF), SEND(PROMPT, say_password()), HANG_UP },
		{ EXPECT(AUTH_SELF), SEND(PROMPT, say_password()), EXPECT(ANSWER), HANG_UP },
		{ EXPECT(AUTH_SELF), SEND(PROMPT, say_password()), EXPECT(ANSWER), SEND(PROMPT, say_code()), HANG_UP },
	};
	const struct step passes[] = {
		EXPECT(AUTH_SELF), SEND(PROMPT, say_password()), EXPECT(ANSWER),
		SEND(VERDICT, say(VERDICT_ALLOW, REASON_AUTH_PASSED)), HANG_UP,
	};

	ck_assert_int_eq(setenv("ISMS_TEST_SELF", "1", 1), 0);
	scene_start(&scene, "locker", "ada");
	for (int i = 0; i < 1000; i++) {
		scene.typed = both;
		scene.asked = scene.lines = 0;
		ck_assert_int_eq(scene_call(&scene, ways[i % ROWS(ways)], pam_authenticate, 0), PAM_AUTH_ERR);
	}
	scene.asked = 0;
	ck_assert_int_eq(scene_call(&scene, passes, pam_authenticate, 0), PAM_SUCCESS);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ ph01a_descriptors, 0 }, { ph01a_no_descriptor, 0 }, { ph02a_daemon_closes, 0 }, { ph04a_wiped, 4 },
		{ pa04a_wiped, 7 }, { ph04a_scan_finds, 0 }, { ph04a_scan_finds_freed, 0 }, { ph05a_state, 3 }, { ph05a_state_in_auth, 6 }, { ph07a_getpwent_loop, 0 }, { ph08a_locker_survives, 0 },
	};

	return scene_run("pam_hygiene", rows, ROWS(rows), setup, teardown);
}
