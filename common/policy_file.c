/*
 * policy_file.c - policy.conf and policy.d -> struct policy.
 *
 * Runs in ismsd and isms-userctl. Must never let a rule fall under the table: an unknown or unsupported
 * key, a word that cannot be a name, a role given twice is an error with file and line.
 */
#include <config.h>

#include "common/policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/civil_date.h"
#include "common/conf_file.h"
#include "common/guarded.h"
#include "common/policy_parts.h"

enum { SESSION_MIN_SEC = 10, SESSION_MAX_SEC = 366 * 86400, SERVICE_MAX = 64, NAME_MAX_BYTES = 32, HOST_MAX = 64 };

#define TERM_MAX_SEC	(INT64_C(3660) * 86400)

struct parse {
	struct policy *policy;		/* owned until it is complete */
	struct role *role;		/* of the section that is being read; NULL in others */
	char file[4096];		/* that the lines below are about */
	unsigned list_lines[6];		/* of the lists of [groups], [services] and [local]; 0: not yet */
};

/* ---- words ---------------------------------------------------------------------------------------- */

/* A user or group name as the reader of the snapshot takes it (DESIGN 4.7). */
static bool
is_name(const char *word)
{
	size_t len = strlen(word);

	return len >= 1 && len <= NAME_MAX_BYTES && strchr("abcdefghijklmnopqrstuvwxyz_", word[0]) != NULL &&
	    strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_.-") == len;
}

static bool
is_service(const char *word)
{
	size_t len = strlen(word);

	return len >= 1 && len <= SERVICE_MAX &&
	    strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") == len;
}

/* A host as its isms.conf calls it, or a group of hosts: @web. */
static bool
is_host(const char *word)
{
	size_t len = strlen(word += word[0] == '@');

	/* "none" is how isms.conf says that a host has no name. */
	return len >= 1 && len <= HOST_MAX && word[0] != '-' && strcmp(word, "none") != 0 &&
	    strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") == len;
}

/* Add each word of a value. */
static int
add_words(struct names *names, const char *value, bool (*is_valid)(const char *), char *error, size_t size)
{
	char word[128];

	for (const char *at = value + strspn(value, " \t"); *at != '\0'; at += strspn(at, " \t")) {
		size_t len = strcspn(at, " \t");

		(void)snprintf(word, sizeof word, "%.*s", (int)(len < sizeof word ? len : sizeof word - 1), at);
		if (!is_valid(word))
			return conf_wrong(error, size, "\"%.100s\" cannot be a name; write names separated by spaces", word);
		if (!names_has(names, word) && names_add(names, word) < 0)
			return -ENOMEM;
		at += len;
	}
	return 0;
}

static int
need_words(struct names *names, const char *value, bool (*is_valid)(const char *), char *error, size_t size)
{
	int r = add_words(names, value, is_valid, error, size);

	return r == 0 && names->size == 0 ? conf_wrong(error, size, "is empty; name at least one") : r;
}

/* ---- keys of a role: 0, -ENOMEM, or -EINVAL with the reason in error -------------------------------- */

static int
match_term(struct role *role, const char *term, char *error, size_t size)
{
	static const char *const kinds[KIND_COUNT] = {
		[KIND_EMPLOYEE] = "employee", [KIND_CONTRACTOR] = "contractor", [KIND_SERVICE] = "service",
		[KIND_BREAK_GLASS] = "break-glass",
	};
	struct names *names = NULL;

	if (strcmp(term, "any") == 0) {
		role->match_any = true;
		return 0;
	}
	if (strncmp(term, "kind:", 5) == 0) {
		for (unsigned k = 1; k < KIND_COUNT; k++) {
			if (strcmp(term + 5, kinds[k]) == 0) {
				role->match_kinds |= 1u << k;
				return 0;
			}
		}
		return conf_wrong(error, size, "\"%.60s\": kinds are employee, contractor, service and break-glass", term);
	}
	if (strncmp(term, "user:", 5) == 0)
		names = &role->match_users;
	else if (strncmp(term, "group:", 6) == 0)
		names = &role->match_groups;
	if (names == NULL || !is_name(strchr(term, ':') + 1))
		return conf_wrong(error, size, "\"%.60s\": write kind:KIND, user:NAME, group:NAME or any", term);
	return names_add(names, strchr(term, ':') + 1);
}

static int
parse_match(struct role *role, const char *value, char *error, size_t size)
{
	char term[128];
	int r = 0;

	for (const char *at = value; *at != '\0' && r == 0; at += strspn(at, " \t")) {
		size_t len = strcspn(at, " \t");

		(void)snprintf(term, sizeof term, "%.*s", (int)(len < sizeof term ? len : sizeof term - 1), at);
		r = match_term(role, term, error, size);
		at += len;
	}
	if (r < 0)
		return r;
	if (value[0] == '\0')
		return conf_wrong(error, size, "is empty; write kind:KIND, user:NAME, group:NAME or any");
	if (role->match_any && strcmp(value, "any") != 0)
		return conf_wrong(error, size, "\"any\" stands alone: it fits everybody already");
	return 0;
}

static int
parse_allow_services(struct role *role, const char *value, char *error, size_t size)
{
	return need_words(&role->allow_services, value, is_service, error, size);
}

static int
parse_allow_hosts(struct role *role, const char *value, char *error, size_t size)
{
	return need_words(&role->allow_hosts, value, is_host, error, size);
}

static int
parse_mfa(struct role *role, const char *value, char *error, size_t size)
{
	static const char *const rules[] = {
		[MFA_NONE] = "none", [MFA_IF_ENROLLED] = "if-enrolled", [MFA_REQUIRED] = "required",
	};

	for (unsigned i = 0; i < sizeof rules / sizeof rules[0]; i++) {
		if (strcmp(value, rules[i]) == 0) {
			role->mfa = (enum mfa_rule)i;
			return 0;
		}
	}
	return conf_wrong(error, size, "\"%.40s\" is none of required, if-enrolled and none", value);
}

static int
parse_require_expiry(struct role *role, const char *value, char *error, size_t size)
{
	role->require_expiry = strcmp(value, "yes") == 0;
	if (!role->require_expiry && strcmp(value, "no") != 0)
		return conf_wrong(error, size, "\"%.40s\" is neither yes nor no", value);
	return 0;
}

static int
parse_max_term(struct role *role, const char *value, char *error, size_t size)
{
	if (civil_date_parse_duration(value, TERM_MAX_SEC, &role->max_term_sec) < 0 || role->max_term_sec < 60)
		return conf_wrong(error, size, "\"%.40s\" is not a duration of 60s to %lldd; write for example 180d", value,
		    (long long)(TERM_MAX_SEC / 86400));
	return 0;
}

static int
parse_hours(struct role *role, const char *value, char *error, size_t size)
{
	role->hours = calloc(1, sizeof *role->hours);
	return role->hours != NULL ? hours_parse(value, role->hours, error, size) : -ENOMEM;
}

static int
parse_from(struct role *role, const char *value, char *error, size_t size)
{
	role->from = calloc(1, sizeof *role->from);
	return role->from != NULL ? sources_parse(value, role->from, error, size) : -ENOMEM;
}

static int
parse_max_session(struct role *role, const char *value, char *error, size_t size)
{
	int64_t sec;

	if (civil_date_parse_duration(value, SESSION_MAX_SEC, &sec) < 0 || sec < SESSION_MIN_SEC)
		return conf_wrong(error, size, "\"%.40s\" is not a duration of %ds to %dd; write for example 8h", value,
		    SESSION_MIN_SEC, SESSION_MAX_SEC / 86400);
	role->max_session_sec = (uint32_t)sec;
	return 0;
}

static int
parse_keep_groups(struct role *role, const char *value, char *error, size_t size)
{
	return add_words(&role->keep_groups, value, is_name, error, size);	/* empty: keep none */
}

static int
parse_drop_groups(struct role *role, const char *value, char *error, size_t size)
{
	return need_words(&role->drop_groups, value, is_name, error, size);
}

static int
parse_contact(struct role *role, const char *value, char *error, size_t size)
{
	if (value[0] == '\0' || strlen(value) >= sizeof role->contact)
		return conf_wrong(error, size, "write 1 to %zu bytes", sizeof role->contact - 1);
	memcpy(role->contact, value, strlen(value) + 1);
	return 0;
}

static const struct {
	const char *key;
	int (*parse)(struct role *, const char *, char *, size_t);
} role_keys[KEY_COUNT] = {
	[KEY_MATCH] = { "match", parse_match },
	[KEY_ALLOW_SERVICES] = { "allow-services", parse_allow_services },
	[KEY_ALLOW_HOSTS] = { "allow-hosts", parse_allow_hosts },
	[KEY_MFA] = { "mfa", parse_mfa },
	[KEY_REQUIRE_EXPIRY] = { "require-expiry", parse_require_expiry },
	[KEY_MAX_TERM] = { "max-term", parse_max_term },
	[KEY_MAX_SESSION] = { "max-session", parse_max_session },
	[KEY_HOURS] = { "hours", parse_hours },
	[KEY_FROM] = { "from", parse_from },
	[KEY_KEEP_GROUPS] = { "keep-groups", parse_keep_groups },
	[KEY_DROP_GROUPS] = { "drop-groups", parse_drop_groups },
	[KEY_CONTACT] = { "contact", parse_contact },
	[KEY_MAX_SESSIONS] = { "max-sessions", policy_parse_max_sessions },
	[KEY_REVIEW_EVERY] = { "review-every", policy_parse_review_every },
	[KEY_DORMANT_AFTER] = { "dormant-after", policy_parse_dormant_after },
	[KEY_ON_END] = { "on-end", policy_parse_on_end },
	[KEY_REQUIRE_SPONSOR] = { "require-sponsor", policy_parse_require_sponsor },
	[KEY_OWNER_GRACE] = { "owner-grace", policy_parse_owner_grace },
};

/* Rules that a later version will know. A host must not seem to enforce them. */
static const char *const later_keys[] = {
	"offline-grace",
};

static int
take_role_key(struct role *role, const struct conf_line *line, char *error, size_t size)
{
	char why[384] = "";
	size_t key;
	int r;

	for (size_t i = 0; i < sizeof later_keys / sizeof later_keys[0]; i++) {
		if (strcmp(line->key, later_keys[i]) == 0)
			return conf_wrong(error, size, "[%s] %s: not supported by this version; remove it", line->section,
			    line->key);
	}
	for (key = 0; key < KEY_COUNT && strcmp(role_keys[key].key, line->key) != 0; key++)
		;
	if (key == KEY_COUNT)
		return conf_wrong(error, size, "[%s] %s: unknown key; see isms-policy(5)", line->section, line->key);
	if (role->lines[key] != 0)
		return conf_wrong(error, size, "[%s] %s: stands here for the second time (line %u); remove one",
		    line->section, line->key, role->lines[key]);
	r = role_keys[key].parse(role, line->value, why, sizeof why);
	if (r < 0)
		return r == -EINVAL ? conf_wrong(error, size, "[%s] %s: %s", line->section, line->key, why) : r;
	role->lines[key] = line->line;
	return 0;
}

/* ---- sections --------------------------------------------------------------------------------------- */

static int
end_role(struct parse *p, char *error, size_t size)
{
	struct role *role = p->role;

	p->role = NULL;
	if (role == NULL || role->lines[KEY_MATCH] != 0)
		return 0;
	return conf_wrong(error, size, "[role %s] (%s:%u) has no match; write whom it is about, for example match = any",
	    role->name, role->file, role->line);
}

static int
begin_role(struct parse *p, const struct conf_line *line, char *error, size_t size)
{
	const char *name = line->section + 5;
	const char *file = strrchr(line->file, '/');
	struct role *role;

	name += strspn(name, " \t");
	if (!is_service(name) || strlen(name) > ROLE_NAME_MAX)
		return conf_wrong(error, size, "[%s]: a role's name has 1 to %d letters, digits, \"_\", \".\" and \"-\"",
		    line->section, ROLE_NAME_MAX);
	for (size_t i = 0; i < p->policy->role_count; i++) {
		role = &p->policy->roles[i];
		if (strcasecmp(role->name, name) == 0)
			return conf_wrong(error, size, "[%s]: there is a role %s already (%s:%u)", line->section,
			    role->name, role->file, role->line);
	}
	if (p->policy->role_count == POLICY_ROLES_MAX)
		return conf_wrong(error, size, "[%s]: more than %d roles", line->section, POLICY_ROLES_MAX);
	role = &p->policy->roles[p->policy->role_count++];
	*role = (struct role){ .line = line->line, .mfa = MFA_REQUIRED };
	(void)snprintf(role->name, sizeof role->name, "%s", name);
	(void)snprintf(role->file, sizeof role->file, "%s", file != NULL ? file + 1 : line->file);
	p->role = role;
	return 0;
}

/* A service of [services] must not leave the class that the built-in table or another list gave it. */
static int
check_services(const struct policy *policy, enum service_class class, char *error, size_t size)
{
	static const char *const names[CLASS_COUNT] = { "remote", "elevation", "unattended" };
	const struct names *list = &policy->services[class];

	for (const char *s = names_next(list, NULL); s != NULL; s = names_next(list, s)) {
		enum service_class builtin;

		if (policy_builtin_class(s, &builtin) && builtin != class)
			return conf_wrong(error, size, "%s is of class %s and cannot be moved", s, names[builtin]);
		for (unsigned other = 0; other < CLASS_COUNT; other++) {
			if (other != class && names_has(&policy->services[other], s))
				return conf_wrong(error, size, "%s is of class %s already", s, names[other]);
		}
	}
	return 0;
}

/* [groups] deny-acl, [services] CLASS, [local] manage: lists; those of several files add up. */
static int
take_list(struct parse *p, const struct conf_line *line, char *error, size_t size)
{
	struct policy *policy = p->policy;
	const struct {
		const char *section, *key;
		struct names *names;
		bool (*is_valid)(const char *);
	} lists[] = {
		{ "groups", "deny-acl", &policy->deny_acl, is_name },
		{ "services", "remote", &policy->services[CLASS_REMOTE], is_service },
		{ "services", "elevation", &policy->services[CLASS_ELEVATION], is_service },
		{ "services", "unattended", &policy->services[CLASS_UNATTENDED], is_service },
		{ "local", "manage", &policy->managed, is_name },
		{ "groups", "privileged", &policy->privileged, is_name },
	};
	char why[384] = "";
	size_t i;
	int r;

	for (i = 0; i < 6 && (strcmp(lists[i].section, line->section) != 0 || strcmp(lists[i].key, line->key) != 0); i++)
		;
	if (i == 6)
		return conf_wrong(error, size, "[%s] %s: unknown key; see isms-policy(5)", line->section, line->key);
	if (p->list_lines[i] != 0)
		return conf_wrong(error, size, "[%s] %s: stands here for the second time (line %u); remove one",
		    line->section, line->key, p->list_lines[i]);
	p->list_lines[i] = line->line;
	r = need_words(lists[i].names, line->value, lists[i].is_valid, why, sizeof why);
	if (r == 0 && i >= 1 && i <= 3)
		r = check_services(policy, (enum service_class)(i - 1), why, sizeof why);
	if (r == 0 && i == 4 && policy->managed.size > GUARDED_BYTES_MAX)
		r = conf_wrong(why, sizeof why, "is longer than %d bytes; such accounts belong into the directory", GUARDED_BYTES_MAX);
	if (r == 0 && i == 4 && names_has(&policy->managed, "root"))
		r = conf_wrong(why, sizeof why, "root is never managed: somebody must be able to mend this host");
	return r == -EINVAL ? conf_wrong(error, size, "[%s] %s: %s", line->section, line->key, why) : r;
}

static int
take_line(void *arg, const struct conf_line *line, char *error, size_t size)
{
	struct parse *p = arg;
	const char *section = line->section;

	if (strcmp(p->file, line->file) != 0) {
		if (end_role(p, error, size) < 0)	/* a section ends with its file */
			return -EINVAL;
		(void)snprintf(p->file, sizeof p->file, "%s", line->file);
		memset(p->list_lines, 0, sizeof p->list_lines);
	}
	if (line->key != NULL)
		return p->role != NULL ? take_role_key(p->role, line, error, size) :
		    section[0] == '\0' ? conf_wrong(error, size, "%s: stands before the first [section]", line->key) :
		    take_list(p, line, error, size);
	if (end_role(p, error, size) < 0)
		return -EINVAL;
	if (strncmp(section, "role ", 5) == 0)
		return begin_role(p, line, error, size);
	if (strcmp(section, "groups") != 0 && strcmp(section, "services") != 0 && strcmp(section, "local") != 0)
		return conf_wrong(error, size, "[%s]: unknown section; there are [role NAME], [groups], [services] and [local]",
		    section);
	return 0;
}

static int
finish(struct parse *p, int r, const char *name, struct policy **ret_policy, char *error, size_t size)
{
	char why[384];

	if (r == 0 && end_role(p, why, sizeof why) < 0) {
		(void)snprintf(error, size, "%s: %s", name, why);
		r = -EINVAL;
	}
	if (r == 0) {
		*ret_policy = p->policy;
		p->policy = NULL;	/* now owned by the caller */
	}
	policy_free(p->policy);
	free(p);
	return r;
}

static struct parse *
parse_new(void)
{
	struct parse *p = calloc(1, sizeof *p);

	if (p != NULL)
		p->policy = calloc(1, sizeof *p->policy);
	if (p != NULL && p->policy == NULL) {
		free(p);
		p = NULL;
	}
	return p;
}

int
policy_load(const char *dir, struct policy **ret_policy, char *error, size_t size)
{
	struct parse *p = parse_new();
	unsigned files = 0;
	int r;

	if (p == NULL)
		return -ENOMEM;
	r = conf_load(dir, "policy.conf", "policy.d", take_line, p, &files, error, size);
	if (r == 0 && files == 0) {
		(void)snprintf(error, size, "%s/policy.conf: missing; run isms-userctl setup, or see isms-policy(5)", dir);
		r = -ENOENT;
	}
	return finish(p, r, dir, ret_policy, error, size);
}

int
policy_parse(const char *text, size_t len, const char *name, struct policy **ret_policy, char *error, size_t size)
{
	struct parse *p = parse_new();
	int r;

	if (p == NULL)
		return -ENOMEM;
	r = conf_parse(text, len, name, take_line, p, error, size);
	return finish(p, r, name, ret_policy, error, size);
}
