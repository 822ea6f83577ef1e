/*
 * tree.c - an ordered set of pointers, balanced, so that no choice of keys makes it slow.
 *
 * Directory process and isms-userctl (through entry.c). It owns its nodes and never the items.
 */
#include <config.h>

#include "common/tree.h"

#include <search.h>
#include <stddef.h>

const void *
tree_add(void **root, const void *item, tree_order *order)
{
	const void *const *node = tsearch(item, root, order);

	return node != NULL ? *node : NULL;
}

const void *
tree_find(void *const *root, const void *key, tree_order *order)
{
	const void *const *node = tfind(key, root, order);

	return node != NULL ? *node : NULL;
}

void
tree_remove(void **root, const void *key, tree_order *order)
{
	(void)tdelete(key, root, order);
}

static void
keep_item(void *item)
{
	(void)item;
}

void
tree_done(void **root)
{
	if (*root != NULL)
		tdestroy(*root, keep_item);
	*root = NULL;
}
