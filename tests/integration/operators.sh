#!/bin/bash
# operators: who may do what with isms-userctl under the sample of access rules, on a real slapd: each role can do its
# verbs and not the others', and whoever has a Kerberos ticket of a real KDC needs no password (THREATS 5.10; DESIGN 3.7).
. "$(dirname "$0")/lib.sh"

out=/run/out
realm=EXAMPLE.COM
whole() { slapcat -F $slapd_dir/config -n1; }
# ctl NAME ARGUMENT...: as that operator, or with the ticket that is there (NAME: ticket).
ctl() {
	local name=$1 rc=0
	shift
	if [ "$name" = ticket ]; then command isms-userctl "$@" --sasl gssapi
	else with_password "$name" command isms-userctl "$@"; fi >$out 2>&1 || rc=$?
	cat $out
	return $rc
}
# may_not NAME ARGUMENT...: refused in clear words that say who was refused, and no entry is another one afterwards.
may_not() {
	local rc=0
	whole >/run/before
	ctl "$@" || rc=$?
	whole | diff /run/before - && [ $rc = 1 ] && grep -F "the directory does not allow this (as $(dn_of "$who"))" $out | grep "; nothing was changed$"
}
# may_not_even_see: the same for one who does not see an entry that he would have to change.
may_not_even_see() {
	local rc=0
	whole >/run/before
	ctl "$@" || rc=$?
	whole | diff /run/before - && [ $rc = 1 ] && grep -qF "$(dn_of "$who") may not see it; look again; nothing was changed" $out
}
isms-userctl() { ctl "$who" "$@"; }	# for what people.sh does
state_is() { ctl audrey show "$1" --json >/dev/null && jq -e ".state == \"$2\"" <$out; }

check "packages" install_packages
mkdir -p /etc/isms $people && echo "$default_policy" >/etc/isms/policy.conf && touch /etc/isms/isms.conf
check "slapd: configuration and entries" slapd_prepare
check "slapd: starts" slapd_start
check "slapd: takes the sample of access rules" slapd_rules
roles() { # one person for each role; alice of the other files has two
	{ operator adam; operator lena; group_of cn=lock-operators,ou=roles cn=lena,ou=roles
	printf '\ndn: cn=account-operators,ou=roles,%s\nchangetype: modify\nadd: member\nmember: cn=adam,ou=roles,%s\n' $base $base; } |
		as_admin ldapadd >/dev/null
}
check "roles" roles
use_directory $slapd_uri
check "front, for failures to forget" systemctl start ismsd-front

# ---- each verb: who may, and everybody else who may not -----------------------------------------
new_account() { echo add "$1" --password-fd 3; }
add_by() { ctl "$1" $(new_account "$2") 3<<<correct-horse-$2; }
may_not_add() { may_not "$1" $(new_account mallory) 3<<<correct-horse-mallory; }
may_not_see_ids() { may_not_even_see "$1" $(new_account mallory) 3<<<correct-horse-mallory; }
contractor_by() { # NAME USER
	mkdir -p $people/$2 && ctl "$1" add "$2" --kind contractor --sponsor sue --until 2027-01-31 --password-fd 3 3<<<correct-horse-$2
}
check "adam adds" add_by adam sue
check "adam adds a contractor" contractor_by adam ann
for who in tom audrey; do check "$who adds nobody" may_not_add $who; done
who=lena; check "lena adds nobody" may_not_see_ids lena

check "adam moves an end" ctl adam set-expiry ann 2027-02-28
for who in tom lena audrey; do check "$who moves no end" may_not $who set-expiry ann 2027-03-31; done

for who in tom audrey; do check "$who disables nobody" may_not $who disable ann; done
check "lena disables" ctl lena disable ann --reason "laptop stolen"
check "ann is disabled" state_is ann disabled
for who in tom lena audrey; do check "$who enables nobody" may_not $who enable ann; done
check "adam enables" ctl adam enable ann
check "ann is active" state_is ann active
check "adam disables" ctl adam disable ann
check "adam enables again" ctl adam enable ann
late() { printf 'dn: uid=ann,ou=people,%s\nchangetype: modify\n%s: pwdAccountLockedTime\n%s' $base "$1" "$2" | as_admin ldapmodify; }
check "ann was locked by the server for a while" late add "pwdAccountLockedTime: 20200101000000Z
"
who=lena; check "lena replaces no lock" may_not lena disable ann
check "it is unlocked" late delete ""

enrols() { (who=$1; enroll_person ann --hotp); }
may_not_enrol() { may_not "$1" enroll ann --hotp --secret-fd 3 --code-fd 4 3>/dev/null 4</dev/null; }
for who in adam audrey; do check "$who enrols nobody" may_not_enrol $who; done
may_not_see_tokens() { may_not_even_see "$1" enroll ann --hotp --secret-fd 3 --code-fd 4 3>/dev/null 4</dev/null; }
who=lena; check "lena enrols nobody" may_not_see_tokens lena
check "tom enrols" enrols tom
for who in adam lena audrey; do check "$who unenrols nobody" may_not $who unenroll ann; done
check "tom unenrols" ctl tom unenroll ann
check "tom enrols again" enrols tom

for who in adam tom lena audrey; do
	sees() { ctl "$1" list --json >/dev/null && jq -e 'map(.user) == ["ann", "sue"]' <$out && ctl "$1" show ann; }
	check "$who lists and shows" sees $who
done
sees_nobody() { status_is 1 ctl nobody-special "$@" && grep -q "ann" $out && ! grep -q contractor $out; }
check "who has no role sees nobody" sees_nobody show ann
kept() { ! as "$1" ldapsearch -LLL -b $base '(|(objectClass=*)(userPassword=*)(oathSecret=*))' | grep -iE '^(userPassword|oathSecret|pwdHistory):'; }
for who in adam lena; do check "$who reads no secret" kept $who; done

# ---- no way around a role: another operator's or a host's password, and what comes in with a new entry ----
may_not_set() { # WHO DN
	whole >/run/before
	status_is 1 as "$1" ldappasswd -s another-password "$2,$base" >$out 2>&1
	cat $out
	grep -q 'Insufficient access (50)' $out && whole | diff /run/before -
}
check "adam sets ann's password" as adam ldappasswd -s another-horse-ann uid=ann,ou=people,$base
for dn in cn=tom,ou=roles cn=web1,ou=hosts; do check "adam sets no password of $dn" may_not_set adam $dn; done
token=$(value_of oathHOTPToken uid=ann,ou=people,$base)
adds() { # ATTRIBUTE: ldapadd's status, as adam
	printf 'dn: uid=eve,ou=people,%s\nobjectClass: account\nobjectClass: ismsAccount\nobjectClass: oathHOTPUser\n%s\n' $base "$1" |
		as adam ldapadd
}
whole_with() { status_is 50 adds "$1" && [ -z "$(value_of uid uid=eve,ou=people,$base)" ]; }
check "adam adds nobody with a token" whole_with "oathHOTPToken: $token"
check "adam adds nobody with recovery codes" whole_with 'ismsRecoveryCode: $y$j9T$x'
check "adam adds the same entry without either" adds 'description: eve'
smuggles() { # CLASS-LINES: tom adds what is called a token
	printf 'dn: cn=eve,ou=tokens,%s\nobjectClass: device\n%s\n' $base "$1" | as tom ldapadd
}
account='objectClass: posixAccount
uid: eve
uidNumber: 5000
gidNumber: 5000
homeDirectory: /home/eve'
check "tom adds no account among the tokens" status_is 50 smuggles "$account"
check "nor under the number of its class" status_is 50 smuggles "${account/posixAccount/1.3.6.1.1.1.2.0}"
check "nor a group" status_is 50 smuggles "objectClass: posixGroup
gidNumber: 5000"
check "tom adds the same entry with neither" smuggles 'description: eve'
check "which goes again" as tom ldapdelete cn=eve,ou=tokens,$base
check "and she goes again" as_admin ldapdelete uid=eve,ou=people,$base

# ---- Kerberos -----------------------------------------------------------------------------------
kdc() {
	local name
	cat >/etc/krb5.conf <<-K
		[libdefaults]
		default_realm = $realm
		dns_lookup_kdc = false
		dns_lookup_realm = false
		dns_canonicalize_hostname = false
		rdns = false
		[realms]
		$realm = {
		kdc = 127.0.0.1
		}
	K
	printf '[realms]\n%s = {\ndatabase_name = /var/lib/krb5kdc/principal\nkey_stash_file = /etc/krb5kdc/stash\n}\n' $realm >/etc/krb5kdc/kdc.conf
	kdb5_util create -s -r $realm -P "$RANDOM$RANDOM$RANDOM" && kadmin.local addprinc -randkey ldap/localhost &&
		kadmin.local ktadd -k /etc/krb5.keytab ldap/localhost && chgrp openldap /etc/krb5.keytab && chmod 640 /etc/krb5.keytab || return
	for name in adam audrey nobody-special; do kadmin.local addprinc -pw "$name-password" $name || return; done
	systemctl start krb5-kdc
}
check "a KDC" kdc
sasl() { # a ticket's name becomes that of an operator
	slapd_stop
	printf 'dn: cn=config\nchangetype: modify\nadd: olcSaslHost\nolcSaslHost: localhost\n-\nadd: olcAuthzRegexp\nolcAuthzRegexp: {0}"^uid=([^,/]+)(,cn=[^,]+)?,cn=gssapi,cn=auth$" "cn=$1,ou=roles,%s"\n' $base |
		slapd_configure && slapd_start
}
check "slapd: takes tickets" sasl
ticket() { kdestroy -q; kinit "$@"; }
ticket_of() { ticket "$1" <<<"$1-password"; }
end_is() { [ "$(value_of pwdEndTime "uid=ann,ou=people,$base")" = "$1" ]; }
no_ticket() { kdestroy -q; status_is 1 ctl ticket set-expiry ann 2027-04-30 && grep -q "SASL GSSAPI: .*is there a ticket (klist)" $out && end_is 20270301000000Z; }
check "without a ticket" no_ticket
check "kinit" ticket_of adam
with_ticket() { ctl ticket set-expiry ann 2027-04-30 && end_is 20270501000000Z; }
check "with a ticket" with_ticket
actor() { value_of modifiersName "uid=ann,ou=people,$base" | grep -qx "$(dn_of adam)"; }
check "the server knows whose it was" actor
check "and list" ctl ticket list
check "a ticket of an auditor" ticket_of audrey
who=audrey; check "moves no end" may_not ticket set-expiry ann 2027-05-31
check "lists" ctl ticket list
check "a ticket of one without a role" ticket_of nobody-special
sees_none() { status_is 1 ctl ticket show ann; }
check "sees nobody" sees_none
short() { ticket -l 2s adam <<<adam-password && sleep 3; }
check "a ticket that has ended" short
ended() { status_is 1 ctl ticket set-expiry ann 2027-06-30 && grep -q "SASL GSSAPI: .*is there a ticket (klist)" $out && end_is 20270501000000Z; }
check "is refused" ended
for_another() { ticket_of adam && use_directory ldaps://127.0.0.1 && status_is 3 ctl ticket list; local rc=$?; use_directory $slapd_uri; return $rc; }
check "a server of another name gets no ticket" for_another
check "with a new one" with_ticket
check "StartTLS" use_directory ldap://localhost
check "over StartTLS" ctl ticket list
finish
