/*
 * test_tool_host.c - isms-userctl doctor: sshd_config and pam.d read the way sshd and libpam read them.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/suite.h"
#include "tools/doctor.h"
#include "tools/pam_stack.h"
#include "tools/sshd_settings.h"

static char root[64];

static void
put(const char *path, const char *text)
{
	char full[256], *slash;
	FILE *f;

	(void)snprintf(full, sizeof full, "%s%s", root, path);
	for (slash = strchr(full + strlen(root) + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(full, 0700);
		*slash = '/';
	}
	f = fopen(full, "we");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void
remove_below(const char *folder)
{
	static const char *const files[] = { "/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/a.conf", "/etc/ssh/sshd_config.d/b.conf",
		"/etc/pam.d/sshd", "/etc/pam.d/common-account", "/etc/pam.d/loop", "/usr/lib/pam.d/unit" };
	static const char *const folders[] = { "/etc/ssh/sshd_config.d", "/etc/ssh", "/etc/pam.d", "/etc", "/usr/lib/pam.d", "/usr/lib",
		"/usr", "" };
	char path[256];
	size_t i;

	for (i = 0; i < sizeof files / sizeof files[0]; i++) {
		(void)snprintf(path, sizeof path, "%s%s", folder, files[i]);
		(void)unlink(path);
	}
	for (i = 0; i < sizeof folders / sizeof folders[0]; i++) {
		(void)snprintf(path, sizeof path, "%s%s", folder, folders[i]);
		(void)rmdir(path);
	}
}

#define MAIN_FILE "/etc/ssh/sshd_config"
#define A_FILE "/etc/ssh/sshd_config.d/a.conf"

static void
make_root(void)
{
	(void)snprintf(root, sizeof root, "%s/isms-host-XXXXXX", suite_folder());
	ck_assert_ptr_nonnull(mkdtemp(root));
}

static const struct {
	const char *main, *a, *b;
	bool use_pam, kbd, match, methods, match_kbd;
} sshd_files[] = {
	{ "", NULL, NULL, false, true, false, false, false },
	{ "UsePAM yes\nKbdInteractiveAuthentication no\n", NULL, NULL, true, false, false, false, false },
	{ "usepam=yes\n  challengeresponseauthentication \"no\" # old name\n", NULL, NULL, true, false, false, false, false },
	{ "# UsePAM yes\n", NULL, NULL, false, true, false, false, false },
	{ "UsePAM yes\nUsePAM no\n", NULL, NULL, true, true, false, false, false },
	{ "Include /etc/ssh/sshd_config.d/*.conf\nUsePAM no\nKbdInteractiveAuthentication no\n", "UsePAM yes\n",
	    "UsePAM no\nKbdInteractiveAuthentication yes\n", true, true, false, false, false },
	{ "Include sshd_config.d/*.conf\nUsePAM no\n", "Match Group isms-mfa\n\tAuthenticationMethods publickey,keyboard-interactive:pam\n",
	    "UsePAM yes\n", true, true, true, true, false },
	{ "Match User x\nUsePAM yes\nMatch all\nKbdInteractiveAuthentication no\n", NULL, NULL, false, false, false, false, false },
	{ "UsePAM yes\nKbdInteractiveAuthentication no\nMatch Group isms-mfa\nKbdInteractiveAuthentication yes\nMatch User y\n"
	  "AuthenticationMethods password\n", NULL, NULL, true, false, true, false, true },
	{ "Match Group other\nInclude sshd_config.d/a.conf\nMatch all\nUsePAM yes", "UsePAM no\n", NULL, true, true, false, false, false },
	{ "Include sshd_config.d/a.conf\nUsePAM yes\n", "Include sshd_config.d/a.conf\n", NULL, true, true, false, false, false },
};

/* What is read of these files; NULL: none. */
static struct sshd_settings
settings_of(const char *main_file, const char *a, const char *b)
{
	struct sshd_settings s;

	make_root();
	ck_assert_int_eq(sshd_settings_read(root, &s), -ENOENT);
	put(MAIN_FILE, main_file);
	if (a != NULL)
		put(A_FILE, a);
	if (b != NULL)
		put("/etc/ssh/sshd_config.d/b.conf", b);
	ck_assert_int_eq(sshd_settings_read(root, &s), 0);
	remove_below(root);
	return s;
}

START_TEST(sshd_config_is_read_as_sshd_reads_it)
{
	const struct sshd_settings s = settings_of(sshd_files[_i].main, sshd_files[_i].a, sshd_files[_i].b);

	ck_assert_int_eq(s.use_pam, sshd_files[_i].use_pam);
	ck_assert_int_eq(s.kbd_interactive, sshd_files[_i].kbd);
	ck_assert_int_eq(s.match_mfa, sshd_files[_i].match);
	ck_assert_int_eq(s.match_mfa_methods, sshd_files[_i].methods);
	ck_assert_int_eq(s.match_mfa_kbd, sshd_files[_i].match_kbd);
}
END_TEST

#define OURS "AuthorizedKeysCommand /usr/bin/ours %u %f\nAuthorizedKeysCommandUser root\n"

static const struct { const char *main, *a; struct sshd_value program, user; } key_commands[] = {
	{ "UsePAM yes\n", NULL, { "", "" }, { "", "" } },
	{ "Include sshd_config.d/*.conf\n" OURS, "AuthorizedKeysCommand /usr/bin/other %u\n", { "/usr/bin/other", A_FILE },
	    { "root", MAIN_FILE } },
	{ "Include sshd_config.d/*.conf\n" OURS, "AuthorizedKeysCommandUser nobody\n", { "/usr/bin/ours", MAIN_FILE },
	    { "nobody", A_FILE } },
	{ OURS "Include sshd_config.d/*.conf\n", "AuthorizedKeysCommand /usr/bin/other %u\n", { "/usr/bin/ours", MAIN_FILE },
	    { "root", MAIN_FILE } },
	{ "Include sshd_config.d/*.conf\n" OURS, "UsePAM yes\n", { "/usr/bin/ours", MAIN_FILE }, { "root", MAIN_FILE } },
	{ "AuthorizedKeysCommand none\n" OURS, NULL, { "none", MAIN_FILE }, { "root", MAIN_FILE } },
	{ "Match User x\nAuthorizedKeysCommand /usr/bin/other\nMatch all\n" OURS, NULL, { "/usr/bin/ours", MAIN_FILE },
	    { "root", MAIN_FILE } },
};

START_TEST(the_first_command_for_keys_counts)
{
	const struct sshd_settings s = settings_of(key_commands[_i].main, key_commands[_i].a, NULL);

	ck_assert_str_eq(s.keys_command.text, key_commands[_i].program.text);
	ck_assert_str_eq(s.keys_command.file, key_commands[_i].program.file);
	ck_assert_str_eq(s.keys_user.text, key_commands[_i].user.text);
	ck_assert_str_eq(s.keys_user.file, key_commands[_i].user.file);
}
END_TEST

static bool
collect(const char *module, const char *control, const char *options, void *arg)
{
	char *text = arg;

	(void)snprintf(text + strlen(text), 512 - strlen(text), "%s(%s)%s%s ", module, control, *options != '\0' ? " " : "",
	    options);
	return true;
}

static const struct {
	const char *sshd, *common, *type;
	int r;
	const char *modules;
} stacks[] = {
	{ "account required pam_unix.so\n", NULL, "account", 0, "pam_unix.so(required) " },
	{ "account [success=1 default=ignore] /lib/security/pam_isms.so debug\n-account optional pam_x.so # y\nauth required pam_a.so\n",
	    NULL, "account", 0, "pam_isms.so([success=1 default=ignore]) debug pam_x.so(optional) " },
	{ "@include common-account\naccount required pam_b.so\n", "account required pam_c.so\nsession required pam_d.so\n", "account", 0,
	    "pam_c.so(required) pam_b.so(required) " },
	{ "account include common-account\n", "account \\\n required \\\n pam_c.so\n", "account", 0, "pam_c.so(required) " },
	{ "session substack common-account\n", "account required pam_c.so\nsession required pam_d.so\n", "session", 0, "pam_d.so(required) " },
	{ "@include missing\n", NULL, "account", -ENOENT, "" },
	{ "@include sshd\n", NULL, "account", -ELOOP, "" },
	{ "account\nrequired\naccount required\n\n#account required pam_x.so\n", NULL, "account", 0, "" },
};

START_TEST(pam_files_are_read_as_libpam_reads_them)
{
	char modules[512] = "";

	make_root();
	put("/etc/pam.d/sshd", stacks[_i].sshd);
	if (stacks[_i].common != NULL)
		put("/etc/pam.d/common-account", stacks[_i].common);
	ck_assert_int_eq(pam_stack_walk(root, "sshd", stacks[_i].type, collect, modules), stacks[_i].r);
	remove_below(root);
	ck_assert_str_eq(modules, stacks[_i].modules);
}
END_TEST

static const struct {
	const char *mounts;
	bool hides;
} mount_tables[] = {
	{ "", false },
	{ "proc /proc proc rw,nosuid 0 0\n", false },
	{ "proc /proc proc rw,hidepid=0 0 0\n", false },
	{ "proc /proc proc rw,hidepid=off,gid=4 0 0\n", false },
	{ "proc /proc proc rw,hidepid=1 0 0\n", true },
	{ "proc /proc proc rw,hidepid=2,gid=4 0 0\n", true },
	{ "proc /proc proc rw,hidepid=invisible 0 0\n", true },
	{ "proc /proc proc hidepid=ptraceable 0 0\n", true },
	{ "proc /srv/jail/proc proc rw,hidepid=2 0 0\nproc /proc proc rw 0 0\n", false },
	{ "proc /proc proc rw 0 0\nproc /proc proc rw,hidepid=2 0 0\n", true },
};

START_TEST(hidden_processes_are_seen)
{
	size_t len = strlen(mount_tables[_i].mounts);
	char path[64];
	int fd;

	(void)snprintf(path, sizeof path, "%s/isms-mounts-XXXXXX", suite_folder());
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, mount_tables[_i].mounts, len), (ssize_t)len);
	(void)close(fd);
	ck_assert_int_eq(doctor_hides_processes(path), mount_tables[_i].hides);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(vendor_folder)
{
	char modules[512] = "";

	make_root();
	put("/usr/lib/pam.d/unit", "account required pam_v.so\n");
	ck_assert(pam_stack_exists(root, "unit"));
	ck_assert(!pam_stack_exists(root, "sshd"));
	ck_assert_int_eq(pam_stack_walk(root, "unit", "account", collect, modules), 0);
	ck_assert_int_eq(pam_stack_walk(root, "sshd", "account", collect, modules), -ENOENT);
	remove_below(root);
	ck_assert_str_eq(modules, "pam_v.so(required) ");
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ sshd_config_is_read_as_sshd_reads_it, ROWS(sshd_files) }, { the_first_command_for_keys_counts, ROWS(key_commands) },
		{ pam_files_are_read_as_libpam_reads_them, ROWS(stacks) }, { vendor_folder, 0 }, { hidden_processes_are_seen, ROWS(mount_tables) },
	};

	return suite_run("tool_host", rows, ROWS(rows), 30);
}
