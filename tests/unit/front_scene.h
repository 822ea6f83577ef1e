/*
 * front_scene.h - the real `ismsd front` and `ismsd directory` below a folder of their own, and a peer of them.
 *
 * The uid that runs the tests counts as root there. Users of the embedded directory (all with password
 * "correct horse", all contractors but emil and mona):
 *   ada   TOTP, 6 digits      hana  HOTP      olga  TOTP, 8 digits, SHA-256
 *   bob   HOTP, ended         carl  HOTP, disabled     dora  no token      fred  a token with a short secret
 *   emil  employee, no second factor          mona  employee, must change the password
 *   self  HOTP, uid SCENE_SELF_UID
 */
#ifndef ISMS_TESTS_FRONT_SCENE_H
#define ISMS_TESTS_FRONT_SCENE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/paths.h"
#include "common/proto.h"
#include "common/verdict.h"

#define SCENE_PASSWORD	"correct horse"
#define SCENE_SELF_UID	3001
#define SCENE_FLOOR_MS	150

struct scene {
	char root[64];
	pid_t front, directory;
};

/* What happened in one request. */
struct talk {
	int error;			/* 0, or -errno of the channel */
	unsigned prompts;
	struct msg_prompt prompt[4];
	struct msg_verdict verdict;
	int64_t wait_ms;		/* from the last thing we sent to the verdict */
	int fd;				/* still open for talk_ack(); -1 */
};

/*
 * Runs the front, in the process that scene_run_front() forks, instead of the program ismsd; NULL: that program.
 * For a test that stands between the front and the system (-Wl,--wrap).
 */
extern int (*scene_front)(const struct paths *paths);

/* settings: further lines of isms.conf; "" for none. Aborts the test on failure. */
void scene_start(struct scene *s, const char *settings);
void scene_stop(struct scene *s);

/* Start or end one process; a killed one is reaped. */
void scene_run_front(struct scene *s);
void scene_kill_front(struct scene *s, int signal_number);
void scene_kill_directory(struct scene *s, int signal_number);
void scene_run_directory(struct scene *s);

/* Write or remove a file below the root. */
void scene_write(const struct scene *s, const char *name, const char *text);
void scene_path(const struct scene *s, const char *name, char *buf, size_t size);

/* Rewrite the directory with this line added to the entry of a user; NULL: as at the start. */
void scene_change_user(const struct scene *s, const char *user, const char *line);
/* Wait until the directory process has read that a user is disabled. */
void scene_await_disabled(const struct scene *s, const char *user);

/* Events that contain all of the words (NULL-terminated list). Waits, two minutes at most, for `least` of them. */
unsigned scene_events(const struct scene *s, unsigned least, ...) __attribute__((sentinel));

/* Connect to the front; -1 on failure. */
int scene_connect(const struct scene *s);

/* How many logins the front remembers, by its status. */
unsigned scene_transactions(const struct scene *s);

/* Send a request and answer its prompts in order; a NULL answer fails the prompt. */
void talk_run(const struct scene *s, enum message number, const void *msg, const char *const *answers, struct talk *ret);
/* Tell the front that the verdict was taken, and hang up. */
void talk_ack(struct talk *t);
void talk_end(struct talk *t);
/* The request ended with this verdict, or the test fails and says which one came. */
void talk_expect(const struct talk *t, enum verdict verdict, enum reason reason);

/* An auth request with password and code, the usual way. */
void scene_auth(const struct scene *s, const char *user, const char *service, const char *password, const char *code,
    struct talk *ret);
/* The account stage with a proof ("" for none). */
void scene_account(const struct scene *s, const char *user, const char *service, const char *proof, struct talk *ret);

/* Auth and account of hana by password and code, acknowledged; the transaction goes to txn. ret: of the auth stage. */
void scene_log_in(const struct scene *s, const char *service, uint64_t counter, char txn[static 33], struct talk *ret);

/*
 * A process of its own opens a session, as sshd's monitor does, and lives until scene_end_session(). Returns it; 0 where
 * that was refused.
 */
pid_t scene_open_session(const struct scene *s, const struct msg_session_open *m, struct talk *ret);
void scene_end_session(pid_t pid);

/* The code of a token now: TOTP of ada and olga (step offset), HOTP of the others (counter). */
const char *scene_totp(int offset_steps);
const char *scene_totp_long(int offset_steps);
const char *scene_hotp(uint64_t counter);

#endif
