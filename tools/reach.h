/*
 * reach.h - who may enter a host: everybody of the directory before policy_decide(), with all that he could prove.
 */
#ifndef ISMS_REACH_H
#define ISMS_REACH_H

#include <jansson.h>

#include "common/policy.h"
#include "tools/account_care.h"

/* A host as allow-hosts calls it. */
struct reach_host {
	char name[65], groups[512];	/* "none" or "" for none; groups are separated by spaces */
	bool is_here;			/* this one, whose /etc/passwd comes before the directory */
};

struct reach {
	struct invocation *in;		/* borrowed */
	struct account account;
	struct account_care care;
	struct policy *policy;		/* owned */
	json_t *local;			/* owned; names of /etc/passwd as keys */
	struct facts *facts;		/* owned; of the person who is looked at */
	const char *service, *rhost;	/* rhost NULL: from wherever the roles let him come */
	int64_t at_utc_sec;		/* 0: at the next time that the roles let him in */
};

/* What comes of it for one person on one host. */
struct reach_answer {
	struct decision decision;
	int64_t at_utc_sec;		/* the instant that was judged */
	json_t *sources;		/* owned by the caller: networks he has to come from; NULL: from anywhere */
};

/*
 * Read the directory as the operator, and the policy of /etc/isms.
 *
 *  ret  zeroed but for in, service, rhost, at_utc_sec; close with reach_close(), on failure too
 *
 * Returns EXIT_DONE, or has said what is wrong.
 */
enum exit_code reach_open(struct reach *ret);
void reach_close(struct reach *reach);

/* This host by isms.conf. */
void reach_here(const struct reach *reach, struct reach_host *ret);

/*
 * A host that an option names: "db7", or "@web" for one of that group of hosts.
 *
 * Returns 0 or -EINVAL for what cannot be one.
 */
int reach_host_parse(const char *text, struct reach_host *ret);

/* "db7 @web", as headings have it. Returns buf. */
char *reach_host_name(const struct reach_host *host, char *buf, size_t size);

/*
 * Judge one person. His facts are in reach->facts afterwards.
 *
 *  ret->sources  free with json_decref(); it may be NULL
 */
void reach_judge(struct reach *reach, const struct identity *user, const struct reach_host *host,
    struct reach_answer *ret);

#endif
