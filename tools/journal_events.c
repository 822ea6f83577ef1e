/*
 * journal_events.c - events of ours in the journal.
 *
 * Runs in isms-userctl events. Must never trust a field without a leading underscore for who wrote an
 * entry: any process may send any field (JL04a).
 */
#include <config.h>

#include "tools/journal_events.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-journal.h>

#include "common/civil_date.h"
#include "common/event.h"
#include "tools/output.h"

#define VALUE_MAX 4096

struct journal_events {
	sd_journal *journal;	/* owned */
};

static int
add_matches(sd_journal *journal, const char *user)
{
	char match[512];
	unsigned i;
	int r = 0;

	for (i = 0; i < EVENT_COUNT && r >= 0; i++) {	/* matches of one field are alternatives */
		(void)snprintf(match, sizeof match, "MESSAGE_ID=%s", event_infos[i].message_id);
		r = sd_journal_add_match(journal, match, 0);
	}
	if (r >= 0 && user != NULL) {
		(void)snprintf(match, sizeof match, "ISMS_USER=%s", user);
		r = sd_journal_add_match(journal, match, 0);	/* another field: both must hold */
	}
	return r < 0 ? r : 0;
}

int
journal_events_open(const char *root, const char *user, int64_t since_utc_usec, struct journal_events **ret)
{
	struct journal_events *j = calloc(1, sizeof *j);
	char path[PATH_MAX];
	int r;

	if (j == NULL)
		return -ENOMEM;
	if (root[0] == '\0')
		r = sd_journal_open(&j->journal, SD_JOURNAL_LOCAL_ONLY);
	else {
		(void)snprintf(path, sizeof path, "%s/var/log/journal", root);
		r = sd_journal_open_directory(&j->journal, path, 0);
	}
	if (r >= 0)
		r = add_matches(j->journal, user);
	if (r >= 0 && since_utc_usec < 0) {
		r = sd_journal_seek_tail(j->journal);
		if (r >= 0)	/* one too many: next() steps forward first */
			r = sd_journal_previous_skip(j->journal, 11);
		if (r >= 0 && r < 11)
			r = sd_journal_seek_head(j->journal);
	} else if (r >= 0)
		r = since_utc_usec == 0 ? sd_journal_seek_head(j->journal) :
		    sd_journal_seek_realtime_usec(j->journal, (uint64_t)since_utc_usec);
	if (r < 0) {
		journal_events_close(j);
		return r;
	}
	*ret = j;	/* now owned by the caller */
	return 0;
}

void
journal_events_close(struct journal_events *j)
{
	if (j != NULL && j->journal != NULL)
		sd_journal_close(j->journal);
	free(j);
}

/* A field's value, NUL-terminated; NULL when the entry has none. Returns buf or NULL. */
static const char *
get(sd_journal *journal, const char *field, char *buf, size_t size)
{
	const void *data = NULL;
	size_t len = 0, name = strlen(field) + 1;

	if (sd_journal_get_data(journal, field, &data, &len) < 0 || len < name)
		return NULL;
	len -= name;
	if (len >= size)
		len = size - 1;
	memcpy(buf, (const char *)data + name, len);
	buf[len] = '\0';
	return buf;
}

bool
journal_events_genuine(const char *unit, const char *uid)
{
	static const char *const units[] = { "ismsd-front.service", "ismsd-directory.service", "ismsd-publisher.service" };
	size_t i;

	for (i = 0; unit != NULL && i < sizeof units / sizeof units[0]; i++)
		if (strcmp(unit, units[i]) == 0)
			return true;
	return uid != NULL && strcmp(uid, "0") == 0;
}

static json_t *
describe(sd_journal *journal, bool *ret_genuine)
{
	char value[VALUE_MAX], unit[256], time[32];
	json_t *event = json_object();
	const char *text, *its_unit;
	char *cursor = NULL;
	uint64_t usec = 0;
	unsigned i;

	if (event == NULL)
		return NULL;
	its_unit = get(journal, "_SYSTEMD_UNIT", unit, sizeof unit);
	text = get(journal, "_UID", value, sizeof value);
	*ret_genuine = journal_events_genuine(its_unit, text);
	if (sd_journal_get_realtime_usec(journal, &usec) >= 0)
		(void)json_object_set_new(event, "time", json_string(civil_date_format((int64_t)(usec / 1000000), time)));
	if (sd_journal_get_cursor(journal, &cursor) >= 0)
		(void)json_object_set_new(event, "cursor", output_string(cursor));
	free(cursor);
	(void)json_object_set_new(event, "genuine", json_boolean(*ret_genuine));
	(void)json_object_set_new(event, "host", output_string(get(journal, "_HOSTNAME", value, sizeof value)));
	(void)json_object_set_new(event, "unit", output_string(its_unit));
	(void)json_object_set_new(event, "uid", output_string(get(journal, "_UID", value, sizeof value)));
	(void)json_object_set_new(event, "priority", output_string(get(journal, "PRIORITY", value, sizeof value)));
	(void)json_object_set_new(event, "MESSAGE_ID", output_string(get(journal, "MESSAGE_ID", value, sizeof value)));
	(void)json_object_set_new(event, "MESSAGE", output_string(get(journal, "MESSAGE", value, sizeof value)));
	for (i = 0; i < EVENT_FIELD_COUNT; i++) {
		text = get(journal, event_fields[i].journal, value, sizeof value);
		if (text != NULL)
			(void)json_object_set_new(event, event_fields[i].journal, output_string(text));
	}
	return event;
}

int
journal_events_next(struct journal_events *j, bool follow, bool *ret_genuine, json_t **ret_event)
{
	int r;

	for (;;) {
		r = sd_journal_next(j->journal);
		if (r > 0)
			break;
		if (r < 0 || !follow)
			return r;
		r = sd_journal_wait(j->journal, (uint64_t)-1);
		if (r < 0)
			return r;
	}
	*ret_event = describe(j->journal, ret_genuine);
	return *ret_event != NULL ? 1 : -ENOMEM;
}
