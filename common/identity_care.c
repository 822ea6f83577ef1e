/*
 * identity_care.c - who answers for a user, when he was last used and reviewed, whether a break-glass account is armed.
 *
 * Directory process and isms-userctl. It must never read a malformed or doubled value as one that lets in (THREATS I10), and
 * never take a DN that was cut for the whole one: that would be somebody else.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/identity_parts.h"
#include "common/last_use.h"

#define DN_MAX		256
#define REASON_MAX	128

/* The only value of a DN. Returns 0 or -ENOMEM. */
static int
read_dn(const struct entry *e, const char *name, struct arena *memory, struct fault *fault, char **ret)
{
	const char *text = identity_single(e, name, fault);
	char *ndn;

	if (text == NULL)
		return 0;
	if (strlen(text) > DN_MAX) {
		identity_fault(fault, "%s is a DN of more than %d bytes", name, DN_MAX);
		return 0;
	}
	ndn = entry_normalise_dn(text);
	if (ndn == NULL)
		identity_fault(fault, "%s \"%.80s\" is no DN", name, text);
	free(ndn);
	*ret = identity_clean_text(memory, text, DN_MAX);
	return *ret != NULL ? 0 : -ENOMEM;
}

/* Many have several, or what other tools wrote: who is one is for require-sponsor to say. The user himself is none. */
static int
read_sponsor(const struct entry *e, struct arena *memory, struct identity *user)
{
	const char *sponsor = entry_value(e, "manager");
	char *ndn = sponsor != NULL && strlen(sponsor) <= DN_MAX ? entry_normalise_dn(sponsor) : NULL;

	user->sponsor = identity_clean_text(memory, ndn != NULL && strcmp(ndn, e->ndn) != 0 ? sponsor : "", DN_MAX);
	free(ndn);
	return user->sponsor != NULL ? 0 : -ENOMEM;
}

/*
 * Whether a DN may name the account itself, by whatever types ("userid=ada") and however written: the same values, or one in
 * hexadecimal, which nobody writes by chance.
 */
static bool
may_be_himself(const struct entry *e, const char *dn)
{
	char *ndn = entry_normalise_dn(dn);
	const char *a = ndn, *b = e->ndn;
	bool same = ndn != NULL;

	while (same) {
		size_t len;

		a += strcspn(a, "=");
		b += strcspn(b, "=");
		len = strcspn(a, ",+");
		same = len == strcspn(b, ",+") && memcmp(a, b, len) == 0;
		if (!same || a[len] == '\0' || b[len] == '\0')
			break;
		a += len;
		b += len;
	}
	same = same && a[strcspn(a, ",+")] == b[strcspn(b, ",+")];
	same = same || (ndn != NULL && strstr(ndn, "=#") != NULL);
	free(ndn);
	return same;
}

int
identity_read_care(const struct entry *e, struct arena *memory, struct identity *user, struct fault *fault)
{
	const char *reason = identity_single(e, "ismsArmedReason", fault), *armed_by = entry_value(e, "ismsArmedBy");
	int r;

	user->last_use_utc_sec = last_use_of(e);	/* no fault: hosts write it, and one must not break people for all */
	(void)identity_single_time(e, "ismsReviewedAt", fault, &user->reviewed_at_utc_sec);
	(void)identity_single_time(e, "ismsArmedUntil", fault, &user->armed_until_utc_sec);
	(void)identity_single_time(e, "createTimestamp", fault, &user->created_utc_sec);
	r = read_sponsor(e, memory, user);
	if (r == 0)
		r = read_dn(e, "owner", memory, fault, &user->owner);
	if (r == 0)
		r = read_dn(e, "ismsArmedBy", memory, fault, &user->armed_by);
	if (armed_by != NULL && may_be_himself(e, armed_by))
		identity_fault(fault, "ismsArmedBy is the account itself: somebody else must arm it");
	if (r < 0 || reason == NULL)
		return r;
	user->armed_reason = identity_clean_text(memory, reason, REASON_MAX);
	return user->armed_reason != NULL ? 0 : -ENOMEM;
}

bool
identity_is_person(const struct identity *who)
{
	return who->kind == KIND_EMPLOYEE || who->kind == KIND_CONTRACTOR;
}

enum care
identity_care(const struct identity *who, int64_t now_utc_sec, int64_t *ret_end_utc_sec)
{
	*ret_end_utc_sec = 0;
	if (who == NULL || who->state != FACTS_MANAGED || !identity_is_person(who))
		return CARE_MISSING;
	*ret_end_utc_sec = who->not_after_utc_sec;
	if (who->not_after_utc_sec != 0 && who->not_after_utc_sec <= now_utc_sec)
		return CARE_ENDED;
	if (!who->disabled)
		return CARE_VALID;
	*ret_end_utc_sec = 0;		/* since when, no attribute of all servers tells */
	return CARE_ENDED;
}
