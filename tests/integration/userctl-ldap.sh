#!/bin/bash
# userctl-ldap: isms-userctl on a real slapd, over ldaps as an operator and over ldapi as root: every verb, what is
# refused and to whom, lost updates, servers that are not to be trusted (THREATS 5.4, 5.10; DESIGN 3.7, 3.8).
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/directory.sh"

out=/run/out
# ctl ARGUMENT...: as $operator, or as root at ldapi:// where it is empty; what it says stays in $out.
ctl() {
	if [ -n "${operator-alice}" ]; then
		with_password "${operator-alice}" command isms-userctl "$@"
	else command isms-userctl "$@"; fi >$out 2>&1
	local rc=$?
	cat $out
	return $rc
}
says() { grep -qF -- "$1" $out || { echo "does not say: $1"; return 1; }; }
isms-userctl() { ctl "$@"; }	# for what people.sh does
ctl_is() { # STATUS TEXT ARGUMENT...
	local want=$1 text=$2
	shift 2
	status_is "$want" ctl "$@" && says "$text"
}
whole() { slapcat -F $slapd_dir/config -n1; }
# unchanged COMMAND...: whatever it does, no entry is another one afterwards. A refused bind is counted by the server.
unchanged() {
	local rc=0
	whole | grep -v '^pwdFailureTime\|^entryCSN\|^modif' >/run/before
	"$@" || rc=$?
	whole | grep -v '^pwdFailureTime\|^entryCSN\|^modif' | diff /run/before - && return $rc
}
value_is() { # WANT ATTRIBUTE DN
	local got
	got=$(value_of "$2" "$3")
	[ "$got" = "$1" ] || { echo "$2 of $3 is \"$got\" instead of \"$1\""; return 1; }
}
user_dn() { echo "uid=$1,ou=people,$base"; }
# Ends lie in the coming year, whenever this runs: on 31 January, which is over with the 1 February.
next=$(($(date +%Y) + 1))
next_days=$(($(date -u -d "$next-02-01" +%s) / 86400))

check "packages" install_packages
mkdir -p /etc/isms $people && echo "$default_policy" >/etc/isms/policy.conf
check "slapd: configuration and entries" slapd_prepare
check "slapd: starts" slapd_start
check "slapd: takes the sample of access rules" slapd_rules
use_directory $slapd_uri
touch /etc/isms/isms.conf
check "front, for failures to forget" systemctl start ismsd-front
check "list of nobody" ctl list

# ---- every verb, in both ways -------------------------------------------------------------------
add_twice() { # NAME: an employee who sponsors, and a contractor
	add_person "sponsor-$1" employee --must-change &&
		add_person "$1" contractor --until $next-01-31 --sponsor "sponsor-$1" --group web-people --group "new-$1" --json
}
is_made() { # NAME
	local dn
	dn=$(user_dn "$1")
	value_is "$dn" member "cn=new-$1,ou=groups,$base" && value_is "$dn" member "cn=$1,ou=groups,$base" &&
		value_of member "cn=web-people,ou=groups,$base" | grep -qxF "$dn" && value_is "$(user_dn "sponsor-$1")" manager "$dn" &&
		value_is ${next}0201000000Z pwdEndTime "$dn" && value_is $next_days shadowExpire "$dn" &&
		value_is TRUE pwdReset "$(user_dn "sponsor-$1")" && value_is "" pwdReset "$dn" &&
		[ "$(jq -r .entry_id $out)" = "$(value_of entryUUID "$dn")" ]
}
hashed_there() { # NAME: by the server, and it is the right one
	whole | awk -v dn="dn: $(user_dn "$1")" '$0 == dn { on = 1 } /^$/ { on = 0 } on && /^userPassword/ { print $2 }' |
		base64 -d | grep -q '^{SSHA}' &&
		LDAPTLS_CACERT=$slapd_dir/tls/ca.pem ldapwhoami -x -H $slapd_uri -D "$(user_dn "$1")" -w "$(cat "$people/$1/password")"
}
shows() { ctl show "$1" --json && jq -e "$2" <$out; }
lists() { ctl list --json && jq -e "map(.user) | contains([\"$1\", \"sponsor-$1\"])" <$out; }
moves_end() { # NAME
	ctl set-expiry "$1" +20d --reason test --ticket T-1 && says $next-02-01T00:00:00Z &&
		[ "$(value_of pwdEndTime "$(user_dn "$1")")" != ${next}0201000000Z ] &&
		shows "$1" ".not_after != \"$next-02-01T00:00:00Z\" and .not_after_source == \"pwdEndTime\"" &&
		ctl set-expiry "$1" $next-01-31 && value_is ${next}0201000000Z pwdEndTime "$(user_dn "$1")"
}
locks() {
	ctl disable "$1" --reason test && value_is 000001010000Z pwdAccountLockedTime "$(user_dn "$1")" &&
		shows "$1" '.state == "disabled"' && ctl disable "$1" && says "already" && ctl enable "$1" &&
		value_is "" pwdAccountLockedTime "$(user_dn "$1")" && shows "$1" '.state == "active"'
}
tokens_of() { value_of oathTOTPToken "$(user_dn "$1")"; value_of oathHOTPToken "$(user_dn "$1")"; }
enrols() { # NAME
	local totp
	enroll_person "$1" && totp=$(tokens_of "$1") && [ -n "$totp" ] && [ -n "$(value_of oathTOTPLastTimeStep "$totp")" ] &&
		shows "$1" '.tokens[0].type == "totp" and .tokens[0].fault == null' && ! ctl enroll "$1" --secret-fd 3 3>/dev/null &&
		says "--replace" && enroll_person "$1" --hotp --digits 8 --replace && value_is 1 oathHOTPCounter "$(tokens_of "$1")" &&
		! as_admin ldapsearch -LLL -s base -b "$totp" >/dev/null &&
		ctl unenroll "$1" && [ -z "$(tokens_of "$1")" ] && shows "$1" '.tokens == []' && enroll_person "$1" --hotp
}
wrong_code() { # NAME: stays inactive, and nothing stays behind
	local before
	before=$(whole | grep -c '^dn: cn=ISMS-')
	! ctl enroll "$1" --replace --secret-fd 3 --code-fd 4 3>/dev/null 4< <(printf '000000\n000000\n000000\n') &&
		[ "$(whole | grep -c '^dn: cn=ISMS-')" = "$before" ]
}
dry() { # every change can be looked at first
	ctl set-expiry "$1" +1d --dry-run && ctl disable "$1" --dry-run && ctl unenroll "$1" --dry-run &&
		ctl add "dry-$1" --dry-run --json --password-fd 3 3<<<correct-horse-dry && jq -e '.entry_id == null and .dry_run' <$out
}
verbs() { # WAY NAME
	check "$1: add" add_twice "$2"
	check "$1: add: entries, groups, ends" is_made "$2"
	check "$1: add: the password is hashed by the server" hashed_there "$2"
	check "$1: list" lists "$2"
	check "$1: show" shows "$2" ".user == \"$2\" and .kind == \"contractor\" and .sponsor == \"sponsor-$2\" and .state == \"active\""
	check "UC02a $1: set-expiry" moves_end "$2"
	refused "UC02a $1: set-expiry: the past" ctl set-expiry "$2" 2020-01-01
	check "$1: set-expiry: the past, forced" ctl set-expiry "$2" 2020-01-01 --force
	check "$1: set-expiry: back" ctl set-expiry "$2" $next-01-31
	check "$1: disable, enable" locks "$2"
	check "$1: enroll, unenroll" enrols "$2"
	check "UC06a $1: enroll: three wrong codes" wrong_code "$2"
	check "$1: --dry-run" unchanged dry "$2"
}
verbs ldaps ada
use_directory $slapd_local
operator='' verbs ldapi bob
ldapi_default() { operator='' ctl list --sasl external && says ada; }
check "ldapi: --sasl external" ldapi_default
use_directory $slapd_uri
why_asks() { command isms-userctl why ada >$out 2>&1; says Verdict; }
check "why" why_asks
ids_apart() { [ "$(whole | sed -n 's/^uidNumber: //p' | sort | uniq -d)" = "" ] && value_of serialNumber "cn=used-ids,$base"; }
check "no id twice" ids_apart
never_again() { # an account that was removed leaves its id behind
	local uid
	uid=$(value_of uidNumber "$(user_dn sponsor-bob)")
	as_admin ldapdelete "$(user_dn sponsor-bob)" "cn=sponsor-bob,ou=groups,$base" && add_person eve employee &&
		[ "$(value_of uidNumber "$(user_dn eve)")" -gt "$uid" ]
}
check "an id is never given again" never_again

# ---- who --------------------------------------------------------------------------------------
nobody() { command isms-userctl list >$out 2>&1; local rc=$?; cat $out; return $rc; }
is_asked() { status_is 2 nobody && says "say who you are: --bind-dn DN, or run as root against ldapi://"; }
check "who: nobody was named" is_asked
no_name() { operator='' ctl_is 2 "goes with --bind-dn" list --bind-password-fd 9; }
check "who: a password without a name" no_name
no_external() { operator='' ctl_is 2 "ldapi:// alone" list --sasl external; }
check "who: EXTERNAL needs ldapi" no_external
no_terminal_says() { status_is 2 setsid -w bash -c "command isms-userctl list --bind-dn $(dn_of alice) </dev/null >$out 2>&1" && says "--bind-password-fd"; }
check "who: no terminal to ask on" no_terminal_says
ask_at_terminal() { # what is typed is not shown
	cat >/run/ask.exp <<-X
		set timeout 10
		spawn /usr/bin/isms-userctl list --bind-dn $(dn_of alice)
		expect_after { timeout { exit 99 } eof { exit 98 } }
		expect "Password of $(dn_of alice): "; send "alice-password\r"
		expect "sponsor-ada"; expect eof {}
		lassign [wait] a b c d; exit \$d
	X
	expect /run/ask.exp | tee $out && ! grep -q alice-password $out
}
check "who: the terminal is asked" ask_at_terminal
with_wrong() { command isms-userctl "$@" --bind-dn "$(dn_of alice)" --bind-password-fd 9 9<<<wrong-password >$out 2>&1; local rc=$?; cat $out; return $rc; }
wrong_password() { status_is 1 with_wrong "$@" && says "wrong password"; }
check "who: wrong password" unchanged wrong_password disable ada
empty_password() { command isms-userctl list --bind-dn "$(dn_of alice)" --bind-password-fd 9 9<<<'' >$out 2>&1; local rc=$?; cat $out; return $rc; }
refused "who: empty password" empty_password
tried_once() { # two servers, which are one: one failure is counted
	local before after
	before=$(value_of pwdFailureTime "$(dn_of alice)" | wc -l)
	use_directory "ldaps://localhost ldaps://localhost:636"
	wrong_password list || return
	after=$(value_of pwdFailureTime "$(dn_of alice)" | wc -l)
	[ "$after" = $((before + 1)) ] || { echo "$before failures became $after"; return 1; }
}
check "who: a wrong password goes to one server alone" tried_once
use_directory "ldaps://localhost:6363 ldaps://localhost"
check "who: the first server that answers" ctl list
use_directory $slapd_uri
no_ticket() { operator='' ctl list --sasl gssapi; }
check "who: no ticket" status_is 1 no_ticket
without_root() { setpriv --reuid 65534 --regid 65534 --clear-groups env -C / isms-userctl "$@"; }
plain_user() { # needs no root where a server judges
	with_password alice without_root set-expiry ada $next-01-31 >$out 2>&1 && with_password alice without_root enable ada
}
check "who: an operator without root" plain_user
plain_user_of_a_file() { rm /etc/isms/conf.d/directory.conf; without_root list; local rc=$?; use_directory $slapd_uri; return $rc; }
refused "who: of a file root alone" plain_user_of_a_file

# ---- what is not allowed to whom ----------------------------------------------------------------
host_adds() { operator=web1 ctl_is 1 "cn=web1,ou=hosts,$base may not see it; look again; nothing was changed" add mallory --password-fd 3 3<<<correct-horse-mallory; }
check "a host adds nobody" unchanged host_adds
host_adds_itself() { # asked without our tool, which has not even seen cn=used-ids
	printf 'dn: %s\nobjectClass: account\nuid: mallory\n' "$(user_dn mallory)" | as web1 ldapadd
}
check "a host adds nobody by another client" status_is 50 host_adds_itself
check "an operator does" add_person mallory employee
host_changes() { operator=web1 ctl_is 1 "the directory does not allow this (as cn=web1,ou=hosts,$base); nothing was changed" "$@"; }
check "a host moves no end" unchanged host_changes set-expiry ada +1d
check "a host disables nobody" unchanged host_changes disable ada
check "a host unenrols nobody" unchanged host_changes unenroll ada
auditor() { operator=audrey ctl "$@"; }
check "an auditor shows" auditor show ada
check "an auditor disables nobody" unchanged status_is 1 auditor disable ada
tom() { operator=tom ctl "$@"; }
check "an operator of tokens moves no end" unchanged status_is 1 tom set-expiry ada +1d
tom_enrols() { (operator=tom; enroll_person mallory); }
check "an operator of tokens enrols" tom_enrols
outsider() { operator=nobody-special ctl "$@"; }
check "somebody without a role sees nobody" status_is 1 outsider show ada

# What a host sees: identities, and the tokens of its own group's people; it moves their state and nothing else.
tokens_seen() { as "$1" ldapsearch -LLL -o ldif-wrap=no -b "$base" '(oathSecret=*)' owner | sed -n 's/^owner: //p'; }
sees_tokens() { [ "$(tokens_seen "$1" | sort | tr '\n' ' ')" = "$2" ] || { tokens_seen "$1"; return 1; }; }
both="$(user_dn ada) $(user_dn bob) "
check "a host reads the tokens of its group's people" sees_tokens web1 "$both"
check "a host of another group reads none" sees_tokens db1 ""
check "a host that its group does not list reads none" sees_tokens stray ""
db_has() { # DN...: beside the host db1 itself
	{ printf 'dn: cn=db,ou=hosts,%s\nchangetype: modify\nreplace: member\n' "$base"; printf 'member: %s\n' "cn=db1,ou=hosts,$base" "$@"; } | as_admin ldapmodify
}
deep() { group_of cn=deep,ou=groups cn=web-people,ou=groups | as_admin ldapadd; }
check "a group of people in a group in its group leads nowhere" eval 'deep && db_has "cn=deep,ou=groups,$base" && sees_tokens db1 ""'
check "its twin: in its group it leads to them" eval 'db_has "cn=web-people,ou=groups,$base" && sees_tokens db1 "$both"'
check "so it is with a person" eval 'db_has "$(user_dn ada)" && sees_tokens db1 "$(user_dn ada) "'
check "and neither any more" eval 'db_has && sees_tokens db1 ""'
sees_people() { as "$1" ldapsearch -LLL -b "ou=people,$base" '(uid=ada)' uid | grep -q '^uid: ada'; }
check "a host reads people" sees_people web1
check "so does one of another group" sees_people db1
sees_no_password() { as "$1" ldapsearch -LLL -b "$base" '(uid=ada)' userPassword | tee /dev/stderr | grep -q '^dn' && ! as "$1" ldapsearch -LLL -b "$base" userPassword | grep -i '^userPassword'; }
for who in web1 alice tom audrey; do check "userPassword is not read by $who" sees_no_password $who; done
no_secret() { ! as "$1" ldapsearch -LLL -b "ou=tokens,$base" | tee /dev/stderr | grep -i '^oathSecret:'; }
for who in alice tom audrey; do check "no secret of a token is read by $who" no_secret $who; done
host_moves() { # HOST ATTRIBUTE OLD NEW
	as "$1" ldapmodify <<-L
		dn: $(tokens_of ada)
		changetype: modify
		delete: $2
		$2: $3
		-
		add: $2
		$2: $4
	L
}
check "a host moves a counter" host_moves web1 oathHOTPCounter 1 2
check "a host of another group does not" status_is 50 host_moves db1 oathHOTPCounter 2 3
check "it moves it once" status_is 16 host_moves web1 oathHOTPCounter 1 2
check "a host writes nothing else of a token" status_is 50 host_moves web1 oathOTPLength 6 8
check "a host removes no token" status_is 50 as web1 ldapdelete "$(tokens_of ada)"

# ---- names and lost updates ---------------------------------------------------------------------
evil='a)(uid=*'
targets() {
	local verb
	for verb in show disable enable unenroll; do ctl_is 1 'cannot be a user' $verb "$evil" || return; done
	ctl_is 1 'cannot be a user' set-expiry "$evil" +1d && ctl_is 1 'cannot be a user' add "$evil" --password-fd 3 3<<<correct-horse-x &&
		ctl_is 1 'cannot be a user' enroll "$evil" --secret-fd 3 3>/dev/null &&
		ctl_is 1 'cannot be a user' add nora --sponsor "$evil" --password-fd 3 3<<<correct-horse-x &&
		ctl_is 1 'cannot be a group' add nora --group "$evil" --password-fd 3 3<<<correct-horse-x
}
check "UC04a a filter as a name" unchanged targets
check "UC04a the same with a name" ctl show ada

# meanwhile CHANGE COMMAND...: CHANGE happens after the tool has read and before it writes. Its last request but the
# goodbye is the one that writes, and it is held up there: a dry run, which sends all the others, tells which that is.
meanwhile() {
	local change=$1 n rc=0
	shift
	operator='' strace -f -qq -e trace=write -e signal=none -o /run/trace /usr/bin/isms-userctl "$@" --dry-run >$out 2>&1 || { cat $out; return 9; }
	n=$(awk '/ write\(/ { n++ } / write\([0-9]+, "0/ { last = n } END { print last + 0 }' /run/trace)	# LDAP begins with "0"
	[ "$n" -gt 2 ] || { cat /run/trace; return 9; }
	(sleep 1; $change) >/run/change 2>&1 &
	strace -f -qq -e trace=write -e inject=write:delay_enter=3000000:when="$n" -e signal=none -o /run/trace \
		/usr/bin/isms-userctl "$@" >$out 2>&1 || rc=$?
	wait $!
	cat $out /run/change
	return $rc
}
describe() { # DN: some change of an entry
	printf 'dn: %s\nchangetype: modify\nreplace: description\ndescription: %s\n' "$1" $RANDOM | as_admin ldapmodify
}
describe_ada() { describe "$(user_dn ada)"; }
describe_carol() { describe "$(user_dn sponsor-ada)"; }
lost_update() { status_is 1 meanwhile describe_ada set-expiry ada +5d && says "somebody else changed $(user_dn ada) meanwhile; look again" && says "nothing was changed"; }
use_directory $slapd_local
check "a lost update is refused" lost_update
check "its end stands" value_is ${next}0201000000Z pwdEndTime "$(user_dn ada)"
check "a change of somebody else is none" meanwhile describe_carol set-expiry ada +5d
check "its end is moved" bash -c "[ '$(value_of pwdEndTime "$(user_dn ada)")' != ${next}0201000000Z ]"
add_sue() { command isms-userctl add sue --password-fd 3 3<<<correct-horse-sue; }
two_add() { # of two operators who add at once the slower one is told; neither gives the other's id
	echo correct-horse-sam >/run/sam
	status_is 1 meanwhile add_sue add sam --password-fd 3 3</run/sam && says "somebody else changed cn=used-ids,$base meanwhile" &&
		says "nothing was changed" && value_of uid "$(user_dn sue)" | grep -qx sue && ! value_of uid "$(user_dn sam)" | grep . &&
		operator='' ctl add sam --password-fd 3 3</run/sam && ids_apart
}
check "two add at once" two_add
use_directory $slapd_uri

# ---- what happens half way ----------------------------------------------------------------------
policy_min() { printf 'dn: cn=policy,%s\nchangetype: modify\nreplace: pwdMinLength\npwdMinLength: %s\n' $base "$1" | as_admin ldapmodify; }
half_way() { # the server refuses the password after the entry is made: the entry is taken back, the id stays given
	policy_min 40 && ctl_is 1 "its password" add tess --password-fd 3 3<<<correct-horse-tess && says "done before that: change cn=used-ids,$base;" &&
		says "done and taken back: add $(user_dn tess); not done: password of $(user_dn tess), add cn=tess,ou=groups,$base" && ! value_of uid "$(user_dn tess)" | grep . && policy_min 8
}
check "a password that the server refuses" half_way
check "one that it takes" add_person tess employee
unreachable() { slapd_stop; ctl_is 3 "ldaps://localhost" list; local rc=$?; slapd_start && return $rc; }
check "no server" unreachable
frozen() {
	local rc=0 start=$SECONDS
	systemctl kill -s STOP isms-slapd && status_is 3 ctl list || rc=$?
	systemctl kill -s CONT isms-slapd
	[ $((SECONDS - start)) -le 15 ] && return $rc
}
check "a server that does not answer" frozen
check "it answers again" wait_until 5 ctl list

# ---- many entries, parts that are elsewhere, other names ----------------------------------------
many() {
	local i
	for ((i = 0; i < 1200; i++)); do
		printf 'dn: cn=many%d,ou=groups,%s\nobjectClass: groupOfNames\ncn: many%d\nmember: %s\n\n' $i $base $i $base
	done | as_admin ldapadd >/dev/null
}
check "1,200 entries more" many
check "all pages are read" ctl show ada
remove_limits() { printf 'dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\ndelete: olcLimits\n' | as_admin ldapmodify; }
check "without limits for operators" remove_limits
check "a part is not taken for the whole" ctl_is 3 "the server limits what may be read" show ada
check "limits" slapd_rules
check "all of it again" ctl show ada
referral() { printf 'dn: ou=elsewhere,ou=people,%s\nobjectClass: referral\nobjectClass: extensibleObject\nou: elsewhere\nref: ldap://evil.invalid/ou=elsewhere,ou=people,%s\n' $base $base | as_admin ldapadd; }
check "a part on another server" referral
check "LD05a it is not followed, and is missed" ctl_is 3 "referral" list
check "removed" as_admin ldapdelete -M "ou=elsewhere,ou=people,$base"
check "LD05a nothing is missed" ctl list
set_map() { printf '[directory]\nattribute-map = %s\n' "$1" >/etc/isms/conf.d/map.conf; }
mapped() {
	set_map "employeeType=title displayName=initials" && add_person fay contractor --until +1d --display Fay-X &&
		value_is contractor title "$(user_dn fay)" && value_is "" employeeType "$(user_dn fay)" && value_is Fay-X initials "$(user_dn fay)" &&
		shows fay '.kind == "contractor" and .display == "Fay-X"'
}
check "attribute-map: written and read under the server's names" mapped
rm -f /etc/isms/conf.d/map.conf
check "without it the entry lacks its kind" shows fay '.state == "broken"'

# ---- servers that are not to be trusted ---------------------------------------------------------
with_ca() { printf '[directory]\nca-file = %s\n' "$1" >/etc/isms/conf.d/z-ca.conf; }
check "another authority's certificate" ca other
with_ca $slapd_dir/tls/other.pem
check "LD03a a certificate of an unknown authority" ctl_is 3 "TLS" list
bleed() { LDAPTLS_REQCERT=never LDAPTLS_CACERT=$slapd_dir/tls/ca.pem status_is 3 ctl list; }
check "LD04a LDAPTLS_REQCERT has no effect" bleed
rm /etc/isms/conf.d/z-ca.conf
use_directory ldaps://127.0.0.1
check "LD03a a certificate for another name" ctl_is 3 "TLS" list
use_directory ldap://localhost
check "StartTLS" ctl list
without_tls() {
	slapd_stop && printf 'dn: cn=config\nchangetype: modify\ndelete: olcTLSCertificateFile\n-\ndelete: olcTLSCertificateKeyFile\n' |
		slapd_configure && slapd_start "ldap://localhost $slapd_local"
}
check "a server without TLS" without_tls
traced() { # STATUS TEXT: list, and what went out
	local rc=0
	strace -f -qq -e trace=write,sendto,sendmsg -s 4096 -o /run/trace /usr/bin/isms-userctl list --bind-dn "$(dn_of alice)" \
		--bind-password-fd 9 9<<<alice-password >$out 2>&1 || rc=$?
	cat $out
	[ $rc = "$1" ] && says "$2"
}
no_tls() { traced 3 StartTLS && ! grep alice-password /run/trace; }
check "UC08a a server without TLS is refused, and hears no password" no_tls
printf '[directory]\nallow-cleartext = yes\n' >/etc/isms/conf.d/z-clear.conf
clear_text() { traced 0 ada && grep -q alice-password /run/trace; }
check "UC08a unless allow-cleartext says so" clear_text
rm /etc/isms/conf.d/z-clear.conf

# ---- a server without password policy -----------------------------------------------------------
bare() { slapd_stop; slapd_prepare syncprov otp && slapd_start && slapd_rules; }
check "a server without ppolicy" bare
use_directory $slapd_uri
own_end() {
	add_person ivy contractor --until $next-01-31 && value_is ${next}0201000000Z ismsNotAfter "$(user_dn ivy)" &&
		value_of objectClass "$(user_dn ivy)" | grep -qx ismsAccount && shows ivy ".not_after == \"$next-02-01T00:00:00Z\"" &&
		add_person jim employee && ctl set-expiry jim $next-06-30 && value_is ${next}0701000000Z ismsNotAfter "$(user_dn jim)" &&
		value_is 21000 shadowExpire "$(user_dn jim)"
}
check "an end goes to ismsNotAfter" own_end
check "and is removed" ctl set-expiry jim none
check "nothing is left of it" value_is "" ismsNotAfter "$(user_dn jim)"
check "no lock without ppolicy" unchanged ctl_is 1 "ppolicy" disable jim
must_change() { ctl_is 1 "ppolicy" add kim --must-change --password-fd 3 3<<<correct-horse-kim; }
check "no change demanded without ppolicy" unchanged must_change

# ---- setup, status, doctor ----------------------------------------------------------------------
check "status names nobody and still works" bash -c 'isms-userctl status >/run/out 2>&1; grep -q "give --bind-dn" /run/out'
doctor_says() { command isms-userctl doctor >$out 2>&1; says "was not looked at"; }
check "doctor says what it has not seen" doctor_says
joins() { # below a folder, where nothing is started
	rm -rf /srv/root && mkdir -p /srv/root/etc && cp /etc/passwd /etc/group /srv/root/etc &&
		command isms-userctl setup --root /srv/root --yes --uri $slapd_uri --base $base --host-dn "$(dn_of web1)" --host-password-fd 3 \
			--ca-file $slapd_dir/tls/ca.pem 3<<<"${1:-web1-password}"
}
joined() {
	joins && command isms-userctl config check --root /srv/root && cd /srv/root/etc &&
		grep -qx "uri = $slapd_uri" isms/isms.conf && grep -qx "bind-dn = $(dn_of web1)" isms/isms.conf &&
		[ "$(stat -c '%U:%G %a' isms/bind.password)" = "root:isms-dir 640" ] && [ "$(cat isms/bind.password)" = web1-password ] &&
		grep -qx IPAddressAllow=any systemd/system/ismsd-directory.service.d/network.conf && [ ! -e ../var/lib/isms ]
}
check "setup: joins a server" joined
check "setup: again" joins
wrong_host() { ! joins wrong-password && [ "$(find /srv/root -type f | sort | tr '\n' ' ')" = "/srv/root/etc/group /srv/root/etc/passwd " ]; }
check "setup: a host that the server does not take leaves nothing behind" wrong_host
without_uri() { command isms-userctl setup --root /srv/root --yes --host-dn "$(dn_of web1)"; }
check "setup: --host-dn without --uri" status_is 2 without_uri
undone() { # the host may not read this base: no snapshot, and everything is as before
	systemctl stop 'ismsd-*' && rm -rf /etc/isms && mkdir /etc/isms || return
	! command isms-userctl setup --yes --uri $slapd_uri --base dc=nowhere --host-dn "$(dn_of web1)" --host-password-fd 3 \
		--ca-file $slapd_dir/tls/ca.pem 3<<<web1-password >$out 2>&1 || return
	cat $out
	says "taken back" && [ -z "$(ls /etc/isms)" ] && [ ! -e /etc/systemd/system/ismsd-directory.service.d ] &&
		! systemctl -q is-active ismsd-directory && systemctl show -P IPAddressAllow ismsd-directory | grep -qx ''
}
check "setup: what fails is taken back" undone
finish
