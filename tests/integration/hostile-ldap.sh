#!/bin/bash
# hostile-ldap: a directory server that does not keep to the protocol, or not to its word (peer.py): referrals, limits,
# interrupted refreshes, garbage, messages without end, binds answered by somebody else (CASES LD, RP). Whatever it says,
# lookups stay as they were until a complete view comes, which is taken by itself.
export ISMS_DIRECTORY=ldap
. "$(dirname "$0")/lib.sh"
people_here="ada bea carl dora"
log=/run/peer.log

peer_start() {
	mkdir -p $slapd_dir && ca ca && certificate server ca DNS:localhost && : >$log &&
		systemd-run --quiet --unit=peer python3 -I "$tests/integration/peer.py" $slapd_dir/tls/server.{pem,key} $log && wait_until 60 order sync good
}
order() { # WORDS: what peer.py is told
	local answer
	{ exec 7<>/dev/tcp/127.0.0.1/3899; } 2>/dev/null && echo "$*" >&7 && read -r answer <&7 && exec 7>&- && [ "$answer" = ok ]
}
settings() {
	/usr/bin/isms-userctl setup --yes --contact "$contact" --base $base --uri ldaps://localhost --ca-file $slapd_dir/tls/ca.pem \
		--host-dn "$(dn_of web1)" --host-password-fd 8 8<<<web1-password || return
	printf '[role employee]\nmatch = kind:employee\nallow-services = sshd login\nmfa = none\n' >/etc/isms/policy.conf &&
		mkdir -p /etc/isms/conf.d && printf '[nss]\nenumerate = yes\n[login]\nfailure-floor = 100\n' >/etc/isms/conf.d/test.conf &&
		isms-userctl config check && isms-userctl policy check && reload
}
code='' # nobody has a token
person() { mkdir -p "$people/$1" && echo "$1-password" >"$people/$1/password" && write_askpass "$1"; }
everything() { getent passwd; getent group; for p in $people_here; do id "$p"; done; }	# what lookups say
served() { grep -c "^sync $1 " $log; }
came() { [ "$(served "$1")" -ge "$2" ]; }	# the host asked this often
tells() { isms-userctl status 2>&1 | grep -q "$1"; }
shell=/bin/sh
other_shell() { if [ $shell = /bin/sh ]; then shell=/bin/bash; else shell=/bin/sh; fi; }
has_shell() { getent passwd "$1" | grep -q ":$2\$"; }

check "packages" install_packages
check "peer" peer_start
what_is_there() { find /etc/isms /etc/systemd/system | sort; systemctl is-active ismsd-{front,directory,publisher}.{socket,service} || :; }
interrupted() { # COMMAND...: while setup waits; then it ends, and what it wrote and started is gone
	local setup
	what_is_there >/run/there
	order sync slow || return
	settings &
	setup=$!
	wait_until 20 tells 'reading  *[1-9]' && "$@" && pkill -TERM -f 'isms-userctl setup' || return
	! wait $setup && what_is_there | diff /run/there -
}
doctor_waits() {
	isms-userctl doctor >/run/doctor
	grep -A 1 'ismsd-directory.service is reading the directory: ' /run/doctor | grep 'cure: wait, and look again' || { cat /run/doctor; return 1; }
}
check "a setup that waits can be ended, and takes all back; doctor says meanwhile to wait" interrupted doctor_waits
check "settings, of a server that takes longer than setup waits for a first word: setup waits" eval 'order sync slow && settings && came slow 2 && order sync good'
read_is_told() { journalctl -u ismsd-directory --no-pager | grep -q "is being read: [1-9]"; }
check "that it is being read is told meanwhile" read_is_told
check "people" eval 'for p in $people_here; do person $p || exit; done'
check "everybody is there" wait_until 10 getent passwd ada
check "in" wait_until 20 by_ssh ada -- true
check "group" eval 'id -Gn bea | grep -qw staff-people && ! id -Gn dora | grep -qw staff-people'

# A change of the directory arrives, by the cookie or without one, and lookups are as before but for it.
recovered() {
	other_shell
	order set ada $shell && order sync "${1-good}" && wait_until 30 has_shell ada $shell && everything | sed "s,:$shell\$,:SHELL," >/run/now &&
		sed "s,:/bin/[a-z]*sh\$,:SHELL," /run/before | diff - <(sed "s,:/bin/[a-z]*sh\$,:SHELL," /run/now)
}
bad() { # CASE WAY FAULT: while the server answers like this nothing changes, the fault is told, and it passes by itself
	local id="$1 $2" way=$2 fault=$3
	everything >/run/before
	start_bad() { mark && systemctl restart ismsd-directory && wait_until 5 tells 'connected.*yes' && order sync "$way"; }
	check "$id: the server answers so" start_bad
	stays() { other_shell; order set ada $shell && wait_until 20 came "$way" 2 && everything | diff /run/before -; }
	check "$id: lookups unchanged" stays
	check "$id: told" wait_until 5 event_is '.ISMS_EVENT == "directory.lost"' "(.ISMS_FAULT | test(\"$fault\"))"
	check "$id: its twin, the proper answer, is taken" recovered
}
check "a change by cookie" eval 'everything >/run/before && recovered'
check "both phases, and ids that nobody knows" recovered both_phases

bad LD05a referral "Referral"
bad LD05a continuation "referral"
no_evil() { ! grep -q EVIL $log && (: <>/dev/tcp/127.0.0.3/389) && wait_until 5 grep -q EVIL $log; }
check "LD05a nobody went to where it pointed; the trap works" no_evil
bad RP01a size_limit "acl-sample.ldif.*Size limit"
bad RP01a admin_limit "acl-sample.ldif.*Administrative limit"
bad RP01a time_limit "acl-sample.ldif.*Time limit"
bad RP01a unavailable "unavailable"
bad RP04a no_such_object "No such object"
bad RP02a cut_in_present "connection lost"
bad RP02a cut_before_done "connection lost"
bad result result_before_done "ended the synchronisation"
bad result not_persistent "ended the synchronisation"
bad RP12a present_in_full "unchanged"
bad ids short_ids "cannot be understood"
bad ids garbage_ids "cannot be understood"
bad state no_state "can be understood"
bad state unknown_state "can be understood"
bad state short_id "can be understood"
bad LD12a huge_attribute "message of more than"
bad LD12a million_members "message of more than"

# ---- what ends in a full refresh, by itself --------------------------------------------------------
anew() { # WAY: asked without a cookie in the end, and right
	everything >/run/before
	: >$log
	systemctl restart ismsd-directory && wait_until 30 tells 'connected.*yes' && recovered "$1" && wait_until 30 grep -q "^sync $1 cookie=\$" $log && wait_until 20 grep -q "^sync $1 cookie=A" $log
}
check "RP03a e-syncRefreshRequired: read anew" anew refresh_required
check "RP03a the same after the refresh" anew refresh_required_later
check "RP12a a cookie of A at B: read anew" anew other_provider
again() { # the end of a refresh said twice
	everything >/run/before
	systemctl restart ismsd-directory && order sync done_again && wait_until 20 came done_again 2 && everything | diff /run/before -
}
check "a refresh that ends twice: nobody goes" again
check "its twin: once" recovered

# ---- one entry is odd ------------------------------------------------------------------------------
odd() { # WAY STATUS: carl's entry is like this
	local way=$1 status=$2
	mark
	other_shell
	systemctl restart ismsd-directory && order set ada $shell && order sync "$way" && wait_until 30 has_shell ada $shell && getent passwd bea &&
		wait_until 5 status_is "$status" getent passwd carl
}
refused_entry() { wait_until 5 event_is '.ISMS_EVENT == "directory.entry-refused"' '(.ISMS_FAULT | test("carl"))'; }
check "no entryUUID beside the sync's: it is the same person" odd no_uuid 0
check "another entryUUID than before: another person, the others not" odd other_uuid 2
check "another entryUUID: told" refused_entry
check "its twin: served again" odd good 0
check "an entry twice: served" odd twice 0
check "two entries of one DN: refused, the others not" odd two_of_one_dn 2
check "two entries of one DN: told" refused_entry
check "its twin: served again" odd good 0
check "a NUL in a name: refused, the others not" odd nul 2
check "a NUL in a name: told" refused_entry
check "an attribute without values: refused, the others not" odd no_values 2
check "an attribute without values: told" refused_entry
check "no object class: nobody" odd no_class 2
check "its twin: served again" odd good 0

# ---- messages without end ---------------------------------------------------------------------------
endless() {
	order sync endless && wait_until 10 tells 'received  *[1-9]' && everything | diff /run/before - && timeout 10 systemctl restart ismsd-directory
}
check "a refresh without end: unchanged, and the process can be stopped" eval 'everything >/run/before; endless'
check "its twin: one that ends" recovered

# ---- binds: whatever is not this bind's success lets nobody in -----------------------------------------
not_in() { mark && order bind "$1" && ! by_ssh bea -- true && order bind good && event_is '.ISMS_DECISION == "denied"' '.ISMS_USER == "bea"'; }
check "in" by_ssh bea -- true
check "LD11a answered under another message id" not_in other_id
check "LD11a notice of disconnection" not_in notice
check "LD11a the success of another operation" not_in other_type
check "LD11a half an answer" not_in half
check "LD05a a bind answered by a referral" not_in referral
check "LD11a its twin: in" by_ssh bea -- true
wrong() { mark && ! password=wrong by_ssh bea -- true && event_is '.ISMS_USER == "bea"' '.ISMS_REASON == "password-failed"'; }
check "LD11a a wrong password: refused" wrong
finish
