/*
 * replica_scene.c - see replica_scene.h.
 */
#include <config.h>

#include "tests/unit/replica_scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/suite.h"

char folder[64], fault[512];
struct replica *r;
struct sync_cookie cookie;
int64_t now_sec;
struct entry_heap *heap;

void
open_it(const char *origin)
{
	fault[0] = '\0';
	ck_assert_int_eq(replica_open(folder, origin, &r, fault, sizeof fault), 0);
	replica_use_heap(r, heap);
}

void
begin(int in_heap)
{
	(void)snprintf(folder, sizeof folder, "%s/isms-replica-XXXXXX", suite_folder());
	ck_assert_ptr_nonnull(mkdtemp(folder));
	cookie = (struct sync_cookie){ .there = true, .len = 3, .bytes = "abc", .server = "ldaps://a" };
	now_sec = 1000;
	heap = NULL;
	if (in_heap != 0)
		ck_assert_int_eq(entry_heap_new(folder, &heap), 0);
	open_it("origin");
	ck_assert_str_eq(fault, "");
	replica_drop(r);
}

void
end(void)
{
	char command[128];

	replica_close(r);
	entry_heap_free(heap);
	for (int i = 0; i < 3; i++) {
		static const char *const names[] = { "replica.db", "replica.db-wal", "replica.db-shm" };

		(void)snprintf(command, sizeof command, "%s/%s", folder, names[i]);
		(void)unlink(command);
	}
	ck_assert_int_eq(rmdir(folder), 0);
}

void
put(unsigned char id, const char *dn, const char *cn)
{
	uint8_t uuid[SYNC_UUID_SIZE] = { id };
	struct entry *e = entry_new(dn);

	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(entry_add_value(e, "cn", cn, strlen(cn)), 0);
	ck_assert_int_eq(entry_add_value(e, "jpegPhoto", "\0\xff\n", 3), 0);
	ck_assert_int_eq(replica_put(r, uuid, e), 0);
}

void
apply(void)
{
	ck_assert_int_eq(replica_apply(r, &cookie, now_sec, fault, sizeof fault), 0);
}

void
remove_user(unsigned char id)
{
	const uint8_t uuid[SYNC_UUID_SIZE] = { 100, id };

	ck_assert_int_eq(replica_remove(r, uuid), 0);
}

static void
show(struct entries *to, const struct entry_change *change)
{
	struct entry *e = change->e != NULL ? entry_ref(change->e) : NULL;

	ck_assert(heap == NULL || change->number != ENTRY_NOWHERE);
	if (e == NULL)
		ck_assert_int_eq(entry_heap_get(heap, change->number, true, &e), 0);
	if (entries_find(to, e->dn) == NULL)
		ck_assert_int_eq(entries_add(to, e), 0);
	else
		entry_free(e);
}

void
shown(struct entries *ret)
{
	struct entry_changes all = { 0 };

	*ret = (struct entries){ 0 };
	replica_tell_all(r);
	ck_assert_int_eq(replica_changes(r, &all), 0);
	ck_assert(all.whole);
	for (int there = 0; there < 2; there++)
		for (size_t i = 0; i < all.count; i++)
			if (all.list[i].gone == (there == 0))
				show(ret, &all.list[i]);
	entry_changes_done(&all);
}
