/*
 * ber.c - see ber.h. Test programs only.
 */
#include <config.h>

#include "tests/unit/ber.h"

#include <string.h>

#include "tests/unit/suite.h"

void
ber_put(struct ber *b, unsigned char tag, const void *content, size_t len)
{
	ck_assert_uint_le(b->len + 4 + len, BER_ROOM);
	b->bytes[b->len++] = tag;
	b->bytes[b->len++] = 0x82;
	b->bytes[b->len++] = (unsigned char)(len >> 8);
	b->bytes[b->len++] = (unsigned char)len;
	memcpy(b->bytes + b->len, content, len);
	b->len += len;
}

void
ber_text(struct ber *b, const char *text)
{
	ber_put(b, 0x04, text, strlen(text));
}

void
ber_in(struct ber *b, unsigned char tag, const struct ber *content)
{
	ber_put(b, tag, content->bytes, content->len);
}
