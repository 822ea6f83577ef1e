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
killed() { # SERVICE...: a login that comes right after is answered within 5 s, then all is well again
	systemctl kill -s KILL "$@" && within 5 by_ssh ada -- true && wait_until 5 active && by_ssh ada -- true
}
for p in $processes; do check "$p killed" killed $p; done
check "all killed" killed $processes
waiting_login() { # the front dies while a login waits for its answer
	local code start
	code=$(fresh_code ada)
	start=$(date +%s)
	by_ssh ada -o PreferredAuthentications=keyboard-interactive -- true &
	sleep .3
	systemctl kill -s KILL ismsd-front
	wait $!
	echo "status $?"
	[ $(($(date +%s) - start)) -le 5 ]
}
check "a waiting login ends within 5 s" waiting_login
lockouts() { # three failures, twenty kills, the fourth locks: none of the three was forgotten
	local i
	set_option mfa lock-after 4 && set_option mfa delay-after 100 || return
	for i in 1 2 3; do ! code=000000 by_ssh ada -- true || return; done
	for i in $(seq 20); do systemctl kill -s KILL ismsd-front; sleep .2; done
	wait_until 20 systemctl -q is-active ismsd-front && ! code=000000 by_ssh ada -- true && ! by_ssh ada -- true &&
		denied_with mfa-locked ada
}
check "DM04a many kills: the service returns, counted failures stay" lockouts
check "enable takes them back" isms-userctl enable ada --reason test --yes

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

check "mark" mark
check "front stopped" stop ismsd-front
check "NS10a front stopped: names resolve" getent passwd ada
check "PA01a front stopped: what a managed person sees" says "$unavailable" console ada
refused "PX04a front stopped: a key" by_key ada -- true
mkdir -p $people/stranger && echo x >$people/stranger/password && write_askpass stranger
check "front stopped: any name that is not local sees the same" says "$unavailable" console stranger
check "reason daemon-unavailable" denied_with daemon-unavailable ada
check "the module's own event carries no sequence" event_is '.ISMS_REASON == "daemon-unavailable"' '.ISMS_SEQ == null' '._UID == "0"'
check "front stopped: local user" local_logs_in
check "front stopped: root" root_logs_in
check "status names it" bash -c 'isms-userctl status; isms-userctl status 2>&1 | grep -qi front'
check "front started" start ismsd-front
check "login again" by_ssh ada -- true

check "mark" mark
check "directory stopped" stop ismsd-directory
check "directory stopped: names resolve" getent passwd ada
refused "directory stopped: a login" by_ssh ada -- true
check "reason directory-unavailable" denied_with directory-unavailable ada
check "directory stopped: local user" local_logs_in
check "directory started" start ismsd-directory
check "login again" wait_until 10 by_ssh ada -- true

check "publisher stopped" stop ismsd-publisher
check "publisher stopped: logins go on" by_ssh ada -- true
check "publisher stopped: status names it" bash -c 'isms-userctl status 2>&1 | grep -i publisher'
check "publisher stopped: doctor names it" bash -c 'isms-userctl doctor 2>&1 | grep -i publisher'
check "publisher started" start ismsd-publisher

check "all stopped" stop $processes
check "all stopped: names resolve" getent passwd ada
check "all stopped: groups resolve" bash -c 'id -Gn ada | grep -w isms-mfa'
refused "all stopped: a login" by_ssh ada -- true
check "all stopped: local user" local_logs_in
check "all stopped: root" root_logs_in
check "all started" start $processes
check "login again" wait_until 10 by_ssh ada -- true
finish
