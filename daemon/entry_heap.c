/*
 * entry_heap.c - entries in a file without a name, or packed in memory (see entry_heap.h).
 *
 * Directory process, any thread. Each number has a spot: where the block is, how long it is, and a keyed hash of it,
 * which is compared at every reading: a disk that says otherwise yields nobody. New blocks are written many at a time,
 * what is free is used again for blocks of about its size, and what cannot be written stays in memory.
 */
#include <config.h>

#include "daemon/entry_heap_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/siphash.h"
#include "daemon/entry_pack.h"

#define BLOCK_MAX	((size_t)256 << 20)
#define PENDING		((size_t)256 << 10)	/* bytes written at a time */
#define FILE_MAX	(UINT64_C(8) << 30)	/* bytes: what is held and gathered, and as much again between */
#define GRAIN		32u			/* bytes between the sizes of small places */
#define GRAINS		32u			/* of them; larger places are an eighth larger than the one before, or less */

/* ---- sizes ---- */

static unsigned
class_of(size_t size, size_t *ret_size)
{
	size_t there = GRAIN * GRAINS, step = there / 8;
	unsigned class = GRAINS;

	if (size <= there) {
		*ret_size = (size + GRAIN - 1) / GRAIN * GRAIN;
		return (unsigned)(*ret_size / GRAIN) - 1;
	}
	for (;; class++) {
		if ((class - GRAINS) % 8 == 0)
			step = there / 8;
		there += step;
		if (there >= size)
			break;
	}
	*ret_size = there;
	return class;
}

/* ---- spots; under the lock ---- */

static int
add_slab(struct entry_heap *h)
{
	struct spot **slabs, *slab;

	if (h->slab_count >= UINT32_MAX / SLAB - 1)
		return -ENOMEM;
	slabs = reallocarray(h->slabs, h->slab_count + 1, sizeof(struct spot *));
	if (slabs == NULL)
		return -ENOMEM;
	h->slabs = slabs;
	slab = calloc(SLAB, sizeof *slab);
	if (slab == NULL)
		return -ENOMEM;
	h->slabs[h->slab_count++] = slab;
	for (uint32_t i = SLAB; i > 0; i--) {
		slab[i - 1].at = h->free_spot;
		h->free_spot = (h->slab_count - 1) * SLAB + i;
	}
	return 0;
}

static uint32_t
take_spot(struct entry_heap *h)
{
	uint32_t number;

	if (h->free_spot == ENTRY_NOWHERE && add_slab(h) < 0)
		return ENTRY_NOWHERE;
	number = h->free_spot;
	h->free_spot = (uint32_t)spot_of(h, number)->at;
	h->held++;
	return number;
}

static void
give_spot(struct entry_heap *h, uint32_t number)
{
	*spot_of(h, number) = (struct spot){ .at = h->free_spot };
	h->free_spot = number;
	h->held--;
}

/* ---- the file; under the lock ---- */

static int
open_file(const char *folder)
{
	char path[PATH_MAX + 16];
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || errno != EOPNOTSUPP)
		return fd;
	(void)snprintf(path, sizeof path, "%s/entries.tmp", folder);
	(void)unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	(void)unlink(path);
	return fd;
}

static int
write_at(int fd, const uint8_t *bytes, size_t size, uint64_t at)
{
	while (size > 0) {
		ssize_t n = pwrite(fd, bytes, size, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		bytes += n;
		size -= (size_t)n;
		at += (uint64_t)n;
	}
	return 0;
}

/* What is pending goes into the file. Where it does not, it stays, and the file grows no more. */
static void
flush(struct entry_heap *h)
{
	if (h->pending_size > 0 && write_at(h->fd, h->pending, h->pending_size, h->end) < 0) {
		h->full = true;
		return;
	}
	h->end += h->pending_size;
	h->pending_size = 0;
}

/* Append to the file. Returns false: memory has to do. */
static bool
append(struct entry_heap *h, const uint8_t *bytes, size_t size, size_t place, uint64_t *ret_at)
{
	if (place > PENDING - h->pending_size && !h->full)
		flush(h);
	if (h->full || h->end + h->pending_size + place > FILE_MAX)
		return false;
	*ret_at = h->end + h->pending_size;
	if (place > PENDING) {
		if (write_at(h->fd, bytes, size, h->end) < 0)
			return false;
		h->end += place;
		return true;
	}
	memcpy(h->pending + h->pending_size, bytes, size);
	memset(h->pending + h->pending_size + size, 0, place - size);
	h->pending_size += place;
	return true;
}

/* Into the file, in a free place or behind it. */
static bool
write_block(struct entry_heap *h, const uint8_t *bytes, size_t size, uint64_t *ret_at)
{
	size_t place;
	struct places *p = &h->places[class_of(size, &place)];

	if (!h->opened) {
		h->opened = true;
		h->fd = open_file(h->folder);
		h->pending = h->fd >= 0 ? malloc(PENDING) : NULL;
		h->full = h->pending == NULL;
	}
	if (h->fd < 0)
		return false;
	if (p->count == 0)
		return append(h, bytes, size, place, ret_at);
	*ret_at = p->list[p->count - 1];
	if (*ret_at >= h->end)		/* not written yet */
		memcpy(h->pending + (*ret_at - h->end), bytes, size);
	else if (write_at(h->fd, bytes, size, *ret_at) < 0)
		return false;
	p->count--;
	return true;
}

/* A block's place is free. One that cannot be noted is lost to the file. */
static void
give_place(struct entry_heap *h, uint64_t at, size_t size)
{
	size_t place;
	struct places *p = &h->places[class_of(size, &place)];

	if (p->count == p->room) {
		size_t room = p->room == 0 ? 16 : p->room * 2;
		uint64_t *list = reallocarray(p->list, room, sizeof *list);

		if (list == NULL)
			return;
		p->list = list;
		p->room = room;
	}
	p->list[p->count++] = at;
}

/* Nobody holds anything: the file begins anew, whatever a server has filled it with. */
static void
empty(struct entry_heap *h)
{
	for (unsigned i = 0; i < CLASSES; i++) {
		free(h->places[i].list);
		h->places[i] = (struct places){ 0 };
	}
	h->pending_size = 0;
	if (h->fd < 0 || ftruncate(h->fd, 0) < 0)
		return;			/* its end stays where it is: no place is given twice */
	h->end = 0;
	h->full = false;
}

/* ---- the heap ---- */

int
entry_heap_new(const char *folder, struct entry_heap **ret)
{
	struct entry_heap *h = calloc(1, sizeof *h);

	if (h == NULL)
		return -ENOMEM;
	if (getrandom(h->secret, sizeof h->secret, 0) != (ssize_t)sizeof h->secret) {
		free(h);
		return -EIO;
	}
	h->damage_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (h->damage_fd < 0) {
		free(h);
		return -EMFILE;
	}
	(void)pthread_mutex_init(&h->lock, NULL);
	(void)snprintf(h->folder, sizeof h->folder, "%s", folder != NULL ? folder : "");
	h->opened = folder == NULL;
	h->fd = -1;
	*ret = h;
	return 0;
}

void
entry_heap_free(struct entry_heap *h)
{
	if (h == NULL)
		return;
	for (uint32_t i = 0; i < h->slab_count * SLAB; i++) {
		struct spot *spot = spot_of(h, i + 1);

		if (spot->refs > 0 && (spot->at & IN_MEMORY) != 0)
			free((void *)(uintptr_t)(spot->at & ~IN_MEMORY));
	}
	for (uint32_t i = 0; i < h->slab_count; i++)
		free(h->slabs[i]);
	for (unsigned i = 0; i < CLASSES; i++)
		free(h->places[i].list);
	free(h->slabs);
	free(h->pending);
	if (h->fd >= 0)
		(void)close(h->fd);
	(void)close(h->damage_fd);
	(void)pthread_mutex_destroy(&h->lock);
	free(h);
}

int
entry_heap_damage_fd(const struct entry_heap *h)
{
	return h->damage_fd;
}

uint8_t *
entry_heap_make_block(const struct entry_heap *h, const struct entry *e, size_t *ret_size)
{
	size_t size, head;
	uint8_t *block = entry_pack(e, &size, &head), *all = NULL;
	uint32_t head_size;
	uint64_t check;

	if (block != NULL && size <= BLOCK_MAX)
		all = malloc(HEAD_SIZE + size);
	if (all != NULL) {
		head_size = (uint32_t)head;
		check = siphash13(h->secret, block, head);
		memcpy(all, &head_size, sizeof head_size);
		memcpy(all + sizeof head_size, &check, sizeof check);
		memcpy(all + HEAD_SIZE, block, size);
		*ret_size = HEAD_SIZE + size;
	}
	free(block);
	return all;
}

uint32_t
entry_heap_put(struct entry_heap *h, const struct entry *e)
{
	struct spot spot = { .refs = 1 };
	uint32_t number;
	size_t size;
	uint8_t *block = entry_heap_make_block(h, e, &size);

	if (block == NULL)
		return ENTRY_NOWHERE;
	spot.size = (uint32_t)size;
	spot.check = siphash13(h->secret, block, size);
	(void)pthread_mutex_lock(&h->lock);
	number = take_spot(h);
	if (number != ENTRY_NOWHERE && !write_block(h, block, size, &spot.at)) {
		spot.at = IN_MEMORY | (uint64_t)(uintptr_t)block;
		block = NULL;		/* now owned by the spot */
	}
	if (number != ENTRY_NOWHERE)
		*spot_of(h, number) = spot;
	(void)pthread_mutex_unlock(&h->lock);
	free(block);
	return number;
}

void
entry_heap_hold(struct entry_heap *h, uint32_t number)
{
	if (number == ENTRY_NOWHERE)
		return;
	(void)pthread_mutex_lock(&h->lock);
	spot_of(h, number)->refs++;
	(void)pthread_mutex_unlock(&h->lock);
}

void
entry_heap_drop(struct entry_heap *h, uint32_t number)
{
	struct spot *spot;

	if (number == ENTRY_NOWHERE)
		return;
	(void)pthread_mutex_lock(&h->lock);
	spot = spot_of(h, number);
	if (--spot->refs == 0) {
		if ((spot->at & IN_MEMORY) != 0)
			free((void *)(uintptr_t)(spot->at & ~IN_MEMORY));
		else
			give_place(h, spot->at, spot->size);
		give_spot(h, number);
		if (h->held == 0)
			empty(h);
	}
	(void)pthread_mutex_unlock(&h->lock);
}
