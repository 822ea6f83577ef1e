/*
 * cmd_config.c - isms-userctl config check, config show: isms.conf as the processes would read it.
 *
 * Must never change anything, and never judge otherwise than the processes: the same parser answers.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/policy.h"
#include "tools/invocation.h"
#include "tools/local_managed.h"
#include "tools/output.h"

static const struct column columns[] = {
	{ "section", "SECTION" }, { "key", "KEY" }, { "is_default", "DEFAULT" }, { "value", "VALUE" }, { NULL, NULL },
};

/* Nothing of /etc/isms may be written by others, or they set the rules. */
static bool
is_safe(const char *folder)
{
	struct stat st;

	if (stat(folder, &st) < 0 || (st.st_mode & 022) == 0)
		return true;
	output_error("%s: others may write here; chmod go-w %s", folder, folder);
	return false;
}

/* Whether the policy, if it can be read at all (which is policy check's to say), leaves somebody to mend this host. */
static enum exit_code
check_managed(const struct invocation *in)
{
	struct policy *policy = NULL;
	enum exit_code code = EXIT_DONE;
	char error[1024];

	if (policy_load(in->paths.etc, &policy, error, sizeof error) == 0)
		code = local_managed_check(in, policy);
	policy_free(policy);
	return code;
}

enum exit_code
cmd_config_check(struct invocation *in)
{
	enum exit_code code = invocation_settings(in);

	if (code == EXIT_DONE && !is_safe(in->paths.etc))
		code = EXIT_REFUSED;
	if (code == EXIT_DONE)
		code = check_managed(in);
	if (in->json) {
		json_t *result = json_pack("{s:s, s:b}", "file", in->paths.etc, "ok", code == EXIT_DONE);

		(void)output_json(result);
		json_decref(result);
	} else if (code == EXIT_DONE)
		output_line("%s/isms.conf: every setting is right", in->paths.etc);
	return code;
}

enum exit_code
cmd_config_show(struct invocation *in)
{
	enum exit_code code = invocation_settings(in);
	json_t *rows = json_array();
	const struct option_info *option;
	char value[1100];

	for (option = settings_options; code == EXIT_DONE && option->section != NULL; option++) {
		if (settings_format(&in->settings, option, value, sizeof value) < 0)
			continue;
		(void)json_array_append_new(rows, json_pack("{s:s, s:s, s:o, s:s, s:b, s:s, s:s}", "section", option->section,
		    "key", option->key, "value", output_string(value), "default", option->fallback, "is_default",
		    strcmp(value, option->fallback) == 0, "unit", option->unit, "help", option->help));
	}
	if (code == EXIT_DONE && in->json)
		(void)output_json(rows);
	else if (code == EXIT_DONE)
		output_table(rows, columns);
	json_decref(rows);
	return code;
}
