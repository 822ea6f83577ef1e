/*
 * ldap_last_use.c - notes the day of a person's last use at an LDAP server (last_use.h).
 *
 * Directory process, on a worker. It must never move a day back, nor write into the entry of somebody else who was
 * given the person's DN; whatever fails here keeps nobody out.
 */
#include <config.h>

#include <errno.h>
#include <strings.h>

#include "common/civil_date.h"
#include "common/last_use.h"
#include "daemon/ldap_job.h"
#include "daemon/loop.h"

static void
note_use(struct source_job *base)
{
	static const char *const attributes[] = { "entryUUID", LAST_USE_ATTRIBUTE, NULL };
	struct job *j = (struct job *)base;
	const char *old = NULL, *id = NULL;
	struct entries entries = { 0 };
	const struct entry *e;
	LDAP *ld = NULL;
	char day[32];
	int r;

	r = ldap_job_connect(j, &ld);
	if (r == 0)
		r = ldap_job_read(j, ld, j->dn, attributes, &entries);
	e = r == 0 ? entries_find(&entries, j->dn) : NULL;
	if (e != NULL) {
		id = entry_value(e, "entryUUID");
		old = entry_value(e, LAST_USE_ATTRIBUTE);
	}
	if (r == -ENOENT || (r == 0 && (id == NULL || strcasecmp(id, j->entry_id) != 0)))
		base->reason = REASON_UNKNOWN_USER;
	else if (r == 0 && !last_use_moves(e, j->used_utc_sec, loop_clock_sec(CLOCK_REALTIME)))
		base->reason = REASON_OK;
	else if (r == 0)
		base->reason = ldap_job_reason(ldap_job_swap(j, ld, j->dn, LAST_USE_ATTRIBUTE, old,
		    civil_date_format_generalized(last_use_day(j->used_utc_sec), day)));
	if (base->reason == REASON_MFA_REPLAYED)	/* another host was faster */
		base->reason = REASON_OK;
	ldap_handle_close(ld);
	entries_done(&entries);
}

int
ldap_last_use(struct source *base, const struct identity *user, int64_t used_utc_sec, source_result *done, void *arg)
{
	struct job *j = ldap_job_new(base, note_use, user, arg);

	if (j == NULL)
		return -ENOMEM;
	j->base.done = done;
	j->used_utc_sec = used_utc_sec;
	return source_job_start(&j->base);
}
