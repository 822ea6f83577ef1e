/*
 * test_proto.c - the wire format: golden bytes of every message, and every way to spoil a frame.
 *
 * The golden frames are the fuzzer's seeds, tests/fuzz/corpus/proto/NAME. A change of them is a change of the
 * protocol: raise PROTO_VERSION, then write them anew with ISMS_WRITE_GOLDEN=1 ./test_proto.
 */
#include <config.h>

#include "common/proto.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

#define NUMBERS_MAX 128

static const struct message_info *infos[NUMBERS_MAX];
static int info_count;

static void
collect(void)
{
	for (uint32_t n = 0; n < 65536; n++) {
		if (proto_find(n) == NULL)
			continue;
		if (info_count == NUMBERS_MAX)
			abort();
		infos[info_count++] = proto_find(n);
	}
}

/* Each field gets a value of its own: text its name, an integer its place. */
static void *
filled(const struct message_info *info)
{
	char *msg = calloc(1, info->struct_size);
	uint32_t place = 0;

	ck_assert_ptr_nonnull(msg);
	for (const struct field *f = info->fields; f->kind != FIELD_END; f++, place++) {
		uint32_t u32 = ((uint32_t)info->number << 16) + place;
		uint64_t u64 = ((uint64_t)0x1122334455u << 24) + u32;

		if (f->kind == FIELD_U32)
			memcpy(msg + f->offset, &u32, sizeof u32);
		else if (f->kind == FIELD_U64)
			memcpy(msg + f->offset, &u64, sizeof u64);
		else
			(void)snprintf(msg + f->offset, f->max + 1, "%s", f->name);
	}
	return msg;
}

static size_t
golden(const struct message_info *info, const uint8_t *frame, size_t len, uint8_t *buf, size_t size)
{
	char path[512];
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof path, TEST_SRCDIR "/tests/fuzz/corpus/proto/%s", info->name);
	if (getenv("ISMS_WRITE_GOLDEN") != NULL) {
		f = fopen(path, "wb");
		ck_assert_ptr_nonnull(f);
		ck_assert_uint_eq(fwrite(frame, 1, len, f), len);
		ck_assert_int_eq(fclose(f), 0);
	}
	f = fopen(path, "rb");
	ck_assert_msg(f != NULL, "%s is missing", path);
	n = fread(buf, 1, size, f);
	(void)fclose(f);
	return n;
}

START_TEST(golden_bytes)
{
	static uint8_t frame[PROTO_PRIVATE_MAX], want[PROTO_PRIVATE_MAX];
	const struct message_info *info = infos[_i], *peeked;
	char *msg = filled(info), *back = malloc(info->struct_size);
	int len = proto_encode(info, msg, frame, sizeof frame);

	ck_assert_int_ge(len, PROTO_HEADER_SIZE);
	ck_assert_uint_eq(golden(info, frame, (size_t)len, want, sizeof want), (size_t)len);
	ck_assert_msg(memcmp(frame, want, (size_t)len) == 0, "%s: bytes differ", info->name);
	ck_assert_int_eq(proto_peek(frame, (size_t)len, &peeked), 0);
	ck_assert_ptr_eq(peeked, info);
	ck_assert_int_eq(proto_decode(info, frame, (size_t)len, back), 0);
	ck_assert_msg(memcmp(msg, back, info->struct_size) == 0, "%s: struct differs", info->name);
	free(msg);
	free(back);
}
END_TEST

/* Every shorter and every longer frame is refused, and leaves a wiped struct. */
START_TEST(ip03a_cut_and_padded)
{
	static uint8_t frame[PROTO_PRIVATE_MAX];
	const struct message_info *info = infos[_i], *peeked;
	char *msg = filled(info), *zero = calloc(1, info->struct_size);
	uint32_t length;
	int len = proto_encode(info, msg, frame, sizeof frame - 8);

	ck_assert_ptr_nonnull(zero);
	for (int n = 0; n < len + 8; n++) {
		if (n == len)
			continue;
		ck_assert_int_eq(proto_peek(frame, (size_t)n, &peeked), -EBADMSG);
		if (n < PROTO_HEADER_SIZE)
			continue;
		length = (uint32_t)n - PROTO_HEADER_SIZE;	/* little-endian hosts only run our tests */
		memcpy(frame + 4, &length, sizeof length);
		memset(msg, 0xff, info->struct_size);
		ck_assert_int_eq(proto_decode(info, frame, (size_t)n, msg), -EBADMSG);
		ck_assert_int_eq(memcmp(msg, zero, info->struct_size), 0);
		length = (uint32_t)len - PROTO_HEADER_SIZE;
		memcpy(frame + 4, &length, sizeof length);
	}
	free(msg);
	free(zero);
}
END_TEST

/* A length of text that passes its maximum, the frame, or the range of an int; a NUL inside. */
START_TEST(ip03a_text_lengths)
{
	static uint8_t frame[PROTO_PRIVATE_MAX];
	const struct message_info *info = infos[_i];
	char *msg = filled(info);
	int len = proto_encode(info, msg, frame, sizeof frame);
	size_t at = PROTO_HEADER_SIZE;

	for (const struct field *f = info->fields; f->kind != FIELD_END; f++) {
		const uint32_t bad[] = { f->max + 1, UINT32_MAX, INT32_MAX, (uint32_t)len, 0x80000000u };
		uint32_t right;

		if (f->kind == FIELD_U32 || f->kind == FIELD_U64) {
			at += f->kind == FIELD_U32 ? 4 : 8;
			continue;
		}
		memcpy(&right, frame + at, sizeof right);
		for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
			if (bad[i] == right)
				continue;
			memcpy(frame + at, &bad[i], sizeof bad[i]);
			ck_assert_int_eq(proto_decode(info, frame, (size_t)len, msg), -EBADMSG);
		}
		memcpy(frame + at, &right, sizeof right);
		frame[at + 4] ^= frame[at + 4];
		ck_assert_int_eq(proto_decode(info, frame, (size_t)len, msg), -EBADMSG);
		frame[at + 4] = (uint8_t)f->name[0];
		at += 4 + right;
	}
	ck_assert_uint_eq(at, (size_t)len);
	ck_assert_int_eq(proto_decode(info, frame, (size_t)len, msg), 0);
	free(msg);
}
END_TEST

START_TEST(headers)
{
	static const uint8_t ack[] = { 1, 0, 5, 0, 0, 0, 0, 0 };
	const struct message_info *info;
	uint8_t frame[8];

	ck_assert_int_eq(proto_peek(ack, sizeof ack, &info), 0);
	ck_assert_int_eq(info->number, MSG_ACK);
	for (unsigned at = 0; at < sizeof ack; at++) {
		for (unsigned value = 0; value < 256; value++) {
			memcpy(frame, ack, sizeof frame);
			frame[at] = (uint8_t)value;
			if (value == ack[at])
				continue;
			/* Another number may exist; a frame of 8 bytes is whole only for messages without fields. */
			if (proto_peek(frame, sizeof frame, &info) == 0)
				ck_assert(at == 2 && info->number == value);
		}
	}
}
END_TEST

START_TEST(no_room)
{
	static uint8_t frame[PROTO_PRIVATE_MAX];
	const struct message_info *info = infos[_i];
	char *msg = filled(info);
	int len = proto_encode(info, msg, frame, sizeof frame);

	for (int n = 0; n < len; n++)
		ck_assert_int_eq(proto_encode(info, msg, frame, (size_t)n), -ENOBUFS);
	ck_assert_int_eq(proto_encode(info, msg, frame, (size_t)len), len);
	free(msg);
}
END_TEST

/* What ismsd.sock carries fits its frame, whatever the fields hold; FACTS alone is larger, between our processes. */
START_TEST(largest_frames)
{
	const struct message_info *info = infos[_i];
	size_t most = PROTO_HEADER_SIZE;

	for (const struct field *f = info->fields; f->kind != FIELD_END; f++)
		most += f->kind == FIELD_U32 ? 4 : f->kind == FIELD_U64 ? 8 : 4 + f->max;
	ck_assert_msg(most <= (info->number == MSG_FACTS ? PROTO_PRIVATE_MAX : PROTO_FRAME_MAX), "%s: %zu", info->name, most);
}
END_TEST

int
main(void)
{
	collect();

	const struct suite_row rows[] = {
		{ golden_bytes, info_count },
		{ ip03a_cut_and_padded, info_count },
		{ ip03a_text_lengths, info_count },
		{ headers, 0 },
		{ no_room, info_count },
		{ largest_frames, info_count },
	};

	return suite_run("proto", rows, ROWS(rows), 60);
}
