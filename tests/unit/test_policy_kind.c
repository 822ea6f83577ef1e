/*
 * test_policy_kind.c - service accounts and break-glass: each rule of their kind, with what is let in beside it.
 */
#include <config.h>

#include "common/policy.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/policy_scene.h"
#include "tests/unit/suite.h"

#define KEY	"SHA256:G6KzWJFdTwHq17+U+jvKyp5Jza4rVoLvj0jks/E74tg"
#define OTHER	"SHA256:wQVCxxZ6sPcvQIwqMWbh7BcIbiAeptn3aDSyjl5mIH8"
#define THIRD	"SHA256:A4OfKjD5/RaMKVoSgePzOu0BI6jSOk3KXGXhHUvCFok"

/* A service account whose bound key has come from its network, at the opening of its session. */
static void
robot(struct scene *s)
{
	s->facts.kind = KIND_SERVICE;
	s->facts.token_count = 0;
	s->facts.owner_state = CARE_VALID;
	(void)snprintf(s->facts.keys, sizeof s->facts.keys, "%s %s", OTHER, KEY);
	(void)snprintf(s->facts.sources, sizeof s->facts.sources, "198.51.100.0/24 192.0.2.0/24 2001:db8::/32");
	s->facts.has_command = 1;
	s->request.stage = STAGE_SESSION;
	s->request.key = KEY;
	s->request.factors = FACTOR_KEY;
}

#define ROBOT(name, ...) CHANGE(name, robot(s); __VA_ARGS__)

ROBOT(welcome, (void)0)
ROBOT(welcome_v6, s->request.rhost = "2001:db8::7")
ROBOT(welcome_other_key, s->request.key = OTHER)
ROBOT(account_unseen, s->request.stage = STAGE_ACCOUNT; s->request.key = ""; s->request.key_unseen = true; s->request.factors = 0)
ROBOT(account_seen, s->request.stage = STAGE_ACCOUNT)
ROBOT(account_no_key, s->request.stage = STAGE_ACCOUNT; s->request.key = ""; s->request.factors = 0)
ROBOT(account_unseen_none, s->request.stage = STAGE_ACCOUNT; s->request.key = ""; s->request.key_unseen = true;
    s->facts.keys[0] = '\0'; s->request.factors = 0)
ROBOT(other_persons_key, s->request.key = THIRD)
ROBOT(part_of_a_key, s->request.key = "SHA256:G6KzWJFdTwHq17")
ROBOT(prefix_only, s->request.key = "SHA256:")
ROBOT(no_keys, s->facts.keys[0] = '\0')
ROBOT(no_key_in_session, s->request.key = ""; s->request.factors = 0)
ROBOT(null_key_in_session, s->request.key = NULL; s->request.factors = 0)
ROBOT(elsewhere, s->request.rhost = "203.0.113.7")
ROBOT(elsewhere_v6, s->request.rhost = "2001:db9::7")
ROBOT(from_a_name, s->request.rhost = "backup.example.com")
ROBOT(from_nowhere, s->request.rhost = "")
ROBOT(from_null, s->request.rhost = NULL)
ROBOT(no_sources, s->facts.sources[0] = '\0')
ROBOT(odd_sources, strcpy(s->facts.sources, "192.0.2.0/24 local"))
ROBOT(no_command, s->facts.has_command = 0)
ROBOT(password, s->request.stage = STAGE_ACCOUNT; s->request.factors = FACTOR_PASSWORD)
ROBOT(password_beside_key, s->request.stage = STAGE_ACCOUNT; s->request.factors = FACTOR_KEY | FACTOR_PASSWORD)
ROBOT(code, s->request.factors = FACTOR_OTP)
ROBOT(stale, s->request.factors = FACTOR_PASSWORD_STALE)
ROBOT(auth, s->request.stage = STAGE_AUTH; s->request.factors = 0; s->request.key = "")
ROBOT(auth_key, s->request.stage = STAGE_AUTH)
ROBOT(on_console, s->request.service = "login")
ROBOT(on_console_auth, s->request.service = "login"; s->request.stage = STAGE_AUTH)
ROBOT(by_sudo, s->request.service = "sudo")
ROBOT(by_locker, s->request.service = "unprivileged")
ROBOT(by_cron, s->request.service = "cron"; s->request.factors = 0; s->request.key = ""; s->request.rhost = "")
ROBOT(by_manager, s->request.service = "systemd-user"; s->request.factors = 0; s->request.key = ""; s->request.rhost = "")
ROBOT(by_root_su, s->request.service = "su"; s->request.root_caller = true; s->request.key = "")
ROBOT(by_own_su, s->request.service = "su")
ROBOT(no_end, s->facts.not_after_utc_sec = 0)
ROBOT(no_end_cron, s->facts.not_after_utc_sec = 0; s->request.service = "cron")
ROBOT(ended, s->facts.not_after_utc_sec = NOW)
ROBOT(mfa_role, s->policy = "[role r]\nmatch = any\nallow-services = sshd\nmfa = required\n")
ROBOT(mfa_role_account, s->policy = "[role r]\nmatch = any\nallow-services = sshd\nmfa = required\n";
    s->request.stage = STAGE_ACCOUNT)
ROBOT(no_service, s->policy = "[role r]\nmatch = any\nallow-services = cron\n")
ROBOT(role_from, s->policy = "[role r]\nmatch = any\nallow-services = sshd\nfrom = 198.51.100.0/24\n")

static void
glass(struct scene *s)
{
	s->facts.kind = KIND_BREAK_GLASS;
	s->facts.armed_until_utc_sec = NOW + 600;
	strcpy(s->facts.armed_by, "uid=carol,ou=people,dc=isms,dc=local");
	s->request.armed_longest_sec = 3600;
}

#define GLASS(name, ...) CHANGE(name, glass(s); __VA_ARGS__)

GLASS(armed, (void)0)
GLASS(armed_session, s->request.stage = STAGE_SESSION)
GLASS(armed_auth, s->request.stage = STAGE_AUTH; s->request.factors = 0)
GLASS(armed_last_second, s->facts.armed_until_utc_sec = NOW + 1)
GLASS(armed_longest, s->facts.armed_until_utc_sec = NOW + 3600)
GLASS(armed_no_limit, s->facts.armed_until_utc_sec = NOW + 100000; s->request.armed_longest_sec = 0)
GLASS(not_armed, s->facts.armed_until_utc_sec = 0)
GLASS(not_armed_auth, s->facts.armed_until_utc_sec = 0; s->request.stage = STAGE_AUTH; s->request.factors = 0)
GLASS(armed_over, s->facts.armed_until_utc_sec = NOW)
GLASS(armed_over_session, s->facts.armed_until_utc_sec = NOW; s->request.stage = STAGE_SESSION)
GLASS(armed_over_cron, s->facts.armed_until_utc_sec = NOW; s->request.service = "cron")
GLASS(armed_by_nobody, s->facts.armed_by[0] = '\0')
GLASS(armed_too_long, s->facts.armed_until_utc_sec = NOW + 3601)
GLASS(armed_before_time, s->facts.armed_until_utc_sec = -5; s->request.now_utc_sec = -10)
#define EPOCH s->facts.not_before_utc_sec = 0; s->facts.armed_until_utc_sec = 5
GLASS(armed_at_epoch, EPOCH; s->request.now_utc_sec = 0)
GLASS(armed_before_epoch, EPOCH; s->request.now_utc_sec = -1)
GLASS(armed_ended, s->facts.not_after_utc_sec = NOW)
GLASS(armed_disabled, s->facts.disabled = 1)
GLASS(armed_no_service, s->request.service = "vsftpd")

static const struct scene_row rows[] = {
	ROW(welcome, ALLOW, OK, "allow-services"), ROW(welcome_v6, ALLOW, OK, ""), ROW(welcome_other_key, ALLOW, OK, ""),
	ROW(account_unseen, ALLOW, OK, ""), ROW(account_seen, ALLOW, OK, ""), ROW(account_no_key, DENY, KEY_NOT_BOUND, "ismsKey"),
	ROW(account_unseen_none, DENY, KEY_NOT_BOUND, "ismsKey"), ROW(other_persons_key, DENY, KEY_NOT_BOUND, "ismsKey"),
	ROW(part_of_a_key, DENY, KEY_NOT_BOUND, ""), ROW(prefix_only, DENY, KEY_NOT_BOUND, ""),
	ROW(no_keys, DENY, KEY_NOT_BOUND, ""), ROW(no_key_in_session, DENY, KEY_NOT_BOUND, ""),
	ROW(null_key_in_session, DENY, KEY_NOT_BOUND, ""), ROW(elsewhere, DENY, SOURCE_NOT_ALLOWED, "ismsSource"),
	ROW(elsewhere_v6, DENY, SOURCE_NOT_ALLOWED, ""), ROW(from_a_name, DENY, SOURCE_NOT_ALLOWED, ""),
	ROW(from_nowhere, DENY, SOURCE_NOT_ALLOWED, ""), ROW(from_null, DENY, SOURCE_NOT_ALLOWED, ""),
	ROW(no_sources, DENY, SOURCE_NOT_ALLOWED, ""), ROW(odd_sources, DENY, SOURCE_NOT_ALLOWED, ""),
	ROW(no_command, DENY, KIND_NOT_INTERACTIVE, "ismsCommand"), ROW(password, DENY, PASSWORD_NOT_ALLOWED, "key"),
	ROW(password_beside_key, DENY, PASSWORD_NOT_ALLOWED, ""), ROW(code, DENY, PASSWORD_NOT_ALLOWED, ""),
	ROW(stale, DENY, PASSWORD_NOT_ALLOWED, ""), ROW(auth, DENY, PASSWORD_NOT_ALLOWED, ""),
	ROW(auth_key, DENY, PASSWORD_NOT_ALLOWED, ""), ROW(on_console, DENY, KIND_NOT_INTERACTIVE, "sshd"),
	ROW(on_console_auth, DENY, KIND_NOT_INTERACTIVE, ""), ROW(by_sudo, DENY, KIND_NOT_INTERACTIVE, ""),
	ROW(by_locker, DENY, KIND_NOT_INTERACTIVE, ""), ROW(by_cron, ALLOW, OK, ""), ROW(by_manager, ALLOW, OK, ""),
	ROW(by_root_su, ALLOW, OK, ""), ROW(by_own_su, DENY, KIND_NOT_INTERACTIVE, ""), ROW(no_end, DENY, NO_EXPIRY, "kind service"),
	ROW(no_end_cron, DENY, NO_EXPIRY, ""), ROW(ended, EXPIRED, EXPIRED, ""), ROW(mfa_role, ALLOW, OK, ""),
	ROW(mfa_role_account, ALLOW, OK, ""), ROW(no_service, DENY, SERVICE_NOT_ALLOWED, ""),
	ROW(role_from, DENY, SOURCE_NOT_ALLOWED, "from"),
	ROW(armed, ALLOW, OK, ""), ROW(armed_session, ALLOW, OK, ""), ROW(armed_auth, ALLOW, OK, ""),
	ROW(armed_last_second, ALLOW, OK, ""), ROW(armed_longest, ALLOW, OK, ""), ROW(armed_no_limit, ALLOW, OK, ""),
	ROW(not_armed, DENY, BREAKGLASS_NOT_ARMED, "armed"), ROW(not_armed_auth, DENY, BREAKGLASS_NOT_ARMED, ""),
	ROW(armed_over, DENY, BREAKGLASS_NOT_ARMED, ""), ROW(armed_over_session, DENY, BREAKGLASS_NOT_ARMED, ""),
	ROW(armed_over_cron, DENY, BREAKGLASS_NOT_ARMED, ""), ROW(armed_by_nobody, DENY, BREAKGLASS_NOT_ARMED, "name"),
	ROW(armed_too_long, DENY, BREAKGLASS_NOT_ARMED, "longest-arming"), ROW(armed_ended, EXPIRED, EXPIRED, ""),
	ROW(armed_before_time, DENY, NOT_YET_VALID, ""), ROW(armed_at_epoch, ALLOW, OK, ""),
	ROW(armed_before_epoch, DENY, BREAKGLASS_NOT_ARMED, ""),
	ROW(armed_disabled, DENY, DISABLED, ""), ROW(armed_no_service, DENY, SERVICE_NOT_ALLOWED, ""),
};

START_TEST(each_change)
{
	scene_check(&rows[_i]);
}
END_TEST

int
main(void)
{
	const struct suite_row all[] = { { each_change, ROWS(rows) } };

	return suite_run("policy_kind", all, ROWS(all), 30);
}
