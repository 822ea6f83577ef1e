/*
 * pam_fallback.c - the module's own events, for decisions that the front could not make.
 *
 * Runs inside every PAM application. It must never log a name that nobody has (people type passwords
 * there), wait for journald, keep a descriptor as syslog(3) would, or write twice for one decision.
 */
#include <config.h>

#include "pam/pam_fallback.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "common/journal.h"

#define IDENTIFIER "pam_isms"

/* The transaction so far, or a new one, so that the event can be told from others. */
static void
find_txn(const struct call *call, char ret[static PROOF_ID_MAX + 1])
{
	static const char hex[] = "0123456789abcdef";
	uint8_t bytes[PROOF_ID_MAX / 2];

	memcpy(ret, call->txn, PROOF_ID_MAX + 1);
	if (*ret != '\0' || getrandom(bytes, sizeof bytes, GRND_NONBLOCK) != (ssize_t)sizeof bytes)
		return;
	for (size_t i = 0; i < sizeof bytes; i++) {
		ret[2 * i] = hex[bytes[i] >> 4];
		ret[2 * i + 1] = hex[bytes[i] & 15];
	}
	ret[PROOF_ID_MAX] = '\0';
}

static void
add_circumstances(struct event *e, const struct call *call)
{
	bool known = call->person.who == WHO_MANAGED || call->person.who == WHO_GUARDED;
	char txn[PROOF_ID_MAX + 1];

	find_txn(call, txn);
	event_add(e, FIELD_ID_USER, known ? call->user : "<unknown>");
	if (known)
		event_add_int(e, FIELD_ID_UID, call->person.user.uid);
	event_add(e, FIELD_ID_SERVICE, call_item(call, PAM_SERVICE));
	event_add(e, FIELD_ID_RHOST, call_item(call, PAM_RHOST));
	event_add(e, FIELD_ID_TTY, call_item(call, PAM_TTY));
	event_add(e, FIELD_ID_TXN, txn);
}

static void
tell_person(struct call *call, enum reason reason)
{
	char text[TALK_TEXT_MAX + 1];
	const char *contact = call->person.contact;

	if (*contact == '\0')
		contact = "your administrator";
	if (reason == REASON_DAEMON_UNAVAILABLE)
		(void)snprintf(text, sizeof text, "Access refused: login service unavailable. Contact %s", contact);
	else
		(void)snprintf(text, sizeof text, "Access refused. If you should have access, contact %s.", contact);
	talk_show(&call->talk, true, text);
}

void
fallback_refused(struct call *call, enum reason reason, const char *fault)
{
	struct event e;

	if (call->reported)
		return;
	call->reported = true;
	event_begin(&e, EVENT_LOGIN_DENIED, IDENTIFIER);
	event_add(&e, FIELD_ID_DECISION, "denied");
	event_add(&e, FIELD_ID_REASON, reason_token(reason));
	add_circumstances(&e, call);
	event_add(&e, FIELD_ID_FAULT, fault);
	event_finish(&e);
	(void)journal_send(&e);
	tell_person(call, reason);
}

void
fallback_groups(const struct call *call, const char *groups, const char *fault)
{
	struct event e;

	event_begin(&e, EVENT_GROUPS_DROPPED, IDENTIFIER);
	if (*fault != '\0')
		event_add(&e, FIELD_ID_REASON, reason_token(REASON_FORBIDDEN_GROUP));
	add_circumstances(&e, call);
	event_add(&e, FIELD_ID_GROUPS, groups);
	event_add(&e, FIELD_ID_FAULT, fault);
	event_finish(&e);
	(void)journal_send(&e);
}

void
fallback_debug(const struct call *call, int code)
{
	char message[256], priority[] = "PRIORITY=7", identifier[] = "SYSLOG_IDENTIFIER=" IDENTIFIER;
	struct event line = { .count = 3 };
	int n;

	if (!call->debug)
		return;
	n = snprintf(message, sizeof message, "MESSAGE=stage=%s service=%.64s account=%s prompts=%u code=%d",
	    pam_stage_name(call->stage), call_item(call, PAM_SERVICE), who_name(call->person.who),
	    call->relay.prompts, code);
	if (n < 0)
		return;
	for (char *c = message; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	line.iov[0] = (struct iovec){ .iov_base = message, .iov_len = strlen(message) };
	line.iov[1] = (struct iovec){ .iov_base = priority, .iov_len = strlen(priority) };
	line.iov[2] = (struct iovec){ .iov_base = identifier, .iov_len = strlen(identifier) };
	(void)journal_send(&line);
}
