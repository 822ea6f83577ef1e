/*
 * cmd_who_can.c - isms-userctl who-can: everybody whom the policy would let in, and by which rule.
 *
 * Must never decide anything: reach.c asks policy_decide(), the same function as at a login.
 */
#include <config.h>

#include <grp.h>
#include <stdio.h>
#include <string.h>

#include "common/civil_date.h"
#include "tools/invocation.h"
#include "tools/output.h"
#include "tools/output_csv.h"
#include "tools/reach.h"

static const struct column allowed_columns[] = {
	{ "user", "USER" }, { "kind", "KIND" }, { "not_after", "END" }, { "sponsor", "SPONSOR" }, { "roles", "ROLES" },
	{ "sources", "ONLY FROM" }, { "next", "NOT BEFORE" }, { "rule", "BY" }, { NULL, NULL },
};
static const struct column all_columns[] = {
	{ "user", "USER" }, { "kind", "KIND" }, { "verdict", "VERDICT" }, { "reason", "REASON" }, { "not_after", "END" },
	{ "roles", "ROLES" }, { "sources", "ONLY FROM" }, { "next", "NOT BEFORE" }, { "rule", "BY" }, { NULL, NULL },
};

/* Whether anybody can be in a group of this name: one of the directory, or a local one that roles may keep. */
static bool
group_exists(const struct reach *reach, const char *name)
{
	const struct identities *all = &reach->account.identities;
	const struct group *row;
	bool found = false;
	FILE *f;

	for (size_t i = 0; i < all->group_count && !found; i++)
		found = strcmp(all->groups[i].name, name) == 0;
	if (found)
		return true;
	f = fopen(reach->in->paths.group, "re");
	while (f != NULL && !found && (row = fgetgrent(f)) != NULL)
		found = strcmp(row->gr_name, name) == 0;
	if (f != NULL)
		(void)fclose(f);
	return found;
}

/* Whether a person who is let in has a group then: his primary one, or one that policy leaves him. */
static bool
has_group(const struct reach *reach, const struct identity *user, uint64_t roles, const char *name)
{
	const struct identities *all = &reach->account.identities;
	const struct group *row;
	bool found = false;
	FILE *f;

	if (strcmp(reach->facts->primary_group, name) == 0)
		return true;
	for (uint32_t i = 0; i < user->group_count; i++)
		if (strcmp(all->groups[user->groups[i]].name, name) == 0 && all->groups[user->groups[i]].gid != 0)
			return policy_group(reach->policy, roles, name, false) != GROUP_DROP;
	if (policy_group(reach->policy, roles, name, true) == GROUP_DROP)
		return false;
	f = fopen(reach->in->paths.group, "re");
	while (f != NULL && !found && (row = fgetgrent(f)) != NULL)
		for (char **member = row->gr_mem; strcmp(row->gr_name, name) == 0 && *member != NULL; member++)
			found |= strcmp(*member, user->name) == 0;
	if (f != NULL)
		(void)fclose(f);
	return found;
}

static json_t *
roles_of(const struct reach *reach, uint64_t roles)
{
	json_t *list = json_array();

	for (size_t i = 0; i < policy_role_count(reach->policy); i++)
		if ((roles >> i & 1) != 0)
			(void)json_array_append_new(list, output_string(policy_role_name(reach->policy, i)));
	return list;
}

static json_t *
row(const struct reach *reach, const struct identity *id, const struct reach_answer *answer)
{
	const struct decision *d = &answer->decision;
	char sponsor[256];

	return json_pack("{s:o, s:o, s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "user",
	    output_string(id->name[0] != '\0' ? id->name : id->claimed_name), "kind",
	    output_string(account_kind_name(id->kind)), "display", output_string(id->display), "not_after",
	    output_time(id->not_after_utc_sec), "verdict", verdict_token(d->verdict), "reason", reason_token(d->reason),
	    "sponsor", output_string(account_sponsor_name(id, sponsor, sizeof sponsor)[0] != '\0' ? sponsor : NULL), "roles",
	    roles_of(reach, d->roles), "sources", answer->sources != NULL ? json_incref(answer->sources) : json_null(), "next",
	    d->verdict == VERDICT_ALLOW && answer->at_utc_sec > reach->in->now_utc_sec ? output_time(answer->at_utc_sec) :
	    json_null(), "rule", output_string(d->rule));
}

/* Everybody, by name. */
static json_t *
ask(struct reach *reach, const struct reach_host *host, const char *group, bool with_refused)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < reach->account.identities.user_count; i++) {
		const struct identity *id = &reach->account.identities.users[i];
		struct reach_answer answer;
		bool enters;

		reach_judge(reach, id, host, &answer);
		enters = answer.decision.verdict == VERDICT_ALLOW || answer.decision.verdict == VERDICT_MUST_CHANGE;
		if ((enters || with_refused) && (group == NULL || has_group(reach, id, answer.decision.roles, group)))
			(void)json_array_append_new(rows, row(reach, id, &answer));
		json_decref(answer.sources);
	}
	return rows;
}

static void
print(const struct reach *reach, const struct reach_host *host, const char *group, json_t *rows, bool all)
{
	char name[640];
	json_t *result;

	(void)reach_host_name(host, name, sizeof name);
	if (command_line_has(&reach->in->line, OPTION_who_can_csv)) {
		output_csv(rows, all_columns);
		return;
	}
	if (!reach->in->json) {
		output_table(rows, all ? all_columns : allowed_columns);
		return;
	}
	result = json_pack("{s:s, s:o, s:o, s:o, s:O}", "service", reach->service, "host", output_string(name), "group",
	    output_string(group), "at", output_time(reach->at_utc_sec != 0 ? reach->at_utc_sec : reach->in->now_utc_sec),
	    "users", rows);
	(void)output_json(result);
	json_decref(result);
}

/* --host, given once or more: a name and groups, all of one host; else this one. */
static enum exit_code
read_host(const struct reach *reach, struct reach_host *ret)
{
	const char *text = command_line_value(&reach->in->line, OPTION_who_can_host);
	struct reach_host one;

	reach_here(reach, ret);
	if (text != NULL)
		*ret = (struct reach_host){ .name = "none" };
	for (unsigned i = 0; (text = command_line_nth(&reach->in->line, OPTION_who_can_host, i)) != NULL; i++) {
		size_t used = strlen(ret->groups);

		if (reach_host_parse(text, &one) < 0 || used + strlen(text) + 1 >= sizeof ret->groups) {
			output_error("--host \"%.64s\" is no host; write its name in allow-hosts, or @GROUP", text);
			return EXIT_USAGE;
		}
		if (one.groups[0] != '\0')
			(void)snprintf(ret->groups + used, sizeof ret->groups - used, "%s%.64s", used > 0 ? " " : "", one.groups);
		else if (strcmp(ret->name, "none") != 0) {
			output_error("--host: a host has one name; the others are its groups: --host NAME --host @GROUP");
			return EXIT_USAGE;
		} else
			memcpy(ret->name, one.name, sizeof ret->name);
	}
	return EXIT_DONE;
}

/* What can be judged before the directory is read. */
static enum exit_code
read_options(struct reach *reach)
{
	const char *at = command_line_value(&reach->in->line, OPTION_who_can_at);
	const char *service = command_line_value(&reach->in->line, OPTION_who_can_service);
	const char *group = command_line_value(&reach->in->line, OPTION_who_can_group);
	enum exit_code code = invocation_settings(reach->in);

	reach->service = service != NULL ? service : "sshd";
	reach->rhost = command_line_value(&reach->in->line, OPTION_who_can_rhost);
	if (code == EXIT_DONE && group != NULL && !account_name_allowed("group", group))
		return EXIT_REFUSED;
	if (code != EXIT_DONE || at == NULL)
		return code;
	if (civil_date_parse_until(at, reach->in->settings.login_time_zone, reach->in->now_utc_sec, &reach->at_utc_sec) == 0)
		return EXIT_DONE;
	output_error("--at \"%.64s\" is no time; write 2026-12-31T18:00:00Z or +90d", at);
	return EXIT_USAGE;
}

enum exit_code
cmd_who_can(struct invocation *in)
{
	struct reach reach = { .in = in };
	const char *group = command_line_value(&in->line, OPTION_who_can_group);
	bool all = command_line_has(&in->line, OPTION_who_can_all);
	struct reach_host host;
	enum exit_code code;
	json_t *rows;

	code = read_options(&reach);
	if (code == EXIT_DONE)
		code = read_host(&reach, &host);
	if (code == EXIT_DONE)
		code = reach_open(&reach);
	if (code == EXIT_DONE && group != NULL && !group_exists(&reach, group)) {
		output_error("%s: no such group, neither in the directory nor in %s", group, in->paths.group);
		code = EXIT_REFUSED;
	}
	if (code == EXIT_DONE) {
		rows = ask(&reach, &host, group, all);
		print(&reach, &host, group, rows, all);
		json_decref(rows);
	}
	reach_close(&reach);
	return code;
}
