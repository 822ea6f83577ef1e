/*
 * identity_keys.c - the public keys of an entry, where they may be used from and what they run.
 *
 * Directory process and isms-userctl. A key that is malformed is no key: leaving it out lets nobody in, and people write
 * odd ones into their own entries. What limits keys is another thing: malformed, it must never be read as no limit
 * (THREATS I10).
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/authorized_key.h"
#include "common/identity_parts.h"
#include "common/policy_limits.h"

#define SOURCES_BYTES_MAX 1023

/* Every value of ismsSource, one network each, joined by spaces. Returns 0 or -ENOMEM. */
static int
read_sources(const struct entry *e, struct arena *memory, struct identity *user, struct fault *fault)
{
	const struct attribute *a = entry_attribute(e, "ismsSource");
	struct sources parsed = { .count = 0 };
	char text[SOURCES_BYTES_MAX + 1] = "", error[128];
	size_t used = 0;

	for (size_t i = 0; a != NULL && i < a->count; i++) {
		const struct value *v = &a->values[i];

		if (v->len == 0 || strlen(v->bytes) != v->len || used + v->len + 2 > sizeof text) {
			identity_fault(fault, "ismsSource: empty, with a NUL in it, or more than %d bytes of networks", SOURCES_BYTES_MAX);
			return 0;
		}
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used > 0 ? " " : "", v->bytes);
	}
	if (used == 0)
		return 0;
	if (sources_parse(text, &parsed, error, sizeof error) < 0 || parsed.local || parsed.count == 0) {
		identity_fault(fault, "ismsSource %.150s", parsed.local ? "\"local\" is no network" : error);
		return 0;
	}
	user->sources = arena_text(memory, text);
	return user->sources != NULL ? 0 : -ENOMEM;
}

int
identity_read_key_limits(const struct entry *e, struct arena *memory, struct identity *user, struct fault *fault)
{
	const char *command = identity_single(e, "ismsCommand", fault);
	int r = read_sources(e, memory, user, fault);

	if (r < 0 || command == NULL)
		return r;
	if (command[0] == '\0' || authorized_key_command_check(command) < 0) {
		identity_fault(fault, "ismsCommand is empty, too long, ends in a backslash or holds a control character");
		return 0;
	}
	user->command = arena_text(memory, command);
	return user->command != NULL ? 0 : -ENOMEM;
}

/* Those that were told of already. */
struct seen {
	char prints[AUTHORIZED_KEYS_MAX][AUTHORIZED_KEY_PRINT_SIZE];
	size_t count;
};

static bool
is_new(struct seen *seen, const char *print)
{
	for (size_t i = 0; i < seen->count; i++)
		if (strcmp(seen->prints[i], print) == 0)
			return false;
	return true;
}

size_t
identity_keys(const struct entry *e, bool (*each)(const struct authorized_key *key, void *arg), void *arg)
{
	static const char *const names[] = { "ismsKey", "sshPublicKey" };
	struct authorized_key key;
	struct seen seen = { .count = 0 };
	size_t odd = 0;

	for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
		const struct attribute *a = entry_attribute(e, names[n]);

		for (size_t i = 0; a != NULL && i < a->count; i++) {
			if (seen.count == AUTHORIZED_KEYS_MAX ||
			    authorized_key_parse(a->values[i].bytes, a->values[i].len, &key, NULL) < 0) {
				odd++;
				continue;
			}
			if (!is_new(&seen, key.fingerprint))
				continue;
			memcpy(seen.prints[seen.count++], key.fingerprint, sizeof key.fingerprint);
			if (!each(&key, arg))
				return odd;
		}
	}
	return odd;
}

static bool
add_print(const struct authorized_key *key, void *arg)
{
	struct facts *facts = arg;
	size_t used = strlen(facts->keys);

	if (used + sizeof key->fingerprint + 1 > sizeof facts->keys)
		return false;
	(void)snprintf(facts->keys + used, sizeof facts->keys - used, "%s%s", used > 0 ? " " : "", key->fingerprint);
	return true;
}

void
identity_fact_keys(const struct identity *user, struct facts *facts)
{
	facts->keys[0] = '\0';
	if (user != NULL && facts->state == FACTS_MANAGED)
		(void)identity_keys(user->entry, add_print, facts);
}
