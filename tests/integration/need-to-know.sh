#!/bin/bash
# need-to-know: [nss] publish = allowed: lookups know whom a rule lets in on this host, and the groups that such users
# have. Each beside the same person where one fact is changed (issue 4, "Need-to-know view").
. "$(dirname "$0")/lib.sh"
prepare "${default_policy/allow-services/allow-hosts    = web1
allow-services}"	# of the first role, the contractors'
check "contractor" contractor ada --group web-deploy
check "employee" add_person bob employee --group log-read
check "employee: visible" wait_user bob
uid=$(id -u ada) deploy=$(getent group web-deploy | cut -d: -f3)
check "host-name" set_option login host-name web1
check "a session of hers" by_ssh ada -- true
status_says() { isms-userctl status --json >/run/status; jq -c .directory /run/status; jq -e ".directory.$1" /run/status; }
known() { getent passwd ada && [ "$(id -nu "$uid")" = ada ] && getent group web-deploy && getent passwd bob; }
# 2 is getent's "not found".
unknown() {
	status_is 2 getent passwd ada && status_is 2 getent passwd "$uid" && status_is 2 getent group web-deploy &&
		status_is 2 getent group "$deploy"
}
others_known() { getent passwd bob && getent passwd carol && getent group log-read && id -Gn bob | grep -qw log-read; }

# ---- all, the default: known everywhere, refused by the rule ------------------------------------------------
check "all: another host" set_option login host-name web2
check "all: lookups know her there" known
check "mark" mark
refused "all: she is refused there" by_ssh ada -- true
check "all: reason host-not-allowed" denied_with host-not-allowed ada
check "all: status leaves nobody out" status_says 'roster_not_let_in == 0'

# ---- allowed: the same person on her host and on another one ---------------------------------------------------
check "config check refuses another word" bash -c 'mkdir -p /etc/isms/conf.d; printf "[nss]\npublish = some\n" >/etc/isms/conf.d/x.conf
	isms-userctl config check; rc=$?; rm /etc/isms/conf.d/x.conf; [ $rc = 1 ]'
check "her host again" set_option login host-name web1
check "allowed" set_option nss publish allowed
check "config check takes it" isms-userctl config check
check "allowed, her host: lookups know her" wait_until 5 known
check "allowed, her host: in" by_ssh ada -- true
check "allowed, her host: why says so" bash -c 'isms-userctl why ada --factors password,otp | grep "published.*yes"'
(code=$(fresh_code ada) by_ssh ada -tt -- 'echo in; sleep 3000' >/run/people/ada/shell 2>&1) &
check "allowed: a session is open" wait_until 10 grep -q in /run/people/ada/shell
check "mark" mark
check "allowed: another host" set_option login host-name web2
check "allowed, another host: lookups know neither her nor her group" wait_until 5 unknown
check "allowed, another host: everybody else is known" others_known
check "allowed, another host: her session ends within five seconds" wait_until 5 no_processes "$uid"
check "allowed, another host: the event says why" wait_until 5 event_is '.ISMS_EVENT == "session.terminated"' \
	'.ISMS_USER == "ada"' '.ISMS_REASON == "unknown-user"'
refused "allowed, another host: sshd" by_ssh ada -- true
sshd_said() { journalctl --sync; journalctl --after-cursor="$journal_mark" -t sshd | grep "Invalid user ada"; }
check "allowed, another host: sshd does not know her" sshd_said
refused "allowed, another host: console" by_login ada 'id -un'
refused "allowed, another host: su by root" root_su ada 'id -un'
check "allowed, another host: status counts her" status_says 'roster_not_let_in == 1'
check "allowed, another host: why says so" bash -c 'isms-userctl why ada | grep "published.*no: .*publish"'
check "allowed, another host: and by which rule" why_says ada host-not-allowed
check "allowed, her host again" set_option login host-name web1
check "allowed, her host again: known" wait_until 5 known
check "allowed, her host again: in" by_ssh ada -- true
check "allowed, her host again: status" status_says 'roster_not_let_in == 0'

# ---- what passes leaves nobody out: files keep their owner's name, refusals their reason -------------------------
check "mark" mark
check "disable" isms-userctl disable ada --reason test --yes
refused "disabled: refused" by_ssh ada -- true
check "disabled: for that reason" wait_until 5 denied_with disabled ada
check "disabled: lookups know her" known
check "enable" isms-userctl enable ada --reason test --yes
check "an end that passes" isms-userctl set-expiry ada +3s --reason test --yes
check "ended: refused" wait_until 10 bash -c 'isms-userctl why ada --factors password,otp | grep expired'
check "ended: lookups know her" known

# ---- a group that nobody has ------------------------------------------------------------------------------------
check "the role takes the group away" sed -i 's/^keep-groups    = .*/keep-groups =/' /etc/isms/policy.conf
check "reload" reload
no_groups() { known_without_group && status_is 2 getent group web-deploy && status_is 2 getent group log-read; }
known_without_group() { getent passwd ada && getent passwd bob; }
check "groups that policy leaves to nobody are not known" wait_until 5 no_groups
finish
