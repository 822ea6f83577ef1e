/*
 * cmd_policy_test.c - isms-userctl policy test FILE: cases with the verdict that each must have, judged by a policy.
 *
 * For the tests of a policy in version control: needs no directory and no process. Must never judge anything itself:
 * what is not said of a case is what a welcome person would bring, and policy_decide() has the word.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/civil_date.h"
#include "common/conf_file.h"
#include "common/exemption.h"
#include "common/policy.h"
#include "tools/factors.h"
#include "tools/invocation.h"
#include "tools/output.h"

enum case_key {
	CASE_USER, CASE_KIND, CASE_GROUPS, CASE_PRIMARY_GROUP, CASE_BEGIN, CASE_END, CASE_DISABLED, CASE_LOCKED,
	CASE_MUST_CHANGE, CASE_TOKENS, CASE_SERVICE, CASE_RHOST, CASE_HOST, CASE_HOST_GROUPS, CASE_AT, CASE_STAGE,
	CASE_FACTORS, CASE_LIVE_SESSION, CASE_ROOT_CALLER, CASE_SPONSOR, CASE_OWNER, CASE_CREATED, CASE_LAST_USE,
	CASE_REVIEWED, CASE_SESSIONS, CASE_EXEMPT,
	CASE_KEY, CASE_SOURCES, CASE_COMMAND, CASE_ARMED, CASE_EXPECT, CASE_EXPECT_GROUPS, CASE_KEY_COUNT
};

/* What a case may say, and what holds where it does not. */
static const struct { const char *key, *usual; } keys[CASE_KEY_COUNT] = {
	[CASE_USER] = { "user", "somebody" },
	[CASE_KIND] = { "kind", "employee" },
	[CASE_GROUPS] = { "groups", "" },
	[CASE_PRIMARY_GROUP] = { "primary-group", "" },
	[CASE_BEGIN] = { "begin", "none" },
	[CASE_END] = { "end", "none" },
	[CASE_DISABLED] = { "disabled", "no" },
	[CASE_LOCKED] = { "locked", "no" },
	[CASE_MUST_CHANGE] = { "must-change", "no" },
	[CASE_TOKENS] = { "tokens", "1" },
	[CASE_SERVICE] = { "service", "sshd" },
	[CASE_RHOST] = { "rhost", "" },
	[CASE_HOST] = { "host-name", "none" },
	[CASE_HOST_GROUPS] = { "host-groups", "none" },
	[CASE_AT] = { "at", "now" },
	[CASE_STAGE] = { "stage", "account" },
	[CASE_FACTORS] = { "factors", "password otp" },
	[CASE_LIVE_SESSION] = { "live-session", "no" },
	[CASE_ROOT_CALLER] = { "root-caller", "no" },
	[CASE_SPONSOR] = { "sponsor", "valid" },
	[CASE_OWNER] = { "owner", "valid" },
	[CASE_CREATED] = { "created", "+0s" },
	[CASE_LAST_USE] = { "last-use", "none" },
	[CASE_REVIEWED] = { "reviewed", "none" },
	[CASE_SESSIONS] = { "sessions", "0" },
	[CASE_EXEMPT] = { "exempt", "" },
	[CASE_KEY] = { "key", "unseen" },
	[CASE_SOURCES] = { "sources", "" },
	[CASE_COMMAND] = { "command", "yes" },
	[CASE_ARMED] = { "armed", "none" },
	[CASE_EXPECT] = { "expect", "" },
	[CASE_EXPECT_GROUPS] = { "expect-groups", NULL },
};

#define BOUND_KEY "bound"		/* stands for a fingerprint of the entry */

struct run {
	const struct policy *policy;
	int64_t now_utc_sec;
	const char *file;
	char name[64];			/* of the case that is being read; "" before the first */
	unsigned line;
	char *values[CASE_KEY_COUNT];	/* owned; NULL: not said */
	struct facts facts;
	struct request request;
	json_t *rows;			/* owned */
	size_t failures;
};

static const char *
said(const struct run *r, enum case_key key)
{
	return r->values[key] != NULL ? r->values[key] : keys[key].usual;
}

/* ---- words to facts -------------------------------------------------------------------------------- */

static int
take_bool(const struct run *r, enum case_key key, uint32_t *ret, char *error, size_t size)
{
	*ret = strcmp(said(r, key), "yes") == 0;
	if (*ret != 0 || strcmp(said(r, key), "no") == 0)
		return 0;
	return conf_wrong(error, size, "%s is neither yes nor no", keys[key].key);
}

/* none, or an instant; relative ones count from the case's own time. */
static int
take_instant(const struct run *r, enum case_key key, int64_t *ret, char *error, size_t size)
{
	*ret = 0;
	if (strcmp(said(r, key), "none") == 0 || civil_date_parse_until(said(r, key), "UTC", r->request.now_utc_sec, ret) == 0)
		return 0;
	return conf_wrong(error, size, "%s: write 2026-12-31T18:00:00Z, +90d or none", keys[key].key);
}

/* The same, or so long before: "-3d". */
static int
take_past(const struct run *r, enum case_key key, int64_t *ret, char *error, size_t size)
{
	int64_t ago;

	if (said(r, key)[0] != '-')
		return take_instant(r, key, ret, error, size);
	if (civil_date_parse_duration(said(r, key) + 1, CIVIL_DATE_MAX_SEC, &ago) < 0)
		return conf_wrong(error, size, "%s: write -3d, 2026-12-31T18:00:00Z or none", keys[key].key);
	*ret = r->request.now_utc_sec - ago;
	return 0;
}

/* One of the words, or -EINVAL that names them all. */
static int
take_word(const struct run *r, enum case_key key, const char *const *words, unsigned *ret, char *error, size_t size)
{
	char all[128] = "";

	for (*ret = 0; words[*ret] != NULL; (*ret)++) {
		if (strcmp(said(r, key), words[*ret]) == 0)
			return 0;
		(void)snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", *ret > 0 ? ", " : "", words[*ret]);
	}
	return conf_wrong(error, size, "%s \"%.40s\" is none of %s", keys[key].key, said(r, key), all);
}

static int
take_digit(const struct run *r, enum case_key key, uint32_t *ret, char *error, size_t size)
{
	const char *text = said(r, key);

	if (strlen(text) != 1 || text[0] < '0' || text[0] > '9')
		return conf_wrong(error, size, "%s: how many the person has, 0 to 9", keys[key].key);
	*ret = (uint32_t)(text[0] - '0');
	return 0;
}

/* Nothing is cut: a longer name would be another one. */
static int
take_text(const struct run *r, enum case_key key, char *to, size_t to_size, char *error, size_t size)
{
	if (strlen(said(r, key)) >= to_size)
		return conf_wrong(error, size, "%s is longer than %zu bytes", keys[key].key, to_size - 1);
	memcpy(to, said(r, key), strlen(said(r, key)) + 1);
	return 0;
}

/* Exemptions without bounds that hold at the time of the case. */
static int
take_exemptions(struct run *r, char *error, size_t size)
{
	char word[32], *to = r->facts.exemptions;
	const char *at = said(r, CASE_EXEMPT);
	size_t len;

	for (at += strspn(at, " \t"); *at != '\0'; at += len, at += strspn(at, " \t")) {
		struct exemption x = { .until_utc_sec = CIVIL_DATE_MAX_SEC };

		len = strcspn(at, " \t");
		(void)snprintf(word, sizeof word, "%.*s", (int)(len < sizeof word ? len : sizeof word - 1), at);
		x.control = exemption_control(word);
		if (x.control == CONTROL_NONE)
			return conf_wrong(error, size, "exempt: name some of mfa, source, dormant, review and hours");
		(void)snprintf(x.name, sizeof x.name, "%s", word);
		to += exemption_format(&x, to, sizeof r->facts.exemptions - (size_t)(to - r->facts.exemptions) - 1);
		if (to > r->facts.exemptions + sizeof r->facts.exemptions - EXEMPTION_LINE_MAX)
			return conf_wrong(error, size, "exempt: each once");
	}
	return 0;
}

/* Who answers for the person, and when he was last used and reviewed: instants of the past, written -3d. */
static int
take_care(struct run *r, char *error, size_t size)
{
	static const char *const states[] = { "none", "valid", "missing", "ended", NULL };
	struct facts *f = &r->facts;

	if (take_word(r, CASE_SPONSOR, states, &f->sponsor_state, error, size) < 0 ||
	    take_word(r, CASE_OWNER, states, &f->owner_state, error, size) < 0 ||
	    take_past(r, CASE_CREATED, &f->created_utc_sec, error, size) < 0 ||
	    take_past(r, CASE_LAST_USE, &f->last_use_utc_sec, error, size) < 0 ||
	    take_past(r, CASE_REVIEWED, &f->reviewed_at_utc_sec, error, size) < 0)
		return -EINVAL;
	return take_exemptions(r, error, size);
}

/* What binds a service account, and whether a break-glass account is armed. */
static int
take_kind(struct run *r, char *error, size_t size)
{
	struct facts *f = &r->facts;

	(void)snprintf(f->keys, sizeof f->keys, BOUND_KEY);
	if (take_text(r, CASE_SOURCES, f->sources, sizeof f->sources, error, size) < 0 ||
	    take_bool(r, CASE_COMMAND, &f->has_command, error, size) < 0 ||
	    take_instant(r, CASE_ARMED, &f->armed_until_utc_sec, error, size) < 0)
		return -EINVAL;
	if (f->armed_until_utc_sec != 0)
		(void)snprintf(f->armed_by, sizeof f->armed_by, "armed");
	return 0;
}

static int
take_person(struct run *r, char *error, size_t size)
{
	static const char *const kinds[] = { "employee", "contractor", "service", "break-glass", NULL };
	static const uint32_t kind_of[] = { KIND_EMPLOYEE, KIND_CONTRACTOR, KIND_SERVICE, KIND_BREAK_GLASS };
	struct facts *f = &r->facts;
	uint32_t locked;
	unsigned kind;

	*f = (struct facts){ .state = FACTS_MANAGED, .password_set = 1, .not_after_source = "end", .disabled_source = "disabled" };
	if (take_text(r, CASE_USER, f->user, sizeof f->user, error, size) < 0 ||
	    take_text(r, CASE_PRIMARY_GROUP, f->primary_group, sizeof f->primary_group, error, size) < 0 ||
	    take_text(r, CASE_GROUPS, f->groups, sizeof f->groups, error, size) < 0 ||
	    take_word(r, CASE_KIND, kinds, &kind, error, size) < 0 ||
	    take_instant(r, CASE_BEGIN, &f->not_before_utc_sec, error, size) < 0 ||
	    take_instant(r, CASE_END, &f->not_after_utc_sec, error, size) < 0 ||
	    take_bool(r, CASE_DISABLED, &f->disabled, error, size) < 0 ||
	    take_bool(r, CASE_LOCKED, &locked, error, size) < 0 ||
	    take_bool(r, CASE_MUST_CHANGE, &f->must_change, error, size) < 0 ||
	    take_digit(r, CASE_TOKENS, &f->token_count, error, size) < 0 || take_care(r, error, size) < 0 ||
	    take_kind(r, error, size) < 0)
		return -EINVAL;
	f->kind = kind_of[kind];
	f->locked_until_utc_sec = locked != 0 ? INT64_MAX : 0;
	return 0;
}

static int
take_request(struct run *r, char *error, size_t size)
{
	static const char *const stages[] = { "auth", "account", "session", NULL };
	static const enum stage stage_of[] = { STAGE_AUTH, STAGE_ACCOUNT, STAGE_SESSION };
	static const char *const key_words[] = { "unseen", "bound", "other", NULL };
	static const char *const keys_of[] = { "", BOUND_KEY, "another" };
	uint32_t live, root;
	unsigned stage, key;

	r->request = (struct request){ .service = said(r, CASE_SERVICE), .rhost = said(r, CASE_RHOST),
		.host = said(r, CASE_HOST), .host_groups = said(r, CASE_HOST_GROUPS), .clock_trusted = true,
		.now_utc_sec = r->now_utc_sec };
	if (strcmp(said(r, CASE_AT), "now") != 0 &&
	    civil_date_parse_until(said(r, CASE_AT), "UTC", r->now_utc_sec, &r->request.now_utc_sec) < 0)
		return conf_wrong(error, size, "at: write 2026-12-31T18:00:00Z, +90d or now");
	if (take_word(r, CASE_STAGE, stages, &stage, error, size) < 0 ||
	    take_bool(r, CASE_LIVE_SESSION, &live, error, size) < 0 ||
	    take_bool(r, CASE_ROOT_CALLER, &root, error, size) < 0 ||
	    take_digit(r, CASE_SESSIONS, &r->request.sessions, error, size) < 0)
		return -EINVAL;
	if (take_word(r, CASE_KEY, key_words, &key, error, size) < 0)
		return -EINVAL;
	r->request.key = keys_of[key];
	r->request.key_unseen = key == 0;
	if (factors_parse(said(r, CASE_FACTORS), &r->request.factors) < 0)
		return conf_wrong(error, size, "factors: name some of password, key, otp, or none");
	r->request.stage = stage_of[stage];
	r->request.live_mfa_session = live != 0;
	r->request.root_caller = root != 0;
	return 0;
}

/* ---- judging ----------------------------------------------------------------------------------------- */

/* The directory's groups that policy leaves, in the case's order. */
static void
kept_groups(const struct run *r, uint64_t roles, char *buf, size_t size)
{
	char name[64];
	size_t used = 0, len;

	buf[0] = '\0';
	for (const char *at = r->facts.groups + strspn(r->facts.groups, " "); *at != '\0'; at += len, at += strspn(at, " ")) {
		len = strcspn(at, " ");
		(void)snprintf(name, sizeof name, "%.*s", (int)(len < sizeof name ? len : sizeof name - 1), at);
		if (policy_group(r->policy, roles, name, false) != GROUP_DROP && used + len + 1 < size)
			used += (size_t)snprintf(buf + used, size - used, "%s%s", used > 0 ? " " : "", name);
	}
}

static void
report(struct run *r, const struct decision *d, const char *got, const char *groups, bool is_right)
{
	(void)json_array_append_new(r->rows, json_pack("{s:o, s:i, s:b, s:s, s:s, s:s, s:s, s:o}", "case",
	    output_string(r->name), "line", (int)r->line, "ok", is_right, "expected", said(r, CASE_EXPECT), "got", got,
	    "reason", reason_token(d->reason), "rule", d->rule, "groups", output_string(groups)));
	r->failures += !is_right;
}

/* The case that was read, if there was one. */
static int
judge(struct run *r, char *error, size_t size)
{
	const char *expect = said(r, CASE_EXPECT), *want_groups = said(r, CASE_EXPECT_GROUPS), *got;
	char groups[1024];
	struct decision d;

	if (r->name[0] == '\0')
		return 0;
	if (strcmp(expect, "allow") != 0 && reason_find(expect) == REASON_NONE)
		return conf_wrong(error, size,
		    "[case %s] (line %u): expect: write allow, or the reason of a refusal (isms-policy(5))", r->name, r->line);
	if (take_request(r, error, size) < 0 || take_person(r, error, size) < 0)
		return -EINVAL;
	policy_decide(&r->facts, r->policy, &r->request, &d);
	kept_groups(r, d.roles, groups, sizeof groups);
	got = d.verdict == VERDICT_ALLOW ? "allow" : reason_token(d.reason);
	report(r, &d, got, groups, strcmp(expect, got) == 0 && (want_groups == NULL || strcmp(want_groups, groups) == 0));
	return 0;
}

static void
forget(struct run *r)
{
	for (size_t i = 0; i < CASE_KEY_COUNT; i++) {
		free(r->values[i]);
		r->values[i] = NULL;
	}
	r->name[0] = '\0';
}

static int
take_line(void *arg, const struct conf_line *line, char *error, size_t size)
{
	struct run *r = arg;
	size_t key = 0;

	if (line->key == NULL) {
		if (judge(r, error, size) < 0)
			return -EINVAL;
		forget(r);
		if (strncmp(line->section, "case ", 5) != 0 || strlen(line->section) - 5 >= sizeof r->name || line->section[5] == '\0')
			return conf_wrong(error, size, "[%s]: write [case NAME], at most %zu bytes", line->section, sizeof r->name - 1);
		(void)snprintf(r->name, sizeof r->name, "%s", line->section + 5);
		r->line = line->line;
		return 0;
	}
	if (r->name[0] == '\0')
		return conf_wrong(error, size, "%s: stands before the first [case NAME]", line->key);
	while (key < CASE_KEY_COUNT && strcmp(keys[key].key, line->key) != 0)
		key++;
	if (key == CASE_KEY_COUNT)
		return conf_wrong(error, size, "%s: unknown key; see POLICY TESTS in isms-policy(5)", line->key);
	if (r->values[key] != NULL)
		return conf_wrong(error, size, "%s: stands in this case for the second time", line->key);
	r->values[key] = strdup(line->value);
	return r->values[key] != NULL ? 0 : -ENOMEM;
}

/* ---- the verb ------------------------------------------------------------------------------------------ */

/* Returns 0 or -errno; *ret is owned by the caller. */
static int
read_file(const char *path, char **ret, size_t *ret_len)
{
	FILE *f = fopen(path, "re");
	char *text;
	int r = 0;

	if (f == NULL)
		return -errno;
	text = malloc(CONF_FILE_BYTES_MAX + 1);
	*ret_len = text != NULL ? fread(text, 1, CONF_FILE_BYTES_MAX + 1, f) : 0;
	if (text == NULL)
		r = -ENOMEM;
	else if (ferror(f) != 0)
		r = -EIO;
	else if (*ret_len > CONF_FILE_BYTES_MAX)
		r = -EFBIG;
	(void)fclose(f);
	if (r < 0) {
		free(text);
		return r;
	}
	*ret = text;
	return 0;
}

static void
print(const struct invocation *in, const struct run *r)
{
	size_t count = json_array_size(r->rows), i;
	const json_t *row;

	if (in->json) {
		(void)output_json(r->rows);
		return;
	}
	json_array_foreach(r->rows, i, row) {
		if (json_is_true(json_object_get(row, "ok")))
			continue;
		output_line("FAIL %s (%s:%d): expected %s, got %s; groups \"%s\"; by %s",
		    json_string_value(json_object_get(row, "case")), r->file, (int)json_integer_value(json_object_get(row, "line")),
		    json_string_value(json_object_get(row, "expected")), json_string_value(json_object_get(row, "got")),
		    json_string_value(json_object_get(row, "groups")), json_string_value(json_object_get(row, "rule")));
	}
	output_line("%zu case%s, %zu failed", count, count == 1 ? "" : "s", r->failures);
}

/* Returns EXIT_DONE when every case is as expected. */
static enum exit_code
run_cases(struct invocation *in, const struct policy *policy, const char *path)
{
	struct run *r = calloc(1, sizeof *r);
	char error[512] = "", *text = NULL;
	enum exit_code code = EXIT_REFUSED;
	size_t len;
	int e;

	if (r == NULL)
		return EXIT_REFUSED;
	*r = (struct run){ .policy = policy, .now_utc_sec = in->now_utc_sec, .file = path, .rows = json_array() };
	e = read_file(path, &text, &len);
	if (e == 0)
		e = conf_parse(text, len, path, take_line, r, error, sizeof error);
	if (e == 0 && (e = judge(r, error, sizeof error)) == 0 && json_array_size(r->rows) == 0)
		e = conf_wrong(error, sizeof error, "%s has no [case NAME]", path);
	if (e < 0)
		output_error("%s", error[0] != '\0' ? error : strerror(-e));
	else {
		print(in, r);
		code = r->failures == 0 ? EXIT_DONE : EXIT_REFUSED;
	}
	forget(r);
	free(text);
	json_decref(r->rows);
	free(r);
	return code;
}

enum exit_code
cmd_policy_test(struct invocation *in)
{
	const char *dir = command_line_value(&in->line, OPTION_policy_test_policy);
	struct policy *policy = NULL;
	char error[1024] = "";
	enum exit_code code = EXIT_REFUSED;

	if (dir == NULL)
		dir = in->paths.etc;
	if (policy_load(dir, &policy, error, sizeof error) == 0)
		code = run_cases(in, policy, in->line.operands[0]);
	else
		output_error("%s", error[0] != '\0' ? error : "policy.conf cannot be read");
	policy_free(policy);
	return code;
}
