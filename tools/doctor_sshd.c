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

/* The first value counts in sshd: a file read before ours, FreeIPA's for one, has people's keys come from there. */
static void
check_keys_command(struct doctor *d, const struct sshd_value *command, const struct sshd_value *user)
{
	const char *name = strrchr(command->text, '/'), *file = user->text[0] != '\0' ? user->file : command->file;
	char cure[800];

	if (command->text[0] == '\0') {
		doctor_note(d, CHECK, FINDING_WARN, FRAGMENT, "there is no AuthorizedKeysCommand: people's keys in the directory open "
		    "nothing");
	} else if (name == NULL || strcmp(name, "/isms-authorized-keys") != 0) {
		(void)snprintf(cure, sizeof cure, "take AuthorizedKeysCommand and AuthorizedKeysCommandUser out of %s, and reload ssh: "
		    "sshd -T | grep -i authorizedkeyscommand shall show isms-authorized-keys and root", command->file);
		doctor_note(d, CHECK, FINDING_WARN, cure, "%s: AuthorizedKeysCommand is %s: people's keys %s", command->file,
		    command->text, name == NULL ? "in the directory open nothing" :
		    "come from there, without the end and the networks of their entry");
	} else if (strcmp(user->text, "root") != 0) {
		doctor_note(d, CHECK, FINDING_BAD, "write \"AuthorizedKeysCommandUser root\" there, and reload ssh",
		    "%s: AuthorizedKeysCommandUser is %s: ismsd tells keys to root alone, so people's open nothing", file,
		    user->text[0] != '\0' ? user->text : "not set");
	} else {
		doctor_note(d, CHECK, FINDING_OK, NULL, "sshd asks for the keys that the directory has");
	}
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
		doctor_note(d, CHECK, FINDING_WARN, FRAGMENT, "no \"Match Group isms-mfa\" with AuthenticationMethods: a key alone is "
		    "refused by PAM only after sshd took it");
	check_keys_command(d, &s.keys_command, &s.keys_user);
}
