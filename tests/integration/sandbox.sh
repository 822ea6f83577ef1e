#!/bin/bash
# sandbox: what the processes of ismsd cannot do, tried from inside their own units; and that they need no network to
# start (CASES DM02a, DM07a; DESIGN 2: exposure).
. "$(dirname "$0")/lib.sh"
prepare
check "contractor" contractor ada

# ---- DM02a ---------------------------------------------------------------------------------------
# The unit as it is, with a prober in the place of ismsd, which may be executed besides.
probe() { # PROCESS
	local unit=/run/systemd/system/isms-probe-$1.service python
	python=$(realpath /usr/bin/python3)
	systemctl cat "ismsd-$1.service" | sed -e '/^\(Type\|ExecReload\|Restart\|RestartSec\|WatchdogSec\|Requires\|After\)=/d' \
		-e "s|^ExecStart=.*|Type=oneshot\nExecStart=$python -ISB $tests/integration/probe.py\nExecPaths=$python|" >"$unit"
	systemctl daemon-reload
	systemctl start "isms-probe-$1"
	local rc=$?
	journalctl --sync
	journalctl --no-pager -o cat -u "isms-probe-$1"
	return $rc
}
for p in front directory publisher; do check "DM02a $p: execve, ptrace, setuid, netlink, packet" probe $p; done
outside() { python3 -ISB "$tests/integration/probe.py"; [ $? = 5 ]; }
check "DM02a its twin: outside of the units all of it is possible" outside

exposure() { # PROCESS LIMIT-IN-TENTHS
	local tenths
	tenths=$(systemd-analyze security "ismsd-$1.service" --no-pager --json=short >/dev/null 2>&1
		systemd-analyze security "ismsd-$1.service" --no-pager | tee /dev/stderr | sed -nE 's/.*Overall exposure level.*: ([0-9]+)\.([0-9]).*/\1\2/p')
	[ "$((10#$tenths))" -le "$2" ]
}
check "exposure: front" exposure front 10
check "exposure: publisher" exposure publisher 15
check "exposure: directory" exposure directory 20

# ---- DM07a ---------------------------------------------------------------------------------------
no_network_before() { ! systemctl show ismsd-front ismsd-directory ismsd-publisher -p After -p Requires -p Wants | tee /dev/stderr | grep network; }
check "DM07a nothing of ours waits for the network" no_network_before
without_network() {
	local start=$SECONDS rc=0
	ip link set lo down
	systemctl stop ismsd-front ismsd-directory ismsd-publisher
	getent passwd ada && systemctl start ismsd-front ismsd-directory ismsd-publisher && root_su ada 'id -un' || rc=1
	ip link set lo up
	[ $rc = 0 ] && [ $((SECONDS - start)) -le 10 ]
}
check "DM07a they start without one, lookups go on meanwhile" without_network
finish
