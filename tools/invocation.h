/*
 * invocation.h - one run of isms-userctl: what was asked, and what every verb needs to answer it.
 */
#ifndef ISMS_INVOCATION_H
#define ISMS_INVOCATION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/paths.h"
#include "common/settings.h"
#include "tools/command_line.h"
#include "tools/operator.h"

enum exit_code {
	EXIT_DONE,
	EXIT_REFUSED,		/* refused or not found */
	EXIT_USAGE,
	EXIT_UNREACHABLE,	/* directory or daemon */
};

struct invocation {
	struct command_line line;
	const char *root;		/* "" or an absolute folder; borrowed */
	struct paths paths;
	bool json, dry_run, yes;
	const char *reason, *ticket;	/* NULL when not given; borrowed */
	int64_t now_utc_sec;
	struct settings settings;	/* after invocation_settings() */
	struct operator who;		/* as whom to bind at a server */
};

/*
 * Read isms.conf into in->settings; says what is wrong with it.
 *
 * Returns EXIT_DONE or EXIT_REFUSED.
 */
enum exit_code invocation_settings(struct invocation *in);

/* Whether there is an isms.conf: before isms-userctl setup wrote it nothing runs (the units' own condition). */
bool invocation_is_set_up(const struct invocation *in);

/* Whether invocation_confirm() would ask. Nothing may be locked while a person thinks, so verbs look first. */
bool invocation_asks(const struct invocation *in);

/*
 * Ask "... [y/N]" on the terminal before a change of what exists. True without asking when --yes or
 * --dry-run is given, or when there is no terminal to ask on.
 */
bool invocation_confirm(const struct invocation *in, const char *question);

/* The uid of a local account by /etc/passwd of the root; -1 when there is none. */
int64_t invocation_local_uid(const struct invocation *in, const char *name);

#define GLOBAL(...)
#define COMMAND(id, ...) enum exit_code cmd_##id(struct invocation *in);	/* one verb each; commands.def says what it does */
#define OPTION(...)
#include "tools/commands.def"
#undef GLOBAL
#undef COMMAND
#undef OPTION

#endif
