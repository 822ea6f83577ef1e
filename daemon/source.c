/*
 * source.c - the choice of the source, and what all kinds of it do with changes (see source.h).
 *
 * Directory process, on its loop.
 */
#include <config.h>

#include "daemon/source.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ldif_store.h"
#include "daemon/source_exemptions.h"
#include "daemon/source_heap.h"
#include "daemon/source_job.h"

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
	r = source_heap_open(s);
	if (r == 0)
		r = source_grants_new(s, &s->grants);
	if (r == 0)
		r = census_new(&s->census);
	if (r == 0) {
		census_use_heap(s->census, s->heap);
		r = s->ops->open(s);
	}
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
	source_grants_free(s->grants);
	census_free(s->census);
	source_heap_close(s);
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

size_t
source_users(const struct source *s)
{
	struct census_counts counts;

	census_counts(s->census, &counts);
	return counts.users;
}

/* accept: those whom a person has let in come in with it, since it tells of them; the passing of time tells of nobody. */
static int
publish(struct source *s, struct entry_changes *changes, bool accept)
{
	const struct census_how how = { .settings = s->settings, .holders = s->holders,
		.accept_newcomers = accept && s->accept_newcomers, .accept_approved = accept && s->accept_approved,
		.anew = s->anew || s->generation == 0 };
	struct fresh_exemptions fresh = { 0 };
	struct census_news news = { 0 };
	bool whole;
	int r = census_complete(s->census);

	if (r == 0)
		r = source_exemptions_find(s, changes, &fresh);
	if (r == 0)
		r = source_grants_stage(s->grants, changes);
	if (r == 0) {
		r = census_update(s->census, &how, changes, &news);
		source_grants_settle(s->grants, r);
	}
	source_exemptions_tell(s, &fresh, r);
	if (r > 0) {
		s->generation++;
		if (accept)
			s->accept_newcomers = s->accept_approved = false;
		s->anew = false;
		if (news.holders_changed)
			s->ops->save_holders(s);
		if (s->ops->await_stored != NULL)
			s->ops->await_stored(s);
		s->changed(&news, s->changed_arg);
	}
	whole = news.whole;
	census_news_done(&news);
	if (r >= 0)
		r = census_complete(s->census);
	if (whole)
		(void)malloc_trim(0);	/* everybody was read; what that took goes back to the system */
	return r < 0 ? r : 0;
}

int
source_publish(struct source *s, struct entry_changes *changes)
{
	return publish(s, changes, true);
}

int
source_tick(struct source *s)
{
	struct entry_changes none = { 0 };
	int r = publish(s, &none, false);

	entry_changes_done(&none);
	return r;
}
