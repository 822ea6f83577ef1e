#!/bin/bash
# operator-roles: every verb of isms-userctl as each of the four operator roles of the sample of access rules, as somebody
# without a role, and as a local user: whoever may not, cannot, at each step where the directory's rules or ours forbid,
# and nothing is changed (DESIGN 3.7; THREATS 5.10). operators.sh tells what each says; this one leaves no verb out.
export ISMS_DIRECTORY=ldap
. "$(dirname "$0")/lib.sh"

out=/run/roles-out
check "packages" install_packages
mkdir -p $people && printf '%s\n' "$default_policy" >/run/policy
check "slapd, and this host joins it" setup_with_policy /run/policy
roles() { # adam: accounts, lena: locks; tom: tokens and audrey: auditors are there; each has one role alone
	{ operator adam; operator lena; group_of cn=lock-operators,ou=roles cn=lena,ou=roles
	printf '\ndn: cn=account-operators,ou=roles,%s\nchangetype: modify\nadd: member\nmember: cn=adam,ou=roles,%s\n' $base $base; } |
		as_admin ldapadd >/dev/null
}
check "roles" roles
people_there() {
	add_person carol employee && add_person ada contractor --until +60d --sponsor carol && add_person ben contractor --until +60d --sponsor carol &&
		wait_user ada && enroll_person ada --hotp && isms-userctl disable ben && isms-userctl add robot --kind service --owner carol --until +60d
}
check "people" people_there
whole() { slapcat -F $slapd_dir/config -n1 | grep -v '^pwdFailureTime\|^entryCSN\|^modif\|^pwdLastSuccess'; }
local_files() { find /etc /var/lib/isms -xdev -type f ! -path '*/replica/*' ! -path '*/state/*' ! -path '*/nss/*' ! -name '*.lock' -exec sha256sum {} + | sort; }

# ---- the table: who may ------------------------------------------------------------------------------
# VERB | WHO MAY, of: accounts tokens locks auditors stranger root | ARGUMENTS
# "root": for root of this host alone, whoever he is at the server. A verb of --help that is not here fails the test.
verbs_table() {
	cat <<-'T'
		add            | accounts                       | eve --password-fd 3 3<<<correct-horse-eve
		set-expiry     | accounts                       | ada +50d
		set-sponsor    | accounts                       | robot ada
		disable        | accounts locks                 | ada
		enable         | accounts                       | ben
		enroll         | tokens                         | carol --hotp --secret-fd 3 --code-fd 4
		unenroll       | tokens                         | ada
		recovery-codes | tokens                         | ada --count 2 --secret-fd 3 3>/dev/null
		show           | accounts tokens locks auditors | ada
		list           | accounts tokens locks auditors |
		who-can        | accounts tokens locks auditors |
		matrix         | accounts tokens locks auditors |
		inventory      | accounts tokens locks auditors |
		leave          | accounts locks                 | carol
		key add        | accounts                       | carol --key-file /run/new-key.pub
		key remove     | nobody                         | carol SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
		key list       | accounts tokens locks auditors | carol
		arm            | nobody                         | carol --for 1h --reason x
		disarm         | nobody                         | carol
		exempt         | nobody                         | ada mfa --until +1d --reason x
		grant          | nobody                         | ada carol --for 1h --reason x
		ungrant        | nobody                         | ada carol
		request        | nobody                         | ada carol --for 1h --reason x
		approve        | nobody                         | none
		review start   | accounts                       | --scope kind:employee
		review list    | accounts tokens locks auditors |
		review confirm | nobody                         | ada --review none
		review remove  | nobody                         | ada --review none
		review export  | nobody                         | --review none
		report         | accounts tokens locks auditors |
		policy show    | root                           |
		why            | root                           | ada
		sessions       | root                           |
		status         | root                           |
		doctor         | root                           |
		events         | root                           |
		setup          | root                           | --yes
		snapshot show  | root                           |
		snapshot approve | root                         |
		snapshot reject | root                          |
		clock trust    | root                           | --dry-run
		config check   | anybody                        |
		config show    | anybody                        |
		policy check   | anybody                        |
		policy test    | anybody                        | /run/cases
	T
}
printf '[case x]\nexpect = allow\n' >/run/cases
chmod 644 /run/cases
ssh-keygen -q -t ed25519 -N '' -C new -f /run/new-key </dev/null && chmod 644 /run/new-key.pub
trim() { sed 's/^ *//; s/ *$//' <<<"$1"; }
who_is() {
	case $1 in
		accounts) echo adam ;; tokens) echo tom ;; locks) echo lena ;; auditors) echo audrey ;; stranger) echo nobody-special ;;
	esac
}
# Each runs as an ordinary user of this host, as operators do; where the host itself asks, that is what stops them.
as_role() { # ROLE ARGUMENT...
	local who
	who=$(who_is "$1")
	shift
	setpriv --reuid nobody --regid nogroup --clear-groups /usr/bin/isms-userctl "$@" --bind-dn "$(dn_of "$who")" --bind-password-fd 9 9<<<"$who-password"
}
as_local() { setpriv --reuid nobody --regid nogroup --clear-groups /usr/bin/isms-userctl "$@"; }
enrolling() { # FUNCTION ROLE: a token, with its first code
	rm -f /run/role-secret /run/role-codes && mkfifo /run/role-codes && : >/run/role-secret
	{ wait_until 8 test -s /run/role-secret && oathtool -b "$(cat /run/role-secret)"; } >/run/role-codes 2>/dev/null &
	"$@" enroll carol --hotp --secret-fd 3 --code-fd 4 3>/run/role-secret 4</run/role-codes
	local rc=$?
	kill $! 2>/dev/null
	return $rc
}
try() { # VERB ARGUMENTS COMMAND...
	local verb=$1 arguments=$2
	shift 2
	if [ "$verb" = enroll ]; then enrolling "$@"; else eval "\"\$@\" $verb $arguments"; fi >$out 2>&1 </dev/null
}
may() { # VERB ARGUMENTS COMMAND...: does it, and a change is a change
	local rc=0
	try "$@" || rc=$?
	cat $out
	case $1 in
		list | who-can | matrix) [ $rc = 0 ] && grep -qw ada $out ;;
		inventory) [ $rc = 0 ] && grep -qw robot $out ;;
		*) return $rc ;;
	esac
}
may_not() { # VERB ARGUMENTS COMMAND...
	local rc=0 before files
	before=$(whole) files=$(local_files)
	try "$@" || rc=$?
	cat $out
	diff <(echo "$before") <(echo "$(whole)") && diff <(echo "$files") <(echo "$(local_files)") || { echo "something was changed"; return 1; }
	case $1 in
		list | who-can | matrix | inventory | 'review list' | report) ! grep -qw 'ada\|carol\|robot' $out ;;	# a server tells whom it may show: nobody
		*) [ $rc = 1 ] || [ $rc = 2 ] || { echo "status $rc"; return 1; } ;;
	esac
}
# What an allowed change was is taken back, so that the next role meets the same entries.
remember() { slapcat -F $slapd_dir/config -n1 >/run/whole.ldif; }
put_back() {
	slapd_stop
	rm -rf $slapd_dir/db/* && slapadd -q -F $slapd_dir/config -n1 -l /run/whole.ldif && chown -R openldap:openldap $slapd_dir/db && slapd_start
}
remember

complete_table() {
	isms-userctl --help | sed -n 's/^  \([a-z][a-z-]*\( [a-z]\+\)\?\)\( .*\)\?$/\1/p' | sed '/^Options/,$d' | sort >/run/verbs
	verbs_table | sed 's/ *|.*//' | sort | diff /run/verbs -
}
check "every verb is tried" complete_table

while IFS='|' read -r verb allowed arguments; do
	verb=$(trim "$verb") allowed=" $(trim "$allowed") " arguments=$(trim "$arguments")
	for role in accounts tokens locks auditors stranger; do
		case $allowed in
			*" $role "* | " anybody ") check "$role: $verb" may "$verb" "$arguments" as_role $role ;;
			*) check "$role may not: $verb" may_not "$verb" "$arguments" as_role $role ;;
		esac
		case $allowed/$verb in
			" anybody "/* | " root "/* | */show | */list | */who-can | */matrix | */inventory | */"key list" | */"review list" | */"review export" | */report) ;;
			*" $role "*) check "$role: $verb: as before" put_back ;;
		esac
	done
	case $allowed in
		" anybody ") check "a local user: $verb" may "$verb" "$arguments" as_local ;;
		*) check "a local user may not: $verb" may_not "$verb" "$arguments" as_local ;;
	esac
done < <(verbs_table)

# ---- UC05a: many at once, of which the server refuses one -----------------------------------------------
forbid() { # NAME: nobody but root writes this entry
	printf 'dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\nadd: olcAccess\nolcAccess: {0}to dn.exact="uid=%s,ou=people,%s" by dn.exact="gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth" manage by users read by * none\n' \
		"$1" $base | as_admin ldapmodify
}
results() { jq -r '.[] | "\(.user) \(.result)"' <$out | paste -sd,; }
many() { # WANT-STATUS WANT-RESULTS VERB LINES
	local rc=0
	printf '%b' "$4" >/run/many.csv
	chmod 644 /run/many.csv
	as_role accounts $3 --from-csv /run/many.csv --json >$out 2>/run/many.err || rc=$?
	cat $out /run/many.err
	[ $rc = "$1" ] && [ "$(results)" = "$2" ]
}
stands() { value_of "$2" "uid=$1,ou=people,$base"; }
check "UC05a three ends" many 0 "ada done,ben done,carol done" set-expiry 'user,when\nada,+40d\nben,+40d\ncarol,+40d\n'
check "ben's entry is forbidden" forbid ben
before=$(stands carol pwdEndTime)
check "UC05a one of three ends is refused: what was done is told, line by line" many 1 "ada done,ben not done,carol not done" set-expiry 'user,when\nada,+41d\nben,+41d\ncarol,+41d\n'
said_once() { grep -q "uid=ben,ou=people,$base: the directory does not allow this" /run/many.err && [ "$(stands carol pwdEndTime)" = "$before" ]; }
check "and so it stands there" said_once
check "UC05a without ben" many 0 "ada done,carol done" set-expiry 'user,when\nada,+41d\ncarol,+41d\n'
check "kim's entry is forbidden" forbid kim
check "UC05a an account that may not be made takes the others of its file back" many 1 "eve taken back,kim not done" add 'user,kind\neve,employee\nkim,employee\n'
gone() { [ -z "$(stands eve uid)" ] && ! value_of cn "cn=eve,ou=groups,$base" | grep .; }
check "none of them is there" gone
check "UC05a without kim" many 0 "eve done,max done" add 'user,kind\neve,employee\nmax,employee\n'
not_of_another_role() { local rc=0; printf 'user\nada\n' >/run/many.csv; before=$(whole); as_role tokens disable --from-csv /run/many.csv >$out 2>&1 || rc=$?; cat $out; [ $rc = 1 ] && [ "$before" = "$(whole)" ]; }
check "UC05a who may not disable one, disables no file of them" not_of_another_role

# ---- UC03a: whoever may move ends, may not move his own ------------------------------------------------
# Rules that let an account operator be one of the people: what we forbid holds where the server allows.
own_role() {
	add_person olga employee && isms-userctl set-expiry olga +50d &&
		printf 'dn: cn=account-operators,ou=roles,%s\nchangetype: modify\nadd: member\nmember: uid=olga,ou=people,%s\n' $base $base | as_admin ldapmodify
}
check "olga is one of the people, and an account operator" own_role
by_olga() { setpriv --reuid nobody --regid nogroup --clear-groups /usr/bin/isms-userctl "$@" --bind-dn "${olga_dn-uid=olga,ou=people,$base}" --bind-password-fd 9 9<"$people/olga/password"; }
extends() { # USER WHEN
	local before
	before=$(whole)
	status_is 1 by_olga set-expiry "$@" >$out 2>&1
	local rc=$?
	cat $out
	[ $rc = 0 ] && grep -q "nobody extends the own contract" $out && [ "$before" = "$(whole)" ]
}
check "UC03a she extends her own contract" extends olga +60d
check "UC03a she takes her own end away" extends olga none
olga_dn="UID=Olga, OU=People,$base" check "UC03a under her name in other letters" extends olga +60d
file_of_hers() { printf 'user,when\nada,+55d\nolga,+60d\n' >/run/ends.csv && chmod 644 /run/ends.csv && extends --from-csv /run/ends.csv; }
check "UC03a with others in one file" file_of_hers
check "she shortens it" by_olga set-expiry olga +40d
check "she extends another's" by_olga set-expiry ada +55d
check "adam extends hers" as_role accounts set-expiry olga +60d
finish
