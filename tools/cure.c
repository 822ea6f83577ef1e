/*
 * cure.c - what would have to change for a refusal to become an admission.
 *
 * Runs in isms-userctl why. Must never advise to switch a control off where mending its cause is possible.
 */
#include <config.h>

#include "tools/cure.h"

#include <stdio.h>
#include <string.h>

static const char *const cures[REASON_COUNT] = {
	[REASON_NONE] = "",
	[REASON_OK] = "",
	[REASON_AUTH_PASSED] = "",
	[REASON_UNKNOWN_USER] = "look for a typing error: isms-userctl list; or make the account: isms-userctl add",
	[REASON_NOT_MANAGED] = "nothing here: a local account; its own password and groups decide",
	[REASON_NOT_YET_VALID] = "wait for the begin of the contract, or move pwdStartTime",
	[REASON_EXPIRED] = "if the contract goes on: isms-userctl set-expiry USER DATE --reason TEXT",
	[REASON_NO_EXPIRY] = "set an end: isms-userctl set-expiry USER DATE",
	[REASON_TERM_TOO_LONG] = "set an end within the role's longest term: isms-userctl set-expiry USER DATE",
	[REASON_DISABLED] = "if the person may return: isms-userctl enable USER --reason TEXT",
	[REASON_LOCKED] = "wait until the lock ends, or isms-userctl enable USER",
	[REASON_PASSWORD_FAILED] = "type the right password",
	[REASON_PASSWORD_EXPIRED] = "set a new password",
	[REASON_PASSWORD_CHANGE_REQUIRED] = "the person logs in where a password can be changed (ssh with a terminal, console)",
	[REASON_MFA_REQUIRED] = "prove a code too; sshd needs its fragment isms.conf for that (isms-userctl doctor)",
	[REASON_MFA_NEEDS_KEYBOARD_INTERACTIVE] = "the client uses keyboard-interactive; sshd: KbdInteractiveAuthentication yes",
	[REASON_MFA_NOT_ENROLLED] = "enrol a token: isms-userctl enroll USER",
	[REASON_MFA_FAILED] = "type the code that is shown now; check the clocks of this host and the phone",
	[REASON_MFA_REPLAYED] = "wait for the next code",
	[REASON_MFA_LOCKED] = "wait until the lock ends, or isms-userctl enable USER",
	[REASON_SERVICE_NOT_ALLOWED] = "name the service in allow-services of every matching role that has the key",
	[REASON_HOST_NOT_ALLOWED] = "name this host in allow-hosts of the role, as host-name or @host-groups of isms.conf say",
	[REASON_SOURCE_NOT_ALLOWED] = "come from an address of the role's from, or of a service account's ismsSource (why --rhost ADDRESS asks for one), or add the network there",
	[REASON_OUTSIDE_HOURS] = "come within the role's hours",
	[REASON_KIND_NOT_INTERACTIVE] = "use a person's account; a service account comes through sshd, for the one command of its entry (ismsCommand)",
	[REASON_NO_ROLE] = "write a role that matches the user into policy.conf",
	[REASON_REVIEW_OVERDUE] = "review the account: isms-userctl review start, then review confirm USER, by somebody else",
	[REASON_DORMANT] = "if it is still needed: isms-userctl exempt USER dormant --until +1d --reason TEXT, by somebody else; the login then counts as its last use",
	[REASON_SPONSOR_MISSING] = "name a sponsor who has an account: isms-userctl set-sponsor USER SPONSOR",
	[REASON_OWNER_MISSING] = "name an owner who has an account: isms-userctl set-sponsor USER OWNER",
	[REASON_FORBIDDEN_GROUP] = "take the user out of the group at its source: isms-userctl show USER names the groups",
	[REASON_DIRECTORY_UNAVAILABLE] = "start the directory process: systemctl status ismsd-directory",
	[REASON_DATA_TOO_OLD] = "have the directory process reach its source: systemctl status ismsd-directory",
	[REASON_CLOCK_UNTRUSTED] = "mend time synchronisation, then isms-userctl clock trust",
	[REASON_STATE_UNWRITABLE] = "make /var/lib/isms/state writable again: is the disk full?",
	[REASON_BAD_RECORD] = ("mend the entry: isms-userctl show USER names its fault; a token that this host may not read: put the "
	    "person into a group of this host's host group (isms-userctl doctor --directory)"),
	[REASON_DAEMON_UNAVAILABLE] = "start it: systemctl status ismsd-front",
	[REASON_TOO_MANY_SESSIONS] = "end one of the person's sessions",
	[REASON_KEY_NOT_BOUND] = "if the key is meant: isms-userctl key add USER --key-file FILE",
	[REASON_PASSWORD_NOT_ALLOWED] = "log in by a key of the account: isms-userctl key list USER",
	[REASON_OWNER_EXPIRED] = "name another owner: isms-userctl set-sponsor USER OWNER; or move the owner's end",
	[REASON_BREAKGLASS_NOT_ARMED] = "in an emergency: isms-userctl arm USER --for 1h --reason TEXT, by somebody else",
	[REASON_GRANT_ENDED] = "if the group is still needed: isms-userctl grant USER GROUP --for 8h --reason TEXT, by somebody else",
};

const char *
cure_of(enum reason reason)
{
	return reason < REASON_COUNT && cures[reason] != NULL ? cures[reason] : "";
}

char *
cure_for(enum reason reason, const char *user, char *buf, size_t size)
{
	const char *text = cure_of(reason), *at = strstr(text, "USER");

	if (at == NULL)
		(void)snprintf(buf, size, "%s", text);
	else
		(void)snprintf(buf, size, "%.*s%s%s", (int)(at - text), text, user, at + strlen("USER"));
	return buf;
}
