/*
 * nss_paths.h - what the module opens, and nothing else. An object of its own, so that tests link another.
 */
#ifndef ISMS_NSS_PATHS_H
#define ISMS_NSS_PATHS_H

#include <sys/types.h>

struct nss_paths {
	const char *base, *epoch;	/* absolute */
	uid_t owner;			/* that both files must have */
};

/* Always the same. */
const struct nss_paths *nss_paths(void);

#endif
