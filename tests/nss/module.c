/*
 * module.c - see module.h. Test programs only.
 */
#include <config.h>

#include "tests/nss/module.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common/snapshot.h"
#include "daemon/snapshot_build.h"
#include "tests/nss/population.h"
#include "tests/nss/scratch.h"

struct module module;
_Atomic int module_opens, module_sends, module_fail_opens;
char module_last_event[4096];
_Atomic bool module_strange_open;

static char module_path[] = TEST_BUILDDIR "/.libs/libnss_isms_test.so";

_Noreturn void
module_failed(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: %s (errno %d)\n", file, line, what, errno);
	_exit(1);
}

/* ---- between the module and libc: the program's own symbols come first ---- */

#define EXPORTED __attribute__((visibility("default")))

static bool counting;
static char folder[128];	/* whose files alone may be opened */

EXPORTED int
open(const char *path, int flags, ...)
{
	mode_t mode;
	va_list ap;

	va_start(ap, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	if (counting) {
		module_opens++;
		if (strncmp(path, folder, strlen(folder)) != 0)
			module_strange_open = true;
		if (module_fail_opens > 0 && strstr(path, SNAPSHOT_EPOCH_NAME) == NULL) {
			module_fail_opens--;
			errno = EMFILE;
			return -1;
		}
	}
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

EXPORTED ssize_t
sendmsg(int fd, const struct msghdr *mh, int flags)
{
	size_t used = 0;

	if (!counting)
		return syscall(SYS_sendmsg, fd, mh, flags);
	module_sends++;
	for (size_t i = 0; i < mh->msg_iovlen && used < sizeof module_last_event - 1; i++) {
		size_t n = mh->msg_iov[i].iov_len, left = sizeof module_last_event - 1 - used;

		memcpy(module_last_event + used, mh->msg_iov[i].iov_base, n < left ? n : left);
		used += n < left ? n : left;
	}
	module_last_event[used] = '\0';
	return (ssize_t)used;
}

/* ---- loading ---- */

static void *
entry(const char *name)
{
	char symbol[64];
	void *at;

	(void)snprintf(symbol, sizeof symbol, "_nss_isms_%s", name);
	at = dlsym(module.handle, symbol);
	MUST(at != NULL);
	return at;
}

void
module_load(void)
{
	(void)setenv("ISMS_TEST_NSS", scratch_path("."), 1);
	(void)snprintf(folder, sizeof folder, "%s", scratch_path("."));
	module.handle = dlopen(module_path, RTLD_NOW | RTLD_LOCAL);
	if (module.handle == NULL)
		fprintf(stderr, "%s\n", dlerror());
	MUST(module.handle != NULL);
	/* dlsym gives void *; POSIX promises that it fits */
	*(void **)&module.getpwnam_r = entry("getpwnam_r");
	*(void **)&module.getpwuid_r = entry("getpwuid_r");
	*(void **)&module.getgrnam_r = entry("getgrnam_r");
	*(void **)&module.getgrgid_r = entry("getgrgid_r");
	*(void **)&module.initgroups_dyn = entry("initgroups_dyn");
	*(void **)&module.setpwent = entry("setpwent");
	*(void **)&module.getpwent_r = entry("getpwent_r");
	*(void **)&module.endpwent = entry("endpwent");
	*(void **)&module.setgrent = entry("setgrent");
	*(void **)&module.getgrent_r = entry("getgrent_r");
	*(void **)&module.endgrent = entry("endgrent");
	counting = true;
}

bool
module_test(void (*test)(void))
{
	int status = 1;
	pid_t pid;

	(void)scratch_begin();
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0) {
		(void)signal(SIGALRM, SIG_DFL);	/* libcheck's handler would kill everybody, and nobody could say why */
		(void)alarm(500);	/* below SUITE_PATIENCE_SEC */
		test();
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return false;
	if (WIFSIGNALED(status))
		fprintf(stderr, "ended by signal %d%s\n", WTERMSIG(status), WTERMSIG(status) == SIGALRM ? ": its time was up" : "");
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- publishing ---- */

void
module_publish(const struct population *p, const struct snapshot_header_in *header)
{
	bool was = counting;

	counting = false;
	MUST(population_publish(p, scratch_path("."), header) == 0);
	counting = was;
}

/* Not counted, as nothing is that is not the module's own. */
static struct snapshot_epoch *
map_page(void)
{
	int dir = open(scratch_path("."), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct snapshot_epoch *page;

	MUST(dir >= 0 && epoch_map(dir, &page) == 0);
	(void)close(dir);
	return page;
}

void
module_withdraw_bare(void)
{
	bool was = counting;
	struct snapshot_epoch *page;

	counting = false;
	page = map_page();
	MUST(epoch_withdraw_bare(page) == 0);
	epoch_unmap(page);
	counting = was;
}

void
module_publish_image(const struct snapshot_image *image)
{
	bool was = counting;
	struct snapshot_epoch *page;

	counting = false;
	scratch_write("new", image->bytes, image->size);
	MUST(rename(scratch_path("new"), scratch_path(SNAPSHOT_BASE_NAME)) == 0);
	page = map_page();
	epoch_advance(page);
	epoch_unmap(page);
	counting = was;
}

/* ---- looking ---- */

/* Count mappings of files whose names begin so; sets where the last of them begins. */
static int
count_mappings(const char *name, uintptr_t *ret)
{
	char line[4096];
	FILE *maps = fopen("/proc/self/maps", "re");
	int count = 0;

	MUST(maps != NULL);
	while (fgets(line, sizeof line, maps) != NULL) {
		if (strstr(line, name) == NULL)
			continue;
		*ret = (uintptr_t)strtoull(line, NULL, 16);
		count++;
	}
	(void)fclose(maps);
	return count;
}

int
module_mappings(void)
{
	uintptr_t at;

	return count_mappings("/" SNAPSHOT_BASE_NAME, &at);
}

int
module_delta_mappings(void)
{
	uintptr_t at;

	return count_mappings("/delta.1.", &at);
}

uintptr_t
module_mapping(void)
{
	uintptr_t at = 0;

	MUST(count_mappings("/" SNAPSHOT_BASE_NAME, &at) == 1);
	return at;
}

int
module_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = -1;		/* the folder's own */

	MUST(dir != NULL);
	for (struct dirent *e; (e = readdir(dir)) != NULL;)
		count += e->d_name[0] != '.';
	(void)closedir(dir);
	return count;
}
