/*
 * test_settings.c - every row of options.def: default, range, form; files, their order and their owners.
 */
#include <config.h>

#include "common/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/suite.h"

static char error[512];

static int
parse(const char *text, struct settings *ret)
{
	error[0] = '\0';
	return settings_parse(text, strlen(text), "test.conf", ret, error, sizeof error);
}

static int
parse_one(const struct option_info *o, const char *value, struct settings *ret)
{
	char text[2048];

	(void)snprintf(text, sizeof text, "[%s]\n%s = %s\n", o->section, o->key, value);
	return parse(text, ret);
}

static int
option_count(void)
{
	int n = 0;

	while (settings_options[n].section != NULL)
		n++;
	return n;
}

START_TEST(default_parses_and_formats)
{
	const struct option_info *o = &settings_options[_i];
	static struct settings defaults, parsed, again;
	char buf[2048];
	int n;

	settings_defaults(&defaults);
	ck_assert_msg(parse_one(o, o->fallback, &parsed) == 0, "%s", error);
	ck_assert_mem_eq((char *)&parsed, (char *)&defaults, sizeof parsed);
	n = settings_format(&parsed, o, buf, sizeof buf);
	ck_assert_int_eq(n, (int)strlen(buf));
	ck_assert_msg(parse_one(o, buf, &again) == 0, "%s", error);
	ck_assert_mem_eq((char *)&again, (char *)&parsed, sizeof again);
	ck_assert_int_eq(settings_format(&parsed, o, buf, (size_t)n + 1), n);
	ck_assert_int_eq(settings_format(&parsed, o, buf, (size_t)n), -ENOBUFS);
	ck_assert_int_eq(settings_format(&parsed, o, buf, 0), -ENOBUFS);
}
END_TEST

START_TEST(range_is_kept)
{
	const struct option_info *o = &settings_options[_i];
	static struct settings s;
	char text[32];

	if (strcmp(o->type, "UINT") != 0 && strcmp(o->type, "SECONDS") != 0)
		return;
	(void)snprintf(text, sizeof text, "%" PRId64, o->min);
	ck_assert_msg(parse_one(o, text, &s) == 0, "%s", error);
	(void)snprintf(text, sizeof text, "%" PRId64, o->max);
	ck_assert_msg(parse_one(o, text, &s) == 0, "%s", error);
	(void)snprintf(text, sizeof text, "%" PRId64, o->min - 1);
	ck_assert_int_eq(parse_one(o, text, &s), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error, "test.conf:2: ["));
	(void)snprintf(text, sizeof text, "%" PRId64, o->max + 1);
	ck_assert_int_eq(parse_one(o, text, &s), -EINVAL);
}
END_TEST

START_TEST(text_has_its_length)
{
	const struct option_info *o = &settings_options[_i];
	static struct settings s;
	char value[2048] = "";

	if (strcmp(o->type, "STR") != 0)
		return;
	ck_assert_int_eq(parse_one(o, "", &s), -EINVAL);
	/* One too many, in words of one line each: a single line holds less. */
	while (strlen(value) <= (size_t)o->max)
		strcat(value, "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/\n ");
	ck_assert_int_eq(parse_one(o, value, &s), -EINVAL);
}
END_TEST

START_TEST(garbage_is_refused)
{
	const struct option_info *o = &settings_options[_i];
	static const char *const values[] = { "30x", "", "0x10", "1e3", "-1", "30 30", "1.5", "99999999999999999999", "+5" };
	static struct settings s, untouched;

	for (int i = 0; i < ROWS(values); i++) {
		if (strcmp(o->type, "STR") == 0)
			continue;
		ck_assert_msg(parse_one(o, values[i], &s) == -EINVAL, "%s = %s", o->key, values[i]);
		ck_assert_msg(strncmp(error, "test.conf:2: [", 14) == 0 && strstr(error, o->key) != NULL, "%s", error);
	}
	ck_assert_mem_eq((char *)&s, (char *)&untouched, sizeof s);
}
END_TEST

START_TEST(row_is_documented)
{
	const struct option_info *o = &settings_options[_i];
	size_t len = strlen(o->help);

	ck_assert_msg(len > 10 && o->help[len - 1] == '.', "%s", o->key);
	ck_assert(o->min <= o->max);
	for (int i = 0; i < _i; i++)
		ck_assert(strcmp(settings_options[i].key, o->key) != 0 || strcmp(settings_options[i].section, o->section) != 0);
}
END_TEST

/* What is wrong, and the words that tell so. */
static const struct {
	const char *text, *where;
} refused[] = {
	{ "[nss]\nenumerat = yes\n", "test.conf:2: [nss] enumerat: unknown option" },
	{ "[nss]\n\n# c\nenumerate = maybe\n", "test.conf:4: [nss] enumerate: \"maybe\" is neither yes nor no" },
	{ "[nss]\nenumerate = YES\n", "neither yes nor no" },
	{ "[nns]\nenumerate = yes\n", "test.conf:1: [nns]: unknown section" },
	{ "[nns]\n", "test.conf:1: [nns]: unknown section" },
	{ "enumerate = yes\n", "test.conf:1: enumerate: stands before" },
	{ "[nss]\nenumerate = yes\nenumerate = no\n", "test.conf:3: [nss] enumerate: stands here for the second time" },
	{ "[nss]\nenumerate = yes\n[login]\n[nss]\nenumerate = yes\n", "test.conf:5:" },
	{ "[nss]\nenumerate\n", "test.conf:2: neither a section" },
	{ "[nss\nenumerate = yes\n", "test.conf:1: a section is written" },
	{ "[nss] enumerate = yes\n", "test.conf:1: nothing may follow" },
	{ "[[nss]]\n", "test.conf:1: a section is written" },
	{ "[]\n", "test.conf:1: a section's name" },
	{ "[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]\n", "test.conf:1: a section's name" },
	{ "[nss]\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa = 1\n", "test.conf:2: a key has" },
	{ "[nss]\n= 1\n", "test.conf:2:" },
	{ " [nss]\n", "test.conf:1: an indented line" },
	{ "[login]\ncontact = a\n  time-zone = UTC\n", "test.conf:3: an indented line continues" },
	{ "[login]\ncontact = a\tb\001\n", "test.conf:2: a control character (0x01)" },
	{ "[login]\ncontact = a\rb\n", "test.conf:2: a control character (0x0d)" },
	{ "\xef\xbb\xbf[login]\ncontact = a\n", "test.conf:1: a byte order mark" },
	{ "[login]\ntime-zone = ../../etc/passwd\n", "not the name of a zone" },
	{ "[login]\ntime-zone = /UTC\n", "not the name of a zone" },
	{ "[directory]\nuri = http://ldap1.example.com\n", "write file:///PATH, or ldaps://HOST" },
	{ "[directory]\nuri = ldaps://a ldaps://b/dc=x\n", "\"ldaps://b/dc=x\": write ldaps://HOST" },
	{ "[directory]\nuri = ldaps://user@host\n", "write ldaps://HOST" },
	{ "[directory]\nuri = ldaps://a file:///b\n", "write file:///PATH, or ldaps://HOST" },
	{ "[directory]\nuri = ldaps+srv://example.com:636\n", "write ldaps+srv://DOMAIN" },
	{ "[directory]\nuri = ldaps://a ldap+srv://example.com/\n", "write ldaps+srv://DOMAIN" },
	{ "[directory]\nuri = ldaps+srv://\n", "write ldaps+srv://DOMAIN" },
	{ "[directory]\nuri = ldaps+srv://.example.com\n", "write ldaps+srv://DOMAIN" },
	{ "[directory]\nuri = ldaps+srv://example.com.\n", "write ldaps+srv://DOMAIN" },
	{ "[directory]\nuri = ldapi+srv://example.com\n", "write file:///PATH, or ldaps://HOST" },
	{ "[directory]\nsrv-targets = a.example.net *.example.org\n", "neither HOST nor .DOMAIN" },
	{ "[directory]\nsrv-targets = ..example.net\n", "neither HOST nor .DOMAIN" },
	{ "[directory]\nuri = ldaps+srv://example.com\n", "[directory] srv-targets: whoever answers for DNS" },
	{ "[directory]\nuri = ldaps://a ldap+srv://example.com\nsrv-targets = none\n", "list the names that it may have" },
	{ "[directory]\nuri = ldap+srv://example.com\nsrv-targets = .example.com\nallow-cleartext = yes\n",
	    "[directory] allow-cleartext: servers that DNS names must prove who they are" },
	{ "[directory]\nca-file = ca.pem\n", "not the absolute path" },
	{ "[directory]\nbind-dn = web1\n", "neither a DN" },
	{ "[directory]\nattribute-map = uid\n", "not OURS=THEIRS" },
	{ "[directory]\nattribute-map = uid=a=b\n", "not OURS=THEIRS" },
	{ "[directory]\nuri = file://relative\n", "write file:///PATH" },
	{ "[directory]\nuri = file:///a file:///b\n", "write file:///PATH" },
	{ "[directory]\nuri = file:///a/../b\n", "\"..\"" },
	{ "[directory]\nschema = ad\n", "\"ad\" is none of rfc2307, 389-ds, active-directory" },
	{ "[directory]\nid-from-sid = 200000-399999\n", "neither none nor a domain and a range of ids" },
	{ "[directory]\nid-from-sid = S-1-5-21-1-2-3 5-9\n", "neither none nor a domain and a range of ids" },
	{ "[nss]\nhome-template = /home/\n", "one %u in it" },
	{ "[nss]\nhome-template = %u\n", "one %u in it" },
	{ "[nss]\nhome-template = /home/%d/%u\n", "one %u in it" },
	{ "[nss]\nhome-template = /home/%u/%u\n", "one %u in it" },
	{ "[nss]\ndefault-shell = bash\n", "not the absolute path" },
	{ "[nss]\nhome-prefixes = /home\n", "ends in /" },
	{ "[nss]\nhome-prefixes = home/\n", "not an absolute folder" },
	{ "[nss]\nhome-prefixes = /home/../etc/\n", "not an absolute folder" },
	{ "[nss]\npublish = some\n", "test.conf:2: [nss] publish: \"some\" is neither all nor allowed" },
	{ "[nss]\nshells = sh\n", "not the absolute path" },
	{ "[nss]\nid-range = 0-60000\n", "not a range within 1000-2147483647" },
	{ "[nss]\nid-range = 1000-4294967295\n", "not a range" },
	{ "[nss]\nid-range = 1000\n", "write FIRST-LAST" },
	{ "[nss]\nid-range = 2000-1000\n", "not a range" },
	{ "[nss]\nid-range = 1000-2000 2000-3000\n", "begins before the end" },
	{ "[nss]\nid-range = 1000-2000 1500-3000\n", "begins before the end" },
	{ "[nss]\nid-range = 1001-1002 1003-1004 1005-1006 1007-1008 1009-1010 1011-1012 1013-1014 1015-1016 1017-1018\n", "more than 8" },
	{ "[mfa]\ntotp-window = 3\n", "out of range; write 0 to 2" },
	{ "[login]\nmax-data-age = 9s\n", "out of range; write 10 to" },
	{ "[login]\nmax-data-age = 1w\n", "not a duration" },
};

START_TEST(errors_say_where)
{
	static struct settings s;

	ck_assert_msg(parse(refused[_i].text, &s) == -EINVAL, "%s", refused[_i].text);
	ck_assert_msg(strstr(error, refused[_i].where) != NULL, "%s: %s", refused[_i].text, error);
}
END_TEST

START_TEST(long_and_nul_lines)
{
	static struct settings s;
	char text[400] = "[login]\ncontact = ";

	memset(text + strlen(text), 'a', 220);
	ck_assert_int_eq(parse(text, &s), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error, "test.conf:2: the line is longer than"));
	ck_assert_int_eq(settings_parse("[login]\ncontact = a\0b\n", 22, "t", &s, error, sizeof error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error, "t:2: a control character (0x00)"));
}
END_TEST

START_TEST(accepted_forms)
{
	static struct settings s;

	ck_assert_msg(parse("# comment\n; comment\n\n[nss] ; comment\nenumerate=yes ; why\n\t\n"
	    "home-prefixes = /home/\n   # between\n  /srv/   ; here too\n\t/data/homes/\r\n"
	    "[login]\r\ncontact = IT; desk 7 \xc3\xa4\n[nss]\nvalid-for = 2d\nid-range =  5000-5999   7000-7999", &s) == 0,
	    "%s", error);
	ck_assert(s.nss_enumerate);
	ck_assert_str_eq(s.nss_home_prefixes, "/home/ /srv/ /data/homes/");
	ck_assert_str_eq(s.login_contact, "IT; desk 7 \xc3\xa4");
	ck_assert_uint_eq(s.nss_valid_for, 172800);
	ck_assert(settings_publishes_all(&s));
	ck_assert_uint_eq(s.nss_id_range.count, 2);
	ck_assert(!settings_id_allowed(&s.nss_id_range, 4999));
	ck_assert(settings_id_allowed(&s.nss_id_range, 5000));
	ck_assert(settings_id_allowed(&s.nss_id_range, 7999));
	ck_assert(!settings_id_allowed(&s.nss_id_range, 6000));
	ck_assert(!settings_id_allowed(&s.nss_id_range, 0));
	ck_assert_int_eq(parse("", &s), 0);
	ck_assert_str_eq(s.nss_home_prefixes, "/home/");
	ck_assert_int_eq(parse("[directory]\nuri = ldaps+srv://example.com ldap+srv://Sub-1.example.net ldaps://a\n"
	    "srv-targets = a.example.net .example.org\n", &s), 0);
	ck_assert(settings_uses_ldap(&s));
	ck_assert_int_eq(parse("[directory]\nuri = ldap://a\nallow-cleartext = yes\n", &s), 0);
	ck_assert_int_eq(parse("[nss]\npublish = allowed\n", &s), 0);
	ck_assert(!settings_publishes_all(&s));
	ck_assert_uint_eq(s.login_max_data_age, 86400);
}
END_TEST

START_TEST(formats_read_well)
{
	static const struct { const char *value, *formatted; } rows[] = {
		{ "28800", "8h" }, { "90s", "90s" }, { "120", "2m" }, { "86400", "1d" }, { "15m", "15m" },
	};
	const struct option_info *o = settings_options;
	static struct settings s;
	char buf[64];

	while (strcmp(o->key, "max-data-age") != 0)
		o++;
	for (int i = 0; i < ROWS(rows); i++) {
		ck_assert_int_eq(parse_one(o, rows[i].value, &s), 0);
		ck_assert_int_eq(settings_format(&s, o, buf, sizeof buf), (int)strlen(rows[i].formatted));
		ck_assert_str_eq(buf, rows[i].formatted);
	}
}
END_TEST

/* ---- files: a folder below /tmp that only we can write -------------------------------------------- */

static char folder[64];

static void
put(const char *name, const char *text, mode_t mode)
{
	char path[512];
	int fd;

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq((int)write(fd, text, strlen(text)), (int)strlen(text));
	ck_assert_int_eq(fchmod(fd, mode), 0);
	ck_assert_int_eq(close(fd), 0);
}

static void
make_folder(void)
{
	char path[128];

	(void)snprintf(folder, sizeof folder, "%s/test_settings.XXXXXX", suite_folder());
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof path, "%s/conf.d", folder);
	ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void
drop_folder(void)
{
	char command[128];

	(void)snprintf(command, sizeof command, "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static int
load(struct settings *ret)
{
	error[0] = '\0';
	return settings_load(folder, ret, error, sizeof error);
}

START_TEST(files_in_order)
{
	static struct settings s;

	make_folder();
	ck_assert_msg(load(&s) == 0, "%s", error);		/* no file at all: the defaults */
	ck_assert_str_eq(s.login_contact, "your administrator");
	put("isms.conf", "[login]\ncontact = main\nwarn-before = 1m\n", 0644);
	put("conf.d/B.conf", "[login]\ncontact = B\n", 0644);
	put("conf.d/a.conf", "[login]\ncontact = a\n", 0644);	/* after B, whatever the locale says */
	put("conf.d/z.conf.bak", "[login]\ncontact = z\n", 0644);
	put("conf.d/.hidden.conf", "[login]\ncontact = hidden\n", 0644);
	ck_assert_msg(load(&s) == 0, "%s", error);
	ck_assert_str_eq(s.login_contact, "a");
	ck_assert_uint_eq(s.login_warn_before, 60);
	put("conf.d/c.conf", "[login]\ncontact = c\nbad = 1\n", 0644);
	ck_assert_int_eq(load(&s), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error, "/conf.d/c.conf:3: [login] bad: unknown option"));
	ck_assert_str_eq(s.login_contact, "a");			/* the old settings stay */
	drop_folder();
}
END_TEST

/* A first isms.conf is judged with what stands in conf.d already, which goes before it. */
START_TEST(foreseen)
{
	static struct settings s;

	make_folder();
	put("conf.d/a.conf", "[directory]\nschema = active-directory\n[login]\ncontact = a\n", 0644);
	ck_assert_int_eq(settings_foresee(folder, "[login]\ncontact = main\nwarn-before = 1m\n", &s, error, sizeof error), 0);
	ck_assert_str_eq(s.directory_schema, "active-directory");
	ck_assert_str_eq(s.login_contact, "a");
	ck_assert_uint_eq(s.login_warn_before, 60);
	put("conf.d/a.conf", "[directory]\nschem = active-directory\n", 0644);
	ck_assert_int_eq(settings_foresee(folder, "", &s, error, sizeof error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error, "/conf.d/a.conf:2: [directory] schem: unknown option"));
	ck_assert_int_eq(settings_foresee(folder, "[login]\nbad = 1\n", &s, error, sizeof error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error, "isms.conf:2: [login] bad: unknown option"));
	drop_folder();
}
END_TEST

START_TEST(files_of_others_are_refused)
{
	static struct settings s;
	char path[512], big[300];

	make_folder();
	put("isms.conf", "[login]\ncontact = x\n", 0664);
	ck_assert_int_eq(load(&s), -EPERM);
	ck_assert_ptr_nonnull(strstr(error, "isms.conf: group or others can write it"));
	put("isms.conf", "[login]\ncontact = x\n", 0646);
	ck_assert_int_eq(load(&s), -EPERM);
	put("isms.conf", "[login]\ntime-zone = Europe/Nowhere\n", 0644);
	ck_assert_int_eq(load(&s), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error, "Europe/Nowhere cannot be read"));
	put("isms.conf", "[login]\ntime-zone = Europe/Berlin\n", 0644);
	ck_assert_msg(load(&s) == 0, "%s", error);
	(void)snprintf(path, sizeof path, "%s/isms.conf", folder);
	if (suite_as_root()) {
		ck_assert_int_eq(chown(path, 12345, 0), 0);
		ck_assert_int_eq(load(&s), -EPERM);
		ck_assert_ptr_nonnull(strstr(error, "belongs to uid 12345"));
	}
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink("/dev/null", path), 0);
	ck_assert_int_eq(load(&s), -ELOOP);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);		/* does not block */
	ck_assert_int_eq(load(&s), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error, "not a regular file"));
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(chmod(folder, 0777), 0);
	ck_assert_int_eq(load(&s), -EPERM);
	ck_assert_int_eq(chmod(folder, 0700), 0);
	(void)snprintf(path, sizeof path, "%s/conf.d", folder);
	ck_assert_int_eq(chmod(path, 0770), 0);
	ck_assert_int_eq(load(&s), -EPERM);
	ck_assert_int_eq(chmod(path, 0700), 0);
	put("isms.conf", "", 0644);
	(void)snprintf(path, sizeof path, "%s/isms.conf", folder);
	ck_assert_int_eq(truncate(path, 1024 * 1024 + 1), 0);
	ck_assert_int_eq(load(&s), -EFBIG);
	ck_assert_int_eq(truncate(path, 0), 0);
	ck_assert_msg(load(&s) == 0, "%s", error);
	memset(big, 'x', sizeof big);
	ck_assert_int_eq(settings_load("/nonexistent/isms", &s, error, sizeof error), 0);	/* no folder: defaults */
	drop_folder();
}
END_TEST

/* isms.conf(5) names these options and no other. */
START_TEST(manual_names_these_options)
{
	char path[512], line[512], want[128] = ".B ";
	size_t used = strlen(want);
	int found = 0;
	FILE *f;

	for (const char *p = settings_options[_i].key; *p != '\0'; p++)
		used += (size_t)snprintf(want + used, sizeof want - used, *p == '-' ? "\\-" : "%c", *p);
	(void)snprintf(want + used, sizeof want - used, "\n");
	(void)snprintf(path, sizeof path, "%s/daemon/isms.conf.5", TEST_BUILDDIR);
	f = fopen(path, "re");
	ck_assert_msg(f != NULL, "%s", path);
	while (fgets(line, sizeof line, f) != NULL)
		found += strcmp(line, want) == 0;
	ck_assert_msg(found == 1, "%s is %d times in %s", settings_options[_i].key, found, path);
	ck_assert_int_eq(fclose(f), 0);
}
END_TEST

/* The sample parses as shipped; with its comment signs taken away it gives every option its default. */
START_TEST(sample_is_the_defaults)
{
	static struct settings s, defaults;
	static char text[8192], bare[8192];
	char path[512];
	char *to = bare;
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/daemon/isms.conf", TEST_SRCDIR);
	f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	text[fread(text, 1, sizeof text - 1, f)] = '\0';
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_msg(parse(text, &s) == 0, "%s", error);
	settings_defaults(&defaults);
	ck_assert_mem_eq((char *)&s, (char *)&defaults, sizeof s);
	for (char *p = text; *p != '\0'; p++) {
		if (*p != '#' || (p > text && p[-1] != '\n') || (p[1] == ' ' && p[2] != ' '))
			*to++ = *p;
	}
	ck_assert_msg(parse(bare, &s) == 0, "%s", error);
	ck_assert_mem_eq((char *)&s, (char *)&defaults, sizeof s);
	for (int i = 0; i < option_count(); i++) {
		char want[64];

		(void)snprintf(want, sizeof want, "\n#%s = ", settings_options[i].key);
		ck_assert_msg(strstr(text, want) != NULL, "%s", want);
	}
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ default_parses_and_formats, option_count() },
		{ range_is_kept, option_count() },
		{ text_has_its_length, option_count() },
		{ garbage_is_refused, option_count() },
		{ row_is_documented, option_count() },
		{ manual_names_these_options, option_count() },
		{ sample_is_the_defaults, 0 },
		{ errors_say_where, ROWS(refused) },
		{ long_and_nul_lines, 0 },
		{ accepted_forms, 0 },
		{ formats_read_well, 0 },
		{ files_in_order, 0 }, { foreseen, 0 },
		{ files_of_others_are_refused, 0 },
	};

	return suite_run("settings", rows, ROWS(rows), 20);
}
