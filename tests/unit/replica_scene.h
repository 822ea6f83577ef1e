/*
 * replica_scene.h - a replica in a folder of its own, for the tests of it.
 */
#ifndef ISMS_REPLICA_SCENE_H
#define ISMS_REPLICA_SCENE_H

#include "daemon/replica.h"

extern char folder[64], fault[512];
extern struct replica *r;
extern struct entry_heap *heap;		/* NULL: none */
extern struct sync_cookie cookie;	/* of the next apply() */
extern int64_t now_sec;			/* the same */

/* Make the folder and open the replica. in_heap: 1: entries that were told of are in a heap; 0: they stay in memory. */
void begin(int in_heap);
void end(void);
void open_it(const char *origin);
void put(unsigned char id, const char *dn, const char *cn);	/* an entry that is no user */
void remove_user(unsigned char id);	/* of those whose uuid begins with 100 */
void apply(void);
/*
 * Everything that the replica shows, read from the heap where it is there alone; those who are gone first, of one DN the
 * first alone. ret: entries_done().
 */
void shown(struct entries *ret);

#endif
