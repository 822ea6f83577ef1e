/*
 * event.c - builds one event of events.def in place, for whichever sender.
 *
 * Values come from outside (user names, addresses, terminals): they are cut at EVENT_VALUE_MAX and their
 * control characters are escaped, so that a value can neither end a field nor forge a line (JL01a).
 */
#include <config.h>

#include "common/event.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#define EMERG LOG_EMERG
#define ALERT LOG_ALERT
#define CRIT LOG_CRIT
#define ERR LOG_ERR
#define WARNING LOG_WARNING
#define NOTICE LOG_NOTICE
#define INFO LOG_INFO
const struct event_info event_infos[EVENT_COUNT] = {
#define EVENT(ID, name, message_id, priority, message, controls, catalog) \
	[EVENT_##ID] = { name, message_id, message, controls, priority },
#include "common/events.def"
#undef EVENT
};
#define FITS(text, member) (sizeof (text) <= sizeof event_infos[0].member)
#define EVENT(ID, name_, message_id_, priority_, message_, controls_, catalog_) \
	_Static_assert(FITS(name_, name) && FITS(message_id_, message_id) && FITS(message_, message) && \
	    FITS(controls_, controls), name_ " is too long for struct event_info");
#include "common/events.def"
#undef EVENT
#undef FITS
#undef EMERG
#undef ERR
#undef WARNING
#undef NOTICE
#undef INFO

const struct event_field_info event_fields[EVENT_FIELD_COUNT] = {
#define FIELD(ID, journal, key, help) [FIELD_ID_##ID] = { journal, key },
#include "common/fields.def"
#undef FIELD
};

#define FIELD(ID, journal_, key_, help_) \
	_Static_assert(sizeof journal_ <= sizeof event_fields[0].journal && sizeof key_ <= sizeof event_fields[0].key, \
	    journal_ " is too long for struct event_field_info");
#include "common/fields.def"
#undef FIELD

/* Add one finished "NAME=value"; drops it when there is no room, which the caps on values make impossible. */
static void
add_raw(struct event *e, const char *name, const char *value)
{
	size_t name_len = strlen(name), value_len = strlen(value), need = name_len + 1 + value_len;
	char *to = e->buf + e->used;

	if (e->count == EVENT_FIELDS_MAX || need > sizeof e->buf - e->used)
		return;
	memcpy(to, name, name_len);
	to[name_len] = '=';
	memcpy(to + name_len + 1, value, value_len);
	e->iov[e->count++] = (struct iovec){ .iov_base = to, .iov_len = need };
	e->used += need;
}

static void
say(struct event *e, const char *text)
{
	size_t n = strlen(text), left = sizeof e->message - 1 - e->message_used;

	if (n > left)
		n = left;
	memcpy(e->message + e->message_used, text, n);
	e->message_used += n;
	e->message[e->message_used] = '\0';
}

/*
 * Bytes of the well-formed UTF-8 character at c (RFC 3629), or 0: malformed, a C1 control, a line or
 * paragraph separator, or one that reorders text on a terminal (U+202A-202E, U+2066-2069).
 */
static size_t
utf8_len(const unsigned char *c)
{
	static const uint32_t smallest[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = c[0] >= 0xf0 ? 4 : c[0] >= 0xe0 ? 3 : 2;
	uint32_t code = c[0] & (0xffu >> (n + 1));

	if (c[0] < 0xc2 || c[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((c[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (c[i] & 0x3f);
	}
	if (code < smallest[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	if (code < 0xa0 || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069))
		return 0;
	return n;
}

/* Write one byte as \xNN, or the n bytes of a character as they are. Returns what was added, 0 without room. */
static size_t
escape_one(const unsigned char *c, size_t n, char *to, size_t left)
{
	static const char hex[] = "0123456789abcdef";

	if (n > 0) {
		if (n > left)
			return 0;
		memcpy(to, c, n);
		return n;
	}
	if (left < 4)
		return 0;
	to[0] = '\\';
	to[1] = 'x';
	to[2] = hex[*c >> 4];
	to[3] = hex[*c & 15];
	return 4;
}

/* Copy value so that it stays one line of valid text; returns whether MESSAGE must quote it. */
static bool
escape(const char *value, char ret[EVENT_VALUE_MAX + 1])
{
	const unsigned char *c = (const unsigned char *)value;
	bool quote = false;
	size_t at = 0;

	while (*c != '\0') {
		size_t n = *c >= 0x80 ? utf8_len(c) : *c >= ' ' && *c != 0x7f && *c != '\\' && *c != '"';
		size_t added = escape_one(c, n, ret + at, EVENT_VALUE_MAX - at);

		if (added == 0)
			break;
		quote |= *c == ' ' || *c == '=';
		at += added;
		c += n > 0 ? n : 1;
	}
	ret[at] = '\0';
	return quote;
}

void
event_begin(struct event *e, enum event_id id, const char *identifier)
{
	char priority[2] = { (char)('0' + event_infos[id].priority), '\0' };

	e->id = id;
	e->used = e->message_used = 0;
	e->count = 0;
	e->message[0] = '\0';
	add_raw(e, "SYSLOG_IDENTIFIER", identifier);
	add_raw(e, "PRIORITY", priority);
	add_raw(e, "MESSAGE_ID", event_infos[id].message_id);
	add_raw(e, "ISMS_EVENT", event_infos[id].name);
	add_raw(e, "ISMS_CONTROL", event_infos[id].controls);
	say(e, event_infos[id].message);
}

void
event_add(struct event *e, enum event_field field, const char *value)
{
	char clean[EVENT_VALUE_MAX + 1];
	bool quote;

	if (value == NULL || value[0] == '\0')
		return;
	quote = escape(value, clean);
	add_raw(e, event_fields[field].journal, clean);
	say(e, " ");
	say(e, event_fields[field].key);
	say(e, quote ? "=\"" : "=");
	say(e, clean);
	if (quote)
		say(e, "\"");
}

void
event_add_int(struct event *e, enum event_field field, int64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof text, "%lld", (long long)value);
	event_add(e, field, text);
}

void
event_finish(struct event *e)
{
	add_raw(e, "MESSAGE", e->message);
}
