/*
 * directory_requests.c - what the front and the tool ask of the directory process.
 *
 * On its loop. An answer may come after the peer has gone, or after the view has moved on: a request under way holds
 * its connection and nothing else (IP07a). It must never say more to a wrong password than "wrong", and never
 * answer sooner for a name that does not exist.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/directory_state.h"
#include "daemon/report.h"
#include "daemon/source_job.h"

static int
send_result(struct connection *c, enum reason reason, const char *text)
{
	struct msg_result answer = { .reason = reason };

	(void)snprintf(answer.text, sizeof answer.text, "%s", text);
	return connection_send(c, MSG_RESULT, &answer, ST_NEW);
}

/* A user of the current view; NULL with the reason when there is none that may be worked with. */
static const struct identity *
find_user(const struct directory *d, const char *name, enum reason *ret_reason)
{
	const struct identity *user;

	*ret_reason = REASON_DIRECTORY_UNAVAILABLE;
	if (d->source->view == NULL)
		return NULL;
	user = identities_find(&d->source->view->identities, name);
	*ret_reason = user == NULL ? REASON_UNKNOWN_USER : REASON_BAD_RECORD;
	return user != NULL && user->state == FACTS_MANAGED ? user : NULL;
}

static int
on_facts_get(struct connection *c, const void *msg)
{
	const struct directory *d = connection_context(c);
	const struct msg_facts_get *m = msg;
	struct source_status status;
	struct facts facts = { 0 };

	d->source->ops->status(d->source, &status);
	if (d->source->view == NULL)
		facts.state = FACTS_NOT_READY;
	else
		identity_facts(&d->source->view->identities,
		    identities_find(&d->source->view->identities, m->user), &facts);
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
	const struct identity *user;
	enum reason reason;

	user = find_user(d, m->user, &reason);
	if (reason == REASON_DIRECTORY_UNAVAILABLE)
		return send_result(c, reason, "");
	if (m->dummy != 0)
		user = NULL;
	return asked(c, d->source->ops->password_check(d->source, user, m->password, on_result, hold(c)));
}

static int
on_password_change(struct connection *c, const void *msg)
{
	const struct directory *d = connection_context(c);
	const struct msg_password_change *m = msg;
	const struct identity *user;
	enum reason reason;

	user = find_user(d, m->user, &reason);
	if (user == NULL)
		return send_result(c, reason, "");
	return asked(c, d->source->ops->password_change(d->source, user, m->old_password, m->new_password, on_result,
	    hold(c)));
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
	const struct identity *user;
	enum reason reason;

	user = find_user(d, m->user, &reason);
	if (user == NULL)
		return send_result(c, reason, "");
	return asked(c, d->source->ops->tokens(d->source, user, on_tokens, hold(c)));
}

static int
on_token_mark(struct connection *c, const void *msg)
{
	const struct directory *d = connection_context(c);
	const struct msg_token_mark *m = msg;
	const struct identity *user;
	enum reason reason;

	user = find_user(d, m->user, &reason);
	if (user == NULL)
		return send_result(c, reason, "");
	if (d->source->ops->token_mark == NULL)
		return send_result(c, REASON_DIRECTORY_UNAVAILABLE, "");
	return asked(c, d->source->ops->token_mark(d->source, user, m, on_result, hold(c)));
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
	const struct identity *user;
	enum reason reason;

	user = find_user(d, m->user, &reason);
	if (user != NULL && d->source->ops->recovery_use(d->source, user, m->code, on_recovery, hold(c)) == 0)
		return 0;
	if (user != NULL)
		release(c);
	answer.reason = user == NULL ? reason : REASON_DIRECTORY_UNAVAILABLE;
	return connection_send(c, MSG_RECOVERY_RESULT, &answer, ST_NEW);
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

const struct server_handler directory_handlers[] = {
	{ .number = MSG_FACTS_GET, .handle = on_facts_get },
	{ .number = MSG_PASSWORD_CHECK, .handle = on_password_check },
	{ .number = MSG_TOKENS_GET, .handle = on_tokens_get },
	{ .number = MSG_PASSWORD_CHANGE, .handle = on_password_change },
	{ .number = MSG_TOKEN_MARK, .handle = on_token_mark },
	{ .number = MSG_RECOVERY_USE, .handle = on_recovery_use },
	{ .number = MSG_HOLD_DECIDE, .handle = on_hold_decide },
	{ .number = MSG_DIRECTORY_STATUS, .handle = on_status },
	{ .handle = NULL },
};
