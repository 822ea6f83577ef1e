/*
 * fuzz_register.c - changes of the publisher's register, one after the other; after each of them every verdict is the one
 * of a register that was made anew. covers: daemon/register.c daemon/record.c daemon/publisher_judge.c daemon/homes.c
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/publisher_judge.h"
#include "daemon/register.h"
#include "daemon/snapshot_build.h"

#define USERS	48u
#define GROUPS	8u
#define HOMES	8u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = { "ada", "bob", "eve", "joe", "kim", "lea", "isms", "Bad" };
static const char *const homes[HOMES] = { "/home/a", "/home/a/", "/home/a/b", "/home/a/b/c", "/home/c", "/root", "/home/a/c/",
	"/home/d/e" };
static const char *const locals[] = { "adm", "docker" };

struct program {
	const uint8_t *at;
	size_t left;
};

/* What was said last, by key; name == NULL: nothing. */
static struct { const char *name, *home; uint32_t uid; uint8_t mask; } users[USERS];
static struct { const char *name; uint32_t gid; } groups[GROUPS];
static bool user_told[USERS], group_told[GROUPS];	/* in the change that is being made */

static struct settings settings;
static const struct local_accounts local;
static struct snapshot_image image;		/* of what is "published" */
static struct snapshot published;

static uint8_t
next(struct program *p)
{
	if (p->left == 0)
		return 0;
	p->left--;
	return *p->at++;
}

static void
must(bool truth)
{
	if (!truth)
		abort();
}

/* ---- rosters ---- */

static void
put_user(struct roster_writer *w, uint32_t key)
{
	uint32_t gids[100];
	struct roster_user u = { .key = key, .uid = users[key].uid, .gid = 2000, .not_after_utc_sec = users[key].mask,
		.flags = users[key].mask & 3, .name = users[key].name, .gecos = "", .home = users[key].home, .shell = "/bin/sh",
		.contact = "", .groups = gids, .locals = locals, .local_count = users[key].mask & 1 };

	/* Mostly few; sometimes more than are sorted in the plainest way. */
	for (uint32_t i = 0; i < ((users[key].mask & 0xc0) == 0xc0 ? 100 : 8u); i++)
		if ((users[key].mask >> i % 8 & 1) != 0)
			gids[u.group_count++] = 3000 + i * 7919 % 400;
	u.lost = gids;
	u.lost_count = u.group_count < 4 ? u.group_count : 4;
	u.lost_ending = u.lost_count / 2;
	if (u.lost_count > 0)
		u.flags |= ROSTER_LOST;
	must(roster_add_user(w, &u) == 0);
}

static void
put_group(struct roster_writer *w, uint32_t key)
{
	const struct roster_group g = { .key = key, .gid = groups[key].gid, .name = groups[key].name };

	must(roster_add_group(w, &g) == 0);
}

static struct roster *
read_back(struct roster_writer *w)
{
	struct roster *r;
	int fd;

	must(roster_seal(w, &fd) == 0);
	roster_writer_free(w);
	must(roster_open(fd, &r) == 0);
	(void)close(fd);
	return r;
}

static struct roster *
make_whole(void)
{
	struct roster_writer *w = roster_writer_new(ROSTER_WHOLE);

	for (uint32_t i = 0; i < GROUPS; i++)
		if (groups[i].name != NULL)
			put_group(w, i);
	for (uint32_t i = 0; i < USERS; i++)
		if (users[i].name != NULL)
			put_user(w, i);
	return read_back(w);
}

/* What the change says of a key: once each. */
static void
change_user(struct program *p, uint32_t key, bool drop)
{
	if (user_told[key])
		return;
	user_told[key] = true;
	if (drop) {
		users[key].name = NULL;
		return;
	}
	users[key].name = names[next(p) % 8];
	users[key].home = homes[next(p) % HOMES];
	users[key].uid = next(p) % 16 == 0 ? 999 : 2000 + next(p) % 8;
	users[key].mask = next(p);
}

static void
change_group(struct program *p, uint32_t key, bool drop)
{
	if (group_told[key])
		return;
	group_told[key] = true;
	if (drop) {
		groups[key].name = NULL;
		return;
	}
	groups[key].name = names[next(p) % 8];
	groups[key].gid = 3000 + next(p) % 4;
}

static struct roster *
make_change(struct program *p)
{
	struct roster_writer *w = roster_writer_new(ROSTER_CHANGE);
	uint32_t count = 1 + next(p) % 12;

	memset(user_told, 0, sizeof user_told);
	memset(group_told, 0, sizeof group_told);
	while (count-- > 0) {
		uint8_t what = next(p);

		if (what < 40)
			change_group(p, what % GROUPS, what < 12);
		else
			change_user(p, what % USERS, what < 90);
	}
	for (uint32_t i = 0; i < GROUPS; i++)
		if (group_told[i] && groups[i].name != NULL)
			put_group(w, i);
	for (uint32_t i = 0; i < USERS; i++)
		if (user_told[i] && users[i].name != NULL)
			put_user(w, i);
	for (uint32_t i = 0; i < GROUPS; i++)
		if (group_told[i] && groups[i].name == NULL)
			must(roster_drop_group(w, i) == 0);
	for (uint32_t i = 0; i < USERS; i++)
		if (user_told[i] && users[i].name == NULL)
			must(roster_drop_user(w, i) == 0);
	return read_back(w);
}

/* ---- what must hold ---- */

/* Whoever lists a group is counted. */
static void
counts_lists(const struct register_book *b, const struct user_record *user)
{
	struct user_lists lists;
	struct roster_user u;

	user_record_read(user, &lists, &u);
	for (uint32_t i = 0; i < u.group_count; i++)
		must(register_claims(b, u.groups[i]) > 0 && (i == 0 || u.groups[i - 1] < u.groups[i]));
	must(u.local_count == 0 || strcmp(u.locals[0], locals[0]) == 0);
	must(strcmp(user_record_contact(user), u.contact) == 0);
	must((u.lost_count > 0) == ((u.flags & ROSTER_LOST) != 0) && u.lost_ending <= u.lost_count &&
	    u.lost_count <= ROSTER_LOST_MAX);
	for (uint32_t i = 0; i < u.lost_count; i++)
		must(register_claims(b, u.lost[i]) > 0);
}

static void
no_two_alike(const struct register_book *b, enum register_kind kind)
{
	const struct register_table *t = &b->tables[kind];

	for (uint32_t i = 0; i < t->end; i++) {
		const struct record *r = t->list[i];

		if (r == NULL || (r->bits & RECORD_ACCEPTED) == 0)
			continue;
		if (kind == REGISTER_GROUPS) {
			must(&register_group_by_gid(b, r->id)->r == r && id_set_has(&b->gids, r->id));
		} else {
			must(&register_user_by_uid(b, r->id)->r == r && &register_user_by_name(b, record_name(r, kind))->r == r);
			counts_lists(b, record_user(r));
		}
		must(snapshot_id_allowed(r->id) && snapshot_name_allowed(record_name(r, kind), strlen(record_name(r, kind))));
		for (uint32_t k = 0; k < t->end; k++) {
			const struct record *other = t->list[k];
			const char *home, *outer;
			size_t n;

			if (k == i || other == NULL || (other->bits & RECORD_ACCEPTED) == 0)
				continue;
			must(other->id != r->id && strcmp(record_name(other, kind), record_name(r, kind)) != 0);
			if (kind == REGISTER_GROUPS)
				continue;
			home = user_record_home(record_user(r));
			outer = user_record_home(record_user(other));
			n = strlen(outer) - (outer[strlen(outer) - 1] == '/');
			must(strncmp(home, outer, n) != 0 || home[n] != '/' || home[n + 1] == '\0');
		}
	}
}

static void
same_verdicts(const struct register_book *b, const struct register_book *anew)
{
	for (enum register_kind kind = 0; kind < REGISTER_KINDS; kind++) {
		uint32_t keys = kind == REGISTER_USERS ? USERS : GROUPS;

		must(b->tables[kind].count == anew->tables[kind].count && b->tables[kind].accepted == anew->tables[kind].accepted);
		for (uint32_t key = 0; key < keys; key++) {
			const struct record *r = register_at(b, kind, register_find_key(b, kind, key));
			const struct record *other = register_at(anew, kind, register_find_key(anew, kind, key));

			must((r == NULL) == (other == NULL));
			if (r != NULL)
				must(r->why == other->why && ((r->bits ^ other->bits) & RECORD_ACCEPTED) == 0 && r->bits < RECORD_QUEUED);
		}
		no_two_alike(b, kind);
	}
}

/* ---- one step ---- */

static bool
apply(struct register_book *b, struct roster *roster, bool settled, struct judging *j, struct register_edit *edit)
{
	const struct judge_in in = { .settings = &settings, .local = &local, .settled = settled,
		.previous = published.base != NULL ? &published : NULL };
	int r = register_edit_prepare(b, roster, edit);

	roster_free(roster);
	if (r < 0)
		return false;
	must(publisher_judge_prepare(b, edit, &in, j) == 0);
	publisher_judge_run(j);
	return true;
}

static void
judge_anew(const struct register_book *b)
{
	struct register_edit edit;
	struct register_book *anew;
	struct judging j;

	must(register_new(&anew) == 0);
	must(apply(anew, make_whole(), false, &j, &edit));
	same_verdicts(b, anew);
	publisher_judge_done(&j);
	register_edit_done(&edit);
	register_free(anew);
}

static void
publish(const struct register_book *b)
{
	const struct snapshot_header_in header = { .generation = 1, .created_utc_sec = 1, .valid_until_utc_sec = 2,
		.contact = "" };
	struct snapshot_builder *to = snapshot_builder_new();

	for (uint32_t i = 0; i < b->tables[REGISTER_GROUPS].end; i++) {
		const struct record *r = register_at(b, REGISTER_GROUPS, i);

		if (r != NULL && r->why == REFUSAL_NONE)
			must(snapshot_builder_add_group(to, r->id, record_name(r, REGISTER_GROUPS)) == 0);
	}
	for (uint32_t i = 0; i < b->tables[REGISTER_USERS].end; i++) {
		const struct record *r = register_at(b, REGISTER_USERS, i);

		if (r != NULL && r->why == REFUSAL_NONE)
			must(snapshot_builder_add_user(to, r->id, 2000, record_name(r, REGISTER_USERS), "",
			    user_record_home(record_user(r)), "/bin/sh", NULL, 0) == 0);
	}
	snapshot_image_done(&image);
	must(snapshot_image_make(to, &header, &image) == 0);
	snapshot_builder_free(to);
	published = (struct snapshot){ .base = image.bytes, .size = image.size };
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct program p = { .at = data, .left = size < 4000 ? size : 4000 };
	struct register_book *b;
	bool settled = false;

	settings_defaults(&settings);
	published = (struct snapshot){ 0 };
	must(register_new(&b) == 0);
	memset(users, 0, sizeof users);
	memset(groups, 0, sizeof groups);
	while (p.left > 0) {
		struct register_edit edit;
		struct judging j;

		must(apply(b, make_change(&p), settled, &j, &edit));	/* to drop whom nobody knows is no fault */
		judge_anew(b);
		settled = next(&p) % 8 != 0;		/* else it could not be written */
		if (settled) {
			publish(b);
			publisher_judge_settle(&j);
		}
		publisher_judge_done(&j);
		register_edit_done(&edit);
	}
	register_free(b);
	snapshot_image_done(&image);
	return 0;
}
