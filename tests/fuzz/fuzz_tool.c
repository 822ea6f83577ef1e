/*
 * fuzz_tool.c - files that isms-userctl reads and others wrote: CSV of many accounts, authorized_keys, sudoers and crontabs
 * of a scan, declared.conf. The first byte says which.
 *
 * covers: tools/csv.c tools/bulk_file.c tools/scan_text.c tools/declared.c
 */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bulk_file.h"
#include "tools/declared.h"
#include "tools/scan_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is told fits, and lies in the file. */
static void
look(void *arg, const struct scan_text_item *item)
{
	const size_t *lines = arg;

	if (item->line == 0 || item->line > *lines || strlen(item->who) >= sizeof item->who || strlen(item->detail) >= sizeof item->detail)
		abort();
}

static void
scan(uint8_t kind, const char *text, size_t len)
{
	size_t lines = 1;

	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	if (kind == 'k')
		scan_text_keys(text, len, look, &lines);
	else if (kind == 's')
		scan_text_sudoers(text, len, look, &lines);
	else
		scan_text_crontab(text, len, kind == 'c', look, &lines);
}

/* Every line is whole: all operands, and no option that the command line would not take from a file. */
static void
read_bulk(int command, const char *text, size_t len)
{
	struct command_line verb = { .command = command };
	struct bulk_file file = { 0 };
	char error[512] = "", *copy = malloc(len + 1);

	if (copy == NULL)
		return;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (command == COMMAND_add)	/* what the command line says holds for all */
		(void)command_line_give(&verb, OPTION_add_kind, "service", error, sizeof error);
	if (bulk_file_parse(&verb, copy, len, &file, error, sizeof error) < 0) {
		if (strchr(error, ':') == NULL)
			abort();
	} else
		for (size_t i = 0; i < file.count; i++)
			for (unsigned n = 0; n < command_infos[command].max; n++)
				if (file.items[i].words.operands[n] == NULL || file.items[i].words.operands[n][0] == '\0' ||
				    command_line_has(&file.items[i].words, OPTION_add_secret_fd))
					abort();
	bulk_file_done(&file);
}

static void
read_declared(const char *text, size_t len)
{
	struct declared all = { 0 };
	char error[512] = "";

	if (declared_parse(text, len, "f", "UTC", &all, error, sizeof error) < 0) {
		if (error[0] == '\0')
			abort();
		return;
	}
	for (size_t i = 0; i < all.count; i++) {
		const struct declared_row *row = &all.rows[i];

		if (row->owner[0] == '\0' || row->reason[0] == '\0' || row->what == 0)
			abort();
		if ((row->what & DECLARED_KEYS) != 0 && declared_find(&all, row->who, DECLARED_KEYS) != row)
			abort();
	}
	if (declared_find(&all, "nobody there", DECLARED_KEYS) != NULL || declared_word(DECLARED_UNIT)[0] != 'u' ||
	    declared_word(0)[0] != '?')
		abort();
	declared_done(&all);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;

	if (size == 0)
		return 0;
	switch (data[0]) {
	case 'a':
		read_bulk(COMMAND_add, text, size - 1);
		break;
	case 'e':
		read_bulk(COMMAND_set_expiry, text, size - 1);
		break;
	case 'd':
		read_declared(text, size - 1);
		break;
	default:
		scan(data[0], text, size - 1);
		break;
	}
	return 0;
}
