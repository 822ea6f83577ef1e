/*
 * password.c - checks and makes {CRYPT} verifiers.
 *
 * Directory process, worker threads. It must never accept an empty password, a verifier of a scheme that is weak or
 * unknown, or a failure token of crypt(3); it compares in constant time and wipes crypt's workspace, which
 * holds the password.
 */
#include <config.h>

#include "daemon/password.h"

#include <crypt.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

_Static_assert(CRYPT_OUTPUT_SIZE <= PASSWORD_HASH_SIZE, "a hash fits");

#define SCHEME		"{CRYPT}"
#define ROUNDS_MAX	1000000		/* SHA-crypt */
#define BCRYPT_COST_MAX	14

/* Work that a check of nobody's password does; the hash of a random password that was thrown away. */
#define DUMMY_SETTING	"$y$j9T$5wq3LgYFbs0r2mTCeVxQp/"

static bool
yescrypt_cost_ok(const char *rest)
{
	/* Flags "j" (the defaults), N up to 2^15 ("C"), r 32 or 8: 128 MiB at the most. */
	return rest[0] == 'j' && rest[1] != '\0' && strchr("6789ABC", rest[1]) != NULL &&
	    (rest[2] == 'T' || rest[2] == '5') && rest[3] == '$';
}

static bool
scrypt_cost_ok(const char *rest)
{
	/* N up to 2^16, r 32, p 1: as crypt_gensalt() makes them. */
	return rest[0] != '\0' && strchr("6789ABCDE", rest[0]) != NULL && strncmp(rest + 1, "U..../....", 10) == 0;
}

static bool
bcrypt_cost_ok(const char *rest)
{
	return rest[0] >= '0' && rest[0] <= '1' && rest[1] >= '0' && rest[1] <= '9' && rest[2] == '$' &&
	    (rest[0] - '0') * 10 + (rest[1] - '0') <= BCRYPT_COST_MAX;
}

static bool
sha_cost_ok(const char *rest)
{
	char *end;
	unsigned long rounds;

	if (strncmp(rest, "rounds=", 7) != 0)
		return true;		/* 5000 */
	if (rest[7] < '1' || rest[7] > '9')
		return false;
	rounds = strtoul(rest + 7, &end, 10);
	return *end == '$' && rounds >= 1000 && rounds <= ROUNDS_MAX;
}

static const struct { const char *prefix; bool (*cost_ok)(const char *rest); } schemes[] = {
	{ "$y$", yescrypt_cost_ok },
	{ "$gy$", yescrypt_cost_ok },
	{ "$7$", scrypt_cost_ok },
	{ "$2b$", bcrypt_cost_ok },
	{ "$6$", sha_cost_ok },
	{ "$5$", sha_cost_ok },
};

bool
password_verifier_known(const char *verifier)
{
	const char *hash;

	if (strncasecmp(verifier, SCHEME, strlen(SCHEME)) != 0)
		return false;
	hash = verifier + strlen(SCHEME);
	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
		size_t len = strlen(schemes[i].prefix);

		if (strncmp(hash, schemes[i].prefix, len) == 0)
			return strlen(hash) < PASSWORD_HASH_SIZE && schemes[i].cost_ok(hash + len);
	}
	return false;
}

/* Equal, in a time that depends on the lengths alone. */
static bool
same(const char *a, const char *b)
{
	size_t len = strlen(a);
	unsigned char different = 0;

	if (len != strlen(b))
		return false;
	for (size_t i = 0; i < len; i++)
		different |= (unsigned char)(a[i] ^ b[i]);
	return different == 0;
}

bool
password_check(const char *verifier, const char *password)
{
	bool known = verifier != NULL && password_verifier_known(verifier);
	bool usable = password[0] != '\0' && strlen(password) < CRYPT_MAX_PASSPHRASE_SIZE;
	const char *hash = known ? verifier + strlen(SCHEME) : DUMMY_SETTING;
	struct crypt_data *work = calloc(1, sizeof *work);
	const char *result;
	bool right;

	if (work == NULL)
		return false;
	result = crypt_r(usable ? password : "-", hash, work);
	right = known && usable && result != NULL && result[0] != '*' && same(result, hash);
	explicit_bzero(work, sizeof *work);
	free(work);
	return right;
}

/* UTF-8 characters; what is no UTF-8 counts by bytes. */
static size_t
characters(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

const char *
password_judge(const char *user, const char *old, const char *new_password)
{
	size_t len = strlen(new_password);

	if (characters(new_password) < PASSWORD_CHARACTERS_MIN)
		return "The new password must have at least 12 characters.";
	if (len > PASSWORD_BYTES_MAX || len >= CRYPT_MAX_PASSPHRASE_SIZE)
		return "The new password is too long.";
	if (strcmp(new_password, old) == 0)
		return "The new password must differ from the old one.";
	if (strcasestr(new_password, user) != NULL && len < strlen(user) + PASSWORD_CHARACTERS_MIN)
		return "The new password is the account's name with little else.";
	for (size_t i = 1; i <= len; i++)
		if (i == len)
			return "The new password repeats one character.";
		else if (new_password[i] != new_password[0])
			break;
	return NULL;
}

int
password_make(const char *password, char ret[static PASSWORD_VERIFIER_SIZE])
{
	struct crypt_data *work = calloc(1, sizeof *work);
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	const char *hash;
	int r = 0;

	if (work == NULL)
		return -ENOMEM;
	/* Salt from the kernel, default cost. */
	if (crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof setting) == NULL) {
		r = -errno;
		goto out;
	}
	hash = crypt_r(password, setting, work);
	if (hash == NULL || hash[0] == '*')
		r = errno != 0 ? -errno : -EINVAL;
	else
		(void)snprintf(ret, PASSWORD_VERIFIER_SIZE, "%s%s", SCHEME, hash);
out:
	explicit_bzero(work, sizeof *work);
	free(work);
	return r;
}
