/*
 * paths.h - every path of the product below one root ("" on a real system, a folder in tests and rescue).
 */
#ifndef ISMS_PATHS_H
#define ISMS_PATHS_H

#include <limits.h>

struct paths {
	char etc[PATH_MAX];		/* /etc/isms */
	char passwd[PATH_MAX];		/* /etc/passwd */
	char group[PATH_MAX];		/* /etc/group */
	char subuid[PATH_MAX];		/* /etc/subuid */
	char subgid[PATH_MAX];		/* /etc/subgid */
	char pam_d[PATH_MAX];		/* /etc/pam.d */
	char nss[PATH_MAX];		/* /var/lib/isms/nss */
	char state[PATH_MAX];		/* /var/lib/isms/state */
	char directory[PATH_MAX];	/* /var/lib/isms/directory */
	char replica[PATH_MAX];		/* /var/lib/isms/replica */
	char front_socket[PATH_MAX];	/* /run/isms/ismsd.sock */
	char directory_socket[PATH_MAX];	/* /run/isms/private/directory.sock */
	char publisher_socket[PATH_MAX];	/* /run/isms/private/publisher.sock */
};

/*
 * Fill in all paths.
 *
 *  root  "" or an absolute folder without trailing slash
 *
 * Returns 0, -ENAMETOOLONG, or -EINVAL for a root that is neither "" nor absolute or ends in a slash.
 */
int paths_init(const char *root, struct paths *ret);

#endif
