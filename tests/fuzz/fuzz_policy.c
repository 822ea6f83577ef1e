/*
 * fuzz_policy.c - policy.conf. No policy lets in a contractor at his end, or by a key alone where a code is due.
 *
 * policy.c, policy_decide.c and policy_service.c judge what was parsed here; the lines are fuzz_config's.
 * covers: common/policy_file.c common/policy_limits.c common/policy_names.c
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "common/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct facts facts = { .state = FACTS_MANAGED, .user = "ada", .kind = KIND_CONTRACTOR, .token_count = 1,
		.not_after_utc_sec = 1000, .groups = "web log" };
	struct request request = { .stage = STAGE_ACCOUNT, .service = "sshd", .clock_trusted = true, .now_utc_sec = 1000,
		.factors = FACTOR_KEY | FACTOR_OTP };
	static const char *const sources[] = { "", "192.0.2.1", "2001:db8::1%eth0", "a.example", "::ffff:198.51.100.7" };
	struct policy *policy = NULL;
	char error[512] = "";
	struct decision d;

	if (policy_parse((const char *)data, size, "f", &policy, error, sizeof error) < 0)
		return strncmp(error, "f:", 2) == 0 ? 0 : (abort(), 0);
	policy_decide(&facts, policy, &request, &d);
	if (d.verdict != VERDICT_EXPIRED)
		abort();
	request.now_utc_sec = 999;
	request.factors = FACTOR_KEY;
	policy_decide(&facts, policy, &request, &d);
	if (d.verdict == VERDICT_ALLOW && policy_needs_mfa(policy, d.roles, facts.token_count))
		abort();
	for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
		request.rhost = sources[i];
		request.now_utc_sec = 999 - (int64_t)i * 40000;
		policy_decide(&facts, policy, &request, &d);
	}
	policy_free(policy);
	return 0;
}
