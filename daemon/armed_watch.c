/*
 * armed_watch.c - says loudly on every host that a break-glass account was armed (see armed_watch.h).
 *
 * Directory process. What isms-userctl writes to the journal stays where it runs, which may be an operator's own desk;
 * an attribute can be written by any other tool. It must never keep quiet for want of room.
 */
#include <config.h>

#include "daemon/armed_watch.h"

#include <stdio.h>
#include <string.h>

#include "common/civil_date.h"
#include "daemon/report.h"

static void
tell(const struct identity *user)
{
	const char *actor = entry_value(user->entry, "modifiersName");
	char until[32], new[64];
	struct event e;

	(void)snprintf(new, sizeof new, "armed until %s", civil_date_format(user->armed_until_utc_sec, until));
	report_begin(&e, EVENT_BREAKGLASS_ARMED);
	event_add(&e, FIELD_ID_USER, user->name);
	event_add_int(&e, FIELD_ID_UID, user->uid);
	event_add(&e, FIELD_ID_KIND, "break-glass");
	event_add(&e, FIELD_ID_NEW, new);
	event_add(&e, FIELD_ID_ARMED_BY, user->armed_by);
	event_add(&e, FIELD_ID_ACTOR, actor);
	event_add(&e, FIELD_ID_NOTE, user->armed_reason);
	(void)report_event(&e);
}

static size_t
find(const struct armed_watch *w, const char *name)
{
	size_t i = 0;

	while (i < w->count && strcmp(w->told[i].name, name) != 0)
		i++;
	return i;
}

static void
look_at(struct armed_watch *w, const struct identity *user, int64_t now_utc_sec)
{
	size_t at = find(w, user->name);

	if (user->state != FACTS_MANAGED || user->kind != KIND_BREAK_GLASS || user->armed_until_utc_sec <= now_utc_sec) {
		if (at < w->count)
			w->told[at] = w->told[--w->count];
		return;
	}
	if (at < w->count && w->told[at].until_utc_sec == user->armed_until_utc_sec)
		return;
	tell(user);
	if (w->hook != NULL)
		w->hook(user, w->arg);
	if (at == ARMED_WATCH_MAX)
		return;
	(void)snprintf(w->told[at].name, sizeof w->told[at].name, "%s", user->name);
	w->told[at].until_utc_sec = user->armed_until_utc_sec;
	if (at == w->count)
		w->count++;
}

void
armed_watch_look(struct armed_watch *w, const struct identities *all, int64_t now_utc_sec)
{
	for (size_t i = 0; i < all->user_count; i++)
		if (all->users[i].kind == KIND_BREAK_GLASS && all->users[i].name[0] != '\0')
			look_at(w, &all->users[i], now_utc_sec);
}
