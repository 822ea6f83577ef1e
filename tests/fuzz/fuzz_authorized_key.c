/*
 * fuzz_authorized_key.c - a key of a directory entry (k), what limits it (l: networks, line end, command), a print (p).
 *
 * What is taken becomes one line that says the same key again, with quotes that close where sshd thinks they do.
 * covers: common/authorized_key.c
 */
#include <config.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/authorized_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char known[] = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJwcbgZh5k/FdMefRGw0mP0bb60T5OtVxV6e73Rk/47Q";

/* Where the options end, as sshd finds it (sshkey_advance_past_options()). NULL: never. */
static const char *
past_options(const char *s)
{
	bool quoted = false;

	for (; *s != '\0' && (quoted || (*s != ' ' && *s != '\t')); s++) {
		if (*s == '\\' && s[1] == '"')
			s++;
		else if (*s == '"')
			quoted = !quoted;
	}
	return quoted || *s == '\0' ? NULL : s + 1;
}

static void
check_line(const struct authorized_key *key, const struct authorized_key_limits *limits)
{
	static char line[AUTHORIZED_KEY_LINE_MAX];
	struct authorized_key again;
	const char *at = line;
	int n = authorized_key_line(key, limits, line, sizeof line);

	if (n < 0)
		return;
	if ((size_t)n != strlen(line) || strcspn(line, "\n") != (size_t)n - 1)
		abort();
	if (strncmp(line, key->type, strlen(key->type)) != 0)
		at = past_options(line);
	if (at == NULL || authorized_key_parse(at, strlen(at), &again, NULL) < 0 ||
	    strcmp(again.fingerprint, key->fingerprint) != 0 || strcmp(again.blob, key->blob) != 0)
		abort();
}

static void
check_limits(char *text)
{
	struct authorized_key_limits limits = { .from = text, .command = "", .until_utc_sec = 1795683300, .restricted = 1 };
	char *end = strchr(text, '\n');
	struct authorized_key key;

	if (end != NULL) {
		*end = '\0';
		limits.command = end + 1;
	}
	if (authorized_key_parse(known, strlen(known), &key, NULL) < 0)
		abort();
	check_line(&key, &limits);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct authorized_key_limits open = { .from = "", .command = "" };
	struct authorized_key key;
	char *text;

	if (size == 0)
		return 0;
	text = malloc(size);
	if (text == NULL)
		abort();
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (data[0] == 'l')
		check_limits(text);
	else if (data[0] == 'p')
		(void)authorized_key_is_print(text);
	else if (authorized_key_parse(text, size - 1, &key, NULL) == 0) {
		if (!authorized_key_is_print(key.fingerprint))
			abort();
		check_line(&key, &open);
	}
	free(text);
	return 0;
}
