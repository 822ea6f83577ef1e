/*
 * test_ldap_changes.c - an Active Directory is followed by its numbers: what is asked of it for each change, and when
 * everything is read anew (THREATS 5.5).
 *
 * A scripted server stands for changes that no real one makes on request: a restore, a moved container, a race.
 */
#include <config.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/ldap_sync_parts.h"
#include "daemon/loop.h"
#include "daemon/replica_parts.h"
#include "tests/unit/ber.h"
#include "tests/unit/ldapi_socket.h"
#include "tests/unit/suite.h"

#define USER	"805306368"
#define GROUP	"268435456"
#define BASE	"dc=x"

struct thing {
	const char *dn, *name, *type, *member, *display;
	unsigned char number;		/* of objectGUID and objectSid */
	unsigned usn;
};

/* The server, and what it was asked: U G all users and groups, u g their list, d changes, m groups of one. */
static struct {
	pthread_mutex_t lock;
	struct thing things[8];
	size_t count;
	unsigned usn;
	char instance;
	bool knows_usn;
	char asked[64];
	int listener;
	pthread_t thread;
} server = { .lock = PTHREAD_MUTEX_INITIALIZER };

static bool
says(const unsigned char *request, size_t len, const char *text)
{
	return memmem(request, len, text, strlen(text)) != NULL;
}

static void
attribute(struct ber *list, const char *name, const void *value, size_t len)
{
	struct ber values = { .len = 0 }, one = { .len = 0 };

	ber_put(&values, 0x04, value, len);
	ber_text(&one, name);
	ber_in(&one, 0x31, &values);
	ber_in(list, 0x30, &one);
}

static void
text(struct ber *list, const char *name, const char *value)
{
	if (value != NULL)
		attribute(list, name, value, strlen(value));
}

static void
say(int fd, const struct ber *id, unsigned char operation, const struct ber *content)
{
	struct ber message = *id, all = { .len = 0 };

	ber_in(&message, operation, content);
	ber_in(&all, 0x30, &message);
	ck_assert_int_eq(write(fd, all.bytes, all.len), (ssize_t)all.len);
}

static void
say_entry(int fd, const struct ber *id, const char *dn, const struct ber *attributes)
{
	struct ber content = { .len = 0 };

	ber_text(&content, dn);
	ber_in(&content, 0x30, attributes);
	say(fd, id, 0x64, &content);
}

static void
say_thing(int fd, const struct ber *id, const struct thing *t)
{
	unsigned char guid[16] = { [15] = t->number };
	unsigned char sid[28] = { 1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, t->number };
	struct ber list = { .len = 0 };

	attribute(&list, "objectGUID", guid, sizeof guid);
	attribute(&list, "objectSid", sid, sizeof sid);
	text(&list, "objectClass", strcmp(t->type, GROUP) == 0 ? "group" : "user");
	text(&list, "sAMAccountName", t->name);
	text(&list, "sAMAccountType", t->type);
	text(&list, "displayName", t->display);
	text(&list, "member", t->member);
	text(&list, "primaryGroupID", "99");
	text(&list, "userAccountControl", "512");
	text(&list, "accountExpires", "0");
	text(&list, "employeeType", "employee");
	say_entry(fd, id, t->dn, &list);
}

/* The number in "uSNChanged>=N" of a request. */
static unsigned
asked_since(const unsigned char *request, size_t len)
{
	const unsigned char *at = memmem(request, len, "uSNChanged", 10);
	char digits[16] = "";

	(void)snprintf(digits, sizeof digits, "%.*s", at != NULL ? at[11] : 0, at != NULL ? (const char *)at + 12 : "");
	return (unsigned)strtoul(digits, NULL, 10);
}

static void
answer_search(int fd, const struct ber *id, const unsigned char *request, size_t len)
{
	bool whole = says(request, len, "userAccountControl"), users = says(request, len, USER);
	bool groups = says(request, len, GROUP), changes = says(request, len, "uSNChanged");

	(void)strncat(server.asked, users && whole ? "U" : users ? "u" : groups && whole ? "G" : groups ? "g" : changes ? "d" :
	    "m", sizeof server.asked - strlen(server.asked) - 1);
	for (size_t i = 0; i < server.count; i++) {
		const struct thing *t = &server.things[i];

		if (users ? strcmp(t->type, USER) == 0 : groups ? strcmp(t->type, GROUP) == 0 : changes ?
		    t->usn >= asked_since(request, len) : t->member != NULL && says(request, len, t->member))
			say_thing(fd, id, t);
	}
}

/* What the server says of itself. */
static bool
answer_root(int fd, const struct ber *id, const unsigned char *request, size_t len)
{
	char usn[16], instance[16];
	struct ber list = { .len = 0 };

	(void)snprintf(usn, sizeof usn, "%u", server.usn);
	memset(instance, server.instance, sizeof instance);
	if (says(request, len, "highestCommittedUSN"))
		text(&list, "highestCommittedUSN", server.knows_usn ? usn : NULL);
	else if (says(request, len, "dsServiceName"))
		text(&list, "dsServiceName", "cn=NTDS Settings,cn=dc1");
	else if (says(request, len, "invocationId"))
		attribute(&list, "invocationId", instance, sizeof instance);
	else
		return false;
	say_entry(fd, id, "", &list);
	return true;
}

static void *
serve(void *arg)
{
	const unsigned char success = 0;
	unsigned char in[8192];
	struct ber done = { .len = 0 };
	ssize_t n;
	int fd = accept(server.listener, NULL, NULL);

	ber_put(&done, 0x0a, &success, 1);
	ber_text(&done, "");
	ber_text(&done, "");
	while (fd >= 0 && (n = read(fd, in, sizeof in)) > 8) {
		size_t at = in[1] < 0x80 ? 2 : 2 + (in[1] & 0x7fu);	/* the length may have bytes of its own */
		struct ber id = { .len = 0 };

		ber_put(&id, in[at], &in[at + 2], in[at + 1]);
		if (in[at + 2 + in[at + 1]] != 0x63)	/* no search: goodbye */
			break;
		(void)pthread_mutex_lock(&server.lock);
		if (!answer_root(fd, &id, in, (size_t)n))
			answer_search(fd, &id, in, (size_t)n);
		(void)pthread_mutex_unlock(&server.lock);
		say(fd, &id, 0x65, &done);
	}
	(void)close(fd);
	return arg;
}

/* ---- what happens, and what is asked for it ---- */

static struct ldap_session session;
static atomic_bool stop;
static size_t step;

static struct thing *
thing(unsigned char number)
{
	for (size_t i = 0; i < server.count; i++)
		if (server.things[i].number == number)
			return &server.things[i];
	ck_abort_msg("no thing %u", number);
	return NULL;
}

static void
put(struct thing t)
{
	t.usn = ++server.usn;
	server.things[server.count++] = t;
}

static void
touch(unsigned char number)
{
	thing(number)->usn = ++server.usn;
}

static void
nothing(void)
{
}

static void
another_name(void)
{
	thing(1)->display = "Ada L.";
	touch(1);
}

static void
same_again(void)
{
	touch(1);
}

static void
a_computer(void)
{
	put((struct thing){ "cn=pc,dc=x", "pc$", "805306369", NULL, NULL, 50, 0 });
}

/* Nobody is told, but by a number that is somebody else's. */
static void
bob_goes(void)
{
	*thing(2) = server.things[--server.count];
	server.usn++;
}

static void
container_renamed(void)
{
	thing(1)->dn = "cn=ada,ou=b,dc=x";
	thing(9)->member = "cn=ada,ou=b,dc=x";
	server.usn++;
}

static void
cyd_moves_in(void)
{
	thing(9)->member = "cn=cyd,dc=x";	/* a group that has not changed */
	put((struct thing){ "cn=cyd,dc=x", "cyd", USER, NULL, NULL, 3, 0 });
}

static void
dan_below_a_moved_container(void)
{
	put((struct thing){ "cn=dan,ou=c,dc=x", "dan", USER, NULL, NULL, 4, 0 });
	thing(4)->usn = 1;
}

static void
dan_joins(void)
{
	thing(9)->member = "cn=dan,ou=c,dc=x";
	touch(9);
}

/* What names him goes with him, and has no number of its own. */
static void
dan_goes(void)
{
	struct thing *dan = thing(4);

	*dan = server.things[--server.count];
	thing(9)->member = "cn=ada,ou=b,dc=x";
	server.usn++;
}

/* Between two looks: she goes, and somebody else has her name. */
static void
another_ada(void)
{
	thing(9)->member = "cn=cyd,dc=x";
	thing(1)->number = 5;
	touch(5);
}

static void
the_group_changes(void)
{
	touch(9);
}

static void
restored(void)
{
	server.instance = 'r';
	server.usn += 1;
}

static void
number_goes_back(void)
{
	server.usn -= 10;
}

struct step {
	void (*happens)(void);
	const char *asked;
	size_t entries;
	bool applied;			/* else the server has said that all is as it was */
};

static const struct step many[] = {
	{ nothing, "UG", 3, true },		/* at first */
	{ nothing, "", 3, false },
	{ another_name, "dug", 3, true },
	{ same_again, "dug", 3, false },
	{ a_computer, "dug", 3, false },
	{ bob_goes, "dug", 2, true },
	{ cyd_moves_in, "dmug", 3, true },
	{ container_renamed, "dugUG", 3, true },
	{ the_group_changes, "dUG", 3, true },	/* right after everything was read: who knows by which name it was named? */
	{ the_group_changes, "dUG", 3, true },
	{ the_group_changes, "dug", 3, false },	/* not for ever */
	{ dan_below_a_moved_container, "dugUG", 4, true },
	{ nothing, "", 4, false },
	{ dan_joins, "dug", 4, true },
	{ dan_goes, "dugUG", 3, true },		/* a group named him */
	{ nothing, "", 3, false },
	{ another_ada, "dUG", 3, true },	/* a group would name her */
	{ dan_below_a_moved_container, "dugUG", 4, true },
	{ restored, "UG", 4, true },
	{ nothing, "", 4, false },
	{ number_goes_back, "UG", 4, true },
};
static const struct step all_read[] = { { nothing, "UG", 3, true } };
static const struct step none_read[] = { { nothing, "", 3, false } };

static const struct step *steps;
static size_t step_count;
static struct entry_heap *heap;		/* where all is that was told of, as in the daemon */

/* A group names its members as the server does now, whether it has a new number or not. */
static void
check_group(struct ldap_session *s)
{
	struct entry_changes all = { 0 };
	unsigned groups = 0;

	replica_tell_all(s->replica);
	ck_assert_int_eq(replica_changes(s->replica, &all), 0);
	for (size_t i = 0; i < all.count; i++) {
		struct entry *e;

		ck_assert_int_eq(entry_heap_get(heap, all.list[i].number, true, &e), 0);
		if (strcmp(e->dn, "cn=g," BASE) == 0) {
			ck_assert_str_eq(entry_value(e, "member"), thing(9)->member);
			groups++;
		}
		entry_free(e);
	}
	ck_assert_uint_eq(groups, 1);
	entry_changes_done(&all);
}

static void
look_done(struct ldap_session *s, bool applied)
{
	(void)pthread_mutex_lock(&server.lock);
	ck_assert_msg(strcmp(server.asked, steps[step].asked) == 0, "step %zu: %s, wanted %s", step, server.asked,
	    steps[step].asked);
	ck_assert_msg(applied == steps[step].applied, "step %zu", step);
	ck_assert_msg(replica_count(s->replica) == steps[step].entries, "step %zu: %zu entries", step, replica_count(s->replica));
	check_group(s);
	server.asked[0] = '\0';
	if (++step == step_count)
		atomic_store(&stop, true);
	else
		steps[step].happens();
	(void)pthread_mutex_unlock(&server.lock);
}

static void
on_unchanged(struct ldap_session *s)
{
	look_done(s, false);
}

static int
on_complete(struct ldap_session *s)
{
	look_done(s, true);
	return 0;
}

static bool
no_approval(struct ldap_session *s)
{
	(void)s;
	return false;
}

static void
no_turn(struct ldap_session *s)
{
	(void)s;
}

static struct settings settings;

static void
begin(bool knows_usn)
{
	char fault[256] = "";

	settings_defaults(&settings);
	(void)snprintf(settings.directory_schema, sizeof settings.directory_schema, "active-directory");
	(void)snprintf(settings.directory_id_from_sid, sizeof settings.directory_id_from_sid, "S-1-5-21-1-2-3 200000-399999");
	(void)snprintf(settings.directory_base, sizeof settings.directory_base, BASE);
	settings.directory_poll_interval = 0;
	server.listener = ldapi_socket(settings.directory_uri, sizeof settings.directory_uri);
	server.count = 0;
	server.usn = 100;
	server.instance = 'a';
	server.knows_usn = knows_usn;
	server.asked[0] = '\0';
	put((struct thing){ "cn=ada,dc=x", "Ada", USER, NULL, NULL, 1, 0 });
	put((struct thing){ "cn=bob,dc=x", "bob", USER, NULL, NULL, 2, 0 });
	put((struct thing){ "cn=g,dc=x", "g", GROUP, "cn=ada,dc=x", NULL, 9, 0 });
	ck_assert_int_eq(listen(server.listener, 4), 0);
	ck_assert_int_eq(replica_open(suite_folder(), "test", &session.replica, fault, sizeof fault), 0);
	ck_assert_int_eq(entry_heap_new(suite_folder(), &heap), 0);
	replica_use_heap(session.replica, heap);
}

/* One session with that server. */
static int
run(const struct step *wanted, size_t count)
{
	struct replica *replica = session.replica;
	int r;

	steps = wanted;
	step_count = count;
	ck_assert_int_eq(pthread_create(&server.thread, NULL, serve, NULL), 0);
	(void)signal(SIGPIPE, SIG_IGN);		/* as ismsd does */
	step = 0;
	atomic_store(&stop, false);
	session = (struct ldap_session){ .replica = replica, .settings = &settings, .stop = &stop,
		.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .uri = settings.directory_uri,
		.complete = on_complete, .unchanged = on_unchanged, .take_approval = no_approval, .turn = no_turn };
	r = ldap_session_run(&session);
	ck_assert_int_eq(pthread_join(server.thread, NULL), 0);
	(void)close(session.wake_fd);
	return r;
}

static void
end(void)
{
	(void)close(server.listener);
	replica_close(session.replica);
	session.replica = NULL;
	entry_heap_free(heap);
}

/* As if all had been read then. */
static void
read_last(int64_t utc_sec)
{
	struct sync_cookie *cookie = &session.replica->cookie;
	char text[400], instance[100];
	unsigned usn;

	(void)snprintf(text, sizeof text, "%.*s", (int)cookie->len, (const char *)cookie->bytes);
	ck_assert_int_eq(sscanf(text, "usn %u %*d %99s", &usn, instance), 2);
	cookie->len = (size_t)sprintf((char *)cookie->bytes, "usn %u %lld %s", usn, (long long)utc_sec, instance);
}

START_TEST(what_is_asked_for_what)
{
	begin(true);
	ck_assert_int_eq(run(many, ROWS(many)), -ECANCELED);
	ck_assert_uint_eq(step, ROWS(many));
	end();
}
END_TEST

/* However short the sessions are: an hour after all was read, and when that cannot be told, all is read again. */
START_TEST(an_hour_of_short_sessions)
{
	int64_t now_utc_sec = loop_clock_sec(CLOCK_REALTIME);
	struct sync_cookie *cookie;

	begin(true);
	ck_assert_int_eq(run(all_read, 1), -ECANCELED);
	ck_assert_int_eq(run(none_read, 1), -ECANCELED);
	read_last(now_utc_sec - 3500);
	ck_assert_int_eq(run(none_read, 1), -ECANCELED);
	read_last(now_utc_sec - 3700);
	ck_assert_int_eq(run(all_read, 1), -ECANCELED);
	ck_assert_int_eq(run(none_read, 1), -ECANCELED);
	read_last(now_utc_sec + 100);
	ck_assert_int_eq(run(all_read, 1), -ECANCELED);
	cookie = &session.replica->cookie;
	cookie->len = (size_t)sprintf((char *)cookie->bytes, "usn %u %s", server.usn, "61616161616161616161616161616161");
	ck_assert_int_eq(run(all_read, 1), -ECANCELED);
	ck_assert_int_eq(run(none_read, 1), -ECANCELED);
	end();
}
END_TEST

START_TEST(a_server_of_another_kind)
{
	begin(false);
	ck_assert_int_eq(run(all_read, 1), -EPROTO);
	ck_assert_ptr_nonnull(strstr(session.fault, "is it an Active Directory"));
	ck_assert_uint_eq(step, 0);
	end();
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { what_is_asked_for_what, 0 }, { an_hour_of_short_sessions, 0 },
		{ a_server_of_another_kind, 0 } };

	return suite_run("ldap changes", rows, ROWS(rows), 60);
}
