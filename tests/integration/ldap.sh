#!/bin/bash
# ldap: what a real LDAP directory can do to logins: changes, outages of every kind, certificates, hostile entries,
# mass changes (CASES LD, RP). What is not about LDAP itself stands in its neighbours, with ISMS_DIRECTORY=ldap.
export ISMS_DIRECTORY=ldap
. "$(dirname "$0")/lib.sh"
prepare
check "contractor" contractor ada
check "another one" contractor bea
check "local people" local_people
check "ssh" by_ssh ada -- true

modify() { as_admin ldapmodify >/dev/null; }	# LDIF on stdin
dn() { echo "uid=$1,ou=people,$base"; }
set_value() { printf 'dn: %s\nchangetype: modify\nreplace: %s\n%s: %s\n' "$(dn "$1")" "$2" "$2" "$3" | modify; }
no_value() { printf 'dn: %s\nchangetype: modify\nreplace: %s\n' "$(dn "$1")" "$2" | modify; }
person() { # UID NUMBER [LINE...]: an entry as another tool would make it
	printf 'dn: %s\nobjectClass: inetOrgPerson\nobjectClass: posixAccount\nuid: %s\ncn: %s\nsn: x\nuidNumber: %s\ngidNumber: 5000\nhomeDirectory: /home/%s\nemployeeType: employee\nuserPassword: %s-password\n' \
		"$(dn "$1")" "$1" "$1" "$2" "$1" "$1"
	shift 2
	for l; do echo "$l"; done
	echo
}
add_entries() { as_admin ldapadd >/dev/null; }
# wait for a change from now: within SECONDS the command succeeds, and the time it took is told
seen() { # SECONDS COMMAND...
	local start
	start=$(date +%s%3N)
	wait_until "$@" || return
	echo "$(($(date +%s%3N) - start)) ms"
}

# ---- changes ------------------------------------------------------------------------------------
new_entry() { person carl 3000 | add_entries; }
check "a new entry" new_entry
check "RP11a visible within a second" seen 1 getent passwd carl
moved() { set_value carl loginShell /bin/sh && seen 1 bash -c 'getent passwd carl | grep -q :/bin/sh$'; }
check "RP11a a change, too" moved
renamed() {
	printf 'dn: %s\nchangetype: modrdn\nnewrdn: uid=carla\ndeleteoldrdn: 1\n' "$(dn carl)" | modify &&
		seen 1 getent passwd carla && ! getent passwd carl && [ "$(id -u carla)" = 3000 ]
}
check "RP07a renamed: the same uid, the old name is gone" renamed
delete() { printf 'dn: %s\nchangetype: delete\n' "$1" | modify; }
check "deleted" delete "$(dn carla)"
check "deleted: gone within a second" seen 1 status_is 2 getent passwd carla
disabled() { set_value ada pwdAccountLockedTime 000001010000Z && sleep 1 && refused_with disabled ada; }
refused_with() { mark && ! by_ssh "$2" -- true && denied_with "$1" "$2"; }
check "disabled by another tool: refused a second later" disabled
enabled() { no_value ada pwdAccountLockedTime && sleep 1 && by_ssh ada -- true; }
check "its twin: enabled" enabled
live_sessions() {
	by_ssh ada -tt -- 'sleep 3000' >/dev/null 2>&1 &
	wait_until 10 has_session ada && set_value ada pwdAccountLockedTime 000001010000Z && seen 5 no_processes ada
}
check "disabled by another tool: the live session is gone within five seconds" live_sessions
check "enabled again" no_value ada pwdAccountLockedTime

# ---- entries that must harm nobody but themselves ------------------------------------------------
hostile_entries() {
	for n in 0 0100 1e3 -1 4294967296; do person "bad${RANDOM}x" 3100 | sed "s/^uidNumber: .*/uidNumber: $n/"; done
	person rootless 3101 | sed 's/^uid: rootless/uid: root/; s/^dn: uid=rootless/dn: uid=root/'
	person twin2 3102
	person nokind 3103 | sed '/^employeeType/d'
	person evil 3104 | sed 's,^homeDirectory.*,homeDirectory: /home/../etc,'
	person lang 3105 'uid;lang-en: daemon'
}
# Some of them the server refuses itself; what it takes is for us to refuse.
add_hostile() { hostile_entries >/run/hostile; as_admin ldapadd -c -f /run/hostile; [ "$(as_admin ldapsearch -LLL -b $base '(uid=nokind)' dn | wc -l)" -gt 0 ]; }
add_twin() { person twin1 3102 | add_entries && seen 2 getent passwd twin1; }
check "one who has a number" add_twin
check "hostile entries" add_hostile
add_good() { person good 3110 | add_entries; }
check "a good one after them" add_good
check "RP09a everybody else is served" seen 2 getent passwd good
for n in root twin2 nokind evil; do
	case $n in root) check "PA09a root stays root" test "$(id -u root)" = 0 ;;
	*) check "$n is nobody" status_is 2 getent passwd $n ;; esac
done
check "RP06a who had the number first keeps it" test "$(id -u twin1)" = 3102
check "RP10a uid;lang-en is no uid" test "$(id -u daemon)" -lt 100
check "the event says which entry and what to mend" event_is '.ISMS_EVENT == "directory.entry-refused"' '(.ISMS_FAULT | contains("nokind"))'
second_bea() {
	{ printf 'dn: ou=more,ou=people,%s\nobjectClass: organizationalUnit\nou: more\n\n' $base; person bea 3120 | sed 's/ou=people/ou=more,ou=people/'; } | add_entries
	sleep 1
}
check "mark" mark
check "LD07a one uid in two subtrees" second_bea
ambiguous() { ! by_ssh bea -- true && event_is '.ISMS_EVENT == "directory.entry-refused"' '(.ISMS_FAULT | contains("uid=bea"))'; }
check "LD07a: refused, and told" ambiguous
check "LD07a its twin: the second one is gone" delete "uid=bea,ou=more,ou=people,$base"
twin_in() { sleep 1; by_ssh bea -- true; }
check "LD07a its twin: in" twin_in
check "LD06a a filter as a name matches nobody" bash -c "! getent passwd '*)(uid=*' && ! getent passwd 'ada)(uid=bea'"
cycle() {
	add_entries <<-L
		dn: cn=web-deploy,ou=groups,$base
		objectClass: groupOfNames
		objectClass: posixGroup
		cn: web-deploy
		gidNumber: 4000
		member: cn=inner,ou=groups,$base

		dn: cn=inner,ou=groups,$base
		objectClass: groupOfNames
		cn: inner
		member: cn=web-deploy,ou=groups,$base
		member: $(dn ada)
		member: uid=dangling,ou=people,$base
	L
	seen 1 bash -c 'id -Gn ada | grep -qw web-deploy'
}
check "RP08a a cycle of groups ends, with the right members" cycle

# ---- the server's own policy ----------------------------------------------------------------------
check "LD08a locked at the server by failures" set_value bea pwdAccountLockedTime "$(date -u +%Y%m%d%H%M%SZ)"
locked() { sleep 1; mark; ! by_ssh bea -- true && event_is '.ISMS_DECISION == "denied"' '.ISMS_USER == "bea"'; }
check "LD08a a right password and code: refused" locked
check "LD08a its twin: unlocked" no_value bea pwdAccountLockedTime
check "LD08a its twin: in" twin_in

# ---- one code once ----------------------------------------------------------------------------------
token_dn() { value_of oathHOTPToken "$(dn ada)"; }
marks() { value_of oathHOTPCounter "$(token_dn)"; }
moves() { local before; before=$(marks) && by_ssh ada -- true && [ "$(marks)" -gt "$before" ]; }
check "the mark of a code stands in the directory" moves
stolen() { # another host was faster: the same code, after the mark was moved there
	local code n
	code=$(fresh_code ada) && n=$(marks) || return
	printf 'dn: %s\nchangetype: modify\nreplace: oathHOTPCounter\noathHOTPCounter: %s\n' "$(token_dn)" $(($(cat $people/ada/counter) + 1)) | modify
	mark
	! by_ssh ada -- true && event_is '.ISMS_USER == "ada"' '.ISMS_REASON == "mfa-replayed" or .ISMS_REASON == "mfa-failed"'
}
check "OT07a a code that another host has taken" stolen
check "OT07a its twin: the next one" by_ssh ada -- true
not_ours() { # the host may not write there any more: no code counts
	printf 'dn: cn=web,ou=hosts,%s\nchangetype: modify\ndelete: member\nmember: %s\n' $base "$(dn ada)" | modify && mark && ! by_ssh ada -- true
}
check "tokens of another host group cannot be read: refused" not_ours
check "and the event says so" event_is '.ISMS_USER == "ada"' '.ISMS_REASON == "bad-record"' \
	'.ISMS_FAULT | test("^the token cn=.* does not exist, or may not be read here")'
check "its twin: of our host group" works_here ada
check "its twin: in" by_ssh ada -- true

# ---- outages ------------------------------------------------------------------------------------
within() { # SECONDS COMMAND...
	local start limit=$1 rc=0
	shift
	start=$(date +%s%3N)
	"$@" || rc=$?
	echo "status $rc, $(($(date +%s%3N) - start)) ms"
	[ $(($(date +%s%3N) - start)) -le $((limit * 1000)) ] && return $rc
}
lookups() { [ "$(getent passwd ada | cut -d: -f1)" = ada ] && id -Gn ada | grep -qw isms-mfa && within 1 status_is 2 getent passwd nobody-at-all; }
unavailable() { mark && within 15 refused_by_ssh ada && denied_with directory-unavailable ada; }
refused_by_ssh() { ! by_ssh "$1" -- true; }
session_open() { by_ssh bea -tt -- 'sleep 3600' >/dev/null 2>&1 & wait_until 10 has_session bea; }
nft_rule() { nft -f - <<<"table inet cut { chain out { type filter hook output priority 0; tcp dport 636 $1; }; }"; }
outage() { # NAME CUT-COMMAND HEAL-COMMAND
	local name=$1 cut=$2 heal=$3
	check "$name: cut" $cut
	check "$name: lookups unchanged" lookups
	check "$name: refused within 15 s, directory-unavailable" unavailable
	check "$name: local people log in" local_logs_in
	check "$name: the session lives on" has_session bea
	check "$name: healed" $heal
	check "$name: in again, by itself" wait_until 20 by_ssh ada -- true
}
check "a session to be left alone" session_open
freeze() { systemctl kill -s STOP isms-slapd; }
thaw() { systemctl kill -s CONT isms-slapd; }
drop() { nft_rule drop; }
reset() { nft_rule 'reject with tcp reset'; }
uncut() { nft delete table inet cut; }
outage "slapd stopped" slapd_stop slapd_start
outage "LD09a slapd frozen" freeze thaw
outage "black hole" drop uncut
outage "connection reset" reset uncut
check "event directory.lost" event_since_boot directory.lost

# ---- certificates: whoever cannot prove his name gets no password ---------------------------------
tls=$slapd_dir/tls
with_certificate() { # CERTIFICATE: slapd with another one
	slapd_stop; cp -p $tls/server.pem $tls/good.pem; cp -p $tls/server.key $tls/good.key
	cp -p "$tls/$1.pem" $tls/server.pem && cp -p "$tls/$1.key" $tls/server.key && slapd_start
}
good_certificate() { slapd_stop; cp -p $tls/good.pem $tls/server.pem; cp -p $tls/good.key $tls/server.key; slapd_start; }
expired_certificate() {
	certificate expired ca DNS:localhost && openssl x509 -req -in $tls/expired.csr -CA $tls/ca.pem -CAkey $tls/ca.key \
		-CAcreateserial -days -1 -extfile <(echo subjectAltName=DNS:localhost) -out $tls/expired.pem
}
check "certificates" eval 'certificate elsewhere ca DNS:elsewhere.example.com && ca stranger && certificate unknown stranger DNS:localhost && expired_certificate'
for kind in elsewhere unknown expired; do
	other_certificate() { with_certificate $kind; }
	outage "LD03a certificate $kind" other_certificate good_certificate
done
losses() { journalctl --sync && journalctl -o json | jq -r 'select(.ISMS_EVENT == "directory.lost") | .ISMS_FAULT'; }
check "what libldap does not tell apart, the fault names" bash -c 'grep "certificate for this very name, from an authority in .directory. ca-file" <<<"$1"' - "$(losses)"
use_uri() { mkdir -p /etc/isms/conf.d; printf '[directory]\nuri = %s\n' "$1" >/etc/isms/conf.d/uri.conf && systemctl reload ismsd-directory; }
configuration=$slapd_dir/config/cn=config.ldif
no_tls() { slapd_stop; cp -p $configuration /run/config.ldif && sed -i '/^olcTLS/d' $configuration && slapd_start "ldap://localhost $slapd_local" && use_uri ldap://localhost; }
with_tls() { slapd_stop; cp -p /run/config.ldif $configuration && slapd_start; }
outage "LD02a StartTLS refused" no_tls with_tls
check "LD02a StartTLS refused: no certificate is blamed" bash -c 'grep StartTLS <<<"$1" | tee /dev/stderr | grep -v ca-file' - "$(losses)"
check "StartTLS: in" by_ssh ada -- true
weak() { # what would weaken libldap if it were read
	mkdir -p /etc/systemd/system/ismsd-directory.service.d && printf '[Service]\nEnvironment=LDAPTLS_REQCERT=never LDAPTLS_CACERT=/dev/null LDAPCONF=/run/weak\n' >/etc/systemd/system/ismsd-directory.service.d/weak.conf
	echo 'TLS_REQCERT never' | tee /run/weak /etc/ldap/ldap.conf >/root/.ldaprc
	systemctl daemon-reload && use_uri ldaps://localhost && systemctl restart ismsd-directory && with_certificate unknown
}
strong() { rm /etc/systemd/system/ismsd-directory.service.d/weak.conf && systemctl daemon-reload && systemctl restart ismsd-directory && good_certificate; }
outage "LD04a files and environment that would weaken TLS" weak strong
second() { use_uri "ldaps://127.0.0.2:1 ldaps://localhost" && within 5 wait_until 5 by_ssh ada -- true; }
check "LD10a the first server is down: the second one within 5 s" second
check "one server again" use_uri ldaps://localhost

# ---- mass changes ---------------------------------------------------------------------------------
many() { for n in $(seq 30); do person "m$n" $((3200 + n)); done | add_entries && seen 2 getent passwd m30; }
check "thirty more people" many
check "mark" mark
all_gone() { for n in $(seq 30); do printf 'dn: %s\nchangetype: delete\n\n' "$(dn "m$n")"; done | modify && sleep 2; }
check "RP04a all thirty deleted" all_gone
held() { getent passwd m30; }
check "RP04a held back" held
check "RP04a event directory.mass-change" event_is '.ISMS_EVENT == "directory.mass-change"'
tightened() { set_value bea pwdAccountLockedTime 000001010000Z && sleep 1 && refused_with disabled bea; }
check "RP05a one disabled meanwhile: refused a second later" tightened
check "snapshot show tells" bash -c 'isms-userctl snapshot show | tee /dev/stderr | grep -q "would go"'
check "snapshot show names them" bash -c 'isms-userctl snapshot show | grep -q "m12: would go"'
connected() { isms-userctl status 2>&1 | grep -q '^connected *yes'; }
not_connected() { ! connected; }
blind() { # what would go cannot be known without the server, and is not decided for the time when it is back
	slapd_stop && wait_until 15 not_connected && { ! isms-userctl snapshot approve --reason test --yes 2>/run/why; } && cat /run/why >&2 &&
		grep -q 'not connected' /run/why && slapd_start && wait_until 20 connected && sleep 2 && held
}
check "RP04a approved without the server: refused, held still" blind
check "snapshot approve" isms-userctl snapshot approve --reason test --yes
check "RP04a approved: gone" seen 2 status_is 2 getent passwd m30

# ---- resume ---------------------------------------------------------------------------------------
resumed() { # of all entries none is sent again but the changed one
	slapd_stop && slapd_start "$slapd_urls" 512 && sleep 3 && journalctl --sync && local since && since=$(date +%s) && sleep 1 &&
		systemctl stop ismsd-directory && set_value ada loginShell /bin/sh && systemctl start ismsd-directory &&
		wait_until 10 bash -c 'getent passwd ada | grep -q ":/bin/sh$"' && sleep 2 && journalctl -u isms-slapd --since "@$since" -o cat | grep -c 'ENTRY dn="uid=' >/run/sent
	cat /run/sent
	[ "$(cat /run/sent)" -le 3 ]	# the change, and what two jobs read; of some forty people
}
check "a restart resumes by the cookie" resumed
finish
