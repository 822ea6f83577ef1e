#!/bin/bash
# entries: what stands in a real slapd may be anything: attributes missing, control characters, impossible ids, huge values,
# a group of 100,000. The entry is refused and told of; everybody else is served (issue 3, done when 6; CASES LD12a, RP09a).
export ISMS_DIRECTORY=ldap
. "$(dirname "$0")/lib.sh"
prepare '[role employee]
match = kind:employee
allow-services = sshd login
mfa = none

[role restricted]
match = group:large
allow-services = login
mfa = none'
code=''	# nobody has a token
dn() { echo "uid=$1,ou=people,$base"; }
entry() { # UID NUMBER
	printf 'dn: %s\nobjectClass: inetOrgPerson\nobjectClass: posixAccount\nstructuralObjectClass: inetOrgPerson\nuid: %s\ncn: %s\nsn: x\nuidNumber: %s\ngidNumber: 5000\nhomeDirectory: /home/%s\nloginShell: /bin/bash\nemployeeType: employee\nuserPassword: %s-password\n\n' \
		"$(dn "$1")" "$1" "$1" "$2" "$1" "$1"
}
group() { printf 'dn: cn=%s,ou=groups,%s\nobjectClass: groupOfNames\nobjectClass: posixGroup\ncn: %s\ngidNumber: %s\n' "$1" $base "$1" "$2"; }
person() { mkdir -p "$people/$1" && echo "$1-password" >"$people/$1/password" && write_askpass "$1"; }
# Entries that no client could make: past slapd, which would refuse some of them, without its schema.
load() { # LDIF-FILE
	slapd_stop; slapadd -q -s -w -F $slapd_dir/config -n1 -l "$1" && chown -R openldap:openldap $slapd_dir/db && slapd_start
}
bytes() { base64 -w0; }
numbers=4000
next() { numbers=$((numbers + 1)); }

# NAME ATTRIBUTE LINE: an entry with another line in place of the attribute's. Each of them is to be nobody.
rows() {
	local a n
	for a in uid uidNumber gidNumber homeDirectory employeeType; do echo "no${a,,} $a "; done
	n=0
	for a in uidNumber gidNumber; do
		for v in 0 -1 4294967296 4294967295 65534 0100 1e3 999; do n=$((n + 1)); echo "id$n $a $a: $v"; done
		n=$((n + 1)); echo "id$n $a $a:: $(printf '2000\0' | bytes)"
		n=$((n + 1)); echo "id$n $a $a:: $(printf ' 2000' | bytes)"
		n=$((n + 1)); echo "id$n $a $a:: $(printf '2000\n' | bytes)"
	done
	for v in '/home/x\n' '/home/x\033[2J' '/home/x:/bin/sh' '/home/../etc' 'home/x' '/' '/home/x\0'; do
		n=$((n + 1)); echo "home$n homeDirectory homeDirectory:: $(printf "$v" | bytes)"
	done
	for v in 'employee\n' 'root' 'employee\0contractor'; do n=$((n + 1)); echo "kind$n employeeType employeeType:: $(printf "$v" | bytes)"; done
	for a in uidNumber homeDirectory employeeType; do echo "two${a,,} $a $a: 4444@$a: 4445"; done
	for v in -5 1e3 99999999999999999999; do n=$((n + 1)); echo "end$n sn sn: x@shadowExpire: $v"; done
	echo "twoends sn sn: x@shadowExpire: 30000@shadowExpire: 30001"
	for a in uidNumber homeDirectory employeeType cn; do echo "big${a,,} $a BIG$a"; done
	for a in gecos displayName loginShell; do echo "big${a,,} sn sn: x@BIG$a"; done
}
# BIGx stands for an attribute x of a mebibyte.
bad_entries() {
	local who what line
	while read -r who what line; do
		next
		entry "$who" $numbers | awk -v a="$what:" -v l="$line" '
			BEGIN { big = "x"; for (i = 0; i < 20; i++) big = big big }
			$1 != a { print; next }
			{ n = split(l, p, "@"); for (i = 1; i <= n; i++) if (sub(/^BIG/, "", p[i])) print p[i] ": " big; else if (p[i] != "") print p[i] }'
	done </run/rows
}
write_bad() {
	rows >/run/rows && bad_entries >/run/bad.ldif && [ "$(grep -c ^dn: /run/bad.ldif)" = "$(wc -l </run/rows)" ] && [ "$(wc -l </run/rows)" -ge 40 ]
}
write_good() {
	{ entry ada 3000; entry bea 3001; group people 5000; echo "member: $(dn ada)"; echo; } >/run/good.ldif && person ada && person bea
}
check "good ones" eval 'write_good && load /run/good.ldif && wait_until 20 getent passwd bea'
check "in" by_ssh ada -- true
# Somebody who is good comes with the bad ones: when he is seen, they have been looked at.
check "bad ones" eval 'write_bad && entry zoe 3002 >>/run/bad.ldif && person zoe && mark && load /run/bad.ldif && wait_until 30 getent passwd zoe'
nobody() {
	local rc=0 who rest
	while read -r who rest; do
		if getent passwd "$who"; then echo "$who ($rest) is somebody"; rc=1; fi
	done </run/rows
	return $rc
}
check "each of them is nobody, whichever attribute is missing or odd" nobody
refused_count() { isms-userctl status 2>&1 | tee /dev/stderr | grep -q "^refused *$(wc -l </run/rows)\$"; }
check "each of them is counted as refused" refused_count
check "told" event_is '.ISMS_EVENT == "directory.entry-refused"' '(.ISMS_FAULT | test("ou=people"))'
check "told of those that one event for each would be too many" event_is '.ISMS_EVENT == "directory.entry-refused"' '(.ISMS_COUNT // "0" | tonumber) > 10'
check "no event has a control character in it" eval '! events | jq -r .MESSAGE | grep -P "[\x00-\x08\x0b-\x1f\x7f]"'
check "everybody else is served" eval 'getent passwd ada && getent passwd bea && getent passwd zoe'
check "everybody else gets in" by_ssh zoe -- true
mended() { # NAME ATTRIBUTE VALUE: its twin, one fact changed
	printf 'dn: %s\nchangetype: modify\nreplace: %s\n%s: %s\n' "$(dn "$1")" "$2" "$2" "$3" | as_admin ldapmodify >/dev/null && wait_until 5 getent passwd "$1"
}
check "its twin: an id mended" mended id1 uidNumber 3950
check "its twin: a kind mended" mended noemployeetype employeeType employee
check "its twin: a home mended" mended nohomedirectory homeDirectory /home/nohomedirectory
check "its twin: a huge value mended" mended bigcn cn "Big"

# ---- a group of 100,000 ------------------------------------------------------------------------------
large() { # the people of it do not exist, but for bea, at the end
	group large 4100
	seq -f "member: uid=somebody%06.0f-of-the-large-group,ou=people,$base" 100000
	echo "member: $(dn bea)"
}
write_large() { large >/run/large.ldif && [ "$(stat -c %s /run/large.ldif)" -gt 6000000 ] && echo >>/run/large.ldif && entry last 3003 >>/run/large.ldif && mark && load /run/large.ldif; }
check "a group of 100,000 members by DN" write_large
check "who came with it is there" wait_until 60 getent passwd last
check "LD12a the group is served" eval 'getent group large && id -Gn bea | grep -qw large && ! id -Gn ada | grep -qw large'
check "LD12a and policy knows who is in it" eval '! by_ssh bea -- true && denied_with service-not-allowed bea'
check "its twin: who is not gets in" by_ssh ada -- true
finish
