/*
 * directory_status.c - key=value lines about the directory process, for `isms-userctl status`.
 *
 * Runs in the directory process. It must never print an attribute's value but those that a fault quotes, which are
 * never secrets.
 */
#include <config.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/civil_date.h"
#include "daemon/directory_state.h"
#include "daemon/grant_book.h"

struct lines {
	char *at;
	size_t left;
};

/* Add a line, or nothing of it where it does not fit. */
static void __attribute__((format(printf, 2, 3)))
add(struct lines *l, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(l->at, l->left, format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= l->left) {
		*l->at = '\0';
		return;
	}
	l->at += n;
	l->left -= (size_t)n;
}

static void
add_time(struct lines *l, const char *key, int64_t utc_sec)
{
	char text[32];

	add(l, "%s=%s\n", key, utc_sec > 0 && utc_sec <= CIVIL_DATE_MAX_SEC ? civil_date_format(utc_sec, text) : "never");
}

/* Who waits for a person, by name, the first ones. */
static void
add_held_user(const char *name, const char *what, void *arg)
{
	add(arg, "held_user=%s: %s\n", name, what);
}

static void
add_source(struct lines *l, const struct directory *d)
{
	struct source_status status;

	d->source->ops->status(d->source, &status);
	add(l, "directory=running\n");
	add(l, "uri=%s\n", d->settings.directory_uri);
	add(l, "base=%s\n", d->settings.directory_base);
	if (settings_uses_ldap(&d->settings))
		add(l, "schema=%s\n", d->settings.directory_schema);
	if (status.manner != NULL)
		add(l, "reads=%s\n", status.manner);
	add(l, "connected=%s\n", status.connected ? "yes" : "no");
	if (status.server[0] != '\0')
		add(l, "server=%s\n", status.server);
	if (status.servers[0] != '\0')
		add(l, "servers=%s\n", status.servers);
	if (status.servers_fault[0] != '\0')
		add(l, "servers_fault=%s\n", status.servers_fault);
	add_time(l, "connected_since", status.connected ? status.since_utc_sec : 0);
	if (!status.connected)
		add_time(l, "lost_since", status.since_utc_sec);
	if (status.received > 0)
		add(l, "received=%zu\n", status.received);
	if (!status.connected && status.received > 0)
		add(l, "fault=it is being read: %zu entries have come, and count once all have\n", status.received);
	else if (!status.connected || status.fault[0] != '\0')
		add(l, "fault=%s\n", status.fault);
	add_time(l, "confirmed", status.confirmed_utc_sec);
	if (status.held_removed + status.held_renumbered > 0) {
		add(l, "held=%zu users would go, %zu have another uid, are other people or older than known; look with isms-userctl snapshot show\n",
		    status.held_removed, status.held_renumbered);
		add(l, "held_removed=%zu\nheld_renumbered=%zu\n", status.held_removed, status.held_renumbered);
		add(l, "held_who=%u\n", (unsigned)census_held_who(d->source->census, status.older != NULL ? status.older : ""));
		census_each_held(d->source->census, DIRECTORY_FAULTS_SHOWN, add_held_user, l);
		if (status.held_older > 0)
			add(l, "held_older=%zu\nolder=%s\n", status.held_older, status.older);
	}
}

static void
add_roster(struct lines *l, const struct directory *d, const struct census_counts *counts)
{
	struct roster_sender_status status;

	roster_sender_status(d->sender, &status);
	add(l, "roster_users=%zu\n", counts->good_users - d->need.not_let_in);
	add(l, "roster_groups=%zu\n", counts->good_groups);
	add(l, "roster_left_out=%zu\n", counts->users - counts->good_users);
	add(l, "roster_not_let_in=%zu\n", d->need.not_let_in);
	if (status.error != 0)
		add(l, "roster=not delivered: %s\n", strerror(-status.error));
	else if (!status.answered || status.last.serial != status.serial)
		add(l, "roster=on its way\n");
	else if (!status.last.accepted)
		add(l, "roster=refused: %s\n", status.last.text);
	else {
		add(l, "roster=in force\n");
		add(l, "publisher_users=%u\n", status.last.users);
		add(l, "publisher_refused=%u\n", status.last.refused);
	}
}

static void
add_grants(struct lines *l, const struct grant_book *book)
{
	char text[IDENTITY_FAULT_SIZE];
	size_t all, active;

	grant_book_counts(book, &all, &active);
	add(l, "grants=%zu\ngrants_active=%zu\n", all, active);
	for (size_t i = 0; i < DIRECTORY_FAULTS_SHOWN && grant_book_fault(book, i, text) != NULL; i++)
		add(l, "refused_grant=%s\n", text);
}

void
directory_status(const struct directory *d, char *buf, size_t size)
{
	struct lines l = { .at = buf, .left = size };
	struct census_counts counts;
	const char *fault;

	buf[0] = '\0';
	add_source(&l, d);
	if (d->source->generation == 0) {
		add(&l, "users=0\ngroups=0\nrefused=0\n");
		return;
	}
	census_counts(d->source->census, &counts);
	add(&l, "view=%llu\n", (unsigned long long)d->source->generation);
	add(&l, "users=%zu\n", counts.users);
	add(&l, "groups=%zu\n", counts.groups);
	add_roster(&l, d, &counts);
	add(&l, "refused=%zu\n", counts.faults);
	for (size_t i = 0; i < DIRECTORY_FAULTS_SHOWN && (fault = census_fault(d->source->census, i)) != NULL; i++)
		add(&l, "refused_entry=%s\n", fault);
	add_grants(&l, source_grants_book(d->source->grants));
}
