/*
 * census_index.c - a multimap with chains, doubled when full (see census_index.h). Directory process.
 */
#include <config.h>

#include "daemon/census_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/siphash.h"

struct census_node {
	uint64_t key;
	uint32_t item, next;		/* next node plus one */
};

int
census_index_init(struct census_index *x)
{
	*x = (struct census_index){ 0 };
	return getrandom(x->secret, sizeof x->secret, 0) == (ssize_t)sizeof x->secret ? 0 : -EIO;
}

void
census_index_done(struct census_index *x)
{
	free(x->heads);
	free(x->nodes);
	*x = (struct census_index){ 0 };
}

uint64_t
census_key(const struct census_index *x, unsigned char kind, const void *bytes, size_t len)
{
	/* The kind goes into the secret: no copy of the bytes is needed. */
	const uint64_t secret[2] = { x->secret[0] + kind, x->secret[1] };

	return siphash13(secret, bytes, len);
}

static uint32_t *
bucket(const struct census_index *x, uint64_t key)
{
	return &x->heads[key & (x->bucket_count - 1)];
}

/* Twice the buckets, every node in its new one. */
static int
grow(struct census_index *x)
{
	size_t count = x->bucket_count == 0 ? 256 : x->bucket_count * 2;
	uint32_t *old = x->heads, *heads;
	size_t old_count = x->bucket_count;

	heads = calloc(count, sizeof *heads);
	if (heads == NULL)
		return -ENOMEM;
	x->heads = heads;
	x->bucket_count = count;
	for (size_t i = 0; i < old_count; i++) {
		for (uint32_t at = old[i], next; at != 0; at = next) {
			struct census_node *n = &x->nodes[at - 1];
			uint32_t *head = bucket(x, n->key);

			next = n->next;
			n->next = *head;
			*head = at;
		}
	}
	free(old);
	return 0;
}

/* A node that is free. Returns it plus one, or 0 without memory. */
static uint32_t
take_node(struct census_index *x)
{
	uint32_t at = x->free_node;
	struct census_node *nodes;

	if (at != 0) {
		x->free_node = x->nodes[at - 1].next;
		return at;
	}
	if (x->used == x->room) {
		size_t room = x->room == 0 ? 256 : x->room + x->room / 2;

		nodes = room < UINT32_MAX ? reallocarray(x->nodes, room, sizeof *nodes) : NULL;
		if (nodes == NULL)
			return 0;
		x->nodes = nodes;
		x->room = room;
	}
	return (uint32_t)++x->used;
}

int
census_index_add(struct census_index *x, uint64_t key, uint32_t item)
{
	uint32_t at, *head;

	if (x->free_node == 0 && x->used >= x->bucket_count && grow(x) < 0)
		return -ENOMEM;
	at = take_node(x);
	if (at == 0)
		return -ENOMEM;
	head = bucket(x, key);
	x->nodes[at - 1] = (struct census_node){ .key = key, .item = item, .next = *head };
	*head = at;
	return 0;
}

void
census_index_remove(struct census_index *x, uint64_t key, uint32_t item)
{
	uint32_t *link = x->bucket_count > 0 ? bucket(x, key) : NULL;

	while (link != NULL && *link != 0) {
		uint32_t at = *link;
		struct census_node *n = &x->nodes[at - 1];

		if (n->key == key && n->item == item) {
			*link = n->next;
			n->next = x->free_node;
			x->free_node = at;
			return;
		}
		link = &n->next;
	}
}

uint32_t
census_index_next(const struct census_index *x, uint64_t key, uint32_t *at)
{
	uint32_t node = *at != 0 ? x->nodes[*at - 1].next : x->bucket_count > 0 ? *bucket(x, key) : 0;

	while (node != 0 && x->nodes[node - 1].key != key)
		node = x->nodes[node - 1].next;
	*at = node;
	return node != 0 ? x->nodes[node - 1].item + 1 : 0;
}
