/*
 * cmd_setup.c - isms-userctl setup: first configuration, embedded directory, running processes.
 *
 * Must never overwrite what is there, and leaves nothing behind when it fails: every file it made and
 * every unit it started is taken back. Running it again says what is there already.
 */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/ldif_store.h"
#include "common/policy.h"
#include "common/snapshot.h"
#include "common/zone.h"
#include "tools/account.h"
#include "tools/invocation.h"
#include "tools/output.h"
#include "tools/setup.h"

static const struct column columns[] = {
	{ "settings", "Settings" }, { "policy", "Policy" }, { "directory", "Directory" }, { "password", "Password" },
	{ "network", "Network" }, { "units", "Processes" },
	{ "snapshot", "Snapshot" }, { "next", "Next" }, { "note", "Note" }, { NULL, NULL },
};

void
setup_say(struct setup *s, const char *key, const char *text, const char *path)
{
	char line[PATH_MAX + 64];

	(void)snprintf(line, sizeof line, "%s%s%s", text, path != NULL ? ": " : "", path != NULL ? path : "");
	(void)json_object_set_new(s->result, key, output_string(line));
}

/* One answer of the terminal; an empty line keeps the default. Returns whether there was one: an end is no answer. */
static bool
ask(const char *question, const char *fallback, char *answer, size_t size)
{
	(void)fprintf(stderr, "%s [%s]: ", question, fallback);
	if (fgets(answer, (int)size, stdin) == NULL || strchr(answer, '\n') == NULL) {
		(void)fputc('\n', stderr);
		output_error("no answer, or too long a one; nothing was written");
		return false;
	}
	answer[strcspn(answer, "\n")] = '\0';
	if (answer[0] == '\0')
		(void)snprintf(answer, size, "%s", fallback);
	return true;
}

static bool
take(const struct invocation *in, enum option_id option, const char *question, const char *fallback, bool may_ask,
    char *answer, size_t size)
{
	const char *given = command_line_value(&in->line, option);

	if (given != NULL)
		(void)snprintf(answer, size, "%s", given);
	else if (may_ask)
		return ask(question, fallback, answer, size);
	return true;
}

/* Base, contact and zone: from flags, else from the terminal, else the defaults. Empty means "the default". */
static enum exit_code
read_answers(struct setup *s)
{
	struct invocation *in = s->in;
	bool terminal = isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
	bool may_ask = terminal && !in->yes && !in->json && !s->settings_there;

	if (!terminal && !in->yes && !s->settings_there && !command_line_has(&in->line, OPTION_setup_contact)) {
		output_error("no terminal to ask on; give --contact, --base, --time-zone, or --yes for the defaults");
		return EXIT_USAGE;
	}
	if (setup_ldap_answers(s) != EXIT_DONE)
		return EXIT_USAGE;
	if (!take(in, OPTION_setup_base, "Base entry of the directory (Enter keeps what stands in brackets)", "dc=isms,dc=local",
	    may_ask, s->base, sizeof s->base) ||
	    !take(in, OPTION_setup_contact, "Whom a refused person should ask: mail, phone", "your administrator", may_ask,
	    s->contact, sizeof s->contact) ||
	    !take(in, OPTION_setup_time_zone, "Time zone in which a contract's last day ends, e.g. Europe/Berlin", "UTC", may_ask,
	    s->time_zone, sizeof s->time_zone))
		return EXIT_REFUSED;
	return EXIT_DONE;
}

/* Whether a value stands in the settings as it was asked for; "" asks for nothing. */
static bool
agrees(const char *wanted, const char *there, const char *key)
{
	if (wanted[0] == '\0' || strcmp(wanted, there) == 0)
		return true;
	output_error("%s: \"%.128s\" was asked for, but the settings say \"%.128s\"; change isms.conf by hand, or choose plain text "
	    "without \";\" and \"#\"", key, wanted, there);
	return false;
}

/* The settings that will be in force must parse, and say what was asked. */
static enum exit_code
check_settings(struct setup *s, const char *text)
{
	struct invocation *in = s->in;
	char error[1024] = "";
	struct zone zone = { 0 };
	enum exit_code code;

	if (text == NULL) {
		code = invocation_settings(in);
		if (code != EXIT_DONE)
			return code;
	} else if (settings_foresee(in->paths.etc, text, &in->settings, error, sizeof error) < 0) {
		output_error("%s", error);
		return EXIT_REFUSED;
	}
	if (!agrees(s->uri, in->settings.directory_uri, "uri") || !agrees(s->host_dn, in->settings.directory_bind_dn, "host-dn") ||
	    !agrees(s->ca_file, in->settings.directory_ca_file, "ca-file") ||
	    !agrees(s->srv_targets, in->settings.directory_srv_targets, "srv-targets"))
		return EXIT_REFUSED;
	if (!agrees(s->base, in->settings.directory_base, "base") || !agrees(s->contact, in->settings.login_contact, "contact") ||
	    !agrees(s->time_zone, in->settings.login_time_zone, "time-zone"))
		return EXIT_REFUSED;
	if (strcmp(in->settings.login_time_zone, "UTC") != 0 && zone_load(in->settings.login_time_zone, &zone) < 0) {
		output_error("time-zone %s: no such zone below /usr/share/zoneinfo", in->settings.login_time_zone);
		return EXIT_REFUSED;
	}
	zone_done(&zone);
	return EXIT_DONE;
}

static enum exit_code
failed(const char *path, int error)
{
	output_error("%s: %s", path, strerror(-error));
	return EXIT_REFUSED;
}

static enum exit_code
write_settings(struct setup *s)
{
	const struct setup_value values[] = {
		{ "uri", s->uri }, { "srv-targets", s->srv_targets }, { "base", s->base }, { "bind-dn", s->host_dn },
		{ "ca-file", s->ca_file },
		{ "contact", s->contact }, { "time-zone", s->time_zone }, { NULL, NULL },
	};
	char path[PATH_MAX + 16], *text;
	enum exit_code code;
	int r;

	(void)snprintf(path, sizeof path, "%s/isms.conf", s->in->paths.etc);
	if (s->settings_there) {
		setup_say(s, "settings", "already there", path);
		return check_settings(s, NULL);
	}
	text = setup_files_settings(values);
	if (text == NULL)
		return failed(path, -ENOMEM);
	code = check_settings(s, text);
	if (code == EXIT_DONE)
		code = setup_ldap_check(s);
	if (code == EXIT_DONE && !s->in->dry_run) {
		r = setup_files_folder(&s->made, s->in->paths.etc, 0755, (uid_t)-1, (gid_t)-1);
		if (r >= 0)
			r = setup_files_write(&s->made, path, text);
		if (r < 0)
			code = failed(path, r);
		else
			s->changed = true;
	}
	free(text);
	setup_say(s, "settings", s->in->dry_run ? "would be written" : "written", path);
	return code;
}

static enum exit_code
write_policy(struct setup *s)
{
	char path[PATH_MAX + 16], error[1024] = "", *text;
	struct policy *policy = NULL;
	int r = 0;

	(void)snprintf(path, sizeof path, "%s/policy.conf", s->in->paths.etc);
	if (access(path, F_OK) == 0)
		setup_say(s, "policy", "already there", path);
	else if (s->in->dry_run) {
		setup_say(s, "policy", "would be written", path);
		return EXIT_DONE;
	} else {
		text = setup_files_policy();
		r = text != NULL ? setup_files_write(&s->made, path, text) : -ENOMEM;
		free(text);
		if (r < 0)
			return failed(path, r);
		s->changed = true;
		setup_say(s, "policy", "written", path);
	}
	r = policy_load(s->in->paths.etc, &policy, error, sizeof error);
	policy_free(policy);
	if (r == 0)
		return EXIT_DONE;
	output_error("%s", error[0] != '\0' ? error : "policy.conf cannot be read");
	return EXIT_REFUSED;
}

/* The folders that tmpfiles makes on an installed system, for roots where nobody did. */
static int
make_folders(struct setup *s, uid_t uid, gid_t gid)
{
	char path[PATH_MAX];
	int r = 0;
	char *slash;

	/* every parent that is missing below the root: .../var, .../var/lib, .../var/lib/isms */
	(void)snprintf(path, sizeof path, "%s", s->in->paths.directory);
	for (slash = strchr(path + strlen(s->in->root) + 1, '/'); slash != NULL && r >= 0; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		r = setup_files_folder(&s->made, path, 0755, (uid_t)-1, (gid_t)-1);
		*slash = '/';
	}
	return r < 0 ? r : setup_files_folder(&s->made, path, 0700, uid, gid);
}

static enum exit_code
create_directory(struct setup *s)
{
	static const char scheme[] = "file://";
	const char *uri = s->in->settings.directory_uri;
	char path[PATH_MAX];
	int64_t owner = invocation_local_uid(s->in, "isms-dir");
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int r;

	if (settings_uses_ldap(&s->in->settings)) {
		setup_say(s, "directory", "on a server", uri);
		return setup_ldap_write(s);
	}
	(void)snprintf(path, sizeof path, "%s%s", s->in->root, uri + strlen(scheme));
	if (access(path, F_OK) == 0 || s->in->dry_run) {
		setup_say(s, "directory", access(path, F_OK) == 0 ? "already there" : "would be created", path);
		return EXIT_DONE;
	}
	if (geteuid() == 0 && owner > 0) {
		uid = (uid_t)owner;
		gid = setup_local_gid(s->in, "isms-dir", (gid_t)owner);
	} else if (geteuid() == 0 && s->in->root[0] == '\0') {
		output_error("there is no user isms-dir; run systemd-sysusers isms.conf, or install the package ismsd again");
		return EXIT_REFUSED;
	}
	r = make_folders(s, uid, gid);
	if (r >= 0)
		r = ldif_store_create(path, s->in->settings.directory_base, uid, gid);
	if (r < 0)
		return failed(path, r);
	setup_files_note(&s->made, path);
	s->changed = true;
	setup_say(s, "directory", "created", path);
	return EXIT_DONE;
}

static enum exit_code
run(struct setup *s)
{
	enum exit_code code;

	code = read_answers(s);
	if (code == EXIT_DONE)
		code = write_settings(s);
	if (code == EXIT_DONE)
		code = write_policy(s);
	if (code == EXIT_DONE)
		code = create_directory(s);
	if (code != EXIT_DONE || s->in->dry_run)
		return code;
	if (s->in->root[0] != '\0') {
		setup_say(s, "units", "not started: below --root nothing runs", NULL);
		return EXIT_DONE;
	}
	return setup_start(s);
}

/* What whoever ran it does now. */
static const char *
next_step(const struct invocation *in)
{
	if (in->dry_run)
		return "dry run: nothing was changed";
	if (strcmp(in->settings.directory_schema, "active-directory") == 0)	/* it is changed by its own tools */
		return "read /etc/isms/policy.conf, then isms-userctl status";
	return account_needs_name(in) ?
	    "read /etc/isms/policy.conf, then isms-userctl add USER --kind contractor --until DATE --bind-dn DN" :
	    "read /etc/isms/policy.conf, then isms-userctl add USER --kind contractor --until DATE";
}

enum exit_code
cmd_setup(struct invocation *in)
{
	struct setup *s = calloc(1, sizeof *s);
	char path[PATH_MAX + 16];
	enum exit_code code;

	if (s == NULL)
		return EXIT_REFUSED;
	s->in = in;
	s->result = json_object();
	(void)snprintf(path, sizeof path, "%s/isms.conf", in->paths.etc);
	s->settings_there = access(path, F_OK) == 0;
	code = run(s);
	if (code != EXIT_DONE) {
		if (s->made.count > 0 || s->units != NULL)
			output_error("setup failed; everything it made is taken back");
		setup_stop(s);
		setup_files_undo(&s->made);
		(void)setup_reload(s);
	} else {
		(void)json_object_set_new(s->result, "dry_run", json_boolean(in->dry_run));
		setup_say(s, in->dry_run ? "note" : "next", next_step(in), NULL);
		if (in->json)
			(void)output_json(s->result);
		else
			output_record(s->result, columns);
	}
	setup_done(s);
	return code;
}
