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
	_Atomic(const _Atomic uint64_t *) epoch;	/* this slot's mapping of the page; NULL: there was none */
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
static _Atomic(struct shared_page *) shared;	/* wiped on fork */
static _Atomic int64_t next_try_ms;
static _Atomic int last_error = -ENOENT;	/* why there is no current slot */
static _Atomic uint64_t shown;			/* the newest generation that a lookup was given, since the last refresh */

/* The page of counts; made by the first lookup. NULL without memory. */
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

/*
 * Count into the current slot.
 *
 *  fresh  only if it belongs to the present epoch
 *
 * Returns whether *ret holds a snapshot.
 */
static inline __attribute__((always_inline)) bool
enter(struct shared_page *page, bool fresh, struct nss_view *ret)
{
	const _Atomic uint64_t *epoch;
	_Atomic uint32_t *readers;
	uint32_t at = atomic_load(&current), again;
	uint64_t now;

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
	if (fresh) {
		epoch = atomic_load_explicit(&slots[at - 1].epoch, memory_order_relaxed);
		now = epoch == NULL ? 0 : atomic_load_explicit(epoch, memory_order_acquire);
		if (now == 0 || now != atomic_load_explicit(&slots[at - 1].seen, memory_order_relaxed)) {
			leave(readers);
			return false;
		}
	}
	ret->snapshot.base = atomic_load_explicit(&slots[at - 1].base, memory_order_relaxed);
	ret->snapshot.size = atomic_load_explicit(&slots[at - 1].size, memory_order_relaxed);
	ret->snapshot.delta = atomic_load_explicit(&slots[at - 1].delta, memory_order_relaxed);
	ret->snapshot.delta_size = atomic_load_explicit(&slots[at - 1].delta_size, memory_order_relaxed);
	ret->readers = readers;
	return true;
}

/* ---- refresh: one thread at a time; the others do not wait for it ---- */

static bool
slot_idle(struct shared_page *page, unsigned i)
{
	if (i + 1 == atomic_load(&current))
		return false;
	for (unsigned k = 0; k < STRIPES; k++)
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
	const _Atomic uint64_t *epoch = atomic_exchange(&slot->epoch, NULL);
	size_t size = atomic_exchange(&slot->size, 0), delta_size = atomic_exchange(&slot->delta_size, 0);

	if (base != NULL && size != 0 && !is_shared(base))
		(void)munmap((void *)(uintptr_t)base, size);
	if (delta != NULL && delta_size != 0)
		(void)munmap((void *)(uintptr_t)delta, delta_size);
	if (epoch != NULL)
		(void)munmap((void *)(uintptr_t)epoch, SNAPSHOT_EPOCH_SIZE);
}

static void
clear_idle(struct shared_page *page)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (atomic_load(&slots[i].base) != NULL && slot_idle(page, i))
			slot_clear(&slots[i]);
}

/* Map the epoch page; NULL if there is none to be trusted. */
static const _Atomic uint64_t *
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
renew(struct snapshot_file *ret_file, struct snapshot *ret)
{
	uint32_t at = atomic_load(&current);
	const uint8_t *have = at == 0 ? NULL : atomic_load(&slots[at - 1].base);

	if (at != 0)
		*ret_file = slots[at - 1].file;
	return snapshot_renew(nss_paths()->base, nss_paths()->owner, have, ret_file, ret);
}

/*
 * Map the present state and make it current. The epoch is read first: what is opened after it is at least as
 * new.
 *
 * Returns 0; -EAGAIN when readers sit in all other slots; or what snapshot_renew() says.
 */
static int
refresh(struct shared_page *page, bool *ret_lasting)
{
	const _Atomic uint64_t *epoch;
	struct snapshot_file file = { 0 };
	struct snapshot s;
	uint64_t seen;
	unsigned i;
	int r;

	clear_idle(page);
	for (i = 0; i < SLOTS; i++)
		if (atomic_load(&slots[i].base) == NULL && slot_idle(page, i))
			break;
	if (i == SLOTS)
		return -EAGAIN;
	epoch = map_epoch();
	seen = epoch == NULL ? 0 : atomic_load_explicit(epoch, memory_order_acquire);
	r = renew(&file, &s);
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
	clear_idle(page);
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
	int64_t now = now_ms();
	bool lasting = false;
	int r;

	if (now < atomic_load(&next_try_ms))
		return 0;
	if (atomic_exchange(&page->refreshing, true))
		return -EBUSY;
	r = refresh(page, &lasting);
	if (r != -EAGAIN) {
		/* With a live epoch the next change is seen at once; else the path is the only news, once a second. */
		atomic_store(&next_try_ms, r == 0 && lasting ? 0 : now + RETRY_MS);
		atomic_store(&last_error, r);
	}
	atomic_store(&page->refreshing, false);
	return r;
}

/* Map for one lookup alone. */
static int
enter_alone(struct nss_view *ret)
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
	if (!tried && snapshot_generation(&ret->snapshot) < atomic_load(&shown) && enter_alone(&newer) == 0) {
		leave(ret->readers);
		*ret = newer;
	}
	return true;
}

static int
enter_slowly(struct nss_view *ret)
{
	struct shared_page *page = shared_page();
	int r;

	if (page == NULL)
		return -ENOMEM;
	r = try_refresh(page);
	if (r < 0) {		/* there is something newer: no answer may be older than its question */
		r = enter_alone(ret);
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
	struct shared_page *page = atomic_load_explicit(&shared, memory_order_acquire);

	if (__builtin_expect(page != NULL && enter(page, true, ret), 1))
		return 0;
	return enter_guarded(ret);
}

void
nss_view_leave(struct nss_view *view)
{
	int before;

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
