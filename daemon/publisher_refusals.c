/*
 * publisher_refusals.c - see publisher_refusals.h.
 *
 * Runs in the publisher. Names come from the directory and are printable ASCII from here on.
 */
#include <config.h>

#include "daemon/publisher_refusals.h"

#include <stdio.h>
#include <string.h>

#include "daemon/report.h"

#define EVENTS_MAX	20	/* of one judging; status has more */

static void
drop(struct refusals *r, enum register_kind kind, uint64_t key)
{
	for (uint32_t i = 0; i < r->listed_count; i++) {
		if (r->listed[i].kind != kind || r->listed[i].key != key)
			continue;
		r->listed_count--;
		memmove(&r->listed[i], &r->listed[i + 1], (r->listed_count - i) * sizeof r->listed[0]);
		return;
	}
}

static void
list(struct refusals *r, enum register_kind kind, const struct record *record)
{
	const char *name = record_name(record, kind);
	struct refused *to;
	size_t i;

	if (r->listed_count == REFUSALS_LISTED_MAX)
		return;
	to = &r->listed[r->listed_count++];
	*to = (struct refused){ .kind = kind, .why = (enum refusal)record->why, .key = record->key, .id = record->id };
	for (i = 0; i < sizeof to->name - 1 && name[i] != '\0'; i++)
		to->name[i] = (char)(name[i] > ' ' && name[i] < 0x7f ? name[i] : '?');
	to->name[i] = '\0';
}

static void
list_all(struct refusals *r, const struct register_book *book)
{
	r->listed_count = 0;
	for (enum register_kind kind = 0; kind < REGISTER_KINDS; kind++) {
		const struct register_table *t = &book->tables[kind];

		if (t->accepted == t->count)
			continue;
		for (uint32_t i = 0; i < t->end && r->listed_count < REFUSALS_LISTED_MAX; i++)
			if (t->list[i] != NULL && (t->list[i]->bits & RECORD_ACCEPTED) == 0)
				list(r, kind, t->list[i]);
	}
}

static void
list_changed(struct refusals *r, const struct judging *j, enum register_kind kind)
{
	static const struct edit_part nothing;
	const struct edit_part *part = j->edit != NULL ? &j->edit->parts[kind] : &nothing;
	const struct judge_list *q = &j->queues[kind];
	const struct record *record;

	for (uint32_t i = 0; i < part->gone_count; i++)
		drop(r, kind, part->gone[i]->key);
	for (uint32_t i = 0; i < q->count; i++)
		drop(r, kind, register_at(j->book, kind, q->list[i])->key);
	for (uint32_t i = 0; i < part->put_count; i++) {
		record = register_at(j->book, kind, part->at[i]);
		if ((record->bits & (RECORD_CANDIDATE | RECORD_ACCEPTED)) == 0)	/* candidates are in the queue */
			list(r, kind, record);
	}
	for (uint32_t i = 0; i < q->count; i++) {
		record = register_at(j->book, kind, q->list[i]);
		if ((record->bits & RECORD_ACCEPTED) == 0)
			list(r, kind, record);
	}
}

void
publisher_refusals_take(struct refusals *r, const struct judging *j)
{
	r->count = 0;
	for (enum register_kind kind = 0; kind < REGISTER_KINDS; kind++)
		r->count += j->book->tables[kind].count - j->book->tables[kind].accepted;
	for (enum register_kind kind = 0; !j->whole && kind < REGISTER_KINDS; kind++)
		list_changed(r, j, kind);
	if (j->whole || (r->listed_count == 0 && r->count > 0))
		list_all(r, j->book);
}

static bool
was_refused(const struct refusals *before, const struct refused *r)
{
	for (uint32_t i = 0; i < before->listed_count; i++) {
		const struct refused *had = &before->listed[i];

		if (had->why == r->why && had->kind == r->kind && had->id == r->id && strcmp(had->name, r->name) == 0)
			return true;
	}
	return false;
}

void
publisher_refusals_report(const struct refusals *before, const struct refusals *now)
{
	unsigned shown = 0;

	for (uint32_t i = 0; i < now->listed_count && shown < EVENTS_MAX; i++) {
		const struct refused *r = &now->listed[i];
		bool is_group = r->kind == REGISTER_GROUPS;
		char fault[EVENT_VALUE_MAX];
		struct event e;

		if (was_refused(before, r))
			continue;
		(void)snprintf(fault, sizeof fault, "%s %s (%u): %s", is_group ? "group" : "user", r->name, r->id,
		    refusal_text(r->why, is_group));
		report_begin(&e, EVENT_DIRECTORY_ENTRY_REFUSED);
		event_add(&e, FIELD_ID_FAULT, fault);
		(void)report_event(&e);
		shown++;
	}
}
