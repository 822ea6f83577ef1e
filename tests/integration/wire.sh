#!/bin/bash
# wire: what goes over the wire between a host and slapd, as tshark sees it there: no password and no seed in clear,
# whatever a host or an operator does, neither by ldaps:// nor by StartTLS; and a man in the middle who keeps StartTLS
# from them gets no bind (issue 3, done when 4; CASES LD02a). Host b is the one that is listened to.
. "$(dirname "$0")/pair.sh"
both_join <<-C
	[login]
	failure-floor = 100
C
on a || alice
wire=/shared/wire middle=/shared/middle
on b || mkdir -p -m 777 $wire $middle

# ---- the listener, at a ----------------------------------------------------------------------------
listen() { # NAME
	systemd-run --quiet --unit="listen-$1" tshark -q -i wire0 -f "tcp" -w "/run/$1.pcap" && wait_until 20 test -s "/run/$1.pcap"
}
hear_no_more() { sleep 1; systemctl stop "listen-$1"; wait_until 5 readable "/run/$1.pcap"; }
readable() { tshark -r "$1" -c 1; }
# heard NAME FILTER: how many frames of it there are
heard() { tshark -r "/run/$1.pcap" -d tcp.port==1389,ldap -Y "$2" 2>/run/tshark.err | wc -l; }
# Lines "WHAT HEX" of a phase's secrets are in /shared/wire/NAME; WHAT is not in what was heard, or is.
silent() { # NAME
	local filter n
	filter=$(sed -n 's/^[^ ]* \(..*\)$/frame contains \1 ||/p' "$wire/$1" | tr '\n' ' ')
	n=$(heard "$1" "${filter% || }")
	[ "$(wc -l <"$wire/$1")" -ge 6 ] && [ "$n" = 0 ] || { cat "$wire/$1"; echo "$n frames"; return 1; }
}
told_all() { # NAME WHAT...
	local name=$1 what
	shift
	for what; do
		[ "$(heard "$name" "frame contains $(sed -n "s/^$what //p" "$wire/$name")")" -gt 0 ] || { echo "not heard: $what"; return 1; }
	done
}
binds() { local n; n=$(heard "$1" ldap.simple); echo "$n binds in clear"; [ "$n" "${@:2}" ]; }
is_tls() { local n; n=$(heard "$1" tls.app_data); echo "$n frames of TLS"; [ "$n" -gt 20 ]; }

# ---- what b does while it is listened to -------------------------------------------------------------
hex() { od -An -tx1 -v | tr -d '\n' | sed 's/^ //; s/ /:/g'; }
secret() { printf '%s %s\n' "$1" "$(printf %s "$2" | hex)"; }
# Another host's operator cannot say who works here: slapd's administrator does, at a.
on a || works_here() { tell "place-$1" && told "placed-$1" && sleep 1; }
place() { told "place-$1" && works_at_b "$1" && tell "placed-$1"; }
changes_password() { # NAME NEW: passwd, as herself
	new=$2 password=$(cat "$people/$1/password") code=$(fresh_code "$1") expect -c '
		set timeout 20
		spawn -noecho setpriv --reuid '"$1"' --regid '"$1"' --init-groups passwd
		expect {
			-re {(New|Retype|again)[^:\n]*: $} { send "$env(new)\r"; exp_continue }
			-re {assword[^:\n]*: $} { send "$env(password)\r"; exp_continue }
			-re {code: $} { send "$env(code)\r"; exp_continue }
			timeout { exit 99 }
			eof {}
		}
		lassign [wait] pid id os_error status
		exit $status' && echo "$2" >"$people/$1/password"
}
acts() { # NAME: an operator makes her and her token; she logs in, changes her password, logs in; both of them once wrong
	local name=$1 first code
	add_person "$name" contractor --until +2h --sponsor carol && wait_until 10 getent passwd "$name" && enroll_person "$name" --hotp || return
	first=$(cat "$people/$name/password")
	code=$(fresh_code "$name")
	wait_until 20 by_pam "$name" && ! password=wrong-wrong-$name by_pam "$name" &&
		(unset code; changes_password "$name" "other-battery-staple" && by_pam "$name") && isms-userctl list >/dev/null || return
	{
		secret password "$first"
		secret wrong "wrong-wrong-$name"
		secret changed "other-battery-staple"
		secret operator alice-password
		secret host db1-password
		secret code "$code"
		secret seed-as-text "$(tr -d '\n' <"$people/$name/secret")"
		printf 'seed %s\n' "$(base32 -d <"$people/$name/secret" | hex)"
	} >"$wire/$name"
}
speaks() { # URI [SECTION KEY VALUE]
	option directory uri "$1" && { [ $# = 1 ] || option "${@:2}"; } && systemctl restart ismsd-directory
}
scene() { # NAME WHAT URI [OPTION...]: the same with another way of the connection
	local name=$1 what=$2
	shift 2
	if on a; then
		check "$what: a listener" listen "$name"
		tell "listening-$name"
		check "$what: she works at b" place "$name"
		check "$what: b has acted" told "acted-$name"
		check "$what: all is heard" hear_no_more "$name"
	else
		check "$what: a listener" told "listening-$name"
		check "$what: b speaks so" speaks "$@"
		check "$what: added, enrolled, logged in, password changed, listed" acts "$name"
		tell "acted-$name"
	fi
}
scene lea "ldaps" "ldaps://$server"
if on a; then
	check "ldaps: there was TLS to hear" is_tls lea
	check "ldaps: not a byte of password, code or seed in clear" silent lea
	check "ldaps: no bind in clear" binds lea = 0
fi
scene sue "StartTLS" "ldap://$server"
if on a; then
	check "StartTLS: there was TLS to hear" is_tls sue
	check "StartTLS: it was StartTLS" test "$(heard sue 'ldap.requestName == "1.3.6.1.4.1.1466.20037"')" -gt 3
	check "StartTLS: not a byte of password, code or seed in clear" silent sue
	check "StartTLS: no bind in clear" binds sue = 0
fi
scene cleo "ldap without TLS" "ldap://$server" directory allow-cleartext yes
on b || check "the control, without TLS: passwords and seed are heard" told_all cleo password wrong changed operator host seed
on b || check "the control, without TLS: so are binds" binds cleo -gt 5
on a || rm -f /etc/isms/conf.d/directory-allow-cleartext.conf

# ---- StartTLS stripped -------------------------------------------------------------------------------
now_mode() { rm -f $middle/log $middle/clear; touch $middle/log $middle/clear; echo "$1" >$middle/mode.new; mv $middle/mode.new $middle/mode; }
if on a; then
	now_mode pass
	check "a man in the middle" systemd-run --quiet --unit=middle python3 -I "$people_lib/middle.py" $server:1389 $server:389 $middle
	check "stripped: a listener" listen stripped
	meet stripping
	check "b has tried everything" told stripped 400
	check "stripped: all is heard" hear_no_more stripped
	cp $wire/sue $wire/stripped
	check "stripped: tshark heard them ask for TLS" test "$(heard stripped 'ldap.requestName == "1.3.6.1.4.1.1466.20037"')" -gt 10
	check "stripped: not a byte of password, code or seed in clear" silent stripped
	check "stripped: no bind in clear" binds stripped = 0
	meet control
	check "the control, without TLS" told controlled
	check "the end" meet end
	finish
fi
check "b speaks through him" meet stripping
by_sue() { by_pam sue; }
said() { sort $middle/log | uniq -c; grep -qx "$1" $middle/log; }
only_asked() { # MODE: for TLS, and nothing else but abandon and goodbye, and nothing of a secret in clear
	said "$1 extended" || { echo "they did not ask"; return 1; }
	! grep -vx "$1 \(extended\|abandon\|unbind\|tls\)" $middle/log && ! grep -aqF -e other-battery -e alice-password -e db1-password $middle/clear
}
refused_in_time() { local start=$SECONDS; mark; ! by_sue && [ $((SECONDS - start)) -le 15 ] && denied_with directory-unavailable sue; }
operator_is_refused() { status_is 3 isms-userctl list; }
check "he passes on what he hears" speaks "ldap://$server:1389"
check "his twin who changes nothing: in" wait_until 20 by_sue
check "his twin who changes nothing: by TLS, without a bind in clear" eval 'said "pass tls" && only_asked pass'
check "his twin: an operator" isms-userctl list
for mode in unavailable protocol garbage liar closed; do
	check "LD02a StartTLS stripped, $mode" now_mode $mode
	check "LD02a $mode: refused within 15 s, directory-unavailable" refused_in_time
	check "LD02a $mode: an operator, too" operator_is_refused
	check "LD02a $mode: no bind" only_asked $mode
	check "LD02a $mode: he lets go" now_mode pass
	check "LD02a $mode: in again, by itself" wait_until 20 by_sue
done
tell stripped
check "his control" meet control
check "the control, without TLS" speaks "ldap://$server:1389" directory allow-cleartext yes
check "the control: in" wait_until 20 by_sue
control() { said "pass bind" && grep -aqF other-battery $middle/clear; }
check "the control: he hears binds and the password" control
tell controlled
check "the end" meet end
finish
