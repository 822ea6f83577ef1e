/*
 * cmd_doctor.c - isms-userctl doctor: looks for the usual holes of a host and names the cure of each.
 *
 * Must never change anything, and never run another program: it reads the files that sshd, PAM and glibc read.
 */
#include <config.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tools/doctor.h"
#include "tools/output.h"

static const char *const states[] = { [FINDING_OK] = "ok", [FINDING_WARN] = "warning", [FINDING_BAD] = "bad",
	[FINDING_UNKNOWN] = "unknown" };

void
doctor_note(struct doctor *d, const char *check, enum finding state, const char *cure, const char *format, ...)
{
	char what[1024];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(what, sizeof what, format, arguments);
	va_end(arguments);
	(void)json_array_append_new(d->findings, json_pack("{s:s, s:s, s:o, s:o}", "check", check, "state", states[state],
	    "what", output_string(what), "cure", output_string(cure)));
	if (state == FINDING_BAD)
		d->bad = true;
}

static void
print(const struct doctor *d)
{
	const char *cure;
	json_t *finding;
	size_t i;

	if (d->in->json) {
		(void)output_json(d->findings);
		return;
	}
	json_array_foreach(d->findings, i, finding) {
		output_line("%-8s %-9s %s", json_string_value(json_object_get(finding, "state")),
		    json_string_value(json_object_get(finding, "check")), json_string_value(json_object_get(finding, "what")));
		cure = json_string_value(json_object_get(finding, "cure"));
		if (cure != NULL)
			output_line("%-18s cure: %s", "", cure);
	}
}

/* This host, and how the directory looks to whoever runs this. */
static void
look_at_host(struct doctor *d)
{
	struct invocation *in = d->in;
	struct account account;

	memset(&account, 0, sizeof account);
	if (invocation_settings(in) == EXIT_DONE && account_needs_name(in))
		doctor_note(d, "directory", FINDING_WARN, "give --bind-dn DN or --sasl gssapi to have it looked at too",
		    "the directory on %s was not looked at: it was not said who you are", in->settings.directory_uri);
	else if (account_open(in, NULL, DIRECTORY_READ, &account) == EXIT_DONE)
		d->account = &account;
	else
		doctor_note(d, "directory", FINDING_BAD, "see the message above; isms-userctl setup makes a first one",
		    "settings or directory cannot be read");
	doctor_service(d);
	doctor_sshd(d);
	doctor_pam(d);
	doctor_names(d);
	doctor_local(d);
	doctor_files(d);
	d->account = NULL;
	account_done(&account);
}

enum exit_code
cmd_doctor(struct invocation *in)
{
	struct doctor d = { .in = in, .findings = json_array() };

	if (!command_line_has(&in->line, OPTION_doctor_directory))
		look_at_host(&d);
	else if (invocation_settings(in) == EXIT_DONE)
		doctor_directory(&d);
	else
		doctor_note(&d, "directory", FINDING_BAD, "isms-userctl setup makes a first one", "settings cannot be read");
	print(&d);
	json_decref(d.findings);
	return d.bad ? EXIT_REFUSED : EXIT_DONE;
}
