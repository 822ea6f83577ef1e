#!/bin/bash
# storm: faults between ismsd and slapd at every step of the protocol, in clear, in StartTLS and in TLS: cut, reset,
# late, in pieces, twice, in another order, half, silent (storm.py, between.py). Nobody is ever missed by a lookup, and
# the host always comes to have what the server has, by itself. storm.sh memory|forgets [FAULTS [SECONDS [SEED]]];
# forgets: the server keeps no log of what went, so that after a refresh by cookie whoever was not mentioned is gone.
# tests/run faults runs both.
export ISMS_DIRECTORY=ldap
. "$(dirname "$(dirname "$(realpath "$0")")")/integration/lib.sh"
kind=${1-memory} faults=${2:-1000} seconds=${3:-0} seed=${4:-$(date +%N | sed 's/^0*//')}
here=/run/storm
mkdir -p $here
prepare '[role employee]
match = kind:employee
allow-services = sshd login
mfa = none'
storm() { python3 -I "$tests/faults/storm.py" "$@"; }
enumerate() {
	mkdir -p /etc/isms/conf.d &&
		printf '[nss]\nenumerate = yes\nshells = /bin/bash /bin/sh /bin/dash\n' >/etc/isms/conf.d/test.conf && reload
}
check "settings" enumerate
forget() {
	local overlay
	overlay=$(as_admin ldapsearch -LLL -o ldif-wrap=no -b cn=config '(objectClass=olcSyncProvConfig)' dn | sed -n 's/^dn: //p')
	printf 'dn: %s\nchangetype: modify\ndelete: olcSpSessionlog\n' "$overlay" | as_admin ldapmodify && slapd_stop && slapd_start
}
[ "$kind" = memory ] || check "a server that forgets" forget
stable=$(printf 's%02d ' $(seq 0 59))
fill() { storm fill && wait_until 20 getent passwd s59 && wait_until 20 getent group staff-people; }
check "sixty people" fill
check "somebody looks all the time" \
	systemd-run --quiet --unit=isms-watch python3 -I "$people_lib/watch.py" $here/watch $stable
stormed() {
	storm run "$faults" "$seconds" "$seed" >$here/run 2>&1
	tail -n 40 $here/run
	grep -q '^in all' $here/run
}
check "seed $seed: every fault is got over" stormed
enough() { [ "$(sed -nE 's/^in all ([0-9]+) faults.*/\1/p' $here/run)" -ge "$faults" ]; }
check "$(grep '^in all' $here/run || echo 'all of them')" enough
each() { # every step, and every way, at least once
	local what
	for what in "$@"; do grep -q "$what" $here/run || { echo "none: $what"; return 1; }; done
}
check "every step" each ' connect /' ' bind /' ' bind answer /' ' search /' ' entry /' ' refresh done /' ' change /' \
	' probe /' ' probe answer /' ' StartTLS /' ' StartTLS answer /' ' TLS bytes /'
[ "$kind" != memory ] || check "every step: who went, by ids" each ' ids /'
check "every way" each '/ before' '/ after' '/ half' '/ reset' '/ delay' '/ slow' '/ twice' '/ swap' '/ silence' \
	'/ flip' '/ garbage'
recovers() { storm alone 5 >$here/alone 2>&1; local rc=$?; cat $here/alone; return $rc; }
check "cut off again and again, and nobody helps" recovers
watched() {
	! systemctl -q is-active isms-watch || systemctl stop isms-watch
	cat $here/watch
	grep -q '^looked [1-9]' $here/watch && ! grep -q missing $here/watch
}
check "nobody was missed by a lookup" watched
grep '^batch\|^made' $here/run
nothing_held() {
	isms-userctl status >$here/status 2>&1
	cat $here/status
	grep -q '^view' $here/status && ! grep -qi held $here/status
}
check "nothing waits for a person" nothing_held
finish
