/*
 * nss_paths.c - the compiled-in paths. Neither environment nor settings can change what a setuid program
 * opens here (THREATS I4).
 */
#include <config.h>

#include "nss/nss_paths.h"

#include "common/snapshot.h"

static const struct nss_paths paths = {
	.base = "/var/lib/isms/nss/" SNAPSHOT_BASE_NAME,
	.epoch = "/var/lib/isms/nss/" SNAPSHOT_EPOCH_NAME,
	.owner = 0,
};

const struct nss_paths *
nss_paths(void)
{
	return &paths;
}
