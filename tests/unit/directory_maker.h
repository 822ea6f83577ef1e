/*
 * directory_maker.h - a folder with a small directory, the real directory process on it, and a publisher that the test plays.
 *
 * In it: ada, a contractor with PASSWORD, a token and pwdReset; eve, an employee without a password; bad, whose entry
 * is broken; groups web, ops and no-payroll, of which both are members.
 */
#ifndef ISMS_TESTS_DIRECTORY_MAKER_H
#define ISMS_TESTS_DIRECTORY_MAKER_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "common/paths.h"
#include "common/proto.h"
#include "common/verdict.h"
#include "daemon/roster.h"

#define BASE "dc=isms,dc=local"
#define PASSWORD "correct horse battery"
#define PATIENCE_MS 60000

extern char root[64], file[PATH_MAX];	/* the folder; its directory.ldif */
extern struct paths paths;
extern pid_t process;			/* the directory process */
extern int publisher_fd;		/* listens in the publisher's place */
extern struct facts facts;		/* of the last get_facts() */
extern char status_lines[8192];		/* of the last status_has() */

/* Make the folder with settings and policy, and listen as publisher. */
void setup(void);
/* Stop the process, which must end well, and remove the folder. */
void teardown(void);
/* The last half of teardown(). */
void remove_root(void);
/* Write directory.ldif. */
void make_directory(void);
/* Replace a file by rename. */
void write_file(const char *path, const char *text);
/* The same in etc/isms. */
void write_etc(const char *name, const char *text);
/* Set an attribute (NULL: remove it), as isms-userctl edits. */
void edit(const char *dn, const char *name, const char *value);
/* Fork the process. */
void start_directory(void);
/* Listen anew. */
void listen_as_publisher(void);

/* Connect to the process, waiting until it listens. */
int dial(void);
/* One question, one answer. */
void ask(enum message number, const void *msg, enum message want, void *ret);
/* Facts of a user, in facts. */
const struct facts *get_facts(const char *user);
/* Ask until the state is this. */
void await_state(const char *user, enum facts_state state);
/* The reason that RESULT carries. */
enum reason check_password(const char *user, const char *password, bool dummy);
/* The same for a change. */
enum reason change_password(const char *user, const char *old, const char *new_password);
/* Whether DIRECTORY_STATUS says this; a line is "\nkey=value\n". */
bool status_has(const char *line);
/* Ask until it does. */
void await_status(const char *line);

/* As publisher: wait for a roster and accept it; until then what was accepted since listening holds, and nothing else. */
struct roster *next_roster(void);
/* A user of it, or NULL. */
const struct roster_user *in_roster(struct roster *r, const char *name);
/* Whether the user is in a group. */
bool has_group(struct roster *r, const struct roster_user *u, const char *name);

#endif
