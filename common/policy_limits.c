/*
 * policy_limits.c - hours and source networks of a role (see policy_limits.h).
 *
 * Runs in ismsd and isms-userctl. Must never let anybody in by a value that it did not understand: what is odd in
 * policy.conf is an error, and what is odd in a request fits nothing.
 */
#include <config.h>

#include "common/policy_limits.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "common/conf_file.h"

enum { DAY_MIN = 24 * 60, DAY_SEC = 86400, WEEK_SEC = 7 * DAY_SEC, WORD_MAX = 80 };

/* The next word; false at the end. One that is too long is cut, and then fits nothing. */
static bool
next_word(const char **at, char ret[static WORD_MAX])
{
	size_t len;

	*at += strspn(*at, " \t");
	len = strcspn(*at, " \t");
	(void)snprintf(ret, WORD_MAX, "%.*s", (int)len, *at);
	*at += len;
	return len > 0;
}

/* ---- hours ---- */

/* "Mon" at *at: 0 to 6, or -1. */
static int
take_day(const char **at)
{
	static const char *const days[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", NULL };

	for (int i = 0; days[i] != NULL; i++) {
		if (strncmp(*at, days[i], 3) == 0) {
			*at += 3;
			return i;
		}
	}
	return -1;
}

/* "Mon..Fri", "Sat", "Mon,Wed..Fri" as bits; 0 for anything else. Fri..Mon goes over the end of the week. */
static uint8_t
parse_days(const char *at)
{
	uint8_t days = 0;

	for (;;) {
		int first = take_day(&at), last = first;

		if (first >= 0 && strncmp(at, "..", 2) == 0) {
			at += 2;
			last = take_day(&at);
		}
		if (first < 0 || last < 0)
			return 0;
		for (int day = first;; day = (day + 1) % 7) {
			days |= (uint8_t)(1 << day);
			if (day == last)
				break;
		}
		if (*at != ',')
			return *at == '\0' ? days : 0;
		at++;
	}
}

/* "07:00" to minutes, 24:00 included; false for anything else. */
static bool
take_time(const char **at, uint16_t *ret)
{
	const char *p = *at;
	unsigned hour, minute;

	for (int i = 0; i < 5; i++)
		if (i == 2 ? p[i] != ':' : p[i] < '0' || p[i] > '9')
			return false;
	hour = (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0');
	minute = (unsigned)(p[3] - '0') * 10 + (unsigned)(p[4] - '0');
	*at += 5;
	*ret = (uint16_t)(hour * 60 + minute);
	return minute < 60 && *ret <= DAY_MIN;
}

static bool
parse_span(const char *at, struct hours_window *ret)
{
	return take_time(&at, &ret->begin_min) && *at++ == '-' && take_time(&at, &ret->end_min) && *at == '\0' &&
	    ret->begin_min < DAY_MIN && ret->begin_min != ret->end_min;
}

int
hours_parse(const char *text, struct hours *ret, char *error, size_t size)
{
	char word[WORD_MAX], span[WORD_MAX];
	int r;

	while (next_word(&text, word)) {
		struct hours_window window = { .days = parse_days(word) };

		if (window.days == 0) {
			if (ret->count == 0 || text[strspn(text, " \t")] != '\0')
				return conf_wrong(error, size, "\"%.40s\": write days, times and a zone: Mon..Fri 07:00-19:00 Europe/Berlin",
				    word);
			r = zone_load(word, &ret->zone);
			return r == 0 ? 0 : conf_wrong(error, size, "zone \"%.60s\": %s; write one of /usr/share/zoneinfo", word,
			    r == -ENOENT ? "there is none" : strerror(-r));
		}
		if (!next_word(&text, span) || !parse_span(span, &window))
			return conf_wrong(error, size, "\"%.40s\": after days write times: 07:00-19:00", word);
		if (ret->count == HOURS_WINDOWS_MAX)
			return conf_wrong(error, size, "more than %d times of day", HOURS_WINDOWS_MAX);
		ret->windows[ret->count++] = window;
	}
	return conf_wrong(error, size, "ends without a zone; write one at the end: Mon..Fri 07:00-19:00 Europe/Berlin");
}

void
hours_done(struct hours *hours)
{
	zone_done(&hours->zone);
}

bool
hours_contain(const struct hours *hours, int64_t utc_sec)
{
	int64_t local_sec = utc_sec + zone_offset(&hours->zone, utc_sec);
	int64_t since_monday_sec = ((local_sec + 3 * DAY_SEC) % WEEK_SEC + WEEK_SEC) % WEEK_SEC;	/* 1970-01-01 was a Thursday */
	int weekday = (int)(since_monday_sec / DAY_SEC), minute = (int)(since_monday_sec % DAY_SEC / 60);

	for (size_t i = 0; i < hours->count; i++) {
		const struct hours_window *w = &hours->windows[i];
		bool today = (w->days >> weekday & 1) != 0, yesterday = (w->days >> (weekday + 6) % 7 & 1) != 0;

		if (w->begin_min < w->end_min ? today && minute >= w->begin_min && minute < w->end_min :
		    (today && minute >= w->begin_min) || (yesterday && minute < w->end_min))
			return true;
	}
	return false;
}

/* ---- sources ---- */

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static bool
parse_address(const char *text, uint8_t ret[static 16], bool *ret_is_v4)
{
	*ret_is_v4 = inet_pton(AF_INET, text, ret + 12) == 1;
	if (*ret_is_v4)
		memcpy(ret, mapped, sizeof mapped);
	return *ret_is_v4 || inet_pton(AF_INET6, text, ret) == 1;
}

/* Of IPv4, however it was written; also of networks, since ::/0 and the like have no bits set there. */
static bool
is_mapped(const uint8_t address[static 16])
{
	return memcmp(address, mapped, sizeof mapped) == 0;
}

/* Whether the bits from the n-th on are all zero. */
static bool
rest_is_zero(const uint8_t address[static 16], unsigned bits)
{
	for (unsigned i = bits; i < 128; i++)
		if ((address[i / 8] >> (7 - i % 8) & 1) != 0)
			return false;
	return true;
}

/* One to three digits; UINT_MAX for anything else. */
static unsigned
take_bits(const char *text)
{
	size_t len = strlen(text);
	unsigned bits = 0;

	if (len < 1 || len > 3 || strspn(text, "0123456789") != len)
		return UINT_MAX;
	for (; *text != '\0'; text++)
		bits = bits * 10 + (unsigned)(*text - '0');
	return bits;
}

static int
parse_network(const char *word, struct network *ret, char *error, size_t size)
{
	char address[WORD_MAX];
	const char *slash = strchr(word, '/');
	unsigned most, bits;
	bool is_v4;

	(void)snprintf(address, sizeof address, "%.*s", (int)(slash != NULL ? slash - word : (ptrdiff_t)strlen(word)), word);
	if (!parse_address(address, ret->address, &is_v4))
		return conf_wrong(error, size, "\"%.60s\" is no network; write 192.0.2.0/24, 2001:db8::/32 or local", word);
	most = is_v4 ? 32 : 128;
	bits = slash != NULL ? take_bits(slash + 1) : most;
	if (bits > most)
		return conf_wrong(error, size, "\"%.60s\": write 0 to %u bits after the slash", word, most);
	ret->bits = bits + (is_v4 ? 96 : 0);
	if (!rest_is_zero(ret->address, ret->bits))
		return conf_wrong(error, size, "\"%.60s\": the address has bits beyond its %u; write the network's own", word, bits);
	return 0;
}

int
sources_parse(const char *text, struct sources *ret, char *error, size_t size)
{
	char word[WORD_MAX];
	int r = 0;

	while (r == 0 && next_word(&text, word)) {
		if (strcmp(word, "local") == 0)
			ret->local = true;
		else if (ret->count == SOURCES_MAX)
			r = conf_wrong(error, size, "more than %d networks", SOURCES_MAX);
		else
			r = parse_network(word, &ret->networks[ret->count++], error, size);
	}
	if (r == 0 && ret->count == 0 && !ret->local)
		return conf_wrong(error, size, "is empty; name networks: 192.0.2.0/24 2001:db8::/32");
	return r;
}

/* IPv6 networks hold no IPv4 addresses: whoever writes ::/0 means all of IPv6. */
static bool
network_contains(const struct network *n, const uint8_t address[static 16])
{
	unsigned whole = n->bits / 8, rest = n->bits % 8;

	return is_mapped(n->address) == is_mapped(address) && memcmp(n->address, address, whole) == 0 &&
	    (rest == 0 || ((n->address[whole] ^ address[whole]) >> (8 - rest)) == 0);
}

bool
sources_contain(const struct sources *sources, const char *rhost)
{
	char text[INET6_ADDRSTRLEN + IF_NAMESIZE + 1];
	uint8_t address[16];
	bool is_v4;

	if (rhost[0] == '\0')
		return sources->local;
	if (strlen(rhost) >= sizeof text)
		return false;
	memcpy(text, rhost, strlen(rhost) + 1);
	text[strcspn(text, "%")] = '\0';	/* the interface of a link-local address */
	if (!parse_address(text, address, &is_v4))
		return false;
	for (size_t i = 0; i < sources->count; i++)
		if (network_contains(&sources->networks[i], address))
			return true;
	return false;
}
