#!/bin/bash
# publisher: its sandbox as booted, what people read before they are put out, what only the login uid tells, and an end
# that comes while the publisher has just died and the directory process is away (DESIGN 3.11, 3.15; THREATS 5.3, 5.9).
. "$(dirname "$0")/lib.sh"
prepare
check "contractor" contractor ada

# ---- sandbox -------------------------------------------------------------------------------------
publisher_pid() { systemctl show -P MainPID ismsd-publisher; }
check "exposure at most 1.5" systemd-analyze security --no-pager --threshold=15 ismsd-publisher
only_kill() { # CAP_KILL is bit 5; no_new_privs and a filter are on; the one group is tty
	local status=/proc/$(publisher_pid)/status
	cat "$status"
	grep -qx $'CapEff:\t0000000000000020' "$status" && grep -qx $'CapBnd:\t0000000000000020' "$status" &&
		grep -qx $'NoNewPrivs:\t1' "$status" && grep -qx $'Seccomp:\t2' "$status" &&
		grep -Eqx $'Groups:\t(0 )?5 ?' "$status"
}
check "CAP_KILL and group tty, nothing else" only_kill
sees_itself() { # a core of it would name everybody
	[ "$(stat -c %U "/proc/$(publisher_pid)/environ")" = root ] && grep -q '^Max core file size *0 *0' "/proc/$(publisher_pid)/limits"
}
check "no core files" sees_itself
status_has() { isms-userctl status | tee /dev/stderr | grep -Eq "$1"; }
check "status: users" status_has '^users +2$'

# ---- what people read ----------------------------------------------------------------------------
shell=$people/ada/shell
open_shell() {
	by_ssh ada -tt -- 'sleep 3000' >"$shell" 2>&1 &
	wait_until 10 pgrep -u ada -f '^sleep 3000' >/dev/null	# by then she has her terminal
}
as_login_uid() { # UNIT: a process of root's that she began, outside of her slice
	systemd-run --quiet --unit="$1" sh -c "echo $(id -u ada) >/proc/self/loginuid && exec sleep 3005"
	wait_until 5 pgrep -f '^sleep 3005' >/dev/null
}
ended_at() { # SECONDS: nothing of hers before it is missing, nothing after it is left
	local end
	isms-userctl set-expiry ada "+$1s" --reason test --yes || return
	end=$(isms-userctl show ada --json | jq -r '[.. | .not_after? // empty] | first')
	end=$(date -d "$end" +%s) || return
	while [ "$(date +%s)" -lt $((end - 1)) ]; do sleep .1; done
	has_session ada || [ "$(date +%s)" -ge "$end" ] || { echo "put out too early"; return 1; }
	wait_until 6 no_processes ada && ! pgrep -af '^sleep 3005' && [ "$(date +%s)" -le $((end + 5)) ]
}
check "a shell" open_shell
check "a process of root's with her login uid" as_login_uid isms-test-1
check "PS06a all of it ends at the instant" ended_at 25
check "she was told when it was set, 10 s before, and at the end" bash -c "
	[ \$(grep -c 'Your access to this system ends in' $shell) -ge 2 ] && grep -q 'ends in 10 seconds' $shell &&
		grep -q 'Your access to this system has ended. Contact: $contact' $shell || { cat $shell; exit 1; }"
check "event" wait_until 6 event_is '.ISMS_EVENT == "session.terminated"' '.ISMS_REASON == "expired"' '.ISMS_COUNT == "1"' \
	'.ISMS_NOT_AFTER != null' '._SYSTEMD_UNIT == "ismsd-publisher.service"'

# ---- a death at the wrong moment -----------------------------------------------------------------
check "extended" isms-userctl set-expiry ada +1h --reason test --yes
check "a shell again" bash -c "sleep 1; . $tests/check.sh; . $tests/integration/people.sh
	by_ssh ada -tt -- 'sleep 3000' >$shell 2>&1 & wait_until 10 has_session ada"
check "mark" mark
dies_before_the_end() {
	isms-userctl set-expiry ada +16s --reason test --yes && sleep 1 &&
		systemctl stop ismsd-directory.socket ismsd-directory.service &&
		systemctl kill -s KILL ismsd-publisher && wait_until 5 systemctl -q is-active ismsd-publisher &&
		sleep 2 && has_session ada && wait_until 20 no_processes ada
}
check "killed, and without a directory process: the end comes all the same" dies_before_the_end
check "event again" wait_until 6 event_is '.ISMS_EVENT == "session.terminated"' '.ISMS_USER == "ada"'
check "directory process back" systemctl start ismsd-directory.socket ismsd-directory.service

# ---- local accounts ------------------------------------------------------------------------------
local_wins() { # a local account of her uid: she is withdrawn, and comes back when it goes
	local uid
	uid=$(id -u ada) && useradd -o -u "$uid" -M eve && wait_until 10 bash -c '! getent passwd ada' &&
		status_has 'the uid stands in /etc/passwd' && userdel eve && wait_until 10 getent passwd ada
}
check "PA08a a local account of the same uid wins" local_wins
put_back() { rm /var/lib/isms/nss/base.1.snap && systemctl restart ismsd-publisher && wait_until 5 getent passwd ada; }
check "a lost snapshot is written again" put_back
finish
