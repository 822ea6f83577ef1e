/*
 * tree.h - an ordered set of pointers: tsearch(3) behind a name of our own, because <search.h> defines
 * a "struct entry" too.
 */
#ifndef ISMS_TREE_H
#define ISMS_TREE_H

typedef int tree_order(const void *a, const void *b);

/* Add item, unless one that compares equal is there. Returns the one in the set (item itself when it was added), or NULL without memory. */
const void *tree_add(void **root, const void *item, tree_order *order);

/* The item that compares equal to key; NULL when there is none. */
const void *tree_find(void *const *root, const void *key, tree_order *order);

/* Take it out; the item itself stays the caller's. */
void tree_remove(void **root, const void *key, tree_order *order);

/* Free the set, not the items. */
void tree_done(void **root);

#endif
