/*
 * test_event.c - events keep their one line, their caps and their permanent ids, whatever a value holds.
 */
#include <config.h>

#include "common/event.h"
#include "common/journal.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The value of a field of a finished event, or NULL. */
static const char *
field(const struct event *e, const char *name)
{
	static char text[2048];
	size_t len = strlen(name);

	for (unsigned i = 0; i < e->count; i++) {
		const char *at = e->iov[i].iov_base;

		if (e->iov[i].iov_len > len && memcmp(at, name, len) == 0 && at[len] == '=') {
			(void)snprintf(text, sizeof text, "%.*s", (int)(e->iov[i].iov_len - len - 1), at + len + 1);
			return text;
		}
	}
	return NULL;
}

START_TEST(message_carries_the_decision_alone)
{
	struct event e;

	event_begin(&e, EVENT_LOGIN_DENIED, "ismsd");
	event_add(&e, FIELD_ID_USER, "ada");
	event_add(&e, FIELD_ID_REASON, "expired");
	event_add(&e, FIELD_ID_RHOST, "");
	event_add(&e, FIELD_ID_NOTE, "two words");
	event_add_int(&e, FIELD_ID_SEQ, 7);
	event_finish(&e);
	ck_assert_str_eq(field(&e, "MESSAGE"), "login denied user=ada reason=expired note=\"two words\" seq=7");
	ck_assert_str_eq(field(&e, "ISMS_USER"), "ada");
	ck_assert_str_eq(field(&e, "ISMS_EVENT"), "login.denied");
	ck_assert_str_eq(field(&e, "PRIORITY"), "5");
	ck_assert_ptr_null(field(&e, "ISMS_RHOST"));
}
END_TEST

static const struct {
	const char *in, *out;
} values[] = {
	{ "ada", "ada" },
	{ "a\nMESSAGE_ID=0", "a\\x0aMESSAGE_ID=0" },
	{ "a\r\t\x1b[2J", "a\\x0d\\x09\\x1b[2J" },
	{ "say \"x\" \\", "say \\x22x\\x22 \\x5c" },
	{ "J\xc3\xbcrgen", "J\xc3\xbcrgen" },
	{ "\xf0\x9f\x94\x91", "\xf0\x9f\x94\x91" },
	{ "\xc3", "\\xc3" },			/* cut short */
	{ "\xc0\xaf", "\\xc0\\xaf" },		/* overlong */
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },	/* surrogate */
	{ "\xc2\x9b" "0m", "\\xc2\\x9b0m" },	/* C1 control: CSI */
	{ "\xe2\x80\xae", "\\xe2\\x80\\xae" },	/* right-to-left override */
	{ "\x7f", "\\x7f" },
};

START_TEST(jl01a_values_stay_one_line)
{
	struct event e;

	event_begin(&e, EVENT_LOGIN_DENIED, "ismsd");
	event_add(&e, FIELD_ID_USER, values[_i].in);
	event_finish(&e);
	ck_assert_str_eq(field(&e, "ISMS_USER"), values[_i].out);
	for (unsigned i = 0; i < e.count; i++)
		ck_assert_ptr_null(memchr(e.iov[i].iov_base, '\n', e.iov[i].iov_len));
}
END_TEST

START_TEST(values_and_events_are_bounded)
{
	static char big[5000];
	struct event e;

	memset(big, 0x01, sizeof big - 1);
	event_begin(&e, EVENT_LOGIN_DENIED, "ismsd");
	for (int f = 0; f < EVENT_FIELD_COUNT; f++)
		event_add(&e, (enum event_field)f, big);
	event_finish(&e);
	ck_assert_uint_le(e.used, sizeof e.buf);
	ck_assert_uint_le(strlen(field(&e, "ISMS_USER")), EVENT_VALUE_MAX);
	ck_assert_ptr_nonnull(field(&e, "MESSAGE"));
}
END_TEST

START_TEST(table_is_complete_and_ids_differ)
{
	for (int i = 0; i < EVENT_COUNT; i++) {
		ck_assert_uint_eq(strlen(event_infos[i].message_id), 32);
		ck_assert_uint_eq(strspn(event_infos[i].message_id, "0123456789abcdef"), 32);
		ck_assert_ptr_nonnull(strchr(event_infos[i].name, '.'));
		for (int j = 0; j < i; j++) {
			ck_assert_str_ne(event_infos[i].message_id, event_infos[j].message_id);
			ck_assert_str_ne(event_infos[i].name, event_infos[j].name);
		}
	}
	for (int i = 0; i < EVENT_FIELD_COUNT; i++) {
		ck_assert_int_eq(strncmp(event_fields[i].journal, "ISMS_", 5), 0);
		ck_assert_ptr_null(strstr(event_fields[i].journal, "_TIMESTAMP"));	/* some SIEMs drop the record */
	}
}
END_TEST

int
main(void)
{
	const struct suite_row tests[] = {
		{ message_carries_the_decision_alone, 0 },
		{ jl01a_values_stay_one_line, ROWS(values) },
		{ values_and_events_are_bounded, 0 },
		{ table_is_complete_and_ids_differ, 0 },
	};

	return suite_run("event", tests, ROWS(tests), 30);
}
