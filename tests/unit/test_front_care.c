/*
 * test_front_care.c - the real front and directory: exemptions at a login and in its events, the number of sessions, and that
 * `why` never says otherwise than the account stage.
 */
#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/channel.h"
#include "common/civil_date.h"
#include "tests/unit/front_scene.h"
#include "tests/unit/suite.h"

static struct scene s;
static struct talk t;

/* ---- exemptions ---- */

#define EXEMPTION(control, more) "\ndn: cn=r1,ou=exemptions,dc=isms,dc=local\nobjectClass: ismsExemption\ncn: r1\n" \
	"ismsControl: " control "\nismsMember: uid=dora,ou=people,dc=isms,dc=local\nismsReason: test\n" more

#define APPROVED "ismsApprover: uid=emil,ou=people,dc=isms,dc=local\nismsUntil: 20991231000000Z\n" \
	"createTimestamp: 20990101000000Z\n"

static void
log_in(const char *user, enum verdict verdict, enum reason reason)
{
	scene_account(&s, user, "sshd", "", &t);
	talk_expect(&t, verdict, reason);
	talk_ack(&t);
}

START_TEST(an_exemption_is_used_and_told)
{
	scene_start(&s, "");
	log_in("dora", VERDICT_DENY, REASON_MFA_NOT_ENROLLED);
	scene_change_user(&s, "dora", EXEMPTION("hours", APPROVED));
	(void)usleep(300000);
	log_in("dora", VERDICT_DENY, REASON_MFA_NOT_ENROLLED);
	scene_change_user(&s, "dora", EXEMPTION("mfa", APPROVED));
	for (int i = 0; i < 600; i++) {
		scene_account(&s, "dora", "sshd", "", &t);
		talk_ack(&t);
		if (t.verdict.verdict == VERDICT_ALLOW)
			break;
		(void)usleep(100000);
	}
	talk_expect(&t, VERDICT_ALLOW, REASON_OK);
	ck_assert_uint_eq(scene_events(&s, 1, "login granted", "user=dora", "exemption=r1", NULL), 1);
	ck_assert_uint_eq(scene_events(&s, 1, "exemption used", "user=dora", "exemption=r1", NULL), 1);
	log_in("emil", VERDICT_ALLOW, REASON_OK);		/* needs none, and none is told */
	ck_assert_uint_eq(scene_events(&s, 1, "login granted", "user=emil", NULL), 1);
	ck_assert_uint_eq(scene_events(&s, 0, "exemption used", NULL), 1);
	scene_stop(&s);
}
END_TEST

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJwcbgZh5k/FdMefRGw0mP0bb60T5OtVxV6e73Rk/47Q"
#define PRINT "SHA256:G6KzWJFdTwHq17+U+jvKyp5Jza4rVoLvj0jks/E74tg"
#define KEY2 "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBE3W9mvg1xnAVUba65Av8Ba6ahqBpT46" \
	"tb8OJB6rI5hNJS+uveVORNhpgqXVXyDwlu3VQqOHWfmHgMBmGOV53KQ="

/* dora's account stage until it says this; the transaction to txn. */
static void
await_account(enum verdict verdict, char txn[static 33])
{
	for (int i = 0; i < 600; i++) {
		scene_account(&s, "dora", "sshd", "", &t);
		talk_ack(&t);
		if ((enum verdict)t.verdict.verdict == verdict)
			break;
		(void)usleep(100000);
	}
	ck_assert_int_eq(t.verdict.verdict, verdict);
	(void)snprintf(txn, 33, "%s", t.verdict.txn);
}

static void
open_by(const char *txn, const char *key, enum verdict verdict, enum reason reason)
{
	struct msg_session_open m = { .user = "dora", .service = "sshd", .tty = "ssh" };

	(void)snprintf(m.txn, sizeof m.txn, "%s", txn);
	(void)snprintf(m.auth_info, sizeof m.auth_info, "publickey %s\n", key);
	m.ruid = geteuid();
	talk_run(&s, MSG_SESSION_OPEN, &m, NULL, &t);
	talk_expect(&t, verdict, reason);
	talk_end(&t);
}

/* sshd names the key when the session opens: until then the exemption may have come to its end. */
START_TEST(a_bound_exemption_ends_before_the_session)
{
	char by_key[33], by_other[33], without[33], none[33];
	unsigned before;

	scene_start(&s, "");
	scene_change_user(&s, "dora", EXEMPTION("mfa", APPROVED "ismsKeyFingerprint: " PRINT "\n"));
	await_account(VERDICT_ALLOW, by_key);
	await_account(VERDICT_ALLOW, by_other);
	open_by(by_key, KEY, VERDICT_ALLOW, REASON_OK);
	before = scene_transactions(&s);
	open_by(by_other, KEY2, VERDICT_DENY, REASON_MFA_NOT_ENROLLED);
	ck_assert_uint_eq(scene_transactions(&s), before - 1);	/* it waits for no key any more, in nobody's way */
	await_account(VERDICT_ALLOW, by_other);
	await_account(VERDICT_ALLOW, by_key);
	scene_change_user(&s, "dora", NULL);
	await_account(VERDICT_DENY, none);
	open_by(by_other, KEY2, VERDICT_DENY, REASON_MFA_NOT_ENROLLED);
	open_by(by_key, KEY, VERDICT_DENY, REASON_MFA_NOT_ENROLLED);
	/* Its twin is bound to nothing: sessions are not asked for codes (I6). */
	scene_change_user(&s, "dora", EXEMPTION("mfa", APPROVED));
	await_account(VERDICT_ALLOW, without);
	scene_change_user(&s, "dora", NULL);
	await_account(VERDICT_DENY, none);
	open_by(without, KEY2, VERDICT_ALLOW, REASON_OK);
	scene_stop(&s);
}
END_TEST

/* ---- the number of sessions ---- */

enum { LOGINS = 200, SESSIONS = 5 };

/* One login's last step: it waits for all others, opens, says how it went, and stays. */
static void
open_at_once(int start_fd, int told_fd)
{
	struct msg_session_open m = { .user = "emil", .service = "sshd" };
	char result, c;

	(void)!read(start_fd, &c, 1);		/* the end of the pipe: for all at one time */
	for (;;) {
		talk_run(&s, MSG_SESSION_OPEN, &m, NULL, &t);
		talk_end(&t);
		if (t.error == 0)
			break;
		(void)usleep(10000);		/* hung up on: too many are asked about at once */
	}
	result = t.verdict.verdict == VERDICT_ALLOW ? 'y' : t.verdict.reason == REASON_TOO_MANY_SESSIONS ? 'n' : '?';
	(void)!write(told_fd, &result, 1);
	for (;;)
		(void)pause();
}

static pid_t
begin_login(int start_fd, int told_fd, int other_fd)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)close(other_fd);
		open_at_once(start_fd, told_fd);
	}
	return pid;
}

static void
limit_sessions(void)
{
	scene_start(&s, "");
	scene_kill_front(&s, SIGTERM);
	scene_write(&s, "etc/isms/policy.conf",
	    "[role employee]\nmatch = kind:employee\nallow-services = sshd sudo\nmfa = none\nmax-sessions = 5\n");
	scene_run_front(&s);
}

static unsigned
results(int fd, unsigned wanted)
{
	unsigned yes = 0;
	char c;

	for (unsigned i = 0; i < wanted; i++) {
		ck_assert_int_eq(read(fd, &c, 1), 1);
		ck_assert_int_ne(c, '?');
		yes += c == 'y';
	}
	return yes;
}

/* 200 at once, and exactly as many as may be; then one leader is killed, and exactly one more is let in. */
START_TEST(ps01a_max_sessions)
{
	int start[2], told[2], again[2];
	static pid_t pids[LOGINS + 2];
	struct talk account;

	limit_sessions();
	ck_assert_int_eq(pipe(start) | pipe(told) | pipe(again), 0);
	for (unsigned i = 0; i < LOGINS; i++)
		pids[i] = begin_login(start[0], told[1], start[1]);
	(void)close(start[1]);
	ck_assert_uint_eq(results(told[0], LOGINS), SESSIONS);
	scene_account(&s, "emil", "sshd", "", &account);		/* the account stage says so sooner */
	talk_expect(&account, VERDICT_DENY, REASON_TOO_MANY_SESSIONS);
	talk_end(&account);
	scene_account(&s, "emil", "sudo", "", &account);		/* what runs within a session is none more */
	talk_expect(&account, VERDICT_ALLOW, REASON_OK);
	talk_end(&account);
	for (unsigned i = 0; i < LOGINS; i++)
		(void)kill(pids[i], SIGKILL);
	for (unsigned i = 0; i < LOGINS; i++)
		ck_assert_int_eq(waitpid(pids[i], NULL, 0), pids[i]);
	scene_account(&s, "emil", "sshd", "", &account);
	talk_expect(&account, VERDICT_ALLOW, REASON_OK);
	talk_end(&account);
	scene_stop(&s);
}
END_TEST

START_TEST(ps02a_leader_killed)
{
	int start[2], told[2];
	pid_t pids[SESSIONS + 2];

	limit_sessions();
	ck_assert_int_eq(pipe(start) | pipe(told), 0);
	(void)close(start[1]);
	for (unsigned i = 0; i < SESSIONS; i++)
		pids[i] = begin_login(start[0], told[1], told[0]);
	ck_assert_uint_eq(results(told[0], SESSIONS), SESSIONS);
	pids[SESSIONS] = begin_login(start[0], told[1], told[0]);
	ck_assert_uint_eq(results(told[0], 1), 0);
	ck_assert_int_eq(kill(pids[2], SIGKILL), 0);
	ck_assert_int_eq(waitpid(pids[2], NULL, 0), pids[2]);
	pids[2] = begin_login(start[0], told[1], told[0]);
	ck_assert_uint_eq(results(told[0], 1), 1);
	pids[SESSIONS + 1] = begin_login(start[0], told[1], told[0]);
	ck_assert_uint_eq(results(told[0], 1), 0);
	for (unsigned i = 0; i < SESSIONS + 2; i++) {
		(void)kill(pids[i], SIGKILL);
		(void)waitpid(pids[i], NULL, 0);
	}
	scene_stop(&s);
}
END_TEST

/* ---- why and the account stage ---- */

/* Two keys, and what ssh-keygen -l says of them. */
static const char *const blobs[2] = { "AAAAC3NzaC1lZDI1NTE5AAAAIAEIDxYdJCsyOUBHTlVcY2pxeH+GjZSboqmwt77FzNPa",
	"AAAAC3NzaC1lZDI1NTE5AAAAIGNqcXh/ho2Um6KpsLe+xczT2uHo7/b9BAsSGSAnLjU8" };
static const char *const prints[2] = { "SHA256:gdwBDTC9IBRL09FIdpueOMhrxBLrer7DUqgLf2xtgsQ",
	"SHA256:EePD3Zd3rVyepvUGVMJT3lytxZJVTIu1Q5fISuXvxms" };

enum { PEOPLE = 100, POLICIES = 10, REQUESTS = 10000 };

static uint64_t dice = 0x2545f4914f6cdd1d;

static unsigned
roll(unsigned sides)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((dice >> 33) % sides);
}

static const char *
pick(const char *const *words, unsigned count)
{
	return words[roll(count)];
}
#define PICK(...) pick((const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

/* An instant an hour to some days from now: none comes while the test runs. */
static const char *
instant(char buf[static 32])
{
	static const int hours[] = { -1000, -30, -10, -1, 1, 10, 30, 1000 };

	return civil_date_format_generalized(time(NULL) + hours[roll(8)] * 3600, buf);
}

static void
write_person(FILE *f, unsigned i)
{
	char at[32], begin[32];

	(void)fprintf(f, "dn: uid=p%u,ou=people,dc=isms,dc=local\nobjectClass: inetOrgPerson\nobjectClass: posixAccount\nuid: p%u\n"
	    "cn: p%u\nsn: p\nuidNumber: %u\ngidNumber: %u\nhomeDirectory: /home/p%u\nloginShell: /bin/bash\n", i, i, i, 3100 + i,
	    3100 + i, i);
	(void)fprintf(f, "employeeType: %s\n", PICK("employee", "employee", "contractor", "contractor", "service", "break-glass", "boss"));
	if (roll(4) != 0)
		(void)fprintf(f, "pwdEndTime: %s\n", roll(3) == 0 ? instant(at) : "20991231230000Z");
	if (roll(6) == 0)
		(void)fprintf(f, "pwdStartTime: %s\n", instant(at));
	if (roll(10) == 0)
		(void)fprintf(f, "%s\n", PICK("nsAccountLock: TRUE", "pwdAccountLockedTime: 000001010000Z", "pwdReset: TRUE", "shadowExpire: 7"));
	if (roll(3) != 0)
		(void)fprintf(f, "createTimestamp: %s\n", instant(at));
	if (roll(3) == 0)
		(void)fprintf(f, "ismsLastUse: %s\n", instant(at));
	if (roll(3) == 0)
		(void)fprintf(f, "ismsReviewedAt: %s\n", instant(at));
	if (roll(4) != 0)
		(void)fprintf(f, "manager: uid=p%u,ou=people,dc=isms,dc=local\n", roll(PEOPLE + 10));
	if (roll(3) != 0)
		(void)fprintf(f, "owner: uid=p%u,ou=people,dc=isms,dc=local\n", roll(PEOPLE + 10));
	if (roll(3) == 0)
		(void)fprintf(f, "ismsArmedUntil: %s\nismsArmedBy: uid=p1,ou=people,dc=isms,dc=local\n", instant(at));
	if (roll(3) != 0)
		(void)fprintf(f, "ismsKey: ssh-ed25519 %s\n%s%s", blobs[roll(2)], PICK("", "ismsSource: 192.0.2.0/24\n"),
		    PICK("", "ismsCommand: /bin/true\n"));
	(void)fputs("\n", f);
	if (roll(2) != 0)
		return;
	(void)fprintf(f, "dn: cn=x%u,ou=exemptions,dc=isms,dc=local\nobjectClass: ismsExemption\ncn: x%u\nismsReason: r\n"
	    "ismsMember: uid=p%u,ou=people,dc=isms,dc=local\nismsApprover: uid=p%u,ou=people,dc=isms,dc=local\nismsControl: %s\n"
	    "ismsFrom: %s\nismsUntil: %s\n%s%s%s%s\n", i, i, i, roll(PEOPLE), PICK("mfa", "source", "dormant", "review", "hours", "all"),
	    civil_date_format_generalized(time(NULL) - 90 * 86400, begin), instant(at),
	    PICK("", "", "ismsService: sshd\n", "ismsSource: 192.0.2.0/24\n"), i % 3 != 0 ? "" : "ismsKeyFingerprint: ",
	    i % 3 != 0 ? "" : prints[i % 2], i % 3 != 0 ? "" : "\n");
}

static void
write_people(void)
{
	char *text = NULL, path[128];
	size_t size;
	FILE *f = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(f);
	(void)fputs("dn: dc=isms,dc=local\nobjectClass: domain\ndc: isms\n\n", f);
	for (unsigned i = 0; i < PEOPLE; i++)
		write_person(f, i);
	for (unsigned g = 0; g < 4; g++) {
		(void)fprintf(f, "dn: cn=g%u,ou=groups,dc=isms,dc=local\nobjectClass: posixGroup\ncn: g%u\ngidNumber: %u\n", g, g, 3100 + g);
		for (unsigned i = 0; i < PEOPLE; i += 1 + roll(5))
			(void)fprintf(f, "memberUid: p%u\n", i);
		(void)fputs("\n", f);
	}
	ck_assert_int_eq(fclose(f), 0);
	scene_write(&s, "var/lib/isms/directory/directory.ldif", text);
	scene_path(&s, "var/lib/isms/directory/directory.ldif", path, sizeof path);
	ck_assert_int_eq(chmod(path, 0600), 0);
	free(text);
}

static void
write_policy(void)
{
	char text[4096] = "";
	size_t used = 0;
	time_t now = time(NULL);
	int hour = (int)(now % 86400 / 3600);

#define ADD(...) used += (size_t)snprintf(text + used, sizeof text - used, __VA_ARGS__)
	for (unsigned r = 0; r < 5; r++) {
		ADD("[role r%u]\nmatch = %s\nmfa = %s\n", r, PICK("any", "kind:employee", "kind:contractor", "kind:service", "group:g0",
		    "group:g1 group:g2", "kind:employee group:g3"), PICK("none", "none", "required", "if-enrolled"));
		if (r == 0 || roll(2) == 0)
			ADD("allow-services = %s\n", PICK("sshd login sudo su cron", "sshd sudo cron", "sshd", "cron login sshd su"));
		if (roll(4) == 0)
			ADD("%s\n", PICK("require-expiry = yes", "max-term = 10d", "from = 192.0.2.0/24", "from = local 2001:db8::/32",
			    "allow-hosts = db7", "allow-hosts = @web", "drop-groups = g0"));
		if (roll(4) == 0)
			ADD("%s\n", PICK("review-every = 20h", "review-every = 40d", "dormant-after = 20h", "dormant-after = 40d",
			    "require-sponsor = yes", "owner-grace = 20h", "max-sessions = 1"));
		if (roll(6) == 0)	/* open or shut for hours to come */
			ADD("hours = Mon..Sun %02d:00-%02d:00 UTC\n", (hour + (roll(2) == 0 ? 23 : 3)) % 24, (hour + 6) % 24);
	}
#undef ADD
	scene_write(&s, "etc/isms/policy.conf", text);
}

static void
ask_both(unsigned verdicts[static VERDICT_COUNT], uint64_t *ret_reasons)
{
	unsigned key = roll(2);
	struct msg_account account = { .ruid = roll(3) == 0 ? 3100 + roll(PEOPLE) : roll(2) == 0 ? geteuid() : 12345 };
	static struct msg_report report;
	struct msg_why why = { .ruid = account.ruid };
	const uid_t owner = geteuid();
	char path[128];
	int fd;

	(void)snprintf(account.user, sizeof account.user, roll(40) == 0 ? "nobody" : "p%u", roll(PEOPLE));
	(void)snprintf(account.service, sizeof account.service, "%s", PICK("sshd", "sshd", "login", "sudo", "su", "cron", "systemd-user",
	    "vault"));
	(void)snprintf(account.rhost, sizeof account.rhost, "%s", PICK("", "192.0.2.7", "198.51.100.7", "2001:db8::1", "db.example"));
	if (strcmp(account.service, "sshd") == 0 && roll(2) == 0) {
		(void)snprintf(account.auth_info, sizeof account.auth_info, "publickey ssh-ed25519 %s", blobs[key]);
		(void)snprintf(why.key, sizeof why.key, "%s", prints[key]);
		why.factors = FACTOR_KEY;
	}
	memcpy(why.user, account.user, sizeof why.user);
	memcpy(why.service, account.service, sizeof why.service);
	memcpy(why.rhost, account.rhost, sizeof why.rhost);
	talk_run(&s, MSG_ACCOUNT, &account, NULL, &t);
	ck_assert_int_eq(t.error, 0);
	talk_end(&t);
	scene_path(&s, "run/isms/ismsd.sock", path, sizeof path);
	ck_assert_int_eq(channel_connect(path, &owner, 1, channel_now_ms() + 60000, &fd), 0);
	ck_assert_int_eq(channel_ask(fd, MSG_WHY, &why, MSG_REPORT, &report, channel_now_ms() + 60000), 0);
	(void)close(fd);
	ck_assert_msg(report.verdict == t.verdict.verdict && report.reason == t.verdict.reason,
	    "%s by %s from \"%s\", %s: the account stage says %s %s, why %s %s\n%s", account.user, account.service, account.rhost,
	    account.auth_info[0] != '\0' ? "key" : "nothing", verdict_token((enum verdict)t.verdict.verdict),
	    reason_token((enum reason)t.verdict.reason), verdict_token((enum verdict)report.verdict),
	    reason_token((enum reason)report.reason), report.lines);
	verdicts[t.verdict.verdict]++;
	*ret_reasons |= (uint64_t)1 << t.verdict.reason;
}

START_TEST(why_never_disagrees)
{
	/* Valgrind is there for leaks: a twentieth of it takes minutes. */
	const unsigned requests = getenv("ISMS_VALGRIND") == NULL ? REQUESTS : REQUESTS / 20;
	unsigned verdicts[VERDICT_COUNT] = { 0 }, reasons_seen = 0;
	uint64_t reasons = 0;

	scene_start(&s, "host-name = db7\n");
	scene_kill_directory(&s, SIGTERM);
	write_people();
	scene_run_directory(&s);
	for (unsigned i = 0; i < requests; i++) {
		if (i % (requests / POLICIES) == 0) {
			scene_kill_front(&s, SIGTERM);
			write_policy();
			scene_run_front(&s);
		}
		ask_both(verdicts, &reasons);
	}
	for (unsigned r = 0; r < 64; r++)
		reasons_seen += (unsigned)(reasons >> r & 1);
	ck_assert_uint_gt(verdicts[VERDICT_ALLOW], requests / 50);	/* the search saw all sides */
	ck_assert_uint_gt(verdicts[VERDICT_DENY], requests / 50);
	ck_assert_uint_ge(reasons_seen, requests == REQUESTS ? 20 : 10);
	scene_stop(&s);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { an_exemption_is_used_and_told, 0 },
		{ a_bound_exemption_ends_before_the_session, 0 }, { why_never_disagrees, 0 }, { ps01a_max_sessions, 0 }, { ps02a_leader_killed, 0 } };
	/* Debian 12's valgrind knows no pidfd_open(), without which no session is watched. */
	int count = ROWS(rows) - (getenv("ISMS_VALGRIND") != NULL ? 2 : 0);

	return suite_run("front care", rows, count, 600);
}
