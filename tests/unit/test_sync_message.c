/*
 * test_sync_message.c - RFC 4533 in bytes: what slapd sends is understood, and nothing else is.
 */
#include <config.h>

#include "daemon/sync_message.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/suite.h"

#define UUID "0123456789abcdef"

static struct sync_cookie cookie;
static struct sync_info info;

static int
decode_info(const char *bytes, size_t len)
{
	const struct berval bv = { .bv_val = (char *)(uintptr_t)bytes, .bv_len = len };

	return sync_info_decode(&bv, &info);
}

START_TEST(requests)
{
	struct berval *value = NULL;

	cookie = (struct sync_cookie){ .there = false };
	ck_assert_int_eq(sync_request_encode(&cookie, &value), 0);
	ck_assert_uint_eq(value->bv_len, 8);
	ck_assert_mem_eq(value->bv_val, "\x30\x06\x0a\x01\x03\x01\x01\x00", 8);
	ber_bvfree(value);
	cookie = (struct sync_cookie){ .there = true, .len = 2, .bytes = "hi" };
	ck_assert_int_eq(sync_request_encode(&cookie, &value), 0);
	ck_assert_uint_eq(value->bv_len, 12);
	ck_assert_mem_eq(value->bv_val, "\x30\x0a\x0a\x01\x03\x04\x02hi\x01\x01\x00", 12);
	ber_bvfree(value);
}
END_TEST

static const struct { const char *bytes; size_t len; int result; enum sync_state state; bool cookie; } states[] = {
	{ "\x30\x15\x0a\x01\x01\x04\x10" UUID, 23, 0, SYNC_ADD, false },
	{ "\x30\x15\x0a\x01\x00\x04\x10" UUID, 23, 0, SYNC_PRESENT, false },
	{ "\x30\x19\x0a\x01\x03\x04\x10" UUID "\x04\x02hi", 27, 0, SYNC_DELETE, true },
	{ "\x30\x15\x0a\x01\x04\x04\x10" UUID, 23, -EBADMSG, 0, false },		/* no such state */
	{ "\x30\x14\x0a\x01\x01\x04\x0f" "0123456789abcde", 22, -EBADMSG, 0, false },	/* 15 bytes are no UUID */
	{ "\x30\x15\x0a\x01\x01\x04\x10" UUID "x", 24, -EBADMSG, 0, false },		/* more behind it */
	{ "\x30\x15\x0a\x01\x01\x04\x10" UUID, 22, -EBADMSG, 0, false },		/* cut */
	{ "", 0, -EBADMSG, 0, false },
};

START_TEST(state)
{
	const struct berval bv = { .bv_val = (char *)(uintptr_t)states[_i].bytes, .bv_len = states[_i].len };
	uint8_t uuid[SYNC_UUID_SIZE];
	enum sync_state got;

	cookie.there = false;
	ck_assert_int_eq(sync_state_decode(&bv, &got, uuid, &cookie), states[_i].result);
	if (states[_i].result < 0)
		return;
	ck_assert_int_eq(got, states[_i].state);
	ck_assert_mem_eq(uuid, UUID, 16);
	ck_assert(cookie.there == states[_i].cookie);
}
END_TEST

START_TEST(infos)
{
	ck_assert_int_eq(decode_info("\x80\x02hi", 4), 0);
	ck_assert_int_eq(info.kind, SYNC_NEW_COOKIE);
	ck_assert(info.cookie.there && info.cookie.len == 2);
	/* Which of the two phases ends decides on who is still there (MEASURED 1). */
	ck_assert_int_eq(decode_info("\xa1\x04\x04\x02hi", 6), 0);
	ck_assert(info.kind == SYNC_REFRESH_DELETE && info.refresh_done);
	ck_assert_int_eq(decode_info("\xa2\x00", 2), 0);
	ck_assert(info.kind == SYNC_REFRESH_PRESENT && info.refresh_done && !info.cookie.there);
	ck_assert_int_eq(decode_info("\xa2\x03\x01\x01\x00", 5), 0);
	ck_assert(info.kind == SYNC_REFRESH_PRESENT && !info.refresh_done);
	ck_assert_int_eq(decode_info("\xa3\x17\x01\x01\xff\x31\x12\x04\x10" UUID, 25), 0);
	ck_assert(info.kind == SYNC_ID_SET && info.refresh_deletes && info.count == 1);
	ck_assert_mem_eq(info.uuids[0], UUID, 16);
	sync_info_done(&info);
	ck_assert_int_eq(decode_info("\xa3\x14\x31\x12\x04\x10" UUID, 22), 0);
	ck_assert(!info.refresh_deletes);
	sync_info_done(&info);
	ck_assert_int_eq(decode_info("\xa3\x02\x31\x00", 4), 0);
	ck_assert_uint_eq(info.count, 0);
	sync_info_done(&info);
}
END_TEST

START_TEST(infos_refused)
{
	static const struct { const char *bytes; size_t len; } bad[] = {
		{ "", 0 }, { "\xa4\x00", 2 }, { "\x30\x00", 2 }, { "\xa1\x04\x04\x02hi!", 7 }, { "\xa1\x05\x04\x02hi", 6 },
		{ "\xa3\x05\x31\x03\x04\x01x", 7 }, { "\xa3\x00", 2 }, { "\x80\x7f", 2 },
	};

	for (int i = 0; i < ROWS(bad); i++)
		ck_assert_msg(decode_info(bad[i].bytes, bad[i].len) == -EBADMSG, "%d", i);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { requests, 0 }, { state, ROWS(states) }, { infos, 0 }, { infos_refused, 0 } };

	return suite_run("sync_message", rows, ROWS(rows), 30);
}
