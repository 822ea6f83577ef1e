/*
 * fuzz_date.c - every parser of dates, durations and zone files, with what it must never answer.
 *
 * The first byte chooses the parser; the rest is its input.
 */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/civil_date.h"
#include "common/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int64_t t = 0, again;
	struct zone zone;
	char text[512], buf[32];

	if (size == 0)
		return 0;
	if (data[0] == 'z') {
		if (zone_parse(data + 1, size - 1, &zone) == 0)
			(void)zone_instant_after(&zone, 1798761600);
		return 0;
	}
	(void)memcpy(text, data + 1, size - 1 < sizeof text ? size - 1 : sizeof text - 1);
	text[size - 1 < sizeof text ? size - 1 : sizeof text - 1] = '\0';
	if (data[0] == 'd' && civil_date_parse_duration(text, 86400, &t) == 0 && t > 86400)
		abort();
	if (data[0] == 'u' && civil_date_parse_until(text, "Europe/Berlin", 1798761600, &t) == 0 &&
	    (t < 0 || t > CIVIL_DATE_MAX_SEC))
		abort();
	if (data[0] == 'g' && civil_date_parse_generalized(text, strlen(text), &t) == 0 &&	/* and back again */
	    (civil_date_parse_generalized(civil_date_format_generalized(t, buf), 15, &again) < 0 || again != t))
		abort();
	(void)civil_date_format_span(t, buf);
	return 0;
}
