/*
 * test_tool_text.c - isms-userctl: command line, what reaches a terminal, the QR code, cures.
 */
#include <config.h>

#include <errno.h>
#include <qrencode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/suite.h"
#include "tools/command_line.h"
#include "tools/cure.h"
#include "tools/journal_events.h"
#include "tools/output.h"
#include "tools/output_csv.h"
#include "tools/qr_code.h"
#include "tools/secret_screen.h"

#define WORDS_MAX 12

static const struct {
	const char *words[WORDS_MAX];
	int r, command;
	unsigned operands;
	const char *error;	/* part of it */
} lines[] = {
	{ { "list" }, 0, COMMAND_list, 0, NULL },
	{ { "show", "ada" }, 0, COMMAND_show, 1, NULL },
	{ { "--json", "show", "ada" }, 0, COMMAND_show, 1, NULL },
	{ { "--reason", "show", "disable", "ada" }, 0, COMMAND_disable, 1, NULL },
	{ { "show", "--root=/tmp", "ada" }, 0, COMMAND_show, 1, NULL },
	{ { "config", "check" }, 0, COMMAND_config_check, 0, NULL },
	{ { "--json", "policy", "show", "--dry-run" }, 0, COMMAND_policy_show, 0, NULL },
	{ { "set-expiry", "ada", "+90d" }, 0, COMMAND_set_expiry, 2, NULL },
	{ { "show", "--", "--json" }, 0, COMMAND_show, 1, NULL },
	{ { "add", "ada", "--group", "a", "--group", "b" }, 0, COMMAND_add, 1, NULL },
	{ { "show", "--help" }, 0, COMMAND_show, 0, NULL },
	{ { "--version" }, 0, -1, 0, NULL },
	{ { NULL }, -EINVAL, 0, 0, "no command" },
	{ { "sho", "ada" }, -EINVAL, 0, 0, "\"sho\" is not a command; did you mean show?" },
	{ { "enrol", "ada" }, -EINVAL, 0, 0, "did you mean enroll?" },
	{ { "set-exipry", "ada" }, -EINVAL, 0, 0, "did you mean set-expiry?" },
	{ { "unenrol", "ada" }, -EINVAL, 0, 0, "did you mean unenroll?" },
	{ { "polcy", "check" }, -EINVAL, 0, 0, "did you mean policy?" },
	{ { "x" }, -EINVAL, 0, 0, "\"x\" is not a command; see isms-userctl --help" },
	{ { "delete", "ada" }, -EINVAL, 0, 0, "\"delete\" is not a command; see isms-userctl --help" },
	{ { "extraordinarily-long-words-are-no-commands-either" }, -EINVAL, 0, 0, "is not a command; see isms-userctl --help" },
	{ { "config" }, -EINVAL, 0, 0, "config goes with a second word: check or show" },
	{ { "show" }, -EINVAL, 0, 0, "show needs USER" },
	{ { "show", "ada", "bob" }, -EINVAL, 0, 0, "\"bob\" is too much" },
	{ { "show", "ada", "--kind", "employee" }, -EINVAL, 0, 0, "--kind is not an option of show" },
	{ { "show", "ada", "--jso" }, -EINVAL, 0, 0, "--jso is not an option" },
	{ { "show", "-j", "ada" }, -EINVAL, 0, 0, "options are written --name" },
	{ { "show", "ada", "--json=yes" }, -EINVAL, 0, 0, "--json takes no value" },
	{ { "add", "ada", "--kind" }, -EINVAL, 0, 0, "--kind needs one of" },
	{ { "add", "ada", "--kind", "intern" }, -EINVAL, 0, 0, "--kind needs one of" },
	{ { "add", "ada", "--kind", "service", "--kind", "service" }, -EINVAL, 0, 0, "given too often" },
	{ { "enroll", "ada", "--digits", "9" }, -EINVAL, 0, 0, "--digits needs one of" },
	{ { "enroll", "ada", "--digits", "" }, -EINVAL, 0, 0, "--digits needs one of" },
};

START_TEST(command_lines)
{
	char *argv[WORDS_MAX + 2] = { (char *)(uintptr_t)"isms-userctl" }, error[512] = "";
	struct command_line line = { 0 };
	int argc;

	for (argc = 1; argc <= WORDS_MAX && lines[_i].words[argc - 1] != NULL; argc++)
		argv[argc] = (char *)(uintptr_t)lines[_i].words[argc - 1];
	ck_assert_int_eq(command_line_parse(argc, argv, &line, error, sizeof error), lines[_i].r);
	if (lines[_i].r < 0) {
		ck_assert_msg(strstr(error, lines[_i].error) != NULL, "%s", error);
		return;
	}
	ck_assert_int_eq(line.command, lines[_i].command);
	ck_assert_uint_eq(line.operand_count, lines[_i].operands);
}
END_TEST

START_TEST(option_values)
{
	char *argv[] = { (char *)(uintptr_t)"isms-userctl", (char *)(uintptr_t)"add", (char *)(uintptr_t)"ada",
		(char *)(uintptr_t)"--group=a", (char *)(uintptr_t)"--uid", (char *)(uintptr_t)"07", (char *)(uintptr_t)"--group",
		(char *)(uintptr_t)"b", (char *)(uintptr_t)"--password-fd=3x", (char *)(uintptr_t)"--secret-fd", (char *)(uintptr_t)"70000" };
	struct command_line line;
	char error[512];
	uint32_t n = 99;

	ck_assert_int_eq(command_line_parse(11, argv, &line, error, sizeof error), 0);
	ck_assert_str_eq(command_line_nth(&line, OPTION_add_group, 0), "a");
	ck_assert_str_eq(command_line_nth(&line, OPTION_add_group, 1), "b");
	ck_assert_ptr_null(command_line_nth(&line, OPTION_add_group, 2));
	ck_assert(!command_line_has(&line, OPTION_add_kind));
	ck_assert_int_eq(command_line_number(&line, OPTION_add_uid, 1, 10, &n), 1);
	ck_assert_uint_eq(n, 7);
	ck_assert_int_eq(command_line_number(&line, OPTION_add_uid, 8, 10, &n), -EINVAL);
	ck_assert_int_eq(command_line_number(&line, OPTION_add_password_fd, 0, 10, &n), -EINVAL);
	ck_assert_int_eq(command_line_number(&line, OPTION_add_secret_fd, 0, 65535, &n), -EINVAL);
	ck_assert_int_eq(command_line_number(&line, OPTION_enroll_digits, 6, 8, &n), 0);
	ck_assert_uint_eq(n, 7);
}
END_TEST

static const struct {
	const char *text, *safe;
} texts[] = {
	{ "", "" },
	{ "Ada Lovelace", "Ada Lovelace" },
	{ "Zo\xc3\xab \xe2\x82\xac \xf0\x9f\x98\x80", "Zo\xc3\xab \xe2\x82\xac \xf0\x9f\x98\x80" },
	{ "a\033[2Jb", "a\\x1b[2Jb" },
	{ "line\nforged\r\t", "line\\x0aforged\\x0d\\x09" },
	{ "del\x7f", "del\\x7f" },
	{ "c1\xc2\x9b" "2J", "c1\\xc2\\x9b2J" },
	{ "rtl\xe2\x80\xae", "rtl\\xe2\\x80\\xae" },
	{ "bad\xff\xc3", "bad\\xff\\xc3" },
	{ "long\xc0\xaf", "long\\xc0\\xaf" },
	{ "sur\xed\xa0\x80", "sur\\xed\\xa0\\x80" },
};

START_TEST(sanitised_texts)
{
	char buf[256];

	ck_assert_str_eq(output_sanitise(texts[_i].text, buf, sizeof buf), texts[_i].safe);
}
END_TEST

/* Cut at a whole character, whatever the room. */
static const struct { const char *text, *cell; } cells[] = {
	{ "", "\"\"" }, { "ada", "\"ada\"" }, { "a \"b\", c", "\"a \"\"b\"\", c\"" },
	{ "=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\"" }, { "+1", "\"'+1\"" }, { "-1", "\"'-1\"" }, { "@SUM(A1)", "\"'@SUM(A1)\"" },
	{ " \t=1", "\" \\x09=1\"" }, { "  =1", "\"'  =1\"" }, { "\n=1", "\"\\x0a=1\"" }, { "\033[2J", "\"\\x1b[2J\"" },
	{ "a=b", "\"a=b\"" },
};

START_TEST(csv_cells)
{
	char buf[128];

	ck_assert_str_eq(output_csv_cell(cells[_i].text, buf, sizeof buf), cells[_i].cell);
	for (size_t size = 1; size < 16; size++) {	/* cut, never longer, and still one cell */
		size_t len = strlen(output_csv_cell(cells[_i].text, buf, size));

		ck_assert_uint_lt(len, size);
		ck_assert(len == 0 || (len >= 2 && buf[0] == '"' && buf[len - 1] == '"'));
	}
}
END_TEST

START_TEST(sanitised_within_room)
{
	char buf[64];
	size_t size;

	for (size = 1; size < sizeof buf; size++) {
		memset(buf, 'X', sizeof buf);
		(void)output_sanitise("\xf0\x9f\x98\x80\033\xe2\x82\xac", buf, size);
		ck_assert_uint_lt(strlen(buf), size);
		if (size < sizeof buf)
			ck_assert_int_eq(buf[size], 'X');
	}
}
END_TEST

/* What print() writes to standard output. */
static void
printed(int (*print)(const json_t *), const json_t *root, char *buf, size_t size)
{
	FILE *file = tmpfile();
	int saved = dup(STDOUT_FILENO);
	size_t n;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(saved, 0);
	ck_assert_int_eq(fflush(stdout), 0);
	ck_assert_int_ge(dup2(fileno(file), STDOUT_FILENO), 0);
	ck_assert_int_eq(print(root), 0);
	ck_assert_int_eq(fflush(stdout), 0);
	ck_assert_int_ge(dup2(saved, STDOUT_FILENO), 0);
	(void)close(saved);
	rewind(file);
	n = fread(buf, 1, size - 1, file);
	buf[n] = '\0';
	(void)fclose(file);
}

/* No byte of a text acts on the terminal that shows the JSON; the text itself is kept. */
START_TEST(json_on_a_terminal)
{
	static int (*const prints[])(const json_t *) = { output_json, output_json_line };
	static const char text[] = "Zo\xc3\xab \033[2J \xc2\x9b" "2J \xe2\x80\xae \xe2\x81\xa6 \xf0\x9f\x98\x80";
	json_t *root = json_pack("{s:s}", "k", text), *again;
	char buf[512];

	printed(prints[_i], root, buf, sizeof buf);
	for (const char *p = buf; *p != '\0'; p++)
		ck_assert_msg((*p >= ' ' && *p < 0x7f) || *p == '\n', "byte %#x", (unsigned char)*p);
	again = json_loads(buf, 0, NULL);
	ck_assert_ptr_nonnull(again);
	ck_assert_str_eq(json_string_value(json_object_get(again, "k")), text);
	json_decref(again);
	json_decref(root);
}
END_TEST

START_TEST(json_of_anything)
{
	json_t *value = output_string("bad\xff");

	ck_assert_str_eq(json_string_value(value), "bad\\xff");
	json_decref(value);
	value = output_string(NULL);
	ck_assert(json_is_null(value));
	json_decref(value);
	value = output_time(0);
	ck_assert(json_is_null(value));
	json_decref(value);
	value = output_time(1782856800);
	ck_assert_str_eq(json_string_value(value), "2026-06-30T22:00:00Z");
	json_decref(value);
}
END_TEST

/* Drawn half blocks, read back, are the library's modules inside a margin of four. */
START_TEST(qr_code_is_what_the_library_says)
{
	static const char text[] = "otpauth://totp/isms.local:ada?secret=GEZDGNBVGY3TQOJQ&issuer=isms.local";
	QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
	char *drawn = NULL, *p;
	size_t size = 0;
	FILE *to = open_memstream(&drawn, &size);
	int x, y;

	ck_assert_ptr_nonnull(code);
	ck_assert_int_eq(qr_code_draw(to, text, false), 0);
	ck_assert_int_eq(fclose(to), 0);
	p = drawn;
	for (y = -4; y < code->width + 4; y += 2, p++) {
		for (x = -4; x < code->width + 4; x++) {
			bool upper, lower;
			int half;

			if (*p == ' ') {
				upper = lower = true;
				p++;
			} else {
				upper = (unsigned char)p[2] == 0x84;
				lower = (unsigned char)p[2] == 0x80;
				p += 3;
			}
			for (half = 0; half < 2; half++) {
				int row = y + half;
				bool inside = x >= 0 && row >= 0 && x < code->width && row < code->width;
				bool dark = inside && (code->data[row * code->width + x] & 1) != 0;

				ck_assert_msg(dark == (half == 0 ? upper : lower), "module %d,%d", x, row);
			}
		}
		ck_assert_int_eq(*p, '\n');
	}
	ck_assert_int_eq(*p, '\0');
	free(drawn);
	QRcode_free(code);
}
END_TEST

START_TEST(issuers)
{
	char buf[16];

	ck_assert_str_eq(secret_screen_issuer("dc=isms,dc=local", buf, sizeof buf), "isms.local");
	ck_assert_str_eq(secret_screen_issuer("ou=x, DC=a, dc=b", buf, sizeof buf), "a.b");
	ck_assert_str_eq(secret_screen_issuer("o=firm", buf, sizeof buf), "isms");
	ck_assert_str_eq(secret_screen_issuer("", buf, sizeof buf), "isms");
	ck_assert_uint_lt(strlen(secret_screen_issuer("dc=aaaaaaaaaa,dc=bbbbbbbbbb", buf, sizeof buf)), sizeof buf);
}
END_TEST

/* A refusal without a cure helps nobody. */
START_TEST(every_refusal_has_a_cure)
{
	enum reason reason;
	char buf[512];

	for (reason = REASON_UNKNOWN_USER; reason < REASON_COUNT; reason++)
		ck_assert_msg(cure_of(reason)[0] != '\0', "%s", reason_token(reason));
	ck_assert_str_eq(cure_of(REASON_OK), "");
	ck_assert_str_eq(cure_of(REASON_COUNT), "");
	ck_assert_str_eq(cure_for(REASON_MFA_NOT_ENROLLED, "ada", buf, sizeof buf), "enrol a token: isms-userctl enroll ada");
	/* why has 512 bytes for it (cmd_why.c). */
	ck_assert_ptr_nonnull(strstr(cure_for(REASON_BAD_RECORD, "ada", buf, sizeof buf), "isms-userctl show ada names its fault"));
	ck_assert_ptr_nonnull(strstr(buf, "(isms-userctl doctor --directory)"));
	ck_assert_str_eq(cure_for(REASON_NO_ROLE, "ada", buf, sizeof buf), cure_of(REASON_NO_ROLE));
}
END_TEST

START_TEST(jl04a_genuine_by_what_the_journal_says)
{
	ck_assert(journal_events_genuine("ismsd-front.service", "991"));
	ck_assert(journal_events_genuine("ismsd-directory.service", NULL));
	ck_assert(journal_events_genuine("ismsd-publisher.service", "0"));
	ck_assert(journal_events_genuine("ssh.service", "0"));
	ck_assert(journal_events_genuine(NULL, "0"));
	ck_assert(!journal_events_genuine("ssh.service", "1000"));
	ck_assert(!journal_events_genuine("ismsd-front.service.evil", "1000"));
	ck_assert(!journal_events_genuine("user@0.service", "1000"));
	ck_assert(!journal_events_genuine(NULL, NULL));
	ck_assert(!journal_events_genuine(NULL, "00"));
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ command_lines, ROWS(lines) }, { option_values, 0 }, { sanitised_texts, ROWS(texts) }, { csv_cells, ROWS(cells) },
		{ json_on_a_terminal, 2 },
		{ sanitised_within_room, 0 }, { json_of_anything, 0 }, { qr_code_is_what_the_library_says, 0 },
		{ issuers, 0 }, { every_refusal_has_a_cure, 0 }, { jl04a_genuine_by_what_the_journal_says, 0 },
	};

	return suite_run("tool_text", rows, ROWS(rows), 30);
}
