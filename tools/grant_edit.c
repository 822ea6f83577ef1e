/*
 * grant_edit.c - grants and requests in the directory (see grant_edit.h).
 *
 * Runs in isms-userctl only. Must never make a grant that actor.h or max-grant forbid.
 */
#include <config.h>

#include "tools/grant_edit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/civil_date.h"
#include "common/entry_place.h"
#include "common/grant.h"
#include "common/ldap_escape.h"
#include "tools/actor.h"
#include "tools/output.h"

/* ---- who ---- */

char *
grant_name_of(const struct account *account, const char *dn, char *buf, size_t size)
{
	const struct identity *id = dn != NULL ? account_find_dn(account, dn) : NULL;

	(void)snprintf(buf, size, "%s", id != NULL && id->name[0] != '\0' ? id->name : dn != NULL ? dn : "");
	return buf;
}

enum exit_code
grant_find(const struct account *account, const char *user, const char *group, struct grant_about *ret)
{
	if (!account_name_allowed("user", user) || !account_name_allowed("group", group))
		return EXIT_REFUSED;
	*ret = (struct grant_about){ .member = identities_find(&account->identities, user) };
	for (size_t i = 0; i < account->identities.group_count; i++)
		if (strcmp(account->identities.groups[i].name, group) == 0 && account->identities.groups[i].gid != 0)
			ret->group = &account->identities.groups[i];
	if (ret->member == NULL)
		output_error("%s: no such account in the directory; see isms-userctl list", user);
	else if (ret->group == NULL)
		output_error("%s: no such group in the directory", group);
	return ret->member != NULL && ret->group != NULL ? EXIT_DONE : EXIT_REFUSED;
}

enum exit_code
grant_fits(const struct invocation *in, const struct account *account, const struct grant_about *about,
    int64_t length_sec)
{
	struct grant_nesting nesting = { 0 };
	struct grant_reach *reach = NULL;
	char fault[GRANT_FAULT_SIZE];
	int r = grant_nesting_add_all(&nesting, directory_entries(account->directory));

	if (r == 0)
		r = grant_nesting_reach(&nesting, about->group->entry, &in->settings, NULL, NULL, &reach);
	if (r == 0)
		r = grant_takes(reach, length_sec, fault);
	grant_nesting_done(&nesting);
	grant_reach_unref(reach);
	if (r == -ENOMEM)
		return grant_out_of_memory(about->group->name);
	if (r < 0)
		output_error("%s: %s", about->group->name, fault);
	return r < 0 ? EXIT_REFUSED : EXIT_DONE;
}

enum exit_code
grant_may(const struct invocation *in, const struct account *account, const struct grant_about *about,
    const char *approver_dn, int64_t length_sec)
{
	enum exit_code code = actor_may(in, account, ACT_GRANT, approver_dn, about->member);

	return code != EXIT_DONE ? code : grant_fits(in, account, about, length_sec);
}

/* ---- entries ---- */

int
grant_make_name(char letter, char buf[static 16])
{
	uint32_t number[2];

	if (getrandom(number, sizeof number, 0) != (ssize_t)sizeof number)
		return -EIO;
	(void)snprintf(buf, 16, "%c%08x%04x", letter, number[0], number[1] & 0xffff);
	return 0;
}

static int
set_time(struct entry *e, const char *name, int64_t utc_sec)
{
	char text[32];

	return entry_set(e, name, civil_date_format_generalized(utc_sec, text));
}

int
grant_put(const struct invocation *in, struct account *account, const struct grant_new *grant, char *ret_dn,
    size_t size)
{
	const struct { const char *name, *value; } texts[] = {
		{ "objectClass", "ismsGrant" }, { "cn", grant->name },
		{ "ismsMember", grant->about->member->entry->dn }, { "ismsGroup", grant->about->group->entry->dn },
		{ "ismsApprover", grant->approver_dn },
		{ "ismsReason", grant->reason }, { "ismsTicket", grant->ticket }, { "ismsRequest", grant->request_dn },
	};
	int r = account_need_unit(in, account->directory, GRANT_UNIT);
	struct entry *e;

	if (r == 0)
		r = ldap_escape_dn(ret_dn, size, "cn", grant->name, "ou=" GRANT_UNIT, in->settings.directory_base);
	if (r < 0)
		return r;
	e = entry_new(ret_dn);
	if (e == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0] && r == 0; i++)
		if (texts[i].value != NULL)
			r = entry_set(e, texts[i].name, texts[i].value);
	if (r == 0)
		r = set_time(e, "createTimestamp", in->now_utc_sec);	/* a server makes its own */
	if (r == 0)
		r = set_time(e, "ismsFrom", grant->from_utc_sec);
	if (r == 0)
		r = set_time(e, "ismsUntil", grant->until_utc_sec);
	if (r == 0)
		return directory_add(account->directory, e);	/* now owned by the directory */
	entry_free(e);
	return r;
}

int64_t
grant_time(const struct entry *e, const char *attribute)
{
	const char *text;
	int64_t utc_sec;

	if (entry_single(e, attribute, &text) != 1 || civil_date_parse_generalized(text, strlen(text), &utc_sec) < 0)
		return 0;
	return utc_sec;
}

bool
grant_is_known(const struct account *account)
{
	if (directory_knows(account->directory, "ismsMember") && directory_knows(account->directory, "ismsUntil"))
		return true;
	output_error("the server does not know grants; load the schema isms.ldif");
	return false;
}

/* ---- as rows ---- */

static bool
is_about(const struct entry *e, const char *attribute, const char *ndn)
{
	return ndn == NULL || entry_has_value(e, attribute, ndn);
}

static char *
group_name_of(const struct account *account, const char *dn, char *buf, size_t size)
{
	char *ndn = dn != NULL ? entry_normalise_dn(dn) : NULL;

	(void)snprintf(buf, size, "%s", dn != NULL ? dn : "");
	for (size_t i = 0; ndn != NULL && i < account->identities.group_count; i++)
		if (strcmp(account->identities.groups[i].entry->ndn, ndn) == 0)
			(void)snprintf(buf, size, "%s", account->identities.groups[i].name);
	free(ndn);
	return buf;
}

/* What a grant comes to now, as the processes judge it. */
static const char *
judge(const struct invocation *in, const struct account *account, struct grant_nesting *nesting, const struct entry *e,
    char *fault)
{
	struct grant g = { 0 };
	struct grant_window window;
	int r = entry_counts(e, ENTRY_GRANT, account->base) ? grant_read(e, &g, fault) : -EINVAL;

	if (r < 0 && fault[0] == '\0')
		(void)snprintf(fault, GRANT_FAULT_SIZE, "it counts directly below ou=" GRANT_UNIT " of the base alone");
	if (r == 0)
		r = grant_judge_among(directory_entries(account->directory), &g, nesting, &in->settings, &window, fault);
	grant_done(&g);
	if (r < 0)
		return "refused";
	fault[0] = '\0';
	if (grant_counts(&window, in->now_utc_sec))
		return "active";
	return in->now_utc_sec < window.from_utc_sec ? "future" : "ended";
}

static json_t *
common_row(const struct account *account, const struct entry *e)
{
	char user[ACCOUNT_DN_MAX], group[ACCOUNT_DN_MAX];

	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "name", output_string(entry_value(e, "cn")), "user",
	    output_string(grant_name_of(account, entry_value(e, "ismsMember"), user, sizeof user)), "group",
	    output_string(group_name_of(account, entry_value(e, "ismsGroup"), group, sizeof group)), "reason",
	    output_string(entry_value(e, "ismsReason")), "ticket", output_string(entry_value(e, "ismsTicket")));
}

json_t *
grant_rows(const struct invocation *in, const struct account *account, const char *user, const char *group)
{
	const struct entries *all = directory_entries(account->directory);
	struct grant_nesting nesting = { 0 };
	json_t *rows = json_array();

	if (grant_nesting_add_all(&nesting, all) < 0)
		output_error("out of memory: states of grants in nested groups may be wrong");
	for (size_t i = 0; i < all->count; i++) {
		const struct entry *e = all->list[i];
		char fault[GRANT_FAULT_SIZE] = "", approver[ACCOUNT_DN_MAX];
		json_t *row;

		if (!grant_is(e) || !is_about(e, "ismsMember", user) || !is_about(e, "ismsGroup", group))
			continue;
		row = common_row(account, e);
		(void)json_object_set_new(row, "state", json_string(judge(in, account, &nesting, e, fault)));
		(void)json_object_set_new(row, "from", output_time(grant_time(e, "ismsFrom")));
		(void)json_object_set_new(row, "until", output_time(grant_time(e, "ismsUntil")));
		(void)json_object_set_new(row, "approver",
		    output_string(grant_name_of(account, entry_value(e, "ismsApprover"), approver, sizeof approver)));
		(void)json_object_set_new(row, "fault", output_string(fault[0] != '\0' ? fault : NULL));
		(void)json_array_append_new(rows, row);
	}
	grant_nesting_done(&nesting);
	return rows;
}

json_t *
grant_request_rows(const struct invocation *in, const struct account *account, const char *user)
{
	const struct entries *all = directory_entries(account->directory);
	json_t *rows = json_array();

	for (size_t i = 0; i < all->count; i++) {
		const struct entry *e = all->list[i];
		int64_t since = grant_time(e, "ismsRequestedAt"), decided = grant_time(e, "ismsDecidedAt");
		int64_t took = (decided != 0 ? decided : in->now_utc_sec) - since;
		char by[ACCOUNT_DN_MAX], text[32];
		json_t *row;

		if (!entry_counts(e, ENTRY_REQUEST, account->base) || !is_about(e, "ismsMember", user))
			continue;
		row = common_row(account, e);
		(void)json_object_set_new(row, "state", output_string(entry_value(e, "ismsState")));
		(void)json_object_set_new(row, "span", output_string(entry_value(e, "ismsSpan")));
		(void)json_object_set_new(row, "requested", output_time(since));
		(void)json_object_set_new(row, "requester",
		    output_string(grant_name_of(account, entry_value(e, "ismsRequestedBy"), by, sizeof by)));
		(void)json_object_set_new(row, "decided", output_time(decided));
		(void)json_object_set_new(row, "decider", output_string(entry_value(e, "ismsDecidedBy") != NULL ?
		    grant_name_of(account, entry_value(e, "ismsDecidedBy"), by, sizeof by) : NULL));
		(void)json_object_set_new(row, "turnaround_sec", since != 0 ? json_integer(took) : json_null());
		(void)json_object_set_new(row, "turnaround",
		    json_string(since != 0 ? civil_date_format_span(took, text) : "unknown"));
		(void)json_array_append_new(rows, row);
	}
	return rows;
}

json_t *
grant_only(json_t *rows, const char *state, const char *or_state)
{
	json_t *row;

	for (size_t i = json_array_size(rows); i-- > 0;) {
		const char *is;

		row = json_array_get(rows, i);
		is = json_string_value(json_object_get(row, "state"));
		if (is == NULL || (strcmp(is, state) != 0 && (or_state == NULL || strcmp(is, or_state) != 0)))
			(void)json_array_remove(rows, i);
	}
	return rows;
}

void
grant_print(const struct invocation *in, json_t *result, const struct column *columns)
{
	if (in->dry_run)
		(void)json_object_set_new(result, "note", json_string("dry run: nothing was changed"));
	(void)json_object_set_new(result, "dry_run", json_boolean(in->dry_run));
	if (in->json)
		(void)output_json(result);
	else
		output_record(result, columns);
}

enum exit_code
grant_out_of_memory(const char *what)
{
	output_error("%s: out of memory; nothing was changed", what);
	return EXIT_UNREACHABLE;
}
