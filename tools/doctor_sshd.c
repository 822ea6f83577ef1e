/*
 * doctor_sshd.c - isms-userctl doctor: what sshd's configuration makes impossible.
 *
 * Must never praise a setting that it could not read.
 */
#include <config.h>

#include <string.h>

#include "tools/doctor.h"
#include "tools/sshd_settings.h"

#define CHECK "sshd"
#define FRAGMENT "install the fragment /etc/ssh/sshd_config.d/isms.conf and have sshd_config include that folder"

/* First value counts in sshd, of each of the two: a file read before ours, FreeIPA's for one, has people's keys come from there. */
static void
check_keys_command(struct doctor *d, const struct sshd_settings *s)
{
	const char *name = strrchr(s->keys_command, '/');
	bool ours = name != NULL && strcmp(name, "/isms-authorized-keys") == 0;
	char cure[800];

	(void)snprintf(cure, sizeof cure, "take AuthorizedKeysCommand and AuthorizedKeysCommandUser out of %s, and reload ssh: "
	    "sshd -T | grep -i authorizedkeyscommand shall show isms-authorized-keys and root", s->keys_file);
	if (s->keys_command[0] == '\0')
		doctor_note(d, CHECK, FINDING_WARN, FRAGMENT, "there is no AuthorizedKeysCommand: keys in the directory open nothing");
	else if (!ours)
		doctor_note(d, CHECK, FINDING_WARN, cure, "%s: AuthorizedKeysCommand is %s: people's keys come from there, without the end "
		    "and the networks of their entry", s->keys_file, s->keys_command);
	else if (strcmp(s->keys_user, "root") != 0)
		doctor_note(d, CHECK, FINDING_BAD, cure, "%s: AuthorizedKeysCommandUser is %s: ismsd tells keys to root alone, so "
		    "people's open nothing", s->keys_file, s->keys_user[0] != '\0' ? s->keys_user : "not set");
	else
		doctor_note(d, CHECK, FINDING_OK, NULL, "sshd asks for the keys that the directory has");
}

void
doctor_sshd(struct doctor *d)
{
	struct sshd_settings s;

	if (sshd_settings_read(d->in->root, &s) < 0) {
		doctor_note(d, CHECK, FINDING_WARN, "install openssh-server if people shall log in over SSH",
		    "there is no /etc/ssh/sshd_config");
		return;
	}
	if (s.use_pam)
		doctor_note(d, CHECK, FINDING_OK, NULL, "UsePAM is on");
	else
		doctor_note(d, CHECK, FINDING_BAD, "write \"UsePAM yes\" into /etc/ssh/sshd_config and reload ssh",
		    "UsePAM is off: nobody's contract, factors or rules are checked, and keys let ended people in");
	if (s.kbd_interactive || s.match_mfa_kbd)
		doctor_note(d, CHECK, FINDING_OK, NULL, "KbdInteractiveAuthentication is on");
	else
		doctor_note(d, CHECK, FINDING_BAD, "write \"KbdInteractiveAuthentication yes\" and reload ssh",
		    "KbdInteractiveAuthentication is off: nobody can be asked for a one-time code");
	if (s.match_mfa && s.match_mfa_methods)
		doctor_note(d, CHECK, FINDING_OK, NULL, "users of isms-mfa must prove a code to sshd too");
	else
		doctor_note(d, CHECK, FINDING_WARN, FRAGMENT, "no \"Match Group isms-mfa\" with AuthenticationMethods: a key alone is refused by PAM "
		    "only after sshd took it");
	check_keys_command(d, &s);
}
