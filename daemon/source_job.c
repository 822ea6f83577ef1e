/*
 * source_job.c - requests to a source under way (see source_job.h).
 *
 * Directory process. It must never answer twice, never answer somebody else, and never leave a password in freed memory.
 */
#include <config.h>

#include "daemon/source_job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
job_free(struct source_job *j)
{
	size_t size = j->size;

	if (j->wipe != NULL)
		j->wipe(j);
	if (j->tokens != NULL)
		explicit_bzero(j->tokens, SOURCE_TOKENS_MAX * sizeof *j->tokens);
	free(j->tokens);
	explicit_bzero(j, size);
	free(j);
}

/* Off the source's list: nobody waits for it any more. */
static void
detach(struct source_job *j)
{
	if (j->source == NULL)
		return;
	if (j->prev != NULL)
		j->prev->next = j->next;
	else
		j->source->jobs = j->next;
	if (j->next != NULL)
		j->next->prev = j->prev;
	j->source = NULL;
}

static void
answer(struct source_job *j, bool unavailable)
{
	enum reason reason = unavailable ? REASON_DIRECTORY_UNAVAILABLE : j->reason;

	if (j->recovery_done != NULL) {
		j->recovery.reason = reason;
		j->recovery_done(&j->recovery, j->arg);
	} else if (j->tokens_done == NULL)
		j->done(reason, j->text != NULL && !unavailable ? j->text : "", j->arg);
	else if (reason == REASON_OK)
		j->tokens_done(REASON_OK, j->tokens, j->token_count, j->arg);
	else
		j->tokens_done(reason, NULL, 0, j->arg);
}

static void
on_run(void *arg)
{
	struct source_job *j = arg;

	j->run(j);
}

static void
on_done(void *arg, bool cancelled)
{
	struct source_job *j = arg;

	if (j->source != NULL) {
		if (j->finished != NULL && !cancelled)
			j->finished(j);
		detach(j);
		answer(j, cancelled);
	}
	job_free(j);
}

struct source_job *
source_job_new(struct source *s, size_t size, void *arg)
{
	struct source_job *j = calloc(1, size);

	if (j == NULL)
		return NULL;
	j->size = size;
	j->arg = arg;
	j->reason = REASON_DIRECTORY_UNAVAILABLE;
	j->source = s;
	j->next = s->jobs;
	if (j->next != NULL)
		j->next->prev = j;
	s->jobs = j;
	return j;
}

int
source_job_need_tokens(struct source_job *j)
{
	j->tokens = calloc(SOURCE_TOKENS_MAX, sizeof *j->tokens);
	return j->tokens != NULL ? 0 : -ENOMEM;
}

void
source_job_tokens(struct source_job *j, const struct entries *entries, const struct entry *user)
{
	j->token_count = identity_tokens(entries, user, j->tokens, SOURCE_TOKENS_MAX);
	if (j->token_count > SOURCE_TOKENS_MAX)
		j->token_count = SOURCE_TOKENS_MAX;
	j->reason = REASON_OK;
}

bool
source_job_copy(char *to, size_t size, const char *text)
{
	size_t len = strlen(text);

	if (len >= size)
		return false;
	memcpy(to, text, len + 1);
	return true;
}

enum reason
source_job_recovery(struct source_job *j, const struct recovery_judgement *judgement)
{
	_Static_assert(sizeof j->recovery.id == sizeof judgement->id, "the same bound");

	memcpy(j->recovery.id, judgement->id, sizeof j->recovery.id);
	j->recovery.remaining = judgement->remaining;
	if (judgement->fault != NULL)
		(void)snprintf(j->recovery.fault, sizeof j->recovery.fault, "%s", judgement->fault);
	if (judgement->result == RECOVERY_UNUSABLE)
		return REASON_BAD_RECORD;
	return judgement->result == RECOVERY_RIGHT ? REASON_OK : REASON_MFA_FAILED;
}

int
source_job_start(struct source_job *j)
{
	int r = workers_submit(j->source->workers, &(struct work){ on_run, on_done, j });

	if (r < 0)
		source_job_drop(j);
	return r;
}

void
source_job_drop(struct source_job *j)
{
	detach(j);
	job_free(j);
}

void
source_jobs_forget(struct source *s, const void *arg)
{
	const struct source_job *j;

	for (j = s->jobs; j != NULL && j->arg != arg; j = j->next)
		;
	if (j != NULL)
		(void)workers_cancel(s->workers, j);
}

void
source_jobs_abandon(struct source *s)
{
	struct source_job *j;

	while ((j = s->jobs) != NULL) {
		detach(j);		/* its memory is the workers' until it has run */
		answer(j, true);
	}
}
