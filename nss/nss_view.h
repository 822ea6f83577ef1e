/*
 * nss_view.h - the process's current mapping of the snapshot.
 *
 * A lookup enters, reads, leaves. While the epoch stands still that is a few loads, and in a process with threads two
 * atomic additions on a cache line of the thread's own: no system call, no lock, no descriptor.
 */
#ifndef ISMS_NSS_VIEW_H
#define ISMS_NSS_VIEW_H

#include <stdint.h>

#include "common/snapshot.h"

struct nss_view {
	struct snapshot snapshot;	/* valid until nss_view_leave() */
	_Atomic uint32_t *readers;	/* our count, or NULL: the mapping is this lookup's own */
};

/*
 * Take the current snapshot, a newer one than before if there is one.
 *
 * Returns 0, or -errno while there is none: then the file is tried again at most once a second. A fault
 * of the file has been reported, also when an older mapping serves on. errno stays as it is.
 */
int nss_view_enter(struct nss_view *ret);

/* Give it back; the view's pointers are dead from then on. */
void nss_view_leave(struct nss_view *view);

/*
 * The lock of enumeration, which forks unlocked. Returns 0, or -errno without memory.
 */
int nss_view_lock(void);
void nss_view_unlock(void);

#endif
