/*
 * commanddump.c - writes what documents the commands: the manual's synopsis and list, bash completion.
 *
 * Runs at build time only, never installed: `commanddump man TEMPLATE` prints the template with its
 * @SYNOPSIS@, @COMMANDS@ and @GLOBALS@ lines replaced; `commanddump completion` prints the completion.
 */
#include <config.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tools/commands.h"

/* roff: a hyphen that is typed is \-, a line must not begin with a dot. */
static void
roff(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '-')
			(void)printf("\\-");
		else if (*text == '\\')
			(void)printf("\\e");
		else
			(void)putchar(*text);
	}
}

static void
roff_option(const struct option_row *row)
{
	(void)printf("\\fB\\-\\-");
	roff(row->name);
	(void)printf("\\fR");
	if (row->arg[0] != '\0') {
		(void)printf(" \\fI");
		roff(row->arg);
		(void)printf("\\fR");
	}
}

static void
man_synopsis(void)
{
	unsigned c, i;

	for (c = 0; c < COMMAND_COUNT; c++) {
		(void)printf(".HP\n\\fBisms\\-userctl ");
		roff(command_infos[c].name);
		(void)printf("\\fR");
		if (command_infos[c].operands[0] != '\0')
			(void)printf(" \\fI%s\\fR", command_infos[c].operands);
		for (i = 0; i < OPTION_COUNT; i++) {
			if (option_rows[i].command != (int)c)
				continue;
			(void)printf("\n[");
			roff_option(&option_rows[i]);
			(void)printf("]%s", option_rows[i].times == TIMES_MANY ? "..." : "");
		}
		(void)putchar('\n');
	}
}

static void
man_options(int command)
{
	unsigned i;

	for (i = 0; i < OPTION_COUNT; i++) {
		if (option_rows[i].command != command)
			continue;
		(void)printf(".TP\n");
		roff_option(&option_rows[i]);
		(void)putchar('\n');
		roff(option_rows[i].help);
		(void)putchar('\n');
	}
}

static void
man_commands(void)
{
	unsigned c;

	for (c = 0; c < COMMAND_COUNT; c++) {
		(void)printf(".SS \"");
		roff(command_infos[c].name);
		(void)printf("%s%s\"\n", command_infos[c].operands[0] != '\0' ? " " : "", command_infos[c].operands);
		roff(command_infos[c].help);
		(void)putchar('\n');
		man_options((int)c);
	}
}

static int
man(const char *path)
{
	char line[1024];
	FILE *f;

	f = fopen(path, "re");
	if (f == NULL) {
		perror(path);
		return 1;
	}
	while (fgets(line, sizeof line, f) != NULL) {
		if (strcmp(line, "@SYNOPSIS@\n") == 0)
			man_synopsis();
		else if (strcmp(line, "@COMMANDS@\n") == 0)
			man_commands();
		else if (strcmp(line, "@GLOBALS@\n") == 0)
			man_options(-1);
		else
			(void)fputs(line, stdout);
	}
	(void)fclose(f);
	return 0;
}

/* "--kind --until " of a command, without the global ones (-1: those). */
static void
completion_options(int command)
{
	unsigned i;

	for (i = 0; i < OPTION_COUNT; i++)
		if (option_rows[i].command == command)
			(void)printf("--%s ", option_rows[i].name);
}

/* The case arms of options whose argument is one of some words; one arm per name. */
static void
completion_words(void)
{
	const char *p;
	unsigned i, j;

	for (i = 0; i < OPTION_COUNT; i++) {
		bool told = false;

		for (j = 0; j < i; j++)
			told |= strcmp(option_rows[i].name, option_rows[j].name) == 0;
		if (told || strchr(option_rows[i].arg, '|') == NULL)
			continue;
		(void)printf("\t--%s)\n\t\tCOMPREPLY=($(compgen -W \"", option_rows[i].name);
		for (p = option_rows[i].arg; *p != '\0'; p++)
			(void)putchar(*p == '|' ? ' ' : *p);
		(void)printf("\" -- \"$word\"))\n\t\treturn ;;\n");
	}
}

static void
completion_commands(void)
{
	size_t len;
	unsigned c, i;

	(void)printf("\tlocal commands=\"");
	for (c = 0; c < COMMAND_COUNT; c++) {
		bool told = false;

		len = strcspn(command_infos[c].name, " ");
		for (i = 0; i < c; i++)
			told |= strncmp(command_infos[i].name, command_infos[c].name, len + 1) == 0;
		if (!told)
			(void)printf("%.*s ", (int)len, command_infos[c].name);
	}
	(void)printf("\"\n");
}

/* Second words: "config check". */
static void
completion_second(void)
{
	const char *space;
	unsigned c;

	for (c = 0; c < COMMAND_COUNT; c++) {
		space = strchr(command_infos[c].name, ' ');
		if (space != NULL)
			(void)printf("\t\t[[ $command == %.*s ]] && words+=\"%s \"\n",
			    (int)(space - command_infos[c].name), command_infos[c].name, space + 1);
	}
}

static int
completion(void)
{
	unsigned c;

	(void)printf("# bash completion for isms-userctl, made from commands.def\n_isms_userctl()\n{\n"
	    "\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= i words=\n");
	completion_commands();
	(void)printf("\tcase $before in\n");
	completion_words();
	(void)printf("\t--root)\n\t\tCOMPREPLY=($(compgen -d -- \"$word\"))\n\t\treturn ;;\n\tesac\n"
	    "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	    "\t\tif [[ \" $commands \" == *\" ${COMP_WORDS[i]} \"* ]]; then\n"
	    "\t\t\tcommand=${COMP_WORDS[i]}\n\t\t\tbreak\n\t\tfi\n\tdone\n"
	    "\tif [[ $word == -* ]]; then\n\t\twords=\"");
	completion_options(-1);
	(void)printf("\"\n\t\tcase \"$command ${COMP_WORDS[i+1]}\" in\n");
	for (c = 0; c < COMMAND_COUNT; c++) {
		(void)printf(strchr(command_infos[c].name, ' ') != NULL ? "\t\t\"%s\") words+=\"" : "\t\t\"%s \"*) words+=\"",
		    command_infos[c].name);
		completion_options((int)c);
		(void)printf("\" ;;\n");
	}
	(void)printf("\t\tesac\n\telif [[ -z $command ]]; then\n\t\twords=$commands\n\telse\n");
	completion_second();
	(void)printf("\t\t:\n\tfi\n\tCOMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n}\n"
	    "complete -F _isms_userctl isms-userctl\n");
	return 0;
}

int
main(int argc, char **argv)
{
	int r = 2;

	if (argc == 3 && strcmp(argv[1], "man") == 0)
		r = man(argv[2]);
	else if (argc == 2 && strcmp(argv[1], "completion") == 0)
		r = completion();
	else
		(void)fprintf(stderr, "usage: commanddump man TEMPLATE | completion\n");
	return fflush(stdout) != 0 ? 1 : r;
}
