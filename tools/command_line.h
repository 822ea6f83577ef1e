/*
 * command_line.h - argv against the table of commands.def.
 *
 * Long options only, in any order, "--name value" or "--name=value"; "--" ends them. Names are never
 * abbreviated: a script that works today must not become ambiguous by a later option.
 */
#ifndef ISMS_COMMAND_LINE_H
#define ISMS_COMMAND_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/commands.h"

#define COMMAND_LINE_OPERANDS_MAX	1024	/* users of one review */
#define COMMAND_LINE_GIVEN_MAX		128

struct command_line {
	int command;			/* enum command_id, or -1: none was named */
	const char *family;		/* the first word of several commands, whose help was asked for; NULL; borrowed */
	const char *operands[COMMAND_LINE_OPERANDS_MAX];	/* borrowed from argv */
	unsigned operand_count;
	struct { enum option_id id; const char *value; } given[COMMAND_LINE_GIVEN_MAX];	/* borrowed */
	unsigned given_count;
};

/*
 * Parse. The number of operands is not checked here when --help is given.
 *
 *  error  receives what is wrong and what to do
 *
 * Returns 0 or -EINVAL.
 */
int command_line_parse(int argc, char *const *argv, struct command_line *ret, char *error, size_t size);

/* Whether command c has two words, of which this is the first. */
bool command_line_is_family(const char *word, unsigned c);

/* The option of a command, or of every one, that has a name (without "--"): enum option_id, or -1. */
int command_line_option(int command, const char *name);

/*
 * Give an option beside those that are there.
 *
 *  value  borrowed; "" for one that takes none
 *  error  receives what is wrong
 *
 * Returns 0, or -EINVAL for a value that is none of its words, or an option that may not be given once more.
 */
int command_line_give(struct command_line *line, enum option_id id, const char *value, char *error, size_t size);

/* Whether an option was given. */
bool command_line_has(const struct command_line *line, enum option_id id);

/* Its value; NULL when it was not given. */
const char *command_line_value(const struct command_line *line, enum option_id id);

/* The i-th value of an option that may be given often; NULL past the last. */
const char *command_line_nth(const struct command_line *line, enum option_id id, unsigned i);

/*
 * The value of an option as a number.
 *
 *  ret  written only when the option was given
 *
 * Returns 1 given, 0 not given, -EINVAL when it is no number of min..max.
 */
int command_line_number(const struct command_line *line, enum option_id id, uint32_t min, uint32_t max, uint32_t *ret);

#endif
