/*
 * declared.c - see declared.h.
 *
 * Runs in isms-userctl only. Must never take a declaration that does not say who answers for it, and why.
 */
#include <config.h>

#include "tools/declared.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/civil_date.h"
#include "common/conf_file.h"
#include "common/snapshot.h"

#define ROWS_MAX 1000

static const struct { const char *word; enum declared_what what; } words[] = {
	{ "account", DECLARED_ACCOUNT }, { "keys", DECLARED_KEYS }, { "sudo", DECLARED_SUDO }, { "cron", DECLARED_CRON },
	{ "at", DECLARED_AT }, { "unit", DECLARED_UNIT }, { "setid", DECLARED_SETID },
};

enum { WORD_COUNT = sizeof words / sizeof words[0] };

struct reader {
	struct declared all;
	const char *zone;
};

const char *
declared_word(enum declared_what what)
{
	for (size_t i = 0; i < WORD_COUNT; i++)
		if (words[i].what == what)
			return words[i].word;
	return "?";
}

/* The section before must be whole. */
static int
check_last(const struct reader *r, char *error, size_t size)
{
	const struct declared_row *row = r->all.count > 0 ? &r->all.rows[r->all.count - 1] : NULL;

	if (row == NULL || (row->what != 0 && row->owner[0] != '\0' && row->reason[0] != '\0'))
		return 0;
	return conf_wrong(error, size, "[declared %s] (line %u): what, owner and reason are needed", row->who, row->line);
}

static int
take_section(struct reader *r, const struct conf_line *line, char *error, size_t size)
{
	const char *who = line->section + 9;
	struct declared_row *rows;

	if (check_last(r, error, size) < 0)
		return -EINVAL;
	if (strncmp(line->section, "declared ", 9) != 0 || who[0] == '\0' || strlen(who) >= sizeof rows->who ||
	    strpbrk(who, " \t") != NULL)
		return conf_wrong(error, size, "[%.80s]: write [declared WHO]: an account, or %%GROUP as sudo has it", line->section);
	for (size_t i = 0; i < r->all.count; i++)
		if (strcmp(r->all.rows[i].who, who) == 0)
			return conf_wrong(error, size, "[declared %s]: is there already (line %u); put all of it there", who,
			    r->all.rows[i].line);
	if (r->all.count == ROWS_MAX)
		return conf_wrong(error, size, "more than %d declarations", ROWS_MAX);
	rows = reallocarray(r->all.rows, r->all.count + 1, sizeof *rows);
	if (rows == NULL)
		return conf_wrong(error, size, "out of memory");
	r->all.rows = rows;
	rows[r->all.count] = (struct declared_row){ .line = line->line };
	(void)snprintf(rows[r->all.count++].who, sizeof rows->who, "%s", who);
	return 0;
}

static int
take_what(struct declared_row *row, const char *value, char *error, size_t size)
{
	size_t len, i;

	for (value += strspn(value, " "); *value != '\0'; value += len, value += strspn(value, " ")) {
		len = strcspn(value, " ");
		for (i = 0; i < WORD_COUNT; i++)
			if (strlen(words[i].word) == len && strncmp(words[i].word, value, len) == 0)
				break;
		if (i == WORD_COUNT)
			return conf_wrong(error, size, "what: \"%.*s\" is none of account, keys, sudo, cron, at, unit",
			    (int)(len < 40 ? len : 40), value);
		row->what |= words[i].what;
	}
	return 0;
}

static int
take_line(void *arg, const struct conf_line *line, char *error, size_t size)
{
	struct reader *r = arg;
	struct declared_row *row;

	if (line->key == NULL)
		return take_section(r, line, error, size);
	if (r->all.count == 0)
		return conf_wrong(error, size, "%s: stands before the first [declared WHO]", line->key);
	row = &r->all.rows[r->all.count - 1];
	if (strcmp(line->key, "what") == 0)
		return take_what(row, line->value, error, size);
	if (strcmp(line->key, "owner") == 0) {
		if (!snapshot_name_allowed(line->value, strlen(line->value)))
			return conf_wrong(error, size, "owner: \"%.40s\" cannot be an account of the directory", line->value);
		(void)snprintf(row->owner, sizeof row->owner, "%s", line->value);
		return 0;
	}
	if (strcmp(line->key, "reason") == 0) {
		if (strlen(line->value) >= sizeof row->reason)
			return conf_wrong(error, size, "reason: longer than %zu bytes", sizeof row->reason - 1);
		(void)snprintf(row->reason, sizeof row->reason, "%s", line->value);
		return 0;
	}
	if (strcmp(line->key, "until") != 0)
		return conf_wrong(error, size, "%s: unknown key; write what, owner, reason or until", line->key);
	if (strlen(line->value) < 10 || civil_date_parse_until(line->value, r->zone, 0, &row->until_utc_sec) < 0 ||
	    line->value[0] == '+')
		return conf_wrong(error, size, "until: write 2026-12-31, or an instant");
	return 0;
}

static int
finish(struct reader *r, int e, struct declared *ret, char *error, size_t size)
{
	if (e == 0)
		e = check_last(r, error, size);
	if (e < 0) {
		declared_done(&r->all);
		return e;
	}
	*ret = r->all;
	return 0;
}

int
declared_load(const char *dir, const char *zone, struct declared *ret, char *error, size_t size)
{
	struct reader r = { .zone = zone };
	int e = conf_load(dir, "declared.conf", "declared.d", take_line, &r, NULL, error, size);

	return finish(&r, e, ret, error, size);
}

int
declared_parse(const char *text, size_t len, const char *name, const char *zone, struct declared *ret, char *error,
    size_t size)
{
	struct reader r = { .zone = zone };
	int e = conf_parse(text, len, name, take_line, &r, error, size);

	return finish(&r, e, ret, error, size);
}

void
declared_done(struct declared *all)
{
	free(all->rows);
	*all = (struct declared){ 0 };
}

const struct declared_row *
declared_find(const struct declared *all, const char *who, enum declared_what what)
{
	for (size_t i = 0; i < all->count; i++)
		if ((all->rows[i].what & (unsigned)what) != 0 && strcmp(all->rows[i].who, who) == 0)
			return &all->rows[i];
	return NULL;
}
