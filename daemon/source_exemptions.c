/*
 * source_exemptions.c - the events of exemptions that come (see source_exemptions.h).
 *
 * Directory process, on its loop. It must never leave one untold that lowers something, nor let many hide one: what is
 * beyond so many in one moment is counted.
 */
#include <config.h>

#include "daemon/source_exemptions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/civil_date.h"
#include "common/exemption.h"
#include "common/identity.h"
#include "daemon/report.h"
#include "daemon/source.h"

#define TOLD_MAX 50			/* events of one moment */

static bool
read_one(const struct entry *e, struct exemption *ret)
{
	char ignored[IDENTITY_FAULT_SIZE];

	return exemption_is(e) && exemption_read(e, NULL, ret, ignored, sizeof ignored) == 0;
}

/* Whether an entry lowers something that it did not as it was; old NULL: it was not there. */
static bool
lowers_more(const struct entry *old, const struct entry *e)
{
	struct exemption was, is;

	if (!read_one(e, &is))
		return false;
	if (old == NULL || !read_one(old, &was))
		return true;
	if (is.control != was.control || is.from_utc_sec < was.from_utc_sec || is.until_utc_sec > was.until_utc_sec)
		return true;
	return strcmp(is.key, was.key) != 0 || strcmp(is.service, was.service) != 0 ||
	    strcmp(is.sources, was.sources) != 0 || !entry_same_values(old, e, "ismsMember") ||
	    !entry_same_values(old, e, "ismsApprover");
}

/* What the census has under an id and a DN; NULL: nothing. The caller frees it. Returns 0 or -errno. */
static int
find(const struct census *c, const uint8_t id[ENTRY_ID_SIZE], const char *ndn, struct entry **ret)
{
	uint8_t other[ENTRY_ID_SIZE];
	uint32_t at = 0;
	bool gone;
	int r;

	while ((r = census_entry_at(c, ndn, &at, other, &gone, ret)) == 0 && *ret != NULL) {
		if (!gone && memcmp(other, id, ENTRY_ID_SIZE) == 0)
			return 0;
		entry_free(*ret);
	}
	*ret = NULL;
	return r;
}

static int
push(struct fresh_exemptions *to, struct entry *e)
{
	if (to->count == to->room) {
		size_t room = to->room == 0 ? 16 : to->room * 2;
		struct entry **list = reallocarray(to->list, room, sizeof(struct entry *));

		if (list == NULL)
			return -ENOMEM;
		to->list = list;
		to->room = room;
	}
	to->list[to->count++] = entry_ref(e);
	return 0;
}

static int
look(const struct census *c, const struct entry_change *change, struct entry *e, struct fresh_exemptions *ret)
{
	struct entry *old;
	int r;

	if (change->gone || !exemption_is(e))
		return 0;
	r = find(c, change->id, e->ndn, &old);
	if (r == 0 && lowers_more(old, e))
		r = push(ret, e);
	entry_free(old);
	return r;
}

int
source_exemptions_find(const struct source *s, const struct entry_changes *changes, struct fresh_exemptions *ret)
{
	int r = 0;

	for (size_t i = 0; i < changes->count && r == 0 && s->generation != 0; i++) {
		struct entry *e;

		if (changes->list[i].plain)
			continue;
		r = entry_changes_entry(changes, &changes->list[i], &e);
		if (r == 0 && e != NULL)
			r = look(s->census, &changes->list[i], e, ret);
		entry_free(e);
	}
	return r;
}

/* ---- telling ---- */

/* A user's name, else the DN as it stands there. */
static const char *
name_of(const struct census *c, const char *dn, char buf[static 65])
{
	char *ndn = entry_normalise_dn(dn);
	uint8_t id[ENTRY_ID_SIZE];
	struct entry *e = NULL;
	const char *name;
	uint32_t at = 0;
	bool gone, named;

	named = ndn != NULL && census_entry_at(c, ndn, &at, id, &gone, &e) == 0 && e != NULL && entry_single(e, "uid", &name) == 1;
	if (named)
		(void)snprintf(buf, 65, "%.64s", name);
	entry_free(e);
	free(ndn);
	return named ? buf : dn;
}

static void
tell(const struct census *c, const struct entry *fresh)
{
	const char *actor = entry_value(fresh, "modifiersName"), *ticket = entry_value(fresh, "ismsTicket");
	char what[300], until[32], approver[65], member[65];
	struct exemption x;
	struct event e;

	if (!read_one(fresh, &x))
		return;
	(void)snprintf(what, sizeof what, "%s until %s approved by %.200s", exemption_control_name(x.control),
	    civil_date_format(x.until_utc_sec, until), name_of(c, entry_value(fresh, "ismsApprover"), approver));
	report_begin(&e, EVENT_EXEMPTION_ADDED);
	event_add(&e, FIELD_ID_USER, name_of(c, entry_value(fresh, "ismsMember"), member));
	event_add(&e, FIELD_ID_EXEMPTION, x.name);
	event_add(&e, FIELD_ID_NEW, what);
	event_add(&e, FIELD_ID_TICKET, ticket);
	event_add(&e, FIELD_ID_ACTOR, actor);
	(void)report_event(&e);
}

/* Whether the census took it as it is: of one id the last change counts, and what lies elsewhere does not. */
static bool
is_taken(const struct census *c, const struct entry *fresh)
{
	uint8_t id[ENTRY_ID_SIZE];
	bool gone, taken = false;
	struct entry *e;
	uint32_t at = 0;

	while (!taken && census_entry_at(c, fresh->ndn, &at, id, &gone, &e) == 0 && e != NULL) {
		taken = !gone && entry_same(e, fresh);
		entry_free(e);
	}
	return taken;
}

void
source_exemptions_tell(const struct source *s, struct fresh_exemptions *fresh, int r)
{
	size_t count = 0;
	struct event e;

	for (size_t i = 0; i < fresh->count; i++) {
		if (r >= 0 && is_taken(s->census, fresh->list[i]) && count++ < TOLD_MAX)
			tell(s->census, fresh->list[i]);
		entry_free(fresh->list[i]);
	}
	free(fresh->list);
	*fresh = (struct fresh_exemptions){ 0 };
	if (count <= TOLD_MAX)
		return;
	report_begin(&e, EVENT_EXEMPTION_ADDED);
	event_add(&e, FIELD_ID_NOTE, "more exemptions; isms-userctl exempt --list shows all");
	event_add_int(&e, FIELD_ID_COUNT, (int64_t)(count - TOLD_MAX));
	(void)report_event(&e);
}
