/*
 * cmd_add.c - isms-userctl add USER: a new account, its private group, its memberships.
 *
 * Must never give an id that somebody had, never make an entry that the daemon would refuse (it is read
 * back by identities_build() before it is written), and never take a password from argv.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/civil_date.h"
#include "tools/account.h"
#include "tools/audit.h"
#include "tools/bulk.h"
#include "tools/contract_end.h"
#include "tools/id_pool.h"
#include "tools/invocation.h"
#include "tools/new_account.h"
#include "tools/new_password.h"
#include "tools/output.h"

static const struct column columns[] = {
	{ "user", "User" }, { "uid", "Id" }, { "kind", "Kind" }, { "display", "Name" }, { "not_before", "Begin" },
	{ "not_after", "End" }, { "not_after_local", "" }, { "sponsor", "Sponsor" }, { "owner", "Owner" }, { "key", "Key" },
	{ "sources", "Keys from" }, { "command", "Keys run" }, { "groups", "Groups" },
	{ "new_groups", "New groups" }, { "local", "Local account" }, { "home", "Home" }, { "shell", "Shell" }, { "password", "Password" },
	{ "entry_id", "Entry id" }, { "next", "Next" }, { "note", "Note" }, { NULL, NULL },
};

/* WHEN of --until or --not-before; 0 when it was not given. */
static enum exit_code
parse_time(const struct invocation *in, enum option_id option, int64_t *ret_utc_sec)
{
	const char *when = command_line_value(&in->line, option);

	if (when == NULL)
		return EXIT_DONE;
	if (civil_date_parse_until(when, in->settings.login_time_zone, in->now_utc_sec, ret_utc_sec) == 0)
		return EXIT_DONE;
	output_error("--%s \"%.64s\" is no time; write 2026-12-31, 2026-12-31T18:00:00Z or +90d", option_rows[option].name, when);
	return EXIT_USAGE;
}

static bool
is_plain_text(const char *text, size_t max)
{
	char safe[512];

	return text[0] != '\0' && strlen(text) <= max && strcmp(output_sanitise(text, safe, sizeof safe), text) == 0;
}

/* Everything of the command line that can be judged without the directory. */
static enum exit_code
read_options(struct invocation *in, struct new_account *new)
{
	const struct command_line *line = &in->line;
	const char *kind = command_line_value(line, OPTION_add_kind);
	enum exit_code code;

	new->user = line->operands[0];
	new->kind = kind != NULL ? account_kind_find(kind) : KIND_EMPLOYEE;
	new->display = command_line_value(line, OPTION_add_display);
	new->sponsor = command_line_value(line, OPTION_add_sponsor);
	new->shell = command_line_value(line, OPTION_add_shell);
	new->home = command_line_value(line, OPTION_add_home);
	code = service_account_read(in, new->kind, &new->service);
	if (code != EXIT_DONE)
		return code;
	new->must_change = command_line_has(line, OPTION_add_must_change);
	new->local = command_line_has(line, OPTION_add_local);
	if (new->local && (new->must_change || new->shell != NULL || new->home != NULL || command_line_has(line,
	    OPTION_add_password_fd) || command_line_has(line, OPTION_add_generate_password))) {
		output_error("--local: password, home and shell are those of the account in /etc/passwd");
		return EXIT_USAGE;
	}
	if (new->local && new->kind == KIND_SERVICE && (new->service.has_key || new->service.sources[0] != '\0' ||
	    new->service.command != NULL)) {
		output_error("--local: nothing binds a local account's key to a command; sshd lets none of kind service in");
		return EXIT_USAGE;
	}
	if (command_line_number(line, OPTION_add_uid, 1, INT32_MAX, &new->uid) < 0) {
		output_error("--uid needs a number");
		return EXIT_USAGE;
	}
	if (new->display != NULL && !is_plain_text(new->display, 128)) {
		output_error("--display needs plain text of at most 128 bytes");
		return EXIT_USAGE;
	}
	code = parse_time(in, OPTION_add_until, &new->not_after_utc_sec);
	if (code == EXIT_DONE)
		code = parse_time(in, OPTION_add_not_before, &new->not_before_utc_sec);
	if (code != EXIT_DONE)
		return code;
	if (new->kind == KIND_CONTRACTOR && new->not_after_utc_sec == 0) {
		output_error("a contractor needs an end: --until 2026-12-31");
		return EXIT_USAGE;
	}
	if (new->not_after_utc_sec != 0 && (new->not_after_utc_sec <= in->now_utc_sec ||
	    new->not_after_utc_sec <= new->not_before_utc_sec)) {
		output_error("--until lies in the past, or before --not-before");
		return EXIT_REFUSED;
	}
	return EXIT_DONE;
}

static json_t *
describe(const struct invocation *in, const struct new_account *new, const struct identity *id, const char *password)
{
	json_t *result = json_object(), *groups = json_array(), *made = json_array();
	const char *group;
	char local[128];
	unsigned i;

	for (i = 0; (group = command_line_nth(&in->line, OPTION_add_group, i)) != NULL; i++)
		(void)json_array_append_new(groups, json_string(group));
	for (i = 0; i < new->made_count; i++)
		(void)json_array_append_new(made, json_string(new->made[i]));
	(void)json_object_set_new(result, "user", json_string(new->user));
	(void)json_object_set_new(result, "uid", json_integer(id->uid));
	(void)json_object_set_new(result, "gid", json_integer(id->gid));
	(void)json_object_set_new(result, "kind", json_string(account_kind_name(id->kind)));
	(void)json_object_set_new(result, "display", output_string(new->display));
	(void)json_object_set_new(result, "not_before", output_time(id->not_before_utc_sec));
	(void)json_object_set_new(result, "not_after", output_time(id->not_after_utc_sec));
	if (id->not_after_utc_sec != 0)
		(void)json_object_set_new(result, "not_after_local", output_string(
		    contract_end_local(id->not_after_utc_sec, in->settings.login_time_zone, local, sizeof local)));
	(void)json_object_set_new(result, "sponsor", output_string(new->sponsor));
	(void)json_object_set_new(result, "owner", output_string(new->service.owner));
	(void)json_object_set_new(result, "key", output_string(new->service.has_key ? new->service.key.fingerprint : NULL));
	(void)json_object_set_new(result, "sources", output_string(new->service.sources[0] != '\0' ? new->service.sources : NULL));
	(void)json_object_set_new(result, "command", output_string(new->service.command));
	(void)json_object_set_new(result, "groups", groups);
	(void)json_object_set_new(result, "new_groups", made);
	if (new->local)
		(void)json_object_set_new(result, "local", json_true());
	(void)json_object_set_new(result, "home", output_string(new->local ? NULL : id->home));
	(void)json_object_set_new(result, "shell", output_string(new->local ? NULL : id->shell));
	(void)json_object_set_new(result, "password", json_string(password));
	/* without entryUUID: a server has not given it, in a dry run */
	(void)json_object_set_new(result, "entry_id", output_string(strncmp(id->entry_id, "dn:", 3) != 0 ? id->entry_id : NULL));
	(void)json_object_set_new(result, "dry_run", json_boolean(in->dry_run));
	return result;
}

static void
print(const struct invocation *in, const struct new_account *new, json_t *result)
{
	bool is_service = new->kind == KIND_SERVICE;
	char next[96];

	if (in->json) {
		(void)output_json(result);
		return;
	}
	if (in->dry_run)
		(void)json_object_set_new(result, "note", json_string("dry run: nothing was changed"));
	else {
		(void)snprintf(next, sizeof next, !is_service ? "isms-userctl enroll %s" : new->local ?
		    "sshd never lets %s in: cron and its like only" : new->service.has_key ?
		    "isms-userctl who-can --all says whether a role lets %s in" : "isms-userctl key add %s --key-file FILE", new->user);
		(void)json_object_set_new(result, "next", json_string(next));
	}
	output_record(result, columns);
}

static void
record(const struct invocation *in, const struct new_account *new, const struct identity *id)
{
	char end[32], groups[512] = "";
	struct event event;
	const char *group;
	size_t used;
	unsigned i;

	for (i = 0; (group = command_line_nth(&in->line, OPTION_add_group, i)) != NULL; i++) {
		used = strlen(groups);
		(void)snprintf(groups + used, sizeof groups - used, "%s%s", i > 0 ? " " : "", group);
	}
	event_begin(&event, EVENT_ACCOUNT_CREATED, "isms-userctl");
	event_add(&event, FIELD_ID_USER, new->user);
	event_add_int(&event, FIELD_ID_UID, id->uid);
	event_add(&event, FIELD_ID_KIND, account_kind_name(id->kind));
	if (id->not_after_utc_sec != 0)
		event_add(&event, FIELD_ID_NOT_AFTER, civil_date_format(id->not_after_utc_sec, end));
	event_add(&event, FIELD_ID_GROUPS, groups);
	audit_send(&event, in);
}

/* Check, hand the entries to the directory, in memory still, and read them back. */
static enum exit_code
prepare(struct invocation *in, struct account *account, struct new_account *new, const struct new_password *password)
{
	enum exit_code code;

	code = new_account_check(in, account, new);
	if (code == EXIT_DONE)
		code = new_account_build(in, account, new, password);
	return code == EXIT_DONE ? new_account_verify(in, account, new) : code;
}

/* Under the lock of the directory. */
static enum exit_code
create(struct invocation *in, struct account *account, struct new_account *new, const struct new_password *password)
{
	enum exit_code code;
	json_t *result;

	code = prepare(in, account, new, password);
	if (code == EXIT_DONE)
		code = account_commit(account);
	if (code != EXIT_DONE)
		return code;
	/* A server has given the entry its id only now. */
	if (directory_is_server(account->directory) && account_refresh(in, account, new->user) < 0) {
		output_error("%s: the account is made, but there is no memory to show it", new->user);
		return EXIT_DONE;
	}
	record(in, new, account->identity);
	result = describe(in, new, account->identity, new_password_word(password));
	print(in, new, result);
	json_decref(result);
	return EXIT_DONE;
}

/* ---- many at once ---- */

static const struct column many_columns[] = {
	{ "user", "USER" }, { "uid", "ID" }, { "kind", "KIND" }, { "not_after", "END" }, { "sponsor", "SPONSOR" },
	{ "groups", "GROUPS" }, { "new_groups", "NEW GROUPS" }, { "password", "PASSWORD" }, { NULL, NULL },
};

struct many {
	bool generates;			/* a password for each, to the descriptor of --secret-fd */
	struct new_password *passwords;	/* owned; BULK_LINES_MAX of them */
};

static enum exit_code
make_password(struct invocation *in, size_t i, void *arg)
{
	struct many *many = arg;
	const char *kind = command_line_value(&in->line, OPTION_add_kind);

	return many->generates && (kind == NULL || account_kind_find(kind) != KIND_SERVICE) ?
	    new_password_get(in, false, &many->passwords[i]) : EXIT_DONE;
}

static enum exit_code
plan_one(struct invocation *in, struct account *account, size_t i, void *arg, json_t **ret_row)
{
	const struct new_password *password = &((struct many *)arg)->passwords[i];
	struct new_account new = { 0 };
	enum exit_code code;

	if (!account_name_allowed("user", in->line.operands[0]))
		return EXIT_REFUSED;
	code = read_options(in, &new);
	if (code == EXIT_DONE)
		code = prepare(in, account, &new, password);
	if (code != EXIT_DONE)
		return code;
	*ret_row = describe(in, &new, account->identity, ((struct many *)arg)->generates && new.kind != KIND_SERVICE ? "generated" :
	    "none");
	(void)json_object_del(*ret_row, "entry_id");
	(void)json_object_set_new(*ret_row, "dn", output_string(account->identity->entry->dn));
	return code;
}

static void
record_one(const struct invocation *in, const struct account *account, const json_t *row)
{
	struct new_account new = { .user = json_string_value(json_object_get(row, "user")) };
	const struct identity *id = identities_find(&account->identities, new.user);

	if (id != NULL)
		record(in, &new, id);
}

/* "USER PASSWORD", one a line. */
static enum exit_code
hand_out(struct invocation *in, const json_t *rows, void *arg)
{
	const struct many *many = arg;
	const json_t *row;
	uint32_t fd = 0;
	size_t i;

	(void)command_line_number(&in->line, OPTION_add_secret_fd, 1, 65535, &fd);
	json_array_foreach(rows, i, row) {
		const char *user = json_string_value(json_object_get(row, "user"));

		if (many->passwords[i].was_generated &&
		    dprintf((int)fd, "%s %s\n", user, many->passwords[i].clear.text) < 0) {
			output_error("%s: the account is made, but its password could not be written to --secret-fd: %s", user,
			    strerror(errno));
			return EXIT_REFUSED;
		}
	}
	return EXIT_DONE;
}

static enum exit_code
add_many(struct invocation *in)
{
	struct many many = { .generates = command_line_has(&in->line, OPTION_add_generate_password) };
	const struct bulk_verb verb = { .file = OPTION_add_from_csv, .question = "add", .columns = many_columns,
		.prepare = make_password, .plan = plan_one, .record = record_one, .finish = hand_out, .arg = &many };
	enum exit_code code;
	uint32_t fd = 0;

	if (command_line_has(&in->line, OPTION_add_password_fd) ||
	    many.generates != (command_line_number(&in->line, OPTION_add_secret_fd, 1, 65535, &fd) > 0) ||
	    (many.generates && fcntl((int)fd, F_GETFL) < 0)) {
		output_error("--from-csv: passwords are made by --generate-password and written to the open descriptor of "
		    "--secret-fd, \"USER PASSWORD\" one a line; without both the accounts have none");
		return EXIT_USAGE;
	}
	many.passwords = calloc(BULK_LINES_MAX, sizeof *many.passwords);
	if (many.passwords == NULL) {
		output_error("out of memory; nothing was changed");
		return EXIT_UNREACHABLE;
	}
	code = bulk_run(in, &verb);
	for (size_t i = 0; i < BULK_LINES_MAX; i++)
		new_password_done(&many.passwords[i]);
	free(many.passwords);
	return code;
}

enum exit_code
cmd_add(struct invocation *in)
{
	struct new_account new = { 0 };
	struct new_password password = { 0 };
	struct account account;
	bool is_many = false;
	enum exit_code code = bulk_wanted(in, OPTION_add_from_csv, &is_many);

	if (code == EXIT_DONE && is_many)
		return add_many(in);
	if (code != EXIT_DONE)
		return code;
	if (!account_name_allowed("user", in->line.operands[0]))
		return EXIT_REFUSED;
	/* Look first without the lock: nobody types a password for an account that cannot be made. */
	code = account_open(in, NULL, DIRECTORY_READ, &account);
	if (code == EXIT_DONE)
		code = read_options(in, &new);
	if (code == EXIT_DONE)
		code = new_account_check(in, &account, &new);
	account_done(&account);
	if (code == EXIT_DONE)
		code = new.local ? EXIT_DONE : new_password_get(in, new.kind == KIND_SERVICE, &password);
	if (code != EXIT_DONE)
		goto out;
	code = account_open(in, NULL, DIRECTORY_EDIT, &account);
	if (code == EXIT_DONE)
		code = create(in, &account, &new, &password);
	account_done(&account);
	if (code == EXIT_DONE && !in->dry_run)
		code = new_password_show(in, &password);
out:
	new_password_done(&password);
	return code;
}
