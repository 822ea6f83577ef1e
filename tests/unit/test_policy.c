/*
 * test_policy.c - policy_decide(): every reason beside its positive twin, boundaries, random searches.
 *
 * The base case is a welcome contractor; each row changes one thing.
 */
#include <config.h>

#include "common/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/policy_scene.h"
#include "tests/unit/suite.h"

static const char dropping_policy[] =
    "[role contractor]\n"
    "match = kind:contractor\n"
    "allow-services = sshd cron\n"
    "keep-groups = web-deploy\n"
    "drop-groups = docker no-payroll\n"
    "[groups]\n"
    "deny-acl = no-payroll\n";

/* ---- one thing changed -------------------------------------------------------------------------- */

CHANGE(nothing, (void)s)
CHANGE(unknown, s->facts = (struct facts){ .state = FACTS_UNKNOWN })
CHANGE(broken, s->facts.state = FACTS_BROKEN; strcpy(s->facts.fault, "two ends"))
CHANGE(not_ready, s->facts.state = FACTS_NOT_READY)
CHANGE(state_of_nowhere, s->facts.state = 77)
CHANGE(no_kind, s->facts.kind = KIND_UNKNOWN)
CHANGE(kind_of_nowhere, s->facts.kind = KIND_COUNT)
CHANGE(disabled, s->facts.disabled = 1; strcpy(s->facts.disabled_source, "nsAccountLock"))
CHANGE(locked, s->facts.locked_until_utc_sec = NOW + 1)
CHANGE(lock_over, s->facts.locked_until_utc_sec = NOW)
CHANGE(begins_later, s->facts.not_before_utc_sec = NOW + 1)
CHANGE(begins_now, s->facts.not_before_utc_sec = NOW)
CHANGE(ends_now, s->facts.not_after_utc_sec = NOW)
CHANGE(ends_next, s->facts.not_after_utc_sec = NOW + 1)
CHANGE(ended_before_the_epoch, s->facts.not_after_utc_sec = -1)
CHANGE(no_end, s->facts.not_after_utc_sec = 0)
CHANGE(employee_no_end, s->facts.kind = KIND_EMPLOYEE; s->facts.not_after_utc_sec = 0)
CHANGE(contractor_no_end_no_role, s->facts.not_after_utc_sec = 0; s->policy = "")
CHANGE(clock_bad, s->request.clock_trusted = false)
CHANGE(clock_bad_employee, s->request.clock_trusted = false; s->facts.kind = KIND_EMPLOYEE)
CHANGE(clock_bad_and_ended, s->request.clock_trusted = false; s->facts.not_after_utc_sec = NOW)
CHANGE(robot_ssh, s->facts.kind = KIND_SERVICE)
CHANGE(robot_sudo, s->facts.kind = KIND_SERVICE; s->request.service = "sudo")
CHANGE(robot_cron, s->facts.kind = KIND_SERVICE; s->request.service = "cron"; s->request.factors = 0)
CHANGE(robot_root_su, s->facts.kind = KIND_SERVICE; s->request.service = "su"; s->request.root_caller = true)
CHANGE(robot_own_su, s->facts.kind = KIND_SERVICE; s->request.service = "su")
CHANGE(breakglass, s->facts.kind = KIND_BREAK_GLASS)
CHANGE(breakglass_cron, s->facts.kind = KIND_BREAK_GLASS; s->request.service = "cron")
CHANGE(no_role, s->policy = "[role x]\nmatch = user:eve\nallow-services = sshd\n")
CHANGE(service_unlisted, s->request.service = "vsftpd")
CHANGE(service_case, s->request.service = "SSHD")
CHANGE(service_space, s->request.service = "sshd ")
CHANGE(service_longer, s->request.service = "sshd-session")
CHANGE(service_empty, s->request.service = "")
CHANGE(service_null, s->request.service = NULL)
CHANGE(service_unknown_class, s->request.service = "vault")
CHANGE(second_role_cron, strcpy(s->facts.user, "nia"); s->request.service = "cron")
CHANGE(second_role_ssh, strcpy(s->facts.user, "nia"))
CHANGE(second_role_silent, strcpy(s->facts.user, "quinn"))
CHANGE(no_role_allows, strcpy(s->facts.user, "quinn"); s->facts.kind = KIND_EMPLOYEE;
    s->policy = "[role q]\nmatch = user:quinn\nmfa = none\n")
CHANGE(key_alone, s->request.factors = FACTOR_KEY)
CHANGE(password_alone, s->request.factors = FACTOR_PASSWORD)
CHANGE(password_and_key, s->request.factors = FACTOR_PASSWORD | FACTOR_KEY)
CHANGE(code_alone, s->request.factors = FACTOR_OTP)
CHANGE(nothing_proven, s->request.factors = 0)
CHANGE(key_and_code, s->request.factors = FACTOR_KEY | FACTOR_OTP)
CHANGE(unenrolled, s->facts.token_count = 0; s->request.factors = FACTOR_PASSWORD)
CHANGE(unenrolled_auth, s->facts.token_count = 0; s->request.factors = 0; s->request.stage = STAGE_AUTH)
CHANGE(employee_unenrolled, s->facts.kind = KIND_EMPLOYEE; s->facts.token_count = 0; s->request.factors = FACTOR_KEY)
CHANGE(employee_enrolled, s->facts.kind = KIND_EMPLOYEE; s->request.factors = FACTOR_KEY)
CHANGE(sudo_cold, s->request.service = "sudo"; s->request.factors = 0)
CHANGE(sudo_live, s->request.service = "sudo"; s->request.factors = 0; s->request.live_mfa_session = true)
CHANGE(sudo_proven, s->request.service = "sudo")
CHANGE(ssh_live, s->request.factors = FACTOR_KEY; s->request.live_mfa_session = true)
CHANGE(vault_live, s->request.service = "vault"; s->request.factors = 0; s->request.live_mfa_session = true)
CHANGE(cron_cold, s->request.service = "cron"; s->request.factors = 0)
CHANGE(manager_implied, s->request.service = "systemd-user"; s->request.factors = 0)
CHANGE(manager_not_implied, strcpy(s->facts.user, "nia"); s->request.service = "systemd-user")
CHANGE(locker_implied, s->request.service = "unprivileged"; s->request.live_mfa_session = true; s->request.factors = 0)
CHANGE(root_su, s->request.service = "su"; s->request.root_caller = true; s->request.factors = 0)
CHANGE(root_su_l, s->request.service = "su-l"; s->request.root_caller = true; s->request.factors = 0)
CHANGE(own_su, s->request.service = "su"; s->request.factors = 0)
CHANGE(root_sshd, s->request.root_caller = true; s->request.factors = FACTOR_KEY)
CHANGE(root_su_ended, s->request.service = "su"; s->request.root_caller = true; s->facts.not_after_utc_sec = NOW)
CHANGE(cron_ended, s->request.service = "cron"; s->request.factors = 0; s->facts.not_after_utc_sec = NOW)
CHANGE(must_change, s->facts.must_change = 1)
CHANGE(must_change_cron, s->facts.must_change = 1; s->request.service = "cron"; s->request.factors = 0)
CHANGE(must_change_ended, s->facts.must_change = 1; s->facts.not_after_utc_sec = NOW)
CHANGE(must_change_key, s->facts.must_change = 1; s->request.factors = FACTOR_KEY)
CHANGE(must_change_session, s->facts.must_change = 1; s->request.stage = STAGE_SESSION)
CHANGE(must_change_auth, s->facts.must_change = 1; s->request.stage = STAGE_AUTH)
CHANGE(stale, s->request.factors |= FACTOR_PASSWORD_STALE)
CHANGE(stale_cron, s->request.service = "cron"; s->request.factors = FACTOR_PASSWORD_STALE)
CHANGE(stale_session, s->request.factors = FACTOR_PASSWORD_STALE; s->request.stage = STAGE_SESSION)
CHANGE(changed_session, s->facts.must_change = 1; s->request.factors = FACTOR_PASSWORD_CHANGED; s->request.stage = STAGE_SESSION)
CHANGE(stale_again, s->request.factors |= FACTOR_PASSWORD_CHANGED | FACTOR_PASSWORD_STALE)
CHANGE(stale_auth, s->request.factors |= FACTOR_PASSWORD_STALE; s->request.stage = STAGE_AUTH)
CHANGE(session_cold, s->request.stage = STAGE_SESSION; s->request.factors = 0)
CHANGE(session_ended, s->request.stage = STAGE_SESSION; s->request.factors = 0; s->facts.not_after_utc_sec = NOW)
CHANGE(session_disabled, s->request.stage = STAGE_SESSION; s->facts.disabled = 1)
CHANGE(session_locked, s->request.stage = STAGE_SESSION; s->facts.locked_until_utc_sec = NOW + 1)
CHANGE(session_service, s->request.stage = STAGE_SESSION; s->request.service = "vsftpd")
CHANGE(auth_cold, s->request.stage = STAGE_AUTH; s->request.factors = 0)
CHANGE(auth_ended, s->request.stage = STAGE_AUTH; s->request.factors = 0; s->facts.not_after_utc_sec = NOW)
CHANGE(auth_service, s->request.stage = STAGE_AUTH; s->request.factors = 0; s->request.service = "vsftpd")
CHANGE(stage_of_nowhere, s->request.stage = 9; s->request.factors = FACTOR_KEY)
CHANGE(everything_wrong, s->facts.disabled = 1; s->facts.locked_until_utc_sec = NOW + 1; s->facts.not_after_utc_sec = NOW;
    s->request.service = "x"; s->request.factors = 0)
CHANGE(all_but_disabled, everything_wrong(s); s->facts.disabled = 0)
CHANGE(all_but_locked, all_but_disabled(s); s->facts.locked_until_utc_sec = 0)
CHANGE(primary_dropped, strcpy(s->facts.primary_group, "docker"); s->policy = dropping_policy)
CHANGE(primary_dropped_session, primary_dropped(s); s->request.stage = STAGE_SESSION)
CHANGE(primary_dropped_cron, primary_dropped(s); s->request.service = "cron"; s->request.factors = 0)
CHANGE(primary_not_dropped, primary_dropped(s); strcpy(s->facts.primary_group, "staff"))
CHANGE(primary_deny_acl, primary_dropped(s); strcpy(s->facts.primary_group, "no-payroll"))
CHANGE(service_and_mfa_wrong, all_but_locked(s); s->facts.not_after_utc_sec = NOW + 1)

static const struct scene_row rows[] = {
	ROW(nothing, ALLOW, OK, "role contractor: allow-services (policy.conf:3)"),
	ROW(unknown, NOT_OURS, UNKNOWN_USER, "no entry"), ROW(broken, DENY, BAD_RECORD, "two ends"),
	ROW(not_ready, DENY, DIRECTORY_UNAVAILABLE, ""), ROW(state_of_nowhere, DENY, BAD_RECORD, ""),
	ROW(no_kind, DENY, BAD_RECORD, "kind"), ROW(kind_of_nowhere, DENY, BAD_RECORD, "kind"),
	ROW(disabled, DENY, DISABLED, "nsAccountLock"), ROW(locked, DENY, LOCKED, ""), ROW(lock_over, ALLOW, OK, ""),
	ROW(begins_later, DENY, NOT_YET_VALID, ""), ROW(begins_now, ALLOW, OK, ""),
	ROW(ends_now, EXPIRED, EXPIRED, "pwdEndTime"), ROW(ends_next, ALLOW, OK, ""),
	ROW(ended_before_the_epoch, EXPIRED, EXPIRED, ""),
	ROW(no_end, DENY, NO_EXPIRY, "role contractor: require-expiry (policy.conf:5)"),
	ROW(employee_no_end, ALLOW, OK, ""), ROW(contractor_no_end_no_role, DENY, NO_EXPIRY, "kind contractor"),
	ROW(clock_bad, DENY, CLOCK_UNTRUSTED, ""), ROW(clock_bad_employee, ALLOW, OK, ""),
	ROW(clock_bad_and_ended, EXPIRED, EXPIRED, ""),
	ROW(robot_ssh, DENY, PASSWORD_NOT_ALLOWED, ""), ROW(robot_sudo, DENY, KIND_NOT_INTERACTIVE, ""),
	ROW(robot_cron, ALLOW, OK, ""), ROW(robot_root_su, ALLOW, OK, ""), ROW(robot_own_su, DENY, KIND_NOT_INTERACTIVE, ""),
	ROW(breakglass, DENY, BREAKGLASS_NOT_ARMED, ""), ROW(breakglass_cron, DENY, BREAKGLASS_NOT_ARMED, ""),
	ROW(no_role, DENY, NO_ROLE, "no role matches"),
	ROW(service_unlisted, DENY, SERVICE_NOT_ALLOWED, "role contractor: allow-services (policy.conf:3)"),
	ROW(service_case, DENY, SERVICE_NOT_ALLOWED, ""), ROW(service_space, DENY, SERVICE_NOT_ALLOWED, ""),
	ROW(service_longer, DENY, SERVICE_NOT_ALLOWED, ""), ROW(service_empty, DENY, SERVICE_NOT_ALLOWED, ""),
	ROW(service_null, DENY, SERVICE_NOT_ALLOWED, ""), ROW(service_unknown_class, ALLOW, OK, ""),
	ROW(second_role_cron, ALLOW, OK, ""), ROW(second_role_ssh, DENY, SERVICE_NOT_ALLOWED, "role nightly"),
	ROW(second_role_silent, ALLOW, OK, ""), ROW(no_role_allows, DENY, SERVICE_NOT_ALLOWED, "no matching role has"),
	ROW(key_alone, DENY, MFA_REQUIRED, "role contractor: mfa (policy.conf:4)"),
	ROW(password_alone, DENY, MFA_REQUIRED, ""), ROW(password_and_key, DENY, MFA_REQUIRED, ""),
	ROW(code_alone, DENY, MFA_REQUIRED, ""), ROW(nothing_proven, DENY, MFA_REQUIRED, ""), ROW(key_and_code, ALLOW, OK, ""),
	ROW(unenrolled, DENY, MFA_NOT_ENROLLED, "mfa"), ROW(unenrolled_auth, DENY, MFA_NOT_ENROLLED, "mfa"),
	ROW(employee_unenrolled, ALLOW, OK, ""), ROW(employee_enrolled, DENY, MFA_REQUIRED, "role employee: mfa"),
	ROW(sudo_cold, DENY, MFA_REQUIRED, ""), ROW(sudo_live, ALLOW, OK, ""), ROW(sudo_proven, ALLOW, OK, ""),
	ROW(ssh_live, DENY, MFA_REQUIRED, ""), ROW(vault_live, DENY, MFA_REQUIRED, ""), ROW(cron_cold, ALLOW, OK, ""),
	ROW(manager_implied, ALLOW, OK, ""), ROW(manager_not_implied, DENY, SERVICE_NOT_ALLOWED, "role nightly"),
	ROW(locker_implied, ALLOW, OK, ""), ROW(root_su, ALLOW, OK, ""), ROW(root_su_l, ALLOW, OK, ""),
	ROW(own_su, DENY, MFA_REQUIRED, ""), ROW(root_sshd, DENY, MFA_REQUIRED, ""), ROW(root_su_ended, EXPIRED, EXPIRED, ""),
	ROW(cron_ended, EXPIRED, EXPIRED, ""),
	ROW(must_change, MUST_CHANGE, PASSWORD_CHANGE_REQUIRED, ""),
	ROW(must_change_cron, DENY, PASSWORD_CHANGE_REQUIRED, ""), ROW(must_change_ended, EXPIRED, EXPIRED, ""),
	ROW(must_change_key, DENY, MFA_REQUIRED, ""), ROW(must_change_session, DENY, PASSWORD_CHANGE_REQUIRED, ""),
	ROW(must_change_auth, ALLOW, OK, ""), ROW(stale, MUST_CHANGE, PASSWORD_CHANGE_REQUIRED, ""),
	ROW(stale_cron, DENY, PASSWORD_CHANGE_REQUIRED, ""), ROW(stale_session, DENY, PASSWORD_CHANGE_REQUIRED, ""),
	ROW(stale_auth, ALLOW, OK, ""), ROW(changed_session, ALLOW, OK, ""),
	ROW(stale_again, MUST_CHANGE, PASSWORD_CHANGE_REQUIRED, ""),
	ROW(session_cold, ALLOW, OK, ""), ROW(session_ended, EXPIRED, EXPIRED, ""), ROW(session_disabled, DENY, DISABLED, ""),
	ROW(session_locked, DENY, LOCKED, ""), ROW(session_service, DENY, SERVICE_NOT_ALLOWED, ""),
	ROW(auth_cold, ALLOW, OK, ""), ROW(auth_ended, EXPIRED, EXPIRED, ""), ROW(auth_service, DENY, SERVICE_NOT_ALLOWED, ""),
	ROW(primary_dropped, DENY, FORBIDDEN_GROUP, "role contractor: drop-groups (policy.conf:5)"),
	ROW(primary_dropped_session, DENY, FORBIDDEN_GROUP, ""), ROW(primary_dropped_cron, DENY, FORBIDDEN_GROUP, ""),
	ROW(primary_not_dropped, ALLOW, OK, ""), ROW(primary_deny_acl, ALLOW, OK, ""),
	ROW(stage_of_nowhere, DENY, MFA_REQUIRED, ""),
	ROW(everything_wrong, DENY, DISABLED, ""), ROW(all_but_disabled, DENY, LOCKED, ""),
	ROW(all_but_locked, EXPIRED, EXPIRED, ""), ROW(service_and_mfa_wrong, DENY, SERVICE_NOT_ALLOWED, ""),
};

START_TEST(reasons_and_their_twins)
{
	scene_check(&rows[_i]);
}
END_TEST

START_TEST(px01a_boundary)
{
	static const enum stage stages[] = { STAGE_AUTH, STAGE_ACCOUNT, STAGE_SESSION };
	static struct scene s;

	for (int i = 0; i < ROWS(stages); i++) {
		scene_base(&s);
		s.request.stage = stages[i];
		s.facts.not_after_utc_sec = NOW;
		s.request.now_utc_sec = NOW - 1;
		ck_assert_int_eq(scene_decide(&s).verdict, VERDICT_ALLOW);
		s.request.now_utc_sec = NOW;
		ck_assert_int_eq(scene_decide(&s).verdict, VERDICT_EXPIRED);
		ck_assert_int_eq(scene_decide(&s).reason, REASON_EXPIRED);
	}
}
END_TEST

/* What auth asks for does not depend on what is wrong with the user (PA10a). */
START_TEST(pa10a_same_questions)
{
	static void (*const changes[])(struct scene *) = {
		auth_cold, unknown, broken, not_ready, disabled, locked, ends_now, begins_later, no_end, unenrolled_auth,
		clock_bad, no_role, service_unlisted, must_change_auth, everything_wrong,
	};
	static struct scene s;
	struct decision d;

	scene_base(&s);
	changes[_i](&s);
	s.request.stage = STAGE_AUTH;
	s.request.factors = 0;
	d = scene_decide(&s);
	ck_assert_uint_eq(d.ask, FACTOR_PASSWORD | FACTOR_OTP);
	ck_assert(d.mfa_due);
	s.request.factors = FACTOR_KEY;
	ck_assert_uint_eq(scene_decide(&s).ask, FACTOR_OTP);
	s.request.stage = STAGE_ACCOUNT;
	ck_assert_uint_eq(scene_decide(&s).ask, 0);
}
END_TEST

START_TEST(questions_of_the_welcome)
{
	static struct scene s;

	scene_base(&s);
	s.request.stage = STAGE_AUTH;
	ck_assert_uint_eq(scene_decide(&s).ask, 0);				/* both proven */
	s.request.factors = FACTOR_PASSWORD;
	ck_assert_uint_eq(scene_decide(&s).ask, FACTOR_OTP);
	s.request.factors = 0;
	s.request.service = "sudo";
	ck_assert_uint_eq(scene_decide(&s).ask, FACTOR_PASSWORD | FACTOR_OTP);
	s.request.live_mfa_session = true;
	ck_assert_uint_eq(scene_decide(&s).ask, FACTOR_PASSWORD);
	s.request.service = "sshd";					/* another session proves nothing from afar */
	ck_assert_uint_eq(scene_decide(&s).ask, FACTOR_PASSWORD | FACTOR_OTP);
	s.request.live_mfa_session = false;
	s.facts.kind = KIND_EMPLOYEE;
	s.facts.token_count = 0;
	ck_assert_uint_eq(scene_decide(&s).ask, FACTOR_PASSWORD);
	s.request.factors = FACTOR_KEY;					/* never nothing at all */
	ck_assert_uint_eq(scene_decide(&s).ask, FACTOR_PASSWORD);
	s.facts.token_count = 2;
	ck_assert_uint_eq(scene_decide(&s).ask, FACTOR_OTP);
}
END_TEST

START_TEST(what_else_is_decided)
{
	static struct scene s;
	struct decision d;

	scene_base(&s);
	d = scene_decide(&s);
	ck_assert_uint_eq(d.roles, 1);
	ck_assert_uint_eq(d.max_session_sec, 28800);
	ck_assert_str_eq(d.contact, "security@example.com");
	s.policy = "[role a]\nmatch = any\nallow-services = sshd\nmax-session = 2h\n"
	    "[role b]\nmatch = user:ada group:dev kind:contractor\nmax-session = 1h\ncontact = b\nmfa = none\n"
	    "[role c]\nmatch = group:de\nmax-session = 20s\n[role d]\nmatch = group:dev user:eve\nmax-session = 30s\n"
	    "[role e]\nmatch = user:eve user:ada group:x group:web-deploy\ncontact = e\nallow-services = cron\n";
	d = scene_decide(&s);
	ck_assert_uint_eq(d.roles, 1 | 2 | 16);
	ck_assert_uint_eq(d.max_session_sec, 3600);
	ck_assert_int_eq(d.reason, REASON_SERVICE_NOT_ALLOWED);
	ck_assert_str_eq(d.contact, "e");			/* of the role that refuses */
	s.request.factors = 0;
	strcpy(s.facts.user, "bob");
	d = scene_decide(&s);
	ck_assert_uint_eq(d.roles, 1);
	ck_assert_int_eq(d.reason, REASON_MFA_REQUIRED);
	ck_assert_str_eq(d.rule, "role a: mfa by default (policy.conf:1)");
	ck_assert_str_eq(d.contact, "");
}
END_TEST

/* ---- random searches, each from a fixed seed ------------------------------------------------------ */

START_TEST(tm07a_never_at_or_after_the_end)
{
	static struct scene s;
	struct policy *policy;
	struct decision d;
	unsigned allowed = 0;

	scene_base(&s);
	policy = scene_parse(s.policy);
	s.facts.not_before_utc_sec = 0;
	for (int i = 0; i < 1000000; i++) {
		int64_t end = (int64_t)(scene_random() % 253402300799) + 1;
		int64_t now = i % 2 == 0 ? (int64_t)(scene_random() % 253402300800) : end + (int64_t)(scene_random() % 5) - 2;

		s.facts.not_after_utc_sec = end;
		s.request.now_utc_sec = now;
		s.request.stage = (enum stage)(1 + scene_random() % 3);
		policy_decide(&s.facts, policy, &s.request, &d);
		allowed += d.verdict == VERDICT_ALLOW;
		if ((d.verdict == VERDICT_ALLOW) != (now < end))
			ck_abort_msg("now %lld end %lld", (long long)now, (long long)end);
	}
	ck_assert_uint_gt(allowed, 100000);
	policy_free(policy);
}
END_TEST

static bool
lets_in(enum verdict v)
{
	return v == VERDICT_ALLOW || v == VERDICT_MUST_CHANGE;
}

/* A further matching role never lets in, keeps a group, or lengthens a session, that the others did not. */
START_TEST(a_role_never_widens_access)
{
	static struct scene s;
	unsigned both = 0, narrowed = 0;

	for (int i = 0; i < 20000; i++) {
		char text[2048] = "";
		struct policy *few, *more;
		struct decision before, after;
		int count = 1 + (int)(scene_random() % 3);

		for (int r = 0; r < count; r++)
			scene_add_random_role(text, sizeof text, r);
		few = scene_parse(text);
		scene_add_random_role(text, sizeof text, count);
		more = scene_parse(text);
		scene_make_random(&s);
		policy_decide(&s.facts, few, &s.request, &before);
		policy_decide(&s.facts, more, &s.request, &after);
		if (lets_in(after.verdict) && !lets_in(before.verdict))
			ck_abort_msg("%s %s: %s", s.request.service, reason_token(before.reason), text);
		if (before.max_session_sec != 0 &&
		    (after.max_session_sec == 0 || after.max_session_sec > before.max_session_sec))
			ck_abort_msg("max-session: %s", text);
		for (int g = 0; g < 4; g++) {
			if (policy_group(more, after.roles, scene_groups[g], false) == GROUP_KEEP &&
			    policy_group(few, before.roles, scene_groups[g], false) != GROUP_KEEP)
				ck_abort_msg("%s: %s", scene_groups[g], text);
		}
		both += lets_in(after.verdict);
		narrowed += lets_in(before.verdict) && !lets_in(after.verdict);
		policy_free(few);
		policy_free(more);
	}
	ck_assert_uint_gt(both, 500);		/* the search saw both sides */
	ck_assert_uint_gt(narrowed, 500);
}
END_TEST

int
main(void)
{
	const struct suite_row tests[] = {
		{ reasons_and_their_twins, ROWS(rows) }, { px01a_boundary, 0 }, { pa10a_same_questions, 15 },
		{ questions_of_the_welcome, 0 }, { what_else_is_decided, 0 }, { tm07a_never_at_or_after_the_end, 0 },
		{ a_role_never_widens_access, 0 },
	};

	return suite_run("policy", tests, ROWS(tests), 60);
}
