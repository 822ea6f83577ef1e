#!/bin/bash
# polling: a directory without content synchronisation (slapd without syncprov) is read whole, page by page, again and
# again: changes and deletions arrive, and a part of it is never taken for the whole (THREATS 5.5).
export ISMS_DIRECTORY=ldap
slapd_modules="ppolicy otp"
. "$(dirname "$0")/lib.sh"
prepare
check "every second" set_option directory poll-interval 1
check "contractor" contractor ada
check "ssh, as soon as a poll has shown the token" wait_until 5 by_ssh ada -- true

dn() { echo "uid=$1,ou=people,$base"; }
modify() { as_admin ldapmodify >/dev/null; }
refuses_sync() { # the control, critical: 12 is unavailableCriticalExtension
	status_is 12 as web1 ldapsearch -E '!sync=rp' -b $base '(uid=ada)'
}
check "the server has no content synchronisation" refuses_sync
many() { # more than a page of ours and less than a mass
	local n
	for n in $(seq 1100); do
		printf 'dn: %s\nobjectClass: inetOrgPerson\nobjectClass: posixAccount\nuid: m%d\ncn: m%d\nsn: x\nuidNumber: %d\ngidNumber: 5000\nhomeDirectory: /home/m%d\nemployeeType: employee\n\n' \
			"$(dn "m$n")" $n $n $((3200 + n)) $n
	done | as_admin ldapadd >/dev/null
}
check "1,100 people" many
all_there() { getent passwd m1 && getent passwd m550 && getent passwd m1100; }
check "all pages are read" wait_until 30 all_there
set_shell() { printf 'dn: %s\nchangetype: modify\nreplace: loginShell\nloginShell: %s\n' "$(dn "$1")" "$2" | modify; }
has_shell() { getent passwd "$1" | grep -q ":$2\$"; }
check "a change" set_shell m1100 /bin/sh
check "it arrives" wait_until 10 has_shell m1100 /bin/sh
delete() { printf 'dn: %s\nchangetype: delete\n' "$(dn "$1")" | modify; }
gone() { ! getent passwd "$1"; }
check "a deletion" delete m7
check "it arrives, too" wait_until 10 gone m7
disable() { isms-userctl disable ada --reason left --yes && wait_until 10 refused_for disabled; }
refused_for() { mark && ! by_ssh ada -- true && denied_with "$1" ada; }
check "disabled: refused" disable
check "its twin: enabled" isms-userctl enable ada --yes
check "its twin: in" wait_until 20 by_ssh ada -- true

# ---- a part -------------------------------------------------------------------------------------------------
limit_hosts() { # SIZE
	printf 'dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\nreplace: olcLimits\nolcLimits: dn.onelevel="ou=hosts,%s" size=%s time=unlimited\n' $base "$1" | modify
}
lost() { event_is '.ISMS_EVENT == "directory.lost"' '(.ISMS_FAULT | contains("imit"))'; }
check "mark" mark
check "the server shows 300 entries and no more" limit_hosts 300
check "that is no complete view" wait_until 10 lost
check "nobody is gone" all_there
check "mark" mark
check "all of it again" limit_hosts unlimited
check "a change meanwhile" set_shell m1100 /bin/bash
check "it arrives" wait_until 30 has_shell m1100 /bin/bash
check "in" by_ssh ada -- true
finish
