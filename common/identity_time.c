/*
 * identity_time.c - when a user may enter: starts, ends and locks of every schema that we know.
 *
 * Directory process and isms-userctl. The latest start and the earliest end win, and any lock wins
 * (DESIGN 3.8). It must never read a malformed or doubled value as "no limit" (THREATS I10, 5.7).
 */
#include <config.h>

#include "common/identity_parts.h"

#include <string.h>

#include "common/civil_date.h"

#define DAY_SEC			86400
#define DAYS_MAX		(CIVIL_DATE_MAX_SEC / DAY_SEC)
#define TICKS_PER_SEC		10000000	/* accountExpires counts 100 ns since 1601-01-01 */
#define TICKS_NEVER		0x7FFFFFFFFFFFFFFFu
#define EPOCH_OF_1601_SEC	11644473600
#define ACCOUNT_DISABLED	0x2		/* userAccountControl */
#define ACCOUNT_LOCKED_OUT	0x10		/* msDS-User-Account-Control-Computed alone */

/* 0 means "none" in identities and facts; an instant at or before 1970 is one second after it. */
static int64_t
after_epoch(int64_t utc_sec)
{
	return utc_sec > 0 ? utc_sec : 1;
}

static void
take_end(struct identity *user, int64_t utc_sec, const char *source)
{
	utc_sec = after_epoch(utc_sec);
	if (user->not_after_utc_sec != 0 && user->not_after_utc_sec <= utc_sec)
		return;
	user->not_after_utc_sec = utc_sec;
	user->not_after_source = source;
}

static void
take_password_end(struct identity *user, int64_t utc_sec)
{
	utc_sec = after_epoch(utc_sec);
	if (user->password_end_utc_sec == 0 || utc_sec < user->password_end_utc_sec)
		user->password_end_utc_sec = utc_sec;
}

static void
take_lock(struct identity *user, const char *source)
{
	user->disabled = true;
	if (user->disabled_source[0] == '\0')
		user->disabled_source = source;
}

bool
identity_single_time(const struct entry *e, const char *name, struct fault *fault, int64_t *ret_utc_sec)
{
	const char *text = identity_single(e, name, fault);

	if (text == NULL)
		return false;
	if (civil_date_parse_generalized(text, strlen(text), ret_utc_sec) == 0)
		return true;
	identity_fault(fault, "%s \"%.40s\" is no GeneralizedTime (20261231230000Z)", name, text);
	return false;
}

/* Days since 1970: over when today >= value, so the day's first second is the end. -1 is none; other negatives are wrong. */
static void
read_shadow_expire(const struct entry *e, struct identity *user, struct fault *fault)
{
	const char *text = identity_single(e, "shadowExpire", fault);
	uint64_t days;

	if (text == NULL || strcmp(text, "-1") == 0)
		return;
	if (identity_parse_number(text, DAYS_MAX, &days) < 0)
		identity_fault(fault, "shadowExpire \"%.40s\" is no number of days since 1970", text);
	else
		take_end(user, (int64_t)days * DAY_SEC, "shadowExpire");
}

static void
read_account_expires(const struct entry *e, struct identity *user, struct fault *fault)
{
	uint64_t ticks;

	if (!identity_single_number(e, "accountExpires", TICKS_NEVER, fault, &ticks) || ticks == 0 || ticks == TICKS_NEVER)
		return;
	take_end(user, (int64_t)(ticks / TICKS_PER_SEC) - EPOCH_OF_1601_SEC, "accountExpires");
}

static void
read_ends(const struct entry *e, struct identity *user, struct fault *fault)
{
	static const char *const names[] = { "pwdEndTime", "krbPrincipalExpiration", "ismsNotAfter" };
	int64_t utc_sec;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (identity_single_time(e, names[i], fault, &utc_sec))
			take_end(user, utc_sec, names[i]);
	read_shadow_expire(e, user, fault);
	read_account_expires(e, user, fault);
}

static void
read_starts(const struct entry *e, struct identity *user, struct fault *fault)
{
	static const char *const names[] = { "pwdStartTime", "ismsNotBefore" };
	int64_t utc_sec;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (identity_single_time(e, names[i], fault, &utc_sec) && utc_sec > user->not_before_utc_sec)
			user->not_before_utc_sec = utc_sec;
}

/*
 * Active Directory keeps lockoutTime after the lock has ended: what it computes counts, where it is shown. How long it
 * lasts stands in policies that are not ours to read, and ldap_changes.c asks again.
 */
static void
read_ad_lockout(const struct entry *e, struct identity *user, struct fault *fault)
{
	uint64_t control, since;

	if (identity_single_number(e, "msDS-User-Account-Control-Computed", UINT32_MAX, fault, &control)) {
		if ((control & ACCOUNT_LOCKED_OUT) != 0)
			user->locked_until_utc_sec = IDENTITY_LOCKED_FOREVER;
	} else if (identity_single_number(e, "lockoutTime", TICKS_NEVER, fault, &since) && since != 0)
		user->locked_until_utc_sec = IDENTITY_LOCKED_FOREVER;
}

/*
 * When the password has to be changed: a time in the past since then. Of several the earliest; to 389-ds 1970 is one that
 * was reset, to Active Directory 0 is.
 */
static void
read_password_end(const struct entry *e, struct identity *user, struct fault *fault)
{
	static const char *const names[] = { "krbPasswordExpiration", "passwordExpirationTime" };
	uint64_t ticks;
	int64_t utc_sec;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (identity_single_time(e, names[i], fault, &utc_sec))
			take_password_end(user, utc_sec);
	if (identity_single_number(e, "msDS-UserPasswordExpiryTimeComputed", TICKS_NEVER, fault, &ticks) &&
	    ticks != TICKS_NEVER)
		take_password_end(user, (int64_t)(ticks / TICKS_PER_SEC) - EPOCH_OF_1601_SEC);
}

/*
 * pwdAccountLockedTime is when the lock fell, pwdAccountTmpLockoutEnd when it ends. Without an end we know
 * none: how long it lasts stands in a password policy that is not ours to read.
 */
static void
read_lockout(const struct entry *e, struct identity *user, struct fault *fault)
{
	const char *text = identity_single(e, "pwdAccountLockedTime", fault);
	int64_t since, until;

	if (text != NULL && (strcmp(text, "000001010000Z") == 0 || strcmp(text, "00000101000000Z") == 0)) {
		take_lock(user, "pwdAccountLockedTime");
		return;
	}
	if (text != NULL && identity_single_time(e, "pwdAccountLockedTime", fault, &since))
		user->locked_until_utc_sec = IDENTITY_LOCKED_FOREVER;
	if (identity_single_time(e, "pwdAccountTmpLockoutEnd", fault, &until))
		user->locked_until_utc_sec = after_epoch(until);
	if (identity_single_time(e, "accountUnlockTime", fault, &until))		/* 389-ds: 1970 is until somebody unlocks him */
		user->locked_until_utc_sec = until > 0 ? until : IDENTITY_LOCKED_FOREVER;
	read_ad_lockout(e, user, fault);
}

void
identity_read_window(const struct entry *e, struct identity *user, struct fault *fault)
{
	uint64_t control;

	user->not_after_source = user->disabled_source = "";
	read_starts(e, user, fault);
	read_ends(e, user, fault);
	read_lockout(e, user, fault);
	if (identity_single_bool(e, "nsAccountLock", fault))
		take_lock(user, "nsAccountLock");
	if (identity_single_number(e, "userAccountControl", UINT32_MAX, fault, &control) &&
	    (control & ACCOUNT_DISABLED) != 0)
		take_lock(user, "userAccountControl");
	user->must_change = identity_single_bool(e, "pwdReset", fault);
	read_password_end(e, user, fault);
}
