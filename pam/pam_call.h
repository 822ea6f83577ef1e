/*
 * pam_call.h - one call of one stage: who it is about, what the administrator set, what is at hand.
 *
 * Made and released around each entry point; nothing of it outlives the call but what pam_proof.h keeps.
 */
#ifndef ISMS_PAM_CALL_H
#define ISMS_PAM_CALL_H

#include <security/pam_modules.h>
#include <stdbool.h>

#include "pam/pam_codes.h"
#include "pam/pam_groups.h"
#include "pam/pam_proof.h"
#include "pam/pam_relay.h"
#include "pam/pam_talk.h"
#include "pam/pam_who.h"

struct call {
	pam_handle_t *pamh;		/* borrowed */
	const struct pam_paths *paths;
	enum pam_stage stage;
	unsigned flags;			/* of the caller */
	bool privileged;		/* may speak for others */
	bool debug, use_first_pass;	/* options */
	bool identify;			/* the same; of the session stages only */
	const char *bad_option;		/* the first that does not exist; NULL */
	char user[WHO_NAME_MAX + 2];	/* a copy: conversations may change PAM_USER; one byte more shows an overlong one */
	char txn[PROOF_ID_MAX + 1];
	struct person person;
	struct groups_change groups;	/* what was taken from the process, for SESSION_OPEN */
	struct talk talk;
	struct relay relay;
	struct relay_pages *pages;	/* owned; NULL without memory, or where no request is made */
	bool reported;			/* this call's event is written */
	bool unjudged;			/* the front could not be asked, or went away without an answer to judge */
};

/* Fill in a call; cannot fail: what cannot be told is WHO_UNSURE. Release with call_done(). */
void call_init(struct call *call, pam_handle_t *pamh, enum pam_stage stage, int flags, int argc, const char **argv);

/* Wipe and release. */
void call_done(struct call *call);

/* Whether sshd, run by root, says that it has taken a public key of this person before. */
bool call_proves_key(const struct call *call);

/*
 * Whether the module has any say: managed, a local account under policy, nobody's, or cannot be told. Everybody else is
 * left alone at once.
 */
bool call_is_ours(const struct call *call);

/* A PAM item that is text; "" when it is not set. Borrowed. */
const char *call_item(const struct call *call, int item);

/*
 * Fill in the request of this call's stage in pages->request.
 *
 *  ret_number  of which message
 *
 * Returns 0 or -ENAMETOOLONG: an item that rules may judge is longer than any may be, and is never cut.
 */
int call_request(struct call *call, enum message *ret_number);

#endif
