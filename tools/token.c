/*
 * token.c - makes tokens and judges the code that confirms them (liboath).
 *
 * Runs in isms-userctl only. Must never show or log a secret; who calls decides where it may go. No entry
 * of the directory is touched here, see token_entry.c.
 */
#include <config.h>

#include "tools/token.h"

#include <ctype.h>
#include <errno.h>
#include <liboath/oath.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "common/ldap_escape.h"

static const struct {
	const char *name;
	size_t bytes;
	int flag;
} algorithms[] = {
	[TOKEN_SHA1] = { "SHA1", 20, 0 },
	[TOKEN_SHA256] = { "SHA256", 32, OATH_TOTP_HMAC_SHA256 },
	[TOKEN_SHA512] = { "SHA512", 64, OATH_TOTP_HMAC_SHA512 },
};

int
token_make(struct token *ret, enum token_type type, enum token_algorithm algorithm, unsigned digits, const char *base)
{
	uint8_t serial[6];

	memset(ret, 0, sizeof *ret);
	ret->type = type;
	ret->algorithm = algorithm;
	ret->digits = digits;
	ret->secret_len = algorithms[algorithm].bytes;
	if (getrandom(ret->secret, ret->secret_len, 0) != (ssize_t)ret->secret_len ||
	    getrandom(serial, sizeof serial, 0) != (ssize_t)sizeof serial)
		return -EIO;
	(void)snprintf(ret->serial, sizeof ret->serial, "ISMS-%02X%02X%02X%02X%02X%02X", serial[0], serial[1], serial[2],
	    serial[3], serial[4], serial[5]);
	return ldap_escape_dn(ret->dn, sizeof ret->dn, "cn", ret->serial, "ou=tokens", base) < 0 ? -EIO : 0;
}

void
token_done(struct token *token)
{
	explicit_bzero(token, sizeof *token);
}

int
token_base32(const struct token *token, char *buf, size_t size)
{
	size_t len = 0;
	char *text = NULL;
	int r = 0;

	if (oath_base32_encode((const char *)token->secret, token->secret_len, &text, &len) != OATH_OK)
		return -ENOMEM;
	while (len > 0 && text[len - 1] == '=')
		len--;
	if (len >= size)
		r = -ENOBUFS;
	else {
		memcpy(buf, text, len);
		buf[len] = '\0';
	}
	explicit_bzero(text, strlen(text));
	free(text);
	return r;
}

/* RFC 3986: what is not unreserved becomes %XX. */
static void
percent(const char *text, char *buf, size_t size)
{
	size_t used = 0;

	for (; *text != '\0' && used + 4 < size; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c < 0x80 && isalnum(c)) || strchr("-._~", c) != NULL)
			buf[used++] = (char)c;
		else
			used += (size_t)snprintf(buf + used, size - used, "%%%02X", c);
	}
	buf[used] = '\0';
}

int
token_uri(const struct token *token, const char *user, const char *issuer, char *buf, size_t size)
{
	char secret[2 * TOKEN_SECRET_MAX], from[256], name[256];
	int n, r;

	r = token_base32(token, secret, sizeof secret);
	if (r < 0)
		return r;
	percent(issuer, from, sizeof from);
	percent(user, name, sizeof name);
	n = snprintf(buf, size, "otpauth://%s/%s:%s?secret=%s&issuer=%s&algorithm=%s&digits=%u&%s",
	    token->type == TOKEN_HOTP ? "hotp" : "totp", from, name, secret, from, algorithms[token->algorithm].name,
	    token->digits, token->type == TOKEN_HOTP ? "counter=0" : "period=30");
	explicit_bzero(secret, sizeof secret);
	return n < 0 || (size_t)n >= size ? -ENOBUFS : 0;
}

/*
 * The code of one moving factor. liboath's HOTP knows SHA-1 only, but TOTP is HOTP of the step number
 * (RFC 6238 4.2): with a period of one second the time is the counter, for every hash function.
 */
static int
code_of(const struct token *token, uint64_t factor, char code[static 16])
{
	int r;

	r = oath_totp_generate2((const char *)token->secret, token->secret_len, (time_t)factor, 1, 0, token->digits,
	    algorithms[token->algorithm].flag, code);
	return r == OATH_OK ? 0 : -EIO;
}

/* Equal time for equal lengths. */
static bool
same(const char *a, const char *b, size_t len)
{
	unsigned char difference = 0;
	size_t i;

	for (i = 0; i < len; i++)
		difference |= (unsigned char)(a[i] ^ b[i]);
	return difference == 0;
}

int
token_check(const struct token *token, const char *code, int64_t now_utc_sec, unsigned window, uint64_t *ret_factor)
{
	uint64_t first = 0, last = window, factor, matched = 0;
	char expected[16];
	bool right = false;
	int r = 0;

	if (strlen(code) != token->digits || strspn(code, "0123456789") != token->digits)
		return -EINVAL;
	if (token->type == TOKEN_TOTP) {
		uint64_t step = (uint64_t)now_utc_sec / TOKEN_STEP_SEC;

		first = step - window;
		last = step + window;
	}
	for (factor = first; factor <= last && r == 0; factor++) {
		r = code_of(token, factor, expected);
		if (r == 0 && same(expected, code, token->digits)) {
			right = true;
			matched = factor;
		}
	}
	explicit_bzero(expected, sizeof expected);
	if (r < 0)
		return r;
	if (right)
		*ret_factor = matched;
	return right;
}

const char *
token_link(enum token_type type)
{
	return type == TOKEN_HOTP ? "oathHOTPToken" : "oathTOTPToken";
}
