/*
 * scene.h - a PAM application in a folder of its own: stacks, users, snapshot, a person who types.
 *
 * The module is the tests' build of pam_isms.so, loaded by libpam as ever. Users: "ada" is managed (uid 20001,
 * gid 20001, also in 20002), "root", "bob" and "isms" stand in the passwd file, "daemon" in the machine's own
 * (another source), "nobody-there" nowhere.
 */
#ifndef ISMS_TESTS_SCENE_H
#define ISMS_TESTS_SCENE_H

#include <security/pam_appl.h>
#include <security/pam_modules.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/pam/actor.h"
#include "tests/unit/suite.h"

#define SCENE_ADA_UID		20001u
#define SCENE_ADA_GROUP		20002u
#define SCENE_CONTACT		"helpdesk@example.org"
#define SCENE_UNAVAILABLE	"Access refused: login service unavailable. Contact "
#define SCENE_LINES_MAX		16
#define SCENE_IGNORE		PAM_MODULE_UNKNOWN	/* what the stacks make of PAM_IGNORE */

enum reply {
	REPLY_NONE,		/* the end of the table: a prompt more is a failed test, answered by PAM_CONV_ERR */
	REPLY_TEXT,
	REPLY_NULL,		/* PAM_SUCCESS and no response at all */
	REPLY_NULL_TEXT,	/* a response without text */
	REPLY_ERROR,		/* PAM_CONV_ERR */
	REPLY_AGAIN,		/* PAM_CONV_AGAIN */
	REPLY_ERROR_AND_TEXT,	/* PAM_CONV_ERR, and a response all the same */
	REPLY_HUGE,		/* 1 MiB */
	REPLY_MADE,		/* what scene->make() returns, which nobody else keeps */
	REPLY_ERROR_AND_MADE,	/* the same, and PAM_CONV_ERR besides */
};

struct typed {
	enum reply reply;
	const char *text;
};

struct scene {
	char dir[64];
	struct actor actor;
	bool listening;
	pam_handle_t *pamh;
	/* the person */
	const struct typed *typed;	/* borrowed; ends with REPLY_NONE */
	unsigned asked;			/* prompts so far */
	unsigned beyond;		/* prompts that typed has no answer for */
	struct { int style; char text[600]; } line[SCENE_LINES_MAX];	/* prompts and messages */
	unsigned lines;
	unsigned delay_usec;		/* that libpam would have waited */
	void (*on_prompt)(struct scene *scene);	/* called at every prompt; may be NULL */
	void (*on_watch)(struct scene *scene);	/* called by TEST_GIVER with "watch"; may be NULL */
	char *(*make)(unsigned prompt);	/* for REPLY_MADE: a new string */
};

/* Make the folder with passwd, snapshot and stacks; start listening. Aborts the test on failure. */
void scene_open(struct scene *scene);
/* End PAM and remove everything. */
void scene_close(struct scene *scene);

/* Begin a PAM transaction; service: sshd su sudo cron login locker, verbose (debug), first (use_first_pass), typo (unknown option),
 * who (identify). */
void scene_start(struct scene *scene, const char *service, const char *user);
/* End it, for another one. */
void scene_end(struct scene *scene);

/* The daemon goes (socket removed), and comes. */
void scene_stop(struct scene *scene);
void scene_listen(struct scene *scene);

/* The snapshot goes, is damaged, comes back. */
void scene_no_snapshot(const struct scene *scene);
void scene_corrupt_snapshot(const struct scene *scene);
void scene_snapshot(const struct scene *scene);
/* The same without ada: she was deleted. */
void scene_snapshot_without_ada(const struct scene *scene);

/* Write a file of the folder. */
void scene_write(const struct scene *scene, const char *name, const char *text);

/* Events written so far, one per line, "FIELD=value|..."; static. */
const char *scene_events(const struct scene *scene);
unsigned scene_event_count(const struct scene *scene);

/* Whether a line of that style with exactly that text was shown; style 0: any. */
bool scene_saw(const struct scene *scene, int style, const char *text);

/* Answers that a front gives often; static. */
const struct msg_prompt *say_password(void);
const struct msg_prompt *say_code(void);
const struct msg_verdict *say(enum verdict verdict, enum reason reason);

/* Play these steps, call PAM, wait for the end of the play; fails the test when the play went otherwise. */
int scene_call(struct scene *scene, const struct step *steps, int (*call)(pam_handle_t *, int), int flags);

/* As suite_run(), with a fixture around each test. Returns the exit status of main(). */
int scene_run(const char *name, const struct suite_row *rows, int count, void (*setup)(void), void (*teardown)(void));

#endif
