#!/bin/bash
# canaries: a random password, seed and code appear nowhere but in the directory and the state: not in the journal,
# command lines, environments, memory after use, nor any other file (issue 2, done when 8; THREATS I8; CASES UC01a,
# PH04a, DM03a).
. "$(dirname "$0")/lib.sh"
prepare
check "local people" local_people
scan=$tests/integration/scan.py
hex() { printf %s "$1" | od -An -tx1 -v | tr -d ' \n'; echo; }

password=canary-$(od -An -tx1 -N12 /dev/urandom | tr -d ' \n')
hex "$password" >/run/people/canaries
"$scan" /run/people/canaries procs /run/people/stop >/run/people/procs 2>&1 &
sampler=$!

# The person's folder would be a place of its own: the secrets stay in variables and pipes.
mkdir -p $people/ada
add() { isms-userctl add ada --kind contractor --until +1h --sponsor carol --password-fd 3 3< <(printf '%s\n' "$password"); }
check "UC01a add" add
check "visible" wait_user ada
enroll() {
	local secret pid
	coproc TOOL { isms-userctl enroll ada --hotp --secret-fd 3 --code-fd 0 3>&1 1>/run/people/ada/enroll; }
	pid=$TOOL_PID		# bash forgets it when the command has ended
	read -r secret <&"${TOOL[0]}" || return
	seed=$secret
	oathtool --hotp -c 0 -b "$seed" >&"${TOOL[1]}"
	wait "$pid"
}
check "UC01a enroll" enroll
raw=$(oathtool --hotp -v -b "$seed" | sed -n 's/^Hex secret: //p')
{ hex "$seed"; echo "$raw"; hex "$raw"; } >>/run/people/canaries

write_askpass ada
counter=1
login() { # COMMAND: by ssh, from an agent without a file
	local code
	code=$(oathtool --hotp -c $counter -b "$seed")
	counter=$((counter + 1))
	used_code=$code password=$password by_ssh ada -- "$1"
}
check "a login" login true
check "a second login" login 'sudo -n true; true'
touch /run/people/stop
wait $sampler
check "UC01a not in any command line or environment" test ! -s /run/people/procs

# ---- a live session: memory of every process that took part ------------------------------------------
session() { password=$password code=$(oathtool --hotp -c $counter -b "$seed") by_ssh ada -- 'sleep 60' & wait_until 10 has_session ada; }
check "a live session" session
sleep 1
memory_of() { "$scan" /run/people/canaries mem "$(systemctl show -P MainPID "$1")"; }
for p in front directory publisher; do check "DM08a memory of the $p process" memory_of ismsd-$p; done
sshd_of() { pgrep -f "^sshd: $1( |@|$)"; }
# sshd keeps copies of its own: the same login through pam_unix alone is the measure.
copies() { "$scan" /run/people/canaries mem $(sshd_of "$1") | sed 's/.*memory of [0-9]* //' | sort | uniq -c | awk '{ n += $1 } END { print n + 0 }'; }
local_session() {
	hex local-password >/run/people/canaries.local
	code='' by_ssh local -- 'sleep 60' &
	wait_until 10 has_session local
	local_copies=$("$scan" /run/people/canaries.local mem $(sshd_of local) | wc -l)
	our_copies=$("$scan" /run/people/canaries mem $(sshd_of ada) | wc -l)
	echo "local: $local_copies, ours: $our_copies"
	[ "$our_copies" -le "$local_copies" ]
}
check "PH04a sshd after login holds no more than after a login through pam_unix" local_session

# ---- files and journal ----------------------------------------------------------------------------------
check "journal" bash -c "journalctl --sync; ! journalctl -o export | grep -aF -e '$password' -e '$seed' -e '$raw'"
files() {
	mkdir -p /run/elsewhere && mv /run/people /run/elsewhere/ && ln -s elsewhere/people /run/people
	local rc=0 d
	for d in $(find /var /run /etc /tmp /home -xdev -mindepth 1 -maxdepth 1 ! -type l ! -path /run/elsewhere ! -path /var/lib); do
		"$scan" /run/elsewhere/people/canaries files "$d" || rc=1
	done
	for d in /var/lib/* /var/lib/isms/*; do
		case $d in /var/lib/isms | /var/lib/isms/directory | /var/lib/isms/state) continue ;; esac
		"$scan" /run/elsewhere/people/canaries files "$d" || rc=1
	done
	return $rc
}
check "no file but the directory and the state" files
check "the password itself is not even in the directory" bash -c "! grep -rF '$password' /var/lib/isms"
core_limit() { local p; for p in front directory publisher; do grep -q '^Max core file size *0 *0' "/proc/$(systemctl show -P MainPID ismsd-$p)/limits" || return; done; }
check "DM03a no core image of a process of ours" core_limit
finish
