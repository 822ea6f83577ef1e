/*
 * entry_pack.c - packs and unpacks entries (see entry_pack.h). Directory process.
 *
 * A block: whether the entry waits, its DN, and its attributes, each with its name, the number of its values, and them.
 * Numbers have seven bits a byte, what has a length stands behind it.
 */
#include <config.h>

#include "daemon/entry_pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NUMBER_BYTES 10		/* of the longest one */

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
	to = put_bytes(to, a->name, strlen(a->name));
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
		size += 2 * NUMBER_BYTES + strlen(e->attributes[i].name);
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

static int
take_attribute(struct block *b, struct entry *e)
{
	char buf[TEXT_MAX], *owned;
	const char *name, *bytes;
	struct attribute *a;
	uint64_t count;
	size_t len;
	int r = take_string(b, buf, &name, &owned);

	if (r < 0)
		return r;
	if (!take_number(b, &count) || count > (uint64_t)(b->end - b->at)) {
		free(owned);
		return -EBADMSG;
	}
	a = entry_need(e, name, (size_t)count);
	free(owned);
	if (a == NULL)
		return -ENOMEM;
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
	uint64_t count;
	size_t len;

	for (; b.at < b.end && take_bytes(&b, &bytes, &len) && take_number(&b, &count); c.attributes++)
		for (; count > 0 && take_bytes(&b, &bytes, &len); count--)
			c.values++;
	return c;
}

int
entry_unpack(const uint8_t *block, size_t size, struct entry **ret)
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
	e = entry_new_of(dn, content.attributes, content.values, size);
	free(owned);
	if (e == NULL)
		return -ENOMEM;
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
