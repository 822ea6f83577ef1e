/*
 * house.c - front, directory and publisher as real processes of an ordinary user, for the PAM tests.
 */
#include <config.h>

#include "tests/pam/house.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <liboath/oath.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/channel.h"
#include "common/civil_date.h"
#include "common/ldif_store.h"
#include "common/paths.h"
#include "common/snapshot.h"
#include "daemon/password.h"
#include "daemon/process.h"

#define BASE		"dc=isms,dc=local"
#define SECRET		"12345678901234567890"
#define PATIENCE_MS	60000
#define DAY		86400

static const char policy[] =
    "[role contractor]\nmatch = kind:contractor\n"
    "allow-services = sshd login su cron passwd\nmfa = required\nrequire-expiry = yes\nmax-session = 8h\n";

static void
write_below(const struct house *house, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/%s", house->root, name);
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void
path_of_directory(const struct house *house, char ret[static 256])
{
	(void)snprintf(ret, 256, "%s/var/lib/isms/directory/directory.ldif", house->root);
}

/* ---- people ---- */

static struct entry *
add_person(struct ldif_edit *e, const char *name, unsigned uid, const char *verifier, bool with_token)
{
	char dn[128], number[16], home[64], end[32], token[128];
	struct entry *u, *t;

	(void)snprintf(dn, sizeof dn, "uid=%s,ou=people," BASE, name);
	(void)snprintf(number, sizeof number, "%u", uid);
	(void)snprintf(home, sizeof home, "/home/%s", name);
	(void)snprintf(token, sizeof token, "cn=T-%s,ou=tokens," BASE, name);
	u = entry_new(dn);
	if (entry_set(u, "objectClass", "posixAccount") < 0 || entry_set(u, "uid", name) < 0 || entry_set(u, "cn", name) < 0 ||
	    entry_set(u, "uidNumber", number) < 0 || entry_set(u, "gidNumber", number) < 0 ||
	    entry_set(u, "homeDirectory", home) < 0 || entry_set(u, "employeeType", "contractor") < 0 ||
	    entry_set(u, "userPassword", verifier) < 0 ||
	    entry_set(u, "pwdEndTime", civil_date_format_generalized(time(NULL) + 90 * DAY, end)) < 0)
		ck_abort();
	ck_assert_int_eq(entries_add(&e->entries, u), 0);
	if (!with_token)
		return u;
	ck_assert_int_eq(entry_add_value(u, "objectClass", "oathTOTPUser", strlen("oathTOTPUser")), 0);
	ck_assert_int_eq(entry_set(u, "oathTOTPToken", token), 0);
	t = entry_new(token);
	if (entry_set(t, "objectClass", "oathTOTPToken") < 0 ||
	    entry_add_value(t, "objectClass", "oathTOTPParams", strlen("oathTOTPParams")) < 0 ||
	    entry_set(t, "oathTOTPParams", token) < 0 || entry_set(t, "oathSecret", SECRET) < 0 ||
	    entry_set(t, "oathOTPLength", "6") < 0 || entry_set(t, "oathHMACAlgorithm", "1.2.840.113549.2.7") < 0 ||
	    entry_set(t, "oathTOTPTimeStepPeriod", "30") < 0)
		ck_abort();
	ck_assert_int_eq(entries_add(&e->entries, t), 0);
	return u;
}

static void
make_people(const struct house *house)
{
	char verifier[PASSWORD_VERIFIER_SIZE], error[256], end[32], file[256];
	struct ldif_edit e;

	path_of_directory(house, file);
	ck_assert_int_eq(password_make(HOUSE_PASSWORD, verifier), 0);
	ck_assert_int_eq(ldif_store_create(file, BASE, getuid(), getgid()), 0);
	ck_assert_int_eq(ldif_store_begin(file, PATIENCE_MS, &e, error, sizeof error), 0);
	(void)add_person(&e, "ada", 2000, verifier, true);
	(void)add_person(&e, "eve", 2001, verifier, true);
	(void)add_person(&e, "unenrolled", 2002, verifier, false);
	ck_assert_int_eq(entry_set(add_person(&e, "expired", 2003, verifier, true), "pwdEndTime",
	    civil_date_format_generalized(time(NULL) - DAY, end)), 0);
	ck_assert_int_eq(entry_set(add_person(&e, "disabled", 2004, verifier, true), "pwdAccountLockedTime",
	    "000001010000Z"), 0);
	ck_assert_int_eq(entry_set(add_person(&e, "locked", 2005, verifier, true), "pwdAccountLockedTime",
	    civil_date_format_generalized(time(NULL) - 60, end)), 0);
	ck_assert_int_eq(entry_set(add_person(&e, "endless", 2006, verifier, true), "pwdEndTime", NULL), 0);
	ck_assert_int_eq(entry_set(add_person(&e, "mustchange", 2007, verifier, true), "pwdReset", "TRUE"), 0);
	(void)add_person(&e, "bob", 2008, verifier, true);
	(void)add_person(&e, "root", 2009, verifier, true);
	ck_assert_int_eq(ldif_store_commit(&e), 0);
}

/* ---- processes ---- */

void
house_start(struct house *house, enum house_process which)
{
	static int (*const mains[])(const struct paths *) = { directory_main, publisher_main, front_main };
	static struct paths paths;
	char log[256];
	int fd;

	ck_assert_int_eq(paths_init(house->root, &paths), 0);
	(void)snprintf(log, sizeof log, "%s/log", house->root);
	house->pid[which] = fork();
	ck_assert_int_ge(house->pid[which], 0);
	if (house->pid[which] > 0)
		return;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
		_exit(3);
	exit(mains[which](&paths) < 0 ? 2 : 0);
}

void
house_kill(struct house *house, enum house_process which, int signal)
{
	int status;

	if (house->pid[which] <= 0)
		return;
	ck_assert_int_eq(kill(house->pid[which], signal), 0);
	ck_assert_int_eq(waitpid(house->pid[which], &status, 0), house->pid[which]);
	house->pid[which] = 0;
	if (signal == SIGTERM)	/* a sanitizer's finding too */
		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "process %d: status %x", (int)which, status);
}

static bool
is_published(const struct house *house)
{
	struct snapshot snapshot = { 0 };
	struct snapshot_user user;
	char path[256];
	bool found;

	(void)snprintf(path, sizeof path, "%s/var/lib/isms/nss/" SNAPSHOT_BASE_NAME, house->root);
	if (snapshot_open(path, getuid(), &snapshot) < 0)
		return false;
	found = snapshot_find_user(&snapshot, "ada", &user) == 1;
	snapshot_close(&snapshot);
	return found;
}

/* Ask one of the sockets one question; -errno. */
static int
ask(const struct house *house, const char *socket, enum message number, const void *msg, enum message want, void *ret)
{
	const uid_t owner = getuid();
	char path[256];
	int fd, r;

	(void)snprintf(path, sizeof path, "%s/run/isms/%s", house->root, socket);
	r = channel_connect(path, &owner, 1, channel_now_ms() + 1000, &fd);
	if (r < 0)
		return r;
	r = channel_ask(fd, number, msg, want, ret, channel_now_ms() + PATIENCE_MS);
	(void)close(fd);
	return r;
}

void
house_open(struct house *house)
{
	const int64_t deadline_ms = channel_now_ms() + PATIENCE_MS;
	const struct msg_status question = { { 0 } };
	static struct msg_report report;
	char command[256];

	memset(house, 0, sizeof *house);
	(void)snprintf(house->root, sizeof house->root, "%s/isms-house-XXXXXX", suite_folder());
	ck_assert_ptr_nonnull(mkdtemp(house->root));
	(void)snprintf(command, sizeof command, "cd %s && mkdir -p etc/isms run/isms/private var/lib/isms/nss "
	    "var/lib/isms/state var/lib/isms/directory && chmod 700 var/lib/isms/directory var/lib/isms/state", house->root);
	ck_assert_int_eq(system(command), 0);
	write_below(house, "etc/passwd", "root:x:0:0::/root:/bin/sh\nbob:x:1000:1000::/home/bob:/bin/sh\n");
	write_below(house, "etc/group", "root:x:0:\n");
	write_below(house, "etc/isms/isms.conf", "[login]\ncontact = " HOUSE_CONTACT "\nfailure-floor = 100\n");
	write_below(house, "etc/isms/policy.conf", policy);
	make_people(house);
	for (int which = 0; which < HOUSE_PROCESSES; which++)
		house_start(house, (enum house_process)which);
	while (!is_published(house) || ask(house, "ismsd.sock", MSG_STATUS, &question, MSG_REPORT, &report) < 0) {
		ck_assert_int_lt(channel_now_ms(), deadline_ms);
		(void)usleep(5000);
	}
	ck_assert_int_eq(setenv("ISMS_TEST_ROOT", house->root, 1), 0);
}

void
house_close(struct house *house)
{
	char command[256];

	for (int which = HOUSE_PROCESSES - 1; which >= 0; which--)
		house_kill(house, (enum house_process)which, SIGTERM);
	if (getenv("ISMS_TEST_VERBOSE") != NULL)
		(void)snprintf(command, sizeof command, "cat %s/log; rm -rf %s", house->root, house->root);
	else
		(void)snprintf(command, sizeof command, "rm -rf %s", house->root);
	ck_assert_int_eq(system(command), 0);
	ck_assert_int_eq(unsetenv("ISMS_TEST_ROOT"), 0);
}

void
house_edit(const struct house *house, const char *user, const char *attribute, const char *value)
{
	const int64_t deadline_ms = channel_now_ms() + PATIENCE_MS;
	struct msg_facts_get question = { .user = "" };
	static struct facts before, now;
	char dn[128], file[256], error[256];
	struct ldif_edit e;

	(void)snprintf(question.user, sizeof question.user, "%s", user);
	ck_assert_int_eq(ask(house, "private/directory.sock", MSG_FACTS_GET, &question, MSG_FACTS, &before), 0);
	path_of_directory(house, file);
	(void)snprintf(dn, sizeof dn, "uid=%s,ou=people," BASE, user);
	ck_assert_int_eq(ldif_store_begin(file, PATIENCE_MS, &e, error, sizeof error), 0);
	ck_assert_int_eq(entry_set(entries_find(&e.entries, dn), attribute, value), 0);
	ck_assert_int_eq(ldif_store_commit(&e), 0);
	do {
		ck_assert_int_lt(channel_now_ms(), deadline_ms);
		(void)usleep(5000);
		ck_assert_int_eq(ask(house, "private/directory.sock", MSG_FACTS_GET, &question, MSG_FACTS, &now), 0);
	} while (now.state == before.state && now.disabled == before.disabled && now.must_change == before.must_change &&
	    now.not_after_utc_sec == before.not_after_utc_sec);
}

const char *
house_code(int steps, char ret[static 9])
{
	ck_assert_int_eq(oath_totp_generate(SECRET, strlen(SECRET), time(NULL) + steps * 30, 30, 0, 6, ret), OATH_OK);
	return ret;
}

unsigned
house_events(const struct house *house, const char *text)
{
	char path[256], line[2048];
	unsigned n = 0;
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/log", house->root);
	f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof line, f) != NULL)
		n += strstr(line, text) != NULL;
	(void)fclose(f);
	return n;
}
