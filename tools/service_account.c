/*
 * service_account.c - what binds a service account: owner, keys, networks and command, as `add` sets them.
 *
 * Runs in isms-userctl only. Must never make one that nobody answers for.
 */
#include <config.h>

#include "tools/service_account.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/policy_limits.h"
#include "tools/output.h"

#define SOURCES_MAX_GIVEN 64

static enum exit_code
read_sources(const struct command_line *line, struct service_account *ret)
{
	struct sources parsed = { .count = 0 };
	char error[256] = "";
	const char *network;
	size_t used = 0;

	for (unsigned i = 0; (network = command_line_nth(line, OPTION_add_source, i)) != NULL; i++) {
		if (network[0] == '\0' || strchr(network, ' ') != NULL || used + strlen(network) + 2 > sizeof ret->sources) {
			output_error("--source \"%.64s\": write one network: 192.0.2.0/24; at most 1023 bytes of them", network);
			return EXIT_USAGE;
		}
		used += (size_t)snprintf(ret->sources + used, sizeof ret->sources - used, "%s%s", used > 0 ? " " : "", network);
	}
	if (used > 0 && (sources_parse(ret->sources, &parsed, error, sizeof error) < 0 || parsed.local)) {
		output_error("--source: %s", parsed.local ? "local is no network" : error);
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

enum exit_code
service_account_read(const struct invocation *in, enum kind kind, struct service_account *ret)
{
	const struct command_line *line = &in->line;
	const char *path = command_line_value(line, OPTION_add_key_file);
	enum exit_code code;

	ret->kind = kind;
	ret->owner = command_line_value(line, OPTION_add_owner);
	ret->command = command_line_value(line, OPTION_add_command);
	if (kind == KIND_SERVICE && (ret->owner == NULL || command_line_value(line, OPTION_add_until) == NULL)) {
		output_error("a service account needs an owner and an end: --owner carol --until 2026-12-31");
		return EXIT_USAGE;
	}
	if (kind != KIND_SERVICE && (ret->owner != NULL || ret->command != NULL)) {
		output_error("--owner and --command are for service accounts");
		return EXIT_USAGE;
	}
	if (ret->command != NULL && (ret->command[0] == '\0' || authorized_key_command_check(ret->command) < 0)) {
		output_error("--command needs one line of at most %d bytes without a backslash at its end", AUTHORIZED_KEY_COMMAND_MAX);
		return EXIT_USAGE;
	}
	code = read_sources(line, ret);
	if (code == EXIT_DONE && path != NULL) {
		code = key_entry_read(in, path, &ret->key, ret->key_value);
		ret->has_key = code == EXIT_DONE;
	}
	return code;
}

enum exit_code
service_account_check(const struct invocation *in, const struct account *account, const struct service_account *service)
{
	const struct identity *owner;

	if (service->owner == NULL)
		return EXIT_DONE;
	if (!account_name_allowed("user", service->owner))
		return EXIT_REFUSED;
	owner = identities_find(&account->identities, service->owner);
	if (owner == NULL || !identity_is_person(owner)) {
		output_error("--owner %s: no such person in the directory", service->owner);
		return EXIT_REFUSED;
	}
	if (strcmp(account_state(owner, in->now_utc_sec), "active") != 0) {
		output_error("--owner %s: is %s, and cannot answer for anything", service->owner,
		    account_state(owner, in->now_utc_sec));
		return EXIT_REFUSED;
	}
	return EXIT_DONE;
}

int
service_account_set(struct account *account, const char *dn, const struct service_account *service)
{
	const struct identity *owner = service->owner != NULL ? identities_find(&account->identities, service->owner) : NULL;
	char words[sizeof service->sources], *word, *save = NULL;
	struct change changes[SOURCES_MAX_GIVEN + 4];
	size_t count = 0;

	changes[count++] = (struct change){ CHANGE_ADD, "objectClass", "ismsAccount" };
	if (owner != NULL)
		changes[count++] = (struct change){ CHANGE_REPLACE, "owner", owner->entry->dn };
	if (service->has_key)
		changes[count++] = (struct change){ CHANGE_ADD, "ismsKey", service->key_value };
	if (service->command != NULL)
		changes[count++] = (struct change){ CHANGE_REPLACE, "ismsCommand", service->command };
	memcpy(words, service->sources, sizeof words);
	for (word = strtok_r(words, " ", &save); word != NULL && count < SOURCES_MAX_GIVEN + 4; word = strtok_r(NULL, " ", &save))
		changes[count++] = (struct change){ CHANGE_ADD, "ismsSource", word };
	if (count == 1)
		return 0;
	for (size_t i = 1; i < count; i++)
		if (!directory_knows(account->directory, changes[i].attribute))
			return -ENODATA;
	return directory_modify(account->directory, dn, changes, count);
}
