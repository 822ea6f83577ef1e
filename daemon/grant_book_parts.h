/*
 * grant_book_parts.h - what the files of the grant book share. Nobody else includes it.
 */
#ifndef ISMS_GRANT_BOOK_PARTS_H
#define ISMS_GRANT_BOOK_PARTS_H

#include "daemon/grant_book.h"
#include "daemon/grant_parties.h"

/* One grant's entry; several states hold it. */
struct grant_slot {
	unsigned refs;
	uint8_t id[ENTRY_ID_SIZE];
	struct entry *e;		/* one reference */
	struct grant g;
	bool readable;
	char fault[GRANT_FAULT_SIZE];	/* why it is not */
};

struct grant_judged {
	struct grant_slot *slot;	/* one reference */
	bool good, active;
	struct grant_window window;	/* of a good one */
	char user_name[33], group_name[33], member_id[65];
	struct grant_reach *reach;	/* one reference; of a good one */
	char fault[GRANT_FAULT_SIZE];
};

/* What grants make of a group; its entry in the directory is the base of the same place. */
struct grant_overlay {
	char **members;			/* owned, the texts borrowed from slots; sorted, each once */
	size_t count;
};

struct grant_state {
	struct grant_judged *list;	/* owned; sorted by id */
	size_t count;
	int64_t judged_utc_sec;		/* 0: never */
	int64_t next_utc_sec;
	uint64_t *watched;		/* owned; sorted hashes of DNs and ids whose change matters */
	size_t watch_count;
	uint64_t *nested;		/* owned; sorted hashes of DNs: who gets such a member matters, too */
	size_t nested_count;
	struct party_base *bases;	/* owned, with one reference to each entry; sorted by id */
	struct grant_overlay *overlays;	/* owned */
	size_t overlay_count;		/* of both */
};

struct grant_book {
	struct grant_state now, next, past;	/* past: before the last commit, when that judged */
	bool staged, begun, told_begun;
	struct grant_loss *losses, *fresh;	/* owned; the first sorted by member and time */
	size_t loss_count, fresh_count;
};

/* grant_list.c: the grant of an id, or NULL. */
struct grant_judged *grant_state_find(const struct grant_state *s, const uint8_t id[ENTRY_ID_SIZE]);
/*
 * Those that are left of before, with what changes say of them and of new ones; of one id the last change counts.
 *
 *  to  zeroed; what is in it is freed by the caller, also after a failure
 *
 * Returns 0 or -errno: an entry cannot be read.
 */
int grant_state_list(const struct grant_state *before, const struct entry_changes *changes, const char *nbase,
    struct grant_state *to);
/* One holder of a slot less. NULL is fine. */
void grant_slot_unref(struct grant_slot *s);

/* grant_overlay.c: what the active ones make of groups. Returns 0 or -ENOMEM. */
int grant_overlays_make(struct grant_state *s, const struct parties *parties);
/*
 * Add to changes what differs from before in the census: groups with other members by grants, or another entry.
 *
 * Returns 0 or -ENOMEM.
 */
int grant_overlays_tell(const struct grant_state *before, const struct grant_state *now, const struct parties *parties,
    struct entry_changes *changes);
void grant_overlays_done(struct grant_state *s);

#endif
