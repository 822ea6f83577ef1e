/*
 * fuzz_zone.c - TZif files: the end of a day lies within two days of its midnight, whatever the file says.
 *
 * zone_file.c opens and reads it, no more. covers: common/zone.c
 */
#include <config.h>

#include <stdlib.h>

#include "common/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int64_t midnights[] = { 0, 1798761600, 253402214400 };
	struct zone zone;

	if (zone_parse(data, size, &zone) < 0)
		return 0;
	for (size_t i = 0; i < 3; i++) {
		int64_t end = zone_instant_after(&zone, midnights[i]);

		if (llabs(end - midnights[i]) > 2 * 86400 || end + zone_offset(&zone, end) < midnights[i])
			abort();
	}
	return 0;
}
