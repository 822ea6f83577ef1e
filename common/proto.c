/*
 * proto.c - one interpreter encodes and decodes every message of proto.def.
 *
 * This is the whole parser of bytes that cross a socket of ours (fuzz target: fuzz_proto). It must never
 * read past the frame, never write past a field, and never trust a length. libc only, no allocation.
 */
#include <config.h>

#include "common/proto.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#define MSG(NAME, type, number, sender, state) static const struct field fields_##NAME[] = {
#define U32(NAME, type, field) { FIELD_U32, #field, offsetof(struct type, field), 0 },
#define U64(NAME, type, field) { FIELD_U64, #field, offsetof(struct type, field), 0 },
#define I64(NAME, type, field) { FIELD_U64, #field, offsetof(struct type, field), 0 },
#define STR(NAME, type, field, max) { FIELD_STR, #field, offsetof(struct type, field), max },
#define SECRET(NAME, type, field, max) { FIELD_SECRET, #field, offsetof(struct type, field), max },
#define END(NAME, type) { FIELD_END, NULL, 0, 0 } };
#include "common/proto.def"
#undef MSG
#undef U32
#undef U64
#undef I64
#undef STR
#undef SECRET
#undef END

static const struct message_info messages[] = {
#define MSG(NAME, type, number, sender, state) { MSG_##NAME, #NAME, sender, state, sizeof(struct type), fields_##NAME },
#define U32(...)
#define U64(...)
#define I64(...)
#define STR(...)
#define SECRET(...)
#define END(...)
#include "common/proto.def"
#undef MSG
#undef U32
#undef U64
#undef I64
#undef STR
#undef SECRET
#undef END
};

const struct message_info *
proto_find(uint32_t number)
{
	for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++)
		if ((uint32_t)messages[i].number == number)
			return &messages[i];
	return NULL;
}

/* Append n bytes at *at; 0, or -ENOBUFS where they do not fit. */
static int
put(uint8_t *buf, size_t size, size_t *at, const void *bytes, size_t n)
{
	if (n > size - *at)
		return -ENOBUFS;
	memcpy(buf + *at, bytes, n);
	*at += n;
	return 0;
}

static int
put_field(uint8_t *buf, size_t size, size_t *at, const struct field *f, const uint8_t *from)
{
	uint64_t u64;
	uint32_t u32;
	int r;

	switch (f->kind) {
	case FIELD_U32:
		memcpy(&u32, from, sizeof u32);
		u32 = htole32(u32);
		return put(buf, size, at, &u32, sizeof u32);
	case FIELD_U64:
		memcpy(&u64, from, sizeof u64);
		u64 = htole64(u64);
		return put(buf, size, at, &u64, sizeof u64);
	case FIELD_STR:
	case FIELD_SECRET:
		u32 = (uint32_t)strnlen((const char *)from, f->max);
		r = (int)u32;
		u32 = htole32(u32);
		if (put(buf, size, at, &u32, sizeof u32) < 0)
			return -ENOBUFS;
		return put(buf, size, at, from, (size_t)r);
	case FIELD_END:
		break;
	}
	return -EINVAL;
}

int
proto_encode(const struct message_info *info, const void *msg, uint8_t *buf, size_t size)
{
	uint16_t version = htole16(PROTO_VERSION), number = htole16((uint16_t)info->number);
	size_t at = PROTO_HEADER_SIZE;
	uint32_t length;

	if (size < PROTO_HEADER_SIZE || size > INT32_MAX)
		return -ENOBUFS;
	for (const struct field *f = info->fields; f->kind != FIELD_END; f++) {
		int r = put_field(buf, size, &at, f, (const uint8_t *)msg + f->offset);

		if (r < 0)
			return r;
	}
	length = htole32((uint32_t)(at - PROTO_HEADER_SIZE));
	memcpy(buf, &version, sizeof version);
	memcpy(buf + 2, &number, sizeof number);
	memcpy(buf + 4, &length, sizeof length);
	return (int)at;
}

int
proto_peek(const uint8_t *buf, size_t size, const struct message_info **ret_info)
{
	const struct message_info *info;
	uint16_t version, number;
	uint32_t length;

	if (size < PROTO_HEADER_SIZE)
		return -EBADMSG;
	memcpy(&version, buf, sizeof version);
	memcpy(&number, buf + 2, sizeof number);
	memcpy(&length, buf + 4, sizeof length);
	if (le16toh(version) != PROTO_VERSION || le32toh(length) != size - PROTO_HEADER_SIZE)
		return -EBADMSG;
	info = proto_find(le16toh(number));
	if (info == NULL)
		return -EBADMSG;
	*ret_info = info;
	return 0;
}

/* Take one field off the front of *buf; 0 or -EBADMSG. */
static int
take_field(const struct field *f, const uint8_t **buf, size_t *len, uint8_t *to)
{
	uint64_t u64;
	uint32_t u32;

	if (f->kind == FIELD_U64) {
		if (*len < sizeof u64)
			return -EBADMSG;
		memcpy(&u64, *buf, sizeof u64);
		u64 = le64toh(u64);
		memcpy(to, &u64, sizeof u64);
		*buf += sizeof u64, *len -= sizeof u64;
		return 0;
	}
	if (*len < sizeof u32)
		return -EBADMSG;
	memcpy(&u32, *buf, sizeof u32);
	u32 = le32toh(u32);
	*buf += sizeof u32, *len -= sizeof u32;
	if (f->kind == FIELD_U32) {
		memcpy(to, &u32, sizeof u32);
		return 0;
	}
	if (u32 > f->max || u32 > *len || memchr(*buf, '\0', u32) != NULL)
		return -EBADMSG;
	memcpy(to, *buf, u32);
	to[u32] = '\0';
	*buf += u32, *len -= u32;
	return 0;
}

int
proto_decode(const struct message_info *info, const uint8_t *buf, size_t size, void *ret_msg)
{
	const struct message_info *is;
	size_t len = size - PROTO_HEADER_SIZE;
	int r;

	memset(ret_msg, 0, info->struct_size);
	r = proto_peek(buf, size, &is);
	if (r < 0 || is != info)
		return -EBADMSG;
	buf += PROTO_HEADER_SIZE;
	for (const struct field *f = info->fields; f->kind != FIELD_END; f++) {
		r = take_field(f, &buf, &len, (uint8_t *)ret_msg + f->offset);
		if (r < 0)
			goto refuse;
	}
	if (len == 0)
		return 0;
refuse:
	explicit_bzero(ret_msg, info->struct_size);
	return -EBADMSG;
}
