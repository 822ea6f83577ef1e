/*
 * entry_pack.c - packs and unpacks entries (see entry_pack.h). Directory process.
 *
 * A block: whether the entry waits, its DN, and its attributes, each with its name, the number of its values, and them.
 * A name is its number of attributes.def, or 0 and the name. Numbers have seven bits a byte, what has a length stands
 * behind it. Another form is another FORM of replica_store.c, which keeps blocks.
 */
#include <config.h>

#include "daemon/entry_pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NUMBER_BYTES 10		/* of the longest one */

/* ---- names ---- */

static const char *const names[] = {
#define ATTRIBUTE(number, name) [number] = name,
#include "common/attributes.def"
#undef ATTRIBUTE
};
#define NAMES (sizeof names / sizeof names[0])

#define BUCKETS 256u
static uint8_t first_of[BUCKETS], next_of[NAMES];	/* numbers of a bucket, one after the other */
_Static_assert(NAMES <= UINT8_MAX, "a number is a byte");

static unsigned
bucket_of(const char *name, size_t len)
{
	return len == 0 ? 0 : (unsigned)(len * 31 + (unsigned char)name[0] * 7u + (unsigned char)name[len - 1]) % BUCKETS;
}

/* Before main(): there are no threads yet that ask. */
static void __attribute__((constructor))
sort_names(void)
{
	for (size_t n = 1; n < NAMES; n++) {
		uint8_t *first = names[n] != NULL ? &first_of[bucket_of(names[n], strlen(names[n]))] : NULL;

		if (first == NULL)
			continue;
		next_of[n] = *first;
		*first = (uint8_t)n;
	}
}

/* The number of a name that is written as in the table; else 0. */
static unsigned
number_of(const char *name, size_t len)
{
	unsigned n = first_of[bucket_of(name, len)];

	while (n != 0 && strcmp(names[n], name) != 0)
		n = next_of[n];
	return n;
}

bool
entry_pack_is_member(const char *attribute)
{
	return (attribute[0] | 0x20) == 'm' &&
	    (strcasecmp(attribute, "member") == 0 || strcasecmp(attribute, "memberUid") == 0);
}

/* ---- packing ---- */

static uint8_t *
put_number(uint8_t *to, uint64_t n)
{
	for (; n >= 0x80; n >>= 7)
		*to++ = (uint8_t)(n | 0x80);
	*to++ = (uint8_t)n;
	return to;
}

static uint8_t *
put_bytes(uint8_t *to, const void *bytes, size_t len)
{
	to = put_number(to, len);
	memcpy(to, bytes, len);
	return to + len;
}

static uint8_t *
put_attribute(uint8_t *to, const struct attribute *a)
{
	size_t len = strlen(a->name);
	unsigned number = number_of(a->name, len);

	to = put_number(to, number);
	if (number == 0)
		to = put_bytes(to, a->name, len);
	to = put_number(to, a->count);
	for (size_t i = 0; i < a->count; i++)
		to = put_bytes(to, a->values[i].bytes, a->values[i].len);
	return to;
}

static uint8_t *
put_attributes(uint8_t *to, const struct entry *e, bool members)
{
	for (size_t i = 0; i < e->count; i++)
		if (entry_pack_is_member(e->attributes[i].name) == members)
			to = put_attribute(to, &e->attributes[i]);
	return to;
}

static size_t
size_max(const struct entry *e)
{
	size_t size = 1 + NUMBER_BYTES + strlen(e->dn);

	for (size_t i = 0; i < e->count; i++) {
		size += 3 * NUMBER_BYTES + strlen(e->attributes[i].name);
		for (size_t k = 0; k < e->attributes[i].count; k++)
			size += NUMBER_BYTES + e->attributes[i].values[k].len;
	}
	return size;
}

/* It is broken for its size, and must be seen to be so. */
static bool
is_odd(const struct entry *e)
{
	for (size_t i = 0; i < e->count; i++)
		for (size_t k = 0; entry_pack_is_member(e->attributes[i].name) && k < e->attributes[i].count; k++)
			if (e->attributes[i].values[k].len > ENTRY_VALUE_MAX)
				return true;
	return e->count >= ENTRY_ATTRIBUTES_MAX;
}

uint8_t *
entry_pack(const struct entry *e, size_t *ret_size, size_t *ret_head)
{
	uint8_t *block = malloc(size_max(e)), *to = block;

	if (block == NULL)
		return NULL;
	*to++ = e->waits ? 1 : 0;
	to = put_bytes(to, e->dn, strlen(e->dn));
	to = put_attributes(to, e, false);
	*ret_head = (size_t)(to - block);
	to = put_attributes(to, e, true);
	*ret_size = (size_t)(to - block);
	if (is_odd(e))
		*ret_head = *ret_size;
	return block;
}

/* ---- unpacking ---- */

struct block {
	const uint8_t *at, *end;
};

static bool
take_number(struct block *b, uint64_t *ret)
{
	*ret = 0;
	for (unsigned shift = 0; b->at < b->end && shift < 64; shift += 7) {
		*ret |= (uint64_t)(*b->at & 0x7f) << shift;
		if ((*b->at++ & 0x80) == 0)
			return true;
	}
	return false;
}

static bool
take_bytes(struct block *b, const char **ret, size_t *ret_len)
{
	uint64_t len;

	if (!take_number(b, &len) || len > (uint64_t)(b->end - b->at))
		return false;
	*ret = (const char *)b->at;
	*ret_len = (size_t)len;
	b->at += len;
	return true;
}

#define TEXT_MAX 512		/* bytes of a DN or a name that need no memory of their own */

/*
 * A string, in buf, or for a long one in memory that ret_owned is.
 *
 * Returns 0, -ENOMEM or -EBADMSG.
 */
static int
take_string(struct block *b, char buf[static TEXT_MAX], const char **ret, char **ret_owned)
{
	const char *bytes;
	size_t len;

	*ret_owned = NULL;
	if (!take_bytes(b, &bytes, &len) || memchr(bytes, '\0', len) != NULL)
		return -EBADMSG;
	if (len >= TEXT_MAX) {
		*ret = *ret_owned = strndup(bytes, len);
		return *ret != NULL ? 0 : -ENOMEM;
	}
	memcpy(buf, bytes, len);
	buf[len] = '\0';
	*ret = buf;
	return 0;
}

/* How many values there are: each has a byte at least. */
static bool
take_count(struct block *b, uint64_t *ret)
{
	return take_number(b, ret) && *ret <= (uint64_t)(b->end - b->at);
}

/* An attribute whose name stands in the block, and how many values of it come. Returns 0, -ENOMEM or -EBADMSG. */
static int
take_written(struct block *b, struct entry *e, struct attribute **ret, uint64_t *ret_count)
{
	char buf[TEXT_MAX], *owned;
	const char *name;
	int r = take_string(b, buf, &name, &owned);

	if (r == 0 && !take_count(b, ret_count))
		r = -EBADMSG;
	*ret = r == 0 ? entry_need(e, name, (size_t)*ret_count) : NULL;
	free(owned);
	return r == 0 && *ret == NULL ? -ENOMEM : r;
}

static int
take_attribute(struct block *b, struct entry *e)
{
	struct attribute *a;
	uint64_t number, count;
	const char *bytes;
	size_t len, before = e->count;
	int r = 0;

	if (!take_number(b, &number) || number >= NAMES || (number != 0 && names[number] == NULL))
		return -EBADMSG;
	if (number == 0) {
		r = take_written(b, e, &a, &count);
	} else if (!take_count(b, &count)) {
		r = -EBADMSG;
	} else {
		a = entry_need_lasting(e, names[number], (size_t)count);
		r = a != NULL ? 0 : -ENOMEM;
	}
	if (r == 0 && e->count == before)	/* it was there already: nobody packs one twice */
		r = -EBADMSG;
	for (; r == 0 && count > 0; count--)
		r = take_bytes(b, &bytes, &len) ? entry_append(e, a, bytes, len) : -EBADMSG;
	return r;
}

/* Attributes and values that stand in a block; what is wrong with it, taking them will tell. */
struct content {
	size_t attributes, values;
};

static struct content
count_content(struct block b)
{
	struct content c = { 0 };
	const char *bytes;
	uint64_t number, count;
	size_t len;

	while (b.at < b.end && take_number(&b, &number) && (number != 0 || take_bytes(&b, &bytes, &len)) &&
	    take_number(&b, &count)) {
		c.attributes++;
		for (; count > 0 && take_bytes(&b, &bytes, &len); count--)
			c.values++;
	}
	return c;
}

int
entry_unpack(const uint8_t *block, size_t size, struct arena_pool *pool, struct entry **ret)
{
	struct block b = { .at = block, .end = block + size };
	struct content content;
	struct entry *e = NULL;
	char buf[TEXT_MAX], *owned;
	const char *dn;
	int r;

	if (size == 0 || *b.at > 1)
		return -EBADMSG;
	b.at++;
	r = take_string(&b, buf, &dn, &owned);
	if (r < 0)
		return r;
	content = count_content(b);
	errno = 0;			/* what is no DN yields no entry either */
	e = entry_new_of(pool, dn, content.attributes, content.values, size);
	r = e != NULL ? 0 : errno == ENOMEM ? -ENOMEM : -EBADMSG;
	free(owned);
	if (r < 0)
		return r;
	e->waits = *block == 1;
	while (r == 0 && b.at < b.end)
		r = take_attribute(&b, e);
	if (r < 0) {
		entry_free(e);
		return r;
	}
	*ret = e;
	return 0;
}
