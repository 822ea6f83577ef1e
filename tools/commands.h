/*
 * commands.h - the table of commands.def as data: for dispatch, --help, the manual and completion.
 */
#ifndef ISMS_COMMANDS_H
#define ISMS_COMMANDS_H

#include <stddef.h>

enum command_who {
	WHO_ANYONE,
	WHO_OPERATOR,	/* root; anybody where the directory is on a server, which judges for itself */
	WHO_ROOT,
};
enum option_times { TIMES_ONE, TIMES_MANY };

enum command_id {
#define GLOBAL(...)
#define COMMAND(id, ...) COMMAND_##id,
#define OPTION(...)
#include "tools/commands.def"
#undef GLOBAL
#undef COMMAND
#undef OPTION
	COMMAND_COUNT
};

enum option_id {
#define GLOBAL(key, ...) OPTION_global_##key,
#define COMMAND(...)
#define OPTION(id, key, ...) OPTION_##id##_##key,
#include "tools/commands.def"
#undef GLOBAL
#undef COMMAND
#undef OPTION
	OPTION_COUNT
};

struct command_info {
	const char *name;		/* one word, or two with a space */
	enum command_who who;
	const char *operands;
	unsigned min, max;		/* number of operands */
	const char *help;
};

struct option_row {
	int command;			/* enum command_id, or -1: of every command */
	const char *name, *arg;
	enum option_times times;
	const char *help;
};

extern const struct command_info command_infos[COMMAND_COUNT];
extern const struct option_row option_rows[OPTION_COUNT];

/*
 * One line: "isms-userctl set-expiry USER WHEN [--force]".
 *
 *  buf,size  receives it, cut if need be
 *
 * Returns buf.
 */
char *command_synopsis(enum command_id id, char *buf, size_t size);

#endif
