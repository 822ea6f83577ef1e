/*
 * bulk_file.c - see bulk_file.h.
 *
 * Runs in isms-userctl only. Must never take a secret or a descriptor from a file, and never what the command line itself
 * would refuse.
 */
#include <config.h>

#include "tools/bulk_file.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bulk.h"
#include "tools/csv.h"

#define OPERAND (-2)		/* column of an operand: OPERAND - its number */

struct reader {
	const struct command_line *verb;
	struct bulk_file *file;
	int columns[CSV_CELLS_MAX];	/* enum option_id, or an operand */
	size_t column_count;		/* 0: the header was not read yet */
	unsigned line;
	char *error;
	size_t size;
};

static int
wrong(const struct reader *r, const char *name, const char *what)
{
	(void)snprintf(r->error, r->size, "%u: %.64s%s", r->line, name, what);
	return -EINVAL;
}

/* The number of an operand, by its name in the table in small letters; -1 for none. */
static int
find_operand(const struct command_info *command, const char *name)
{
	const char *at = command->operands;
	size_t len, n;

	for (int i = 0; *at != '\0'; i++, at += strspn(at, " ")) {
		len = strcspn(at, " ");
		for (n = 0; n < len && tolower((unsigned char)at[n]) == name[n]; n++)
			;
		if (n == len && name[n] == '\0')
			return i;
		at += len;
	}
	return -1;
}

/* Whether an option may stand in a file: none that is a descriptor, a secret or another file, and none for all lines. */
static bool
may_be_column(const struct option_row *row, enum option_id id)
{
	size_t len = strlen(row->name);

	if (row->command == -1)
		return id == OPTION_global_reason || id == OPTION_global_ticket;
	return !(len > 3 && strcmp(row->name + len - 3, "-fd") == 0) && strcmp(row->name, "from-csv") != 0 &&
	    strcmp(row->name, "generate-password") != 0;
}

static int
take_header(struct reader *r, const struct csv_line *line)
{
	const struct command_info *command = &command_infos[r->verb->command];
	int column;

	for (size_t i = 0; i < line->count; i++) {
		const char *name = line->cells[i];
		int operand = find_operand(command, name);

		column = operand >= 0 ? OPERAND - operand : command_line_option(r->verb->command, name);
		if (column == -1 || (column >= 0 && !may_be_column(&option_rows[column], (enum option_id)column)))
			return wrong(r, name, ": no column of this command; the first line names USER and options, without --");
		for (size_t j = 0; j < i; j++)
			if (r->columns[j] == column)
				return wrong(r, name, ": this column is there twice");
		r->columns[i] = column;
	}
	r->column_count = line->count;
	for (int operand = 0; operand < (int)command->max; operand++) {
		bool is_there = false;

		for (size_t i = 0; i < r->column_count; i++)
			is_there = is_there || r->columns[i] == OPERAND - operand;
		if (!is_there)
			return wrong(r, command->operands, ": each needs a column, in small letters");
	}
	return 0;
}

/* One cell that is not empty. Returns 0 or -EINVAL with error set. */
static int
take_cell(struct reader *r, struct command_line *words, int column, char *cell)
{
	const struct option_row *row = &option_rows[column >= 0 ? column : 0];
	char *word, *save = NULL;
	char text[256] = "";

	if (column <= OPERAND) {
		words->operands[OPERAND - column] = cell;
		return 0;
	}
	if (row->arg[0] == '\0') {
		if (strcmp(cell, "no") == 0)
			return 0;
		if (strcmp(cell, "yes") != 0)
			return wrong(r, row->name, ": write yes or no");
		return command_line_give(words, (enum option_id)column, "", text, sizeof text);
	}
	if (row->times == TIMES_ONE)
		return command_line_give(words, (enum option_id)column, cell, text, sizeof text) == 0 ? 0 : wrong(r, "", text);
	for (word = strtok_r(cell, " ;", &save); word != NULL; word = strtok_r(NULL, " ;", &save))
		if (command_line_give(words, (enum option_id)column, word, text, sizeof text) < 0)
			return wrong(r, "", text);
	return 0;
}

/* What the verb's own command line says, for whatever the line does not. */
static int
add_usual(const struct reader *r, struct command_line *words)
{
	const struct command_line *verb = r->verb;
	struct command_line own = *words;
	char text[256];

	for (unsigned i = 0; i < verb->given_count; i++) {
		enum option_id id = verb->given[i].id;

		if (!command_line_has(&own, id) && strcmp(option_rows[id].name, "from-csv") != 0 &&
		    command_line_give(words, id, verb->given[i].value, text, sizeof text) < 0)
			return wrong(r, "", text);
	}
	return 0;
}

static int
take_line(void *arg, const struct csv_line *line)
{
	struct reader *r = arg;
	struct bulk_item *item;
	int e = 0;

	r->line = line->number;
	if (r->column_count == 0)
		return take_header(r, line);
	if (line->count > r->column_count)
		return wrong(r, "", "more cells than the first line has columns");
	if (r->file->count == BULK_LINES_MAX)
		return wrong(r, "", "more than 5000 accounts at once");
	if (r->file->count % 64 == 0) {
		item = reallocarray(r->file->items, r->file->count + 64, sizeof *item);
		if (item == NULL)
			return -ENOMEM;
		r->file->items = item;
	}
	item = &r->file->items[r->file->count++];
	*item = (struct bulk_item){ .line = line->number, .words = { .command = r->verb->command } };
	item->words.operand_count = command_infos[r->verb->command].max;
	for (size_t i = 0; e == 0 && i < line->count; i++)
		if (line->cells[i][0] != '\0')
			e = take_cell(r, &item->words, r->columns[i], line->cells[i]);
	for (unsigned i = 0; e == 0 && i < item->words.operand_count; i++)
		if (item->words.operands[i] == NULL)
			e = wrong(r, command_infos[r->verb->command].operands, ": a cell is empty that may not be");
	return e == 0 ? add_usual(r, &item->words) : e;
}

int
bulk_file_parse(const struct command_line *verb, char *text, size_t len, struct bulk_file *ret, char *error, size_t size)
{
	struct reader r = { .verb = verb, .file = ret, .error = error, .size = size };
	int e;

	ret->text = text;
	e = csv_parse(text, len, take_line, &r, error, size);
	if (e == 0 && ret->count == 0) {
		(void)snprintf(error, size, "1: no account stands in it; the first line names columns, each other one is an account");
		e = -EINVAL;
	}
	return e;
}

void
bulk_file_done(struct bulk_file *file)
{
	free(file->items);
	free(file->text);
	*file = (struct bulk_file){ 0 };
}
