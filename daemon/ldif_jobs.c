/*
 * ldif_jobs.c - requests to the LDIF source: password checks, changes, tokens, recovery codes.
 *
 * Directory process; a job is its own memory (source_job.h). It must never leave a password or a verifier in freed memory.
 */
#include <config.h>

#include "daemon/ldif_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/civil_date.h"
#include "common/last_use.h"
#include "common/ldif_store.h"
#include "common/recovery_code.h"
#include "daemon/loop.h"
#include "daemon/password.h"
#include "daemon/source_job.h"

#define LOCK_WAIT_MS 5000

struct job {
	struct source_job base;		/* first */
	bool has_verifier;
	char verifier[PASSWORD_VERIFIER_SIZE];
	char password[PASSWORD_BYTES_MAX + 1], old[PASSWORD_BYTES_MAX + 1];
	char code[RECOVERY_CODE_LEN + 1];
	int64_t used_utc_sec;
	char *path, *dn, *user;		/* owned; of those who touch the file */
};

static void
job_wipe(struct source_job *base)
{
	struct job *j = (struct job *)base;

	free(j->path);
	free(j->dn);
	free(j->user);
}

/* The session that waits for this answer is judged by the view: it must not know the old password any more. */
static void
on_changed(struct source_job *base)
{
	if (base->reason == REASON_OK)
		base->source->ops->reload(base->source);
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
change(struct source_job *base)
{
	char verifier[PASSWORD_VERIFIER_SIZE];
	struct job *j = (struct job *)base;
	int r;

	if (j->old[0] != '\0' && !password_check(j->has_verifier ? j->verifier : NULL, j->old)) {
		base->reason = REASON_PASSWORD_FAILED;
		return;
	}
	base->text = password_judge(j->user, j->old, j->password);
	if (base->text != NULL) {
		base->reason = REASON_PASSWORD_CHANGE_REQUIRED;
		return;
	}
	r = password_make(j->password, verifier);
	if (r == 0)
		r = store_verifier(j, verifier);
	base->reason = r == 0 ? REASON_OK : REASON_DIRECTORY_UNAVAILABLE;
	explicit_bzero(verifier, sizeof verifier);
}

/* The view knows no seeds: they come from the file at the login that needs them, and are wiped with the job. */
static void
fetch_tokens(struct source_job *base)
{
	const struct job *j = (struct job *)base;
	struct entries entries = { 0 };
	const struct entry *e;
	char error[256];

	if (ldif_store_read(j->path, &entries, error, sizeof error) < 0)
		return;
	e = entries_find(&entries, j->dn);
	if (e != NULL && entry_has_value(e, "uid", j->user))
		source_job_tokens(base, &entries, e);
	entries_done(&entries);
}

/*
 * Take a used code out of the user's entry, if it still is there: who comes second finds it gone.
 *
 * Returns REASON_OK once that is on the disk.
 */
static enum reason
burn_code(const struct job *j, const char *hash)
{
	enum reason reason = REASON_MFA_REPLAYED;
	struct ldif_edit edit;
	struct entry *e;
	char error[256];

	if (ldif_store_begin(j->path, LOCK_WAIT_MS, &edit, error, sizeof error) < 0)
		return REASON_STATE_UNWRITABLE;
	e = entries_find(&edit.entries, j->dn);
	if (e != NULL && entry_has_value(e, "uid", j->user) && entry_has_value(e, RECOVERY_ATTRIBUTE, hash))
		reason = entry_remove_value(e, RECOVERY_ATTRIBUTE, hash) == 0 ? REASON_OK : REASON_STATE_UNWRITABLE;
	if (reason != REASON_OK) {
		ldif_store_abort(&edit);
		return reason;
	}
	return ldif_store_commit(&edit) == 0 ? REASON_OK : REASON_STATE_UNWRITABLE;
}

/* The hash is made without the file's lock: nobody waits for it. */
static void
use_code(struct source_job *base)
{
	const struct job *j = (struct job *)base;
	struct recovery_judgement judgement;
	struct entries entries = { 0 };
	const struct entry *e;
	char error[256];

	if (ldif_store_read(j->path, &entries, error, sizeof error) < 0)
		return;
	e = entries_find(&entries, j->dn);
	if (e != NULL && !entry_has_value(e, "uid", j->user))
		e = NULL;
	recovery_code_judge(e, j->code, &judgement);
	base->reason = source_job_recovery(base, &judgement);
	if (base->reason == REASON_OK)
		base->reason = burn_code(j, judgement.value);
	entries_done(&entries);
}

static void
note_use(struct source_job *base)
{
	const struct job *j = (struct job *)base;
	struct ldif_edit edit;
	struct entry *e;
	char error[256], day[32];
	int r = -ENOENT;

	if (ldif_store_begin(j->path, LOCK_WAIT_MS, &edit, error, sizeof error) < 0)
		return;
	e = entries_find(&edit.entries, j->dn);
	if (e != NULL && entry_has_value(e, "uid", j->user))
		r = last_use_moves(e, j->used_utc_sec, loop_clock_sec(CLOCK_REALTIME)) ?
		    entry_set(e, LAST_USE_ATTRIBUTE, civil_date_format_generalized(last_use_day(j->used_utc_sec),
		    day)) : -EALREADY;
	if (r < 0) {
		ldif_store_abort(&edit);
		base->reason = r == -ENOMEM ? REASON_DIRECTORY_UNAVAILABLE : r == -ENOENT ? REASON_UNKNOWN_USER :
		    REASON_OK;
	} else
		base->reason = ldif_store_commit(&edit) == 0 ? REASON_OK : REASON_DIRECTORY_UNAVAILABLE;
}

static void
check(struct source_job *base)
{
	const struct job *j = (struct job *)base;

	base->reason = password_check(j->has_verifier ? j->verifier : NULL, j->password) ? REASON_OK :
	    REASON_PASSWORD_FAILED;
}

static struct job *
job_new(struct source *s, void (*run)(struct source_job *), void *arg)
{
	struct job *j = (struct job *)source_job_new(s, sizeof *j, arg);

	if (j != NULL) {
		j->base.run = run;
		j->base.wipe = job_wipe;
	}
	return j;
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
	j->has_verifier = source_job_copy(j->verifier, sizeof j->verifier, verifier);
}

int
ldif_password_check(struct source *base, const struct identity *user, const char *password, source_result *done,
    void *arg)
{
	struct job *j = job_new(base, check, arg);

	if (j == NULL)
		return -ENOMEM;
	j->base.done = done;
	take_verifier(j, user);
	if (!source_job_copy(j->password, sizeof j->password, password))
		j->has_verifier = false;
	return source_job_start(&j->base);
}

int
ldif_password_change(struct source *base, const struct identity *user, const char *old, const char *new_password,
    source_result *done, void *arg)
{
	struct job *j = job_new(base, change, arg);

	if (j == NULL)
		return -ENOMEM;
	j->base.done = done;
	j->base.finished = on_changed;
	take_verifier(j, user);
	if (name_entry(j, (struct ldif_source *)base, user) < 0 || !source_job_copy(j->old, sizeof j->old, old) ||
	    !source_job_copy(j->password, sizeof j->password, new_password)) {
		source_job_drop(&j->base);
		return -ENOMEM;
	}
	return source_job_start(&j->base);
}

int
ldif_tokens(struct source *base, const struct identity *user, source_tokens *done, void *arg)
{
	struct job *j = job_new(base, fetch_tokens, arg);

	if (j == NULL)
		return -ENOMEM;
	j->base.tokens_done = done;
	if (source_job_need_tokens(&j->base) < 0 || name_entry(j, (struct ldif_source *)base, user) < 0) {
		source_job_drop(&j->base);
		return -ENOMEM;
	}
	return source_job_start(&j->base);
}

int
ldif_recovery_use(struct source *base, const struct identity *user, const char *code, source_recovery *done, void *arg)
{
	struct job *j = job_new(base, use_code, arg);

	if (j == NULL)
		return -ENOMEM;
	j->base.recovery_done = done;
	if (name_entry(j, (struct ldif_source *)base, user) < 0 || !source_job_copy(j->code, sizeof j->code, code)) {
		source_job_drop(&j->base);
		return -ENOMEM;
	}
	return source_job_start(&j->base);
}

int
ldif_last_use(struct source *base, const struct identity *user, int64_t used_utc_sec, source_result *done, void *arg)
{
	struct job *j = job_new(base, note_use, arg);

	if (j == NULL)
		return -ENOMEM;
	j->base.done = done;
	j->used_utc_sec = used_utc_sec;
	if (name_entry(j, (struct ldif_source *)base, user) < 0) {
		source_job_drop(&j->base);
		return -ENOMEM;
	}
	return source_job_start(&j->base);
}
