/*
 * authorized_key.c - public keys of directory entries -> lines for sshd.
 *
 * Runs in directory process, front and isms-userctl, on what people may write into their own entries. It must never let
 * a value say more than which key it is: no options, no second line, no key that sshd would read as another one.
 */
#include <config.h>

#include "common/authorized_key.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/civil_date.h"
#include "common/policy_limits.h"
#include "common/sha256.h"

#define ADDED_MARK	"isms-added="
#define RSA_BYTES_MIN	256

/* Parts of a blob after the type's own name; 0 ends them. */
enum part { PART_END, PART_ANY, PART_32, PART_CURVE, PART_POINT, PART_MODULUS };

static const struct shape {
	const char *type, *curve;
	uint32_t point;			/* bytes of an uncompressed one */
	enum part parts[4];
} shapes[] = {
	{ "ssh-ed25519", "", 0, { PART_32 } },
	{ "ssh-rsa", "", 0, { PART_ANY, PART_MODULUS } },
	{ "ecdsa-sha2-nistp256", "nistp256", 65, { PART_CURVE, PART_POINT } },
	{ "ecdsa-sha2-nistp384", "nistp384", 97, { PART_CURVE, PART_POINT } },
	{ "ecdsa-sha2-nistp521", "nistp521", 133, { PART_CURVE, PART_POINT } },
	{ "sk-ssh-ed25519@openssh.com", "", 0, { PART_32, PART_ANY } },
	{ "sk-ecdsa-sha2-nistp256@openssh.com", "nistp256", 65, { PART_CURVE, PART_POINT, PART_ANY } },
};

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static const struct shape *
find_shape(const char *type, size_t len)
{
	for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
		if (strlen(shapes[i].type) == len && memcmp(shapes[i].type, type, len) == 0)
			return &shapes[i];
	return NULL;
}

/* Canonical: padded, no bits beyond the last byte. Returns the number of bytes, 0 for anything else. */
static size_t
decode(const char *text, size_t len, uint8_t ret[static AUTHORIZED_KEY_BYTES_MAX])
{
	size_t pad = 0, used = 0;
	uint32_t word = 0;

	if (len == 0 || len % 4 != 0 || len > AUTHORIZED_KEY_BLOB_MAX)
		return 0;
	while (pad < 2 && text[len - 1 - pad] == '=')
		pad++;
	for (size_t i = 0; i < len; i++) {
		const char *at = i < len - pad ? memchr(alphabet, text[i], sizeof alphabet - 1) : alphabet;

		if (at == NULL)
			return 0;
		word = word << 6 | (uint32_t)(at - alphabet);
		if (i % 4 != 3)
			continue;
		ret[used++] = (uint8_t)(word >> 16);
		ret[used++] = (uint8_t)(word >> 8);
		ret[used++] = (uint8_t)word;
		word = 0;
	}
	for (size_t i = 0; i < pad; i++)
		if (ret[--used] != 0)
			return 0;
	return used;
}

/* The next part of a blob: a length of four bytes, then as many. Returns false beyond the end. */
static bool
next_part(const uint8_t **at, const uint8_t *end, const uint8_t **ret, uint32_t *ret_len)
{
	uint32_t len;

	if ((size_t)(end - *at) < sizeof len)
		return false;
	memcpy(&len, *at, sizeof len);
	len = be32toh(len);
	*at += sizeof len;
	if ((size_t)(end - *at) < len)
		return false;
	*ret = *at;
	*ret_len = len;
	*at += len;
	return true;
}

static bool
fits(const struct shape *shape, enum part part, const uint8_t *bytes, uint32_t len)
{
	switch (part) {
	case PART_32:
		return len == 32;
	case PART_CURVE:
		return len == strlen(shape->curve) && memcmp(bytes, shape->curve, len) == 0;
	case PART_POINT:
		return len == shape->point && bytes[0] == 4;
	case PART_MODULUS:	/* with a leading zero that keeps it positive */
		return len > RSA_BYTES_MIN && bytes[0] == 0 && (bytes[1] & 0x80) != 0;
	default:
		return len > 0;
	}
}

/* Whether a blob is a key of its type from its first byte to its last. */
static bool
is_key(const struct shape *shape, const uint8_t *blob, size_t len)
{
	const uint8_t *at = blob, *end = blob + len, *part;
	uint32_t part_len;

	if (!next_part(&at, end, &part, &part_len) || part_len != strlen(shape->type) ||
	    memcmp(part, shape->type, part_len) != 0)
		return false;
	for (size_t i = 0; shape->parts[i] != PART_END; i++)
		if (!next_part(&at, end, &part, &part_len) || !fits(shape, shape->parts[i], part, part_len))
			return false;
	return at == end;
}

int
authorized_key_print(const char *type, size_t type_len, const char *blob, size_t blob_len,
    char ret[static AUTHORIZED_KEY_PRINT_SIZE])
{
	static const char prefix[] = "SHA256:";
	const struct shape *shape = find_shape(type, type_len);
	uint8_t bytes[AUTHORIZED_KEY_BYTES_MAX], digest[SHA256_BYTES + 1] = { 0 };
	size_t len = shape != NULL ? decode(blob, blob_len, bytes) : 0;
	char *to = ret + sizeof prefix - 1;

	if (len == 0 || !is_key(shape, bytes, len))
		return -EINVAL;
	sha256(bytes, len, digest);
	memcpy(ret, prefix, sizeof prefix - 1);
	for (size_t i = 0; i < SHA256_BYTES; i += 3) {
		uint32_t word = (uint32_t)digest[i] << 16 | (uint32_t)digest[i + 1] << 8 | digest[i + 2];

		for (unsigned shift = 18; shift <= 18; shift -= 6)
			*to++ = alphabet[word >> shift & 63];
	}
	ret[AUTHORIZED_KEY_PRINT_SIZE - 1] = '\0';	/* in place of the padding, which ssh-keygen leaves out */
	return 0;
}

int
authorized_key_is_print(const char *text)
{
	return strlen(text) == AUTHORIZED_KEY_PRINT_SIZE - 1 && memcmp(text, "SHA256:", 7) == 0 &&
	    strspn(text + 7, alphabet) == AUTHORIZED_KEY_PRINT_SIZE - 8;
}

/* When isms-userctl added it: the last word of the comment, if it has left one. */
static int64_t
find_added(const char *comment, size_t len)
{
	static const char mark[] = ADDED_MARK;
	const char *word = memrchr(comment, ' ', len);
	int64_t at = 0;

	word = word != NULL ? word + 1 : comment;
	len -= (size_t)(word - comment);
	if (len < sizeof mark || memcmp(word, mark, sizeof mark - 1) != 0 ||
	    civil_date_parse_generalized(word + sizeof mark - 1, len - (sizeof mark - 1), &at) < 0)
		return 0;
	return at;
}

static const char *
judge(const char *text, size_t len)
{
	if (len > AUTHORIZED_KEY_TEXT_MAX)
		return "is longer than any key";
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return "holds a control character";
	return NULL;
}

int
authorized_key_parse(const char *text, size_t len, struct authorized_key *ret, const char **ret_fault)
{
	const char *fault, *blob, *comment, *end;
	size_t kept;

	while (len > 0 && memchr(" \t\r\n", text[len - 1], 4) != NULL)
		len--;
	end = text + len;
	fault = judge(text, len);
	blob = fault == NULL && len > 0 ? memchr(text, ' ', len) : NULL;
	if (fault == NULL && (blob == NULL || find_shape(text, (size_t)(blob - text)) == NULL))
		fault = "does not begin with a type of keys that is taken; it must have no options";
	if (fault == NULL) {
		blob++;
		comment = memchr(blob, ' ', (size_t)(end - blob));
		if (comment == NULL)
			comment = end;
		*ret = (struct authorized_key){ .type = "" };
		if (authorized_key_print(text, (size_t)(blob - 1 - text), blob, (size_t)(comment - blob),
		    ret->fingerprint) < 0)
			fault = "is no public key of its type, or an RSA key below 2048 bits";
	}
	if (ret_fault != NULL)
		*ret_fault = fault;
	if (fault != NULL)
		return -EINVAL;
	memcpy(ret->type, text, (size_t)(blob - 1 - text));
	memcpy(ret->blob, blob, (size_t)(comment - blob));
	if (comment < end)
		comment++;
	kept = (size_t)(end - comment);
	ret->added_utc_sec = find_added(comment, kept);
	memcpy(ret->comment, comment, kept < AUTHORIZED_KEY_COMMENT_MAX ? kept : AUTHORIZED_KEY_COMMENT_MAX);
	return 0;
}

int
authorized_key_command_check(const char *command)
{
	size_t len = strlen(command);

	if (len > AUTHORIZED_KEY_COMMAND_MAX || (len > 0 && command[len - 1] == '\\'))
		return -EINVAL;	/* such a backslash would take the closing quote with it */
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)command[i] < ' ' || command[i] == 0x7f)
			return -EINVAL;
	return 0;
}

/* A line under way; full stays true once it was. */
struct text {
	char *buf;
	size_t size, used;
	bool full;
};

static void
put(struct text *t, const char *s)
{
	size_t len = strlen(s);

	t->full = t->full || len >= t->size - t->used;
	if (t->full)
		return;
	memcpy(t->buf + t->used, s, len + 1);
	t->used += len;
}

/* The next option; all of them stand before the key, with commas between. */
static void
put_option(struct text *t, const char *option)
{
	put(t, t->used > 0 ? "," : "");
	put(t, option);
}

/* from="192.0.2.0/24,2001:db8::/32"; the networks as they were understood, not as they were written. */
static int
put_from(struct text *t, const char *from)
{
	struct sources sources = { .count = 0 };
	char error[128], text[INET6_ADDRSTRLEN + 8];

	if (sources_parse(from, &sources, error, sizeof error) < 0 || sources.local || sources.count == 0)
		return -EINVAL;
	put_option(t, "from=\"");
	for (size_t i = 0; i < sources.count; i++) {
		const struct network *n = &sources.networks[i];
		bool is_v4 = n->bits >= 96 && memcmp(n->address, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0;

		(void)inet_ntop(is_v4 ? AF_INET : AF_INET6, n->address + (is_v4 ? 12 : 0), text, sizeof text);
		(void)snprintf(text + strlen(text), 6, "/%u", is_v4 ? n->bits - 96 : n->bits);
		put(t, i > 0 ? "," : "");
		put(t, text);
	}
	put(t, "\"");
	return 0;
}

static void
put_command(struct text *t, const char *command)
{
	char one[3] = "";

	put_option(t, "command=\"");
	for (; *command != '\0'; command++) {
		(void)snprintf(one, sizeof one, "%s%c", *command == '"' ? "\\" : "", *command);
		put(t, one);
	}
	put(t, "\"");
}

static void
put_until(struct text *t, int64_t until_utc_sec)
{
	char date[32];

	put_option(t, "expiry-time=\"");
	put(t, civil_date_format_generalized(until_utc_sec, date));
	put(t, "\"");
}

int
authorized_key_line(const struct authorized_key *key, const struct authorized_key_limits *limits, char *buf,
    size_t size)
{
	struct text t = { .buf = buf, .size = size, .full = size == 0 };

	if (limits->restricted != 0)
		put_option(&t, "restrict");
	if (limits->until_utc_sec < 0 || limits->until_utc_sec > CIVIL_DATE_MAX_SEC ||
	    authorized_key_command_check(limits->command) < 0 ||
	    (limits->from[0] != '\0' && put_from(&t, limits->from) < 0))
		return -EINVAL;
	if (limits->until_utc_sec > 0)
		put_until(&t, limits->until_utc_sec);
	if (limits->command[0] != '\0')
		put_command(&t, limits->command);
	put(&t, t.used > 0 ? " " : "");
	put(&t, key->type);
	put(&t, " ");
	put(&t, key->blob);
	put(&t, "\n");
	return t.full ? -ENOBUFS : (int)t.used;
}
