/*
 * grant_edit.h - grants and requests in the directory, for the verbs: what may be granted, the entries.
 *
 * A grant is an entry ismsGrant below ou=grants, a request an entry ismsRequest below ou=requests; the grant that a
 * request came to has its name, so that it can be granted once only.
 */
#ifndef ISMS_GRANT_EDIT_H
#define ISMS_GRANT_EDIT_H

#include <jansson.h>
#include <stdint.h>

#include "tools/account.h"
#include "tools/output.h"

#define GRANT_UNIT		"grants"
#define GRANT_REQUEST_UNIT	"requests"
#define GRANT_NAME_MAX		64

/* Whose and of what. */
struct grant_about {
	const struct identity *member;		/* borrowed from the account */
	const struct identity_group *group;
};

/* The name of a DN's account, or the DN where it has none. Returns buf. */
char *grant_name_of(const struct account *account, const char *dn, char *buf, size_t size);

/* Find both. Returns EXIT_DONE, or EXIT_REFUSED after it has said what is not there. */
enum exit_code grant_find(const struct account *account, const char *user, const char *group, struct grant_about *ret);

/*
 * Whether an approver (actor.h) may give a group for some time: he may act for the member, and the group takes grants
 * of that length.
 *
 * Returns EXIT_DONE, or EXIT_REFUSED after it has said why not.
 */
enum exit_code grant_may(const struct invocation *in, const struct account *account, const struct grant_about *about,
    const char *approver_dn, int64_t length_sec);

/* The last of it alone; length_sec 0: of any length. */
enum exit_code grant_fits(const struct invocation *in, const struct account *account, const struct grant_about *about,
    int64_t length_sec);

/* A new entry's name: a letter and random digits. Returns 0 or -EIO. */
int grant_make_name(char letter, char buf[static 16]);

struct grant_new {
	const char *name;
	const struct grant_about *about;
	int64_t from_utc_sec, until_utc_sec;
	const char *approver_dn, *reason, *ticket, *request_dn;	/* borrowed; the last three may be NULL */
};

/* Hand a new grant over to the directory. Returns 0 or -errno of directory_add(). */
int grant_put(const struct invocation *in, struct account *account, const struct grant_new *grant, char *ret_dn,
    size_t size);

/* A single time of an entry; 0: none, or none that is one. */
int64_t grant_time(const struct entry *e, const char *attribute);

/* Say that the server lacks the schema. Returns whether it has it. */
bool grant_is_known(const struct account *account);

/*
 * All grants, or all requests, as JSON rows; those of a user or group alone where these are given.
 *
 *  user,group  DNs, normalised; NULL: all
 */
json_t *grant_rows(const struct invocation *in, const struct account *account, const char *user, const char *group);
json_t *grant_request_rows(const struct invocation *in, const struct account *account, const char *user);

/* Drop all such rows but those of a state, or of another one where it is not NULL. Returns rows. */
json_t *grant_only(json_t *rows, const char *state, const char *or_state);

/* Print what a verb has done, or would do, by its columns. */
void grant_print(const struct invocation *in, json_t *result, const struct column *columns);

/* Say that memory lacked for what was named on the command line. Returns EXIT_UNREACHABLE. */
enum exit_code grant_out_of_memory(const char *what);

#endif
