/*
 * identity_token.c - the one-time code tokens that a user's entry links to (OATH-LDAP).
 *
 * Directory process only: the answers hold secrets, which the caller wipes. It must never default a
 * parameter: a token whose digits, hash or period are missing has a fault and opens nothing.
 */
#include <config.h>

#include "common/identity_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SECRET_BYTES_MIN	16	/* OT04a */
#define SECRET_BYTES_MAX	128

static void
copy_text(char *to, size_t size, const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;

	if (len >= size)
		len = size - 1;
	if (len > 0)
		memcpy(to, text, len);
	to[len] = '\0';
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)to[i] < ' ' || (unsigned char)to[i] >= 0x7f)
			to[i] = '?';
}

static void
read_secret(const struct entry *e, struct msg_token *token, struct fault *fault)
{
	static const char hex[] = "0123456789abcdef";
	const struct attribute *a = entry_attribute(e, "oathSecret");
	const unsigned char *bytes;

	if (a == NULL || a->count != 1) {
		identity_fault(fault, "the token has no oathSecret, or several");
		return;
	}
	if (a->values[0].len < SECRET_BYTES_MIN || a->values[0].len > SECRET_BYTES_MAX) {
		identity_fault(fault, "oathSecret must have %d to %d bytes", SECRET_BYTES_MIN, SECRET_BYTES_MAX);
		return;
	}
	bytes = (const unsigned char *)a->values[0].bytes;
	for (size_t i = 0; i < a->values[0].len; i++) {
		token->secret_hex[2 * i] = hex[bytes[i] >> 4];
		token->secret_hex[2 * i + 1] = hex[bytes[i] & 15];
	}
	token->secret_hex[2 * a->values[0].len] = '\0';
}

static uint32_t
read_algorithm(const struct entry *params, struct fault *fault)
{
	static const char *const oids[] = {
		[TOKEN_SHA1] = "1.2.840.113549.2.7", [TOKEN_SHA256] = "1.2.840.113549.2.9",
		[TOKEN_SHA512] = "1.2.840.113549.2.11",
	};
	const char *oid = identity_single(params, "oathHMACAlgorithm", fault);

	for (uint32_t i = TOKEN_SHA1; oid != NULL && i <= TOKEN_SHA512; i++)
		if (strcmp(oid, oids[i]) == 0)
			return i;
	identity_fault(fault, "oathHMACAlgorithm is missing or not HMAC-SHA-1, -256 or -512");
	return TOKEN_SHA_NONE;
}

static uint32_t
read_bounded(const struct entry *e, const char *name, uint64_t min, uint64_t max, struct fault *fault)
{
	uint64_t n = 0;

	if (!identity_single_number(e, name, UINT32_MAX, fault, &n) || n < min || n > max) {
		identity_fault(fault, "%s is missing or not within %llu to %llu", name, (unsigned long long)min,
		    (unsigned long long)max);
		return 0;
	}
	return (uint32_t)n;
}

static void
read_params(const struct entry *params, struct msg_token *token, struct fault *fault)
{
	token->algorithm = read_algorithm(params, fault);
	token->digits = read_bounded(params, "oathOTPLength", 6, 8, fault);
	if (token->type == TOKEN_TOTP)
		token->step_sec = read_bounded(params, "oathTOTPTimeStepPeriod", 15, 300, fault);
}

static void
read_token(const struct entries *entries, const struct entry *e, bool secrets, struct msg_token *token,
    struct fault *fault)
{
	bool totp = token->type == TOKEN_TOTP;
	const char *dn = identity_single(e, totp ? "oathTOTPParams" : "oathHOTPParams", fault);
	const struct entry *params = dn != NULL ? entries_find(entries, dn) : e;

	identity_entry_id(e, fault, token->id);
	copy_text(token->serial, sizeof token->serial, entry_value(e, "oathTokenSerialNumber"));
	if (!entry_has_class(e, totp ? "oathTOTPToken" : "oathHOTPToken"))
		identity_fault(fault, "the linked entry is no %s", totp ? "oathTOTPToken" : "oathHOTPToken");
	if (params == NULL)
		identity_fault(fault, "its parameters %.80s do not exist", dn);
	else
		read_params(params, token, fault);
	token->has_last = identity_single_number(e, totp ? "oathTOTPLastTimeStep" : "oathHOTPCounter", INT64_MAX, fault,
	    &token->last);
	if (secrets)
		read_secret(e, token, fault);
}

static size_t
read_tokens(const struct entries *entries, const struct entry *user, bool secrets, struct msg_token *ret, size_t room)
{
	static const struct { const char *link; enum token_type type; } links[] = {
		{ "oathTOTPToken", TOKEN_TOTP }, { "oathHOTPToken", TOKEN_HOTP },
	};
	size_t count = 0;

	for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
		const struct attribute *a = entry_attribute(user, links[i].link);

		for (size_t j = 0; a != NULL && j < a->count; j++, count++) {
			const struct entry *e = entries_find(entries, a->values[j].bytes);
			struct fault fault = { "" };

			if (count >= room)
				continue;
			memset(&ret[count], 0, sizeof ret[count]);
			ret[count].type = links[i].type;
			if (e == NULL)
				identity_fault(&fault, "the token %.120s does not exist, or may not be read here", a->values[j].bytes);
			else
				read_token(entries, e, secrets, &ret[count], &fault);
			if (fault.text[0] != '\0')	/* a token that must not be used carries no secret */
				explicit_bzero(ret[count].secret_hex, sizeof ret[count].secret_hex);
			memcpy(ret[count].fault, fault.text, sizeof fault.text);
		}
	}
	return count;
}

size_t
identity_tokens(const struct entries *entries, const struct entry *user, struct msg_token *ret, size_t room)
{
	return read_tokens(entries, user, true, ret, room);
}

size_t
identity_tokens_seen(const struct entries *entries, const struct entry *user, struct msg_token *ret, size_t room)
{
	return read_tokens(entries, user, false, ret, room);
}
