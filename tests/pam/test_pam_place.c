/*
 * test_pam_place.c - the module as it is installed goes to its own socket, whatever environment, arguments of the
 * caller and working folder offer (IP08a).
 *
 * open(), fstat(), connect(), sendmsg() and geteuid() of the process are ours here. While `led` is set, the snapshot of
 * the scene stands at the real one's path as a file of root's, the caller is root, nothing leaves the process, and what
 * the module reaches for is written down.
 */
#include <config.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/pam/scene.h"

#define OURS __attribute__((visibility("default")))
#define REAL_MODULE	TEST_BUILDDIR "/.libs/pam_isms.so"
#define REAL_SOCKET	"/run/isms/ismsd.sock"
#define REAL_SNAPSHOT	"/var/lib/isms/nss/base.1.snap"

typedef int entry_point(pam_handle_t *, int, int, const char **);

static struct scene scene;
static bool led;
static unsigned connects, snapshots, strange;	/* to the real socket, of the real snapshot, and to anything else */
static char snapshot_path[128];

/* Beside the real snapshot, where it may lie. */
static bool
is_delta(const char *path)
{
	size_t folder = sizeof REAL_SNAPSHOT - sizeof "base.1.snap";

	return strncmp(path, REAL_SNAPSHOT, folder) == 0 && strncmp(path + folder, "delta.1.", strlen("delta.1.")) == 0;
}

OURS int
open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	if ((flags & O_CREAT) != 0) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	if (led && strcmp(path, REAL_SNAPSHOT) == 0) {
		snapshots++;
		path = snapshot_path;
	} else if (led && strcmp(path, "/etc/passwd") != 0 && !is_delta(path)) {
		strange++;
	}
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

OURS int
fstat(int fd, struct stat *ret)
{
	int r = fstatat(fd, "", ret, AT_EMPTY_PATH);

	if (r == 0 && led)
		ret->st_uid = 0;
	return r;
}

/* A reader looks once more whether what it has opened still lies there. */
OURS int
lstat(const char *path, struct stat *ret)
{
	bool real = led && strcmp(path, REAL_SNAPSHOT) == 0;
	int r = fstatat(AT_FDCWD, real ? snapshot_path : path, ret, AT_SYMLINK_NOFOLLOW);

	if (led && !real)
		strange++;
	if (r == 0 && real)
		ret->st_uid = 0;
	return r;
}

OURS int
connect(int fd, const struct sockaddr *to, socklen_t size)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	if (!led)
		return (int)syscall(SYS_connect, fd, to, size);
	memcpy(&at, to, size < sizeof at ? size : sizeof at);
	if (to->sa_family == AF_UNIX && strcmp(at.sun_path, REAL_SOCKET) == 0)
		connects++;
	else
		strange++;
	errno = ENOENT;
	return -1;
}

OURS ssize_t
sendmsg(int fd, const struct msghdr *mh, int flags)
{
	return led ? 1 : syscall(SYS_sendmsg, fd, mh, flags);	/* the machine's journal hears nothing of it */
}

OURS uid_t
geteuid(void)
{
	return led ? 0 : (uid_t)syscall(SYS_geteuid);
}

static void
setup(void)
{
	scene_open(&scene);
	(void)snprintf(snapshot_path, sizeof snapshot_path, "%s/base.1.snap", scene.dir);
	connects = snapshots = strange = 0;
}

static void
teardown(void)
{
	scene_close(&scene);
}

static int
account_of(const char *path)
{
	void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	entry_point *entry;
	int rc;

	ck_assert_msg(module != NULL, "%s", path);
	entry = (entry_point *)dlsym(module, "pam_sm_acct_mgmt");
	ck_assert_ptr_nonnull(entry);
	led = strcmp(path, REAL_MODULE) == 0;
	rc = entry(scene.pamh, 0, 0, NULL);
	led = false;
	(void)dlclose(module);
	return rc;
}

/* Names that somebody who looks for such a variable would try, and those that the tests' build does obey. */
static const char *const variables[] = {
	"ISMS_TEST_DIR", "ISMS_SOCKET", "ISMS_ROOT", "ISMS_PATH", "ISMSD_SOCKET", "ISMS_RUNTIME_DIR",
	"RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR", "STATE_DIRECTORY", "LISTEN_FDS", "NOTIFY_SOCKET", "TMPDIR", "HOME", "PWD",
};

/* A front that says yes listens in the folder, in run/isms below it, and that is the working folder. */
static void
offer_socket(struct actor *below)
{
	char path[128];

	ck_assert_int_eq(chdir(scene.dir), 0);
	ck_assert_int_eq(mkdir("run", 0755), 0);
	ck_assert_int_eq(mkdir("run/isms", 0755), 0);
	(void)snprintf(path, sizeof path, "%s/run/isms/ismsd.sock", scene.dir);
	act_open(below, path);
	for (int i = 0; i < ROWS(variables); i++)
		ck_assert_int_eq(setenv(variables[i], i % 2 == 0 ? scene.dir : path, 1), 0);
}

static void
withdraw_socket(struct actor *below)
{
	actor_close(below);
	ck_assert_int_eq(unlink("run/isms/ismsd.sock"), 0);
	ck_assert_int_eq(rmdir("run/isms"), 0);
	ck_assert_int_eq(rmdir("run"), 0);
	ck_assert_int_eq(chdir("/"), 0);
}

START_TEST(ip08a_another_path)
{
	const struct step yes[] = { EXPECT(ACCOUNT), SEND(VERDICT, say(VERDICT_ALLOW, REASON_OK)), EXPECT(ACK), HANG_UP };
	char setting[256], *saved[ROWS(variables)];
	struct actor below;

	for (int i = 0; i < ROWS(variables); i++)
		saved[i] = getenv(variables[i]) == NULL ? NULL : strdup(getenv(variables[i]));
	offer_socket(&below);
	scene_start(&scene, "su", "ada");
	for (int i = 0; i < ROWS(variables); i++) {	/* in the PAM environment too */
		(void)snprintf(setting, sizeof setting, "%s=%s", variables[i], scene.dir);
		ck_assert_int_eq(pam_putenv(scene.pamh, setting), PAM_SUCCESS);
	}
	ck_assert_int_eq(account_of(REAL_MODULE), PAM_PERM_DENIED);
	ck_assert_uint_eq(snapshots, 1);		/* ada is managed, so it asked, */
	ck_assert_uint_ge(connects, 1);			/* there, */
	ck_assert_uint_eq(strange, 0);			/* and nowhere else */
	ck_assert(actor_quiet(&scene.actor) && actor_quiet(&below));
	/* The same call of a module that lets itself be led: it is let in. */
	actor_play(&scene.actor, yes);
	ck_assert_int_eq(account_of(TEST_MODULE), PAM_SUCCESS);
	ck_assert_int_eq(actor_join(&scene.actor), 0);
	withdraw_socket(&below);
	for (int i = 0; i < ROWS(variables); i++) {
		ck_assert_int_eq(saved[i] == NULL ? unsetenv(variables[i]) : setenv(variables[i], saved[i], 1), 0);
		free(saved[i]);
	}
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { ip08a_another_path, 0 } };

	return scene_run("pam_place", rows, ROWS(rows), setup, teardown);
}
