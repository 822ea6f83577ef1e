/*
 * test_ldif_store.c - what LDIF is taken, what is refused with its line, and edits that are whole or not at all.
 */
#include <config.h>

#include "common/ldif_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/suite.h"

static char folder[64], path[128];
static char error[512];

static void
setup_folder(void)
{
	(void)snprintf(folder, sizeof folder, "%s/isms-ldif-XXXXXX", suite_folder());
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof path, "%s/directory.ldif", folder);
}

static void
remove_folder(void)
{
	char temp[160];

	(void)chmod(folder, 0700);
	(void)snprintf(temp, sizeof temp, "%s.new", path);
	(void)unlink(temp);
	(void)unlink(path);
	(void)rmdir(path);
	ck_assert_int_eq(rmdir(folder), 0);	/* nothing else was left behind */
}

static void
write_file(const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
}

static const struct { const char *text; size_t entries; const char *error; } texts[] = {
	{ "", 0, NULL },
	{ "\n\n# nothing\n", 0, NULL },
	{ "version: 1\n\ndn: dc=x\ndc: x\n", 1, NULL },
	{ "dn: dc=x\r\ndc: x\r\n\r\ndn: dc=y\r\ndc: y\r\n", 2, NULL },
	{ "dn: dc=x\ndc: x", 1, NULL },
	{ "# a\n continued comment\ndn: dc=x\n# inside\ndc: x\n", 1, NULL },
	{ "dn:: ZGM9eA==\ndc: x\n", 1, NULL },
	{ "version: 2\n", 0, "t:1: not LDIF version 1" },
	{ "dc: x\n", 0, "t:1: a record must begin with \"dn:\"" },
	{ "\n\ninclude: file:///etc/shadow\n", 0, "t:3: include is not allowed" },
	{ "dn: dc=x\nuserPassword:< file:///etc/shadow\n", 0, "t:2: values by URL" },
	{ "dn: dc=x\nchangetype: add\n", 0, "t:2: change records" },
	{ "dn: dc=x\ncontrol: 1.2.3 true\n", 0, "t:2: change records" },
	{ "dn: dc=x\n\n continued\n", 0, "t:3: a continuation line" },
	{ "dn: dc=x\nnonsense\n", 0, "t:2: no \":\"" },
	{ "dn: dc=x\n: x\n", 0, "t:2: not the name" },
	{ "dn: dc=x\nd c: x\n", 0, "t:2: not the name" },
	{ "dn: dc=x\ndc:: ZG!\n", 0, "t:2: not base64" },
	{ "dn: dc=x\ndc:: ZA==ZGQ=\n", 0, "t:2: not base64" },
	{ "dn: dc=x\ndc:: ZG\n", 0, "t:2: not base64" },
	{ "dn: dc=x\ndc::\n", 0, "t:2: not base64" },
	{ "dn: x\n", 0, "t:1: not a distinguished name" },
	{ "dn:\n", 0, "t:1: not a distinguished name" },
	{ "dn:: ZGM9eAB5\n", 0, "t:1: the dn holds a NUL" },
	{ "dn: dc=x\ndc: x\ndn: dc=y\n", 0, "t:3: a second \"dn:\"" },
	{ "dn: dc=x\ndc: x\n\ndn: DC=X\ndc: x\n", 0, "t:4: an entry of this dn" },
	{ "dn: dc=x\nfolded: a\n b\n c\nbad\n", 0, "t:5: no \":\"" },
};

START_TEST(parse_table)
{
	struct entries all = { 0 };
	int r = ldif_store_parse(texts[_i].text, strlen(texts[_i].text), "t", &all, error, sizeof error);

	if (texts[_i].error == NULL) {
		ck_assert_msg(r == 0, "%s", error);
		ck_assert_uint_eq(all.count, texts[_i].entries);
	} else {
		ck_assert_int_eq(r, -EBADMSG);
		ck_assert_msg(strncmp(error, texts[_i].error, strlen(texts[_i].error)) == 0, "%s", error);
	}
	entries_done(&all);
}
END_TEST

START_TEST(values)
{
	static const char text[] = "dn: dc=x\ncn: a b\n  c\nsn:: IDU=\noathSecret:: AAECAwA=\ndescription:\ncn;lang-en: z\n";
	struct entries all = { 0 };
	const struct attribute *a;
	const char *value;

	ck_assert_int_eq(ldif_store_parse(text, strlen(text), "t", &all, error, sizeof error), 0);
	ck_assert_int_eq(entry_single(all.list[0], "cn", &value), 1);
	ck_assert_str_eq(value, "a b c");
	ck_assert_int_eq(entry_single(all.list[0], "sn", &value), 1);
	ck_assert_str_eq(value, " 5");
	a = entry_attribute(all.list[0], "oathSecret");
	ck_assert_uint_eq(a->values[0].len, 5);
	ck_assert_mem_eq(a->values[0].bytes, "\0\1\2\3\0", 5);
	ck_assert_int_eq(entry_single(all.list[0], "description", &value), 1);
	ck_assert_str_eq(value, "");
	entries_done(&all);
}
END_TEST

START_TEST(nul_byte)
{
	struct entries all = { 0 };

	ck_assert_int_eq(ldif_store_parse("dn: dc=x\n\0\n", 11, "t", &all, error, sizeof error), -EBADMSG);
	ck_assert_msg(strncmp(error, "t:2: a NUL byte", 15) == 0, "%s", error);
}
END_TEST

START_TEST(round_trip)
{
	struct entries all = { 0 };
	struct ldif_edit edit;
	struct stat before, after;
	struct entry *e;
	char bytes[256];

	setup_folder();
	ck_assert_int_eq(ldif_store_create(path, "dc=isms,dc=local", getuid(), getgid()), 0);
	ck_assert_int_eq(ldif_store_create(path, "dc=isms,dc=local", getuid(), getgid()), -EEXIST);
	ck_assert_int_eq(chmod(path, 0640), 0);
	ck_assert_int_eq(stat(path, &before), 0);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)i;
	ck_assert_int_eq(ldif_store_begin(path, 1000, &edit, error, sizeof error), 0);
	ck_assert_uint_eq(edit.entries.count, 4);
	e = entry_new("uid=ada,ou=people,dc=isms,dc=local");
	ck_assert_int_eq(entry_add_value(e, "oathSecret", bytes, sizeof bytes), 0);
	ck_assert_int_eq(entry_set(e, "description", " spaces \n and lines "), 0);
	ck_assert_int_eq(entry_set(e, "cn", "\xc3\x84" "da"), 0);
	ck_assert_int_eq(entries_add(&edit.entries, e), 0);
	ck_assert_int_eq(ldif_store_commit(&edit), 0);
	ck_assert_int_eq(stat(path, &after), 0);
	ck_assert_uint_ne(before.st_ino, after.st_ino);		/* new file, never written in place */
	ck_assert_uint_eq(after.st_mode, before.st_mode);
	ck_assert_uint_eq(after.st_uid, before.st_uid);

	ck_assert_int_eq(ldif_store_read(path, &all, error, sizeof error), 0);
	ck_assert_uint_eq(all.count, 5);
	e = entries_find(&all, "uid=ada,ou=people,dc=isms,dc=local");
	ck_assert_mem_eq(entry_attribute(e, "oathSecret")->values[0].bytes, bytes, sizeof bytes);
	ck_assert_str_eq(entry_value(e, "description"), " spaces \n and lines ");
	ck_assert_str_eq(entry_value(e, "cn"), "\xc3\x84" "da");
	ck_assert(entry_has_class(entries_find(&all, "dc=isms,dc=local"), "dcObject"));
	entries_done(&all);
	remove_folder();
}
END_TEST

/* Root edits for the directory process: the file stays isms-dir's. */
START_TEST(owner_kept)
{
	struct ldif_edit edit;
	struct stat st;

	if (!suite_as_root())
		return;
	setup_folder();
	ck_assert_int_eq(chown(folder, 12345, 12346), 0);
	ck_assert_int_eq(ldif_store_create(path, "o=isms", 12345, 12346), 0);
	ck_assert_int_eq(ldif_store_begin(path, 1000, &edit, error, sizeof error), 0);
	ck_assert_int_eq(ldif_store_commit(&edit), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_uid, 12345);
	ck_assert_uint_eq(st.st_gid, 12346);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(chown(path, 4711, 4711), 0);		/* neither root's, ours, nor the folder owner's */
	ck_assert_int_eq(ldif_store_begin(path, 1000, &edit, error, sizeof error), -EPERM);
	remove_folder();
}
END_TEST

static const struct { mode_t file, folder; int result; } modes[] = {
	{ 0600, 0700, 0 }, { 0640, 0750, 0 }, { 0644, 0755, 0 }, { 0620, 0700, -EPERM }, { 0602, 0700, -EPERM },
	{ 0600, 0770, -EPERM }, { 0600, 0702, -EPERM },
};

START_TEST(unsafe_modes)
{
	struct entries all = { 0 };
	struct ldif_edit edit = { 0 };

	setup_folder();
	write_file("dn: dc=x\ndc: x\n");
	ck_assert_int_eq(chmod(path, modes[_i].file), 0);
	ck_assert_int_eq(chmod(folder, modes[_i].folder), 0);
	ck_assert_int_eq(ldif_store_read(path, &all, error, sizeof error), modes[_i].result);
	ck_assert_int_eq(ldif_store_begin(path, 100, &edit, error, sizeof error), modes[_i].result);
	ck_assert_msg((error[0] != '\0') == (modes[_i].result != 0), "%s", error);
	if (modes[_i].result == 0)
		ldif_store_abort(&edit);
	entries_done(&all);
	remove_folder();
}
END_TEST

START_TEST(not_a_file)
{
	struct entries all = { 0 };

	setup_folder();
	ck_assert_int_eq(ldif_store_read(path, &all, error, sizeof error), -ENOENT);
	ck_assert_int_eq(symlink("/etc/passwd", path), 0);
	ck_assert_int_eq(ldif_store_read(path, &all, error, sizeof error), -ELOOP);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(ldif_store_read(path, &all, error, sizeof error), -EPERM);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(ldif_store_read(path, &all, error, sizeof error), -EPERM);
	remove_folder();
}
END_TEST

START_TEST(locked_out)
{
	struct ldif_edit first, second = { 0 };

	setup_folder();
	write_file("dn: dc=x\ndc: x\n");
	ck_assert_int_eq(ldif_store_begin(path, 0, &first, error, sizeof error), 0);
	ck_assert_int_eq(ldif_store_begin(path, 50, &second, error, sizeof error), -ETIMEDOUT);
	ck_assert_msg(strstr(error, "somebody else is editing") != NULL, "%s", error);
	ldif_store_abort(&second);
	ldif_store_abort(&first);
	ck_assert_int_eq(ldif_store_begin(path, 0, &second, error, sizeof error), 0);
	ldif_store_abort(&second);
	remove_folder();
}
END_TEST

/* Editors in parallel lose no update; a reader sees whole files only. */
START_TEST(no_lost_update)
{
	struct entries all = { 0 };
	struct ldif_edit edit;
	pid_t pids[4];
	int status;

	setup_folder();
	write_file("dn: dc=x\ndc: x\n");
	for (int p = 0; p < 4; p++) {
		pids[p] = fork();
		ck_assert_int_ge(pids[p], 0);
		for (int i = 0; pids[p] == 0 && i < 10; i++) {
			char name[16];

			(void)snprintf(name, sizeof name, "p%d-%d", p, i);
			if (ldif_store_begin(path, 20000, &edit, error, sizeof error) < 0 ||
			    entry_add_value(edit.entries.list[0], "memberUid", name, strlen(name)) < 0 ||
			    ldif_store_commit(&edit) < 0)
				_exit(1);
		}
		if (pids[p] == 0)
			_exit(0);
	}
	for (int p = 0; p < 4; p++) {
		do {
			ck_assert_int_eq(ldif_store_read(path, &all, error, sizeof error), 0);
			ck_assert_uint_eq(all.count, 1);
			entries_done(&all);
			(void)usleep(1000);
		} while (waitpid(pids[p], &status, WNOHANG) == 0);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_int_eq(ldif_store_read(path, &all, error, sizeof error), 0);
	ck_assert_uint_eq(entry_attribute(all.list[0], "memberUid")->count, 40);
	entries_done(&all);
	remove_folder();
}
END_TEST

/* What a killed editor left is no obstacle; a failing one leaves the old file. */
START_TEST(failed_commit)
{
	struct entries all = { 0 };
	struct ldif_edit edit;
	char temp[160];

	setup_folder();
	(void)snprintf(temp, sizeof temp, "%s.new", path);
	write_file("dn: dc=x\ndc: x\n");
	ck_assert_int_eq(mkdir(temp, 0700), 0);		/* cannot be unlinked: the write fails */
	ck_assert_int_eq(ldif_store_begin(path, 0, &edit, error, sizeof error), 0);
	ck_assert_int_eq(entry_set(edit.entries.list[0], "dc", "y"), 0);
	ck_assert_int_eq(ldif_store_commit(&edit), -EEXIST);
	ck_assert_int_eq(ldif_store_read(path, &all, error, sizeof error), 0);
	ck_assert_str_eq(entry_value(all.list[0], "dc"), "x");
	entries_done(&all);
	ck_assert_int_eq(rmdir(temp), 0);
	ck_assert_int_eq(symlink("/etc/passwd", temp), 0);
	ck_assert_int_eq(ldif_store_begin(path, 0, &edit, error, sizeof error), 0);
	ck_assert_int_eq(ldif_store_commit(&edit), 0);
	remove_folder();
}
END_TEST

static const char *const bad_bases[] = { "", "isms", "cn=isms", "dc=", "c=de" };

START_TEST(bad_base)
{
	setup_folder();
	ck_assert_int_eq(ldif_store_create(path, bad_bases[_i], getuid(), getgid()), -EINVAL);
	ck_assert_int_eq(access(path, F_OK), -1);
	remove_folder();
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ parse_table, ROWS(texts) },
		{ values, 0 },
		{ nul_byte, 0 },
		{ round_trip, 0 },
		{ owner_kept, 0 },
		{ unsafe_modes, ROWS(modes) },
		{ not_a_file, 0 },
		{ locked_out, 0 },
		{ no_lost_update, 0 },
		{ failed_commit, 0 },
		{ bad_base, ROWS(bad_bases) },
	};

	return suite_run("ldif_store", rows, ROWS(rows), 60);
}
