/*
 * identity.c - a directory's entries -> all its users and groups, and what no two of them may share.
 *
 * Directory process and isms-userctl. Pure. It must never let one entry's fault reach another's
 * identity, except where two entries claim the same name, id or UUID: then nobody can say whose it
 * is, and both are FACTS_BROKEN.
 */
#include <config.h>

#include "common/identity.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/identity_parts.h"
#include "common/snapshot.h"

struct claim {
	enum identity_claim kind;
	uint32_t index;			/* of users; of groups for the last two kinds */
	char key[IDENTITY_KEY_SIZE];
};

struct claims {
	struct claim *list;
	size_t count;
};

static const char *const claim_words[] = {
	[CLAIM_NAME] = "uid", [CLAIM_UID] = "uidNumber", [CLAIM_ENTRY_ID] = "entryUUID", [CLAIM_GROUP_NAME] = "cn",
	[CLAIM_GID] = "gidNumber", [CLAIM_PRIMARY_GID] = "gidNumber",
};

int
identity_add_fault(struct identities *all, const struct entry *e, const char *what)
{
	struct fault line = { "" };
	struct identity_fault_line *faults;

	/* Grown at powers of two, so that a directory of broken entries costs no more than one of good ones. */
	if ((all->fault_count & (all->fault_count - 1)) == 0) {
		faults = reallocarray(all->faults, all->fault_count == 0 ? 1 : all->fault_count * 2, sizeof *faults);
		if (faults == NULL)
			return -ENOMEM;
		all->faults = faults;
	}
	identity_fault(&line, "%.120s: %s", e->dn, what);
	all->faults[all->fault_count].entry = e;
	memcpy(all->faults[all->fault_count++].text, line.text, sizeof line.text);
	return 0;
}

int
identity_break(struct identity *user, const char *what)
{
	if (user->state == FACTS_BROKEN)
		return 0;
	user->fault = strdup(what);
	if (user->fault == NULL)
		return -ENOMEM;
	user->state = FACTS_BROKEN;
	return 0;
}

void
identity_user_done(struct identity *user)
{
	free(user->fault);
	free(user->gecos);
	free(user->home);
	free(user->shell);
	free(user->display);
	free(user->sponsor);
	free(user->owner);
	free(user->armed_by);
	free(user->armed_reason);
	free(user->sources);
	free(user->command);
	free(user->groups);
}

void
identities_done(struct identities *all)
{
	for (size_t i = 0; i < all->user_count; i++)
		identity_user_done(&all->users[i]);
	free(all->users);
	free(all->groups);
	free(all->faults);
	*all = (struct identities){ 0 };
}

static int
compare_names(const void *a, const void *b)
{
	const struct identity *x = a, *y = b;

	return strcmp(x->name, y->name);
}

const struct identity *
identities_find(const struct identities *all, const char *name)
{
	const struct identity *found, *end = all->users + all->user_count;
	struct identity key;

	if (name[0] == '\0' || strlen(name) >= sizeof key.name || all->user_count == 0)
		return NULL;
	memcpy(key.name, name, strlen(name) + 1);
	found = bsearch(&key, all->users, all->user_count, sizeof key, compare_names);
	/* Of several the good one, if there is one: beside him stand only those who are refused. */
	while (found != NULL && found > all->users && compare_names(found - 1, &key) == 0)
		found--;
	while (found != NULL && found->state != FACTS_MANAGED && found + 1 < end && compare_names(found + 1, &key) == 0)
		found++;
	return found;
}

/*
 * Read one posixAccount entry. One with several uids becomes a broken user of each of those names,
 * so that none of them is anybody else's.
 */
static int
read_entry(const struct entry *e, const struct settings *settings, struct identities *all)
{
	const struct attribute *names = entry_attribute(e, "uid");
	size_t count = names != NULL && names->count > 1 ? names->count : 1;
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++) {
		const char *name = names != NULL && names->count > 0 ? names->values[i].bytes : "";
		struct identity *user = &all->users[all->user_count++];
		struct fault fault = { "" };

		user->claimed_name = names != NULL && names->count > 0 ? name : NULL;
		if (count > 1)
			identity_fault(&fault, "several values of uid; leave one");
		else if (names != NULL && names->count > 0 && names->values[0].len != strlen(name))
			identity_fault(&fault, "uid holds a NUL byte");
		if (snapshot_name_allowed(name, strlen(name)))
			memcpy(user->name, name, strlen(name) + 1);
		else
			identity_fault(&fault, "uid \"%.40s\" cannot be a user's name here (a-z 0-9 _ . -, at most 32)",
			    name);
		r = identity_read_user(e, settings, user, &fault);
		if (r == 0 && fault.text[0] != '\0')
			r = identity_break(user, fault.text);
	}
	return r;
}

static int
read_users(const struct entry *const *below_base, size_t count, const struct settings *settings,
    struct identities *all)
{
	size_t room = 0;
	int r = 0;

	for (size_t i = 0; i < count; i++) {
		const struct attribute *names = entry_attribute(below_base[i], "uid");

		room += names != NULL && names->count > 1 ? names->count : 1;
	}
	all->users = calloc(room + 1, sizeof *all->users);
	if (all->users == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count && r == 0; i++)
		if (entry_has_class(below_base[i], "posixAccount"))
			r = read_entry(below_base[i], settings, all);
	qsort(all->users, all->user_count, sizeof *all->users, compare_names);
	return r;
}

static void
claim(struct claims *claims, enum identity_claim kind, size_t index, const char *key)
{
	struct claim *c = &claims->list[claims->count];

	if (key[0] == '\0' || strlen(key) >= sizeof c->key)	/* too long to be a valid one */
		return;
	c->kind = kind;
	c->index = (uint32_t)index;
	for (size_t i = 0; i <= strlen(key); i++)
		c->key[i] = (char)(key[i] >= 'A' && key[i] <= 'Z' ? key[i] - 'A' + 'a' : key[i]);
	claims->count++;
}

static void
claim_number(struct claims *claims, enum identity_claim kind, size_t index, uint32_t number)
{
	char text[16];

	(void)snprintf(text, sizeof text, "%u", (unsigned)number);
	if (number != 0)
		claim(claims, kind, index, text);
}

static int
compare_claims(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int order;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	order = strcmp(x->key, y->key);
	return order != 0 ? order : x->index < y->index ? -1 : x->index > y->index;
}

/* All claims, sorted, so that equal ones stand together. Also of broken entries: what they claim is claimed. */
static int
collect_claims(const struct identities *all, struct claims *ret)
{
	ret->list = calloc(all->user_count * 3 + all->group_count * 2 + 1, sizeof *ret->list);
	if (ret->list == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < all->user_count; i++) {
		const struct identity *u = &all->users[i];

		/* A name that cannot be used is compared all the same: "Ada" and "ada" are one uid to a directory. */
		claim(ret, CLAIM_NAME, i, u->name[0] != '\0' || u->claimed_name == NULL ? u->name : u->claimed_name);
		claim_number(ret, CLAIM_UID, i, u->uid);
		claim(ret, CLAIM_ENTRY_ID, i, u->entry_id);
	}
	for (size_t i = 0; i < all->group_count; i++) {
		claim(ret, CLAIM_GROUP_NAME, i, all->groups[i].name);
		claim_number(ret, CLAIM_GID, i, all->groups[i].gid);
	}
	qsort(ret->list, ret->count, sizeof *ret->list, compare_claims);
	return 0;
}

const char *
identity_group_id(const struct entry *e)
{
	const char *uuid = entry_value(e, "entryUUID");

	return uuid != NULL ? uuid : e->ndn;
}

/* The entry behind a claim; several names of one entry do not contend with each other. */
static const struct entry *
claimant(const struct identities *all, const struct claim *c)
{
	return c->kind >= CLAIM_GROUP_NAME ? all->groups[c->index].entry : all->users[c->index].entry;
}

/* kept: one of the claimants had it before and has it still */
static int
refuse_claim(struct identities *all, const struct claim *c, const struct claim *other, bool kept)
{
	char what[IDENTITY_FAULT_SIZE];
	struct identity_group *group;

	(void)snprintf(what, sizeof what, "%s \"%.65s\" is also claimed by %.100s; give one of them another",
	    claim_words[c->kind], c->key, claimant(all, other)->dn);
	if (c->kind < CLAIM_GROUP_NAME)
		return identity_break(&all->users[c->index], what);
	group = &all->groups[c->index];
	group->gid = 0;
	if (c->kind == CLAIM_GROUP_NAME)
		group->whose = kept ? IDENTITY_NAME_OTHERS : IDENTITY_NAME_DOUBTFUL;
	return identity_add_fault(all, claimant(all, c), what);
}

/* Where the claims of a kind to a key begin, or would. */
static size_t
first_claim(const struct claims *claims, enum identity_claim kind, const char *key)
{
	size_t low = 0, high = claims->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct claim *m = &claims->list[middle];

		if (m->kind < kind || (m->kind == kind && strcmp(m->key, key) < 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The past that another struct identities is. */
struct previous {
	const struct identities *all;
	struct claims claims;
};

static const char *
holder_before(void *arg, enum identity_claim kind, const char *key)
{
	const struct previous *previous = arg;
	const struct claims *before = &previous->claims;

	for (size_t low = first_claim(before, kind, key); low < before->count; low++) {
		const struct claim *m = &before->list[low];
		const struct identity_group *group;

		if (m->kind != kind || strcmp(m->key, key) != 0)
			return NULL;
		group = kind >= CLAIM_GROUP_NAME ? &previous->all->groups[m->index] : NULL;
		if (group != NULL && group->whose == IDENTITY_NAME_OWN)
			return identity_group_id(group->entry);
		if (group == NULL && previous->all->users[m->index].state == FACTS_MANAGED)
			return previous->all->users[m->index].entry_id;
	}
	return NULL;
}

static bool
knew_before(void *arg, const char *entry_id)
{
	const struct previous *previous = arg;
	const struct claims *before = &previous->claims;

	for (size_t low = first_claim(before, CLAIM_ENTRY_ID, entry_id); low < before->count; low++) {
		const struct claim *m = &before->list[low];

		if (m->kind != CLAIM_ENTRY_ID || strcmp(m->key, entry_id) != 0)
			return false;
		if (previous->all->users[m->index].state == FACTS_MANAGED)
			return true;
	}
	return false;
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
judge_run(struct identities *all, const struct claim *run, size_t count, const char *holder)
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
			r = refuse_claim(all, &run[i], &run[i == 0 ? 1 : 0], kept);
	return r;
}

/* Everybody of a run who is not the one that had the name or number before. */
static int
judge_newcomers(struct identities *all, const struct claim *run, size_t count, const char *holder,
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
		    "isms-userctl snapshot approve", claim_words[run[i].kind], run[i].key);
		r = identity_break(user, what);
		user->newcomer = true;
		all->newcomer_count++;
	}
	return r;
}

/* With no room to remember by, whoever was not there is taken for one. */
static const char *
former_holder(const struct identity_holders *holders, const struct identities *all, const struct identity_past *past,
    const struct claim *c)
{
	const char *mine = all->users[c->index].entry_id;

	if (holders->count < IDENTITY_HOLDERS_MAX || past == NULL)
		return identity_holders_find(holders, c->kind == CLAIM_UID, c->key);
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
		bool claimed = false, kept = false;
		char key[16], what[IDENTITY_FAULT_SIZE];

		(void)snprintf(key, sizeof key, "%u", (unsigned)user->gid);
		for (size_t at = first_claim(claims, CLAIM_GID, key); at < claims->count; at++) {
			const struct claim *c = &claims->list[at];

			if (c->kind != CLAIM_GID || strcmp(c->key, key) != 0)
				break;
			claimed = true;
			kept = kept || all->groups[c->index].gid != 0;
		}
		if (!claimed || kept)
			continue;
		(void)snprintf(what, sizeof what, "its primary group, gidNumber %s, is in doubt: see that group's fault", key);
		r = identity_break(user, what);
	}
	return r;
}

/* One run of equal claims: what contends, then who is somebody else than the one that had it. */
static int
judge_one(struct identities *all, const struct claim *run, size_t count, const struct identity_past *past,
    const struct identity_holders *holders)
{
	bool for_newcomers = holders != NULL && (run->kind == CLAIM_NAME || run->kind == CLAIM_UID);
	const char *had = NULL;
	char holder[IDENTITY_KEY_SIZE];
	int r = 0;

	if (count == 1 && !for_newcomers)
		return 0;
	if (past != NULL && run->kind != CLAIM_ENTRY_ID)
		had = past->holder(past->arg, run->kind, run->key);
	if (count > 1)
		r = judge_run(all, run, count, had);
	if (r < 0 || !for_newcomers)
		return r;
	if (had == NULL)
		had = former_holder(holders, all, past, run);
	if (had == NULL)
		return 0;
	(void)snprintf(holder, sizeof holder, "%s", had);	/* an entry_id, which fits */
	return judge_newcomers(all, run, count, holder, past);
}

static int
judge_claims(struct identities *all, const struct identity_past *past, const struct identity_holders *holders)
{
	struct claims claims = { 0 };
	int r = collect_claims(all, &claims);

	for (size_t i = 0, end; r == 0 && i < claims.count; i = end) {
		const struct claim *first = &claims.list[i];

		for (end = i + 1; end < claims.count; end++)
			if (claims.list[end].kind != first->kind || strcmp(claims.list[end].key, first->key) != 0)
				break;
		r = judge_one(all, first, end - i, past, holders);
	}
	if (r == 0)
		r = break_members(all, &claims);
	free(claims.list);
	return r;
}

static int
note_user_faults(struct identities *all)
{
	int r = 0;

	for (size_t i = 0; i < all->user_count && r == 0; i++)
		if (all->users[i].state == FACTS_BROKEN)
			r = identity_add_fault(all, all->users[i].entry, all->users[i].fault);
	return r;
}

int
identity_claims(const struct entry *e, const struct settings *settings, identity_claim_each *each, void *arg)
{
	struct identities all = { 0 };
	struct claims claims = { 0 };
	char gid[16];
	int r;

	r = read_users(&e, 1, settings, &all);
	if (r == 0)
		r = identity_read_groups(&e, 1, settings, &all);
	if (r == 0)
		r = collect_claims(&all, &claims);
	for (size_t i = 0; r == 0 && i < claims.count; i++)
		r = each(claims.list[i].kind, claims.list[i].key, arg);
	for (size_t i = 0; r == 0 && i < all.user_count && all.users[i].gid != 0; i++) {
		(void)snprintf(gid, sizeof gid, "%u", (unsigned)all.users[i].gid);
		r = each(CLAIM_PRIMARY_GID, gid, arg);
	}
	free(claims.list);
	identities_done(&all);
	return r;
}

int
identities_build_from(const struct entries *entries, const struct settings *settings,
    const struct identity_past *past, const struct identity_holders *holders, struct identities *ret)
{
	const struct entry **below_base = calloc(entries->count + 1, sizeof(struct entry *));
	char *nbase = entry_normalise_dn(settings->directory_base);
	struct identities all = { 0 };
	size_t count = 0;
	int r = -ENOMEM;

	if (below_base == NULL || nbase == NULL)
		goto out;
	r = identity_list_below(entries, nbase, &all, below_base, &count);
	if (r == 0)
		r = read_users(below_base, count, settings, &all);
	if (r == 0)
		r = identity_read_groups(below_base, count, settings, &all);
	if (r == 0)
		r = judge_claims(&all, past, holders);
	if (r == 0)
		r = identity_link_groups(below_base, count, &all);
	if (r == 0)
		r = note_user_faults(&all);
	if (r == 0) {
		*ret = all;
		all = (struct identities){ 0 };		/* now owned by *ret */
	}
out:
	identities_done(&all);
	free(below_base);
	free(nbase);
	return r;
}

int
identities_build_after(const struct entries *entries, const struct settings *settings,
    const struct identities *previous, const struct identity_holders *holders, struct identities *ret)
{
	struct previous before = { .all = previous };
	const struct identity_past past = { .holder = holder_before, .knew = knew_before, .arg = &before };
	int r = previous != NULL ? collect_claims(previous, &before.claims) : 0;

	if (r == 0)
		r = identities_build_from(entries, settings, previous != NULL ? &past : NULL, holders, ret);
	free(before.claims.list);
	return r;
}

int
identities_build(const struct entries *entries, const struct settings *settings, struct identities *ret)
{
	return identities_build_after(entries, settings, NULL, NULL, ret);
}
