/*
 * heap_file.c - finds the file of a heap, which has no name (see heap_file.h).
 */
#include <config.h>

#include "tests/unit/heap_file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/suite.h"

const char *
heap_folder(void)
{
	static char path[256];

	(void)snprintf(path, sizeof path, "%.200s/heap", suite_folder());
	ck_assert(mkdir(path, 0700) == 0 || errno == EEXIST);
	return path;
}

int
heap_file(void)
{
	char path[300], target[300];
	DIR *d = opendir("/proc/self/fd");
	struct dirent *file;
	int found = -1;

	ck_assert_ptr_nonnull(d);
	while ((file = readdir(d)) != NULL) {
		ssize_t n;

		(void)snprintf(path, sizeof path, "/proc/self/fd/%.20s", file->d_name);
		n = readlink(path, target, sizeof target - 1);
		target[n > 0 ? n : 0] = '\0';
		if (strncmp(target, heap_folder(), strlen(heap_folder())) == 0)
			found = atoi(file->d_name);
	}
	(void)closedir(d);
	return found;
}
