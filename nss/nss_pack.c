/*
 * nss_pack.c - copies a record into the buffer of whoever asked.
 *
 * Runs inside every process that resolves a name. Never writes past size, never leaves a partial result:
 * what is needed is summed up first, in 64 bits.
 */
#include <config.h>

#include "nss/nss_pack.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* Passwords are never here; "x" also keeps pam_unix from admitting when our PAM module is missing (MEASURED 10). */
static const char no_password[] = "x";

int
nss_pack_user(const struct snapshot_user *user, struct passwd *ret, char *buf, size_t size)
{
	/* Gecos and home lie back to back in the record, and so they will in the answer. */
	size_t name = (size_t)user->name_len + 1, shell = (size_t)user->shell_len + 1;
	size_t both = (size_t)user->gecos_len + user->home_len + 2;
	char *gecos;

	if (name + both + shell + sizeof no_password > size)
		return -ERANGE;
	gecos = buf + name;
	memcpy(buf, user->name, name);
	memcpy(gecos, user->gecos, both);
	memcpy(gecos + both, user->shell, shell);
	memcpy(gecos + both + shell, no_password, sizeof no_password);
	*ret = (struct passwd){
		.pw_name = buf, .pw_passwd = gecos + both + shell,
		.pw_uid = user->uid, .pw_gid = user->gid,
		.pw_gecos = gecos, .pw_dir = gecos + user->gecos_len + 1, .pw_shell = gecos + both,
	};
	return 1;
}

int
nss_pack_group(const struct snapshot_group *group, struct group *ret, char *buf, size_t size)
{
	size_t skip = -(uintptr_t)buf % _Alignof(char *);
	uint64_t pointers = ((uint64_t)group->member_count + 1) * sizeof(char *);
	uint64_t name = (uint64_t)group->name_len + 1;
	char **members = (char **)(void *)(buf + skip);
	int r;

	if (skip + pointers + group->members_len + name + sizeof no_password > size)
		return -ERANGE;
	buf += skip + pointers;
	r = snapshot_group_members(group, buf, members);
	if (r < 0)
		return r;
	members[group->member_count] = NULL;
	buf += group->members_len;
	memcpy(buf, group->name, name);
	memcpy(buf + name, no_password, sizeof no_password);
	*ret = (struct group){
		.gr_name = buf, .gr_passwd = buf + name, .gr_gid = group->gid, .gr_mem = members,
	};
	return 1;
}
