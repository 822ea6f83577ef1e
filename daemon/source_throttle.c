/*
 * source_throttle.c - waits for places that failures come from (see source_throttle.h).
 *
 * Runs in the front. It must never lock anybody out for long, grow with the number of addresses, or believe an
 * address more than a root peer's word: it is a brake, not a rule.
 */
#include <config.h>

#include "daemon/source_throttle.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct source {
	char key[SOURCE_KEY_SIZE];	/* "": free */
	unsigned count;
	int64_t last_ms;
};

struct sources {
	struct source list[SOURCES_MAX];
	struct source others;		/* whoever found no place */
};

struct sources *
sources_new(void)
{
	return calloc(1, sizeof(struct sources));
}

void
sources_free(struct sources *all)
{
	free(all);
}

static bool
key_of_address(const char *rhost, char ret[static SOURCE_KEY_SIZE])
{
	struct in6_addr six;
	struct in_addr four;
	char text[INET6_ADDRSTRLEN];

	if (inet_pton(AF_INET6, rhost, &six) == 1 && IN6_IS_ADDR_V4MAPPED(&six))
		memcpy(&four, six.s6_addr + 12, sizeof four);
	else if (inet_pton(AF_INET6, rhost, &six) == 1) {
		if (IN6_IS_ADDR_LOOPBACK(&six))
			return false;
		memset(six.s6_addr + 8, 0, 8);
		(void)snprintf(ret, SOURCE_KEY_SIZE, "6 %s", inet_ntop(AF_INET6, &six, text, sizeof text));
		return true;
	} else if (inet_pton(AF_INET, rhost, &four) != 1) {
		(void)snprintf(ret, SOURCE_KEY_SIZE, "h %.60s", rhost);
		return true;
	}
	if (ntohl(four.s_addr) >> 24 == 127)
		return false;
	(void)snprintf(ret, SOURCE_KEY_SIZE, "4 %s", inet_ntop(AF_INET, &four, text, sizeof text));
	return true;
}

bool
source_key(const char *rhost, const uint32_t *caller, char ret[static SOURCE_KEY_SIZE])
{
	if (rhost[0] != '\0')
		return key_of_address(rhost, ret);
	if (caller == NULL)
		return false;
	(void)snprintf(ret, SOURCE_KEY_SIZE, "u %u", *caller);
	return true;
}

static bool
is_forgotten(const struct source *s, int64_t now_ms)
{
	return s->key[0] == '\0' || now_ms - s->last_ms >= SOURCE_FORGET_MS;
}

/* The place of a key; NULL when it has none. *ret_free: one that could be taken. */
static const struct source *
find(const struct sources *all, const char *key, int64_t now_ms, size_t *ret_free)
{
	*ret_free = SOURCES_MAX;
	for (size_t i = 0; i < SOURCES_MAX; i++) {
		const struct source *s = &all->list[i];

		if (is_forgotten(s, now_ms)) {
			if (*ret_free == SOURCES_MAX)
				*ret_free = i;
		} else if (strcmp(s->key, key) == 0)
			return s;
	}
	return NULL;
}

bool
source_refuses(const struct sources *all, const char *key, int64_t now_ms)
{
	size_t free_at;
	const struct source *s = find(all, key, now_ms, &free_at);
	unsigned beyond;
	int64_t wait_ms;

	if (s == NULL && free_at == SOURCES_MAX)
		s = &all->others;
	if (s == NULL || s->count < SOURCE_FREE_FAILURES)
		return false;
	beyond = s->count - SOURCE_FREE_FAILURES;
	wait_ms = beyond < 8 ? (int64_t)1000 << beyond : SOURCE_WAIT_MAX_MS;
	return now_ms - s->last_ms < (wait_ms < SOURCE_WAIT_MAX_MS ? wait_ms : SOURCE_WAIT_MAX_MS);
}

void
source_count(struct sources *all, const char *key, int64_t now_ms)
{
	size_t free_at;
	const struct source *found = find(all, key, now_ms, &free_at);
	struct source *s;

	if (found != NULL)
		s = &all->list[found - all->list];
	else if (free_at < SOURCES_MAX) {
		s = &all->list[free_at];
		*s = (struct source){ .count = 0 };
		(void)snprintf(s->key, sizeof s->key, "%s", key);
	} else {
		s = &all->others;
		if (now_ms - s->last_ms >= SOURCE_FORGET_MS)
			s->count = 0;
	}
	if (s->count < UINT32_MAX)
		s->count++;
	s->last_ms = now_ms;
}
