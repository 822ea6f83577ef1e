/*
 * key_entry.c - public keys of an account, as verbs give, take and show them.
 *
 * Runs in isms-userctl only. Must never write a value that the daemon would not take for the same key.
 */
#include <config.h>

#include "tools/key_entry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/civil_date.h"
#include "tools/journal_events.h"
#include "tools/output.h"

#define FILE_MAX 16384

static const char *const names[] = { "ismsKey", "sshPublicKey" };

/* All of a small file. Returns its length or -errno. */
static ssize_t
read_file(const char *path, char buf[static FILE_MAX])
{
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *f = is_stdin ? stdin : fopen(path, "re");
	ssize_t len;

	if (f == NULL)
		return -errno;
	len = (ssize_t)fread(buf, 1, FILE_MAX, f);
	if (ferror(f) != 0)
		len = -EIO;
	else if (len == FILE_MAX)
		len = -E2BIG;
	if (!is_stdin)
		(void)fclose(f);
	return len;
}

enum exit_code
key_entry_read(const struct invocation *in, const char *path, struct authorized_key *ret,
    char value[static KEY_ENTRY_SIZE])
{
	char text[FILE_MAX], comment[4 * sizeof ret->comment], date[32];
	ssize_t len = read_file(path, text);
	const char *fault = NULL;

	if (len < 0) {
		output_error("--key-file %s: %s", path, strerror((int)-len));
		return EXIT_REFUSED;
	}
	if (authorized_key_parse(text, (size_t)len, ret, &fault) < 0) {
		output_error("--key-file %s: %s; give the one line of a public key file (ssh-keygen's .pub)", path, fault);
		return EXIT_REFUSED;
	}
	/* What is no plain text, or says when another one was added, is no comment. */
	if (ret->added_utc_sec != 0 || strcmp(output_sanitise(ret->comment, comment, sizeof comment), ret->comment) != 0)
		ret->comment[0] = '\0';
	(void)snprintf(value, KEY_ENTRY_SIZE, "%s %s%s%s isms-added=%s", ret->type, ret->blob,
	    ret->comment[0] != '\0' ? " " : "", ret->comment, civil_date_format_generalized(in->now_utc_sec, date));
	return EXIT_DONE;
}

struct search {
	const char *fingerprint;
	size_t count;
	bool found;
};

static bool
look(const struct authorized_key *key, void *arg)
{
	struct search *s = arg;

	s->count++;
	s->found = s->found || strcmp(key->fingerprint, s->fingerprint) == 0;
	return true;
}

bool
key_entry_has(const struct entry *e, const char *fingerprint, size_t *ret_count)
{
	struct search s = { .fingerprint = fingerprint };

	(void)identity_keys(e, look, &s);
	*ret_count = s.count;
	return s.found;
}

static json_t *
describe(const char *attribute, const struct value *v, int64_t now_utc_sec)
{
	struct authorized_key key;
	const char *fault = NULL;
	json_t *row = json_object();
	char *mark;

	(void)json_object_set_new(row, "attribute", json_string(attribute));
	if (authorized_key_parse(v->bytes, v->len, &key, &fault) < 0) {
		(void)json_object_set_new(row, "fault", json_string(fault));
		return row;
	}
	(void)json_object_set_new(row, "fingerprint", json_string(key.fingerprint));
	(void)json_object_set_new(row, "type", json_string(key.type));
	mark = key.added_utc_sec != 0 ? strrchr(key.comment, ' ') : NULL;	/* which is told as "added" */
	if (mark != NULL)
		*mark = '\0';
	(void)json_object_set_new(row, "comment", output_string(key.added_utc_sec != 0 && mark == NULL ? "" : key.comment));
	(void)json_object_set_new(row, "added", output_time(key.added_utc_sec));
	if (key.added_utc_sec != 0 && key.added_utc_sec <= now_utc_sec)
		(void)json_object_set_new(row, "age_days", json_integer((now_utc_sec - key.added_utc_sec) / 86400));
	return row;
}

json_t *
key_entry_list(const struct entry *e, int64_t now_utc_sec)
{
	json_t *list = json_array();

	for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
		const struct attribute *a = entry_attribute(e, names[n]);

		for (size_t i = 0; a != NULL && i < a->count; i++)
			(void)json_array_append_new(list, describe(names[n], &a->values[i], now_utc_sec));
	}
	return list;
}

static const char *
text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static void
note_use(json_t *rows, const json_t *event)
{
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		if (text_of(row, "fingerprint")[0] == '\0' || strcmp(text_of(row, "fingerprint"), text_of(event, "ISMS_KEY")) != 0)
			continue;
		(void)json_object_set(row, "last_use", json_object_get(event, "time"));
		(void)json_object_set(row, "last_rhost", json_object_get(event, "ISMS_RHOST"));
	}
}

void
key_entry_add_uses(const struct invocation *in, const char *user, json_t *rows)
{
	struct journal_events *journal = NULL;
	bool genuine = false;
	json_t *event;

	if (json_array_size(rows) == 0 || journal_events_open(in->root, user, 0, &journal) < 0)
		return;
	while (journal_events_next(journal, false, &genuine, &event) == 1) {
		if (genuine && strcmp(text_of(event, "ISMS_EVENT"), "session.opened") == 0)
			note_use(rows, event);
		json_decref(event);
	}
	journal_events_close(journal);
}
