/*
 * eventdump.c - writes what documents the events: journal catalog and isms-events.7.
 *
 * Runs at build time only, never installed: `eventdump catalog TEMPLATE` prints the template followed by
 * one catalog entry per event; `eventdump man TEMPLATE` prints the template with its @EVENTS@, @FIELDS@
 * and @REASONS@ lines replaced. Must never state an event, field or reason that the tables do not hold.
 */
#include <config.h>

#include <stdio.h>
#include <string.h>

/* clang-format off: rows of the tables */
static const struct {
	const char *name, *id, *priority, *message, *controls, *text;
} events[] = {
#define EVENT(ID, name, id, priority, message, controls, text) { name, id, #priority, message, controls, text },
#include "common/events.def"
#undef EVENT
};

static const struct {
	const char *journal, *key, *help;
} fields[] = {
#define FIELD(ID, journal, key, help) { journal, key, help },
#include "common/fields.def"
#undef FIELD
};

static const struct {
	const char *token, *text;
} reasons[] = {
#define REASON(NAME, token, text) { token, text },
#include "common/reasons.def"
#undef REASON
};
/* clang-format on */

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

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
man_events(void)
{
	size_t i;

	for (i = 0; i < COUNT(events); i++) {
		(void)printf(".TP\n\\fB");
		roff(events[i].name);
		(void)printf("\\fR \\(lq%s\\(rq, %s\n", events[i].message, events[i].priority);
		roff(events[i].text);
		(void)printf("\n.br\nMESSAGE_ID %s, controls %s.\n", events[i].id, events[i].controls);
	}
}

static void
man_fields(void)
{
	size_t i;

	for (i = 0; i < COUNT(fields); i++) {
		(void)printf(".TP\n\\fB%s\\fR (%s)\n", fields[i].journal, fields[i].key);
		roff(fields[i].help);
		(void)putchar('\n');
	}
}

static void
man_reasons(void)
{
	size_t i;

	for (i = 0; i < COUNT(reasons); i++) {
		(void)printf(".TP\n\\fB");
		roff(reasons[i].token);
		(void)printf("\\fR\n");
		roff(reasons[i].text);
		(void)printf(".\n");
	}
}

/* The subject is the short message; the text follows, then the fields that a reader wants first. */
static void
catalog(void)
{
	size_t i;

	for (i = 0; i < COUNT(events); i++)
		(void)printf("\n-- %s\nSubject: %s%s%s\nDefined-By: isms-access\nDocumentation: man:isms-events(7)\n\n"
			     "%s\n\nControls of ISO/IEC 27001:2022 Annex A: %s.\n",
		    events[i].id, events[i].message,
		    strncmp(events[i].name, "login.", 6) == 0 ? " for @ISMS_USER@" : "",
		    strcmp(events[i].name, "login.denied") == 0 ? " (@ISMS_REASON@)" : "", events[i].text,
		    events[i].controls);
}

int
main(int argc, char **argv)
{
	char line[1024];
	FILE *f;

	if (argc != 3 || (strcmp(argv[1], "catalog") != 0 && strcmp(argv[1], "man") != 0)) {
		(void)fprintf(stderr, "usage: eventdump catalog|man TEMPLATE\n");
		return 2;
	}
	f = fopen(argv[2], "re");
	if (f == NULL) {
		perror(argv[2]);
		return 1;
	}
	while (fgets(line, sizeof line, f) != NULL) {
		if (strcmp(line, "@EVENTS@\n") == 0)
			man_events();
		else if (strcmp(line, "@FIELDS@\n") == 0)
			man_fields();
		else if (strcmp(line, "@REASONS@\n") == 0)
			man_reasons();
		else
			(void)fputs(line, stdout);
	}
	(void)fclose(f);
	if (strcmp(argv[1], "catalog") == 0)
		catalog();
	return fflush(stdout) != 0;
}
