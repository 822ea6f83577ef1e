/*
 * cmd_exempt.c - isms-userctl exempt: lowers one control for one account for a limited time, takes that back, lists all.
 *
 * Must never make an exemption without an end, a reason and an approver other than the account itself; and the list must
 * never leave one out: it is of entries, whether a host would honour them or not.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/civil_date.h"
#include "common/entry_place.h"
#include "common/exemption.h"
#include "common/ldap_escape.h"
#include "tools/account.h"
#include "tools/account_care.h"
#include "tools/approver.h"
#include "tools/audit.h"
#include "tools/invocation.h"
#include "tools/output.h"

static const struct column list_columns[] = {
	{ "name", "NAME" }, { "user", "USER" }, { "control", "CONTROL" }, { "state", "STATE" }, { "until", "UNTIL" },
	{ "bound", "BOUND TO" }, { "approver", "APPROVER" }, { "reason", "REASON" }, { "ticket", "TICKET" },
	{ "fault", "FAULT" }, { NULL, NULL },
};
static const struct column columns[] = {
	{ "name", "Exemption" }, { "user", "User" }, { "control", "Control" }, { "from", "From" }, { "until", "Until" },
	{ "bound", "Bound to" }, { "approver", "Approver" }, { "reason", "Reason" }, { "note", "Note" }, { NULL, NULL },
};

/* ---- what an entry says ----------------------------------------------------------------------------------- */

static void
describe_bounds(const struct exemption *x, char *buf, size_t size)
{
	(void)snprintf(buf, size, "%s%s%s%s%s%s", x->key, x->key[0] != '\0' && x->service[0] != '\0' ? " " : "", x->service,
	    (x->key[0] != '\0' || x->service[0] != '\0') && x->sources[0] != '\0' ? " " : "", x->sources,
	    x->key[0] == '\0' && x->service[0] == '\0' && x->sources[0] == '\0' ? "nothing" : "");
}

/* The user whom a DN is of; NULL: nobody. */
static const struct identity *
user_of(const struct account *account, const char *dn)
{
	char *ndn = dn != NULL ? entry_normalise_dn(dn) : NULL;
	const struct identity *found = NULL;

	for (size_t i = 0; ndn != NULL && found == NULL && i < account->identities.user_count; i++)
		if (strcmp(account->identities.users[i].entry->ndn, ndn) == 0)
			found = &account->identities.users[i];
	free(ndn);
	return found;
}

/* Whether hosts honour it, in a word, by what census_care.c looks at. */
static const char *
state_of(const struct account *account, const struct entry *e, const struct exemption *x, int64_t now_utc_sec)
{
	const struct identity *member = user_of(account, entry_value(e, "ismsMember"));
	const struct identity *approver = user_of(account, entry_value(e, "ismsApprover"));

	if (now_utc_sec >= x->until_utc_sec)
		return "ended";
	if (member == NULL)
		return "nobody's";
	if (approver != NULL && strcmp(account_state(approver, now_utc_sec), "active") != 0)
		return "void: approver";
	return now_utc_sec < x->from_utc_sec ? "not yet" : "active";
}

static json_t *
row_of(const struct account *account, const struct entry *e, int64_t now_utc_sec)
{
	const struct identity *member = user_of(account, entry_value(e, "ismsMember"));
	char fault[IDENTITY_FAULT_SIZE] = "", bound[400] = "";
	struct exemption x;
	json_t *row = json_object();
	bool whole = exemption_read(e, NULL, &x, fault, sizeof fault) == 0;

	if (!entry_counts(e, ENTRY_EXEMPTION, account->base)) {
		(void)snprintf(fault, sizeof fault, "it counts directly below ou=exemptions of the base alone");
		whole = false;
	}
	if (whole && account_care_is_former(account, e)) {
		(void)snprintf(fault, sizeof fault, "it is older than the entry of its member or approver, and was another one's");
		whole = false;
	}
	if (whole)
		describe_bounds(&x, bound, sizeof bound);
	(void)json_object_set_new(row, "name", output_string(entry_value(e, "cn")));
	(void)json_object_set_new(row, "dn", output_string(e->dn));
	(void)json_object_set_new(row, "user", output_string(member != NULL ? member->name : entry_value(e, "ismsMember")));
	(void)json_object_set_new(row, "control", output_string(entry_value(e, "ismsControl")));
	(void)json_object_set_new(row, "state", output_string(whole ? state_of(account, e, &x, now_utc_sec) : "void"));
	(void)json_object_set_new(row, "from", output_time(whole ? x.from_utc_sec : 0));
	(void)json_object_set_new(row, "until", output_time(whole ? x.until_utc_sec : 0));
	(void)json_object_set_new(row, "bound", output_string(whole ? bound : NULL));
	(void)json_object_set_new(row, "approver", output_string(entry_value(e, "ismsApprover")));
	(void)json_object_set_new(row, "reason", output_string(entry_value(e, "ismsReason")));
	(void)json_object_set_new(row, "ticket", output_string(entry_value(e, "ismsTicket")));
	(void)json_object_set_new(row, "fault", output_string(whole ? NULL : fault));
	return row;
}

static enum exit_code
list(struct invocation *in)
{
	struct account account;
	enum exit_code code = account_open(in, NULL, DIRECTORY_READ, &account);
	const struct entries *all = code == EXIT_DONE ? directory_entries(account.directory) : NULL;
	json_t *rows = json_array();

	for (size_t i = 0; all != NULL && i < all->count; i++)
		if (entry_has_class(all->list[i], "ismsExemption"))
			(void)json_array_append_new(rows, row_of(&account, all->list[i], in->now_utc_sec));
	if (code == EXIT_DONE && in->json)
		(void)output_json(rows);
	else if (code == EXIT_DONE && json_array_size(rows) == 0)
		output_line("no exemptions");
	else if (code == EXIT_DONE)
		output_table(rows, list_columns);
	json_decref(rows);
	account_done(&account);
	return code;
}

/* ---- taking one back ---------------------------------------------------------------------------------------- */

static const struct entry *
find_by_name(const struct account *account, const char *name)
{
	const struct entries *all = directory_entries(account->directory);
	const struct entry *found = NULL;

	for (size_t i = 0; i < all->count; i++) {
		if (!entry_counts(all->list[i], ENTRY_EXEMPTION, account->base) || !entry_has_value(all->list[i], "cn", name))
			continue;
		if (found != NULL) {
			output_error("%.64s: two exemptions have this name; remove them at the server", name);
			return NULL;
		}
		found = all->list[i];
	}
	if (found == NULL)
		output_error("%.64s: no such exemption; see isms-userctl exempt --list", name);
	return found;
}

static void
record(const struct invocation *in, enum event_id id, const char *name, const char *user, const char *what)
{
	struct event event;

	event_begin(&event, id, "isms-userctl");
	event_add(&event, FIELD_ID_USER, user);
	event_add(&event, FIELD_ID_EXEMPTION, name);
	event_add(&event, id == EVENT_EXEMPTION_ADDED ? FIELD_ID_NEW : FIELD_ID_OLD, what);
	audit_send(&event, in);
}

static enum exit_code
revoke(struct invocation *in, const char *name)
{
	struct account account;
	enum exit_code code = account_open(in, NULL, DIRECTORY_EDIT, &account);
	const struct entry *e = code == EXIT_DONE ? find_by_name(&account, name) : NULL;
	char user[64] = "", what[300] = "";
	const struct identity *member;

	if (code == EXIT_DONE && e == NULL)
		code = EXIT_REFUSED;
	if (code == EXIT_DONE) {
		member = user_of(&account, entry_value(e, "ismsMember"));
		(void)snprintf(user, sizeof user, "%s", member != NULL ? member->name : "");
		(void)snprintf(what, sizeof what, "%.20s until %.40s", entry_value(e, "ismsControl") != NULL ?
		    entry_value(e, "ismsControl") : "?", entry_value(e, "ismsUntil") != NULL ? entry_value(e, "ismsUntil") : "?");
		if (directory_remove(account.directory, e->dn) < 0)
			code = EXIT_UNREACHABLE;
	}
	if (code == EXIT_DONE)
		code = account_commit(&account);
	if (code == EXIT_DONE) {
		record(in, EVENT_EXEMPTION_REMOVED, name, user, what);
		if (in->json)
			(void)output_json(json_object());
		else
			output_line("exemption %s (%s) is taken back%s", name, what, in->dry_run ? ": dry run, nothing was changed" : "");
	}
	account_done(&account);
	return code;
}

/* ---- making one ------------------------------------------------------------------------------------------- */

struct making {
	struct invocation *in;
	const char *user;
	struct exemption x;
	char from[32], until[32], name[EXEMPTION_NAME_MAX + 1], approver[ACCOUNT_DN_MAX], member[ACCOUNT_DN_MAX];
	struct account account;
	json_t *row;			/* owned; as --list would show it */
};

static enum exit_code
usage(const char *what)
{
	output_error("%s", what);
	return EXIT_USAGE;
}

static enum exit_code
parse_time(const struct invocation *in, const char *option, const char *text, int64_t *ret)
{
	if (civil_date_parse_until(text, in->settings.login_time_zone, in->now_utc_sec, ret) == 0)
		return EXIT_DONE;
	output_error("%s \"%.64s\" is no time; write 2026-12-31, 2026-12-31T18:00:00Z or +30d", option, text);
	return EXIT_USAGE;
}

static enum exit_code
read_times(struct making *m)
{
	const char *until = command_line_value(&m->in->line, OPTION_exempt_until);
	const char *from = command_line_value(&m->in->line, OPTION_exempt_from);
	enum exit_code code;

	if (until == NULL)
		return usage("an exemption needs an end: --until +30d");
	if (m->in->reason == NULL || m->in->reason[0] == '\0')
		return usage("an exemption needs a reason: --reason TEXT");
	code = invocation_settings(m->in);
	if (code == EXIT_DONE)
		code = parse_time(m->in, "--until", until, &m->x.until_utc_sec);
	m->x.from_utc_sec = m->in->now_utc_sec;
	if (code == EXIT_DONE && from != NULL)
		code = parse_time(m->in, "--from", from, &m->x.from_utc_sec);
	if (code != EXIT_DONE)
		return code;
	if (m->x.until_utc_sec <= m->x.from_utc_sec || m->x.until_utc_sec <= m->in->now_utc_sec)
		output_error("%s: the exemption would end before it begins", m->user);
	else if (m->x.until_utc_sec - m->x.from_utc_sec > EXEMPTION_TERM_MAX_SEC)
		output_error("%s: an exemption lasts %d days at most; make it again when it has ended", m->user,
		    (int)(EXEMPTION_TERM_MAX_SEC / 86400));
	else
		return EXIT_DONE;
	return EXIT_REFUSED;
}

static enum exit_code
read_control(struct making *m)
{
	m->x.control = exemption_control(m->in->line.operands[1]);
	if (m->x.control != CONTROL_NONE)
		return EXIT_DONE;
	output_error("\"%.40s\" is none of mfa, source, dormant, review and hours", m->in->line.operands[1]);
	return EXIT_USAGE;
}

static int
add_value(struct entry *e, const char *name, const char *value)
{
	return value != NULL && value[0] != '\0' ? entry_add_value(e, name, value, strlen(value)) : 0;
}

/* Returns the entry, or NULL without memory. */
static struct entry *
make_entry(struct making *m, const char *dn)
{
	const struct invocation *in = m->in;
	struct entry *e = entry_new(dn);
	char uuid[37], now[32];
	int r = e != NULL ? account_make_uuid(uuid) : -ENOMEM;
	const struct { const char *name, *value; } rows[] = {
		{ "objectClass", "top" }, { "objectClass", "ismsExemption" }, { "cn", m->name }, { "ismsMember", m->member },
		{ "ismsControl", exemption_control_name(m->x.control) }, { "ismsFrom", m->from }, { "ismsUntil", m->until },
		{ "ismsApprover", m->approver }, { "ismsReason", in->reason }, { "ismsTicket", in->ticket },
		{ "ismsKeyFingerprint", command_line_value(&in->line, OPTION_exempt_key) },
		{ "ismsService", command_line_value(&in->line, OPTION_exempt_service) }, { "entryUUID", uuid },
		{ "createTimestamp", civil_date_format_generalized(in->now_utc_sec, now) },
	};

	for (size_t i = 0; r == 0 && i < sizeof rows / sizeof rows[0]; i++)
		r = add_value(e, rows[i].name, rows[i].value);
	for (unsigned i = 0; r == 0 && command_line_nth(&in->line, OPTION_exempt_source, i) != NULL; i++)
		r = add_value(e, "ismsSource", command_line_nth(&in->line, OPTION_exempt_source, i));
	if (r == 0)
		return e;
	entry_free(e);
	return NULL;
}

/* What a host would make of it, before it is written. */
static enum exit_code
verify(const struct making *m, const struct entry *e)
{
	char fault[IDENTITY_FAULT_SIZE] = "";
	struct exemption back;

	if (exemption_read(e, m->account.identity->entry->ndn, &back, fault, sizeof fault) == 0)
		return EXIT_DONE;
	output_error("%s: %s; nothing was changed", m->user, fault);
	return EXIT_REFUSED;
}

static enum exit_code
write_entry(struct making *m)
{
	char dn[ACCOUNT_DN_MAX], uuid[37] = "";
	struct directory *d = m->account.directory;
	enum exit_code code;
	struct entry *e;

	if (!directory_knows(d, "ismsControl")) {
		output_error("%s: the server does not know ismsControl; load the schema isms.ldif of this version", m->user);
		return EXIT_REFUSED;
	}
	(void)account_make_uuid(uuid);
	(void)snprintf(m->name, sizeof m->name, "%.32s-%s-%.8s", m->user, exemption_control_name(m->x.control), uuid);
	(void)civil_date_format_generalized(m->x.from_utc_sec, m->from);
	(void)civil_date_format_generalized(m->x.until_utc_sec, m->until);
	(void)snprintf(m->member, sizeof m->member, "%s", m->account.identity->entry->dn);
	e = ldap_escape_dn(dn, sizeof dn, "cn", m->name, "ou=exemptions", m->in->settings.directory_base) == 0 ?
	    make_entry(m, dn) : NULL;
	if (e == NULL) {
		output_error("%s: out of memory; nothing was changed", m->user);
		return EXIT_UNREACHABLE;
	}
	code = verify(m, e);
	if (code != EXIT_DONE) {
		entry_free(e);
		return code;
	}
	m->row = row_of(&m->account, e, m->in->now_utc_sec);
	if (account_need_unit(m->in, d, "exemptions") < 0 || directory_add(d, e) < 0) {
		output_error("%s: the exemption cannot be added; nothing was changed", m->user);
		return EXIT_UNREACHABLE;
	}
	return account_commit(&m->account);
}

static void
tell(const struct making *m)
{
	char what[300], until[32];

	(void)snprintf(what, sizeof what, "%s until %s approved by %.200s", exemption_control_name(m->x.control),
	    civil_date_format(m->x.until_utc_sec, until), m->approver);
	record(m->in, EVENT_EXEMPTION_ADDED, m->name, m->user, what);
	if (m->in->dry_run)
		(void)json_object_set_new(m->row, "note", json_string("dry run: nothing was changed"));
	if (m->in->json)
		(void)output_json(m->row);
	else
		output_record(m->row, columns);
}

static enum exit_code
make(struct making *m)
{
	enum exit_code code = read_control(m);

	if (code == EXIT_DONE)
		code = read_times(m);
	if (code != EXIT_DONE)
		return code;
	code = account_open(m->in, m->user, DIRECTORY_EDIT, &m->account);
	if (code == EXIT_DONE && m->account.identity->state != FACTS_MANAGED) {
		output_error("%s: %s", m->user, m->account.identity->fault);
		code = EXIT_REFUSED;
	}
	if (code == EXIT_DONE)
		code = approver_find(m->in, &m->account, command_line_value(&m->in->line, OPTION_exempt_as), m->account.identity,
		    m->approver, sizeof m->approver);
	if (code == EXIT_DONE)
		code = write_entry(m);
	if (code == EXIT_DONE)
		tell(m);
	account_done(&m->account);
	json_decref(m->row);
	return code;
}

enum exit_code
cmd_exempt(struct invocation *in)
{
	const char *name = command_line_value(&in->line, OPTION_exempt_revoke);
	bool lists = command_line_has(&in->line, OPTION_exempt_list);
	struct making m = { .in = in, .user = in->line.operands[0] };

	if (lists && name == NULL && in->line.operands[0] == NULL)
		return list(in);
	if (name != NULL && !lists && in->line.operands[0] == NULL)
		return revoke(in, name);
	if (lists || name != NULL || in->line.operands[0] == NULL || in->line.operands[1] == NULL)
		return usage("write exempt USER CONTROL --until WHEN --reason TEXT, exempt --list, or exempt --revoke NAME");
	return make(&m);
}
