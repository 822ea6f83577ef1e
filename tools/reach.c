/*
 * reach.c - who may enter a host (see reach.h).
 *
 * Runs in isms-userctl only. Must never decide anything itself: policy_decide() has the word, the same as at a login.
 * Must never leave out somebody who may enter later or from elsewhere: each place and time that a role names is tried.
 */
#include <config.h>

#include "tools/reach.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/policy_reach.h"
#include "tools/output.h"

static enum exit_code
load_policy(struct reach *reach)
{
	const char *etc = reach->in->paths.etc;
	char error[1024] = "";

	if (policy_load(etc, &reach->policy, error, sizeof error) == 0)
		return EXIT_DONE;
	if (error[0] != '\0')
		output_error("%s", error);
	else
		output_error("%s/policy.conf cannot be read; isms-userctl setup writes a first one", etc);
	return EXIT_REFUSED;
}

/* Who stands in /etc/passwd is never managed, whatever the directory says, but by [local] manage (THREATS I2). */
static enum exit_code
load_local(struct reach *reach)
{
	const struct passwd *row;
	FILE *f = fopen(reach->in->paths.passwd, "re");

	reach->local = json_object();
	while (f != NULL && (row = fgetpwent(f)) != NULL)
		if (!policy_manages_local(reach->policy, row->pw_name))
			(void)json_object_set_new_nocheck(reach->local, row->pw_name, json_true());
	if (f != NULL)
		(void)fclose(f);
	reach->facts = calloc(1, sizeof *reach->facts);	/* 40 KiB */
	if (reach->facts != NULL && reach->local != NULL && account_care_open(&reach->account, &reach->care) == 0)
		return EXIT_DONE;
	output_error("out of memory");
	return EXIT_UNREACHABLE;
}

enum exit_code
reach_open(struct reach *ret)
{
	enum exit_code code = account_open(ret->in, NULL, DIRECTORY_READ, &ret->account);

	if (code == EXIT_DONE)
		code = load_policy(ret);
	if (code == EXIT_DONE)
		code = load_local(ret);
	return code;
}

void
reach_close(struct reach *reach)
{
	policy_free(reach->policy);
	account_care_done(&reach->care);
	account_done(&reach->account);
	json_decref(reach->local);
	free(reach->facts);
}

void
reach_here(const struct reach *reach, struct reach_host *ret)
{
	*ret = (struct reach_host){ .is_here = true };
	(void)snprintf(ret->name, sizeof ret->name, "%.64s", reach->in->settings.login_host_name);
	(void)snprintf(ret->groups, sizeof ret->groups, "%.511s", reach->in->settings.login_host_groups);
}

int
reach_host_parse(const char *text, struct reach_host *ret)
{
	bool is_group = text[0] == '@';
	const char *name = text + is_group;
	size_t len = strlen(name);

	if (len == 0 || len >= sizeof ret->name || strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") != len)
		return -EINVAL;
	*ret = (struct reach_host){ .name = "none" };
	if (is_group)
		(void)snprintf(ret->groups, sizeof ret->groups, "%s", name);
	else
		(void)snprintf(ret->name, sizeof ret->name, "%s", name);
	return 0;
}

char *
reach_host_name(const struct reach_host *host, char *buf, size_t size)
{
	bool named = host->name[0] != '\0' && strcmp(host->name, "none") != 0;
	size_t used = (size_t)snprintf(buf, size, "%s", named ? host->name : host->is_here ? "this host" : "");
	const char *at = host->groups;
	size_t len;

	if (strcmp(at, "none") == 0)
		return buf;
	for (at += strspn(at, " \t"); *at != '\0' && used < size; at += len, at += strspn(at, " \t")) {
		len = strcspn(at, " \t");
		used += (size_t)snprintf(buf + used, size - used, "%s@%.*s", used > 0 ? " " : "", (int)len, at);
	}
	return buf;
}

/* All that this person could prove: who has no token makes no code, and who has none opens no session proven with one. */
static struct request
request_of(const struct reach *reach, const struct reach_host *host)
{
	bool has_token = reach->facts->token_count > 0;
	unsigned typed = FACTOR_PASSWORD | (has_token ? FACTOR_OTP : 0u);

	return (struct request){ .stage = STAGE_ACCOUNT, .service = reach->service, .rhost = reach->rhost != NULL ? reach->rhost : "",
		.host = host->name, .host_groups = host->groups,
		.factors = FACTOR_KEY | (reach->facts->kind == KIND_SERVICE ? 0u : typed), .key_unseen = true,
		.live_mfa_session = has_token, .clock_trusted = true };
}

/* The i-th network that a service account's entry names, then those of the roles. */
static bool
next_source(const struct reach *reach, uint64_t roles, size_t i, char address[static POLICY_NETWORK_MAX],
    char network[static POLICY_NETWORK_MAX])
{
	size_t own = 0;

	if (reach->facts->kind == KIND_SERVICE)
		for (; policy_reach_network(reach->facts->sources, own, address, network); own++)
			if (own == i)
				return true;
	return policy_reach_source(reach->policy, roles, i - own, address, network);
}

/* From nowhere, and for what comes over a network from each network that a role or the entry names. */
static void
judge_sources(struct reach *reach, struct request *request, struct reach_answer *ret)
{
	char address[POLICY_NETWORK_MAX], network[POLICY_NETWORK_MAX];
	struct decision d;

	policy_decide(reach->facts, reach->policy, request, &ret->decision);
	if (reach->rhost != NULL || (ret->decision.reason != REASON_SOURCE_NOT_ALLOWED &&
	    (ret->decision.verdict != VERDICT_ALLOW || policy_class(reach->policy, reach->service, false) != CLASS_REMOTE)))
		return;
	for (size_t i = 0; next_source(reach, ret->decision.roles, i, address, network); i++) {
		request->rhost = address;
		policy_decide(reach->facts, reach->policy, request, &d);
		if (d.reason == REASON_SOURCE_NOT_ALLOWED || (ret->sources != NULL && d.verdict != VERDICT_ALLOW))
			continue;
		if (ret->sources == NULL)
			ret->sources = json_array();
		(void)json_array_append_new(ret->sources, json_string(network));
		ret->decision = d;
	}
}

void
reach_judge(struct reach *reach, const struct identity *user, const struct reach_host *host, struct reach_answer *ret)
{
	struct request request;
	int64_t now_utc_sec = reach->in->now_utc_sec, at_utc_sec = reach->at_utc_sec;

	*ret = (struct reach_answer){ .decision = { .verdict = VERDICT_DENY } };
	identity_facts(&reach->account.identities, user, reach->facts);
	identity_fact_keys(user, reach->facts);
	account_care(&reach->care, user, now_utc_sec, reach->facts);
	if (host->is_here && json_object_get(reach->local, user->name) != NULL) {
		ret->decision = (struct decision){ .verdict = VERDICT_NOT_OURS, .reason = REASON_NOT_MANAGED };
		(void)snprintf(ret->decision.rule, sizeof ret->decision.rule, "%.100s has it, too", reach->in->paths.passwd);
		return;
	}
	if (host->is_here && user->local && !policy_manages_local(reach->policy, user->name)) {
		ret->decision = (struct decision){ .verdict = VERDICT_NOT_OURS, .reason = REASON_NOT_MANAGED };
		(void)snprintf(ret->decision.rule, sizeof ret->decision.rule, "for a local account; [local] manage does not name it");
		return;
	}
	request = request_of(reach, host);
	if (at_utc_sec == 0 && policy_class(reach->policy, reach->service, false) != CLASS_UNATTENDED)
		at_utc_sec = policy_reach_instant(reach->policy, policy_match(reach->policy, reach->facts), now_utc_sec);
	ret->at_utc_sec = at_utc_sec != 0 ? at_utc_sec : now_utc_sec;
	request.now_utc_sec = ret->at_utc_sec;
	judge_sources(reach, &request, ret);
}
