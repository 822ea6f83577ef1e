/*
 * fuzz_directory.c - LDIF bytes -> entries -> identities, facts and tokens, with what may never come out of them; then
 * the edits of isms-userctl on entries that somebody else wrote. After a line "#then" stands the directory as it is later:
 * who had a name or a number before comes into play. And all of it once more as entries of other kinds of servers.
 *
 * ldif_store.c, which reads and writes the file, takes no byte of it apart.
 * covers: common/ldif_parse.c common/entry.c common/entry_dn.c common/identity.c common/identity_facts.c
 * covers: common/identity_groups.c common/identity_time.c common/identity_token.c common/identity_user.c
 * covers: common/identity_keys.c
 * covers: common/active_directory.c common/sid.c common/grant.c common/identity_below.c common/entry_place.c
 * covers: common/entry_older.c
 */
#include <config.h>

#include <ldap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/entry_place.h"
#include "common/exemption.h"
#include "common/grant.h"
#include "common/identity.h"
#include "common/ldif_store.h"
#include "common/server_schema.h"
#include "common/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool condition)
{
	if (!condition)
		abort();
}

/* A value from outside, escaped, is one value of one RDN and no more (THREATS 5.4), or no DN at all. */
static void
name_by(const char *value)
{
	char *escaped = entry_escape_rdn(value), *dn, *normal, *again;
	size_t room;
	LDAPDN parts = NULL;

	must(escaped != NULL);
	room = strlen(escaped) + sizeof "cn=,o=x";
	dn = malloc(room);
	must(dn != NULL);
	(void)snprintf(dn, room, "cn=%s,o=x", escaped);
	normal = entry_normalise_dn(dn);
	if (normal != NULL) {
		must(ldap_str2dn(normal, &parts, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS);
		must(parts[0] != NULL && parts[1] != NULL && parts[2] == NULL && parts[0][1] == NULL && parts[1][1] == NULL);
		must(parts[0][0]->la_value.bv_len == strlen(value) && strcasecmp(parts[0][0]->la_value.bv_val, value) == 0);
		ldap_dnfree(parts);
		again = entry_normalise_dn(normal);
		must(again != NULL && strcmp(again, normal) == 0);
		free(again);
	}
	free(normal);
	free(dn);
	free(escaped);
}

/* Whether two entries say the same does not depend on which is asked, and a copy says what its origin says. */
static void
compare(const struct entries *entries)
{
	for (size_t i = 0; i < entries->count && i < 16; i++) {
		struct entry *e = entry_ref(entries->list[i]), *other = entries->list[entries->count - 1 - i];
		struct entry *copy = entry_new(e->dn);

		must(copy != NULL && entry_add_all(copy, e) == 0 && entry_same(copy, e) && entry_same(e, e));
		must(entry_same(e, other) == entry_same(other, e));
		must(entry_same_values(copy, e, "uid") && entry_same_values(e, other, "cn") == entry_same_values(other, e, "cn"));
		entry_free(copy);
		entry_free(e);
	}
}

static void
edit(struct entries *entries)
{
	struct entry *e = entries->list[0];
	char *dn = strdup(e->dn), *name, *value;
	const char *single;

	must(dn != NULL && entries_find(entries, dn) == e);
	if (e->count > 0) {
		name = strdup(e->attributes[e->count - 1].name);
		value = strdup(e->attributes[e->count - 1].values[0].bytes);	/* up to its first NUL, if it has one */
		must(name != NULL && value != NULL);
		name_by(value);
		must(entry_add_value(e, name, value, strlen(value)) == 0 && entry_has_value(e, name, value));
		must(entry_remove_value(e, name, value) == 0 && !entry_has_value(e, name, value));
		must(entry_set(e, name, "x") == 0 && entry_set(e, name, value) == 0 && entry_has_value(e, name, value));
		must(strlen(value) > ENTRY_VALUE_MAX || entry_single(e, name, &single) == 1);
		must(entry_add_value(e, name, "y", 1) == 0 && entry_single(e, name, &single) < 0);
		must(entry_set(e, name, NULL) == 0 && entry_attribute(e, name) == NULL);
		must(entry_set(e, name, NULL) == 0 && entry_remove_value(e, name, value) == 0);
		free(value);
		free(name);
	}
	must(entries_remove(entries, dn) && entries_find(entries, dn) == NULL && !entries_remove(entries, dn));
	free(dn);
}

/* One directory; an error leaves it empty, as a file that cannot be read. */
static void
read_directory(const uint8_t *data, size_t size, struct entries *ret)
{
	char error[256];

	if (ldif_store_parse((const char *)data, size, "fuzz", ret, error, sizeof error) < 0)
		entries_done(ret);
}

/* Whoever is let in is somebody, and nobody who left. */
static void
look_at(const struct identities *all, const struct entries *entries, const struct identity_holders *holders)
{
	static struct { struct msg_token tokens[4]; struct facts facts; } s;	/* large */

	identity_facts(all, NULL, &s.facts);
	must(s.facts.state != FACTS_MANAGED && s.facts.user[0] == '\0');
	for (size_t i = 0; i < all->user_count; i++) {
		const struct identity *u = &all->users[i];
		const char *former = identity_holders_find(holders, false, u->name);

		identity_facts(all, u, &s.facts);
		identity_fact_keys(u, &s.facts);
		(void)identity_tokens(entries, u->entry, s.tokens, 4);
		if (u->state != FACTS_MANAGED)
			continue;
		must(snapshot_id_allowed(u->uid) && snapshot_id_allowed(u->gid) && u->home[0] == '/' &&
		    snapshot_name_allowed(u->name, strlen(u->name)) && s.facts.kind != KIND_UNKNOWN && strpbrk(u->gecos, ":\n") == NULL);
		must(former == NULL || strcmp(former, u->entry_id) == 0);
	}
}

static int
on_claim(enum identity_claim kind, const char *key, void *arg)
{
	size_t *count = arg;

	must(kind <= CLAIM_PRIMARY_GID && key[0] != '\0' && strlen(key) < IDENTITY_KEY_SIZE);
	++*count;
	return 0;
}

/* An entry by itself claims what it claims among others. */
static void
claim_each(const struct entries *entries, const struct identities *all)
{
	static struct settings settings;
	size_t count = 0, users = 0;

	settings_defaults(&settings);
	for (size_t i = 0; i < entries->count && i < 64; i++) {
		must(identity_claims(entries->list[i], &settings, on_claim, &count) == 0);
		(void)identity_is_group(entries->list[i]);
	}
	for (size_t i = 0; i < all->user_count; i++)
		users += all->users[i].name[0] != '\0';
	must(count >= users || entries->count > 64);
}

/* A SID or a range that is read says the same when it is written and read again. */
static void
read_sid(const struct value *v)
{
	char text[SID_TEXT_SIZE];
	struct sid_range range;
	struct sid sid, again;
	uint32_t id;

	if (sid_decode(v->bytes, v->len, &sid) == 0) {
		must(sid_parse(sid_format(&sid, text), &again) == (int)strlen(text));
		must(memcmp(&sid, &again, sizeof sid) == 0);
	}
	if (sid_range_parse(v->bytes, &range) == 0 && range.there) {
		must(range.first >= 1000 && range.last <= INT32_MAX && range.first <= range.last);
		must(sid_range_id(&range, range.last - range.first, &id) == 0 && id == range.last);
		must(sid_range_id(&range, range.last - range.first + 1, &id) < 0);
	}
}

/* The same entries, from a server of another kind: whoever is let in has an id of the range, or the one that is said. */
static void
translate(const uint8_t *data, size_t size, const char *kind, const char *sids)
{
	static struct settings settings;
	struct identity_holders holders = { 0 };
	struct identities all = { 0 };
	struct server_schema schema;
	struct entries entries = { 0 };

	settings_defaults(&settings);
	(void)snprintf(settings.directory_schema, sizeof settings.directory_schema, "%s", kind);
	(void)snprintf(settings.directory_id_from_sid, sizeof settings.directory_id_from_sid, "%s", sids);
	settings.directory_fold_group_names = true;
	server_schema_init(&schema, &settings);
	read_directory(data, size, &entries);
	for (size_t i = 0; i < entries.count; i++) {
		const struct attribute *a = entry_attribute(entries.list[i], "objectSid");

		for (size_t k = 0; a != NULL && k < a->count; k++)
			read_sid(&a->values[k]);
		must(server_schema_translate(&schema, entries.list[i]) == 0);
	}
	must(identities_build(&entries, &settings, &all) == 0);
	look_at(&all, &entries, &holders);
	for (size_t i = 0; i < all.user_count; i++)
		must(all.users[i].state != FACTS_MANAGED || !schema.sids.there || entry_attribute(all.users[i].entry,
		    "primaryGroupID") == NULL || (all.users[i].uid >= schema.sids.first && all.users[i].uid <= schema.sids.last));
	identities_done(&all);
	entries_done(&entries);
}

/* An exemption that holds at all has an end, and says the same as a line of FACTS, of which nothing spills over. */
static void
exempt_each(const struct entries *entries)
{
	char line[EXEMPTION_LINE_MAX], fault[64];
	struct exemption x, back;

	for (size_t i = 0; i < entries->count; i++) {
		const char *at = line;

		if (exemption_read(entries->list[i], NULL, &x, fault, sizeof fault) < 0)
			continue;
		must(x.control != CONTROL_NONE && x.until_utc_sec > x.from_utc_sec);
		must(exemption_format(&x, line, sizeof line) > 0 && exemption_next(&at, &back) && *at == '\0');
		must(back.control == x.control && back.until_utc_sec == x.until_utc_sec && strcmp(back.key, x.key) == 0);
		must(strcmp(back.service, x.service) == 0 && strcmp(back.sources, x.sources) == 0);
		must(!exemption_holds(&x, x.control, x.until_utc_sec, x.key, x.service, "192.0.2.7"));
	}
}

static bool
is_in(const struct identities *all, const struct identity *user, const char *group)
{
	for (uint32_t i = 0; i < user->group_count; i++)
		if (strcmp(all->groups[user->groups[i]].name, group) == 0)
			return true;
	return false;
}

/* Whoever is in more groups by grants than without has a grant that says so, is not the approver, and loses it in time. */
static void
grant(const struct entries *entries, int64_t now_utc_sec)
{
	static struct settings settings;
	struct entries effective = { 0 };
	struct identities with = { 0 }, without = { 0 };
	char fault[GRANT_FAULT_SIZE];

	settings_defaults(&settings);
	for (size_t i = 0; i < entries->count; i++) {
		const char *text = entry_value(entries->list[i], "description");

		if (text != NULL && strlen(text) < sizeof settings.directory_max_grant &&
		    grant_longest_check(text, fault, sizeof fault) == 0)
			(void)snprintf(settings.directory_max_grant, sizeof settings.directory_max_grant, "%s", text);
	}
	must(grants_apply(entries, &settings, now_utc_sec, &effective) == 0 && effective.count == entries->count);
	must(identities_build(&effective, &settings, &with) == 0 && identities_build(entries, &settings, &without) == 0);
	for (size_t i = 0; i < with.user_count; i++) {
		const struct identity *user = &with.users[i], *bare = identities_find(&without, user->name);
		bool granted = false;

		must(entry_counts(user->entry, ENTRY_ACCOUNT, settings.directory_base));
		for (size_t k = 0; k < entries->count && !granted; k++)
			granted = entry_counts(entries->list[k], ENTRY_GRANT, settings.directory_base) &&
			    entry_has_value(entries->list[k], "ismsMember", user->entry->dn) &&
			    !entry_has_value(entries->list[k], "ismsApprover", user->entry->dn);
		for (uint32_t k = 0; k < user->group_count && !granted && bare != NULL && bare->entry == user->entry; k++)
			must(is_in(&without, bare, with.groups[user->groups[k]].name));
	}
	identities_done(&with);
	identities_done(&without);
	entries_done(&effective);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char mark[] = "\n#then\n";
	static struct settings settings;
	const uint8_t *then = memmem(data, size, mark, sizeof mark - 1);
	size_t first = then != NULL ? (size_t)(then - data) + 1 : size;
	struct identities before = { 0 }, after = { 0 }, last = { 0 };
	struct entries earlier = { 0 }, later = { 0 };
	struct identity_holders holders = { 0 };

	settings_defaults(&settings);
	read_directory(data, first, &earlier);
	read_directory(then != NULL ? data + first : data, size - (then != NULL ? first : 0), &later);
	must(identities_build(&earlier, &settings, &before) == 0);
	must(identities_build_after(&later, &settings, &before, &holders, &after) == 0);
	must(identity_holders_update(&holders, &before, &after) >= 0);
	look_at(&after, &later, &holders);
	exempt_each(&later);
	claim_each(&later, &after);
	compare(&earlier);
	grant(&later, 1800000000);
	grant(&later, INT64_MAX);
	must(identities_build_after(&earlier, &settings, &after, &holders, &last) == 0);	/* and back again */
	look_at(&last, &earlier, &holders);
	identities_done(&last);
	identities_done(&after);
	identities_done(&before);
	identity_holders_done(&holders);
	if (earlier.count > 0)
		edit(&earlier);
	entries_done(&later);
	entries_done(&earlier);
	translate(data, size, "active-directory", "S-1-5-21-1-2-3 200000-399999");
	translate(data, size, "active-directory", "none");
	translate(data, size, "389-ds", "none");
	return 0;
}
