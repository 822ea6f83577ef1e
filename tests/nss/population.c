/*
 * population.c - see population.h. Test programs only.
 */
#include <config.h>

#include "tests/nss/population.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/snapshot_format.h"

static void
must(int r, const char *what)
{
	if (r == 0)
		return;
	fprintf(stderr, "population: %s: %d\n", what, r);
	abort();
}

static void
add_user(struct snapshot_builder *b, const struct population *p, uint32_t i)
{
	uint32_t gids[1024], count = 0;
	char name[16], gecos[32], home[32];

	if (p->per_user >= sizeof gids / sizeof gids[0])
		abort();
	gids[count++] = POPULATION_EVERYBODY;
	for (uint32_t k = 0; k < p->per_user; k++)
		gids[count++] = POPULATION_GID + (i + 7 * k) % p->groups;
	(void)snprintf(name, sizeof name, "u%u", i);
	(void)snprintf(gecos, sizeof gecos, "User %u", i);
	(void)snprintf(home, sizeof home, "/home/u%u", i);
	must(snapshot_builder_add_user(b, POPULATION_UID + i, POPULATION_GID + i % p->groups, name, gecos, home,
	    "/bin/bash", gids, count), name);
}

struct snapshot_builder *
population_build(const struct population *p)
{
	struct snapshot_builder *b = snapshot_builder_new();
	char name[16];

	if (b == NULL)
		abort();
	must(snapshot_builder_add_group(b, POPULATION_EVERYBODY, "everybody"), "everybody");
	for (uint32_t j = 0; j < p->groups; j++) {
		(void)snprintf(name, sizeof name, "g%u", j);
		must(snapshot_builder_add_group(b, POPULATION_GID + j, name), name);
	}
	for (uint32_t i = 0; i < p->users; i++)
		add_user(b, p, i);
	return b;
}

int
population_publish(const struct population *p, const char *dir, const struct snapshot_header_in *header)
{
	struct snapshot_builder *b = population_build(p);
	int r;

	r = snapshot_builder_publish(b, dir, header);
	snapshot_builder_free(b);
	return r;
}
