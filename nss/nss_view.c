/*
 * nss_view.c - which mapping a lookup reads, and when an old one may go.
 *
 * Runs inside every process that resolves a name, in any thread, after any fork. Never waits, never keeps
 * a descriptor, uses no thread-local storage, no atfork handler, no destructor.
 *
 * Slots hold states: a base, which slots share as long as its file stays the same, and a delta of their own.
 * `current` names the one to use. A reader counts itself into the slot and then
 * looks again: if the slot is still current, whoever replaces it later will see the count (all four
 * steps are sequentially consistent). A replaced slot is unmapped once no stripe counts a reader; each
 * slot has its own counts, so readers of the new mapping never hold up the old one's end.
 *
 * Where there is no other thread, a count of its own takes the place of all that: who looks up amid a lookup is a signal
 * handler, which is done before the lookup goes on. One that forks amid a lookup and never comes back, or jumps out
 * of it, leaves a slot that is not used again; amid a refresh, a process whose lookups map for themselves.
 *
 * The counts lie in stripes, two cache lines each (processors fetch the other line of a pair unasked, and would
 * take it from whoever counts there), chosen by the thread's stack, on a page that a forked
 * child finds zeroed: its only thread reads nothing, and holds no lock. The slots themselves are copied
 * by fork like the mappings; they change in an order in which no copy made in between is harmful.
 */
#include <config.h>

#include "nss/nss_view.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#ifdef HAVE_SYS_SINGLE_THREADED_H
#include <sys/single_threaded.h>
#else
#define __libc_single_threaded false
#endif
#include <time.h>
#include <unistd.h>

#include "common/descriptor.h"
#include "nss/nss_answer.h"
#include "nss/nss_paths.h"

#define SLOTS		4
#define STRIPES		31	/* with what else is on it, they fill the page */
#define STRIPE_SIZE	128
#define RETRY_MS	1000

struct slot {
	_Atomic(const uint8_t *) base;	/* NULL: free; perhaps another slot's too */
	_Atomic size_t size;
	_Atomic(const uint8_t *) delta;	/* NULL: there was none */
	_Atomic size_t delta_size;
	struct snapshot_file file;	/* that base was mapped from; for whoever refreshes */
	_Atomic(const struct snapshot_epoch *) epoch;	/* this slot's mapping of the page; NULL: there was none */
	_Atomic uint64_t seen;		/* the epoch that the mapping belongs to */
};

struct shared_page {
	_Atomic bool refreshing;
	pthread_mutex_t enumeration;	/* all zero is PTHREAD_MUTEX_INITIALIZER */
	struct {
		_Alignas(STRIPE_SIZE) _Atomic uint32_t readers[SLOTS];
	} stripes[STRIPES];
};
_Static_assert(sizeof(struct shared_page) <= 4096, "one page");

static struct slot slots[SLOTS];
static _Atomic uint32_t current;		/* slot number plus one; 0: none */
static _Atomic(struct shared_page *) shared;	/* wiped on fork; NULL while there was never another thread */
static _Atomic uint32_t alone[SLOTS];		/* lookups of the only thread that are under way */
static _Atomic bool refreshing_alone;		/* it makes a state current */
static _Atomic int64_t next_try_ms;
static _Atomic int last_error = -ENOENT;	/* why there is no current slot */
static _Atomic uint64_t shown;			/* the newest generation that a lookup was given, since the last refresh */

/* The page of counts; made by the first lookup with other threads. NULL without memory. */
static struct shared_page *
shared_page(void)
{
	struct shared_page *page = atomic_load_explicit(&shared, memory_order_acquire), *other = NULL;
	void *map;

	if (page != NULL)
		return page;
	map = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return NULL;
	if (madvise(map, sizeof *page, MADV_WIPEONFORK) < 0 || !atomic_compare_exchange_strong(&shared, &other, map)) {
		(void)munmap(map, sizeof *page);
		return other;
	}
	return map;
}

/* Threads have stacks far apart; where in its stack a thread is matters little. Neighbours' come far apart, too. */
static inline size_t
stripe(void)
{
	uint64_t at = (uint64_t)(uintptr_t)__builtin_frame_address(0) >> 16;

	return (size_t)((at * 0x9e3779b97f4a7c15u >> 32) * STRIPES >> 32);
}

static inline void
leave(_Atomic uint32_t *readers)
{
	/* In a child that a signal handler forked out of a lookup, the count was wiped meanwhile. */
	if (atomic_fetch_sub(readers, 1) == 0)
		(void)atomic_fetch_add(readers, 1);
}

/* Whether a slot belongs to the present epoch. */
static inline bool
is_fresh(uint32_t at)
{
	const struct snapshot_epoch *epoch = atomic_load_explicit(&slots[at - 1].epoch, memory_order_relaxed);
	uint64_t now = epoch == NULL ? 0 : atomic_load_explicit(&epoch->counter, memory_order_acquire);

	return now != 0 && now == atomic_load_explicit(&slots[at - 1].seen, memory_order_relaxed);
}

static inline void
show(uint32_t at, _Atomic uint32_t *readers, struct nss_view *ret)
{
	ret->snapshot.base = atomic_load_explicit(&slots[at - 1].base, memory_order_relaxed);
	ret->snapshot.size = atomic_load_explicit(&slots[at - 1].size, memory_order_relaxed);
	ret->snapshot.delta = atomic_load_explicit(&slots[at - 1].delta, memory_order_relaxed);
	ret->snapshot.delta_size = atomic_load_explicit(&slots[at - 1].delta_size, memory_order_relaxed);
	ret->readers = readers;
}

/* Of the only thread: whoever may come in between puts it back as it was, so that no addition has to be atomic. */
static inline void
add_alone(_Atomic uint32_t *count, uint32_t more)
{
	atomic_signal_fence(memory_order_seq_cst);
	atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + more, memory_order_release);
	atomic_signal_fence(memory_order_seq_cst);
}

static inline bool
is_alone(const _Atomic uint32_t *readers)
{
	return readers >= alone && readers < alone + SLOTS;
}

/* enter() of the only thread. */
static inline __attribute__((always_inline)) bool
enter_alone(bool fresh, struct nss_view *ret)
{
	uint32_t at = atomic_load_explicit(&current, memory_order_relaxed), again;

	while (at != 0) {
		add_alone(&alone[at - 1], 1);
		again = atomic_load_explicit(&current, memory_order_relaxed);
		if (again == at)
			break;
		add_alone(&alone[at - 1], (uint32_t)-1);
		at = again;
	}
	if (at == 0)
		return false;
	if (fresh && !is_fresh(at)) {
		add_alone(&alone[at - 1], (uint32_t)-1);
		return false;
	}
	show(at, &alone[at - 1], ret);
	return true;
}

/* enter() beside other threads. */
static inline __attribute__((always_inline)) bool
enter_among(struct shared_page *page, bool fresh, struct nss_view *ret)
{
	_Atomic uint32_t *readers;
	uint32_t at = atomic_load(&current), again;

	while (at != 0) {
		readers = &page->stripes[stripe()].readers[at - 1];
		(void)atomic_fetch_add(readers, 1);
		again = atomic_load(&current);
		if (again == at)
			break;
		leave(readers);
		at = again;
	}
	if (at == 0)
		return false;
	if (fresh && !is_fresh(at)) {
		leave(readers);
		return false;
	}
	show(at, readers, ret);
	return true;
}

/*
 * Into the current slot, and count there.
 *
 *  page   NULL: of the only thread
 *  fresh  only if it belongs to the present epoch
 *
 * Returns whether *ret holds a snapshot.
 */
static bool
enter(struct shared_page *page, bool fresh, struct nss_view *ret)
{
	return page == NULL ? enter_alone(fresh, ret) : enter_among(page, fresh, ret);
}

/* ---- refresh: one thread at a time; the others do not wait for it ---- */

static bool
slot_idle(unsigned i)
{
	struct shared_page *page = atomic_load(&shared);

	if (i + 1 == atomic_load(&current) || atomic_load(&alone[i]) != 0)
		return false;
	for (unsigned k = 0; page != NULL && k < STRIPES; k++)
		if (atomic_load(&page->stripes[k].readers[i]) != 0)
			return false;
	return true;
}

static bool
is_shared(const uint8_t *base)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (atomic_load(&slots[i].base) == base)
			return true;
	return false;
}

/* Forget first, unmap then: a child forked in between has one mapping too many, never a stale pointer. */
static void
slot_clear(struct slot *slot)
{
	const uint8_t *base = atomic_exchange(&slot->base, NULL);
	const uint8_t *delta = atomic_exchange(&slot->delta, NULL);
	const struct snapshot_epoch *epoch = atomic_exchange(&slot->epoch, NULL);
	size_t size = atomic_exchange(&slot->size, 0), delta_size = atomic_exchange(&slot->delta_size, 0);

	if (base != NULL && size != 0 && !is_shared(base))
		(void)munmap((void *)(uintptr_t)base, size);
	if (delta != NULL && delta_size != 0)
		(void)munmap((void *)(uintptr_t)delta, delta_size);
	if (epoch != NULL)
		(void)munmap((void *)(uintptr_t)epoch, SNAPSHOT_EPOCH_SIZE);
}

static void
clear_idle(void)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (atomic_load(&slots[i].base) != NULL && slot_idle(i))
			slot_clear(&slots[i]);
}

/* Map the epoch page; NULL if there is none to be trusted. */
static const struct snapshot_epoch *
map_epoch(void)
{
	void *map = MAP_FAILED;
	struct stat st;
	int fd;

	fd = descriptor_above_stdio(open(nss_paths()->epoch, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == nss_paths()->owner && (st.st_mode & 022) == 0 &&
	    st.st_size == SNAPSHOT_EPOCH_SIZE)
		map = mmap(NULL, SNAPSHOT_EPOCH_SIZE, PROT_READ, MAP_SHARED, fd, 0);
	(void)close(fd);
	return map == MAP_FAILED ? NULL : map;
}

/* Map what lies at the path now; the base of the current slot is taken over if it still is the same file. */
static int
renew(const struct snapshot_epoch *epoch, struct snapshot_file *ret_file, struct snapshot *ret)
{
	uint32_t at = atomic_load(&current);
	const uint8_t *have = at == 0 ? NULL : atomic_load(&slots[at - 1].base);

	if (at != 0)
		*ret_file = slots[at - 1].file;
	return snapshot_renew(nss_paths()->base, nss_paths()->owner, have, ret_file, epoch != NULL ? &epoch->bare : NULL, ret);
}

/*
 * Map the present state and make it current. The epoch is read first: what is opened after it is at least as
 * new.
 *
 * Returns 0; -EAGAIN when readers sit in all other slots; or what snapshot_renew() says.
 */
static int
refresh(bool *ret_lasting)
{
	const struct snapshot_epoch *epoch;
	struct snapshot_file file = { 0 };
	struct snapshot s;
	uint64_t seen;
	unsigned i;
	int r;

	clear_idle();
	for (i = 0; i < SLOTS; i++)
		if (atomic_load(&slots[i].base) == NULL && slot_idle(i))
			break;
	if (i == SLOTS)
		return -EAGAIN;
	epoch = map_epoch();
	seen = epoch == NULL ? 0 : atomic_load_explicit(&epoch->counter, memory_order_acquire);
	r = renew(epoch, &file, &s);
	if (r < 0) {
		if (epoch != NULL)
			(void)munmap((void *)(uintptr_t)epoch, SNAPSHOT_EPOCH_SIZE);
		return r;
	}
	slots[i].file = file;
	atomic_store(&slots[i].seen, seen);
	atomic_store(&slots[i].epoch, epoch);
	atomic_store(&slots[i].size, s.size);
	atomic_store(&slots[i].delta_size, s.delta_size);
	atomic_store(&slots[i].delta, s.delta);
	atomic_store(&slots[i].base, s.base);
	atomic_store(&shown, snapshot_generation(&s));	/* perhaps a lower one: the path says what there is */
	atomic_store(&current, i + 1);
	clear_idle();
	*ret_lasting = seen != 0;
	return 0;
}

static int64_t
now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);	/* no system call */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * Refresh if that is due.
 *
 * Returns 0, also when it was not due; -EAGAIN when readers sit in all slots; -EBUSY when another thread
 * is at it; or what snapshot_renew() says.
 */
static int
try_refresh(struct shared_page *page)
{
	_Atomic bool *refreshing = page != NULL ? &page->refreshing : &refreshing_alone;
	int64_t now = now_ms();
	bool lasting = false;
	int r;

	if (now < atomic_load(&next_try_ms))
		return 0;
	if (atomic_exchange(refreshing, true))
		return -EBUSY;
	r = refresh(&lasting);
	if (r != -EAGAIN) {
		/* With a live epoch the next change is seen at once; else the path is the only news, once a second. */
		atomic_store(&next_try_ms, r == 0 && lasting ? 0 : now + RETRY_MS);
		atomic_store(&last_error, r);
	}
	atomic_store(refreshing, false);
	return r;
}

/* Map for this one lookup. */
static int
enter_own(struct nss_view *ret)
{
	uint64_t before = atomic_load(&shown), now;
	int r = snapshot_open_state(nss_paths()->base, nss_paths()->owner, &ret->snapshot);

	ret->readers = NULL;
	if (r < 0)
		return r;
	now = snapshot_generation(&ret->snapshot);
	while (now > before && !atomic_compare_exchange_weak(&shown, &before, now))
		;
	return 0;
}

/*
 * Into the current slot, newest or not.
 *
 *  tried  what lies at the path has just been tried in vain
 */
static bool
enter_anyway(struct shared_page *page, bool tried, struct nss_view *ret)
{
	struct nss_view newer = { { 0 }, NULL };

	if (!enter(page, false, ret))
		return false;
	/* Some lookup was given a newer one, by itself: what it has learnt, the next one must not forget. */
	if (!tried && snapshot_generation(&ret->snapshot) < atomic_load(&shown) && enter_own(&newer) == 0) {
		nss_view_leave(ret);
		*ret = newer;
	}
	return true;
}

static int
enter_slowly(struct nss_view *ret)
{
	const bool others = !__libc_single_threaded;
	struct shared_page *page = others ? shared_page() : NULL;
	int r;

	if (others && page == NULL)
		return -ENOMEM;
	r = try_refresh(page);
	if (r < 0) {		/* there is something newer: no answer may be older than its question */
		r = enter_own(ret);
		if (r == 0) {
			atomic_store(&next_try_ms, 0);	/* it can be had after all */
			return 0;
		}
		nss_report_fault(r, NULL);
	}
	if (enter_anyway(page, r < 0, ret))
		return 0;
	return r < 0 ? r : atomic_load(&last_error);
}

/* The caller's errno and cancellation stay as they are. */
static __attribute__((noinline)) int
enter_guarded(struct nss_view *ret)
{
	int before = errno, cancel, r;

	/* open() is a cancellation point: a thread that ended in there would leave its marks for ever. */
	(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	ret->snapshot = (struct snapshot){ 0 };
	r = enter_slowly(ret);
	(void)pthread_setcancelstate(cancel, NULL);
	errno = before;
	return r;
}

int
nss_view_enter(struct nss_view *ret)
{
	struct shared_page *page;

	if (__libc_single_threaded) {
		if (__builtin_expect(enter_alone(true, ret), 1))
			return 0;
	} else {
		page = atomic_load_explicit(&shared, memory_order_acquire);
		if (__builtin_expect(page != NULL && enter_among(page, true, ret), 1))
			return 0;
	}
	return enter_guarded(ret);
}

void
nss_view_leave(struct nss_view *view)
{
	int before;

	if (is_alone(view->readers)) {
		add_alone(view->readers, (uint32_t)-1);
		return;
	}
	if (__builtin_expect(view->readers != NULL, 1)) {
		leave(view->readers);
		return;
	}
	before = errno;
	snapshot_close(&view->snapshot);
	errno = before;
}

int
nss_view_lock(void)
{
	struct shared_page *page = shared_page();

	return page == NULL ? -ENOMEM : -pthread_mutex_lock(&page->enumeration);
}

void
nss_view_unlock(void)
{
	(void)pthread_mutex_unlock(&atomic_load(&shared)->enumeration);
}
