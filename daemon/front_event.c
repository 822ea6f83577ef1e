/*
 * front_event.c - decision events: fields, sequence numbers without gaps, aggregation (see front.h).
 *
 * Runs in the front, which alone numbers events. It must never write a name that nobody has (people type passwords
 * there), nor hold back a success, a lock or a change; what the journal does not take is named when it is back.
 */
#include <config.h>

#include "daemon/front.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/civil_date.h"
#include "common/snapshot.h"
#include "daemon/report.h"
#include "daemon/source_throttle.h"

static const char *const kinds[KIND_COUNT] = {
	[KIND_EMPLOYEE] = "employee",
	[KIND_CONTRACTOR] = "contractor",
	[KIND_SERVICE] = "service",
	[KIND_BREAK_GLASS] = "break-glass",
};

/* Events carry what fits. */
static void
copy(char *to, size_t size, const char *from)
{
	size_t len = strlen(from);

	if (len >= size)
		len = size - 1;
	memcpy(to, from, len);
	to[len] = '\0';
}

/* Append a word to a list with blanks between; what does not fit is left out. */
static void
append(char *to, size_t size, const char *word)
{
	size_t used = strlen(to);

	if (used + strlen(word) + 2 <= size)
		(void)snprintf(to + used, size - used, "%s%s", used == 0 ? "" : " ", word);
}

/* Whether the published snapshot has that name: then it is nobody's password. */
static bool
is_published(const struct front *f, const char *user)
{
	struct snapshot snapshot = { 0 };
	struct snapshot_user found;
	char path[PATH_MAX + sizeof SNAPSHOT_BASE_NAME + 1];
	bool known;

	(void)snprintf(path, sizeof path, "%s/%s", f->paths->nss, SNAPSHOT_BASE_NAME);
	if (snapshot_open_state(path, f->peers.root, &snapshot) < 0)
		return false;
	known = snapshot_find_user(&snapshot, user, &found) == 1;
	snapshot_close(&snapshot);
	return known;
}

static void
set_user(struct front *f, struct record *r, const struct subject *subject, const struct facts *facts)
{
	bool known = facts != NULL && (facts->state == FACTS_MANAGED || facts->state == FACTS_BROKEN);

	if (known && facts->state == FACTS_MANAGED) {
		r->has_uid = true;
		r->uid = facts->uid;
		r->kind = facts->kind;
		r->not_after_utc_sec = facts->not_after_utc_sec;
	}
	/* A locker's uid is the kernel's word, whatever name came with it. */
	if (!r->has_uid && subject != NULL && subject->self) {
		r->has_uid = true;
		r->uid = subject->peer_uid;
	}
	if (subject != NULL)
		copy(r->user, sizeof r->user, known || policy_manages_local(f->policy, subject->user) ||
		    is_published(f, subject->user) ? subject->user : "<unknown>");
	else if (known)
		copy(r->user, sizeof r->user, facts->user);
}

void
record_init(struct front *f, struct record *r, enum event_id id, const char *decision, enum reason reason,
    const struct subject *subject, const struct facts *facts, const struct decision *judged)
{
	struct clock_reading now;
	const char *role;

	*r = (struct record){ .id = id, .decision = decision, .reason = reason, .data_age_sec = -1 };
	set_user(f, r, subject, facts);
	if (subject != NULL) {
		copy(r->service, sizeof r->service, subject->service);
		copy(r->rhost, sizeof r->rhost, subject->rhost);
		copy(r->tty, sizeof r->tty, subject->tty);
		copy(r->txn, sizeof r->txn, subject->txn);
		copy(r->key, sizeof r->key, subject->key_print);
		r->self = subject->self;
		r->peer_uid = subject->peer_uid;
	}
	if (facts != NULL && facts->state == FACTS_MANAGED && facts->confirmed_utc_sec > 0 && clock_read(&now) == 0)
		r->data_age_sec = now.wall_sec > facts->confirmed_utc_sec ? now.wall_sec - facts->confirmed_utc_sec : 0;
	if (facts != NULL && facts->state == FACTS_BROKEN)
		copy(r->fault, sizeof r->fault, facts->fault);
	if (judged == NULL)
		return;
	copy(r->rule, sizeof r->rule, judged->rule);
	copy(r->exemptions, sizeof r->exemptions, judged->exemptions);
	for (size_t i = 0; f->policy != NULL && i < POLICY_ROLES_MAX; i++) {
		if ((judged->roles >> i & 1) != 0 && (role = policy_role_name(f->policy, i)) != NULL)
			append(r->roles, sizeof r->roles, role);
	}
}

static void
add_factors(struct event *e, unsigned factors)
{
	char list[32] = "";

	if ((factors & FACTOR_PASSWORD) != 0)
		append(list, sizeof list, "password");
	if ((factors & FACTOR_KEY) != 0)
		append(list, sizeof list, "key");
	if ((factors & FACTOR_OTP) != 0)
		append(list, sizeof list, (factors & FACTOR_RECOVERY) != 0 ? "recovery" : "otp");
	event_add(e, FIELD_ID_FACTORS, list);
}

static void
add_fields(struct event *e, const struct record *r)
{
	char date[32];

	event_add(e, FIELD_ID_USER, r->user);
	if (r->has_uid)
		event_add_int(e, FIELD_ID_UID, r->uid);
	if (r->kind < KIND_COUNT)
		event_add(e, FIELD_ID_KIND, kinds[r->kind]);
	event_add(e, FIELD_ID_DECISION, r->decision);
	if (r->reason != REASON_NONE)
		event_add(e, FIELD_ID_REASON, reason_token(r->reason));
	event_add(e, FIELD_ID_SERVICE, r->service);
	event_add(e, FIELD_ID_RHOST, r->rhost);
	event_add(e, FIELD_ID_TTY, r->tty);
	add_factors(e, r->factors);
	event_add(e, FIELD_ID_KEY, r->key);
	event_add(e, FIELD_ID_ROLES, r->roles);
	event_add(e, FIELD_ID_RULE, r->rule);
	event_add(e, FIELD_ID_EXEMPTION, r->exemptions);
	if (r->not_after_utc_sec > 0)
		event_add(e, FIELD_ID_NOT_AFTER, civil_date_format(r->not_after_utc_sec, date));
	if (r->data_age_sec >= 0)
		event_add_int(e, FIELD_ID_DATA_AGE_SEC, r->data_age_sec);
	event_add(e, FIELD_ID_TOKEN, r->token);
	if (r->has_remaining)
		event_add_int(e, FIELD_ID_REMAINING, r->remaining);
	event_add(e, FIELD_ID_GROUPS, r->groups);
	event_add(e, FIELD_ID_GROUPS_PROTECTED, r->protected);
	event_add(e, FIELD_ID_ACTOR, r->actor);
	event_add(e, FIELD_ID_NOTE, r->note);
	event_add(e, FIELD_ID_FAULT, r->fault);
	event_add(e, FIELD_ID_TXN, r->txn);
}

/* The journal is back: say which numbers it does not have. */
static void
report_gap(struct front *f)
{
	struct event e;
	char note[96];

	(void)snprintf(note, sizeof note, "ISMS_SEQ %llu to %llu", (unsigned long long)f->lost_first,
	    (unsigned long long)f->lost_last);
	report_begin(&e, EVENT_JOURNAL_GAP);
	event_add_int(&e, FIELD_ID_COUNT, (int64_t)(f->lost_last - f->lost_first + 1));
	event_add(&e, FIELD_ID_NOTE, note);
	if (report_event(&e) == 0)
		f->lost_first = f->lost_last = 0;
}

static void
send_record(struct front *f, const struct record *r, unsigned count, bool granted)
{
	struct clock_reading now = { .wall_sec = 0 };
	uint64_t seq = 0;
	struct event e;

	(void)clock_read(&now);
	report_begin(&e, r->id);
	add_fields(&e, r);
	if (count > 0)
		event_add_int(&e, FIELD_ID_COUNT, count);
	if (state_next_sequence(f->state, granted && r->use ? r->user : NULL, clock_effective(&f->clock, &now),
	    &seq) == 0)
		event_add_int(&e, FIELD_ID_SEQ, (int64_t)seq);
	else
		seq = 0;
	if (report_event(&e) < 0) {
		if (seq != 0 && f->lost_first == 0)
			f->lost_first = seq;
		if (seq != 0)
			f->lost_last = seq;
	} else if (f->lost_first != 0)
		report_gap(f);
	front_watch_state(f);
}

/* What may be summed up under a flood: failures only, never a success, a lock or a change (THREATS 5.11). */
static bool
is_failure(const struct record *r)
{
	return r->id == EVENT_LOGIN_DENIED || r->id == EVENT_MFA_FAILED;
}

/*
 * What makes failures equal: names and addresses that whoever fails can vary at will must not, or he takes all keys
 * and the failures of others are summed up without their names.
 */
static void
flood_key(const struct record *r, char ret[static FLOOD_KEY_MAX])
{
	char source[SOURCE_KEY_SIZE] = "";

	if (r->self) {
		(void)snprintf(ret, FLOOD_KEY_MAX, "%d self %lu", r->id, (unsigned long)r->peer_uid);
		return;
	}
	if (r->rhost[0] != '\0' && !source_key(r->rhost, NULL, source))
		(void)snprintf(source, sizeof source, "%.60s", r->rhost);
	(void)snprintf(ret, FLOOD_KEY_MAX, "%d %d %.40s %.32s %s", r->id, r->reason, r->user, r->service, source);
}

void
record_write(struct front *f, const struct record *r)
{
	char key[FLOOD_KEY_MAX];

	if (is_failure(r)) {
		flood_key(r, key);
		if (!flood_pass(f->flood, key, r, sizeof *r))
			return;
	}
	send_record(f, r, 0, false);
}

void
record_write_granted(struct front *f, const struct record *r)
{
	send_record(f, r, 0, true);
}

void
record_write_exemptions(struct front *f, const struct record *granted)
{
	struct record r = *granted;
	size_t len;

	r.id = EVENT_EXEMPTION_USED;
	r.decision = "none";
	r.reason = REASON_NONE;
	r.rule[0] = '\0';
	for (const char *at = granted->exemptions; *at != '\0'; at += len + (at[len] == ' ')) {
		len = strcspn(at, " ");
		(void)snprintf(r.exemptions, sizeof r.exemptions, "%.*s", (int)len, at);
		send_record(f, &r, 0, false);
	}
}

void
record_summary(const char *key, const void *sample, unsigned count, void *front)
{
	struct record r;

	if (sample != NULL)
		r = *(const struct record *)sample;
	else
		r = (struct record){ .id = EVENT_LOGIN_DENIED, .decision = "denied", .data_age_sec = -1 };
	/* Several transactions, and in the window of the others several keys, stand behind it. */
	r.txn[0] = '\0';
	if (strcmp(key, FLOOD_OVERFLOW_KEY) == 0)
		r = (struct record){ .id = r.id, .decision = r.decision, .data_age_sec = -1, .note = "several users or sources" };
	send_record(front, &r, count, false);
}

void
front_watch_state(struct front *f)
{
	const char *fault = state_fault(f->state);
	struct event e;

	if (fault == NULL) {
		f->state_told = false;
		return;
	}
	if (f->state_told)
		return;
	f->state_told = true;
	report_begin(&e, EVENT_STATE_UNWRITABLE);
	event_add(&e, FIELD_ID_FAULT, fault);
	(void)report_event(&e);
}
