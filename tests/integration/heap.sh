#!/bin/bash
# heap: what the directory process has on disk says otherwise: its entries (entry_heap.h) under an owner, an approver, a
# grant's member; its stored replica. Whoever depends on it is refused, nobody vanishes, and it mends itself.
export ISMS_DIRECTORY=ldap
. "$(dirname "$0")/lib.sh"
prepare '
[role employee]
match          = kind:employee
allow-services = sshd cron
mfa            = required
keep-groups    = log-read

[role robot]
match          = kind:service
allow-services = cron
'
folder=/var/lib/isms/replica
note=$folder/unreadable
dn() { echo "uid=$1,ou=people,$base"; }
time_in() { date -ud "+$1" +%Y%m%d%H%M%SZ; }
robot() {
	ssh-keygen -q -t ed25519 -N '' -f /run/robot </dev/null &&
		isms-userctl add robot --kind service --until +2h --owner carol --key-file /run/robot.pub --source 127.0.0.0/8 && wait_user robot
}
organization() { for ou in grants exemptions; do printf 'dn: ou=%s,%s\nobjectClass: organizationalUnit\n\n' $ou $base; done | as_admin ldapadd -c; :; }
exemption() {
	as_admin ldapadd <<-L
		dn: cn=bob-mfa,ou=exemptions,$base
		objectClass: ismsExemption
		cn: bob-mfa
		ismsControl: mfa
		ismsMember: $(dn bob)
		ismsApprover: $(dn dan)
		ismsUntil: $(time_in 2hours)
		ismsReason: test
	L
}
grant() { # NAME SECONDS
	as_admin ldapadd <<-L
		dn: cn=$1,ou=grants,$base
		objectClass: ismsGrant
		cn: $1
		ismsMember: $(dn bob)
		ismsGroup: cn=log-read,ou=groups,$base
		ismsApprover: $(dn dan)
		ismsFrom: $(time_in -1sec)
		ismsUntil: $(time_in "$2sec")
		ismsReason: test
	L
}
check "people" eval 'add_person bob employee --group log-read && add_person dan employee --group log-read && wait_user dan'
check "a service account of carol's" robot
check "places for what follows" organization
check "an exemption of bob's, by dan" exemption
check "max-grant" set_option directory max-grant 1h

# ---- its file ------------------------------------------------------------------------------------------
process() { systemctl show -p MainPID --value ismsd-directory; }
restarts() { systemctl show -p NRestarts --value ismsd-directory; }
heap() { local fd; for fd in /proc/$(process)/fd/*; do case $(readlink "$fd") in $folder/*' (deleted)') echo "$fd" ;; esac; done | grep .; }
in_memory() { ! heap; }
# What was put last waits in memory until there is more of it: a large group.
filler=0
flush() {
	filler=$((filler + 1))
	{
		printf 'dn: cn=filler-%s,ou=groups,%s\nobjectClass: groupOfNames\nobjectClass: posixGroup\ncn: filler-%s\ngidNumber: %s\nmember: cn=nobody\n' \
			$filler $base $filler $((4900 + filler))
		seq -f 'memberUid: somebody-of-the-filler-%.0f' 12000
	} | as_admin ldapadd >/dev/null && wait_until 20 grep -aqF "cn=filler-$filler,ou=groups" "$(heap)"
}
damage() { # DN: a byte in each block of it
	python3 -I - "$(heap)" "$1" <<-'P'
		import sys
		path, dn = sys.argv[1], sys.argv[2].encode()
		bytes_ = open(path, 'rb').read()
		start, at, found = b'\0' + bytes([len(dn)]) + dn, -1, 0
		with open(path, 'r+b', buffering=0) as f:
		    while (at := bytes_.find(start, at + 1)) >= 0:
		        f.seek(at + 10)
		        f.write(bytes([bytes_[at + 10] ^ 1]))
		        found += 1
		sys.exit(found == 0)
	P
}
why() { isms-userctl why "$@" --json 2>&1 | tee /run/why | jq -r '.verdict + " " + .reason'; }
robot_says() { [ "$(why robot --service cron)" = "$1" ] || { cat /run/why; return 1; }; }
bob_says() { [ "$(why bob --service sshd --factors password)" = "$1" ] || { cat /run/why; return 1; }; }
begin() { # a process with its file
	systemctl stop ismsd-directory && rm -f $note && systemctl start ismsd-directory && wait_until 10 robot_says "allow ok" && flush && mark && before=$(restarts)
}
mended() { # once, by a process that has all in memory, and said so
	[ "$(restarts)" = $((before + 1)) ] && in_memory && [ -e $note ] &&
		event_is '.ISMS_EVENT == "directory.lost"' '.ISMS_FAULT | test("cannot be read from the file")'
}
victim() { # NAME WHOSE QUESTION
	check "$1: a process with its file" begin
	check "$1: its twin: nothing is damaged" "$3" "allow ok"
	check "$1: the entry is damaged" damage "$2"
	check "$1: who depends on it is refused" "$3" "deny directory-unavailable"
	check "$1: it mends itself" wait_until 10 "$3" "allow ok"
	check "$1: by one more process, with all in memory" mended
}
victim "an owner" "$(dn carol)" robot_says
victim "an approver" "$(dn dan)" bob_says
victim "an exemption" "cn=bob-mfa,ou=exemptions,$base" bob_says
# Within a day of it the next process keeps all in memory, too; a day later it has a file again.
stays() { systemctl restart ismsd-directory && wait_until 10 robot_says "allow ok" && in_memory; }
check "a restart within a day: all in memory" stays
a_day_later() { touch -d '-25 hours' $note && systemctl restart ismsd-directory && wait_until 10 robot_says "allow ok" && wait_until 5 heap && [ ! -e $note ]; }
check "a day later: a file again" a_day_later

# ---- a grant: its end comes, though its member cannot be read --------------------------------------------
in_group() { id -nG bob | tr ' ' '\n' | grep -qx log-read; }
not_in_group() { ! in_group; }
out_of_it() {
	printf 'dn: cn=log-read,ou=groups,%s\nchangetype: modify\ndelete: member\nmember: %s\n' $base "$(dn bob)" | as_admin ldapmodify &&
		wait_until 10 not_in_group
}
granted() { grant "$1" 15 && ends=$(($(date +%s) + 15)) && wait_until 3 in_group && flush; }
over_in_time() { wait_until 30 not_in_group && [ "$(date +%s)" -le $((ends + 5)) ] && [ "$(date +%s)" -ge $((ends - 1)) ]; }
check "a grant: bob has nothing but it" out_of_it
check "a grant: a process with its file" begin
check "a grant: its twin: nothing is damaged" eval 'granted g1 && over_in_time && [ "$(restarts)" = "$before" ]'
check "a grant: the next one" granted g2
check "a grant: its member is damaged" damage "$(dn bob)"
check "a grant: he is in the group for its time" in_group
check "a grant: over all the same" over_in_time
check "a grant: by one more process, with all in memory" wait_until 5 mended

# ---- a stored replica that is torn ----------------------------------------------------------------------
everybody() { getent passwd | sort; getent group log-read; }
tear() { # HOW
	local db=$folder/replica.db
	systemctl stop ismsd-directory && rm -f $db-wal $db-shm && case $1 in
		half) truncate -s $(($(stat -c %s $db) / 2)) $db ;;
		noise) dd if=/dev/urandom of=$db bs=4096 seek=1 count=8 conv=notrunc status=none ;;
		head) printf 'not a data base' | dd of=$db conv=notrunc status=none ;;
		nothing) : >$db ;;
	esac
}
torn() { # HOW: nobody vanishes, and it is read anew
	everybody >/run/before && tear "$1" && systemctl start ismsd-directory && everybody | diff /run/before - &&
		wait_until 10 robot_says "allow ok" && everybody | diff /run/before -
}
for how in half noise head nothing; do check "a stored replica, $how: read anew" torn $how; done
without_server() { everybody >/run/before && tear half && slapd_stop && systemctl start ismsd-directory && sleep 2 && everybody | diff /run/before - && robot_says "deny directory-unavailable"; }
check "without a server, too: who is there stays, and is refused" without_server
check "its twin: the server is back" eval 'slapd_start && wait_until 30 robot_says "allow ok"'
check "nobody has gone" eval 'everybody | diff /run/before -'
finish
