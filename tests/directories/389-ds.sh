# 389-ds.sh - 389 Directory Server's hand in story.sh: content synchronisation by its plug-in, nsAccountLock. Sourced.
base=dc=example,dc=com
manner="content synchronisation"
host_dn=uid=web1,ou=hosts,$base
manager_password=Manager-Secret-93

server_prepare() {
	cat >/run/ds.inf <<-I
		[general]
		full_machine_name = localhost.localdomain
		strict_host_checking = False
		start = True
		[slapd]
		instance_name = test
		port = 389
		secure_port = 636
		root_password = $manager_password
		self_sign_cert = False
		[backend-userroot]
		suffix = $base
		create_suffix_entry = True
		sample_entries = no
	I
	dscreate from-file /run/ds.inf && plug_in && as_manager ldapmodify -f $ldap_schema/389-ds.ldif && tree && systemctl stop dirsrv@test
}
as_manager() { local command=$1; shift; "$command" -x -H ldap://localhost -D "cn=Directory Manager" -w $manager_password "$@"; }
# What content synchronisation needs: a log of changes, with the entry's own id in it.
plug_in() {
	as_manager ldapmodify <<-L
		dn: cn=Retro Changelog Plugin,cn=plugins,cn=config
		changetype: modify
		replace: nsslapd-pluginEnabled
		nsslapd-pluginEnabled: on
		-
		replace: nsslapd-attribute
		nsslapd-attribute: nsuniqueid:targetUniqueId

		dn: cn=Content Synchronization,cn=plugins,cn=config
		changetype: modify
		replace: nsslapd-pluginEnabled
		nsslapd-pluginEnabled: on

		dn: cn=schema
		changetype: modify
		add: attributeTypes
		attributeTypes: ( 2.16.840.1.113719.1.301.4.37.1 NAME 'krbPasswordExpiration' EQUALITY generalizedTimeMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.24 SINGLE-VALUE )
		attributeTypes: ( 2.16.840.1.113719.1.301.4.6.1 NAME 'krbPrincipalExpiration' EQUALITY generalizedTimeMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.24 SINGLE-VALUE )

		dn: cn=config
		changetype: modify
		replace: nsslapd-security
		nsslapd-security: on
	L
}
tree() {
	as_manager ldapmodify <<-L
		dn: $base
		changetype: modify
		add: aci
		aci: (targetattr != "userPassword")(version 3.0; acl "hosts read"; allow (read, search, compare) userdn = "ldap:///$host_dn";)
		aci: (targetattr = "oathHOTPCounter || oathTOTPLastTimeStep || ismsRecoveryCode")(version 3.0; acl "hosts burn codes"; allow (write) userdn = "ldap:///$host_dn";)
	L
	{
		for ou in people groups hosts tokens; do printf 'dn: ou=%s,%s\nobjectClass: organizationalUnit\nou: %s\n\n' $ou $base $ou; done
		printf 'dn: %s\nobjectClass: account\nobjectClass: simpleSecurityObject\nuid: web1\nuserPassword: %s\n' "$host_dn" $host_password
	} | as_manager ldapadd && add_group everybody web1
}
server_start() {
	dsctl test tls import-ca $tls/ca.pem "CA ca" >/dev/null 2>&1
	dsctl test tls import-server-key-cert $tls/server.pem $tls/server.key && systemctl start dirsrv@test && wait_until 30 ds_answers
}
ds_answers() { ldapsearch -x -LLL -H ldap://localhost -s base -b "" vendorVersion && (exec 3<>/dev/tcp/127.0.0.1/636); }
server_kill() { systemctl kill -s KILL dirsrv@test; wait_until 10 eval '! systemctl is-active dirsrv@test'; systemctl reset-failed dirsrv@test 2>/dev/null; true; }
server_settings() { echo "schema = 389-ds"; }
group_name() { case $1 in inner) echo inner_circle ;; *) echo "$1" ;; esac; }

declare -A number=([ada]=3100 [bob]=3101 [cyd]=3102 [everybody]=3300 [inner_circle]=3200 [outer]=3201)
dn() { case $1 in web1) echo "$host_dn" ;; ada | bob | cyd) echo "uid=$1,ou=people,$base" ;; *) echo "cn=$1,ou=groups,$base" ;; esac; }
modify() { printf 'dn: %s\nchangetype: modify\n%s\n' "$(dn "$1")" "$2" | as_manager ldapmodify; }
add_user() {
	as_manager ldapadd <<-L
		dn: $(dn "$1")
		objectClass: inetOrgPerson
		objectClass: posixAccount
		objectClass: extensibleObject
		uid: $1
		cn: $1
		sn: $1
		uidNumber: ${number[$1]}
		gidNumber: ${number[everybody]}
		homeDirectory: /home/$1
		loginShell: /bin/bash
		employeeType: employee
		userPassword: $person_password
	L
}
add_group() { # NAME MEMBER
	as_manager ldapadd <<-L
		dn: $(dn "$1")
		objectClass: groupOfNames
		objectClass: posixGroup
		cn: $1
		gidNumber: ${number[$1]}
		member: $(dn "$2")
	L
}
add_member() { modify "$1" "add: member
member: $(dn "$2")"; }
drop_member() { modify "$1" "delete: member
member: $(dn "$2")"; }
remove_entry() { as_manager ldapdelete "$(dn "$1")"; }
set_shell() { modify "$1" "replace: loginShell
loginShell: $2"; }
lock() { modify "$1" "replace: nsAccountLock
nsAccountLock: TRUE"; }
unlock() { modify "$1" "delete: nsAccountLock"; }
end_at() { modify "$1" "replace: krbPrincipalExpiration
krbPrincipalExpiration: $(date -u -d "@$2" +%Y%m%d%H%M%SZ)"; }

server_own() {
	check "ds: a locked account of its own" modify ada "replace: accountUnlockTime
accountUnlockTime: 19700101000000Z"
	check "ds: she stays out" wait_until 20 is_out ada locked
	check "ds: unlocked" modify ada "delete: accountUnlockTime"
	check "ds: she enters" wait_until 20 enters ada
	check "ds: locked while nobody of ours looks" while_away lock ada
	check "ds: she stays out" wait_until 20 is_out ada disabled
	check "ds: another change while nobody looks" while_away set_shell ada /bin/bash
	check "ds: it is there" wait_until 20 has_shell ada /bin/bash
	check "ds: she stays out still" is_out ada disabled	# after a cookie this server shows no locks: all was read anew
	check "ds: unlocked" while_away unlock ada
	check "ds: she enters, as the same person" wait_until 20 enters ada
	check "ds: a password that has run out" modify ada "replace: krbPasswordExpiration
krbPasswordExpiration: 20260101000000Z"
	check "ds: it has to be changed first" wait_until 20 why_says ada password-change-required
	check "ds: one that has not" modify ada "replace: krbPasswordExpiration
krbPasswordExpiration: 20991231000000Z"
	check "ds: she enters with it" wait_until 20 enters ada
	check "ds: somebody else" person cyd
	check "ds: who is there" wait_until 20 getent passwd cyd
	check "token: one for cyd" add_token cyd
	check "token: it is known" wait_until 20 why_says cyd "tokens *1"
	check "token: he enters with a code" by_ssh cyd -- true
	check "token: with the next one" by_ssh cyd -- true
	check "token: its counter has moved in the directory" counter_is 3
	check "token: not with the one before" used_code cyd
	check "ds: her class taken away" modify ada "delete: objectClass
objectClass: posixAccount"
	check "ds: she has gone" wait_until 20 gone ada
	check "ds: and given back" modify ada "add: objectClass
objectClass: posixAccount"
	check "ds: she enters again" wait_until 20 enters ada
}

# A counter token, as isms-userctl enroll makes it; the key is 20 times 0x61. Codes are from the second on: 0 was shown
# when it was enrolled.
add_token() { # NAME
	mkdir -p "$people/$1" && echo MFQWCYLBMFQWCYLBMFQWCYLBMFQWCYLB >"$people/$1/secret" && echo "--hotp -d6" >"$people/$1/token" &&
		echo 0 >"$people/$1/counter" || return
	as_manager ldapadd <<-L || return
		dn: cn=token-$1,ou=tokens,$base
		objectClass: device
		objectClass: oathHOTPToken
		objectClass: oathHOTPParams
		cn: token-$1
		oathTokenSerialNumber: token-$1
		oathHOTPParams: cn=token-$1,ou=tokens,$base
		oathOTPLength: 6
		oathHMACAlgorithm: 1.2.840.113549.2.7
		oathHOTPLookAhead: 10
		oathHOTPCounter: 1
		oathSecret: aaaaaaaaaaaaaaaaaaaa
	L
	modify "$1" "add: objectClass
objectClass: oathHOTPUser
-
add: oathHOTPToken
oathHOTPToken: cn=token-$1,ou=tokens,$base"
}
counter_is() { as_manager ldapsearch -LLL -b "cn=token-cyd,ou=tokens,$base" -s base oathHOTPCounter | grep -x "oathHOTPCounter: $1"; }
used_code() { # NAME
	local code
	code=$(oathtool --hotp -d6 -c 2 -b "$(cat "$people/$1/secret")") && mark && ! code=$code by_ssh "$1" -- true && denied_with mfa-replayed "$1"
}
