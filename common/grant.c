/*
 * grant.c - who is a member of a group for a limited time (see grant.h).
 *
 * Directory process and isms-userctl. It must never let a grant count for longer than its group takes, or by the
 * word of the member himself.
 */
#include <config.h>

#include "common/grant.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/civil_date.h"
#include "common/conf_file.h"
#include "common/entry_older.h"
#include "common/entry_place.h"
#include "common/identity_parts.h"

/* ---- one entry ---- */

bool
grant_is(const struct entry *e)
{
	return entry_has_class(e, "ismsGrant");
}

static int
wrong(char *ret, const struct fault *fault)
{
	_Static_assert(GRANT_FAULT_SIZE == IDENTITY_FAULT_SIZE, "a fault fits");
	memcpy(ret, fault->text, sizeof fault->text);
	return -EINVAL;
}

/* Returns the normalised DN, or NULL with the fault noted; without memory too. */
static char *
read_dn(const struct entry *e, const char *name, struct fault *fault)
{
	const char *text = identity_single(e, name, fault);
	char *ndn = text != NULL && strchr(text, '=') != NULL ? entry_normalise_dn(text) : NULL;

	if (text == NULL)
		identity_fault(fault, "%s is missing", name);
	else if (ndn == NULL)
		identity_fault(fault, "%s \"%.80s\" is no DN", name, text);
	return ndn;
}

static bool
read_time(const struct entry *e, const char *name, struct fault *fault, int64_t *ret)
{
	const char *text = identity_single(e, name, fault);

	if (text == NULL)
		return false;
	if (civil_date_parse_generalized(text, strlen(text), ret) == 0)
		return true;
	identity_fault(fault, "%s \"%.40s\" is no GeneralizedTime (20261231230000Z)", name, text);
	return false;
}

int
grant_read(const struct entry *e, struct grant *ret, char fault[static GRANT_FAULT_SIZE])
{
	struct fault found = { "" };

	identity_check_sizes(e, &found);
	ret->member = read_dn(e, "ismsMember", &found);
	ret->group = read_dn(e, "ismsGroup", &found);
	ret->approver = read_dn(e, "ismsApprover", &found);
	ret->made_utc_sec = entry_created_utc_sec(e);
	if (read_time(e, "ismsFrom", &found, &ret->from_utc_sec) && ret->from_utc_sec <= 0)
		ret->from_utc_sec = 1;	/* 0 is none */
	if (!read_time(e, "ismsUntil", &found, &ret->until_utc_sec))
		identity_fault(&found, "ismsUntil is missing");
	if (found.text[0] == '\0' && ret->until_utc_sec <= ret->from_utc_sec)
		identity_fault(&found, "ismsUntil is not after ismsFrom");
	if (found.text[0] == '\0' && strcmp(ret->member, ret->approver) == 0)
		identity_fault(&found, "the member approved it himself; somebody else has to");
	return found.text[0] == '\0' ? 0 : wrong(fault, &found);
}

void
grant_done(struct grant *g)
{
	free(g->member);
	free(g->group);
	free(g->approver);
	*g = (struct grant){ 0 };
}

/* ---- how long ---- */

int64_t
grant_longest_sec(const char *text, const char *group)
{
	size_t len, name_len = strlen(group);
	int64_t general = 0, sec;
	char word[96];

	for (const char *at = text + strspn(text, " \t"); *at != '\0'; at += len, at += strspn(at, " \t")) {
		const char *span = word, *equals;

		len = strcspn(at, " \t");
		(void)snprintf(word, sizeof word, "%.*s", (int)(len < sizeof word ? len : sizeof word - 1), at);
		equals = strchr(word, '=');
		if (equals != NULL)
			span = equals + 1;
		if (civil_date_parse_duration(span, GRANT_LONGEST_MAX_SEC, &sec) < 0)
			sec = 0;
		if (equals == NULL)
			general = sec;
		else if ((size_t)(equals - word) == name_len && strncmp(word, group, name_len) == 0)
			return sec;
	}
	return general;
}

static bool
is_longest(const char *text)
{
	size_t len, words = 0;
	char word[96];
	int64_t sec;

	for (const char *at = text + strspn(text, " \t"); *at != '\0'; at += len, at += strspn(at, " \t"), words++) {
		const char *equals;

		len = strcspn(at, " \t");
		if (len >= sizeof word)
			return false;
		memcpy(word, at, len);
		word[len] = '\0';
		equals = strchr(word, '=');
		if ((equals == NULL) != (words == 0) || equals == word)
			return false;	/* the span of all groups comes first, and once */
		if (civil_date_parse_duration(equals != NULL ? equals + 1 : word, GRANT_LONGEST_MAX_SEC, &sec) < 0)
			return false;
	}
	return words > 0;
}

int
grant_longest_check(const char *value, char *error, size_t size)
{
	return is_longest(value) ? 0 : conf_wrong(error, size, "\"%.100s\": write the longest grant of any group, then "
	    "GROUP=SPAN for others; for example 30d sudo=8h payroll=0s", value);
}

/* ---- by those whom it names ---- */

/* Whoever has the name of one that left is another one. */
static void
judge_older(const struct grant *g, const struct grant_parties *parties, struct fault *fault)
{
	const struct { const char *who; const struct entry *e; } named[] = { { "member", parties->member },
		{ "approver", parties->approver }, { "group", parties->group } };

	for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
		if (entry_is_older(g->made_utc_sec, named[i].e))
			identity_fault(fault, "the %s is a later entry than the grant: it was another one's; grant anew", named[i].who);
}

/* Whether the approver is somebody, and from when to when. */
static int
judge_approver(const struct entry *e, const struct settings *settings, struct grant_window *window, struct fault *fault)
{
	struct arena memory = { NULL };
	struct identity user = { 0 };
	struct fault own = { "" };
	int r = 0;

	if (e == NULL || !entry_counts(e, ENTRY_ACCOUNT, settings->directory_base)) {
		identity_fault(fault, "the approver is no user");
		return 0;
	}
	r = identity_read_user(e, settings, &memory, &user, &own);
	if (r == 0 && own.text[0] != '\0')
		identity_fault(fault, "the approver's entry is refused: %.160s", own.text);
	else if (r == 0 && user.disabled)
		identity_fault(fault, "the approver is disabled");
	else if (r == 0 && !identity_is_person(&user))
		identity_fault(fault, "the approver is no person");
	if (window->from_utc_sec < user.not_before_utc_sec)
		window->from_utc_sec = user.not_before_utc_sec;
	if (user.not_after_utc_sec != 0 && window->until_utc_sec > user.not_after_utc_sec)
		window->until_utc_sec = user.not_after_utc_sec;
	arena_done(&memory);
	return r;
}

int
grant_takes(const struct grant_reach *reach, int64_t length_sec, char fault[static GRANT_FAULT_SIZE])
{
	const struct grant_group *by = &reach->list[reach->limiting];
	struct fault found = { "" };
	char text[32], above[128] = "";

	if (reach->limiting != 0)
		(void)snprintf(above, sizeof above, ", since it is a member of %.90s",
		    by->name != NULL ? by->name : by->ndn);
	if (reach->many)
		identity_fault(&found, "the group takes no grants: it is a member of more than %d groups",
		    GRANT_REACH_MAX - 1);
	else if (reach->longest_sec == 0)
		identity_fault(&found, "the group takes no grants%s ([directory] max-grant)", above);
	else if (length_sec > reach->longest_sec)
		identity_fault(&found, "the longest grant of this group is %s%s ([directory] max-grant)",
		    civil_date_format_span(reach->longest_sec, text), above);
	return found.text[0] == '\0' ? 0 : wrong(fault, &found);
}

int
grant_judge(const struct grant *g, const struct grant_parties *parties, const struct settings *settings,
    struct grant_window *ret, char fault[static GRANT_FAULT_SIZE])
{
	struct grant_window window = { g->from_utc_sec, g->until_utc_sec };
	struct fault found = { "" };
	char taken[GRANT_FAULT_SIZE];
	int r;

	if (parties->member == NULL || !entry_counts(parties->member, ENTRY_ACCOUNT, settings->directory_base) ||
	    identity_is_group(parties->member))
		identity_fault(&found, "the member is no user");
	if (parties->group == NULL || !entry_counts(parties->group, ENTRY_GROUP, settings->directory_base) ||
	    parties->reach == NULL) {
		identity_fault(&found, "there is no such group");
		return wrong(fault, &found);
	}
	judge_older(g, parties, &found);
	if (grant_takes(parties->reach, g->from_utc_sec != 0 ? g->until_utc_sec - g->from_utc_sec : 0, taken) < 0)
		identity_fault(&found, "%s", taken);
	if (g->from_utc_sec == 0)
		window.from_utc_sec = g->until_utc_sec > parties->reach->longest_sec ?
		    g->until_utc_sec - parties->reach->longest_sec : 1;
	r = judge_approver(parties->approver, settings, &window, &found);
	if (r < 0)
		return r;
	if (found.text[0] != '\0')
		return wrong(fault, &found);
	*ret = window;
	return 0;
}

bool
grant_counts(const struct grant_window *window, int64_t now_utc_sec)
{
	return window->from_utc_sec <= now_utc_sec && now_utc_sec < window->until_utc_sec;
}

/* ---- groups ---- */

struct entry *
grant_add_members(const struct entry *group, char *const *members, size_t count)
{
	struct entry *copy = entry_new(group->dn);
	int r = copy != NULL ? entry_add_all(copy, group) : -ENOMEM;

	for (size_t i = 0; i < count && r == 0; i++)
		if (!entry_has_value(copy, "member", members[i]))
			r = entry_add_value(copy, "member", members[i], strlen(members[i]));
	if (r < 0) {
		entry_free(copy);
		return NULL;
	}
	copy->waits = group->waits;
	copy->gone = group->gone;
	return copy;
}

/* Who is gone is shown for his files' sake, and is nobody here. */
static const struct entry *
find_person(const struct entries *all, const char *dn)
{
	const struct entry *e = entries_find(all, dn);

	return e != NULL && !e->gone ? e : NULL;
}

int
grant_judge_among(const struct entries *all, const struct grant *g, struct grant_nesting *nesting,
    const struct settings *settings, struct grant_window *ret, char fault[static GRANT_FAULT_SIZE])
{
	struct grant_parties parties = { find_person(all, g->member), entries_find(all, g->group),
		find_person(all, g->approver), NULL };
	struct grant_reach *reach = NULL;
	int r = parties.group != NULL ? grant_nesting_reach(nesting, parties.group, settings, NULL, NULL, &reach) : 0;

	parties.reach = reach;
	if (r == 0)
		r = grant_judge(g, &parties, settings, ret, fault);
	grant_reach_unref(reach);
	return r;
}

/* Of the grants of *all. */
struct applying {
	const struct entries *all;
	struct grant_nesting nesting;
	bool nested;			/* it is complete */
	const struct settings *settings;
	int64_t now_utc_sec;
	struct entries *to;
};

/* Add what one grant says to the group in a->to. */
static int
apply_one(struct applying *a, const struct entry *e)
{
	struct grant_window window;
	char fault[GRANT_FAULT_SIZE];
	struct grant g = { 0 };
	struct entry *copy;
	int r = grant_read(e, &g, fault);

	if (r == 0)
		r = grant_judge_among(a->all, &g, &a->nesting, a->settings, &window, fault);
	if (r == 0 && grant_counts(&window, a->now_utc_sec)) {
		copy = grant_add_members(entries_find(a->to, g.group), &g.member, 1);
		if (copy != NULL)
			(void)entries_remove(a->to, g.group);
		r = copy != NULL ? entries_add(a->to, copy) : -ENOMEM;
		if (r < 0)
			entry_free(copy);
	}
	grant_done(&g);
	return r == -EINVAL ? 0 : r;
}

int
grants_apply(const struct entries *all, const struct settings *settings, int64_t now_utc_sec, struct entries *ret)
{
	struct applying a = { .all = all, .settings = settings, .now_utc_sec = now_utc_sec, .to = ret };
	int r = 0;

	for (size_t i = 0; i < all->count && r == 0; i++) {
		r = entries_add(ret, entry_ref(all->list[i]));
		if (r < 0)
			entry_free(all->list[i]);
	}
	for (size_t i = 0; i < all->count && r == 0; i++) {
		if (all->list[i]->gone || !entry_counts(all->list[i], ENTRY_GRANT, settings->directory_base))
			continue;
		if (!a.nested)
			r = grant_nesting_add_all(&a.nesting, all);
		a.nested = true;
		if (r == 0)
			r = apply_one(&a, all->list[i]);
	}
	grant_nesting_done(&a.nesting);
	if (r < 0)
		entries_done(ret);
	return r;
}
