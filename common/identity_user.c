/*
 * identity_user.c - one entry -> one user: name, ids, home, shell, kind, password, as strictly as root needs it.
 *
 * Directory process and isms-userctl. It must never guess: what is missing, malformed or there twice
 * makes the user FACTS_BROKEN (THREATS I10). Only what a person may edit himself (gecos, shell) is
 * made harmless instead, so that nobody locks himself out by a colon.
 */
#include <config.h>

#include "common/identity_parts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/last_use.h"
#include "common/snapshot.h"

#define HOME_BYTES_MAX	255
#define GECOS_BYTES_MAX	255
#define NO_LOGIN	"/usr/sbin/nologin"

void
identity_fault(struct fault *fault, const char *format, ...)
{
	va_list args;

	if (fault->text[0] != '\0')
		return;
	va_start(args, format);
	(void)vsnprintf(fault->text, sizeof fault->text, format, args);
	va_end(args);
	for (char *p = fault->text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
}

int
identity_parse_number(const char *text, uint64_t max, uint64_t *ret)
{
	uint64_t n = 0;

	if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
		return -EINVAL;
	for (; *text != '\0'; text++) {
		unsigned digit = (unsigned)(*text - '0');

		if (*text < '0' || *text > '9' || n > (max - digit) / 10)
			return -EINVAL;
		n = n * 10 + digit;
	}
	*ret = n;
	return n <= max ? 0 : -EINVAL;
}

const char *
identity_single(const struct entry *e, const char *name, struct fault *fault)
{
	const char *value = NULL;

	if (entry_single(e, name, &value) == -EBADMSG) {
		identity_fault(fault, "%s must have one plain value; remove the others", name);
		return NULL;
	}
	return value;
}

bool
identity_single_number(const struct entry *e, const char *name, uint64_t max, struct fault *fault, uint64_t *ret)
{
	const char *text = identity_single(e, name, fault);

	if (text == NULL)
		return false;
	if (identity_parse_number(text, max, ret) == 0)
		return true;
	identity_fault(fault, "%s \"%.40s\" is not a plain number in range", name, text);
	return false;
}

bool
identity_single_bool(const struct entry *e, const char *name, struct fault *fault)
{
	const char *text = identity_single(e, name, fault);

	if (text == NULL || strcasecmp(text, "FALSE") == 0)
		return false;
	if (strcasecmp(text, "TRUE") != 0)
		identity_fault(fault, "%s \"%.40s\" is neither TRUE nor FALSE", name, text);
	return true;
}

void
identity_check_sizes(const struct entry *e, struct fault *fault)
{
	const char *untranslated = entry_value(e, ENTRY_FAULT);

	if (untranslated != NULL)
		identity_fault(fault, "%.200s", untranslated);
	if (e->count > ENTRY_ATTRIBUTES_MAX)
		identity_fault(fault, "has more than %d attributes", ENTRY_ATTRIBUTES_MAX);
	for (size_t i = 0; i < e->count; i++) {
		if (strcasecmp(e->attributes[i].name, LAST_USE_ATTRIBUTE) == 0)	/* see identity_read_care() */
			continue;
		for (size_t k = 0; k < e->attributes[i].count; k++)
			if (e->attributes[i].values[k].len > ENTRY_VALUE_MAX)
				identity_fault(fault, "%.60s holds a value of more than 64 KiB", e->attributes[i].name);
	}
}

/* FNV-1a, 128 bit: names an entry that has no entryUUID; whoever writes entries can write entryUUID as well. */
static void
hash_dn(const char *ndn, char ret[static 65])
{
	const unsigned __int128 prime = ((unsigned __int128)1 << 88) + 0x13b;
	unsigned __int128 hash = ((unsigned __int128)0x6c62272e07bb0142u << 64) | 0x62b821756295c58du;

	for (; *ndn != '\0'; ndn++)
		hash = (hash ^ (unsigned char)*ndn) * prime;
	(void)snprintf(ret, 65, "dn:%016llx%016llx", (unsigned long long)(hash >> 64), (unsigned long long)hash);
}

void
identity_entry_id(const struct entry *e, struct fault *fault, char ret[static 65])
{
	const char *uuid = identity_single(e, "entryUUID", fault);
	size_t len = uuid != NULL ? strlen(uuid) : 0;

	if (uuid == NULL || len != 36 || strspn(uuid, "0123456789abcdefABCDEF-") != len) {
		hash_dn(e->ndn, ret);
		if (uuid != NULL)
			identity_fault(fault, "entryUUID \"%.40s\" is no UUID", uuid);
		return;
	}
	for (size_t i = 0; i <= len; i++)
		ret[i] = (char)(uuid[i] >= 'A' && uuid[i] <= 'F' ? uuid[i] - 'A' + 'a' : uuid[i]);
}

/* Bytes of the well-formed UTF-8 character at s; 0 for none. */
static size_t
utf8_length(const unsigned char *s)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 :
	    s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] > 0x8f) || (s[0] == 0xc2 && s[1] < 0xa0))	/* C1 controls too */
		return 0;
	return n;
}

char *
identity_clean_text(struct arena *memory, const char *text, size_t max)
{
	size_t len = strlen(text), used = 0;	/* nothing becomes longer */
	char *out = arena_take(memory, (len < max ? len : max) + 1, 1);

	if (out == NULL)
		return NULL;
	while (*text != '\0') {
		size_t n = utf8_length((const unsigned char *)text);

		if (used + (n != 0 ? n : 1) > max)
			break;
		if (n == 0)
			out[used++] = '?';
		else if (n == 1 && ((unsigned char)*text < ' ' || *text == 0x7f || *text == ':'))
			out[used++] = ' ';
		else {
			memcpy(out + used, text, n);
			used += n;
		}
		text += n != 0 ? n : 1;
	}
	out[used] = '\0';
	return out;
}

uint32_t
identity_read_id(const struct entry *e, const char *name, const struct settings *settings, struct fault *fault)
{
	uint64_t id = 0;

	if (!identity_single_number(e, name, UINT32_MAX, fault, &id)) {
		identity_fault(fault, "%s is missing", name);	/* a malformed one was noted before */
		return 0;
	}
	if (!snapshot_id_allowed((uint32_t)id) || !settings_id_allowed(&settings->nss_id_range, (uint32_t)id)) {
		identity_fault(fault, "%s %u is outside [nss] id-range; give the entry another id or widen the range",
		    name, (unsigned)id);
		return 0;
	}
	return (uint32_t)id;
}

/* Whether text begins with one of the space separated prefixes and goes on after it. */
static bool
below_prefix(const char *text, const char *prefixes)
{
	while (*prefixes != '\0') {
		size_t len = strcspn(prefixes, " ");

		if (len > 0 && strncmp(text, prefixes, len) == 0 && text[len] != '\0')
			return true;
		prefixes += len + (prefixes[len] == ' ');
	}
	return false;
}

static bool
in_list(const char *word, const char *list)
{
	size_t len = strlen(word);

	while (*list != '\0') {
		size_t n = strcspn(list, " ");

		if (n == len && memcmp(list, word, n) == 0)
			return true;
		list += n + (list[n] == ' ');
	}
	return false;
}

static bool
is_home(const char *home, const char *prefixes)
{
	if (home[0] != '/' || strlen(home) > HOME_BYTES_MAX || !below_prefix(home, prefixes))
		return false;
	for (const char *p = home; *p != '\0'; p++) {
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f || *p == ':')
			return false;
		if (p[0] == '/' && p[1] == '.' && (p[2] == '/' || p[2] == '\0' ||
		    (p[2] == '.' && (p[3] == '/' || p[3] == '\0'))))
			return false;
	}
	return true;
}

/* [nss] home-template with the user's name in place of %u; NULL: there is none, or no home that is not too long. */
static const char *
home_by_template(const char *template, const char *name, char buf[static HOME_BYTES_MAX + 1])
{
	const char *at = strstr(template, "%u");
	int n = at == NULL ? -1 : snprintf(buf, HOME_BYTES_MAX + 1, "%.*s%s%s", (int)(at - template), template, name, at + 2);

	return n > 0 && n <= HOME_BYTES_MAX ? buf : NULL;
}

static int
read_home_and_shell(const struct entry *e, const struct settings *settings, struct arena *memory, struct identity *user,
    struct fault *fault)
{
	const char *home = identity_single(e, "homeDirectory", fault);
	const char *shell = identity_single(e, "loginShell", fault);
	const char *gecos = entry_value(e, "gecos");
	char made[HOME_BYTES_MAX + 1];

	if (home == NULL)
		home = home_by_template(settings->nss_home_template, user->name, made);
	if (shell == NULL)
		shell = settings->nss_default_shell;
	if (home == NULL)
		identity_fault(fault, "homeDirectory is missing");
	else if (!user->local && !is_home(home, settings->nss_home_prefixes))
		identity_fault(fault, "homeDirectory \"%.80s\" is not below [nss] home-prefixes, or not a clean path", home);
	if (!in_list(shell, settings->nss_shells))
		shell = NO_LOGIN;
	if (gecos == NULL)
		gecos = entry_value(e, "cn");
	user->home = arena_text(memory, home != NULL ? home : "/nonexistent");
	user->shell = arena_text(memory, shell);
	user->gecos = identity_clean_text(memory, gecos != NULL ? gecos : "", GECOS_BYTES_MAX);
	return user->home != NULL && user->shell != NULL && user->gecos != NULL ? 0 : -ENOMEM;
}

static enum kind
read_kind(const struct entry *e, struct fault *fault)
{
	static const char *const words[KIND_COUNT] = {
		[KIND_EMPLOYEE] = "employee", [KIND_CONTRACTOR] = "contractor", [KIND_SERVICE] = "service",
		[KIND_BREAK_GLASS] = "break-glass",
	};
	const char *text = identity_single(e, "employeeType", fault);

	for (int k = KIND_EMPLOYEE; text != NULL && k < KIND_COUNT; k++)
		if (strcasecmp(text, words[k]) == 0)
			return (enum kind)k;
	if (text != NULL)
		identity_fault(fault, "employeeType \"%.40s\" is none of contractor, employee, service, break-glass", text);
	else
		identity_fault(fault, "employeeType is missing: contractor, employee, service or break-glass");
	return KIND_UNKNOWN;
}

/*
 * A password that we could check; "{CRYPT}!..." and "{CRYPT}*" are the customary ways to have none. A server shows
 * none to us: it is asked by a bind.
 */
static bool
read_password_set(const struct entry *e, const struct settings *settings, struct fault *fault)
{
	const char *text;

	if (settings_uses_ldap(settings))
		return true;
	text = identity_single(e, "userPassword", fault);
	return text != NULL && strncasecmp(text, "{CRYPT}$", 8) == 0 && text[8] != '\0';
}

static int
read_display(const struct entry *e, struct arena *memory, struct identity *user)
{
	const char *display = entry_value(e, "displayName");

	if (display == NULL)
		display = entry_value(e, "cn");
	user->display = identity_clean_text(memory, display != NULL ? display : "", 128);
	return user->display != NULL ? 0 : -ENOMEM;
}

static uint32_t
count_values(const struct entry *e, const char *name)
{
	const struct attribute *a = entry_attribute(e, name);

	return a != NULL ? (uint32_t)a->count : 0;
}

int
identity_read_user(const struct entry *e, const struct settings *settings, struct arena *memory, struct identity *user,
    struct fault *fault)
{
	int r;

	user->entry = e;
	user->state = FACTS_MANAGED;
	identity_check_sizes(e, fault);
	identity_entry_id(e, fault, user->entry_id);
	user->uid = identity_read_id(e, "uidNumber", settings, fault);
	user->gid = identity_read_id(e, "gidNumber", settings, fault);
	user->kind = read_kind(e, fault);
	user->local = identity_single_bool(e, "ismsLocalAccount", fault);
	user->password_set = read_password_set(e, settings, fault);
	user->token_count = count_values(e, "oathTOTPToken") + count_values(e, "oathHOTPToken");
	identity_read_window(e, user, fault);
	r = read_home_and_shell(e, settings, memory, user, fault);
	if (r == 0)
		r = read_display(e, memory, user);
	if (r == 0)
		r = identity_read_care(e, memory, user, fault);
	return r == 0 ? identity_read_key_limits(e, memory, user, fault) : r;
}
