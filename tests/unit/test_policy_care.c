/*
 * test_policy_care.c - sponsors, owners, reviews, use, numbers of sessions, exemptions: each denial beside its positive twin.
 */
#include <config.h>

#include "common/exemption.h"
#include "common/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ldif_store.h"
#include "tests/unit/policy_scene.h"
#include "tests/unit/suite.h"

#define OTHER_KEY "SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"

/* A role that restricts the contractor further; exemptions of him. */
#define LIMIT(text) s->policy = "[role a]\nmatch = any\nallow-services = sshd login sudo cron\nmfa = none\n" \
	"[role b]\nmatch = any\nmfa = none\n" text "\n"
#define TWO(x, y) s->policy = "[role a]\nmatch = any\nallow-services = sshd\nmfa = none\n" x "\n" \
	"[role b]\nmatch = any\nmfa = none\n" y "\n"
#define EXEMPT(line) strcpy(s->facts.exemptions, line "\n")

/* ---- sponsor ---- */
CHANGE(sponsor, LIMIT("require-sponsor = yes"))
CHANGE(sponsor_none, LIMIT("require-sponsor = yes"); s->facts.sponsor_state = CARE_NONE)
CHANGE(sponsor_missing, LIMIT("require-sponsor = yes"); s->facts.sponsor_state = CARE_MISSING)
CHANGE(sponsor_ended, LIMIT("require-sponsor = yes"); s->facts.sponsor_state = CARE_ENDED)
CHANGE(sponsor_at_end, LIMIT("require-sponsor = yes"); s->facts.sponsor_end_utc_sec = NOW)
CHANGE(sponsor_before_end, LIMIT("require-sponsor = yes"); s->facts.sponsor_end_utc_sec = NOW + 1)
CHANGE(sponsor_optional, LIMIT("require-sponsor = no"); s->facts.sponsor_state = CARE_NONE)
CHANGE(sponsor_strange, LIMIT("require-sponsor = yes"); s->facts.sponsor_state = 99)
/* ---- owner ---- */
#define GRACE s->policy = "[role b]\nmatch = any\nallow-services = cron\nowner-grace = 60s\n"
#define ROBOT s->facts.kind = KIND_SERVICE; s->request.service = "cron"
CHANGE(owner, LIMIT(""); ROBOT)
CHANGE(owner_none, LIMIT(""); ROBOT; s->facts.owner_state = CARE_NONE)
CHANGE(owner_none_of_person, LIMIT(""); s->facts.owner_state = CARE_NONE)
CHANGE(owner_missing, LIMIT(""); ROBOT; s->facts.owner_state = CARE_MISSING)
CHANGE(owner_ended, LIMIT(""); ROBOT; s->facts.owner_state = CARE_ENDED; s->facts.owner_end_utc_sec = NOW - 1)
CHANGE(owner_at_end, LIMIT(""); ROBOT; s->facts.owner_end_utc_sec = NOW)
CHANGE(owner_before_end, LIMIT(""); ROBOT; s->facts.owner_end_utc_sec = NOW + 1)
CHANGE(grace_runs, GRACE; ROBOT; s->facts.owner_state = CARE_ENDED; s->facts.owner_end_utc_sec = NOW - 59)
CHANGE(grace_over, GRACE; ROBOT; s->facts.owner_state = CARE_ENDED; s->facts.owner_end_utc_sec = NOW - 60)
CHANGE(grace_half, LIMIT("owner-grace = 60s"); ROBOT; s->facts.owner_state = CARE_ENDED; s->facts.owner_end_utc_sec = NOW - 1)
CHANGE(grace_unknown, GRACE; ROBOT; s->facts.owner_state = CARE_MISSING)
CHANGE(grace_known, GRACE; ROBOT; s->facts.owner_state = CARE_MISSING; s->facts.owner_end_utc_sec = NOW - 1)
CHANGE(grace_of_nobody, GRACE; ROBOT; s->facts.owner_state = CARE_NONE; s->facts.owner_end_utc_sec = NOW - 1)
CHANGE(grace_none, LIMIT("owner-grace = 0s"); ROBOT; s->facts.owner_state = CARE_ENDED; s->facts.owner_end_utc_sec = NOW - 1)
CHANGE(grace_shortest, TWO("owner-grace = 60s", "owner-grace = 10s"); s->facts.kind = KIND_SERVICE; s->request.service = "systemd-user";
    s->facts.owner_state = CARE_ENDED; s->facts.owner_end_utc_sec = NOW - 10)
CHANGE(grace_shortest_runs, TWO("owner-grace = 60s", "owner-grace = 10s"); s->facts.kind = KIND_SERVICE;
    s->request.service = "systemd-user"; s->facts.owner_state = CARE_ENDED; s->facts.owner_end_utc_sec = NOW - 9)
CHANGE(grace_equal, TWO("owner-grace = 10s", "owner-grace = 10s"); s->facts.kind = KIND_SERVICE; s->request.service = "systemd-user";
    s->facts.owner_state = CARE_ENDED; s->facts.owner_end_utc_sec = NOW - 10)
/* ---- reviews; the contract began 1000 s ago ---- */
CHANGE(review_due, LIMIT("review-every = 1000s"))
CHANGE(review_not_due, LIMIT("review-every = 1001s"))
CHANGE(review_done, LIMIT("review-every = 60s"); s->facts.reviewed_at_utc_sec = NOW - 59)
CHANGE(review_at_end, LIMIT("review-every = 60s"); s->facts.reviewed_at_utc_sec = NOW - 60)
CHANGE(review_by_creation, LIMIT("review-every = 1001s"); s->facts.created_utc_sec = NOW - 1; s->facts.not_before_utc_sec = 0)
CHANGE(review_by_old_creation, LIMIT("review-every = 1001s"); s->facts.not_before_utc_sec = 0)
CHANGE(review_by_nothing, LIMIT("review-every = 3660d"); s->facts.not_before_utc_sec = 0; s->facts.created_utc_sec = 0)
CHANGE(review_ahead, LIMIT("review-every = 60s"); s->facts.reviewed_at_utc_sec = NOW + 86401)
CHANGE(review_of_other_clock, LIMIT("review-every = 60s"); s->facts.reviewed_at_utc_sec = NOW + 86400)
CHANGE(created_ahead, LIMIT("review-every = 3660d"); s->facts.created_utc_sec = NOW + 86401)
CHANGE(review_shortest, TWO("review-every = 70s", "review-every = 60s"); s->facts.reviewed_at_utc_sec = NOW - 60)
CHANGE(review_shortest_done, TWO("review-every = 70s", "review-every = 60s"); s->facts.reviewed_at_utc_sec = NOW - 59)
CHANGE(review_equal, TWO("review-every = 60s", "review-every = 60s"); s->facts.reviewed_at_utc_sec = NOW - 60)
CHANGE(review_exempt, LIMIT("review-every = 60s"); EXEMPT("r review 0 1782856801 - - -"))
CHANGE(review_other, LIMIT("review-every = 60s"); EXEMPT("r dormant 0 1782856801 - - -"))
/* ---- use ---- */
CHANGE(used, LIMIT("dormant-after = 60s"); s->facts.last_use_utc_sec = NOW - 59)
CHANGE(not_used, LIMIT("dormant-after = 60s"); s->facts.last_use_utc_sec = NOW - 60)
CHANGE(never_used, LIMIT("dormant-after = 1000s"))
CHANGE(new_one, LIMIT("dormant-after = 1001s"))
CHANGE(begun_after_use, LIMIT("dormant-after = 1001s"); s->facts.last_use_utc_sec = NOW - 4000)
CHANGE(dormant_exempt, LIMIT("dormant-after = 60s"); EXEMPT("r dormant 0 1782856801 - - -"))
CHANGE(dormant_other, LIMIT("dormant-after = 60s"); EXEMPT("r review 0 1782856801 - - -"))
/* ---- sessions ---- */
CHANGE(sessions_fewer, LIMIT("max-sessions = 2"); s->request.sessions = 1)
CHANGE(sessions_full, LIMIT("max-sessions = 2"); s->request.sessions = 2)
CHANGE(sessions_least, TWO("max-sessions = 2", "max-sessions = 1"); s->request.sessions = 1)
CHANGE(sessions_least_first, TWO("max-sessions = 1", "max-sessions = 2"); s->request.sessions = 1)
CHANGE(sessions_of_stage, LIMIT("max-sessions = 2"); s->request.sessions = 2; s->request.stage = STAGE_SESSION)
CHANGE(sessions_later, LIMIT("max-sessions = 2"); s->request.sessions = 2; s->request.stage = STAGE_AUTH)
CHANGE(sessions_sudo, LIMIT("max-sessions = 2"); s->request.sessions = 2; s->request.service = "sudo")
CHANGE(sessions_cron, LIMIT("max-sessions = 2"); s->request.sessions = 2; s->request.service = "cron")
/* ---- exemptions ---- */
#define CODE s->policy = "[role a]\nmatch = any\nallow-services = sshd sudo\nmfa = required\n"; s->request.factors = FACTOR_KEY
CHANGE(code_missing, CODE)
CHANGE(code_of_two, CODE; s->policy = "[role a]\nmatch = any\nallow-services = sshd\nmfa = required\n[role b]\nmatch = any\nmfa = required\n")
CHANGE(code_exempt, CODE; EXEMPT("r mfa 0 1782856801 - - -"))
CHANGE(exempt_ended, CODE; EXEMPT("r mfa 0 1782856800 - - -"))
CHANGE(exempt_begins, CODE; EXEMPT("r mfa 1782856800 1782856801 - - -"))
CHANGE(exempt_later, CODE; EXEMPT("r mfa 1782856801 1782856802 - - -"))
CHANGE(exempt_other, CODE; EXEMPT("r hours 0 1782856801 - - -"))
CHANGE(exempt_second, CODE; EXEMPT("q mfa 0 1 - - -\nr mfa 0 1782856801 - - -"))
CHANGE(exempt_unread, CODE; EXEMPT("r mfa 0 1782856801 - -"))
CHANGE(exempt_longer, CODE; EXEMPT("r mfa 0 1782856801 - - - -"))
CHANGE(exempt_negative, CODE; EXEMPT("r mfa -1 1782856801 - - -"))
CHANGE(exempt_no_end, CODE; EXEMPT("r mfa 0 - - - -"))
CHANGE(exempt_no_name, CODE; EXEMPT("- mfa 0 1782856801 - - -"))
CHANGE(exempt_service, CODE; EXEMPT("r mfa 0 1782856801 - sshd -"))
CHANGE(exempt_other_service, CODE; EXEMPT("r mfa 0 1782856801 - ssh -"))
CHANGE(exempt_source, CODE; EXEMPT("r mfa 0 1782856801 - - 198.51.100.0/24,192.0.2.0/24"))
CHANGE(exempt_other_source, CODE; EXEMPT("r mfa 0 1782856801 - - 198.51.100.0/24"))
CHANGE(exempt_no_source, CODE; EXEMPT("r mfa 0 1782856801 - - 192.0.2.0/24"); s->request.rhost = "")
CHANGE(exempt_key, CODE; EXEMPT("r mfa 0 1782856801 " OTHER_KEY " - -"); s->request.key = OTHER_KEY)
CHANGE(exempt_other_key, CODE; EXEMPT("r mfa 0 1782856801 " OTHER_KEY " - -"); s->request.key = scene_key)
CHANGE(exempt_no_key, CODE; EXEMPT("r mfa 0 1782856801 " OTHER_KEY " - -"))
CHANGE(exempt_unseen_key, CODE; EXEMPT("r mfa 0 1782856801 " OTHER_KEY " - -"); s->request.key_unseen = true)
#define OPENS s->request.stage = STAGE_SESSION; s->request.factors = 0
CHANGE(opens_by_key, CODE; EXEMPT("r mfa 0 1782856801 " OTHER_KEY " - -"); s->request.key = OTHER_KEY; OPENS)
CHANGE(opens_by_other_key, CODE; EXEMPT("r mfa 0 1782856801 " OTHER_KEY " - -"); s->request.key = scene_key; OPENS)
CHANGE(opens_without_key, CODE; EXEMPT("r mfa 0 1782856801 " OTHER_KEY " - -"); OPENS)
CHANGE(opens_with_code, CODE; EXEMPT("r mfa 0 1782856801 " OTHER_KEY " - -"); OPENS; s->request.factors = FACTOR_PASSWORD | FACTOR_OTP)
CHANGE(opens_sudo, CODE; EXEMPT("r mfa 0 1782856801 " OTHER_KEY " - -"); OPENS; s->request.service = "sudo")
CHANGE(opens_unbound, CODE; EXEMPT("r mfa 0 1782856801 - - -"); OPENS)
CHANGE(opens_no_token, CODE; EXEMPT("r mfa 0 1782856801 " OTHER_KEY " - -"); OPENS; s->facts.token_count = 0)
#define AWAITED OPENS; s->request.key_awaited = true; s->request.key = scene_key
CHANGE(awaited_no_more, CODE; AWAITED)
CHANGE(awaited_ended, CODE; EXEMPT("r mfa 0 1782856800 - - -"); AWAITED)
CHANGE(awaited_other, CODE; EXEMPT("r hours 0 1782856801 - - -"); AWAITED)
CHANGE(awaited_by_other_key, CODE; EXEMPT("r mfa 0 1782856801 " OTHER_KEY " - -"); AWAITED)
CHANGE(awaited_by_key, CODE; EXEMPT("r mfa 0 1782856801 " OTHER_KEY " - -"); AWAITED; s->request.key = OTHER_KEY)
CHANGE(awaited_unbound, CODE; EXEMPT("r mfa 0 1782856801 - - -"); AWAITED)
CHANGE(awaited_with_code, CODE; AWAITED; s->request.factors = FACTOR_PASSWORD | FACTOR_OTP)
CHANGE(awaited_not_due, LIMIT("from = 192.0.2.0/24"); AWAITED)
CHANGE(not_awaited, CODE; AWAITED; s->request.key_awaited = false)
CHANGE(source, LIMIT("from = 198.51.100.0/24"))
CHANGE(source_exempt, LIMIT("from = 198.51.100.0/24"); EXEMPT("r source 0 1782856801 - - -"))
CHANGE(source_exempt_network, LIMIT("from = 198.51.100.0/24"); EXEMPT("r source 0 1782856801 - - 192.0.2.7"))
CHANGE(source_exempt_elsewhere, LIMIT("from = 198.51.100.0/24"); EXEMPT("r source 0 1782856801 - - 192.0.2.8"))
CHANGE(hour, LIMIT("hours = Mon 21:00-23:00 UTC"))
CHANGE(hour_exempt, LIMIT("hours = Mon 21:00-23:00 UTC"); EXEMPT("r hours 0 1782856801 - - -"))
CHANGE(hour_not_source, LIMIT("hours = Mon 21:00-23:00 UTC"); EXEMPT("r source 0 1782856801 - - -"))

static const struct scene_row rows[] = {
	ROW(sponsor, ALLOW, OK, ""), ROW(sponsor_none, DENY, SPONSOR_MISSING, "role b: require-sponsor (policy.conf:"),
	ROW(sponsor_missing, DENY, SPONSOR_MISSING, ""), ROW(sponsor_ended, DENY, SPONSOR_MISSING, ""),
	ROW(sponsor_at_end, DENY, SPONSOR_MISSING, ""), ROW(sponsor_before_end, ALLOW, OK, ""), ROW(sponsor_optional, ALLOW, OK, ""),
	ROW(sponsor_strange, DENY, SPONSOR_MISSING, ""),
	ROW(owner, ALLOW, OK, ""), ROW(owner_none, DENY, OWNER_MISSING, "kind service"), ROW(owner_none_of_person, ALLOW, OK, ""),
	ROW(owner_missing, DENY, OWNER_MISSING, ""), ROW(owner_ended, DENY, OWNER_EXPIRED, ""),
	ROW(owner_at_end, DENY, OWNER_EXPIRED, ""), ROW(owner_before_end, ALLOW, OK, ""), ROW(grace_runs, ALLOW, OK, ""),
	ROW(grace_half, DENY, OWNER_EXPIRED, "kind service"),
	ROW(grace_over, DENY, OWNER_EXPIRED, "role b: owner-grace"), ROW(grace_unknown, DENY, OWNER_MISSING, "owner-grace"),
	ROW(grace_known, ALLOW, OK, ""), ROW(grace_of_nobody, DENY, OWNER_MISSING, ""), ROW(grace_none, DENY, OWNER_EXPIRED, ""),
	ROW(grace_shortest, DENY, OWNER_EXPIRED, "role b"), ROW(grace_shortest_runs, ALLOW, OK, ""),
	ROW(grace_equal, DENY, OWNER_EXPIRED, "role a: owner-grace"), ROW(review_equal, DENY, REVIEW_OVERDUE, "role a: review-every"),
	ROW(review_due, DENY, REVIEW_OVERDUE, "role b: review-every"), ROW(review_not_due, ALLOW, OK, ""),
	ROW(review_done, ALLOW, OK, ""), ROW(review_at_end, DENY, REVIEW_OVERDUE, ""), ROW(review_by_creation, ALLOW, OK, ""),
	ROW(review_by_old_creation, DENY, REVIEW_OVERDUE, ""), ROW(review_by_nothing, DENY, REVIEW_OVERDUE, ""),
	ROW(review_ahead, DENY, REVIEW_OVERDUE, ""), ROW(review_of_other_clock, ALLOW, OK, ""),
	ROW(created_ahead, DENY, REVIEW_OVERDUE, ""), ROW(review_shortest, DENY, REVIEW_OVERDUE, "role b"),
	ROW(review_shortest_done, ALLOW, OK, ""), ROW(review_exempt, ALLOW, OK, ""), ROW(review_other, DENY, REVIEW_OVERDUE, ""),
	ROW(used, ALLOW, OK, ""), ROW(not_used, DENY, DORMANT, "role b: dormant-after"), ROW(never_used, DENY, DORMANT, ""),
	ROW(new_one, ALLOW, OK, ""), ROW(begun_after_use, ALLOW, OK, ""), ROW(dormant_exempt, ALLOW, OK, ""),
	ROW(dormant_other, DENY, DORMANT, ""),
	ROW(sessions_fewer, ALLOW, OK, ""), ROW(sessions_full, DENY, TOO_MANY_SESSIONS, "role b: max-sessions"),
	ROW(sessions_least, DENY, TOO_MANY_SESSIONS, "role b"), ROW(sessions_least_first, DENY, TOO_MANY_SESSIONS, "role a"),
	ROW(sessions_of_stage, DENY, TOO_MANY_SESSIONS, ""), ROW(sessions_later, ALLOW, OK, ""), ROW(sessions_sudo, ALLOW, OK, ""),
	ROW(sessions_cron, ALLOW, OK, ""),
	ROW(code_missing, DENY, MFA_REQUIRED, "role a: mfa"), ROW(code_of_two, DENY, MFA_REQUIRED, "role a: mfa"), ROW(code_exempt, ALLOW, OK, ""),
	ROW(exempt_ended, DENY, MFA_REQUIRED, ""),
	ROW(exempt_begins, ALLOW, OK, ""), ROW(exempt_later, DENY, MFA_REQUIRED, ""), ROW(exempt_other, DENY, MFA_REQUIRED, ""),
	ROW(exempt_second, ALLOW, OK, ""), ROW(exempt_unread, DENY, MFA_REQUIRED, ""), ROW(exempt_longer, DENY, MFA_REQUIRED, ""),
	ROW(exempt_negative, DENY, MFA_REQUIRED, ""), ROW(exempt_no_end, DENY, MFA_REQUIRED, ""),
	ROW(exempt_no_name, DENY, MFA_REQUIRED, ""), ROW(exempt_service, ALLOW, OK, ""),
	ROW(exempt_other_service, DENY, MFA_REQUIRED, ""), ROW(exempt_source, ALLOW, OK, ""),
	ROW(exempt_other_source, DENY, MFA_REQUIRED, ""), ROW(exempt_no_source, DENY, MFA_REQUIRED, ""),
	ROW(exempt_key, ALLOW, OK, ""), ROW(exempt_other_key, DENY, MFA_REQUIRED, ""), ROW(exempt_no_key, DENY, MFA_REQUIRED, ""),
	ROW(exempt_unseen_key, ALLOW, OK, ""), ROW(opens_by_key, ALLOW, OK, ""), ROW(opens_by_other_key, DENY, MFA_REQUIRED, "role a: mfa"),
	ROW(opens_without_key, DENY, MFA_REQUIRED, ""), ROW(opens_with_code, ALLOW, OK, ""), ROW(opens_sudo, ALLOW, OK, ""),
	ROW(opens_unbound, ALLOW, OK, ""), ROW(opens_no_token, DENY, MFA_NOT_ENROLLED, ""),
	ROW(awaited_no_more, DENY, MFA_REQUIRED, "role a: mfa"), ROW(awaited_ended, DENY, MFA_REQUIRED, ""),
	ROW(awaited_other, DENY, MFA_REQUIRED, ""), ROW(awaited_by_other_key, DENY, MFA_REQUIRED, ""), ROW(awaited_by_key, ALLOW, OK, ""),
	ROW(awaited_unbound, ALLOW, OK, ""), ROW(awaited_with_code, ALLOW, OK, ""), ROW(awaited_not_due, ALLOW, OK, ""),
	ROW(not_awaited, ALLOW, OK, ""),
	ROW(source, DENY, SOURCE_NOT_ALLOWED, ""), ROW(source_exempt, ALLOW, OK, ""), ROW(source_exempt_network, ALLOW, OK, ""),
	ROW(source_exempt_elsewhere, DENY, SOURCE_NOT_ALLOWED, ""), ROW(hour, DENY, OUTSIDE_HOURS, ""), ROW(hour_exempt, ALLOW, OK, ""),
	ROW(hour_not_source, DENY, OUTSIDE_HOURS, ""),
};

START_TEST(denials_and_their_twins)
{
	scene_check(&rows[_i]);
}
END_TEST

/* An exemption is named where it was needed, and only there; each once. */
START_TEST(exemptions_are_named)
{
	static struct scene scene, *const s = &scene;
	struct decision d;

	scene_base(s);
	CODE;
	EXEMPT("weekend hours 0 1782856801 - - -\nrobot mfa 0 1782856801 - - -");
	d = scene_decide(s);
	ck_assert_int_eq(d.verdict, VERDICT_ALLOW);
	ck_assert_str_eq(d.exemptions, "robot");
	ck_assert_int_eq(d.mfa_due, 0);
	s->request.factors = FACTOR_KEY | FACTOR_OTP;
	ck_assert_str_eq(scene_decide(s).exemptions, "");
	LIMIT("hours = Mon 21:00-23:00 UTC\n[role c]\nmatch = any\nhours = Mon 21:00-23:00 UTC\nmfa = required");
	s->request.factors = FACTOR_KEY;
	ck_assert_str_eq(scene_decide(s).exemptions, "weekend robot");
	/* Auth asks for no code then, and for the password still. */
	s->request.stage = STAGE_AUTH;
	s->request.factors = 0;
	ck_assert_uint_eq(scene_decide(s).ask, FACTOR_PASSWORD);
	s->facts.exemptions[0] = '\0';
	ck_assert_uint_eq(scene_decide(s).ask, FACTOR_PASSWORD | FACTOR_OTP);
}
END_TEST

/* As many names as there is room for; where one more had none, "..." says so. A name within another one is one of its own. */
START_TEST(exemptions_have_room)
{
	static const char a[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", *const b = a + 1, *const c = a + 2;
	static struct scene scene, *const s = &scene;
	char wanted[sizeof ((struct decision *)NULL)->exemptions];

	scene_base(s);
	LIMIT("from = 198.51.100.0/24\nhours = Mon 21:00-23:00 UTC\nreview-every = 60s\ndormant-after = 60s\n"
	    "[role c]\nmatch = any\nmfa = required");
	s->request.factors = FACTOR_KEY;
	for (int len = 58; len <= 61; len++) {
		const char *d = a + 64 - len;

		(void)snprintf(s->facts.exemptions, sizeof s->facts.exemptions, "%s source 0 1782856801 - - -\n%s hours 0 1782856801 - - -\n"
		    "%s review 0 1782856801 - - -\n%s dormant 0 1782856801 - - -\nz mfa 0 1782856801 - - -\n", a, b, c, d);
		(void)snprintf(wanted, sizeof wanted, "%s %s %s %s", a, b, c, len < 60 ? d : "...");
		ck_assert_int_eq(scene_decide(s).verdict, VERDICT_ALLOW);
		ck_assert_msg(strncmp(scene_decide(s).exemptions, wanted, strlen(wanted)) == 0, "%d: %s", len, scene_decide(s).exemptions);
	}
}
END_TEST

/* That the session has to show a key, which nobody has seen, is told: but only where nothing else lets in. */
START_TEST(a_key_is_awaited)
{
	static struct scene scene, *const s = &scene;

	scene_base(s);
	CODE;
	s->request.key_unseen = true;
	EXEMPT("bound mfa 0 1782856801 " OTHER_KEY " - -");
	ck_assert_int_eq(scene_decide(s).verdict, VERDICT_ALLOW);
	ck_assert(scene_decide(s).key_awaited);
	ck_assert_str_eq(scene_decide(s).exemptions, "bound");
	EXEMPT("bound mfa 0 1782856801 " OTHER_KEY " - -\nfree mfa 0 1782856801 - - -");
	ck_assert(!scene_decide(s).key_awaited);
	ck_assert_str_eq(scene_decide(s).exemptions, "free");
	EXEMPT("bound mfa 0 1782856801 " OTHER_KEY " - -");
	s->request.factors = FACTOR_KEY | FACTOR_OTP;
	ck_assert(!scene_decide(s).key_awaited);
	s->request.factors = FACTOR_KEY;
	s->request.key_unseen = false;
	s->request.key = OTHER_KEY;
	ck_assert_int_eq(scene_decide(s).verdict, VERDICT_ALLOW);
	ck_assert(!scene_decide(s).key_awaited);
}
END_TEST

/* Whom to ask: the first matching role that says so; of a refusal the role that refuses has the word. */
START_TEST(contacts)
{
	static struct scene scene, *const s = &scene;

	scene_base(s);
	s->policy = "[role a]\nmatch = any\nallow-services = sshd\nmfa = none\n[role b]\nmatch = any\nmfa = none\ncontact = first\n"
	    "[role c]\nmatch = any\nmfa = none\ncontact = second\nhours = Mon..Sun 00:00-24:00 UTC\n"
	    "[role d]\nmatch = user:eve\ncontact = other\n";
	ck_assert_str_eq(scene_decide(s).contact, "first");
	ck_assert_int_eq(scene_decide(s).verdict, VERDICT_ALLOW);
	s->policy = "[role a]\nmatch = any\nallow-services = sshd\nmfa = none\ncontact = first\n"
	    "[role c]\nmatch = any\nmfa = none\ncontact = second\nhours = Mon 01:00-02:00 UTC\n";
	ck_assert_str_eq(scene_decide(s).contact, "second");
	ck_assert_int_eq(scene_decide(s).reason, REASON_OUTSIDE_HOURS);
}
END_TEST

/* When sessions of a service account end for its owner's sake: never, at an instant, already. */
START_TEST(owner_ends)
{
	static const struct { const char *policy; uint32_t state; int64_t end, wanted; } cases[] = {
		{ "", CARE_VALID, 0, 0 }, { "", CARE_VALID, NOW + 5, NOW + 5 }, { "owner-grace = 60s\n", CARE_VALID, NOW + 5, NOW + 65 },
		{ "owner-grace = 60s\n", CARE_ENDED, NOW - 5, NOW + 55 }, { "owner-grace = 60s\n", CARE_ENDED, 0, INT64_MIN },
		{ "owner-grace = 60s\n", CARE_MISSING, 0, INT64_MIN }, { "owner-grace = 60s\n", CARE_NONE, 0, INT64_MIN },
		{ "owner-grace = 60s\n", CARE_NONE, NOW, INT64_MIN }, { "owner-grace = 60s\n", CARE_VALID, 0, 0 },
	};
	static struct scene s;

	scene_base(&s);
	for (size_t i = 0; i < ROWS(cases); i++) {
		char text[256];
		struct policy *policy;

		(void)snprintf(text, sizeof text, "[role a]\nmatch = any\n%s", cases[i].policy);
		policy = scene_parse(text);
		s.facts.owner_state = cases[i].state;
		s.facts.owner_end_utc_sec = cases[i].end;
		ck_assert_int_eq(policy_owner_end(policy, 1, &s.facts), cases[i].wanted);
		policy_free(policy);
	}
}
END_TEST

START_TEST(on_end)
{
	static const struct { const char *text; bool spares; } cases[] = {
		{ "", false }, { "on-end = terminate\n", false }, { "on-end = deny-new\n", true },
		{ "on-end = deny-new\n[role b]\nmatch = any\n", false },
		{ "on-end = deny-new\n[role b]\nmatch = any\non-end = deny-new\n", true },
		{ "on-end = deny-new\n[role b]\nmatch = any\non-end = terminate\n", false },
		{ "on-end = terminate\n[role b]\nmatch = any\non-end = deny-new\n", false },
		{ "on-end = deny-new\n[role b]\nmatch = user:eve\non-end = terminate\n", true },
	};
	static struct scene s;

	scene_base(&s);
	for (size_t i = 0; i < ROWS(cases); i++) {
		char text[512];
		struct policy *policy;

		(void)snprintf(text, sizeof text, "[role a]\nmatch = any\n%s", cases[i].text);
		policy = scene_parse(text);
		ck_assert_msg(policy_spares_sessions(policy, policy_match(policy, &s.facts)) == cases[i].spares, "%zu", i);
		ck_assert_int_eq(policy_spares_sessions(policy, 0), 0);
		policy_free(policy);
	}
}
END_TEST

/* ---- entries ---- */

#define MEMBER "uid=ada,ou=people,dc=example,dc=com"
#define GOOD "cn: r-1", "ismsControl: mfa", "ismsMember: uid=Ada, ou=people,dc=example,dc=com", \
	"ismsApprover: uid=carol,ou=people,dc=example,dc=com", "ismsReason: robot", "ismsUntil: 20270101000000Z", \
	"createTimestamp: 20260615000000Z"

/* A line in place of the good one of its attribute, or beside them; "-name" takes that away. fault NULL: still good. */
static const struct { const char *line, *fault; } entries_of[] = {
	{ "", NULL }, { "-cn", "cn is missing" }, { "cn: a b", "cn \"a b\"" }, { "cn: ../x", "cn \"../x\"" },
	{ "-ismsControl", "ismsControl is missing" }, { "ismsControl: all", "none of mfa" }, { "ismsControl: MFA", "none of mfa" },
	{ "ismsControl: hours", NULL }, { "-ismsMember", "ismsMember is missing" },
	{ "ismsMember: uid=eve,ou=people,dc=example,dc=com", "about another one" }, { "ismsMember: ada", "ismsMember is no DN" },
	{ "-ismsApprover", "ismsApprover is missing" }, { "ismsApprover: " MEMBER, "nobody approves for himself" },
	{ "ismsApprover: uid=ADA,ou=People,dc=example,dc=com", "nobody approves for himself" },
	{ "ismsApprover: carol", "ismsApprover is no DN" }, { "-ismsReason", "ismsReason is missing" },
	{ "-ismsUntil", "an exemption ends" }, { "ismsUntil: never", "no GeneralizedTime" },
	{ "ismsUntil: 20270101000000Z\nismsUntil: 20280101000000Z", "ismsUntil must have one" },
	{ "ismsFrom: 20270101000000Z", "ends before it begins" }, { "ismsFrom: 20261231235959Z", NULL },
	{ "-createTimestamp", "nobody can say when it began" }, { "createTimestamp: x", "createTimestamp" },
	{ "createTimestamp: 20251231000000Z", NULL }, { "createTimestamp: 20251230235959Z", "366 days at most" },
	{ "ismsFrom: 20251231000000Z", NULL }, { "ismsFrom: 20251230235959Z", "366 days at most" },
	{ "ismsFrom: 19700101000000Z", "366 days at most" },
	{ "ismsFrom: x", "ismsFrom" }, { "ismsKeyFingerprint: SHA256:abc", "ismsKeyFingerprint" },
	{ "ismsKeyFingerprint: MD5:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB", "ismsKeyFingerprint" },
	{ "ismsKeyFingerprint: " OTHER_KEY, NULL }, { "ismsService: sshd", NULL }, { "ismsService: s h", "ismsService" },
	{ "ismsService: -", "ismsService" }, { "ismsService: sshd-ldap", NULL },
	{ "ismsService: sshd\nismsService: login", "ismsService must have one" }, { "ismsSource: 192.0.2.0/24", NULL },
	{ "ismsSource: 192.0.2.0/24\nismsSource: 2001:db8::/32", NULL }, { "ismsSource: example.com", "ismsSource" },
	{ "ismsSource: 192.0.2.0/24 10.0.0.0/8", "ismsSource" }, { "ismsSource: local", "ismsSource" },
	{ "ismsSource: 192.0.2.1/24", "ismsSource" },
	{ "ismsSource: 10.0.0.1\nismsSource: 10.0.0.2\nismsSource: 10.0.0.3\nismsSource: 10.0.0.4\nismsSource: 10.0.0.5",
	    "more than 4" },
};

static void
entry_text(const char *line, char *text, size_t size)
{
	static const char *const good[] = { GOOD };
	size_t used = (size_t)snprintf(text, size, "dn: cn=r-1,ou=exemptions,dc=example,dc=com\nobjectClass: ismsExemption\n");
	size_t name = strcspn(line + (line[0] == '-'), ":");

	for (size_t i = 0; i < ROWS(good); i++)
		if (line[0] == '\0' || strncmp(good[i], line + (line[0] == '-'), name) != 0 || good[i][name] != ':')
			used += (size_t)snprintf(text + used, size - used, "%s\n", good[i]);
	(void)snprintf(text + used, size - used, "%s\n", line[0] == '-' ? "" : line);
}

START_TEST(entries_are_read_strictly)
{
	struct entries all = { 0 };
	char text[2048], error[256], fault[256] = "", written[EXEMPTION_LINE_MAX];
	struct exemption x, back;
	const char *at = written;
	int r;

	entry_text(entries_of[_i].line, text, sizeof text);
	ck_assert_msg(ldif_store_parse(text, strlen(text), "t", &all, error, sizeof error) == 0, "%s", error);
	r = exemption_read(all.list[0], MEMBER, &x, fault, sizeof fault);
	ck_assert_msg((r == 0) == (entries_of[_i].fault == NULL), "%s: %s", entries_of[_i].line, fault);
	if (r < 0) {
		ck_assert_msg(strstr(fault, entries_of[_i].fault) != NULL, "%s: %s", entries_of[_i].line, fault);
	} else {
		ck_assert_int_gt(exemption_format(&x, written, sizeof written), 0);
		ck_assert(exemption_next(&at, &back));
		ck_assert_str_eq(back.name, "r-1");
		ck_assert_int_eq(back.control, x.control);
		ck_assert_int_eq(back.from_utc_sec, x.from_utc_sec);
		ck_assert_int_eq(back.until_utc_sec, 1798761600);
		ck_assert_str_eq(back.key, x.key);
		ck_assert_str_eq(back.service, x.service);
		ck_assert_str_eq(back.sources, x.sources);
		ck_assert(!exemption_next(&at, &back));
	}
	entries_done(&all);
}
END_TEST

int
main(void)
{
	const struct suite_row tests[] = { { denials_and_their_twins, ROWS(rows) }, { exemptions_are_named, 0 },
		{ exemptions_have_room, 0 }, { a_key_is_awaited, 0 }, { contacts, 0 }, { owner_ends, 0 }, { on_end, 0 },
		{ entries_are_read_strictly, ROWS(entries_of) } };

	return suite_run("policy care", tests, ROWS(tests), 60);
}
