/*
 * exemption.c - exemptions between their entries, FACTS and policy (see exemption.h).
 *
 * Directory process, front and isms-userctl; pure. It must never make of an entry that is malformed, has no end, or is of
 * another one's an exemption that holds, and never let one that is bound hold without what it is bound to.
 */
#include <config.h>

#include "common/exemption.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/civil_date.h"
#include "common/identity.h"

#define KEY_LENGTH 43			/* SHA-256 in base64 without its "=" */

static const char *const controls[CONTROL_COUNT] = {
	[CONTROL_MFA] = "mfa", [CONTROL_SOURCE] = "source", [CONTROL_DORMANT] = "dormant", [CONTROL_REVIEW] = "review",
	[CONTROL_HOURS] = "hours",
};

enum control
exemption_control(const char *word)
{
	for (int c = CONTROL_MFA; c < CONTROL_COUNT; c++)
		if (strcmp(word, controls[c]) == 0)
			return (enum control)c;
	return CONTROL_NONE;
}

const char *
exemption_control_name(enum control control)
{
	return control > CONTROL_NONE && control < CONTROL_COUNT ? controls[control] : "none";
}

static int __attribute__((format(printf, 3, 4)))
wrong(char *fault, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(fault, size, format, args);
	va_end(args);
	return -EINVAL;
}

/* Letters that stand in a line and in a journal as they are. */
static bool
is_word(const char *text, size_t max, const char *more)
{
	size_t len = strlen(text);

	if (len < 1 || len > max)
		return false;
	for (; *text != '\0'; text++) {
		bool plain = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') || (*text >= '0' && *text <= '9');

		if (!plain && strchr(more, *text) == NULL)
			return false;
	}
	return true;
}

static bool
is_key(const char *text)
{
	return strncmp(text, "SHA256:", 7) == 0 && strlen(text) == 7 + KEY_LENGTH && is_word(text + 7, KEY_LENGTH, "+/");
}

/* Of an attribute: 1 and its only value, 0 for none, -EINVAL. */
static int
single(const struct entry *e, const char *name, const char **ret, char *fault, size_t size)
{
	int r = entry_single(e, name, ret);

	return r < 0 ? wrong(fault, size, "%s must have one plain value", name) : r;
}

static int
need(const struct entry *e, const char *name, const char **ret, char *fault, size_t size)
{
	int r = single(e, name, ret, fault, size);

	return r == 0 ? wrong(fault, size, "%s is missing", name) : r;
}

static int
take_time(const struct entry *e, const char *name, int64_t *ret, char *fault, size_t size)
{
	const char *text = NULL;
	int r = single(e, name, &text, fault, size);

	if (r == 1 && civil_date_parse_generalized(text, strlen(text), ret) < 0)
		return wrong(fault, size, "%s \"%.40s\" is no GeneralizedTime (20261231230000Z)", name, text);
	return r;
}

/* From its begin, or where it has none from when it was made, it lasts a year at most. Returns 1 or -EINVAL. */
static int
take_times(const struct entry *e, struct exemption *ret, char *fault, size_t size)
{
	int64_t begin_utc_sec;
	int r = take_time(e, "ismsFrom", &ret->from_utc_sec, fault, size);

	begin_utc_sec = ret->from_utc_sec;
	if (r == 0)
		r = take_time(e, "createTimestamp", &begin_utc_sec, fault, size);
	if (r == 0)
		return wrong(fault, size, "ismsFrom is missing, createTimestamp too: nobody can say when it began");
	if (r == 1)
		r = take_time(e, "ismsUntil", &ret->until_utc_sec, fault, size);
	if (r == 0)
		return wrong(fault, size, "ismsUntil is missing: an exemption ends");
	if (r == 1 && ret->until_utc_sec <= ret->from_utc_sec)
		return wrong(fault, size, "it ends before it begins");
	if (r == 1 && ret->until_utc_sec - begin_utc_sec > EXEMPTION_TERM_MAX_SEC)
		return wrong(fault, size, "an exemption lasts %d days at most", (int)(EXEMPTION_TERM_MAX_SEC / 86400));
	return r;
}

static int
take_bounds(const struct entry *e, struct exemption *ret, char *fault, size_t size)
{
	const struct attribute *sources = entry_attribute(e, "ismsSource");
	struct sources parsed = { .count = 0 };
	const char *key = NULL, *service = NULL;
	size_t used = 0;

	if (single(e, "ismsKeyFingerprint", &key, fault, size) < 0 || single(e, "ismsService", &service, fault, size) < 0)
		return -EINVAL;
	if (key != NULL && !is_key(key))
		return wrong(fault, size, "ismsKeyFingerprint \"%.60s\" is not SHA256: and 43 letters (ssh-keygen -l)", key);
	/* "-" stands in a line for any service. */
	if (service != NULL && (!is_word(service, sizeof ret->service - 1, "_.-") || strcmp(service, "-") == 0))
		return wrong(fault, size, "ismsService \"%.60s\" is no name of a PAM service", service);
	(void)snprintf(ret->key, sizeof ret->key, "%s", key != NULL ? key : "");
	(void)snprintf(ret->service, sizeof ret->service, "%s", service != NULL ? service : "");
	if (sources != NULL && sources->count > EXEMPTION_SOURCES_MAX)
		return wrong(fault, size, "more than %d values of ismsSource", EXEMPTION_SOURCES_MAX);
	for (size_t i = 0; sources != NULL && i < sources->count; i++) {
		const char *text = sources->values[i].bytes;

		if (sources->values[i].len != strlen(text) || strcmp(text, "local") == 0 || !is_word(text, 50, ".:/") ||
		    sources_parse(text, &parsed, fault, size) < 0)
			return wrong(fault, size, "ismsSource \"%.60s\" is no network: 192.0.2.0/24, 2001:db8::/32", text);
		used += (size_t)snprintf(ret->sources + used, sizeof ret->sources - used, "%s%s", used > 0 ? "," : "", text);
	}
	return 0;
}

static int
take_member(const struct entry *e, const char *member, char *fault, size_t size)
{
	const char *dn = NULL, *approver = NULL;
	char *ndn, *by;
	int r = need(e, "ismsMember", &dn, fault, size);

	if (r == 1)
		r = need(e, "ismsApprover", &approver, fault, size);
	if (r < 0)
		return r;
	ndn = entry_normalise_dn(dn);
	by = entry_normalise_dn(approver);
	if (ndn == NULL || by == NULL)
		r = wrong(fault, size, "%s is no DN", ndn == NULL ? "ismsMember" : "ismsApprover");
	else if (member != NULL && strcmp(ndn, member) != 0)
		r = wrong(fault, size, "it is about another one");
	else if (strcmp(ndn, by) == 0)
		r = wrong(fault, size, "nobody approves for himself: ismsApprover is ismsMember");
	free(ndn);
	free(by);
	return r < 0 ? r : 0;
}

bool
exemption_is(const struct entry *e)
{
	return entry_has_class(e, "ismsExemption");
}

int
exemption_read(const struct entry *e, const char *member, struct exemption *ret, char *fault, size_t size)
{
	const char *control = NULL, *name = NULL, *reason = NULL;
	int r = need(e, "cn", &name, fault, size);

	*ret = (struct exemption){ .control = CONTROL_NONE };
	if (r == 1 && !is_word(name, EXEMPTION_NAME_MAX, "_.-"))
		r = wrong(fault, size, "cn \"%.40s\" is not of 1 to %d letters, digits, \"_\", \".\" and \"-\"", name, EXEMPTION_NAME_MAX);
	if (r == 1)
		r = need(e, "ismsControl", &control, fault, size);
	if (r == 1 && exemption_control(control) == CONTROL_NONE)
		r = wrong(fault, size, "ismsControl \"%.40s\" is none of mfa, source, dormant, review and hours", control);
	if (r == 1)
		r = need(e, "ismsReason", &reason, fault, size);
	if (r == 1)
		r = take_times(e, ret, fault, size);
	if (r == 1)
		r = take_member(e, member, fault, size);
	if (r == 0)
		r = take_bounds(e, ret, fault, size);
	if (r < 0)
		return r;
	(void)snprintf(ret->name, sizeof ret->name, "%s", name);
	ret->control = exemption_control(control);
	return 0;
}

bool
exemption_by_operator(const struct entry *e, const char *base)
{
	const char *approver = entry_value(e, "ismsApprover");
	char unit[320], *nunit = NULL, *ndn = approver != NULL ? entry_normalise_dn(approver) : NULL;
	bool is_below = false;

	if (snprintf(unit, sizeof unit, "ou=roles,%s", base) < (int)sizeof unit)
		nunit = entry_normalise_dn(unit);
	if (ndn != NULL && nunit != NULL)
		is_below = strcmp(ndn, nunit) != 0 && identity_is_below(ndn, nunit);
	free(nunit);
	free(ndn);
	return is_below;
}

static const char *
or_dash(const char *text)
{
	return text[0] != '\0' ? text : "-";
}

int
exemption_format(const struct exemption *x, char *buf, size_t size)
{
	int n = snprintf(buf, size, "%s %s %" PRId64 " %" PRId64 " %s %s %s\n", x->name, exemption_control_name(x->control),
	    x->from_utc_sec, x->until_utc_sec, or_dash(x->key), or_dash(x->service), or_dash(x->sources));

	return n > 0 && (size_t)n < size ? n : -ENOBUFS;
}

/* A word of a line up to the next space into ret; "-" is empty. Returns false when it does not fit. */
static bool
take_word(const char **at, const char *end, char *ret, size_t size)
{
	size_t len = 0;

	while (*at + len < end && (*at)[len] != ' ')
		len++;
	if (len == 0 || len >= size)
		return false;
	(void)snprintf(ret, size, "%.*s", (int)len, *at);
	*at += len;
	if (*at < end)
		(*at)++;
	if (strcmp(ret, "-") == 0)
		ret[0] = '\0';
	return true;
}

static bool
take_number(const char **at, const char *end, int64_t *ret)
{
	char word[24], *rest;

	if (!take_word(at, end, word, sizeof word) || strspn(word, "0123456789") != strlen(word) || strlen(word) > 15)
		return false;
	*ret = strtoll(word, &rest, 10);
	return word[0] != '\0';
}

bool
exemption_next(const char **at, struct exemption *ret)
{
	const char *p = *at, *end = p + strcspn(p, "\n");
	char control[16];
	bool whole;

	*ret = (struct exemption){ .control = CONTROL_NONE };
	if (*p == '\0')
		return false;
	*at = end + (*end == '\n');
	whole = take_word(&p, end, ret->name, sizeof ret->name) && take_word(&p, end, control, sizeof control) &&
	    take_number(&p, end, &ret->from_utc_sec) && take_number(&p, end, &ret->until_utc_sec) &&
	    take_word(&p, end, ret->key, sizeof ret->key) && take_word(&p, end, ret->service, sizeof ret->service) &&
	    take_word(&p, end, ret->sources, sizeof ret->sources) && p == end;
	if (whole && ret->name[0] != '\0')
		ret->control = exemption_control(control);
	return true;
}

/* Each network by itself: what cannot be read fits nothing. */
static bool
comes_from(const struct exemption *x, const char *rhost)
{
	struct sources sources = { .count = 0 };
	char text[sizeof x->sources], error[128];

	if (x->sources[0] == '\0')
		return true;
	(void)snprintf(text, sizeof text, "%s", x->sources);
	for (char *p = text; *p != '\0'; p++)
		if (*p == ',')
			*p = ' ';
	return rhost[0] != '\0' && sources_parse(text, &sources, error, sizeof error) == 0 && sources_contain(&sources, rhost);
}

bool
exemption_holds(const struct exemption *x, enum control control, int64_t now_utc_sec, const char *key,
    const char *service, const char *rhost)
{
	if (control == CONTROL_NONE || x->control != control)
		return false;
	if (now_utc_sec < x->from_utc_sec || now_utc_sec >= x->until_utc_sec)
		return false;
	if (x->key[0] != '\0' && strcmp(x->key, key) != 0)
		return false;
	if (x->service[0] != '\0' && strcmp(x->service, service) != 0)
		return false;
	return comes_from(x, rhost);
}
