/*
 * audit.c - writes the tool's events to the journal.
 *
 * Runs in isms-userctl only. Must never take the actor from the environment, and never fail a change that
 * is already made: what could not be recorded is said loudly instead.
 */
#include <config.h>

#include "tools/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "tools/output.h"

#define LOGIN_UID_NONE 4294967295u

/* The audit uid that the kernel keeps from login on; LOGIN_UID_NONE when there was no login. */
static uid_t
login_uid(void)
{
	unsigned long uid = LOGIN_UID_NONE;
	char text[16] = "", *end;
	ssize_t n;
	int fd;

	fd = open("/proc/self/loginuid", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return LOGIN_UID_NONE;
	n = read(fd, text, sizeof text - 1);
	(void)close(fd);
	if (n <= 0)
		return LOGIN_UID_NONE;
	errno = 0;
	uid = strtoul(text, &end, 10);
	return errno != 0 || end == text || uid > LOGIN_UID_NONE ? LOGIN_UID_NONE : (uid_t)uid;
}

char *
audit_actor(char *buf, size_t size)
{
	const struct passwd *row;
	uid_t uid = login_uid();

	if (uid == LOGIN_UID_NONE)
		uid = getuid();
	row = getpwuid(uid);
	if (row != NULL)
		(void)snprintf(buf, size, "%s", row->pw_name);
	else
		(void)snprintf(buf, size, "%u", (unsigned)uid);
	return buf;
}

void
audit_send(struct event *event, const struct invocation *in)
{
	char actor[256];
	int r;

	if (in->dry_run)
		return;
	event_add(event, FIELD_ID_ACTOR, audit_actor(actor, sizeof actor));
	event_add(event, FIELD_ID_TICKET, in->ticket);
	event_add(event, FIELD_ID_NOTE, in->reason);
	event_finish(event);
	if (in->root[0] != '\0') {	/* as ismsd does: a folder's changes are no evidence of this system's */
		(void)fprintf(stderr, "event: %s\n", event->message);
		return;
	}
	r = sd_journal_sendv(event->iov, (int)event->count);
	if (r < 0)
		output_error("the change is made, but its event was not recorded: journal: %s; note it by hand: %s",
		    strerror(-r), event->message);
}
