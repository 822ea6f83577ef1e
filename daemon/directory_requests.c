/*
 * directory_requests.c - what the front and the tool ask of the directory process.
 *
 * On its loop. An answer may come after the peer has gone, or after the census has moved on: a request under way holds
 * its connection and nothing else (IP07a). It must never say more to a wrong password than "wrong", and never
 * answer sooner for a name that does not exist.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/authorized_key.h"
#include "common/last_use.h"
#include "daemon/directory_state.h"
#include "daemon/loop.h"
#include "daemon/report.h"
#include "daemon/source_job.h"

static int
send_result(struct connection *c, enum reason reason, const char *text)
{
	struct msg_result answer = { .reason = reason };

	(void)snprintf(answer.text, sizeof answer.text, "%s", text);
	return connection_send(c, MSG_RESULT, &answer, ST_NEW);
}

/* A user as he is now, until forget(). */
struct looked_up {
	struct census_part part;
	const struct identity *user;	/* in part; NULL with the reason when there is none that may be worked with */
	enum reason reason;
};

static void
look_up(const struct directory *d, const char *name, struct looked_up *ret)
{
	int r = -ENOMEM;

	*ret = (struct looked_up){ .reason = REASON_DIRECTORY_UNAVAILABLE };
	if (d->source->generation > 0)
		r = census_find(d->source->census, &d->settings, d->source->holders, name, &ret->part, &ret->user);
	if (r < 0)
		ret->user = NULL;
	if (r < 0 && r != -E2BIG)
		return;
	ret->reason = r == 0 && ret->user == NULL ? REASON_UNKNOWN_USER : REASON_BAD_RECORD;
	if (ret->user != NULL && ret->user->state != FACTS_MANAGED)
		ret->user = NULL;
}

static void
forget(struct looked_up *l)
{
	census_part_done(&l->part);
}

static void
find_facts(const struct directory *d, const char *name, struct facts *ret)
{
	struct census_part part = { 0 };
	const struct census_asking asking = { .settings = &d->settings, .holders = d->source->holders,
		.now_utc_sec = loop_clock_sec(CLOCK_REALTIME) };
	const struct identity *user;
	int r = census_find(d->source->census, &d->settings, d->source->holders, name, &part, &user);

	if (r == 0) {
		identity_facts(&part.identities, user, ret);
		identity_fact_keys(user, ret);
		r = census_care(d->source->census, &asking, user, ret);
	}
	if (r == 0) {
		if (ret->state == FACTS_MANAGED && user->password_end_utc_sec != 0 &&
		    user->password_end_utc_sec <= asking.now_utc_sec)
			ret->must_change = 1;
	} else if (r == -E2BIG) {
		ret->state = FACTS_BROKEN;
		(void)snprintf(ret->user, sizeof ret->user, "%.32s", name);
		(void)snprintf(ret->fault, sizeof ret->fault, "too many entries claim what it claims, or contain it");
	} else {
		*ret = (struct facts){ .state = FACTS_NOT_READY };
	}
	census_part_done(&part);
}

static int
on_facts_get(struct connection *c, const void *msg)
{
	const struct directory *d = connection_context(c);
	const struct msg_facts_get *m = msg;
	struct source_status status;
	struct facts facts = { 0 };

	d->source->ops->status(d->source, &status);
	if (d->source->generation == 0)
		facts.state = FACTS_NOT_READY;
	else
		find_facts(d, m->user, &facts);
	facts.confirmed_utc_sec = status.confirmed_utc_sec;
	facts.change_needs_old = settings_uses_ldap(&d->settings);
	return connection_send(c, MSG_FACTS, &facts, ST_NEW);
}

/* The peer has gone: what it asked must not wait where others want to. */
static void
on_closed(void *data)
{
	struct connection *c = data;
	const struct directory *d = connection_context(c);

	source_jobs_forget(d->source, c);
}

/* Begin a request that is answered later: it holds the connection. */
static struct connection *
hold(struct connection *c)
{
	connection_set_data(c, c, on_closed);
	return connection_ref(c);
}

static void
release(struct connection *c)
{
	connection_set_data(c, NULL, NULL);
	connection_unref(c);
}

/* The source was asked with a connection that hold() holds; r: what it returned. What it did not take, nobody answers. */
static int
asked(struct connection *c, int r)
{
	if (r >= 0)
		return 0;
	release(c);
	return send_result(c, REASON_DIRECTORY_UNAVAILABLE, "");
}

static void
on_result(enum reason reason, const char *text, void *arg)
{
	struct connection *c = arg;

	(void)send_result(c, reason, text);	/* a peer that has gone gets nothing */
	release(c);
}

static int
on_password_check(struct connection *c, const void *msg)
{
	const struct directory *d = connection_context(c);
	const struct msg_password_check *m = msg;
	struct looked_up l;
	int r;

	look_up(d, m->user, &l);
	if (l.user == NULL && l.reason == REASON_DIRECTORY_UNAVAILABLE)
		r = send_result(c, l.reason, "");
	else
		r = asked(c, d->source->ops->password_check(d->source, m->dummy != 0 ? NULL : l.user, m->password,
		    on_result, hold(c)));
	forget(&l);
	return r;
}

static int
on_password_change(struct connection *c, const void *msg)
{
	const struct directory *d = connection_context(c);
	const struct msg_password_change *m = msg;
	struct looked_up l;
	int r;

	look_up(d, m->user, &l);
	if (l.user == NULL)
		r = send_result(c, l.reason, "");
	else
		r = asked(c, d->source->ops->password_change(d->source, l.user, m->old_password, m->new_password, on_result,
		    hold(c)));
	forget(&l);
	return r;
}

static void
on_tokens(enum reason reason, const struct msg_token *tokens, size_t count, void *arg)
{
	struct connection *c = arg;
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++)
		r = connection_send(c, MSG_TOKEN, &tokens[i], ST_WAITING);
	if (r == 0)
		(void)send_result(c, reason, "");
	release(c);
}

static int
on_tokens_get(struct connection *c, const void *msg)
{
	const struct directory *d = connection_context(c);
	const struct msg_tokens_get *m = msg;
	struct looked_up l;
	int r;

	look_up(d, m->user, &l);
	if (l.user == NULL)
		r = send_result(c, l.reason, "");
	else
		r = asked(c, d->source->ops->tokens(d->source, l.user, on_tokens, hold(c)));
	forget(&l);
	return r;
}

/* Keys under way. */
struct key_answer {
	struct connection *connection;	/* borrowed */
	const struct identity *user;	/* borrowed */
	const char *fingerprint;	/* borrowed; "": all */
	int error;
};

static bool
send_key(const struct authorized_key *key, void *arg)
{
	struct key_answer *a = arg;
	struct msg_key answer = { .type = "" };

	if (a->fingerprint[0] != '\0' && strcmp(a->fingerprint, key->fingerprint) != 0)
		return true;
	memcpy(answer.type, key->type, sizeof key->type);
	memcpy(answer.blob, key->blob, sizeof key->blob);
	memcpy(answer.fingerprint, key->fingerprint, sizeof key->fingerprint);
	(void)snprintf(answer.command, sizeof answer.command, "%s", a->user->command != NULL ? a->user->command : "");
	a->error = connection_send(a->connection, MSG_KEY, &answer, ST_WAITING);
	return a->error == 0;
}

static int
on_keys_get(struct connection *c, const void *msg)
{
	const struct directory *d = connection_context(c);
	const struct msg_keys_get *m = msg;
	struct key_answer answer = { .connection = c, .fingerprint = m->fingerprint };
	struct looked_up l;

	look_up(d, m->user, &l);
	answer.user = l.user;
	if (l.user != NULL)
		(void)identity_keys(l.user->entry, send_key, &answer);
	if (answer.error == 0)
		answer.error = send_result(c, l.user != NULL ? REASON_OK : l.reason, "");
	forget(&l);
	return answer.error;
}

static int
on_token_mark(struct connection *c, const void *msg)
{
	const struct directory *d = connection_context(c);
	const struct msg_token_mark *m = msg;
	struct looked_up l;
	int r;

	look_up(d, m->user, &l);
	if (l.user == NULL)
		r = send_result(c, l.reason, "");
	else if (d->source->ops->token_mark == NULL)
		r = send_result(c, REASON_DIRECTORY_UNAVAILABLE, "");
	else
		r = asked(c, d->source->ops->token_mark(d->source, l.user, m, on_result, hold(c)));
	forget(&l);
	return r;
}

/* Most logins find the day noted already: the census says so, and the server is not asked. */
static int
on_last_use(struct connection *c, const void *msg)
{
	const struct directory *d = connection_context(c);
	const struct msg_last_use *m = msg;
	struct looked_up l;
	int r;

	look_up(d, m->user, &l);
	if (l.user == NULL)
		r = send_result(c, l.reason, "");
	else if (!last_use_moves(l.user->entry, m->used_utc_sec, loop_clock_sec(CLOCK_REALTIME)))
		r = send_result(c, REASON_OK, "");
	else
		r = asked(c, d->source->ops->last_use(d->source, l.user, m->used_utc_sec, on_result, hold(c)));
	forget(&l);
	return r;
}

static void
on_recovery(const struct msg_recovery_result *result, void *arg)
{
	struct connection *c = arg;

	(void)connection_send(c, MSG_RECOVERY_RESULT, result, ST_NEW);
	release(c);
}

static int
on_recovery_use(struct connection *c, const void *msg)
{
	const struct directory *d = connection_context(c);
	const struct msg_recovery_use *m = msg;
	struct msg_recovery_result answer = { 0 };
	struct looked_up l;
	int r = -ENOENT;

	look_up(d, m->user, &l);
	answer.reason = l.user == NULL ? l.reason : REASON_DIRECTORY_UNAVAILABLE;
	if (l.user != NULL) {
		r = d->source->ops->recovery_use(d->source, l.user, m->code, on_recovery, hold(c));
		if (r < 0)
			release(c);
	}
	forget(&l);
	return r == 0 ? 0 : connection_send(c, MSG_RECOVERY_RESULT, &answer, ST_NEW);
}

static int
on_hold_decide(struct connection *c, const void *msg)
{
	const struct directory *d = connection_context(c);
	const struct msg_hold_decide *m = msg;
	struct source_status status;
	struct msg_done done;
	struct event e;
	int r;

	d->source->ops->status(d->source, &status);
	r = d->source->ops->approve == NULL ? -ENOENT :
	    source_may_decide(&status, m->approve != 0, m->removed, m->renumbered);
	if (r == 0 && m->who != census_held_who(d->source->census, status.older != NULL ? status.older : ""))
		r = -ESTALE;
	done = (struct msg_done){ .error = (uint32_t)-r };
	if (r == 0) {
		report_begin(&e, EVENT_DIRECTORY_MASS_CHANGE);
		event_add(&e, FIELD_ID_NOTE, m->approve != 0 ? "approved" : "rejected: it stays held back");
		event_add(&e, FIELD_ID_ACTOR, m->actor);
		event_add_int(&e, FIELD_ID_COUNT, (int64_t)(status.held_removed + status.held_renumbered));
		(void)report_event(&e);
		if (m->approve != 0)
			d->source->ops->approve(d->source);
	}
	return connection_send(c, MSG_DONE, &done, ST_NEW);
}

static int
on_status(struct connection *c, const void *msg)
{
	const struct directory *d = connection_context(c);
	struct msg_report answer = { 0 };

	(void)msg;
	directory_status(d, answer.lines, sizeof answer.lines);
	return connection_send(c, MSG_REPORT, &answer, ST_NEW);
}

/* The event, with the person who asked, is the front's, which is asked first. */
static int
on_clock_trust(struct connection *c, const void *msg)
{
	struct directory *d = connection_context(c);
	const struct msg_done answer = { .error = 0 };

	(void)msg;
	source_grants_trust_clock(d->source->grants);
	return connection_send(c, MSG_DONE, &answer, ST_NEW);
}

const struct server_handler directory_handlers[] = {
	{ .number = MSG_FACTS_GET, .handle = on_facts_get },
	{ .number = MSG_PASSWORD_CHECK, .handle = on_password_check },
	{ .number = MSG_TOKENS_GET, .handle = on_tokens_get },
	{ .number = MSG_PASSWORD_CHANGE, .handle = on_password_change },
	{ .number = MSG_KEYS_GET, .handle = on_keys_get },
	{ .number = MSG_TOKEN_MARK, .handle = on_token_mark },
	{ .number = MSG_RECOVERY_USE, .handle = on_recovery_use },
	{ .number = MSG_LAST_USE, .handle = on_last_use },
	{ .number = MSG_HOLD_DECIDE, .handle = on_hold_decide },
	{ .number = MSG_DIRECTORY_STATUS, .handle = on_status },
	{ .number = MSG_CLOCK_TRUST, .handle = on_clock_trust },
	{ .handle = NULL },
};
