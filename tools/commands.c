/*
 * commands.c - the table of commands.def as data.
 *
 * Runs in isms-userctl, and at build time in commanddump, which writes manual and completion from it.
 * Must never hold a second statement of any command or option.
 */
#include <config.h>

#include "tools/commands.h"

#include <stdio.h>
#include <string.h>

const struct command_info command_infos[COMMAND_COUNT] = {
#define GLOBAL(...)
#define COMMAND(id, name, who, operands, min, max, help) [COMMAND_##id] = { name, WHO_##who, operands, min, max, help },
#define OPTION(...)
#include "tools/commands.def"
#undef GLOBAL
#undef COMMAND
#undef OPTION
};

const struct option_row option_rows[OPTION_COUNT] = {
#define GLOBAL(key, name, arg, help) [OPTION_global_##key] = { -1, name, arg, TIMES_ONE, help },
#define COMMAND(...)
#define OPTION(id, key, name, arg, times, help) \
	[OPTION_##id##_##key] = { COMMAND_##id, name, arg, TIMES_##times, help },
#include "tools/commands.def"
#undef GLOBAL
#undef COMMAND
#undef OPTION
};

char *
command_synopsis(enum command_id id, char *buf, size_t size)
{
	const struct command_info *command = &command_infos[id];
	size_t used;
	unsigned i;
	int n;

	n = snprintf(buf, size, "isms-userctl %s%s%s", command->name, command->operands[0] != '\0' ? " " : "",
	    command->operands);
	used = n < 0 ? size : (size_t)n;
	for (i = 0; i < OPTION_COUNT && used < size; i++) {
		const struct option_row *row = &option_rows[i];

		if (row->command != (int)id)
			continue;
		n = snprintf(buf + used, size - used, " [--%s%s%s]%s", row->name, row->arg[0] != '\0' ? " " : "", row->arg,
		    row->times == TIMES_MANY ? "..." : "");
		used += n < 0 ? size : (size_t)n;
	}
	return buf;
}
