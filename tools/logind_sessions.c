/*
 * logind_sessions.c - see logind_sessions.h.
 *
 * Runs in isms-userctl only. Must never wait without a deadline, and never take a session that ends while it is looked at
 * for a fault.
 */
#include <config.h>

#include "tools/logind_sessions.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

#include "tools/output.h"

#define DESTINATION	"org.freedesktop.login1"
#define PATH		"/org/freedesktop/login1"
#define MANAGER		"org.freedesktop.login1.Manager"
#define SESSION		"org.freedesktop.login1.Session"
#define WAIT_USEC	5000000
#define USEC_PER_SEC	1000000
#define SESSIONS_MAX	4096

/* A property that is text; NULL where it cannot be told. */
static json_t *
text_of(sd_bus *bus, const char *path, const char *name)
{
	json_t *value;
	char *text = NULL;

	if (sd_bus_get_property_string(bus, DESTINATION, path, SESSION, name, NULL, &text) < 0)
		return json_null();
	value = output_string(text[0] != '\0' ? text : NULL);
	free(text);
	return value;
}

static json_t *
describe(sd_bus *bus, const char *id, uint32_t uid, const char *user, const char *path)
{
	uint64_t since_usec = 0;
	uint32_t leader = 0;

	(void)sd_bus_get_property_trivial(bus, DESTINATION, path, SESSION, "Timestamp", NULL, 't', &since_usec);
	(void)sd_bus_get_property_trivial(bus, DESTINATION, path, SESSION, "Leader", NULL, 'u', &leader);
	return json_pack("{s:o, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:I}", "session", output_string(id), "user",
	    output_string(user), "uid", (json_int_t)uid, "leader", (json_int_t)leader, "service", text_of(bus, path, "Service"),
	    "from", text_of(bus, path, "RemoteHost"), "tty", text_of(bus, path, "TTY"), "class", text_of(bus, path, "Class"),
	    "since", (json_int_t)(since_usec / USEC_PER_SEC));
}

static int
read_list(sd_bus *bus, sd_bus_message *reply, json_t *rows)
{
	const char *id, *user, *seat, *path;
	uint32_t uid;
	int r;

	r = sd_bus_message_enter_container(reply, 'a', "(susso)");
	while (r >= 0 && (r = sd_bus_message_read(reply, "(susso)", &id, &uid, &user, &seat, &path)) > 0)
		if (json_array_size(rows) < SESSIONS_MAX)
			(void)json_array_append_new(rows, describe(bus, id, uid, user, path));
	return r < 0 ? r : 0;
}

int
logind_sessions(json_t **ret)
{
	sd_bus_message *reply = NULL;
	json_t *rows = json_array();
	sd_bus *bus = NULL;
	int r;

	r = sd_bus_open_system(&bus);
	if (r >= 0)
		(void)sd_bus_set_method_call_timeout(bus, WAIT_USEC);
	if (r >= 0)
		r = sd_bus_call_method(bus, DESTINATION, PATH, MANAGER, "ListSessions", NULL, &reply, NULL);
	if (r >= 0)
		r = read_list(bus, reply, rows);
	sd_bus_message_unref(reply);
	sd_bus_flush_close_unref(bus);
	if (r < 0) {
		json_decref(rows);
		return r;
	}
	*ret = rows;
	return 0;
}
