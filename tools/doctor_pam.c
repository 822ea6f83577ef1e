/*
 * doctor_pam.c - isms-userctl doctor: ways in that do not ask us.
 *
 * Must never count a module that a line before it can skip: such a line is named.
 */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/doctor.h"
#include "tools/pam_stack.h"

#define CHECK	"pam"
#define CURE	"run pam-auth-update and keep the ISMS profiles, or add the lines of pam_isms(8) to the file"

struct seen {
	bool isms;		/* our module is there */
	bool denies;		/* ... with a control by which its refusal counts */
	char skipped_by[64];	/* a module before it that ends the stage on success */
	bool mkhomedir;
	bool group_after;	/* pam_group, where it gives groups after we took them */
};

static bool
has_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (text += strspn(text, " \t"); *text != '\0'; text += strspn(text, " \t")) {
		if (strncmp(text, word, n) == 0 && strchr(" \t", text[n]) != NULL)	/* its NUL is found, too */
			return true;
		text += strcspn(text, " \t");
	}
	return false;
}

static bool
look(const char *module, const char *control, const char *options, void *arg)
{
	struct seen *seen = arg;

	if (strcmp(module, "pam_isms.so") == 0 && has_word(options, "identify"))
		return true;		/* it asks nothing */
	if (strcmp(module, "pam_isms.so") == 0) {
		seen->isms = true;
		seen->denies = strstr(control, "default=die") != NULL || strstr(control, "default=bad") != NULL ||
		    strcmp(control, "required") == 0 || strcmp(control, "requisite") == 0;
	} else if (!seen->isms && (strcmp(control, "sufficient") == 0 || strstr(control, "success=done") != NULL) &&
	    strcmp(module, "pam_localuser.so") != 0 && strcmp(module, "pam_rootok.so") != 0)
		(void)snprintf(seen->skipped_by, sizeof seen->skipped_by, "%s", module);
	seen->group_after |= seen->isms && strcmp(module, "pam_group.so") == 0;
	seen->mkhomedir |= strcmp(module, "pam_mkhomedir.so") == 0 || strcmp(module, "pam_oddjob_mkhomedir.so") == 0;
	return true;
}

static void
check_service(struct doctor *d, const char *service)
{
	struct seen account = { 0 }, session = { 0 };
	int r;

	r = pam_stack_walk(d->in->root, service, "account", look, &account);
	if (r == 0)
		r = pam_stack_walk(d->in->root, service, "session", look, &session);
	if (r < 0)
		doctor_note(d, CHECK, FINDING_BAD, "mend the include in /etc/pam.d", "%s: its files cannot be followed: %s", service,
		    strerror(-r));
	else if (!account.isms)
		doctor_note(d, CHECK, FINDING_BAD, CURE, "%s: pam_isms is missing from the account stage: ends, locks and rules "
		    "are not checked", service);
	else if (!account.denies)
		doctor_note(d, CHECK, FINDING_BAD, CURE, "%s: pam_isms's control in the account stage lets its refusal pass", service);
	else if (account.skipped_by[0] != '\0')
		doctor_note(d, CHECK, FINDING_BAD, "move pam_isms before it", "%s: %s can end the account stage before pam_isms",
		    service, account.skipped_by);
	else if (!session.isms)
		doctor_note(d, CHECK, FINDING_BAD, CURE, "%s: pam_isms is missing from the session stage: groups are not checked "
		    "again and sessions leave no event", service);
	else
		doctor_note(d, CHECK, FINDING_OK, NULL, "%s asks pam_isms", service);
}

/* Whether /etc/security/group.conf gives anybody a group. */
static bool
gives_groups(const struct doctor *d)
{
	char path[PATH_MAX], *line = NULL;
	bool gives = false;
	size_t room = 0;
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/etc/security/group.conf", d->in->root);
	f = fopen(path, "re");
	while (f != NULL && !gives && getline(&line, &room, f) > 0)
		gives = line[strspn(line, " \t")] != '#' && line[strspn(line, " \t\r\n")] != '\0';
	free(line);
	if (f != NULL)
		(void)fclose(f);
	return gives;
}

enum { MODULE_NAME = 64 };

static bool
look_for_other(const char *module, const char *control, const char *options, void *arg)
{
	(void)control;
	(void)options;
	if (strcmp(module, "pam_sss.so") == 0 || strcmp(module, "pam_ldap.so") == 0 || strcmp(module, "pam_winbind.so") == 0)
		(void)snprintf(arg, MODULE_NAME, "%s", module);
	return true;
}

/* Another directory's people are none of ours: pam_isms lets them pass. One finding for all: mostly it is one common file. */
static void
check_other_directory(struct doctor *d, const char *const *services, size_t count)
{
	static const char *const stages[] = { "auth", "account", "session", "password" };
	char module[MODULE_NAME] = "", list[256] = "";

	for (size_t i = 0; i < count; i++) {
		char found[MODULE_NAME] = "";

		if (!pam_stack_exists(d->in->root, services[i]))
			continue;
		for (size_t k = 0; k < sizeof stages / sizeof stages[0]; k++)	/* what cannot be followed check_service() tells */
			(void)pam_stack_walk(d->in->root, services[i], stages[k], look_for_other, found);
		if (found[0] == '\0')
			continue;
		memcpy(module, found, sizeof module);
		(void)snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", list[0] != '\0' ? ", " : "", services[i]);
	}
	if (module[0] != '\0')
		doctor_note(d, CHECK, FINDING_WARN, "pam-auth-update --disable sss (ldap, winbind); where common-* was edited, take its "
		    "lines out of all four stages by hand", "%s asks another directory for %s: it lets in whom no rule of ours judges, "
		    "and may refuse everybody once that directory is gone", module, list);
}

/* Debian's login has a pam_group of its own behind common-auth: its setcred comes after ours. */
static void
check_group_conf(struct doctor *d, const char *service)
{
	struct seen auth = { 0 };

	if (pam_stack_walk(d->in->root, service, "auth", look, &auth) == 0 && auth.group_after)
		doctor_note(d, CHECK, FINDING_WARN, "take the line of pam_group out of the service's file, or move it before pam_isms",
		    "%s: pam_group runs after pam_isms: the groups of /etc/security/group.conf come back", service);
}

/* Somebody's home is missing on disk. */
static bool
home_missing(const struct doctor *d)
{
	char path[PATH_MAX];
	size_t i;

	for (i = 0; d->account != NULL && i < d->account->identities.user_count; i++) {
		const struct identity *id = &d->account->identities.users[i];

		if (id->state != FACTS_MANAGED || id->home == NULL)
			continue;
		(void)snprintf(path, sizeof path, "%s%s", d->in->root, id->home);
		if (access(path, F_OK) < 0 && errno == ENOENT)
			return true;
	}
	return false;
}

static void
check_homes(struct doctor *d)
{
	struct seen session = { 0 };

	if (!pam_stack_exists(d->in->root, "sshd") ||
	    pam_stack_walk(d->in->root, "sshd", "session", look, &session) < 0)
		return;
	if (session.mkhomedir)
		doctor_note(d, CHECK, FINDING_OK, NULL, "home directories are made at the first login (pam_mkhomedir)");
	else
		doctor_note(d, CHECK, home_missing(d) ? FINDING_BAD : FINDING_WARN,
		    "pam-auth-update --enable isms-mkhomedir, or make each home directory by hand",
		    "sshd has no pam_mkhomedir: who has no home directory lands in /");
}

void
doctor_pam(struct doctor *d)
{
	/* The ways in of the default policy's class table (policy.h), and what unknown services fall to. */
	static const char *const services[] = {
		"sshd", "login", "gdm-password", "lightdm", "sddm", "cockpit", "xrdp-sesman", "sudo", "sudo-i", "su", "su-l",
		"run0", "systemd-run0", "polkit-1", "cron", "crond", "atd", "systemd-user", "other",
	};
	bool groups = gives_groups(d);
	size_t i, there = 0;

	for (i = 0; i < sizeof services / sizeof services[0]; i++) {
		if (!pam_stack_exists(d->in->root, services[i]))
			continue;
		there++;
		check_service(d, services[i]);
		if (groups)
			check_group_conf(d, services[i]);
	}
	check_other_directory(d, services, sizeof services / sizeof services[0]);
	if (there == 0)
		doctor_note(d, CHECK, FINDING_BAD, "install PAM's files", "there is no service in /etc/pam.d");
	check_homes(d);
}
