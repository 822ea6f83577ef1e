/*
 * factors.c - see factors.h. Runs in isms-userctl: why and policy test.
 */
#include <config.h>

#include "tools/factors.h"

#include <errno.h>
#include <string.h>

#include "common/proto.h"

static const struct { const char *name; uint32_t bit; } words[] = {
	{ "password", FACTOR_PASSWORD }, { "key", FACTOR_KEY }, { "otp", FACTOR_OTP }, { "none", 0 },
};

enum { WORD_COUNT = sizeof words / sizeof words[0] };

int
factors_parse(const char *list, uint32_t *ret)
{
	uint32_t all = 0;

	for (;;) {
		size_t len, i = 0;

		list += strspn(list, " ");
		len = strcspn(list, " ,");
		while (i < WORD_COUNT && (strlen(words[i].name) != len || strncmp(words[i].name, list, len) != 0))
			i++;
		if (i == WORD_COUNT)
			return -EINVAL;
		all |= words[i].bit;
		list += len;
		list += strspn(list, " ");
		if (*list == '\0')
			break;
		list += *list == ',';
	}
	*ret = all;
	return 0;
}

json_t *
factors_json(uint32_t factors)
{
	json_t *list = json_array();

	for (size_t i = 0; i < WORD_COUNT; i++)
		if ((factors & words[i].bit) != 0)
			(void)json_array_append_new(list, json_string(words[i].name));
	return list;
}
