/*
 * cmd_disable.c - isms-userctl disable USER, enable USER: locks an account for good and takes that back.
 *
 * Must never leave one lock standing without a word when enabling: any lock wins (DESIGN 3.8), so the
 * changed entry is read again the way the daemon reads it before anything is written.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/proto.h"
#include "tools/account.h"
#include "tools/ask_daemon.h"
#include "tools/audit.h"
#include "tools/bulk.h"
#include "tools/invocation.h"
#include "tools/output.h"

#define LOCKED_FOR_EVER	"000001010000Z"	/* draft-behera-ldap-password-policy: until an administrator resets it */

static const struct column columns[] = {
	{ "user", "User" }, { "old", "Old state" }, { "new", "New state" }, { "failures", "Failures" }, { "note", "Note" },
	{ NULL, NULL },
};

static void
print(const struct invocation *in, const char *user, const char *old, const char *new, const char *failures,
    const char *note)
{
	json_t *result = json_pack("{s:s, s:s, s:s, s:b, s:b}", "user", user, "old", old, "new", new, "changed",
	    strcmp(old, new) != 0, "dry_run", in->dry_run);

	if (failures != NULL)
		(void)json_object_set_new(result, "failures", json_string(failures));
	if (note != NULL)
		(void)json_object_set_new(result, "note", json_string(note));
	if (in->json)
		(void)output_json(result);
	else
		output_record(result, columns);
	json_decref(result);
}

static void
record(const struct invocation *in, enum event_id id, const struct identity *identity, const char *old, const char *new)
{
	struct event event;

	event_begin(&event, id, "isms-userctl");
	event_add(&event, FIELD_ID_USER, identity->name);
	if (identity->uid != 0)
		event_add_int(&event, FIELD_ID_UID, identity->uid);
	event_add(&event, FIELD_ID_KIND, account_kind_name(identity->kind));
	event_add(&event, FIELD_ID_OLD, old);
	event_add(&event, FIELD_ID_NEW, new);
	audit_send(&event, in);
}

static const char *
dry_note(const struct invocation *in)
{
	return in->dry_run ? "dry run: nothing was changed" : NULL;
}

/*
 * Hand the lock to the directory, in memory still.
 *
 *  ret_changed  whether there is anything to write
 */
static enum exit_code
lock(struct account *account, const char *user, bool *ret_changed)
{
	struct change lock = { CHANGE_REPLACE, "pwdAccountLockedTime", LOCKED_FOR_EVER };

	if (!directory_knows(account->directory, lock.attribute))
		lock = (struct change){ CHANGE_REPLACE, "nsAccountLock", "TRUE" };
	if (!directory_knows(account->directory, lock.attribute)) {
		output_error("%s: the server has no attribute of a lock; load the overlay ppolicy; nothing was changed", user);
		return EXIT_REFUSED;
	}
	*ret_changed = !entry_has_value(account->identity->entry, lock.attribute, lock.value);
	if (*ret_changed && directory_modify(account->directory, account->identity->entry->dn, &lock, 1) < 0) {
		output_error("%s: out of memory; nothing was changed", user);
		return EXIT_UNREACHABLE;
	}
	return EXIT_DONE;
}

static enum exit_code
disable(struct invocation *in, struct account *account, const char *user)
{
	const char *old = account_state(account->identity, in->now_utc_sec);
	enum exit_code code;
	bool changed = false;

	code = lock(account, user, &changed);
	if (code != EXIT_DONE)
		return code;
	if (!changed) {
		print(in, user, "disabled", "disabled", NULL, "was disabled already");
		return EXIT_DONE;
	}
	code = account_commit(account);
	if (code != EXIT_DONE)
		return code;
	record(in, EVENT_ACCOUNT_DISABLED, account->identity, old, "disabled");
	print(in, user, old, "disabled", NULL, in->dry_run ? dry_note(in) : "all sessions end within seconds");
	return EXIT_DONE;
}

/* ---- many at once ---- */

static const struct column many_columns[] = { { "user", "USER" }, { "old", "OLD STATE" }, { "new", "NEW STATE" }, { NULL, NULL } };

static enum exit_code
plan_disable(struct invocation *in, struct account *account, size_t i, void *arg, json_t **ret_row)
{
	const char *user = in->line.operands[0];
	enum exit_code code = account_find(account, user);
	bool changed = false;

	(void)i;
	(void)arg;
	if (code == EXIT_DONE)
		code = lock(account, user, &changed);
	if (code == EXIT_DONE)
		*ret_row = json_pack("{s:s, s:s, s:s, s:s, s:b}", "user", user, "dn", account->identity->entry->dn, "old",
		    changed ? account_state(account->identity, in->now_utc_sec) : "disabled", "new", "disabled", "changed", changed);
	return code;
}

static void
record_disable(const struct invocation *in, const struct account *account, const json_t *row)
{
	const struct identity *id = identities_find(&account->identities, json_string_value(json_object_get(row, "user")));

	if (id != NULL)
		record(in, EVENT_ACCOUNT_DISABLED, id, json_string_value(json_object_get(row, "old")), "disabled");
}

static const struct bulk_verb many = {
	.file = OPTION_disable_from_csv, .question = "disable, and all their sessions end", .columns = many_columns,
	.plan = plan_disable, .record = record_disable,
};

/* Without the lock: nobody waits for a person to think. */
static enum exit_code
look_and_ask(struct invocation *in, const char *user)
{
	struct account account;
	char question[256];
	enum exit_code code;

	code = account_open(in, user, DIRECTORY_READ, &account);
	if (code == EXIT_DONE) {
		(void)snprintf(question, sizeof question, "%s (%s): %s -> disabled, all sessions end?", user,
		    account.identity->entry_id, account_state(account.identity, in->now_utc_sec));
		if (!invocation_confirm(in, question))
			code = EXIT_REFUSED;
	}
	account_done(&account);
	return code;
}

enum exit_code
cmd_disable(struct invocation *in)
{
	struct account account;
	bool is_many = false;
	enum exit_code code = bulk_wanted(in, OPTION_disable_from_csv, &is_many);

	if (code == EXIT_DONE && is_many)
		return bulk_run(in, &many);
	if (code == EXIT_DONE && invocation_asks(in))
		code = look_and_ask(in, in->line.operands[0]);
	if (code != EXIT_DONE)
		return code;
	code = account_open(in, in->line.operands[0], DIRECTORY_EDIT, &account);
	if (code == EXIT_DONE)
		code = disable(in, &account, in->line.operands[0]);
	account_done(&account);
	return code;
}

/* Take away every lock that the schemas know and the directory lets us write; what is not there costs nothing. */
static int
unlock_entry(struct account *account)
{
	static const char *const locks[] = { "pwdAccountLockedTime", "pwdAccountTmpLockoutEnd", "nsAccountLock" };
	const struct entry *e = account->identity->entry;
	const char *control = entry_value(e, "userAccountControl");
	char text[16];
	struct change changes[4];
	size_t count = 0;

	for (size_t i = 0; i < sizeof locks / sizeof locks[0]; i++)
		if (directory_knows(account->directory, locks[i]))
			changes[count++] = (struct change){ CHANGE_REPLACE, locks[i], NULL };
	if (control != NULL && (strtoul(control, NULL, 10) & 2) != 0) {
		(void)snprintf(text, sizeof text, "%lu", strtoul(control, NULL, 10) & 0xfffffffdul);
		changes[count++] = (struct change){ CHANGE_REPLACE, "userAccountControl", text };
	}
	return directory_modify(account->directory, e->dn, changes, count);
}

/* Have this host's front forget failures and locks of its own. */
static enum exit_code
unlock_front(const struct invocation *in, const char *user, const char **ret_failures)
{
	struct msg_unlock msg = { 0 };
	struct msg_done done;
	int r;

	(void)snprintf(msg.user, sizeof msg.user, "%s", user);
	(void)audit_actor(msg.actor, sizeof msg.actor);
	*ret_failures = "not forgotten on this host";
	r = ask_daemon(in, PROCESS_FRONT, MSG_UNLOCK, &msg, MSG_DONE, &done);
	if (r < 0) {
		(void)ask_daemon_complain(PROCESS_FRONT, r);
		output_error("%s: failures counted on this host were not forgotten; run enable again once ismsd-front runs", user);
		return EXIT_UNREACHABLE;
	}
	if (done.error != 0) {
		output_error("%s: ismsd-front did not forget the failures: %s", user, done.text[0] != '\0' ? done.text :
		    strerror((int)done.error));
		return EXIT_REFUSED;
	}
	*ret_failures = "forgotten on this host";
	return EXIT_DONE;
}

static enum exit_code
enable(struct invocation *in, struct account *account, const char *user)
{
	const char *old = account_state(account->identity, in->now_utc_sec), *new, *failures = NULL;
	const struct identity *id = account->identity;
	bool locked = id->state != FACTS_MANAGED || id->disabled || id->locked_until_utc_sec != 0;
	enum exit_code code = EXIT_DONE;

	if (unlock_entry(account) < 0 || account_refresh(in, account, user) < 0) {
		output_error("%s: out of memory; nothing was changed", user);
		return EXIT_UNREACHABLE;
	}
	id = account->identity;
	new = account_state(id, in->now_utc_sec);
	if (id->disabled) {
		output_error("%s: %s still disables the account; change it first; nothing was changed", user, id->disabled_source);
		return EXIT_REFUSED;
	}
	if (locked) {
		code = account_commit(account);
		if (code != EXIT_DONE)
			return code;
		record(in, EVENT_ACCOUNT_ENABLED, id, old, new);
	}
	if (!in->dry_run && geteuid() != 0 && in->root[0] == '\0')	/* below a root of his own anybody may ask */
		failures = "not forgotten on this host: for root alone";
	else if (!in->dry_run)
		code = unlock_front(in, user, &failures);
	print(in, user, old, new, failures, dry_note(in));
	if (id->state != FACTS_MANAGED)
		output_error("%s: the entry is still refused: %s", user, id->fault);
	else if (id->not_after_utc_sec != 0 && in->now_utc_sec >= id->not_after_utc_sec)
		output_error("%s: the contract has ended all the same; see set-expiry", user);
	return code;
}

enum exit_code
cmd_enable(struct invocation *in)
{
	struct account account;
	enum exit_code code;

	code = account_open(in, in->line.operands[0], DIRECTORY_EDIT, &account);
	if (code == EXIT_DONE)
		code = enable(in, &account, in->line.operands[0]);
	account_done(&account);
	return code;
}
