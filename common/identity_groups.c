/*
 * identity_groups.c - who is in which group: memberUid by name, member by DN, groups within groups.
 *
 * Directory process and isms-userctl. Works in arrays that grow with the number of memberships and
 * walks each user's groups upwards once, so cycles end and a group of 100,000 costs no more than its
 * members. What is in what is listed while claims are judged (identity_contest.c), so nothing of that may be asked for
 * before identity_link_groups(). It must never drop a membership silently: a policy role may restrict by it.
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
#include "common/together.h"

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

/* A slot of the table of names, which has the name itself: there are many more members than users. */
struct name_place {
	char name[33];			/* "": free */
	uint32_t user;			/* the first of those who have it */
};

struct identity_graph {
	struct identities *all;
	struct node *nodes;
	size_t node_count;
	struct edge *edges;		/* as they came, until they are sorted */
	size_t edge_count, edge_room;
	size_t named_begin, named_end;	/* edges by name: to the first of those who have it */
	size_t *first_parent;		/* of each child, in parents; one more at the end */
	uint32_t *parents;		/* of all children: nodes */
	struct place *places;		/* users and nodes by DN: open addressing; NULL: nobody has asked */
	size_t place_mask;		/* a power of two, minus one */
	struct name_place *names;	/* users by name: the same */
	size_t name_mask;
	bool shared;			/* several have one name */
	uint64_t secret[2];		/* of their hashes: no author of entries can make long runs */
};

bool
identity_is_group(const struct entry *e)
{
	return entry_has_class(e, "posixGroup") || entry_has_class(e, "groupOfNames") ||
	    entry_has_class(e, "groupOfMembers");
}

bool
identity_read_group(const struct entry *e, const struct settings *settings, struct identity_group *ret, struct fault *fault)
{
	const char *name;
	bool named;

	identity_check_sizes(e, fault);
	name = identity_single(e, "cn", fault);
	*ret = (struct identity_group){ .entry = e, .gid = identity_read_id(e, "gidNumber", settings, fault) };
	named = name != NULL && snapshot_name_allowed(name, strlen(name));
	if (named)
		memcpy(ret->name, name, strlen(name) + 1);
	else
		identity_fault(fault, "cn \"%.40s\" cannot be a group's name here (a-z 0-9 _ . -, at most 32)",
		    name != NULL ? name : "");
	if (fault->text[0] != '\0')
		ret->gid = 0;
	return named;
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
		struct fault fault = { "" };

		if (!entry_has_class(below_base[i], "posixGroup"))
			continue;
		all->group_count += identity_read_group(below_base[i], settings, &all->groups[all->group_count], &fault);
		if (fault.text[0] != '\0')
			r = identity_add_fault(all, below_base[i], fault.text);
	}
	return r;
}

static int
add_edge(struct identity_graph *g, uint32_t child, uint32_t parent)
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
add_place(struct identity_graph *g, const char *ndn, uint32_t child)
{
	uint64_t hash = siphash13(g->secret, ndn, strlen(ndn));
	size_t at = hash & g->place_mask;

	while (g->places[at].ndn != NULL)
		at = (at + 1) & g->place_mask;
	g->places[at] = (struct place){ ndn, hash, child };
}

/* Slots for so many, half of them empty at least; a power of two. */
static size_t
slots_for(size_t count)
{
	size_t slots = 16;

	while (slots < count * 2)
		slots *= 2;
	return slots;
}

/* Returns 0 or -ENOMEM. */
static int
make_places(struct identity_graph *g)
{
	size_t room = slots_for(g->node_count + g->all->user_count);

	g->places = calloc(room, sizeof *g->places);
	if (g->places == NULL)
		return -ENOMEM;
	g->place_mask = room - 1;
	for (size_t i = 0; i < g->all->user_count; i++)
		add_place(g, g->all->users[i].entry->ndn, (uint32_t)i);
	for (size_t i = 0; i < g->node_count; i++)
		add_place(g, g->nodes[i].entry->ndn, (uint32_t)(g->all->user_count + i));
	return 0;
}

static struct name_place *
find_name(const struct identity_graph *g, const char *name)
{
	size_t at = siphash13(g->secret, name, strlen(name)) & g->name_mask;

	while (g->names[at].name[0] != '\0' && strcmp(g->names[at].name, name) != 0)
		at = (at + 1) & g->name_mask;
	return &g->names[at];
}

/* Those of one name stand side by side. Returns 0 or -ENOMEM. */
static int
make_names(struct identity_graph *g)
{
	const struct identities *all = g->all;
	size_t room = slots_for(all->user_count);

	g->names = calloc(room, sizeof *g->names);
	if (g->names == NULL)
		return -ENOMEM;
	g->name_mask = room - 1;
	for (size_t i = 0; i < all->user_count; i++) {
		struct name_place *place = find_name(g, all->users[i].name);

		g->shared = g->shared || place->name[0] != '\0';
		if (all->users[i].name[0] == '\0' || place->name[0] != '\0')
			continue;
		memcpy(place->name, all->users[i].name, sizeof place->name);
		place->user = (uint32_t)i;
	}
	return 0;
}

static int
list_nodes(struct identity_graph *g, const struct entry *const *below_base, size_t count)
{
	struct identities *all = g->all;
	size_t next = 0;

	g->nodes = calloc(count + 1, sizeof *g->nodes);
	if (g->nodes == NULL || getrandom(g->secret, sizeof g->secret, 0) != (ssize_t)sizeof g->secret)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		struct node *n = &g->nodes[g->node_count];

		if (!identity_is_group(below_base[i]))
			continue;
		*n = (struct node){ .entry = below_base[i], .group = NO_GROUP };
		if (next < all->group_count && all->groups[next].entry == n->entry)	/* both in the entries' order */
			n->group = (uint32_t)next++;
		g->node_count++;
	}
	return 0;
}

/* An edge from everything that has this DN; a DN that nothing has is a former member and is ignored. */
static int
link_dn(struct identity_graph *g, const char *dn, uint32_t parent)
{
	char *ndn = entry_normalise_dn(dn);
	uint64_t hash;
	int r = g->places == NULL ? make_places(g) : 0;

	if (ndn == NULL)
		return r;
	hash = siphash13(g->secret, ndn, strlen(ndn));
	for (size_t at = hash & g->place_mask; r == 0 && g->places[at].ndn != NULL; at = (at + 1) & g->place_mask)
		if (g->places[at].hash == hash && strcmp(g->places[at].ndn, ndn) == 0)
			r = add_edge(g, g->places[at].child, parent);
	free(ndn);
	return r;
}

/* The same of a user's name. */
static int
link_name(struct identity_graph *g, const char *name, uint32_t parent)
{
	const struct name_place *place;

	if (name[0] == '\0')
		return 0;
	if (g->names == NULL && make_names(g) < 0)
		return -ENOMEM;
	place = find_name(g, name);
	return place->name[0] != '\0' ? add_edge(g, place->user, parent) : 0;
}

static int
link_members(struct identity_graph *g, uint32_t index, const char *attribute,
    int (*link)(struct identity_graph *g, const char *value, uint32_t parent))
{
	const struct attribute *members = entry_attribute(g->nodes[index].entry, attribute);
	int r = 0;

	for (size_t i = 0; members != NULL && i < members->count && r == 0; i++)
		r = link(g, members->values[i].bytes, index);
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
link_primary_groups(struct identity_graph *g)
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
link_primary_tokens(struct identity_graph *g)
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

/* Edges by child, each one's in the order in which they came. Returns 0 or -ENOMEM. */
static int
sort_edges(struct identity_graph *g)
{
	size_t children = g->all->user_count + g->node_count, *next;

	g->first_parent = calloc(children + 2, sizeof *g->first_parent);
	g->parents = calloc(g->edge_count + 1, sizeof *g->parents);
	if (g->first_parent == NULL || g->parents == NULL)
		return -ENOMEM;
	next = g->first_parent + 1;	/* where the next parent of each goes, which in the end is where those of the next one begin */
	for (size_t i = 0; i < g->edge_count; i++)
		next[g->edges[i].child + 1]++;
	for (size_t i = 1; i <= children; i++)
		next[i] += next[i - 1];
	for (size_t i = 0; i < g->edge_count; i++)
		g->parents[next[g->edges[i].child]++] = g->edges[i].parent;
	free(g->edges);
	g->edges = NULL;
	return 0;
}

/* Some of the users, whose groups are found by walks upwards. */
struct walker {
	struct identity_graph *g;	/* borrowed */
	size_t begin, end;		/* of all->users */
	uint32_t *seen, *queue;		/* owned; per node: stamp of the walk; nodes of this walk */
	uint32_t stamp;
	struct arena memory;		/* owned; of what is said of these users */
	int r;				/* 0 or -ENOMEM */
};

/* Of several of one name it is the first good one who is meant, else the last: whom identities_find() would find. */
static uint32_t
who_is_meant(const struct identities *all, uint32_t first)
{
	uint32_t i = first;

	while (all->users[i].state != FACTS_MANAGED && i + 1 < all->user_count &&
	    strcmp(all->users[i + 1].name, all->users[first].name) == 0)
		i++;
	return i;
}

/* Edges by name lead to whom the name means, now that claims were judged. Returns 0 or -ENOMEM. */
static int
resolve_names(struct identity_graph *g)
{
	/* of the first who has a name, plus one: each is asked for once, however many groups list it */
	uint32_t *meant = g->shared ? calloc(g->all->user_count, sizeof *meant) : NULL;

	if (!g->shared)
		return 0;
	if (meant == NULL)
		return -ENOMEM;
	for (size_t i = g->named_begin; i < g->named_end; i++) {
		uint32_t first = g->edges[i].child;

		if (meant[first] == 0)
			meant[first] = who_is_meant(g->all, first) + 1;
		g->edges[i].child = meant[first] - 1;
	}
	free(meant);
	return 0;
}

/* Append the parents of a child that this walk has not seen; returns -E2BIG beyond IDENTITY_GROUPS_MAX. */
static int
queue_parents(struct walker *w, uint32_t child, size_t *used)
{
	const struct identity_graph *g = w->g;

	for (size_t i = g->first_parent[child]; i < g->first_parent[child + 1]; i++) {
		uint32_t parent = g->parents[i];

		if (w->seen[parent] == w->stamp)
			continue;
		if (*used == IDENTITY_GROUPS_MAX)
			return -E2BIG;
		w->seen[parent] = w->stamp;
		w->queue[(*used)++] = parent;
	}
	return 0;
}

/* Walk upwards from a user, level by level. Returns the number of nodes in the queue, -E2BIG, or -ELOOP: too deep. */
static ssize_t
walk(struct walker *w, uint32_t user)
{
	size_t used = 0, at = 0;
	int r;

	w->stamp++;
	r = queue_parents(w, user, &used);
	for (unsigned depth = 1; r == 0 && at < used; depth++) {
		size_t level_end = used;

		if (depth > IDENTITY_GROUP_DEPTH_MAX)
			return -ELOOP;
		for (; at < level_end && r == 0; at++)
			r = queue_parents(w, (uint32_t)(w->g->all->user_count + w->queue[at]), &used);
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
break_doubtful(struct walker *w, struct identity *user, const char *group)
{
	char what[IDENTITY_FAULT_SIZE];

	(void)snprintf(what, sizeof what, "its group \"%.33s\" is in doubt: see that group's fault", group);
	return identity_break(&w->memory, user, what);
}

static int
link_user(struct walker *w, uint32_t index)
{
	const struct identity_graph *g = w->g;
	struct identity *user = &g->all->users[index];
	const struct identity_group *doubtful = NULL;
	ssize_t nodes = walk(w, index);
	size_t name_bytes = 0;

	if (nodes == -ELOOP)
		return identity_break(&w->memory, user, "its groups are nested deeper than 16; flatten them");
	if (nodes < 0)
		return identity_break(&w->memory, user, "member of more than 4096 groups");
	user->groups = arena_take(&w->memory, (size_t)nodes * sizeof *user->groups, sizeof *user->groups);
	if (user->groups == NULL)
		return -ENOMEM;
	for (ssize_t i = 0; i < nodes; i++) {
		uint32_t group = g->nodes[w->queue[i]].group;

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
		return break_doubtful(w, user, doubtful->name);
	if (name_bytes >= sizeof((struct facts *)NULL)->groups)
		return identity_break(&w->memory, user, "the names of its groups are longer than 40000 bytes together");
	return 0;
}

static void
link_users(void *arg)
{
	struct walker *w = arg;

	w->seen = calloc(w->g->node_count + 1, sizeof *w->seen);
	w->queue = calloc(w->g->node_count + 1, sizeof *w->queue);
	w->r = w->seen != NULL && w->queue != NULL ? 0 : -ENOMEM;
	for (size_t i = w->begin; w->r == 0 && i < w->end; i++)
		w->r = link_user(w, (uint32_t)i);
	free(w->seen);
	free(w->queue);
	w->seen = w->queue = NULL;
}

int
identity_graph_new(const struct entry *const *below_base, size_t count, struct identities *all, struct identity_graph **ret)
{
	struct identity_graph *g = calloc(1, sizeof *g);
	int r = -ENOMEM;

	if (g != NULL) {
		g->all = all;
		r = list_nodes(g, below_base, count);
	}
	for (size_t i = 0; r == 0 && i < g->node_count; i++)
		r = link_members(g, (uint32_t)i, "member", link_dn);
	if (r == 0) {
		r = link_primary_tokens(g);
		g->named_begin = g->edge_count;
	}
	for (size_t i = 0; r == 0 && i < g->node_count; i++)
		r = link_members(g, (uint32_t)i, "memberUid", link_name);
	if (r == 0) {
		g->named_end = g->edge_count;
		*ret = g;
		g = NULL;		/* now owned by the caller */
	}
	identity_graph_free(g);
	return r;
}

int
identity_link_groups(struct identity_graph *g)
{
	struct identities *all = g->all;
	struct walker one = { .g = g, .end = all->user_count / 2 };
	struct walker other = { .g = g, .begin = one.end, .end = all->user_count };
	int r;

	r = resolve_names(g);
	if (r == 0)
		r = link_primary_groups(g);
	if (r == 0)
		r = sort_edges(g);
	if (r < 0)
		return r;
	together(all->user_count, link_users, &one, link_users, &other);
	arena_join(&all->memory, &one.memory);
	arena_join(&all->memory, &other.memory);
	return one.r < 0 ? one.r : other.r;
}

void
identity_graph_free(struct identity_graph *g)
{
	if (g == NULL)
		return;
	free(g->nodes);
	free(g->edges);
	free(g->first_parent);
	free(g->parents);
	free(g->places);
	free(g->names);
	free(g);
}
