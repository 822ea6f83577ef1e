/*
 * ldif_jobs.c - requests to the LDIF source: password checks, changes, tokens.
 *
 * Directory process. A job is its own memory: a worker hashes and edits with nothing but that, so the view, the source
 * and the person who asked may all be gone when it ends; then nobody is answered (IP07a). It must never leave a
 * password or a verifier in freed memory.
 */
#include <config.h>

#include "daemon/ldif_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/ldif_store.h"
#include "daemon/password.h"

#define LOCK_WAIT_MS 5000

enum job_kind { JOB_CHECK, JOB_CHANGE, JOB_TOKENS };

/* One request under way. The source may go before its end: source is NULL then, and nobody is answered twice. */
struct job {
	struct job *next, *prev;
	struct ldif_source *source;
	enum job_kind kind;
	bool has_verifier;
	char verifier[PASSWORD_VERIFIER_SIZE];
	char password[PASSWORD_BYTES_MAX + 1], old[PASSWORD_BYTES_MAX + 1];
	char *path, *dn, *user;		/* owned; JOB_CHANGE, JOB_TOKENS */
	enum reason reason;		/* written by the worker */
	const char *text;		/* static */
	struct msg_token *tokens;	/* owned; JOB_TOKENS */
	size_t token_count;
	source_result *done;
	source_tokens *tokens_done;
	void *arg;
};

static void
job_free(struct job *j)
{
	if (j->tokens != NULL)
		explicit_bzero(j->tokens, SOURCE_TOKENS_MAX * sizeof *j->tokens);
	free(j->tokens);
	free(j->path);
	free(j->dn);
	free(j->user);
	explicit_bzero(j, sizeof *j);
	free(j);
}

/* Off the source's list: nobody waits for it any more. */
static void
job_detach(struct job *j)
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
job_answer(struct job *j, bool unavailable)
{
	enum reason reason = unavailable ? REASON_DIRECTORY_UNAVAILABLE : j->reason;

	if (j->kind != JOB_TOKENS)
		j->done(reason, j->text != NULL && !unavailable ? j->text : "", j->arg);
	else if (reason == REASON_OK)
		j->tokens_done(REASON_OK, j->tokens, j->token_count, j->arg);
	else
		j->tokens_done(reason, NULL, 0, j->arg);
}

static void
on_job_done(void *arg, bool cancelled)
{
	struct ldif_source *s = ((struct job *)arg)->source;
	struct job *j = arg;

	if (s != NULL) {
		job_detach(j);
		/* The session that waits for this answer is judged by the view: it must not know the old password any more. */
		if (j->kind == JOB_CHANGE && !cancelled && j->reason == REASON_OK)
			s->base.ops->reload(&s->base);
		job_answer(j, cancelled);
	}
	job_free(j);
}

/* Put the new verifier into the user's entry. */
static int
store_verifier(const struct job *j, const char *verifier)
{
	struct ldif_edit edit;
	struct entry *e;
	char error[256];
	int r;

	r = ldif_store_begin(j->path, LOCK_WAIT_MS, &edit, error, sizeof error);
	if (r < 0)
		return r;
	e = entries_find(&edit.entries, j->dn);
	/* The person who asked, or another one who was given his DN meanwhile? */
	r = e != NULL && entry_has_value(e, "uid", j->user) ? 0 : -ENOENT;
	if (r == 0)
		r = entry_set(e, "userPassword", verifier);
	if (r == 0)
		r = entry_set(e, "pwdReset", NULL);
	if (r < 0) {
		ldif_store_abort(&edit);
		return r;
	}
	return ldif_store_commit(&edit);
}

static void
change(struct job *j)
{
	char verifier[PASSWORD_VERIFIER_SIZE];
	int r;

	if (j->old[0] != '\0' && !password_check(j->has_verifier ? j->verifier : NULL, j->old)) {
		j->reason = REASON_PASSWORD_FAILED;
		return;
	}
	j->text = password_judge(j->user, j->old, j->password);
	if (j->text != NULL) {
		j->reason = REASON_PASSWORD_CHANGE_REQUIRED;
		return;
	}
	r = password_make(j->password, verifier);
	if (r == 0)
		r = store_verifier(j, verifier);
	j->reason = r == 0 ? REASON_OK : REASON_DIRECTORY_UNAVAILABLE;
	explicit_bzero(verifier, sizeof verifier);
}

/* The view knows no seeds: they come from the file at the login that needs them, and are wiped with the job. */
static void
fetch_tokens(struct job *j)
{
	struct entries entries = { 0 };
	const struct entry *e;
	char error[256];

	j->reason = REASON_DIRECTORY_UNAVAILABLE;
	if (ldif_store_read(j->path, &entries, error, sizeof error) < 0)
		return;
	e = entries_find(&entries, j->dn);
	if (e != NULL && entry_has_value(e, "uid", j->user)) {
		j->token_count = identity_tokens(&entries, e, j->tokens, SOURCE_TOKENS_MAX);
		if (j->token_count > SOURCE_TOKENS_MAX)
			j->token_count = SOURCE_TOKENS_MAX;
		j->reason = REASON_OK;
	}
	entries_done(&entries);
}

/* On a worker: the job's own memory only. */
static void
job_run(void *arg)
{
	struct job *j = arg;

	if (j->kind == JOB_CHANGE)
		change(j);
	else if (j->kind == JOB_TOKENS)
		fetch_tokens(j);
	else
		j->reason = password_check(j->has_verifier ? j->verifier : NULL, j->password) ? REASON_OK :
		    REASON_PASSWORD_FAILED;
}

static struct job *
job_new(struct ldif_source *s, enum job_kind kind, void *arg)
{
	struct job *j = calloc(1, sizeof *j);

	if (j == NULL)
		return NULL;
	j->kind = kind;
	j->arg = arg;
	j->source = s;
	j->next = s->jobs;
	if (j->next != NULL)
		j->next->prev = j;
	s->jobs = j;
	return j;
}

static int
job_start(struct job *j)
{
	int r = workers_submit(j->source->base.workers, &(struct work){ job_run, on_job_done, j });

	if (r < 0) {
		job_detach(j);
		job_free(j);
	}
	return r;
}

/* Nothing is cut: what does not fit cannot be right. */
static bool
copy_whole(char *to, size_t size, const char *text)
{
	size_t len = strlen(text);

	if (len >= size)
		return false;
	memcpy(to, text, len + 1);
	return true;
}

/* Where the person stands in the file. Returns 0 or -ENOMEM. */
static int
name_entry(struct job *j, const struct ldif_source *s, const struct identity *user)
{
	j->path = strdup(s->path);
	j->dn = strdup(user->entry->dn);
	j->user = strdup(user->name);
	return j->path != NULL && j->dn != NULL && j->user != NULL ? 0 : -ENOMEM;
}

static void
take_verifier(struct job *j, const struct identity *user)
{
	const char *verifier = NULL;

	if (user == NULL || entry_single(user->entry, "userPassword", &verifier) != 1)
		return;
	j->has_verifier = copy_whole(j->verifier, sizeof j->verifier, verifier);
}

int
ldif_password_check(struct source *base, const struct identity *user, const char *password, source_result *done,
    void *arg)
{
	struct job *j = job_new((struct ldif_source *)base, JOB_CHECK, arg);

	if (j == NULL)
		return -ENOMEM;
	j->done = done;
	take_verifier(j, user);
	if (!copy_whole(j->password, sizeof j->password, password))
		j->has_verifier = false;
	return job_start(j);
}

int
ldif_password_change(struct source *base, const struct identity *user, const char *old, const char *new_password,
    source_result *done, void *arg)
{
	struct ldif_source *s = (struct ldif_source *)base;
	struct job *j = job_new(s, JOB_CHANGE, arg);

	if (j == NULL)
		return -ENOMEM;
	j->done = done;
	take_verifier(j, user);
	if (name_entry(j, s, user) < 0 || !copy_whole(j->old, sizeof j->old, old) || !copy_whole(j->password, sizeof j->password, new_password)) {
		job_detach(j);
		job_free(j);
		return -ENOMEM;
	}
	return job_start(j);
}

int
ldif_tokens(struct source *base, const struct identity *user, source_tokens *done, void *arg)
{
	struct ldif_source *s = (struct ldif_source *)base;
	struct job *j = job_new(s, JOB_TOKENS, arg);

	if (j == NULL)
		return -ENOMEM;
	j->tokens_done = done;
	j->tokens = calloc(SOURCE_TOKENS_MAX, sizeof *j->tokens);
	if (j->tokens == NULL || name_entry(j, s, user) < 0) {
		job_detach(j);
		job_free(j);
		return -ENOMEM;
	}
	return job_start(j);
}

void
ldif_forget(struct source *base, const void *arg)
{
	struct ldif_source *s = (struct ldif_source *)base;
	const struct job *j;

	for (j = s->jobs; j != NULL && j->arg != arg; j = j->next)
		;
	if (j != NULL)
		(void)workers_cancel(base->workers, j);
}

void
ldif_jobs_abandon(struct ldif_source *s)
{
	struct job *j;

	while ((j = s->jobs) != NULL) {
		job_detach(j);		/* its memory is the workers' until it has run */
		job_answer(j, true);
	}
}
