#!/bin/bash
# ways: every way in for a valid contractor, and the same way for the same person when one fact changed (issue 2,
# done when 2): key alone, password alone, disabled, wrong and reused codes, the end one second ahead and reached.
. "$(dirname "$0")/lib.sh"
prepare
systemctl start cron

# ---- every way in ------------------------------------------------------------------------------
check "contractor" contractor ada
check "a key" make_key ada
echo '%web-deploy ALL=(ALL) ALL' >/etc/sudoers.d/isms-test
echo 'ada ALL=(ALL) ALL' >>/etc/sudoers.d/isms-test

check "ssh: password and code" by_ssh ada -- true
check "ssh: key and code" by_key ada -- true
key_asks_code_only() { by_key ada -- true && [ "$(grep -c . $people/ada/prompts)" = 1 ] && grep -q 'One-time code: ' $people/ada/prompts; }
check "ssh: with a key only the code is asked" key_asks_code_only
prompts() { by_ssh ada -- true && printf '(ada@localhost) %s: \n' Password 'One-time code' | diff - $people/ada/prompts; }
check "ssh: the prompts" prompts
check "login: console" by_login ada 'id -un'
check "su" by_su ada 'id -un'
sudo_twice() { by_ssh ada -- "export SUDO_ASKPASS=$people/ada/askpass; : >$people/ada/prompts; sudo -A id -un && sudo -n id -un"; }
check "sudo, and again within its timestamp" sudo_twice
sudo_asks_password_only() { cat $people/ada/prompts; [ "$(grep -c assword $people/ada/prompts)" = 1 ] && ! grep -q code $people/ada/prompts; }
check "sudo in a session proven with a code asks the password only" sudo_asks_password_only
check "root's su" root_su ada 'id -un'
check "cron" by_cron ada 'id -un'
check "user manager" by_user_manager ada id -un
sftp_works() { code=$(fresh_code ada) SSH_ASKPASS=$people/ada/askpass SSH_ASKPASS_REQUIRE=force \
	sftp $ssh_options -o BatchMode=no -b <(echo ls) ada@localhost; }
check "SI06a sftp" sftp_works

# ---- one fact changed: what was proven -----------------------------------------------------------
check "mark" mark
key_alone() { by_key ada -o PreferredAuthentications=publickey -- true; }
password_alone() { by_ssh ada -o PreferredAuthentications=password -- true; }
refused "sshd itself refuses a key alone" key_alone
refused "sshd itself refuses PasswordAuthentication" password_alone
# The end of a session before may be told meanwhile: it decides nothing.
no_decision() { ! event_is '.ISMS_USER == "ada"' '.ISMS_DECISION != null and .ISMS_DECISION != "none"' >/dev/null; }
check "neither of them came to a decision of ours" no_decision
sshd_drop_in absent
check "mark" mark
refused "without the fragment: a key alone" key_alone
check "reason mfa-required" denied_with mfa-required ada
refused "without the fragment: PasswordAuthentication" password_alone
check "reason mfa-needs-keyboard-interactive" denied_with mfa-needs-keyboard-interactive ada
uncounted() { # where two failures lock, three of these do not
	local rc=0
	set_option mfa lock-after 2 && ! password_alone && ! password_alone && ! password_alone || rc=1
	sshd_drop_in present
	by_ssh ada -- true || rc=1
	rm /etc/isms/conf.d/mfa-lock-after.conf && reload && return $rc
}
check "and counts no failure" uncounted

# ---- one fact changed: the code ------------------------------------------------------------------
check "mark" mark
code=000000 refused "a wrong code" by_ssh ada -- true
check "reason mfa-failed" denied_with mfa-failed ada
password=wrong refused "a wrong password" by_ssh ada -- true
check "reason password-failed" denied_with password-failed ada
twice() { local code; code=$(fresh_code ada) && by_ssh ada -- true && ! by_ssh ada -- true; }
check "OT01a a code is good once" twice
check "reason mfa-replayed" denied_with mfa-replayed ada
check "eight digits" add_person eve contractor --until +2h --sponsor carol
check "eight digits: token" enroll_person eve --hotp --digits 8
check "mark" mark
suffix() { local code; code=$(fresh_code eve) && code=${code:2} && by_ssh eve -- true; }
refused "OT03a the 6-digit suffix of an 8-digit code" suffix
check "reason mfa-failed" denied_with mfa-failed eve
check "OT03a its twin, all eight digits" by_ssh eve -- true

# ---- one fact changed: enrolled ------------------------------------------------------------------
check "no token" add_person ned contractor --until +2h --sponsor carol
check "no token: visible" wait_user ned
check "mark" mark
code=123456 refused "OT15a not enrolled" by_ssh ned -- true
check "reason mfa-not-enrolled" denied_with mfa-not-enrolled ned
check "OT15a its twin: enrolled" enroll_person ned --hotp
sleep 1
check "OT15a its twin: in" by_ssh ned -- true

denied_by() { # SERVICE REASON: ada was, since the mark, and entered by no session
	event_is '.ISMS_DECISION == "denied"' '.ISMS_USER == "ada"' ".ISMS_SERVICE == \"$1\"" ".ISMS_REASON == \"$2\"" &&
		! event_is '.ISMS_EVENT == "session.opened"' '.ISMS_USER == "ada"' ".ISMS_SERVICE == \"$1\"" >/dev/null
}

# ---- one fact changed: disabled --------------------------------------------------------------------
check "disable" isms-userctl disable ada --reason test --yes
check "mark" mark
sleep 1
refused "disabled: ssh" by_ssh ada -- true
check "reason disabled" denied_with disabled ada
check "mark" mark
refused "disabled: key and code" by_key ada -- true
check "reason disabled" denied_by sshd disabled
check "mark" mark
refused "disabled: root's su" root_su ada true
check "reason disabled" denied_by su-l disabled
check "enable" isms-userctl enable ada --reason test --yes
sleep 1
check "enabled: ssh" by_ssh ada -- true
check "enabled: key and code" by_key ada -- true
check "enabled: root's su" root_su ada true

# ---- one fact changed: only the end ----------------------------------------------------------------
# T-1 s: in. T: out. Each way with an end of its own, on whole seconds.
end_at() { isms-userctl set-expiry ada "$(date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ)" --reason test --yes >/dev/null; }
sleep_until() { local d; d=$(($1 - $(date +%s%3N))); [ $d -le 0 ] || sleep "$(printf '%d.%03d' $((d / 1000)) $((d % 1000)))"; }
end_is_ahead=true	# what is done between setting the end and T-1 s
lead=1			# where a whole login takes longer than that second: what it is begun ahead, on the next try
around_the_end() { # SERVICE COMMAND...: in at T-1 s, out at T, by this service, because of the end
	local end service=$1 code
	shift
	end=$(($(date +%s) + 4 + lead))
	end_at $end || return
	$end_is_ahead || return 2
	code=$(fresh_code ada)
	sleep_until $(((end - lead) * 1000))
	"$@" || { echo "refused $lead s before the end"; lead=$((lead + 1)); return 2; }
	lead=1
	mark
	code=$(fresh_code ada)
	sleep_until $((end * 1000))
	! "$@" || { echo "let in at the end"; return 1; }
	denied_by "$service" expired
}
# A busy machine may need longer than that second for a whole login: then again, with another end.
around_an_end() {
	local rc=2 try
	for try in 1 2 3 4 5 6 7 8 9 10; do
		[ $rc = 2 ] || break
		rc=0
		around_the_end "$@" || rc=$?
	done
	return $rc
}
check "PX01a ssh" around_an_end sshd by_ssh ada -- true
check "PX02a ssh: key and code" around_an_end sshd by_key ada -- true
check "PX01a login" around_an_end login by_login ada 'id -un'
check "PX01a su" around_an_end su-l by_su ada 'id -un'
# On a terminal, where a prompt would be seen; that of su by somebody else is.
root_su_on_pty() { converse ada '' su - ada -c 'echo in' >/run/people/root_su 2>&1; }
unprompted() { cat /run/people/root_su; [ -s /run/people/root_su ] && ! grep -Eqi 'password|code|: $' /run/people/root_su; }
refused_unprompted() {
	around_an_end su-l root_su_on_pty && unprompted &&
		grep -q '^Access refused: your contract has ended' /run/people/root_su
}
su_prompts() {
	converse ada '' setpriv --reuid 65534 --regid 65534 --clear-groups su - ada -c true >/run/people/root_su 2>&1
	! unprompted
}
check "SI04a root's su" refused_unprompted
check "extended" end_at $(($(date +%s) + 3600))
sleep 1
root_su_enters() { root_su_on_pty && unprompted && tr -d '\r' </run/people/root_su | grep -qx in; }
check "SI04a its twin, valid: in, and without a prompt" root_su_enters
check "SI04a su by somebody else does prompt on that terminal" su_prompts
manager() { stop_user_manager ada 2>/dev/null; by_user_manager ada true; }
check "SI07a user manager" around_an_end systemd-user manager
# At the end the publisher ends her processes, who asks among them: then again, unless PAM has said no before. More
# refusals than that would be told by their number, and that of the next check with them.
by_herself() { # COMMAND...
	local try rc
	for try in 1 2 3 4 5; do
		rc=0
		setpriv --reuid ada --regid ada --init-groups "$@" || rc=$?
		[ $rc -gt 128 ] && ! event_is '.ISMS_DECISION == "denied"' '.ISMS_USER == "ada"' >/dev/null || break
	done
	return $rc
}
locker() { by_herself bash -c 'printf "%s\n%s\n" "$0" "$1" | pamtester sudo ada authenticate' "$(cat $people/ada/password)" "$code"; }
check "SI05a screen locker" around_an_end unprivileged locker
# sudo asks for no code in a session that was proven with one, so there is one before the end.
proven_session() { (by_ssh ada -- 'sleep 30' >/dev/null 2>&1 &) && wait_until 3 has_session ada; }
sudo_asks() { SUDO_ASKPASS=$people/ada/askpass by_herself sudo -k -A true; }
sudo_asks_none() { by_herself sudo -n true; }
echo 'Defaults passwd_tries=1' >>/etc/sudoers.d/isms-test
end_is_ahead=proven_session
check "SI03a sudo with a password" around_an_end sudo sudo_asks
echo 'ada ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/isms-test
check "SI03a sudo NOPASSWD" around_an_end sudo sudo_asks_none
cron_ends() { # the job of the minute before the end runs, that of the end does not
	local minute
	within_a_minute		# the table must not be there for a minute that is not counted
	minute=$(($(date +%s) / 60 * 60 + 60))
	end_at $((minute + 60)) && echo '* * * * * ada date +\%s >>/tmp/cron.end' >/etc/cron.d/isms-end || return
	sleep_until $(((minute + 63) * 1000))
	rm /etc/cron.d/isms-end
	echo "the end: $((minute + 60)); jobs began:"
	cat /tmp/cron.end
	events | jq -r 'select(.ISMS_SERVICE == "cron") | .__REALTIME_TIMESTAMP + " " + .MESSAGE'
	[ "$(wc -l </tmp/cron.end)" = 1 ]
}
check "SI02a cron" cron_ends
check "SI02a event" event_is '.ISMS_SERVICE == "cron"' '.ISMS_REASON == "expired"' '.ISMS_DECISION == "denied"' '.ISMS_USER == "ada"'
finish
