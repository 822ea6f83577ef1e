/*
 * event.h - one structured event for the journal, built on the stack, without allocation.
 *
 * Built here for everybody: the modules send it with journal.h, the daemon and the tool with
 * libsystemd. MESSAGE is made from the same fields, in the order in which they were added:
 * "login denied user=ada reason=expired service=sshd" (DESIGN 4.5). libc only.
 */
#ifndef ISMS_EVENT_H
#define ISMS_EVENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define EVENT_VALUE_MAX		256	/* bytes of a value after escaping; longer ones are cut */
#define EVENT_FIELDS_MAX	64

enum event_id {
#define EVENT(ID, ...) EVENT_##ID,
#include "common/events.def"
#undef EVENT
	EVENT_COUNT
};

enum event_field {
#define FIELD(ID, ...) FIELD_ID_##ID,
#include "common/fields.def"
#undef FIELD
	EVENT_FIELD_COUNT
};

/* Text in place: a pointer would have to be relocated in every process that resolves a name. */
struct event_info {
	char name[24], message_id[33], message[32], controls[32];
	uint8_t priority;
};
struct event_field_info {
	char journal[24], key[24];
};
extern const struct event_info event_infos[EVENT_COUNT];
extern const struct event_field_info event_fields[EVENT_FIELD_COUNT];

struct event {
	enum event_id id;
	size_t used, message_used;
	unsigned count;
	struct iovec iov[EVENT_FIELDS_MAX];	/* "NAME=value", complete after event_finish() */
	char buf[16384];		/* holds every field at its longest, and MESSAGE */
	char message[1024];
};

/* Start; identifier is the SYSLOG_IDENTIFIER, e.g. "pam_isms"; borrowed until event_finish(). */
void event_begin(struct event *e, enum event_id id, const char *identifier);

/* Add a field; an empty or NULL value adds nothing. Control characters become \xNN; quotes are added in MESSAGE where a value has spaces. */
void event_add(struct event *e, enum event_field field, const char *value);
void event_add_int(struct event *e, enum event_field field, int64_t value);

/* Add MESSAGE, MESSAGE_ID, PRIORITY, ISMS_EVENT, ISMS_CONTROL. After it, iov[0..count) is the event. */
void event_finish(struct event *e);

#endif
