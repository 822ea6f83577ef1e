/*
 * source_job.h - a request to a source that is answered later: done by a worker, answered on the loop, exactly once.
 *
 * A job is its own memory: a worker works with nothing but that, so the census, the source and the person who asked may
 * all be gone when it ends; then nobody is answered (IP07a). Every kind of source embeds it at the start of its own.
 */
#ifndef ISMS_SOURCE_JOB_H
#define ISMS_SOURCE_JOB_H

#include <stdbool.h>
#include <stddef.h>

#include "common/recovery_code.h"
#include "daemon/source.h"

struct source_job {
	struct source_job *next, *prev;
	struct source *source;		/* NULL: nobody waits for it any more */
	void (*run)(struct source_job *j);	/* on a worker: writes reason, text, tokens, recovery */
	void (*finished)(struct source_job *j);	/* on the loop, once run, before the answer; may be NULL */
	void (*wipe)(struct source_job *j);	/* frees what the job owns; may be NULL */
	size_t size;			/* bytes of all of it, to be wiped */
	enum reason reason;
	const char *text;		/* static; or NULL */
	struct msg_token *tokens;	/* owned; of those who answer with tokens */
	size_t token_count;
	struct msg_recovery_result recovery;	/* but for its reason */
	source_result *done;		/* one of these three */
	source_tokens *tokens_done;
	source_recovery *recovery_done;
	void *arg;
};

/*
 * Make a job, zeroed, on the source's list.
 *
 *  size  of the struct that begins with struct source_job
 *  arg   of the answer; also what source_jobs_forget() goes by
 *
 * Returns NULL without memory.
 */
struct source_job *source_job_new(struct source *s, size_t size, void *arg);

/* Make room for SOURCE_TOKENS_MAX tokens. Returns 0 or -ENOMEM. */
int source_job_need_tokens(struct source_job *j);

/* Answer with the tokens that a user's entry links to, secrets included. */
void source_job_tokens(struct source_job *j, const struct entries *entries, const struct entry *user);

/* Copy a text whole. Returns whether it fits: nothing is cut, for what does not fit cannot be right. */
bool source_job_copy(char *to, size_t size, const char *text);

/*
 * Take over what a recovery code was judged to be, but for its value.
 *
 * Returns the reason: REASON_OK, when it was right and has yet to go from the directory; else the answer.
 */
enum reason source_job_recovery(struct source_job *j, const struct recovery_judgement *judgement);

/* Hand it to the workers; on failure it is freed and nobody answered. Returns 0 or -errno. */
int source_job_start(struct source_job *j);

/* Free a job that was not started. */
void source_job_drop(struct source_job *j);

/* The client of arg has gone: its request is not begun any more, and not answered (struct source_ops). */
void source_jobs_forget(struct source *s, const void *arg);

/* Answer everything that is due with REASON_DIRECTORY_UNAVAILABLE. */
void source_jobs_abandon(struct source *s);

#endif
