/*
 * pam_talk.c - one message out, one answer in, through the application's PAM conversation.
 *
 * Runs inside every PAM application. What a conversation function returns is not trusted: missing,
 * overlong and failed answers are errors, every response is wiped and freed on every path, and text of
 * the daemon cannot steer a terminal.
 */
#include <config.h>

#include "pam/pam_talk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/channel.h"

/* Text for people, free of terminal control: C0 but newline, DEL, and C1 in UTF-8. */
static void
clean(const char *text, char ret[TALK_TEXT_MAX + 1])
{
	size_t n = strnlen(text, TALK_TEXT_MAX);

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];
		bool c1 = c >= 0x80 && c < 0xa0 && i > 0 && (unsigned char)text[i - 1] == 0xc2;

		ret[i] = text[i];
		if ((c < ' ' && c != '\n') || c == 0x7f)
			ret[i] = '?';
		if (c1)
			ret[i - 1] = ret[i] = '?';
	}
	ret[n] = '\0';
}

static void
drop(struct pam_response *response)
{
	if (response == NULL)
		return;
	if (response->resp != NULL)
		explicit_bzero(response->resp, strlen(response->resp));
	free(response->resp);
	free(response);
}

/* One message to the application. Returns 0 or -EIO; *ret_response may be set either way. */
static int
converse(struct talk *talk, int style, const char *text, struct pam_response **ret_response)
{
	char shown[TALK_TEXT_MAX + 1];
	const struct pam_message message = { .msg_style = style, .msg = shown };
	const struct pam_message *messages = &message;
	const struct pam_conv *conv = NULL;
	const void *item = NULL;
	int64_t began_ms;
	int r;

	if (pam_get_item(talk->pamh, PAM_CONV, &item) != PAM_SUCCESS || item == NULL)
		return -EIO;
	conv = item;
	if (conv->conv == NULL)
		return -EIO;
	clean(text, shown);
	began_ms = channel_now_ms();
	r = conv->conv(1, &messages, ret_response, conv->appdata_ptr);
	talk->spent_ms += channel_now_ms() - began_ms;
	return r == PAM_SUCCESS ? 0 : -EIO;
}

int
talk_ask(struct talk *talk, bool echo, const char *text, char *ret, size_t size)
{
	struct pam_response *response = NULL;
	size_t len;
	int r;

	r = converse(talk, echo ? PAM_PROMPT_ECHO_ON : PAM_PROMPT_ECHO_OFF, text, &response);
	if (r < 0)
		goto out;
	if (response == NULL || response->resp == NULL) {
		r = -EIO;
		goto out;
	}
	len = strnlen(response->resp, size);
	if (len == size) {
		r = -E2BIG;
		goto out;
	}
	memcpy(ret, response->resp, len + 1);
out:
	drop(response);
	return r;
}

void
talk_show(struct talk *talk, bool is_error, const char *text)
{
	struct pam_response *response = NULL;

	if (talk->silent || *text == '\0')
		return;
	(void)converse(talk, is_error ? PAM_ERROR_MSG : PAM_TEXT_INFO, text, &response);
	drop(response);
}
