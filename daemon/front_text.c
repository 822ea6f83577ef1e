/*
 * front_text.c - what a refused person reads, or one let in by a recovery code (see front.h).
 *
 * Runs in the front. In auth it must never say more than that access is refused: a stranger learns neither whether
 * a name exists nor what was wrong. Who has come past auth, or brought a key, may be told why.
 */
#include <config.h>

#include "daemon/front.h"

#include <stdio.h>
#include <string.h>

#include "common/civil_date.h"

void
text_auth_refused(const struct front *f, char *buf, size_t size)
{
	(void)snprintf(buf, size, "Access refused. If you should have access, contact %s.", f->settings.login_contact);
}

static const char *
words(enum reason reason)
{
	switch (reason) {
	case REASON_NOT_YET_VALID:
		return "your contract has not begun";
	case REASON_EXPIRED:
		return "your contract has ended";
	case REASON_NO_EXPIRY:
		return "your account has no end date";
	case REASON_TERM_TOO_LONG:
		return "the end date of your account is too far away";
	case REASON_DISABLED:
		return "your account is disabled";
	case REASON_LOCKED:
		return "your account is locked for a time";
	case REASON_PASSWORD_EXPIRED:
	case REASON_PASSWORD_CHANGE_REQUIRED:
		return "your password must be changed first";
	case REASON_MFA_REQUIRED:
		return "a one-time code is required";
	case REASON_MFA_NOT_ENROLLED:
		return "you have no one-time code token yet";
	case REASON_SERVICE_NOT_ALLOWED:
		return "you may not use this service";
	case REASON_HOST_NOT_ALLOWED:
		return "you may not log in to this host";
	case REASON_SOURCE_NOT_ALLOWED:
		return "you may not log in from there";
	case REASON_OUTSIDE_HOURS:
		return "you may not log in at this time";
	case REASON_DIRECTORY_UNAVAILABLE:
	case REASON_DATA_TOO_OLD:
		return "the directory of users cannot be reached";
	case REASON_CLOCK_UNTRUSTED:
		return "the clock of this host is not right";
	case REASON_DAEMON_UNAVAILABLE:
	case REASON_STATE_UNWRITABLE:
		return "login service unavailable";
	case REASON_TOO_MANY_SESSIONS:
		return "you have too many sessions";
	default:
		return "your account does not allow it";
	}
}

void
text_refused(const struct front *f, enum reason reason, const struct facts *facts, const struct decision *judged,
    char *buf, size_t size)
{
	const char *contact = f->settings.login_contact;
	char when[64] = "", date[32];

	if (judged != NULL && judged->contact[0] != '\0')
		contact = judged->contact;
	if (reason == REASON_EXPIRED && facts != NULL && facts->not_after_utc_sec > 0)
		(void)snprintf(when, sizeof when, " (%s)", civil_date_format(facts->not_after_utc_sec, date));
	(void)snprintf(buf, size, "Access refused: %s%s. Contact %s.", words(reason), when, contact);
}

void
text_recovery_used(const struct front *f, unsigned remaining, char *buf, size_t size)
{
	if (remaining > 0)
		(void)snprintf(buf, size, "A recovery code was used in place of a one-time code; %u of them %s left. "
		    "If you have lost your token, contact %s.", remaining, remaining == 1 ? "is" : "are", f->settings.login_contact);
	else
		(void)snprintf(buf, size, "Your last recovery code was used in place of a one-time code. "
		    "For new ones, contact %s.", f->settings.login_contact);
}
