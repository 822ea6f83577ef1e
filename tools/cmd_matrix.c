/*
 * cmd_matrix.c - isms-userctl matrix: who may enter which hosts by which role, for whoever asks for the access matrix.
 *
 * Must never decide anything: reach.c asks policy_decide(), the same function as at a login. A person of several roles
 * stands in each of them, and only where all of them let him in.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "common/policy_reach.h"
#include "tools/invocation.h"
#include "tools/output.h"
#include "tools/output_csv.h"
#include "tools/reach.h"

#define HOSTS_MAX 256

static const struct column columns[] = {
	{ "role", "ROLE" }, { "host", "HOST" }, { "count", "USERS" }, { "users", "WHO" }, { NULL, NULL },
};
/* One line a person, so that rows can be sorted and compared. */
static const struct column csv_columns[] = {
	{ "role", "" }, { "host", "" }, { "service", "" }, { "user", "" }, { "kind", "" }, { "display", "" }, { "sponsor", "" },
	{ "not_after", "" }, { "sources", "" }, { NULL, NULL },
};

struct matrix {
	struct reach reach;
	struct reach_host *hosts;	/* owned */
	size_t host_count;
	json_t *rows, *people;		/* owned: one a role and host; one a role, host and person */
};

/* --host; else this host and every host and group of hosts that the policy names. */
static enum exit_code
find_hosts(struct matrix *m)
{
	const struct command_line *line = &m->reach.in->line;
	const char *text = command_line_value(line, OPTION_matrix_host);
	bool given = text != NULL;

	m->hosts = calloc(HOSTS_MAX, sizeof *m->hosts);
	if (m->hosts == NULL) {
		output_error("out of memory");
		return EXIT_UNREACHABLE;
	}
	if (!given)
		reach_here(&m->reach, &m->hosts[m->host_count++]);
	for (unsigned i = 0; m->host_count < HOSTS_MAX; i++) {
		text = given ? command_line_nth(line, OPTION_matrix_host, i) : policy_reach_host(m->reach.policy, i);
		if (text == NULL)
			return EXIT_DONE;
		if (!given && strcmp(text, m->hosts[0].name) == 0)
			continue;	/* this host stands there with its groups already */
		if (reach_host_parse(text, &m->hosts[m->host_count]) == 0)
			m->host_count++;
		else if (given) {
			output_error("--host \"%.64s\" is no host; write its name in allow-hosts, or @GROUP", text);
			return EXIT_USAGE;
		}
	}
	output_error("more than %d hosts; name those that matter with --host", HOSTS_MAX);
	return EXIT_REFUSED;
}

static void
add_person(struct matrix *m, json_t *row, const struct identity *id, const struct reach_answer *answer)
{
	json_t *users = json_object_get(row, "users");
	char sponsor[256];

	(void)json_array_append_new(users, output_string(id->name));
	(void)json_object_set_new(row, "count", json_integer((json_int_t)json_array_size(users)));
	(void)json_array_append_new(m->people, json_pack("{s:O, s:O, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "role",
	    json_object_get(row, "role"), "host", json_object_get(row, "host"), "service", m->reach.service, "user",
	    output_string(id->name), "kind", output_string(account_kind_name(id->kind)), "display", output_string(id->display),
	    "sponsor", output_string(account_sponsor_name(id, sponsor, sizeof sponsor)[0] != '\0' ? sponsor : NULL), "not_after",
	    output_time(id->not_after_utc_sec), "sources", answer->sources != NULL ? json_incref(answer->sources) : json_null()));
}

/* The rows of one host: each role that lets in there, and who is in it. */
static void
fill_host(struct matrix *m, const struct reach_host *host)
{
	size_t roles = policy_role_count(m->reach.policy), first = json_array_size(m->rows);
	size_t row_of[POLICY_ROLES_MAX] = { 0 };
	char name[640];

	(void)reach_host_name(host, name, sizeof name);
	for (size_t r = 0; r < roles; r++) {
		row_of[r] = json_array_size(m->rows);
		if (policy_reach_role_host(m->reach.policy, r, host->name, host->groups))
			(void)json_array_append_new(m->rows, json_pack("{s:o, s:o, s:s, s:i, s:[]}", "role",
			    output_string(policy_role_name(m->reach.policy, r)), "host", output_string(name), "service",
			    m->reach.service, "count", 0, "users"));
	}
	for (size_t i = 0; i < m->reach.account.identities.user_count && json_array_size(m->rows) > first; i++) {
		const struct identity *id = &m->reach.account.identities.users[i];
		struct reach_answer answer;

		reach_judge(&m->reach, id, host, &answer);
		for (size_t r = 0; r < roles && answer.decision.verdict == VERDICT_ALLOW; r++)
			if ((answer.decision.roles >> r & 1) != 0)
				add_person(m, json_array_get(m->rows, row_of[r]), id, &answer);
		json_decref(answer.sources);
	}
}

enum exit_code
cmd_matrix(struct invocation *in)
{
	const char *service = command_line_value(&in->line, OPTION_matrix_service);
	struct matrix m = { .reach = { .in = in, .service = service != NULL ? service : "sshd" }, .rows = json_array(),
		.people = json_array() };
	enum exit_code code;

	code = reach_open(&m.reach);
	if (code == EXIT_DONE)
		code = find_hosts(&m);
	for (size_t i = 0; code == EXIT_DONE && i < m.host_count; i++)
		fill_host(&m, &m.hosts[i]);
	if (code == EXIT_DONE && command_line_has(&in->line, OPTION_matrix_csv))
		output_csv(m.people, csv_columns);
	else if (code == EXIT_DONE && in->json)
		(void)output_json(m.rows);
	else if (code == EXIT_DONE)
		output_table(m.rows, columns);
	json_decref(m.rows);
	json_decref(m.people);
	free(m.hosts);
	reach_close(&m.reach);
	return code;
}
