#!/bin/bash
# doctor-ldap: isms-userctl doctor --directory on a real slapd: the sample of access rules is clean, each rule that is
# widened or narrowed by one line is exactly its finding, and nothing is ever changed (DESIGN 3.7, THREATS 8).
. "$(dirname "$0")/lib.sh"

out=/run/out
whole() { slapcat -F $slapd_dir/config -n1; }
host_settings() { # HOST: who the directory process is at the server
	printf '[directory]\nbind-dn = %s\n' "$(dn_of "$1")" >/etc/isms/conf.d/host.conf
	install -m 640 -g isms-dir /dev/null /etc/isms/bind.password && echo "$1-password" >/etc/isms/bind.password
}
person() { # NAME NUMBER TOTP-TOKEN HOTP-TOKEN
	printf '\ndn: uid=%s,ou=people,%s\nobjectClass: account\nobjectClass: posixAccount\nobjectClass: shadowAccount\nobjectClass: oathTOTPUser\nobjectClass: oathHOTPUser\n' "$1" $base
	printf 'uid: %s\ncn: %s\nuidNumber: %s\ngidNumber: 3000\nhomeDirectory: /home/%s\nloginShell: /bin/bash\n' "$1" "$1" "$2" "$1"
	printf 'oathTOTPToken: cn=%s,ou=tokens,%s\noathHOTPToken: cn=%s,ou=tokens,%s\n' "$3" $base "$4" $base
	printf '\ndn: cn=%s,ou=tokens,%s\nobjectClass: device\nobjectClass: oathToken\nobjectClass: oathTOTPToken\ncn: %s\noathSecret: 12345678901234567890\noathTOTPLastTimeStep: 5\nowner: uid=%s,ou=people,%s\n' "$3" $base "$3" "$1" $base
	printf '\ndn: cn=%s,ou=tokens,%s\nobjectClass: device\nobjectClass: oathToken\nobjectClass: oathHOTPToken\ncn: %s\noathSecret: 12345678901234567890\noathHOTPCounter: 5\nowner: uid=%s,ou=people,%s\n' "$4" $base "$4" "$1" $base
}
people_and_tokens() {
	{ person ada 3001 ada-totp ada-hotp; person bob 3002 bob-totp bob-hotp
	printf '\ndn: cn=web-people,ou=groups,%s\nobjectClass: groupOfNames\nobjectClass: posixGroup\ncn: web-people\ngidNumber: 3000\nmember: uid=ada,ou=people,%s\n' $base $base
	printf '\ndn: cn=used-ids,%s\nobjectClass: device\ncn: used-ids\nserialNumber: 3002\n' $base; } | as_admin ldapadd >/dev/null &&
		printf 'dn: uid=ada,ou=people,%s\nchangetype: modify\nadd: userPassword\nuserPassword: ada-password\n' $base | as_admin ldapmodify
}

# finds [TEXT...]: exactly these findings, each "STATE TEXT-IN-IT", in any order; the exit status tells whether one is
# bad; and not one byte of the directory is another one afterwards, no time stamp either.
finds() {
	local rc=0 want=0 text
	whole >/run/before
	isms-userctl doctor --directory --json >$out 2>&1 || rc=$?
	whole | diff /run/before - || return 1
	jq -r '.[] | select(.state != "ok") | .state + " " + .what + (if .cure then "" else " WITHOUT CURE" end)' $out >/run/findings || { cat $out; return 1; }
	cat /run/findings
	[ "$(wc -l </run/findings)" = $# ] || { echo "wanted $# findings"; return 1; }
	for text; do
		[ "${text%% *}" != bad ] || want=1
		grep -qE "^${text%% *} .*${text#* }" /run/findings || { echo "not found: $text"; return 1; }
	done
	! grep 'WITHOUT CURE' /run/findings && [ $rc = $want ] || { echo "status $rc"; return 1; }
}
# rule SED-SCRIPT TEXT...: the sample changed by it, what is found, and the sample again.
rule() {
	local script=$1 rc=0
	shift
	slapd_rules "$script" >/dev/null && finds "$@" || rc=$?
	diff <(sed "$script" $ldap_schema/acl-sample.ldif) $ldap_schema/acl-sample.ldif >/dev/null && { echo "the script changes nothing"; rc=1; }
	slapd_rules >/dev/null && return $rc
}
hosts='by dn.onelevel="ou=hosts,dc=example,dc=com"'
below() { echo "/^olcAccess: to dn.subtree=\"ou=$1,$base\"${2-}\$/,/by \\* none/"; }	# the rule of a folder

check "packages" install_packages
check "slapd: configuration and entries" slapd_prepare
check "slapd: starts" slapd_start
check "slapd: takes the sample of access rules" slapd_rules
check "people and tokens" people_and_tokens
use_directory $slapd_uri
touch /etc/isms/isms.conf
check "the host's settings" host_settings web1

# ---- what is promised is so ---------------------------------------------------------------------
check "the sample is clean" finds
says_text() { isms-userctl doctor --directory >$out && cat $out && grep -q "^ok .*$1" $out; }
check "it says what it tried on" says_text "tokens of people who work here: what is needed and nothing else, tried on cn=ada-totp"
check "it says what TLS was" says_text "TLS1.*, certificate and name verified"

# ---- what the host cannot see -------------------------------------------------------------------
without() { # DN FINDING: the entry away, what is found, and the entry again
	local rc=0
	slapcat -F $slapd_dir/config -n1 -a "(entryDN=$1)" | grep -vE '^(structuralObjectClass|entryUUID|creatorsName|modifiersName|createTimestamp|modifyTimestamp|entryCSN):' >/run/entry.ldif
	as_admin ldapdelete "$1" && finds "$2" || rc=$?
	as_admin ldapadd -f /run/entry.ldif >/dev/null && return $rc
}
check "ids that nobody has written are not called good" without "cn=used-ids,$base" "unknown ids that were given: not seen by this host: cn=used-ids,$base\$"
check "one group of operators is away" without "cn=token-operators,ou=roles,$base" "unknown groups of operators: not seen by this host: cn=token-operators,ou=roles,$base\$"
check "the other one is still said to be good" says_text "groups of operators: what is needed and nothing else, tried on .*cn=account-operators"
check "clean with all of them" finds

# ---- one line wider -----------------------------------------------------------------------------
password="/attrs=userPassword/,/by \\* none/ s/^  by self.*/  $hosts"
check "may read passwords" rule "$password read\n&/" "bad may read the password of .*userPassword of"
check "may search passwords" rule "$password =s\n&/" "bad may search for userPassword"
check "may compare passwords" rule "$password =c\n&/" "bad may compare userPassword"
check "may set passwords" rule "$password =w\n&/" "bad people: this host may change userPassword of uid="
secrets="/attrs=oathSecret\$/,/by \\* none/"
check "may compare foreign secrets" rule "$secrets s/ set=.* read/ read/" "bad may compare secrets of tokens of people who do not work here"
all_tokens="$(below tokens) s/ set=.* read/ read/"
check "may read foreign secrets" rule "$secrets s/ set=.* read/ read/; $all_tokens" "bad may read secrets of tokens of people who do not work here: oathSecret of cn=bob-" \
	"bad who do not work here: this host may read owner of cn=bob-totp"
check "may read foreign tokens" rule "$all_tokens" "bad who do not work here: this host may read owner of cn=bob-totp"
check "may write own secrets" rule "$secrets s/ read/ write/" "bad who work here: this host may change oathSecret of cn=ada-totp"
marks="$(below tokens ' attrs=oathTOTPLastTimeStep,oathHOTPCounter')"
check "may move foreign marks" rule "$marks s/ set=.* write/ write/" "bad who do not work here: this host may change oathTOTPLastTimeStep, oathHOTPCounter of cn=bob-totp"
check "may write own tokens" rule "$(below tokens) s/\\(onelevel.*\\) read/\\1 write/" \
	"bad who work here: this host may change oathTokenSerialNumber, oathOTPLength, oathHMACAlgorithm, oathTOTPTimeStepPeriod, owner of"
check "may link tokens" rule "$(below people ' attrs=objectClass,oathTOTPToken,oathHOTPToken') s/\\(onelevel.*\\) read/\\1 write/" \
	"bad people: this host may change objectClass, oathTOTPToken, oathHOTPToken of"
check "may write people" rule "$(below people) s/\\(onelevel.*\\) read/\\1 write/" "bad people: this host may change uid, cn, uidNumber, gidNumber, .*pwdEndTime, .*ismsNotAfter, .*entry of"
ends="s/^olcAccess: to dn.subtree=\"ou=people,$base\"\$/olcAccess: to dn.subtree=\"ou=people,$base\" attrs=pwdEndTime,shadowExpire\n  $hosts =RIGHTS\n  by * break\n&/"
check "may add ends" rule "${ends/RIGHTS/arscd}" "bad people: this host may change shadowExpire \(add\), pwdEndTime \(add\) of"
check "may remove ends" rule "${ends/RIGHTS/zrscd}" "bad people: this host may change shadowExpire \(remove\), pwdEndTime \(remove\) of"
check "may write groups" rule "$(below groups) s/\\(onelevel.*\\) read/\\1 write/" "bad groups: this host may change objectClass, cn, gidNumber, member, memberUid of cn=web-people" \
	"bad base and the folders below it: this host may change children of"
check "may write hosts" rule "$(below hosts) s/\\(onelevel.*\\) read/\\1 write/" "bad own entry: this host may change objectClass, cn, seeAlso of cn=web1" \
	"bad group of hosts: this host may change objectClass, member of cn=web,"
make="s/^olcAccess: to dn.exact=\"$base\" attrs=children/olcAccess: to dn.onelevel=\"$base\"\n  $hosts =a\n  by * break\n&\n  $hosts =a/"
check "may make entries" rule "$make" "bad folders below it: this host may change children of dc=example,dc=com\$"
check "may read ids" rule "s/^olcAccess: to dn.exact=\"cn=used-ids,$base\"/&\n  $hosts read/" "bad ids that were given: this host may read serialNumber of"
check "may write ids" rule "s/^olcAccess: to dn.exact=\"cn=used-ids,$base\"/&\n  $hosts =w/" "bad ids that were given: this host may change serialNumber of"
if grep -q ismsRecoveryCode $ldap_schema/isms.ldif; then
	codes="$(below people ' attrs=ismsRecoveryCode')"
	check "may read foreign recovery codes" rule "$codes s/ set=.* =zrscxd/ =rscxd/" "bad codes of people who do not work here: this host may read ismsRecoveryCode of uid=bob" \
		"bad codes of people who work here: this host may not change ismsRecoveryCode \(remove\) of uid=ada"
	check "may add recovery codes" rule "$codes s/ =zrscxd/ write/" "bad codes of people who work here: this host may change ismsRecoveryCode \(add\) of uid=ada"
	check "may not read own recovery codes" rule "$codes s/ =zrscxd/ =z/" "bad codes of people who work here: this host may not read ismsRecoveryCode of uid=ada"
fi
rest='$!N; s/^olcAccess: to \*\n\(  by group.exact="cn=auditors\)/olcAccess: to *\n  HOSTS\n\1/; P; D'
check "may read who is an operator" rule "${rest/HOSTS/$hosts read}" "bad groups of operators: this host may read member of"
check "may make itself an operator" rule "${rest/HOSTS/$hosts =w}" "bad groups of operators: this host may change member of"

# ---- one line narrower --------------------------------------------------------------------------
noop_unproven=("unknown folders below it: not known what this host may do to children: the server has not shown there that it obeys"
	"unknown people: not known what this host may do to entry: the server has not shown there that it obeys")
check "may not read own secrets" rule "$secrets { /onelevel/d }" "bad of 2 tokens of people who work here this host may read the secret of 0"
check "may not see own tokens" rule "$(below tokens) { /onelevel/d }" "bad may read the secret of 0" "bad who work here: this host may not read .*owner of" \
	"${noop_unproven[@]}"
check "may not move own marks" rule "$marks s/\\(onelevel.*\\) write/\\1 read/" "bad may not change oathTOTPLastTimeStep, oathHOTPCounter of cn=ada-totp.*, so that no code would count" "${noop_unproven[@]}"
check "may not take own marks away" rule "$marks s/\\(onelevel.*\\) write/\\1 =arscd/" "bad may not change oathTOTPLastTimeStep \(remove\), oathHOTPCounter \(remove\) of" "${noop_unproven[@]}"
check "may not add own marks" rule "$marks s/\\(onelevel.*\\) write/\\1 =zrscd/" "bad may not change oathTOTPLastTimeStep \(add\), oathHOTPCounter \(add\) of" "${noop_unproven[@]}"
check "may not note the last use" rule "/attrs=ismsLastUse/,/break/ s/\\(onelevel.*\\) write/\\1 read/" "bad last use of people who work here: this host may not change ismsLastUse of uid=ada.*, so that no login is noted there"
hidden() { echo "s/^olcAccess: to dn.subtree=\"ou=$1,$base\"\$/olcAccess: to dn.subtree=\"ou=$1,$base\" attrs=$2\n  $hosts none\n  by * break\n&/"; }
check "may not read ends that nobody has" rule "$(hidden people pwdEndTime,ismsNotAfter)" "bad people: this host may not read pwdEndTime, ismsNotAfter of"
check "may not read numbers" rule "$(hidden people uidNumber)" "bad people: this host may not read uidNumber of"
check "may not read a group's number" rule "$(hidden groups gidNumber)" "bad groups: this host may not read gidNumber of"
check "may search and not read" rule "$(hidden people uidNumber | sed 's/ none/ search/')" "bad people: this host may not read uidNumber of"
size_limit() { printf 'dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\nreplace: olcSizeLimit\nolcSizeLimit: 2\n-\ndelete: olcLimits\n' | as_admin ldapmodify; }
check "limits for hosts" size_limit
check "may not read it all" finds "bad this host cannot read the directory: .*Size limit"
check "limits" slapd_rules
check "the sample is clean again" finds

# ---- whoever gives no name ----------------------------------------------------------------------
anybody="$(below people) s/by \\* none/by * read/"
check "nobody reads people" rule "$anybody" "warning people: whoever gives no name may read uid, "
check "nobody reads passwords" rule "/attrs=userPassword/,/by \\* none/ s/by anonymous auth/by anonymous read/; $anybody" "bad whoever gives no name may read the password of .*uid=ada" \
	"warning people: whoever gives no name may read uid, "
update_anon() { printf 'dn: cn=config\nchangetype: modify\n%s: olcAllows\nolcAllows: update_anon\n' "$1" | as_admin ldapmodify; }
check "changes without a name are allowed" update_anon add
check "nobody changes people" rule "s/^olcAccess: to dn.subtree=\"ou=people,$base\"\$/&\n  by anonymous =w/" "bad people: whoever gives no name may change uid, " \
	"bad last use of people who work here: whoever gives no name may change ismsLastUse"
check "that alone is no hole" finds
wide_open() { printf 'dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\nreplace: olcAccess\nolcAccess: to * by * write\n' | as_admin ldapmodify; }
check "everything is allowed to everybody" wide_open
opened() { # not one byte is changed; what is found is everything
	whole >/run/before
	status_is 1 isms-userctl doctor --directory >$out && whole | diff /run/before - && [ "$(grep -c '^bad' $out)" -ge 14 ]
}
check "and nothing is changed" opened
check "changes without a name are not allowed" update_anon delete
check "the rules again" slapd_rules

# ---- who and where ------------------------------------------------------------------------------
check "a host that its group does not list" host_settings stray
check "is told so" finds "bad cn=web,ou=hosts,$base does not list cn=stray" "${noop_unproven[@]}"
check "a wrong password" host_settings web1
echo wrong-password >/etc/isms/bind.password
told() { status_is 1 isms-userctl doctor --directory >$out && cat $out && [ "$(wc -l <$out)" = 2 ] && grep -q '^bad .*bind as cn=web1,.*: wrong password' $out; }
check "is told, once" told
check "the right one" host_settings web1
bound_as() { printf '[directory]\nbind-dn = %s\n' "$1" >/etc/isms/conf.d/host.conf; }
bound_as anonymous
check "a host without a name reads nothing" finds "bad content synchronisation is refused to this host" "bad this host cannot read the directory: .*No such object"
bound_as external
check "what another user may is not guessed" finds "unknown bind-dn is external"
check "its own name again" host_settings web1
use_directory ldap://localhost
check "StartTLS" says_text "StartTLS, TLS1"
printf '[directory]\nallow-cleartext = yes\n' >/etc/isms/conf.d/z-clear.conf
check "no TLS" finds "bad no TLS: whoever is on the way"
rm /etc/isms/conf.d/z-clear.conf
use_directory "$slapd_uri ldaps://localhost:6363"
check "each server is looked at" finds "bad ldaps://localhost:6363: "
use_directory $slapd_uri
read_only() { printf 'dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\nreplace: olcReadOnly\nolcReadOnly: %s\n' "$1" | as_admin ldapmodify; }
check "a server that takes no changes" read_only TRUE
takes_none() { isms-userctl doctor --directory >$out; [ $? = 1 ] && cat $out && [ "$(grep -c ^bad $out)" = 1 ] && grep -q '^bad .*the server takes no changes: no code counts there' $out && grep -q '^unknown .*people: not known' $out; }
check "is found, and rights are unknown" takes_none
check "it takes them again" read_only FALSE
check "and is clean" finds
bare() { slapd_stop; slapd_prepare otp && slapd_start && slapd_rules && people_and_tokens; }
check "a server without syncprov and ppolicy" bare
check "both are found" finds "warning no content synchronisation" "warning no password policy"
rm /etc/isms/conf.d/directory.conf /etc/isms/conf.d/host.conf
embedded() { isms-userctl doctor --directory >$out && cat $out && grep -q '^ok .*is a file' $out; }
check "a directory that is a file" embedded
finish
