# directory.sh - a real slapd with TLS, the schemas, the sample's access rules and a few people: for the files of
# tests/integration that need an LDAP directory. Sourced after lib.sh.
#
#   slapd_prepare      certificates, configuration, entries; slapd_start, slapd_stop, slapd_rules (the sample's)
#   with_password      with_password NAME COMMAND...: COMMAND with that operator's --bind-dn and password
#   as_admin           ldapsearch, ldapmodify ... as the directory's administrator (root at ldapi://)
#   ca NAME            a certificate authority; certificate NAME CA ALTERNATIVE-NAME
#
# Everybody's password at the directory is NAME-password. Members are DNs (RFC 2307bis).

base=dc=example,dc=com
slapd_dir=/srv/slapd
tls_days=2	# that certificates are good for
slapd_urls="ldaps://localhost ldap://localhost ldapi://%2frun%2fslapd%2fldapi"
slapd_uri=ldaps://localhost
slapd_local=ldapi://%2frun%2fslapd%2fldapi
ldap_schema=/usr/share/isms-access/schema

ca() { # NAME
	mkdir -p $slapd_dir/tls && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days $tls_days -subj "/CN=CA $1" \
		-addext basicConstraints=critical,CA:TRUE -keyout "$slapd_dir/tls/$1.key" -out "$slapd_dir/tls/$1.pem"
}
certificate() { # NAME CA ALTERNATIVE-NAME, e.g. DNS:localhost,IP:127.0.0.1
	local tls=$slapd_dir/tls
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$tls/$1.key" -out "$tls/$1.csr" &&
		openssl x509 -req -in "$tls/$1.csr" -CA "$tls/$2.pem" -CAkey "$tls/$2.key" -CAcreateserial -days $tls_days \
			-extfile <(echo "subjectAltName=$3") -out "$tls/$1.pem" && chown openldap "$tls/$1.key"
}

# slapd's configuration. nis.ldif with posixGroup as in RFC 2307bis: auxiliary, beside groupOfNames.
slapd_config() { # MODULE...
	local m
	cat <<-L
		dn: cn=config
		objectClass: olcGlobal
		cn: config
		olcTLSCertificateFile: $slapd_dir/tls/server.pem
		olcTLSCertificateKeyFile: $slapd_dir/tls/server.key

		dn: cn=module{0},cn=config
		objectClass: olcModuleList
		cn: module{0}
		olcModulePath: /usr/lib/ldap
		olcModuleLoad: back_mdb
	L
	for m; do echo "olcModuleLoad: $m"; done
	printf '\ndn: cn=schema,cn=config\nobjectClass: olcSchemaConfig\ncn: schema\n\n'
	for m in core cosine nis inetorgperson; do
		sed -e ':a' -e '$!N' -e 's/\n //' -e 'ta' -e P -e D "/etc/ldap/schema/$m.ldif" |
			sed -e '/^#/d' -e "/NAME 'posixGroup'/ { s/STRUCTURAL MUST ( cn \\$ gidNumber )/AUXILIARY MUST gidNumber/ }"
		echo
	done
	sed '/^#/d' $ldap_schema/isms.ldif
	cat <<-L

		dn: olcDatabase={0}config,cn=config
		objectClass: olcDatabaseConfig
		olcDatabase: {0}config
		olcAccess: to * by dn.exact="gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth" manage by * none

		dn: olcDatabase={1}mdb,cn=config
		objectClass: olcDatabaseConfig
		objectClass: olcMdbConfig
		olcDatabase: {1}mdb
		olcSuffix: $base
		olcDbDirectory: $slapd_dir/db
		olcDbMaxSize: 268435456
		olcDbIndex: objectClass,uid,uidNumber,gidNumber,member,entryUUID,entryCSN eq
	L
	for m; do
		case $m in
			syncprov) printf '\ndn: olcOverlay=syncprov,olcDatabase={1}mdb,cn=config\nobjectClass: olcOverlayConfig\nobjectClass: olcSyncProvConfig\nolcOverlay: syncprov\nolcSpSessionlog: 1000\n' ;;
			ppolicy) printf '\ndn: olcOverlay=ppolicy,olcDatabase={1}mdb,cn=config\nobjectClass: olcOverlayConfig\nobjectClass: olcPPolicyConfig\nolcOverlay: ppolicy\nolcPPolicyDefault: cn=policy,%s\n' $base ;;
		esac
	done
}

operator() { # NAME: one who is none of the people that log in
	printf '\ndn: cn=%s,ou=roles,%s\nobjectClass: device\nobjectClass: simpleSecurityObject\ncn: %s\nuserPassword: %s-password\n' \
		"$1" $base "$1" "$1"
}
host_entry() { # NAME HOST-GROUP
	printf '\ndn: cn=%s,ou=hosts,%s\nobjectClass: device\nobjectClass: simpleSecurityObject\ncn: %s\nuserPassword: %s-password\nseeAlso: cn=%s,ou=hosts,%s\n' \
		"$1" $base "$1" "$1" "$2" $base
}
group_of() { # RDN MEMBER...
	local rdn=$1 m
	shift
	printf '\ndn: %s,%s\nobjectClass: groupOfNames\ncn: %s\n' "$rdn" $base "$(sed 's/^cn=//; s/,.*//' <<<"$rdn")"
	for m; do echo "member: $m,$base"; done
}
slapd_entries() {
	local ou
	printf 'dn: %s\nobjectClass: domain\ndc: example\n' $base
	for ou in people groups tokens hosts roles; do
		printf '\ndn: ou=%s,%s\nobjectClass: organizationalUnit\nou: %s\n' $ou $base $ou
	done
	printf '\ndn: cn=policy,%s\nobjectClass: device\nobjectClass: pwdPolicy\ncn: policy\npwdAttribute: userPassword\npwdLockout: TRUE\npwdMaxFailure: 100\npwdMinLength: 8\npwdCheckQuality: 2\n' $base
	for ou in alice tom audrey nobody-special; do operator $ou; done
	group_of cn=account-operators,ou=roles cn=alice,ou=roles
	group_of cn=token-operators,ou=roles cn=alice,ou=roles cn=tom,ou=roles
	group_of cn=auditors,ou=roles cn=audrey,ou=roles
	host_entry web1 web
	host_entry db1 db
	host_entry stray web		# says so itself, but the group does not list it
	group_of cn=web,ou=hosts cn=web1,ou=hosts cn=web-people,ou=groups
	group_of cn=db,ou=hosts cn=db1,ou=hosts
}

slapd_prepare() { # [MODULE...]: else $slapd_modules, else all
	[ $# -gt 0 ] || set -- ${slapd_modules:-syncprov ppolicy otp}
	rm -rf $slapd_dir/config $slapd_dir/db && mkdir -p $slapd_dir/{config,db} /run/slapd && chown openldap:openldap /run/slapd || return
	[ -e $slapd_dir/tls/server.pem ] || { ca ca && certificate server ca DNS:localhost; } || return
	slapd_config "$@" >$slapd_dir/config.ldif && slapd_entries >$slapd_dir/entries.ldif &&
		case " $* " in *" ppolicy "*) ;; *) sed -i '/^dn: cn=policy/,/^$/d' $slapd_dir/entries.ldif ;; esac &&
		slapadd -F $slapd_dir/config -n0 -l $slapd_dir/config.ldif &&
		slapadd -F $slapd_dir/config -n1 -l $slapd_dir/entries.ldif &&
		chown -R openldap:openldap $slapd_dir/{config,db} && chmod 755 $slapd_dir $slapd_dir/tls
}
slapd_start() { # [URLS [DEBUG-LEVEL]]
	systemd-run --quiet --unit=isms-slapd \
		slapd -d "${2:-0}" -h "${1:-$slapd_urls}" -F $slapd_dir/config -u openldap -g openldap && wait_until 10 slapd_answers
}
slapd_answers() { ldapsearch -LLL -Q -Y EXTERNAL -H $slapd_local -b '' -s base >/dev/null 2>&1; }
slapd_stop() { systemctl stop isms-slapd; systemctl reset-failed isms-slapd 2>/dev/null; true; }
slapd_rules() { # [SED-SCRIPT]: the sample, changed by it; without ppolicy as its head says
	local without='s/,pwdHistory//; /attrs=pwdAccountLockedTime$/,/by \* break/d'
	! grep -qx 'olcModuleLoad: ppolicy' $slapd_dir/config.ldif || without=
	sed -e "${1-}" $ldap_schema/acl-sample.ldif | sed -e "$without" | as_admin ldapmodify
}
slapd_configure() { # LDIF of changes on stdin, while it does not run: what cannot be changed at run time
	slapmodify -F $slapd_dir/config -n0 -l /dev/stdin && chown -R openldap:openldap $slapd_dir/config
}

as_admin() { # ldapmodify|ldapadd|ldapsearch ... ARGUMENT...
	local command=$1
	shift
	"$command" -Q -Y EXTERNAL -H $slapd_local "$@"
}
# as NAME COMMAND ARGUMENT...: an LDAP client as cn=NAME below ou=roles or, for hosts, ou=hosts.
as() {
	local dn command=$2
	dn=$(dn_of "$1")
	set -- "$1" "${@:3}"
	LDAPTLS_CACERT=$slapd_dir/tls/ca.pem "$command" -x -H $slapd_uri -D "$dn" -w "$1-password" "${@:2}"
}
dn_of() { # NAME
	case $1 in
		web1 | db1 | stray) echo "cn=$1,ou=hosts,$base" ;;
		*) echo "cn=$1,ou=roles,$base" ;;
	esac
}
# with_password NAME COMMAND ARGUMENT...: isms-userctl as that operator.
with_password() {
	local name=$1
	shift
	"$@" --bind-dn "$(dn_of "$name")" --bind-password-fd 9 9<<<"$name-password"
}
# value_of ATTRIBUTE DN: what stands there, one value a line.
value_of() { as_admin ldapsearch -LLL -o ldif-wrap=no -s base -b "$2" "$1" | sed -n "s/^$1: //p"; }

# The tool's settings: the directory is at URIs.
use_directory() { # URIS
	mkdir -p /etc/isms/conf.d
	printf '[directory]\nuri = %s\nbase = %s\nca-file = %s\n' "$1" $base $slapd_dir/tls/ca.pem >/etc/isms/conf.d/directory.conf
}

# ---- the same files on both kinds of directory --------------------------------------------------

on_slapd() { [ "${ISMS_DIRECTORY-}" = ldap ]; }
# edit_entry NAME ATTRIBUTE VALUE: a person's entry, changed by another tool than ours: an editor, which renames a new
# file over the old one, or ldapmodify.
edit_entry() {
	local f=/var/lib/isms/directory/directory.ldif
	if on_slapd; then
		printf 'dn: uid=%s,ou=people,%s\nchangetype: modify\nreplace: %s\n%s: %s\n' "$1" $base "$2" "$2" "$3" | as_admin ldapmodify
		return
	fi
	sed "/^dn: uid=$1,/,/^\$/s,^$2: .*,$2: $3," $f >/run/edited && ! cmp /run/edited $f && cp -p $f $f.new &&
		cat /run/edited >$f.new && mv $f.new $f
}

# ---- the whole story on slapd (ISMS_DIRECTORY=ldap) ---------------------------------------------

# A directory of its own on this host, over TLS; the host joins it as web1, and the administrator is alice, who never
# has to say so: what looks like isms-userctl adds her name.
join_directory() {
	slapd_prepare && slapd_start && slapd_rules && as_operator || return
	/usr/bin/isms-userctl setup --yes --contact "$contact" --base $base --uri "$slapd_uri" --ca-file $slapd_dir/tls/ca.pem \
		${slapd_srv_targets:+--srv-targets "$slapd_srv_targets"} --host-dn "$(dn_of web1)" --host-password-fd 8 8<<<web1-password
}
as_operator() { # from here on isms-userctl is alice's
	cat >/usr/local/sbin/isms-userctl <<-S
		#!/bin/bash
		exec /usr/bin/isms-userctl "\$@" --bind-dn '$(dn_of alice)' --bind-password-fd 9 9<<<alice-password
	S
	chmod 755 /usr/local/sbin/isms-userctl && hash -r
}
# as_actor NAME VERB...: who is the actor: at a server by his own bind, else by root's word.
as_actor() {
	local name=$1
	shift
	if on_slapd; then
		env ${fake_environment-} /usr/bin/isms-userctl "$@" --bind-dn "uid=$name,ou=people,$base" --bind-password-fd 9 9<<<"correct-horse-$name"
	else isms-userctl "$@" --as "$name"; fi
}
grant_entries() { # what the sample takes for granted beyond people; carol and dave approve
	as_admin ldapadd <<-L
		dn: ou=grants,$base
		objectClass: organizationalUnit

		dn: ou=requests,$base
		objectClass: organizationalUnit

		dn: cn=approvers,ou=roles,$base
		objectClass: groupOfNames
		member: uid=carol,ou=people,$base
		member: uid=dave,ou=people,$base
	L
}
# The person works on this host's group of hosts: then it may read his tokens.
works_here() { # NAME
	as_admin ldapmodify >/dev/null <<-L
		dn: cn=web,ou=hosts,$base
		changetype: modify
		add: member
		member: uid=$1,ou=people,$base
	L
}
