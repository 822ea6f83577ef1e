/*
 * front_scene.c - starts ismsd's processes below a folder and talks to them (see front_scene.h). Test code only.
 */
#include <config.h>

#include "tests/unit/front_scene.h"

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <liboath/oath.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/channel.h"
#include "tests/unit/suite.h"

#define DEADLINE_MS 120000	/* machines are shared; nothing here is judged by time but the floor */

static const char seed[] = "12345678901234567890";
static const char seed_base64[] = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=";

static const struct {
	const char *name, *kind;
	unsigned uid;
	const char *token;	/* "totp", "totp8", "hotp", "short", "" */
	const char *more;
} people[] = {
	{ "ada", "contractor", 2001, "totp", "pwdEndTime: 20991231230000Z\n" },
	{ "hana", "contractor", 2002, "hotp", "pwdEndTime: 20991231230000Z\n" },
	{ "olga", "contractor", 2003, "totp8", "pwdEndTime: 20991231230000Z\n" },
	{ "bob", "contractor", 2004, "hotp", "pwdEndTime: 20200101000000Z\n" },
	{ "carl", "contractor", 2005, "hotp", "pwdEndTime: 20991231230000Z\npwdAccountLockedTime: 000001010000Z\n" },
	{ "dora", "contractor", 2006, "", "pwdEndTime: 20991231230000Z\n" },
	{ "fred", "contractor", 2007, "short", "pwdEndTime: 20991231230000Z\n" },
	{ "emil", "employee", 2008, "", "" },
	{ "mona", "employee", 2009, "", "pwdReset: TRUE\n" },
	{ "robo", "service", 2010, "", "pwdEndTime: 20991231230000Z\nowner: uid=emil,ou=people,dc=isms,dc=local\n" },
	{ "glas", "break-glass", 2011, "", "" },
	{ "self", "contractor", SCENE_SELF_UID, "hotp", "pwdEndTime: 20991231230000Z\n" },
};

static const char policy_text[] =
    "[role contractor]\n"
    "match = kind:contractor\n"
    "allow-services = sshd login sudo su cron\n"
    "mfa = required\n"
    "require-expiry = yes\n"
    "max-session = 8h\n"
    "contact = security@example.com\n"
    "keep-groups = kept\n"
    "[role employee]\n"
    "match = kind:employee\n"
    "allow-services = sshd sudo cron\n"
    "mfa = none\n"
    "[role robot]\n"
    "match = kind:service kind:break-glass\n"
    "allow-services = sshd login cron\n"
    "mfa = none\n"
    "[groups]\n"
    "deny-acl = barred\n";

void
scene_path(const struct scene *s, const char *name, char *buf, size_t size)
{
	ck_assert_int_lt(snprintf(buf, size, "%s/%s", s->root, name), (int)size);
}

static void
write_text(const struct scene *s, const char *name, const char *text, mode_t mode)
{
	char path[128], temp[160];
	FILE *f;

	scene_path(s, name, path, sizeof path);
	(void)snprintf(temp, sizeof temp, "%s.new", path);
	f = fopen(temp, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(temp, mode), 0);
	ck_assert_int_eq(rename(temp, path), 0);
}

void
scene_write(const struct scene *s, const char *name, const char *text)
{
	write_text(s, name, text, 0644);
}

static void
add_token(FILE *f, unsigned i)
{
	const char *kind = people[i].token;
	bool hotp = strcmp(kind, "hotp") == 0;

	if (*kind == '\0')
		return;
	(void)fprintf(f, "dn: cn=T%u,ou=tokens,dc=isms,dc=local\nobjectClass: device\nobjectClass: %s\nobjectClass: %s\n"
	    "cn: T%u\n%s: cn=T%u,ou=tokens,dc=isms,dc=local\noathTokenSerialNumber: T%u\noathSecret:: %s\n"
	    "oathOTPLength: %d\noathHMACAlgorithm: %s\n", i, hotp ? "oathHOTPToken" : "oathTOTPToken",
	    hotp ? "oathHOTPParams" : "oathTOTPParams", i, hotp ? "oathHOTPParams" : "oathTOTPParams", i, i,
	    strcmp(kind, "short") == 0 ? "MTIzNDU2Nzg=" : seed_base64, strcmp(kind, "totp8") == 0 ? 8 : 6,
	    strcmp(kind, "totp8") == 0 ? "1.2.840.113549.2.9" : "1.2.840.113549.2.7");
	if (hotp)
		(void)fprintf(f, "oathHOTPLookAhead: 10\noathHOTPCounter: 0\n\n");
	else
		(void)fprintf(f, "oathTOTPTimeStepPeriod: 30\noathTOTPTimeStepWindow: 1\n\n");
}

static void
add_person(FILE *f, unsigned i, const char *hash, const char *line)
{
	const char *kind = people[i].token;

	(void)fprintf(f, "dn: uid=%s,ou=people,dc=isms,dc=local\nobjectClass: inetOrgPerson\nobjectClass: posixAccount\n"
	    "objectClass: shadowAccount\nuid: %s\ncn: %s\nsn: %s\nuidNumber: %u\ngidNumber: %u\nhomeDirectory: /home/%s\n"
	    "loginShell: /bin/bash\nuserPassword: {CRYPT}%s\nemployeeType: %s\n%s", people[i].name, people[i].name,
	    people[i].name, people[i].name, people[i].uid, people[i].uid, people[i].name, hash, people[i].kind, people[i].more);
	if (*kind != '\0')
		(void)fprintf(f, "objectClass: oath%sUser\noath%sToken: cn=T%u,ou=tokens,dc=isms,dc=local\n",
		    strcmp(kind, "hotp") == 0 ? "HOTP" : "TOTP", strcmp(kind, "hotp") == 0 ? "HOTP" : "TOTP", i);
	(void)fprintf(f, "%s\n", line);
}

void
scene_change_user(const struct scene *s, const char *user, const char *line)
{
	struct crypt_data data = { 0 };
	const char *hash = crypt_rn(SCENE_PASSWORD, "$5$rounds=1000$abcdefghijklmnop$", &data, (int)sizeof data);
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(hash);
	(void)fputs("dn: dc=isms,dc=local\nobjectClass: domain\ndc: isms\n\n"
	    "dn: ou=people,dc=isms,dc=local\nobjectClass: organizationalUnit\nou: people\n\n"
	    "dn: ou=groups,dc=isms,dc=local\nobjectClass: organizationalUnit\nou: groups\n\n"
	    "dn: ou=tokens,dc=isms,dc=local\nobjectClass: organizationalUnit\nou: tokens\n\n"
	    "dn: cn=barred,ou=groups,dc=isms,dc=local\nobjectClass: posixGroup\ncn: barred\ngidNumber: 5001\n"
	    "memberUid: ada\nmemberUid: hana\n\n", f);
	for (unsigned i = 0; i < sizeof people / sizeof people[0]; i++) {
		add_person(f, i, hash, line != NULL && strcmp(people[i].name, user) == 0 ? line : "");
		add_token(f, i);
	}
	ck_assert_int_eq(fclose(f), 0);
	write_text(s, "var/lib/isms/directory/directory.ldif", text, 0600);
	free(text);
}

int (*scene_front)(const struct paths *paths);

/* The front as a function of this program; does not return. */
static void
run_front_here(const struct scene *s)
{
	static struct paths paths;

	if (paths_init(s->root, &paths) < 0)
		_exit(126);
	exit(scene_front(&paths) < 0 ? 2 : 0);
}

static pid_t
run_process(const struct scene *s, const char *name)
{
	char log[128], binary[] = TEST_BUILDDIR "/ismsd";
	pid_t pid;
	int fd;

	(void)snprintf(log, sizeof log, "%s/%s.log", s->root, name);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid > 0)
		return pid;
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
		_exit(126);
	(void)unsetenv("NOTIFY_SOCKET");
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);		/* nothing outlives a test that failed */
	if (scene_front != NULL && strcmp(name, "front") == 0)
		run_front_here(s);
	(void)execl(binary, "ismsd", name, "--root", s->root, (char *)NULL);
	_exit(127);
}

static void
await_socket(const struct scene *s, const char *name)
{
	const uid_t owner = geteuid();
	int64_t deadline_ms = channel_now_ms() + DEADLINE_MS;
	char path[128];
	int fd;

	scene_path(s, name, path, sizeof path);
	while (channel_connect(path, &owner, 1, channel_now_ms() + 1000, &fd) < 0) {
		ck_assert_msg(channel_now_ms() < deadline_ms, "%s does not listen", path);
		(void)usleep(5000);
	}
	(void)close(fd);
}

void
scene_run_front(struct scene *s)
{
	s->front = run_process(s, "front");
	await_socket(s, "run/isms/ismsd.sock");
}

/* Ask the directory process until it knows of the user, and if need be that he is disabled. */
static void
await_facts(const struct scene *s, const char *user, bool disabled)
{
	struct msg_facts_get ask = { .user = "" };
	int64_t deadline_ms = channel_now_ms() + DEADLINE_MS;
	const uid_t owner = geteuid();
	static struct facts facts;
	char path[128];
	int fd;

	(void)snprintf(ask.user, sizeof ask.user, "%s", user);
	scene_path(s, "run/isms/private/directory.sock", path, sizeof path);
	for (facts.state = FACTS_NOT_READY; facts.state == FACTS_NOT_READY || (disabled && !facts.disabled);) {
		ck_assert_int_lt(channel_now_ms(), deadline_ms);
		if (channel_connect(path, &owner, 1, deadline_ms, &fd) < 0)
			continue;
		(void)channel_ask(fd, MSG_FACTS_GET, &ask, MSG_FACTS, &facts, deadline_ms);
		(void)close(fd);
		(void)usleep(5000);
	}
}

void
scene_run_directory(struct scene *s)
{
	s->directory = run_process(s, "directory");
	await_socket(s, "run/isms/private/directory.sock");
	await_facts(s, "ada", false);
}

void
scene_await_disabled(const struct scene *s, const char *user)
{
	await_facts(s, user, true);
}

static void
end_process(pid_t *pid, int signal_number)
{
	int status;

	if (*pid <= 0)
		return;
	(void)kill(*pid, signal_number);
	ck_assert_int_eq(waitpid(*pid, &status, 0), *pid);
	*pid = 0;
	/* An orderly end, and nothing for a sanitizer to say. */
	if (signal_number == SIGTERM)
		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "ended with status %#x", (unsigned)status);
}

void
scene_kill_front(struct scene *s, int signal_number)
{
	end_process(&s->front, signal_number);
}

void
scene_kill_directory(struct scene *s, int signal_number)
{
	end_process(&s->directory, signal_number);
}

void
scene_start(struct scene *s, const char *settings)
{
	static const char *const folders[] = { "etc", "etc/isms", "run", "run/isms", "run/isms/private", "var", "var/lib",
		"var/lib/isms", "var/lib/isms/nss", "var/lib/isms/state", "var/lib/isms/directory" };
	char path[128], text[1024];

	*s = (struct scene){ .front = 0 };
	(void)snprintf(s->root, sizeof s->root, "%s/front_scene.XXXXXX", suite_folder());
	ck_assert_ptr_nonnull(mkdtemp(s->root));
	ck_assert_int_eq(chmod(s->root, 0755), 0);
	for (unsigned i = 0; i < sizeof folders / sizeof folders[0]; i++) {
		scene_path(s, folders[i], path, sizeof path);
		ck_assert_int_eq(mkdir(path, i < 9 ? 0755 : 0700), 0);
		ck_assert_int_eq(chmod(path, i < 9 ? 0755 : 0700), 0);
	}
	(void)snprintf(text, sizeof text, "[login]\nfailure-floor = %d\ncontact = help@example.com\n%s",
	    SCENE_FLOOR_MS, settings);
	scene_write(s, "etc/isms/isms.conf", text);
	scene_write(s, "etc/isms/policy.conf", policy_text);
	scene_write(s, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
	scene_write(s, "etc/group", "root:x:0:\nsudo:x:27:ada,hana\nbarred:x:600:emil,hana\nkept:x:601:hana\n");
	scene_change_user(s, "", NULL);
	scene_run_directory(s);
	scene_run_front(s);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
scene_stop(struct scene *s)
{
	scene_kill_front(s, SIGTERM);
	scene_kill_directory(s, SIGTERM);
	(void)nftw(s->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static unsigned
count_lines(const struct scene *s, const char *const *words)
{
	char path[128], line[4096];
	unsigned n = 0;
	FILE *f;

	scene_path(s, "front.log", path, sizeof path);
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof line, f) != NULL) {
		bool all = true;

		line[strcspn(line, "\n")] = ' ';
		for (unsigned i = 0; words[i] != NULL; i++)
			all = all && strstr(line, words[i]) != NULL;
		n += all;
	}
	(void)fclose(f);
	return n;
}

unsigned
scene_events(const struct scene *s, unsigned least, ...)
{
	int64_t deadline_ms = channel_now_ms() + DEADLINE_MS;
	const char *words[8] = { NULL };
	va_list ap;
	unsigned n = 0;

	va_start(ap, least);
	for (unsigned i = 0; i < 7 && (words[i] = va_arg(ap, const char *)) != NULL; i++)
		;
	va_end(ap);
	while ((n = count_lines(s, words)) < least && channel_now_ms() < deadline_ms)
		(void)usleep(10000);
	return n;
}

int
scene_connect(const struct scene *s)
{
	const uid_t owner = geteuid(), zero = 0;
	const uid_t owners[2] = { owner, zero };
	char path[128];
	int fd;

	scene_path(s, "run/isms/ismsd.sock", path, sizeof path);
	return channel_connect(path, owners, 2, channel_now_ms() + DEADLINE_MS, &fd) < 0 ? -1 : fd;
}

unsigned
scene_transactions(const struct scene *s)
{
	const struct msg_status m = { { 0 } };
	static struct msg_report report;
	int fd = scene_connect(s);
	const char *at;

	ck_assert_int_eq(channel_ask(fd, MSG_STATUS, &m, MSG_REPORT, &report, channel_now_ms() + DEADLINE_MS), 0);
	(void)close(fd);
	at = strstr(report.lines, "transactions=");
	ck_assert_ptr_nonnull(at);
	return (unsigned)strtoul(at + strlen("transactions="), NULL, 10);
}

void
talk_run(const struct scene *s, enum message number, const void *msg, const char *const *answers, struct talk *ret)
{
	int64_t deadline_ms = channel_now_ms() + DEADLINE_MS, sent_ms;
	static uint8_t frame[PROTO_FRAME_MAX];
	const struct message_info *info;
	size_t size;

	memset(ret, 0, sizeof *ret);
	ret->fd = scene_connect(s);
	ck_assert_int_ge(ret->fd, 0);
	sent_ms = channel_now_ms();
	ret->error = channel_send(ret->fd, number, msg, deadline_ms);
	while (ret->error == 0) {
		struct msg_answer answer = { .outcome = ANSWER_GIVEN };

		ret->error = channel_recv(ret->fd, frame, sizeof frame, deadline_ms, &info, &size);
		if (ret->error < 0 || info->number != MSG_PROMPT)
			break;
		ck_assert_uint_lt(ret->prompts, 4);
		ck_assert_int_eq(proto_decode(info, frame, size, &ret->prompt[ret->prompts]), 0);
		if (answers == NULL || answers[ret->prompts] == NULL)
			answer.outcome = ANSWER_FAILED;
		else
			(void)snprintf(answer.text, sizeof answer.text, "%s", answers[ret->prompts]);
		ret->prompts++;
		sent_ms = channel_now_ms();		/* before: the floor may begin while we are still about to look */
		ret->error = channel_send(ret->fd, MSG_ANSWER, &answer, deadline_ms);
	}
	ret->wait_ms = channel_now_ms() - sent_ms;
	if (ret->error == 0 && info->number == MSG_VERDICT)
		ret->error = proto_decode(info, frame, size, &ret->verdict);
	else if (ret->error == 0)
		ret->error = -EPROTO;
}

void
talk_end(struct talk *t)
{
	if (t->fd >= 0)
		(void)close(t->fd);
	t->fd = -1;
}

void
talk_ack(struct talk *t)
{
	const struct msg_ack ack = { { 0 } };

	ck_assert_int_eq(channel_send(t->fd, MSG_ACK, &ack, channel_now_ms() + DEADLINE_MS), 0);
	talk_end(t);
}

void
scene_auth(const struct scene *s, const char *user, const char *service, const char *password, const char *code,
    struct talk *ret)
{
	const char *const answers[] = { password, code, NULL, NULL };
	struct msg_auth_begin m = { .flags = REQUEST_DISALLOW_NULL, .ruid = geteuid() };

	(void)snprintf(m.user, sizeof m.user, "%s", user);
	(void)snprintf(m.service, sizeof m.service, "%s", service);
	(void)snprintf(m.rhost, sizeof m.rhost, "%s", strcmp(service, "sshd") == 0 ? "192.0.2.7" : "");
	talk_run(s, MSG_AUTH_BEGIN, &m, answers, ret);
	talk_end(ret);
}

void
scene_account(const struct scene *s, const char *user, const char *service, const char *proof, struct talk *ret)
{
	struct msg_account m = { .flags = 0 };

	(void)snprintf(m.user, sizeof m.user, "%s", user);
	(void)snprintf(m.service, sizeof m.service, "%s", service);
	(void)snprintf(m.proof, sizeof m.proof, "%s", proof);
	talk_run(s, MSG_ACCOUNT, &m, NULL, ret);
}

static const char *
totp(int offset_steps, unsigned digits, int flags)
{
	static char code[16];

	ck_assert_int_eq(oath_totp_generate2(seed, sizeof seed - 1, time(NULL) + offset_steps * 30, 30, 0, digits, flags, code),
	    OATH_OK);
	return code;
}

const char *
scene_totp(int offset_steps)
{
	return totp(offset_steps, 6, 0);
}

const char *
scene_totp_long(int offset_steps)
{
	return totp(offset_steps, 8, OATH_TOTP_HMAC_SHA256);
}

const char *
scene_hotp(uint64_t counter)
{
	static char code[16];

	ck_assert_int_eq(oath_hotp_generate(seed, sizeof seed - 1, counter, 6, false, OATH_HOTP_DYNAMIC_TRUNCATION, code),
	    OATH_OK);
	return code;
}

void
talk_expect(const struct talk *t, enum verdict verdict, enum reason reason)
{
	ck_assert_int_eq(t->error, 0);
	ck_assert_msg(t->verdict.verdict == verdict && t->verdict.reason == reason, "got %s, %s",
	    verdict_token(t->verdict.verdict), reason_token(t->verdict.reason));
}

void
scene_log_in(const struct scene *s, const char *service, uint64_t counter, char txn[static 33], struct talk *ret)
{
	struct talk account;

	scene_auth(s, "hana", service, SCENE_PASSWORD, scene_hotp(counter), ret);
	talk_expect(ret, VERDICT_ALLOW, REASON_AUTH_PASSED);
	scene_account(s, "hana", service, ret->verdict.proof, &account);
	ck_assert_uint_eq(account.verdict.verdict, VERDICT_ALLOW);
	memcpy(txn, account.verdict.txn, 33);
	talk_ack(&account);
}

pid_t
scene_open_session(const struct scene *s, const struct msg_session_open *m, struct talk *ret)
{
	int told[2];
	pid_t pid;

	ck_assert_int_eq(pipe(told), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		talk_run(s, MSG_SESSION_OPEN, m, NULL, ret);
		talk_end(ret);
		(void)!write(told[1], ret, sizeof *ret);
		for (;;)
			(void)pause();
	}
	ck_assert_int_eq(read(told[0], ret, sizeof *ret), (ssize_t)sizeof *ret);
	(void)close(told[0]);
	(void)close(told[1]);
	if (ret->verdict.verdict == VERDICT_ALLOW)
		return pid;
	scene_end_session(pid);
	return 0;
}

void
scene_end_session(pid_t pid)
{
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
