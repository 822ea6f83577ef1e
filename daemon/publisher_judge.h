/*
 * publisher_judge.h - which records of the register are accepted: each by itself, then against the others.
 *
 * Of several candidates with one name or id the one that holds it in what is published stays, and the newcomers are
 * refused; where none of them holds it, all are. No home may lie in another user's; who was there first stays. Judging a
 * change gives exactly what judging everything would, at a cost that goes with the change.
 */
#ifndef ISMS_PUBLISHER_JUDGE_H
#define ISMS_PUBLISHER_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/settings.h"
#include "common/snapshot.h"
#include "daemon/local_accounts.h"
#include "daemon/publisher_check.h"
#include "daemon/register.h"

#define JUDGE_EDIT_MAX		20000u	/* records of an edit; beyond, all are judged: that is cheaper */
#define JUDGE_CONTESTED_MAX	4096u	/* records that others keep out; beyond, all are judged with each edit */

struct judge_in {
	const struct settings *settings;
	const struct local_accounts *local;
	const struct snapshot *previous;	/* what is published; NULL: nothing */
	bool settled;				/* what is accepted is exactly what is published */
	bool all;				/* settings or local accounts are others than at the last judging */
};

/* Numbers or ids. */
struct judge_list {
	uint32_t *list;			/* owned */
	uint32_t count, room;
};

struct judging {
	struct register_book *book;		/* borrowed, like all of the next four */
	struct register_edit *edit;
	struct judge_in in;
	bool whole;
	struct judge_list queues[REGISTER_KINDS];	/* numbers of the candidates that are judged */
	struct hash_tally newcomers;				/* places of homes of those among them who do not hold theirs */

	/* What came of it. */
	struct judge_list touched[REGISTER_KINDS];	/* not whole: ids of whatever was or is accepted and is not the same */
	const struct user_record **past;	/* owned; users that were accepted and are no more, or not as they were: by */
	uint32_t past_count, past_room;		/* uid; valid until the edit is done */
	struct judge_list fresh;		/* numbers of users that are accepted and were not, or not as they are */
};

/*
 * Make room for everything that judging needs.
 *
 *  edit  prepared, not made; NULL: nothing is edited
 *
 * Returns 0 or -ENOMEM. Free with publisher_judge_done().
 */
int publisher_judge_prepare(struct register_book *book, struct register_edit *edit, const struct judge_in *in,
    struct judging *ret);

/* Make the edit and judge. Cannot fail. */
void publisher_judge_run(struct judging *j);

/* Of the users that are past, the one of a uid; NULL. */
const struct user_record *publisher_judge_past(const struct judging *j, uint32_t uid);

/* What is accepted is now what is published. */
void publisher_judge_settle(struct judging *j);

void publisher_judge_done(struct judging *j);	/* a zeroed struct is fine */

#endif
