#!/bin/bash
# replication: whatever happens to a real slapd - changes while nobody looks, a forgotten past, a backup, another provider,
# limits, people who are made anew - what lookups say in the end is what a full refresh says (CASES RP; THREATS 5.5).
export ISMS_DIRECTORY=ldap
. "$(dirname "$0")/lib.sh"
prepare '[role employee]
match = kind:employee
allow-services = sshd login
mfa = none'
code=''	# nobody has a token

modify() { as_admin ldapmodify >/dev/null; }	# LDIF on stdin
dn() { echo "uid=$1,ou=people,$base"; }
set_value() { printf 'dn: %s\nchangetype: modify\nreplace: %s\n%s: %s\n' "$(dn "$1")" "$2" "$2" "$3" | modify; }
delete() { printf 'dn: %s\nchangetype: delete\n' "$(dn "$1")" | modify; }
rename_to() { printf 'dn: %s\nchangetype: modrdn\nnewrdn: uid=%s\ndeleteoldrdn: 1\n' "$(dn "$1")" "$2" | modify; }
member() { printf 'dn: cn=web-deploy,ou=groups,%s\nchangetype: modify\n%s: member\nmember: %s\n' $base "$1" "$(dn "$2")" | modify; }
entry() { # UID NUMBER
	printf 'dn: %s\nobjectClass: inetOrgPerson\nobjectClass: posixAccount\nuid: %s\ncn: %s\nsn: x\nuidNumber: %s\ngidNumber: 5000\nhomeDirectory: /home/%s\nloginShell: /bin/bash\nemployeeType: employee\nuserPassword: %s-password\n\n' \
		"$(dn "$1")" "$1" "$1" "$2" "$1" "$1"
	mkdir -p "$people/$1" && echo "$1-password" >"$people/$1/password" && write_askpass "$1"
}
add_entry() { entry "$@" | as_admin ldapadd >/dev/null; }
many() {
	for n in $(seq 60); do entry "p$n" $((3000 + n)); done
	printf 'dn: cn=people,ou=groups,%s\nobjectClass: groupOfMembers\nobjectClass: posixGroup\ncn: people\ngidNumber: 5000\n\n' $base
	printf 'dn: cn=web-deploy,ou=groups,%s\nobjectClass: groupOfNames\nobjectClass: posixGroup\ncn: web-deploy\ngidNumber: 4000\n' $base
	for n in $(seq 10); do echo "member: $(dn "p$n")"; done
}
fill() { many >/run/people.ldif && sed -i 's/groupOfMembers/groupOfNames/; s/^cn: people$/&\nmember: cn=nobody/' /run/people.ldif && as_admin ldapadd -f /run/people.ldif >/dev/null && wait_until 5 getent passwd p60; }
everything() { # what lookups say of everybody
	getent passwd | sort
	getent group | sort | sed 's/,/\n/g'
	getent passwd | cut -d: -f1 | sort | while read -r p; do id "$p"; done
}
connected() { isms-userctl status 2>&1 | grep -q '^connected *yes'; }
# The replica is thrown away, the directory read anew: that is how it should have been.
as_read_anew() {
	sleep .5
	everything >/run/now
	systemctl stop ismsd-directory && rm -f /var/lib/isms/replica/replica.db* && systemctl start ismsd-directory && wait_until 10 connected && sleep .5 &&
		everything | diff /run/now - && [ "$(grep -c '^p[0-9]*:' /run/now)" -ge 50 ]
}
has_shell() { getent passwd "$1" | grep -q ":$2\$"; }
gone() { ! getent passwd "$1"; }
in_group() { id -Gn "$1" | grep -qw web-deploy; }
restart_slapd() { slapd_stop; slapd_start; }
read_again() { event_is '.ISMS_EVENT == "directory.lost"' '(.ISMS_FAULT | test("read anew"))'; }	# a full refresh was due
resumed() { ! read_again >/dev/null; }
knocks_disabled() { mark && ! by_ssh p51 -- true && denied_with disabled p51; }

enumerate() { mkdir -p /etc/isms/conf.d && printf '[nss]\nenumerate = yes\nshells = /bin/bash /bin/sh\n[login]\nfailure-floor = 100\n' >/etc/isms/conf.d/test.conf && reload; }
check "settings" enumerate
check "sixty people" fill

# ---- what is followed, and what happened meanwhile ------------------------------------------------
turn=0
changes() { # a change, a renamed one, a deleted one, a new one, members
	turn=$((turn + 1))
	set_value "p2$turn" loginShell /bin/sh && rename_to "p3$turn" "q3$turn" && delete "p4$turn" && add_entry "n$turn" $((3100 + turn)) &&
		member delete "p$turn" && member add "p5$turn"
}
arrived() {
	wait_until 15 in_group "p5$turn" && wait_until 2 has_shell "p2$turn" /bin/sh && getent passwd "q3$turn" && gone "p3$turn" && gone "p4$turn" &&
		getent passwd "n$turn" && ! in_group "p$turn" && [ "$(id -u "q3$turn")" = $((3030 + turn)) ]
}
check "mark" mark
followed() { changes && arrived; }
check "followed: arrived" followed
check "followed: as read anew" as_read_anew
meanwhile() { systemctl stop ismsd-directory && changes && "$@" && systemctl start ismsd-directory && arrived; }
check "meanwhile, and the server remembers: arrived" meanwhile true
check "meanwhile: resumed" resumed
check "meanwhile: as read anew" as_read_anew
check "meanwhile, and the server forgot (present phase): arrived" meanwhile restart_slapd
check "present phase: resumed" resumed
check "present phase: as read anew" as_read_anew
cut_off() { slapd_stop; slapd_start ldapi://%2frun%2fslapd%2fldapi && changes && restart_slapd && arrived; }
check "changed while it was cut off: arrived" cut_off
check "cut off: as read anew" as_read_anew

# ---- another uri, by a reload -------------------------------------------------------------------------
at_uri() { printf '[directory]\nuri = %s\n' "$1" >/etc/isms/conf.d/uri.conf && reload && wait_until 10 connected; }
elsewhere() { at_uri ldaps://localhost:636 && set_value p58 loginShell /bin/sh && wait_until 5 has_shell p58 /bin/sh; }
from_store() { # what a restart finds there: lookups do not go back to what was before
	slapd_stop; systemctl kill -s KILL ismsd-directory && wait_until 10 systemctl -q is-active ismsd-directory && sleep 2 && has_shell p58 /bin/sh
}
check "another uri: a change arrives" elsewhere
check "another uri: a restart without a server knows it" from_store
check "another uri: back, as read anew" eval 'slapd_start && rm /etc/isms/conf.d/uri.conf && reload && wait_until 20 connected && as_read_anew'

# ---- no replica on the disk ---------------------------------------------------------------------------
replica=/var/lib/isms/replica/replica.db
no_store() { systemctl stop ismsd-directory && rm -f $replica* && mkdir $replica && systemctl start ismsd-directory && wait_until 10 connected; }
told_of_store() { isms-userctl status | grep '^fault .*the replica cannot be stored'; }
doctor_tells() { { isms-userctl doctor 2>&1 || true; } | grep 'the replica cannot be stored'; }
in_memory() { no_store && set_value p57 loginShell /bin/sh && wait_until 5 has_shell p57 /bin/sh; }
check "no store: followed all the same" in_memory
check "no store: status tells" told_of_store
check "no store: doctor tells" doctor_tells
check "no store: the journal tells" eval 'journalctl --sync; journalctl -u ismsd-directory | grep "the replica cannot be stored"'
store_back() { systemctl stop ismsd-directory && rmdir $replica && systemctl start ismsd-directory && wait_until 10 connected; }
check "its twin: a store" store_back
refused "its twin: status has no fault" told_of_store
check "its twin: as read anew" as_read_anew

# ---- a backup --------------------------------------------------------------------------------------
back_up() { slapcat -F $slapd_dir/config -n1 -l /run/backup.ldif && sleep 1.1; }
restore() { # [COMMAND...: before anybody can look]
	slapd_stop; rm -rf $slapd_dir/db && mkdir $slapd_dir/db && slapadd -q -F $slapd_dir/config -n1 -l /run/backup.ldif && chown -R openldap:openldap $slapd_dir/db || return
	[ $# = 0 ] || { slapd_start ldapi://%2frun%2fslapd%2fldapi && "$@" && slapd_stop || return; }
	slapd_start
}
check "a backup" back_up
everything >/run/at-backup
check "changes after it" followed
everything >/run/before
as_backed_up() { wait_until 20 getent passwd "p4$turn" && sleep 1 && everything | diff /run/at-backup -; }
tells_older() { isms-userctl snapshot show | grep -q 'older than known: '; }
approved() { wait_until 20 tells_older && wait_until 5 isms-userctl snapshot approve --reason test --yes; }
check "restored, the context goes back: nobody is back, and it is told" eval 'restore && wait_until 20 tells_older && everything | diff /run/before -'
check "a restart does not forget it" eval 'systemctl restart ismsd-directory && wait_until 10 connected && wait_until 10 tells_older && everything | diff /run/before -'
check "restored: a person says that it is right" approved
check "restored: who was deleted is back, all is as it was then" as_backed_up
refused "restored: nothing is older any more" tells_older
check "restored: as read anew" as_read_anew
check "changes after it" followed
later() { # the server is restored and goes on, beyond what we know, before we see it
	systemctl stop ismsd-directory && mark && restore set_value p60 loginShell /bin/sh && systemctl start ismsd-directory &&
		wait_until 20 has_shell p60 /bin/sh && gone "p4$turn" && approved && wait_until 20 getent passwd "p4$turn" && has_shell p60 /bin/sh
}
check "RP12a restored, and written since: who was deleted is back" later
check "RP12a as read anew" as_read_anew
other_provider() { # another server of the same directory behind the same name
	printf 'dn: cn=config\nchangetype: modify\nreplace: olcServerID\nolcServerID: 7\n' | as_admin ldapmodify &&
		changes && arrived && restore set_value p59 loginShell /bin/sh && wait_until 20 has_shell p59 /bin/sh && gone "p4$turn" &&
		approved && wait_until 5 getent passwd "p4$turn"
}
check "RP12a the cookie of one provider at another: read anew" other_provider
check "RP12a another provider: as read anew" as_read_anew

# ---- another server, which lags behind (THREATS 5.5) --------------------------------------------------
second=/srv/slapd-second
second_filled() { # LDIF
	rm -rf $second && mkdir -p $second/{config,db} && slapcat -F $slapd_dir/config -n0 | sed "s,$slapd_dir/db,$second/db," >$second/config.ldif &&
		slapadd -F $second/config -n0 -l $second/config.ldif && slapadd -q -F $second/config -n1 -l "$1" && chown -R openldap:openldap $second
}
second_start() {
	systemd-run --quiet --unit=isms-slapd-second slapd -d 0 -h ldaps://localhost:1636 -F $second/config -u openldap -g openldap
}
second_stop() { systemctl stop isms-slapd-second; systemctl reset-failed isms-slapd-second 2>/dev/null; true; }
follows() { isms-userctl status 2>&1 | grep -q "^server *$1\$"; }
two_servers() {
	back_up && second_filled /run/backup.ldif && second_start &&
		printf '[directory]\nuri = ldaps://localhost ldaps://localhost:1636\n' >/etc/isms/conf.d/uri.conf && reload && wait_until 20 follows ldaps://localhost
}
behind() { # what the second one never hears of
	set_value p51 pwdAccountLockedTime 000001010000Z && delete p50 && member delete p9 && add_entry late 3400 &&
		wait_until 5 getent passwd late && wait_until 5 gone p50 && wait_until 5 eval '! in_group p9'
}
lagging() { slapd_stop; wait_until 30 follows ldaps://localhost:1636 && wait_until 10 tells_older; }
as_known() { sleep 1; gone p50 && getent passwd late && ! in_group p9 && in_group p10; }
check "two servers" two_servers
check "p51 gets in" by_ssh p51 -- true
check "one is disabled, one deleted, one put out of a group, one new" behind
check "fail-over to a server that has not heard of it" lagging
check "all is as known" as_known
check "who was disabled stays out" knocks_disabled
check "its twin: p12 gets in" by_ssh p12 -- true
check "status counts them" eval 'isms-userctl status | grep "^held_older *4\$"'
doctor_tells_held() { isms-userctl doctor >/run/doctor; grep 'holds changes back: ' /run/doctor; }
check "doctor tells" doctor_tells_held
caught_up() {
	slapcat -F $slapd_dir/config -n1 -l /run/ahead.ldif && second_stop && second_filled /run/ahead.ldif && second_start &&
		wait_until 40 connected && wait_until 10 eval '! tells_older'
}
check "it catches up: nothing is older any more" caught_up
check "all is as known still" as_known
check "back to the first" eval 'slapd_start && second_stop; rm /etc/isms/conf.d/uri.conf && reload && wait_until 20 connected && as_read_anew'

# ---- limits ----------------------------------------------------------------------------------------
limits() { # SIZE: of a search, for everybody; the sample's rules have none for hosts
	printf 'dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\nreplace: olcLimits\n-\nreplace: olcSizeLimit\nolcSizeLimit: %s\n' "$1" | as_admin ldapmodify
}
limited() {
	everything >/run/before
	mark && limits 10 && systemctl stop ismsd-directory && rm -f /var/lib/isms/replica/replica.db* && systemctl start ismsd-directory &&
		wait_until 5 event_is '.ISMS_EVENT == "directory.lost"' '(.ISMS_FAULT | test("Size limit"))' && everything | diff /run/before -
}
check "RP01a a size limit: lookups unchanged, and told" limited
check "RP01a its twin: no limit" slapd_rules
check "RP01a its twin: connected by itself" wait_until 20 connected
check "RP01a as read anew" as_read_anew

# ---- made anew: another person (THREATS 5.5) ---------------------------------------------------------
knocks() { mark && ! by_ssh "$1" -- true; }
refused_entry() { wait_until 5 event_is '.ISMS_EVENT == "directory.entry-refused"' "(.ISMS_FAULT | test(\"$1.*another entry\"))"; }
check "p11 gets in" by_ssh p11 -- true
again() { mark && delete p11 && wait_until 3 gone p11 && add_entry p11 3011 && refused_entry p11 && gone p11; }
check "the same name and number in a new entry: nobody" again
check "the event directory.mass-change tells that somebody waits" event_is '.ISMS_EVENT == "directory.mass-change"'
check "refused with the right password" knocks p11
check "everybody else is let in" by_ssh p12 -- true
check "as read anew" as_read_anew
forgets() { systemctl restart ismsd-directory && wait_until 10 connected && sleep .5 && gone p11; }
check "a restart does not forget it" forgets
number_again() { mark && add_entry heir 3041 && refused_entry heir && gone heir; }
check "a new name with the number of one who left: nobody" number_again
unseen() {
	mark && systemctl stop ismsd-directory && delete p13 && add_entry p13 3013 && systemctl start ismsd-directory && refused_entry p13 && gone p13
}
check "made anew while nobody looked: nobody" unseen
holders=/var/lib/isms/replica/holders
unwritten() { # the process ends between the replica's commit and the file of who left
	mark && mv $holders /run/holders && mkdir $holders && delete p46 && wait_until 3 gone p46 && sleep 2 &&
		systemctl kill -s KILL ismsd-directory && systemctl stop ismsd-directory && rmdir $holders && mv /run/holders $holders &&
		! grep -q ' p46 ' $holders && add_entry p46 3046 && systemctl start ismsd-directory && refused_entry p46 && gone p46
}
check "made anew after a crash that wrote down nobody who left: nobody" unwritten
check "written down now" wait_until 5 grep -q '^uid p46 ' $holders
other_map() { # asked for another attribute: the replica begins anew
	mark && systemctl stop ismsd-directory && delete p45 && add_entry p45 3045 &&
		printf '[directory]\nattribute-map = gecos=description\n' >/etc/isms/conf.d/map.conf && systemctl start ismsd-directory &&
		refused_entry p45 && gone p45
}
check "made anew while the replica begins anew: nobody" other_map
check "everybody else is let in still" by_ssh p12 -- true
other_number() { add_entry fresh 3150 && wait_until 3 getent passwd fresh; }
check "its twin: a new number" other_number
check "snapshot show tells" bash -c 'isms-userctl snapshot show | grep -q "other people"'
check "snapshot approve" isms-userctl snapshot approve --reason test --yes
check "approved: there" wait_until 3 getent passwd p11
check "approved: there, too" wait_until 3 getent passwd heir
check "approved: those after the crash and the new beginning" eval 'wait_until 3 getent passwd p46 && wait_until 3 getent passwd p45'
check "approved: in" by_ssh p11 -- true
check "approved: as read anew" as_read_anew
check "approved: a restart keeps it" eval 'systemctl restart ismsd-directory && wait_until 10 connected && sleep .5 && getent passwd p11'

# ---- all of them made anew: a directory that was filled again by hand ----------------------------------
filled_again() {
	everything >/run/before
	mark && slapcat -F $slapd_dir/config -n1 | sed '/^ /d; /^entryUUID:/d; /^entryCSN:/d; /^contextCSN:/d' >/run/again.ldif && slapd_stop &&
		rm -rf $slapd_dir/db && mkdir $slapd_dir/db && slapadd -q -w -F $slapd_dir/config -n1 -l /run/again.ldif && chown -R openldap:openldap $slapd_dir/db &&
		slapd_start && wait_until 20 event_is '.ISMS_EVENT == "directory.mass-change"'
}
check "everybody made anew: held back, and told" filled_again
check "lookups unchanged" eval 'everything | diff /run/before -'
check "who has the DN of another does not get in as him" knocks p12
check "because of the password, which is the new one's" denied_with password-failed p12
check "a restart: lookups unchanged" eval 'systemctl restart ismsd-directory && wait_until 20 connected && sleep 1 && everything | diff /run/before -'
check "refused still" knocks p12
check "snapshot approve" isms-userctl snapshot approve --reason test --yes
check "approved: in" wait_until 10 by_ssh p12 -- true
check "approved: as read anew" as_read_anew
finish
