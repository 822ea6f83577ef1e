/*
 * front_admin.c - status, why, unlock, clock trust: questions of isms-userctl, run by root (see front.h).
 *
 * Runs in the front. `why` judges with the same functions as a login and must never change anything.
 */
#include <config.h>

#include "daemon/front.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/civil_date.h"
#include "common/exemption.h"
#include "daemon/evaluation.h"
#include "daemon/live_session.h"
#include "daemon/loop.h"

/* Append "key=value\n"; what does not fit as a whole is left out. */
static void __attribute__((format(printf, 3, 4)))
add(struct msg_report *m, const char *key, const char *format, ...)
{
	size_t used = strlen(m->lines);
	char value[600];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(value, sizeof value, format, ap);
	va_end(ap);
	if (used + strlen(key) + strlen(value) + 3 <= sizeof m->lines)
		(void)snprintf(m->lines + used, sizeof m->lines - used, "%s=%s\n", key, value);
}

int
handle_status(struct connection *c, const void *msg)
{
	struct front *f = connection_context(c);
	const char *fault = state_fault(f->state);
	struct clock_reading reading;
	struct msg_report m = { .verdict = 0 };
	unsigned locked = 0;
	char date[32];
	int64_t now;

	(void)msg;
	now = front_now(f, &reading);
	add(&m, "version", "%s", ISMS_VERSION);
	add(&m, "configuration", "%s", f->config_fault[0] == '\0' ? "ok" : f->config_fault);
	add(&m, "policy", "%s", f->policy != NULL ? "ok" : "none; every managed user is refused");
	add(&m, "roles", "%zu", f->policy != NULL ? policy_role_count(f->policy) : 0);
	add(&m, "state", "%s", fault == NULL ? "ok" : fault);
	add(&m, "clock", "%s", f->clock.trusted ? "trusted" : "untrusted; mend it, then isms-userctl clock trust");
	if (now >= 0 && now <= CIVIL_DATE_MAX_SEC)
		add(&m, "time", "%s", civil_date_format(now, date));
	add(&m, "sessions", "%zu", live_session_count(f->sessions));
	if (state_locked_count(f->state, now, &locked) == 0)
		add(&m, "locked_users", "%u", locked);
	add(&m, "transactions", "%zu", proof_count(f->proofs, loop_now_ms()));
	add(&m, "connections", "%u", server_connection_count(f->server));
	(void)connection_send(c, MSG_REPORT, &m, ST_NEW);
	return 0;
}

/* ---- why ------------------------------------------------------------------------------------- */

struct why {
	struct request_head head;	/* first: connection_data() */
	struct front *front;		/* borrowed */
	struct connection *connection;	/* borrowed: this struct dies with it */
	struct subject subject;
	int64_t at_utc_sec;		/* 0: now */
	unsigned factors;
	struct ask *ask;		/* owned */
};

static void
why_free(void *data)
{
	struct why *w = data;

	ask_cancel(w->ask);
	free(w);
}

static void
add_instant(struct msg_report *m, const char *key, int64_t utc_sec)
{
	char date[32];

	if (utc_sec > 0)
		add(m, key, "%s", civil_date_format(utc_sec, date));
}

/* Who answers for the user, when he was last used and reviewed, and what is lowered for him. */
static void
add_care(struct msg_report *m, const struct facts *facts, const struct decision *d)
{
	static const char *const states[] = { "none", "valid", "missing", "ended" };
	const char *at = facts->exemptions;
	struct exemption x;

	if (facts->sponsor[0] != '\0')
		add(m, "sponsor", "%s", facts->sponsor);
	add(m, "sponsor_state", "%s", states[facts->sponsor_state & 3]);
	if (facts->owner[0] != '\0')
		add(m, "owner", "%s", facts->owner);
	if (facts->kind == KIND_SERVICE || facts->owner[0] != '\0')
		add(m, "owner_state", "%s", states[facts->owner_state & 3]);
	add_instant(m, "owner_end", facts->owner_end_utc_sec);
	add_instant(m, "created", facts->created_utc_sec);
	add_instant(m, "last_use", facts->last_use_utc_sec);
	add_instant(m, "reviewed", facts->reviewed_at_utc_sec);
	while (exemption_next(&at, &x)) {
		char key[16 + EXEMPTION_NAME_MAX], until[32];

		(void)snprintf(key, sizeof key, "exemption_%s", x.name);
		add(m, key, "%s until %s%s%s%s%s%s%s", exemption_control_name(x.control), civil_date_format(x.until_utc_sec, until),
		    x.key[0] != '\0' ? ", key " : "", x.key, x.service[0] != '\0' ? ", service " : "", x.service,
		    x.sources[0] != '\0' ? ", from " : "", x.sources);
	}
	if (d->exemptions[0] != '\0')
		add(m, "exemptions_used", "%s", d->exemptions);
	if (d->max_sessions != 0)
		add(m, "max_sessions", "%u", d->max_sessions);
}

static void
add_facts(struct msg_report *m, const struct front *f, const struct facts *facts, const struct decision *d)
{
	static const char *const kinds[KIND_COUNT] = { "unknown", "employee", "contractor", "service", "break-glass" };
	char date[32], roles[512] = "";
	const char *role;

	add(m, "uid", "%u", facts->uid);
	add(m, "kind", "%s", facts->kind < KIND_COUNT ? kinds[facts->kind] : kinds[0]);
	if (facts->not_before_utc_sec > 0)
		add(m, "not_before", "%s", civil_date_format(facts->not_before_utc_sec, date));
	add(m, "not_after", "%s", facts->not_after_utc_sec > 0 ? civil_date_format(facts->not_after_utc_sec, date) : "never");
	if (facts->not_after_source[0] != '\0')
		add(m, "not_after_source", "%s", facts->not_after_source);
	if (facts->disabled != 0)
		add(m, "disabled", "%s", facts->disabled_source);
	if (facts->must_change != 0)
		add(m, "must_change", "yes");
	add(m, "tokens", "%u", facts->token_count);
	add_care(m, facts, d);
	for (size_t i = 0; f->policy != NULL && i < POLICY_ROLES_MAX; i++) {
		role = (d->roles >> i & 1) != 0 ? policy_role_name(f->policy, i) : NULL;
		if (role != NULL && strlen(roles) + strlen(role) + 2 < sizeof roles) {
			size_t used = strlen(roles);

			(void)snprintf(roles + used, sizeof roles - used, "%s%s", used > 0 ? " " : "", role);
		}
	}
	add(m, "roles", "%s", roles[0] != '\0' ? roles : "none");
	add(m, "mfa", "%s", d->mfa_due ? "due" : "not due");
	if (d->max_session_sec != 0)
		add(m, "max_session_sec", "%u", d->max_session_sec);
	if (f->policy != NULL && !settings_publishes_all(&f->settings))
		add(m, "published", "%s", policy_could_enter(facts, f->policy, f->settings.login_host_name,
		    f->settings.login_host_groups) ? "yes" : "no: [nss] publish = allowed, and no rule lets this user in here");
}

static void
add_failures(struct msg_report *m, struct front *f, const char *user, int64_t now)
{
	static const char *const keys[SCOPE_COUNT] = {
		[SCOPE_REMOTE] = "failures_remote", [SCOPE_LOCAL] = "failures_local", [SCOPE_OTHERS] = "failures_others",
	};
	char date[32];

	for (unsigned scope = SCOPE_REMOTE; scope < SCOPE_COUNT; scope++) {
		struct failures failed;

		if (state_failures(f->state, user, scope, &failed) < 0 || failed.count == 0)
			continue;
		if (failed.locked_until_utc_sec > now)
			add(m, keys[scope], "%u, locked until %s", failed.count,
			    civil_date_format(failed.locked_until_utc_sec, date));
		else
			add(m, keys[scope], "%u", failed.count);
	}
}

static void
on_why_facts(void *arg, int error, enum message number, const void *msg)
{
	struct why *w = arg;
	struct front *f = w->front;
	const struct facts *facts = error == 0 && number == MSG_FACTS ? msg : NULL;
	struct msg_report m = { .verdict = 0 };
	struct moment moment;
	struct decision d;
	int64_t now;

	w->ask = NULL;
	front_moment(f, &moment);
	now = moment.now_utc_sec;
	front_moment_sessions(f, facts, &w->subject, &moment);
	if (w->at_utc_sec != 0)
		moment.now_utc_sec = w->at_utc_sec;
	front_judge_at(f, facts, &w->subject, STAGE_ACCOUNT, w->factors, &moment, &d);
	m.verdict = d.verdict;
	m.reason = d.reason;
	add(&m, "user", "%s", w->subject.user);
	add(&m, "service", "%s", w->subject.service);
	add(&m, "verdict", "%s", verdict_token(d.verdict));
	add(&m, "reason", "%s", reason_token(d.reason));
	add(&m, "text", "%s", reason_text(d.reason));
	if (d.rule[0] != '\0')
		add(&m, "rule", "%s", d.rule);
	add(&m, "contact", "%s", d.contact[0] != '\0' ? d.contact : f->settings.login_contact);
	if (facts != NULL && facts->fault[0] != '\0')
		add(&m, "fault", "%s", facts->fault);
	if (facts != NULL && facts->state == FACTS_MANAGED)
		add_facts(&m, f, facts, &d);
	add_failures(&m, f, w->subject.user, now);
	(void)connection_send(w->connection, MSG_REPORT, &m, ST_DECIDED);
}

int
handle_why(struct connection *c, const void *msg)
{
	const struct msg_why *m = msg;
	struct why *w = calloc(1, sizeof *w);

	if (w == NULL)
		return -ENOMEM;
	w->head.kind = REQUEST_WHY;
	w->front = connection_context(c);
	w->connection = c;
	w->at_utc_sec = m->at_utc_sec;
	w->factors = m->factors & (FACTOR_PASSWORD | FACTOR_KEY | FACTOR_OTP);
	subject_init(&w->subject, c, m->user, m->service, m->rhost, "", "", "", m->ruid,
	    policy_manages_local(w->front->policy, m->user) ? REQUEST_LOCAL : 0);
	if (authorized_key_is_print(m->key) && strcmp(m->service, "sshd") == 0) {
		w->subject.key = true;
		memcpy(w->subject.key_print, m->key, sizeof w->subject.key_print);
	}
	connection_set_data(c, w, why_free);
	return front_ask_facts(w->front, w->subject.user, loop_now_ms() + EVALUATION_MS, on_why_facts, w, &w->ask);
}

/* ---- unlock, clock trust --------------------------------------------------------------------- */

static void
send_done(struct connection *c, int error, const char *text)
{
	struct msg_done m = { .error = error < 0 ? (uint32_t)-error : 0 };

	(void)snprintf(m.text, sizeof m.text, "%s", text);
	(void)connection_send(c, MSG_DONE, &m, ST_NEW);
}

int
handle_unlock(struct connection *c, const void *msg)
{
	const struct msg_unlock *m = msg;
	struct front *f = connection_context(c);
	struct record rec;
	unsigned count = 0;
	int r;

	r = state_forget_failures(f->state, m->user, &count);
	if (r < 0) {
		send_done(c, r, "the state cannot be stored");
		return 0;
	}
	if (count > 0) {
		/* A name that has failures is one that exists. */
		record_init(f, &rec, EVENT_ACCOUNT_ENABLED, "none", REASON_NONE, NULL, NULL, NULL);
		(void)snprintf(rec.user, sizeof rec.user, "%.64s", m->user);
		(void)snprintf(rec.actor, sizeof rec.actor, "%s", m->actor);
		(void)snprintf(rec.note, sizeof rec.note, "failures and locks of the second factor forgotten");
		record_write(f, &rec);
	}
	send_done(c, 0, count > 0 ? "failures forgotten" : "there were none");
	return 0;
}

int
handle_clock_trust(struct connection *c, const void *msg)
{
	const struct msg_clock_trust *m = msg;
	struct front *f = connection_context(c);
	struct clock_reading now;
	struct record rec;
	int r;

	r = clock_read(&now);
	if (r == 0) {
		clock_trust(&f->clock, &now);
		r = state_save_clock(f->state, &f->clock.mark);
	}
	if (r < 0) {
		send_done(c, r, "the clock mark cannot be stored");
		return 0;
	}
	record_init(f, &rec, EVENT_CLOCK_TRUSTED, "none", REASON_NONE, NULL, NULL, NULL);
	(void)snprintf(rec.actor, sizeof rec.actor, "%s", m->actor);
	record_write(f, &rec);
	send_done(c, 0, "the wall clock is taken as right");
	return 0;
}
