/*
 * paths.c - where everything lies, below one root.
 *
 * Runs in every process of ismsd and in isms-userctl. Must never take a path from the environment or
 * make one relative: the root is "" or absolute, and nothing is cut short to fit.
 */
#include <config.h>

#include "common/paths.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int
join(const char *root, const char *path, char to[PATH_MAX])
{
	int n = snprintf(to, PATH_MAX, "%s%s", root, path);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int
paths_init(const char *root, struct paths *ret)
{
	struct paths p;
	int r;

	if (root[0] != '\0' && (root[0] != '/' || root[strlen(root) - 1] == '/'))
		return -EINVAL;
	if ((r = join(root, "/etc/isms", p.etc)) < 0 ||
	    (r = join(root, "/etc/passwd", p.passwd)) < 0 ||
	    (r = join(root, "/etc/group", p.group)) < 0 ||
	    (r = join(root, "/etc/subuid", p.subuid)) < 0 ||
	    (r = join(root, "/etc/subgid", p.subgid)) < 0 ||
	    (r = join(root, "/etc/pam.d", p.pam_d)) < 0 ||
	    (r = join(root, "/var/lib/isms/nss", p.nss)) < 0 ||
	    (r = join(root, "/var/lib/isms/state", p.state)) < 0 ||
	    (r = join(root, "/var/lib/isms/directory", p.directory)) < 0 ||
	    (r = join(root, "/var/lib/isms/replica", p.replica)) < 0 ||
	    (r = join(root, "/run/isms/ismsd.sock", p.front_socket)) < 0 ||
	    (r = join(root, "/run/isms/private/directory.sock", p.directory_socket)) < 0 ||
	    (r = join(root, "/run/isms/private/publisher.sock", p.publisher_socket)) < 0)
		return r;
	*ret = p;
	return 0;
}
