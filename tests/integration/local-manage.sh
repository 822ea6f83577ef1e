#!/bin/bash
# local-manage: local accounts that [local] manage puts under policy: by ssh, console, su and cron judged like users of the
# directory, with the password of /etc/shadow; refused while ismsd is away, and nobody else (DESIGN 4.3, THREATS I1, I2).
. "$(dirname "$0")/lib.sh"
prepare
check "a local user and root" local_people

# ---- before: a local account like any other --------------------------------------------------------
a_local_person() { # NAME
	mkdir -p $people/"$1" && echo "$1-password" >$people/"$1"/password && write_askpass "$1" &&
		useradd -m -s /bin/bash "$1" && echo "$1:$1-password" | chpasswd
}
without_code() { code='' "$@"; }
check "alma is local" a_local_person alma
check "bert is local" a_local_person bert
alma_uid=$(id -u alma) alma_record=$(getent passwd alma)
check "alma needs no code" without_code by_ssh alma -- true
refused "no entry of that name by mistake" isms-userctl add alma --kind contractor --until +2h --sponsor carol
add_local() { # NAME OPTION...
	isms-userctl add "$@" && { ! on_slapd || works_here "$1"; }
}
check "an entry about her account" add_local alma --local --kind contractor --until +2h --sponsor carol
check "her token" enroll_person alma --hotp
check "an entry alone puts nobody under policy" without_code by_ssh alma -- true
published_nowhere() { ! getent -s isms passwd alma && ! getent -s isms group alma && [ "$(getent passwd alma)" = "$alma_record" ]; }
check "published nowhere; uid, home and shell are as they were" published_nowhere

# ---- under policy ----------------------------------------------------------------------------------
manage() { # NAME...: in force on all processes
	if [ $# = 0 ]; then rm -f /etc/isms/policy.d/local.conf
	else mkdir -p /etc/isms/policy.d && printf '[local]\nmanage = %s\n' "$*" >/etc/isms/policy.d/local.conf; fi
	systemctl reload ismsd-publisher && reload
}
listed() { [ "$(tr '\n' ' ' </var/lib/isms/nss/local-accounts)" = "${*:+$* }" ]; }
in_force() { manage "$@" && wait_until 10 listed "$@"; }
check "alma and bert come under policy" in_force alma bert
check "policy check is content: root is outside" isms-userctl policy check
check "mark" mark
check "password and code" by_ssh alma -- true
granted_as() { event_is '.ISMS_EVENT == "login.granted"' '.ISMS_USER == "alma"' ".ISMS_UID == \"$alma_uid\"" '.ISMS_KIND == "contractor"' '.ISMS_ROLES == "contractor"'; }
check "granted as a contractor, with the local uid" granted_as
refused "password without a code" without_code by_ssh alma -- true
wrong_code() { code=000000 by_ssh alma -- true; }
refused "a wrong code" wrong_code
check "reason mfa-failed" denied_with mfa-failed alma
wrong_password() { password=wrong by_ssh alma -- true; }
refused "a wrong password beside a right code" wrong_password
check "its twin" by_ssh alma -- true
refused "bert has no entry" without_code by_ssh bert -- true
check "reason unknown-user, by name" denied_with unknown-user bert
check "published nowhere still" published_nowhere
check "console" by_login alma 'id -un'
check "su" by_su alma 'id -un'
wrong_su() { code=000000 by_su alma true; }
refused "su with a wrong code" wrong_su
check "root's su" root_su alma true
runs_cron() { by_cron alma 'echo ran'; }
within_a_minute
check "cron" runs_cron
check "the other local user" local_logs_in
check "root" root_logs_in
check "why agrees" why_says alma "every rule allows"
check "of bert, too" why_says bert unknown-user

# ---- a key -----------------------------------------------------------------------------------------
check "her key" make_key alma
key_alone() { code='' password='' by_key alma -o PasswordAuthentication=no -o KbdInteractiveAuthentication=no -- true; }
refused "a key alone" key_alone
check "reason mfa-required" denied_with mfa-required alma
check "in the local group isms-mfa sshd asks for a code" gpasswd -a alma isms-mfa
key_and_code() { password=not-asked-for by_key alma -- true; }
check "key and code, and no password" key_and_code
key_and_wrong_code() { code=000000 key_and_code; }
refused "key and a wrong code" key_and_wrong_code

# ---- one fact changed, and back --------------------------------------------------------------------
then_in() { wait_until 10 by_ssh alma -- true; }
then_out() { wait_until 10 eval '! by_ssh alma -- true'; }
check "disabled" isms-userctl disable alma
check "out" then_out
check "reason disabled" denied_with disabled alma
check "enabled" isms-userctl enable alma
check "in again" then_in
check "the contract has ended" isms-userctl set-expiry alma 2020-01-01 --force
check "out" then_out
check "reason expired" denied_with expired alma
refused "root's su" root_su alma true
check "extended" isms-userctl set-expiry alma +2h
check "in again" then_in
check "what shadow says of an end holds, too" chage -E 2020-01-01 alma
refused "out by shadow" by_ssh alma -- true
check "shadow without an end" chage -E -1 alma
check "in again" then_in
check "a group that no role leaves her" gpasswd -a alma adm
refused "out" by_ssh alma -- true
check "reason forbidden-group" denied_with forbidden-group alma
check "without it" gpasswd -d alma adm
check "in again" then_in
new_password() { echo "alma:another-password" | chpasswd && echo another-password >$people/alma/password; }
check "another local password" new_password
check "it counts at once" then_in
services() { sed -i "/^\[role contractor\]/,/^\[role employee\]/s/^allow-services.*/allow-services = $*/" /etc/isms/policy.conf && reload; }
check "contractors may not su" services sshd login cron
su_alma() { by_su alma true; }
refused "su" su_alma
check "reason service-not-allowed" denied_with service-not-allowed alma
check "contractors may su" services sshd login su su-l cron
check "su again" wait_until 10 su_alma

# ---- live sessions ---------------------------------------------------------------------------------
open_session() { # NAME: a session that stays
	(code=${code-$(fresh_code "$1")} by_ssh "$1" -- 'touch /tmp/in.$USER; sleep 3000' >/dev/null 2>&1 &)
	wait_until 10 test -e "/tmp/in.$1" && rm -f "/tmp/in.$1"
}
lives() { pgrep -u "$1" -x sleep >/dev/null; }
terminated() { event_is '.ISMS_EVENT == "session.terminated"' ".ISMS_USER == \"$1\"" ".ISMS_REASON == \"$2\""; }
check "a session" open_session alma
check "of the other local user, too" without_code open_session local
check "disabled" isms-userctl disable alma
check "hers ends within five seconds" wait_until 5 no_processes alma
check "for that reason" wait_until 5 terminated alma disabled
check "nobody else's" lives local
check "enabled" isms-userctl enable alma
check "in again" then_in
check "the contract ends soon" isms-userctl set-expiry alma +12s
check "a session" open_session alma
check "extended: its end has passed and it lives" isms-userctl set-expiry alma +25s
sleep 13
check "still" lives alma
check "it ends with the contract" wait_until 20 no_processes alma
check "for that reason" wait_until 5 terminated alma expired
check "nobody else's" lives local
pkill -u local sleep

# ---- what is left running has no session -----------------------------------------------------------
leaves_running() { # NAME: and logs out
	by_ssh "$1" -- 'setsid -f sleep 3000 </dev/null >/dev/null 2>&1' && wait_until 5 lives "$1"
}
is_out() { event_is '.ISMS_EVENT == "session.closed"' ".ISMS_USER == \"$1\""; }
check "extended" isms-userctl set-expiry alma +2h
check "in again" then_in
check "the contract ends soon" isms-userctl set-expiry alma +25s
check "mark" mark
check "she leaves something running" leaves_running alma
check "and is out" wait_until 5 is_out alma
check "the other local user, too" without_code leaves_running local
check "it runs on" lives alma
check "it ends with the contract" wait_until 35 no_processes alma
check "for that reason" wait_until 5 terminated alma expired
check "nobody else's" lives local
check "extended" isms-userctl set-expiry alma +2h
check "in again" then_in
check "mark" mark
check "something is left running" leaves_running alma
check "disabled, while nobody is in" isms-userctl disable alma
check "it ends within a minute" wait_until 70 no_processes alma
check "for that reason" wait_until 5 terminated alma disabled
check "nobody else's" lives local
pkill -u local sleep
check "enabled" isms-userctl enable alma
check "in again" then_in

# ---- a service account: nothing binds a local account's key to its one command --------------------
robo_entry() {
	printf '[role robot]\nmatch = kind:service\nallow-services = sshd cron\nmfa = none\n' >/etc/isms/policy.d/robot.conf && reload &&
		mkdir -p $people/robo && write_askpass robo && ssh-keygen -q -t ed25519 -N '' -f $people/robo/key </dev/null &&
		isms-userctl add robo --kind service --until +2h --owner carol --key-file $people/robo/key.pub \
			--source 127.0.0.0/8 --source ::1/128 --command 'touch /tmp/ran.command' && wait_user robo
}
robo_account() { # useradd would refuse the name, which the directory has
	echo 'robo:x:4711:100::/home/robo:/bin/bash' >>/etc/passwd && echo 'robo:*:20000:0:99999:7:::' >>/etc/shadow &&
		install -d -m 700 -o 4711 -g 100 /home/robo /home/robo/.ssh &&
		install -m 600 -o 4711 -g 100 $people/robo/key.pub /home/robo/.ssh/authorized_keys
}
robo_runs() { # what its key came to
	rm -f /tmp/ran.*
	code='' password='' by_key robo -o PasswordAuthentication=no -o KbdInteractiveAuthentication=no -- touch /tmp/ran.shell
	[ "$(cd /tmp && echo ran.*)" = "$1" ]
}
check "robo is of the directory" robo_entry
check "its key runs its command" wait_until 10 robo_runs ran.command
check "robo is local" robo_account
check "its key opens a shell, as of any local account" wait_until 10 robo_runs ran.shell
check "under policy" in_force alma bert robo
check "its key opens nothing" robo_runs 'ran.*'
check "reason kind-not-interactive" denied_with kind-not-interactive robo
rm /etc/isms/policy.d/robot.conf
check "without it" in_force alma bert
sed -i /^robo:/d /etc/passwd /etc/shadow

# ---- while ismsd is away ---------------------------------------------------------------------------
stop_all() { systemctl stop ismsd-front.socket ismsd-front ismsd-directory.socket ismsd-directory ismsd-publisher.socket ismsd-publisher; }
start_all() { systemctl start ismsd-publisher.socket ismsd-publisher ismsd-directory.socket ismsd-directory ismsd-front.socket ismsd-front; }
check "ismsd is stopped" stop_all
check "mark" mark
refused "ssh" by_ssh alma -- true
check "reason daemon-unavailable" denied_with daemon-unavailable alma
refused "su" su_alma
refused "root's su" root_su alma true
check "the other local user" local_logs_in
check "root" root_logs_in
check "without a snapshot" rm /var/lib/isms/nss/base.1.snap
refused "ssh" by_ssh alma -- true
check "the other local user" local_logs_in
check "root" root_logs_in
check "without the list nobody local is under policy" mv /var/lib/isms/nss/local-accounts /run/local-accounts
check "password alone" without_code by_ssh alma -- true
check "ismsd is started" start_all
check "the list is there again" wait_until 10 listed alma bert
check "in by password and code" then_in
refused "and not without" without_code by_ssh alma -- true

# ---- ways around -----------------------------------------------------------------------------------
check "a second name of her uid" useradd -M -o -u "$alma_uid" -g alma -d /home/alma -s /bin/bash twin
su_twin() { root_su twin true; }
refused "is refused" su_twin
refused "policy check tells" isms-userctl policy check
check "the other local user" local_logs_in
check "without it" userdel -f twin
check "root by another name" useradd -M -o -u 0 -g 0 -d /root -s /bin/bash toor
check "named" manage alma bert toor
refused "policy check refuses" isms-userctl policy check
check "not listed" wait_until 10 listed alma bert
su_toor() { root_su toor true; }
check "and never refused" su_toor
check "without it" in_force alma bert
userdel -f toor

# ---- somebody must stay outside --------------------------------------------------------------------
check "root has no password" passwd -l root
refused "config check insists on an administrator" isms-userctl config check
check "one in the group sudo" gpasswd -a local sudo
check "config check is content" isms-userctl config check
check "it is alma alone" gpasswd -M alma sudo
refused "config check insists" isms-userctl config check

# ---- she leaves ------------------------------------------------------------------------------------
gpasswd -M '' sudo
check "alma is in once more" open_session alma
leaves() { isms-userctl leave alma --reason "contract ended" --json >/run/leave.json && cat /run/leave.json; }
check "leave" leaves
check "nothing of hers runs when it is over" no_processes alma
check "and it is told" jq -e '.steps[] | select(.step == "sessions") | .state == "done"' /run/leave.json
refused "she does not get in" without_code by_ssh alma -- true
check "reason disabled" denied_with disabled alma
check "the other local user does" local_logs_in

# ---- and out again ---------------------------------------------------------------------------------
check "nobody is under policy" in_force
check "alma needs no code" without_code by_ssh alma -- true
check "bert neither" without_code by_ssh bert -- true
finish
