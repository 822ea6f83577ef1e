#!/bin/bash
# stops: ismsd's processes killed one by one and all together, and stopped with their sockets (issue 2, done when
# 5; CASES DM04a, NS10a, PA01a, PX04a). Local people and root log in through all of it.
. "$(dirname "$0")/lib.sh"
prepare
check "contractor" contractor ada
check "local people" local_people
check "key" make_key ada
check "ssh, everything runs" by_ssh ada -- true

# ---- killed ------------------------------------------------------------------------------------
within() { # SECONDS COMMAND...: whatever it says, it says it in time
	local start limit=$1
	shift
	start=$(date +%s%3N)
	"$@"
	echo "status $?, $(($(date +%s%3N) - start)) ms"
	[ $(($(date +%s%3N) - start)) -le $((limit * 1000)) ]
}
processes="ismsd-front ismsd-directory ismsd-publisher"
active() { systemctl -q is-active $processes; }
login_ms() { # how long a login takes, which must be let in
	local start
	start=$(date +%s%3N)
	by_ssh ada -- true >/dev/null && echo $(($(date +%s%3N) - start))
}
killed() { # SERVICE...: a login that comes right after waits at most 5 s longer than another, then all is well again
	local alone took
	alone=$(login_ms) && systemctl kill -s KILL "$@" && took=$(login_ms) || return
	echo "alone $alone ms, then $took ms"
	[ $((took - alone)) -le 5000 ] && wait_until 5 active && by_ssh ada -- true
}
for p in $processes; do check "$p killed" killed $p; done
check "all killed" killed $processes

# A login whose prompt is open: its askpass says that it was asked, and answers when it is told to.
mkdir -p $people/waits
cat >$people/waits/askpass <<-A
	#!/bin/bash
	case \$1 in *code*) touch $people/waits/asked; until [ -e $people/waits/go ]; do sleep .02; done ;; esac
	exec $people/ada/askpass "\$@"
A
chmod 755 $people/waits/askpass
result_is() { event_is '.ISMS_SERVICE == "sshd"' '.ISMS_USER == "ada"' "$@"; }
waiting_login() { # SERVICE...: killed while the code is asked; the answer comes at once, and the end within 5 s
	local code start ssh rc=0 took
	mark
	code=$(fresh_code ada)
	rm -f $people/waits/{asked,go}
	code=$code SSH_ASKPASS=$people/waits/askpass SSH_ASKPASS_REQUIRE=force ssh $ssh_options \
		-o PreferredAuthentications=keyboard-interactive ada@localhost true </dev/null &
	ssh=$!
	wait_until 5 test -e $people/waits/asked || return
	start=$(date +%s%3N)
	systemctl kill -s KILL "$@" && touch $people/waits/go
	wait $ssh || rc=$?
	took=$(($(date +%s%3N) - start))
	echo "status $rc, $took ms"
	[ $took -le 5000 ] || return
	case $rc in
		0) result_is '.ISMS_EVENT == "login.granted"' ;;
		255) result_is '.ISMS_DECISION == "denied"' '.ISMS_REASON | test("^(daemon|directory)-unavailable$")' ;;
		*) return 1 ;;
	esac
}
for p in $processes; do
	check "$p killed: a waiting login succeeds or is refused within 5 s" waiting_login $p
	check "$p killed: well again" wait_until 5 active
done
check "publisher killed: a waiting login was let in" result_is '.ISMS_EVENT == "login.granted"'
check "all killed: a waiting login succeeds or is refused within 5 s" waiting_login $processes
check "all killed: well again" wait_until 5 active
check "login again" by_ssh ada -- true

hundred_kills() { # each hits a living process, the three in turn, all within 60 s
	local n=0 p pid start=$SECONDS
	while [ $n -lt 100 ]; do
		for p in $processes; do
			pid=$(systemctl show -P MainPID $p)
			[ "$pid" != 0 ] && kill -s KILL "$pid" && n=$((n + 1))
		done
		sleep .3
		[ $((SECONDS - start)) -lt 60 ] || { echo "only $n kills in 60 s"; return 1; }
	done
	echo "$n kills in $((SECONDS - start)) s"
}
fail_once() { ! code=000000 by_ssh ada -- true && denied_with mfa-failed ada; }
lockouts() { # three failures, a hundred kills, the fourth locks: none of the three was forgotten
	local i
	set_option mfa lock-after 4 && set_option mfa delay-after 100 && mark || return
	for i in 1 2 3; do fail_once || return; done
	hundred_kills && wait_until 20 active && wait_until 10 isms-userctl status >/dev/null && mark && fail_once &&
		! by_ssh ada -- true && denied_with mfa-locked ada
}
locked_still() {
	mark && systemctl kill -s KILL $processes && wait_until 5 active && ! by_ssh ada -- true && denied_with mfa-locked ada
}
check "DM04a 100 kills in 60 s: the service returns, counted failures stay" lockouts
check "DM04a killed again: the lock stays" locked_still
check "enable takes them back" isms-userctl enable ada --reason test --yes
check "enable takes them back: in" by_ssh ada -- true

# ---- stopped -----------------------------------------------------------------------------------
stop() { local s=() p; for p; do s+=("$p.socket" "$p.service"); done; systemctl stop "${s[@]}"; }
start() { local s=() p; for p; do s+=("$p.socket" "$p.service"); done; systemctl start "${s[@]}"; }
unavailable="Access refused: login service unavailable. Contact $contact"
says() { # TEXT COMMAND...: refused within 5 s with this text
	local text=$1
	shift
	within 5 "$@" 2>&1 | tee /dev/stderr | grep -qF "$text"
}
console() { code=none by_login "$1" 'id -un'; }
# What sshd passes on of it, ssh shows as information.
ssh_shows() { # NAME
	local ssh_options=${ssh_options/LogLevel=ERROR/LogLevel=INFO}
	code=none by_ssh "$1" -o PreferredAuthentications=keyboard-interactive -- true
}
local_people_log_in() { # STATE
	check "$1: local user" local_logs_in
	check "$1: root" root_logs_in
}
# status and doctor name exactly the processes that do not answer, by words and by exit status; doctor's own is told
# by the clock of the bed as well, which nobody synchronises.
silent() { # STATUS PROCESS...
	local want=$1 found
	shift
	isms-userctl status >/run/people/status
	[ $? = "$want" ] || { echo "status: not $want"; cat /run/people/status; return 1; }
	found=$(awk '/^\[/ { p = $1 } $1 == "answers" && $2 == "no" { print p }' /run/people/status | tr -d '[]' | xargs)
	[ "$found" = "$*" ] || { echo "status names: $found"; return 1; }
	[ "$(grep -c '^answers *yes$' /run/people/status)" = $((3 - $#)) ] || return
	isms-userctl doctor >/run/people/doctor
	[ $? = $(($# > 0 || $(grep -c '^bad' /run/people/doctor) > 0)) ] || { cat /run/people/doctor; return 1; }
	found=$(sed -n 's/^bad  *service  *ismsd-\([a-z]*\)\.service does not answer: .*/\1/p' /run/people/doctor | xargs)
	[ "$found" = "$*" ] || { echo "doctor names: $found"; return 1; }
	[ $# -gt 0 ] || [ "$(grep '^bad' /run/people/doctor | awk '{ print $2 }')" = clock ]
}
check "everything runs: status and doctor name nothing" silent 0

check "mark" mark
check "front stopped" stop ismsd-front
check "NS10a front stopped: names resolve" getent passwd ada
check "PA01a front stopped: what a managed person sees" says "$unavailable" console ada
check "front stopped: what ssh shows of it" says "$unavailable" ssh_shows ada
check "mark" mark
refused "PX04a front stopped: a key" by_key ada -- true
check "PX04a reason daemon-unavailable" denied_with daemon-unavailable ada
mkdir -p $people/stranger && echo x >$people/stranger/password && write_askpass stranger
check "front stopped: any name that is not local sees the same" says "$unavailable" console stranger
check "front stopped: over ssh too" says "$unavailable" ssh_shows stranger
check "reason daemon-unavailable" denied_with daemon-unavailable ada
check "the module's own event carries no sequence" event_is '.ISMS_REASON == "daemon-unavailable"' '.ISMS_SEQ == null' '._UID == "0"'
local_people_log_in "front stopped"
check "front stopped: status and doctor name it" silent 3 front
check "front started" start ismsd-front
check "front started: status and doctor do not" wait_until 5 silent 0
check "login again" by_ssh ada -- true

check "mark" mark
check "directory stopped" stop ismsd-directory
check "directory stopped: names resolve" getent passwd ada
refused "directory stopped: a login" by_ssh ada -- true
check "reason directory-unavailable" denied_with directory-unavailable ada
local_people_log_in "directory stopped"
check "directory stopped: status and doctor name it" silent 3 directory
check "directory started" start ismsd-directory
check "login again" wait_until 10 by_ssh ada -- true
check "directory started: status and doctor do not" wait_until 5 silent 0

check "publisher stopped" stop ismsd-publisher
check "publisher stopped: logins go on" by_ssh ada -- true
local_people_log_in "publisher stopped"
check "publisher stopped: status and doctor name it" silent 3 publisher
check "publisher started" start ismsd-publisher
check "publisher started: status and doctor do not" wait_until 5 silent 0

check "all stopped" stop $processes
check "all stopped: names resolve" getent passwd ada
check "all stopped: groups resolve" bash -c 'id -Gn ada | grep -w isms-mfa'
check "mark" mark
refused "all stopped: a login" by_ssh ada -- true
check "all stopped: reason daemon-unavailable" denied_with daemon-unavailable ada
local_people_log_in "all stopped"
check "all stopped: status and doctor name all" silent 3 front directory publisher
check "all started" start $processes
check "login again" wait_until 10 by_ssh ada -- true
finish
