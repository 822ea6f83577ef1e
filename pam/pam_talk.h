/*
 * pam_talk.h - the conversation with the person, by the application's conversation function.
 */
#ifndef ISMS_PAM_TALK_H
#define ISMS_PAM_TALK_H

#include <security/pam_modules.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TALK_TEXT_MAX 512	/* bytes of a line that is shown */

struct talk {
	pam_handle_t *pamh;
	bool silent;		/* PAM_SILENT: questions only, as sudo asks them; no messages */
	int64_t spent_ms;	/* the person's time so far */
};

/*
 * Ask one question.
 *
 *  echo      whether what is typed may be seen
 *  text      control characters in it are shown as '?'
 *  ret,size  receives the answer with its NUL; the application's own copy is wiped and freed
 *
 * Returns 0; -EIO when there is no answer (conversation error, NULL); -E2BIG for an
 * answer of size bytes or more, which is never cut.
 */
int talk_ask(struct talk *talk, bool echo, const char *text, char *ret, size_t size);

/* Show a line, if there is one and it may be shown. */
void talk_show(struct talk *talk, bool is_error, const char *text);

#endif
