/*
 * test_pam_guarded.c - a local account that [local] manage puts under policy: asked about like a managed user, refused when
 * nobody answers, let on to the local modules when allowed; and everybody else's local account as ever (THREATS I2).
 */
#include <config.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/guarded.h"
#include "pam/pam_who.h"
#include "tests/pam/scene.h"

#define KEY "SSH_AUTH_INFO_0=publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJv"

static struct scene scene;

/* alma and bob are local; toor is root by another name; alias has alma's uid. */
static void
setup(void)
{
	char text[512];

	scene_open(&scene);
	(void)snprintf(text, sizeof text, "root:x:0:0:root:/root:/bin/bash\ntoor:x:0:0::/root:/bin/sh\n"
	    "bob:x:1000:1000::/home/bob:/bin/bash\nalma:x:1001:1001::/home/alma:/bin/bash\n"
	    "alias:x:1001:1001::/home/alma:/bin/sh\nalm:x:1003:1003::/:/bin/sh\nrobot:x:300:300::/:/bin/sh\nisms:x:%u:999::/:/usr/sbin/nologin\n",
	    (unsigned)getuid());
	scene_write(&scene, "passwd", text);
	scene_write(&scene, GUARDED_FILE, "carol\nalma\nrobot\ntoor\nroot\n");
}

static void
teardown(void)
{
	scene_close(&scene);
}

static enum who
who(const char *name, struct person *ret)
{
	static char passwd[128], snapshot[128], guarded[128];
	struct pam_paths paths = { .passwd = passwd, .snapshot = snapshot, .guarded = guarded, .owner = getuid() };

	(void)snprintf(passwd, sizeof passwd, "%s/passwd", scene.dir);
	(void)snprintf(snapshot, sizeof snapshot, "%s/base.1.snap", scene.dir);
	(void)snprintf(guarded, sizeof guarded, "%s/" GUARDED_FILE, scene.dir);
	who_find(&paths, name, ret);
	who_done(ret);
	ck_assert(ret->who != WHO_UNSURE || ret->fault != NULL);
	return ret->who;
}

static const struct { const char *name; enum who want; } names[] = {
	{ "alma", WHO_GUARDED }, { "bob", WHO_LOCAL }, { "alm", WHO_LOCAL }, { "ada", WHO_MANAGED }, { "carol", WHO_NOBODY },
	{ "root", WHO_LOCAL }, { "toor", WHO_LOCAL }, { "isms", WHO_LOCAL },	/* uid 0 never, whatever the list says */
	{ "alias", WHO_UNSURE },		/* the same uid by another name is no way around */
};

START_TEST(who_is_listed)
{
	struct person person;

	ck_assert_int_eq(who(names[_i].name, &person), names[_i].want);
	if (names[_i].want == WHO_GUARDED)
		ck_assert_uint_eq(person.user.uid, 1001);
}
END_TEST

/* A list that is not there, or no list, concerns nobody; one that is damaged nobody but whom it names. */
START_TEST(lists_that_are_none)
{
	static char big[GUARDED_BYTES_MAX + 4096];
	char path[160];
	struct person person;

	(void)snprintf(path, sizeof path, "%s/" GUARDED_FILE, scene.dir);
	ck_assert_int_eq(who("alma", &person), WHO_GUARDED);
	scene_write(&scene, GUARDED_FILE, "\x01\xff\n\n\nalmaalma\nalma");	/* cut short behind the name */
	ck_assert_int_eq(who("alma", &person), WHO_GUARDED);
	ck_assert_int_eq(who("bob", &person), WHO_LOCAL);
	ck_assert_int_eq(chmod(path, 0666), 0);
	ck_assert_int_eq(who("alma", &person), WHO_GUARDED);
	memset(big, 'x', sizeof big - 1);
	memcpy(big, "alma\n", 5);
	scene_write(&scene, GUARDED_FILE, big);
	ck_assert_int_eq(who("alma", &person), WHO_GUARDED);
	ck_assert_int_eq(who("bob", &person), WHO_LOCAL);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(who("alma", &person), WHO_LOCAL);
	ck_assert_int_eq(who("alias", &person), WHO_LOCAL);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(who("alma", &person), WHO_LOCAL);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink("passwd", path), 0);
	ck_assert_int_eq(who("alma", &person), WHO_LOCAL);
	ck_assert_int_eq(unlink(path), 0);
	scene_write(&scene, GUARDED_FILE, "");
	ck_assert_int_eq(who("alma", &person), WHO_LOCAL);
	scene_write(&scene, GUARDED_FILE, "alma\n");
	ck_assert_int_eq(who("alma", &person), WHO_GUARDED);
}
END_TEST

static const struct {
	int (*call)(pam_handle_t *, int);
	int refused;
} calls[] = {
	{ pam_authenticate, PAM_AUTH_ERR }, { pam_acct_mgmt, PAM_PERM_DENIED }, { pam_open_session, PAM_SESSION_ERR },
};

/* The daemon is down: refused, loudly, in every stage that decides; the neighbour is not, nor is the password's stage. */
START_TEST(fails_closed_alone)
{
	scene_stop(&scene);
	if (_i >= ROWS(calls)) {
		scene_no_snapshot(&scene);
		_i -= ROWS(calls);
	}
	scene_start(&scene, "sshd", "alma");
	ck_assert_int_eq(calls[_i].call(scene.pamh, 0), calls[_i].refused);
	ck_assert_ptr_nonnull(strstr(scene_events(&scene), "ISMS_USER=alma|ISMS_UID=1001|"));
	ck_assert_ptr_nonnull(strstr(scene_events(&scene), "ISMS_REASON=daemon-unavailable"));
	ck_assert_int_eq(pam_chauthtok(scene.pamh, 0), SCENE_IGNORE);
	scene_start(&scene, "sshd", "alma");
	ck_assert_int_eq(pam_setcred(scene.pamh, PAM_ESTABLISH_CRED), SCENE_IGNORE);
	ck_assert_uint_eq(scene_event_count(&scene), 1);
	for (int i = 0; i < ROWS(names); i++) {
		if (names[i].want != WHO_LOCAL)
			continue;
		scene_start(&scene, "sshd", names[i].name);
		ck_assert_int_eq(calls[_i].call(scene.pamh, 0), _i == 2 ? SCENE_IGNORE : PAM_USER_UNKNOWN);
	}
	ck_assert_uint_eq(scene_event_count(&scene), 1);
}
END_TEST

static const struct typed password_and_code[] = {
	{ REPLY_TEXT, "correct horse" }, { REPLY_TEXT, "123456" }, { REPLY_NONE, NULL },
};

/* Allowed is: go on to pam_unix, with the password that was typed. Any other verdict ends it. */
START_TEST(auth_is_left_to_pam_unix)
{
	const struct step steps[] = {
		EXPECT(AUTH_BEGIN), SEND(PROMPT, say_password()), EXPECT(ANSWER), SEND(PROMPT, say_code()), EXPECT(ANSWER),
		SEND(VERDICT, say((enum verdict)_i, _i == VERDICT_ALLOW ? REASON_AUTH_PASSED : REASON_MFA_FAILED)), HANG_UP,
	};

	scene.typed = password_and_code;
	scene_start(&scene, "sshd", "alma");
	ck_assert_int_eq(scene_call(&scene, steps, pam_authenticate, 0), _i == VERDICT_ALLOW ? PAM_USER_UNKNOWN : PAM_AUTH_ERR);
	ck_assert_uint_ne(scene.actor.got[0].msg.auth.flags & REQUEST_LOCAL, 0);
	ck_assert_int_eq(scene.delay_usec == 0, _i == VERDICT_ALLOW);
	/* pam_unix does not ask again. It knows no alma, or another one, and lets nobody in. */
	scene_write(&scene, "behind", "auth [user_unknown=ignore default=die] " TEST_MODULE "\n"
	    "auth [success=die ignore=ignore default=die] pam_unix.so try_first_pass\n");
	scene_start(&scene, "behind", "alma");
	ck_assert_int_ne(scene_call(&scene, steps, pam_authenticate, 0), PAM_SUCCESS);
	ck_assert_uint_eq(scene.asked, 2);
	ck_assert_uint_eq(scene.beyond, 0);
}
END_TEST

/* A directory's user is never told as local. */
START_TEST(managed_users_are_not_local)
{
	const struct step steps[] = {
		EXPECT(AUTH_BEGIN), SEND(PROMPT, say_password()), EXPECT(ANSWER), SEND(PROMPT, say_code()), EXPECT(ANSWER),
		SEND(VERDICT, say(VERDICT_ALLOW, REASON_AUTH_PASSED)), HANG_UP,
	};

	scene.typed = password_and_code;
	scene_start(&scene, "sshd", "ada");
	ck_assert_int_eq(scene_call(&scene, steps, pam_authenticate, 0), PAM_SUCCESS);
	ck_assert_uint_eq(scene.actor.got[0].msg.auth.flags & REQUEST_LOCAL, 0);
}
END_TEST

/* Key and code: nothing is left that pam_unix could ask for. Without the key, or with a password, it decides. */
START_TEST(key_and_code_pass_auth)
{
	const struct step code_alone[] = {
		EXPECT(AUTH_BEGIN), SEND(PROMPT, say_code()), EXPECT(ANSWER),
		SEND(VERDICT, say(VERDICT_ALLOW, REASON_AUTH_PASSED)), HANG_UP,
	};
	const struct step both[] = {
		EXPECT(AUTH_BEGIN), SEND(PROMPT, say_password()), EXPECT(ANSWER), SEND(PROMPT, say_code()), EXPECT(ANSWER),
		SEND(VERDICT, say(VERDICT_ALLOW, REASON_AUTH_PASSED)), HANG_UP,
	};
	const struct step refused[] = {
		EXPECT(AUTH_BEGIN), SEND(PROMPT, say_code()), EXPECT(ANSWER), SEND(VERDICT, say(VERDICT_DENY, REASON_MFA_FAILED)),
		HANG_UP,
	};
	static const struct { bool key, password, right; const char *service; int want; } rows[] = {
		{ true, false, true, "sshd", PAM_SUCCESS }, { false, false, true, "sshd", PAM_USER_UNKNOWN },
		{ true, true, true, "sshd", PAM_USER_UNKNOWN }, { true, false, true, "su", PAM_USER_UNKNOWN },
		{ true, false, false, "sshd", PAM_AUTH_ERR },
	};

	scene.typed = rows[_i].password ? password_and_code : password_and_code + 1;
	scene_start(&scene, rows[_i].service, "alma");
	if (rows[_i].key)
		ck_assert_int_eq(pam_putenv(scene.pamh, KEY), PAM_SUCCESS);
	ck_assert_int_eq(scene_call(&scene, !rows[_i].right ? refused : rows[_i].password ? both : code_alone,
	    pam_authenticate, 0), rows[_i].want);
}
END_TEST

/* The authority: only what the front allows, and has been told of, goes on to pam_unix. */
START_TEST(account_refuses_or_hands_on)
{
	static const int want[VERDICT_COUNT] = {
		[VERDICT_DENY] = PAM_PERM_DENIED, [VERDICT_ALLOW] = PAM_USER_UNKNOWN, [VERDICT_EXPIRED] = PAM_ACCT_EXPIRED,
		[VERDICT_MUST_CHANGE] = PAM_PERM_DENIED, [VERDICT_NOT_OURS] = PAM_PERM_DENIED,
	};
	const struct step refused[] = { EXPECT(ACCOUNT), SEND(VERDICT, say((enum verdict)_i, REASON_EXPIRED)), HANG_UP };
	const struct step taken[] = {
		EXPECT(ACCOUNT), SEND(VERDICT, say((enum verdict)_i, REASON_OK)), EXPECT(ACK), HANG_UP,
	};
	bool is_taken = _i == VERDICT_ALLOW || _i == VERDICT_MUST_CHANGE;

	scene_start(&scene, "cron", "alma");
	ck_assert_int_eq(scene_call(&scene, is_taken ? taken : refused, pam_acct_mgmt, 0), want[_i]);
	ck_assert_uint_ne(scene.actor.got[0].msg.account.flags & REQUEST_LOCAL, 0);
	if (_i == VERDICT_ALLOW)
		ck_assert_str_eq(pam_getenv(scene.pamh, "ISMS_TXN"), say(VERDICT_ALLOW, REASON_OK)->txn);
}
END_TEST

/* As with managed users, a day later if nobody of ours lives; a system account, which ismsd ends never, with the contract. */
START_TEST(session_ends_with_the_contract)
{
	static const struct { const char *name; int beyond_sec; } rows[] = { { "alma", 86400 }, { "robot", 0 } };
	struct msg_verdict opened = *say(VERDICT_ALLOW, REASON_OK);
	const struct step open[] = { EXPECT(SESSION_OPEN), SEND(VERDICT, &opened), HANG_UP };
	const struct step closed[] = { EXPECT(SESSION_CLOSE), SEND(DONE, &(struct msg_done){ .error = 0 }), HANG_UP };
	const struct step denied[] = { EXPECT(SESSION_OPEN), SEND(VERDICT, say(VERDICT_DENY, REASON_EXPIRED)), HANG_UP };
	const char *name = rows[_i].name;
	int limit_sec = 0;

	scene_write(&scene, "systemd", "session [ignore=ignore default=die] " TEST_MODULE "\nsession optional " TEST_GIVER "\n");
	opened.not_after_utc_sec = time(NULL) + 100;
	scene_start(&scene, "systemd", name);
	ck_assert_int_eq(scene_call(&scene, open, pam_open_session, 0), PAM_SUCCESS);
	ck_assert_int_eq(sscanf(scene.line[0].text, "limit %d", &limit_sec), 1);
	ck_assert(limit_sec - rows[_i].beyond_sec <= 100 && limit_sec - rows[_i].beyond_sec > 70);
	scene_start(&scene, "sshd", name);
	ck_assert_int_eq(scene_call(&scene, closed, pam_close_session, 0), SCENE_IGNORE);
	opened.not_after_utc_sec = time(NULL) - rows[_i].beyond_sec - 1;
	scene_start(&scene, "sshd", name);
	ck_assert_int_eq(scene_call(&scene, open, pam_open_session, 0), PAM_SESSION_ERR);
	scene_start(&scene, "sshd", name);
	ck_assert_int_eq(scene_call(&scene, denied, pam_open_session, 0), PAM_SESSION_ERR);
}
END_TEST

/* A misspelt option refuses whom it would have bound, and nobody else (PA12a). */
START_TEST(pa12a_misspelt_option)
{
	scene_start(&scene, "typo", "alma");
	ck_assert_int_eq(pam_authenticate(scene.pamh, 0), PAM_AUTH_ERR);
	scene_start(&scene, "typo", "alma");
	ck_assert_int_eq(pam_setcred(scene.pamh, PAM_ESTABLISH_CRED), PAM_CRED_ERR);
	ck_assert(actor_quiet(&scene.actor));
	scene_start(&scene, "typo", "bob");
	ck_assert_int_eq(pam_authenticate(scene.pamh, 0), PAM_USER_UNKNOWN);
	scene_start(&scene, "typo", "bob");
	ck_assert_int_eq(pam_setcred(scene.pamh, PAM_ESTABLISH_CRED), SCENE_IGNORE);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ who_is_listed, ROWS(names) }, { lists_that_are_none, 0 }, { fails_closed_alone, 2 * ROWS(calls) },
		{ auth_is_left_to_pam_unix, VERDICT_COUNT }, { managed_users_are_not_local, 0 }, { key_and_code_pass_auth, 5 },
		{ account_refuses_or_hands_on, VERDICT_COUNT }, { session_ends_with_the_contract, 2 }, { pa12a_misspelt_option, 0 },
	};

	return scene_run("pam_guarded", rows, ROWS(rows), setup, teardown);
}
