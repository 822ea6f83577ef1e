/*
 * isms-userctl.c - the administrator's hand: reads argv, checks who asks, runs one verb.
 *
 * Must never hold logic of a verb: those are cmd_*.c, one each, found by the table of commands.def.
 * Never runs another program, never takes a secret from argv or environment, never leaves a core dump.
 */
#include <config.h>

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tools/commands.h"
#include "tools/invocation.h"
#include "tools/output.h"

static enum exit_code (*const functions[COMMAND_COUNT])(struct invocation *) = {
#define GLOBAL(...)
#define COMMAND(id, ...) [COMMAND_##id] = cmd_##id,
#define OPTION(...)
#include "tools/commands.def"
#undef GLOBAL
#undef COMMAND
#undef OPTION
};

/* The options of one command, or the global ones (-1), each with its help. */
static void
help_options(int command)
{
	char form[96];
	unsigned i;

	for (i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];

		if (row->command != command)
			continue;
		(void)snprintf(form, sizeof form, "--%s%s%s", row->name, row->arg[0] != '\0' ? " " : "", row->arg);
		(void)printf("  %-28s %s\n", form, row->help);
	}
}

static void
help(int command)
{
	char synopsis[1024], form[96];
	unsigned c;

	if (command >= 0) {
		(void)printf("%s\n\n%s\n\n", command_synopsis((enum command_id)command, synopsis, sizeof synopsis),
		    command_infos[command].help);
		help_options(command);
		(void)printf("\nOf every command:\n");
		help_options(-1);
		return;
	}
	(void)printf("isms-userctl COMMAND [OPTION]... - access control of this host and its directory\n\n");
	for (c = 0; c < COMMAND_COUNT; c++) {
		(void)snprintf(form, sizeof form, "%s %s", command_infos[c].name, command_infos[c].operands);
		(void)printf("  %-28s %s\n", form, command_infos[c].help);
	}
	(void)printf("\nOptions of every command (isms-userctl COMMAND --help shows its own):\n");
	help_options(-1);
	(void)printf("\nExit status: 0 done, 1 refused or not found, 2 usage, 3 directory or daemon unreachable.\n");
}

/* Fill in what every verb needs from the global options. Returns an exit code. */
static enum exit_code
prepare(struct invocation *in)
{
	const struct command_line *line = &in->line;
	struct stat st;
	size_t len;

	in->json = command_line_has(line, OPTION_global_json);
	in->dry_run = command_line_has(line, OPTION_global_dry_run);
	in->yes = command_line_has(line, OPTION_global_yes);
	in->reason = command_line_value(line, OPTION_global_reason);
	in->ticket = command_line_value(line, OPTION_global_ticket);
	in->root = command_line_value(line, OPTION_global_root);
	in->now_utc_sec = (int64_t)time(NULL);
	if (in->root == NULL || strcmp(in->root, "/") == 0)
		in->root = "";
	len = strlen(in->root);
	if (len > 0 && (in->root[0] != '/' || in->root[len - 1] == '/' || stat(in->root, &st) < 0 || !S_ISDIR(st.st_mode))) {
		output_error("--root %s: must be an absolute folder without a slash at its end", in->root);
		return EXIT_USAGE;
	}
	if (paths_init(in->root, &in->paths) < 0) {
		output_error("--root: too long");
		return EXIT_USAGE;
	}
	if (command_infos[line->command].who == WHO_ROOT && len == 0 && geteuid() != 0) {
		output_error("%s: only root may do this; run it with sudo", command_infos[line->command].name);
		return EXIT_REFUSED;
	}
	return EXIT_DONE;
}

int
main(int argc, char **argv)
{
	const struct rlimit none = { 0, 0 };
	static struct invocation in;
	char error[512] = "";
	enum exit_code code;

	(void)setlocale(LC_CTYPE, "");	/* whether the terminal is UTF-8; nothing else depends on it */
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(077);
	if (command_line_parse(argc, argv, &in.line, error, sizeof error) < 0) {
		output_error("%s", error);
		return EXIT_USAGE;
	}
	if (command_line_has(&in.line, OPTION_global_version)) {
		(void)printf("isms-userctl %s\n", ISMS_VERSION);
		return output_finish() < 0 ? EXIT_REFUSED : EXIT_DONE;
	}
	if (command_line_has(&in.line, OPTION_global_help)) {
		help(in.line.command);
		return output_finish() < 0 ? EXIT_REFUSED : EXIT_DONE;
	}
	code = prepare(&in);
	if (code == EXIT_DONE)
		code = functions[in.line.command](&in);
	if (output_finish() < 0 && code == EXIT_DONE) {
		output_error("could not write all of the output");
		code = EXIT_REFUSED;
	}
	return (int)code;
}
