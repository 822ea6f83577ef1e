/*
 * directory_maker.c - see directory_maker.h. Test programs only.
 */
#include <config.h>

#include "tests/unit/directory_maker.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/channel.h"
#include "common/ldif_store.h"
#include "daemon/password.h"
#include "daemon/process.h"
#include "tests/unit/suite.h"

static const char policy_text[] =
    "[role contractor]\nmatch = kind:contractor\nallow-services = sshd\nmfa = required\nkeep-groups = web docker\n"
    "contact = ops@example.com\n\n"
    "[role employee]\nmatch = kind:employee\nallow-services = sshd\nmfa = none\ndrop-groups = ops\n\n"
    "[groups]\ndeny-acl = no-payroll\n";

static uint64_t in_force;	/* serial of the roster that was accepted last */

char root[64], file[PATH_MAX];
struct paths paths;
pid_t process;
int publisher_fd = -1;

/* ---- the folder ---- */

void
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

void
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

	(void)snprintf(root, sizeof root, "%s/isms-dir-XXXXXX", suite_folder());
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
void
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

void
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

void
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

void
listen_as_publisher(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	in_force = 0;
	(void)unlink(paths.publisher_socket);
	(void)snprintf(address.sun_path, sizeof address.sun_path, "%.60s/run/isms/private/publisher.sock", root);
	publisher_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(publisher_fd, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(publisher_fd, 4), 0);
}

void
setup(void)
{
	make_root();
	listen_as_publisher();
}

void
remove_root(void)
{
	char command[128];

	if (publisher_fd >= 0)
		(void)close(publisher_fd);
	publisher_fd = -1;
	(void)snprintf(command, sizeof command, "rm -rf %s", root);
	ck_assert_int_eq(system(command), 0);
}

void
teardown(void)
{
	int status;

	ck_assert_int_eq(kill(process, SIGTERM), 0);
	ck_assert_int_eq(waitpid(process, &status, 0), process);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", status);	/* a sanitizer's finding too */
	remove_root();
}

int
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

void
ask(enum message number, const void *msg, enum message want, void *ret)
{
	int fd = dial();

	ck_assert_int_eq(channel_ask(fd, number, msg, want, ret, channel_now_ms() + PATIENCE_MS), 0);
	(void)close(fd);
}

struct facts facts;

const struct facts *
get_facts(const char *user)
{
	struct msg_facts_get msg = { 0 };

	(void)snprintf(msg.user, sizeof msg.user, "%s", user);
	ask(MSG_FACTS_GET, &msg, MSG_FACTS, &facts);
	return &facts;
}

void
await_state(const char *user, enum facts_state state)
{
	int64_t deadline_ms = channel_now_ms() + PATIENCE_MS;

	while (get_facts(user)->state != state) {
		ck_assert_msg(channel_now_ms() < deadline_ms, "state %u", facts.state);
		(void)usleep(5000);
	}
}

enum reason
check_password(const char *user, const char *password, bool dummy)
{
	struct msg_password_check msg = { .dummy = dummy };
	struct msg_result result;

	(void)snprintf(msg.user, sizeof msg.user, "%s", user);
	(void)snprintf(msg.password, sizeof msg.password, "%s", password);
	ask(MSG_PASSWORD_CHECK, &msg, MSG_RESULT, &result);
	return (enum reason)result.reason;
}

enum reason
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

char status_lines[8192];

bool
status_has(const char *line)
{
	const struct msg_directory_status msg = { { 0 } };
	struct msg_report report;

	ask(MSG_DIRECTORY_STATUS, &msg, MSG_REPORT, &report);
	(void)snprintf(status_lines, sizeof status_lines, "\n%s", report.lines);
	return strstr(status_lines, line) != NULL;
}

void
await_status(const char *line)
{
	int64_t deadline_ms = channel_now_ms() + PATIENCE_MS;

	while (!status_has(line)) {
		ck_assert_msg(channel_now_ms() < deadline_ms, "no %s in%s", line, status_lines);
		(void)usleep(5000);
	}
}

/* Take the next message of a new connection. Returns the memfd that came with it, or -1. */
static int
take_message(int *ret_fd, uint8_t *frame, size_t size, size_t *ret_size, const struct message_info **ret_info)
{
	struct pollfd p = { .fd = publisher_fd, .events = POLLIN };
	union { struct cmsghdr align; char bytes[CMSG_SPACE(sizeof(int))]; } control;
	struct iovec iov = { frame, size };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
	int memfd = -1;
	ssize_t n;

	ck_assert_int_eq(poll(&p, 1, PATIENCE_MS), 1);
	*ret_fd = accept(publisher_fd, NULL, NULL);
	n = recvmsg(*ret_fd, &mh, MSG_CMSG_CLOEXEC);
	ck_assert_int_gt(n, 0);
	*ret_size = (size_t)n;
	ck_assert_int_eq(proto_peek(frame, (size_t)n, ret_info), 0);
	if (CMSG_FIRSTHDR(&mh) != NULL)
		memcpy(&memfd, CMSG_DATA(CMSG_FIRSTHDR(&mh)), sizeof memfd);
	return memfd;
}

static void
answer_roster(int fd, uint64_t serial, bool accepted)
{
	const struct msg_roster_result answer = { .serial = serial, .accepted = accepted, .whole_wanted = !accepted, .users = 2 };

	ck_assert_int_eq(channel_send(fd, MSG_ROSTER_RESULT, &answer, channel_now_ms() + PATIENCE_MS), 0);
	(void)close(fd);
}

struct roster *
next_roster(void)
{
	const struct message_info *info;
	struct msg_roster_vouch vouch;
	struct msg_roster msg;
	struct roster *roster = NULL;
	uint8_t frame[256];
	size_t size;
	int fd, memfd;

	for (;;) {
		memfd = take_message(&fd, frame, sizeof frame, &size, &info);
		if (info->number != MSG_ROSTER_VOUCH)
			break;
		ck_assert_int_eq(proto_decode(info, frame, size, &vouch), 0);
		answer_roster(fd, vouch.serial, vouch.serial == in_force);
	}
	ck_assert_int_eq(info->number, MSG_ROSTER);
	ck_assert_int_eq(proto_decode(info, frame, size, &msg), 0);
	ck_assert_int_eq(roster_open(memfd, &roster), 0);
	(void)close(memfd);
	in_force = msg.serial;
	answer_roster(fd, msg.serial, true);
	return roster;
}

const struct roster_user *
in_roster(struct roster *r, const char *name)
{
	for (uint32_t i = 0; i < roster_user_count(r); i++)
		if (strcmp(roster_user_at(r, i)->name, name) == 0)
			return roster_user_at(r, i);
	return NULL;
}

bool
has_group(struct roster *r, const struct roster_user *u, const char *name)
{
	for (uint32_t i = 0; i < u->group_count; i++)
		for (uint32_t k = 0; k < roster_group_count(r); k++)
			if (roster_group_at(r, k)->gid == u->groups[i] && strcmp(roster_group_at(r, k)->name, name) == 0)
				return true;
	return false;
}
