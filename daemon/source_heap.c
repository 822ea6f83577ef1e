/*
 * source_heap.c - the heap of a source's entries, and the end of a process that cannot read it (see source_heap.h).
 *
 * Directory process, on its loop. What cannot be read lets nobody in, yet it would keep a grant from ending, too: the
 * process ends at once, and systemd starts one that reads all anew. That one keeps entries in memory, and so does every
 * other for a day: a disk that goes on failing ends no more than one process a day.
 */
#include <config.h>

#include "daemon/source_heap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "daemon/loop.h"
#include "daemon/report.h"
#include "daemon/source.h"

#define IN_MEMORY_SEC	86400
#define NOTE_SIZE	(PATH_MAX + 16)

static void
note_path(const struct source *s, char ret[static NOTE_SIZE])
{
	(void)snprintf(ret, NOTE_SIZE, "%s/unreadable", s->paths->replica);
}

/* Whether a process could not read its heap less than a day ago, by whichever clock. */
static bool
was_unreadable(const struct source *s)
{
	char path[NOTE_SIZE];
	struct stat st;

	note_path(s, path);
	if (lstat(path, &st) < 0)
		return false;
	if (llabs((long long)loop_clock_sec(CLOCK_REALTIME) - (long long)st.st_mtime) < IN_MEMORY_SEC)
		return true;
	(void)unlink(path);
	return false;
}

static void
note_unreadable(const struct source *s)
{
	char path[NOTE_SIZE];
	int fd;

	note_path(s, path);
	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		report_log(LOG_ERR, "cannot write %s: %s", path, strerror(errno));
	else
		(void)close(fd);
}

static int
on_damage(sd_event_source *source, int fd, uint32_t revents, void *arg)
{
	struct source *s = arg;
	char text[256];
	struct event e;

	(void)fd;
	(void)revents;
	(void)snprintf(text, sizeof text, "an entry cannot be read from the file in %.100s: all is read anew, and kept "
	    "in memory for a day; look for errors of that disk", s->paths->replica);
	report_begin(&e, EVENT_DIRECTORY_LOST);
	event_add(&e, FIELD_ID_FAULT, text);
	(void)report_event(&e);
	note_unreadable(s);
	return sd_event_exit(sd_event_source_get_event(source), -EIO);
}

int
source_heap_open(struct source *s)
{
	bool in_memory = was_unreadable(s);
	int r = entry_heap_new(in_memory ? NULL : s->paths->replica, &s->heap);

	if (in_memory)
		report_log(LOG_WARNING, "entries are kept in memory: a file of them in %s could not be read", s->paths->replica);
	if (r == 0)
		r = sd_event_add_io(s->event, &s->damage, entry_heap_damage_fd(s->heap), EPOLLIN, on_damage, s);
	if (r >= 0)			/* before anybody else is answered */
		r = sd_event_source_set_priority(s->damage, SD_EVENT_PRIORITY_IMPORTANT);
	return r < 0 ? r : 0;
}

void
source_heap_close(struct source *s)
{
	sd_event_source_disable_unref(s->damage);
	s->damage = NULL;
	entry_heap_free(s->heap);
	s->heap = NULL;
}
