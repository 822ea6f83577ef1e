/*
 * setup_ldap.c - isms-userctl setup for a directory on LDAP servers: the host's identity, and a way to the servers.
 *
 * Must never write a host's password where anybody but the directory process reads it, and creates nothing in a
 * directory that others keep. What is written is taken back with the rest when setup fails.
 */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/ldap_handle.h"
#include "common/ldap_servers.h"
#include "tools/account.h"
#include "tools/output.h"
#include "tools/setup.h"

static const char drop_in[] =
	"# Written by isms-userctl setup: the directory process must reach the LDAP servers of isms.conf, which its unit\n"
	"# forbids for want of them. Narrow this to your servers and name servers, then systemctl daemon-reload:\n"
	"#   IPAddressAllow=192.0.2.10 2001:db8::10 192.0.2.53\n"
	"[Service]\n"
	"IPAddressAllow=any\n";

/* Whether the host has a password: a DN has one, "external" and "anonymous" have none. */
static bool
has_password(const struct setup *s)
{
	return strchr(s->host_dn, '=') != NULL;
}

static enum exit_code
read_password(struct setup *s)
{
	uint32_t fd = 0;
	int given, r;

	given = command_line_number(&s->in->line, OPTION_setup_host_password_fd, 0, 65535, &fd);
	if (given < 0 || (given > 0 && !has_password(s))) {
		output_error(given < 0 ? "--host-password-fd needs a number" : "--host-password-fd goes with --host-dn");
		return EXIT_USAGE;
	}
	if (!has_password(s))
		return EXIT_DONE;
	r = given > 0 ? secret_read((int)fd, &s->host_password) : secret_ask("Password of this host at the directory: ", false, &s->host_password);
	if (r == 0 && s->host_password.len == 0)
		r = -ENODATA;
	if (r == 0)
		return EXIT_DONE;
	if (r == -ENXIO)
		output_error("no terminal to ask for the password of --host-dn on; give --host-password-fd N");
	else
		output_error("the password of --host-dn: %s", r == -ENODATA ? "nothing to read" : strerror(-r));
	return EXIT_USAGE;
}

enum exit_code
setup_ldap_answers(struct setup *s)
{
	static const enum option_id others[] = { OPTION_setup_srv_targets, OPTION_setup_host_dn,
		OPTION_setup_host_password_fd, OPTION_setup_ca_file };
	const struct command_line *line = &s->in->line;
	const char *uri = command_line_value(line, OPTION_setup_uri), *value;
	size_t i;

	for (i = 0; uri == NULL && i < sizeof others / sizeof others[0]; i++) {
		if (!command_line_has(line, others[i]))
			continue;
		output_error("--%s goes with --uri", option_rows[others[i]].name);
		return EXIT_USAGE;
	}
	if (uri == NULL)
		return EXIT_DONE;
	(void)snprintf(s->uri, sizeof s->uri, "%s", uri);
	value = command_line_value(line, OPTION_setup_srv_targets);
	(void)snprintf(s->srv_targets, sizeof s->srv_targets, "%s", value != NULL ? value : "");
	value = command_line_value(line, OPTION_setup_host_dn);
	(void)snprintf(s->host_dn, sizeof s->host_dn, "%s", value != NULL ? value : "");
	value = command_line_value(line, OPTION_setup_ca_file);
	(void)snprintf(s->ca_file, sizeof s->ca_file, "%s", value != NULL ? value : "");
	return read_password(s);
}

/* ---- before anything is written ---- */

/* Bind as the host at the first server that answers. */
static enum exit_code
check_host(const struct setup *s)
{
	const struct settings *settings = &s->in->settings;
	char uri[LDAP_HANDLE_URI_MAX + 1], fault[1024] = "";
	struct ldap_servers servers;
	LDAP *ld = NULL;
	unsigned n;
	int r;

	r = ldap_servers_find(settings, "", &servers);
	if (servers.fault[0] != '\0')
		output_error("%s", servers.fault);
	for (n = 0; ld == NULL && ldap_handle_uri(servers.uris, n, uri); n++)
		r = ldap_handle_open(settings, uri, &ld, fault, sizeof fault);
	if (r < 0) {
		if (fault[0] != '\0')
			output_error("%s", fault);
		return EXIT_UNREACHABLE;
	}
	if (has_password(s)) {
		r = ldap_handle_bind(ld, s->host_dn, s->host_password.text, (int)settings->directory_operation_timeout, NULL);
		if (r < 0)
			output_error("%s: bind as %s: %s", uri, s->host_dn, r == -EACCES ? "wrong password, or no such entry" : strerror(-r));
	}
	ldap_handle_close(ld);
	return r == 0 ? EXIT_DONE : r == -EACCES ? EXIT_REFUSED : EXIT_UNREACHABLE;
}

/* Read it all once as the operator, who is told now what he would be told at the first add. */
static enum exit_code
check_operator(struct setup *s)
{
	struct invocation *in = s->in;
	struct directory *d = NULL;
	char error[1024] = "";
	int r;

	r = directory_open(&in->settings, &in->who, in->root, DIRECTORY_READ, true, &d, error, sizeof error);
	directory_close(d);
	operator_done(&in->who);		/* a large directory is waited for */
	if (r == 0)
		return EXIT_DONE;
	output_error("%s", error);
	return r == -EACCES || r == -EINVAL || r == -ENOENT ? EXIT_REFUSED : EXIT_UNREACHABLE;
}

enum exit_code
setup_ldap_check(struct setup *s)
{
	enum exit_code code;

	if (!settings_uses_ldap(&s->in->settings))
		return EXIT_DONE;
	code = check_host(s);
	if (code == EXIT_DONE && s->in->who.way != OPERATOR_UNNAMED)
		code = check_operator(s);
	return code;
}

/* ---- writing ---- */

static enum exit_code
failed(const char *path, int r)
{
	output_error("%s: %s", path, strerror(-r));
	return EXIT_REFUSED;
}

static enum exit_code
write_password(struct setup *s)
{
	gid_t group = geteuid() == 0 ? setup_local_gid(s->in, "isms-dir", (gid_t)-1) : (gid_t)-1;
	char path[PATH_MAX], text[SECRET_TEXT_MAX + 2];
	int r;

	if (!has_password(s))
		return EXIT_DONE;
	(void)snprintf(path, sizeof path, "%s%s", s->in->root, s->in->settings.directory_bind_password_file);
	if (group == (gid_t)-1 && geteuid() == 0 && s->in->root[0] == '\0') {
		output_error("there is no group isms-dir; run systemd-sysusers isms.conf, or install the package ismsd again");
		return EXIT_REFUSED;
	}
	(void)snprintf(text, sizeof text, "%s\n", s->host_password.text);
	r = setup_files_secret(&s->made, path, text, group);
	explicit_bzero(text, sizeof text);
	secret_done(&s->host_password);		/* likewise */
	if (r < 0)
		return failed(path, r);
	if (r == 0 && !s->settings_there) {
		output_error("%s: is there already, perhaps with another password; remove it first", path);
		return EXIT_REFUSED;
	}
	s->changed = s->changed || r > 0;
	setup_say(s, "password", r > 0 ? "written, for the directory process alone" : "already there", path);
	return EXIT_DONE;
}

/* Whether a server is reached by network and not by a socket of this host. */
static bool
needs_network(const char *uris)
{
	char uri[LDAP_HANDLE_URI_MAX + 1];

	for (unsigned n = 0; ldap_handle_uri(uris, n, uri); n++)
		if (strncasecmp(uri, "ldapi:", 6) != 0)
			return true;
	return false;
}

static enum exit_code
write_drop_in(struct setup *s)
{
	char path[PATH_MAX];
	char *slash;
	int r = 0;

	if (!needs_network(s->in->settings.directory_uri))
		return EXIT_DONE;
	(void)snprintf(path, sizeof path, "%s/etc/systemd/system/ismsd-directory.service.d/network.conf", s->in->root);
	for (slash = strchr(path + strlen(s->in->root) + 1, '/'); slash != NULL && r >= 0; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		r = setup_files_folder(&s->made, path, 0755, (uid_t)-1, (gid_t)-1);
		*slash = '/';
	}
	if (r >= 0)
		r = setup_files_write(&s->made, path, drop_in);
	if (r < 0)
		return failed(path, r);
	s->network = r > 0;
	s->changed = s->changed || s->network;
	setup_say(s, "network", r > 0 ? "allowed to the directory process; narrow it" : "already there", path);
	return EXIT_DONE;
}

enum exit_code
setup_ldap_write(struct setup *s)
{
	enum exit_code code;

	if (s->in->dry_run)
		return EXIT_DONE;
	code = write_password(s);
	return code == EXIT_DONE ? write_drop_in(s) : code;
}
