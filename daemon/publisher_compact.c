/*
 * publisher_compact.c - see publisher_compact.h.
 *
 * Runs in the publisher, and in a child of it that has no loop, tells nobody anything but by its exit status, and dies
 * with its parent. It writes under a name that no reader opens.
 */
#include <config.h>

#include "daemon/publisher_compact.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "daemon/loop.h"
#include "daemon/publisher_build.h"
#include "daemon/publisher_write.h"
#include "daemon/report.h"
#include "daemon/snapshot_write.h"

#define DIRTY_DUE	10000u		/* well below the number with which a base is written at once */

bool
publisher_compact_is_due(const struct publisher_compact *c, const struct publisher_build_in *in)
{
	return c->pid == 0 && loop_now_ms() >= c->not_before_ms &&
	    (c->delta_bytes > in->previous->size || publisher_dirty_count(in->dirty) > DIRTY_DUE);
}

/* ---- the child ---- */

/* Whoever needs memory kills this one first, not the process that ends sessions. */
static void
be_modest(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "500", 3) < 0)
		report_log(LOG_DEBUG, "the writer of a base is as safe from a lack of memory as the publisher");
	(void)close(fd);
}

static int
write_base(const struct publisher_build_in *in, uint64_t generation)
{
	struct publisher_header header;
	struct snapshot_builder *to;
	int r;

	publisher_build_header(in, generation, &header);
	r = publisher_write_base(&header.making, &to);
	if (r < 0)
		return r;
	r = snapshot_builder_write(to, in->paths->nss, &header.header);
	return r;
}

static void __attribute__((noreturn))
be_child(pid_t parent, const struct publisher_build_in *in, uint64_t generation)
{
	int r;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	be_modest();
	r = write_base(in, generation);
	_exit(r < 0 ? (-r < 255 ? -r : 255) : 0);
}

/* ---- the parent ---- */

static int
on_limit(sd_event_source *source, uint64_t usec, void *arg)
{
	struct publisher_compact *c = arg;

	(void)source;
	(void)usec;
	report_log(LOG_WARNING, "a new base takes too long to write; trying again later");
	if (c->pid > 0)
		(void)kill(c->pid, SIGKILL);	/* its end is seen on its pidfd */
	return 0;
}

/* The child is no more; its number may be another's from here on. */
static void
forget(struct publisher_compact *c)
{
	c->done = sd_event_source_disable_unref(c->done);
	c->limit = sd_event_source_disable_unref(c->limit);
	if (c->pidfd >= 0)
		(void)close(c->pidfd);
	c->pidfd = -1;
	c->pid = 0;
}

void
publisher_compact_cancel(struct publisher_compact *c)
{
	if (c->pid == 0)
		return;
	(void)kill(c->pid, SIGKILL);
	while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		;
	forget(c);
	snapshot_discard_written(c->folder);
	publisher_dirty_done(&c->since);
}

int
publisher_compact_start(struct publisher_compact *c, sd_event *event, const struct publisher_build_in *in,
    uint64_t generation, sd_event_io_handler_t done, void *arg)
{
	pid_t parent = getpid();
	int r;

	r = publisher_dirty_init(&c->since);
	if (r < 0)
		return r;
	c->pid = fork();
	if (c->pid < 0) {
		c->pid = 0;
		return -errno;
	}
	if (c->pid == 0)
		be_child(parent, in, generation);
	c->generation = generation;
	c->folder = in->paths->nss;
	c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	r = c->pidfd < 0 ? -errno : sd_event_add_io(event, &c->done, c->pidfd, EPOLLIN, done, arg);
	if (r >= 0)
		r = loop_timer(event, &c->limit, COMPACT_LIMIT_MS, on_limit, c);
	if (r < 0)
		publisher_compact_cancel(c);
	return r < 0 ? r : 0;
}

int
publisher_compact_reap(struct publisher_compact *c)
{
	int status = 0;
	pid_t pid;

	do
		pid = waitpid(c->pid, &status, 0);
	while (pid < 0 && errno == EINTR);
	forget(c);
	if (pid < 0)
		return -ECHILD;
	if (WIFEXITED(status))
		return -WEXITSTATUS(status);
	return -EINTR;		/* killed: by the limit, or for want of memory */
}

static int
write_delta(struct publisher_compact *c, const struct publisher_build_in *in, const struct snapshot *base,
    uint64_t generation)
{
	struct publisher_header header;
	struct snapshot_builder *to;
	int r;

	if (c->since.all)
		return -E2BIG;
	publisher_build_header(in, generation, &header);
	r = publisher_write_delta(&header.making, base, &c->since, &to);
	if (r < 0)
		return r;
	r = snapshot_builder_write(to, in->paths->nss, &header.header);
	snapshot_builder_free(to);
	return r;
}

int
publisher_compact_finish(struct publisher_compact *c, const struct publisher_build_in *in, uint64_t generation)
{
	/* Whatever was published since, be it a later stamp, must not be lost. */
	bool with_delta = in->generation_seen > c->generation;
	struct snapshot base;
	int r;

	r = snapshot_open_written(in->paths->nss, &base);
	if (r < 0)
		goto out;
	if (with_delta)
		r = write_delta(c, in, &base, generation);
	snapshot_close(&base);
	if (r >= 0)
		r = snapshot_publish_written(in->paths->nss, with_delta);
out:
	if (r < 0) {
		snapshot_discard_written(in->paths->nss);
		publisher_dirty_done(&c->since);
		return r;
	}
	publisher_dirty_done(in->dirty);
	*in->dirty = c->since;
	c->since = (struct publisher_dirty){ .all = false };
	c->delta_bytes = 0;
	return with_delta;
}
