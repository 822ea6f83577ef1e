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

# ---- what is written where: requests by anybody, grants and exemptions by approvers, reviews by account operators ----
# For every refusal root's own word shows that nothing but the rules stands against the same change.
places() {
	local ou
	for ou in grants exemptions requests reviews; do
		printf '\ndn: ou=%s,%s\nobjectClass: organizationalUnit\nou: %s\n' $ou $base $ou
	done | as_admin ldapadd && { operator amy; group_of cn=approvers,ou=roles cn=amy,ou=roles uid=sue,ou=people; } | as_admin ldapadd
}
by() { # WHO COMMAND ARGUMENT...: ann and sue are people, the others operators
	local who=$1 command=$2
	case $who in
		ann | sue) ;;
		*) as "$@"; return ;;
	esac
	LDAPTLS_CACERT=$slapd_dir/tls/ca.pem "$command" -x -H $slapd_uri -D "uid=$who,ou=people,$base" \
		-w "$([ $who = ann ] && echo another-horse-ann || echo correct-horse-sue)" "${@:3}"
}
written() { # RDN,PLACE CLASS,... LINE...
	printf 'dn: %s,%s\n' "$1" $base
	printf 'objectClass: %s\n' ${2//,/ }
	printf '%s\n' "${@:3}"
}
writes() { # WHO RDN,PLACE CLASS,... LINE...: and it goes again
	written "${@:2}" | by "$1" ldapadd && as_admin ldapdelete "$2,$base"
}
writes_not() { # the same
	written "${@:2}" | as_admin ldapadd && as_admin ldapdelete "$2,$base" || return
	written "${@:2}" | status_is 50 by "$1" ldapadd && [ -z "$(value_of objectClass "$2,$base" 2>/dev/null)" ]
}
changes_not() { # WHO DN LINE...
	local change
	change=$(printf '%s\n' "dn: $2,$base" "changetype: modify" "${@:3}")
	whole >/run/before
	status_is 50 by "$1" ldapmodify <<<"$change" && whole | diff /run/before - || return
	as_admin ldapsearch -LLL -o ldif-wrap=no -s base -b "$2,$base" >/run/entry && as_admin ldapmodify <<<"$change" &&
		as_admin ldapdelete "$2,$base" && as_admin ldapadd </run/entry
}
about() { echo "ismsMember: uid=$1,ou=people,$base"; }
approved() { case $1 in sue) echo "ismsApprover: uid=sue,ou=people,$base" ;; *) echo "ismsApprover: cn=$1,ou=roles,$base" ;; esac; }
of_group="ismsGroup: cn=web,ou=hosts,$base" until="ismsUntil: 20270101000000Z" mine="ismsRequestedBy: uid=ann,ou=people,$base"
an_account=("uid: q" "uidNumber: 5000" "gidNumber: 5000" "homeDirectory: /home/q")
exempts=("cn: q" "ismsControl: mfa" "ismsReason: r" "$until")
asks=("cn: q" "$(about ann)" "$of_group" "ismsState: open" "$mine")
grants=("cn: q" "$of_group" "$until")
her=uid=sue,ou=people
hers_by() { as "$1" ldappasswd -s correct-horse-sue "$her,$base"; }
check "adam sets sue's password while she approves nothing" hers_by adam
check "places" places

# ---- nobody becomes an approver by the right to make people: neither by a password nor by an entry of that name ----
check "adam sets none of sue's, who approves" may_not_set adam $her
hers_by_herself() { by sue ldappasswd -s another-horse-sue "$her,$base" && LDAPTLS_CACERT=$slapd_dir/tls/ca.pem ldapwhoami -x -H $slapd_uri -D "$her,$base" -w another-horse-sue; }
check "she sets it herself" hers_by_herself
check "and so does root" as_admin ldappasswd -s correct-horse-sue "$her,$base"
refused_there() { # COMMAND...: and nothing is another one afterwards
	whole >/run/before
	status_is 50 "$@" && whole | diff /run/before -
}
a_person() { written uid=q,ou=people account,posixAccount "cn: q" "${an_account[@]}" | by "$1" ldapadd; }
approves() { printf 'dn: cn=approvers,ou=roles,%s\nchangetype: modify\n%s: member\nmember: uid=q,ou=people,%s\n' $base "$1" $base | as_admin ldapmodify; }
renames() { by adam ldapmodrdn -r "uid=$1,ou=people,$base" "uid=$2"; }
check "adam adds a person" a_person adam
check "renames him" renames q r
check "and back" renames r q
check "he approves" approves add
check "adam renames him no more" refused_there renames q r
check "nor removes him" refused_there by adam ldapdelete uid=q,ou=people,$base
check "root does" as_admin ldapdelete uid=q,ou=people,$base
check "adam makes none of that name" refused_there a_person adam
check "he approves no more" approves delete
check "adam makes him" a_person adam
check "and removes him" by adam ldapdelete uid=q,ou=people,$base
q=cn=q,ou=requests
check "ann asks" writes ann $q ismsRequest "${asks[@]}"
check "not in sue's name" writes_not ann $q ismsRequest "${asks[@]/#ismsRequestedBy: uid=ann/ismsRequestedBy: uid=sue}"
check "nor as granted" writes_not ann $q ismsRequest "${asks[@]/#ismsState: open/ismsState: granted}"
check "nor for a grant" writes_not ann $q ismsGrant,extensibleObject "${grants[@]}" "$(about ann)" "$(approved amy)" "$mine"
check "nor for an exemption" writes_not ann $q ismsExemption,extensibleObject "${exempts[@]}" "$(about ann)" "$(approved amy)" "$mine"
check "nor for an account" writes_not ann $q account,posixAccount,extensibleObject "cn: q" "${an_account[@]}" "$mine"
check "nor is the request an account" writes_not ann $q ismsRequest,posixAccount "${asks[@]}" "${an_account[@]}"
check "nor a group" writes_not ann $q ismsRequest,posixGroup "${asks[@]}" "gidNumber: 5000"
check "nor anything" writes_not ann $q ismsRequest,extensibleObject "${asks[@]}"
asked() { written $q ismsRequest "${asks[@]}" | by ann ldapadd; }
check "ann's request stands" asked
decided() { printf '%s\n' "replace: ismsState" "ismsState: granted" - "add: ismsDecidedBy" "ismsDecidedBy: $1" - "add: ismsDecidedAt" "ismsDecidedAt: 20270101000000Z"; }
decides() { { printf '%s\n' "dn: $q,$base" "changetype: modify" && decided "$2"; } | by "$1" ldapmodify; }
in_the_name_of() { local lines; mapfile -t lines < <(decided "$2"); changes_not "$1" $q "${lines[@]}"; }
check "sue decides about it in nobody else's name" in_the_name_of sue "$(dn_of amy)"
check "nor does adam in his" in_the_name_of adam "$(dn_of adam)"
check "sue decides in her own" decides sue "uid=sue,ou=people,$base"
becomes_amys() { printf '%s\n' "dn: $q,$base" "changetype: modify" "replace: ismsDecidedBy" "ismsDecidedBy: $(dn_of amy)" | by "$1" ldapmodify; }
check "what she decided becomes nobody else's by her" refused_there becomes_amys sue
check "amy decides anew in hers" becomes_amys amy
check "it becomes no account" changes_not ann $q "add: objectClass" "objectClass: posixAccount" - "add: uid" "uid: q" - "add: uidNumber" "uidNumber: 5000" \
	- "add: gidNumber" "gidNumber: 5000" - "add: homeDirectory" "homeDirectory: /home/q"
check "nor by its number" changes_not ann $q "add: objectClass" "objectClass: 1.3.6.1.4.1.1466.101.120.111"
check "nor is anything below it" writes_not ann cn=r,$q ismsRequest "cn: r" "${asks[@]:1}"
check "it goes" as_admin ldapdelete $q,$base

for kind in grants exemptions; do
	q=cn=q,ou=$kind class=ismsGrant lines=("${grants[@]}") other=ismsExemption more=("${exempts[@]:1:2}")
	[ $kind = grants ] || { class=ismsExemption lines=("${exempts[@]}") other=ismsGrant more=("$of_group"); }
	check "$kind: sue for ann, under her own name" writes sue $q $class "${lines[@]}" "$(about ann)" "$(approved sue)"
	check "$kind: amy, an operator, too" writes amy $q $class "${lines[@]}" "$(about ann)" "$(approved amy)"
	check "$kind: ann does not" writes_not ann $q $class "${lines[@]}" "$(about sue)" "$(approved sue)"
	check "$kind: sue not under amy's name" writes_not sue $q $class "${lines[@]}" "$(about ann)" "$(approved amy)"
	check "$kind: nor for herself under it" writes_not sue $q $class "${lines[@]}" "$(about sue)" "$(approved amy)"
	check "$kind: nor for herself" writes_not sue $q $class "${lines[@]}" "$(about sue)" "$(approved sue)"
	check "$kind: nor under that of nobody" writes_not sue $q $class "${lines[@]}" "$(about ann)" "ismsApprover: cn=whoever"
	check "$kind: nor what stands elsewhere" writes_not sue $q $other,extensibleObject "cn: q" "$until" "${more[@]}" "$(about ann)" "$(approved sue)"
	check "$kind: nor an account" writes_not sue $q $class,posixAccount "${lines[@]}" "$(about ann)" "$(approved sue)" "${an_account[@]}"
	check "$kind: nor a group" writes_not sue $q $class,posixGroup "${lines[@]}" "$(about ann)" "$(approved sue)" "gidNumber: 5000"
	stands() { written $q $class "${lines[@]}" "$(about ann)" "$(approved sue)" | by sue ldapadd; }
	check "$kind: sue's stands" stands
	check "$kind: it becomes nobody else's, in nobody else's name" changes_not sue $q "replace: ismsMember" "$(about sue)" - "replace: ismsApprover" "$(approved amy)"
	check "$kind: nor an account" changes_not sue $q "add: objectClass" "objectClass: posixAccount" - "add: uid" "uid: q" - "add: uidNumber" "uidNumber: 5000" \
		- "add: gidNumber" "gidNumber: 5000" - "add: homeDirectory" "homeDirectory: /home/q"
	check "$kind: nor is anything below it" writes_not sue cn=r,$q $class "cn: r" "${lines[@]:1}" "$(about ann)" "$(approved sue)"
	check "$kind: amy takes it back" by amy ldapdelete $q,$base
done

q=cn=q,ou=reviews
reviews=("cn: q" "ismsScope: all" "ismsOpenedAt: 20270101000000Z")
check "adam reviews" writes adam $q ismsReview "${reviews[@]}"
check "tom does not" writes_not tom $q ismsReview "${reviews[@]}"
check "nor does adam make an account of it" writes_not adam $q ismsReview,posixAccount "${reviews[@]}" "${an_account[@]}"
check "nor a group" writes_not adam $q ismsReview,posixGroup "${reviews[@]}" "gidNumber: 5000"
check "nor a grant" writes_not adam $q ismsGrant "${grants[@]}" "$(about ann)" "$(approved amy)"
review_stands() { written $q ismsReview "${reviews[@]}" | by adam ldapadd; }
check "a review stands" review_stands
check "a decision below it" writes adam cn=ann,$q ismsReviewDecision "cn: ann" "ismsCampaign: $q,$base" "$(about ann)" "ismsDecision: confirm" \
	"ismsDecidedBy: $(dn_of adam)" "ismsDecidedAt: 20270101000000Z"
check "it goes again" as_admin ldapdelete $q,$base

person() { written uid=q,ou=people account,posixAccount "cn: q" "${an_account[@]}" | as_admin ldapadd; }
check "a person" person
check "tom makes no group of him" changes_not tom uid=q,ou=people "add: objectClass" "objectClass: posixGroup"
check "nor anything" changes_not tom uid=q,ou=people "add: objectClass" "objectClass: extensibleObject"
tokens_may() { printf 'dn: uid=q,ou=people,%s\nchangetype: modify\nadd: objectClass\nobjectClass: %s\n%b' $base "$1" "${2-}" | as tom ldapmodify; }
check "tom makes of him one with tokens" tokens_may oathTOTPUser "-\nadd: oathTOTPToken\noathTOTPToken: cn=t,ou=tokens,$base\n"
check "and one with recovery codes" tokens_may ismsAccount
check "he goes" as_admin ldapdelete uid=q,ou=people,$base

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
