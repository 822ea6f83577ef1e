/*
 * pam_relay.c - the conversation between the front and the person, with this module in the middle.
 *
 * Runs inside every PAM application. It must never wait past its deadline (the person's own time aside),
 * believe a peer that is neither root nor isms, send an answer that was cut, or take anything but a
 * verdict for one. Every error is for the caller to turn into a refusal.
 */
#include <config.h>

#include "pam/pam_relay.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/channel.h"
#include "common/verdict.h"
#include "pam/pam_proof.h"
#include "pam/pam_who.h"

#define LATE_MARGIN_MS 1000	/* the front's clock began a little earlier or later */

/* Connect and send the request. */
static int
begin(struct relay *relay, enum message number, int64_t total_ms)
{
	uid_t owners[2] = { relay->paths->owner };
	size_t owner_count = 1;
	int64_t now_ms = channel_now_ms();
	int r;

	relay->began_ms = now_ms;
	relay->deadline_ms = now_ms + total_ms;
	if (who_local_uid(relay->paths, relay->paths->server_user, &owners[1]) == 1)
		owner_count = 2;
	r = channel_connect(relay->paths->socket, owners, owner_count,
	    now_ms + (total_ms < relay->paths->connect_ms ? total_ms : relay->paths->connect_ms), &relay->fd);
	if (r < 0) {
		relay->fd = -1;
		return r;
	}
	relay->guessed = number == MSG_AUTH_BEGIN && relay->pages->request.auth.first_pass[0] != '\0';
	return channel_send(relay->fd, number, &relay->pages->request, relay->deadline_ms);
}

/* The person's answer to a prompt, or a reason why there is none. */
static int
ask_person(struct relay *relay, const struct msg_prompt *prompt, struct msg_answer *answer)
{
	int r = talk_ask(relay->talk, prompt->echo != 0, prompt->text, answer->text, sizeof answer->text);

	if (r < 0)
		return r;
	if (relay->talk->spent_ms > relay->paths->person_ms)
		return -ETIMEDOUT;
	/* An empty password would be an anonymous bind further on (THREATS 5.1). */
	if (prompt->is_password != 0 && answer->text[0] == '\0')
		return -EINVAL;
	if (prompt->is_password != 0 && relay->pages->password[0] == '\0')
		memcpy(relay->pages->password, answer->text, sizeof relay->pages->password);
	return 0;
}

static int
get_answer(struct relay *relay, const struct msg_prompt *prompt, struct msg_answer *answer)
{
	if (relay->failed)
		return -ECANCELED;
	if (prompt->is_password == 0 || !relay->password_given)
		return ask_person(relay, prompt, answer);
	if (relay->password_used)
		return -ECANCELED;
	relay->password_used = true;
	memcpy(answer->text, relay->pages->password, sizeof answer->text);
	return 0;
}

static int
on_prompt(struct relay *relay, size_t size, const struct message_info *info)
{
	struct relay_pages *pages = relay->pages;
	int64_t began_ms;
	int r;

	if (++relay->prompts > relay->prompts_max)
		return -EPROTO;
	r = proto_decode(info, pages->frame, size, &pages->prompt);
	if (r < 0)
		return r;
	pages->answer = (struct msg_answer){ .outcome = ANSWER_GIVEN };
	began_ms = channel_now_ms();
	if (get_answer(relay, &pages->prompt, &pages->answer) < 0) {
		relay->failed = true;
		explicit_bzero(&pages->answer, sizeof pages->answer);
		pages->answer.outcome = ANSWER_FAILED;
	}
	relay->deadline_ms += channel_now_ms() - began_ms;
	relay->guessed = relay->guessed || !relay->failed;
	r = channel_send(relay->fd, MSG_ANSWER, &pages->answer, relay->deadline_ms);
	explicit_bzero(&pages->answer, sizeof pages->answer);
	return r;
}

static int
on_show(struct relay *relay, size_t size, const struct message_info *info)
{
	struct relay_pages *pages = relay->pages;
	int64_t began_ms;
	int r;

	if (++relay->shows > RELAY_SHOWS_MAX)
		return -EPROTO;
	r = proto_decode(info, pages->frame, size, &pages->show);
	if (r < 0)
		return r;
	began_ms = channel_now_ms();
	talk_show(relay->talk, pages->show.is_error != 0, pages->show.text);
	relay->deadline_ms += channel_now_ms() - began_ms;
	return 0;
}

/* 1: the verdict is there. */
static int
on_verdict(struct relay *relay, size_t size, const struct message_info *info)
{
	struct msg_verdict *v = &relay->pages->verdict;
	int r = proto_decode(info, relay->pages->frame, size, v);

	if (r < 0)
		return r;
	if (v->verdict >= VERDICT_COUNT || v->reason >= REASON_COUNT || !proof_well_formed(v->proof) ||
	    !proof_well_formed(v->txn) || v->not_after_utc_sec < 0) {
		explicit_bzero(v, sizeof *v);
		return -EPROTO;
	}
	return 1;
}

int
relay_ask(struct relay *relay, enum message number)
{
	struct relay_pages *pages = relay->pages;
	const struct message_info *info;
	size_t size;
	int r = begin(relay, number, relay->paths->total_ms);

	while (r == 0) {
		r = channel_recv(relay->fd, pages->frame, sizeof pages->frame, relay->deadline_ms, &info, &size);
		if (r < 0)
			break;
		if (info->number == MSG_PROMPT)
			r = on_prompt(relay, size, info);
		else if (info->number == MSG_SHOW)
			r = on_show(relay, size, info);
		else if (info->number == MSG_VERDICT)
			r = on_verdict(relay, size, info);
		else
			r = -EPROTO;
	}
	return r < 0 ? r : 0;
}

int
relay_ack(struct relay *relay)
{
	const struct msg_ack ack = { { 0 } };

	return channel_send(relay->fd, MSG_ACK, &ack, relay->deadline_ms);
}

int
relay_tell(struct relay *relay, enum message number)
{
	const struct message_info *info;
	size_t size;
	int r = begin(relay, number, relay->paths->tell_ms);

	if (r == 0)
		r = channel_recv(relay->fd, relay->pages->frame, sizeof relay->pages->frame, relay->deadline_ms, &info, &size);
	if (r == 0 && info->number != MSG_DONE)
		r = -EPROTO;
	return r;
}

bool
relay_late(const struct relay *relay)
{
	return relay->prompts > 0 && channel_now_ms() - relay->began_ms >= relay->paths->person_ms - LATE_MARGIN_MS;
}

void
relay_done(struct relay *relay)
{
	if (relay->fd >= 0)
		(void)close(relay->fd);
	relay->fd = -1;
}
