/*
 * test_tool_directory.c - isms-userctl: ends of contracts, ids that are never given twice, tokens.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/ldif_store.h"
#include "common/settings.h"
#include "tests/unit/suite.h"
#include "tools/contract_end.h"
#include "tools/directory_edit.h"
#include "tools/id_pool.h"
#include "tools/token.h"

#define BASE "dc=isms,dc=local"

static const struct {
	enum contract_end end;
	const char *value;	/* NULL: none */
	int r;
	int64_t utc_sec;
} ends[] = {
	{ END_PWD, NULL, 0, 0 },
	{ END_PWD, "20260630220000Z", 1, 1782856800 },
	{ END_PWD, "2026-06-30", -EBADMSG, 0 },
	{ END_SHADOW, "20635", 1, 1782864000 },
	{ END_SHADOW, "-1", 0, 0 },
	{ END_SHADOW, "0", 1, 0 },
	{ END_SHADOW, "-2", -EBADMSG, 0 },
	{ END_SHADOW, "20635x", -EBADMSG, 0 },
	{ END_SHADOW, " 20635", -EBADMSG, 0 },
	{ END_SHADOW, "99999999999", -EBADMSG, 0 },
	{ END_KERBEROS, "20260630220000+0200", 1, 1782849600 },
	{ END_AD, "0", 0, 0 },
	{ END_AD, "9223372036854775807", 0, 0 },
	{ END_AD, "134273304000000000", 1, 1782856800 },
	{ END_AD, "99999999999999999999", -EBADMSG, 0 },
	{ END_OWN, "20260630220000Z", 1, 1782856800 },
};

START_TEST(ends_are_read)
{
	struct entry *e = entry_new("uid=ada,ou=people," BASE);
	int64_t utc_sec = -7;

	if (ends[_i].value != NULL)
		ck_assert_int_eq(entry_set(e, contract_end_attribute(ends[_i].end), ends[_i].value), 0);
	ck_assert_int_eq(contract_end_read(e, ends[_i].end, &utc_sec), ends[_i].r);
	ck_assert_int_eq(utc_sec, ends[_i].r == 1 ? ends[_i].utc_sec : -7);
	entry_free(e);
}
END_TEST

/* UC02a: shadowExpire is the first UTC day that starts at or after the instant; the rest is exact. */
START_TEST(uc02a_ends_are_written)
{
	static const int64_t instants[] = { 1782856800, 1782864000, 1782864001, 86399, 1, 253402300799 };
	char text[CONTRACT_END_TEXT_MAX];
	struct entry *e = entry_new("uid=ada,ou=people," BASE);
	unsigned end;
	size_t i;
	int64_t back = 0;

	for (i = 0; i < sizeof instants / sizeof instants[0]; i++) {
		for (end = 0; end < END_COUNT; end++) {
			ck_assert_int_eq(entry_set(e, contract_end_attribute((enum contract_end)end),
			    contract_end_format((enum contract_end)end, instants[i], text)), 0);
			if (end == END_SHADOW && instants[i] > 253402214400)
				continue;	/* the day after 9999-12-31 is no date of ours */
			ck_assert_int_eq(contract_end_read(e, (enum contract_end)end, &back), 1);
			if (end != END_SHADOW)
				ck_assert_int_eq(back, instants[i]);
			else
				ck_assert(back >= instants[i] && back - instants[i] < 86400 && back % 86400 == 0);
		}
	}
	entry_free(e);
}
END_TEST

START_TEST(local_clock)
{
	char buf[96];

	ck_assert_str_eq(contract_end_local(1782856800, "UTC", buf, sizeof buf), "2026-06-30 22:00:00 +00:00 UTC");
	ck_assert_str_eq(contract_end_local(1782856800, "no/such", buf, sizeof buf), "");
	if (access("/usr/share/zoneinfo/Europe/Berlin", R_OK) == 0)
		ck_assert_str_eq(contract_end_local(1782856800, "Europe/Berlin", buf, sizeof buf),
		    "2026-07-01 00:00:00 +02:00 Europe/Berlin");
	if (access("/usr/share/zoneinfo/America/St_Johns", R_OK) == 0)
		ck_assert_str_eq(contract_end_local(1782856800, "America/St_Johns", buf, sizeof buf),
		    "2026-06-30 19:30:00 -02:30 America/St_Johns");
}
END_TEST

/* ---- a directory in a temp folder --------------------------------------------------------------- */

struct fixture {
	char folder[64];
	struct paths paths;
	struct settings settings;
	struct directory *directory;
	struct identities identities;
};

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void
open_directory(struct fixture *f, enum directory_mode mode, bool dry_run)
{
	char error[512] = "";

	ck_assert_msg(directory_open(&f->settings, NULL, f->folder, mode, dry_run, &f->directory, error, sizeof error) == 0, "%s", error);
	ck_assert_int_eq(identities_build(directory_entries(f->directory), &f->settings, &f->identities), 0);
}

static void
close_directory(struct fixture *f)
{
	identities_done(&f->identities);
	directory_close(f->directory);
	f->directory = NULL;
	memset(&f->identities, 0, sizeof f->identities);
}

static void
setup_fixture(struct fixture *f)
{
	char path[96];

	memset(f, 0, sizeof *f);
	(void)snprintf(f->folder, sizeof f->folder, "%s/isms-tool-XXXXXX", suite_folder());
	ck_assert_ptr_nonnull(mkdtemp(f->folder));
	settings_defaults(&f->settings);
	(void)snprintf(f->settings.directory_uri, sizeof f->settings.directory_uri, "file:///directory.ldif");
	(void)snprintf(path, sizeof path, "%s/directory.ldif", f->folder);
	ck_assert_int_eq(ldif_store_create(path, BASE, geteuid(), getegid()), 0);
	(void)snprintf(f->paths.passwd, sizeof f->paths.passwd, "%s/passwd", f->folder);
	(void)snprintf(f->paths.group, sizeof f->paths.group, "%s/group", f->folder);
	(void)snprintf(f->paths.subuid, sizeof f->paths.subuid, "%s/subuid", f->folder);
	(void)snprintf(f->paths.subgid, sizeof f->paths.subgid, "%s/subgid", f->folder);
	write_file(f->paths.subuid, "local:1005:3\n");
	write_file(f->paths.subgid, "local:1008:2\n");
	write_file(f->paths.passwd, "root:x:0:0::/root:/bin/sh\nlocal:x:1000:1000::/home/local:/bin/sh\n");
	write_file(f->paths.group, "root:x:0:\nlocal:x:1000:\nstaff:x:1003:\n");
}

static void
remove_fixture(struct fixture *f)
{
	char path[96];

	close_directory(f);
	(void)snprintf(path, sizeof path, "%s/directory.ldif", f->folder);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(unlink(f->paths.passwd), 0);
	ck_assert_int_eq(unlink(f->paths.group), 0);
	ck_assert_int_eq(unlink(f->paths.subuid), 0);
	ck_assert_int_eq(unlink(f->paths.subgid), 0);
	ck_assert_int_eq(rmdir(f->folder), 0);	/* nothing else was left behind */
}

static int
load_pool(struct fixture *f, struct id_pool *pool, char *error, size_t size)
{
	return id_pool_load(pool, directory_entries(f->directory), &f->identities, BASE, &f->paths, error, size);
}

/* Ids come lowest first, past those of the local files, and are not given again after an entry is gone. */
START_TEST(ids_are_never_given_twice)
{
	static const uint32_t expected[] = { 1001, 1002 };
	char error[256] = "";
	struct id_pool pool;
	struct fixture f;
	uint32_t id = 0;
	size_t i;

	setup_fixture(&f);
	for (i = 0; i < sizeof expected / sizeof expected[0]; i++) {
		open_directory(&f, DIRECTORY_EDIT, false);
		ck_assert_msg(load_pool(&f, &pool, error, sizeof error) == 0, "%s", error);
		ck_assert_int_eq(id_pool_take(&pool, &f.settings.nss_id_range, &id), 0);
		ck_assert_uint_eq(id, expected[i]);
		ck_assert(!id_pool_free(&pool, id));
		ck_assert(id_pool_free(&pool, 40000));
		if (i == 1)
			ck_assert_int_eq(id_pool_note(&pool, 40000), 0);	/* chosen by hand: wastes nothing below it */
		ck_assert_int_eq(id_pool_store(&pool, f.directory), 0);
		ck_assert_int_eq(directory_commit(f.directory, error, sizeof error), 0);
		id_pool_done(&pool);
		close_directory(&f);
	}
	open_directory(&f, DIRECTORY_READ, false);
	ck_assert_int_eq(load_pool(&f, &pool, error, sizeof error), 0);
	ck_assert(!id_pool_free(&pool, 1001));
	ck_assert(!id_pool_free(&pool, 40000));
	ck_assert(!id_pool_free(&pool, 1003));	/* a local group's */
	ck_assert_int_eq(id_pool_take(&pool, &f.settings.nss_id_range, &id), 0);
	ck_assert_uint_eq(id, 1004);
	ck_assert(!id_pool_free(&pool, 1005));	/* lent to a local account, as is its gid 1008 */
	ck_assert(!id_pool_free(&pool, 1009));
	ck_assert_int_eq(id_pool_take(&pool, &f.settings.nss_id_range, &id), 0);
	ck_assert_uint_eq(id, 1010);
	id_pool_done(&pool);
	remove_fixture(&f);
}
END_TEST

START_TEST(ids_run_out)
{
	char error[256] = "";
	struct id_pool pool;
	struct fixture f;
	uint32_t id = 0;
	int i;

	setup_fixture(&f);
	f.settings.nss_id_range = (struct id_ranges){ .count = 2, .range = { { 1000, 1001 }, { 60000, 60002 } } };
	open_directory(&f, DIRECTORY_READ, false);
	ck_assert_int_eq(load_pool(&f, &pool, error, sizeof error), 0);
	for (i = 0; i < 2; i++)	/* 1001 and 60000; 1000 is local, 60001 on is never allowed */
		ck_assert_int_eq(id_pool_take(&pool, &f.settings.nss_id_range, &id), 0);
	ck_assert_uint_eq(id, 60000);
	ck_assert_int_eq(id_pool_take(&pool, &f.settings.nss_id_range, &id), -ENOSPC);
	id_pool_done(&pool);
	remove_fixture(&f);
}
END_TEST

/* A record that cannot be understood is not begun anew. */
START_TEST(a_bad_record_of_ids_stops)
{
	static const char *const bad[] = { "x", "5", "1-", "-1", "2-1", "1-2x", "1 -2", "1-99999999999" };
	struct change change = { CHANGE_REPLACE, "serialNumber", bad[_i] };
	char error[256] = "";
	struct id_pool pool;
	struct fixture f;

	setup_fixture(&f);
	open_directory(&f, DIRECTORY_READ, true);
	ck_assert_int_eq(load_pool(&f, &pool, error, sizeof error), 0);
	ck_assert_int_eq(id_pool_note(&pool, 1001), 0);
	ck_assert_int_eq(id_pool_store(&pool, f.directory), 0);
	id_pool_done(&pool);
	ck_assert_int_eq(directory_modify(f.directory, "cn=used-ids," BASE, &change, 1), 0);
	ck_assert_int_eq(load_pool(&f, &pool, error, sizeof error), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(error, "cn=used-ids"));
	id_pool_done(&pool);
	remove_fixture(&f);
}
END_TEST

START_TEST(dry_runs_write_nothing)
{
	struct change change = { CHANGE_REPLACE, "description", "changed" };
	char error[256] = "";
	struct fixture f;

	setup_fixture(&f);
	open_directory(&f, DIRECTORY_EDIT, true);
	ck_assert_int_eq(directory_modify(f.directory, "ou=people," BASE, &change, 1), 0);
	ck_assert_ptr_nonnull(entry_value(entries_find(directory_entries(f.directory), "ou=people," BASE), "description"));
	ck_assert_int_eq(directory_commit(f.directory, error, sizeof error), 0);
	close_directory(&f);
	open_directory(&f, DIRECTORY_READ, false);
	ck_assert_ptr_null(entry_value(entries_find(directory_entries(f.directory), "ou=people," BASE), "description"));
	ck_assert_int_eq(directory_commit(f.directory, error, sizeof error), -EROFS);
	remove_fixture(&f);
}
END_TEST

START_TEST(unknown_kinds_of_directory)
{
	struct directory *d = NULL;
	struct settings settings;
	char error[512];

	settings_defaults(&settings);
	(void)snprintf(settings.directory_uri, sizeof settings.directory_uri, "nis://example.com");
	ck_assert_int_eq(directory_open(&settings, NULL, "", DIRECTORY_READ, false, &d, error, sizeof error), -EPROTONOSUPPORT);
	ck_assert_ptr_nonnull(strstr(error, "nis://"));
	ck_assert_ptr_null(d);
	directory_close(NULL);
}
END_TEST

/* Nothing is sent to a server, not even a name asked for, before somebody is named. */
START_TEST(nobody_is_named)
{
	struct operator who = { .way = OPERATOR_UNNAMED };
	struct directory *d = NULL;
	struct settings settings;
	char error[512];

	settings_defaults(&settings);
	(void)snprintf(settings.directory_uri, sizeof settings.directory_uri, "ldaps://ldap.invalid ldapi://");
	ck_assert_int_eq(directory_open(&settings, &who, "", DIRECTORY_READ, false, &d, error, sizeof error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error, "say who you are"));
	ck_assert_int_eq(directory_open(&settings, NULL, "", DIRECTORY_READ, false, &d, error, sizeof error), -EINVAL);
	ck_assert_ptr_null(d);
	(void)snprintf(settings.directory_uri, sizeof settings.directory_uri, "ldapi://%%2fnonexistent%%2fldapi");
	ck_assert_int_eq(directory_open(&settings, &who, "", DIRECTORY_READ, false, &d, error, sizeof error), -EHOSTUNREACH);
	ck_assert_ptr_null(strstr(error, "say who you are"));
	ck_assert_ptr_null(d);
}
END_TEST

/* ---- tokens --------------------------------------------------------------------------------------- */

/* RFC 6238, appendix B: 8 digits, T0 0, 30 s, seeds of 20, 32 and 64 bytes. */
static const struct {
	enum token_algorithm algorithm;
	size_t secret_len;
	int64_t utc_sec;
	const char *code;
} rfc6238[] = {
	{ TOKEN_SHA1, 20, 59, "94287082" }, { TOKEN_SHA256, 32, 59, "46119246" }, { TOKEN_SHA512, 64, 59, "90693936" },
	{ TOKEN_SHA1, 20, 1111111109, "07081804" }, { TOKEN_SHA256, 32, 1111111109, "68084774" },
	{ TOKEN_SHA512, 64, 1111111109, "25091201" }, { TOKEN_SHA1, 20, 20000000000, "65353130" },
	{ TOKEN_SHA256, 32, 20000000000, "77737706" }, { TOKEN_SHA512, 64, 20000000000, "47863826" },
};

static struct token
rfc_token(enum token_type type, enum token_algorithm algorithm, size_t len, unsigned digits)
{
	struct token t = { .type = type, .algorithm = algorithm, .digits = digits, .secret_len = len };
	size_t i;

	for (i = 0; i < len; i++)
		t.secret[i] = (uint8_t)"1234567890"[i % 10];
	return t;
}

START_TEST(totp_codes)
{
	struct token t = rfc_token(TOKEN_TOTP, rfc6238[_i].algorithm, rfc6238[_i].secret_len, 8);
	int64_t now = rfc6238[_i].utc_sec;
	uint64_t step = 0;
	char other[9];

	ck_assert_int_eq(token_check(&t, rfc6238[_i].code, now, 1, &step), 1);
	ck_assert_uint_eq(step, (uint64_t)now / 30);
	ck_assert_int_eq(token_check(&t, rfc6238[_i].code, now + 30, 1, &step), 1);
	ck_assert_uint_eq(step, (uint64_t)now / 30);
	ck_assert_int_eq(token_check(&t, rfc6238[_i].code, now + 60, 1, &step), 0);
	ck_assert_int_eq(token_check(&t, rfc6238[_i].code, now + 30, 0, &step), 0);
	memcpy(other, rfc6238[_i].code, 9);
	other[7] = other[7] == '9' ? '0' : (char)(other[7] + 1);
	ck_assert_int_eq(token_check(&t, other, now, 1, &step), 0);
	ck_assert_int_eq(token_check(&t, rfc6238[_i].code + 2, now, 1, &step), -EINVAL);	/* OT03a: its 6-digit suffix */
	ck_assert_int_eq(token_check(&t, "", now, 1, &step), -EINVAL);
	ck_assert_int_eq(token_check(&t, "9428708a", now, 1, &step), -EINVAL);
}
END_TEST

/* RFC 4226, appendix D. */
START_TEST(hotp_codes)
{
	static const char *const codes[] = { "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583",
		"399871", "520489" };
	struct token t = rfc_token(TOKEN_HOTP, TOKEN_SHA1, 20, 6);
	uint64_t counter = 99, i;

	for (i = 0; i < 10; i++) {
		ck_assert_int_eq(token_check(&t, codes[i], 0, 10, &counter), 1);
		ck_assert_uint_eq(counter, i);
	}
	ck_assert_int_eq(token_check(&t, codes[5], 0, 4, &counter), 0);
}
END_TEST

START_TEST(token_is_random_and_shown_right)
{
	static const size_t lengths[] = { [TOKEN_SHA1] = 20, [TOKEN_SHA256] = 32, [TOKEN_SHA512] = 64 };
	char base32[128], uri[512];
	enum token_algorithm a;
	struct token t, u;

	for (a = TOKEN_SHA1; a <= TOKEN_SHA512; a++) {
		ck_assert_int_eq(token_make(&t, TOKEN_TOTP, a, 6, BASE), 0);
		ck_assert_int_eq(token_make(&u, TOKEN_TOTP, a, 6, BASE), 0);
		ck_assert_uint_eq(t.secret_len, lengths[a]);
		ck_assert(memcmp(t.secret, u.secret, t.secret_len) != 0);
		ck_assert_str_ne(t.serial, u.serial);
		ck_assert_int_eq(token_base32(&t, base32, sizeof base32), 0);
		ck_assert_uint_eq(strlen(base32), (lengths[a] * 8 + 4) / 5);
		ck_assert_ptr_null(strchr(base32, '='));
	}
	t = rfc_token(TOKEN_TOTP, TOKEN_SHA1, 20, 6);
	ck_assert_int_eq(token_uri(&t, "ada", "a b&c", uri, sizeof uri), 0);
	ck_assert_str_eq(uri, "otpauth://totp/a%20b%26c:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=a%20b%26c"
	    "&algorithm=SHA1&digits=6&period=30");
	t = rfc_token(TOKEN_HOTP, TOKEN_SHA256, 20, 8);
	ck_assert_int_eq(token_uri(&t, "ada", "x", uri, sizeof uri), 0);
	ck_assert_str_eq(uri, "otpauth://hotp/x:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=x&algorithm=SHA256"
	    "&digits=8&counter=0");
	ck_assert_int_eq(token_uri(&t, "ada", "x", uri, 40), -ENOBUFS);
	ck_assert_int_eq(token_base32(&t, base32, 8), -ENOBUFS);
}
END_TEST

static void
count_removed(const char *serial, void *arg)
{
	(void)serial;
	++*(int *)arg;
}

/* Pending, linked, shared, removed: what counts is the link, and nobody's token goes with another's. */
START_TEST(token_life)
{
	static const char ada[] = "uid=ada,ou=people," BASE, bob[] = "uid=bob,ou=people," BASE;
	struct token t, pending;
	struct msg_token read[4];
	struct entry *e;
	struct fixture f;
	int removed = 0;

	setup_fixture(&f);
	open_directory(&f, DIRECTORY_EDIT, false);
	e = entry_new(ada);
	ck_assert_int_eq(directory_add(f.directory, e), 0);
	ck_assert_int_eq(directory_add(f.directory, entry_new(bob)), 0);
	ck_assert_int_eq(directory_add(f.directory, entry_new(ada)), -EEXIST);
	ck_assert_int_eq(token_make(&t, TOKEN_TOTP, TOKEN_SHA256, 8, BASE), 0);
	ck_assert_int_eq(token_make(&pending, TOKEN_HOTP, TOKEN_SHA1, 6, BASE), 0);
	ck_assert_int_eq(token_add(&t, f.directory, ada, 1782856800), 0);
	ck_assert_int_eq(token_add(&pending, f.directory, ada, 1782856800), 0);
	ck_assert_uint_eq(identity_tokens(directory_entries(f.directory), e, read, 4), 0);
	ck_assert_int_eq(token_activate(&t, f.directory, ada, 77), 0);
	ck_assert_int_eq(token_activate(&t, f.directory, bob, 77), 0);
	ck_assert_uint_eq(identity_tokens(directory_entries(f.directory), e, read, 4), 1);
	ck_assert_str_eq(read[0].fault, "");
	ck_assert_str_eq(read[0].serial, t.serial);
	ck_assert_uint_eq(read[0].digits, 8);
	ck_assert_uint_eq(read[0].algorithm, TOKEN_SHA256);
	ck_assert_uint_eq(read[0].last, 77);
	ck_assert_int_eq(token_remove_pending(f.directory, ada), 0);
	ck_assert_ptr_null(entries_find(directory_entries(f.directory), pending.dn));
	ck_assert_ptr_nonnull(entries_find(directory_entries(f.directory), t.dn));
	ck_assert_int_eq(token_remove(f.directory, ada, "ISMS-OTHER", NULL, count_removed, &removed), 0);
	ck_assert_int_eq(token_remove(f.directory, ada, NULL, t.dn, count_removed, &removed), 0);
	ck_assert_int_eq(token_remove(f.directory, ada, t.serial, NULL, count_removed, &removed), 1);
	ck_assert_ptr_nonnull(entries_find(directory_entries(f.directory), t.dn));	/* bob's still */
	ck_assert(!entry_has_class(e, "oathTOTPUser"));
	ck_assert_int_eq(token_remove(f.directory, bob, NULL, NULL, count_removed, &removed), 1);
	ck_assert_ptr_null(entries_find(directory_entries(f.directory), t.dn));
	ck_assert_int_eq(removed, 2);
	remove_fixture(&f);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ ends_are_read, ROWS(ends) }, { uc02a_ends_are_written, 0 }, { local_clock, 0 },
		{ ids_are_never_given_twice, 0 }, { ids_run_out, 0 }, { a_bad_record_of_ids_stops, 8 },
		{ dry_runs_write_nothing, 0 }, { unknown_kinds_of_directory, 0 }, { nobody_is_named, 0 }, { totp_codes, ROWS(rfc6238) }, { hotp_codes, 0 },
		{ token_is_random_and_shown_right, 0 }, { token_life, 0 },
	};

	return suite_run("tool_directory", rows, ROWS(rows), 30);
}
