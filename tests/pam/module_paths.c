/*
 * module_paths.c - what the tests' build of pam_isms.so has instead of pam_paths.c and of the journal.
 *
 * Everything lies below the folder $ISMS_TEST_DIR (or $ISMS_TEST_ROOT, see house.h), whose owner stands for root;
 * $ISMS_TEST_SELF makes the caller an unprivileged one; with $ISMS_TEST_NO_GROUPS the process has no supplementary
 * groups. Read when the module is loaded. Events go to the file "events" in the former, one per line. Never installed.
 */
#include <config.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/guarded.h"
#include "common/journal.h"
#include "pam/pam_paths.h"

static char places[4][256];
static struct pam_paths paths;
static bool no_groups;

/* A file of the scene's folder, or of a whole root with the real processes in it. */
static const char *
below(unsigned i, const char *in_dir, const char *in_root)
{
	const char *root = getenv("ISMS_TEST_ROOT"), *dir = getenv("ISMS_TEST_DIR");

	(void)snprintf(places[i], sizeof places[i], "%s/%s", root != NULL ? root : dir == NULL ? "/nonexistent" : dir,
	    root != NULL ? in_root : in_dir);
	return places[i];
}

/* $ISMS_TEST_HURRY: a tenth of every deadline, and a person who must be quick. */
static int64_t
wait_ms(int64_t real_ms)
{
	return getenv("ISMS_TEST_HURRY") == NULL ? real_ms : real_ms / 10;
}

/* At each pam_start(): libpam unloads the module in between. Not at each call: threads read it. */
__attribute__((constructor)) static void
init(void)
{
	paths = (struct pam_paths){
		.socket = below(0, "ismsd.sock", "run/isms/ismsd.sock"),
		.passwd = below(1, "passwd", "etc/passwd"),
		.snapshot = below(2, "base.1.snap", "var/lib/isms/nss/base.1.snap"),
		.guarded = below(3, GUARDED_FILE, "var/lib/isms/nss/" GUARDED_FILE),
		.server_user = "isms",
		.owner = getuid(),
		.privileged = getenv("ISMS_TEST_SELF") == NULL ? geteuid() : geteuid() + 1,
		.connect_ms = wait_ms(5000),
		.total_ms = wait_ms(15000),
		.tell_ms = wait_ms(3000),
		.person_ms = getenv("ISMS_TEST_HURRY") == NULL ? 120000 : 8000,
	};
	no_groups = getenv("ISMS_TEST_NO_GROUPS") != NULL;
}

const struct pam_paths *
pam_paths(void)
{
	return &paths;
}

/* -Wl,--wrap=journal_send: the machine's own journal is left alone. */
int __wrap_journal_send(const struct event *e);
int
__wrap_journal_send(const struct event *e)
{
	const char *dir = getenv("ISMS_TEST_DIR");
	char path[256];
	int fd;

	(void)snprintf(path, sizeof path, "%s/events", dir == NULL ? "/nonexistent" : dir);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	for (unsigned i = 0; i < e->count; i++) {
		if (write(fd, e->iov[i].iov_base, e->iov[i].iov_len) < 0 || write(fd, i + 1 < e->count ? "|" : "\n", 1) < 0)
			break;
	}
	(void)close(fd);
	return 0;
}

/* -Wl,--wrap=getgroups: whoever runs the tests may be in groups that he has no right to leave (see scene_open()). */
int __real_getgroups(int size, gid_t list[]);
int __wrap_getgroups(int size, gid_t list[]);
int
__wrap_getgroups(int size, gid_t list[])
{
	return no_groups ? 0 : __real_getgroups(size, list);
}
