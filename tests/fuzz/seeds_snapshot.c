/*
 * seeds_snapshot.c - sound bases and deltas for fuzz_snapshot to begin with, of the layout that is built today: what is
 * kept from an older one ends at the first check, and nothing behind it is reached.
 *
 * seeds_snapshot FOLDER
 */
#include <config.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/snapshot_build.h"
#include "tests/nss/crowd.h"

enum { GROUPS_MAX = 40, CHANGES_MAX = 60 };

static const char *folder;

static struct snapshot_image
image_of(struct snapshot_builder *b, uint64_t generation)
{
	const struct snapshot_header_in header = crowd_header(generation);
	struct snapshot_image image;

	if (b == NULL || snapshot_image_make(b, &header, &image) != 0)
		errx(EXIT_FAILURE, "a snapshot cannot be built");
	snapshot_builder_free(b);
	return image;
}

/* An input as fuzz_snapshot.c takes it: the size of the base, the base, the delta if there is one. */
static void
write_seed(const char *kind, unsigned number, const struct snapshot_image *base, const struct snapshot_image *delta)
{
	const uint32_t size = (uint32_t)base->size;
	char path[4096];
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/%s-%u", folder, kind, number);
	f = fopen(path, "wxe");
	if (f == NULL || fwrite(&size, sizeof size, 1, f) != 1 || fwrite(base->bytes, base->size, 1, f) != 1 ||
	    (delta != NULL && fwrite(delta->bytes, delta->size, 1, f) != 1) || fclose(f) != 0)
		err(EXIT_FAILURE, "%s", path);
}

/* Lists and groups long enough for whatever takes several at once: each user is in one more, as far as there are. */
static void
ladder(uint32_t users, uint32_t groups)
{
	struct snapshot_builder *b = snapshot_builder_new();
	uint32_t gids[GROUPS_MAX], count;
	struct snapshot_image image;
	char name[16];

	for (uint32_t i = 0; i < groups; i++) {
		gids[i] = 5000 + i;
		(void)snprintf(name, sizeof name, "g%u", i);
		if (snapshot_builder_add_group(b, gids[i], name) != 0)
			errx(EXIT_FAILURE, "group %s", name);
	}
	for (uint32_t i = 0; i < users; i++) {
		(void)snprintf(name, sizeof name, "u%u", i);
		count = i < groups ? i + 1 : groups;
		if (snapshot_builder_add_user(b, 4000 + i, 5000, name, "", "/", "/bin/sh", gids, count) != 0)
			errx(EXIT_FAILURE, "user %s", name);
	}
	image = image_of(b, 7);
	write_seed("ladder", users, &image, NULL);
	snapshot_image_done(&image);
}

/* A base of so many; with deltas of ever more changes, each also upon a base of others, where it does not belong. */
static void
crowds(unsigned percent)
{
	static struct crowd before, now, others;
	struct snapshot_image base, base_of_others, delta;
	unsigned done = 0;

	crowd_begin(&before, percent + 1, percent);
	crowd_begin(&others, percent + 2, percent);
	now = before;
	base = image_of(crowd_build(&before), 7);
	base_of_others = image_of(crowd_build(&others), 7);
	write_seed("base", percent, &base, NULL);
	for (unsigned changes = 0; changes <= CHANGES_MAX; changes = 3 * changes + 1) {
		const struct snapshot s = { .base = base.bytes, .size = base.size };

		for (; done < changes; done++)
			crowd_change(&now);
		delta = image_of(crowd_build_delta(&now, &before, &s), 8);
		write_seed("changed", 100 * percent + changes, &base, &delta);
		write_seed("strange", 100 * percent + changes, &base_of_others, &delta);
		snapshot_image_done(&delta);
	}
	snapshot_image_done(&base_of_others);
	snapshot_image_done(&base);
}

int
main(int argc, char **argv)
{
	if (argc != 2)
		errx(EXIT_FAILURE, "needs a folder");
	folder = argv[1];
	ladder(GROUPS_MAX, GROUPS_MAX);
	ladder(151, 1);	/* names enough for wide registers (snapshot_members.c) */
	crowds(0);
	crowds(10);
	crowds(100);
	return EXIT_SUCCESS;
}
