/*
 * cmd_recovery_codes.c - isms-userctl recovery-codes USER: one-time passwords for the day on which the phone is gone.
 *
 * Must never show a code anywhere but on a terminal or the descriptor that was named, never before the set is in the
 * directory, and never again; nor leave one code of an old set beside a new one (THREATS 5.6, I8).
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/recovery_code.h"
#include "tools/account.h"
#include "tools/audit.h"
#include "tools/invocation.h"
#include "tools/output.h"
#include "tools/secret.h"
#include "tools/secret_screen.h"

#define COUNT_DEFAULT 10

static const struct column columns[] = {
	{ "user", "User" }, { "old", "Codes before" }, { "new", "Codes now" }, { "note", "Note" }, { NULL, NULL },
};

struct request {
	struct invocation *in;
	const char *user;
	uint32_t count, secret_fd;
	bool revoke, has_secret_fd, on_screen;
	unsigned old;				/* how many there were */
	struct recovery_code codes[RECOVERY_CODES_MAX];	/* secrets: wiped at the end */
};

static enum exit_code
read_options(struct request *x)
{
	const struct command_line *line = &x->in->line;
	int count_given, fd_given;

	x->count = COUNT_DEFAULT;
	x->revoke = command_line_has(line, OPTION_recovery_codes_revoke);
	count_given = command_line_number(line, OPTION_recovery_codes_count, 1, RECOVERY_CODES_MAX, &x->count);
	fd_given = command_line_number(line, OPTION_recovery_codes_secret_fd, 0, 65535, &x->secret_fd);
	if (count_given < 0) {
		output_error("--count needs a number from 1 to %d", RECOVERY_CODES_MAX);
		return EXIT_USAGE;
	}
	if (fd_given < 0 || (fd_given > 0 && fcntl((int)x->secret_fd, F_GETFD) < 0)) {
		output_error("--secret-fd needs the number of an open descriptor");
		return EXIT_USAGE;
	}
	if (x->revoke && (count_given > 0 || fd_given > 0)) {
		output_error("--revoke makes no codes: it goes without --count and --secret-fd");
		return EXIT_USAGE;
	}
	x->has_secret_fd = fd_given > 0;
	x->on_screen = !x->in->json && isatty(STDOUT_FILENO) == 1;
	if (!x->revoke && !x->has_secret_fd && !x->on_screen) {
		output_error("no terminal to show the codes on; run it on one or give --secret-fd N");
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

/* A code stands in for a token: who has none is refused at the login whatever codes there are (OT15a). */
static enum exit_code
judge(struct request *x, const struct account *account)
{
	const struct identity *id = account->identity;

	x->old = recovery_codes_count(id->entry);
	if (x->revoke && x->old == 0) {
		output_error("%s has no recovery codes%s", x->user,
		    directory_is_server(account->directory) ? ", or you may not see them" : "");
		return EXIT_REFUSED;
	}
	if (x->revoke)
		return EXIT_DONE;
	if (id->state != FACTS_MANAGED) {
		output_error("%s: the entry is refused: %s; mend it first", x->user, id->fault);
		return EXIT_REFUSED;
	}
	if (id->token_count == 0) {
		output_error("%s has no token that a recovery code could stand in for; see isms-userctl enroll %s", x->user, x->user);
		return EXIT_REFUSED;
	}
	if (!directory_knows(account->directory, RECOVERY_ATTRIBUTE)) {
		output_error("the server has no attribute %s; load isms.ldif of this version; nothing was changed",
		    RECOVERY_ATTRIBUTE);
		return EXIT_REFUSED;
	}
	return EXIT_DONE;
}

/* The old set goes whole, the new one comes, in one change of one entry. Returns 0 or -errno. */
static int
put_codes(const struct request *x, const struct account *account)
{
	struct change changes[RECOVERY_CODES_MAX + 1];
	size_t count = 0;

	changes[count++] = (struct change){ CHANGE_REPLACE, RECOVERY_ATTRIBUTE, x->revoke ? NULL : x->codes[0].hash };
	for (unsigned i = 1; !x->revoke && i < x->count; i++)
		changes[count++] = (struct change){ CHANGE_ADD, RECOVERY_ATTRIBUTE, x->codes[i].hash };
	if (!x->revoke && !entry_has_class(account->identity->entry, "ismsAccount"))
		changes[count++] = (struct change){ CHANGE_ADD, "objectClass", "ismsAccount" };
	return directory_modify(account->directory, account->identity->entry->dn, changes, count);
}

static enum exit_code
write_set(struct request *x)
{
	struct account account;
	enum exit_code code;
	int r;

	code = account_open(x->in, x->user, DIRECTORY_EDIT, &account);
	if (code == EXIT_DONE)
		code = judge(x, &account);
	if (code == EXIT_DONE) {
		r = put_codes(x, &account);
		if (r < 0) {
			output_error("%s: %s; nothing was changed", x->user, strerror(-r));
			code = EXIT_UNREACHABLE;
		} else
			code = account_commit(&account);
	}
	account_done(&account);
	return code;
}

/* Returns 0 or -errno. */
static int
hand_over(const struct request *x)
{
	char text[RECOVERY_CODES_MAX * RECOVERY_SHOWN_SIZE] = "";
	size_t used = 0;
	int r = 0;

	for (unsigned i = 0; i < x->count; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i > 0 ? "\n" : "", x->codes[i].shown);
	if (x->has_secret_fd)
		r = secret_write((int)x->secret_fd, text);
	explicit_bzero(text, sizeof text);
	if (r == 0 && x->on_screen)
		r = secret_screen_codes(x->codes, x->count, x->user);
	return r;
}

static void
record(const struct request *x)
{
	struct event event;

	event_begin(&event, x->revoke ? EVENT_RECOVERY_REVOKED : EVENT_RECOVERY_CREATED, "isms-userctl");
	event_add(&event, FIELD_ID_USER, x->user);
	event_add_int(&event, FIELD_ID_OLD, x->old);
	event_add_int(&event, FIELD_ID_NEW, x->revoke ? 0 : (int64_t)x->count);
	audit_send(&event, x->in);
}

static void
print(const struct request *x)
{
	json_t *result = json_pack("{s:s, s:i, s:i, s:b, s:s*}", "user", x->user, "old", (int)x->old, "new",
	    x->revoke ? 0 : (int)x->count, "dry_run", x->in->dry_run, "note",
	    x->in->dry_run ? "dry run: nothing was changed" : NULL);

	if (x->in->json)
		(void)output_json(result);
	else
		output_record(result, columns);
	json_decref(result);
}

/* Without the lock: nobody waits for a person to think. */
static enum exit_code
look_and_ask(struct request *x)
{
	struct account account;
	char question[256];
	enum exit_code code;

	code = account_open(x->in, x->user, DIRECTORY_READ, &account);
	if (code == EXIT_DONE)
		code = judge(x, &account);
	if (code == EXIT_DONE && x->old > 0) {
		(void)snprintf(question, sizeof question, "%s (%s): %u recovery codes -> %s; the old ones count no more?", x->user,
		    account.identity->entry_id, x->old, x->revoke ? "none" : "new ones");
		if (!invocation_confirm(x->in, question))
			code = EXIT_REFUSED;
	}
	account_done(&account);
	return code;
}

static enum exit_code
make_set(struct request *x)
{
	enum exit_code code = EXIT_DONE;

	if (invocation_asks(x->in))
		code = look_and_ask(x);
	/* Also for a dry run, which shows none of them: it should fail where the set could not be made. */
	if (code == EXIT_DONE && !x->revoke && recovery_codes_make(x->codes, x->count) < 0) {
		output_error("the codes could not be made: no random bytes, no memory, or no yescrypt in libcrypt");
		code = EXIT_REFUSED;
	}
	if (code == EXIT_DONE)
		code = write_set(x);
	if (code != EXIT_DONE)
		return code;
	record(x);
	if (!x->revoke && !x->in->dry_run && hand_over(x) < 0) {
		output_error("%s: the codes are made, but they could not be handed over: make new ones", x->user);
		code = EXIT_REFUSED;
	}
	print(x);
	return code;
}

enum exit_code
cmd_recovery_codes(struct invocation *in)
{
	struct request x = { .in = in, .user = in->line.operands[0] };
	enum exit_code code = EXIT_REFUSED;

	if (account_name_allowed("user", x.user))
		code = read_options(&x);
	if (code == EXIT_DONE)
		code = make_set(&x);
	explicit_bzero(&x, sizeof x);
	return code;
}
