/*
 * test_directory.c - the real directory process below a folder: asked over its socket, its file edited under it, and a
 * publisher played by the test that looks at every roster.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/channel.h"
#include "common/ldif_store.h"
#include "common/paths.h"
#include "common/verdict.h"
#include "daemon/password.h"
#include "daemon/process.h"
#include "daemon/roster.h"
#include "tests/unit/suite.h"

#define BASE "dc=isms,dc=local"
#define PASSWORD "correct horse battery"
#define PATIENCE_MS 20000

static const char policy_text[] =
    "[role contractor]\nmatch = kind:contractor\nallow-services = sshd\nmfa = required\nkeep-groups = web docker\n"
    "contact = ops@example.com\n\n"
    "[role employee]\nmatch = kind:employee\nallow-services = sshd\nmfa = none\ndrop-groups = ops\n\n"
    "[groups]\ndeny-acl = no-payroll\n";

static char root[64], file[PATH_MAX];
static struct paths paths;
static pid_t process;
static int publisher_fd = -1;

/* ---- the folder ---- */

static void
write_file(const char *path, const char *text)
{
	char temp[PATH_MAX + 8];
	int fd;

	(void)snprintf(temp, sizeof temp, "%s.t", path);
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
	ck_assert_int_eq(rename(temp, path), 0);
}

static void
write_etc(const char *name, const char *text)
{
	char path[PATH_MAX + 32];

	(void)snprintf(path, sizeof path, "%s/%s", paths.etc, name);
	write_file(path, text);
}

static void
make_root(void)
{
	char command[256];

	(void)snprintf(root, sizeof root, "/tmp/isms-dir-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	ck_assert_int_eq(paths_init(root, &paths), 0);
	(void)snprintf(command, sizeof command, "cd %s && mkdir -p etc/isms run/isms/private var/lib/isms/directory && "
	    "chmod 700 var/lib/isms/directory", root);
	ck_assert_int_eq(system(command), 0);
	write_file(paths.passwd, "root:x:0:0::/root:/bin/sh\n");
	write_file(paths.group, "root:x:0:\n");
	write_etc("isms.conf", "[login]\ncontact = someone\n");
	write_etc("policy.conf", policy_text);
	(void)snprintf(file, sizeof file, "%s/var/lib/isms/directory/directory.ldif", root);
}

/* Edit as isms-userctl does. */
static void
edit(const char *dn, const char *name, const char *value)
{
	char error[256];
	struct ldif_edit e;

	ck_assert_msg(ldif_store_begin(file, PATIENCE_MS, &e, error, sizeof error) == 0, "%s", error);
	ck_assert_int_eq(entry_set(entries_find(&e.entries, dn), name, value), 0);
	ck_assert_int_eq(ldif_store_commit(&e), 0);
}

static void
add_user(struct ldif_edit *e, const char *name, unsigned uid, const char *kind, const char *verifier)
{
	char dn[128], text[64];
	struct entry *u;

	(void)snprintf(dn, sizeof dn, "uid=%s,ou=people," BASE, name);
	u = entry_new(dn);
	(void)snprintf(text, sizeof text, "%u", uid);
	if (entry_set(u, "objectClass", "posixAccount") < 0 || entry_set(u, "uid", name) < 0 || entry_set(u, "cn", name) < 0 ||
	    entry_set(u, "uidNumber", text) < 0 || entry_set(u, "gidNumber", text) < 0 ||
	    entry_set(u, "employeeType", kind) < 0 || entry_set(u, "userPassword", verifier) < 0)
		ck_abort();
	(void)snprintf(text, sizeof text, "/home/%s", name);
	ck_assert_int_eq(entry_set(u, "homeDirectory", text), 0);
	ck_assert_int_eq(entries_add(&e->entries, u), 0);
}

static void
add_group(struct ldif_edit *e, const char *name, const char *gid, const char *member)
{
	char dn[128];
	struct entry *g;

	(void)snprintf(dn, sizeof dn, "cn=%s,ou=groups," BASE, name);
	g = entry_new(dn);
	if (entry_set(g, "objectClass", "posixGroup") < 0 || entry_set(g, "cn", name) < 0 ||
	    entry_set(g, "gidNumber", gid) < 0 || entry_set(g, "memberUid", member) < 0)
		ck_abort();
	ck_assert_int_eq(entry_add_value(g, "memberUid", "eve", 3), 0);
	ck_assert_int_eq(entries_add(&e->entries, g), 0);
}

static void
make_directory(void)
{
	char verifier[PASSWORD_VERIFIER_SIZE], error[256];
	struct ldif_edit e;
	struct entry *t;

	ck_assert_int_eq(password_make(PASSWORD, verifier), 0);
	ck_assert_int_eq(ldif_store_create(file, BASE, getuid(), getgid()), 0);
	ck_assert_int_eq(ldif_store_begin(file, PATIENCE_MS, &e, error, sizeof error), 0);
	add_user(&e, "ada", 2000, "contractor", verifier);
	add_user(&e, "eve", 2001, "employee", NULL);
	add_user(&e, "bad", 2002, "boss", verifier);
	add_group(&e, "web", "3000", "ada");
	add_group(&e, "ops", "3001", "ada");
	add_group(&e, "no-payroll", "3002", "ada");
	t = entries_find(&e.entries, "uid=ada,ou=people," BASE);
	ck_assert_int_eq(entry_set(t, "oathTOTPToken", "cn=T1,ou=tokens," BASE), 0);
	ck_assert_int_eq(entry_set(t, "pwdReset", "TRUE"), 0);
	t = entry_new("cn=T1,ou=tokens," BASE);
	if (entry_set(t, "objectClass", "oathTOTPToken") < 0 || entry_set(t, "oathSecret", "12345678901234567890") < 0 ||
	    entry_set(t, "oathOTPLength", "6") < 0 || entry_set(t, "oathHMACAlgorithm", "1.2.840.113549.2.7") < 0 ||
	    entry_set(t, "oathTOTPTimeStepPeriod", "30") < 0)
		ck_abort();
	ck_assert_int_eq(entries_add(&e.entries, t), 0);
	ck_assert_int_eq(ldif_store_commit(&e), 0);
}

/* ---- the processes ---- */

static void
start_directory(void)
{
	process = fork();
	ck_assert_int_ge(process, 0);
	if (process == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (publisher_fd >= 0)
			(void)close(publisher_fd);
		if (getenv("ISMS_TEST_VERBOSE") == NULL && freopen("/dev/null", "w", stderr) == NULL)
			_exit(3);
		exit(directory_main(&paths) < 0 ? 2 : 0);
	}
}

static void
listen_as_publisher(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)unlink(paths.publisher_socket);
	(void)snprintf(address.sun_path, sizeof address.sun_path, "%.60s/run/isms/private/publisher.sock", root);
	publisher_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(publisher_fd, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(publisher_fd, 4), 0);
}

static void
setup(void)
{
	make_root();
	listen_as_publisher();
}

static void
remove_root(void)
{
	char command[128];

	if (publisher_fd >= 0)
		(void)close(publisher_fd);
	publisher_fd = -1;
	(void)snprintf(command, sizeof command, "rm -rf %s", root);
	ck_assert_int_eq(system(command), 0);
}

static void
teardown(void)
{
	int status;

	ck_assert_int_eq(kill(process, SIGTERM), 0);
	ck_assert_int_eq(waitpid(process, &status, 0), process);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", status);	/* a sanitizer's finding too */
	remove_root();
}

static int
dial(void)
{
	const uid_t owner = getuid();
	int64_t deadline_ms = channel_now_ms() + PATIENCE_MS;
	int fd = -1;

	while (channel_connect(paths.directory_socket, &owner, 1, deadline_ms, &fd) < 0) {
		ck_assert_int_lt(channel_now_ms(), deadline_ms);
		(void)usleep(5000);
	}
	return fd;
}

static void
ask(enum message number, const void *msg, enum message want, void *ret)
{
	int fd = dial();

	ck_assert_int_eq(channel_ask(fd, number, msg, want, ret, channel_now_ms() + PATIENCE_MS), 0);
	(void)close(fd);
}

static struct facts facts;

static const struct facts *
get_facts(const char *user)
{
	struct msg_facts_get msg = { 0 };

	(void)snprintf(msg.user, sizeof msg.user, "%s", user);
	ask(MSG_FACTS_GET, &msg, MSG_FACTS, &facts);
	return &facts;
}

static void
await_state(const char *user, enum facts_state state)
{
	int64_t deadline_ms = channel_now_ms() + PATIENCE_MS;

	while (get_facts(user)->state != state) {
		ck_assert_msg(channel_now_ms() < deadline_ms, "state %u", facts.state);
		(void)usleep(5000);
	}
}

static enum reason
check_password(const char *user, const char *password, bool dummy)
{
	struct msg_password_check msg = { .dummy = dummy };
	struct msg_result result;

	(void)snprintf(msg.user, sizeof msg.user, "%s", user);
	(void)snprintf(msg.password, sizeof msg.password, "%s", password);
	ask(MSG_PASSWORD_CHECK, &msg, MSG_RESULT, &result);
	return (enum reason)result.reason;
}

static enum reason
change_password(const char *user, const char *old, const char *new_password)
{
	struct msg_password_change msg = { 0 };
	struct msg_result result;

	(void)snprintf(msg.user, sizeof msg.user, "%s", user);
	(void)snprintf(msg.old_password, sizeof msg.old_password, "%s", old);
	(void)snprintf(msg.new_password, sizeof msg.new_password, "%s", new_password);
	ask(MSG_PASSWORD_CHANGE, &msg, MSG_RESULT, &result);
	ck_assert_int_eq(result.reason == REASON_PASSWORD_CHANGE_REQUIRED, result.text[0] != '\0');
	return (enum reason)result.reason;
}

static char status_lines[8192];

static bool
status_has(const char *line)
{
	const struct msg_directory_status msg = { { 0 } };
	struct msg_report report;

	ask(MSG_DIRECTORY_STATUS, &msg, MSG_REPORT, &report);
	(void)snprintf(status_lines, sizeof status_lines, "\n%s", report.lines);
	return strstr(status_lines, line) != NULL;
}

static void
await_status(const char *line)
{
	int64_t deadline_ms = channel_now_ms() + PATIENCE_MS;

	while (!status_has(line)) {
		ck_assert_msg(channel_now_ms() < deadline_ms, "no %s in%s", line, status_lines);
		(void)usleep(5000);
	}
}

/* As publisher: take the next roster and accept it. */
static struct roster *
next_roster(void)
{
	struct pollfd p = { .fd = publisher_fd, .events = POLLIN };
	struct msg_roster_result answer = { .accepted = 1, .users = 2 };
	union { struct cmsghdr align; char bytes[CMSG_SPACE(sizeof(int))]; } control;
	const struct message_info *info;
	struct msg_roster msg;
	struct roster *roster = NULL;
	uint8_t frame[256];
	struct iovec iov = { frame, sizeof frame };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
	int fd, memfd;
	ssize_t n;

	ck_assert_int_eq(poll(&p, 1, PATIENCE_MS), 1);
	fd = accept(publisher_fd, NULL, NULL);
	n = recvmsg(fd, &mh, MSG_CMSG_CLOEXEC);
	ck_assert_int_gt(n, 0);
	ck_assert_int_eq(proto_peek(frame, (size_t)n, &info), 0);
	ck_assert_int_eq(info->number, MSG_ROSTER);
	ck_assert_int_eq(proto_decode(info, frame, (size_t)n, &msg), 0);
	memcpy(&memfd, CMSG_DATA(CMSG_FIRSTHDR(&mh)), sizeof memfd);
	ck_assert_int_eq(roster_open(memfd, &roster), 0);
	(void)close(memfd);
	answer.serial = msg.serial;
	ck_assert_int_eq(channel_send(fd, MSG_ROSTER_RESULT, &answer, channel_now_ms() + PATIENCE_MS), 0);
	(void)close(fd);
	return roster;
}

static const struct roster_user *
in_roster(const struct roster *r, const char *name)
{
	for (uint32_t i = 0; i < roster_user_count(r); i++)
		if (strcmp(roster_user_at(r, i)->name, name) == 0)
			return roster_user_at(r, i);
	return NULL;
}

static bool
has_group(const struct roster *r, const struct roster_user *u, const char *name)
{
	for (uint32_t i = 0; i < u->group_count; i++)
		if (strcmp(roster_group_at(r, u->groups[i])->name, name) == 0)
			return true;
	return false;
}

/* ---- the tests ---- */

START_TEST(facts_follow_the_file)
{
	setup();
	start_directory();
	ck_assert_uint_eq(get_facts("ada")->state, FACTS_NOT_READY);
	ck_assert_int_eq(check_password("ada", PASSWORD, false), REASON_DIRECTORY_UNAVAILABLE);
	make_directory();
	await_state("ada", FACTS_MANAGED);
	ck_assert_str_eq(facts.groups, "web ops no-payroll");
	ck_assert_uint_eq(facts.must_change, 1);
	ck_assert_uint_eq(facts.token_count, 1);
	ck_assert_int_le(llabs(facts.confirmed_utc_sec - time(NULL)), 5);
	ck_assert_uint_eq(get_facts("bad")->state, FACTS_BROKEN);
	ck_assert_ptr_nonnull(strstr(facts.fault, "employeeType"));
	ck_assert_uint_eq(get_facts("nobody-here")->state, FACTS_UNKNOWN);
	ck_assert_uint_eq(get_facts("a\x01" "b/../*)(uid=*")->state, FACTS_UNKNOWN);
	teardown();
}
END_TEST

/* One change, seen; how soon is measured elsewhere, but it must not be a matter of polling. */
START_TEST(rp11a_single_change)
{
	int64_t begin_ms, took_ms, best_ms = PATIENCE_MS;

	setup();
	make_directory();
	start_directory();
	await_state("eve", FACTS_MANAGED);
	for (int i = 0; i < 5; i++) {
		begin_ms = channel_now_ms();
		edit("uid=eve,ou=people," BASE, "nsAccountLock", i % 2 == 0 ? "TRUE" : NULL);
		while (get_facts("eve")->disabled != (uint32_t)(i % 2 == 0))
			ck_assert_int_lt(channel_now_ms() - begin_ms, PATIENCE_MS);
		took_ms = channel_now_ms() - begin_ms;
		best_ms = took_ms < best_ms ? took_ms : best_ms;
	}
	ck_assert_int_lt(best_ms, 1000);
	teardown();
}
END_TEST

START_TEST(passwords)
{
	char long_one[1025];

	setup();
	make_directory();
	start_directory();
	await_state("ada", FACTS_MANAGED);
	memset(long_one, 'x', sizeof long_one - 1);
	long_one[sizeof long_one - 1] = '\0';
	ck_assert_int_eq(check_password("ada", PASSWORD, false), REASON_OK);
	ck_assert_int_eq(check_password("ada", PASSWORD, true), REASON_PASSWORD_FAILED);
	ck_assert_int_eq(check_password("ada", "wrong", false), REASON_PASSWORD_FAILED);
	ck_assert_int_eq(check_password("ada", long_one, false), REASON_PASSWORD_FAILED);
	ck_assert_int_eq(check_password("eve", PASSWORD, false), REASON_PASSWORD_FAILED);
	ck_assert_int_eq(check_password("bad", PASSWORD, false), REASON_PASSWORD_FAILED);
	ck_assert_int_eq(check_password("nobody-here", PASSWORD, false), REASON_PASSWORD_FAILED);
	teardown();
}
END_TEST

START_TEST(ld01a_empty_password)
{
	setup();
	make_directory();
	edit("uid=eve,ou=people," BASE, "userPassword", "{CRYPT}");
	start_directory();
	await_state("ada", FACTS_MANAGED);
	ck_assert_int_eq(check_password("ada", "", false), REASON_PASSWORD_FAILED);
	ck_assert_int_eq(check_password("eve", "", false), REASON_PASSWORD_FAILED);
	teardown();
}
END_TEST

START_TEST(password_changes)
{
	static const char fresh[] = "another long password";

	setup();
	make_directory();
	start_directory();
	await_state("ada", FACTS_MANAGED);
	ck_assert_int_eq(change_password("ada", PASSWORD, "short"), REASON_PASSWORD_CHANGE_REQUIRED);
	ck_assert_int_eq(change_password("ada", PASSWORD, PASSWORD), REASON_PASSWORD_CHANGE_REQUIRED);
	ck_assert_int_eq(change_password("ada", "wrong old one", fresh), REASON_PASSWORD_FAILED);
	ck_assert_int_eq(change_password("bad", "", fresh), REASON_BAD_RECORD);
	ck_assert_int_eq(change_password("nobody-here", "", fresh), REASON_UNKNOWN_USER);
	ck_assert_int_eq(check_password("ada", PASSWORD, false), REASON_OK);
	ck_assert_int_eq(change_password("ada", PASSWORD, fresh), REASON_OK);
	while (get_facts("ada")->must_change)
		(void)usleep(5000);
	ck_assert_int_eq(check_password("ada", fresh, false), REASON_OK);
	ck_assert_int_eq(check_password("ada", PASSWORD, false), REASON_PASSWORD_FAILED);
	ck_assert_int_eq(change_password("ada", "", PASSWORD), REASON_OK);	/* the front judged a proof */
	ck_assert_int_eq(chmod(paths.directory, 0770), 0);		/* no longer safe to edit */
	ck_assert_int_eq(change_password("ada", "", "yet another password"), REASON_DIRECTORY_UNAVAILABLE);
	teardown();
}
END_TEST

START_TEST(tokens)
{
	struct msg_tokens_get msg = { .user = "ada" };
	const struct message_info *info;
	struct msg_result result;
	struct msg_token token;
	uint8_t frame[PROTO_FRAME_MAX];
	int64_t deadline_ms = channel_now_ms() + PATIENCE_MS;
	size_t size;
	int fd;

	setup();
	make_directory();
	start_directory();
	await_state("ada", FACTS_MANAGED);
	fd = dial();
	ck_assert_int_eq(channel_ask(fd, MSG_TOKENS_GET, &msg, MSG_TOKEN, &token, deadline_ms), 0);
	ck_assert_str_eq(token.fault, "");
	ck_assert_str_eq(token.secret_hex, "3132333435363738393031323334353637383930");
	ck_assert_int_eq(channel_recv(fd, frame, sizeof frame, deadline_ms, &info, &size), 0);
	ck_assert_int_eq(info->number, MSG_RESULT);
	ck_assert_int_eq(proto_decode(info, frame, size, &result), 0);
	ck_assert_uint_eq(result.reason, REASON_OK);
	(void)close(fd);
	(void)snprintf(msg.user, sizeof msg.user, "eve");
	ask(MSG_TOKENS_GET, &msg, MSG_RESULT, &result);
	ck_assert_uint_eq(result.reason, REASON_OK);
	(void)snprintf(msg.user, sizeof msg.user, "bad");
	ask(MSG_TOKENS_GET, &msg, MSG_RESULT, &result);
	ck_assert_uint_eq(result.reason, REASON_BAD_RECORD);
	teardown();
}
END_TEST

/* The file breaks, in several ways: the last good view stays, the loss is told, mending ends it. */
static const char *const broken_files[] = {
	"dn: dc=isms,dc=local\ndc: isms\n\nnonsense\n", "", "dn: uid=ada,ou=people," BASE "\nuid: ada\n", "dn: x\n", NULL,
};

START_TEST(broken_file)
{
	char saved[PATH_MAX + 8];

	setup();
	make_directory();
	start_directory();
	await_state("ada", FACTS_MANAGED);
	await_status("\nconnected=yes\n");
	(void)snprintf(saved, sizeof saved, "%s.saved", file);
	ck_assert_int_eq(rename(file, saved), 0);
	if (broken_files[_i] != NULL)
		write_file(file, broken_files[_i]);
	await_status("\nconnected=no\n");
	if (_i == 0)
		ck_assert_msg(strstr(status_lines, "directory.ldif:4: ") != NULL, "%s", status_lines);
	ck_assert_uint_eq(get_facts("ada")->state, FACTS_MANAGED);
	ck_assert_int_eq(rename(saved, file), 0);
	await_status("\nconnected=yes\n");
	ck_assert_uint_eq(get_facts("ada")->state, FACTS_MANAGED);
	teardown();
}
END_TEST

/* The whole folder goes and comes back. */
START_TEST(folder_gone)
{
	char away[PATH_MAX + 8];

	setup();
	make_directory();
	start_directory();
	await_state("ada", FACTS_MANAGED);
	(void)snprintf(away, sizeof away, "%s.away", paths.directory);
	ck_assert_int_eq(rename(paths.directory, away), 0);
	await_status("\nconnected=no\n");
	ck_assert_int_eq(rename(away, paths.directory), 0);
	await_status("\nconnected=yes\n");
	edit("uid=eve,ou=people," BASE, "nsAccountLock", "TRUE");
	while (!get_facts("eve")->disabled)
		(void)usleep(5000);
	teardown();
}
END_TEST

START_TEST(rosters)
{
	const struct roster_user *u;
	struct roster *r;

	setup();
	make_directory();
	start_directory();
	r = next_roster();
	ck_assert_uint_eq(roster_user_count(r), 2);
	ck_assert_uint_eq(roster_group_count(r), 3);
	ck_assert_ptr_null(in_roster(r, "bad"));
	u = in_roster(r, "ada");
	ck_assert(has_group(r, u, "web") && !has_group(r, u, "ops") && has_group(r, u, "no-payroll"));
	ck_assert_uint_eq(u->flags, ROSTER_MFA);
	ck_assert_str_eq(u->contact, "ops@example.com");
	ck_assert_str_eq(u->shell, "/usr/sbin/nologin");
	ck_assert_uint_eq(u->local_count, 3);		/* web, docker, no-payroll: if /etc/group lists her */
	u = in_roster(r, "eve");
	ck_assert(has_group(r, u, "web") && !has_group(r, u, "ops") && has_group(r, u, "no-payroll"));
	ck_assert_uint_eq(u->flags, 0);
	ck_assert_str_eq(u->contact, "someone");
	ck_assert_uint_eq(u->local_count, 1);
	roster_free(r);
	await_status("\nroster=in force\n");

	edit("uid=eve,ou=people," BASE, "nsAccountLock", "TRUE");
	edit("uid=ada,ou=people," BASE, "pwdEndTime", "20300101000000Z");
	do {
		r = next_roster();
		u = in_roster(r, "ada");
		if (u->not_after_utc_sec == 0)
			roster_free(r);
	} while (u->not_after_utc_sec == 0);
	ck_assert_int_eq(in_roster(r, "ada")->not_after_utc_sec, 1893456000);
	ck_assert_uint_eq(in_roster(r, "eve")->flags, ROSTER_ENDED);
	roster_free(r);
	teardown();
}
END_TEST

/* The publisher goes and comes back without what it knew: it gets the roster again. */
START_TEST(publisher_restarts)
{
	setup();
	make_directory();
	start_directory();
	roster_free(next_roster());
	(void)close(publisher_fd);
	listen_as_publisher();
	roster_free(next_roster());
	teardown();
}
END_TEST

START_TEST(reload)
{
	struct roster *r;

	setup();
	make_directory();
	start_directory();
	roster_free(next_roster());
	write_etc("policy.conf", "[role x]\nnonsense = 1\n");
	ck_assert_int_eq(kill(process, SIGHUP), 0);
	ck_assert_uint_eq(get_facts("ada")->state, FACTS_MANAGED);
	write_etc("policy.conf", "[role any]\nmatch = any\nallow-services = sshd\nmfa = none\n");
	ck_assert_int_eq(kill(process, SIGHUP), 0);
	for (;;) {
		r = next_roster();
		if (has_group(r, in_roster(r, "ada"), "ops"))
			break;
		roster_free(r);
	}
	ck_assert_uint_eq(in_roster(r, "ada")->flags & ROSTER_MFA, 0);
	roster_free(r);
	write_etc("isms.conf", "[directory]\nbase = dc=elsewhere\n");
	ck_assert_int_eq(kill(process, SIGHUP), 0);
	await_status("\nconnected=no\n");
	write_etc("isms.conf", "[nss]\nid-range = 2001-3000\n");
	ck_assert_int_eq(kill(process, SIGHUP), 0);
	await_state("ada", FACTS_BROKEN);
	teardown();
}
END_TEST

/* DM01a: no question goes unanswered or is answered "not ready" while settings are read again and again. */
START_TEST(dm01a_reload_storm)
{
	setup();
	make_directory();
	start_directory();
	await_state("ada", FACTS_MANAGED);
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(kill(process, SIGHUP), 0);
		ck_assert_uint_eq(get_facts("ada")->state, FACTS_MANAGED);
	}
	ck_assert_int_eq(check_password("ada", PASSWORD, false), REASON_OK);
	teardown();
}
END_TEST

START_TEST(ip07a_gone_during_check)
{
	struct msg_password_check msg = { .user = "ada", .password = PASSWORD };
	int fds[30];

	setup();
	make_directory();
	start_directory();
	await_state("ada", FACTS_MANAGED);
	for (int i = 0; i < 30; i++) {
		fds[i] = dial();
		ck_assert_int_eq(channel_send(fds[i], MSG_PASSWORD_CHECK, &msg, channel_now_ms() + PATIENCE_MS), 0);
	}
	for (int i = 0; i < 30; i++)
		(void)close(fds[i]);
	edit("uid=eve,ou=people," BASE, "nsAccountLock", "TRUE");	/* and the view goes as well */
	while (!get_facts("eve")->disabled)
		(void)usleep(5000);
	ck_assert_int_eq(check_password("ada", PASSWORD, false), REASON_OK);
	for (int i = 0; i < 30; i++) {		/* SIGTERM while workers run */
		fds[i] = dial();
		ck_assert_int_eq(channel_send(fds[i], MSG_PASSWORD_CHECK, &msg, channel_now_ms() + PATIENCE_MS), 0);
	}
	teardown();
	for (int i = 0; i < 30; i++)
		(void)close(fds[i]);
}
END_TEST

/* More checks at once than may wait: each is answered, some with "unavailable", none with a wrong verdict. */
START_TEST(flood_of_checks)
{
	struct msg_password_check msg = { .user = "ada", .password = PASSWORD };
	const struct message_info *info;
	struct msg_result result;
	uint8_t frame[PROTO_FRAME_MAX];
	unsigned right = 0, busy = 0;
	int fds[120];
	size_t size;

	setup();
	make_directory();
	start_directory();
	await_state("ada", FACTS_MANAGED);
	for (int i = 0; i < 120; i++) {
		fds[i] = dial();
		ck_assert_int_eq(channel_send(fds[i], MSG_PASSWORD_CHECK, &msg, channel_now_ms() + PATIENCE_MS), 0);
	}
	for (int i = 0; i < 120; i++) {
		ck_assert_int_eq(channel_recv(fds[i], frame, sizeof frame, channel_now_ms() + 3 * PATIENCE_MS, &info, &size), 0);
		ck_assert_int_eq(proto_decode(info, frame, size, &result), 0);
		right += result.reason == REASON_OK;
		busy += result.reason == REASON_DIRECTORY_UNAVAILABLE;
		(void)close(fds[i]);
	}
	ck_assert_uint_eq(right + busy, 120);
	ck_assert_uint_ge(right, 64);
	teardown();
}
END_TEST

/* Another kind of uri, a broken policy: refuses to start. */
START_TEST(refuses_to_start)
{
	int status;

	setup();
	write_etc(_i == 0 ? "isms.conf" : "policy.conf", _i == 0 ? "[directory]\nuri = file:///a/../b\n" : "[role]\nx = 1\n");
	start_directory();
	ck_assert_int_eq(waitpid(process, &status, 0), process);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 2);
	remove_root();
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ facts_follow_the_file, 0 },
		{ rp11a_single_change, 0 },
		{ passwords, 0 },
		{ ld01a_empty_password, 0 },
		{ password_changes, 0 },
		{ tokens, 0 },
		{ broken_file, ROWS(broken_files) },
		{ folder_gone, 0 },
		{ rosters, 0 },
		{ publisher_restarts, 0 },
		{ reload, 0 },
		{ dm01a_reload_storm, 0 },
		{ ip07a_gone_during_check, 0 },
		{ flood_of_checks, 0 },
		{ refuses_to_start, 2 },
	};

	return suite_run("directory", rows, ROWS(rows), 180);
}
