/*
 * policy_scene.h - a welcome contractor before policy_decide(), of whom a test changes one thing.
 */
#ifndef ISMS_POLICY_SCENE_H
#define ISMS_POLICY_SCENE_H

#include "common/policy.h"

#define NOW 1782856800	/* 2026-06-30T22:00:00Z, a Tuesday */

#define CHANGE(name, ...) static void name(struct scene *s) { __VA_ARGS__; }

struct scene {
	struct facts facts;
	struct request request;
	const char *policy;		/* text */
};

/* A row of a test: one thing changed, and what comes of it. */
struct scene_row {
	const char *name;
	void (*change)(struct scene *);
	enum verdict verdict;
	enum reason reason;
	const char *rule;	/* part of it */
};
#define ROW(change, verdict, reason, rule) { #change, change, VERDICT_##verdict, REASON_##reason, rule }

/* Make the welcome contractor. */
void scene_base(struct scene *s);

/* A policy of text, or the test fails; free with policy_free(). */
struct policy *scene_parse(const char *text);

/* What the scene's policy says. */
struct decision scene_decide(const struct scene *s);

/* Random numbers, the same in each run. */
uint64_t scene_random(void);

#define SCENE_SERVICES 7
#define SCENE_GROUPS 4
extern const char *const scene_services[SCENE_SERVICES], *const scene_groups[SCENE_GROUPS];

extern const char scene_key[];	/* fingerprint of a key that exemptions may be bound to */

/* Append a role that matches everybody, with random rules; number 0 always has allow-services. */
void scene_add_random_role(char *text, size_t size, int number);

/* Somebody on host db7, perhaps of group web; the policy stays the base's. */
void scene_make_random(struct scene *s);

/* That the base is let in, and that the row's change has its effect. */
void scene_check(const struct scene_row *row);

#endif
