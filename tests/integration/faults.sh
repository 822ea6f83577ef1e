#!/bin/bash
# faults: what an administrator fears: module missing or corrupt, snapshot missing or corrupt, bad configuration,
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

snapshot=/var/lib/isms/nss/base.1.snap
check "all stopped" systemctl stop ismsd-{front,directory,publisher}.{socket,service}
cp -p $snapshot /run/base
rm $snapshot
fault "snapshot missing, processes stopped"
head -c 100 /dev/urandom >$snapshot
fault "snapshot corrupt, processes stopped"
cp -p /run/base $snapshot
systemctl start ismsd-{front,directory,publisher}.{socket,service}
well_again "snapshot"
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
full_disk() { # the state's file system is full: what prevents replay cannot be made durable
	systemctl stop ismsd-front.service && cp -a $state /run/state && mount -t tmpfs -o size=600k,mode=700 tmpfs $state &&
		chown isms:isms $state && cp -a /run/state/. $state/ && systemctl start ismsd-front.service && by_ssh ada -- true &&
		{ cat /dev/zero >$state/fill 2>/dev/null; df $state; }
}
check "DM06a a state of its own, then full" full_disk
fault "DM06a disk full"
check "mark" mark
refused "DM06a disk full: again" by_ssh ada -- true
check "DM06a reason state-unwritable" denied_with state-unwritable ada
rm $state/fill
well_again "disk"
systemctl stop ismsd-front.service
mount -o remount,ro $state
systemctl start ismsd-front.service
fault "DM06a state read-only"
systemctl stop ismsd-front.service
mount -o remount,rw $state
systemctl start ismsd-front.service
well_again "state"
finish
