/*
 * doctor_sshd.c - isms-userctl doctor: what sshd's configuration makes impossible.
 *
 * Must never praise a setting that it could not read.
 */
#include <config.h>

#include "tools/doctor.h"
#include "tools/sshd_settings.h"

#define CHECK "sshd"

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
		doctor_note(d, CHECK, FINDING_WARN, "install the fragment /etc/ssh/sshd_config.d/isms.conf and have sshd_config "
		    "include that folder", "no \"Match Group isms-mfa\" with AuthenticationMethods: a key alone is refused by PAM "
		    "only after sshd took it");
}
