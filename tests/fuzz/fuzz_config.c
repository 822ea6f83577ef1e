/*
 * fuzz_config.c - isms.conf. What was taken reads back as it is written; what was not says what and where.
 *
 * conf_file.c, which finds and reads the files, takes no byte of them apart. covers: common/conf_parse.c common/settings.c
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct settings settings;
	char error[512] = "", value[2048];
	int r = settings_parse((const char *)data, size, "f", &settings, error, sizeof error);

	if (r < 0 && strncmp(error, "f:", 2) != 0)
		abort();
	if (r == 0 && settings_uses_ldap(&settings) != (strncmp(settings.directory_uri, "ldap", 4) == 0))
		abort();
	for (const struct option_info *o = settings_options; r == 0 && o->section != NULL; o++) {
		if (settings_format(&settings, o, value, sizeof value) < 0)
			abort();
	}
	return 0;
}
