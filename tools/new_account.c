/*
 * new_account.c - the entries of an account that `add` makes.
 *
 * Runs in isms-userctl only, on entries in memory: nothing is written before new_account_verify() has read
 * them back the way the daemon reads them.
 */
#include <config.h>

#include "tools/new_account.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>

#include "common/civil_date.h"
#include "common/last_use.h"
#include "common/ldap_escape.h"
#include "tools/contract_end.h"
#include "tools/id_pool.h"
#include "tools/output.h"
#include "tools/term.h"

static bool
is_local_group(const struct invocation *in, const char *name)
{
	const struct group *row;
	bool found = false;
	FILE *f;

	f = fopen(in->paths.group, "re");
	while (f != NULL && !found && (row = fgetgrent(f)) != NULL)
		found = strcmp(row->gr_name, name) == 0;
	if (f != NULL)
		(void)fclose(f);
	return found;
}

static const struct identity_group *
find_group(const struct account *account, const char *name)
{
	size_t i;

	for (i = 0; i < account->identities.group_count; i++)
		if (strcmp(account->identities.groups[i].name, name) == 0)
			return &account->identities.groups[i];
	return NULL;
}

static enum exit_code
check_groups(const struct invocation *in, const struct new_account *new)
{
	const char *name;
	unsigned i, j;

	for (i = 0; (name = command_line_nth(&in->line, OPTION_add_group, i)) != NULL; i++) {
		if (!account_name_allowed("group", name))
			return EXIT_REFUSED;
		for (j = 0; j < i; j++) {
			if (strcmp(name, command_line_nth(&in->line, OPTION_add_group, j)) != 0)
				continue;
			output_error("--group %s is given twice", name);
			return EXIT_USAGE;
		}
		if (i >= NEW_ACCOUNT_GROUPS_MAX) {
			output_error("at most %d groups can be given at once", NEW_ACCOUNT_GROUPS_MAX);
			return EXIT_USAGE;
		}
		if (strcmp(name, new->user) == 0) {
			output_error("--group %s: the private group is made by itself", name);
			return EXIT_USAGE;
		}
		if (is_local_group(in, name)) {
			output_error("--group %s: a local group of %s cannot come from the directory; name it in keep-groups of a role "
			    "and put the person into it there", name, in->paths.group);
			return EXIT_REFUSED;
		}
	}
	return EXIT_DONE;
}

static enum exit_code
check_uid(const struct invocation *in, const struct account *account, const struct new_account *new)
{
	enum exit_code code = EXIT_DONE;
	char error[512] = "";
	struct id_pool pool;
	int r;

	r = id_pool_load(&pool, directory_entries(account->directory), &account->identities,
	    in->settings.directory_base, &in->paths, error, sizeof error);
	if (r < 0) {
		output_error("%s", error[0] != '\0' ? error : "out of memory");
		code = EXIT_REFUSED;
	} else if (new->uid != 0 && !settings_id_allowed(&in->settings.nss_id_range, new->uid)) {
		output_error("--uid %u is outside [nss] id-range", new->uid);
		code = EXIT_REFUSED;
	} else if (new->uid != 0 && !id_pool_free(&pool, new->uid)) {
		output_error("--uid %u is or was somebody else's (ids are never given twice), or lies in a range of /etc/subuid or /etc/subgid; take another one", new->uid);
		code = EXIT_REFUSED;
	}
	id_pool_done(&pool);
	return code;
}

/* Whose name it is on this host. A server speaks for other hosts, too, whose accounts nobody sees from here. */
static enum exit_code
check_local(const struct invocation *in, const struct account *account, const struct new_account *new)
{
	int64_t uid = invocation_local_uid(in, new->user);

	if (new->local && uid == 0)
		output_error("%s: has uid 0, which is never under policy", new->user);
	else if (new->local && uid < 0 && !directory_is_server(account->directory))
		output_error("%s: --local, and no such account in /etc/passwd", new->user);
	else if (!new->local && (uid >= 0 || is_local_group(in, new->user)))
		output_error("%s: a local user or group has this name; the directory's would never be seen%s", new->user,
		    uid > 0 ? ". To put the local account under policy: --local" : "");
	else if (new->local && !directory_knows(account->directory, "ismsLocalAccount"))
		output_error("the server has no attribute ismsLocalAccount: load the schema isms.ldif");
	else
		return EXIT_DONE;
	return EXIT_REFUSED;
}

enum exit_code
new_account_check(const struct invocation *in, const struct account *account, const struct new_account *new)
{
	const struct identity *sponsor;
	enum exit_code code;

	if (identities_find(&account->identities, new->user) != NULL) {
		output_error("%s: there is such an account already; see isms-userctl show %s", new->user, new->user);
		return EXIT_REFUSED;
	}
	if (find_group(account, new->user) != NULL) {
		output_error("%s: a group of the directory has this name, which the private group needs", new->user);
		return EXIT_REFUSED;
	}
	code = check_local(in, account, new);
	if (code != EXIT_DONE)
		return code;
	if (new->sponsor != NULL) {
		if (!account_name_allowed("user", new->sponsor))
			return EXIT_REFUSED;
		sponsor = identities_find(&account->identities, new->sponsor);
		if (sponsor == NULL || sponsor->state != FACTS_MANAGED || strcmp(new->sponsor, new->user) == 0) {
			output_error("--sponsor %s: no such account in the directory", new->sponsor);
			return EXIT_REFUSED;
		}
		if (!identity_is_person(sponsor)) {
			output_error("--sponsor %s: is no person's account, and cannot answer for anybody", new->sponsor);
			return EXIT_REFUSED;
		}
	}
	code = service_account_check(in, account, &new->service);
	if (code == EXIT_DONE)
		code = check_groups(in, new);
	return code == EXIT_DONE ? check_uid(in, account, new) : code;
}

struct row {
	const char *name, *value;	/* a NULL value is left out */
};

/* A new entry with rows, entryUUID and createTimestamp. */
static int
add_entry(const struct invocation *in, struct directory *d, const char *dn, const struct row *rows, size_t count)
{
	struct entry *e = entry_new(dn);
	char uuid[37], now[32];
	size_t i;
	int r;

	if (e == NULL)
		return -ENOMEM;
	r = account_make_uuid(uuid);
	for (i = 0; i < count && r == 0; i++)
		if (rows[i].value != NULL)
			r = entry_add_value(e, rows[i].name, rows[i].value, strlen(rows[i].value));
	if (r == 0)
		r = entry_set(e, "entryUUID", uuid);
	if (r == 0)
		r = entry_set(e, "createTimestamp", civil_date_format_generalized(in->now_utc_sec, now));
	if (r == 0)
		return directory_add(d, e);	/* now owned by the directory */
	entry_free(e);
	return r;
}

/* A new group with one member. Where posixGroup is auxiliary (RFC 2307bis), members are DNs and another class carries it. */
static int
add_group(const struct invocation *in, struct directory *d, const char *name, uint32_t gid, const char *user)
{
	bool by_dn = directory_is_auxiliary(d, "posixGroup"), is_private = strcmp(name, user) == 0;
	char dn[ACCOUNT_DN_MAX], member[ACCOUNT_DN_MAX], number[16];
	const struct row rows[] = {
		{ "objectClass", "top" }, { "objectClass", by_dn ? "groupOfNames" : NULL }, { "objectClass", "posixGroup" },
		{ "cn", name }, { "gidNumber", number },
		{ "member", by_dn ? member : NULL },	/* groupOfNames demands one, also in a private group */
		{ "memberUid", by_dn || is_private ? NULL : user },
	};
	int r;

	r = ldap_escape_dn(dn, sizeof dn, "cn", name, "ou=groups", in->settings.directory_base);
	if (r == 0)
		r = ldap_escape_dn(member, sizeof member, "uid", user, "ou=people", in->settings.directory_base);
	(void)snprintf(number, sizeof number, "%u", gid);
	return r == 0 ? add_entry(in, d, dn, rows, sizeof rows / sizeof rows[0]) : r;
}

/* Begin and end, by the attributes that the directory has. */
static int
set_dates(struct directory *d, const char *dn, const struct new_account *new)
{
	bool has_begin = new->not_before_utc_sec != 0, has_end = new->not_after_utc_sec != 0;
	char begin[32], end[CONTRACT_END_TEXT_MAX], days[CONTRACT_END_TEXT_MAX];
	const char *start = directory_knows(d, "pwdStartTime") ? "pwdStartTime" : "ismsNotBefore";
	enum contract_end which = END_PWD;
	struct change changes[4];
	size_t count = 0;

	if ((has_begin && !directory_knows(d, start)) || (has_end && contract_end_pick(d, &which) < 0))
		return -EOPNOTSUPP;
	/* The day of the last use is written by hosts, which may not add the class that allows it. */
	if (!new->local && ((has_begin && strcmp(start, "ismsNotBefore") == 0) || (has_end && which == END_OWN) ||
	    directory_knows(d, LAST_USE_ATTRIBUTE)))
		changes[count++] = (struct change){ CHANGE_ADD, "objectClass", "ismsAccount" };
	if (has_begin)
		changes[count++] = (struct change){ CHANGE_REPLACE, start,
		    civil_date_format_generalized(new->not_before_utc_sec, begin) };
	if (has_end)
		changes[count++] = (struct change){ CHANGE_REPLACE, contract_end_attribute(which),
		    contract_end_format(which, new->not_after_utc_sec, end) };
	if (has_end)
		changes[count++] = (struct change){ CHANGE_REPLACE, contract_end_attribute(END_SHADOW),
		    contract_end_format(END_SHADOW, new->not_after_utc_sec, days) };
	return directory_modify(d, dn, changes, count);
}

static int
add_user(const struct invocation *in, struct account *account, const struct new_account *new,
    const struct new_password *password)
{
	const struct identity *sponsor = new->sponsor != NULL ? identities_find(&account->identities, new->sponsor) : NULL;
	char dn[ACCOUNT_DN_MAX], number[16], home[300];
	const char *display = new->display != NULL ? new->display : new->user, *family = strrchr(display, ' ');
	bool hands_over = directory_is_server(account->directory);
	const struct row rows[] = {
		{ "objectClass", "top" }, { "objectClass", "inetOrgPerson" }, { "objectClass", "posixAccount" },
		{ "objectClass", "shadowAccount" }, { "uid", new->user }, { "cn", display },
		{ "sn", family != NULL && family[1] != '\0' ? family + 1 : display },
		{ "displayName", new->display }, { "uidNumber", number }, { "gidNumber", number },
		/* Where the mark is not understood, this home keeps the entry from being anybody's. */
		{ "homeDirectory", new->local ? "/nonexistent" : new->home != NULL ? new->home : home },
		{ "loginShell", new->local ? NULL : new->shell != NULL ? new->shell : "/bin/bash" },
		{ "objectClass", new->local ? "ismsAccount" : NULL }, { "ismsLocalAccount", new->local ? "TRUE" : NULL },
		{ "employeeType", account_kind_name(new->kind) }, { "manager", sponsor != NULL ? sponsor->entry->dn : NULL },
		{ "userPassword", !hands_over && password->hash[0] != '\0' ? password->hash : NULL },
		{ "pwdReset", new->must_change ? "TRUE" : NULL },
	};
	int r;

	if (new->must_change && !directory_knows(account->directory, "pwdReset"))
		return -EOPNOTSUPP;
	r = ldap_escape_dn(dn, sizeof dn, "uid", new->user, "ou=people", in->settings.directory_base);
	(void)snprintf(number, sizeof number, "%u", new->uid);
	(void)snprintf(home, sizeof home, "/home/%s", new->user);
	if (r == 0)
		r = add_entry(in, account->directory, dn, rows, sizeof rows / sizeof rows[0]);
	if (r == 0)
		r = set_dates(account->directory, dn, new);
	if (r == 0)
		r = service_account_set(account, dn, &new->service);
	if (r == 0 && hands_over && password->clear.len > 0)
		r = directory_set_password(account->directory, dn, password->clear.text);
	return r;
}

/* Ids of the user and of the groups that are to be made, all of them before anything is written. */
static int
take_ids(const struct invocation *in, const struct account *account, struct new_account *new, struct id_pool *pool)
{
	const char *name;
	unsigned i;
	int r;

	if (new->uid == 0)
		r = id_pool_take(pool, &in->settings.nss_id_range, &new->uid);
	else
		r = id_pool_note(pool, new->uid);
	for (i = 0; r == 0 && (name = command_line_nth(&in->line, OPTION_add_group, i)) != NULL; i++) {
		if (find_group(account, name) != NULL)
			continue;
		r = id_pool_take(pool, &in->settings.nss_id_range, &new->made_gids[new->made_count]);
		new->made[new->made_count++] = name;
	}
	return r;
}

/* Put the user into each --group, which is made if need be. */
static int
join_groups(const struct invocation *in, struct account *account, const struct new_account *new)
{
	char dn[ACCOUNT_DN_MAX];
	const char *name;
	unsigned i, made = 0;
	int r;

	r = ldap_escape_dn(dn, sizeof dn, "uid", new->user, "ou=people", in->settings.directory_base);
	for (i = 0; r == 0 && (name = command_line_nth(&in->line, OPTION_add_group, i)) != NULL; i++) {
		const struct identity_group *group = find_group(account, name);
		struct change join = { CHANGE_ADD, "memberUid", new->user };

		if (group == NULL) {
			r = add_group(in, account->directory, name, new->made_gids[made++], new->user);
			continue;
		}
		if (entry_has_class(group->entry, "groupOfNames") || entry_has_class(group->entry, "groupOfMembers"))
			join = (struct change){ CHANGE_ADD, "member", dn };
		r = directory_modify(account->directory, group->entry->dn, &join, 1);
	}
	return r;
}

/* The record of ids comes first: on a server it is what keeps two operators from giving one id to two people. */
static int
build(const struct invocation *in, struct account *account, struct new_account *new,
    const struct new_password *password, struct id_pool *pool)
{
	struct directory *d = account->directory;
	int r;

	r = take_ids(in, account, new, pool);
	if (r == 0)
		r = id_pool_store(pool, d);
	if (r == 0)
		r = account_need_unit(in, d, "people");
	if (r == 0)
		r = account_need_unit(in, d, "groups");
	if (r == 0)
		r = add_user(in, account, new, password);
	if (r == 0 && !new->local)
		r = add_group(in, d, new->user, new->uid, new->user);
	return r == 0 ? join_groups(in, account, new) : r;
}

enum exit_code
new_account_build(const struct invocation *in, struct account *account, struct new_account *new,
    const struct new_password *password)
{
	char error[512] = "";
	struct id_pool pool;
	int r;

	r = id_pool_load(&pool, directory_entries(account->directory), &account->identities,
	    in->settings.directory_base, &in->paths, error, sizeof error);
	if (r == 0)
		r = build(in, account, new, password, &pool);
	id_pool_done(&pool);
	if (r == 0)
		return EXIT_DONE;
	if (r == -ENOSPC)
		output_error("[nss] id-range has no id left that was never used; widen it in isms.conf");
	else if (r == -ENODATA)
		output_error("the server has no attributes for keys and owners: load the schema isms.ldif");
	else if (r == -EOPNOTSUPP)
		output_error("the server has no attributes for %s: load the overlay ppolicy%s", new->must_change ? "--must-change" :
		    "--until and --not-before", new->must_change ? "" : ", or the schema isms.ldif");
	else if (r == -EEXIST)
		output_error("an entry of the name %s, or of one of its --group, is there, but is no account or has no gidNumber; "
		    "look into the directory", new->user);
	else
		output_error("%s", error[0] != '\0' ? error : strerror(-r));
	return EXIT_REFUSED;
}

enum exit_code
new_account_verify(const struct invocation *in, struct account *account, const struct new_account *new)
{
	const struct identity *id;

	if (account_refresh(in, account, new->user) < 0) {
		output_error("%s: the entry would not be seen as an account; nothing was changed", new->user);
		return EXIT_REFUSED;
	}
	id = account->identity;
	if (id->state != FACTS_MANAGED) {
		output_error("%s: %s; nothing was changed", new->user, id->fault);
		return EXIT_REFUSED;
	}
	if (new->shell != NULL && strcmp(id->shell, new->shell) != 0) {
		output_error("--shell %s is not one of [nss] shells; nothing was changed", new->shell);
		return EXIT_REFUSED;
	}
	return new->not_after_utc_sec != 0 ? term_check(in, account) : EXIT_DONE;
}
