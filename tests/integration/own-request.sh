#!/bin/bash
# own-request: what a plain person may do at an LDAP server by the sample of access rules: ask for a group, for himself and
# under his own name, see what became of it, and nothing else; and that no request, grant or exemption is a user or a group.
export ISMS_DIRECTORY=ldap
. "$(dirname "$0")/lib.sh"
prepare
people_there() {
	add_person ada contractor --until +60d --sponsor carol && add_person ben employee --group web-deploy && add_person olga employee && add_person dora employee &&
		enroll_person ada --hotp && wait_user ben
}
check "people" people_there
entries() { # carol and dora approve; olga is an account operator, too
	as_admin ldapadd <<-L
		dn: ou=grants,$base
		objectClass: organizationalUnit

		dn: ou=requests,$base
		objectClass: organizationalUnit

		dn: ou=exemptions,$base
		objectClass: organizationalUnit

		dn: cn=approvers,ou=roles,$base
		objectClass: groupOfNames
		member: uid=carol,ou=people,$base
		member: uid=dora,ou=people,$base

		dn: cn=account-operators,ou=roles,$base
		changetype: modify
		add: member
		member: uid=olga,ou=people,$base
	L
}
check "entries" entries
export LDAPTLS_CACERT=$slapd_dir/tls/ca.pem
out=/run/own-out
# Each as the person himself, on this host, who is no root.
by() { # NAME VERB...
	local name=$1
	shift
	setpriv --reuid "$(id -u "$name")" --regid "$(id -g "$name")" --clear-groups /usr/bin/isms-userctl "$@" \
		--bind-dn "uid=$name,ou=people,$base" --bind-password-fd 9 9<"$people/$name/password"
}
raw() { local name=$1; shift; ldapmodify -x -H "$slapd_uri" -D "uid=$name,ou=people,$base" -y <(tr -d '\n' <"$people/$name/password") "$@"; }
reads() { ldapsearch -LLL -x -H "$slapd_uri" -D "uid=$1,ou=people,$base" -y <(tr -d '\n' <"$people/$1/password") -b "$base" "${@:2}" | sed -n 's/^dn: //p'; }
in_group() { id -nG "$1" | tr ' ' '\n' | grep -qx "$2"; }

# ---- he asks ------------------------------------------------------------------------------------------
asks() { by ada request ada web-deploy --for 1h --reason "a release" --json >$out; cat $out; jq -e '.state == "open" and .requester == "ada"' $out; }
check "a person asks for a group" asks
asked=$(jq -r .name $out)
sees() { by ada request --list --json | jq -e "length == 1 and .[0].name == \"$asked\" and .[0].state == \"$1\""; }
check "and sees that it waits" sees open
check "an approver grants it" by carol approve "$asked"
check "it counts" wait_until 2 in_group ada web-deploy
check "he sees what became of it" sees granted
sees_grant() { by ada grant --list --json | jq -e 'length == 1 and .[0].group == "web-deploy"'; }
check "and the grant" sees_grant

# Without saying who he is: on a terminal, of his own name.
on_terminal() {
	cat >/run/own.exp <<-X
		set timeout 10
		spawn setpriv --reuid $(id -u ada) --regid $(id -g ada) --clear-groups /usr/bin/isms-userctl request ada web-deploy --for 2h --reason again
		expect_after { timeout { exit 9 } eof { exit 8 } }
		expect "Password of uid=ada,ou=people,$base: " { send "$(cat $people/ada/password)\r" }
		expect -re {State +open}
		expect eof
		exit [lindex [wait] 3]
	X
	expect /run/own.exp
}
check "he need not know his DN" on_terminal
no_list() { local rc=0; setpriv --reuid nobody --regid nogroup --clear-groups /usr/bin/isms-userctl list >$out 2>&1 || rc=$?; cat $out; [ $rc = 2 ] && grep -q "say who you are" $out; }
check "other verbs want it" no_list

# ---- and nothing else ---------------------------------------------------------------------------------
says() { local rc=0; "${@:3}" >$out 2>&1 || rc=$?; cat $out; [ $rc = "$1" ] && grep -qF -- "$2" $out; }
check "not for another, whom he does not see" says 1 "no such account" by ada request ben web-deploy --for 1h --reason x
check "nor a group that is not there" says 1 "no such group" by ada request ada nothere --for 1h --reason x
check "he decides nothing" says 1 "nobody decides about himself" by ada approve "$(by ada request ada web-deploy --for 1h --reason y --json | jq -r .name)"
check "he grants nothing" says 1 "" by ada grant ada web-deploy --for 1h --reason x
sees_himself() { [ "$(reads ada '(objectClass=posixAccount)')" = "uid=ada,ou=people,$base" ]; }
check "of people he sees himself" sees_himself
no_members() { [ -n "$(reads ada '(objectClass=posixGroup)')" ] && [ -z "$(reads ada '(|(member=*)(memberUid=*)(description=*))')" ]; }
check "and of groups no members" no_members
no_secrets() { [ -z "$(reads ada '(|(userPassword=*)(oathSecret=*)(ismsRecoveryCode=*))')" ]; }
check "and no secret" no_secrets
request_of() { # NAME MEMBER REQUESTER [LINE...]: as another tool would write it
	printf 'dn: cn=%s,ou=requests,%s\nchangetype: add\nobjectClass: ismsRequest\ncn: %s\n' "$1" "$base" "$1"
	printf 'ismsMember: uid=%s,ou=people,%s\nismsGroup: cn=web-deploy,ou=groups,%s\nismsSpan: 1h\nismsState: %s\n' "$2" "$base" "$base" "${state-open}"
	printf 'ismsRequestedBy: uid=%s,ou=people,%s\n' "$3" "$base"
	[ $# = 3 ] || printf '%s\n' "${@:4}"
}
writes() { raw "$1" < <(request_of "${@:2}"); }
check "another tool adds his request, too" writes ada good ada ada
refused "not for another" writes ada other ben ada
refused "nor under another's name" writes ada forged ada ben
refused "nor for another under that one's name" writes ada both ben ben
check "an approver asks for another" writes carol sponsor ada carol
refused "no request is born granted" eval 'state=granted writes ada born ada ada'
refused "nor decided" writes ada decided ada ada "ismsDecidedBy: uid=carol,ou=people,$base"
sets_password() { ldappasswd -x -H "$slapd_uri" -D "uid=$1,ou=people,$base" -y <(tr -d '\n' <"$people/$1/password") -s "correct-horse-$2" "uid=$2,ou=people,$base"; }
change() { printf 'dn: %s\nchangetype: modify\nreplace: %s\n%s: %s\n' "$2" "$3" "$3" "$4" | raw "$1"; }
refused "he grants none" change ada "cn=good,ou=requests,$base" ismsState granted
refused "nor makes it one of another" change ada "cn=good,ou=requests,$base" ismsMember "uid=ben,ou=people,$base"
refused "nor changes his own account" change ada "uid=ada,ou=people,$base" employeeType employee
refused "nor his end" change ada "uid=ada,ou=people,$base" pwdEndTime 20991231000000Z
check "an account operator who is one of the people writes groups as before" change olga "cn=web-deploy,ou=groups,$base" description x

# ---- no request, grant or exemption is a user or a group ----------------------------------------------
class=objectClass
as_group=("$class: posixGroup" "gidNumber: 4711" "memberUid: ada")
as_user=("$class: extensibleObject" "$class: posixAccount" "uid: eve" "uidNumber: 4712" "gidNumber: 4712" "homeDirectory: /home/eve" "employeeType: employee")
refused "no request is a group" writes ada fake-admins ada ada "${as_group[@]}"
refused "nor a user" writes ada eve ada ada "${as_user[@]}"
becomes() { # NAME DN CLASS ATTRIBUTE VALUE
	printf 'dn: %s\nchangetype: modify\nadd: objectClass\nobjectClass: %s\n-\nadd: %s\n%s: %s\n' "$2" "$3" "$4" "$4" "$5" | raw "$1"
}
refused "nor becomes a group" becomes ada "cn=good,ou=requests,$base" posixGroup gidNumber 4711
own_grant() {
	printf 'dn: cn=own,ou=requests,%s\nchangetype: add\nobjectClass: ismsGrant\nobjectClass: extensibleObject\ncn: own\nismsMember: uid=ada,ou=people,%s\n' "$base" "$base" &&
		printf 'ismsRequestedBy: uid=ada,ou=people,%s\nismsApprover: uid=carol,ou=people,%s\nismsGroup: cn=web-deploy,ou=groups,%s\nismsUntil: %s\n' \
			"$base" "$base" "$base" "$(date -u -d +10min +%Y%m%d%H%M%SZ)"
}
refused "nor a grant under an approver's name" eval 'own_grant | raw ada'
below_it() { request_of deep ada ada | sed "s/^dn: cn=deep,/&cn=good,/" | raw ada; }
refused "nor is there anything below one" below_it
by_approver() { # FOLDER NAME LINE...: a grant, or an exemption
	{
		printf 'dn: cn=%s,ou=%s,%s\nchangetype: add\ncn: %s\nismsMember: uid=ada,ou=people,%s\nismsApprover: uid=carol,ou=people,%s\nismsUntil: %s\n' \
			"$2" "$1" "$base" "$2" "$base" "$base" "$(date -u -d +10min +%Y%m%d%H%M%SZ)"
		case $1 in
			grants) printf 'objectClass: ismsGrant\nismsGroup: cn=web-deploy,ou=groups,%s\n' "$base" ;;
			exemptions) printf 'objectClass: ismsExemption\nismsControl: hours\nismsReason: x\n' ;;
		esac
		[ $# = 2 ] || printf '%s\n' "${@:3}"
	} | raw carol
}
for folder in grants exemptions; do
	check "an approver adds one below ou=$folder" by_approver $folder one
	refused "none of $folder is a group" by_approver $folder fake "${as_group[@]}"
	refused "nor a user" by_approver $folder eve "${as_user[@]}"
	refused "nor is ou=$folder made one" becomes carol "ou=$folder,$base" extensibleObject cn fake
done
nobody_came() { sleep 1; ! getent group 4711 && ! getent passwd 4712; }
check "nobody came by it" nobody_came

# ---- a break-glass account, by somebody who approves ----------------------------------------------------
check "a break-glass account" add_person glass break-glass
check "is seen" wait_user glass
check "who approves, arms it" by carol arm glass --for 1h --reason "disk is full"
check "and disarms it" by carol disarm glass
refused "not under another's name" change carol "uid=glass,ou=people,$base" ismsArmedBy "uid=ben,ou=people,$base"
refused "nor another kind of account" change carol "uid=ada,ou=people,$base" ismsArmedReason x
refused "and no plain person" by ben arm glass --for 1h --reason "disk is full"
arms() { # NAME BY: as another tool would write it
	printf 'dn: uid=glass,ou=people,%s\nchangetype: modify\nreplace: ismsArmedBy\nismsArmedBy: uid=%s,ou=people,%s\n' $base "$2" $base | raw "$1" &&
		printf 'dn: uid=glass,ou=people,%s\nchangetype: modify\nreplace: ismsArmedUntil\nismsArmedUntil: %s\n' $base "$(date -u -d +1hour +%Y%m%d%H%M%SZ)" | raw "$1"
}
longer() { change "$1" "uid=glass,ou=people,$base" ismsArmedUntil "$(date -u -d +2hours +%Y%m%d%H%M%SZ)"; }
stands() { [ "$(value_of "$1" "uid=glass,ou=people,$base")" = "$2" ]; }
refused "no account operator arms it in an approver's name" arms olga carol
refused "nor in hers" arms olga olga
refused "nor gives an end to what nobody armed" longer olga
check "it is armed by nobody" eval 'stands ismsArmedBy "" && stands ismsArmedUntil ""'
check "an approver arms it" arms carol carol
over() { as_admin ldapmodify < <(printf 'dn: uid=glass,ou=people,%s\nchangetype: modify\nreplace: ismsArmedUntil\nismsArmedUntil: 20200101000000Z\n' $base); }
check "hers has run out" over
refused "another approver does not arm in her name" longer dora
refused "nor gives her another reason" change dora "uid=glass,ou=people,$base" ismsArmedReason x
check "she does" longer carol
check "another approver arms over it" by dora arm glass --for 1h --reason "disk is full"
signed() { stands ismsArmedBy "uid=$1,ou=people,$base" && stands ismsArmedReason "$2"; }
check "under her own name" signed dora "disk is full"
check "and anew" by dora arm glass --for 2h --reason "disk is still full"
check "under the same" signed dora "disk is still full"
check "every approver disarms it" by carol disarm glass
check "nobody armed it then" stands ismsArmedBy ""
# An arming is two changes (tools/directory_edit.h, directory_step()): whoever is faster in between keeps the entry.
sends=write,writev,sendto,sendmsg
slowly() { # MILLISECONDS ARGUMENT...: each request goes later by so much that somebody has the time
	strace -f -qq -o /dev/null -e trace=$sends -e inject=$sends:delay_enter=$1"000" \
		/usr/bin/isms-userctl "${@:2}" --bind-dn "uid=dora,ou=people,$base" --bind-password-fd 9 9<$people/dora/password
}
faster() { wait_until 30 stands ismsArmedBy "uid=dora,ou=people,$base" && as_admin ldapmodify < <(printf 'dn: uid=glass,ou=people,%s\nchangetype: modify\nreplace: ismsArmedBy\nismsArmedBy: uid=carol,ou=people,%s\n' $base $base); }
overtaken() {
	local rc=0
	faster & says 1 "somebody else changed" slowly 900 arm glass --for 1h --reason "disk is full" || rc=1
	wait $! && [ $rc = 0 ] && stands ismsArmedBy "uid=carol,ou=people,$base" && stands ismsArmedUntil ""
}
laxer() { # dora may write the whole entry, as at a server that has other rules than the sample's; or no more
	case $1 in
		on) printf 'add: olcAccess\nolcAccess: {0}to dn.exact="uid=glass,ou=people,%s" by dn.exact="uid=dora,ou=people,%s" write by * break\n' $base $base ;;
		off) printf 'delete: olcAccess\nolcAccess: {0}\n' ;;
	esac | as_admin ldapmodify -f <(printf 'dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\n'; cat)
}
check "a server with fewer rules" laxer on
check "who is overtaken between the two changes of an arming arms in nobody's name" overtaken
check "the sample's again" laxer off
check "alone, as slowly, she does" slowly 400 arm glass --for 1h --reason "disk is full"
check "under her name, it stands" signed dora "disk is full"
check "an approver disarms it once more" by carol disarm glass
check "an approver arms it once more" arms carol carol
refused "an account operator makes it no longer" longer olga
refused "nor is it in her name" change olga "uid=glass,ou=people,$base" ismsArmedBy "uid=olga,ou=people,$base"
check "who armed it does" longer carol
check "an account operator disarms it" by olga disarm glass
check "it is armed by nobody again" eval 'stands ismsArmedBy "" && stands ismsArmedUntil ""'
refused "an account operator sets no approver's password" sets_password olga carol
check "but another's" sets_password olga ben
check "and an approver her own" sets_password carol carol

# ---- who has left --------------------------------------------------------------------------------------
check "she asks once more" by ada request ada web-deploy --for 1h --reason z
check "an account operator who puts her out takes grants, requests and exemptions away" isms-userctl leave ada --reason "contract ended" --yes
left() { isms-userctl grant --list --json | jq -e 'length == 0' && isms-userctl exempt --list --json | jq -e 'length == 0' && isms-userctl request --list --json | jq -e '[.[] | select(.state == "open")] | length == 0'; }
check "and nothing is left of them" left
finish
