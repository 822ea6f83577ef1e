/*
 * group_names.c - group names for events (see group_names.h).
 *
 * Runs in the front. It only describes: it must never decide about a group, nor ask NSS.
 */
#include <config.h>

#include "daemon/group_names.h"

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/snapshot.h"

static void
append(char *buf, size_t size, const char *word)
{
	size_t used = strlen(buf);

	if (used + strlen(word) + 2 <= size)
		(void)snprintf(buf + used, size - used, "%s%s", used == 0 ? "" : " ", word);
}

/* Returns whether /etc/group has the gid. */
static bool
find_local(const struct paths *paths, uint32_t gid, char *name, size_t size)
{
	FILE *f = fopen(paths->group, "re");
	const struct group *gr;
	bool found = false;

	if (f == NULL)
		return false;
	while (!found && (gr = fgetgrent(f)) != NULL) {
		if (gr->gr_gid != gid)
			continue;
		(void)snprintf(name, size, "%s", gr->gr_name);
		found = true;
	}
	(void)fclose(f);
	return found;
}

void
group_names_of(const struct paths *paths, uid_t owner, const char *gids, char *buf, size_t size)
{
	struct snapshot snapshot = { 0 };
	struct snapshot_group group;
	char path[PATH_MAX + sizeof SNAPSHOT_BASE_NAME + 1], name[64], *end;
	bool open;

	buf[0] = '\0';
	(void)snprintf(path, sizeof path, "%s/%s", paths->nss, SNAPSHOT_BASE_NAME);
	open = snapshot_open_state(path, owner, &snapshot) == 0;
	while (*gids != '\0') {
		unsigned long gid = strtoul(gids, &end, 10);

		if (end == gids)
			break;
		gids = end + strspn(end, " ");
		if (gid > UINT32_MAX)
			continue;
		(void)snprintf(name, sizeof name, "%lu", gid);
		if (!find_local(paths, (uint32_t)gid, name, sizeof name) && open &&
		    snapshot_find_gid(&snapshot, (uint32_t)gid, &group) == 1)
			(void)snprintf(name, sizeof name, "%s", group.name);
		append(buf, size, name);
	}
	snapshot_close(&snapshot);
}

static bool
lists(char *const *members, const char *user)
{
	for (; *members != NULL; members++) {
		if (strcmp(*members, user) == 0)
			return true;
	}
	return false;
}

void
group_names_protected(const struct paths *paths, const struct policy *policy, uint64_t roles, const char *user,
    const char *directory_groups, char *buf, size_t size)
{
	FILE *f = fopen(paths->group, "re");
	const struct group *gr;
	char name[64];

	buf[0] = '\0';
	while (f != NULL && (gr = fgetgrent(f)) != NULL) {
		if (lists(gr->gr_mem, user) && policy_group(policy, roles, gr->gr_name, true) == GROUP_PROTECTED)
			append(buf, size, gr->gr_name);
	}
	if (f != NULL)
		(void)fclose(f);
	while (*directory_groups != '\0') {
		size_t len = strcspn(directory_groups, " ");

		if (len > 0 && len < sizeof name) {
			memcpy(name, directory_groups, len);
			name[len] = '\0';
			if (policy_group(policy, roles, name, false) == GROUP_PROTECTED)
				append(buf, size, name);
		}
		directory_groups += len + strspn(directory_groups + len, " ");
	}
}
