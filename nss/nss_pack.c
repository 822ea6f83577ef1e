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
	/* The strings lie back to back in the record, and so they will in the answer. */
	size_t strings = (size_t)(user->shell - user->name) + user->shell_len + 1;

	if (size < sizeof no_password || strings > size - sizeof no_password)
		return -ERANGE;
	memcpy(buf, user->name, strings);
	memcpy(buf + strings, no_password, sizeof no_password);
	*ret = (struct passwd){
		.pw_name = buf, .pw_passwd = buf + strings,
		.pw_uid = user->uid, .pw_gid = user->gid,
		.pw_gecos = buf + (user->gecos - user->name),
		.pw_dir = buf + (user->home - user->name),
		.pw_shell = buf + (user->shell - user->name),
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
