# slapd.sh - OpenLDAP's hand in story.sh: RFC 2307bis, content synchronisation, ppolicy. Sourced.
manner="content synchronisation"
host_dn=$(dn_of web1) host_password=web1-password

server_prepare() { slapd_prepare && chown openldap $tls/server.key; }
server_start() { slapd_start "" && { [ -e /run/ruled ] || { slapd_rules && add_group everybody web1 && touch /run/ruled; }; }; }
server_kill() { systemctl kill -s KILL isms-slapd && wait_until 10 eval '! systemctl is-active isms-slapd' && slapd_stop; }
server_settings() { echo "schema = rfc2307"; }
group_name() { case $1 in inner) echo inner_circle ;; *) echo "$1" ;; esac; }

declare -A number=([ada]=3100 [bob]=3101 [everybody]=3300 [inner_circle]=3200 [outer]=3201)
dn() { case $1 in web1) echo "$host_dn" ;; ada | bob) echo "uid=$1,ou=people,$base" ;; *) echo "cn=$1,ou=groups,$base" ;; esac; }
modify() { printf 'dn: %s\nchangetype: modify\n%s\n' "$(dn "$1")" "$2" | as_admin ldapmodify; }
add_user() {
	as_admin ldapadd <<-L
		dn: $(dn "$1")
		objectClass: inetOrgPerson
		objectClass: posixAccount
		objectClass: shadowAccount
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
	as_admin ldapadd <<-L
		dn: $(dn "$1")
		objectClass: groupOfNames
		objectClass: posixGroup
		cn: $1
		gidNumber: ${number[$1]}
		member: $(dn "$2")
		member: $base
	L
}
add_member() { modify "$1" "add: member
member: $(dn "$2")"; }
drop_member() { modify "$1" "delete: member
member: $(dn "$2")"; }
remove_entry() { as_admin ldapdelete "$(dn "$1")"; }
set_shell() { modify "$1" "replace: loginShell
loginShell: $2"; }
lock() { modify "$1" "replace: pwdAccountLockedTime
pwdAccountLockedTime: 000001010000Z"; }
unlock() { modify "$1" "delete: pwdAccountLockedTime"; }
end_at() { modify "$1" "replace: pwdEndTime
pwdEndTime: $(date -u -d "@$2" +%Y%m%d%H%M%SZ)"; }

# A server that is not what isms.conf says changes nothing.
server_own() {
	check "kind: slapd as an Active Directory" say_kind active-directory
	check "kind: status says what is wrong" wait_until 20 eval 'isms-userctl status --json | grep "is it an Active Directory"'
	check "kind: lookups as before" eval 'getent passwd ada && in_groups ada everybody'
	check "kind: said rightly" say_kind rfc2307
	check "kind: she enters" wait_until 20 enters ada
}
say_kind() { sed -i "s/^schema = .*/schema = $1/" /etc/isms/conf.d/server.conf && reload; }
