/*
 * test_ldap_jobs.c - what a password check says to an LDAP server, whoever it is of: names that nobody has must cost as
 * much of the server's time as others (THREATS I2, 5.1), and nothing of what was typed may go there for them.
 *
 * A server of a few lines counts what it is asked; it refuses binds and finds nothing.
 */
#include <config.h>

#include "daemon/ldap_source.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/ldap_password.h"
#include "tests/unit/identity_maker.h"
#include "tests/unit/ldapi_socket.h"
#include "tests/unit/suite.h"

#define PASSWORD "correct horse battery"
#define BIND 0x60
#define SEARCH 0x63

static struct {
	int fd;
	pthread_t thread;
	unsigned connections, binds, searches, others;
	bool saw_password;
} server;

static struct ldap_source source;
static enum reason answer;
static unsigned answers;

/* One request is one read here: they are short, and libldap waits for each answer. The id is one byte. */
static void
serve(int fd)
{
	unsigned char in[1024], out[] = { 0x30, 12, 0x02, 1, 0, 0, 7, 0x0a, 1, 0, 0x04, 0, 0x04, 0 };
	ssize_t n;

	while ((n = read(fd, in, sizeof in)) > 7) {
		size_t id = in[1] < 0x80 ? 4 : 4 + (in[1] & 0x7f);	/* the length may have bytes of its own */

		server.saw_password = server.saw_password || memmem(in, (size_t)n, PASSWORD, strlen(PASSWORD)) != NULL;
		server.binds += in[id + 1] == BIND;
		server.searches += in[id + 1] == SEARCH;
		server.others += in[id + 1] != BIND && in[id + 1] != SEARCH && in[id + 1] != 0x42;
		out[4] = in[id];
		out[5] = in[id + 1] == BIND ? 0x61 : 0x65;
		out[9] = in[id + 1] == BIND ? 49 : 0;			/* invalidCredentials */
		if (in[id + 1] != 0x42 && write(fd, out, sizeof out) != (ssize_t)sizeof out)
			return;
	}
}

static void *
server_main(void *arg)
{
	int fd;

	(void)arg;
	while ((fd = accept(server.fd, NULL, NULL)) >= 0) {
		server.connections++;
		serve(fd);
		(void)close(fd);
	}
	return NULL;
}

static void
begin_server(bool listens)
{
	memset(&server, 0, sizeof server);
	server.fd = ldapi_socket(settings.directory_uri, sizeof settings.directory_uri);
	if (listens) {
		ck_assert_int_eq(listen(server.fd, 4), 0);
		ck_assert_int_eq(pthread_create(&server.thread, NULL, server_main, NULL), 0);
	}
}

static void
end_server(bool listens)
{
	(void)shutdown(server.fd, SHUT_RDWR);
	if (listens)
		ck_assert_int_eq(pthread_join(server.thread, NULL), 0);
	(void)close(server.fd);
}

static void
on_answer(enum reason reason, const char *words, void *arg)
{
	(void)words, (void)arg;
	answer = reason;
	answers++;
}

static const struct {
	const char *user, *password;
	bool listens;
	enum reason reason;
	unsigned connections, binds, searches;
} checks[] = {
	{ "ada", PASSWORD, true, REASON_PASSWORD_FAILED, 1, 1, 0 },
	{ NULL, PASSWORD, true, REASON_PASSWORD_FAILED, 1, 0, 1 },
	{ "ada", "", true, REASON_PASSWORD_FAILED, 0, 0, 0 },
	{ NULL, "", true, REASON_PASSWORD_FAILED, 0, 0, 0 },
	{ "ada", PASSWORD, false, REASON_DIRECTORY_UNAVAILABLE, 0, 0, 0 },
	{ NULL, PASSWORD, false, REASON_PASSWORD_FAILED, 0, 0, 0 },	/* who is unknown is refused for that, as before */
};

START_TEST(password_checks)
{
	const struct identity *user;

	answers = 0;
	begin();
	add_user("ada", 2000, "");
	build_after(NULL);
	begin_server(checks[_i].listens);
	source = (struct ldap_source){ .base = { .settings = &settings } };
	ck_assert_int_eq(sd_event_new(&source.base.event), 0);
	ck_assert_int_eq(workers_new(source.base.event, 1, 4, &source.base.workers), 0);
	user = checks[_i].user != NULL ? identities_find(&all, checks[_i].user) : NULL;
	ck_assert_int_eq(ldap_password_check(&source.base, user, checks[_i].password, on_answer, NULL), 0);
	while (answers == 0)
		ck_assert_int_gt(sd_event_run(source.base.event, 20000000), 0);
	workers_free(source.base.workers);
	(void)sd_event_unref(source.base.event);
	end_server(checks[_i].listens);
	ck_assert_uint_eq(answers, 1);
	ck_assert_int_eq(answer, checks[_i].reason);
	ck_assert_uint_eq(server.connections, checks[_i].connections);
	ck_assert_uint_eq(server.binds, checks[_i].binds);
	ck_assert_uint_eq(server.searches, checks[_i].searches);
	ck_assert_uint_eq(server.others, 0);
	ck_assert_int_eq(server.saw_password, checks[_i].binds != 0);
	end();
}
END_TEST

/* ---- unicodePwd ---- */

#define UNITS(text) text, (int)sizeof(text) - 1
static const struct { const char *password, *bytes; int len; } unicode[] = {
	{ "", UNITS("\"\0\"\0") },
	{ "aB", UNITS("\"\0a\0B\0\"\0") },
	{ "\"", UNITS("\"\0\"\0\"\0") },
	{ "\303\244", UNITS("\"\0\344\0\"\0") },
	{ "\342\202\254", UNITS("\"\0\254\040\"\0") },
	{ "\360\237\224\221", UNITS("\"\0\075\330\021\335\"\0") },	/* beyond 16 bits: two units */
	{ "\364\217\277\277", UNITS("\"\0\377\333\377\337\"\0") },
	{ "\364\220\200\200", NULL, -EINVAL },
	{ "\355\240\200", NULL, -EINVAL },		/* a surrogate */
	{ "\300\200", NULL, -EINVAL },			/* longer than need be */
	{ "\303", NULL, -EINVAL },
	{ "a\200", NULL, -EINVAL },
	{ "\377", NULL, -EINVAL },
};

START_TEST(passwords_in_units)
{
	unsigned char buf[64];
	size_t room;

	ck_assert_int_eq(ldap_password_unicode(unicode[_i].password, buf, sizeof buf), unicode[_i].len);
	if (unicode[_i].len < 0)
		return;
	ck_assert_mem_eq(buf, unicode[_i].bytes, (size_t)unicode[_i].len);
	ck_assert_uint_le((size_t)unicode[_i].len, LDAP_PASSWORD_UNICODE_SIZE(strlen(unicode[_i].password)));
	for (room = 0; room < (size_t)unicode[_i].len; room++)
		ck_assert_int_eq(ldap_password_unicode(unicode[_i].password, buf, room), -EINVAL);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { password_checks, ROWS(checks) }, { passwords_in_units, ROWS(unicode) } };

	return suite_run("ldap jobs", rows, ROWS(rows), 60);
}
