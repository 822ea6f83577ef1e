#!/bin/bash
# packages: install, set up, remove, install again, upgrade and purge on a running system; after each, local people
# log in on the console and by ssh (DESIGN 3.14, MEASURED 10; CASES SI01a, SI08a).
. "$(dirname "$0")/lib.sh"
all="isms-userctl ismsd libpam-isms libnss-isms"
local_first() { local_people && local_logs_in && root_logs_in; }
check "local people, before" local_first
echo '@include common-session' >/etc/pam.d/isms-homes
cp -a /etc/pam.d /etc/nsswitch.conf /run/
check "install" install_packages
check "nothing listens before setup" bash -c '! systemctl -q is-active ismsd-front.service && systemctl is-system-running'
check "installed, not set up: local people log in" local_logs_in
check "installed, not set up: root logs in" root_logs_in

# The generated stack is what counts, not the profile (MEASURED 10).
die='user_unknown=ignore ignore=ignore module_unknown=ignore default=die'
stack() { # FILE: type, control, module of each line
	sed -E 's/#.*//; /^[[:space:]]*$/d; s/[[:space:]]+/ /g; s/ $//' "/etc/pam.d/$1"
}
auth_stack() { diff - <(stack common-auth | head -n 2) <<-P
	auth [success=2 $die] pam_isms.so
	auth [success=1 default=ignore] pam_unix.so nullok try_first_pass
P
}
account_stack() { diff - <(stack common-account | head -n 2) <<-P
	account [success=2 new_authtok_reqd=done $die] pam_isms.so
	account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so
P
}
session_stack() {
	stack common-session | grep -qx "session \[success=ok $die\] pam_isms.so *" &&
		stack common-session-noninteractive | grep -qx "session \[success=ok $die\] pam_isms.so *" &&
		[ "$(stack common-session | grep -n pam_isms | tail -n 1 | cut -d: -f1)" -lt "$(stack common-session | grep -n pam_systemd | cut -d: -f1)" ]
}
homes_stack() { # the jumps count lines
	diff - <(stack common-session | grep -B 2 pam_mkhomedir) <<-P && ! stack common-session-noninteractive | grep 'mkhomedir\|identify'
	session [success=1 module_unknown=ignore default=ignore] pam_isms.so identify
	session [default=1] pam_permit.so
	session optional pam_mkhomedir.so umask=0077
P
}
password_stack() {
	stack common-password | grep -qx "password \[success=1 $die\] pam_isms.so *" &&
		stack common-password | head -n 1 | grep -q 'pam_unix.so obscure yescrypt'
}
check "generated auth" auth_stack
check "generated account" account_stack
check "generated session, before pam_systemd" session_stack
check "generated session, homes for managed users" homes_stack
check "generated password, after pam_unix" password_stack
check "chpasswd of a local user" bash -c 'echo local:local-password | chpasswd'
change() { expect -c 'set timeout 10; spawn setpriv --reuid local --regid local --init-groups passwd; expect "urrent"; send "local-password\r"
	expect "ew password"; send "a-new-local-passw0rd\r"; expect "etype"; send "a-new-local-passw0rd\r"; expect eof; lassign [wait] a b c d; exit $d'; }
check "passwd of a local user" change
echo local:local-password | chpasswd

check "setup" setup_with_policy <(echo "${default_policy// cron/ cron isms-homes}")
check "sponsor" add_person carol employee
check "contractor" contractor ada
check "login" by_ssh ada -- true
check "home directory was made, private" test "$(stat -c '%U %a' /home/ada)" = "ada 700"

# Homes are made for managed users alone: not for local ones, nor for those of another source (nss-systemd's records),
# for whom there may be a reason that there is none. Closing is a stage of its own: it goes the way that opening went.
other_source() {
	mkdir /etc/userdb && echo '{"userName":"extra","uid":70001,"gid":70001,"homeDirectory":"/home/extra"}' >/etc/userdb/extra.user &&
		ln -s extra.user /etc/userdb/70001.user && [ "$(getent passwd extra | cut -d: -f6)" = /home/extra ] && ! grep ^extra: /etc/passwd
}
in_session() { pamtester isms-homes "$1" open_session close_session; }
made_again() { rm -r /home/ada && in_session ada && [ "$(stat -c '%U %a' /home/ada)" = "ada 700" ]; }
not_made() { [ ! -e "/home/$1" ] && in_session "$1" && [ ! -e "/home/$1" ]; }
useradd -M -s /bin/bash homeless
check "a user of another source" other_source
check "I2 a home is made for a managed user" made_again
check "I2 none is made for a local user" not_made homeless
check "I2 none is made for a user of another source" not_made extra

# ---- upgrade: the same packages again, while people log in -------------------------------------------------
upgrade() {
	local client rc=0 code
	install_packages >/run/upgrade.log 2>&1 &
	client=$!
	while kill -0 $client 2>/dev/null; do
		code=$(fresh_code ada) && timeout 20 true && by_ssh ada -- true || rc=1
		! password=wrong by_ssh ada -- true || { echo "let in with a wrong password"; return 2; }
		isms-userctl enable ada --yes --reason test >/dev/null
	done
	wait $client || { cat /run/upgrade.log; return 1; }
	[ $rc = 0 ] || { journalctl --sync; journalctl -n 150 -o short-precise | grep -i isms; }
	return $rc
}
check "SI08a upgrade during logins: nobody wrong gets in, everybody right does" upgrade
check "after the upgrade" by_ssh ada -- true
check "after the upgrade: settings are kept" grep -q "$contact" /etc/isms/isms.conf

# ---- remove, install again -----------------------------------------------------------------------------------
check "remove" dpkg -r $all
untouched() { diff -r --exclude='*.pam-old' --exclude='*-' /run/pam.d /etc/pam.d && diff /run/nsswitch.conf /etc/nsswitch.conf; }
check "PAM and nsswitch.conf are as they were" untouched
check "removed: local people log in" local_logs_in
check "removed: root logs in" root_logs_in
refused "removed: ada is nobody" getent passwd ada
check "install again" install_packages
check "the directory, settings and tokens are still there" wait_until 5 by_ssh ada -- true
pam_isms=$(echo /usr/lib/*/security/pam_isms.so)
edited() { # the managed block edited by hand: pam-auth-update leaves our line behind (MEASURED 10)
	sed -i 's/pam_unix.so nullok/pam_unix.so nullok nodelay/' /etc/pam.d/common-auth && dpkg -r $all &&
		! grep -r '^[^#]*pam_isms' /etc/pam.d/common-* && local_logs_in && root_logs_in
}
cp /etc/pam.d/common-session /etc/pam.d/isms-homes	# lines of ours that were copied stay, and the module goes
check "SI01a removal after hand edits: no line of ours, local people log in" edited
check "SI01a copied lines make nobody's home" not_made extra
cp /run/pam.d/common-auth /run/pam.d/isms-homes /etc/pam.d/
check "install again" install_packages
echo 'auth required pam_isms.so' >/etc/pam.d/own-service
refused "removal is refused while a foreign line needs the module" dpkg -r $all
check "and the module is still there" test -e "$pam_isms"
check "local people log in" local_logs_in
rm /etc/pam.d/own-service
check "install again" install_packages

# ---- purge -----------------------------------------------------------------------------------------------------
drop_in=/etc/systemd/system/ismsd-directory.service.d
! on_slapd || check "setup's drop-in is there" test -e $drop_in/network.conf
check "purge" dpkg -P $all
check "purge: PAM and nsswitch.conf are as they were" untouched
check "purge: local people log in" local_logs_in
check "purge: root logs in" root_logs_in
kept() { # with slapd they are there, and nothing is here
	if on_slapd; then [ ! -e /var/lib/isms ] && [ "$(value_of uid "uid=ada,ou=people,$base")" = ada ]
	else [ "$(ls /var/lib/isms)" = directory ]; fi
}
check "purge: the accounts are kept, nothing else" kept
refused "purge: no settings are left" test -e /etc/isms -o -e /etc/ssh/sshd_config.d/isms.conf -o -e $drop_in
finish
