/*
 * attribute_map.c - names of attributes between the standard schema and a server's.
 *
 * Used by the directory process and isms-userctl. It must never let two attributes of a server become one of ours: a
 * second value of a security attribute denies the user (THREATS I10), and the wrong single one would be worse.
 */
#include <config.h>

#include "common/attribute_map.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *
ours_of(const struct attribute_map *map, size_t i)
{
	return map->text + map->pairs[i].ours;
}

static const char *
theirs_of(const struct attribute_map *map, size_t i)
{
	return map->text + map->pairs[i].theirs;
}

/* One word "ours=theirs" at an offset of text; the "=" becomes the end of ours. */
static int
add_pair(struct attribute_map *map, size_t at, char *fault, size_t size)
{
	char *equals = strchr(map->text + at, '=');
	size_t n = map->count;

	if (equals == NULL || n == ATTRIBUTE_MAP_PAIRS_MAX) {
		(void)snprintf(fault, size, "[directory] attribute-map: \"%.100s\" is not OURS=THEIRS, or one of more than %d",
		    map->text + at, ATTRIBUTE_MAP_PAIRS_MAX);
		return -EINVAL;
	}
	*equals = '\0';
	map->pairs[n].ours = at;
	map->pairs[n].theirs = (size_t)(equals + 1 - map->text);
	for (size_t i = 0; i < n; i++) {
		if (strcasecmp(ours_of(map, i), ours_of(map, n)) != 0 && strcasecmp(theirs_of(map, i), theirs_of(map, n)) != 0)
			continue;
		(void)snprintf(fault, size, "[directory] attribute-map: %.100s=%.100s: each name may stand once on a side",
		    ours_of(map, n), theirs_of(map, n));
		return -EINVAL;
	}
	map->count++;
	return 0;
}

int
attribute_map_init(struct attribute_map *ret, const char *text, char *fault, size_t size)
{
	size_t at, len;
	int r = 0;

	*ret = (struct attribute_map){ .count = 0 };
	if (strcmp(text, "none") == 0)
		return 0;
	if (strlen(text) >= sizeof ret->text) {
		(void)snprintf(fault, size, "[directory] attribute-map is too long");
		return -EINVAL;
	}
	(void)snprintf(ret->text, sizeof ret->text, "%s", text);
	for (at = strspn(ret->text, " \t"); r == 0 && ret->text[at] != '\0';) {
		size_t next;

		len = strcspn(ret->text + at, " \t");
		next = at + len + strspn(ret->text + at + len, " \t");
		ret->text[at + len] = '\0';	/* the separator, or the end itself */
		r = add_pair(ret, at, fault, size);
		at = next;
	}
	return r;
}

/* The kind of server's own name, unless attribute-map has another; at is where its words end. */
static int
add_default(struct attribute_map *map, const struct server_name *name, size_t *at, char *fault, size_t size)
{
	int n;

	for (size_t i = 0; i < map->count; i++)
		if (strcasecmp(ours_of(map, i), name->ours) == 0)
			return 0;
	n = snprintf(map->text + *at, sizeof map->text - *at, "%s=%s", name->ours, name->theirs);
	if (n < 0 || (size_t)n >= sizeof map->text - *at)
		return -EINVAL;
	n = add_pair(map, *at, fault, size) < 0 ? -EINVAL : n + 1;
	*at += n > 0 ? (size_t)n : 0;
	return n > 0 ? 0 : n;
}

int
attribute_map_of(struct attribute_map *ret, const struct settings *settings, char *fault, size_t size)
{
	int r = attribute_map_init(ret, settings->directory_attribute_map, fault, size);
	size_t at = r < 0 ? 0 : strlen(settings->directory_attribute_map) + 1;
	const struct server_name *name;

	server_schema_init(&ret->schema, settings);
	for (name = server_schema_names(ret->schema.kind); r == 0 && name->ours != NULL; name++)
		r = add_default(ret, name, &at, fault, size);
	return r;
}

const char *
attribute_map_ours(const struct attribute_map *map, const char *theirs)
{
	const char *name = theirs;

	for (size_t i = 0; i < map->count; i++) {
		if (strcasecmp(theirs_of(map, i), theirs) == 0)
			return ours_of(map, i);
		if (strcasecmp(ours_of(map, i), theirs) == 0)
			name = NULL;
	}
	return name;
}

const char *
attribute_map_theirs(const struct attribute_map *map, const char *ours)
{
	for (size_t i = 0; i < map->count; i++)
		if (strcasecmp(ours_of(map, i), ours) == 0)
			return theirs_of(map, i);
	return ours;
}
