/*
 * doctor_secrets.h - which secrets of a directory whoever is bound may read: all entries are looked at, and no value
 * is asked for.
 */
#ifndef ISMS_DOCTOR_SECRETS_H
#define ISMS_DOCTOR_SECRETS_H

#include <stdbool.h>

#include "common/attribute_map.h"
#include "tools/directory_probe.h"
#include "tools/doctor.h"
#include "tools/doctor_targets.h"

/*
 * Note what is found.
 *
 *  p        bound as the host, or as nobody
 *  targets  as the host sees them
 *  nobody   nothing is promised: any secret is one too many
 */
void doctor_secrets(struct doctor *d, const char *uri, struct probe *p, const struct attribute_map *map,
    const struct targets *targets, bool nobody);

#endif
