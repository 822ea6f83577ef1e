/*
 * fuzz_roster.c - hostile rosters, as the publisher gets them from the directory process. covers: daemon/roster.c
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/roster.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct roster *r = NULL;
	int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || roster_open(fd, &r) != -EPERM ||
	    fcntl(fd, F_ADD_SEALS, ROSTER_SEALS) < 0)
		abort();
	/* From memory it is the same. */
	if (roster_parse(data, size, &r) == 0) {
		roster_free(r);
		r = NULL;
		if (roster_open(fd, &r) < 0)
			abort();
	} else if (roster_open(fd, &r) == 0)
		abort();
	for (uint32_t i = 0; r != NULL && i < roster_group_count(r); i++) {
		const struct roster_group *group = roster_group_at(r, i);
		uint64_t key = group->key;

		/* Each key once, also when it is read a second time. */
		for (uint32_t k = 0; k < i && k < 20; k++)
			if (roster_group_at(r, k)->key == key)
				abort();
		for (uint32_t k = 0; k < roster_dropped_group_count(r) && k < 20; k++)
			if (roster_dropped_group_at(r, k) == key)
				abort();
	}
	if (r != NULL && roster_kind(r) == ROSTER_WHOLE && roster_dropped_group_count(r) + roster_dropped_user_count(r) > 0)
		abort();
	for (uint32_t i = 0; r != NULL && i < roster_user_count(r); i++) {
		const struct roster_user *user = roster_user_at(r, i);

		for (uint32_t k = 0; k < roster_dropped_user_count(r) && k < 20; k++)
			if (roster_dropped_user_at(r, k) == user->key)
				abort();
		if (strlen(user->name) > ROSTER_STR_MAX || strpbrk(user->home, "\n\r\x7f") != NULL)
			abort();
		for (uint32_t k = 0; k < user->local_count; k++)
			if (strlen(user->locals[k]) > ROSTER_STR_MAX)
				abort();
	}
	if (r != NULL && (roster_group_at(r, roster_group_count(r)) != NULL || roster_user_at(r, roster_user_count(r)) != NULL))
		abort();
	roster_free(r);
	(void)close(fd);
	return 0;
}
