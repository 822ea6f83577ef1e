/*
 * front_last_use.c - last use and last login (see front_last_use.h).
 *
 * Runs in the front. It must never keep a login waiting for the directory, ask it more often than is due, or tell it
 * of a time that a clock said which is not trusted.
 */
#include <config.h>

#include "daemon/front_last_use.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <syslog.h>

#include "common/civil_date.h"
#include "common/last_use.h"
#include "daemon/loop.h"
#include "daemon/report.h"
#include "daemon/state_login.h"

#define NEXT_MS		100	/* between two of several that are due */
#define LINE_SIZE	1024

bool
last_use_counts(const struct front *f, const struct subject *subject, const struct facts *facts)
{
	if (facts->kind == KIND_SERVICE || f->policy == NULL)
		return true;
	return policy_class(f->policy, subject->service, subject->ruid == f->peers.root) != CLASS_UNATTENDED;
}

/* ---- the last login, for its person ---- */

static bool
is_person_at(const struct front *f, const char *service)
{
	return f->policy != NULL && policy_class(f->policy, service, false) == CLASS_REMOTE;
}

/*
 * Whether the service's own stack has pam_lastlog, as login(1)'s has: it says the same. sshd's line is off by our
 * drop-in.
 */
static bool
is_shown_by_stack(const struct front *f, const char *service)
{
	char path[PATH_MAX + 80], line[LINE_SIZE];
	bool found = false;
	FILE *file;

	if (strchr(service, '/') != NULL)
		return false;
	(void)snprintf(path, sizeof path, "%s/%s", f->paths->pam_d, service);
	file = fopen(path, "re");
	while (file != NULL && !found && fgets(line, sizeof line, file) != NULL)
		found = line[strspn(line, " \t")] != '#' && strstr(line, "pam_lastlog") != NULL;
	if (file != NULL)
		(void)fclose(file);
	return found;
}

void
last_login_text(struct front *f, const struct subject *subject, char *buf, size_t size)
{
	struct login_row row;
	char date[32];

	buf[0] = '\0';
	if ((subject->flags & REQUEST_SILENT) != 0 || !is_person_at(f, subject->service) ||
	    state_last_login(f->state, subject->user, &row) != 1 || is_shown_by_stack(f, subject->service))
		return;
	(void)snprintf(buf, size, "Last login: %s%s%s%s%s (%s)", civil_date_format(row.utc_sec, date),
	    row.rhost[0] != '\0' ? " from " : "", row.rhost, row.rhost[0] == '\0' && row.tty[0] != '\0' ? " on " : "",
	    row.rhost[0] == '\0' ? row.tty : "", row.service);
}

void
last_login_note(struct front *f, const struct record *opened)
{
	struct clock_reading reading;
	struct login_row row = { .utc_sec = 0 };

	if (!is_person_at(f, opened->service))
		return;
	row.utc_sec = front_now(f, &reading);
	memcpy(row.service, opened->service, sizeof row.service);
	memcpy(row.rhost, opened->rhost, sizeof row.rhost);
	memcpy(row.tty, opened->tty, sizeof row.tty);
	(void)state_set_login(f->state, opened->user, &row);
}

/* ---- the directory ---- */

static int on_timer(sd_event_source *source, uint64_t usec, void *arg);

static void
arm(struct front *f, int64_t delay_ms)
{
	f->use_armed = loop_timer(f->event, &f->use_timer, delay_ms, on_timer, f) == 0;
}

/* At any moment from now on until the time of note-last-use has passed. */
static void
arm_at_random(struct front *f)
{
	uint64_t chance = 0, window_ms = (uint64_t)f->settings.directory_note_last_use * 1000;

	if (window_ms == 0 || f->use_armed || f->use_ask != NULL)
		return;
	/* Without random bytes all hosts that came up together would come together. */
	if (getrandom(&chance, sizeof chance, GRND_NONBLOCK) != (ssize_t)sizeof chance)
		chance = (uint64_t)loop_now_ms();
	arm(f, (int64_t)(chance % window_ms));
}

/* Once a day, whoever it is about: the cure is the same. */
static void
complain(struct front *f)
{
	int64_t today = last_use_day(loop_clock_sec(CLOCK_REALTIME));

	if (f->use_complained_utc_sec == today)
		return;
	f->use_complained_utc_sec = today;
	report_log(LOG_WARNING, "the directory does not take the last use of %.32s: %s", f->use_user,
	    "the host needs to write " LAST_USE_ATTRIBUTE " (acl-sample.ldif), and the entry the class ismsAccount; "
	    "or set [directory] note-last-use to 0");
}

static void
on_noted(void *arg, int error, enum message number, const void *msg)
{
	struct front *f = arg;
	const struct msg_result *result = msg;

	f->use_ask = NULL;
	if (error < 0 || number != MSG_RESULT || result->reason == REASON_DIRECTORY_UNAVAILABLE) {
		arm_at_random(f);
		return;
	}
	if (result->reason != REASON_OK && result->reason != REASON_UNKNOWN_USER)
		complain(f);
	if (state_last_use_told(f->state, f->use_user, f->use_utc_sec) == 0)
		arm(f, NEXT_MS);
	else
		arm_at_random(f);
}

static int
on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	struct msg_last_use msg = { .end_ = { 0 } };
	struct front *f = arg;
	const struct ask_question q = {
		.path = f->paths->directory_socket,
		.peers = &f->peers,
		.number = MSG_LAST_USE,
		.msg = &msg,
		.deadline_ms = loop_now_ms() + ASK_DEADLINE_MS,
	};

	(void)source;
	(void)usec;
	f->use_armed = false;
	if (f->settings.directory_note_last_use == 0 ||
	    state_last_use_due(f->state, NULL, f->use_user, &f->use_utc_sec) != 1)
		return 0;
	(void)snprintf(msg.user, sizeof msg.user, "%s", f->use_user);
	msg.used_utc_sec = f->use_utc_sec;
	if (!f->clock.trusted || ask_start(f->event, &q, on_noted, f, &f->use_ask) < 0)
		arm_at_random(f);
	return 0;
}

void
last_use_tell(struct front *f, const char *user)
{
	int64_t utc_sec;
	char found[33];

	if (!f->use_armed && state_last_use_due(f->state, user, found, &utc_sec) == 1)
		arm_at_random(f);
}

void
last_use_stop(struct front *f)
{
	ask_cancel(f->use_ask);
	f->use_ask = NULL;
	sd_event_source_disable_unref(f->use_timer);
	f->use_timer = NULL;
}
