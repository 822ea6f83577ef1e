/*
 * pam_codes.h - verdict -> PAM return code, per stage: the only place where the module chooses one.
 */
#ifndef ISMS_PAM_CODES_H
#define ISMS_PAM_CODES_H

#include "common/verdict.h"
#include "pam/pam_who.h"

enum pam_stage {
	PAM_STAGE_AUTH,
	PAM_STAGE_ACCOUNT,
	PAM_STAGE_CRED,
	PAM_STAGE_OPEN,
	PAM_STAGE_CLOSE,
	PAM_STAGE_PASSWORD,
	PAM_STAGE_COUNT
};

/*
 * The code to return.
 *
 *  stage    anything out of range: PAM_AUTH_ERR
 *  verdict  of the front; anything out of range counts as VERDICT_DENY
 *  who      whom it is about: only who is not managed can be "not ours", and only who is managed can be
 *           allowed (THREATS I1, I2)
 *
 * Never returns a code outside of THREATS I1 for WHO_MANAGED and WHO_UNSURE.
 */
int pam_code(enum pam_stage stage, enum verdict verdict, enum who who);

/* "auth", "account", ...; never NULL. */
const char *pam_stage_name(enum pam_stage stage);

#endif
