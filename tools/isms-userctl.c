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

#include "common/ldap_escape.h"
#include "common/ldap_handle.h"
#include "tools/account.h"
#include "tools/audit.h"
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

#define LINE_COLUMNS 80
#define FORM_COLUMNS 28

/* Text that begins at column, broken at LINE_COLUMNS and only before gap (a space first); goes on at indent. */
static void
print_wrapped(const char *text, size_t column, size_t indent, const char *gap)
{
	const char *end;
	size_t len;

	for (; *text != '\0'; text += len) {
		end = strstr(text + 1, gap);
		len = end != NULL ? (size_t)(end - text) : strlen(text);
		if (column + len > LINE_COLUMNS && *text == ' ') {
			(void)printf("\n%*s", (int)indent, "");
			column = indent;
			text++;
			len--;
		}
		(void)printf("%.*s", (int)len, text);
		column += len;
	}
	(void)printf("\n");
}

/* A form and what it means, beside it or below it where it is long. */
static void
help_row(const char *form, const char *text)
{
	if (strlen(form) > FORM_COLUMNS)
		(void)printf("  %s\n%*s", form, FORM_COLUMNS + 3, "");
	else
		(void)printf("  %-*s ", FORM_COLUMNS, form);
	print_wrapped(text, FORM_COLUMNS + 3, FORM_COLUMNS + 3, " ");
}

/* The options of one command, or the global ones (-1), each with its help. Returns how many. */
static unsigned
help_options(int command)
{
	char form[96];
	unsigned i, count = 0;

	for (i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];

		if (row->command != command)
			continue;
		(void)snprintf(form, sizeof form, "--%s%s%s", row->name, row->arg[0] != '\0' ? " " : "", row->arg);
		help_row(form, row->help);
		count++;
	}
	return count;
}

static void
help(int command, const char *family)
{
	char synopsis[1024], form[96];
	unsigned c;

	if (command >= 0) {
		print_wrapped(command_synopsis((enum command_id)command, synopsis, sizeof synopsis), 0, 8, " [");
		(void)printf("\n");
		print_wrapped(command_infos[command].help, 0, 0, " ");
		(void)printf("\n");
		if (help_options(command) > 0)
			(void)printf("\n");
		(void)printf("Of every command:\n");
		(void)help_options(-1);
		return;
	}
	if (family == NULL)
		(void)printf("isms-userctl COMMAND [OPTION]... - access control of this host and its directory\n\n");
	for (c = 0; c < COMMAND_COUNT; c++) {
		if (family != NULL && !command_line_is_family(family, c))
			continue;
		(void)snprintf(form, sizeof form, "%s %s", command_infos[c].name, command_infos[c].operands);
		help_row(form, command_infos[c].help);
	}
	(void)printf("\nOptions of every command (isms-userctl COMMAND --help shows its own):\n");
	(void)help_options(-1);
	(void)printf("\nExit status: 0 done, 1 refused or not found, 2 usage, 3 directory or daemon unreachable.\n");
}

/* Whether this user may run such a verb here; says why not. A server judges for itself who may read and write there. */
static bool
may_ask_for(struct invocation *in, enum command_who who)
{
	if (who == WHO_ANYONE || in->root[0] != '\0' || geteuid() == 0)
		return true;
	if (who == WHO_OPERATOR && invocation_settings(in) == EXIT_DONE && settings_uses_ldap(&in->settings))
		return true;
	output_error("%s: only root may do this; run it with sudo", command_infos[in->line.command].name);
	return false;
}

/* A person who asks for something need not know his DN: as `add` makes it, unless another is given. */
static void
bind_as_himself(struct invocation *in)
{
	static char dn[ACCOUNT_DN_MAX];
	char name[256];

	if (operator_is_named(&in->who, in->settings.directory_uri) ||
	    ldap_escape_dn(dn, sizeof dn, "uid", audit_actor(name, sizeof name), "ou=people", in->settings.directory_base) < 0)
		return;
	in->who.way = OPERATOR_SIMPLE;
	in->who.dn = dn;
}

/* Fill in what every verb needs from the global options. Returns an exit code. */
static enum exit_code
prepare(struct invocation *in)
{
	const struct command_line *line = &in->line;
	char error[512] = "";
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
	if (operator_init(&in->who, line, error, sizeof error) < 0) {
		output_error("%s", error);
		return EXIT_USAGE;
	}
	if (!may_ask_for(in, command_infos[line->command].who))
		return EXIT_REFUSED;
	if (line->command == COMMAND_request && geteuid() != 0)
		bind_as_himself(in);
	return EXIT_DONE;
}

int
main(int argc, char **argv)
{
	const struct rlimit none = { 0, 0 };
	static struct invocation in;
	char error[512] = "";
	enum exit_code code;
	int r;

	(void)setlocale(LC_CTYPE, "");	/* whether the terminal is UTF-8; nothing else depends on it */
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(077);
	ldap_handle_prepare();
	if (command_line_parse(argc, argv, &in.line, error, sizeof error) < 0) {
		output_error("%s", error);
		return EXIT_USAGE;
	}
	if (command_line_has(&in.line, OPTION_global_version)) {
		(void)printf("isms-userctl %s\n", ISMS_VERSION);
		return output_finish() < 0 ? EXIT_REFUSED : EXIT_DONE;
	}
	if (command_line_has(&in.line, OPTION_global_help)) {
		help(in.line.command, in.line.family);
		return output_finish() < 0 ? EXIT_REFUSED : EXIT_DONE;
	}
	code = prepare(&in);
	if (code == EXIT_DONE)
		code = functions[in.line.command](&in);
	operator_done(&in.who);
	r = output_finish();
	if (r < 0 && r != -EPIPE && code == EXIT_DONE)	/* who reads the head alone knows that there is more */
		output_error("could not write all of the output");
	if (r < 0 && code == EXIT_DONE)
		code = EXIT_REFUSED;
	return (int)code;
}
