/*
 * policy_parts.h - what policy.conf becomes in memory; for the policy_*.c files alone.
 */
#ifndef ISMS_POLICY_PARTS_H
#define ISMS_POLICY_PARTS_H

#include "common/policy.h"
#include "common/exemption.h"
#include "common/policy_limits.h"

#define ROLE_NAME_MAX	32
#define CLASS_COUNT	(CLASS_UNATTENDED + 1)

/* A list of words, one after the other, each with its NUL. Zeroed is empty. */
struct names {
	char *text;		/* owned */
	size_t size;
};

/* Strictest last: the highest of the matching roles holds. A role that says nothing demands a code. */
enum mfa_rule { MFA_NONE, MFA_IF_ENROLLED, MFA_REQUIRED };

enum role_key {
	KEY_MATCH, KEY_ALLOW_SERVICES, KEY_ALLOW_HOSTS, KEY_MFA, KEY_REQUIRE_EXPIRY, KEY_MAX_TERM, KEY_MAX_SESSION,
	KEY_HOURS, KEY_FROM, KEY_KEEP_GROUPS, KEY_DROP_GROUPS, KEY_CONTACT, KEY_MAX_SESSIONS,
	KEY_REVIEW_EVERY, KEY_DORMANT_AFTER, KEY_ON_END, KEY_REQUIRE_SPONSOR, KEY_OWNER_GRACE, KEY_COUNT
};

struct role {
	char name[ROLE_NAME_MAX + 1];
	char file[48];			/* last part of its path; for messages */
	unsigned line, lines[KEY_COUNT];	/* 0: the key is not given */
	bool match_any;
	unsigned match_kinds;		/* bit: 1 << enum kind; 0: no such term */
	struct names match_users, match_groups;
	struct names allow_services, keep_groups, drop_groups;
	struct names allow_hosts;	/* of hosts; with a leading @ of host groups */
	enum mfa_rule mfa;
	bool require_expiry;
	uint32_t max_session_sec;
	int64_t max_term_sec;		/* 0: no limit */
	uint32_t max_sessions;		/* 0: no limit */
	int64_t review_every_sec, dormant_after_sec;	/* 0: no rule */
	int64_t owner_grace_sec;
	bool deny_new;			/* on-end */
	bool require_sponsor;
	struct hours *hours;		/* owned; NULL: always */
	struct sources *from;		/* owned; NULL: from anywhere */
	char contact[128];
};

struct policy {
	struct role roles[POLICY_ROLES_MAX];
	size_t role_count;
	struct names deny_acl, managed;
	struct names privileged;	/* whose loss ends sessions */
	struct names services[CLASS_COUNT];	/* beyond the table of policy_service.c */
};

/* Append a word. Returns 0 or -ENOMEM. */
int names_add(struct names *names, const char *word);
bool names_has(const struct names *names, const char *word);	/* exactly, with case */
/* Walk: NULL gives the first word; NULL comes back at the end. */
const char *names_next(const struct names *names, const char *word);
void names_done(struct names *names);

/* The class that the built-in table gives a service; false for one that it does not hold. */
bool policy_builtin_class(const char *service, enum service_class *ret);

/* Whether a role's allow-services lets a service in, named or implied. */
bool policy_role_allows(const struct policy *policy, const struct role *role, const char *service);

/* Whether a role lets anybody in on a host of this name and these groups (space-separated); both may be NULL. */
bool policy_role_allows_host(const struct role *role, const char *host, const char *host_groups);

/* Whether a role takes this primary group away, and with it the login; "" is no group. */
bool policy_role_drops_primary(const struct policy *policy, const struct role *role, const char *group);

/* Of these roles the one after another one; after NULL the first. NULL past the last. */
static inline const struct role *
policy_next_role(const struct policy *policy, uint64_t roles, const struct role *after)
{
	size_t i = after != NULL ? (size_t)(after - policy->roles) + 1 : 0;

	while (i < policy->role_count && (roles >> i & 1) == 0)
		i++;
	return i < policy->role_count ? &policy->roles[i] : NULL;
}

/* Whether a word is in a list whose words blanks separate; "" never is. */
bool policy_has_word(const char *list, const char *word);

/* The later of two instants. */
int64_t policy_later(int64_t a_utc_sec, int64_t b_utc_sec);

/* policy_keys.c: values of keys. Return 0, or -EINVAL with what is wrong and what to write in error. */
int policy_parse_max_sessions(struct role *role, const char *value, char *error, size_t size);
int policy_parse_review_every(struct role *role, const char *value, char *error, size_t size);
int policy_parse_dormant_after(struct role *role, const char *value, char *error, size_t size);
int policy_parse_on_end(struct role *role, const char *value, char *error, size_t size);
int policy_parse_require_sponsor(struct role *role, const char *value, char *error, size_t size);
int policy_parse_owner_grace(struct role *role, const char *value, char *error, size_t size);

/* A denial that policy_care.c found. */
struct finding {
	enum reason reason;
	const struct role *role;	/* whose key says so; NULL: the kind of account does */
	enum role_key key;
	const char *what;		/* of the rule, in words */
};

/* Who answers for the user: sponsor, and for a service account its owner. Returns whether it denies. */
bool policy_answers_denies(const struct facts *facts, const struct policy *policy, const struct request *request,
    uint64_t roles, struct finding *ret);

/* Reviews and use in time. Returns whether it denies; exemptions that were needed are noted in out. */
bool policy_care_denies(const struct facts *facts, const struct policy *policy, const struct request *request,
    struct decision *out, struct finding *ret);

/* Whether an exemption in force lowers a control for this request; it is then noted in out. */
bool policy_exempts(const struct facts *facts, const struct request *request, enum control control, struct decision *out);

/*
 * What an account of this kind may not do, whatever the roles say (policy_kind.c).
 *
 *  ret_rule  static words on the rule
 *
 * Returns the reason of a denial, or REASON_NONE.
 */
enum reason policy_kind_denies(const struct facts *facts, const struct request *request, enum stage stage,
    enum service_class class, const char **ret_rule);

/* The strictest rule on codes of these roles, and the role that says so (NULL where none matches). */
enum mfa_rule policy_mfa_rule(const struct policy *policy, uint64_t roles, const struct role **ret_role);

#endif
