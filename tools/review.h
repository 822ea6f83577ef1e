/*
 * review.h - reviews of access in the directory: campaigns, whom they are about, and what was decided.
 *
 * A campaign is an entry ismsReview below ou=reviews, a decision an entry ismsReviewDecision below its campaign, named
 * by the account: one decision for each account and campaign, never changed (acl-sample.ldif lets operators add
 * alone).
 */
#ifndef ISMS_REVIEW_H
#define ISMS_REVIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "tools/account.h"

#define REVIEW_UNIT		"reviews"
#define REVIEW_NAME_MAX		64
#define REVIEW_SCOPE_MAX	128

struct review {
	char name[REVIEW_NAME_MAX + 1];
	char dn[ACCOUNT_DN_MAX];
	char scope[REVIEW_SCOPE_MAX];	/* "all", "kind:contractor", "group:web-deploy" */
	const char *reviewer_dn;	/* borrowed from the entry; NULL: whoever may */
	int64_t opened_utc_sec, due_utc_sec, closed_utc_sec;	/* 0: none, not yet */
};

/* Whether a scope can be one; says so if not. */
bool review_scope_allowed(const char *scope);

/* The campaign of an entry. Returns false for an entry that is none, or not where those below the base stand. */
bool review_of(const struct entry *e, const char *base, struct review *ret);

/*
 * Find a campaign.
 *
 *  name  NULL: the only one that is open
 *
 * Returns EXIT_DONE, or EXIT_REFUSED after it has said why.
 */
enum exit_code review_find(const struct account *account, const char *name, struct review *ret);

/* The group of a scope "group:NAME"; NULL: it is about accounts. */
const char *review_group(const struct review *review);

/* Whether the campaign is about an account: in its scope, and neither disabled nor at its end, which have no access. */
bool review_has(const struct account *account, const struct review *review, const struct identity *id,
    int64_t now_utc_sec);

/* The DN that a decision has. Returns 0 or -errno. */
int review_decision_dn(const struct review *review, const char *user, char *buf, size_t size);

/* What was decided about an account; NULL: nothing yet. */
const struct entry *review_decision(const struct account *account, const struct review *review, const char *user);

/* How many accounts of the campaign wait for a decision. */
unsigned review_open_items(const struct account *account, const struct review *review, int64_t now_utc_sec);

/*
 * What a reviewer is to look at: one account as it is, and what was decided.
 *
 *  seen_utc_sec  when the data was looked at; older than [login] max-data-age is flagged
 *
 * Returns an object, or NULL without memory.
 */
json_t *review_row(const struct invocation *in, const struct account *account, const struct review *review,
    const struct identity *id, int64_t seen_utc_sec);

/* Why what was seen at a time does not do for a signature; NULL: it does. buf receives it. */
const char *review_stale(const struct invocation *in, int64_t seen_utc_sec, char *buf, size_t size);

/*
 * The time of --seen.
 *
 *  text  NULL: leaves *ret
 *
 * Returns EXIT_DONE, or EXIT_USAGE after it has said why.
 */
enum exit_code review_seen(const struct invocation *in, const char *text, int64_t *ret_utc_sec);

#endif
