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
add_held_users(struct lines *l, const struct source_view *view)
{
	size_t shown = 0;

	for (size_t i = 0; view != NULL && i < view->identities.user_count && shown < DIRECTORY_FAULTS_SHOWN; i++) {
		const struct identity *user = &view->identities.users[i];
		const char *what = user->entry->gone ? "would go" : user->entry->waits ? "another uid" :
		    user->newcomer ? "another person" : NULL;

		if (what == NULL || user->name[0] == '\0')
			continue;
		add(l, "held_user=%s: %s\n", user->name, what);
		shown++;
	}
}

static void
add_source(struct lines *l, const struct directory *d)
{
	struct source_status status;

	d->source->ops->status(d->source, &status);
	add(l, "directory=running\n");
	add(l, "uri=%s\n", d->settings.directory_uri);
	add(l, "base=%s\n", d->settings.directory_base);
	add(l, "connected=%s\n", status.connected ? "yes" : "no");
	add_time(l, "connected_since", status.connected ? status.since_utc_sec : 0);
	if (!status.connected) {
		add_time(l, "lost_since", status.since_utc_sec);
		add(l, "fault=%s\n", status.fault);
	}
	add_time(l, "confirmed", status.confirmed_utc_sec);
	if (status.held_removed + status.held_renumbered > 0) {
		add(l, "held=%zu users would go, %zu have another uid or are other people; look with isms-userctl snapshot show\n",
		    status.held_removed, status.held_renumbered);
		add(l, "held_removed=%zu\nheld_renumbered=%zu\n", status.held_removed, status.held_renumbered);
		add_held_users(l, d->source->view);
	}
}

static void
add_roster(struct lines *l, const struct directory *d)
{
	struct roster_sender_status status;

	roster_sender_status(d->sender, &status);
	add(l, "roster_users=%u\n", d->roster.users);
	add(l, "roster_groups=%u\n", d->roster.groups);
	add(l, "roster_left_out=%u\n", d->roster.left_out);
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

void
directory_status(const struct directory *d, char *buf, size_t size)
{
	const struct source_view *view = d->source->view;
	struct lines l = { .at = buf, .left = size };

	buf[0] = '\0';
	add_source(&l, d);
	if (view == NULL) {
		add(&l, "users=0\ngroups=0\nrefused=0\n");
		return;
	}
	add(&l, "view=%llu\n", (unsigned long long)view->generation);
	add(&l, "users=%zu\n", view->identities.user_count);
	add(&l, "groups=%zu\n", view->identities.group_count);
	add_roster(&l, d);
	add(&l, "refused=%zu\n", view->identities.fault_count);
	for (size_t i = 0; i < view->identities.fault_count && i < DIRECTORY_FAULTS_SHOWN; i++)
		add(&l, "refused_entry=%s\n", view->identities.faults[i]);
}
