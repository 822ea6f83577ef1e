/*
 * scan.c - see scan.h: local accounts, and who stands for what was found.
 *
 * Runs in isms-userctl, as root. Must never change anything, and never leave out what it could not look at.
 */
#include <config.h>

#include "tools/scan.h"

#include <errno.h>
#include <pwd.h>
#include <shadow.h>
#include <stdio.h>
#include <string.h>

#include "tools/output.h"
#include "tools/scan_parts.h"
#include "tools/sshd_settings.h"
#include "tools/standing.h"

/* ---- who stands for it ---- */

static const char *
state_of_declaration(const struct scan *s, const struct declared_row *row)
{
	const struct identity *owner = identities_find(&s->account->identities, row->owner);

	if (row->until_utc_sec != 0 && s->in->now_utc_sec >= row->until_utc_sec)
		return "declaration-ended";
	switch (standing_of(s->account, owner != NULL ? owner->entry->dn : "-", s->in->now_utc_sec, NULL)) {
	case STANDING_VALID:
		return NULL;
	case STANDING_ENDED:
		return "owner-ended";
	default:
		return "owner-missing";
	}
}

static bool
is_directory_group(const struct scan *s, const char *name)
{
	const struct identities *all = &s->account->identities;

	for (size_t i = 0; i < all->group_count; i++)
		if (strcmp(all->groups[i].name, name) == 0 && all->groups[i].gid != 0)
			return true;
	return false;
}

/* One word of why it is a finding; NULL: it is none. */
static const char *
state_of(const struct scan *s, enum declared_what what, const char *who)
{
	const struct declared_row *row = declared_find(&s->declared, who, what);
	const struct identity *id;

	if (row != NULL)
		return state_of_declaration(s, row);
	if (what == DECLARED_SUDO && who[0] == '%')
		return is_directory_group(s, who + 1) ? NULL : "undeclared";
	id = json_object_get(s->local, who) == NULL ? identities_find(&s->account->identities, who) : NULL;
	if (id == NULL || (what == DECLARED_KEYS && id->kind == KIND_SERVICE) || what == DECLARED_SETID)
		return "undeclared";
	return standing_of(s->account, id->entry->dn, s->in->now_utc_sec, NULL) == STANDING_VALID ? NULL : "account-ended";
}

static void
add(struct scan *s, enum declared_what what, const char *who, const char *where, const char *detail, const char *state)
{
	(void)json_array_append_new(s->rows, json_pack("{s:s, s:o, s:o, s:o, s:s}", "what", declared_word(what), "who",
	    output_string(who[0] != '\0' ? who : NULL), "where", output_string(where), "detail", output_string(detail), "state",
	    state));
}

void
scan_note(struct scan *s, enum declared_what what, const char *who, const char *where, const char *detail)
{
	const char *state = state_of(s, what, who);

	if (state != NULL)
		add(s, what, who, where, detail, state);
}

void
scan_note_fault(struct scan *s, enum declared_what what, const char *who, const char *where, int error)
{
	const char *detail = error == -ELOOP ? "a link, not followed" : error == -EINVAL ? "no regular file" :
	    error == -EOVERFLOW ? "more files than are looked at" : strerror(-error);

	if (error != -ENOENT && error != -ENOTDIR)
		add(s, what, who, where, detail, "not-read");
}

void
scan_note_item(void *arg, const struct scan_text_item *item)
{
	const struct scan_place *place = arg;
	char where[SCAN_PATH_MAX + 16];

	(void)snprintf(where, sizeof where, "%s:%u", place->path, item->line);
	scan_note(place->scan, place->what, place->who != NULL ? place->who : item->who, where, item->detail);
}

/* ---- local accounts ---- */

static bool
is_login_shell(const char *shell)
{
	static const char *const none[] = { "nologin", "false", "true", "sync", "shutdown", "halt" };
	const char *name = strrchr(shell, '/');

	name = name != NULL ? name + 1 : shell;
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		if (strcmp(name, none[i]) == 0)
			return false;
	return true;	/* an empty one is /bin/sh */
}

/* "password set", "no password is asked for", or "". */
static const char *
password_of(const struct scan *s, const struct passwd *row)
{
	const char *hash = row->pw_passwd, *found = "";
	char path[SCAN_PATH_MAX];
	const struct spwd *shadow;
	FILE *f = NULL;

	if (strcmp(hash, "x") == 0) {
		hash = "!";
		(void)snprintf(path, sizeof path, "%s/etc/shadow", s->in->root);
		f = fopen(path, "re");
		while (f != NULL && (shadow = fgetspent(f)) != NULL)
			if (strcmp(shadow->sp_namp, row->pw_name) == 0) {
				hash = shadow->sp_pwdp;
				break;
			}
	}
	if (hash[0] == '\0')
		found = "no password is asked for";
	else if (hash[0] != '!' && hash[0] != '*')
		found = "password set";
	if (f != NULL)
		(void)fclose(f);
	return found;
}

/* Every account but root that has a shell or a password. */
static void
scan_accounts(struct scan *s)
{
	char detail[256], where[SCAN_PATH_MAX];
	const struct passwd *row;
	const char *password;
	FILE *f = fopen(s->in->paths.passwd, "re");

	(void)snprintf(where, sizeof where, "%s", s->in->paths.passwd);
	while (f != NULL && (row = fgetpwent(f)) != NULL) {
		(void)json_object_set_new_nocheck(s->local, row->pw_name, json_integer((json_int_t)row->pw_uid));
		if (row->pw_uid == 0 && strcmp(row->pw_name, "root") == 0)
			continue;
		password = password_of(s, row);
		if (!is_login_shell(row->pw_shell) && password[0] == '\0')
			continue;
		(void)snprintf(detail, sizeof detail, "uid %u, shell %.100s%s%s", (unsigned)row->pw_uid, row->pw_shell,
		    password[0] != '\0' ? ", " : "", password);
		scan_note(s, DECLARED_ACCOUNT, row->pw_name, where, detail);
	}
	if (f != NULL)
		(void)fclose(f);
}

/* ---- all of it ---- */

enum exit_code
scan_host(struct invocation *in, const struct account *account, json_t **ret)
{
	struct scan s = { .in = in, .account = account, .local = json_object(), .homes = json_object(), .rows = json_array() };
	enum exit_code code = EXIT_DONE;
	struct sshd_settings sshd;
	char error[1024] = "";
	int r;

	r = declared_load(in->paths.etc, in->settings.login_time_zone, &s.declared, error, sizeof error);
	if (r < 0) {
		output_error("%s", error[0] != '\0' ? error : strerror(-r));
		code = EXIT_REFUSED;
	} else if (s.local == NULL || s.homes == NULL || s.rows == NULL) {
		output_error("out of memory");
		code = EXIT_UNREACHABLE;
	} else {
		(void)sshd_settings_read(in->root, &sshd);
		(void)snprintf(s.key_files, sizeof s.key_files, "%s", sshd.key_files[0] != '\0' ? sshd.key_files :
		    ".ssh/authorized_keys .ssh/authorized_keys2");
		scan_accounts(&s);
		scan_homes(&s);
		scan_jobs(&s);
		*ret = json_incref(s.rows);
	}
	declared_done(&s.declared);
	json_decref(s.local);
	json_decref(s.homes);
	json_decref(s.rows);
	return code;
}
