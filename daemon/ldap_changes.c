/*
 * ldap_changes.c - following an Active Directory, which has no content synchronisation: by uSNChanged of one server.
 *
 * Directory process, on the thread of ldap_sync.c. Each server counts for itself (MS-ADTS 3.1.1.1.9): a number means
 * something to the server that said it, which is known by its invocationId, and to no other. What is gone leaves no
 * change that a host may read: after the changes comes a list of everything that is there. Whoever has another DN than
 * before is a reason to read all anew, since the groups that name him do not change with him; and so is who has gone,
 * or is new, under a DN that a group we hold names: whose it is now only the group as the server has it can tell.
 */
#include <config.h>

#include "daemon/ldap_sync_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "common/ldap_escape.h"
#include "common/ldap_handle.h"
#include "daemon/loop.h"
#include "daemon/replica_parts.h"

#define FULL_EVERY_SEC	3600	/* what changes without a number, such as rights of ours to read */
#define INSTANCE_SIZE	300
#define LOCKED_AT_ONCE	50	/* in one search */
#define FRESH_MAX	50	/* with more, everything is read anew */
#define AGAIN		1	/* everything has to be read anew */
#define FULL_MAX	3	/* times in a row, since somebody is renamed all the time */

/* What the server says of itself. */
struct root {
	uint64_t usn;			/* highestCommittedUSN */
	char instance[INSTANCE_SIZE];	/* invocationId in hex; the server's DN where that may not be read */
};

/* One look at the changes. */
struct look {
	size_t listed, removed;		/* entries in the list; changes of those that are no accounts any more */
	char *fresh[FRESH_MAX];		/* owned; DNs of new ones */
	char *fresh_ndns[FRESH_MAX];	/* owned; the same, normalised */
	size_t fresh_count;
	bool after_full;		/* the first one after everything was read */
	bool changed, again;
};

static int
wrong(struct ldap_session *s, int r, const char *what)
{
	(void)snprintf(s->fault, sizeof s->fault, "%.255s: %s", s->uri, what);
	return r;
}

/* ---- the server itself ---- */

/* The first value of an attribute of one entry. Returns its length, 0 for none, or -errno. */
static int
read_value(struct ldap_session *s, const char *dn, const char *attribute, char *buf, size_t size)
{
	struct timeval timeout = { .tv_sec = (int)s->settings->directory_operation_timeout };
	char *attributes[] = { (char *)(uintptr_t)attribute, NULL };
	struct berval **values = NULL;
	LDAPMessage *res = NULL, *msg;
	int code, n = 0;

	code = ldap_search_ext_s(s->ld, dn, LDAP_SCOPE_BASE, "(objectClass=*)", attributes, 0, NULL, NULL, &timeout, 2, &res);
	msg = code == LDAP_SUCCESS ? ldap_first_entry(s->ld, res) : NULL;
	if (msg != NULL)
		values = ldap_get_values_len(s->ld, msg, attribute);
	if (values != NULL && values[0] != NULL && values[0]->bv_len < size) {
		n = (int)values[0]->bv_len;
		memcpy(buf, values[0]->bv_val, (size_t)n);
	}
	buf[n] = '\0';
	ldap_value_free_len(values);
	(void)ldap_msgfree(res);
	return code == LDAP_SUCCESS || code == LDAP_NO_SUCH_OBJECT || code == LDAP_INSUFFICIENT_ACCESS ? n :
	    ldap_handle_error(code) < 0 ? ldap_handle_error(code) : -EPROTO;
}

static int
read_usn(struct ldap_session *s, uint64_t *ret)
{
	char text[24], *end = NULL;
	int n = read_value(s, "", "highestCommittedUSN", text, sizeof text);

	if (n < 0)
		return wrong(s, n, "it does not say what it is; connection lost?");
	errno = 0;
	if (n > 0 && text[0] >= '0' && text[0] <= '9')
		*ret = strtoull(text, &end, 10);
	if (end == NULL || *end != '\0' || errno != 0)
		return wrong(s, -EPROTO, "it says no highestCommittedUSN: is it an Active Directory ([directory] schema)?");
	return 0;
}

static int
read_root(struct ldap_session *s, struct root *ret)
{
	char name[INSTANCE_SIZE], id[16 + 1];
	int n, r;

	r = read_usn(s, &ret->usn);
	n = r == 0 ? read_value(s, "", "dsServiceName", name, sizeof name) : r;
	if (n <= 0)
		return r < 0 ? r : wrong(s, n < 0 ? n : -EPROTO, "it says no dsServiceName");
	n = read_value(s, name, "invocationId", id, sizeof id);
	if (n < 0)
		return wrong(s, n, "its invocationId cannot be read");
	(void)snprintf(ret->instance, sizeof ret->instance, "%s", name);
	for (int i = 0; n == 16 && i < n; i++)	/* another one after a restore, with numbers that were given before */
		(void)snprintf(ret->instance + 2 * i, 3, "%02x", (unsigned char)id[i]);
	return 0;
}

/* ---- the cookie: "usn NUMBER TIME INSTANCE", the time being that of the last full read, of whatever session ---- */

static void
remember(struct ldap_session *s, const struct root *root, int64_t full_utc_sec)
{
	s->cookie.there = true;
	s->cookie.len = (size_t)snprintf((char *)s->cookie.bytes, sizeof s->cookie.bytes, "usn %" PRIu64 " %" PRId64 " %s",
	    root->usn, full_utc_sec, root->instance);
}

/* The number from which on changes are unknown; false: what we hold is not of this server, or of its future. */
static bool
resume(const struct ldap_session *s, const struct root *root, uint64_t *ret, int64_t *ret_full_utc_sec)
{
	const struct sync_cookie *cookie = replica_cookie(s->replica);
	char wanted[INSTANCE_SIZE + 64], text[sizeof wanted];

	if (!cookie->there || cookie->len >= sizeof text || strcmp(cookie->server, s->uri) != 0)
		return false;
	memcpy(text, cookie->bytes, cookie->len);
	text[cookie->len] = '\0';
	if (sscanf(text, "usn %" SCNu64 " %" SCNd64, ret, ret_full_utc_sec) != 2 || *ret > root->usn)
		return false;
	(void)snprintf(wanted, sizeof wanted, "usn %" PRIu64 " %" PRId64 " %s", *ret, *ret_full_utc_sec, root->instance);
	return strcmp(text, wanted) == 0;
}

/* ---- changes ---- */

/* Whether they say the same, in any order of attributes: one from the heap has its members last. */
static bool
same_entry(const struct entry *a, const struct entry *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!entry_same_values(a, b, a->attributes[i].name))
			return false;
	return true;
}

static bool
is_group(const struct entry *e)
{
	return entry_has_class(e, "posixGroup") || entry_has_class(e, "groupOfNames");
}

/* Somebody new, perhaps in groups that have not changed since: one who was restored is in them again. */
static int
note_fresh(struct look *look, const struct entry *e)
{
	if (look->fresh_count == FRESH_MAX) {
		look->again = true;
		return 0;
	}
	look->fresh[look->fresh_count] = strdup(e->dn);
	look->fresh_ndns[look->fresh_count] = strdup(e->ndn);
	look->fresh_count++;
	return look->fresh[look->fresh_count - 1] != NULL && look->fresh_ndns[look->fresh_count - 1] != NULL ? 0 : -ENOMEM;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Whether a group has one of these members, sorted; also when that cannot be told. */
static bool
has_member(const struct entry *group, char **ndns, size_t count)
{
	const struct attribute *a = entry_attribute(group, "member");
	bool has = false;
	char *ndn;

	for (size_t i = 0; a != NULL && !has && i < a->count; i++) {
		ndn = entry_normalise_dn(a->values[i].bytes);
		has = ndn == NULL || bsearch(&ndn, ndns, count, sizeof ndn, compare_names) != NULL;
		free(ndn);
	}
	return has;
}

/* Whether a group that is held has one of these members, or cannot be read. */
static bool
names_any(const struct ldap_session *s, const struct member *m, char **ndns, size_t count)
{
	struct entry *group;
	bool any;

	if (replica_entry(s->replica, m, true, &group) < 0)
		return true;
	any = has_member(group, ndns, count);
	entry_free(group);
	return any;
}

/*
 * See whether a group as we hold it names one of these: the removal of a link gives a group no number, and the next who
 * has that DN would be in it.
 *
 *  ndns       are sorted
 *  unchanged  ask only groups that are still there, and of which the server had nothing new
 */
static void
look_for_names(struct ldap_session *s, struct look *look, char **ndns, size_t count, bool unchanged)
{
	qsort(ndns, count, sizeof *ndns, compare_names);
	for (size_t i = 0; count > 0 && !look->again && i < s->replica->count; i++) {
		const struct member *m = s->replica->list[i];

		if (!m->has_members)
			continue;
		if (!unchanged || (m->round == s->replica->round && m->changed_round != s->replica->round))
			look->again = names_any(s, m, ndns, count);
	}
}

/* Those who are held and were not listed, but for those who wait for a person's word since a former look. */
static int
look_for_gone(struct ldap_session *s, struct look *look)
{
	char **ndns = calloc(s->replica->count + 1, sizeof *ndns);
	struct entry *e;
	size_t count = 0;
	int r = ndns == NULL ? -ENOMEM : 0;

	for (size_t i = 0; i < s->replica->count && r == 0; i++) {
		const struct member *m = s->replica->list[i];

		if (m->round == s->replica->round || m->gone)
			continue;
		r = replica_entry(s->replica, m, false, &e);
		if (r == 0) {
			ndns[count] = strdup(e->ndn);
			r = ndns[count] != NULL ? 0 : -ENOMEM;
			count += r == 0;
			entry_free(e);
		}
	}
	if (r == 0)
		look_for_names(s, look, ndns, count, true);
	while (count > 0)
		free(ndns[--count]);
	free(ndns);
	return r;
}

/* The entry of a member, for comparison: NULL without a member. The caller frees it. */
static int
entry_of(const struct ldap_session *s, const struct member *m, bool members, struct entry **ret)
{
	*ret = NULL;
	return m != NULL ? replica_entry(s->replica, m, members, ret) : 0;
}

/* An entry with a new number; owns e. */
static int
on_change(struct ldap_session *s, struct entry *e, const uint8_t uuid[SYNC_UUID_SIZE], void *arg)
{
	const struct member *known = replica_find(s->replica, uuid);
	struct look *look = arg;
	struct entry *before;
	int r = entry_of(s, known, true, &before);

	if (r < 0) {
		entry_free(e);
		return r;
	}

	/* A group that was renamed while all was read may have been named by its former name in one that was read before. */
	if ((known != NULL && strcmp(before->ndn, e->ndn) != 0) || (look->after_full && is_group(e))) {
		look->again = true;
	} else if (!server_schema_is_listed(&s->map.schema, e)) {	/* a computer, say, or a group that gives no rights any more */
		look->removed += known != NULL;
		r = known != NULL ? replica_remove(s->replica, uuid) : 0;
	} else if (known != NULL && same_entry(known->next != NULL ? known->next : before, e)) {
		r = replica_keep(s->replica, uuid);
	} else {
		look->changed = true;
		r = known == NULL ? note_fresh(look, e) : 0;
		if (r == 0) {
			r = replica_put(s->replica, uuid, e);
			e = NULL;	/* owned there */
		}
	}
	entry_free(before);
	entry_free(e);
	return r;
}

/* A group that names somebody new; one that is new itself was taken already. */
static int
on_group(struct ldap_session *s, struct entry *e, const uint8_t uuid[SYNC_UUID_SIZE], void *arg)
{
	if (replica_find(s->replica, uuid) != NULL)
		return on_change(s, e, uuid, arg);
	entry_free(e);
	return 0;
}

/* One that is there; owns e. */
static int
on_listed(struct ldap_session *s, struct entry *e, const uint8_t uuid[SYNC_UUID_SIZE], void *arg)
{
	const struct member *known = replica_find(s->replica, uuid);
	struct look *look = arg;
	struct entry *before;
	int r = entry_of(s, known, false, &before);

	look->listed++;
	look->again = look->again || (r == 0 && known != NULL && strcmp(before->ndn, e->ndn) != 0);
	entry_free(before);
	entry_free(e);
	if (r < 0)
		return r;
	return replica_keep(s->replica, uuid);
}

/* The groups that name those who are new. */
static int
read_groups_of_fresh(struct ldap_session *s, struct look *look)
{
	const char *member = attribute_map_theirs(&s->map, "member");
	char *filter;
	int r = 0;

	look_for_names(s, look, look->fresh_ndns, look->fresh_count, false);
	for (size_t i = 0; r == 0 && !look->again && i < look->fresh_count; i++) {
		filter = ldap_escape_equality(member, look->fresh[i], strlen(look->fresh[i]));
		r = filter != NULL ? ldap_session_read(s, filter, (const char *const *)s->attributes, on_group, look) : -ENOMEM;
		free(filter);
	}
	return r;
}

/*
 * Everything that is there, by its name alone. Whoever is missing has gone, or may not be seen any more; whoever is
 * unknown has come below the base with a container that was moved, and has no new number.
 */
static int
read_list(struct ldap_session *s, struct look *look)
{
	const char *const *filter = server_schema_filters(s->map.schema.kind);
	const char *names[] = { attribute_map_theirs(&s->map, "entryUUID"), NULL };
	int r = 0;

	for (; r == 0 && *filter != NULL; filter++)
		r = ldap_session_read(s, *filter, names, on_listed, look);
	if (r < 0)
		return r;
	look->again = look->again || !replica_is_whole(s->replica);
	replica_only_these(s->replica);
	look->changed = look->changed || look->removed > 0 || look->listed != replica_count(s->replica) + look->fresh_count;
	return look->again ? 0 : look_for_gone(s, look);
}

/*
 * Read those anew who are locked out: a lock may have ended by itself, which is no change and has no number. By objectGUID,
 * some at a time; lockoutTime itself has no index there.
 */
static int
read_locked(struct ldap_session *s, struct look *look)
{
	static const size_t order[SYNC_UUID_SIZE] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	char filter[4 + LOCKED_AT_ONCE * (14 + 3 * SYNC_UUID_SIZE)];
	size_t at = 0, count = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->replica->count; i++) {
		const struct member *m = s->replica->list[i];

		if (m->locked) {
			at += (size_t)snprintf(filter + at, sizeof filter - at, "%s(objectGUID=", count == 0 ? "(|" : "");
			for (size_t k = 0; k < SYNC_UUID_SIZE; k++)
				at += (size_t)snprintf(filter + at, sizeof filter - at, "\\%02x", m->uuid[order[k]]);
			at += (size_t)snprintf(filter + at, sizeof filter - at, ")");
			count++;
		}
		if (count == LOCKED_AT_ONCE || (count > 0 && i + 1 == s->replica->count)) {
			(void)snprintf(filter + at, sizeof filter - at, ")");
			r = ldap_session_read(s, filter, (const char *const *)s->attributes, on_change, look);
			at = count = 0;
		}
	}
	return r;
}

/*
 * What has changed since a number, and the locks that may have ended.
 *
 * Returns 0, AGAIN, or -errno.
 */
static int
read_changes(struct ldap_session *s, uint64_t usn, const struct root *root, bool after_full)
{
	struct look look = { .after_full = after_full };
	char filter[200];
	int r;

	replica_drop(s->replica);
	(void)snprintf(filter, sizeof filter, "(&%s(uSNChanged>=%" PRIu64 "))",
	    server_schema_filter_of_all(s->map.schema.kind), usn + 1);
	r = read_locked(s, &look);
	if (r == 0 && root->usn != usn)
		r = ldap_session_read(s, filter, (const char *const *)s->attributes, on_change, &look);
	if (r == 0)
		r = read_groups_of_fresh(s, &look);
	if (r == 0 && !look.again && root->usn != usn)
		r = read_list(s, &look);
	for (size_t i = 0; i < look.fresh_count; i++) {
		free(look.fresh[i]);
		free(look.fresh_ndns[i]);
	}
	if (r < 0)
		return r;
	if (look.again)
		return AGAIN;
	if (look.changed || replica_held(s->replica)->removed + replica_held(s->replica)->renumbered > 0)
		return ldap_session_apply(s);
	replica_confirm(s->replica, loop_clock_sec(CLOCK_REALTIME));
	s->unchanged(s);
	return 0;
}

/* ---- following ---- */

static int
read_everything(struct ldap_session *s)
{
	int r = ldap_session_read_all(s);

	s->refreshed = s->refreshed || r == 0;
	return r;
}

int
ldap_changes_follow(struct ldap_session *s)
{
	int64_t full_utc_sec = 0, now_utc_sec;
	struct root root, before;
	unsigned full = 0;		/* times in a row */
	uint64_t usn = 0;
	bool again;
	int r;

	s->polling = true;
	r = read_root(s, &root);
	if (r < 0)
		return r;
	again = !resume(s, &root, &usn, &full_utc_sec);
	for (;;) {
		before = root;
		now_utc_sec = loop_clock_sec(CLOCK_REALTIME);
		s->full = again || now_utc_sec < full_utc_sec || now_utc_sec - full_utc_sec > FULL_EVERY_SEC;
		if (s->full)
			full_utc_sec = now_utc_sec;
		remember(s, &root, full_utc_sec);	/* read before what it is about */
		r = s->full ? read_everything(s) : read_changes(s, usn, &root, full > 0 && full < FULL_MAX);
		full = s->full ? full + 1 : r == AGAIN ? full : 0;
		again = r == AGAIN;
		if (r == 0) {
			s->refreshed = true;
			usn = root.usn;
			r = ldap_session_pause(s);
		}
		if (r >= 0)
			r = read_root(s, &root);
		if (r < 0)
			return r;
		again = again || strcmp(before.instance, root.instance) != 0 || root.usn < before.usn;
	}
}
