#!/bin/bash
# slow: a wire so slow that a refresh takes longer than any single answer may: it comes to its end; a server that falls
# silent is noticed all the same (THREATS I7, CASES LD09a).
export ISMS_DIRECTORY=ldap
. "$(dirname "$0")/lib.sh"
prepare
check "contractor" contractor ada
check "ssh" by_ssh ada -- true

# ---- a slow wire: port 6360 leads to slapd; what it says passes at a rate -------------------------------
# The first bytes of a connection, which are TLS and the bind, pass at once: only long answers take their time.
cat >/run/wire.py <<'P'
import socket, sys, threading, time
RATE, AT_ONCE = int(sys.argv[1]), 6000	# bytes a second, bytes
def pass_on(a, b, rate):
	passed = 0
	try:
		while data := a.recv(max(rate // 10, 1) if rate else 65536):
			b.sendall(data)
			passed += len(data)
			if rate and passed > AT_ONCE:
				time.sleep(len(data) / rate)
	except OSError:
		pass
	for s in (a, b):
		try: s.shutdown(socket.SHUT_RDWR)
		except OSError: pass
server = socket.create_server(("127.0.0.1", 6360))
while True:
	near, _ = server.accept()
	far = socket.create_connection(("127.0.0.1", 636))
	threading.Thread(target=pass_on, args=(near, far, 0), daemon=True).start()
	threading.Thread(target=pass_on, args=(far, near, RATE), daemon=True).start()
P
slow_wire() { systemd-run --quiet --unit=isms-wire python3 /run/wire.py "$1" && wait_until 5 bash -c ': </dev/tcp/127.0.0.1/6360'; }
many() { # people whose entries make the refresh long
	local n
	for n in $(seq 80); do
		printf 'dn: uid=m%d,ou=people,%s\nobjectClass: inetOrgPerson\nobjectClass: posixAccount\nuid: m%d\ncn: m%d\nsn: x\nuidNumber: %d\ngidNumber: 5000\nhomeDirectory: /home/m%d\nemployeeType: employee\n\n' \
			$n $base $n $n $((3200 + n)) $n
	done | as_admin ldapadd >/dev/null && wait_until 5 getent passwd m80
}
check "eighty people" many
shell_of() { printf 'dn: uid=%s,ou=people,%s\nchangetype: modify\nreplace: loginShell\nloginShell: %s\n' "$1" $base "$2" | as_admin ldapmodify >/dev/null; }
has_shell() { getent passwd "$1" | grep -q ":$2\$"; }
lost_since_mark() { events | jq -e -s 'any(.[]; .ISMS_EVENT == "directory.lost" and (.ISMS_FAULT | contains("does not answer")))' >/dev/null; }

check "the wire" slow_wire 2000
# From nothing: the store is gone, so all of the content passes, at the wire's rate.
refresh() {
	systemctl stop ismsd-directory && rm -rf /var/lib/isms/replica/* && shell_of m80 /bin/sh &&
		mkdir -p /etc/isms/conf.d && printf '[directory]\nuri = ldaps://localhost:6360\n' >/etc/isms/conf.d/uri.conf &&
		started=$(date +%s) && systemctl start ismsd-directory
}
check "mark" mark
check "a refresh over the slow wire" refresh
check "it comes to its end" wait_until 60 has_shell m80 /bin/sh
took=$(($(date +%s) - started))
longer_than() { echo "$took s"; [ "$took" -gt "$1" ]; }
check "it took longer than an answer may (operation-timeout 4 s)" longer_than 8
refused "and was not taken for a lost server" lost_since_mark
check "in" by_ssh ada -- true

# ---- a server that falls silent ---------------------------------------------------------------------
freeze() { systemctl kill -s STOP isms-slapd; }
thaw() { systemctl kill -s CONT isms-slapd; }
check "mark" mark
check "LD09a slapd frozen" freeze
check "LD09a noticed within 15 s" wait_until 15 lost_since_mark
check "thawed" thaw
check "LD09a its twin: a change arrives again" shell_of m80 /bin/bash
check "LD09a its twin: it is seen" wait_until 30 has_shell m80 /bin/bash
# In the middle of a refresh, too: not a byte comes any more.
silent() { sleep 2; freeze && systemctl kill -s STOP isms-wire; }
speaking() { thaw && systemctl kill -s CONT isms-wire; }
check "mark" mark
check "a refresh from nothing" refresh
check "silence in the middle of it" silent
check "LD09a noticed within 15 s, in a refresh" wait_until 15 lost_since_mark
check "lookups are answered from before" getent passwd m80
check "the server speaks again" speaking
check "LD09a its twin: the refresh comes to its end" wait_until 60 has_shell m80 /bin/sh
finish
