#!/bin/bash
# readme-ldap: README's way from a bare OpenLDAP, as Debian's package leaves it, to the first login with a password and a
# code. Each command is README's; a prompt is answered by an option.
. "$(dirname "$0")/lib.sh"
export ISMS_DIRECTORY=ldap
server=ldap1.example.com
alice=cn=alice,ou=roles,$base
export LDAPTLS_CACERT=$slapd_dir/tls/ca.pem

check "packages" install_packages
bare() {
	debconf-set-selections <<-D
		slapd slapd/domain string example.com
		slapd shared/organization string example
		slapd slapd/no_configuration boolean false
	D
	rm -rf /etc/ldap/slapd.d /var/lib/ldap/* && dpkg-reconfigure -f noninteractive slapd &&
		sed -i 's,^SLAPD_SERVICES=.*,SLAPD_SERVICES="ldap:/// ldaps:/// ldapi:///",' /etc/default/slapd
}
check "a server as Debian's package makes it" bare
with_certificate() {
	chmod 755 /srv /srv/slapd
	ca ca && certificate server ca DNS:$server && echo "127.0.0.1 $server" >>/etc/hosts && chmod 755 $slapd_dir/tls &&
		systemctl restart slapd && wait_until 10 slapd_answers && as_admin ldapmodify <<-L && systemctl restart slapd && wait_until 10 slapd_answers
		dn: cn=config
		changetype: modify
		replace: olcTLSCertificateFile
		olcTLSCertificateFile: $slapd_dir/tls/server.pem
		-
		replace: olcTLSCertificateKeyFile
		olcTLSCertificateKeyFile: $slapd_dir/tls/server.key
	L
}
check "and a certificate" with_certificate

# ---- on the server -------------------------------------------------------------------------------
cd $ldap_schema || exit 1
check "server-sample.ldif" ldapmodify -Y EXTERNAL -H ldapi:/// -f server-sample.ldif
check "isms.ldif" ldapadd -Y EXTERNAL -H ldapi:/// -f isms.ldif
check "acl-sample.ldif" ldapmodify -Y EXTERNAL -H ldapi:/// -f acl-sample.ldif
tree() {
	cp tree-sample.ldif /run/tree.ldif && sed -i "s,{SSHA}put-here-what-slappasswd-says,$(slappasswd -s web1-password)," /run/tree.ldif &&
		ldapadd -Y EXTERNAL -H ldapi:/// -f /run/tree.ldif
}
check "tree-sample.ldif" tree
check "a password for alice" ldappasswd -Y EXTERNAL -H ldapi:/// -s alice-password $alice

# ---- on the host ---------------------------------------------------------------------------------
joins() {
	isms-userctl setup --uri "ldaps://$server" --base dc=example,dc=com --host-dn cn=web1,ou=hosts,dc=example,dc=com \
		--ca-file $slapd_dir/tls/ca.pem --host-password-fd 8 --contact "$contact" --yes 8<<<web1-password
}
check "setup" eval 'joins >/run/joined'
check "says that there is nobody" grep 'no user published yet' /run/joined
mkdir -p $people/ada && echo correct-horse-ada >$people/ada/password && write_askpass ada
adds() {
	isms-userctl add ada --kind contractor --until +90d --bind-dn $alice --bind-password-fd 9 --password-fd 3 \
		3<$people/ada/password 9<<<alice-password
}
check "add" adds
check "ada is seen" wait_user ada
check "its twin: setup once more counts her" eval 'isms-userctl setup --yes | tee /dev/stderr | grep "1 user published"'
isms-userctl() { command isms-userctl "$@" --bind-dn $alice --bind-password-fd 9 9<<<alice-password; }
check "enroll" enroll_person ada --hotp
unset -f isms-userctl
refused "her host group does not lead to her yet" by_ssh ada -- true
works() {
	printf '%s\n' 'dn: cn=web-people,ou=groups,dc=example,dc=com' \
		'objectClass: groupOfNames' \
		'member: uid=ada,ou=people,dc=example,dc=com' |
		ldapadd -H ldaps://$server -x -w alice-password -D $alice
}
check "web-people" works
check "ssh with password and code" wait_until 5 by_ssh ada -- true
finds_nothing() { isms-userctl doctor --directory; }
check "doctor --directory finds nothing" finds_nothing

# ---- day to day: ada asks, carol decides ---------------------------------------------------------
mkdir -p $people/carol && echo correct-horse-carol >$people/carol/password
adds_carol() { isms-userctl add carol --group web-deploy --bind-dn $alice --bind-password-fd 9 --password-fd 3 3<$people/carol/password 9<<<alice-password; }
check "carol, and a group" adds_carol
approvers() { sed -n '/^# dn: cn=approvers/,$ s/^# //p' tree-sample.ldif | ldapadd -Y EXTERNAL -H ldapi:///; }
check "the approvers of tree-sample.ldif" approvers
person() { # NAME VERB...
	local name=$1
	shift
	isms-userctl "$@" --bind-dn "uid=$name,ou=people,$base" --bind-password-fd 9 9<"$people/$name/password"
}
check "ada is in no such group" eval '! id -nG ada | grep -qw web-deploy'
check "request" person ada request ada web-deploy --for 8h --reason CHG-18
asked=$(person carol request --list --json | jq -r '.[0].name')
check "approve" person carol approve "$asked"
check "ada is in the group" wait_until 2 eval 'id -nG ada | grep -qw web-deploy'
check "exempt" person carol exempt ada mfa --until +1d --reason "phone lost"
adds_glass() { isms-userctl add glass --kind break-glass --bind-dn $alice --bind-password-fd 9 --password-fd 3 3<<<correct-horse-glass 9<<<alice-password; }
check "a break-glass account" adds_glass
check "arm" person carol arm glass --for 1h --reason "fire"
finds_nothing_more() { isms-userctl doctor --directory; }
check "doctor --directory finds nothing still" finds_nothing_more
check "revoke" person carol exempt --revoke "$(person carol exempt --list --json | jq -r '.[0].name')"

# ---- nobody locks the host out -------------------------------------------------------------------
guesses() { local i; for i in {1..25}; do ! ldapwhoami -H ldaps://$server -x -D "$1" -w wrong-$i 2>/dev/null || return; done; }
check "25 wrong passwords in the host's name" guesses cn=web1,ou=hosts,$base
check "the host is not locked out" by_ssh ada -- true
check "25 wrong passwords in ada's name" guesses uid=ada,ou=people,$base
refused "ada is, as her policy says" by_ssh ada -- true
finish
