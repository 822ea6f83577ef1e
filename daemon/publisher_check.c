/*
 * publisher_check.c - judges the records of a roster before anything of them is published.
 *
 * Runs in the publisher. The roster comes from the process that talks to the network and is taken as hostile: a
 * record gets in only by passing every rule; no rule mends a security-relevant value. Does no I/O and keeps no state.
 */
#include <config.h>

#include "daemon/publisher_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A record while it is judged: users and groups alike. */
struct candidate {
	const char *name;
	const char *home;	/* NULL for groups */
	uint32_t id;
	uint32_t index;		/* in the roster */
};

/* The candidates of one kind, and what is known of them. */
struct judging {
	struct candidate *list;	/* owned; passed every rule but those on duplicates */
	uint32_t count;
	uint8_t *why;		/* owned; enum refusal of each record of the roster */
	const struct snapshot *previous;
	bool is_group;
};

const char *
refusal_text(enum refusal why, bool is_group)
{
	static const char *const texts[REFUSAL_COUNT][2] = {
		[REFUSAL_NONE] = { "nothing is wrong", "nothing is wrong" },
		[REFUSAL_NAME] = {
			"the name must match [a-z_][a-z0-9_.-]{0,31} and not be a number; rename the user",
			"the name must match [a-z_][a-z0-9_.-]{0,31} and not be a number; rename the group" },
		[REFUSAL_RESERVED] = { "the name is reserved for ismsd; rename the user",
			"the name is reserved for ismsd; rename the group" },
		[REFUSAL_LOCAL_NAME] = {
			"the name stands in /etc/passwd; rename the user or remove the local account",
			"the name stands in /etc/group; rename the group or remove the local one" },
		[REFUSAL_LOCAL_ID] = { "the uid stands in /etc/passwd; change uidNumber or remove the local account",
			"the gid stands in /etc/group; change gidNumber or remove the local group" },
		[REFUSAL_RANGE] = { "the uid lies outside [nss] id-range; change uidNumber or the range",
			"the gid lies outside [nss] id-range; change gidNumber or the range" },
		[REFUSAL_PRIMARY_RANGE] = { "the primary gid lies outside [nss] id-range; change gidNumber or the range",
			"" },
		[REFUSAL_PRIMARY_LOCAL] = { "the primary gid is that of a group in /etc/group; change gidNumber", "" },
		[REFUSAL_SUBORDINATE] = {
			"the uid lies in a range of /etc/subuid, so a local account can bear it; change uidNumber or the range there",
			"the gid lies in a range of /etc/subgid, so a local account can bear it; change gidNumber or the range there" },
		[REFUSAL_PRIMARY_SUBORDINATE] = {
			"the primary gid lies in a range of /etc/subgid; change gidNumber or the range there", "" },
		[REFUSAL_HOME] = { "the home directory is not an absolute path below [nss] home-prefixes; change it", "" },
		[REFUSAL_LOCAL_HOME] = { "the home directory is that of an account in /etc/passwd, or in it; change it", "" },
		[REFUSAL_NESTED_HOME] = {
			"the home directory lies in another user's, or one that was there before lies in it; change it", "" },
		[REFUSAL_NAME_TWICE] = { "another user has the same name; rename or remove one of them",
			"another group has the same name; rename or remove one of them" },
		[REFUSAL_ID_TWICE] = { "another user has the same uid; change uidNumber of one of them",
			"another group has the same gid; change gidNumber of one of them" },
	};

	if ((unsigned)why >= REFUSAL_COUNT || texts[why][is_group] == NULL)
		return "refused";
	return texts[why][is_group];
}

/* Whether a space separated list has a word. */
static bool
list_has(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (*list != '\0') {
		size_t n = strcspn(list, " \t");

		if (n == len && n > 0 && memcmp(list, word, n) == 0)
			return true;
		list += n;
		list += strspn(list, " \t");
	}
	return false;
}

/* Bytes of the well-formed UTF-8 character at c that is no control character, or 0 (RFC 3629). */
static size_t
utf8_len(const unsigned char *c)
{
	size_t n = *c >= 0xf0 ? 4 : *c >= 0xe0 ? 3 : 2;

	if (*c >= 0x20 && *c < 0x7f)
		return 1;
	if (*c < 0xc2 || *c > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((c[0] == 0xc2 && c[1] < 0xa0) || (c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
	    (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f))
		return 0;
	return n;
}

char *
publisher_gecos(const char *gecos, char ret[PUBLISHER_GECOS_MAX + 1])
{
	const unsigned char *c = (const unsigned char *)gecos;
	size_t at = 0;

	while (*c != '\0') {
		size_t n = *c == ':' ? 0 : utf8_len(c);

		if (at + (n > 0 ? n : 1) > PUBLISHER_GECOS_MAX)
			break;
		if (n > 0)
			memcpy(ret + at, c, n);
		else
			ret[at] = '?';
		at += n > 0 ? n : 1;
		c += n > 0 ? n : 1;
	}
	ret[at] = '\0';
	return ret;
}

const char *
publisher_shell(const char *shell, const char *allowed)
{
	return list_has(allowed, shell) ? shell : PUBLISHER_NOLOGIN;
}

/* No part of the path may be empty, "." or ".."; one slash may end it. */
static bool
has_plain_parts(const char *path)
{
	for (const char *part = path; *part != '\0';) {
		size_t n;

		part++;			/* its slash */
		n = strcspn(part, "/");
		if (*part == '\0' && part > path + 1)
			return true;
		if (n == 0 || (part[0] == '.' && (n == 1 || (n == 2 && part[1] == '.'))))
			return false;
		part += n;
	}
	return true;
}

bool
publisher_home_allowed(const char *home, const char *prefixes)
{
	if (home[0] != '/' || !has_plain_parts(home))
		return false;
	for (const unsigned char *c = (const unsigned char *)home; *c != '\0';) {
		size_t n = *c == ':' ? 0 : utf8_len(c);

		if (n == 0)
			return false;
		c += n;
	}
	while (*prefixes != '\0') {
		size_t n = strcspn(prefixes, " \t");

		/* "/home" shall mean "/home/...", never "/homeless". */
		if (n > 0 && strncmp(home, prefixes, n) == 0 && home[n] != '\0' &&
		    (prefixes[n - 1] == '/' || home[n] == '/'))
			return true;
		prefixes += n;
		prefixes += strspn(prefixes, " \t");
	}
	return false;
}

/* Whether a path, or the first of a list of paths, is a folder or lies in it; slashes at its end do not count. */
static bool
lies_in(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	while (n > 0 && folder[n - 1] == '/')
		n--;
	return strncmp(path, folder, n) == 0 && strchr("/ \t", path[n]) != NULL;	/* its NUL is found, too */
}

/*
 * Whether a home is a local account's, or in one: pam_mkhomedir makes it as root and gives it away, and what runs as
 * the local account would read from it. A local home that holds a whole prefix of homes, like "/", is nobody's.
 */
static bool
is_local_home(const struct local_accounts *local, const char *home, const char *prefixes)
{
	for (size_t i = 0; i < local->user_count; i++) {
		const char *theirs = local->users[i].home, *p = prefixes;
		bool holds_prefix = false;

		if (!lies_in(home, theirs))
			continue;
		for (; *p != '\0'; p += strcspn(p, " \t"), p += strspn(p, " \t"))
			holds_prefix = holds_prefix || lies_in(p, theirs);
		if (!holds_prefix)
			return true;
	}
	return false;
}

static bool
is_reserved(const char *name)
{
	return strcmp(name, "isms") == 0 || strcmp(name, "isms-dir") == 0 || strcmp(name, "isms-mfa") == 0;
}

static enum refusal
judge_user(const struct roster_user *u, const struct settings *settings, const struct local_accounts *local)
{
	if (!snapshot_name_allowed(u->name, strlen(u->name)))
		return REFUSAL_NAME;
	if (is_reserved(u->name))
		return REFUSAL_RESERVED;
	if (local_accounts_has_user(local, u->name))
		return REFUSAL_LOCAL_NAME;
	if (!snapshot_id_allowed(u->uid) || !settings_id_allowed(&settings->nss_id_range, u->uid))
		return REFUSAL_RANGE;
	if (local_accounts_has_uid(local, u->uid))
		return REFUSAL_LOCAL_ID;
	if (subids_has(&local->subuids, u->uid))
		return REFUSAL_SUBORDINATE;
	if (!snapshot_id_allowed(u->gid) || !settings_id_allowed(&settings->nss_id_range, u->gid))
		return REFUSAL_PRIMARY_RANGE;
	if (local_accounts_has_gid(local, u->gid))
		return REFUSAL_PRIMARY_LOCAL;
	if (subids_has(&local->subgids, u->gid))
		return REFUSAL_PRIMARY_SUBORDINATE;
	if (!publisher_home_allowed(u->home, settings->nss_home_prefixes))
		return REFUSAL_HOME;
	if (is_local_home(local, u->home, settings->nss_home_prefixes))
		return REFUSAL_LOCAL_HOME;
	return REFUSAL_NONE;
}

static enum refusal
judge_group(const struct roster_group *g, const struct settings *settings, const struct local_accounts *local)
{
	if (!snapshot_name_allowed(g->name, strlen(g->name)))
		return REFUSAL_NAME;
	if (is_reserved(g->name))
		return REFUSAL_RESERVED;
	if (local_accounts_group(local, g->name) != NULL)
		return REFUSAL_LOCAL_NAME;
	if (!snapshot_id_allowed(g->gid) || !settings_id_allowed(&settings->nss_id_range, g->gid))
		return REFUSAL_RANGE;
	if (local_accounts_has_gid(local, g->gid))
		return REFUSAL_LOCAL_ID;
	if (subids_has(&local->subgids, g->gid))
		return REFUSAL_SUBORDINATE;
	return REFUSAL_NONE;
}

static int
compare_name(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int
compare_id(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* Directories are mostly delivered in order; then this costs one pass. */
static void
sort_candidates(struct candidate *list, uint32_t count, int (*compare)(const void *, const void *))
{
	for (uint32_t i = 1; i < count; i++) {
		if (compare(&list[i - 1], &list[i]) > 0) {
			qsort(list, count, sizeof *list, compare);
			return;
		}
	}
}

/* Whether what is published under the name has this id: then the candidate is the holder of both. */
static bool
is_holder(const struct judging *j, const struct candidate *c)
{
	struct snapshot_group group;
	struct snapshot_user user;

	if (j->previous == NULL)
		return false;
	if (j->is_group)
		return snapshot_find_group(j->previous, c->name, &group) == 1 && group.gid == c->id;
	return snapshot_find_user(j->previous, c->name, &user) == 1 && user.uid == c->id;
}

/* Refuse all of a run of equals but its one holder; two that both look like the holder are both refused. */
static void
judge_run(struct judging *j, const struct candidate *run, uint32_t count, enum refusal why)
{
	uint32_t holder = UINT32_MAX, holders = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (is_holder(j, &run[i])) {
			holder = i;
			holders++;
		}
	}
	for (uint32_t i = 0; i < count; i++) {
		if (holders == 1 && i == holder)
			continue;
		if (j->why[run[i].index] == REFUSAL_NONE)
			j->why[run[i].index] = (uint8_t)why;
	}
}

static void
judge_duplicates(struct judging *j, int (*compare)(const void *, const void *), enum refusal why)
{
	sort_candidates(j->list, j->count, compare);
	for (uint32_t first = 0, end; first < j->count; first = end) {
		for (end = first + 1; end < j->count && compare(&j->list[first], &j->list[end]) == 0;)
			end++;
		if (end - first > 1)
			judge_run(j, &j->list[first], end - first, why);
	}
}

/* Paths sort with their separator first, so that a folder is followed by all that lies in it. */
static int
compare_home(const void *a, const void *b)
{
	const char *x = ((const struct candidate *)a)->home, *y = ((const struct candidate *)b)->home;
	unsigned char p, q;

	while (*x == *y && *x != '\0')
		x++, y++;
	p = *x == '/' ? 1 : (unsigned char)*x;
	q = *y == '/' ? 1 : (unsigned char)*y;
	return (p > q) - (p < q);
}

/* Whether a home lies below another one, which people may share. */
static bool
is_nested(const char *home, const char *outer)
{
	size_t n = strlen(outer);

	while (n > 0 && outer[n - 1] == '/')
		n--;
	return strncmp(home, outer, n) == 0 && home[n] == '/' && home[n + 1] != '\0';
}

/* Whether this is the home that is published for the candidate. */
static bool
holds_home(const struct judging *j, const struct candidate *c)
{
	struct snapshot_user user;

	return is_holder(j, c) && snapshot_find_user(j->previous, c->name, &user) == 1 && strcmp(user.home, c->home) == 0;
}

/*
 * Refuse homes in other users' homes: pam_mkhomedir makes them as root, and whoever owns a folder on the way decides by
 * a symbolic link where that is. Who was there first stays, so that nobody's home can be claimed from above.
 */
static void
judge_homes(struct judging *j)
{
	const struct candidate *outer = NULL;

	sort_candidates(j->list, j->count, compare_home);
	for (uint32_t i = 0; i < j->count; i++) {
		const struct candidate *c = &j->list[i];

		if (j->why[c->index] != REFUSAL_NONE)
			continue;
		if (outer == NULL || !is_nested(c->home, outer->home))
			outer = c;
		else if (holds_home(j, c) && !holds_home(j, outer))
			j->why[outer->index] = REFUSAL_NESTED_HOME;
		else
			j->why[c->index] = REFUSAL_NESTED_HOME;
	}
}

static int
judging_init(struct judging *j, uint32_t records, bool is_group, const struct snapshot *previous)
{
	*j = (struct judging){ .is_group = is_group, .previous = previous };
	j->list = calloc(records > 0 ? records : 1, sizeof *j->list);
	j->why = calloc(records > 0 ? records : 1, sizeof *j->why);
	return j->list != NULL && j->why != NULL ? 0 : -ENOMEM;
}

static void
judging_done(struct judging *j)
{
	free(j->list);
	free(j->why);
}

static void
judging_add(struct judging *j, const struct candidate *c, enum refusal why)
{
	j->why[c->index] = (uint8_t)why;
	if (why == REFUSAL_NONE)
		j->list[j->count++] = *c;
}

static void
note_refused(struct publisher_check *check, const char *name, uint32_t id, bool is_group, enum refusal why)
{
	struct refused *to;
	size_t i;

	check->refused_count++;
	if (check->listed_count == PUBLISHER_LISTED_MAX)
		return;
	to = &check->listed[check->listed_count++];
	*to = (struct refused){ .why = why, .is_group = is_group, .id = id };
	for (i = 0; i < sizeof to->name - 1 && name[i] != '\0'; i++)
		to->name[i] = (char)(name[i] > ' ' && name[i] < 0x7f ? name[i] : '?');
	to->name[i] = '\0';
}

static int
check_groups(struct roster *roster, const struct settings *settings, const struct local_accounts *local,
    const struct snapshot *previous, struct publisher_check *check)
{
	uint32_t records = roster_group_count(roster);
	const struct roster_group *g;
	struct judging j;
	int r;

	r = judging_init(&j, records, true, previous);
	if (r < 0)
		goto out;
	check->groups = calloc(records > 0 ? records : 1, sizeof *check->groups);
	if (check->groups == NULL) {
		r = -ENOMEM;
		goto out;
	}
	for (uint32_t i = 0; i < records; i++) {
		g = roster_group_at(roster, i);
		judging_add(&j, &(struct candidate){ .name = g->name, .id = g->gid, .index = i },
		    judge_group(g, settings, local));
	}
	judge_duplicates(&j, compare_name, REFUSAL_NAME_TWICE);
	judge_duplicates(&j, compare_id, REFUSAL_ID_TWICE);
	for (uint32_t i = 0; i < records; i++) {
		g = roster_group_at(roster, i);
		check->groups[i] = j.why[i] == REFUSAL_NONE;
		check->group_count += check->groups[i];
		if (!check->groups[i])
			note_refused(check, g->name, g->gid, true, j.why[i]);
	}
out:
	judging_done(&j);
	return r;
}

static int
check_users(struct roster *roster, const struct settings *settings, const struct local_accounts *local,
    const struct snapshot *previous, struct publisher_check *check)
{
	uint32_t records = roster_user_count(roster);
	const struct roster_user *u;
	struct judging j;
	int r;

	r = judging_init(&j, records, false, previous);
	if (r < 0)
		goto out;
	check->users = calloc(records > 0 ? records : 1, sizeof *check->users);
	if (check->users == NULL) {
		r = -ENOMEM;
		goto out;
	}
	for (uint32_t i = 0; i < records; i++) {
		u = roster_user_at(roster, i);
		judging_add(&j, &(struct candidate){ .name = u->name, .home = u->home, .id = u->uid, .index = i },
		    judge_user(u, settings, local));
	}
	judge_duplicates(&j, compare_name, REFUSAL_NAME_TWICE);
	judge_duplicates(&j, compare_id, REFUSAL_ID_TWICE);
	judge_homes(&j);
	for (uint32_t i = 0; i < records; i++) {
		u = roster_user_at(roster, i);
		if (j.why[i] == REFUSAL_NONE)
			check->users[check->user_count++] = i;
		else
			note_refused(check, u->name, u->uid, false, j.why[i]);
	}
out:
	judging_done(&j);
	return r;
}

int
publisher_check(struct roster *roster, const struct settings *settings, const struct local_accounts *local,
    const struct snapshot *previous, struct publisher_check *ret)
{
	int r;

	*ret = (struct publisher_check){ 0 };
	r = check_users(roster, settings, local, previous, ret);
	if (r >= 0)
		r = check_groups(roster, settings, local, previous, ret);
	if (r < 0)
		publisher_check_done(ret);
	return r;
}

void
publisher_check_done(struct publisher_check *check)
{
	free(check->users);
	free(check->groups);
	*check = (struct publisher_check){ 0 };
}
