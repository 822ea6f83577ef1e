/*
 * attribute_map.h - [directory] attribute-map: names of attributes between the standard schema and a server's, and what
 * kind of server it is.
 *
 * Pure. Everything of ours speaks the names of the standard schema; only what talks to a server translates.
 */
#ifndef ISMS_ATTRIBUTE_MAP_H
#define ISMS_ATTRIBUTE_MAP_H

#include <stddef.h>

#include "common/server_schema.h"
#include "common/settings.h"

#define ATTRIBUTE_MAP_TEXT_MAX	1536	/* the option's and those of the kind of server */
#define ATTRIBUTE_MAP_PAIRS_MAX	64

struct attribute_map {
	char text[ATTRIBUTE_MAP_TEXT_MAX];	/* the words, each ended by a NUL */
	struct { size_t ours, theirs; } pairs[ATTRIBUTE_MAP_PAIRS_MAX];	/* where they begin in text */
	size_t count;
	struct server_schema schema;
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
 * The map of settings, which they have checked for its form: attribute-map, then what the kind of server calls otherwise.
 *
 * As attribute_map_init().
 */
int attribute_map_of(struct attribute_map *ret, const struct settings *settings, char *fault, size_t size);

/*
 * Our name for an attribute that a server delivers.
 *
 * Returns the name; NULL when it is to be ignored: another attribute is mapped to it.
 */
const char *attribute_map_ours(const struct attribute_map *map, const char *theirs);

/* The server's name for an attribute of ours. */
const char *attribute_map_theirs(const struct attribute_map *map, const char *ours);

#endif
