/*
 * census_keys.c - the keys under which the census finds an entry again.
 *
 * Directory process. A key that is forgotten here is a person who is not judged anew when he should be: whatever
 * identity.c and identity_groups.c compare entries by has its kind in enum census_kind.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/entry_place.h"
#include "common/snapshot.h"
#include "daemon/census_parts.h"

#define AT_ONCE 32u			/* keys that are made before any is told of: their slots come meanwhile */

struct emitting {
	const struct census *c;
	census_each *each;
	void *arg;
	uint64_t keys[AT_ONCE];
	enum census_kind kinds[AT_ONCE];
	size_t count;
};

/* Tell of what was made. */
static int
flush(struct emitting *to)
{
	int r = 0;

	for (size_t i = 0; i < to->count && r == 0; i++)
		r = to->each(to->keys[i], to->kinds[i], to->arg);
	to->count = 0;
	return r;
}

static int
emit_key(struct emitting *to, enum census_kind kind, uint64_t key)
{
	bool child = kind == CENSUS_CHILD_DN || kind == CENSUS_CHILD_NAME;

	census_index_expect(child ? &to->c->children : &to->c->index, key);
	to->kinds[to->count] = kind;
	to->keys[to->count++] = key;
	return to->count == AT_ONCE ? flush(to) : 0;
}

static int
emit(struct emitting *to, enum census_kind kind, const void *bytes, size_t len)
{
	return emit_key(to, kind, census_key(&to->c->index, (unsigned char)kind, bytes, len));
}

static int
on_claim(enum identity_claim kind, const char *key, void *arg)
{
	return kind == CLAIM_PRIMARY_GID ? 0 : emit(arg, (enum census_kind)kind, key, strlen(key));
}

const char *
census_token(const struct entry *e, bool of_group)
{
	if (of_group)
		return identity_is_group(e) ? entry_value(e, "primaryGroupToken") : NULL;
	return entry_has_class(e, "posixAccount") ? entry_value(e, "primaryGroupID") : NULL;
}

void
census_fold_name(const char *name, char ret[static IDENTITY_KEY_SIZE])
{
	size_t len = strlen(name);

	ret[0] = '\0';
	for (size_t i = 0; len < IDENTITY_KEY_SIZE && i <= len; i++)
		ret[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] - 'A' + 'a' : name[i]);
}

bool
census_child_key(const struct census *c, const struct value *v, bool by_name, uint64_t *ret)
{
	char *ndn;

	if (by_name) {
		*ret = census_key(&c->index, CENSUS_CHILD_NAME, v->bytes, strlen(v->bytes));
		return true;
	}
	ndn = entry_normalise_dn(v->bytes);
	if (ndn == NULL)
		return false;
	*ret = census_key(&c->index, CENSUS_CHILD_DN, ndn, strlen(ndn));
	free(ndn);
	return true;
}

uint32_t
census_next_child(const struct census *c, const struct value *v, bool by_name, uint32_t *at)
{
	char folded[IDENTITY_KEY_SIZE], *ndn;
	uint64_t key;

	if (by_name) {
		census_fold_name(v->bytes, folded);
		return census_index_next(&c->index, census_key(&c->index, CLAIM_NAME, folded, strlen(folded)), at);
	}
	ndn = entry_normalise_dn(v->bytes);
	if (ndn == NULL)
		return 0;
	key = census_key(&c->index, CENSUS_DN, ndn, strlen(ndn));
	free(ndn);
	return census_index_next(&c->index, key, at);
}

uint32_t
census_next_claimant(const struct census *c, enum census_kind kind, uint64_t key, uint32_t *at, size_t *others)
{
	static const uint8_t has[CENSUS_HELD + 1] = {
		[CLAIM_NAME] = STANDING_USER, [CLAIM_UID] = STANDING_USER, [CLAIM_ENTRY_ID] = STANDING_USER,
		[CLAIM_GROUP_NAME] = STANDING_GROUP_NAME, [CLAIM_GID] = STANDING_GID,
	};
	uint32_t item;

	while ((item = census_index_next(&c->index, key, at)) != 0)
		if (has[kind] == 0 || (c->items[item - 1].standing & has[kind]) != 0 || (*others)++ < CENSUS_CLAIMANTS_MAX)
			return item;
	return 0;
}

static int
emit_children(struct emitting *to, const struct entry *e, bool by_name)
{
	const struct attribute *a = entry_attribute(e, by_name ? "memberUid" : "member");
	uint64_t key;
	int r = 0;

	for (size_t i = 0; a != NULL && i < a->count && r == 0; i++)
		if (census_child_key(to->c, &a->values[i], by_name, &key))
			r = emit_key(to, by_name ? CENSUS_CHILD_NAME : CENSUS_CHILD_DN, key);
	return r;
}

static int
emit_claims(struct emitting *to, const struct entry *e, const struct settings *settings)
{
	const char *token = census_token(e, true);
	int r;

	r = emit(to, CENSUS_DN, e->ndn, strlen(e->ndn));
	if (r == 0 && token != NULL)
		r = emit(to, CENSUS_TOKEN, token, strlen(token));
	return r == 0 ? identity_claims(e, settings, on_claim, to) : r;
}

int
census_each_claim(const struct census *c, const struct entry *e, const struct settings *settings, census_each *each,
    void *arg)
{
	struct emitting to = { .c = c, .each = each, .arg = arg };
	int r = emit_claims(&to, e, settings);

	return r == 0 ? flush(&to) : r;
}

/* Keys by which nobody contends: the DN that an attribute of a class names. */
static int
emit_named(struct emitting *to, const struct entry *e, const char *class, const char *name, enum census_kind kind)
{
	const char *dn = entry_has_class(e, class) ? entry_value(e, name) : NULL;
	char *ndn = dn != NULL ? entry_normalise_dn(dn) : NULL;
	int r = ndn != NULL ? emit(to, kind, ndn, strlen(ndn)) : 0;

	free(ndn);
	return r;
}

uint32_t
census_next_owned(const struct census *c, const struct entry *owner, uint32_t *at)
{
	return census_index_next(&c->index, census_key(&c->index, CENSUS_OWNER, owner->ndn, strlen(owner->ndn)), at);
}

int
census_each_child(const struct census *c, const struct entry *e, census_each *each, void *arg)
{
	struct emitting to = { .c = c, .each = each, .arg = arg };
	int r = 0;

	if (!identity_is_group(e))
		return 0;
	for (int by_name = 0; by_name < 2 && r == 0; by_name++)
		r = emit_children(&to, e, by_name != 0);
	return r == 0 ? flush(&to) : r;
}

int
census_each_own_key(const struct census *c, const struct entry *e, const struct settings *settings, census_each *each,
    void *arg)
{
	struct emitting to = { .c = c, .each = each, .arg = arg };
	int r;

	r = emit_claims(&to, e, settings);
	if (r == 0)
		r = emit_named(&to, e, "posixAccount", "owner", CENSUS_OWNER);
	if (r == 0 && entry_counts(e, ENTRY_EXEMPTION, settings->directory_base))
		r = emit_named(&to, e, "ismsExemption", "ismsMember", CENSUS_EXEMPT);
	return r == 0 ? flush(&to) : r;
}

int
census_each_key(const struct census *c, const struct entry *e, const struct settings *settings, census_each *each,
    void *arg)
{
	int r = census_each_own_key(c, e, settings, each, arg);

	return r == 0 ? census_each_child(c, e, each, arg) : r;
}

int
census_entry_at(const struct census *c, const char *ndn, uint32_t *at, uint8_t ret_id[ENTRY_ID_SIZE], bool *ret_gone,
    struct entry **ret)
{
	uint64_t key = census_key(&c->index, CENSUS_DN, ndn, strlen(ndn));
	struct entry *e;
	uint32_t item;
	int r = 0;

	*ret = NULL;
	while ((item = census_index_next(&c->index, key, at)) != 0) {
		const struct census_item *i = &c->items[item - 1];

		if (!census_is_there(c, item - 1))
			continue;
		if (i->number != ENTRY_NOWHERE)
			r = entry_heap_get(c->heap, i->number, true, &e);
		else
			e = entry_ref(i->e);
		if (r < 0)
			return r;
		if (strcmp(e->ndn, ndn) == 0) {
			memcpy(ret_id, i->id, ENTRY_ID_SIZE);
			*ret_gone = i->gone;
			*ret = e;
			return 0;
		}
		entry_free(e);
	}
	return 0;
}

int
census_parent_at(const struct census *c, const char *ndn, uint32_t *at, uint8_t ret_id[ENTRY_ID_SIZE], struct entry **ret)
{
	uint64_t key = census_key(&c->index, CENSUS_CHILD_DN, ndn, strlen(ndn));
	uint32_t item;

	*ret = NULL;
	while ((item = census_index_next(&c->children, key, at)) != 0) {
		const struct census_item *i = &c->items[item - 1];

		if (!census_is_there(c, item - 1))
			continue;
		memcpy(ret_id, i->id, ENTRY_ID_SIZE);
		if (i->number != ENTRY_NOWHERE)
			return entry_heap_get(c->heap, i->number, true, ret);
		*ret = entry_ref(i->e);
		return 0;
	}
	return 0;
}

const struct entry *
census_before(struct census *c, uint32_t item, struct entry **ret_owned)
{
	const struct entry *e = census_then(c, item);
	uint32_t at = 0, other;
	uint64_t key;

	*ret_owned = NULL;
	if (e == NULL || census_was_gone(c, item))
		return e;
	key = census_key(&c->index, CENSUS_DN, e->ndn, strlen(e->ndn));
	while ((other = census_index_next(&c->index, key, &at)) != 0) {
		const struct entry *more = NULL;

		if (other - 1 != item && !census_was_gone(c, other - 1))
			more = census_then(c, other - 1);
		if (more == NULL || strcmp(more->ndn, e->ndn) != 0)
			continue;
		if (*ret_owned == NULL && ((*ret_owned = entry_new(e->dn)) == NULL || entry_add_all(*ret_owned, e) < 0))
			return NULL;
		if (entry_add_all(*ret_owned, more) < 0)
			return NULL;
	}
	return *ret_owned != NULL ? *ret_owned : e;
}
