/*
 * command_line.c - argv against the table of commands.def.
 *
 * Runs in isms-userctl only. Must never guess: an unknown word or option, a value too much or too few is
 * an error that names it. Takes no secret: there is no option that holds one.
 */
#include <config.h>

#include "tools/command_line.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX 31	/* longer than any command */

/* The command that argv[at] (and the next word, if it has two) names; -1: none. *ret_words is how many it took. */
static int
find_command(int argc, char *const *argv, int at, int *ret_words)
{
	const char *space;
	unsigned c;

	for (c = 0; c < COMMAND_COUNT; c++) {
		const char *name = command_infos[c].name;

		space = strchr(name, ' ');
		if (space == NULL && strcmp(argv[at], name) == 0) {
			*ret_words = 1;
			return (int)c;
		}
		if (space != NULL && at + 1 < argc && strlen(argv[at]) == (size_t)(space - name) &&
		    strncmp(argv[at], name, (size_t)(space - name)) == 0 && strcmp(argv[at + 1], space + 1) == 0) {
			*ret_words = 2;
			return (int)c;
		}
	}
	return -1;
}

/* How many letters must be changed, left out, put in or swapped with the next one to make b of a. */
static size_t
distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 1], la = strlen(a), lb = strlen(b);

	if (la > WORD_MAX || lb > WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			now[j] = last[j - 1] + (a[i - 1] != b[j - 1]);
			if (last[j] + 1 < now[j])
				now[j] = last[j] + 1;
			if (now[j - 1] + 1 < now[j])
				now[j] = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
	}
	return rows[la % 3][lb];
}

/* The command whose name, or its first word, is most like a word; NULL when none is. */
static const char *
nearest(const char *word)
{
	size_t best = strlen(word) < 4 ? 2 : 3;	/* so many changes are too many */
	const char *found = NULL;

	for (unsigned c = 0; c < COMMAND_COUNT; c++) {
		const char *name = command_infos[c].name;
		char first[WORD_MAX + 1];

		(void)snprintf(first, sizeof first, "%.*s", (int)strcspn(name, " "), name);
		if (distance(word, first) < best) {
			best = distance(word, first);
			found = name;
		}
	}
	return found;
}

bool
command_line_is_family(const char *word, unsigned c)
{
	size_t len = strlen(word);

	return len > 0 && strncmp(command_infos[c].name, word, len) == 0 && command_infos[c].name[len] == ' ';
}

/* "review --help" */
static bool
asks_for_help(int argc, char *const *argv, const char *word)
{
	bool asks = false, known = false;

	for (int i = 1; i < argc; i++)
		asks |= strcmp(argv[i], "--help") == 0;
	for (unsigned c = 0; c < COMMAND_COUNT; c++)
		known |= command_line_is_family(word, c);
	return asks && known;
}

/* No such command; the first word of a command of two needs the second. */
static void
complain_of_command(const char *word, char *error, size_t size)
{
	char seconds[128] = "";
	size_t used = 0, len = strlen(word);
	unsigned c;

	for (c = 0; c < COMMAND_COUNT; c++)
		if (command_line_is_family(word, c) && used < sizeof seconds)
			used += (size_t)snprintf(seconds + used, sizeof seconds - used, "%s%s", used > 0 ? " or " : "",
			    command_infos[c].name + len + 1);
	if (used > 0)
		(void)snprintf(error, size, "%.64s goes with a second word: %s; see isms-userctl %s --help", word, seconds, word);
	else if (nearest(word) != NULL)
		(void)snprintf(error, size, "\"%.64s\" is not a command; did you mean %.*s? See isms-userctl --help", word,
		    (int)strcspn(nearest(word), " "), nearest(word));
	else
		(void)snprintf(error, size, "\"%.64s\" is not a command; see isms-userctl --help", word);
}

/* Like a word of a list "a|b"? A list with none of these is open. */
static bool
word_fits(const char *list, const char *value)
{
	size_t len = strlen(value), n;

	if (strchr(list, '|') == NULL)
		return true;
	for (;; list += n + 1) {
		n = strcspn(list, "|");
		if (n == len && strncmp(list, value, n) == 0)
			return true;
		if (list[n] == '\0')
			return false;
	}
}

static int
find_option(int command, const char *name, size_t len)
{
	unsigned i;

	for (i = 0; i < OPTION_COUNT; i++)
		if ((option_rows[i].command == -1 || option_rows[i].command == command) &&
		    strlen(option_rows[i].name) == len && strncmp(option_rows[i].name, name, len) == 0)
			return (int)i;
	return -1;
}

/* One option at argv[*at], "--name[=value]"; moves *at past the last word it took. */
static int
take_option(int argc, char *const *argv, int *at, struct command_line *line, char *error, size_t size)
{
	const char *name = argv[*at] + 2, *equal = strchr(name, '='), *value = "";
	size_t len = equal != NULL ? (size_t)(equal - name) : strlen(name);
	const struct option_row *row;
	int id;

	id = find_option(line->command, name, len);
	if (id < 0) {
		(void)snprintf(error, size, "--%.*s is not an option of %s; see isms-userctl %s --help", (int)len, name,
		    line->command >= 0 ? command_infos[line->command].name : "isms-userctl",
		    line->command >= 0 ? command_infos[line->command].name : "");
		return -EINVAL;
	}
	row = &option_rows[id];
	if (row->arg[0] == '\0' && equal != NULL) {
		(void)snprintf(error, size, "--%s takes no value", row->name);
		return -EINVAL;
	}
	if (row->arg[0] != '\0') {
		value = equal != NULL ? equal + 1 : *at + 1 < argc ? argv[++*at] : NULL;
		if (value == NULL) {
			(void)snprintf(error, size, "--%s needs %s%s", row->name, strchr(row->arg, '|') != NULL ? "one of " : "",
			    row->arg);
			return -EINVAL;
		}
	}
	return command_line_give(line, (enum option_id)id, value, error, size);
}

int
command_line_option(int command, const char *name)
{
	return find_option(command, name, strlen(name));
}

int
command_line_give(struct command_line *line, enum option_id id, const char *value, char *error, size_t size)
{
	const struct option_row *row = &option_rows[id];

	if (row->arg[0] != '\0' && !word_fits(row->arg, value)) {
		(void)snprintf(error, size, "--%s needs %s%s", row->name, strchr(row->arg, '|') != NULL ? "one of " : "", row->arg);
		return -EINVAL;
	}
	if (line->given_count == COMMAND_LINE_GIVEN_MAX || (row->times == TIMES_ONE && command_line_has(line, id))) {
		(void)snprintf(error, size, "--%s is given too often", row->name);
		return -EINVAL;
	}
	line->given[line->given_count].id = id;
	line->given[line->given_count++].value = value;
	return 0;
}

static int
check_operands(const struct command_line *line, char *error, size_t size)
{
	const struct command_info *command;

	if (command_line_has(line, OPTION_global_help) || command_line_has(line, OPTION_global_version))
		return 0;
	if (line->command < 0) {
		(void)snprintf(error, size, "no command given; see isms-userctl --help");
		return -EINVAL;
	}
	command = &command_infos[line->command];
	if (line->operand_count < command->min) {
		(void)snprintf(error, size, "%s needs %s; see isms-userctl %s --help", command->name, command->operands,
		    command->name);
		return -EINVAL;
	}
	return 0;
}

/* A word that is no option: an operand of the command. */
static int
take_operand(const char *word, struct command_line *line, char *error, size_t size)
{
	if (line->command < 0) {
		(void)snprintf(error, size, "\"%.64s\" is too much; see isms-userctl --help", word);
		return -EINVAL;
	}
	if (line->operand_count < command_infos[line->command].max) {
		line->operands[line->operand_count++] = word;
		return 0;
	}
	(void)snprintf(error, size, "\"%.64s\" is too much; see isms-userctl %s --help", word,
	    command_infos[line->command].name);
	return -EINVAL;
}

/*
 * The first word that names a command decides which options exist, so it is looked for first: words
 * before it can only be global options and their values.
 */
static int
locate_command(int argc, char *const *argv, struct command_line *line, int *ret_at, int *ret_words, char *error,
    size_t size)
{
	int at, id;

	for (at = 1; at < argc; at++) {
		if (strncmp(argv[at], "--", 2) == 0) {
			id = find_option(-1, argv[at] + 2, strcspn(argv[at] + 2, "="));
			if (id >= 0 && option_rows[id].arg[0] != '\0' && strchr(argv[at], '=') == NULL)
				at++;
			continue;
		}
		line->command = find_command(argc, argv, at, ret_words);
		*ret_at = at;
		if (line->command >= 0)
			return 0;
		if (asks_for_help(argc, argv, argv[at])) {
			line->family = argv[at];
			*ret_words = 1;
			return 0;
		}
		complain_of_command(argv[at], error, size);
		return -EINVAL;
	}
	return 0;
}

int
command_line_parse(int argc, char *const *argv, struct command_line *ret, char *error, size_t size)
{
	struct command_line line = { .command = -1 };
	int at, command_at = -1, words = 0, r;
	bool ended = false;

	r = locate_command(argc, argv, &line, &command_at, &words, error, size);
	for (at = 1; r == 0 && at < argc; at++) {
		if (at == command_at)
			at += words - 1;
		else if (!ended && strcmp(argv[at], "--") == 0)
			ended = true;
		else if (!ended && strncmp(argv[at], "--", 2) == 0)
			r = take_option(argc, argv, &at, &line, error, size);
		else if (!ended && argv[at][0] == '-' && argv[at][1] != '\0') {
			(void)snprintf(error, size, "\"%.64s\": options are written --name; see isms-userctl --help", argv[at]);
			r = -EINVAL;
		} else
			r = take_operand(argv[at], &line, error, size);
	}
	if (r == 0)
		r = check_operands(&line, error, size);
	if (r == 0)
		*ret = line;
	return r;
}

bool
command_line_has(const struct command_line *line, enum option_id id)
{
	return command_line_nth(line, id, 0) != NULL;
}

const char *
command_line_value(const struct command_line *line, enum option_id id)
{
	return command_line_nth(line, id, 0);
}

const char *
command_line_nth(const struct command_line *line, enum option_id id, unsigned i)
{
	unsigned n;

	for (n = 0; n < line->given_count; n++)
		if (line->given[n].id == id && i-- == 0)
			return line->given[n].value;
	return NULL;
}

int
command_line_number(const struct command_line *line, enum option_id id, uint32_t min, uint32_t max, uint32_t *ret)
{
	const char *value = command_line_value(line, id);
	unsigned long n;
	char *end;

	if (value == NULL)
		return 0;
	if (value[0] < '0' || value[0] > '9')
		return -EINVAL;	/* strtoul takes blanks and signs */
	errno = 0;
	n = strtoul(value, &end, 10);
	if (errno != 0 || *end != '\0' || n < min || n > max)
		return -EINVAL;
	*ret = (uint32_t)n;
	return 1;
}
