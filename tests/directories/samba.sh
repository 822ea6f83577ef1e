# samba.sh - Samba's hand in story.sh: an Active Directory domain, ids by SID, changes by uSNChanged. Sourced.
base=dc=example,dc=com
staff=ou=staff,$base
manner="changes by number"
host_dn=cn=web1,$base
samba_private=/var/lib/samba/private
admin_password=Admin-Secret-92

# Its names and passwords are the domain's alone: no network beyond the host, no DNS.
server_prepare() {
	rm -f /etc/samba/smb.conf
	samba-tool domain provision --realm=EXAMPLE.COM --domain=EXAMPLE --host-name=dc1 --host-ip=127.0.0.1 --server-role=dc \
		--adminpass=$admin_password --dns-backend=NONE --option="server services=ldap" \
		--option="posix:eadb=$samba_private/eadb.tdb" >/run/provision.log 2>&1 || { tail -n 20 /run/provision.log; return 1; }
	sed -i "/^\[global\]/a tls certfile = $tls/server.pem\ntls keyfile = $tls/server.key\ntls cafile = $tls/ca.pem\nold password allowed period = 0" /etc/samba/smb.conf
	domain_sid=$(sed -n 's/.*DOMAIN SID: *//p' /run/provision.log)
	[ -n "$domain_sid" ]
}
server_start() {
	chown root $tls/server.key && chmod 600 $tls/server.key &&
		systemd-run --quiet --unit=isms-samba samba --foreground --no-process-group && wait_until 30 samba_answers &&
		{ [ -e /run/ruled ] || { samba_tree && touch /run/ruled; }; }
}
samba_answers() { ldapsearch -x -H ldap://localhost -s base -b "" highestCommittedUSN && (exec 3<>/dev/tcp/127.0.0.1/636); }
server_kill() { systemctl kill -s KILL isms-samba; wait_until 10 eval '! systemctl is-active isms-samba'; systemctl reset-failed isms-samba 2>/dev/null; true; }
as_system() { # ldapadd|ldapmodify|... ARGUMENT...
	local command=$1
	shift
	LDAPTLS_CACERT=$tls/ca.pem "$command" -x -H ldaps://localhost -D "cn=Administrator,cn=users,$base" -w $admin_password "$@"
}
secret() { printf '"%s"' "$1" | iconv -t UTF-16LE | base64 -w0; }
samba_tree() {
	printf 'dn: %s\nobjectClass: organizationalUnit\n\ndn: %s\nobjectClass: user\nsAMAccountName: web1\nunicodePwd:: %s\nuserAccountControl: 512\n' \
		$staff "$host_dn" "$(secret $host_password)" | put_ldif add
}
put_ldif() { as_system "ldap$1"; }	# add|modify
server_settings() {
	printf 'schema = active-directory\nid-from-sid = %s 200000-399999\nfold-group-names = yes\n' "$domain_sid"
	printf '[nss]\nhome-template = /home/%%u\ndefault-shell = /bin/bash\n'
}
group_name() { case $1 in inner) echo "Inner Circle" ;; *) echo "$1" ;; esac; }

dn() { case $1 in ada) echo "cn=Ada Lovelace,$staff" ;; *) echo "cn=$1,$staff" ;; esac; }
modify() { printf 'dn: %s\nchangetype: modify\n%s\n' "$(dn "$1")" "$2" | put_ldif modify; }
add_user() { # its name there has capitals
	printf 'dn: %s\nobjectClass: user\nsAMAccountName: %s\nemployeeType: employee\nunicodePwd:: %s\nuserAccountControl: 512\n' \
		"$(dn "$1")" "${1^}" "$(secret $person_password)" | put_ldif add
}
add_group() { printf 'dn: %s\nobjectClass: group\nsAMAccountName: %s\nmember: %s\n' "$(dn "$1")" "$1" "$(dn "$2")" | put_ldif add; }
add_member() { modify "$1" "add: member
member: $(dn "$2")"; }
drop_member() { modify "$1" "delete: member
member: $(dn "$2")"; }
remove_entry() { as_system ldapdelete "$(dn "$1")"; }
set_shell() { modify "$1" "replace: loginShell
loginShell: $2"; }
lock() { modify "$1" "replace: userAccountControl
userAccountControl: 514"; }
unlock() { modify "$1" "replace: userAccountControl
userAccountControl: 512"; }
end_at() { modify "$1" "replace: accountExpires
accountExpires: $((($2 + 11644473600) * 10000000))"; }

# ---- what only a domain does ----
server_own() {
	check "domain: ids by SID" id_by_sid ada
	check "domain: her primary group, which does not name her" eval '[ "$(id -gn ada)" = domain_users ]'
	check "domain: isms-userctl reads it" eval 'isms-userctl list --bind-dn "$host_dn" --bind-password-fd 9 9<<<$host_password | grep ada'
	check "domain: doctor says what it does not know" eval 'isms-userctl doctor --directory | grep "rights are not tried"'
	check "domain: a computer" add_computer
	check "domain: and somebody after it" person cyd
	check "domain: and one more" person dan
	check "domain: who is there" wait_until 20 eval 'getent passwd cyd && getent passwd dan'
	check "lockout: after three wrong passwords" samba-tool domain passwordsettings set --account-lockout-threshold=3 \
		--account-lockout-duration=1 --reset-account-lockout-after=1
	check "lockout: three" eval '! bind_as cyd x && ! bind_as cyd y && ! bind_as cyd z && ! bind_as cyd $person_password'
	check "lockout: it is known here" wait_until 20 why_says cyd locked
	check "lockout: ada enters" enters ada
	check "domain: the computer is nobody" eval '! getent passwd pc1\$ && ! isms-userctl status --json | grep -i "cn=pc1,"'
	check "domain: another name for her entry" rename_entry ada "cn=Ada King"
	check "domain: she enters" wait_until 20 enters ada
	check "domain: a group with her by that name" second_group "cn=Ada King"
	check "domain: she is in it" wait_until 20 in_groups ada inner_circle
	check "domain: renamed back" eval 'printf "dn: cn=Ada King,%s\nchangetype: modrdn\nnewrdn: cn=Ada Lovelace\ndeleteoldrdn: 1\n" $staff | put_ldif modify'
	check "domain: she is in it still" wait_until 20 eval 'enters ada && in_groups ada inner_circle'
	check "domain: somebody goes while nobody of ours looks" while_away remove_entry dan
	check "domain: he is missed" wait_until 20 gone dan
	check "domain: a shell, while nobody looks" while_away set_shell ada /bin/sh
	check "domain: it is there" wait_until 20 has_shell ada /bin/sh
	check "domain: she is in her group still" in_groups ada inner_circle
	check "password: no wait between two changes" samba-tool domain passwordsettings set --min-pwd-age=0
	check "password: she changes hers" changes_password ada "$person_password" Another-Horse-19
	refused "password: the old one is none any more" enters ada
	echo Another-Horse-19 >$people/ada/password
	check "password: the new one is" enters ada
	check "password: nobody of ours changes a domain" eval 'status_is 1 isms-userctl disable ada --reason left --yes --bind-dn "$host_dn" --bind-password-fd 9 9<<<$host_password'
	check "lockout: it ends by itself, after a minute" wait_until 75 eval '! why_says cyd locked'
	check "lockout: cyd enters" enters cyd
	check "must change: cyd" modify cyd "replace: pwdLastSet
pwdLastSet: 0"
	check "must change: he stays out" wait_until 20 is_out cyd password-failed
	check "must change: and the reason is known" wait_until 20 why_says cyd password-change-required
}
id_by_sid() {
	local rid
	rid=$(as_system ldapsearch -LLL -o ldif-wrap=no -b $base "(sAMAccountName=$1)" objectSid | sed -n 's/^objectSid:: //p' | base64 -d | tail -c 4 | od -An -tu4)
	[ "$(id -u "$1")" = $((200000 + rid)) ]
}
changes_password() { # NAME OLD NEW
	code='' password=$2 old=$2 new=$3 python3 -ISB "$tests/integration/skips.py" login "$1" authenticate account change >/run/changes
	cat /run/changes
	grep -qx 'change 0' /run/changes
}
add_computer() { printf 'dn: cn=pc1,%s\nobjectClass: computer\nsAMAccountName: pc1$\nuserAccountControl: 4096\n' $staff | put_ldif add; }
second_group() { # RDN of its member
	printf 'dn: cn=second,%s\nobjectClass: group\nsAMAccountName: inner circle\nmember: %s,%s\n' $staff "$1" $staff | put_ldif add
}
rename_entry() { printf 'dn: %s\nchangetype: modrdn\nnewrdn: %s\ndeleteoldrdn: 1\n' "$(dn "$1")" "$2" | put_ldif modify; }
bind_as() { LDAPTLS_CACERT=$tls/ca.pem ldapwhoami -x -H ldaps://localhost -D "$(dn "$1")" -w "$2"; }
