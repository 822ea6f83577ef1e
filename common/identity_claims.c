/*
 * identity_claims.c - what one entry claims, as identities_build() would see it, without all else that it says.
 *
 * Pure; the directory process asks it of every entry, several times.
 */
#include <config.h>

#include <string.h>

#include "common/identity_parts.h"
#include "common/snapshot.h"

bool
identity_fold_key(const char *key, char ret[static IDENTITY_KEY_SIZE])
{
	size_t len = strlen(key);

	if (len == 0 || len >= IDENTITY_KEY_SIZE)
		return false;
	for (size_t i = 0; i <= len; i++)
		ret[i] = (char)(key[i] >= 'A' && key[i] <= 'Z' ? key[i] - 'A' + 'a' : key[i]);
	return true;
}

void
identity_number_key(uint32_t number, char ret[static IDENTITY_KEY_SIZE])
{
	char digits[10];
	size_t count = 0;

	for (uint32_t left = number; left > 0 || count == 0; left /= 10)
		digits[count++] = (char)('0' + left % 10);
	for (size_t i = 0; i < count; i++)
		ret[i] = digits[count - 1 - i];
	ret[count] = '\0';
}

struct telling {
	identity_claim_each *each;
	void *arg;
};

static int
tell(const struct telling *to, enum identity_claim kind, const char *key)
{
	char folded[IDENTITY_KEY_SIZE];

	return identity_fold_key(key, folded) ? to->each(kind, folded, to->arg) : 0;
}

static int
tell_id(const struct telling *to, enum identity_claim kind, uint32_t id)
{
	char key[IDENTITY_KEY_SIZE];

	identity_number_key(id, key);
	return id != 0 ? to->each(kind, key, to->arg) : 0;
}

/* One with several uids claims all of them. */
static int
user_claims(const struct entry *e, const struct settings *settings, const struct telling *to)
{
	const struct attribute *names = entry_attribute(e, "uid");
	struct fault ignored = { "" };
	char entry_id[IDENTITY_KEY_SIZE];
	uint32_t uid = identity_read_id(e, "uidNumber", settings, &ignored);
	uint32_t gid = identity_read_id(e, "gidNumber", settings, &ignored);
	int r = 0;

	identity_entry_id(e, &ignored, entry_id);
	for (size_t i = 0; names != NULL && i < names->count && r == 0; i++)
		r = tell(to, CLAIM_NAME, names->values[i].bytes);
	if (r == 0)
		r = tell_id(to, CLAIM_UID, uid);
	if (r == 0)
		r = tell(to, CLAIM_ENTRY_ID, entry_id);
	return r == 0 ? tell_id(to, CLAIM_PRIMARY_GID, gid) : r;
}

static int
group_claims(const struct entry *e, const struct settings *settings, const struct telling *to)
{
	struct fault ignored = { "" };
	struct identity_group group;
	int r;

	if (!identity_read_group(e, settings, &group, &ignored))
		return 0;
	r = tell(to, CLAIM_GROUP_NAME, group.name);
	return r == 0 ? tell_id(to, CLAIM_GID, group.gid) : r;
}

int
identity_claims(const struct entry *e, const struct settings *settings, identity_claim_each *each, void *arg)
{
	const struct telling to = { each, arg };
	int r = entry_has_class(e, "posixAccount") ? user_claims(e, settings, &to) : 0;

	return r == 0 && entry_has_class(e, "posixGroup") ? group_claims(e, settings, &to) : r;
}
