/*
 * publisher_check.c - the rules that look at one record alone.
 *
 * Runs in the publisher. Records come from the process that talks to the network and are taken as hostile: one gets in
 * only by passing every rule; no rule mends a security-relevant value. Does no I/O and keeps no state.
 */
#include <config.h>

#include "daemon/publisher_check.h"

#include <string.h>

#include "common/snapshot.h"
#include "daemon/homes.h"

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

/* No part of the path may be empty, "." or ".."; one slash may end it. There are not too many of them. */
static bool
has_plain_parts(const char *path)
{
	unsigned count = 0;

	for (const char *part = path; *part != '\0';) {
		size_t n;

		part++;			/* its slash */
		n = strcspn(part, "/");
		if (*part == '\0' && part > path + 1)
			return true;
		if (++count > HOMES_DEPTH_MAX || n == 0 || (part[0] == '.' && (n == 1 || (n == 2 && part[1] == '.'))))
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
	return strcmp(name, "isms") == 0 || strcmp(name, "isms-dir") == 0 || strcmp(name, "isms-mfa") == 0 ||
	    strcmp(name, "isms-service") == 0;
}

enum refusal
publisher_check_user(const struct roster_user *u, const struct settings *settings, const struct local_accounts *local)
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

enum refusal
publisher_check_group(const struct roster_group *g, const struct settings *settings, const struct local_accounts *local)
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
