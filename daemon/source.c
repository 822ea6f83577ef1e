/*
 * source.c - views, their lifetime, and the choice of the source (see source.h).
 *
 * Directory process, on its loop. A view that somebody works with must never change or go away under him.
 */
#include <config.h>

#include "daemon/source.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ldif_store.h"
#include "daemon/source_job.h"

struct source_view *
source_view_ref(struct source_view *view)
{
	if (view != NULL)
		view->refs++;
	return view;
}

void
source_view_unref(struct source_view *view)
{
	if (view == NULL || --view->refs > 0)
		return;
	identities_done(&view->identities);
	entries_done(&view->entries);
	free(view);
}

int
source_new(sd_event *event, const struct paths *paths, const struct settings *settings, struct workers *workers,
    source_changed *changed, void *arg, struct source **ret, char *error, size_t size)
{
	struct source *s = NULL;
	char path[PATH_MAX];
	int r;

	if (settings_uses_ldap(settings)) {
		(void)snprintf(path, sizeof path, "%s", settings->directory_uri);
		r = ldap_source_new(&s);
	} else {
		r = ldif_store_locate(paths, settings->directory_uri, path, sizeof path);
		if (r < 0) {
			(void)snprintf(error, size, "[directory] uri: \"%s\" is not file:///PATH", settings->directory_uri);
			return r;
		}
		r = ldif_source_new(path, &s);
	}
	if (r < 0)
		goto out;
	s->event = sd_event_ref(event);
	s->paths = paths;
	s->settings = settings;
	s->workers = workers;
	s->changed = changed;
	s->changed_arg = arg;
	r = s->ops->open(s);
	if (r < 0)
		goto out;
	*ret = s;
	return 0;
out:
	(void)snprintf(error, size, "%s: %s", path, strerror(-r));
	source_free(s);
	return r;
}

void
source_free(struct source *s)
{
	if (s == NULL)
		return;
	source_jobs_abandon(s);
	s->ops->close(s);
	source_view_unref(s->view);
	sd_event_unref(s->event);
	free(s);
}

int
source_may_decide(const struct source_status *status, bool approve, size_t removed, size_t renumbered)
{
	if (status->held_removed + status->held_renumbered == 0)
		return -ENOENT;
	if (status->held_removed != removed || status->held_renumbered != renumbered)
		return -ESTALE;
	return approve && !status->connected ? -ENOTCONN : 0;
}

int
source_publish(struct source *s, struct entries *entries)
{
	struct source_view *view = calloc(1, sizeof *view), *old = s->view;
	int r;

	if (view == NULL) {
		entries_done(entries);
		return -ENOMEM;
	}
	view->refs = 1;
	view->generation = old != NULL ? old->generation + 1 : 1;
	view->entries = *entries;
	*entries = (struct entries){ 0 };	/* now owned by the view */
	r = identities_build_after(&view->entries, s->settings, old != NULL ? &old->identities : NULL,
	    s->accept_newcomers ? NULL : s->holders, &view->identities);
	if (r == 0 && s->holders != NULL)
		r = identity_holders_update(s->holders, old != NULL ? &old->identities : NULL, &view->identities);
	if (r < 0) {
		source_view_unref(view);
		return r;
	}
	if (r > 0)
		s->ops->save_holders(s);
	s->accept_newcomers = false;
	s->view = view;
	s->changed(old, s->changed_arg);
	source_view_unref(old);
	(void)malloc_trim(0);		/* two views stood side by side; what the old one held goes back to the system */
	return 0;
}
