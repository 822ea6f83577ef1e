/*
 * account.c - opens the directory and one account in it, for the verbs.
 *
 * Runs in isms-userctl only. Must never let a name through that the readers would refuse: what cannot be
 * a user is said at once, before the directory is touched (UC04a).
 */
#include <config.h>

#include "tools/account.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "common/grant.h"
#include "common/ldap_escape.h"
#include "common/snapshot.h"
#include "tools/output.h"

static const char *const kind_names[KIND_COUNT] = {
	[KIND_EMPLOYEE] = "employee", [KIND_CONTRACTOR] = "contractor", [KIND_SERVICE] = "service",
	[KIND_BREAK_GLASS] = "break-glass",
};

const char *
account_kind_name(enum kind kind)
{
	return kind < KIND_COUNT ? kind_names[kind] : NULL;
}

enum kind
account_kind_find(const char *name)
{
	unsigned k;

	for (k = KIND_UNKNOWN + 1; k < KIND_COUNT; k++)
		if (strcmp(name, kind_names[k]) == 0)
			return (enum kind)k;
	return KIND_UNKNOWN;
}

bool
account_name_allowed(const char *what, const char *name)
{
	if (snapshot_name_allowed(name, strlen(name)))
		return true;
	output_error("\"%.64s\" cannot be a %s: names are a-z, 0-9, \"_\", \"-\" and \".\", begin with a letter or \"_\", "
	    "have at most 32 characters, and are not root", name, what);
	return false;
}

/* What a server refuses is told apart from one that is not there. */
static enum exit_code
complain_of_directory(const struct invocation *in, int r, const char *error)
{
	if (!settings_uses_ldap(&in->settings)) {
		output_error("%s; isms-userctl setup makes a first directory", error);
		return EXIT_UNREACHABLE;
	}
	output_error("%s", error);
	return r == -EINVAL ? EXIT_USAGE : r == -EACCES || r == -ENOENT ? EXIT_REFUSED : EXIT_UNREACHABLE;
}

bool
account_needs_name(const struct invocation *in)
{
	return settings_uses_ldap(&in->settings) && !operator_is_named(&in->who, in->settings.directory_uri);
}

/* What the entries mean now. Returns 0 or -ENOMEM. */
static int
understand(const struct invocation *in, const struct directory *d, struct entries *effective, struct identities *ret)
{
	int r = grants_apply(directory_entries(d), &in->settings, in->now_utc_sec, effective);

	if (r == 0)
		r = identities_build(effective, &in->settings, ret);
	if (r < 0)
		entries_done(effective);
	return r;
}

enum exit_code
account_open(struct invocation *in, const char *name, enum directory_mode mode, struct account *ret)
{
	char error[1024] = "";
	enum exit_code code;
	int r;

	memset(ret, 0, sizeof *ret);
	if (name != NULL && !account_name_allowed("user", name))
		return EXIT_REFUSED;
	code = invocation_settings(in);
	if (code != EXIT_DONE)
		return code;
	ret->base = in->settings.directory_base;
	r = directory_open(&in->settings, &in->who, in->root, mode, in->dry_run, &ret->directory, error, sizeof error);
	if (r < 0)
		return complain_of_directory(in, r, error);
	if (understand(in, ret->directory, &ret->effective, &ret->identities) < 0) {
		output_error("out of memory");
		return EXIT_UNREACHABLE;
	}
	return name == NULL ? EXIT_DONE : account_find(ret, name);
}

enum exit_code
account_find(struct account *account, const char *name)
{
	if (!account_name_allowed("user", name))
		return EXIT_REFUSED;
	account->identity = identities_find(&account->identities, name);
	if (account->identity != NULL)
		return EXIT_DONE;
	output_error("%s: no such account in the directory; see isms-userctl list", name);
	return EXIT_REFUSED;
}

int
account_refresh(const struct invocation *in, struct account *account, const char *name)
{
	struct identities fresh = { 0 };
	struct entries effective = { 0 };
	int r;

	r = understand(in, account->directory, &effective, &fresh);
	if (r < 0)
		return r;
	identities_done(&account->identities);
	entries_done(&account->effective);
	account->effective = effective;	/* now owned there */
	account->identities = fresh;	/* now owned there */
	account->identity = identities_find(&account->identities, name);
	return account->identity != NULL ? 0 : -ENOENT;
}

enum exit_code
account_commit(struct account *account)
{
	char error[4096];
	int r;

	r = directory_commit(account->directory, error, sizeof error);
	if (r == 0)
		return EXIT_DONE;
	output_error("%s", error[0] != '\0' ? error : strerror(-r));
	return directory_is_server(account->directory) && (r == -EACCES || r == -ESTALE) ? EXIT_REFUSED : EXIT_UNREACHABLE;
}

int
account_need_unit(const struct invocation *in, struct directory *d, const char *name)
{
	char dn[ACCOUNT_DN_MAX];
	struct entry *e;
	int r;

	r = ldap_escape_dn(dn, sizeof dn, "ou", name, NULL, in->settings.directory_base);
	if (r < 0 || entries_find(directory_entries(d), dn) != NULL)
		return r;
	e = entry_new(dn);
	if (e == NULL)
		return -ENOMEM;
	r = entry_set(e, "objectClass", "top");
	if (r == 0)
		r = entry_add_value(e, "objectClass", "organizationalUnit", strlen("organizationalUnit"));
	if (r == 0)
		r = entry_set(e, "ou", name);
	if (r == 0)
		return directory_add(d, e);	/* now owned by the directory */
	entry_free(e);
	return r;
}

void
account_done(struct account *account)
{
	identities_done(&account->identities);
	entries_done(&account->effective);
	directory_close(account->directory);
	memset(account, 0, sizeof *account);
}

const char *
account_state(const struct identity *identity, int64_t now_utc_sec)
{
	if (identity->state != FACTS_MANAGED)
		return "broken";
	if (identity->disabled)
		return "disabled";
	if (identity->not_after_utc_sec != 0 && now_utc_sec >= identity->not_after_utc_sec)
		return "expired";
	if (identity->locked_until_utc_sec > now_utc_sec)
		return "locked";
	if (identity->not_before_utc_sec > now_utc_sec)
		return "not-yet-valid";
	return "active";
}

char *
account_sponsor_name(const struct identity *identity, char *buf, size_t size)
{
	const char *dn = identity->sponsor != NULL ? identity->sponsor : "";
	size_t len;

	if (strncmp(dn, "uid=", 4) == 0) {
		dn += 4;
		len = strcspn(dn, ",+\\");
	} else
		len = strlen(dn);
	(void)snprintf(buf, size, "%.*s", (int)len, dn);
	return buf;
}

int
account_make_uuid(char buf[static 37])
{
	uint8_t b[16];

	if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b)
		return -EIO;
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	(void)snprintf(buf, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2],
	    b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
	return 0;
}
