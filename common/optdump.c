/*
 * optdump.c - writes the OPTIONS section of isms.conf(5) from options.def.
 *
 * Runs at build time only, never installed: `optdump TEMPLATE` prints the template with its line
 * @OPTIONS@ replaced, so that the manual cannot name other options than the parser knows.
 */
#include <config.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct row {
	const char *section, *key, *type, *fallback, *unit, *help;
	long long min, max;
} rows[] = {
#define OPT(section, key, name, TYPE, fallback, min, max, unit, help) \
	{ #section, #key, #TYPE, fallback, unit, help, min, max },
#include "common/options.def"
#undef OPT
};

/* roff: a hyphen that is typed is \-. No text of the table begins with a dot or a quote. */
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
print_form(const struct row *o)
{
	if (strcmp(o->type, "BOOL") == 0)
		(void)printf("yes or no");
	else if (strcmp(o->type, "UINT") == 0)
		(void)printf("%lld to %lld %s", o->min, o->max, o->unit);
	else if (strcmp(o->type, "SECONDS") == 0)
		(void)printf("A duration, %lld to %lld seconds", o->min, o->max);
	else if (strcmp(o->type, "RANGES") == 0)
		(void)printf("Up to 8 ranges FIRST\\-LAST, ascending, within 1000\\-2147483647");
	else
		(void)printf("Text, %lld to %lld bytes", o->min, o->max);
}

static void
print_options(void)
{
	const char *section = "";

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *o = &rows[i];

		if (strcmp(o->section, section) != 0)
			(void)printf(".SS [%s]\n", o->section);
		section = o->section;
		(void)printf(".TP\n.B ");
		roff(o->key);
		(void)printf("\n");
		roff(o->help);
		(void)printf("\n");
		print_form(o);
		(void)printf(".\nDefault:\n.BR \"");
		roff(o->fallback);
		(void)printf("\" .\n");
	}
}

int
main(int argc, char **argv)
{
	char line[1024];
	FILE *f = argc == 2 ? fopen(argv[1], "re") : NULL;

	if (f == NULL) {
		(void)fprintf(stderr, "usage: optdump TEMPLATE\n");
		return 2;
	}
	while (fgets(line, sizeof line, f) != NULL) {
		if (strcmp(line, "@OPTIONS@\n") == 0)
			print_options();
		else
			(void)fputs(line, stdout);
	}
	(void)fclose(f);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
