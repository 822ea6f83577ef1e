/*
 * test_pam_codes.c - every verdict, stage and kind of account against the tables of pam_isms(8), and those of the
 * manual against the code: two documents that must not drift (STYLE 2.6, THREATS I1, I2).
 */
#include <config.h>

#include <security/pam_modules.h>
#include <stdio.h>
#include <string.h>

#include "pam/pam_codes.h"
#include "tests/unit/suite.h"

static const struct { const char *name; int code; } words[] = {
	{ "SUCCESS", PAM_SUCCESS }, { "AUTH_ERR", PAM_AUTH_ERR }, { "PERM_DENIED", PAM_PERM_DENIED },
	{ "ACCT_EXPIRED", PAM_ACCT_EXPIRED }, { "NEW_AUTHTOK_REQD", PAM_NEW_AUTHTOK_REQD }, { "CRED_ERR", PAM_CRED_ERR },
	{ "SESSION_ERR", PAM_SESSION_ERR }, { "AUTHTOK_ERR", PAM_AUTHTOK_ERR }, { "USER_UNKNOWN", PAM_USER_UNKNOWN },
	{ "IGNORE", PAM_IGNORE },
};

/* The row of the manual that begins with a word: the codes of all stages. */
static void
manual_row(const char *first, int ret[PAM_STAGE_COUNT])
{
	char line[512], cell[PAM_STAGE_COUNT + 1][32];
	bool found = false;
	FILE *f = fopen(TEST_SRCDIR "/pam/pam_isms.8", "re");

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof line, f) != NULL) {
		if (sscanf(line, "%31s %31s %31s %31s %31s %31s %31s", cell[0], cell[1], cell[2], cell[3], cell[4], cell[5],
		    cell[6]) != PAM_STAGE_COUNT + 1 || strcmp(cell[0], first) != 0)
			continue;
		for (int stage = 0; stage < PAM_STAGE_COUNT; stage++) {
			ret[stage] = -1;
			for (int i = 0; i < ROWS(words); i++)
				if (strcmp(cell[stage + 1], words[i].name) == 0)
					ret[stage] = words[i].code;
		}
		found |= ret[0] >= 0;
	}
	(void)fclose(f);
	ck_assert_msg(found, "%s is not in the manual", first);
}

START_TEST(managed_as_in_manual)
{
	int want[PAM_STAGE_COUNT];

	manual_row(verdict_token((enum verdict)_i), want);
	for (int stage = 0; stage < PAM_STAGE_COUNT; stage++)
		ck_assert_int_eq(pam_code((enum pam_stage)stage, (enum verdict)_i, WHO_MANAGED), want[stage]);
}
END_TEST

static const enum who others[] = { WHO_LOCAL, WHO_OTHER, WHO_NONE, WHO_UNSURE };

/* Whatever the verdict: these do not hang on it. */
START_TEST(others_as_in_manual)
{
	int want[PAM_STAGE_COUNT];

	manual_row(who_name(others[_i]), want);
	for (int verdict = -1; verdict <= VERDICT_COUNT; verdict++)
		for (int stage = 0; stage < PAM_STAGE_COUNT; stage++)
			ck_assert_int_eq(pam_code((enum pam_stage)stage, (enum verdict)verdict, others[_i]), want[stage]);
}
END_TEST

START_TEST(nobody_as_in_manual)
{
	int want[PAM_STAGE_COUNT], denied[PAM_STAGE_COUNT];

	manual_row(who_name(WHO_NOBODY), want);
	manual_row("deny", denied);
	for (int verdict = -1; verdict <= VERDICT_COUNT; verdict++)
		for (int stage = 0; stage < PAM_STAGE_COUNT; stage++) {
			bool refused = stage <= PAM_STAGE_ACCOUNT && verdict != VERDICT_NOT_OURS;

			ck_assert_int_eq(pam_code((enum pam_stage)stage, (enum verdict)verdict, WHO_NOBODY),
			    refused ? denied[stage] : want[stage]);
		}
}
END_TEST

/* A local account under policy: allowed, it is like every other local account; refused, like a managed user. */
START_TEST(guarded_as_in_manual)
{
	static const char *const rows[VERDICT_COUNT] = { [VERDICT_ALLOW] = "local-allow", [VERDICT_EXPIRED] = "local-expired" };
	int want[PAM_STAGE_COUNT];

	manual_row(rows[_i] != NULL ? rows[_i] : "local-deny", want);
	for (int stage = 0; stage < PAM_STAGE_COUNT; stage++)
		ck_assert_int_eq(pam_code((enum pam_stage)stage, (enum verdict)_i, WHO_GUARDED), want[stage]);
}
END_TEST

/* I1, I2: never a code that Debian's stacks admit on, for who may be managed; never success for who is not. */
START_TEST(invariants)
{
	for (int verdict = -1; verdict <= VERDICT_COUNT; verdict++)
		for (int stage = -1; stage <= PAM_STAGE_COUNT; stage++)
			for (int who = -1; who <= WHO_COUNT; who++) {
				int code = pam_code((enum pam_stage)stage, (enum verdict)verdict, (enum who)who);

				ck_assert_int_ne(code, PAM_AUTHINFO_UNAVAIL);
				bool left = who == WHO_GUARDED && (verdict == VERDICT_ALLOW || stage == PAM_STAGE_PASSWORD);

				if (who != WHO_LOCAL && who != WHO_OTHER && who != WHO_NONE && who != WHO_NOBODY && !left) {
					ck_assert_int_ne(code, PAM_IGNORE);
					ck_assert_int_ne(code, PAM_USER_UNKNOWN);
				}
				if (who != WHO_MANAGED)
					ck_assert_int_ne(code, PAM_SUCCESS);
				if (code == PAM_SUCCESS)
					ck_assert_int_eq(verdict, VERDICT_ALLOW);
			}
	ck_assert_int_eq(VERDICT_DENY, 0);
	ck_assert_int_eq(WHO_UNSURE, 0);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ managed_as_in_manual, VERDICT_COUNT }, { others_as_in_manual, ROWS(others) }, { nobody_as_in_manual, 0 },
		{ guarded_as_in_manual, VERDICT_COUNT },
		{ invariants, 0 },
	};

	return suite_run("pam_codes", rows, ROWS(rows), 30);
}
