/*
 * units.c - starts and stops our units over the system bus (org.freedesktop.systemd1).
 *
 * Runs in isms-userctl setup. Must never run another program, and never wait without a deadline.
 */
#include <config.h>

#include "tools/units.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "common/channel.h"

#define DESTINATION	"org.freedesktop.systemd1"
#define MANAGER_PATH	"/org/freedesktop/systemd1"
#define MANAGER		"org.freedesktop.systemd1.Manager"
#define WAIT_MS		30000

struct units {
	sd_bus *bus;		/* owned */
	char job[128];		/* object path of the job that is waited for */
	char result[64];	/* its result, once it is there */
	char early[128], early_result[64];	/* the last job that ended, for one that ends before its path is known */
};

/* JobRemoved(id, job, unit, result). */
static int
on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *job = NULL, *unit = NULL, *result = NULL;
	struct units *u = userdata;
	uint32_t id = 0;

	(void)error;
	if (sd_bus_message_read(m, "uoss", &id, &job, &unit, &result) < 0)
		return 0;
	(void)snprintf(u->early, sizeof u->early, "%s", job);
	(void)snprintf(u->early_result, sizeof u->early_result, "%s", result);
	if (strcmp(job, u->job) == 0)
		(void)snprintf(u->result, sizeof u->result, "%s", result);
	return 0;
}

int
units_open(struct units **ret)
{
	struct units *u = calloc(1, sizeof *u);
	int r;

	if (u == NULL)
		return -ENOMEM;
	r = sd_bus_open_system(&u->bus);
	if (r >= 0)
		r = sd_bus_match_signal(u->bus, NULL, DESTINATION, MANAGER_PATH, MANAGER, "JobRemoved", on_job_removed, u);
	if (r >= 0)
		r = sd_bus_call_method(u->bus, DESTINATION, MANAGER_PATH, MANAGER, "Subscribe", NULL, NULL, NULL);
	if (r < 0) {
		units_free(u);
		return r;
	}
	*ret = u;	/* now owned by the caller */
	return 0;
}

void
units_free(struct units *u)
{
	if (u != NULL)
		(void)sd_bus_flush_close_unref(u->bus);
	free(u);
}

int
units_reload(struct units *u)
{
	return sd_bus_call_method(u->bus, DESTINATION, MANAGER_PATH, MANAGER, "Reload", NULL, NULL, NULL);
}

int
units_active(struct units *u, const char *unit)
{
	sd_bus_message *reply = NULL;
	const char *path = NULL;
	char *load = NULL, *state = NULL;
	int r;

	r = sd_bus_call_method(u->bus, DESTINATION, MANAGER_PATH, MANAGER, "LoadUnit", NULL, &reply, "s", unit);
	if (r >= 0)
		r = sd_bus_message_read(reply, "o", &path);
	if (r >= 0)
		r = sd_bus_get_property_string(u->bus, DESTINATION, path, "org.freedesktop.systemd1.Unit", "LoadState", NULL, &load);
	if (r >= 0)
		r = sd_bus_get_property_string(u->bus, DESTINATION, path, "org.freedesktop.systemd1.Unit", "ActiveState", NULL,
		    &state);
	if (r >= 0)
		r = strcmp(load, "not-found") == 0 ? -ENOENT : strcmp(state, "active") == 0;
	free(load);
	free(state);
	(void)sd_bus_message_unref(reply);
	return r;
}

static int
wait_job(struct units *u)
{
	int64_t deadline_ms = channel_now_ms() + WAIT_MS, left_ms;
	int r;

	while (u->result[0] == '\0') {
		r = sd_bus_process(u->bus, NULL);
		if (r < 0)
			return r;
		if (r > 0)
			continue;
		left_ms = deadline_ms - channel_now_ms();
		if (left_ms <= 0)
			return -ETIMEDOUT;
		r = sd_bus_wait(u->bus, (uint64_t)left_ms * 1000);
		if (r < 0 && r != -EINTR)
			return r;
	}
	return strcmp(u->result, "done") == 0 ? 0 : -EIO;
}

int
units_job(struct units *u, const char *method, const char *unit, char *result, size_t size)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	const char *job = NULL;
	int r;

	u->job[0] = u->result[0] = u->early[0] = '\0';
	r = sd_bus_call_method(u->bus, DESTINATION, MANAGER_PATH, MANAGER, method, &error, &reply, "ss", unit, "replace");
	if (r >= 0)
		r = sd_bus_message_read(reply, "o", &job);
	if (r >= 0) {
		(void)snprintf(u->job, sizeof u->job, "%s", job);
		if (strcmp(u->early, job) == 0)
			(void)snprintf(u->result, sizeof u->result, "%s", u->early_result);
		r = wait_job(u);
	}
	(void)snprintf(result, size, "%s", u->result[0] != '\0' ? u->result : error.message != NULL ? error.message :
	    strerror(-r));
	sd_bus_error_free(&error);
	(void)sd_bus_message_unref(reply);
	return r;
}

