/*
 * test_policy_limits.c - hours, from, allow-hosts and max-term of a role, each beside its positive twin.
 */
#include <config.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "common/policy_limits.h"
#include "tests/unit/policy_scene.h"
#include "tests/unit/suite.h"

static const char limited_policy[] =
    "[role contractor]\n"
    "match = kind:contractor\n"
    "allow-services = sshd login sudo cron\n"
    "allow-hosts = @web db7\n"
    "max-term = 1000s\n"
    "hours = Mon..Fri 20:00-22:01 UTC\n"
    "from = 192.0.2.0/28 198.51.100.7 2001:db8::/33\n";

CHANGE(limited, s->policy = limited_policy; s->request.host = "none"; s->request.host_groups = "db web")
CHANGE(limited_host, limited(s); s->request.host_groups = "db"; s->request.host = "db7")
CHANGE(limited_other_host, limited(s); s->request.host_groups = "db webs we"; s->request.host = "db77")
CHANGE(limited_no_host, limited(s); s->request.host_groups = NULL; s->request.host = NULL)
CHANGE(limited_group_as_host, limited(s); s->request.host_groups = "db"; s->request.host = "web")
CHANGE(limited_host_as_group, limited(s); s->request.host_groups = "db7"; s->request.host = "none")
CHANGE(limited_cron_host, limited_other_host(s); s->request.service = "cron")
CHANGE(limited_term, limited(s); s->facts.not_after_utc_sec = NOW + 1001)
CHANGE(limited_term_later, limited(s); s->request.now_utc_sec = NOW + 1; s->facts.not_after_utc_sec = NOW + 1001)
CHANGE(limited_term_none, limited(s); s->facts.not_after_utc_sec = 0)
CHANGE(limited_term_role, s->policy = "[role e]\nmatch = any\nallow-services = sshd\nmax-term = 1d\n";
    s->facts.kind = KIND_EMPLOYEE; s->facts.not_after_utc_sec = 0)
CHANGE(limited_last_second, limited(s); s->request.now_utc_sec = NOW + 59)
CHANGE(limited_hours, limited(s); s->request.now_utc_sec = NOW + 60)
CHANGE(limited_hours_sudo, limited_hours(s); s->request.service = "sudo")
CHANGE(limited_hours_cron, limited_hours(s); s->request.service = "cron"; s->request.factors = 0)
CHANGE(limited_hours_session, limited_hours(s); s->request.stage = STAGE_SESSION)
CHANGE(limited_hours_auth, limited_hours(s); s->request.stage = STAGE_AUTH)
CHANGE(limited_last_address, limited(s); s->request.rhost = "192.0.2.15")
CHANGE(limited_source, limited(s); s->request.rhost = "192.0.2.16")
CHANGE(limited_source_mapped, limited(s); s->request.rhost = "::ffff:192.0.2.15")
CHANGE(limited_source_one, limited(s); s->request.rhost = "198.51.100.7")
CHANGE(limited_source_next, limited(s); s->request.rhost = "198.51.100.8")
CHANGE(limited_source_six, limited(s); s->request.rhost = "2001:db8:7fff::1%eth0")
CHANGE(limited_source_six_next, limited(s); s->request.rhost = "2001:db8:8000::1")
CHANGE(limited_source_name, limited(s); s->request.rhost = "web.example.com")
CHANGE(limited_source_unknown, limited(s); s->request.rhost = "UNKNOWN")
CHANGE(limited_source_none, limited(s); s->request.rhost = "")
CHANGE(limited_source_null, limited(s); s->request.rhost = NULL)
CHANGE(limited_source_sudo, limited_source_none(s); s->request.service = "sudo")
CHANGE(limited_source_sudo_remote, limited_source(s); s->request.service = "sudo")
CHANGE(limited_source_cron, limited_source_none(s); s->request.service = "cron"; s->request.factors = 0)
CHANGE(source_local, s->policy = "[role c]\nmatch = any\nallow-services = login\nfrom = local\n"; s->request.service = "login";
    s->request.rhost = "")
CHANGE(source_not_local, source_local(s); s->request.rhost = "127.0.0.1")
CHANGE(source_all_six, source_not_local(s); s->policy = "[role c]\nmatch = any\nallow-services = login\nfrom = ::/0\n";
    s->request.rhost = "2001:db8::1")
CHANGE(source_all_six_four, source_all_six(s); s->request.rhost = "192.0.2.1")
CHANGE(source_all_six_mapped, source_all_six(s); s->request.rhost = "::ffff:192.0.2.1")
CHANGE(source_zeros, source_all_six(s); s->policy = "[role c]\nmatch = any\nallow-services = login\nfrom = ::/80\n";
    s->request.rhost = "::1.2.3.4")
CHANGE(source_zeros_four, source_zeros(s); s->request.rhost = "1.2.3.4")
CHANGE(source_all_four, source_all_six(s); s->policy = "[role c]\nmatch = any\nallow-services = login\nfrom = 0.0.0.0/0\n";
    s->request.rhost = "192.0.2.1")
CHANGE(source_all_four_mapped, source_all_four(s); s->request.rhost = "::ffff:192.0.2.1")
CHANGE(source_all_four_six, source_all_four(s); s->request.rhost = "2001:db8::1")
CHANGE(source_all_four_zeros, source_all_four(s); s->request.rhost = "::192.0.2.1")
CHANGE(source_as_mapped, source_all_six(s);
    s->policy = "[role c]\nmatch = any\nallow-services = login\nfrom = ::ffff:192.0.2.0/120\n"; s->request.rhost = "192.0.2.255")
CHANGE(source_as_mapped_next, source_as_mapped(s); s->request.rhost = "192.0.3.0")
CHANGE(source_as_mapped_six, source_as_mapped(s); s->request.rhost = "::fffe:192.0.2.255")

static const struct scene_row rows[] = {
	ROW(limited, ALLOW, OK, ""), ROW(limited_host, ALLOW, OK, ""),
	ROW(limited_other_host, DENY, HOST_NOT_ALLOWED, "role contractor: allow-hosts (policy.conf:4)"),
	ROW(limited_no_host, DENY, HOST_NOT_ALLOWED, ""), ROW(limited_group_as_host, DENY, HOST_NOT_ALLOWED, ""),
	ROW(limited_host_as_group, DENY, HOST_NOT_ALLOWED, ""), ROW(limited_cron_host, DENY, HOST_NOT_ALLOWED, ""),
	ROW(limited_term, DENY, TERM_TOO_LONG, "role contractor: max-term (policy.conf:5)"),
	ROW(limited_term_later, ALLOW, OK, ""), ROW(limited_term_none, DENY, NO_EXPIRY, "kind contractor"),
	ROW(limited_term_role, DENY, NO_EXPIRY, "role e: max-term"), ROW(limited_last_second, ALLOW, OK, ""),
	ROW(limited_hours, DENY, OUTSIDE_HOURS, "role contractor: hours (policy.conf:6)"),
	ROW(limited_hours_sudo, DENY, OUTSIDE_HOURS, ""), ROW(limited_hours_cron, ALLOW, OK, ""),
	ROW(limited_hours_session, DENY, OUTSIDE_HOURS, ""), ROW(limited_hours_auth, DENY, OUTSIDE_HOURS, ""),
	ROW(limited_last_address, ALLOW, OK, ""),
	ROW(limited_source, DENY, SOURCE_NOT_ALLOWED, "role contractor: from (policy.conf:7)"),
	ROW(limited_source_mapped, ALLOW, OK, ""), ROW(limited_source_one, ALLOW, OK, ""),
	ROW(limited_source_next, DENY, SOURCE_NOT_ALLOWED, ""), ROW(limited_source_six, ALLOW, OK, ""),
	ROW(limited_source_six_next, DENY, SOURCE_NOT_ALLOWED, ""), ROW(limited_source_name, DENY, SOURCE_NOT_ALLOWED, ""),
	ROW(limited_source_unknown, DENY, SOURCE_NOT_ALLOWED, ""), ROW(limited_source_none, DENY, SOURCE_NOT_ALLOWED, ""),
	ROW(limited_source_null, DENY, SOURCE_NOT_ALLOWED, ""), ROW(limited_source_sudo, ALLOW, OK, ""),
	ROW(limited_source_sudo_remote, DENY, SOURCE_NOT_ALLOWED, ""), ROW(limited_source_cron, ALLOW, OK, ""),
	ROW(source_local, ALLOW, OK, ""), ROW(source_not_local, DENY, SOURCE_NOT_ALLOWED, ""),
	ROW(source_all_six, ALLOW, OK, ""), ROW(source_all_six_four, DENY, SOURCE_NOT_ALLOWED, ""),
	ROW(source_all_six_mapped, DENY, SOURCE_NOT_ALLOWED, ""), ROW(source_zeros, ALLOW, OK, ""),
	ROW(source_zeros_four, DENY, SOURCE_NOT_ALLOWED, ""), ROW(source_all_four, ALLOW, OK, ""),
	ROW(source_all_four_mapped, ALLOW, OK, ""), ROW(source_all_four_six, DENY, SOURCE_NOT_ALLOWED, ""),
	ROW(source_all_four_zeros, DENY, SOURCE_NOT_ALLOWED, ""), ROW(source_as_mapped, ALLOW, OK, ""),
	ROW(source_as_mapped_next, DENY, SOURCE_NOT_ALLOWED, ""), ROW(source_as_mapped_six, DENY, SOURCE_NOT_ALLOWED, ""),
};

START_TEST(reasons_and_their_twins)
{
	scene_check(&rows[_i]);
}
END_TEST

/* Windows against the clocks of a zone: over midnight, over the end of a week, through both changes of the clock. */
START_TEST(hours)
{
	static const struct { const char *hours; int64_t utc_sec; bool within; } times[] = {
		{ "Mon..Fri 22:00-06:00 UTC", NOW, true },			/* a Tuesday, 22:00 */
		{ "Mon..Fri 22:00-06:00 UTC", NOW - 1, false },
		{ "Mon..Fri 22:00-06:00 UTC", NOW + 8 * 3600 - 1, true },	/* Wednesday, 05:59:59 */
		{ "Mon..Fri 22:00-06:00 UTC", NOW + 8 * 3600, false },
		{ "Tue 22:00-06:00 UTC", NOW + 8 * 3600 - 1, true }, { "Wed 22:00-06:00 UTC", NOW + 8 * 3600 - 1, false },
		{ "Fri..Mon 00:00-24:00 UTC", NOW - 86400, true }, { "Fri..Mon 00:00-24:00 UTC", NOW, false },
		{ "Sun 22:00-06:00 UTC", NOW + 5 * 86400 + 8 * 3600 - 1, true },	/* Monday, 05:59:59 */
		{ "Sat 22:00-06:00 UTC", NOW + 5 * 86400 + 8 * 3600 - 1, false },
		{ "Mon,Wed 00:00-24:00 UTC", NOW, false }, { "Mon,Tue 00:00-24:00 UTC", NOW, true },
		{ "Mon 00:00-24:00 Tue 21:59-22:01 UTC", NOW + 59, true }, { "Mon 00:00-24:00 Tue 21:59-22:01 UTC", NOW + 60, false },
		{ "Wed 00:00-00:01 Europe/Berlin", NOW, true }, { "Tue 22:00-22:01 Europe/Berlin", NOW, false },
		{ "Thu 00:00-00:01 UTC", 0, true }, { "Wed 23:59-24:00 UTC", -1, true },
		/* 2026-03-29, Berlin: 01:59:59 is followed by 03:00:00; 2026-10-25: 02:59:59 by 02:00:00 */
		{ "Sun 03:00-04:00 Europe/Berlin", 1774746000, true }, { "Sun 03:00-04:00 Europe/Berlin", 1774745999, false },
		{ "Sun 02:00-03:00 Europe/Berlin", 1792886400, true }, { "Sun 02:00-03:00 Europe/Berlin", 1792890000, true },
		{ "Sun 02:00-03:00 Europe/Berlin", 1792893600, false },
	};
	static struct scene s;
	char text[256];

	scene_base(&s);
	s.facts.kind = KIND_EMPLOYEE;
	s.facts.not_before_utc_sec = s.facts.not_after_utc_sec = 0;
	s.policy = text;
	for (int i = 0; i < ROWS(times); i++) {
		(void)snprintf(text, sizeof text, "[role e]\nmatch = any\nallow-services = sshd\nhours = %s\n", times[i].hours);
		s.request.now_utc_sec = times[i].utc_sec;
		ck_assert_msg(scene_decide(&s).reason == (times[i].within ? REASON_OK : REASON_OUTSIDE_HOURS), "row %d: %s", i,
		    reason_token(scene_decide(&s).reason));
	}
}
END_TEST

/* Windows beyond the number of them are none, whatever stands there. */
START_TEST(hours_counted)
{
	static struct hours week;
	char error[256];

	ck_assert_int_eq(hours_parse("Mon 00:00-24:00 UTC", &week, error, sizeof error), 0);
	week.windows[1] = (struct hours_window){ .days = 0x7f, .begin_min = 0, .end_min = 24 * 60 };
	ck_assert(!hours_contain(&week, NOW));
	week.count = 2;
	ck_assert(hours_contain(&week, NOW));
	hours_done(&week);
}
END_TEST

/* An address with its interface has a longest length; what is longer is none. */
START_TEST(source_length)
{
	static struct sources sources;
	char rhost[INET6_ADDRSTRLEN + IF_NAMESIZE + 2] = "fe80::1%", error[256];

	ck_assert_int_eq(sources_parse("fe80::/10", &sources, error, sizeof error), 0);
	memset(rhost + strlen(rhost), 'x', INET6_ADDRSTRLEN + IF_NAMESIZE - strlen(rhost));
	ck_assert(sources_contain(&sources, rhost));
	rhost[INET6_ADDRSTRLEN + IF_NAMESIZE] = 'x';
	ck_assert(!sources_contain(&sources, rhost));
}
END_TEST

/* What auth asks for does not depend on what is wrong with the user. */
START_TEST(pa10a_same_questions)
{
	static void (*const changes[])(struct scene *) = { limited_source, limited_hours, limited_other_host, limited_term };
	static struct scene s;

	scene_base(&s);
	changes[_i](&s);
	s.request.stage = STAGE_AUTH;
	s.request.factors = 0;
	ck_assert_uint_eq(scene_decide(&s).ask, FACTOR_PASSWORD | FACTOR_OTP);
}
END_TEST

int
main(void)
{
	const struct suite_row tests[] = {
		{ reasons_and_their_twins, ROWS(rows) }, { hours, 0 }, { hours_counted, 0 }, { source_length, 0 }, { pa10a_same_questions, 4 },
	};

	return suite_run("policy_limits", tests, ROWS(tests), 60);
}
