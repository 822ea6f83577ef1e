/*
 * logind.c - asynchronous calls on the system bus (see logind.h).
 *
 * Runs in the publisher, as uid 0. It must never make a blocking call: logind may itself wait for a lookup or a PAM
 * stage of ours.
 */
#include <config.h>

#include "daemon/logind.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "common/snapshot.h"
#include "daemon/report.h"

#define CALL_USEC	2000000ULL
#define SERVICE		"org.freedesktop.login1"
#define OBJECT		"/org/freedesktop/login1"
#define MANAGER		"org.freedesktop.login1.Manager"
#define SYSTEMD		"org.freedesktop.systemd1"
#define SYSTEMD_OBJECT	"/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER	"org.freedesktop.systemd1.Manager"

struct logind {
	sd_event *event;	/* owned */
	sd_bus *bus;		/* owned; NULL while closed */
	sd_bus_slot *listing;	/* owned; the call under way */
	uint32_t *uids;		/* owned; of each session of the last list */
	size_t count;
	bool complained;	/* about the bus that is away, since it last answered */
};

struct logind *
logind_new(sd_event *event)
{
	struct logind *l = calloc(1, sizeof *l);

	if (l != NULL)
		l->event = sd_event_ref(event);
	return l;
}

void
logind_idle(struct logind *l)
{
	l->listing = sd_bus_slot_unref(l->listing);
	if (l->bus != NULL)
		sd_bus_detach_event(l->bus);
	l->bus = sd_bus_close_unref(l->bus);
	free(l->uids);
	l->uids = NULL;
	l->count = 0;
}

void
logind_free(struct logind *l)
{
	if (l == NULL)
		return;
	logind_idle(l);
	sd_event_unref(l->event);
	free(l);
}

/* Returns the bus, opened anew when the old connection broke; NULL when there is none. */
static sd_bus *
get_bus(struct logind *l)
{
	int r;

	if (l->bus != NULL && sd_bus_is_open(l->bus) > 0)
		return l->bus;
	l->listing = sd_bus_slot_unref(l->listing);
	l->bus = sd_bus_close_unref(l->bus);
	r = sd_bus_open_system(&l->bus);
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(l->bus, CALL_USEC);
	if (r >= 0)
		r = sd_bus_attach_event(l->bus, l->event, SD_EVENT_PRIORITY_NORMAL);
	if (r >= 0) {
		l->complained = false;
		return l->bus;
	}
	if (!l->complained)
		report_log(LOG_WARNING, "no system bus: %s; sessions are ended through their processes alone",
		    strerror(-r));
	l->complained = true;
	l->bus = sd_bus_close_unref(l->bus);
	return NULL;
}

static bool
is_already_gone(const sd_bus_error *error)
{
	return sd_bus_error_has_name(error, SERVICE ".NoSuchUser") ||
	    sd_bus_error_has_name(error, SYSTEMD ".NoSuchUnit") ||
	    sd_bus_error_has_name(error, SD_BUS_ERROR_FILE_NOT_FOUND) ||
	    sd_bus_error_has_name(error, "System.Error.ESRCH");
}

/* arg is the name of the method. */
static int
on_answer(sd_bus_message *m, void *arg, sd_bus_error *ret_error)
{
	const sd_bus_error *error = sd_bus_message_get_error(m);

	(void)ret_error;
	if (error != NULL && !is_already_gone(error))
		report_log(LOG_WARNING, "%s: %s", (const char *)arg,
		    error->message != NULL ? error->message : error->name);
	return 1;
}

static void
note_failure(const char *method, int r)
{
	if (r < 0)
		report_log(LOG_WARNING, "%s: %s", method, strerror(-r));
}

static int
read_sessions(struct logind *l, sd_bus_message *m)
{
	uint32_t *list = NULL, *grown, uid;
	size_t count = 0;
	int r;

	r = sd_bus_message_enter_container(m, 'a', "(susso)");
	while (r >= 0 && (r = sd_bus_message_read(m, "(susso)", NULL, &uid, NULL, NULL, NULL)) > 0) {
		grown = reallocarray(list, count + 1, sizeof *list);
		if (grown == NULL) {
			r = -ENOMEM;
			break;
		}
		list = grown;
		list[count++] = uid;
	}
	if (r < 0) {
		free(list);
		return r;
	}
	free(l->uids);
	l->uids = list;
	l->count = count;
	return 0;
}

static int
on_list(sd_bus_message *m, void *arg, sd_bus_error *ret_error)
{
	static char method[] = "ListSessions";
	struct logind *l = arg;

	l->listing = sd_bus_slot_unref(l->listing);
	if (sd_bus_message_is_method_error(m, NULL) > 0)
		return on_answer(m, method, ret_error);
	note_failure(method, read_sessions(l, m));
	return 1;
}

void
logind_list(struct logind *l)
{
	sd_bus *bus = get_bus(l);

	if (bus == NULL || l->listing != NULL)
		return;
	note_failure("ListSessions",
	    sd_bus_call_method_async(bus, &l->listing, SERVICE, OBJECT, MANAGER, "ListSessions", on_list, l, NULL));
}

bool
logind_listed(const struct logind *l)
{
	return l->listing == NULL;
}

unsigned
logind_sessions(const struct logind *l, uint32_t uid)
{
	unsigned n = 0;

	for (size_t i = 0; i < l->count; i++)
		n += l->uids[i] == uid;
	return n;
}

void
logind_revoke_linger(struct logind *l, uint32_t uid, const char *folder, const char *name)
{
	static char method[] = "SetUserLinger";
	sd_bus *bus = get_bus(l);
	char path[128];

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	if (snapshot_name_allowed(name, strlen(name)) && unlink(path) < 0 && errno != ENOENT)
		report_log(LOG_WARNING, "%s: %s; loginctl disable-linger", path, strerror(errno));
	if (bus != NULL)
		note_failure(method, sd_bus_call_method_async(bus, NULL, SERVICE, OBJECT, MANAGER, method, on_answer,
		    method, "ubb", uid, 0, 0));
}

void
logind_terminate_user(struct logind *l, uint32_t uid)
{
	static char method[] = "TerminateUser";
	sd_bus *bus = get_bus(l);

	if (bus != NULL)
		note_failure(method, sd_bus_call_method_async(bus, NULL, SERVICE, OBJECT, MANAGER, method, on_answer,
		    method, "u", uid));
}

void
logind_kill_user(struct logind *l, uint32_t uid)
{
	static char kill_method[] = "KillUser", stop_method[] = "StopUnit";
	sd_bus *bus = get_bus(l);
	char slice[32];

	if (bus == NULL)
		return;
	note_failure(kill_method, sd_bus_call_method_async(bus, NULL, SERVICE, OBJECT, MANAGER, kill_method, on_answer,
	    kill_method, "ui", uid, SIGKILL));
	(void)snprintf(slice, sizeof slice, "user-%u.slice", uid);
	note_failure(stop_method, sd_bus_call_method_async(bus, NULL, SYSTEMD, SYSTEMD_OBJECT, SYSTEMD_MANAGER,
	    stop_method, on_answer, stop_method, "ss", slice, "replace"));
}
