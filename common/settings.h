/*
 * settings.h - isms.conf, read through the table of options.def.
 */
#ifndef ISMS_SETTINGS_H
#define ISMS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RANGES_MAX 8

struct id_ranges {
	unsigned count;
	struct { uint32_t first, last; } range[RANGES_MAX];
};

typedef char option_STR[1024];
typedef uint32_t option_UINT;
typedef bool option_BOOL;
typedef uint32_t option_SECONDS;
typedef struct id_ranges option_RANGES;

struct settings {
#define OPT(section, key, name, TYPE, ...) option_##TYPE name;
#include "common/options.def"
#undef OPT
};

/* All defaults; cannot fail (a test parses every default). */
void settings_defaults(struct settings *ret);

/*
 * Read isms.conf and conf.d/NAME.conf (in strcmp order) over the defaults. A missing isms.conf is no error.
 *
 *  dir    e.g. "/etc/isms"
 *  error  receives "FILE:LINE: [section] key: what is wrong; what to do"
 *
 * Returns 0, -EINVAL with error set, or another -errno. *ret is written only on success.
 */
int settings_load(const char *dir, struct settings *ret, char *error, size_t size);

/* The same from memory over defaults, for tests and the fuzzer. */
int settings_parse(const char *text, size_t len, const char *name, struct settings *ret, char *error, size_t size);

/*
 * What settings_load() will give once dir has an isms.conf, which it has not yet, of this text. The time zone is for the
 * caller to look for.
 *
 * Returns as settings_load().
 */
int settings_foresee(const char *dir, const char *text, struct settings *ret, char *error, size_t size);

/* Whether id lies in a range. */
bool settings_id_allowed(const struct id_ranges *ranges, uint32_t id);

/* Whether [directory] uri names LDAP servers; else it is a file. */
bool settings_uses_ldap(const struct settings *settings);

/* Whether lookups know every user of the directory; else those whom the policy could let in on this host. */
bool settings_publishes_all(const struct settings *settings);

/* One row of the table, for the manual, `isms-userctl config show` and the tests. */
struct option_info {
	const char *section, *key, *type, *fallback, *unit, *help;
	int64_t min, max;
	size_t offset;
};
extern const struct option_info settings_options[];	/* ends with section == NULL */

/* Write an option's value as the parser would read it. Returns its length or -ENOBUFS. */
int settings_format(const struct settings *settings, const struct option_info *option, char *buf, size_t size);

#endif
