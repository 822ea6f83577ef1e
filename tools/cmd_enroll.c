/*
 * cmd_enroll.c - isms-userctl enroll USER: a one-time code token, active after one right code.
 *
 * Must never link a token before a code proved that the person has it, never leave a half enrolled token
 * behind, and never show the secret anywhere but on a terminal or the descriptor that was named (UC06a).
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/account.h"
#include "tools/audit.h"
#include "tools/invocation.h"
#include "tools/output.h"
#include "tools/secret.h"
#include "tools/secret_screen.h"
#include "tools/token.h"

#define TRIES 3

static const struct column columns[] = {
	{ "user", "User" }, { "serial", "Token" }, { "type", "Type" }, { "digits", "Digits" }, { "algorithm", "Hash" },
	{ "removed", "Removed" }, { "state", "State" }, { "note", "Note" }, { NULL, NULL },
};

static const char *const algorithm_names[] = { [TOKEN_SHA1] = "sha1", [TOKEN_SHA256] = "sha256", [TOKEN_SHA512] = "sha512" };

struct enrolment {
	struct invocation *in;
	const char *user;
	struct token token;
	uint32_t secret_fd, code_fd;
	bool has_secret_fd, has_code_fd, replace, on_screen;
	uint64_t factor;		/* that the right code was of */
	json_t *removed;		/* owned; serials */
};

static enum exit_code
read_options(struct enrolment *x, enum token_type *ret_type, enum token_algorithm *ret_algorithm, uint32_t *ret_digits)
{
	const struct command_line *line = &x->in->line;
	const char *algorithm = command_line_value(line, OPTION_enroll_algorithm);
	int secret_given, code_given;

	*ret_type = command_line_has(line, OPTION_enroll_hotp) ? TOKEN_HOTP : TOKEN_TOTP;
	*ret_algorithm = algorithm == NULL || strcmp(algorithm, "sha1") == 0 ? TOKEN_SHA1 :
	    strcmp(algorithm, "sha256") == 0 ? TOKEN_SHA256 : TOKEN_SHA512;
	*ret_digits = 6;
	(void)command_line_number(line, OPTION_enroll_digits, 6, 8, ret_digits);
	x->replace = command_line_has(line, OPTION_enroll_replace);
	secret_given = command_line_number(line, OPTION_enroll_secret_fd, 0, 65535, &x->secret_fd);
	code_given = command_line_number(line, OPTION_enroll_code_fd, 0, 65535, &x->code_fd);
	if (*ret_type == TOKEN_HOTP && command_line_has(line, OPTION_enroll_totp)) {
		output_error("--totp and --hotp exclude each other");
		return EXIT_USAGE;
	}
	if (secret_given < 0 || code_given < 0 || (secret_given > 0 && fcntl((int)x->secret_fd, F_GETFD) < 0) ||
	    (code_given > 0 && fcntl((int)x->code_fd, F_GETFD) < 0)) {
		output_error("--%s needs the number of an open descriptor", secret_given < 0 ? "secret-fd" : "code-fd");
		return EXIT_USAGE;
	}
	x->has_secret_fd = secret_given > 0;
	x->has_code_fd = code_given > 0;
	x->on_screen = !x->in->json && isatty(STDOUT_FILENO) == 1;
	if (!x->has_secret_fd && !x->on_screen) {
		output_error("no terminal to show the secret on; run it on one or give --secret-fd N");
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

/* The account must be whole, and have no token yet unless it is to be replaced. */
static enum exit_code
judge(const struct enrolment *x, const struct account *account)
{
	if (account->identity->state != FACTS_MANAGED) {
		output_error("%s: the entry is refused: %s; mend it first", x->user, account->identity->fault);
		return EXIT_REFUSED;
	}
	if (account->identity->token_count > 0 && !x->replace) {
		output_error("%s has an active token; --replace removes it once the new one works", x->user);
		return EXIT_REFUSED;
	}
	return EXIT_DONE;
}

/* First edit: the pending token, useless until linked. */
static enum exit_code
write_pending(struct enrolment *x)
{
	struct account account;
	enum exit_code code;
	int r;

	code = account_open(x->in, x->user, DIRECTORY_EDIT, &account);
	if (code == EXIT_DONE)
		code = judge(x, &account);
	if (code != EXIT_DONE)
		goto out;
	r = account_need_unit(x->in, account.directory, "tokens");
	if (r == 0)
		r = token_remove_pending(account.directory, account.identity->entry->dn);
	if (r == 0)
		r = token_add(&x->token, account.directory, account.identity->entry->dn, x->in->now_utc_sec);
	if (r < 0) {
		output_error("%s: the token could not be added: %s; nothing was changed", x->user, strerror(-r));
		code = EXIT_REFUSED;
	} else
		code = account_commit(&account);
out:
	account_done(&account);
	return code;
}

static void
note_removed(const char *serial, void *arg)
{
	(void)json_array_append_new(arg, output_string(serial));
}

/* Last edit: note the code as used, link, and remove what is replaced. */
static enum exit_code
link_token(struct enrolment *x)
{
	struct account account;
	enum exit_code code;
	int r;

	code = account_open(x->in, x->user, DIRECTORY_EDIT, &account);
	if (code == EXIT_DONE)
		code = judge(x, &account);	/* somebody may have enrolled meanwhile */
	if (code != EXIT_DONE)
		goto out;
	r = token_activate(&x->token, account.directory, account.identity->entry->dn, x->factor);
	if (r == 0 && x->replace)
		r = token_remove(account.directory, account.identity->entry->dn, NULL, x->token.dn, note_removed, x->removed);
	if (r < 0) {
		output_error("%s: the token could not be linked: %s", x->user, strerror(-r));
		code = EXIT_REFUSED;
	} else
		code = account_commit(&account);
out:
	account_done(&account);
	return code;
}

static void
remove_pending(struct enrolment *x)
{
	struct account account;

	if (account_open(x->in, NULL, DIRECTORY_EDIT, &account) == EXIT_DONE &&
	    directory_remove(account.directory, x->token.dn) == 0 && account_commit(&account) == EXIT_DONE)
		output_error("%s: no right code; the token was removed and nothing was activated", x->user);
	else
		output_error("%s: no right code; the token %s stays behind without use; the next enroll removes it", x->user,
		    x->token.serial);
	account_done(&account);
}

/* One code from the terminal or the descriptor. Returns 0 or -errno. */
static int
read_code(const struct enrolment *x, struct secret *ret)
{
	if (x->has_code_fd)
		return secret_read((int)x->code_fd, ret);
	return secret_ask("One code of the app, to confirm: ", true, ret);
}

/* Up to three codes. Returns whether one was right. */
static bool
confirm(struct enrolment *x)
{
	unsigned window = x->token.type == TOKEN_HOTP ? x->in->settings.mfa_hotp_look_ahead : x->in->settings.mfa_totp_window;
	struct secret code = { 0 };
	int tries, r;

	for (tries = 1; tries <= TRIES; tries++) {
		r = read_code(x, &code);
		if (r < 0 && r != -E2BIG) {
			if (r == -ENXIO)
				output_error("no terminal to ask for a code; give --code-fd N");
			return false;
		}
		r = r < 0 ? -EINVAL : token_check(&x->token, code.text, (int64_t)time(NULL), window, &x->factor);
		secret_done(&code);
		if (r == 1)
			return true;
		if (r == -EINVAL)
			output_error("a code has exactly %u digits (%d of %d)", x->token.digits, tries, TRIES);
		else if (r == 0)
			output_error("wrong code (%d of %d); are the clocks of this host and the phone right?", tries, TRIES);
		else
			return false;
	}
	return false;
}

/* Hand the secret over, take a code. Returns whether one was right. */
static bool
show_and_confirm(struct enrolment *x)
{
	bool shown = true, right = false;
	char secret[2 * TOKEN_SECRET_MAX];

	if (x->on_screen)
		shown = secret_screen_show(&x->token, x->user, x->in->settings.directory_base) == 0;
	if (shown && x->has_secret_fd) {
		shown = token_base32(&x->token, secret, sizeof secret) == 0 && secret_write((int)x->secret_fd, secret) == 0;
		explicit_bzero(secret, sizeof secret);
	}
	if (!shown)
		output_error("the secret could not be shown");
	else
		right = confirm(x);
	if (x->on_screen)
		secret_screen_clear();
	return right;
}

static void
finish(const struct enrolment *x)
{
	struct event event;
	json_t *result;
	const char *type = x->token.type == TOKEN_HOTP ? "hotp" : "totp";
	size_t i;
	json_t *serial;

	json_array_foreach(x->removed, i, serial) {
		event_begin(&event, EVENT_TOKEN_REMOVED, "isms-userctl");
		event_add(&event, FIELD_ID_USER, x->user);
		event_add(&event, FIELD_ID_TOKEN, json_string_value(serial));
		audit_send(&event, x->in);
	}
	if (!x->in->dry_run) {
		event_begin(&event, EVENT_TOKEN_ENROLLED, "isms-userctl");
		event_add(&event, FIELD_ID_USER, x->user);
		event_add(&event, FIELD_ID_TOKEN, x->token.serial);
		event_add(&event, FIELD_ID_NEW, type);
		audit_send(&event, x->in);
	}
	result = json_pack("{s:s, s:s, s:s, s:i, s:s, s:O, s:s, s:b, s:s*}", "user", x->user, "serial", x->token.serial, "type", type,
	    "digits", (int)x->token.digits, "algorithm", algorithm_names[x->token.algorithm], "removed", x->removed, "state",
	    x->in->dry_run ? "would be made" : "active", "dry_run", x->in->dry_run, "note",
	    x->in->dry_run ? NULL : "the code just typed is used up; the first login takes the next one");
	if (x->in->json)
		(void)output_json(result);
	else
		output_record(result, columns);
	json_decref(result);
}

static enum exit_code
enroll(struct enrolment *x)
{
	enum exit_code code;

	code = write_pending(x);
	if (code != EXIT_DONE)
		return code;
	if (x->in->dry_run) {	/* no secret is shown that will never count */
		finish(x);
		return EXIT_DONE;
	}
	if (!show_and_confirm(x)) {
		remove_pending(x);
		return EXIT_REFUSED;
	}
	code = link_token(x);
	if (code != EXIT_DONE)
		remove_pending(x);
	else
		finish(x);
	return code;
}

enum exit_code
cmd_enroll(struct invocation *in)
{
	struct enrolment x = { .in = in, .user = in->line.operands[0], .removed = json_array() };
	enum token_algorithm algorithm = TOKEN_SHA1;
	enum token_type type = TOKEN_TOTP;
	uint32_t digits = 6;
	enum exit_code code = EXIT_REFUSED;

	if (account_name_allowed("user", x.user))
		code = read_options(&x, &type, &algorithm, &digits);
	if (code == EXIT_DONE)
		code = invocation_settings(in);
	if (code == EXIT_DONE && token_make(&x.token, type, algorithm, digits, in->settings.directory_base) < 0) {
		output_error("no random bytes, or [directory] base is too long");
		code = EXIT_REFUSED;
	}
	if (code == EXIT_DONE)
		code = enroll(&x);
	token_done(&x.token);
	json_decref(x.removed);
	return code;
}
