/*
 * identity_contest.c - what no two entries may share: names, ids and UUIDs, and who has one that was another's.
 *
 * Directory process and isms-userctl. Pure. Where two entries claim the same, nobody can say whose it is, and both are
 * FACTS_BROKEN, unless one of them had it before. The view before, by its claims, is a past (identities_build_after()).
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/identity_parts.h"
#include "common/pages.h"
#include "common/siphash.h"

/* There are millions of them: what is sorted is a number for each, and keys are written where two have the same. */
struct claim {
	uint64_t order;			/* an id itself; the first bytes of a group's name; of others a keyed hash */
	uint32_t index;			/* of users; of groups for the last two kinds */
	enum identity_claim kind;
};

struct claims {
	const struct identities *all;	/* whose claims they are */
	uint64_t secret[2];		/* of the hashes: nobody can make many of them alike */
	struct claim *list;		/* owned; sorted by kind, order, key and index */
	size_t count, room;
};

static const char *const claim_words[] = {
	[CLAIM_NAME] = "uid", [CLAIM_UID] = "uidNumber", [CLAIM_ENTRY_ID] = "entryUUID", [CLAIM_GROUP_NAME] = "cn",
	[CLAIM_GID] = "gidNumber", [CLAIM_PRIMARY_GID] = "gidNumber",
};

/* What is claimed, but for ids. Returns false for nothing. */
static bool
text_key(const struct identities *all, enum identity_claim kind, uint32_t index, char ret[static IDENTITY_KEY_SIZE])
{
	const struct identity *u;

	if (kind >= CLAIM_GROUP_NAME)
		return identity_fold_key(all->groups[index].name, ret);
	u = &all->users[index];
	if (kind == CLAIM_ENTRY_ID)
		return identity_fold_key(u->entry_id, ret);
	/* A name that cannot be used is compared all the same: "Ada" and "ada" are one uid to a directory. */
	return identity_fold_key(u->name[0] != '\0' || u->claimed_name == NULL ? u->name : u->claimed_name, ret);
}

static bool
is_id(enum identity_claim kind)
{
	return kind == CLAIM_UID || kind == CLAIM_GID;
}

static void
claim_key(const struct claims *claims, const struct claim *c, char ret[static IDENTITY_KEY_SIZE])
{
	if (is_id(c->kind))
		identity_number_key((uint32_t)c->order, ret);
	else if (!text_key(claims->all, c->kind, c->index, ret))
		ret[0] = '\0';		/* it is no claim */
}

static uint64_t
order_of(const struct claims *claims, enum identity_claim kind, const char *key)
{
	if (is_id(kind))
		return strtoul(key, NULL, 10);
	return kind == CLAIM_GROUP_NAME ? identity_leading_bytes(key, 0) : siphash13(claims->secret, key, strlen(key));
}

static void
claim_text(struct claims *claims, enum identity_claim kind, size_t index)
{
	char key[IDENTITY_KEY_SIZE];

	if (text_key(claims->all, kind, (uint32_t)index, key))
		claims->list[claims->count++] = (struct claim){ order_of(claims, kind, key), (uint32_t)index, kind };
}

static void
claim_id(struct claims *claims, enum identity_claim kind, size_t index, uint32_t id)
{
	if (id != 0)
		claims->list[claims->count++] = (struct claim){ id, (uint32_t)index, kind };
}

static int
compare_keys(const struct claims *claims, const struct claim *x, const struct claim *y)
{
	char one[IDENTITY_KEY_SIZE], other[IDENTITY_KEY_SIZE];

	if (is_id(x->kind))
		return 0;		/* of one order, they are the same */
	claim_key(claims, x, one);
	claim_key(claims, y, other);
	return strcmp(one, other);
}

static int
compare_claims(const void *a, const void *b, void *arg)
{
	const struct claim *x = a, *y = b;
	int order;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	order = compare_keys(arg, x, y);
	return order != 0 ? order : x->index < y->index ? -1 : x->index > y->index;
}

static bool
is_same_claim(const struct claims *claims, const struct claim *x, const struct claim *y)
{
	return x->kind == y->kind && x->order == y->order && compare_keys(claims, x, y) == 0;
}

static void
claims_done(struct claims *claims)
{
	pages_free(claims->list, claims->room * sizeof *claims->list);
}

/* All claims, sorted, so that equal ones stand together. Also of broken entries: what they claim is claimed. */
static int
collect_claims(const struct identities *all, struct claims *ret)
{
	*ret = (struct claims){ .all = all, .room = all->user_count * 3 + all->group_count * 2 + 1 };
	ret->list = pages_take_array(ret->room, sizeof *ret->list);
	if (ret->list == NULL || getrandom(ret->secret, sizeof ret->secret, 0) != (ssize_t)sizeof ret->secret)
		return -ENOMEM;
	for (size_t i = 0; i < all->user_count; i++) {
		claim_text(ret, CLAIM_NAME, i);
		claim_id(ret, CLAIM_UID, i, all->users[i].uid);
		claim_text(ret, CLAIM_ENTRY_ID, i);
	}
	for (size_t i = 0; i < all->group_count; i++) {
		claim_text(ret, CLAIM_GROUP_NAME, i);
		claim_id(ret, CLAIM_GID, i, all->groups[i].gid);
	}
	qsort_r(ret->list, ret->count, sizeof *ret->list, compare_claims, ret);
	return 0;
}

/* The entry behind a claim; several names of one entry do not contend with each other. */
static const struct entry *
claimant(const struct identities *all, const struct claim *c)
{
	return c->kind >= CLAIM_GROUP_NAME ? all->groups[c->index].entry : all->users[c->index].entry;
}

/* kept: one of the claimants had it before and has it still */
static int
refuse_claim(struct identities *all, const struct claim *c, const char *key, const struct claim *other, bool kept)
{
	char what[IDENTITY_FAULT_SIZE];
	struct identity_group *group;

	(void)snprintf(what, sizeof what, "%s \"%.65s\" is also claimed by %.100s; give one of them another",
	    claim_words[c->kind], key, claimant(all, other)->dn);
	if (c->kind < CLAIM_GROUP_NAME)
		return identity_break(&all->memory, &all->users[c->index], what);
	group = &all->groups[c->index];
	group->gid = 0;
	if (c->kind == CLAIM_GROUP_NAME)
		group->whose = kept ? IDENTITY_NAME_OTHERS : IDENTITY_NAME_DOUBTFUL;
	return identity_add_fault(all, claimant(all, c), what);
}

/* Whether a claim stands before those of a kind to a key. */
static bool
is_before(const struct claims *claims, const struct claim *c, const struct claim *wanted, const char *key)
{
	char there[IDENTITY_KEY_SIZE];

	if (c->kind != wanted->kind || c->order != wanted->order)
		return c->kind < wanted->kind || (c->kind == wanted->kind && c->order < wanted->order);
	claim_key(claims, c, there);
	return strcmp(there, key) < 0;
}

/* The first claim of a kind to a key; NULL: there is none. */
static const struct claim *
first_claim(const struct claims *claims, enum identity_claim kind, const char *key)
{
	const struct claim wanted = { order_of(claims, kind, key), 0, kind };
	size_t low = 0, high = claims->count;
	char there[IDENTITY_KEY_SIZE];

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (is_before(claims, &claims->list[middle], &wanted, key))
			low = middle + 1;
		else
			high = middle;
	}
	if (low == claims->count || claims->list[low].kind != kind)
		return NULL;
	claim_key(claims, &claims->list[low], there);
	return strcmp(there, key) == 0 ? &claims->list[low] : NULL;
}

/* The next claim to the same; NULL: that was the last. */
static const struct claim *
next_claim(const struct claims *claims, const struct claim *c)
{
	const struct claim *next = c + 1;

	return next < claims->list + claims->count && is_same_claim(claims, next, c) ? next : NULL;
}

static const char *
holder_before(void *arg, enum identity_claim kind, const char *key)
{
	const struct claims *before = arg;

	for (const struct claim *c = first_claim(before, kind, key); c != NULL; c = next_claim(before, c)) {
		const struct identity_group *group = kind >= CLAIM_GROUP_NAME ? &before->all->groups[c->index] : NULL;

		if (group != NULL && group->whose == IDENTITY_NAME_OWN)
			return identity_group_id(group->entry);
		if (group == NULL && before->all->users[c->index].state == FACTS_MANAGED)
			return before->all->users[c->index].entry_id;
	}
	return NULL;
}

static bool
knew_before(void *arg, const char *entry_id)
{
	return holder_before(arg, CLAIM_ENTRY_ID, entry_id) != NULL;
}

static bool
is_holder(const struct identities *all, const struct claim *c, const char *holder)
{
	const char *mine = c->kind >= CLAIM_GROUP_NAME ? identity_group_id(all->groups[c->index].entry) :
	    all->users[c->index].entry_id;

	return holder != NULL && strcmp(mine, holder) == 0;
}

/* Judge one run of equal claims. A name is nobody's but his who had it and is only shown still. */
static int
judge_run(struct identities *all, const struct claim *run, size_t count, const char *key, const char *holder)
{
	const struct entry *had = NULL;
	bool contended = false, kept;
	int r = 0;

	for (size_t i = 0; i < count; i++) {
		contended = contended || claimant(all, &run[i]) != claimant(all, &run[0]);
		if (!is_holder(all, &run[i], holder))
			continue;
		if (had != NULL && had != claimant(all, &run[i]))
			holder = NULL;		/* two of one entryUUID: nobody can say which of them it was */
		had = claimant(all, &run[i]);
	}
	kept = had != NULL && holder != NULL;
	for (size_t i = 0; contended && i < count && r == 0; i++)
		if ((run[i].kind == CLAIM_NAME && !claimant(all, &run[i])->gone) || !is_holder(all, &run[i], holder))
			r = refuse_claim(all, &run[i], key, &run[i == 0 ? 1 : 0], kept);
	return r;
}

/* Everybody of a run who is not the one that had the name or number before. */
static int
judge_newcomers(struct identities *all, const struct claim *run, size_t count, const char *key, const char *holder,
    const struct identity_past *past)
{
	char what[IDENTITY_FAULT_SIZE];
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++) {
		struct identity *user = &all->users[run[i].index];

		if (user->state == FACTS_BROKEN || strcmp(user->entry_id, holder) == 0)
			continue;
		if (past != NULL && past->accepted != NULL && past->accepted(past->arg, user->entry))
			continue;
		(void)snprintf(what, sizeof what, "%s %.33s was another entry's: is this the same person? "
		    "isms-userctl snapshot approve", claim_words[run[i].kind], key);
		r = identity_break(&all->memory, user, what);
		user->newcomer = true;
		all->newcomer_count++;
	}
	return r;
}

/* With no room to remember by, whoever was not there is taken for one. */
static const char *
former_holder(const struct identity_holders *holders, const struct identities *all, const struct identity_past *past,
    const struct claim *c, const char *key)
{
	const char *mine = all->users[c->index].entry_id;

	if (holders->count < IDENTITY_HOLDERS_MAX || past == NULL)
		return identity_holders_find(holders, c->kind == CLAIM_UID, key);
	return past->knew(past->arg, mine) ? mine : "";
}

/*
 * Break the users whose primary group lost its gid to a contest that nobody won: under which name a role restricts
 * them could not be said, and to say nothing would let them pass.
 */
static int
break_members(struct identities *all, const struct claims *claims)
{
	int r = 0;

	for (size_t i = 0; i < all->user_count && r == 0; i++) {
		struct identity *user = &all->users[i];
		char key[IDENTITY_KEY_SIZE], what[IDENTITY_FAULT_SIZE];
		bool claimed = false, kept = false;

		identity_number_key(user->gid, key);
		for (const struct claim *c = first_claim(claims, CLAIM_GID, key); c != NULL; c = next_claim(claims, c)) {
			claimed = true;
			kept = kept || all->groups[c->index].gid != 0;
		}
		if (!claimed || kept)
			continue;
		(void)snprintf(what, sizeof what, "its primary group, gidNumber %s, is in doubt: see that group's fault", key);
		r = identity_break(&all->memory, user, what);
	}
	return r;
}

/* Whether any group lost its gid to a contest. */
static bool
any_lost(const struct identities *all, const struct claims *claims)
{
	for (size_t i = claims->count; i > 0 && claims->list[i - 1].kind == CLAIM_GID; i--)
		if (all->groups[claims->list[i - 1].index].gid == 0)
			return true;
	return false;
}

/* One run of equal claims: what contends, then who is somebody else than the one that had it. */
static int
judge_one(struct identities *all, const struct claims *claims, const struct claim *run, size_t count,
    const struct identity_past *past, const struct identity_holders *holders)
{
	bool for_newcomers = holders != NULL && (run->kind == CLAIM_NAME || run->kind == CLAIM_UID);
	char key[IDENTITY_KEY_SIZE], holder[IDENTITY_KEY_SIZE];
	const char *had = NULL;
	int r = 0;

	if (count == 1 && !for_newcomers)
		return 0;
	claim_key(claims, run, key);
	if (past != NULL && run->kind != CLAIM_ENTRY_ID)
		had = past->holder(past->arg, run->kind, key);
	if (count > 1)
		r = judge_run(all, run, count, key, had);
	if (r < 0 || !for_newcomers)
		return r;
	if (had == NULL)
		had = former_holder(holders, all, past, run, key);
	if (had == NULL)
		return 0;
	(void)snprintf(holder, sizeof holder, "%s", had);	/* an entry_id, which fits */
	return judge_newcomers(all, run, count, key, holder, past);
}

int
identity_judge_claims(struct identities *all, const struct identity_past *past, const struct identity_holders *holders)
{
	struct claims claims;
	int r = collect_claims(all, &claims);

	for (size_t i = 0, end; r == 0 && i < claims.count; i = end) {
		for (end = i + 1; end < claims.count && is_same_claim(&claims, &claims.list[end], &claims.list[i]);)
			end++;
		r = judge_one(all, &claims, &claims.list[i], end - i, past, holders);
	}
	if (r == 0 && any_lost(all, &claims))
		r = break_members(all, &claims);
	claims_done(&claims);
	return r;
}

int
identities_build_after(const struct entries *entries, const struct settings *settings,
    const struct identities *previous, const struct identity_holders *holders, struct identities *ret)
{
	struct claims before = { 0 };
	const struct identity_past past = { .holder = holder_before, .knew = knew_before, .arg = &before };
	int r = previous != NULL ? collect_claims(previous, &before) : 0;

	if (r == 0)
		r = identities_build_from(entries, settings, previous != NULL ? &past : NULL, holders, ret);
	claims_done(&before);
	return r;
}

int
identities_build(const struct entries *entries, const struct settings *settings, struct identities *ret)
{
	return identities_build_after(entries, settings, NULL, NULL, ret);
}
