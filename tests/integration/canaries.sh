#!/bin/bash
# canaries: a random password, seed and code appear nowhere but in the directory and the state: not in the journal,
# command lines, environments, memory after use, core images, nor any other file (issue 2, done when 8; THREATS I8;
# CASES UC01a, PH04a, DM03a, DM08a).
. "$(dirname "$0")/lib.sh"
prepare
check "local people" local_people
who=ada-with-canaries		# a name that no memory has by chance
canaries=/run/people/canaries
hex() { printf %s "$1" | od -An -tx1 -v | tr -d ' \n'; }
canary() { echo "$1 $(hex "$2")"; }
scan() { "$tests/integration/scan.py" "$@"; }
mkdir -p /run/people

random() { od -An -tx1 -N12 /dev/urandom | tr -d ' \n'; }
password=canary-$(random) control=control-$(random)
canary control "$control" >/run/people/control
canary password "$password" >/run/people/password
cat /run/people/{control,password} >$canaries
canary name $who >/run/people/name

# The sampler keeps all that it sees, and looks for the canaries when they are all known.
scan $canaries procs /run/people/stop >/run/people/procs 2>&1 &
sampler=$!

# The person's folder would be a place of its own: the secrets stay in variables and pipes.
mkdir -p $people/$who
add() {
	isms-userctl add $who --kind contractor --until +1h --sponsor carol --password-fd 3 3< <(printf '%s\n' "$password") &&
		{ ! on_slapd || works_here $who; }
}
check "UC01a add" add
check "visible" wait_user $who
code_of() { printf '%s\n' "$seed" | oathtool --hotp -d8 -c "$1" -b -; }	# not as an argument: those are sampled
enroll() {
	local pid
	coproc TOOL { isms-userctl enroll $who --hotp --digits 8 --secret-fd 3 --code-fd 0 3>&1 1>/run/people/enroll; }
	pid=$TOOL_PID		# bash forgets it when the command has ended
	read -r seed <&"${TOOL[0]}" || return
	code_of 0 >&"${TOOL[1]}"
	wait "$pid"
}
check "UC01a enroll" enroll
raw=$(printf '%s\n' "$seed" | oathtool --hotp -v -b - | sed -n 's/^Hex secret: //p')
base64=$(printf %s "$seed" | base32 -d | base64 -w0)	# as LDIF has it
{
	canary seed-base32 "$seed"; canary seed-base64 "$base64"; echo "seed-raw $raw"
	canary seed-hex "$raw"; canary seed-HEX "${raw^^}"
} >/run/people/seed
for ((i = 0; i < 12; i++)); do canary code-$i "$(code_of $i)"; done >/run/people/codes
cat /run/people/{seed,codes} >>$canaries
check "canaries: 8 digits each" test "$(grep -cE '^code-[0-9]+ (3[0-9]){8}$' $canaries)" = 12
check "canaries: 20 bytes or more of seed" test ${#raw} -ge 40

write_askpass $who
counter=1
login() { # COMMAND...: by ssh, from an agent without a file
	local code
	code=$(code_of $counter)
	counter=$((counter + 1))
	password=$password by_ssh $who -- "$@"
}
check "a login" login true
check "a second login" login 'sudo -n true; true'
helpers() { (CONTROL=$control exec sleep 3) & bash -c 'sleep 3; :' "$control"; wait $!; }	# a busy machine samples rarely
check "a helper with a secret in its environment, one with it in its command line" helpers
touch /run/people/stop
sampled() { # what it found is the control alone, in both places
	wait $sampler
	local rc=$?
	cat /run/people/procs
	[ $rc = 1 ] && grep -q '^control in environ of ' /run/people/procs &&
		grep -q '^control in cmdline of ' /run/people/procs &&
		status_is 1 grep -v '^control in ' /run/people/procs
}
check "UC01a not in any command line or environment, where the helpers' is" sampled

# ---- a live session: memory of every process that took part ------------------------------------------
session() { { login 'sleep 3000' & } && wait_until 10 has_session $who; }
check "a live session" session
counter=$((counter + 1))		# the one in the background counted for itself
sleep 1
pid_of() { systemctl show -P MainPID "ismsd-$1"; }
for p in front directory publisher; do
	check "DM08a memory of the $p process" scan $canaries mem "$(pid_of $p)"
	check "DM08a its twin: her name is in the memory of the $p process" status_is 1 scan /run/people/name mem "$(pid_of $p)"
done
sshd_of() { # NAME: at least the one with privileges and the one of the session
	local pids
	pids=$(pgrep -f "^sshd: $1( |@|$)")
	[ "$(wc -w <<<"$pids")" -ge 2 ] || { echo "no session of $1: $pids" >&2; return 2; }
	echo $pids
}
copies() { # CANARIES NAME: how many places of sshd's memory hold them
	local pids rc=0
	pids=$(sshd_of "$2") || return
	scan "$1" mem $pids >/run/people/copies || rc=$?
	cat /run/people/copies >&2
	[ $rc -le 1 ] && wc -l </run/people/copies
}
local_session() { { code='' by_ssh local -- 'sleep 3000' & } && wait_until 10 has_session local; }
check "a live session of a local user" local_session
sleep 1
titles() { # what memory of theirs surely holds: the scan has seen them
	local name n
	for name in $who local; do
		canary title "$name@notty" >/run/people/title
		n=$(copies /run/people/title $name) && [ "$n" -gt 0 ] || return
	done
}
check "PH04a sshd's memory can be looked at" titles
# A system's sshd may keep copies of its own (Debian 12's keeps none): the same login through pam_unix is the measure.
no_more() {
	local of_local ours
	canary password local-password >/run/people/local-canary
	of_local=$(copies /run/people/local-canary local) && ours=$(copies $canaries $who) || return
	echo "local: $of_local, ours: $ours"
	[ "$ours" -le "$of_local" ]
}
check "PH04a sshd after login holds no more than after a login through pam_unix" no_more

# ---- a login that waits for its code: who holds the password meanwhile -----------------------------------
cat >/run/people/waits <<-A
	#!/bin/bash
	case \$1 in
		*ssword*) printf '%s\n' "\$password" ;;
		*) touch /run/people/waiting; sleep 60; exit 1 ;;
	esac
A
chmod 755 /run/people/waits
waiting_login() {
	rm -f /run/people/waiting
	{ password=$password SSH_ASKPASS=/run/people/waits SSH_ASKPASS_REQUIRE=force \
		ssh $ssh_options $who@localhost true </dev/null & }
	waits=$!
	wait_until 10 test -e /run/people/waiting
}
check "a login waits for its code" waiting_login
waiting_sshd() { scan $canaries mem $(pgrep -f "^sshd: $who \[pam\]"); }
check "PH04a its twin: sshd holds the password while it waits" status_is 1 waiting_sshd
front_holds() { scan /run/people/password mem "$(pid_of front)"; }
check "DM08a its twin: so does the front" status_is 1 front_holds
kill $waits
gone() { ! pgrep -f "^sshd: $who \[pam\]"; }
check "that login is given up" wait_until 5 gone
forgotten() { scan $canaries mem "$(pid_of front)"; }
check "DM08a the front has forgotten it" wait_until 5 forgotten

# ---- core images -----------------------------------------------------------------------------------------
# The pattern is the host's and cannot be set here. All that a core image would need otherwise: a folder where the
# process may write is its own, and systemd gives it leave. Two locks are tested: the process's limit of 0, then its
# memory that may not be dumped, where that limit is not taken (setrlimit says that it was, and does nothing). The
# directory process has a thread, whose stack's size comes by the same system call: there /proc tells.
pattern=$(cat /proc/sys/kernel/core_pattern)
declare -A folder=([front]=/var/lib/isms/state [directory]=/var/lib/isms/directory [publisher]=/var/lib/isms/nss)
declare -A owner=([front]=isms [directory]=isms-dir [publisher]=root)
invite_cores() { # PROCESSES [LINE...]: further lines of their units
	local p processes=$1
	shift
	for p in $processes; do
		mkdir -p /etc/systemd/system/ismsd-$p.service.d
		printf '%s\n' '[Service]' LimitCORE=infinity "WorkingDirectory=${folder[$p]}" "$@" \
			>/etc/systemd/system/ismsd-$p.service.d/core.conf
	done
	systemctl daemon-reload && systemctl restart ismsd-directory ismsd-publisher ismsd-front
}
as_installed() {
	rm /etc/systemd/system/ismsd-{front,directory,publisher}.service.d/core.conf && systemctl daemon-reload &&
		systemctl restart ismsd-directory ismsd-publisher ismsd-front
}
no_cores() { scan $canaries cores /; }
ended() { # UNIT HOW: systemd saw it die of SIGSEGV, and whether there was a core image
	journalctl --sync
	journalctl --after-cursor="$journal_mark" | grep "$1: Main process exited, code=$2, status=11/SEGV"
}
segv() { # PROCESS LIMIT: with this limit of core images, right after a login; the front while it holds a password
	local p=$1 limit=$2 pid
	mark && login true && pid=$(pid_of "$p") || return
	[ "$(readlink /proc/$pid/cwd)" = "${folder[$p]}" ] || { echo "not in ${folder[$p]}"; return 1; }
	grep "^Max core file size *$limit *$limit " /proc/$pid/limits || { grep core /proc/$pid/limits; return 1; }
	if [ "$p" = front ]; then waiting_login && status_is 1 front_holds || return; fi
	kill -SEGV $pid && wait_until 5 ended ismsd-$p.service killed && no_cores || return
	if [ "$p" = front ]; then kill $waits; fi
	wait_until 10 again $p $pid
}
again() { [ "$(pid_of $1)" != $2 ] && systemctl -q is-active ismsd-$1; }
helper_segv() { # PROCESS: any program in the same place
	local p=$1 rc=0
	mark && systemd-run --quiet --unit=helper-$p -p Type=exec -p LimitCORE=infinity -p User=${owner[$p]} \
		-p WorkingDirectory=${folder[$p]} sleep 60 &&
		systemctl kill -s SEGV helper-$p && wait_until 5 ended helper-$p.service dumped || return
	no_cores >/run/people/cores || rc=$?
	cat /run/people/cores
	[ $rc = 1 ] && grep -F "core image ${folder[$p]}/" /run/people/cores | cut -d' ' -f3 | xargs rm && no_cores
}
# What may not be dumped belongs to root in /proc, whoever runs it.
owner_of_memory() { # PID OWNER USER: the owner in /proc, and the user who runs it
	[ "$(ps -o user:20= -p "$1" | xargs)" = "$3" ] && [ "$(stat -c %U "/proc/$1/mem")" = "$2" ]
}
helper_in_proc() {
	systemd-run --quiet --unit=helper-proc -p Type=exec -p User=isms-dir sleep 60 &&
		owner_of_memory "$(systemctl show -P MainPID helper-proc)" isms-dir isms-dir
}
for p in front directory; do
	check "DM03a memory of the $p process may not be dumped" owner_of_memory "$(pid_of $p)" root ${owner[$p]}
done
check "DM03a its twin: that of any other program may" helper_in_proc

check "DM03a leave to write core images" invite_cores "front directory publisher"
for p in front directory publisher; do
	check "DM03a SIGSEGV leaves no core image of the $p process" segv $p 0
	case $pattern in
		'|'* | '') passed "DM03a no twin: core_pattern of this host is no file ('$pattern')" ;;
		*) check "DM03a its twin: any other program leaves one there: $p" helper_segv $p ;;
	esac
done
check "DM03a leave that the limit does not take back" invite_cores "front publisher" \
	SystemCallFilter= SystemCallFilter=~prlimit64:0
for p in front publisher; do
	check "DM03a SIGSEGV leaves none without that limit either: $p" segv $p unlimited
done
check "DM03a as installed again" as_installed
check "DM03a a login after all that" login true

# ---- files and journal ----------------------------------------------------------------------------------
journal() { # CANARIES
	journalctl --sync && journalctl -o export >/run/people/journal && scan "$1" text </run/people/journal
}
check "journal" journal $canaries
check "its twin: her name is in the journal" status_is 1 journal /run/people/name
check "the canaries so far cover every code that was used" test $counter -le 12
# slapd's database stands for a directory on another host: on this one the replica has neither seed nor password.
directory=/var/lib/isms/directory
! on_slapd || directory=$slapd_dir/db
files() { scan $canaries files / /run/people $directory /var/lib/isms/state; }
check "no file but the directory and the state" files
planted() { printf 'x%sx' "$1" >"$2" && status_is 1 files; local rc=$?; rm -f "$2"; return $rc; }
check "its twin: a code in a file is found" planted "$(code_of 1)" /var/tmp/.planted
check "its twin: a seed on another file system is found" planted "$seed" /dev/shm/planted
neither() { cat /run/people/{password,codes} >/run/people/neither && scan /run/people/neither files /var/lib/isms && scan /run/people/neither files $directory; }
check "the password itself and codes are not even in the directory and the state" neither
check "the seed is not in the state" scan /run/people/seed files /var/lib/isms/state
check "its twin: it is in the directory" status_is 1 scan /run/people/seed files $directory
finish
