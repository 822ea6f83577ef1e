/*
 * nothing.c - libnss_nothing.so.2: a service that knows nobody. What a first lookup takes with it, glibc takes; and what
 * initgroups takes, in which it hands out as many gids as people.h says of the user, one after the other.
 */
#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stddef.h>
#include <stdlib.h>

#include "tests/benchmark/people.h"

enum nss_status _nss_nothing_getpwnam_r(const char *name, struct passwd *pw, char *buf, size_t size, int *error);
enum nss_status _nss_nothing_initgroups_dyn(const char *name, gid_t primary, long *start, long *size, gid_t **gids,
    long limit, int *error);

enum nss_status
_nss_nothing_getpwnam_r(const char *name, struct passwd *pw, char *buf, size_t size, int *error)
{
	(void)name;
	(void)pw;
	(void)buf;
	(void)size;
	(void)error;
	return NSS_STATUS_NOTFOUND;
}

enum nss_status
_nss_nothing_initgroups_dyn(const char *name, gid_t primary, long *start, long *size, gid_t **gids, long limit, int *error)
{
	const uint32_t count = people_groups_of((uint32_t)strtoul(name + 1, NULL, 10)) - 1;
	gid_t *bigger;

	(void)limit;
	if (*size < *start + count) {
		bigger = realloc(*gids, (size_t)(*start + count) * sizeof *bigger);
		if (bigger == NULL) {
			*error = ENOMEM;
			return NSS_STATUS_TRYAGAIN;
		}
		*gids = bigger;
		*size = *start + count;
	}
	for (uint32_t i = 0; i < count; i++)
		(*gids)[(*start)++] = primary + 1 + i;
	return NSS_STATUS_SUCCESS;
}
