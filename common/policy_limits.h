/*
 * policy_limits.h - the values of the keys hours, from and allow-hosts: parsed once, then asked at each decision.
 *
 * For the policy_*.c files alone. The questions are pure; hours_parse() reads the zone's file.
 */
#ifndef ISMS_POLICY_LIMITS_H
#define ISMS_POLICY_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/zone.h"

#define HOURS_WINDOWS_MAX	16
#define SOURCES_MAX		64

/* A time of day on some days of the week, by a zone's clocks. */
struct hours_window {
	uint8_t days;			/* bit 0: Monday */
	uint16_t begin_min, end_min;	/* minutes since midnight; end before begin: it ends on the next day */
};

struct hours {
	struct hours_window windows[HOURS_WINDOWS_MAX];
	size_t count;
	struct zone zone;		/* owned */
};

/* A network; IPv4 as ::ffff:0:0/96. */
struct network {
	uint8_t address[16];
	unsigned bits;
};

struct sources {
	struct network networks[SOURCES_MAX];
	size_t count;
	bool local;			/* requests that come over no network, too */
};

/*
 * "Mon..Fri 07:00-19:00 Sat,Sun 10:00-14:00 Europe/Berlin": windows, then the zone, always.
 *
 *  ret    zeroed; free with hours_done(), also after a failure
 *  error  receives what is wrong and what to write instead (size bytes, NUL-terminated)
 *
 * Returns 0, or -EINVAL with error set.
 */
int hours_parse(const char *text, struct hours *ret, char *error, size_t size);
void hours_done(struct hours *hours);	/* a zeroed one is fine */
bool hours_contain(const struct hours *hours, int64_t utc_sec);

/*
 * "192.0.2.0/24 2001:db8::/32 local": networks, single addresses, and the word local.
 *
 *  ret    zeroed
 *  error  as above
 *
 * Returns 0, or -EINVAL with error set.
 */
int sources_parse(const char *text, struct sources *ret, char *error, size_t size);

/*
 * Whether a request may come from there.
 *
 *  rhost  an address as PAM_RHOST has it; "" for none. A name is never resolved (THREATS 5.8): it fits nothing.
 */
bool sources_contain(const struct sources *sources, const char *rhost);

#endif
