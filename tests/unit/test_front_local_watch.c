/*
 * test_front_local_watch.c - the real front and directory: which local accounts under policy the front puts out, and when.
 *
 * The test stands where the publisher listens and sees whom it is told to put out; that it does so is shown by
 * tests/integration/local-manage.sh.
 */
#include <config.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/channel.h"
#include "common/civil_date.h"
#include "tests/unit/front_scene.h"
#include "tests/unit/suite.h"

static struct scene s;
static struct talk t;
static int publisher = -1;

#define PASSWD "root:x:0:0:root:/root:/bin/sh\nhana:x:1501:1501::/home/hana:/bin/sh\nemil:x:1502:1502::/:/bin/sh\n" \
	"bob:x:1504:1504::/:/bin/sh\nghost:x:1505:1505::/:/bin/sh\nglas:x:1507:1507::/:/bin/sh\n"
#define POLICY "[role all]\nmatch = any\nallow-services = sshd cron\nmfa = none\n[local]\nmanage = "
#define ARMED "ismsArmedBy: uid=emil,ou=people,dc=isms,dc=local\nismsArmedReason: disk is full\nismsArmedUntil: %s\n"

/* Stand where the publisher listens. */
static void
listen_as_publisher(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	scene_path(&s, "run/isms/private/publisher.sock", address.sun_path, sizeof address.sun_path);
	publisher = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(publisher, 0);
	ck_assert_int_eq(bind(publisher, (const struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(publisher, 16), 0);
}

/* user, line: whose entry has a further one from the beginning, without which the first look would be too early. */
static void
begin(const char *passwd, const char *managed, const char *user, const char *line)
{
	char text[256];

	scene_start(&s, "");
	scene_kill_front(&s, SIGTERM);
	scene_kill_directory(&s, SIGTERM);
	(void)snprintf(text, sizeof text, POLICY "%s\n", managed);
	scene_write(&s, "etc/isms/policy.conf", text);
	scene_write(&s, "etc/passwd", passwd);
	scene_change_user(&s, user, line);
	listen_as_publisher();
	scene_run_directory(&s);
	scene_run_front(&s);
}

static void
end(void)
{
	scene_stop(&s);
	(void)close(publisher);
}

/* What the publisher is told next, taken; whether that is to put somebody out. */
static bool
take(struct msg_sessions_end *ret)
{
	const struct msg_done done = { .error = 0 };
	static uint8_t frame[PROTO_FRAME_MAX];
	const int64_t deadline_ms = channel_now_ms() + 120000;
	struct pollfd wait = { .fd = publisher, .events = POLLIN };
	const struct message_info *info;
	size_t size;
	bool is_end;
	int fd, r;

	ck_assert_int_eq(poll(&wait, 1, 120000), 1);
	fd = accept(publisher, NULL, NULL);
	ck_assert_int_ge(fd, 0);
	r = channel_recv(fd, frame, sizeof frame, deadline_ms, &info, &size);
	is_end = r == 0 && info->number == MSG_SESSIONS_END;
	if (is_end)
		ck_assert_int_eq(proto_decode(info, frame, size, ret), 0);
	if (r == 0)
		ck_assert_int_eq(channel_send(fd, MSG_DONE, &done, deadline_ms), 0);
	(void)close(fd);
	return is_end;
}

/* The next one whom the publisher is told to put out. */
static void
expect(const char *user, uint32_t uid, enum reason reason)
{
	struct msg_sessions_end m;

	while (!take(&m))	/* a roster, which has a descriptor; that a break-glass account is used */
		;
	ck_assert_msg(strcmp(m.user, user) == 0 && m.uid == uid && m.reason == reason, "got %s (%u), %s", m.user, m.uid,
	    reason_token((enum reason)m.reason));
}

static pid_t
open_session(const char *user)
{
	struct msg_session_open m = { .service = "sshd", .rhost = "192.0.2.7", .flags = REQUEST_LOCAL };
	pid_t pid;

	(void)snprintf(m.user, sizeof m.user, "%s", user);
	pid = scene_open_session(&s, &m, &t);
	talk_expect(&t, VERDICT_ALLOW, REASON_OK);
	return pid;
}

static const char *
armed_until(int64_t utc_sec)
{
	static char lines[256];
	char until[32];

	(void)snprintf(lines, sizeof lines, ARMED, civil_date_format_generalized(utc_sec, until));
	return lines;
}

/* While somebody is in, what is taken back counts within seconds. */
START_TEST(disarmed_while_in)
{
	pid_t pid, other;

	begin(PASSWD, "emil glas", "glas", armed_until((int64_t)time(NULL) + 3600));
	other = open_session("emil");
	pid = open_session("glas");
	scene_change_user(&s, "", NULL);
	expect("glas", 1507, REASON_BREAKGLASS_NOT_ARMED);	/* and nobody before */
	scene_end_session(pid);
	scene_end_session(other);
	end();
}
END_TEST

/* Nobody is in: what they have left running, has no session. In the order of the list; who may stay is not named. */
START_TEST(nobody_is_in)
{
	begin(PASSWD, "emil bob hana glas ghost", "", NULL);
	expect("bob", 1504, REASON_EXPIRED);
	expect("glas", 1507, REASON_BREAKGLASS_NOT_ARMED);
	expect("ghost", 1505, REASON_UNKNOWN_USER);
	end();
}
END_TEST

/* Two names of one uid: the end of the second counts, too, though the first is in. Root, and below 1000: nobody's to end. */
START_TEST(names_that_share)
{
	pid_t pid;

	begin("root:x:0:0:root:/root:/bin/sh\nemil:x:1502:1502::/:/bin/sh\nbob:x:1502:1502::/:/bin/sh\n"
	    "carl:x:102:102::/:/bin/sh\nghost:x:0:0::/:/bin/sh\nglas:x:1507:1507::/:/bin/sh\n", "emil carl ghost bob glas", "", NULL);
	pid = open_session("emil");
	expect("bob", 1502, REASON_EXPIRED);
	expect("glas", 1507, REASON_BREAKGLASS_NOT_ARMED);
	scene_end_session(pid);
	end();
}
END_TEST

/* An end that is known is not waited for until the next round, which is a minute later. */
START_TEST(end_is_foreseen)
{
	const int64_t began_ms = channel_now_ms(), at = (int64_t)time(NULL) + 12;
	char line[64], date[32];

	(void)snprintf(line, sizeof line, "ismsNotAfter: %s\n", civil_date_format_generalized(at, date));
	begin(PASSWD, "hana bob emil", "emil", line);
	expect("bob", 1504, REASON_EXPIRED);
	ck_assert_int_lt((int64_t)time(NULL), at);
	expect("bob", 1504, REASON_EXPIRED);		/* the second round */
	ck_assert_int_ge((int64_t)time(NULL), at);
	expect("emil", 1502, REASON_EXPIRED);
	ck_assert_int_lt(channel_now_ms() - began_ms, 50000);
	end();
}
END_TEST

/* Also one that has become known by a session alone, which was over before anybody looked at it. */
START_TEST(end_of_a_short_session)
{
	int64_t began_ms, at;
	char line[64], date[32];

	begin(PASSWD, "hana bob emil", "", NULL);
	expect("bob", 1504, REASON_EXPIRED);
	began_ms = channel_now_ms();
	at = (int64_t)time(NULL) + 12;
	(void)snprintf(line, sizeof line, "ismsNotAfter: %s\n", civil_date_format_generalized(at, date));
	scene_change_user(&s, "emil", line);
	do
		scene_end_session(open_session("emil"));
	while (t.verdict.not_after_utc_sec != at);
	expect("bob", 1504, REASON_EXPIRED);
	expect("emil", 1502, REASON_EXPIRED);
	ck_assert_int_ge((int64_t)time(NULL), at);
	ck_assert_int_lt(channel_now_ms() - began_ms, 50000);
	end();
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ disarmed_while_in, 0 }, { nobody_is_in, 0 }, { names_that_share, 0 }, { end_is_foreseen, 0 },
		{ end_of_a_short_session, 0 },
	};

	return suite_run("front_local_watch", rows, ROWS(rows), SUITE_PATIENCE_SEC);
}
