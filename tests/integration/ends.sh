#!/bin/bash
# ends: what changes in the directory bites at once: visible within a second, refused within a second, live
# sessions of every kind gone within five (issue 2, done when 6; CASES PS06a, PS07a, AR08a, SI07a).
. "$(dirname "$0")/lib.sh"
prepare
systemctl start cron

check "contractor" contractor ada
check "add: visible within a second" bash -c 'isms-userctl add bob --kind employee --generate-password --secret-fd 3 3>/dev/null && sleep 1 && getent passwd bob'
home_of() { getent passwd "$1" | cut -d: -f6; }
edited() { edit_entry bob homeDirectory /home/robert && sleep 1 && [ "$(home_of bob)" = /home/robert ]; }
check "edited by hand or another tool: visible within a second" edited

# ---- every kind of session -----------------------------------------------------------------------
gone() { ! pgrep -u "$1" -l; }
through_tunnel() { # to sshd behind it, which greets
	timeout 5 bash -c 'exec 3<>/dev/tcp/localhost/2222 && read -r line <&3 && [[ $line == SSH-2.0-* ]]' 2>/dev/null
}
open_all() { # shell, tmux, tunnel, lingering manager, what a logged-out session left, a cron job
	by_ssh ada -tt -- 'sleep 3000' >/run/people/ada/shell 2>&1 &
	wait_until 10 has_session ada || return
	by_ssh ada -- 'tmux new-session -d "sleep 3001"' && by_ssh ada -- 'setsid nohup sleep 3002 >/dev/null 2>&1 </dev/null &' || return
	code=$(fresh_code ada) SSH_ASKPASS=$people/ada/askpass SSH_ASKPASS_REQUIRE=force \
		ssh $ssh_options -N -L 2222:localhost:22 ada@localhost >/dev/null 2>&1 </dev/null &
	loginctl enable-linger ada && by_user_manager ada systemd-run --user --quiet sleep 3003 || return
	echo '* * * * * ada sleep 3004' >/etc/cron.d/isms-ends
	wait_until 75 pgrep -f 'sleep 3004' >/dev/null
	rm /etc/cron.d/isms-ends
	wait_until 10 through_tunnel || return
	local n
	for n in 3000 3001 3002 3003 3004; do wait_until 10 pgrep -u ada -f "sleep $n" || { echo "sleep $n does not run"; return 1; }; done
}
all_gone_within_5() { # COMMAND...: five seconds after it nothing of hers is alive
	"$@" && wait_until 5 gone ada && ! through_tunnel
}
check "sessions of every kind are open" open_all
check "mark" mark
check "disable: all gone within five seconds" all_gone_within_5 isms-userctl disable ada --reason test --yes
check "event session.terminated" wait_until 5 event_is '.ISMS_EVENT == "session.terminated"' '.ISMS_USER == "ada"'
no_manager() { ! systemctl -q is-active "user@$(id -u ada)"; }
check "SI07a lingering is over" wait_until 5 no_manager
a_second_after() { "$@" && sleep 1; }
bites() { # disabled, and the next login a second later is refused for it
	mark && a_second_after isms-userctl disable ada --reason test --yes && ! by_ssh ada -- true && denied_with disabled ada
}
let_in_again() { mark && a_second_after isms-userctl enable ada --reason test --yes && by_ssh ada -- true; }
check "enable: in within a second" let_in_again
check "disable: refused within a second" bites
check "disable: its twin, enabled" let_in_again
check "sessions of every kind are open again" open_all
put_out_at_the_end() {
	local end since
	end=$(isms-userctl set-expiry ada +5s --reason test --yes --json | jq -r .new) && end=$(date -d "$end" +%s%3N) || return
	wait_until 12 gone ada && since=$(($(date +%s%3N) - end)) || return
	echo "$since ms after the end"
	[ $since -ge 0 ] && [ $since -le 5000 ] && ! through_tunnel
}
check "PS06a the contract's end: all gone within five seconds of it, and not before" put_out_at_the_end
check "she was warned" grep -i "contract\|access.*end" /run/people/ada/shell
refused "and is refused after it" by_ssh ada -- true
check "reason expired" denied_with expired ada
check "why says expired" why_says ada expired
extended() { # an end that is moved in time does not bite
	isms-userctl set-expiry ada +1h --reason test --yes && sleep 1 || return
	by_ssh ada -tt -- 'sleep 3000' >/dev/null 2>&1 &
	wait_until 10 has_session ada && isms-userctl set-expiry ada +12s --reason test --yes && sleep 2 &&
		isms-userctl set-expiry ada +1h --reason test --yes && sleep 14 && has_session ada
}
check "PS07a extended before it hits: the session lives" extended

# ---- rules -------------------------------------------------------------------------------------
revoked() {
	sed -i 's/^allow-services = sshd/allow-services =/' /etc/isms/policy.conf && a_second_after reload && ! by_ssh ada -- true
}
given_back() { # its twin
	sed -i 's/^allow-services =/& sshd/' /etc/isms/policy.conf && a_second_after reload && by_ssh ada -- true
}
check "login before the rule goes" by_ssh ada -- true
check "mark" mark
check "AR08a a service taken from the role: refused within a second" revoked
check "reason service-not-allowed" denied_with service-not-allowed ada
check "AR08a its twin: the service given back" given_back
finish
