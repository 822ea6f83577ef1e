/*
 * test_authorized_key.c - keys as ssh-keygen made them, what is none, and the lines that sshd reads.
 */
#include <config.h>

#include "common/authorized_key.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/sha256.h"
#include "tests/unit/suite.h"

/* FIPS 180-4's own, and the lengths around a block's end, by Python's hashlib: so many times the text. */
static const struct { unsigned count; const char *text, *digest; } digests[] = {
	{ 1, "",
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ 1, "abc",
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ 1, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	{ 55, "a",
	    "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318" },
	{ 56, "a",
	    "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a" },
	{ 64, "a",
	    "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb" },
	{ 119, "a",
	    "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb" },
	{ 120, "a",
	    "2f3d335432c70b580af0e8e1b3674a7c020d683aa5f73aaaedfdc55af904c21c" },
};

START_TEST(published_digests)
{
	char text[256] = "", hex[2 * SHA256_BYTES + 1];
	uint8_t digest[SHA256_BYTES];

	for (unsigned i = 0; i < digests[_i].count; i++)
		(void)strncat(text, digests[_i].text, sizeof text - strlen(text) - 1);
	sha256((const uint8_t *)text, strlen(text), digest);
	for (size_t i = 0; i < SHA256_BYTES; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	ck_assert_str_eq(hex, digests[_i].digest);
}
END_TEST

#define ED25519 "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJwcbgZh5k/FdMefRGw0mP0bb60T5OtVxV6e73Rk/47Q"
#define ED25519_PRINT "SHA256:G6KzWJFdTwHq17+U+jvKyp5Jza4rVoLvj0jks/E74tg"
#define ED25519_BLOB "AAAAC3NzaC1lZDI1NTE5AAAAIJwcbgZh5k/FdMefRGw0mP0bb60T5OtVxV6e73Rk/47Q"

/* Made by ssh-keygen, the prints by ssh-keygen -l; those of security keys from the same points by Python. */
static const struct { const char *value, *print; } good[] = {
	{ "ssh-ed25519 "
	    "AAAAC3NzaC1lZDI1NTE5AAAAIJwcbgZh5k/FdMefRGw0mP0bb60T5OtVxV6e73Rk/47Q",
	    "SHA256:G6KzWJFdTwHq17+U+jvKyp5Jza4rVoLvj0jks/E74tg" },
	{ "ssh-rsa "
	    "AAAAB3NzaC1yc2EAAAADAQABAAABAQCl0/DPk8VqNRL356jdUKt32dLM1AeBY7SFdQ9bjjodDTXkxWU6rO0hjGEx5lqIlNsC"
	    "azEeMYzZurePiRT8jIq1XYpPkoI6/X4iX8P7CCJy9KsEFSaITG+YXK0W3ApDCTYBcwtAIfWXslWgf5U+hvmTulZ40AaIuocx"
	    "lFOU8NuCtALR8jDpv5D/+OKOtaubnQhu+XmfFUqO3hB+NX1plVZIfWr+wLjHQiCwra6S/EnvfY0NweVHq2ZskbRK0e7trkXL"
	    "SJzdM+OQZ+VgYBvF9thJgXwfuB1n3taSJJiTP8doAhlL0W5HTY8EFzsn+tiCWRMwQp2ASSaHiAguj4Wzon2F",
	    "SHA256:wQVCxxZ6sPcvQIwqMWbh7BcIbiAeptn3aDSyjl5mIH8" },
	{ "ecdsa-sha2-nistp256 "
	    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBE3W9mvg1xnAVUba65Av8Ba6ahqBpT46tb8OJB6rI5hN"
	    "JS+uveVORNhpgqXVXyDwlu3VQqOHWfmHgMBmGOV53KQ=",
	    "SHA256:A4OfKjD5/RaMKVoSgePzOu0BI6jSOk3KXGXhHUvCFok" },
	{ "ecdsa-sha2-nistp384 "
	    "AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBCqABPSMGy9MuU4lQEHtUUFU4N/nPjlmkjbqbpVzJds/"
	    "G2On+y79gC84DjkIXcZ1IV4mCfiyQoqNcP75kOG49ckTMryBmkt4LF52c3ctT6h3MGXPr+D0TXAQZgLPVrtqjA==",
	    "SHA256:aTNsQ6ze9Ud7d4xGVUHJFMH4OrS3HNjodNSCYdbW6bk" },
	{ "ecdsa-sha2-nistp521 "
	    "AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAHDOCpX2dIuQ4ZDgPLENKMm/2Ijea7OrAwSaAld+xSi"
	    "UHcBIMdakfDvTHQIshi5SO/RklyRCx13fXJPtAaLNKYBJwBqnK1Y8BDECRfGhE/vVMeehh5p8AZFgLW0TxwUv66JGmvddkkU"
	    "hyknp3XvRnJZ1ae8i6B4sJEpQdC0c5SjLGITwQ==",
	    "SHA256:T96PCry5WUWafMHzde6Qm/b0G1+e6upG7iorepOZWb0" },
	{ "sk-ssh-ed25519@openssh.com "
	    "AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIJwcbgZh5k/FdMefRGw0mP0bb60T5OtVxV6e73Rk/47QAAAABHNz"
	    "aDo=",
	    "SHA256:SWPlzz54aNl4KBkcLZbrUfnMQcRi7WFxDcQHjBLyaDY" },
	{ "sk-ecdsa-sha2-nistp256@openssh.com "
	    "AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20AAAAIbmlzdHAyNTYAAABBBE3W9mvg1xnAVUba65Av8Ba6"
	    "ahqBpT46tb8OJB6rI5hNJS+uveVORNhpgqXVXyDwlu3VQqOHWfmHgMBmGOV53KQAAAAEc3NoOg==",
	    "SHA256:26wvU69ncuiTUN+WDUySrT2tvhmPjEDBJ++2HYEN1qQ" },
};

START_TEST(keys_of_ssh_keygen)
{
	struct authorized_key key;
	const char *blob = strchr(good[_i].value, ' ') + 1, *fault = "?";
	char print[AUTHORIZED_KEY_PRINT_SIZE], text[AUTHORIZED_KEY_TEXT_MAX];

	ck_assert_int_eq(authorized_key_parse(good[_i].value, strlen(good[_i].value), &key, &fault), 0);
	ck_assert_ptr_null(fault);
	ck_assert_str_eq(key.fingerprint, good[_i].print);
	ck_assert_str_eq(key.blob, blob);
	ck_assert_int_eq(strncmp(key.type, good[_i].value, (size_t)(blob - 1 - good[_i].value)), 0);
	ck_assert_str_eq(key.comment, "");
	ck_assert_int_eq(key.added_utc_sec, 0);
	ck_assert_int_eq(authorized_key_print(key.type, strlen(key.type), blob, strlen(blob), print), 0);
	ck_assert_str_eq(print, good[_i].print);
	ck_assert(authorized_key_is_print(print));
	(void)snprintf(text, sizeof text, "%s ada@desk isms-added=20261126085500Z\n", good[_i].value);
	ck_assert_int_eq(authorized_key_parse(text, strlen(text), &key, NULL), 0);
	ck_assert_str_eq(key.comment, "ada@desk isms-added=20261126085500Z");
	ck_assert_int_eq(key.added_utc_sec, 1795683300);
}
END_TEST

static const char *const bad[] = {
	"", " ", "ssh-ed25519", "ssh-ed25519 ", " " ED25519, "x" ED25519, "ssh-ed25519  " ED25519_BLOB,
	"no-pty " ED25519, "command=\"sh\" " ED25519, "restrict,pty " ED25519, "# " ED25519, "cert-authority " ED25519,
	ED25519 " a\n" ED25519, ED25519 "\n" ED25519, ED25519 "\r" ED25519, ED25519 " tab\there", ED25519 "\x7f", ED25519 "=",
	"ssh-ed25519-cert-v01@openssh.com " ED25519_BLOB, "SSH-ED25519 " ED25519_BLOB,
	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJwcbgZh5k_FdMefRGw0mP0bb60T5OtVxV6e73Rk-47Q",	/* base64url */
	"ssh-ed25519 AAAA", "ssh-ed25519 AA==", "ssh-ed25519 ====",
	"ssh-ed25519 "
	    "AAAAC3NzaC1lZDI1NTE5AAAAH5wcbgZh5k/FdMefRGw0mP0bb60T5OtVxV6e73Rk/44=",	/* short */
	"ssh-ed25519 "
	    "AAAAC3NzaC1lZDI1NTE5AAAAIZwcbgZh5k/FdMefRGw0mP0bb60T5OtVxV6e73Rk/47QeA==",	/* long */
	"ssh-ed25519 "
	    "AAAAC3NzaC1lZDI1NTE5AAAAIJwcbgZh5k/FdMefRGw0mP0bb60T5OtVxV6e73Rk/47QAAAAAXg=",	/* extra */
	"ecdsa-sha2-nistp256 "
	    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAzODQAAABBBE3W9mvg1xnAVUba65Av8Ba6ahqBpT46tb8OJB6rI5hN"
	    "JS+uveVORNhpgqXVXyDwlu3VQqOHWfmHgMBmGOV53KQ=",	/* curve */
	"ecdsa-sha2-nistp256 "
	    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBAk3W9mvg1xnAVUba65Av8Ba6ahqBpT46tb8OJB6rI5hN"
	    "JS+uveVORNhpgqXVXyDwlu3VQqOHWfmHgMBmGOV53KQ=",	/* point */
	"ecdsa-sha2-nistp256 "
	    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTY=",	/* half */
	"ssh-ed25519 "
	    "AAAAC3NzaC1lZDI1NTE5",	/* none */
	"ssh-rsa "
	    "AAAAC3NzaC1lZDI1NTE5AAAAIJwcbgZh5k/FdMefRGw0mP0bb60T5OtVxV6e73Rk/47Q",	/* other */
	"ecdsa-sha2-nistp256 "
	    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBE3W9mvg1xnAVUba65Av8Ba6ahqBpT46tb8OJB6rI5hN"
	    "JS+uveVORNhpgqXVXyDwlu3VQqOHWfmHgMBmGOV53KR=",	/* bits */
	"ecdsa-sha2-nistp256 "
	    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBE3W9mvg1xnAVUba65Av8Ba6ahqBpT46tb8OJB6rI5hN"
	    "JS+uveVORNhpgqXVXyDwlu3VQqOHWfmHgMBmGOV53KQ",	/* nopad */
	"ssh-dss "
	    "AAAAB3NzaC1kc3MAAACBAPWTtIf1vLv2WbWtNTU36wJYdbqqgiPCNbU+8f/oAkGX64LcKYCp/YlpMV4RP310jAdzV4XFIoAH"
	    "leAoq/wFa/EQse4dD60AqD5/DBNjlzT4Jv6zBL91LqOPqKHTbMxhUfkMRnTtozZR7tfigzxMpd8LYUsvdgVK08/WWqondmQV"
	    "AAAAFQCXyrHNatZ0Kk68apenhKi0TIdUgwAAAIB0U8s5rCKvpPgNTXGE1qh8VzaWHDrQo6Oa5y2H3oanZwpIEN59FQiIOm0H"
	    "qQKk0akuhi9YXwQ8WNexf+xCZ2sENXOHMeeVnqQPWHAH3Im/KPoS+kJyafeEJBkFTjzOfQHptV3rsP6iWdqDlw7HNWSXDsYK"
	    "a6zBk79Lvgdv7muGxwAAAIAWDNgDfotaT6qvCmrIT7nH15i9ZhjAGb+UQNerQpORWKCgv+OIf9MJzQk2K1/5RIZ6XQ3mpuZf"
	    "m3tCCz8raI8jDdNZ0EcXQ818mRu5E1lxIkwptoH8ea7ijjQMqxutAX8B1/hLIxQnpDWjozGiGaTyTPEkWY9A6j0WE9EBoEwh"
	    "CA==",	/* dsa */
	"ssh-rsa "
	    "AAAAB3NzaC1yc2EAAAADAQABAAAAgQDUwnUsoV93GUJARmIgMkbGYH/obKqv9VKESBBVRm3sSL+eQkdxhqC2tpQPLjNOA6XW"
	    "+tbf3aUc8nLBOLrW12aeNmq0DcJfn6QC69w/cI0EmDWWx1A++DICivj2vM8O7BCGPttpxm2gUUITssumCYf4bGT5SGLkV3bZ"
	    "MHMXWk0tBQ==",	/* rsa-b1024 */
};

START_TEST(what_is_no_key)
{
	struct authorized_key key;
	const char *fault = NULL;

	ck_assert_int_eq(authorized_key_parse(bad[_i], strlen(bad[_i]), &key, &fault), -EINVAL);
	ck_assert_ptr_nonnull(fault);
}
END_TEST

START_TEST(bounds)
{
	char text[AUTHORIZED_KEY_TEXT_MAX + 2];
	struct authorized_key key;

	memset(text, 'c', sizeof text);
	memcpy(text, ED25519 " ", sizeof ED25519);
	ck_assert_int_eq(authorized_key_parse(text, AUTHORIZED_KEY_TEXT_MAX, &key, NULL), 0);
	ck_assert_uint_eq(strlen(key.comment), AUTHORIZED_KEY_COMMENT_MAX);
	ck_assert_int_eq(authorized_key_parse(text, AUTHORIZED_KEY_TEXT_MAX + 1, &key, NULL), -EINVAL);
	text[100] = '\0';
	ck_assert_int_eq(authorized_key_parse(text, AUTHORIZED_KEY_TEXT_MAX, &key, NULL), -EINVAL);
}
END_TEST

START_TEST(prints)
{
	ck_assert(authorized_key_is_print(ED25519_PRINT));
	ck_assert(!authorized_key_is_print(ED25519_PRINT "x"));
	ck_assert(!authorized_key_is_print("SHA256:"));
	ck_assert(!authorized_key_is_print(""));
	ck_assert(!authorized_key_is_print("SHA256:G6KzWJFdTwHq17+U+jvKyp5Jza4rVoLvj0jks/E74t "));
	ck_assert(!authorized_key_is_print("sha256:G6KzWJFdTwHq17+U+jvKyp5Jza4rVoLvj0jks/E74tg"));
}
END_TEST

static const struct { struct authorized_key_limits limits; const char *options; } lines[] = {
	{ { .from = "", .command = "" }, "" },
	{ { .from = "", .command = "", .until_utc_sec = 1795683300 }, "expiry-time=\"20261126085500Z\" " },
	{ { .from = "", .command = "", .restricted = 1 }, "restrict " },
	{ { .from = "192.0.2.0/24 2001:db8::/32 ::1 198.51.100.7", .command = "/usr/bin/backup --all", .restricted = 1,
	    .until_utc_sec = 1795683300 },
	    "restrict,from=\"192.0.2.0/24,2001:db8::/32,::1/128,198.51.100.7/32\",expiry-time=\"20261126085500Z\","
	    "command=\"/usr/bin/backup --all\" " },
	{ { .from = "", .command = "echo \"a b\" \\\" \\x" }, "command=\"echo \\\"a b\\\" \\\\\" \\x\" " },
	{ { .from = "", .command = "a\",pty,command=\"b" }, "command=\"a\\\",pty,command=\\\"b\" " },
};

START_TEST(lines_for_sshd)
{
	char buf[AUTHORIZED_KEY_LINE_MAX], want[AUTHORIZED_KEY_LINE_MAX];
	struct authorized_key key;
	int n;

	ck_assert_int_eq(authorized_key_parse(ED25519 " comment", strlen(ED25519 " comment"), &key, NULL), 0);
	n = authorized_key_line(&key, &lines[_i].limits, buf, sizeof buf);
	(void)snprintf(want, sizeof want, "%s%s\n", lines[_i].options, ED25519);
	ck_assert_str_eq(buf, want);
	ck_assert_int_eq(n, (int)strlen(want));
	for (size_t size = 0; size <= (size_t)n; size++)
		ck_assert_int_eq(authorized_key_line(&key, &lines[_i].limits, buf, size), -ENOBUFS);
	ck_assert_int_eq(authorized_key_line(&key, &lines[_i].limits, buf, (size_t)n + 1), n);
}
END_TEST

static const struct authorized_key_limits refused[] = {
	{ .from = "192.0.2.1/24", .command = "" }, { .from = "local", .command = "" }, { .from = "host.example", .command = "" },
	{ .from = "192.0.2.0/24\",command=\"sh", .command = "" }, { .from = "", .command = "a\nb" },
	{ .from = "", .command = "a\\" }, { .from = "", .command = "\x7f" },
	{ .from = "", .command = "", .until_utc_sec = -1 }, { .from = "", .command = "", .until_utc_sec = 253402300800 },
};

START_TEST(limits_that_no_line_can_say)
{
	char buf[AUTHORIZED_KEY_LINE_MAX], command[AUTHORIZED_KEY_COMMAND_MAX + 2];
	struct authorized_key_limits limits = refused[_i];
	struct authorized_key key;

	ck_assert_int_eq(authorized_key_parse(ED25519, strlen(ED25519), &key, NULL), 0);
	ck_assert_int_eq(authorized_key_line(&key, &limits, buf, sizeof buf), -EINVAL);
	memset(command, 'c', sizeof command);
	command[AUTHORIZED_KEY_COMMAND_MAX + 1] = '\0';
	limits = (struct authorized_key_limits){ .from = "", .command = command };
	ck_assert_int_eq(authorized_key_line(&key, &limits, buf, sizeof buf), -EINVAL);
	command[AUTHORIZED_KEY_COMMAND_MAX] = '\0';
	ck_assert_int_gt(authorized_key_line(&key, &limits, buf, sizeof buf), AUTHORIZED_KEY_COMMAND_MAX);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ published_digests, ROWS(digests) }, { keys_of_ssh_keygen, ROWS(good) }, { what_is_no_key, ROWS(bad) }, { bounds, 0 },
		{ prints, 0 }, { lines_for_sshd, ROWS(lines) }, { limits_that_no_line_can_say, ROWS(refused) },
	};

	return suite_run("authorized_key", rows, ROWS(rows), 30);
}
