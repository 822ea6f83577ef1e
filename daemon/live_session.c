/*
 * live_session.c - watches the processes that opened sessions (see live_session.h).
 *
 * Runs in the front. It must never take a process that merely got the same number for the one that opened the
 * session: a pidfd is opened while that process waits for our answer, and only the pidfd counts from then on.
 */
#include <config.h>

#include "daemon/live_session.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "common/proto.h"
#include "daemon/report.h"

#define NAME_PREFIX "session-"		/* then the transaction: name in the descriptor store */

struct live_session {
	struct live_session *next;
	struct live_sessions *all;
	struct session_row row;
	int pidfd;			/* owned */
	sd_event_source *source;	/* owned */
};

struct live_sessions {
	sd_event *event;		/* owned */
	struct state *state;		/* borrowed */
	void (*ended)(const struct session_row *row, const char *note, void *arg);
	void *arg;
	struct live_session *list;	/* owned */
	size_t count, unproven;
};

static bool
is_proven(const struct session_row *row)
{
	return (row->factors & FACTOR_OTP) != 0 && (row->factors & (FACTOR_PASSWORD | FACTOR_KEY)) != 0;
}

static void
store_name(const char *txn, char ret[static 64])
{
	(void)snprintf(ret, 64, NAME_PREFIX "%.32s", txn);
}

static struct live_session *
find(const struct live_sessions *all, const char *txn)
{
	struct live_session *s;

	for (s = all->list; s != NULL && strcmp(s->row.txn, txn) != 0; s = s->next)
		;
	return s;
}

/* Let go of the process; the row stays where it is. */
static void
session_free(struct live_session *s)
{
	sd_event_source_disable_unref(s->source);
	(void)close(s->pidfd);
	free(s);
}

/* The session is over: out of the list, the store and the database. */
static void
forget(struct live_session *s)
{
	struct live_sessions *all = s->all;
	struct live_session **at = &all->list;
	char name[64];

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	all->count--;
	if (!is_proven(&s->row))
		all->unproven--;
	store_name(s->row.txn, name);
	(void)sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
	(void)state_remove_session(all->state, s->row.txn);
	session_free(s);
}

static int
on_exit_of(sd_event_source *source, int fd, uint32_t revents, void *arg)
{
	struct live_session *s = arg;
	struct live_sessions *all = s->all;
	struct session_row row = s->row;

	(void)source;
	(void)fd;
	(void)revents;
	forget(s);
	all->ended(&row, "its process ended", all->arg);
	return 0;
}

/* Watch a pidfd; owns it from then on, also on failure. */
static int
enter(struct live_sessions *all, const struct session_row *row, int pidfd)
{
	struct live_session *s = calloc(1, sizeof *s);
	int r;

	if (s == NULL) {
		(void)close(pidfd);
		return -ENOMEM;
	}
	s->all = all;
	s->row = *row;
	s->pidfd = pidfd;
	r = sd_event_add_io(all->event, &s->source, pidfd, EPOLLIN, on_exit_of, s);
	if (r < 0) {
		session_free(s);
		return r;
	}
	s->next = all->list;
	all->list = s;
	all->count++;
	if (!is_proven(row))
		all->unproven++;
	return 0;
}

struct restore {
	struct live_sessions *all;
	char **names;			/* of the stored descriptors */
	int count;
	struct session_row gone_rows[LIVE_SESSIONS_MAX];
	size_t gone_count;
};

static void
restore_row(const struct session_row *row, void *arg)
{
	struct restore *re = arg;
	char name[64];

	store_name(row->txn, name);
	for (int i = 0; i < re->count; i++) {
		if (strcmp(re->names[i], name) != 0)
			continue;
		if (enter(re->all, row, SD_LISTEN_FDS_START + i) < 0)
			break;
		re->names[i][0] = '\0';		/* taken */
		return;
	}
	if (re->gone_count < LIVE_SESSIONS_MAX)
		re->gone_rows[re->gone_count++] = *row;
}

/*
 * Bring together what systemd kept and what the database says. A descriptor without a row is given back; a row
 * without a descriptor is a session whose end nobody saw.
 */
static int
restore(struct live_sessions *all)
{
	struct restore *re = calloc(1, sizeof *re);

	if (re == NULL)
		return -ENOMEM;
	re->all = all;
	re->count = sd_listen_fds_with_names(0, &re->names);
	if (re->count < 0)
		re->count = 0;
	(void)state_each_session(all->state, restore_row, re);
	for (size_t i = 0; i < re->gone_count; i++) {
		(void)state_remove_session(all->state, re->gone_rows[i].txn);
		all->ended(&re->gone_rows[i], "not watched while ismsd-front was stopped", all->arg);
	}
	for (int i = 0; i < re->count; i++) {
		if (strncmp(re->names[i], NAME_PREFIX, sizeof NAME_PREFIX - 1) == 0) {
			(void)sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", re->names[i]);
			(void)close(SD_LISTEN_FDS_START + i);
		}
		free(re->names[i]);
	}
	if (re->count > 0)
		free(re->names);
	free(re);
	return 0;
}

int
live_sessions_new(sd_event *event, struct state *state,
    void (*ended)(const struct session_row *row, const char *note, void *arg), void *arg, struct live_sessions **ret)
{
	struct live_sessions *all = calloc(1, sizeof *all);
	int r;

	if (all == NULL)
		return -ENOMEM;
	all->event = sd_event_ref(event);
	all->state = state;
	all->ended = ended;
	all->arg = arg;
	*ret = all;		/* ended() may look at it */
	r = restore(all);
	if (r < 0) {
		live_sessions_free(all);
		*ret = NULL;
	}
	return r;
}

void
live_sessions_free(struct live_sessions *all)
{
	if (all == NULL)
		return;
	while (all->list != NULL) {
		struct live_session *s = all->list;

		all->list = s->next;
		session_free(s);
	}
	sd_event_unref(all->event);
	free(all);
}

static size_t
count_of(const struct live_sessions *all, uint32_t uid)
{
	size_t n = 0;

	for (const struct live_session *s = all->list; s != NULL; s = s->next)
		n += s->row.uid == uid;
	return n;
}

int
live_session_add(struct live_sessions *all, const struct session_row *row, pid_t pid)
{
	struct pollfd poll_fd;
	char name[64], notify[128];
	int pidfd, r;

	if (all->count >= LIVE_SESSIONS_MAX || (!is_proven(row) && all->unproven >= LIVE_SESSIONS_UNPROVEN))
		return -EUSERS;
	if (count_of(all, row->uid) >= LIVE_SESSIONS_PER_UID)
		return -EUSERS;
	if (find(all, row->txn) != NULL)
		return -EEXIST;
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0)
		return -errno;
	poll_fd = (struct pollfd){ .fd = pidfd, .events = POLLIN };
	if (poll(&poll_fd, 1, 0) != 0) {
		(void)close(pidfd);
		return -ESRCH;
	}
	r = state_add_session(all->state, row);
	if (r < 0) {
		(void)close(pidfd);
		return r;
	}
	store_name(row->txn, name);
	(void)snprintf(notify, sizeof notify, "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
	r = sd_pid_notify_with_fds(0, 0, notify, &pidfd, 1);
	if (r < 0)
		report_log(LOG_WARNING, "session will not be known after a restart: %s", strerror(-r));
	r = enter(all, row, pidfd);
	if (r < 0) {
		(void)sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
		(void)state_remove_session(all->state, row->txn);
	}
	return r;
}

bool
live_session_remove(struct live_sessions *all, const char *txn, const char *user, struct session_row *ret)
{
	struct live_session *s = find(all, txn);

	if (s == NULL || strcmp(s->row.user, user) != 0)
		return false;
	*ret = s->row;
	forget(s);
	return true;
}

/* Its end may wait on the loop behind the request that asks. */
static bool
is_live(const struct live_session *s)
{
	struct pollfd poll_fd = { .fd = s->pidfd, .events = POLLIN };

	return poll(&poll_fd, 1, 0) == 0;
}

unsigned
live_session_count_of(const struct live_sessions *all, uint32_t uid,
    bool (*counts)(const char *service, const void *arg), const void *arg)
{
	unsigned n = 0;

	for (const struct live_session *s = all->list; s != NULL; s = s->next)
		n += s->row.uid == uid && counts(s->row.service, arg) && is_live(s);
	return n;
}

bool
live_session_proven(const struct live_sessions *all, uint32_t uid)
{
	for (const struct live_session *s = all->list; s != NULL; s = s->next)
		if (s->row.uid == uid && is_proven(&s->row) && is_live(s))
			return true;
	return false;
}

bool
live_session_exists(const struct live_sessions *all, const char *txn)
{
	return find(all, txn) != NULL;
}

/* The number behind a pidfd, by the line "Pid:" of its fdinfo; 0 when there is none, or the process is gone (-1). */
static pid_t
pid_of(int pidfd)
{
	char path[64], line[128];
	long pid = 0;
	FILE *f;

	(void)snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
	f = fopen(path, "re");
	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, "Pid:", 4) == 0)
			pid = strtol(line + 4, NULL, 10);
	if (f != NULL)
		(void)fclose(f);
	return pid > 0 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

const struct session_row *
live_session_nth(const struct live_sessions *all, size_t i, pid_t *ret_pid)
{
	const struct live_session *s = all->list;

	while (s != NULL && i-- > 0)
		s = s->next;
	if (s == NULL)
		return NULL;
	*ret_pid = pid_of(s->pidfd);
	return &s->row;
}

size_t
live_session_count(const struct live_sessions *all)
{
	return all->count;
}
