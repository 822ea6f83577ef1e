/*
 * settings.c - isms.conf through the table of options.def.
 *
 * Runs in every process of ismsd and in isms-userctl. Must never guess: an option that is unknown, given
 * twice in one file or out of range is an error with file, line and cure, and *ret stays as it was.
 */
#include <config.h>

#include "common/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/civil_date.h"
#include "common/conf_file.h"
#include "common/grant.h"
#include "common/server_schema.h"
#include "common/zone.h"

const struct option_info settings_options[] = {
#define OPT(section, key, name, TYPE, fallback, min, max, unit, help) \
	{ #section, #key, #TYPE, fallback, unit, help, min, max, offsetof(struct settings, name) },
#include "common/options.def"
#undef OPT
	{ .section = NULL },
};

enum { OPTION_COUNT = sizeof settings_options / sizeof settings_options[0] - 1 };

/* ---- values: each returns 0, or -EINVAL with the reason in error ----------------------------------- */

static int
parse_STR(const struct option_info *o, const char *text, void *to, char *error, size_t size)
{
	size_t len = strlen(text);

	if (len < (size_t)o->min || len > (size_t)o->max)
		return conf_wrong(error, size, "%zu bytes long; write %lld to %lld", len, (long long)o->min,
		    (long long)o->max);
	memcpy(to, text, len + 1);
	return 0;
}

static int
parse_number(const char *text, int64_t max, uint32_t *ret)
{
	int64_t n = 0;

	if (text[0] == '\0')
		return -EINVAL;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		n = n * 10 + (*text - '0');
		if (n > max)
			return -ERANGE;
	}
	*ret = (uint32_t)n;
	return 0;
}

static int
parse_UINT(const struct option_info *o, const char *text, void *to, char *error, size_t size)
{
	uint32_t n = 0;
	int r = parse_number(text, o->max, &n);

	if (r == -EINVAL)
		return conf_wrong(error, size, "\"%.40s\" is not a number; write %lld to %lld, digits only", text,
		    (long long)o->min, (long long)o->max);
	if (r < 0 || n < o->min)
		return conf_wrong(error, size, "%.40s is out of range; write %lld to %lld", text, (long long)o->min,
		    (long long)o->max);
	memcpy(to, &n, sizeof n);
	return 0;
}

static int
parse_BOOL(const struct option_info *o, const char *text, void *to, char *error, size_t size)
{
	bool yes = strcmp(text, "yes") == 0;

	(void)o;
	if (!yes && strcmp(text, "no") != 0)
		return conf_wrong(error, size, "\"%.40s\" is neither yes nor no", text);
	memcpy(to, &yes, sizeof yes);
	return 0;
}

static int
parse_SECONDS(const struct option_info *o, const char *text, void *to, char *error, size_t size)
{
	int64_t sec = 0;
	int r = civil_date_parse_duration(text, o->max, &sec);
	uint32_t n;

	if (r == -EINVAL)
		return conf_wrong(error, size, "\"%.40s\" is not a duration; write for example 30s, 15m, 8h or 2d", text);
	if (r < 0 || sec < o->min)
		return conf_wrong(error, size, "%.40s is out of range; write %lld to %lld seconds", text,
		    (long long)o->min, (long long)o->max);
	n = (uint32_t)sec;
	memcpy(to, &n, sizeof n);
	return 0;
}

/* Cut off the next word of a list. Returns NULL at its end. */
static char *
next_word(char **rest)
{
	char *word;

	*rest += strspn(*rest, " \t");
	if (**rest == '\0')
		return NULL;
	word = *rest;
	*rest += strcspn(*rest, " \t");
	if (**rest != '\0')
		*(*rest)++ = '\0';
	return word;
}

static int
parse_RANGES(const struct option_info *o, const char *text, void *to, char *error, size_t size)
{
	static const int64_t id_min = 1000, id_max = INT32_MAX;	/* DESIGN 4.7: the floor that no setting lowers */
	struct id_ranges ranges = { 0 };
	char copy[256], *rest = copy, *word;

	if (strlen(text) > (size_t)o->max || strlen(text) < (size_t)o->min)
		return conf_wrong(error, size, "write ranges of ids such as 1000-60000 65536-524287");
	(void)snprintf(copy, sizeof copy, "%s", text);
	while ((word = next_word(&rest)) != NULL) {
		char *dash = strchr(word, '-');
		uint32_t first = 0, last = 0;

		if (ranges.count == RANGES_MAX)
			return conf_wrong(error, size, "more than %d ranges", RANGES_MAX);
		if (dash == NULL)
			return conf_wrong(error, size, "\"%.40s\" is not a range; write FIRST-LAST", word);
		*dash = '\0';
		if (parse_number(word, id_max, &first) < 0 || parse_number(dash + 1, id_max, &last) < 0 ||
		    first < id_min || last < first)
			return conf_wrong(error, size, "%.20s-%.20s is not a range within %lld-%lld", word, dash + 1,
			    (long long)id_min, (long long)id_max);
		if (ranges.count > 0 && first <= ranges.range[ranges.count - 1].last)
			return conf_wrong(error, size, "%u-%u begins before the end of the range before it", first, last);
		ranges.range[ranges.count].first = first;
		ranges.range[ranges.count++].last = last;
	}
	if (ranges.count == 0)
		return conf_wrong(error, size, "no range; write for example 1000-60000");
	memcpy(to, &ranges, sizeof ranges);
	return 0;
}

static int
parse_value(const struct option_info *o, const char *text, struct settings *s, char *error, size_t size)
{
	static const struct {
		const char *type;
		int (*parse)(const struct option_info *, const char *, void *, char *, size_t);
	} types[] = {
		{ "STR", parse_STR }, { "UINT", parse_UINT }, { "BOOL", parse_BOOL }, { "SECONDS", parse_SECONDS },
		{ "RANGES", parse_RANGES },
	};

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		if (strcmp(o->type, types[i].type) == 0)
			return types[i].parse(o, text, (char *)s + o->offset, error, size);
	}
	return conf_wrong(error, size, "has no parser for its type");	/* a test parses every default */
}

/* ---- texts with a form of their own ----------------------------------------------------------------- */

/* A name of DNS, in labels of letters, digits and hyphens. */
static bool
is_host_name(const char *name)
{
	size_t len = strlen(name);

	return len >= 1 && len <= 240 && name[0] != '.' && name[0] != '-' && name[len - 1] != '.' &&
	    strstr(name, "..") == NULL &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") == len;
}

/* A domain whose servers DNS names. */
static int
check_domain(const char *uri, char *error, size_t size)
{
	return is_host_name(strstr(uri, "://") + 3) ? 0 :
	    conf_wrong(error, size, "\"%.100s\": write ldaps+srv://DOMAIN or ldap+srv://DOMAIN, without port or path", uri);
}

/* "HOST .DOMAIN ..." */
static int
check_targets(const char *value, char *error, size_t size)
{
	char copy[1024], *rest = copy, *word;

	(void)snprintf(copy, sizeof copy, "%s", value);
	while ((word = next_word(&rest)) != NULL) {
		if (!is_host_name(word + (word[0] == '.')))
			return conf_wrong(error, size, "\"%.100s\" is neither HOST nor .DOMAIN", word);
	}
	return 0;
}

/* One server: a scheme, a host (ldapi: a socket's path), perhaps a port; no base, filter or user in it. */
static int
check_server(const char *uri, char *error, size_t size)
{
	static const char *const schemes[] = { "ldaps://", "ldap://", "ldapi://" };
	size_t len;

	if (strncmp(uri, "ldaps+srv://", 12) == 0 || strncmp(uri, "ldap+srv://", 11) == 0)
		return check_domain(uri, error, size);
	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
		len = strlen(schemes[i]);
		if (strncmp(uri, schemes[i], len) != 0)
			continue;
		len += strcspn(uri + len, "/?#@\\\"");
		if (uri[len] == '\0' || (uri[len] == '/' && uri[len + 1] == '\0'))
			return 0;
		return conf_wrong(error, size,
		    "\"%.100s\": write ldaps://HOST or ldaps://HOST:PORT, and the base as [directory] base", uri);
	}
	return conf_wrong(error, size,
	    "\"%.100s\": write file:///PATH, or ldaps://HOST, ldap://HOST (StartTLS) or ldapi://%%2fPATH", uri);
}

static int
check_uri(const char *value, char *error, size_t size)
{
	char copy[1024], *rest = copy, *word;
	const char *file = "file:///";
	int r = 0;

	if (strncmp(value, file, strlen(file)) == 0) {
		if (value[strlen(file)] == '\0' || strpbrk(value, " \t") != NULL)
			return conf_wrong(error, size, "write file:///PATH of one LDIF file");
		if (strstr(value, "/../") != NULL)
			return conf_wrong(error, size, "the path must not hold \"..\"");
		return 0;
	}
	(void)snprintf(copy, sizeof copy, "%s", value);
	while (r == 0 && (word = next_word(&rest)) != NULL)
		r = check_server(word, error, size);
	return r;
}

/* Files that root names; a relative one would depend on where a process stands. */
static int
check_file(const char *value, char *error, size_t size)
{
	if (value[0] == '/' && strstr(value, "/../") == NULL)
		return 0;
	return conf_wrong(error, size, "\"%.100s\" is not the absolute path of a file", value);
}

/* A DN begins with an attribute's name; anything else is one of two words. */
static int
check_bind_dn(const char *value, char *error, size_t size)
{
	if (strcmp(value, "anonymous") == 0 || strcmp(value, "external") == 0 || strchr(value, '=') != NULL)
		return 0;
	return conf_wrong(error, size, "\"%.100s\" is neither a DN nor external nor anonymous", value);
}

/* "ours=theirs ..."; what has no standard name cannot be mapped. */
static int
check_map(const char *value, char *error, size_t size)
{
	char copy[1024], *rest = copy, *word;

	if (strcmp(value, "none") == 0)
		return 0;
	(void)snprintf(copy, sizeof copy, "%s", value);
	while ((word = next_word(&rest)) != NULL) {
		size_t ours = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
		size_t theirs = word[ours] != '=' ? 0 :
		    strspn(word + ours + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");

		if (ours == 0 || theirs == 0 || word[ours + 1 + theirs] != '\0')
			return conf_wrong(error, size, "\"%.100s\" is not OURS=THEIRS, two names of attributes", word);
	}
	return 0;
}

static int
check_publish(const char *value, char *error, size_t size)
{
	return strcmp(value, "all") == 0 || strcmp(value, "allowed") == 0 ? 0 :
	    conf_wrong(error, size, "\"%.40s\" is neither all nor allowed", value);
}

static int
check_schema(const char *value, char *error, size_t size)
{
	enum server_kind kind;

	return server_schema_kind(value, &kind) == 0 ? 0 :
	    conf_wrong(error, size, "\"%.31s\" is none of rfc2307, 389-ds, active-directory", value);
}

static int
check_sids(const char *value, char *error, size_t size)
{
	struct sid_range range;

	return sid_range_parse(value, &range) == 0 ? 0 :
	    conf_wrong(error, size, "\"%.127s\" is neither none nor a domain and a range of ids within 1000-%d; write for example "
	    "S-1-5-21-1004336348-1177238915-682003330 200000-399999", value, INT32_MAX);
}

/* Where the name stands must not depend on who reads it: once, as a part of the path. */
static int
check_template(const char *value, char *error, size_t size)
{
	const char *percent = strchr(value, '%');

	if (strcmp(value, "none") == 0 ||
	    (value[0] == '/' && percent != NULL && percent[1] == 'u' && strchr(percent + 1, '%') == NULL))
		return 0;
	return conf_wrong(error, size, "\"%.100s\" is neither none nor an absolute path with one %%u in it", value);
}

static int
check_folders(const char *value, char *error, size_t size)
{
	char copy[1024], *rest = copy, *word;

	(void)snprintf(copy, sizeof copy, "%s", value);
	while ((word = next_word(&rest)) != NULL) {
		if (word[0] != '/' || word[strlen(word) - 1] != '/' || strstr(word, "/../") != NULL)
			return conf_wrong(error, size, "\"%.100s\" is not an absolute folder that ends in /", word);
	}
	return 0;
}

static int
check_shells(const char *value, char *error, size_t size)
{
	char copy[1024], *rest = copy, *word;

	(void)snprintf(copy, sizeof copy, "%s", value);
	while ((word = next_word(&rest)) != NULL) {
		if (word[0] != '/' || word[strlen(word) - 1] == '/' || strchr(word, ':') != NULL)
			return conf_wrong(error, size, "\"%.100s\" is not the absolute path of a program", word);
	}
	return 0;
}

static int
check_zone(const char *value, char *error, size_t size)
{
	return zone_name_valid(value) ? 0 :
	    conf_wrong(error, size, "\"%.63s\" is not the name of a zone; write for example Europe/Berlin", value);
}

static int
check_text(const struct option_info *o, const char *value, char *error, size_t size)
{
	static const struct {
		size_t offset;
		int (*check)(const char *, char *, size_t);
	} checks[] = {
		{ offsetof(struct settings, directory_uri), check_uri },
		{ offsetof(struct settings, directory_srv_targets), check_targets },
		{ offsetof(struct settings, directory_bind_dn), check_bind_dn },
		{ offsetof(struct settings, directory_ca_file), check_file },
		{ offsetof(struct settings, directory_bind_password_file), check_file },
		{ offsetof(struct settings, directory_attribute_map), check_map },
		{ offsetof(struct settings, nss_publish), check_publish },
		{ offsetof(struct settings, directory_schema), check_schema },
		{ offsetof(struct settings, directory_id_from_sid), check_sids },
		{ offsetof(struct settings, directory_max_grant), grant_longest_check },
		{ offsetof(struct settings, nss_home_prefixes), check_folders },
		{ offsetof(struct settings, nss_home_template), check_template },
		{ offsetof(struct settings, nss_default_shell), check_file },
		{ offsetof(struct settings, nss_shells), check_shells },
		{ offsetof(struct settings, login_time_zone), check_zone },
	};

	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
		if (checks[i].offset == o->offset)
			return checks[i].check(value, error, size);
	}
	return 0;
}

bool
settings_uses_ldap(const struct settings *settings)
{
	return strncmp(settings->directory_uri, "file:", 5) != 0;
}

bool
settings_publishes_all(const struct settings *settings)
{
	return strcmp(settings->nss_publish, "all") == 0;
}

/*
 * Servers that DNS names: DNS is not trusted, so that root lists the names that a certificate may prove (THREATS 5.4),
 * and a server must prove one.
 */
static int
check_servers(const struct settings *s, char *error, size_t size)
{
	if (strstr(s->directory_uri, "+srv://") == NULL || !settings_uses_ldap(s))
		return 0;
	if (strcmp(s->directory_srv_targets, "none") == 0)
		return conf_wrong(error, size, "[directory] srv-targets: whoever answers for DNS chooses the server that uri does "
		    "not name; list the names that it may have, e.g. ldap1.example.com, or .dc.example.com for all below that");
	if (s->directory_allow_cleartext)
		return conf_wrong(error, size, "[directory] allow-cleartext: servers that DNS names must prove who they are; write "
		    "no, or servers by name into uri");
	return 0;
}

/* ---- files ------------------------------------------------------------------------------------------ */

struct parse {
	struct settings settings;
	char file[4096];			/* that seen is about */
	bool seen[OPTION_COUNT];
};

static bool
known_section(const char *section)
{
	for (const struct option_info *o = settings_options; o->section != NULL; o++) {
		if (strcmp(o->section, section) == 0)
			return true;
	}
	return false;
}

static int
take_line(void *arg, const struct conf_line *line, char *error, size_t size)
{
	struct parse *p = arg;
	char why[384];
	size_t i;

	if (!known_section(line->section))
		return line->section[0] == '\0' ? conf_wrong(error, size, "%s: stands before the first [section]", line->key) :
		    conf_wrong(error, size, "[%s]: unknown section; see isms.conf(5)", line->section);
	if (line->key == NULL)
		return 0;
	for (i = 0; i < OPTION_COUNT; i++) {
		if (strcmp(settings_options[i].section, line->section) == 0 &&
		    strcmp(settings_options[i].key, line->key) == 0)
			break;
	}
	if (i == OPTION_COUNT)
		return conf_wrong(error, size, "[%s] %s: unknown option; see isms.conf(5)", line->section, line->key);
	if (strcmp(p->file, line->file) != 0) {
		(void)snprintf(p->file, sizeof p->file, "%s", line->file);
		memset(p->seen, 0, sizeof p->seen);
	}
	if (p->seen[i])
		return conf_wrong(error, size, "[%s] %s: stands here for the second time; remove one", line->section,
		    line->key);
	p->seen[i] = true;
	if (parse_value(&settings_options[i], line->value, &p->settings, why, sizeof why) < 0 ||
	    check_text(&settings_options[i], line->value, why, sizeof why) < 0)
		return conf_wrong(error, size, "[%s] %s: %s", line->section, line->key, why);
	return 0;
}

void
settings_defaults(struct settings *ret)
{
	char why[128];

	memset(ret, 0, sizeof *ret);
	for (const struct option_info *o = settings_options; o->section != NULL; o++)
		(void)parse_value(o, o->fallback, ret, why, sizeof why);
}

static int
load(const char *dir, const char *text, size_t len, const char *name, struct settings *ret, char *error, size_t size)
{
	struct parse *p = calloc(1, sizeof *p);
	struct zone zone = { 0 };
	char why[384];
	int r;

	if (p == NULL)
		return -ENOMEM;
	settings_defaults(&p->settings);
	r = text != NULL ? conf_parse(text, len, name, take_line, p, error, size) : 0;
	if (r == 0 && dir != NULL)
		r = conf_load(dir, "isms.conf", "conf.d", take_line, p, NULL, error, size);
	if (r == 0 && check_servers(&p->settings, why, sizeof why) < 0)
		r = conf_wrong(error, size, "%s: %s", text != NULL ? name : dir, why);
	if (r == 0 && text == NULL && strcmp(p->settings.login_time_zone, "UTC") != 0) {
		if (zone_load(p->settings.login_time_zone, &zone) < 0)
			r = conf_wrong(error, size, "%s: [login] time-zone: %s/%s cannot be read; install tzdata or write UTC",
			    dir, ZONE_FOLDER, p->settings.login_time_zone);
		zone_done(&zone);
	}
	if (r == 0)
		*ret = p->settings;
	free(p);
	return r;
}

int
settings_load(const char *dir, struct settings *ret, char *error, size_t size)
{
	return load(dir, NULL, 0, NULL, ret, error, size);
}

int
settings_parse(const char *text, size_t len, const char *name, struct settings *ret, char *error, size_t size)
{
	return load(NULL, text, len, name, ret, error, size);
}

int
settings_foresee(const char *dir, const char *text, struct settings *ret, char *error, size_t size)
{
	return load(dir, text, strlen(text), "isms.conf", ret, error, size);
}

bool
settings_id_allowed(const struct id_ranges *ranges, uint32_t id)
{
	for (unsigned i = 0; i < ranges->count; i++) {
		if (id >= ranges->range[i].first && id <= ranges->range[i].last)
			return true;
	}
	return false;
}

/* ---- writing ---------------------------------------------------------------------------------------- */

static int
format_ranges(const struct id_ranges *ranges, char *buf, size_t size)
{
	size_t used = 0;

	for (unsigned i = 0; i < ranges->count; i++) {
		int n = snprintf(buf + used, size - used, "%s%u-%u", i > 0 ? " " : "", ranges->range[i].first,
		    ranges->range[i].last);

		if (n < 0 || (size_t)n >= size - used)
			return -ENOBUFS;
		used += (size_t)n;
	}
	return (int)used;
}

/* The largest unit that divides evenly: "8h", not "28800s". */
static int
format_seconds(uint32_t sec, char *buf, size_t size)
{
	if (sec != 0 && sec % 86400 == 0)
		return snprintf(buf, size, "%ud", sec / 86400);
	if (sec != 0 && sec % 3600 == 0)
		return snprintf(buf, size, "%uh", sec / 3600);
	if (sec != 0 && sec % 60 == 0)
		return snprintf(buf, size, "%um", sec / 60);
	return snprintf(buf, size, "%us", sec);
}

int
settings_format(const struct settings *settings, const struct option_info *option, char *buf, size_t size)
{
	const char *at = (const char *)settings + option->offset;
	struct id_ranges ranges;
	uint32_t number;
	bool yes;
	int n;

	if (size == 0)
		return -ENOBUFS;
	if (strcmp(option->type, "RANGES") == 0) {
		memcpy(&ranges, at, sizeof ranges);
		return format_ranges(&ranges, buf, size);
	}
	if (strcmp(option->type, "STR") == 0) {
		n = snprintf(buf, size, "%s", at);
	} else if (strcmp(option->type, "BOOL") == 0) {
		memcpy(&yes, at, sizeof yes);
		n = snprintf(buf, size, "%s", yes ? "yes" : "no");
	} else {
		memcpy(&number, at, sizeof number);
		n = strcmp(option->type, "SECONDS") == 0 ? format_seconds(number, buf, size) :
		    snprintf(buf, size, "%u", number);
	}
	return n < 0 || (size_t)n >= size ? -ENOBUFS : n;
}
