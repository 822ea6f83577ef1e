# people.sh - an administrator's hand and the people who log in, without a person: real ssh and login, answers
# by prompt. Sourced by lib.sh (tests) and by tools/demo, inside the test bed only.
#
# A person has a folder $people/NAME: password, secret (base32), token (oathtool's options), counter or step
# (what was used last), key, askpass (what ssh and sudo ask), prompts (what was asked). Codes: $code if set,
# else one that was never used. $password stands for the password where it is set.

people=/run/people
contact=security@example.com
ssh_options="-F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
ssh_options+=" -o ConnectTimeout=10 -o NumberOfPasswordPrompts=1"
people_lib=$(dirname "$(realpath "${BASH_SOURCE[0]}")")

# dpkg, not apt: the bed has no network, and what the packages need is in its root.
install_packages() { dpkg -i "${debs:-/isms/debs}"/*.deb; }

# ---- the administrator's hand -------------------------------------------------------------------

# A first configuration, then the policy of a file instead of the one that setup wrote.
setup_with_policy() {
	if [ "${ISMS_DIRECTORY-}" = ldap ]; then join_directory || return
	else isms-userctl setup --yes --contact "$contact" || return; fi
	cat "$1" >/etc/isms/policy.conf && isms-userctl policy check && reload
}
# set_option SECTION KEY VALUE, for a while: a file of its own below conf.d.
set_option() {
	mkdir -p /etc/isms/conf.d && printf '[%s]\n%s = %s\n' "$1" "$2" "$3" >"/etc/isms/conf.d/$1-$2.conf" && reload
}
reload() { systemctl reload ismsd-front ismsd-directory; }

# add_person NAME KIND [OPTION...]: an account with a password, by the one command.
add_person() {
	local name=$1 kind=$2
	shift 2
	mkdir -p "$people/$name"
	echo "correct-horse-$name" >"$people/$name/password"
	write_askpass "$name"
	isms-userctl add "$name" --kind "$kind" --password-fd 3 "$@" 3<"$people/$name/password" || return
	[ "${ISMS_DIRECTORY-}" != ldap ] || works_here "$name"
}

# enroll_person NAME [--hotp] [OPTION...]: the secret comes by descriptor, the confirming code goes by one.
enroll_person() {
	local name=$1 dir=$people/$1 option rc=0 token=--totp
	shift
	for option; do [ "$option" != --hotp ] || token=--hotp; done
	case $* in *sha256*) token+==sha256 ;; *sha512*) token+==sha512 ;; esac
	case $* in *"--digits 8"*) token+=" -d8" ;; *"--digits 7"*) token+=" -d7" ;; *) token+=" -d6" ;; esac
	echo "$token" >"$dir/token"
	rm -f "$dir/secret" "$dir/codes" "$dir/counter" "$dir/step"
	mkfifo "$dir/codes"
	(wait_until 20 test -s "$dir/secret" >/dev/null && fresh_code "$name" >"$dir/codes") &
	isms-userctl enroll "$name" "$@" --secret-fd 3 --code-fd 4 3>"$dir/secret" 4<>"$dir/codes" || rc=$?
	wait $!
	rm -f "$dir/codes"
	return $rc
}

# wait_user NAME [GONE]: the directory's change has reached lookups.
wait_user() { wait_until 20 getent passwd "$1"; }	# how soon is asserted elsewhere

# ---- codes --------------------------------------------------------------------------------------

# A code that was never used: the next counter, or the first unused time step, at most one ahead of now.
fresh_code() { # NAME
	local dir=$people/$1 n now
	if grep -q hotp "$dir/token"; then
		n=$(($(cat "$dir/counter" 2>/dev/null || echo -1) + 1))
		echo $n >"$dir/counter"
		oathtool $(cat "$dir/token") -c $n -b "$(cat "$dir/secret")"
		return
	fi
	n=$(cat "$dir/step" 2>/dev/null || echo 0)
	while now=$(($(date +%s) / 30)); [ "$n" -gt $now ]; do sleep .2; done
	n=$((n >= now ? n + 1 : now))
	echo $n >"$dir/step"
	oathtool $(cat "$dir/token") --now "@$((n * 30))" -b "$(cat "$dir/secret")"
}

write_askpass() { # NAME
	cat >"$people/$1/askpass" <<-A
		#!/bin/bash
		printf '%s\n' "\$1" >>$people/$1/prompts 2>/dev/null
		case \$1 in
			*ssword*) printf '%s\n' "\${password-\$(cat $people/$1/password)}" ;;
			*code*) printf '%s\n' "\${code?}" ;;
			*) exit 1 ;;
		esac
	A
	chmod 755 "$people/$1/askpass"
	install -m 666 /dev/null "$people/$1/prompts"
}

# ---- ways in ------------------------------------------------------------------------------------

# by_ssh NAME [SSH-OPTION...] -- COMMAND: password and code, unless the options say otherwise.
by_ssh() {
	local name=$1 options=()
	shift
	while [ "${1---}" != -- ]; do options+=("$1"); shift; done
	shift
	: >"$people/$name/prompts"
	code=${code-$(fresh_code "$name")} SSH_ASKPASS=$people/$name/askpass SSH_ASKPASS_REQUIRE=force \
		ssh $ssh_options "${options[@]}" "$name@localhost" "$@" </dev/null
}

# by_key NAME -- COMMAND: key and code. make_key puts the key where sshd looks for it.
by_key() {
	local name=$1
	shift
	by_ssh "$name" -o IdentityFile="$people/$name/key" -o IdentitiesOnly=yes "$@"
}
make_key() { # NAME
	local home
	home=$(getent passwd "$1" | cut -d: -f6)
	ssh-keygen -q -t ed25519 -N '' -f "$people/$1/key" </dev/null &&
		install -d -m 700 -o "$1" -g "$(id -g "$1")" "$home" "$home/.ssh" &&
		install -m 600 -o "$1" -g "$(id -g "$1")" "$people/$1/key.pub" "$home/.ssh/authorized_keys"
}

# by_pam NAME [SERVICE]: password and code by a client of PAM that is all there is to it; prints what it came to.
# $password and $code as with by_ssh.
by_pam() {
	code=${code-$(fresh_code "$1")} password=${password-$(cat "$people/$1/password")} \
		python3 -I "$people_lib/logins.py" login "${2-sshd}" "$1"
}

# converse NAME LINE COMMAND...: run COMMAND on a pty, answer its prompts for NAME, type LINE at the first shell
# prompt. Prints everything; succeeds when COMMAND ended by itself.
converse() {
	local name=$1 line=$2
	shift 2
	name=$name line=$line password=${password-$(cat "$people/$name/password" 2>/dev/null)} \
		code=${code-$(fresh_code "$name")} expect "$people_lib/converse.exp" "$@"
}

# Each prints what the shell said to LINE, run as the person; it fails when the person did not get in.
by_login() { converse "$1" "$2" login | entered; }
by_su() { converse "$1" '' setpriv --reuid 65534 --regid 65534 --clear-groups su - "$1" -c "$2; echo entered" | entered; }
entered() { tr -d '\r' | tee /dev/stderr | grep -qx entered; }
root_su() { su - "$1" -c "$2" </dev/null; }
# cron looks at its tables every minute: by_cron NAME waits for one job to have run.
by_cron() { # NAME COMMAND
	rm -f "/tmp/cron.$1"
	echo "* * * * * $1 { $2; } >/tmp/cron.$1 2>&1" >/etc/cron.d/isms-test
	systemctl start cron
	wait_until 75 test -s "/tmp/cron.$1"
	local rc=$?
	rm -f /etc/cron.d/isms-test
	cat "/tmp/cron.$1"
	return $rc
}
stop_user_manager() { # NAME: and its folder, which else goes by itself at any moment after it, and fails the next one
	systemctl stop "user@$(id -u "$1")" "user-runtime-dir@$(id -u "$1")"
}
by_user_manager() { # NAME COMMAND...
	local uid
	uid=$(id -u "$1") || return
	shift
	# logind stops a manager ten seconds after the last session: one that is about to go answers nobody, so try anew.
	for _ in 1 2 3; do
		systemctl start "user@$uid.service" || return
		setpriv --reuid "$uid" --regid "$(id -g "$uid")" --clear-groups env XDG_RUNTIME_DIR="/run/user/$uid" \
			DBUS_SESSION_BUS_ADDRESS="unix:path=/run/user/$uid/bus" systemd-run --user --quiet --pipe --wait -- "$@" \
			2>/run/manager-fault && return
		cat /run/manager-fault >&2
		grep -q 'Failed to connect to bus' /run/manager-fault || return 1
		sleep 1
	done
	return 1
}

has_session() { loginctl --no-legend --no-pager list-sessions | awk -v u="$1" '$3 == u { found = 1 } END { exit !found }'; }
no_processes() { ! pgrep -u "$1" >/dev/null; }

# ---- events -------------------------------------------------------------------------------------

# mark, then event_is JQ-CONDITION...: an event of ours since the mark that fulfils all conditions.
mark() { journalctl --sync && journal_mark=$(journalctl -n 1 -o cat --show-cursor | sed -n 's/^-- cursor: //p'); }
events() { journalctl --sync && journalctl ${journal_mark:+--after-cursor="$journal_mark"} -o json --all | jq -c 'select(.ISMS_EVENT)'; }
event_is() {
	local condition=true c
	for c; do condition+=" and ($c)"; done
	events | jq -e -s "any(.[]; $condition)" >/dev/null && return
	events | jq -r '.MESSAGE'
	return 1
}
event_since_boot() { journalctl --sync && journalctl -o json | jq -e -s "any(.[]; .ISMS_EVENT == \"$1\")" >/dev/null; }
# denied_with REASON NAME: the last decision about the person was a refusal for this reason.
denied_with() { event_is '.ISMS_DECISION == "denied"' ".ISMS_USER == \"$2\"" ".ISMS_REASON == \"$1\""; }
why_says() { # NAME REASON [SERVICE]: its status says whether the login would be let in, which is not the question
	isms-userctl why "$1" --service "${3-sshd}" >/run/people/why 2>&1
	cat /run/people/why
	grep -qw -- "$2" /run/people/why
}
