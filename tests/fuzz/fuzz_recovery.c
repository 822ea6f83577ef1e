/*
 * fuzz_recovery.c - what a person types for a recovery code, and what a directory has for one: the first line is typed, a
 * letter and a line each further one is a value; the letter "s" puts the value of a real set in its place.
 *
 * covers: common/recovery_code.c
 */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/recovery_code.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SET 2

static struct recovery_code codes[SET];

static void
must(bool condition)
{
	if (!condition)
		abort();
}

/* The next line, without its end, as a string of its own. */
static char *
next_line(const uint8_t **data, size_t *size, size_t *ret_len)
{
	const uint8_t *end = *size > 0 ? memchr(*data, '\n', *size) : NULL;
	size_t len = end != NULL ? (size_t)(end - *data) : *size;
	char *line = malloc(len + 1);

	must(line != NULL);
	if (len > 0)
		memcpy(line, *data, len);
	line[len] = '\0';
	*data += len + (end != NULL);
	*size -= len + (end != NULL);
	*ret_len = len;
	return line;
}

/* A right guess names a value of the entry; a set of which one value is not of its kind is never right. */
static void
judge(const struct entry *e, const char *typed, unsigned real)
{
	char code[RECOVERY_CODE_LEN + 1] = "";
	struct recovery_judgement j;

	if (!recovery_code_normalise(typed, code))
		must(recovery_code_normalise(codes[0].shown, code));
	else
		must(recovery_code_is_shaped(typed));
	recovery_code_judge(e, code, &j);
	must((j.result == RECOVERY_RIGHT) == (j.value != NULL) && (j.result == RECOVERY_UNUSABLE) == (j.fault != NULL));
	must(j.value == NULL || entry_has_value(e, RECOVERY_ATTRIBUTE, j.value));
	must(j.result != RECOVERY_RIGHT || (real > 0 && recovery_codes_count(e) == real && j.remaining == real - 1));
	must(recovery_codes_count(e) <= RECOVERY_CODES_MAX || j.result == RECOVERY_UNUSABLE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct entry *e = entry_new("uid=fuzz");
	unsigned real = 0;
	char *typed, *line;
	size_t len;

	if (codes[0].shown[0] == '\0') {
		must(recovery_codes_make(codes, 0) < 0 && recovery_codes_make(codes, SET) == 0);
		recovery_code_judge(NULL, "0000000000000000", &(struct recovery_judgement){ .remaining = 0 });
	}
	must(e != NULL);
	typed = next_line(&data, &size, &len);
	while (size > 0) {
		line = next_line(&data, &size, &len);
		if (line[0] == 's') {
			const char *hash = codes[real++ % SET].hash;

			must(entry_add_value(e, RECOVERY_ATTRIBUTE, hash, strlen(hash)) == 0);
		} else
			must(entry_add_value(e, RECOVERY_ATTRIBUTE, line, len) == 0);
		free(line);
	}
	judge(e, typed, real);
	free(typed);
	entry_free(e);
	return 0;
}
