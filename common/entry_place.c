/*
 * entry_place.c - what an entry may be, by where it stands (see entry_place.h).
 *
 * Directory process and isms-userctl. It must never let somebody who may write a request make himself an account, a
 * member of a group or an exemption by what he calls it.
 */
#include <config.h>

#include "common/entry_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What stands in a container, and how deep; no row: nothing of ours. */
static const struct {
	const char *container;
	enum entry_kind kind;
	unsigned depth;
} stands[] = {
	{ "grants", ENTRY_GRANT, 1 },
	{ "exemptions", ENTRY_EXEMPTION, 1 },
	{ "requests", ENTRY_REQUEST, 1 },
	{ "reviews", ENTRY_REVIEW, 1 },
	{ "reviews", ENTRY_REVIEW_DECISION, 2 },
	{ "tokens", ENTRY_KIND_COUNT, 1 },
};

static const struct {
	const char *class;
	enum entry_kind kind;
} classes[] = {
	{ "posixAccount", ENTRY_ACCOUNT }, { "posixGroup", ENTRY_GROUP }, { "groupOfNames", ENTRY_GROUP },
	{ "groupOfMembers", ENTRY_GROUP }, { "ismsGrant", ENTRY_GRANT }, { "ismsExemption", ENTRY_EXEMPTION },
	{ "ismsRequest", ENTRY_REQUEST }, { "ismsReview", ENTRY_REVIEW }, { "ismsReviewDecision", ENTRY_REVIEW_DECISION },
};

/* A container's RDN, by the name of its attribute or another of it. */
static bool
is_unit(const char *rdn, size_t len, const char *name)
{
	static const char *const types[] = { "ou=", "organizationalunitname=", "2.5.4.11=", "oid.2.5.4.11=" };

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		size_t type_len = strlen(types[i]);

		if (len == type_len + strlen(name) && strncmp(rdn, types[i], type_len) == 0 &&
		    strncmp(rdn + type_len, name, len - type_len) == 0)
			return true;
	}
	return false;
}

/* The RDN directly below the base, and how many stand before it. Returns its length; 0: the DN is not below the base. */
static size_t
first_below(const char *ndn, const char *nbase, const char **ret_rdn, unsigned *ret_depth)
{
	size_t len = strlen(ndn), base_len = strlen(nbase);
	const char *end;

	if (len <= base_len + 1 || strcmp(ndn + len - base_len, nbase) != 0 || ndn[len - base_len - 1] != ',')
		return 0;
	end = ndn + len - base_len - 1;
	*ret_rdn = ndn;
	*ret_depth = 0;
	for (const char *p = ndn; p < end; p++) {
		if (*p == '\\') {
			p++;
		} else if (*p == ',') {
			*ret_rdn = p + 1;
			++*ret_depth;
		}
	}
	return (size_t)(end - *ret_rdn);
}

/* Returns a row of the container that a DN is, or is below; NULL: it is in none. */
static const char *
container_of(const char *ndn, const char *nbase, unsigned *ret_depth)
{
	const char *rdn;
	size_t len = first_below(ndn, nbase, &rdn, ret_depth);

	for (size_t i = 0; len > 0 && i < sizeof stands / sizeof stands[0]; i++)
		if (is_unit(rdn, len, stands[i].container))
			return stands[i].container;
	return NULL;
}

static bool
is_allowed(const char *container, unsigned depth, enum entry_kind kind)
{
	if (container == NULL)
		return kind == ENTRY_ACCOUNT || kind == ENTRY_GROUP;
	for (size_t i = 0; i < sizeof stands / sizeof stands[0]; i++)
		if (stands[i].kind == kind && stands[i].depth == depth && strcmp(stands[i].container, container) == 0)
			return true;
	return false;
}

bool
entry_place_allows(const char *ndn, const char *nbase, enum entry_kind kind)
{
	unsigned depth = 0;
	const char *container = container_of(ndn, nbase, &depth);

	return is_allowed(container, depth, kind);
}

/* Each value once, by its first letter at first: all entries of a directory come by here. */
static unsigned
kinds_of(const struct entry *e)
{
	const struct attribute *a = entry_attribute(e, "objectClass");
	unsigned kinds = 0;

	for (size_t i = 0; a != NULL && i < a->count; i++)
		for (size_t k = 0; k < sizeof classes / sizeof classes[0]; k++)
			if ((a->values[i].bytes[0] | 0x20) == classes[k].class[0] &&
			    strcasecmp(a->values[i].bytes, classes[k].class) == 0)
				kinds |= 1U << classes[k].kind;
	return kinds;
}

bool
entry_counts(const struct entry *e, enum entry_kind kind, const char *base)
{
	char *nbase;
	bool counts;

	if ((kinds_of(e) & (1U << kind)) == 0)
		return false;
	nbase = entry_normalise_dn(base);
	counts = nbase != NULL && entry_place_allows(e->ndn, nbase, kind);
	free(nbase);
	return counts;
}

static const char *
home_of(enum entry_kind kind)
{
	for (size_t i = 0; i < sizeof stands / sizeof stands[0]; i++)
		if (stands[i].kind == kind)
			return stands[i].container;
	return "";
}

static const char *
class_of(const struct entry *e, enum entry_kind kind)
{
	for (size_t k = 0; k < sizeof classes / sizeof classes[0]; k++)
		if (classes[k].kind == kind && entry_has_class(e, classes[k].class))
			return classes[k].class;
	return "";
}

unsigned
entry_misplaced(const struct entry *e, const char *nbase, char ret_fault[static ENTRY_PLACE_FAULT_SIZE])
{
	unsigned depth = 0, kinds = kinds_of(e), misplaced = 0;
	const char *container;

	if (kinds == 0)
		return 0;
	container = container_of(e->ndn, nbase, &depth);
	for (int kind = ENTRY_KIND_COUNT - 1; kind >= 0; kind--) {	/* what is worst is told */
		if ((kinds & (1U << kind)) == 0 || is_allowed(container, depth, (enum entry_kind)kind))
			continue;
		misplaced |= 1U << kind;
		if (home_of((enum entry_kind)kind)[0] == '\0')
			(void)snprintf(ret_fault, ENTRY_PLACE_FAULT_SIZE, "%s counts nowhere below ou=%s of the base",
			    class_of(e, (enum entry_kind)kind), container);
		else
			(void)snprintf(ret_fault, ENTRY_PLACE_FAULT_SIZE, "%s counts %s ou=%s of the base alone",
			    class_of(e, (enum entry_kind)kind), kind == ENTRY_REVIEW_DECISION ? "below a review of" :
			    "directly below", home_of((enum entry_kind)kind));
	}
	return misplaced;
}
