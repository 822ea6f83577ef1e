/*
 * directory_status.c - key=value lines about the directory process, for `isms-userctl status`.
 *
 * Runs in the directory process. It must never print an attribute's value but those that a fault quotes, which are
 * never secrets.
 */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "daemon/directory_state.h"
#include "daemon/grant_book.h"
#include "daemon/status_lines.h"

/* Who waits for a person, by name, the first ones. */
static void
add_held_user(const char *name, const char *what, void *arg)
{
	status_lines_add(arg, "held_user=%s: %s\n", name, what);
}

static void
add_source(struct status_lines *l, const struct directory *d)
{
	struct source_status status;

	d->source->ops->status(d->source, &status);
	status_lines_add(l, "directory=running\n");
	status_lines_add(l, "uri=%s\n", d->settings.directory_uri);
	status_lines_add(l, "base=%s\n", d->settings.directory_base);
	if (settings_uses_ldap(&d->settings))
		status_lines_add(l, "schema=%s\n", d->settings.directory_schema);
	if (status.manner != NULL)
		status_lines_add(l, "reads=%s\n", status.manner);
	status_lines_add(l, "connected=%s\n", status.connected ? "yes" : "no");
	if (status.server[0] != '\0')
		status_lines_add(l, "server=%s\n", status.server);
	if (status.servers[0] != '\0')
		status_lines_add(l, "servers=%s\n", status.servers);
	if (status.servers_fault[0] != '\0')
		status_lines_add(l, "servers_fault=%s\n", status.servers_fault);
	status_lines_time(l, "connected_since", status.connected ? status.since_utc_sec : 0, "never");
	if (!status.connected)
		status_lines_time(l, "lost_since", status.since_utc_sec, "never");
	if (status.received > 0)
		status_lines_add(l, "received=%zu\n", status.received);
	if (!status.connected && status.received > 0)
		status_lines_add(l, "reading=%zu entries have come, and count once all have\n", status.received);
	if (status.fault[0] != '\0')
		status_lines_add(l, "fault=%s\n", status.fault);
	status_lines_time(l, "confirmed", status.confirmed_utc_sec, "never");
	if (status.held_removed + status.held_renumbered > 0) {
		status_lines_add(l, "held=%zu users would go, %zu have another uid, are other people or older than known; "
		    "look with isms-userctl snapshot show\n",
		    status.held_removed, status.held_renumbered);
		status_lines_add(l, "held_removed=%zu\nheld_renumbered=%zu\n", status.held_removed, status.held_renumbered);
		status_lines_add(l, "held_who=%u\n", (unsigned)census_held_who(d->source->census,
		    status.older != NULL ? status.older : ""));
		census_each_held(d->source->census, DIRECTORY_FAULTS_SHOWN, add_held_user, l);
		if (status.held_older > 0)
			status_lines_add(l, "held_older=%zu\nolder=%s\n", status.held_older, status.older);
	}
}

static void
add_roster(struct status_lines *l, const struct directory *d, const struct census_counts *counts)
{
	struct roster_sender_status status;

	roster_sender_status(d->sender, &status);
	status_lines_add(l, "roster_users=%zu\n", counts->good_users - d->need.not_let_in);
	status_lines_add(l, "roster_groups=%zu\n", counts->good_groups);
	status_lines_add(l, "roster_left_out=%zu\n", counts->users - counts->good_users);
	status_lines_add(l, "roster_not_let_in=%zu\n", d->need.not_let_in);
	if (status.error != 0)
		status_lines_add(l, "roster=not delivered: %s\n", strerror(-status.error));
	else if (!status.answered || status.last.serial != status.serial)
		status_lines_add(l, "roster=on its way\n");
	else if (!status.last.accepted)
		status_lines_add(l, "roster=refused: %s\n", status.last.text);
	else {
		status_lines_add(l, "roster=in force\n");
		status_lines_add(l, "publisher_users=%u\n", status.last.users);
		status_lines_add(l, "publisher_refused=%u\n", status.last.refused);
	}
}

static void
add_grants(struct status_lines *l, const struct grant_book *book)
{
	char text[IDENTITY_FAULT_SIZE];
	size_t all, active;

	grant_book_counts(book, &all, &active);
	status_lines_add(l, "grants=%zu\ngrants_active=%zu\n", all, active);
	for (size_t i = 0; i < DIRECTORY_FAULTS_SHOWN && grant_book_fault(book, i, text) != NULL; i++)
		status_lines_add(l, "refused_grant=%s\n", text);
}

void
directory_status(const struct directory *d, char *buf, size_t size)
{
	struct status_lines l;
	struct census_counts counts;
	const char *fault;

	status_lines_begin(&l, buf, size);
	add_source(&l, d);
	if (d->source->generation == 0) {
		status_lines_add(&l, "users=0\ngroups=0\nrefused=0\n");
		return;
	}
	census_counts(d->source->census, &counts);
	status_lines_add(&l, "view=%llu\n", (unsigned long long)d->source->generation);
	status_lines_add(&l, "users=%zu\n", counts.users);
	status_lines_add(&l, "groups=%zu\n", counts.groups);
	add_roster(&l, d, &counts);
	status_lines_add(&l, "refused=%zu\n", counts.faults);
	for (size_t i = 0; i < DIRECTORY_FAULTS_SHOWN && (fault = census_fault(d->source->census, i)) != NULL; i++)
		status_lines_add(&l, "refused_entry=%s\n", fault);
	add_grants(&l, source_grants_book(d->source->grants));
}
