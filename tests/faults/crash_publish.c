/*
 * crash_publish.c - a publication that is cut off, or whose disk fails: readers see a complete snapshot, old or new
 * (CASES SN01a, SN02a).
 *
 * Readers go through the module, so it does not matter of what files a publication is made. One of them has looked
 * before the publication and lives on (the witness); another one comes new.
 */
#include <config.h>

#include "tests/faults/crash.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/snapshot.h"
#include "tests/nss/module.h"
#include "tests/nss/population.h"
#include "tests/nss/scratch.h"

enum seen { SEEN_NOBODY, SEEN_OLD, SEEN_NEW, SEEN_TORN };

static const char *const seen_names[] = { "nobody", "the old one", "the new one", "neither the old nor the new one" };

static const struct population few = { 5, 2, 1 }, many = { 300, 3, 2 };
static const struct population *before, *after;		/* of the present operation; before NULL: nothing was published */
static const struct snapshot_header_in old_header = { .generation = 7, .contact = "it@example.com" };
static const struct snapshot_header_in new_header = { .generation = 8, .contact = "it@example.com" };

/* ---- what a reader sees ---- */

static char buffer[1 << 16];

/* Whether a user is there exactly as in a population. */
static bool
is_as_in(const struct population *p, uint32_t i)
{
	struct passwd pw = { .pw_uid = 0 };
	gid_t *gids;
	long start = 0, size = 16;
	enum nss_status status;
	bool found = false;
	char name[16];
	int e = 0;

	(void)snprintf(name, sizeof name, "u%u", i);
	status = module.getpwnam_r(name, &pw, buffer, sizeof buffer, &e);
	if (p == NULL || i >= p->users)
		return status == NSS_STATUS_NOTFOUND || (p == NULL && status == NSS_STATUS_UNAVAIL);
	if (status != NSS_STATUS_SUCCESS || pw.pw_uid != POPULATION_UID + i || pw.pw_gid != POPULATION_GID + i % p->groups)
		return false;
	gids = malloc(sizeof *gids * (size_t)size);
	if (gids == NULL || module.initgroups_dyn(name, pw.pw_gid, &start, &size, &gids, -1, &e) != NSS_STATUS_SUCCESS)
		return false;
	for (long k = 0; k < start; k++)
		found = found || gids[k] == POPULATION_EVERYBODY;
	free(gids);
	return found;
}

static bool
sees(const struct population *p)
{
	struct group gr = { .gr_gid = 0 };
	uint32_t members = 0;
	int e = 0;

	for (uint32_t i = 0; i <= many.users; i++)
		if (!is_as_in(p, i))
			return false;
	if (p == NULL)
		return true;
	if (module.getgrgid_r(POPULATION_EVERYBODY, &gr, buffer, sizeof buffer, &e) != NSS_STATUS_SUCCESS)
		return false;
	while (gr.gr_mem[members] != NULL)
		members++;
	return members == p->users;
}

static enum seen
look(void)
{
	if (sees(after))
		return SEEN_NEW;
	if (before != NULL && sees(before))
		return SEEN_OLD;
	return sees(NULL) ? SEEN_NOBODY : SEEN_TORN;
}

/* What a process sees that has never looked. */
static enum seen
look_anew(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(10 + (int)look());
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) < 10)
		crash_wrong("a new reader has died");
	return (enum seen)(WEXITSTATUS(status) - 10);
}

/* ---- the witness ---- */

static pid_t witness;
static int to_witness[2], from_witness[2];

static void
witness_begin(void)
{
	char order;

	if (pipe(to_witness) < 0 || pipe(from_witness) < 0)
		abort();
	witness = fork();
	if (witness < 0)
		abort();
	while (witness == 0) {
		char seen = (char)look();

		if (write(from_witness[1], &seen, 1) != 1 || read(to_witness[0], &order, 1) != 1 || order == 'q')
			_exit(0);
	}
	(void)!read(from_witness[0], &order, 1);	/* it has looked once */
}

static enum seen
witness_look(void)
{
	char seen = SEEN_TORN;

	if (write(to_witness[1], "l", 1) != 1 || read(from_witness[0], &seen, 1) != 1)
		crash_wrong("the reader that lives on has died");
	return (enum seen)seen;
}

static void
witness_end(void)
{
	(void)!write(to_witness[1], "q", 1);
	(void)waitpid(witness, NULL, 0);
	for (int i = 0; i < 2; i++) {
		(void)close(to_witness[i]);
		(void)close(from_witness[i]);
	}
}

/* ---- the operation ---- */

static struct snapshot_builder *builder;

static void
build_new(void)
{
	builder = population_build(after);
}

static int
publish_new(void)
{
	return snapshot_builder_publish(builder, crash_folder(), &new_header);
}

static void
publish_old(void)
{
	if (population_publish(before, crash_folder(), &old_header) != 0)
		crash_wrong("the old one cannot be published");
}

static unsigned
temp_files(void)
{
	DIR *dir = opendir(crash_folder());
	unsigned count = 0;

	for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
		count += e->d_name[0] == '.' && strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	if (dir != NULL)
		(void)closedir(dir);
	return count;
}

/* The file itself, whoever reads it. */
static void
judge_file(void)
{
	struct snapshot s;
	char path[PATH_MAX];
	int r;

	(void)snprintf(path, sizeof path, "%s/%s", crash_folder(), SNAPSHOT_BASE_NAME);
	if (before == NULL && access(path, F_OK) < 0)
		return;
	r = snapshot_open(path, geteuid(), &s);
	if (r == 0) {
		r = snapshot_check_whole(&s);
		snapshot_close(&s);
	}
	if (r < 0)
		crash_wrong("the snapshot is not whole: %s", strerror(-r));
}

static void
another_publication(const void *arg)
{
	int r = population_publish(after, crash_folder(), &new_header);

	(void)arg;
	if (r != 0)
		crash_wrong("the next publication fails: %s", strerror(-r));
}

/* The next publication mends all, for whoever has been reading too. */
static void
judge_next(void)
{
	if (!crash_in_child(another_publication, NULL))
		crash_wrong("the next publication");
	if (look_anew() != SEEN_NEW)
		crash_wrong("a new reader does not see the next publication");
	/* One that found no page which it could trust looks again after a second (nss_view.c). */
	for (int tries = 0; before != NULL && witness_look() != SEEN_NEW; tries++) {
		if (tries == 150)
			crash_wrong("the reader that lives on does not see the next publication");
		(void)usleep(10000);
	}
	if (temp_files() != 0)
		crash_wrong("the next publication leaves a file of this one");
}

static void
judge(const struct trace_result *t, bool again)
{
	enum seen lasting = before != NULL ? witness_look() : SEEN_NOBODY, seen = look_anew();

	(void)again;
	if (seen == SEEN_TORN || (seen == SEEN_NOBODY && before != NULL))
		crash_wrong("a new reader sees %s", seen_names[seen]);
	if (lasting == SEEN_TORN || (lasting == SEEN_NOBODY && before != NULL))
		crash_wrong("the reader that lives on sees %s", seen_names[lasting]);
	if (t->answered && t->answer == 0 && seen != SEEN_NEW)
		crash_wrong("it was published, and a new reader sees %s", seen_names[seen]);
	if (before != NULL && (t->answered ? lasting != seen : lasting == SEEN_NEW && seen != SEEN_NEW))
		crash_wrong("the reader that lives on sees %s, a new one %s", seen_names[lasting], seen_names[seen]);
	judge_file();
	if (temp_files() > 1)
		crash_wrong("%u temporary files", temp_files());
	judge_next();
}

/* ---- the old states; each child that is told of the populations inherits them ---- */

static void
from_none(void)
{
	before = NULL;
	after = &few;
}

static void
from_few(void)
{
	before = &few;
	after = &many;
}

static void
from_many(void)
{
	before = &many;
	after = &few;
}

static void
nothing(void)
{
	from_none();
}

static void
published_few(void)
{
	from_few();
	publish_old();
}

static void
published_many(void)
{
	from_many();
	publish_old();
}

/* What a publisher that was killed leaves. */
static void
left_over(void)
{
	published_few();
	scratch_write(".base.1.snap.new", "left over", 9);
}

static void
watch_few(void)
{
	from_few();
	witness_begin();
}

static void
watch_many(void)
{
	from_many();
	witness_begin();
}

/* The page is one that readers do not trust any more: they are told by 0, and there is a new one. */
static void
watch_broken_epoch(void)
{
	watch_few();
	if (chmod(scratch_path(SNAPSHOT_EPOCH_NAME), 0666) < 0)
		abort();
}

/* A publication that is made of other files is a row with steps of its own: whatever it does, readers go by the module. */
#define STEPS	{ .begin = build_new, .run = publish_new }

const struct crash_operation crash_publish[] = {
	{ "SN01a SN02a the first publication", 30, nothing, from_none, STEPS, judge, NULL },
	{ "SN01a SN02a a publication of more", 20, published_few, watch_few, STEPS, judge, witness_end },
	{ "SN01a SN02a a publication of less", 20, published_many, watch_many, STEPS, judge, witness_end },
	{ "SN01a SN02a over what was left", 20, left_over, watch_few, STEPS, judge, witness_end },
	{ "SN01a SN02a with a new epoch page", 30, published_few, watch_broken_epoch, STEPS, judge, witness_end },
	{ .name = NULL },
};
