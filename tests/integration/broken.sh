#!/bin/bash
# broken: what an administrator fears: module missing or corrupt, snapshot missing or corrupt, bad configuration,
# a full disk (issue 2, done when 5; CASES SI01a, DM06a, PX05a). Local root logs in, managed people are refused.
. "$(dirname "$0")/lib.sh"
prepare
check "contractor" contractor ada
check "local people" local_people
check "key" make_key ada
check "ssh, everything is well" by_ssh ada -- true

console() { by_login "$1" 'id -un'; }
fault() { # NAME: root and local people get in, ada does not, by no way
	check "$1: root on the console" console_root
	check "$1: root by ssh" root_by_ssh
	check "$1: local user" local_logs_in
	refused "$1: ada by ssh" by_ssh ada -- true
	refused "$1: ada by key" by_key ada -- true
	refused "$1: ada on the console" console ada
}
console_root() { code='' console root; }
root_by_ssh() { code='' by_ssh root -- true; }
well_again() { check "$1: mended" wait_until 10 by_ssh ada -- true; }

module=$(echo /usr/lib/*/security/pam_isms.so)
mv "$module" /run/pam_isms.so
fault "SI01a module missing"
head -c 4000 /dev/urandom >"$module"
fault "module corrupt"
rm "$module"
mv /run/pam_isms.so "$module"
well_again "module"

# The publisher alone is stopped, or it would mend the file: front and directory would let her in.
snapshot=/var/lib/isms/nss/base.1.snap
put_snapshot() { cp -p "$1" $snapshot.new && mv $snapshot.new $snapshot; }	# readers have the old one mapped
blamed() { # NAME WHAT-LOOKUPS-SAY WHAT-THE-REFUSAL-SAYS: refused for the snapshot, while front and directory run
	check "$1: the front and the directory run" systemctl -q is-active ismsd-front ismsd-directory
	check "mark" mark
	fault "$1"
	check "$1: event of the lookup" event_is '.ISMS_EVENT == "nss.unavailable"' ".ISMS_FAULT | test(\"base.1.snap $2\")"
	check "$1: event of the refusal" event_is '.ISMS_DECISION == "denied"' '.ISMS_SERVICE == "login"' \
		'.ISMS_REASON == "daemon-unavailable"' ".ISMS_FAULT == \"the snapshot of users $3\""
}
snapshot_back() { # NAME: the twin, nothing else changed
	check "$1: put back" put_snapshot /run/base
	check "$1: its twin, in by ssh" by_ssh ada -- true
	check "$1: its twin, in by key" by_key ada -- true
	check "$1: its twin, in on the console" console ada
}
cp -p $snapshot /run/base
check "publisher stopped" systemctl stop ismsd-publisher.{socket,service}
rm $snapshot
blamed "snapshot missing" missing "is missing"
snapshot_back "snapshot missing"
head -c 100 /dev/urandom >/run/corrupt
check "snapshot replaced by noise" put_snapshot /run/corrupt
blamed "snapshot corrupt" refused "cannot be used"
snapshot_back "snapshot corrupt"
check "publisher started" systemctl start ismsd-publisher.{socket,service}
mv "$module" /run/pam_isms.so; rm $snapshot
systemctl stop ismsd-{front,directory,publisher}.{socket,service}
fault "SI01a module, snapshot and processes gone"
mv /run/pam_isms.so "$module"; cp -p /run/base $snapshot
systemctl start ismsd-{front,directory,publisher}.{socket,service}
well_again "all"

# ---- configuration ------------------------------------------------------------------------------
cp -p /etc/isms/isms.conf /run/isms.conf
cp -p /etc/isms/policy.conf /run/policy.good
check "mark" mark
printf '[login]\nno-such-option = 1\n' >>/etc/isms/isms.conf
reload
check "bad option on reload: the running settings stay" by_ssh ada -- true
check "bad option on reload: event" event_is '.ISMS_EVENT == "config.rejected"'
refused "config check names it" isms-userctl config check
systemctl restart ismsd-front ismsd-directory
fault "bad option at start"
cp -p /run/isms.conf /etc/isms/isms.conf
systemctl reset-failed; systemctl restart ismsd-front ismsd-directory
well_again "configuration"
printf '[role x]\nallow-servces = sshd\n' >>/etc/isms/policy.conf
systemctl restart ismsd-front ismsd-directory
fault "bad policy at start"
cp -p /run/policy.good /etc/isms/policy.conf
systemctl reset-failed; systemctl restart ismsd-front ismsd-directory
well_again "policy"

# ---- disk ---------------------------------------------------------------------------------------
state=/var/lib/isms/state
front() { systemctl $1 ismsd-front.socket ismsd-front.service; }	# else the end of a session before starts it amid what follows
full_disk() { # the state's file system is full: what prevents replay cannot be made durable
	front stop && cp -a $state /run/state && mount -t tmpfs -o size=600k,mode=700 tmpfs $state &&
		chown isms:isms $state && cp -a /run/state/. $state/ && front start && by_ssh ada -- true &&
		{ cat /dev/zero >$state/fill 2>/dev/null; df $state; }
}
check "DM06a a state of its own, then full" full_disk
fault "DM06a disk full"
check "mark" mark
refused "DM06a disk full: again" by_ssh ada -- true
check "DM06a reason state-unwritable" denied_with state-unwritable ada
rm $state/fill
well_again "disk"
# NAME TEXT, after a mark from before the fault: refused for this reason, root is not; event and doctor say what it is.
denied_for_state() {
	refused "DM06a $1: ada by ssh" by_ssh ada -- true
	check "DM06a $1: root by ssh" root_by_ssh
	check "DM06a $1: reason state-unwritable" denied_with state-unwritable ada
	check "DM06a $1: event" event_is '.ISMS_EVENT == "state.unwritable"' ".ISMS_FAULT | test(\"$2\")"
	check "DM06a $1: doctor says it" bash -c "isms-userctl doctor | tee /dev/stderr | grep -Eq '^bad  *service  *ismsd-front, state: .*($2)'"
}
check "mark" mark
front stop
check "DM06a state read-only: mounted so" mount -o remount,ro $state
front start
fault "DM06a state read-only"
denied_for_state "state read-only" "Read-only|Input/output"
front stop
mount -o remount,rw $state
front start
well_again "state"
front stop
check "the state is a plain folder again" bash -c "cp -a $state/. /run/state/ && umount $state && cp -a /run/state/. $state/"
front start
well_again "state of its own again"
check "mark" mark
chown root:root $state
denied_for_state "state of a wrong owner" "belongs to somebody else"
chown isms:isms $state
well_again "state of a wrong owner"
# At the start too: systemd gives the folder back to isms, but no file in a folder that is isms's.
check "mark" mark
front stop
chown root:root $state/state.db
front start
denied_for_state "state file of a wrong owner at start" "belongs to somebody else"
chown isms:isms $state/state.db
well_again "state file of a wrong owner at start"
check "mark" mark
mv $state $state.away
denied_for_state "state missing" missing
mv $state.away $state
well_again "state missing"
finish
