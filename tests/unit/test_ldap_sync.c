/*
 * test_ldap_sync.c - the thread that follows a directory, and a server that lets nobody in.
 */
#include <config.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/ldap_sync.h"
#include "tests/unit/ldapi_socket.h"
#include "tests/unit/suite.h"

static int listener;
static atomic_uint visits;

static void *
hang_up_on_everybody(void *arg)
{
	int fd;

	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		atomic_fetch_add(&visits, 1);
		(void)close(fd);
	}
	return arg;
}

static void
no_news(void *arg)
{
	(void)arg;
}

/* Pauses are spread over five seconds, then more: also when somebody rings while there is no session to hear it. */
START_TEST(pauses_stay_pauses)
{
	const struct ldap_sync_state seen = { .connected = true };
	struct settings settings;
	struct ldap_sync *sync = NULL;
	sd_event *event = NULL;
	pthread_t server;

	settings_defaults(&settings);
	listener = ldapi_socket(settings.directory_uri, sizeof settings.directory_uri);
	ck_assert_int_eq(listen(listener, 16), 0);
	ck_assert_int_eq(pthread_create(&server, NULL, hang_up_on_everybody, NULL), 0);
	(void)signal(SIGPIPE, SIG_IGN);		/* as ismsd does */
	(void)snprintf(settings.directory_bind_dn, sizeof settings.directory_bind_dn, "external");
	ck_assert_int_eq(sd_event_new(&event), 0);
	ck_assert_int_eq(ldap_sync_start(event, &settings, suite_folder(), NULL, no_news, NULL, &sync), 0);
	for (int i = 0; i < 1000 && atomic_load(&visits) == 0; i++)
		(void)usleep(10000);
	ldap_sync_approve(sync, &seen);
	(void)usleep(2000000);
	ck_assert_uint_le(atomic_load(&visits), 8);
	for (int i = 0; i < 1000 && atomic_load(&visits) < 2; i++)	/* the ring itself, and half a second after the first */
		(void)usleep(10000);
	ck_assert_uint_ge(atomic_load(&visits), 2);
	ldap_sync_stop(sync);
	(void)sd_event_unref(event);
	(void)shutdown(listener, SHUT_RDWR);
	ck_assert_int_eq(pthread_join(server, NULL), 0);
	(void)close(listener);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { pauses_stay_pauses, 0 } };

	return suite_run("ldap sync", rows, ROWS(rows), 60);
}
