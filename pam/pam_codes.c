/*
 * pam_codes.c - the table of pam_isms(8): what each verdict becomes in each stage.
 *
 * Runs inside every PAM application. One row per verdict, checked for completeness when compiled:
 * a missing row would read as zeros, and zero is PAM_SUCCESS. It must never yield PAM_IGNORE,
 * PAM_USER_UNKNOWN or PAM_AUTHINFO_UNAVAIL for a managed user: Debian's stacks admit on those.
 */
#include <config.h>

#include "pam/pam_codes.h"

#include <security/pam_modules.h>

/* ROW(verdict, auth, account, setcred, open_session, close_session, password) */
#define ROWS(ROW) \
	ROW(VERDICT_DENY, PAM_AUTH_ERR, PAM_PERM_DENIED, PAM_CRED_ERR, PAM_SESSION_ERR, PAM_SESSION_ERR, \
	    PAM_AUTHTOK_ERR) \
	ROW(VERDICT_ALLOW, PAM_SUCCESS, PAM_SUCCESS, PAM_SUCCESS, PAM_SUCCESS, PAM_SUCCESS, PAM_SUCCESS) \
	ROW(VERDICT_EXPIRED, PAM_AUTH_ERR, PAM_ACCT_EXPIRED, PAM_CRED_ERR, PAM_SESSION_ERR, PAM_SESSION_ERR, \
	    PAM_AUTHTOK_ERR) \
	ROW(VERDICT_MUST_CHANGE, PAM_AUTH_ERR, PAM_NEW_AUTHTOK_REQD, PAM_CRED_ERR, PAM_SESSION_ERR, PAM_SESSION_ERR, \
	    PAM_AUTHTOK_ERR) \
	ROW(VERDICT_NOT_OURS, PAM_USER_UNKNOWN, PAM_USER_UNKNOWN, PAM_IGNORE, PAM_IGNORE, PAM_IGNORE, PAM_IGNORE)

#define CODES(verdict, ...) [verdict] = { __VA_ARGS__ },
#define COUNT(...) +1
#define CELLS(verdict, ...) _Static_assert(sizeof (int[]){ __VA_ARGS__ } == PAM_STAGE_COUNT * sizeof(int), #verdict);

static const int codes[VERDICT_COUNT][PAM_STAGE_COUNT] = { ROWS(CODES) };

_Static_assert(0 ROWS(COUNT) == VERDICT_COUNT, "each verdict has its row");
ROWS(CELLS)

static const char *const names[PAM_STAGE_COUNT] = {
	"auth", "account", "setcred", "open_session", "close_session", "password",
};

int
pam_code(enum pam_stage stage, enum verdict verdict, enum who who)
{
	bool decides = stage == PAM_STAGE_AUTH || stage == PAM_STAGE_ACCOUNT;
	enum verdict row = VERDICT_DENY;

	if ((unsigned)stage >= PAM_STAGE_COUNT)
		return PAM_AUTH_ERR;
	if ((unsigned)verdict >= VERDICT_COUNT)
		verdict = VERDICT_DENY;
	switch (who) {
	case WHO_NONE:
	case WHO_LOCAL:
	case WHO_OTHER:
		row = VERDICT_NOT_OURS;
		break;
	case WHO_NOBODY:	/* only the front may send them past us, and nothing may admit them */
		row = !decides || verdict == VERDICT_NOT_OURS ? VERDICT_NOT_OURS : VERDICT_DENY;
		break;
	case WHO_MANAGED:
		row = verdict == VERDICT_NOT_OURS ? VERDICT_DENY : verdict;
		break;
	case WHO_GUARDED:	/* allowed is what every other local account is: left to the local modules */
		row = verdict == VERDICT_ALLOW || stage == PAM_STAGE_PASSWORD ? VERDICT_NOT_OURS :
		    verdict == VERDICT_EXPIRED ? verdict : VERDICT_DENY;
		break;
	case WHO_UNSURE:
	case WHO_COUNT:
		break;
	}
	return codes[row][stage];
}

const char *
pam_stage_name(enum pam_stage stage)
{
	return (unsigned)stage < PAM_STAGE_COUNT ? names[stage] : "?";
}
