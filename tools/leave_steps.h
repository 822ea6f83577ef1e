/*
 * leave_steps.h - what isms-userctl leave takes from an account in the directory, one step each.
 */
#ifndef ISMS_LEAVE_STEPS_H
#define ISMS_LEAVE_STEPS_H

#include <jansson.h>

#include "tools/account.h"

struct leave_step {
	const char *name;		/* in reports and events */
	/*
	 * Hand over the changes of this step, and append what they take to items: strings.
	 *
	 *  only  DN of the one other entry to be changed; NULL: all that are concerned
	 *
	 * Returns 0, also when there is nothing to do, or -errno: -EOPNOTSUPP where the directory has no place for it.
	 */
	int (*apply)(struct account *account, const char *only, json_t *items);
	bool others;			/* it changes entries of others,
	    named by items: one by one where they cannot go together */
};

/* In the order in which they are done: what keeps the person out comes first. Ends with a name NULL. */
extern const struct leave_step leave_steps[];

/*
 * Take a person out of the group of an entry: member, uniqueMember, memberUid.
 *
 *  ret_was_in  whether there was anything to take
 *
 * Returns 0 or -errno of directory_modify().
 */
int leave_group(struct account *account, const struct entry *group, bool *ret_was_in);

/* Lock the account of an entry for good, as disable does. Returns 1, 0: it is already, or -errno: -EOPNOTSUPP. */
int leave_lock(struct account *account, const struct entry *e);

/* Names of accounts for which the person answers: as sponsor or owner. Appends to items. Returns 0 or -ENOMEM. */
int leave_answers_for(const struct account *account, json_t *items);

#endif
