/*
 * recovery_code.c - makes recovery codes and judges them (see recovery_code.h).
 *
 * Directory process (workers) and isms-userctl. It must never hash at a cost that the directory chooses, nor leave a
 * code in freed memory, nor tell by its time which code of a set a guess is like.
 */
#include <config.h>

#include "common/recovery_code.h"

#include <crypt.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define COST		"$y$j9T$"	/* yescrypt, N = 4096, r = 32: 16 MiB */
#define COST_COUNT	5		/* the same, as crypt_gensalt() counts */
#define HASH_LEN	43		/* characters behind the last "$" */
#define SALT_LEN_MAX	86
#define TYPED_LEN_MIN	9		/* one-time codes have up to 8 digits */
/* Work for nobody's code. */
#define DUMMY_SETTING	COST "5wq3LgYFbs0r2mTCeVxQp/"

_Static_assert(sizeof COST + SALT_LEN_MAX + 1 + HASH_LEN <= RECOVERY_HASH_SIZE, "a hash fits");
_Static_assert(sizeof "recovery:" + HASH_LEN <= RECOVERY_ID_SIZE, "an id fits");

static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
static const char crypt_letters[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static bool
is_separator(char c)
{
	return c == '-' || c == ' ' || c == '\t';
}

bool
recovery_code_is_shaped(const char *typed)
{
	size_t n = 0;

	for (; *typed != '\0'; typed++)
		n += !is_separator(*typed);
	return n >= TYPED_LEN_MIN;
}

/* The letter that was meant; NUL for none. */
static char
letter(char c)
{
	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	if (c == 'I' || c == 'L')
		return '1';
	if (c == 'O')
		return '0';
	return c != '\0' && strchr(letters, c) != NULL ? c : '\0';
}

bool
recovery_code_normalise(const char *typed, char ret[static RECOVERY_CODE_LEN + 1])
{
	char code[RECOVERY_CODE_LEN + 1] = "";
	size_t n = 0;
	bool ok = true;

	for (; *typed != '\0' && ok; typed++) {
		if (is_separator(*typed))
			continue;
		ok = n < RECOVERY_CODE_LEN && letter(*typed) != '\0';
		if (ok)
			code[n++] = letter(*typed);
	}
	ok = ok && n == RECOVERY_CODE_LEN;
	if (ok)
		memcpy(ret, code, sizeof code);
	explicit_bzero(code, sizeof code);
	return ok;
}

/* Length of the setting of a well-formed hash, the last "$" included; 0 for anything else. */
static size_t
setting_length(const char *hash)
{
	size_t salt;

	if (strncmp(hash, COST, strlen(COST)) != 0)
		return 0;
	salt = strspn(hash + strlen(COST), crypt_letters);
	hash += strlen(COST) + salt;
	if (salt == 0 || salt > SALT_LEN_MAX || *hash != '$' || strspn(hash + 1, crypt_letters) != HASH_LEN ||
	    hash[1 + HASH_LEN] != '\0')
		return 0;
	return strlen(COST) + salt + 1;
}

/* Hash by a setting. Returns 0, -ENOMEM or -EIO. */
static int
hash_code(const char *code, const char *setting, char ret[static RECOVERY_HASH_SIZE])
{
	struct crypt_data *work = calloc(1, sizeof *work);
	const char *hash;
	int r = -EIO;

	if (work == NULL)
		return -ENOMEM;
	hash = crypt_r(code, setting, work);
	if (hash != NULL && setting_length(hash) != 0) {
		memcpy(ret, hash, strlen(hash) + 1);
		r = 0;
	}
	explicit_bzero(work, sizeof *work);
	free(work);
	return r;
}

/* A random code. Returns 0 or -EIO. */
static int
make_code(char ret[static RECOVERY_SHOWN_SIZE])
{
	unsigned char bytes[RECOVERY_CODE_LEN];
	size_t n = 0;

	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return -EIO;
	for (size_t i = 0; i < sizeof bytes; i++) {
		if (i > 0 && i % 4 == 0)
			ret[n++] = '-';
		ret[n++] = letters[bytes[i] & 31];	/* 32 of them: uniform */
	}
	ret[n] = '\0';
	explicit_bzero(bytes, sizeof bytes);
	return 0;
}

int
recovery_codes_make(struct recovery_code *ret, unsigned count)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE], code[RECOVERY_CODE_LEN + 1] = "";
	int r = 0;

	if (count < 1 || count > RECOVERY_CODES_MAX)
		return -EINVAL;
	if (crypt_gensalt_rn("$y$", COST_COUNT, NULL, 0, setting, sizeof setting) == NULL)
		return -EIO;
	for (unsigned i = 0; i < count && r == 0; i++) {
		r = make_code(ret[i].shown);
		if (r == 0 && !recovery_code_normalise(ret[i].shown, code))
			r = -EIO;
		if (r == 0)
			r = hash_code(code, setting, ret[i].hash);
	}
	explicit_bzero(code, sizeof code);
	if (r < 0)
		explicit_bzero(ret, count * sizeof *ret);
	return r;
}

unsigned
recovery_codes_count(const struct entry *e)
{
	const struct attribute *a = entry_attribute(e, RECOVERY_ATTRIBUTE);

	return a != NULL ? (unsigned)a->count : 0;
}

/* What is wrong with a set; NULL when nothing is. */
static const char *
set_fault(const struct attribute *a)
{
	size_t len = setting_length(a->values[0].bytes);

	if (a->count > RECOVERY_CODES_MAX)
		return "there are more than 16 recovery codes";
	for (size_t i = 0; i < a->count; i++) {
		const struct value *v = &a->values[i];

		if (v->len != strlen(v->bytes) || v->len >= RECOVERY_HASH_SIZE || setting_length(v->bytes) == 0)
			return "a recovery code is no yescrypt hash of the cost that isms-userctl makes";
		if (setting_length(v->bytes) != len || memcmp(v->bytes, a->values[0].bytes, len) != 0)
			return "the recovery codes are of several sets";
	}
	return NULL;
}

/* Equal, in a time that depends on the length alone. */
static bool
is_equal(const char *a, const char *b, size_t len)
{
	unsigned char differ = 0;

	for (size_t i = 0; i < len; i++)
		differ |= (unsigned char)(a[i] ^ b[i]);
	return differ == 0;
}

void
recovery_code_judge(const struct entry *e, const char *code, struct recovery_judgement *ret)
{
	const struct attribute *a = e != NULL ? entry_attribute(e, RECOVERY_ATTRIBUTE) : NULL;
	char hash[RECOVERY_HASH_SIZE];
	size_t len;

	*ret = (struct recovery_judgement){ .result = RECOVERY_WRONG };
	if (a != NULL && a->count == 0)
		a = NULL;
	if (a != NULL)
		ret->fault = set_fault(a);
	if (ret->fault != NULL) {
		ret->result = RECOVERY_UNUSABLE;
		return;
	}
	if (hash_code(code, a != NULL ? a->values[0].bytes : DUMMY_SETTING, hash) < 0 || a == NULL)
		goto out;
	len = strlen(hash);
	(void)snprintf(ret->id, sizeof ret->id, "recovery:%s", hash + len - HASH_LEN);
	for (size_t i = 0; i < a->count; i++)
		if (a->values[i].len == len && is_equal(a->values[i].bytes, hash, len))
			ret->value = a->values[i].bytes;
	if (ret->value != NULL) {
		ret->result = RECOVERY_RIGHT;
		ret->remaining = (unsigned)a->count - 1;
	}
out:
	explicit_bzero(hash, sizeof hash);
}
