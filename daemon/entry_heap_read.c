/*
 * entry_heap_read.c - reads entries of the heap, one or many (see entry_heap.h).
 *
 * Directory process, any thread. Whatever is read is compared with the keyed hash of what was written.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/siphash.h"
#include "daemon/entry_heap_parts.h"
#include "daemon/entry_pack.h"

#define WINDOW		((size_t)64 << 10)	/* bytes read ahead */

static int
read_at(int fd, uint8_t *bytes, size_t size, uint64_t at)
{
	while (size > 0) {
		ssize_t n = pread(fd, bytes, size, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EIO;
		bytes += n;
		size -= (size_t)n;
		at += (uint64_t)n;
	}
	return 0;
}

/* Bytes of a block from its beginning. The number is held, so that nobody writes there. */
static int
read_block(struct entry_heap *h, const struct spot *spot, uint8_t *to, size_t size)
{
	if ((spot->at & IN_MEMORY) != 0) {
		memcpy(to, (const void *)(uintptr_t)(spot->at & ~IN_MEMORY), size);
		return 0;
	}
	(void)pthread_mutex_lock(&h->lock);
	if (spot->at >= h->end) {
		memcpy(to, h->pending + (spot->at - h->end), size);
		(void)pthread_mutex_unlock(&h->lock);
		return 0;
	}
	(void)pthread_mutex_unlock(&h->lock);
	return read_at(h->fd, to, size, spot->at);
}

static struct spot
look(struct entry_heap *h, uint32_t number)
{
	struct spot spot;

	(void)pthread_mutex_lock(&h->lock);
	spot = *spot_of(h, number);
	(void)pthread_mutex_unlock(&h->lock);
	return spot;
}

/* How much of a block is read at first: small ones whole. */
static size_t
first_size(const struct spot *spot, bool members)
{
	return members || spot->size <= 1024 ? spot->size : 1024;
}

/* Read at least the head of a block. Returns its size without what stands before it, or -errno. */
static ssize_t
read_entry(struct entry_heap *h, const struct spot *spot, bool members, uint8_t **ret)
{
	size_t size = first_size(spot, members), head;
	uint8_t *bytes = malloc(size), *more;
	uint32_t head_size;
	uint64_t check;
	int r = bytes != NULL ? read_block(h, spot, bytes, size) : -ENOMEM;

	*ret = bytes;
	if (r < 0)
		return r;
	memcpy(&head_size, bytes, sizeof head_size);
	memcpy(&check, bytes + sizeof head_size, sizeof check);
	head = head_size;
	if (head > spot->size - HEAD_SIZE)
		return -EIO;
	if (size < HEAD_SIZE + head) {
		size = HEAD_SIZE + head;
		more = realloc(bytes, size);
		if (more == NULL)
			return -ENOMEM;
		*ret = bytes = more;
		r = read_block(h, spot, bytes, size);
		if (r < 0)
			return r;
	}
	if (members || size == spot->size)
		return siphash13(h->secret, bytes, size) != spot->check ? -EIO :
		    (ssize_t)(members ? size - HEAD_SIZE : head);
	return siphash13(h->secret, bytes + HEAD_SIZE, head) == check ? (ssize_t)head : -EIO;
}

/* What was written is not there: whoever watches hears of it. */
static int
damaged(struct entry_heap *h)
{
	const uint64_t one = 1;

	(void)!write(h->damage_fd, &one, sizeof one);
	return -EIO;
}

int
entry_heap_get(struct entry_heap *h, uint32_t number, bool members, struct entry **ret)
{
	struct spot spot = look(h, number);
	uint8_t *bytes;
	ssize_t size = read_entry(h, &spot, members, &bytes);
	int r = size < 0 ? (int)size : entry_unpack(bytes + HEAD_SIZE, (size_t)size, NULL, ret);

	free(bytes);
	return r == -EBADMSG || r == -EIO ? damaged(h) : r;
}

/* Bytes of the file from a place on, as many as there are. Returns whether they were read. */
static bool
fill(struct entry_heap *h, struct entry_window *w, uint64_t at)
{
	uint64_t end;
	ssize_t n;

	(void)pthread_mutex_lock(&h->lock);
	end = h->end;
	(void)pthread_mutex_unlock(&h->lock);
	if (at >= end)
		return false;		/* it waits to be written */
	if (w->bytes == NULL)
		w->bytes = malloc(WINDOW);
	if (w->bytes == NULL)
		return false;
	w->at = at;
	w->size = 0;
	n = pread(h->fd, w->bytes, end - at < WINDOW ? (size_t)(end - at) : WINDOW, (off_t)at);
	w->size = n > 0 ? (size_t)n : 0;
	return n > 0;
}

/* A block in the window, as it should be; NULL: it is not there. What was written since it was filled is none. */
static const uint8_t *
find_in(const struct entry_heap *h, const struct entry_window *w, const struct spot *spot)
{
	const uint8_t *bytes;

	if (spot->at < w->at || spot->at - w->at > w->size || spot->size > w->size - (spot->at - w->at))
		return NULL;
	bytes = w->bytes + (spot->at - w->at);
	return siphash13(h->secret, bytes, spot->size) == spot->check ? bytes : NULL;
}

/*
 * A block that is read ahead, or with others that come after it; NULL: it is to be read alone. Who jumps reads nothing
 * ahead: it would be a window for each entry.
 */
static const uint8_t *
read_ahead(struct entry_heap *h, struct entry_window *w, const struct spot *spot)
{
	const uint8_t *bytes = find_in(h, w, spot);
	bool follows = spot->at >= w->next && spot->at - w->next < WINDOW;

	w->next = spot->at + spot->size;
	return bytes == NULL && follows && fill(h, w, spot->at) ? find_in(h, w, spot) : bytes;
}

int
entry_heap_next_block(struct entry_heap *h, struct entry_window *w, uint32_t number, const uint8_t **ret,
    size_t *ret_size)
{
	const struct spot spot = look(h, number);
	const uint8_t *bytes = NULL;
	ssize_t size = 0;

	if ((spot.at & IN_MEMORY) == 0 && spot.size <= WINDOW)
		bytes = read_ahead(h, w, &spot);
	if (bytes == NULL) {
		free(w->alone);
		size = read_entry(h, &spot, true, &w->alone);
		bytes = w->alone;
	}
	if (size < 0)
		return size == -EIO ? damaged(h) : (int)size;
	*ret = bytes + HEAD_SIZE;
	*ret_size = spot.size - HEAD_SIZE;
	return 0;
}

int
entry_heap_next(struct entry_heap *h, struct entry_window *w, uint32_t number, struct entry **ret)
{
	const uint8_t *block;
	size_t size;
	int r = entry_heap_next_block(h, w, number, &block, &size);

	if (r == 0)
		r = entry_unpack(block, size, &w->pool, ret);
	return r == -EBADMSG ? damaged(h) : r;
}

void
entry_window_done(struct entry_window *w)
{
	free(w->bytes);
	free(w->alone);
	arena_pool_done(&w->pool);
	*w = (struct entry_window){ 0 };
}

bool
entry_heap_is(struct entry_heap *h, uint32_t number, const struct entry *e)
{
	struct spot spot = look(h, number);
	size_t size = 0;
	uint8_t *block = entry_heap_make_block(h, e, &size);
	bool is = block != NULL && size == spot.size && siphash13(h->secret, block, size) == spot.check;

	free(block);
	return is;
}
