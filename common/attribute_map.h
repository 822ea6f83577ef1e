/*
 * attribute_map.h - [directory] attribute-map: names of attributes between the standard schema and a server's.
 *
 * Pure. Everything of ours speaks the names of the standard schema; only what talks to a server translates.
 */
#ifndef ISMS_ATTRIBUTE_MAP_H
#define ISMS_ATTRIBUTE_MAP_H

#include <stddef.h>

#define ATTRIBUTE_MAP_TEXT_MAX	1024
#define ATTRIBUTE_MAP_PAIRS_MAX	64

struct attribute_map {
	char text[ATTRIBUTE_MAP_TEXT_MAX];	/* the words, each ended by a NUL */
	struct { size_t ours, theirs; } pairs[ATTRIBUTE_MAP_PAIRS_MAX];	/* where they begin in text */
	size_t count;
};

/*
 * Read "ours=theirs ..." or "none", which settings have checked for its form.
 *
 *  fault  receives what is wrong
 *
 * Returns 0, or -EINVAL for a name that stands twice on one side: whose value would count could not be said.
 */
int attribute_map_init(struct attribute_map *ret, const char *text, char *fault, size_t size);

/*
 * Our name for an attribute that a server delivers.
 *
 * Returns the name; NULL when it is to be ignored: another attribute is mapped to it.
 */
const char *attribute_map_ours(const struct attribute_map *map, const char *theirs);

/* The server's name for an attribute of ours. */
const char *attribute_map_theirs(const struct attribute_map *map, const char *ours);

#endif
