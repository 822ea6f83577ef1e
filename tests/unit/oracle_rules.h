/*
 * oracle_rules.h - a second judge of logins, as plain as it can be, written from isms-policy(5) and from nothing else.
 *
 * Shares no code with common/policy_*.c: rules are kept as the test made them, words are compared as words, addresses as
 * strings of bits, times of day by the C library. Test programs only.
 */
#ifndef ISMS_TESTS_ORACLE_RULES_H
#define ISMS_TESTS_ORACLE_RULES_H

#include "common/policy.h"

enum { ORACLE_ROLES = 6, ORACLE_EXEMPTIONS = 4 };

/* A role as policy.conf would have it; NULL or 0 where a key is not given. */
struct oracle_role {
	const char *match[4];		/* terms, NULL at the end */
	const char *services, *hosts, *mfa, *from, *drop_groups;	/* words between spaces */
	bool require_expiry, require_sponsor, deny_new;
	long max_term, max_session, review_every, dormant_after, owner_grace;	/* seconds; owner_grace -1: not given */
	long max_sessions;
	int from_minute, to_minute;	/* of hours; both 0: no such key */
	const char *days;		/* "1234567", Monday is 1 */
	const char *zone;
};

struct oracle_exemption {
	const char *control, *key, *service, *networks;	/* NULL: any; networks between spaces */
	int64_t from, until;
};

struct oracle_case {
	struct oracle_role roles[ORACLE_ROLES];
	int role_count;
	const char *deny_acl;		/* words */
	struct oracle_exemption exemptions[ORACLE_EXEMPTIONS];
	int exemption_count;
	struct facts facts;		/* but for exemptions, which stand above */
	struct request request;
};

struct oracle_answer {
	enum verdict verdict;
	enum reason reason;
	long max_session;		/* 0: no limit */
};

/* What a login of the case is told; pure but for TZ, by which the C library reads zones. */
struct oracle_answer oracle_decide(const struct oracle_case *c);

/* A zone's time of day and day of the week (1: Monday), by the C library. */
void oracle_local_time(const char *zone, int64_t utc_sec, int *ret_minute, int *ret_day);

#endif
