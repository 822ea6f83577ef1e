/*
 * peers.c - uids of our processes, from the passwd file (see peers.h).
 *
 * Runs in every process of ismsd. It must never ask NSS, and never turn a missing user into uid 0.
 */
#include <config.h>

#include "daemon/peers.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool
peers_is_system(const struct paths *paths)
{
	return strcmp(paths->etc, "/etc/isms") == 0;
}

int
peers_load(const struct paths *paths, struct peers *ret)
{
	struct peers p = { .root = 0, .front = PEERS_NOBODY, .directory = PEERS_NOBODY };
	const struct passwd *pw;
	FILE *f;

	if (!peers_is_system(paths))
		p.root = geteuid();
	f = fopen(paths->passwd, "re");
	if (f == NULL)
		return -errno;
	while ((pw = fgetpwent(f)) != NULL) {
		/* The first line of a name counts, as it does for glibc's "files". */
		if (p.front == PEERS_NOBODY && strcmp(pw->pw_name, "isms") == 0)
			p.front = pw->pw_uid;
		else if (p.directory == PEERS_NOBODY && strcmp(pw->pw_name, "isms-dir") == 0)
			p.directory = pw->pw_uid;
	}
	(void)fclose(f);
	*ret = p;
	return 0;
}

bool
peers_allow(const struct peers *peers, uid_t uid, enum peer sender)
{
	if (uid == PEERS_NOBODY)
		return false;
	switch (sender) {
	case PEER_ANY:
		return true;
	case PEER_ROOT:
		return uid == peers->root;
	case PEER_FRONT:
		return uid == peers->root || uid == peers->front;
	case PEER_DIRECTORY:
		return uid == peers->root || uid == peers->directory;
	case PEER_OURS:
		return uid == peers->root || uid == peers->front || uid == peers->directory;
	case PEER_SERVER:
		break;
	}
	return false;
}

size_t
peers_owners(const struct peers *peers, uid_t ret[static 3])
{
	size_t n = 0;

	ret[n++] = peers->root;
	if (peers->front != PEERS_NOBODY)
		ret[n++] = peers->front;
	if (peers->directory != PEERS_NOBODY)
		ret[n++] = peers->directory;
	return n;
}
