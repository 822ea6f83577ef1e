/*
 * homes.c - counts of paths (see homes.h). Publisher only.
 */
#include <config.h>

#include "daemon/homes.h"

#include <string.h>

#include "common/siphash.h"

void
homes_done(struct homes *h)
{
	tally_done(&h->here);
	tally_done(&h->below);
}

void
homes_clear(struct homes *h)
{
	tally_clear(&h->here);
	tally_clear(&h->below);
}

/* Length without slashes at the end. */
static size_t
path_len(const char *home)
{
	size_t len = strlen(home);

	while (len > 0 && home[len - 1] == '/')
		len--;
	return len;
}

size_t
homes_depth(const char *home)
{
	size_t len = path_len(home), parts = 0;

	for (size_t i = 0; i < len; i++)
		parts += home[i] == '/';
	return parts;
}

int
homes_reserve(struct homes *h, size_t count, size_t outer)
{
	int r;

	r = tally_reserve(&h->here, count);
	return r < 0 ? r : tally_reserve(&h->below, outer);
}

/* Call a function for each folder strictly above a home, but for the root. */
static void
each_outer(struct hash_tally *t, const uint64_t secret[2], const char *home, void (*call)(struct hash_tally *, uint64_t))
{
	size_t len = path_len(home);

	for (size_t i = 1; i < len; i++)
		if (home[i] == '/')
			call(t, siphash13(secret, home, i));
}

void
homes_add(struct homes *h, const uint64_t secret[2], const char *home)
{
	tally_add(&h->here, siphash13(secret, home, path_len(home)));
	each_outer(&h->below, secret, home, tally_add);
}

void
homes_remove(struct homes *h, const uint64_t secret[2], const char *home)
{
	tally_remove(&h->here, siphash13(secret, home, path_len(home)));
	each_outer(&h->below, secret, home, tally_remove);
}

void
homes_add_place(struct hash_tally *here, const uint64_t secret[2], const char *home)
{
	tally_add(here, siphash13(secret, home, path_len(home)));
}

bool
homes_has_outer(const struct hash_tally *here, const uint64_t secret[2], const char *home)
{
	size_t len = path_len(home);

	if (here->used == 0)
		return false;
	for (size_t i = 1; i < len; i++)
		if (home[i] == '/' && tally_count(here, siphash13(secret, home, i)) > 0)
			return true;
	return false;
}

bool
homes_has_inner(const struct homes *h, const uint64_t secret[2], const char *home)
{
	return h->below.used > 0 && tally_count(&h->below, siphash13(secret, home, path_len(home))) > 0;
}
