/*
 * fuzz_date.c - dates and durations; the first byte chooses the parser. Answers lie in their range.
 *
 * Of a zone it takes the name alone; its file is fuzz_zone's. covers: common/civil_date.c
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "common/civil_date.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len = size == 0 ? 0 : size - 1 < 255 ? size - 1 : 255;
	int64_t t = 0, again;
	char text[256] = "", buf[32];

	if (size == 0)
		return 0;
	memcpy(text, data + 1, len);
	if (data[0] == 'd' && civil_date_parse_duration(text, 86400, &t) == 0 && (t < 0 || t > 86400))
		abort();
	if (data[0] == 'u' && civil_date_parse_until(text, "Europe/Berlin", 1798761600, &t) == 0 &&
	    (t < 0 || t > CIVIL_DATE_MAX_SEC))
		abort();
	if (data[0] == 'g' && civil_date_parse_generalized(text, len, &t) == 0 &&	/* and back again */
	    (civil_date_parse_generalized(civil_date_format_generalized(t, buf), 15, &again) < 0 || again != t))
		abort();
	if (civil_date_parse_until(civil_date_format(t, buf), "UTC", 0, &again) < 0 || again != t)
		abort();
	(void)civil_date_format_span(t, buf);
	return 0;
}
