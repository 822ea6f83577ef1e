/*
 * setup_start.c - isms-userctl setup: starts the processes and sees that the chain works.
 *
 * Must never call it done before a snapshot is published that is no older than this run: only then do
 * users of the directory exist on this host.
 */
#include <config.h>

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/proto.h"
#include "common/snapshot.h"
#include "tools/ask_daemon.h"
#include "tools/output.h"
#include "tools/setup.h"

#define LOOK_MS		100
#define ASK_MS		1000
#define PATIENCE_MS	15000	/* for a server that tells something */
#define MORE_PATIENCE_MS 120000	/* for what comes of what it told: a million people are judged and laid out */
#define LONGEST_MS	3600000	/* for all: a server may tell without end */
#define READINGS_MAX	3u	/* that may fail before all has come: more would not help */

static volatile sig_atomic_t interrupted;

/* In the order in which they are needed: who writes, who feeds, who decides. */
static const char *const units[SETUP_UNITS] = {
	"ismsd-publisher.socket", "ismsd-publisher.service", "ismsd-directory.socket", "ismsd-directory.service",
	"ismsd-front.socket", "ismsd-front.service",
};

gid_t
setup_local_gid(const struct invocation *in, const char *name, gid_t fallback)
{
	const struct group *row;
	gid_t gid = fallback;
	FILE *f;

	f = fopen(in->paths.group, "re");
	while (f != NULL && (row = fgetgrent(f)) != NULL)
		if (strcmp(row->gr_name, name) == 0)
			gid = row->gr_gid;
	if (f != NULL)
		(void)fclose(f);
	return gid;
}

static void
on_signal(int number)
{
	interrupted = number;
}

/* Who gives up waiting finds the host as it was: from here on signals end the wait, and what was made is taken back. */
static void
catch_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	const struct sigaction act = { .sa_handler = on_signal };
	struct sigaction was;

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		if (sigaction(numbers[i], NULL, &was) == 0 && was.sa_handler != SIG_IGN)
			(void)sigaction(numbers[i], &act, NULL);
}

static enum exit_code
was_interrupted(void)
{
	output_error("interrupted (%s)", strsignal(interrupted));
	return EXIT_REFUSED;
}

static enum exit_code
start_unit(struct setup *s, size_t i)
{
	bool service = strstr(units[i], ".service") != NULL;
	char result[256];
	int active, r;

	active = units_active(s->units, units[i]);
	if (active == -ENOENT) {
		output_error("%s is not installed; install the package ismsd, then systemctl daemon-reload", units[i]);
		return EXIT_UNREACHABLE;
	}
	if (active < 0) {	/* whether it runs is not known, so it is left alone */
		output_error("%s: %s", units[i], strerror(-active));
		return EXIT_UNREACHABLE;
	}
	if (active == 1 && !(service && s->changed))
		return EXIT_DONE;
	r = units_job(s->units, active == 1 ? "RestartUnit" : "StartUnit", units[i], result, sizeof result);
	if (active != 1)
		s->started[i] = true;
	if (r == 0)
		return EXIT_DONE;
	output_error("%s did not start: %s; see journalctl -u %s", units[i], result, units[i]);
	return EXIT_UNREACHABLE;
}

/* Whether there is a published file from since on, and how many users it has. */
static bool
published(const struct setup *s, int64_t since_utc_sec, uint32_t *ret_users)
{
	char path[PATH_MAX + 32];
	struct snapshot snapshot = { 0 };
	bool fresh;

	(void)snprintf(path, sizeof path, "%s/" SNAPSHOT_BASE_NAME, s->in->paths.nss);
	if (snapshot_open_state(path, 0, &snapshot) < 0)
		return false;
	fresh = snapshot_created_utc_sec(&snapshot) >= since_utc_sec;
	*ret_users = snapshot_user_count(&snapshot);
	snapshot_close(&snapshot);
	return fresh;
}

static int64_t
now_ms(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* What is known of the directory process while a snapshot is waited for. */
struct awaited {
	json_int_t received;		/* entries that the reading under way has */
	unsigned readings;		/* that ended before all had come */
	bool told;			/* it has, or has had, something of the server */
	bool connected;			/* it has, or has had, all of it */
	int64_t began_ms, asked_ms;
	int64_t until_ms;		/* when to give up, as it looks */
	char fault[512];		/* why there is nothing yet; "": it does not say */
};

/* Show how far it is, to a person; 0: no more of that. */
static void
show_received(const struct setup *s, json_int_t received)
{
	if (s->in->json || isatty(STDERR_FILENO) != 1)
		return;
	if (received > 0)
		(void)fprintf(stderr, "\rread from the directory: %" JSON_INTEGER_FORMAT " entries ...", received);
	else
		(void)fprintf(stderr, "\r%*s\r", 60, "");
}

/* Ask it how far it is: as long as more comes, there is something to wait for. It may be too busy to answer. */
static void
ask_directory(const struct setup *s, struct awaited *a)
{
	struct msg_report *report = calloc(1, sizeof *report);
	char nothing[1] = "";
	const char *fault, *connected;
	json_t *object = NULL;
	json_int_t received;
	bool is_connected;

	a->asked_ms = now_ms();
	if (report != NULL && ask_daemon(s->in, PROCESS_DIRECTORY, MSG_DIRECTORY_STATUS, nothing, MSG_REPORT, report) == 0)
		object = ask_daemon_report(report);
	free(report);
	if (object == NULL)
		return;
	received = json_integer_value(json_object_get(object, "received"));
	connected = json_string_value(json_object_get(object, "connected"));
	is_connected = connected != NULL && strcmp(connected, "yes") == 0;
	a->readings += received < a->received && !is_connected;
	if ((received > a->received && a->readings < READINGS_MAX) || (is_connected && !a->connected))
		a->until_ms = now_ms() + MORE_PATIENCE_MS;
	a->told = a->told || is_connected || received > 0;
	a->connected = a->connected || is_connected;
	a->received = received;
	fault = json_string_value(json_object_get(object, "fault"));
	(void)snprintf(a->fault, sizeof a->fault, "%s", fault != NULL ? fault : "");
	json_decref(object);
	show_received(s, received);
}

/* Wait for a snapshot, for as long as the directory process has more of the server from time to time. */
static bool
await_published(struct setup *s, int64_t since_utc_sec, struct awaited *a, uint32_t *ret_users)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000 };
	bool is_there;

	a->began_ms = a->asked_ms = now_ms();
	a->until_ms = a->began_ms + PATIENCE_MS;
	while (!(is_there = published(s, since_utc_sec, ret_users)) && !interrupted && now_ms() < a->until_ms &&
	    now_ms() - a->began_ms < LONGEST_MS) {
		(void)nanosleep(&pause, NULL);
		if (now_ms() - a->asked_ms >= ASK_MS)
			ask_directory(s, a);
	}
	if (a->told)
		show_received(s, 0);
	return is_there;
}

/* The publisher must have published, and the front must answer. */
static enum exit_code
check_chain(struct setup *s, int64_t since_utc_sec)
{
	struct msg_report *report;
	struct awaited a = { 0 };
	char nothing[1] = "", text[128];
	uint32_t users = 0;
	int r;

	if (!await_published(s, since_utc_sec, &a, &users)) {
		if (interrupted)
			return was_interrupted();
		output_error("no snapshot was published within %lld seconds%s%s; see journalctl -u ismsd-publisher -u ismsd-directory",
		    (long long)(now_ms() - a.began_ms) / 1000, a.fault[0] != '\0' ? ": " : "", a.fault);
		return EXIT_UNREACHABLE;
	}
	report = calloc(1, sizeof *report);
	r = report != NULL ? ask_daemon(s->in, PROCESS_FRONT, MSG_STATUS, nothing, MSG_REPORT, report) : -ENOMEM;
	free(report);
	if (r < 0)
		return ask_daemon_complain(PROCESS_FRONT, r);
	setup_say(s, "units", "front, directory and publisher run", NULL);
	if (users > 0)
		(void)snprintf(text, sizeof text, "%" PRIu32 " user%s published", users, users > 1 ? "s" : "");
	else
		(void)snprintf(text, sizeof text, "no user published yet (who is refused, isms-userctl status says)");
	setup_say(s, "snapshot", text, s->in->paths.nss);
	return EXIT_DONE;
}

enum exit_code
setup_start(struct setup *s)
{
	/* A file of an older run counts only where nothing was written that it could lack. */
	int64_t since_utc_sec = s->changed ? (int64_t)time(NULL) : 0;
	enum exit_code code = EXIT_DONE;
	size_t i;
	int r;

	catch_signals();
	r = units_open(&s->units);
	if (r < 0) {
		output_error("systemd cannot be reached over the bus: %s; start ismsd-publisher, ismsd-directory and ismsd-front by hand",
		    strerror(-r));
		return EXIT_UNREACHABLE;
	}
	r = setup_reload(s);
	if (r < 0 && interrupted)
		return was_interrupted();
	if (r < 0) {
		output_error("systemd does not read its units again: %s; run systemctl daemon-reload", strerror(-r));
		return EXIT_UNREACHABLE;
	}
	for (i = 0; i < SETUP_UNITS && code == EXIT_DONE; i++)
		code = interrupted ? was_interrupted() : start_unit(s, i);
	return code == EXIT_DONE ? check_chain(s, since_utc_sec) : code;
}

int
setup_reload(struct setup *s)
{
	return s->network && s->units != NULL ? units_reload(s->units) : 0;
}

void
setup_stop(struct setup *s)
{
	char result[256];
	size_t i;

	for (i = SETUP_UNITS; s->units != NULL && i > 0; i--)
		if (s->started[i - 1])
			(void)units_job(s->units, "StopUnit", units[i - 1], result, sizeof result);
}

void
setup_done(struct setup *s)
{
	secret_done(&s->host_password);
	units_free(s->units);
	json_decref(s->result);
	free(s);
}
