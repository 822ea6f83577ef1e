/*
 * ask_daemon.c - questions of isms-userctl to the processes of ismsd.
 *
 * Runs in isms-userctl only. Must never believe a peer that is not ours, nor wait without a deadline.
 */
#include <config.h>

#include "tools/ask_daemon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/channel.h"
#include "common/verdict.h"
#include "tools/output.h"

#define WAIT_MS 10000

static const struct {
	const char *name, *unit, *user;
} processes[PROCESS_COUNT] = {
	[PROCESS_FRONT] = { "front", "ismsd-front.service", "isms" },
	[PROCESS_DIRECTORY] = { "directory", "ismsd-directory.service", "isms-dir" },
	[PROCESS_PUBLISHER] = { "publisher", "ismsd-publisher.service", "root" },
};

const char *
ask_daemon_name(enum process process)
{
	return processes[process].name;
}

const char *
ask_daemon_unit(enum process process)
{
	return processes[process].unit;
}

const char *
ask_daemon_cure(const struct invocation *in, enum process process, char *buf, size_t size)
{
	if (invocation_is_set_up(in))
		(void)snprintf(buf, size, "systemctl status %s; systemctl restart %s", ask_daemon_unit(process),
		    ask_daemon_unit(process));
	else
		(void)snprintf(buf, size, "run isms-userctl setup: it was never done here");
	return buf;
}

static const char *
socket_path(const struct invocation *in, enum process process)
{
	switch (process) {
	case PROCESS_FRONT:
		return in->paths.front_socket;
	case PROCESS_DIRECTORY:
		return in->paths.directory_socket;
	default:
		return in->paths.publisher_socket;
	}
}

int
ask_daemon(const struct invocation *in, enum process process, enum message number, const void *msg,
    enum message want, void *ret)
{
	int64_t deadline_ms = channel_now_ms() + WAIT_MS, uid;
	uid_t owners[3] = { 0 };
	size_t count = 1;
	int fd = -1, r;

	uid = invocation_local_uid(in, processes[process].user);
	if (uid > 0)
		owners[count++] = (uid_t)uid;
	if (in->root[0] != '\0')
		owners[count++] = geteuid();
	r = channel_connect(socket_path(in, process), owners, count, deadline_ms, &fd);
	if (r < 0)
		return r;
	r = channel_ask(fd, number, msg, want, ret, deadline_ms);
	(void)close(fd);
	return r;
}

enum exit_code
ask_daemon_complain(enum process process, int error)
{
	const char *what;

	switch (-error) {
	case ENOENT:
	case ECONNREFUSED:
		what = "is not running";
		break;
	case EPERM:
		what = "is not answered by a process of ismsd";
		break;
	case ETIMEDOUT:
		what = "did not answer in time";
		break;
	case EPIPE:
	case ECONNRESET:
		what = "hung up";
		break;
	case EBADMSG:
		what = "answered something else than was asked (another version?)";
		break;
	default:
		what = strerror(-error);
		break;
	}
	output_error("%s %s; see systemctl status %s, then systemctl restart %s", processes[process].unit, what,
	    processes[process].unit, processes[process].unit);
	return EXIT_UNREACHABLE;
}

/* Put key=value into the object; the second of a key makes an array of both. Returns 0 or -1. */
static int
add(json_t *object, const char *key, json_t *value)
{
	json_t *there = json_object_get(object, key), *list;

	if (there == NULL)
		return json_object_set_new(object, key, value);
	if (json_is_array(there))
		return json_array_append_new(there, value);
	list = json_pack("[O]", there);
	if (list == NULL || json_array_append_new(list, value) < 0) {
		json_decref(list);
		return -1;
	}
	return json_object_set_new(object, key, list);
}

/* Plain numbers become JSON numbers. */
static json_t *
value_of(const char *text)
{
	size_t len = strlen(text);

	if (len > 0 && len <= 15 && strspn(text, "0123456789") == len && (text[0] != '0' || len == 1))
		return json_integer((json_int_t)strtoll(text, NULL, 10));
	return output_string(text);
}

json_t *
ask_daemon_report(const struct msg_report *report)
{
	char lines[sizeof report->lines], *line, *save = NULL, *value;
	json_t *object = json_object();

	memcpy(lines, report->lines, sizeof lines);
	for (line = strtok_r(lines, "\n", &save); line != NULL && object != NULL; line = strtok_r(NULL, "\n", &save)) {
		value = strchr(line, '=');
		if (value == NULL || value == line)
			continue;
		*value++ = '\0';
		if (add(object, line, value_of(value)) < 0) {
			json_decref(object);
			object = NULL;
		}
	}
	return object;
}

int
ask_daemon_why(const struct invocation *in, struct msg_why *why, bool factors_chosen, struct msg_report *ret)
{
	json_t *facts;
	int r;

	if (!factors_chosen)
		why->factors = FACTOR_PASSWORD | FACTOR_OTP;
	r = ask_daemon(in, PROCESS_FRONT, MSG_WHY, why, MSG_REPORT, ret);
	if (r == 0 && !factors_chosen && ret->reason == REASON_PASSWORD_NOT_ALLOWED) {
		why->factors = FACTOR_KEY;
		return ask_daemon(in, PROCESS_FRONT, MSG_WHY, why, MSG_REPORT, ret);
	}
	if (r < 0 || factors_chosen || ret->verdict != VERDICT_ALLOW)
		return r;
	facts = ask_daemon_report(ret);
	if (strstr(ret->lines, "mfa=due\n") != NULL && json_integer_value(json_object_get(facts, "tokens")) == 0) {
		why->factors = FACTOR_PASSWORD;
		r = ask_daemon(in, PROCESS_FRONT, MSG_WHY, why, MSG_REPORT, ret);
	}
	json_decref(facts);
	return r;
}
