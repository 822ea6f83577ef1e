/*
 * identity_groups.c - who is in which group: memberUid by name, member by DN, groups within groups.
 *
 * Directory process and isms-userctl. Works in arrays that grow with the number of memberships and
 * walks each user's groups upwards once, so cycles end and a group of 100,000 costs no more than its
 * members. It must never drop a membership silently: a policy role may restrict by it.
 */
#include <config.h>

#include "common/identity_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/siphash.h"
#include "common/snapshot.h"

#define NO_GROUP UINT32_MAX

/* A group-like entry: posixGroup, or one that only holds members of others. */
struct node {
	const struct entry *entry;
	uint32_t group;			/* index of all->groups, or NO_GROUP */
};

/* child < user_count: a user; else node child - user_count. */
struct edge {
	uint32_t child, parent;		/* parent: a node */
};

/* A slot of the table of DNs; several entries of one DN stand in several slots of its run. */
struct place {
	const char *ndn;		/* borrowed; NULL: free */
	uint64_t hash;
	uint32_t child;
};

struct graph {
	struct identities *all;
	struct node *nodes;
	size_t node_count;
	struct edge *edges;		/* sorted by child once complete */
	size_t edge_count, edge_room;
	struct place *places;		/* users and nodes by DN: open addressing */
	size_t place_mask;		/* a power of two, minus one */
	uint64_t secret[2];		/* of its hashes: no author of entries can make long runs */
	uint32_t *seen, *queue;		/* per node: stamp of the walk; nodes of this walk */
	uint32_t stamp;
};

bool
identity_is_group(const struct entry *e)
{
	return entry_has_class(e, "posixGroup") || entry_has_class(e, "groupOfNames") ||
	    entry_has_class(e, "groupOfMembers");
}

int
identity_read_groups(const struct entry *const *below_base, size_t count, const struct settings *settings,
    struct identities *all)
{
	int r = 0;

	all->groups = calloc(count + 1, sizeof *all->groups);
	if (all->groups == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count && r == 0; i++) {
		const struct entry *e = below_base[i];
		struct identity_group *g = &all->groups[all->group_count];
		struct fault fault = { "" };
		const char *name;

		if (!entry_has_class(e, "posixGroup"))
			continue;
		identity_check_sizes(e, &fault);
		name = identity_single(e, "cn", &fault);
		*g = (struct identity_group){ .entry = e, .gid = identity_read_id(e, "gidNumber", settings, &fault) };
		if (name != NULL && snapshot_name_allowed(name, strlen(name))) {
			memcpy(g->name, name, strlen(name) + 1);
			all->group_count++;
		} else
			identity_fault(&fault, "cn \"%.40s\" cannot be a group's name here (a-z 0-9 _ . -, at most 32)",
			    name != NULL ? name : "");
		if (fault.text[0] != '\0') {
			g->gid = 0;
			r = identity_add_fault(all, e, fault.text);
		}
	}
	return r;
}

static int
compare_edges(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	if (x->child != y->child)
		return x->child < y->child ? -1 : 1;
	return x->parent < y->parent ? -1 : x->parent > y->parent;
}

static int
add_edge(struct graph *g, uint32_t child, uint32_t parent)
{
	if (g->edge_count == g->edge_room) {
		size_t room = g->edge_room == 0 ? 256 : g->edge_room * 2;
		struct edge *edges = reallocarray(g->edges, room, sizeof *edges);

		if (edges == NULL)
			return -ENOMEM;
		g->edges = edges;
		g->edge_room = room;
	}
	g->edges[g->edge_count++] = (struct edge){ child, parent };
	return 0;
}

static void
add_place(struct graph *g, const char *ndn, uint32_t child)
{
	uint64_t hash = siphash13(g->secret, ndn, strlen(ndn));
	size_t at = hash & g->place_mask;

	while (g->places[at].ndn != NULL)
		at = (at + 1) & g->place_mask;
	g->places[at] = (struct place){ ndn, hash, child };
}

/* Room for so many, half empty. Returns 0 or -ENOMEM. */
static int
make_places(struct graph *g, size_t count)
{
	size_t room = 16;

	while (room < count * 2)
		room *= 2;
	g->places = calloc(room, sizeof *g->places);
	g->place_mask = room - 1;
	return g->places != NULL && getrandom(g->secret, sizeof g->secret, 0) == (ssize_t)sizeof g->secret ? 0 : -ENOMEM;
}

static int
list_nodes(struct graph *g, const struct entry *const *below_base, size_t count)
{
	struct identities *all = g->all;
	size_t next = 0;

	g->nodes = calloc(count + 1, sizeof *g->nodes);
	if (g->nodes == NULL || make_places(g, count + all->user_count) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < all->user_count; i++)
		add_place(g, all->users[i].entry->ndn, (uint32_t)i);
	for (size_t i = 0; i < count; i++) {
		struct node *n = &g->nodes[g->node_count];

		if (!identity_is_group(below_base[i]))
			continue;
		*n = (struct node){ .entry = below_base[i], .group = NO_GROUP };
		if (next < all->group_count && all->groups[next].entry == n->entry)	/* both in the entries' order */
			n->group = (uint32_t)next++;
		add_place(g, n->entry->ndn, (uint32_t)(all->user_count + g->node_count++));
	}
	g->seen = calloc(g->node_count + 1, sizeof *g->seen);
	g->queue = calloc(g->node_count + 1, sizeof *g->queue);
	return g->seen != NULL && g->queue != NULL ? 0 : -ENOMEM;
}

/* An edge from everything that has this DN; a DN that nothing has is a former member and is ignored. */
static int
link_dn(struct graph *g, const char *dn, uint32_t parent)
{
	char *ndn = entry_normalise_dn(dn);
	uint64_t hash;
	int r = 0;

	if (ndn == NULL)
		return 0;
	hash = siphash13(g->secret, ndn, strlen(ndn));
	for (size_t at = hash & g->place_mask; g->places[at].ndn != NULL && r == 0; at = (at + 1) & g->place_mask)
		if (g->places[at].hash == hash && strcmp(g->places[at].ndn, ndn) == 0)
			r = add_edge(g, g->places[at].child, parent);
	free(ndn);
	return r;
}

static int
link_node(struct graph *g, uint32_t index)
{
	const struct entry *e = g->nodes[index].entry;
	const struct attribute *members = entry_attribute(e, "member");
	const struct attribute *names = entry_attribute(e, "memberUid");
	int r = 0;

	for (size_t i = 0; members != NULL && i < members->count && r == 0; i++)
		r = link_dn(g, members->values[i].bytes, index);
	for (size_t i = 0; names != NULL && i < names->count && r == 0; i++) {
		const struct identity *user = identities_find(g->all, names->values[i].bytes);

		if (user != NULL)
			r = add_edge(g, (uint32_t)(user - g->all->users), index);
	}
	return r;
}

static int
compare_gids(const void *a, const void *b)
{
	const struct identity_group *const *x = a, *const *y = b;

	return (*x)->gid < (*y)->gid ? -1 : (*x)->gid > (*y)->gid;
}

/* Who has a group as primary group is in it too, also one of his own name: a role that names it must match. */
static int
link_primary_groups(struct graph *g)
{
	struct identities *all = g->all;
	const struct identity_group **by_gid = calloc(all->group_count + 1, sizeof(struct identity_group *));
	uint32_t *node_of = calloc(all->group_count + 1, sizeof *node_of);
	int r = by_gid != NULL && node_of != NULL ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < all->group_count; i++)
		by_gid[i] = &all->groups[i];
	if (r == 0)
		qsort(by_gid, all->group_count, sizeof *by_gid, compare_gids);
	for (size_t i = 0; r == 0 && i < g->node_count; i++)
		if (g->nodes[i].group != NO_GROUP)
			node_of[g->nodes[i].group] = (uint32_t)i;
	for (size_t i = 0; r == 0 && i < all->user_count; i++) {
		struct identity_group key = { .gid = all->users[i].gid };
		const struct identity_group *key_at = &key, **found;

		if (key.gid == 0)
			continue;
		found = bsearch(&key_at, by_gid, all->group_count, sizeof *by_gid, compare_gids);
		if (found != NULL)
			r = add_edge(g, (uint32_t)i, node_of[*found - all->groups]);
	}
	free(by_gid);
	free(node_of);
	return r;
}

/*
 * Active Directory with ids of its own: a user names his primary group by its number in the domain, and the group does not
 * name him. Where ids are made of those numbers (id-from-sid), gidNumber is enough.
 */
struct token {
	uint64_t number;
	uint32_t node;
};

static int
compare_tokens(const void *a, const void *b)
{
	const struct token *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static int
link_primary_tokens(struct graph *g)
{
	struct token *tokens = calloc(g->node_count + 1, sizeof *tokens), key = { 0 };
	const struct token *at, *end;
	struct fault ignored = { "" };
	size_t count = 0;
	int r = 0;

	if (tokens == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < g->node_count; i++) {
		tokens[count].node = (uint32_t)i;
		count += identity_single_number(g->nodes[i].entry, "primaryGroupToken", UINT32_MAX, &ignored, &tokens[count].number);
	}
	qsort(tokens, count, sizeof *tokens, compare_tokens);
	for (size_t i = 0; count > 0 && r == 0 && i < g->all->user_count; i++) {
		if (!identity_single_number(g->all->users[i].entry, "primaryGroupID", UINT32_MAX, &ignored, &key.number))
			continue;
		at = bsearch(&key, tokens, count, sizeof *tokens, compare_tokens);
		for (end = tokens + count; at != NULL && at > tokens && at[-1].number == key.number;)
			at--;
		for (; at != NULL && at < end && at->number == key.number && r == 0; at++)
			r = add_edge(g, (uint32_t)i, at->node);
	}
	free(tokens);
	return r;
}

/* Append the parents of a child that this walk has not seen; returns -E2BIG beyond IDENTITY_GROUPS_MAX. */
static int
queue_parents(struct graph *g, uint32_t child, size_t *used)
{
	size_t low = 0, high = g->edge_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (g->edges[middle].child < child)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < g->edge_count && g->edges[low].child == child; low++) {
		uint32_t parent = g->edges[low].parent;

		if (g->seen[parent] == g->stamp)
			continue;
		if (*used == IDENTITY_GROUPS_MAX)
			return -E2BIG;
		g->seen[parent] = g->stamp;
		g->queue[(*used)++] = parent;
	}
	return 0;
}

/* Walk upwards from a user, level by level. Returns the number of nodes in the queue, -E2BIG, or -ELOOP: too deep. */
static ssize_t
walk(struct graph *g, uint32_t user)
{
	size_t used = 0, at = 0;
	int r;

	g->stamp++;
	r = queue_parents(g, user, &used);
	for (unsigned depth = 1; r == 0 && at < used; depth++) {
		size_t level_end = used;

		if (depth > IDENTITY_GROUP_DEPTH_MAX)
			return -ELOOP;
		for (; at < level_end && r == 0; at++)
			r = queue_parents(g, (uint32_t)(g->all->user_count + g->queue[at]), &used);
	}
	return r < 0 ? r : (ssize_t)used;
}

static int
compare_indexes(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int
break_doubtful(struct identity *user, const char *group)
{
	char what[IDENTITY_FAULT_SIZE];

	(void)snprintf(what, sizeof what, "its group \"%.33s\" is in doubt: see that group's fault", group);
	return identity_break(user, what);
}

static int
link_user(struct graph *g, uint32_t index)
{
	struct identity *user = &g->all->users[index];
	const struct identity_group *doubtful = NULL;
	ssize_t nodes = walk(g, index);
	size_t name_bytes = 0;

	if (nodes == -ELOOP)
		return identity_break(user, "its groups are nested deeper than 16; flatten them");
	if (nodes < 0)
		return identity_break(user, "member of more than 4096 groups");
	user->groups = calloc((size_t)nodes + 1, sizeof *user->groups);
	if (user->groups == NULL)
		return -ENOMEM;
	for (ssize_t i = 0; i < nodes; i++) {
		uint32_t group = g->nodes[g->queue[i]].group;

		if (group == NO_GROUP || g->all->groups[group].whose == IDENTITY_NAME_OTHERS)
			continue;
		if (g->all->groups[group].whose == IDENTITY_NAME_DOUBTFUL) {
			doubtful = &g->all->groups[group];
			continue;
		}
		user->groups[user->group_count++] = group;
		name_bytes += strlen(g->all->groups[group].name) + 1;
	}
	qsort(user->groups, user->group_count, sizeof *user->groups, compare_indexes);
	if (doubtful != NULL)
		return break_doubtful(user, doubtful->name);
	if (name_bytes >= sizeof((struct facts *)NULL)->groups)
		return identity_break(user, "the names of its groups are longer than 40000 bytes together");
	return 0;
}

int
identity_link_groups(const struct entry *const *below_base, size_t count, struct identities *all)
{
	struct graph g = { .all = all };
	int r = list_nodes(&g, below_base, count);

	for (size_t i = 0; r == 0 && i < g.node_count; i++)
		r = link_node(&g, (uint32_t)i);
	if (r == 0)
		r = link_primary_groups(&g);
	if (r == 0)
		r = link_primary_tokens(&g);
	if (r == 0 && g.edge_count > 0)
		qsort(g.edges, g.edge_count, sizeof *g.edges, compare_edges);
	for (size_t i = 0; r == 0 && i < all->user_count; i++)
		r = link_user(&g, (uint32_t)i);
	free(g.nodes);
	free(g.edges);
	free(g.places);
	free(g.seen);
	free(g.queue);
	return r;
}
