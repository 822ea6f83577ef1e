/*
 * test_paths.c - what the module opens when it is linked for tests: files of the folder in ISMS_TEST_NSS,
 * which whoever runs the test owns. Takes the place of nss/nss_paths.c; never part of the product.
 */
#include <config.h>

#include "nss/nss_paths.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/snapshot.h"

static char base[PATH_MAX], epoch[PATH_MAX];
static struct nss_paths paths = { .base = base, .epoch = epoch };

static __attribute__((constructor)) void
take_folder(void)
{
	const char *folder = getenv("ISMS_TEST_NSS");

	(void)snprintf(base, sizeof base, "%s/%s", folder == NULL ? "" : folder, SNAPSHOT_BASE_NAME);
	(void)snprintf(epoch, sizeof epoch, "%s/%s", folder == NULL ? "" : folder, SNAPSHOT_EPOCH_NAME);
	paths.owner = getuid();
}

const struct nss_paths *
nss_paths(void)
{
	return &paths;
}
