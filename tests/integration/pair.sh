# pair.sh - two hosts on one wire (tests/bed/pair) and one slapd, which runs on host a, where the operator is alice.
# Sourced, in place of lib.sh, by files that run on both; they meet at files in /shared.
export ISMS_DIRECTORY=ldap
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
server=10.99.0.1

told() { wait_until "${2-120}" test -e "/shared/$1" >/dev/null; }	# wait for the other host
tell() { echo "${2-}" >"/shared/$1.new" && mv "/shared/$1.new" "/shared/$1"; }
meet() { # NAME [SECONDS]: both are here
	touch "/shared/$1.$HOST"
	told "$1.a" "${2-120}" && told "$1.b" "${2-120}"
}
on() { [ $HOST = "$1" ]; }

# slapd on host a, at more than one address; its certificate names the wire's.
slapd_for_both() {
	mkdir -p $slapd_dir && ca ca && certificate server ca DNS:localhost,IP:$server && slapd_prepare &&
		slapd_start "ldaps://$server ldap://$server ldaps://localhost $slapd_local" && slapd_rules &&
		cp $slapd_dir/tls/ca.pem /shared/
}
join() { # HOST-ENTRY
	/usr/bin/isms-userctl setup --yes --contact "$contact" --base $base --uri "ldaps://$server" --ca-file /shared/ca.pem \
		--host-dn "$(dn_of "$1")" --host-password-fd 8 8<<<"$1-password" &&
		cat /run/policy >/etc/isms/policy.conf && mkdir -p /etc/isms/conf.d && cp /run/host.conf /etc/isms/conf.d/host.conf && reload
}
alice() { # the operator, who never has to say so
	printf '#!/bin/bash\nexec /usr/bin/isms-userctl "$@" --bind-dn "%s" --bind-password-fd 9 9<<<alice-password\n' \
		"$(dn_of alice)" >/usr/local/sbin/isms-userctl
	chmod 755 /usr/local/sbin/isms-userctl && hash -r
}
# works_at_b NAME: he does at a, by works_here, already.
works_at_b() {
	printf 'dn: cn=db,ou=hosts,%s\nchangetype: modify\nadd: member\nmember: uid=%s,ou=people,%s\n' $base "$1" $base |
		as_admin ldapmodify >/dev/null
}
# everywhere NAME...: contractors with a counter token, of both hosts; the other host gets what they know.
everywhere() {
	local name
	for name; do contractor "$name" && works_at_b "$name" && cp -a "$people/$name" /shared/ || return; done
}
take_over() { # NAME...
	local name
	mkdir -p $people
	for name; do wait_until 10 getent passwd "$name" && cp -a "/shared/$name" $people/ && write_askpass "$name" || return; done
}
# Both hosts, with lines of isms.conf on stdin; COMMAND at a between slapd's start and the others' join, if given.
both_join() { # [COMMAND...]
	cat >/run/host.conf
	printf '%s\n' "$default_policy" >/run/policy
	check "the wire" told linked
	check "packages" install_packages
	if on a; then
		check "slapd" slapd_for_both
		[ $# = 0 ] || check "entries" "$@"
		check "join" join web1
		alice
		check "sponsor" add_person carol employee
		tell slapd
	else
		check "slapd" told slapd
		check "join" join db1
	fi
}

seconds() { # SECONDS COMMAND...: it succeeds within them
	local start
	start=$(date +%s%3N)
	wait_until "$@" && echo "$(($(date +%s%3N) - start)) ms"
}
option() { # SECTION KEY VALUE: set, without waiting for anything
	printf '[%s]\n%s = %s\n' "$1" "$2" "$3" >"/etc/isms/conf.d/$1-$2.conf"
}
