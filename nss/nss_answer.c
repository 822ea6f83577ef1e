/*
 * nss_answer.c - results for glibc, and the one event that says why there are none.
 *
 * Runs inside every process that resolves a name. Nothing here changes errno but an answer that is an
 * error, through glibc's errnop: an ENOENT that leaks from a NOTFOUND breaks callers.
 */
#include <config.h>

#include "nss/nss_answer.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>

#include "common/event.h"
#include "common/journal.h"
#include "nss/nss_paths.h"

enum fault { FAULT_MISSING, FAULT_REFUSED, FAULT_HEADER, FAULT_DELTA, FAULT_RECORD, FAULT_OTHER, FAULT_COUNT };

static const char *const fault_words[FAULT_COUNT] = {
	[FAULT_MISSING] = "missing",
	[FAULT_REFUSED] = "refused: it, or its delta, is not a regular file of root that only root may write",
	[FAULT_HEADER] = "refused: header, version or size, its own or its delta's, is not that of a snapshot",
	[FAULT_DELTA] = "refused: its delta belongs to another",
	[FAULT_RECORD] = "corrupt record",
	[FAULT_OTHER] = "cannot be opened",
};

static enum fault
fault_of(int r, const struct snapshot *s)
{
	if (s != NULL)
		return FAULT_RECORD;
	switch (r) {
	case -ENOENT:
	case -ENOTDIR:
		return FAULT_MISSING;
	case -EPERM:
		return FAULT_REFUSED;
	case -EBADMSG:
		return FAULT_HEADER;
	case -ESTALE:
		return FAULT_DELTA;
	default:
		return FAULT_OTHER;
	}
}

/* Kept out of line: the event needs 10 KB of stack that no answered lookup pays for. */
static __attribute__((noinline)) void
send_event(enum fault fault, int r, const struct snapshot *s)
{
	int before = errno;
	char text[EVENT_VALUE_MAX];
	struct event e;

	event_begin(&e, EVENT_NSS_UNAVAILABLE, "libnss_isms");
	if (fault == FAULT_OTHER)
		(void)snprintf(text, sizeof text, "%s %s: error %d", nss_paths()->base, fault_words[fault], -r);
	else
		(void)snprintf(text, sizeof text, "%s %s", nss_paths()->base, fault_words[fault]);
	event_add(&e, FIELD_ID_FAULT, text);
	if (s != NULL)
		event_add_int(&e, FIELD_ID_GENERATION, (int64_t)snapshot_generation(s));
	event_finish(&e);
	(void)journal_send(&e);	/* best effort: whoever asked waits for no log */
	errno = before;
}

void
nss_report_fault(int r, const struct snapshot *s)
{
	static _Atomic unsigned reported;
	enum fault fault = fault_of(r, s);
	unsigned bit = 1u << fault;

	if ((atomic_fetch_or(&reported, bit) & bit) == 0)
		send_event(fault, r, s);
}

enum nss_status
nss_answer(int r, int *errnop)
{
	if (r > 0)
		return NSS_STATUS_SUCCESS;
	if (r == 0)
		return NSS_STATUS_NOTFOUND;
	if (r == -ERANGE || r == -ENOMEM) {
		*errnop = -r;
		return NSS_STATUS_TRYAGAIN;
	}
	*errnop = r == -ENOENT ? ENOENT : EINVAL;
	return NSS_STATUS_UNAVAIL;
}
