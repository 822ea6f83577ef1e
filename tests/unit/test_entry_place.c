/*
 * test_entry_place.c - which entries count as accounts, groups, grants and the rest, by where they stand.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "common/entry_place.h"
#include "tests/unit/suite.h"

#define B "dc=example,dc=com"
#define A (1U << ENTRY_ACCOUNT | 1U << ENTRY_GROUP)

static const struct {
	const char *dn, *base;
	unsigned allowed;		/* bits of kinds */
} places[] = {
	{ "uid=ada,ou=people," B, B, A },
	{ "uid=ada," B, B, A },
	{ B, B, A },
	{ "cn=g,ou=grants," B, B, 1U << ENTRY_GRANT },
	{ "cn=x,ou=exemptions," B, B, 1U << ENTRY_EXEMPTION },
	{ "cn=q,ou=requests," B, B, 1U << ENTRY_REQUEST },
	{ "cn=r,ou=reviews," B, B, 1U << ENTRY_REVIEW },
	{ "cn=ada,cn=r,ou=reviews," B, B, 1U << ENTRY_REVIEW_DECISION },
	{ "cn=t,ou=tokens," B, B, 0 },
	/* Deeper, and the container itself. */
	{ "cn=g,cn=q,ou=grants," B, B, 0 },
	{ "cn=g,ou=people,ou=requests," B, B, 0 },
	{ "cn=g,ou=grants,ou=requests," B, B, 0 },
	{ "cn=x,cn=ada,cn=r,ou=reviews," B, B, 0 },
	{ "cn=t,ou=more,ou=tokens," B, B, 0 },
	{ "ou=grants," B, B, 0 },
	{ "ou=requests," B, B, 0 },
	/* By other spellings of the same. */
	{ "CN=g, OU = Requests , DC=example, dc=COM", B, 1U << ENTRY_REQUEST },
	{ "cn=g,ou=requests," B, "DC=Example, DC=com", 1U << ENTRY_REQUEST },
	{ "cn=g,ou=r\\65quests," B, B, 1U << ENTRY_REQUEST },
	{ "cn=g,organizationalUnitName=requests," B, B, 1U << ENTRY_REQUEST },
	{ "cn=g,2.5.4.11=requests," B, B, 1U << ENTRY_REQUEST },
	{ "cn=g,OID.2.5.4.11=requests," B, B, 1U << ENTRY_REQUEST },
	{ "cn=a\\,ou=people\\,x,ou=requests," B, B, 1U << ENTRY_REQUEST },
	/* Others that have the name, which are no containers of ours. */
	{ "cn=g,ou=requests,ou=people," B, B, A },
	{ "cn=g,cn=requests," B, B, A },
	{ "cn=g,ou=requests2," B, B, A },
	{ "cn=g,ou=request," B, B, A },
	{ "cn=a\\,ou=requests," B, B, A },
	{ "uid=ada,ou=people,ou=requests," B, "ou=requests," B, A },
	{ "cn=q,ou=requests,ou=requests," B, "ou=requests," B, 1U << ENTRY_REQUEST },
	{ "cn=q,ou=requests,dc=elsewhere", B, A },
};

START_TEST(what_may_stand_where)
{
	char *ndn = entry_normalise_dn(places[_i].dn), *nbase = entry_normalise_dn(places[_i].base);

	ck_assert_ptr_nonnull(ndn);
	ck_assert_ptr_nonnull(nbase);
	for (int kind = 0; kind < ENTRY_KIND_COUNT; kind++)
		ck_assert_msg(entry_place_allows(ndn, nbase, (enum entry_kind)kind) ==
		    ((places[_i].allowed & (1U << kind)) != 0), "%s: kind %d", places[_i].dn, kind);
	free(ndn);
	free(nbase);
}
END_TEST

static const struct {
	const char *dn;
	const char *classes[4];
	unsigned misplaced;
	const char *fault;		/* part of it; NULL: none */
} entries[] = {
	{ "uid=ada,ou=people," B, { "posixAccount", "ismsAccount" }, 0, NULL },
	{ "cn=q,ou=requests," B, { "top", "ismsRequest" }, 0, NULL },
	{ "cn=q,ou=requests," B, { "top", "ismsRequest", "POSIXaccount" }, 1U << ENTRY_ACCOUNT, "posixAccount counts nowhere below ou=requests of the base" },
	{ "cn=q,ou=requests," B, { "ismsRequest", "groupOfMembers" }, 1U << ENTRY_GROUP, "groupOfMembers counts nowhere" },
	{ "cn=q,ou=requests," B, { "groupOfNames", "posixGroup" }, 1U << ENTRY_GROUP, "posixGroup counts nowhere" },
	{ "cn=q,ou=requests," B, { "ismsGrant" }, 1U << ENTRY_GRANT, "ismsGrant counts directly below ou=grants of the base alone" },
	{ "cn=x,ou=grants," B, { "ismsGrant", "ismsExemption", "posixAccount" }, 1U << ENTRY_EXEMPTION | 1U << ENTRY_ACCOUNT, "posixAccount" },
	{ "uid=ada,ou=people," B, { "posixAccount", "ismsExemption" }, 1U << ENTRY_EXEMPTION, "directly below ou=exemptions" },
	{ "cn=ada,ou=reviews," B, { "ismsReviewDecision" }, 1U << ENTRY_REVIEW_DECISION, "below a review of ou=reviews" },
	{ "cn=t,ou=tokens," B, { "device", "oathTOTPToken" }, 0, NULL },
	{ "cn=t,ou=tokens," B, { "device", "posixGroup" }, 1U << ENTRY_GROUP, "posixGroup counts nowhere below ou=tokens of the base" },
	{ "cn=t,ou=tokens," B, { NULL }, 0, NULL },
};

START_TEST(what_is_said_of_it)
{
	struct entry *e = entry_new(entries[_i].dn);
	char fault[ENTRY_PLACE_FAULT_SIZE] = "";

	ck_assert_ptr_nonnull(e);
	for (size_t i = 0; i < 4 && entries[_i].classes[i] != NULL; i++)
		ck_assert_int_eq(entry_add_value(e, "objectClass", entries[_i].classes[i], strlen(entries[_i].classes[i])), 0);
	ck_assert_uint_eq(entry_misplaced(e, B, fault), entries[_i].misplaced);
	if (entries[_i].fault == NULL)
		ck_assert_str_eq(fault, "");
	else
		ck_assert_msg(strstr(fault, entries[_i].fault) != NULL, "%s", fault);
	for (size_t i = 0; i < 4 && entries[_i].classes[i] != NULL; i++)
		ck_assert(!entry_counts(e, ENTRY_ACCOUNT, B) || strcmp(entries[_i].dn, "uid=ada,ou=people," B) == 0);
	ck_assert(entry_counts(e, ENTRY_REQUEST, "DC=example , dc=com") == entry_has_class(e, "ismsRequest"));
	entry_free(e);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { what_may_stand_where, ROWS(places) }, { what_is_said_of_it, ROWS(entries) } };

	return suite_run("entry place", rows, ROWS(rows), 60);
}
