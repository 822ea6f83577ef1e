#!/bin/bash
# srv: servers that DNS names (uri = ldaps+srv://example.com): in their order, the next one when one is down, none
# that srv-targets does not list, nothing lost without an answer (issue 4, "DNS SRV discovery").
export ISMS_DIRECTORY=ldap
. "$(dirname "$0")/lib.sh"
zone=/run/zone
# NAME...: the SRV records of the domain; the addresses are those of one slapd, which listens on both.
zone_is() { # "TTL PRIORITY WEIGHT PORT TARGET"...
	local record
	for record; do echo "_ldaps._tcp.example.com SRV $record"; done >$zone.new
	cat >>$zone.new <<-Z
		_ldap._tcp.example.com SRV 300 0 1 389 ldap1.example.com
		ldap1.example.com A 127.0.0.2
		ldap2.example.com A 127.0.0.3
		ldap3.example.com A 127.0.0.2
		ldap4.example.com A 127.0.0.2
		ldap.example.org A 127.0.0.2
		ldap.badexample.com A 127.0.0.2
	Z
	mv $zone.new $zone
}
first="300 10 1 636 ldap1.example.com" second="300 20 1 6360 ldap2.example.com"
dns_start() { systemd-run --quiet --unit=isms-dns python3 -I "$tests/integration/dns.py" $zone && wait_until 5 getent hosts ldap1.example.com; }
dns_stop() { systemctl stop isms-dns; }
zone_is "$first" "$second"
echo 'nameserver 127.0.0.1' >/etc/resolv.conf
check "a name server" dns_start
# A certificate for every name but ldap3's: who is not listed is not refused for want of one.
check "certificates" eval 'ca ca && certificate server ca DNS:localhost,DNS:ldap1.example.com,DNS:ldap2.example.com,DNS:ldap4.example.com,DNS:ldap.example.org,DNS:ldap.badexample.com'
slapd_uri=ldaps+srv://example.com
slapd_srv_targets="ldap1.example.com ldap2.example.com ldap3.example.com"
slapd_urls="ldaps://127.0.0.2 ldaps://127.0.0.3:6360 ldap://127.0.0.2 $slapd_local"
prepare
check "contractor" contractor ada
# The processes say it, whether or not the tool itself finds a server.
says() { isms-userctl status --json >/run/status 2>/dev/null; jq -c .directory /run/status && jq -e ".directory | $1" /run/status; }
follows() { says ".connected == \"yes\" and .server == \"$1\""; }
ldap1=ldaps://ldap1.example.com ldap2=ldaps://ldap2.example.com:6360
check "the first by priority is followed" wait_until 10 follows $ldap1
check "status names all, in order" says ".servers == \"$ldap1 $ldap2\""
check "in" by_ssh ada -- true
doctor_says() { isms-userctl doctor --directory >/run/doctor; cat /run/doctor; grep -E "$1" /run/doctor; }
check "doctor names them" doctor_says "DNS names these servers: $ldap1 $ldap2"
check "config check" isms-userctl config check

# ---- the next one -------------------------------------------------------------------------------------------
cut_off() { nft -f - <<<"table inet cut$1 { chain out { type filter hook output priority 0; ip daddr 127.0.0.$1 tcp dport { 636, 6360 } reject with tcp reset; }; }"; }
heal() { nft delete table inet "cut$1"; }
lookups() { getent passwd ada && id -Gn ada | grep -qw isms-mfa && status_is 2 getent passwd nobody-at-all; }
check "the first server is cut off" cut_off 2
check "lookups unchanged" lookups
check "logins go to the second one at once" by_ssh ada -- true
check "the second one is followed" wait_until 30 follows $ldap2
check "a change arrives from there" eval 'add_person bea employee && wait_user bea'
check "the first one is back" heal 2
check "the second one is cut off" cut_off 3
check "the first one is followed" wait_until 30 follows $ldap1
check "in" by_ssh ada -- true
# The only one that DNS named is gone, and now it names another: asked again, long before the record's time is over.
check "DNS names the first one alone" zone_is "$first"
check "begun with that" eval 'systemctl restart ismsd-directory && wait_until 10 follows $ldap1'
check "it is cut off" eval 'heal 3 && cut_off 2'
check "DNS names the second one alone" zone_is "$second"
check "the second one is followed" wait_until 40 follows $ldap2
check "both servers answer again" heal 2

# ---- names that are not listed, within the domain and outside: refused, whatever certificate they have ---------
unavailable() { mark && ! by_ssh ada -- true && denied_with directory-unavailable ada; }
lost_with() { event_is '.ISMS_EVENT == "directory.lost"' "(.ISMS_FAULT | test(\"$1\"))"; }
restart() { mark && systemctl restart ismsd-directory; }
for host in ldap4.example.com ldap.example.org ldap.badexample.com; do
	check "DNS names $host" zone_is "300 1 1 636 $host"
	check "$host: restart" restart
	check "$host: refused, and told" wait_until 10 lost_with "$host, which is not listed: refused"
	check "$host: nobody was connected to" says '.connected == "no" and (.servers_fault | test("which is not listed"))'
	check "$host: lookups unchanged" lookups
	check "$host: logins are refused" unavailable
	check "$host: doctor says it" doctor_says "$host, which is not listed: refused"
	check "$host: listed" set_option directory srv-targets "$host"
	check "$host: its twin, listed: followed" wait_until 40 follows "ldaps://$host"
	check "$host: its twin, in" by_ssh ada -- true
	rm /etc/isms/conf.d/directory-srv-targets.conf
done
check "a name that is listed beside it" zone_is "300 1 1 636 ldap.example.org" "$first"
check "restart" restart
check "that one is followed, the other one refused" wait_until 10 says \
	".server == \"$ldap1\" and .servers == \"$ldap1\" and (.servers_fault | test(\"ldap.example.org\"))"
check "a name that is listed and that the server's certificate does not have" zone_is "300 1 1 636 ldap3.example.com"
check "restart" restart
check "refused for the certificate" wait_until 10 lost_with "ldap3.example.com: TLS: .*certificate for this very name"
check "logins are refused" unavailable

# ---- no answer ----------------------------------------------------------------------------------------------
check "DNS knows no servers" zone_is
check "restart" restart
check "no servers: told" wait_until 10 lost_with '_ldaps._tcp.example.com: there are no such servers'
check "no servers: lookups unchanged" lookups
check "no servers: logins are refused" unavailable
check "DNS knows them" zone_is "$first" "$second"
check "by itself: followed" wait_until 40 follows $ldap1
check "by itself: in" by_ssh ada -- true
printf '127.0.0.2 ldap1.example.com\n127.0.0.3 ldap2.example.com\n' >>/etc/hosts	# else not even a name has an address
check "the name server stops" dns_stop
check "its last answer holds: in" by_ssh ada -- true
check "its last answer holds: the next server" eval 'cut_off 2 && wait_until 30 follows $ldap2'
check "the first server is back" heal 2
check "restart without a name server" restart
check "no name server: told" wait_until 20 lost_with '_ldaps._tcp.example.com: no answer'
check "no name server: lookups unchanged" lookups
check "no name server: logins are refused" unavailable
echo 'options use-vc' >>/etc/resolv.conf	# TCP, by which the resolver would wait without an end: SRV records come over UDP
check "a name server again, over UDP alone" dns_start
check "by itself: followed" wait_until 60 follows $ldap1
check "by itself: in" by_ssh ada -- true

# ---- StartTLS; the time to live ------------------------------------------------------------------------------
check "ldap+srv" set_option directory uri ldap+srv://example.com
check "ldap+srv: StartTLS with the server that _ldap._tcp names" wait_until 10 follows ldap://ldap1.example.com
check "ldap+srv: in" by_ssh ada -- true
check "a short time to live" zone_is "1 10 1 636 ldap1.example.com"
check "ldaps+srv" set_option directory uri ldaps+srv://example.com
check "followed" wait_until 10 follows $ldap1
check "another record" zone_is "$first" "$second"
check "asked again after a minute" wait_until 80 says ".servers == \"$ldap1 $ldap2\" and .server == \"$ldap1\""
finish
