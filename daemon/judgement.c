/*
 * judgement.c - brings facts, policy, clock and live sessions together into one decision (see front.h).
 *
 * Runs in the front. It must never let a user in whose facts are missing, broken or too old, nor believe
 * SSH_AUTH_INFO_0 of anybody but sshd run by root.
 */
#include <config.h>

#include "daemon/front.h"

#include <stdio.h>
#include <string.h>

#include "daemon/live_session.h"

static void
copy(char *to, size_t size, const char *from)
{
	(void)snprintf(to, size, "%s", from);
}

static bool
is_base64(const char *s, size_t len)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

	if (len < 16)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\0' || strchr(alphabet, s[i]) == NULL)
			return false;
	}
	return true;
}

/* "publickey TYPE BASE64" and nothing else. */
static bool
is_key_line(const char *line, size_t len)
{
	static const char method[] = "publickey ";
	const char *type, *blob, *end = line + len;

	if (len <= sizeof method - 1 || memcmp(line, method, sizeof method - 1) != 0)
		return false;
	type = line + sizeof method - 1;
	blob = memchr(type, ' ', (size_t)(end - type));
	if (blob == NULL || blob == type)
		return false;
	for (const char *p = type; p < blob; p++) {
		bool ok = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || *p == '-' ||
		    *p == '.' || *p == '@' || *p == '_';

		if (!ok)
			return false;
	}
	blob++;
	return is_base64(blob, (size_t)(end - blob));
}

/* The fingerprint of the first key; "" when it is no plain one, as a certificate is not. */
static void
find_print(const char *auth_info, char ret[static AUTHORIZED_KEY_PRINT_SIZE])
{
	const char *line = auth_info;

	ret[0] = '\0';
	while (*line != '\0') {
		size_t len = strcspn(line, "\n");

		if (is_key_line(line, len)) {
			const char *type = line + sizeof "publickey " - 1;
			const char *blob = (const char *)memchr(type, ' ', len - (size_t)(type - line)) + 1;

			(void)authorized_key_print(type, (size_t)(blob - 1 - type), blob, (size_t)(line + len - blob), ret);
			return;
		}
		line += len;
		if (*line == '\n')
			line++;
	}
}

bool
subject_proves_key(const char *auth_info)
{
	const char *line = auth_info;

	while (*line != '\0') {
		size_t len = strcspn(line, "\n");

		if (is_key_line(line, len))
			return true;
		line += len;
		if (*line == '\n')
			line++;
	}
	return false;
}

void
subject_init(struct subject *s, const struct connection *c, const char *user, const char *service, const char *rhost,
    const char *tty, const char *ruser, const char *auth_info, uint32_t ruid, uint32_t flags)
{
	*s = (struct subject){
		.ruid = ruid,
		.flags = flags,
		.peer_uid = connection_uid(c),
		.peer_pid = connection_pid(c),
	};
	copy(s->user, sizeof s->user, user);
	copy(s->service, sizeof s->service, service);
	copy(s->rhost, sizeof s->rhost, rhost);
	copy(s->tty, sizeof s->tty, tty);
	copy(s->ruser, sizeof s->ruser, ruser);
	s->key = connection_is_root(c) && strcmp(service, "sshd") == 0 && subject_proves_key(auth_info);
	if (s->key)
		find_print(auth_info, s->key_print);
}

bool
subject_is_target(const struct subject *s, const struct facts *facts)
{
	return facts != NULL && facts->state == FACTS_MANAGED && s->ruid == facts->uid;
}

/*
 * What somebody else types at su must not lock the person out of console and sudo. Who that is, the real uid says and
 * not PAM_RUSER: polkit's helper, which anybody may start, writes there whom it is told to authenticate, and su leaves
 * it unset for a uid without a name. Root with nobody in PAM_RUSER is login or a display manager.
 */
enum scope
subject_scope(const struct front *f, const struct subject *s, const struct facts *facts)
{
	/* sshd knows no local person; everybody else is remote exactly when the service names a remote host. */
	if (strcmp(s->service, "sshd") == 0 || s->rhost[0] != '\0')
		return SCOPE_REMOTE;
	if (subject_is_target(s, facts) || (s->ruid == f->peers.root && s->ruser[0] == '\0'))
		return SCOPE_LOCAL;
	return SCOPE_OTHERS;
}

int64_t
front_end_of(const struct facts *facts)
{
	int64_t armed = facts->kind == KIND_BREAK_GLASS ? facts->armed_until_utc_sec : 0, end = facts->not_after_utc_sec;

	return armed != 0 && (end == 0 || armed < end) ? armed : end;
}

int64_t
front_session_end(const struct front *f, const struct facts *facts, uint64_t roles)
{
	/* What is armed for a time is not spared: on-end is about contracts. */
	if (facts->kind != KIND_BREAK_GLASS && f->policy != NULL && policy_spares_sessions(f->policy, roles))
		return 0;
	return front_end_of(facts);
}

int64_t
front_now(struct front *f, struct clock_reading *ret_reading)
{
	struct clock_reading now;
	struct record rec;

	if (clock_read(&now) < 0) {
		/* Without a clock nothing dated may be allowed: the end of time is after every contract. */
		f->clock.trusted = false;
		*ret_reading = (struct clock_reading){ .wall_sec = 0 };
		return INT64_MAX;
	}
	if (clock_update(&f->clock, &now)) {
		record_init(f, &rec, f->clock.trusted ? EVENT_CLOCK_TRUSTED : EVENT_CLOCK_UNTRUSTED, "none", REASON_NONE, NULL,
		    NULL, NULL);
		if (!f->clock.trusted)
			copy(rec.fault, sizeof rec.fault, "the wall clock left the boot clock, or what was seen before");
		record_write(f, &rec);
		(void)state_save_clock(f->state, &f->clock.mark);
	}
	*ret_reading = now;
	return clock_effective(&f->clock, &now);
}

void
front_moment(struct front *f, struct moment *ret)
{
	struct clock_reading reading;

	*ret = (struct moment){ .now_utc_sec = front_now(f, &reading) };
	/* By the mark, a clock set back would make old what the source has said this second, and refuse everybody. */
	ret->data_utc_sec = ret->now_utc_sec == INT64_MAX ? INT64_MAX : reading.wall_sec;
	ret->clock_trusted = f->clock.trusted;
}

static void
refuse(struct decision *d, enum verdict verdict, enum reason reason)
{
	*d = (struct decision){ .verdict = verdict, .reason = reason };
}

void
front_judge_at(struct front *f, const struct facts *facts, const struct subject *subject, enum stage stage,
    unsigned factors, const struct moment *moment, struct decision *ret)
{
	/* passwd(1) is no login service: whoever may use any, may change the password. */
	bool own_password = subject->change && strcmp(subject->service, "passwd") == 0;
	const struct request request = {
		.stage = stage,
		.service = own_password ? "unprivileged" : subject->service,
		.rhost = subject->rhost,
		.key = subject->key_print,
		.key_unseen = stage == STAGE_ACCOUNT && !subject->key && strcmp(subject->service, "sshd") == 0,
		.key_awaited = stage == STAGE_SESSION && subject->key_awaited,
		.armed_longest_sec = (int64_t)f->settings.login_longest_arming,
		.host = f->settings.login_host_name,
		.host_groups = f->settings.login_host_groups,
		.root_caller = subject->ruid == f->peers.root,
		.factors = factors | (subject->key ? (unsigned)FACTOR_KEY : 0U),
		.live_mfa_session = moment->live_mfa_session,
		.sessions = moment->sessions,
		.clock_trusted = moment->clock_trusted,
		.now_utc_sec = moment->now_utc_sec,
	};

	if (front_local_refuses(f, subject, ret))
		return;
	if (facts == NULL || facts->state == FACTS_NOT_READY)
		refuse(ret, VERDICT_DENY, REASON_DIRECTORY_UNAVAILABLE);
	else if (facts->state == FACTS_UNKNOWN)
		refuse(ret, subject_is_local(subject) ? VERDICT_DENY : VERDICT_NOT_OURS, REASON_UNKNOWN_USER);
	else if (facts->state != FACTS_MANAGED || strcmp(facts->user, subject->user) != 0)
		refuse(ret, VERDICT_DENY, REASON_BAD_RECORD);
	else if (f->policy == NULL)
		refuse(ret, VERDICT_DENY, REASON_DAEMON_UNAVAILABLE);
	else if (subject->self && facts->uid != subject->peer_uid)
		refuse(ret, VERDICT_DENY, REASON_NOT_MANAGED);
	else if (facts->confirmed_utc_sec < moment->data_utc_sec - (int64_t)f->settings.login_max_data_age)
		refuse(ret, VERDICT_DENY, REASON_DATA_TOO_OLD);
	else
		policy_decide(facts, f->policy, &request, ret);
	if (ret->verdict == VERDICT_ALLOW && subject_is_local(subject) && facts->kind == KIND_SERVICE &&
	    strcmp(subject->service, "sshd") == 0) {
		refuse(ret, VERDICT_DENY, REASON_KIND_NOT_INTERACTIVE);
		copy(ret->rule, sizeof ret->rule, "[local] manage: nothing binds a local account's key to a command");
	}
	if (ret->verdict == VERDICT_ALLOW && subject_is_local(subject))
		front_local_groups(f, subject->user, ret);
	if (ret->verdict == VERDICT_ALLOW && ret->reason == REASON_NONE)
		ret->reason = REASON_OK;
}

static bool
is_remote(const char *service, const void *policy)
{
	return policy_class(policy, service, false) == CLASS_REMOTE;
}

void
front_moment_sessions(const struct front *f, const struct facts *facts, const struct subject *subject, struct moment *ret)
{
	/* Elevation of oneself: the caller's real uid and, where the service names the caller, the name must be the user's. */
	if (subject_is_target(subject, facts) &&
	    (subject->ruser[0] == '\0' || strcmp(subject->ruser, subject->user) == 0))
		ret->live_mfa_session = live_session_proven(f->sessions, facts->uid);
	if (facts != NULL && facts->state == FACTS_MANAGED && f->policy != NULL)
		ret->sessions = live_session_count_of(f->sessions, facts->uid, is_remote, f->policy);
}

void
front_judge(struct front *f, const struct facts *facts, const struct subject *subject, enum stage stage,
    unsigned factors, struct decision *ret)
{
	struct moment moment;

	front_moment(f, &moment);
	front_moment_sessions(f, facts, subject, &moment);
	front_judge_at(f, facts, subject, stage, factors, &moment, ret);
}

bool
front_awaits_key(struct front *f, const struct facts *facts, const struct subject *subject, unsigned factors,
    const struct moment *moment)
{
	struct decision later;

	if (subject->key || strcmp(subject->service, "sshd") != 0)
		return false;
	front_judge_at(f, facts, subject, STAGE_SESSION, factors, moment, &later);
	return later.verdict != VERDICT_ALLOW;
}

int
front_ask_facts(struct front *f, const char *user, int64_t deadline_ms, ask_reply *reply, void *arg, struct ask **ret)
{
	struct msg_facts_get msg = { .end_ = { 0 } };
	const struct ask_question q = {
		.path = f->paths->directory_socket,
		.peers = &f->peers,
		.number = MSG_FACTS_GET,
		.msg = &msg,
		.deadline_ms = deadline_ms,
		.amend = front_local_amend,
		.amend_arg = f,
	};

	copy(msg.user, sizeof msg.user, user);
	return ask_start(f->event, &q, reply, arg, ret);
}
