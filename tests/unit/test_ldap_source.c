/*
 * test_ldap_source.c - a thread that could not be started: the next reload tries again, and takes nobody for somebody else.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>

#include "common/paths.h"
#include "daemon/ldap_sync.h"
#include "daemon/source.h"
#include "tests/unit/suite.h"

static bool fails;
static int starts;

int __wrap_ldap_sync_start(sd_event *event, const struct settings *settings, const char *folder,
    struct entry_heap *heap, void (*news)(void *arg), void *arg, struct ldap_sync **ret);
int __real_ldap_sync_start(sd_event *event, const struct settings *settings, const char *folder,
    struct entry_heap *heap, void (*news)(void *arg), void *arg, struct ldap_sync **ret);

int
__wrap_ldap_sync_start(sd_event *event, const struct settings *settings, const char *folder,
    struct entry_heap *heap, void (*news)(void *arg), void *arg, struct ldap_sync **ret)
{
	starts++;
	return fails ? -EAGAIN : __real_ldap_sync_start(event, settings, folder, heap, news, arg, ret);
}

static void
on_changed(const struct census_news *news, void *arg)
{
	(void)news;
	(void)arg;
}

START_TEST(a_thread_that_does_not_start)
{
	struct paths paths = { 0 };
	struct settings settings;
	struct source_status status;
	struct source *source = NULL;
	sd_event *event = NULL;
	char error[512];

	settings_defaults(&settings);
	(void)snprintf(settings.directory_uri, sizeof settings.directory_uri, "ldaps://localhost:1");
	(void)snprintf(settings.directory_base, sizeof settings.directory_base, "dc=x");
	(void)snprintf(paths.replica, sizeof paths.replica, "%s", suite_folder());
	ck_assert_int_eq(sd_event_new(&event), 0);
	ck_assert_int_eq(source_new(event, &paths, &settings, NULL, on_changed, NULL, &source, error, sizeof error), 0);
	ck_assert_int_eq(starts, 1);
	source->ops->reload(source);
	ck_assert_int_eq(starts, 1);		/* nothing has changed */
	settings.directory_poll_interval++;
	fails = true;
	source->ops->reload(source);
	source->ops->reload(source);
	ck_assert_int_eq(starts, 3);
	source->ops->status(source, &status);
	ck_assert(!status.connected);
	ck_assert_str_eq(status.fault, "no thread to follow it; reload to try again");
	source->ops->approve(source);		/* nobody hears it */
	fails = false;
	source->ops->reload(source);
	ck_assert_int_eq(starts, 4);
	ck_assert(!source->accept_newcomers);	/* it is the directory that it was */
	source->ops->reload(source);
	ck_assert_int_eq(starts, 4);
	(void)snprintf(settings.directory_base, sizeof settings.directory_base, "dc=y");
	source->ops->reload(source);
	ck_assert_int_eq(starts, 5);
	ck_assert(source->accept_newcomers);	/* its twin: another directory */
	source_free(source);
	(void)sd_event_unref(event);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { a_thread_that_does_not_start, 0 } };

	return suite_run("ldap source", rows, ROWS(rows), 60);
}
