/*
 * oracle_rules.c - see oracle_rules.h. Each paragraph of isms-policy(5), WHAT IS DECIDED, IN ORDER, is a function here.
 */
#include <config.h>

#include "tests/unit/oracle_rules.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY 86400

/* ---- words, addresses, times ---- */

static bool
has_word(const char *words, const char *word)
{
	char copy[512], *save = NULL;

	if (words == NULL)
		return false;
	(void)snprintf(copy, sizeof copy, "%s", words);
	for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		if (strcmp(w, word) == 0)
			return true;
	return false;
}

/* "0110..." of an address, with the family in front; "" for what is no address. */
static void
bits_of(const char *address, char bits[static 140])
{
	unsigned char bytes[16];
	int count = 0;

	bits[0] = '\0';
	if (inet_pton(AF_INET, address, bytes) == 1) {
		count = 4;
	} else if (inet_pton(AF_INET6, address, bytes) == 1) {
		count = 16;
		if (strncasecmp(address, "::ffff:", 7) == 0) {
			memmove(bytes, bytes + 12, 4);
			count = 4;
		}
	}
	for (int i = 0; i < count * 8; i++) {
		bits[i + 1] = (bytes[i / 8] & (0x80 >> (i % 8))) != 0 ? '1' : '0';
		bits[i + 2] = '\0';
	}
	bits[0] = count == 4 ? 'v' : count == 16 ? 'w' : '\0';
}

static bool
in_networks(const char *networks, const char *address)
{
	char copy[512], *save = NULL, mine[140], net[140];

	bits_of(address, mine);
	(void)snprintf(copy, sizeof copy, "%s", networks);
	for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
		char *slash = strchr(w, '/');

		if (strcmp(w, "local") == 0) {
			if (address[0] == '\0')
				return true;
			continue;
		}
		if (slash != NULL)
			*slash = '\0';
		bits_of(w, net);
		if (slash != NULL)
			net[1 + atoi(slash + 1) - (strncasecmp(w, "::ffff:", 7) == 0 ? 96 : 0)] = '\0';
		if (mine[0] != '\0' && strncmp(mine, net, strlen(net)) == 0)
			return true;
	}
	return false;
}

void
oracle_local_time(const char *zone, int64_t utc_sec, int *ret_minute, int *ret_day)
{
	static char in_force[64];
	time_t t = (time_t)utc_sec;
	struct tm tm;

	if (strcmp(in_force, zone) != 0) {
		(void)snprintf(in_force, sizeof in_force, "%s", zone);
		(void)setenv("TZ", zone, 1);
		tzset();
	}
	(void)localtime_r(&t, &tm);
	*ret_minute = tm.tm_hour * 60 + tm.tm_min;
	*ret_day = tm.tm_wday == 0 ? 7 : tm.tm_wday;
}

static bool
is_day(const struct oracle_role *r, int day)
{
	return strchr(r->days, '0' + day) != NULL;
}

static bool
in_hours(const struct oracle_role *r, int64_t now)
{
	int minute, day;

	oracle_local_time(r->zone, now, &minute, &day);
	if (r->from_minute < r->to_minute)
		return is_day(r, day) && r->from_minute <= minute && minute < r->to_minute;
	if (minute >= r->from_minute)
		return is_day(r, day);
	return minute < r->to_minute && is_day(r, day == 1 ? 7 : day - 1);
}

/* ---- roles ---- */

static const char *const kind_words[] = { "unknown", "employee", "contractor", "service", "break-glass" };

static bool
matches(const struct oracle_role *r, const struct facts *f)
{
	bool wanted[3] = { false, false, false }, found[3] = { false, false, false };

	for (int i = 0; r->match[i] != NULL; i++) {
		const char *term = r->match[i];
		const char *value = strchr(term, ':') != NULL ? strchr(term, ':') + 1 : "";

		if (strcmp(term, "any") == 0)
			return true;
		if (strncmp(term, "kind:", 5) == 0) {
			wanted[0] = true;
			found[0] = found[0] || strcmp(value, kind_words[f->kind]) == 0;
		} else if (strncmp(term, "user:", 5) == 0) {
			wanted[1] = true;
			found[1] = found[1] || strcmp(value, f->user) == 0;
		} else {
			wanted[2] = true;
			found[2] = found[2] || has_word(f->groups, value);
		}
	}
	return (!wanted[0] || found[0]) && (!wanted[1] || found[1]) && (!wanted[2] || found[2]);
}

enum class { REMOTE, ELEVATION, UNATTENDED };

static enum class
class_of(const struct request *q, const char *service)
{
	if (q->root_caller && (strcmp(service, "su") == 0 || strcmp(service, "su-l") == 0))
		return UNATTENDED;
	if (has_word("sudo sudo-i su su-l run0 polkit-1 unprivileged", service))
		return ELEVATION;
	return has_word("cron crond atd systemd-user", service) ? UNATTENDED : REMOTE;
}

static bool
names_remote(const struct oracle_role *r)
{
	char copy[512], *save = NULL;
	const struct request nobody = { .root_caller = false };

	(void)snprintf(copy, sizeof copy, "%s", r->services);
	for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		if (class_of(&nobody, w) == REMOTE)
			return true;
	return false;
}

/* ---- exemptions ---- */

static bool
exempt(const struct oracle_case *c, const char *control, bool key_unseen)
{
	const struct request *q = &c->request;

	for (int i = 0; i < c->exemption_count; i++) {
		const struct oracle_exemption *x = &c->exemptions[i];

		if (strcmp(x->control, control) != 0 || q->now_utc_sec < x->from || q->now_utc_sec >= x->until)
			continue;
		if (x->service != NULL && strcmp(x->service, q->service) != 0)
			continue;
		if (x->key != NULL && !key_unseen && (q->key == NULL || strcmp(x->key, q->key) != 0))
			continue;
		if (x->networks != NULL && !in_networks(x->networks, q->rhost))
			continue;
		return true;
	}
	return false;
}

/* ---- what is decided, in order ---- */

#define EACH_ROLE(c, r) \
	for (const struct oracle_role *r = (c)->roles; r < (c)->roles + (c)->role_count; r++) \
		if (matches(r, &(c)->facts))

static enum reason
by_state_and_dates(const struct oracle_case *c)
{
	const struct facts *f = &c->facts;
	int64_t now = c->request.now_utc_sec;

	if (f->state == FACTS_UNKNOWN)
		return REASON_UNKNOWN_USER;
	if (f->state == FACTS_NOT_READY)
		return REASON_DIRECTORY_UNAVAILABLE;
	if (f->state != FACTS_MANAGED || f->kind < KIND_EMPLOYEE || f->kind > KIND_BREAK_GLASS)
		return REASON_BAD_RECORD;
	if (f->disabled)
		return REASON_DISABLED;
	if (f->locked_until_utc_sec > now)
		return REASON_LOCKED;
	if (f->not_before_utc_sec > now)
		return REASON_NOT_YET_VALID;
	if (f->not_after_utc_sec != 0 && f->not_after_utc_sec <= now)
		return REASON_EXPIRED;
	if (f->kind == KIND_CONTRACTOR && !c->request.clock_trusted)
		return REASON_CLOCK_UNTRUSTED;
	return REASON_OK;
}

static enum reason
by_expiry(const struct oracle_case *c)
{
	const struct facts *f = &c->facts;
	int64_t begin = f->not_before_utc_sec > c->request.now_utc_sec ? f->not_before_utc_sec : c->request.now_utc_sec;

	if (f->not_after_utc_sec == 0) {
		if (f->kind == KIND_CONTRACTOR || f->kind == KIND_SERVICE)
			return REASON_NO_EXPIRY;
		EACH_ROLE(c, r)
			if (r->require_expiry || r->max_term != 0)
				return REASON_NO_EXPIRY;
		return REASON_OK;
	}
	EACH_ROLE(c, r)
		if (r->max_term != 0 && f->not_after_utc_sec > begin + r->max_term)
			return REASON_TERM_TOO_LONG;
	return REASON_OK;
}

static bool
is_armed(const struct oracle_case *c)
{
	int64_t now = c->request.now_utc_sec, until = c->facts.armed_until_utc_sec, longest = c->request.armed_longest_sec;

	return until > now && c->facts.armed_by[0] != '\0' && (longest == 0 || until <= now + longest);
}

/* Unattended, or by sshd with a key, from a network and for a command of its entry. */
static enum reason
by_service_account(const struct oracle_case *c)
{
	const struct request *q = &c->request;
	bool has_key = q->key != NULL && q->key[0] != '\0';

	if (class_of(q, q->service) == UNATTENDED)
		return REASON_OK;
	if (strcmp(q->service, "sshd") != 0)
		return REASON_KIND_NOT_INTERACTIVE;
	if (q->stage == STAGE_AUTH || (q->factors & (FACTOR_PASSWORD | FACTOR_OTP | FACTOR_PASSWORD_STALE)) != 0)
		return REASON_PASSWORD_NOT_ALLOWED;
	if (has_key && !has_word(c->facts.keys, q->key))
		return REASON_KEY_NOT_BOUND;
	if (!has_key && (!q->key_unseen || c->facts.keys[0] == '\0'))
		return REASON_KEY_NOT_BOUND;
	if (q->rhost[0] == '\0' || !in_networks(c->facts.sources, q->rhost))
		return REASON_SOURCE_NOT_ALLOWED;
	return c->facts.has_command ? REASON_OK : REASON_KIND_NOT_INTERACTIVE;
}

static enum reason
by_kind(const struct oracle_case *c)
{
	const struct facts *f = &c->facts;
	int64_t now = c->request.now_utc_sec;
	long grace = -2;

	if (f->kind == KIND_BREAK_GLASS && !is_armed(c))
		return REASON_BREAKGLASS_NOT_ARMED;
	if (f->kind == KIND_SERVICE && by_service_account(c) != REASON_OK)
		return by_service_account(c);
	EACH_ROLE(c, r) {
		long mine = r->owner_grace < 0 ? 0 : r->owner_grace;

		grace = grace == -2 || mine < grace ? mine : grace;
	}
	if (f->kind == KIND_SERVICE) {
		bool known = f->owner_end_utc_sec != 0;
		bool over = known && f->owner_end_utc_sec <= now;
		bool spared = known && grace > 0 && now < f->owner_end_utc_sec + grace;

		if (f->owner_state == CARE_NONE)
			return REASON_OWNER_MISSING;
		if (f->owner_state == CARE_VALID && over && !spared)
			return REASON_OWNER_EXPIRED;
		if (f->owner_state == CARE_ENDED && !spared)
			return REASON_OWNER_EXPIRED;
		if (f->owner_state == CARE_MISSING && !spared)
			return REASON_OWNER_MISSING;
	}
	EACH_ROLE(c, r) {
		bool valid = f->sponsor_state == CARE_VALID && (f->sponsor_end_utc_sec == 0 || f->sponsor_end_utc_sec > now);

		if (r->require_sponsor && !valid)
			return REASON_SPONSOR_MISSING;
	}
	return REASON_OK;
}

static enum reason
by_service(const struct oracle_case *c)
{
	const char *service = c->request.service;
	int roles = 0, lists = 0;

	EACH_ROLE(c, r) {
		roles++;
		if (r->services == NULL)
			continue;
		lists++;
		if (has_word(r->services, service))
			continue;
		if ((strcmp(service, "systemd-user") == 0 || strcmp(service, "unprivileged") == 0) && names_remote(r))
			continue;
		return REASON_SERVICE_NOT_ALLOWED;
	}
	return roles == 0 ? REASON_NO_ROLE : lists == 0 ? REASON_SERVICE_NOT_ALLOWED : REASON_OK;
}

static bool
fits_host(const struct oracle_role *r, const struct request *q)
{
	char copy[512], *save = NULL;

	if (r->hosts == NULL)
		return true;
	(void)snprintf(copy, sizeof copy, "%s", r->hosts);
	for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		if (w[0] == '@' ? has_word(q->host_groups, w + 1) : strcmp(w, q->host) == 0)
			return true;
	return false;
}

static enum reason
by_limits(const struct oracle_case *c)
{
	const struct request *q = &c->request;
	enum class class = class_of(q, q->service);

	EACH_ROLE(c, r) {
		bool asks_source = class == REMOTE || (class == ELEVATION && q->rhost[0] != '\0');

		if (!fits_host(r, q))
			return REASON_HOST_NOT_ALLOWED;
		if (r->from != NULL && asks_source && !in_networks(r->from, q->rhost) && !exempt(c, "source", q->key_unseen))
			return REASON_SOURCE_NOT_ALLOWED;
		if (r->days != NULL && class != UNATTENDED && !in_hours(r, q->now_utc_sec) && !exempt(c, "hours", q->key_unseen))
			return REASON_OUTSIDE_HOURS;
	}
	EACH_ROLE(c, r)
		if (c->facts.primary_group[0] != '\0' && has_word(r->drop_groups, c->facts.primary_group) &&
		    !has_word(c->deny_acl, c->facts.primary_group))
			return REASON_FORBIDDEN_GROUP;
	return REASON_OK;
}

static bool
too_long_ago(const struct facts *f, int64_t last, long span, int64_t now)
{
	int64_t begin = f->created_utc_sec > f->not_before_utc_sec ? f->created_utc_sec : f->not_before_utc_sec;

	if (last > now + DAY)
		last = 0;
	if (begin > now + DAY)
		return true;
	if (last < begin)
		last = begin;
	return last == 0 || now >= last + span;
}

static enum reason
by_care(const struct oracle_case *c)
{
	const struct facts *f = &c->facts;
	const struct request *q = &c->request;

	EACH_ROLE(c, r)
		if (r->review_every != 0 && too_long_ago(f, f->reviewed_at_utc_sec, r->review_every, q->now_utc_sec) &&
		    !exempt(c, "review", q->key_unseen))
			return REASON_REVIEW_OVERDUE;
	EACH_ROLE(c, r)
		if (r->dormant_after != 0 && too_long_ago(f, f->last_use_utc_sec, r->dormant_after, q->now_utc_sec) &&
		    !exempt(c, "dormant", q->key_unseen))
			return REASON_DORMANT;
	EACH_ROLE(c, r)
		if (r->max_sessions != 0 && q->stage != STAGE_AUTH && class_of(q, q->service) == REMOTE &&
		    q->sessions >= r->max_sessions)
			return REASON_TOO_MANY_SESSIONS;
	return REASON_OK;
}

static bool
code_due(const struct oracle_case *c)
{
	const struct request *q = &c->request;
	enum class class = class_of(q, q->service);
	int strictest = 0;

	EACH_ROLE(c, r) {
		int mine = r->mfa == NULL || strcmp(r->mfa, "required") == 0 ? 2 : strcmp(r->mfa, "if-enrolled") == 0 ? 1 : 0;

		strictest = mine > strictest ? mine : strictest;
	}
	if (class == UNATTENDED || (class == ELEVATION && q->live_mfa_session))
		return false;
	if (c->facts.kind == KIND_SERVICE && q->stage != STAGE_AUTH)
		return false;
	return strictest == 2 || (strictest == 1 && c->facts.token_count > 0);
}

static enum reason
by_code(const struct oracle_case *c)
{
	const struct request *q = &c->request;
	bool otp = (q->factors & FACTOR_OTP) != 0, other = (q->factors & (FACTOR_PASSWORD | FACTOR_KEY)) != 0;
	enum reason reason = c->facts.token_count == 0 ? REASON_MFA_NOT_ENROLLED : REASON_MFA_REQUIRED;

	if (!code_due(c) || (otp && other))
		return REASON_OK;
	if (q->stage == STAGE_SESSION) {
		/* Only who came in by an exemption whose key nobody had seen is asked for that key. */
		if (strcmp(q->service, "sshd") != 0 || (!exempt(c, "mfa", true) && !q->key_awaited))
			return REASON_OK;
		return exempt(c, "mfa", q->key_unseen) ? REASON_OK : reason;
	}
	if (exempt(c, "mfa", q->key_unseen))
		return REASON_OK;
	return q->stage == STAGE_AUTH && c->facts.token_count > 0 ? REASON_OK : reason;
}

static enum reason
by_password(const struct oracle_case *c)
{
	unsigned factors = c->request.factors;
	bool due = (factors & FACTOR_PASSWORD_STALE) != 0 ||
	    (c->facts.must_change && (factors & FACTOR_PASSWORD_CHANGED) == 0);

	return due && c->request.stage != STAGE_AUTH ? REASON_PASSWORD_CHANGE_REQUIRED : REASON_OK;
}

struct oracle_answer
oracle_decide(const struct oracle_case *c)
{
	enum reason (*const steps[])(const struct oracle_case *) = { by_state_and_dates, by_expiry, by_kind, by_service,
		by_limits, by_care, by_code, by_password };
	struct oracle_answer a = { .verdict = VERDICT_ALLOW, .reason = REASON_OK };

	for (size_t i = 0; i < sizeof steps / sizeof steps[0] && a.reason == REASON_OK; i++)
		a.reason = steps[i](c);
	if (a.reason != REASON_OK)
		a.verdict = VERDICT_DENY;
	if (a.reason == REASON_EXPIRED)
		a.verdict = VERDICT_EXPIRED;
	if (a.reason == REASON_UNKNOWN_USER)
		a.verdict = VERDICT_NOT_OURS;
	if (a.reason == REASON_PASSWORD_CHANGE_REQUIRED && c->request.stage == STAGE_ACCOUNT &&
	    class_of(&c->request, c->request.service) != UNATTENDED)
		a.verdict = VERDICT_MUST_CHANGE;
	if (c->facts.state == FACTS_MANAGED)
		EACH_ROLE(c, r)
			if (r->max_session != 0 && (a.max_session == 0 || r->max_session < a.max_session))
				a.max_session = r->max_session;
	return a;
}
