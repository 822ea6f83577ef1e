/*
 * term.c - see term.h.
 *
 * Runs in isms-userctl only. Must never know the rule itself: policy_decide() has the word.
 */
#include <config.h>

#include "tools/term.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/policy.h"
#include "tools/output.h"

/* As if nothing else stood in the way. */
static void
judge(const struct invocation *in, const struct policy *policy, struct facts *facts, struct decision *ret)
{
	struct request request = { .stage = STAGE_ACCOUNT, .service = "sshd", .rhost = "", .host = in->settings.login_host_name,
		.host_groups = in->settings.login_host_groups, .clock_trusted = true, .now_utc_sec = in->now_utc_sec };

	facts->disabled = 0;
	facts->locked_until_utc_sec = 0;
	if (facts->not_before_utc_sec > request.now_utc_sec)
		request.now_utc_sec = facts->not_before_utc_sec;
	policy_decide(facts, policy, &request, ret);
}

enum exit_code
term_check(const struct invocation *in, const struct account *account)
{
	char error[1024] = "", path[PATH_MAX + 32];
	struct facts *facts;
	struct policy *policy = NULL;
	struct decision d;

	(void)snprintf(path, sizeof path, "%s/policy.conf", in->paths.etc);
	if (access(path, F_OK) != 0)
		return EXIT_DONE;	/* an operator's own machine */
	if (policy_load(in->paths.etc, &policy, error, sizeof error) < 0) {
		output_error("%s; nothing was changed", error[0] != '\0' ? error : "policy.conf cannot be read");
		return EXIT_REFUSED;
	}
	facts = calloc(1, sizeof *facts);	/* 40 KiB */
	if (facts == NULL) {
		policy_free(policy);
		output_error("out of memory; nothing was changed");
		return EXIT_UNREACHABLE;
	}
	identity_facts(&account->identities, account->identity, facts);
	judge(in, policy, facts, &d);
	if (d.reason == REASON_TERM_TOO_LONG)
		output_error("%s: this end lies beyond the longest term, %s; nothing was changed", account->identity->name, d.rule);
	free(facts);
	policy_free(policy);
	return d.reason == REASON_TERM_TOO_LONG ? EXIT_REFUSED : EXIT_DONE;
}
