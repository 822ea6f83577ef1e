/*
 * pam_isms.c - the six entry points of the PAM module.
 *
 * Runs inside sshd, login, su, sudo, cron, systemd, screen lockers, as root or not. Decides nothing: it asks
 * the front, and what it cannot ask it refuses for managed users, while everybody else is left alone
 * (THREATS I1, I2). It must never return a code that pam_codes.c did not choose, exit, or leave a trace in
 * its caller: no descriptor, no errno, no signal, no secret.
 */
#include <config.h>

#include <errno.h>
#include <security/pam_modules.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pam/pam_call.h"
#include "pam/pam_codes.h"
#include "pam/pam_fallback.h"
#include "pam/pam_groups.h"

#define FAIL_DELAY_USEC		2000000
#define UNJUDGED_DELAY_USEC	500000	/* there was no guess to slow down (THREATS 5.1) */
#define BACKSTOP_SEC		86400	/* a session may outlive its contract by this much if every process of ours is dead */
#define ENTRY			__attribute__((visibility("default")))

/* What keeps this call from asking the front at all. Returns false after it has said so. */
static bool
may_ask(struct call *call)
{
	if (call->person.who == WHO_UNSURE)
		fallback_refused(call, REASON_DAEMON_UNAVAILABLE, call->person.fault);
	else if (call->bad_option != NULL)
		fallback_refused(call, REASON_NONE, "unknown option in the PAM configuration of pam_isms.so; see pam_isms(8)");
	else if (call->pages == NULL)
		fallback_refused(call, REASON_NONE, "out of memory");
	else if (!call->privileged && call->stage != PAM_STAGE_AUTH)
		fallback_refused(call, REASON_NONE, "the caller is not root");
	else
		return true;
	return false;
}

/* The front's verdict on this call; VERDICT_DENY for every error on the way (THREATS section 6). */
static enum verdict
ask_front(struct call *call)
{
	enum verdict verdict;
	enum message number;
	int r;

	if (!may_ask(call)) {
		call->unjudged = true;
		return VERDICT_DENY;
	}
	r = call_request(call, &number);
	if (r < 0) {
		fallback_refused(call, REASON_NONE, "a name or address given by the caller is too long");
		return VERDICT_DENY;
	}
	r = relay_ask(&call->relay, number);
	verdict = r == 0 ? (enum verdict)call->pages->verdict.verdict : VERDICT_DENY;
	/* The verdict on an account counts, and is reported as granted, once the front knows that it was taken. */
	if (r == 0 && call->stage == PAM_STAGE_ACCOUNT && (verdict == VERDICT_ALLOW || verdict == VERDICT_MUST_CHANGE))
		r = relay_ack(&call->relay);
	if (r < 0) {
		call->unjudged = !call->relay.guessed;
		call->reported |= relay_late(&call->relay);
		fallback_refused(call, REASON_DAEMON_UNAVAILABLE, strerrordesc_np(-r));
		return VERDICT_DENY;
	}
	talk_show(&call->talk, verdict != VERDICT_ALLOW, call->pages->verdict.text);
	return call->relay.failed ? VERDICT_DENY : verdict;
}

/* Keep what a good auth proved, and the password for modules behind us. Returns the verdict that then holds. */
static enum verdict
keep_auth(struct call *call, struct proof *proof, enum verdict verdict)
{
	const struct msg_verdict *v = &call->pages->verdict;

	if (verdict != VERDICT_ALLOW && verdict != VERDICT_NOT_OURS)
		return verdict;
	if (strcmp(call_item(call, PAM_USER), call->user) != 0) {
		fallback_refused(call, REASON_NONE, "the user was changed during the conversation");
		return VERDICT_DENY;
	}
	/* pam_unix behind us takes it (try_first_pass), so that an unknown name is asked no more than a known one. */
	if (!call->use_first_pass && call->pages->password[0] != '\0' &&
	    pam_set_item(call->pamh, PAM_AUTHTOK, call->pages->password) != PAM_SUCCESS)
		return VERDICT_DENY;
	if (verdict == VERDICT_NOT_OURS || (call->person.who != WHO_MANAGED && call->person.who != WHO_GUARDED))
		return verdict;
	if (proof_keep_txn(call->pamh, v->txn) < 0)
		return VERDICT_DENY;
	memcpy(proof->id, v->proof, sizeof proof->id);
	proof->self = !call->privileged;
	return verdict;
}

/*
 * A local account under policy proves its password to pam_unix behind us. One whose key sshd has taken, and whom the front
 * has asked for a code alone, has none to prove: it is through with auth, as a managed user is. The account stage decides.
 */
static enum who
judged_as(const struct call *call)
{
	bool by_key = call->person.who == WHO_GUARDED && call->pages != NULL && call->pages->password[0] == '\0' &&
	    call_proves_key(call);

	return by_key ? WHO_MANAGED : call->person.who;
}

static int
authenticate(struct call *call)
{
	struct proof *proof = proof_start(call->pamh, call->user);
	enum verdict verdict = VERDICT_DENY;
	int rc;

	if (proof == NULL)
		fallback_refused(call, REASON_NONE, "out of memory");
	else
		verdict = keep_auth(call, proof, ask_front(call));
	rc = pam_code(call->stage, verdict, judged_as(call));
	if (rc != PAM_SUCCESS && (verdict != VERDICT_ALLOW || call->person.who != WHO_GUARDED))
		(void)pam_fail_delay(call->pamh, call->unjudged ? UNJUDGED_DELAY_USEC : FAIL_DELAY_USEC);
	return rc;
}

/*
 * A locker that asks for its own account's stage: it cannot speak to the front as root does, and AUTH_SELF has
 * judged window, locks and rules a moment ago in this handle. Once, and only for whom it was judged.
 */
static bool
unlocked_itself(const struct call *call)
{
	struct proof *proof = proof_get(call->pamh);

	if (call->privileged || proof == NULL || !proof->self || strcmp(proof->user, call->user) != 0)
		return false;
	proof->self = false;
	return (call->person.who == WHO_MANAGED || call->person.who == WHO_GUARDED) && call->bad_option == NULL;
}

static int
account(struct call *call)
{
	enum verdict verdict = unlocked_itself(call) ? VERDICT_ALLOW : ask_front(call);
	int rc = pam_code(call->stage, verdict, call->person.who);

	if ((verdict == VERDICT_ALLOW || verdict == VERDICT_MUST_CHANGE) && call->privileged &&
	    proof_keep_txn(call->pamh, call->pages->verdict.txn) < 0)
		rc = pam_code(call->stage, VERDICT_DENY, call->person.who);
	return rc;
}

static void
report_groups(struct call *call)
{
	static const char failure[] = "supplementary groups could not be removed";
	struct msg_cred_report *m;

	if (call->groups.dropped == 0 && !call->groups.failed)
		return;
	if (call->pages != NULL && call->privileged) {
		m = &call->pages->request.cred;
		(void)snprintf(m->user, sizeof m->user, "%.256s", call->user);
		(void)snprintf(m->service, sizeof m->service, "%.64s", call_item(call, PAM_SERVICE));
		memcpy(m->txn, call->txn, sizeof m->txn);
		memcpy(m->dropped, call->groups.text, sizeof m->dropped);
		m->failed = call->groups.failed;
		if (relay_tell(&call->relay, MSG_CRED_REPORT) == 0)
			return;
	}
	fallback_groups(call, call->groups.text, call->groups.failed ? failure : "");
}

/* Most callers ignore what setcred says (MEASURED 4b): it takes groups away and decides nothing. */
static int
setcred(struct call *call)
{
	enum verdict verdict = VERDICT_ALLOW;

	if (call->person.who == WHO_UNSURE) {
		fallback_groups(call, "", call->person.fault);
		verdict = VERDICT_DENY;
	} else if (call->person.who == WHO_MANAGED && (call->flags & (PAM_DELETE_CRED | PAM_REFRESH_CRED)) == 0) {
		groups_strip(&call->person.snapshot, &call->person.user, call->privileged, &call->groups);
		report_groups(call);
		if (call->bad_option != NULL)
			verdict = VERDICT_DENY;
	} else if (call->person.who == WHO_GUARDED && call->bad_option != NULL) {
		verdict = VERDICT_DENY;
	}
	return pam_code(call->stage, verdict, call->person.who);
}

static void
free_text(pam_handle_t *pamh, void *data, int status)
{
	(void)pamh;
	(void)status;
	free(data);
}

/* Have pam_systemd end the session: max-session, or as a backstop a day after the contract. 0 or -errno. */
static int
limit_session(const struct call *call)
{
	const struct msg_verdict *v = &call->pages->verdict;
	/* Sessions of system accounts ismsd does not end: theirs have the end itself. */
	bool is_ended = call->person.who == WHO_MANAGED || snapshot_id_allowed(call->person.user.uid);
	int64_t limit_sec = v->max_session_sec, rest_sec, beyond_sec = is_ended ? BACKSTOP_SEC : 0;
	struct timespec now;
	char *text;

	if (v->not_after_utc_sec > 0) {
		if (clock_gettime(CLOCK_REALTIME, &now) < 0)
			return -errno;
		rest_sec = v->not_after_utc_sec - (int64_t)now.tv_sec;
		if (rest_sec <= -beyond_sec)
			return -ETIME;
		if (rest_sec > INT64_MAX - beyond_sec)
			rest_sec = INT64_MAX - beyond_sec;
		if (limit_sec == 0 || rest_sec + beyond_sec < limit_sec)
			limit_sec = rest_sec + beyond_sec;
	}
	if (limit_sec == 0)
		return 0;
	text = malloc(24);
	if (text == NULL)
		return -ENOMEM;
	(void)snprintf(text, 24, "%lld", (long long)limit_sec);
	if (pam_set_data(call->pamh, "systemd.runtime_max_sec", text, free_text) != PAM_SUCCESS) {
		free(text);
		return -ENOMEM;
	}
	return 0;			/* text is now owned by pamh */
}

static int
open_session(struct call *call)
{
	enum verdict verdict = VERDICT_DENY;

	if (call->person.who == WHO_NOBODY) {
		if (*call->txn == '\0')
			return pam_code(call->stage, VERDICT_NOT_OURS, WHO_NOBODY);
		/* Managed a moment ago, in this very login, and deleted since. */
		fallback_refused(call, REASON_UNKNOWN_USER, "the account vanished during the login");
		return pam_code(call->stage, VERDICT_DENY, WHO_UNSURE);
	}
	if (call->person.who == WHO_MANAGED)
		groups_strip(&call->person.snapshot, &call->person.user, call->privileged, &call->groups);
	verdict = ask_front(call);
	if (verdict == VERDICT_ALLOW && call->groups.failed) {
		fallback_refused(call, REASON_FORBIDDEN_GROUP, "supplementary groups could not be removed");
		verdict = VERDICT_DENY;
	}
	/* The front may have given the session a transaction of its own: close_session names it. */
	if (verdict == VERDICT_ALLOW &&
	    (limit_session(call) < 0 || proof_keep_txn(call->pamh, call->pages->verdict.txn) < 0)) {
		fallback_refused(call, REASON_NONE, "the session could not be limited in time");
		verdict = VERDICT_DENY;
	}
	return pam_code(call->stage, verdict, call->person.who);
}

/* (sd-pam) closes as the user, who may not report: the front notices such ends through logind. */
static int
close_session(struct call *call)
{
	struct msg_session_close *m;

	if ((call->person.who == WHO_MANAGED || call->person.who == WHO_GUARDED) && call->privileged && call->pages != NULL) {
		m = &call->pages->request.close;
		(void)snprintf(m->user, sizeof m->user, "%.256s", call->user);
		(void)snprintf(m->service, sizeof m->service, "%.64s", call_item(call, PAM_SERVICE));
		(void)snprintf(m->tty, sizeof m->tty, "%.64s", call_item(call, PAM_TTY));
		memcpy(m->txn, call->txn, sizeof m->txn);
		(void)relay_tell(&call->relay, MSG_SESSION_CLOSE);
	}
	return pam_code(call->stage, VERDICT_ALLOW, call->person.who);
}

/* Option identify: a line by whose code a stack skips what is for managed users alone. It asks and changes nothing. */
static int
identify(const struct call *call)
{
	return pam_code(call->stage, call->bad_option == NULL ? VERDICT_ALLOW : VERDICT_DENY, call->person.who);
}

static int
change_password(struct call *call)
{
	bool has_other = call->person.who == WHO_NOBODY || call->person.who == WHO_GUARDED;	/* pam_unix has the latter's */

	return pam_code(call->stage, has_other ? VERDICT_NOT_OURS : ask_front(call), call->person.who);
}

/* Around every entry: begin with a refusal, leave everybody alone who is not ours, restore errno. */
static int
run(pam_handle_t *pamh, int flags, int argc, const char **argv, enum pam_stage stage, int (*handle)(struct call *))
{
	int saved = errno, rc = pam_code(stage, VERDICT_DENY, WHO_UNSURE);
	struct call call;

	call_init(&call, pamh, stage, flags, argc, argv);
	if (call_is_ours(&call)) {
		rc = call.identify ? identify(&call) : handle(&call);
		fallback_debug(&call, rc);
	} else {
		rc = pam_code(stage, VERDICT_NOT_OURS, call.person.who);
	}
	call_done(&call);
	errno = saved;
	return rc;
}

ENTRY int
pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	return run(pamh, flags, argc, argv, PAM_STAGE_AUTH, authenticate);
}

ENTRY int
pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	return run(pamh, flags, argc, argv, PAM_STAGE_ACCOUNT, account);
}

ENTRY int
pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	return run(pamh, flags, argc, argv, PAM_STAGE_CRED, setcred);
}

ENTRY int
pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	return run(pamh, flags, argc, argv, PAM_STAGE_OPEN, open_session);
}

ENTRY int
pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	return run(pamh, flags, argc, argv, PAM_STAGE_CLOSE, close_session);
}

ENTRY int
pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	return run(pamh, flags, argc, argv, PAM_STAGE_PASSWORD, change_password);
}
