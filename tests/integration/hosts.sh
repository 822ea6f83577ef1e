#!/bin/bash
# hosts: two hosts and one LDAP directory, joined by a wire (tests/bed/pair): a code counts once on all of them, a change
# is seen by both, and an account that is disabled on one ends on the other (issue 3, done when 2 and 3; CASES OT07a).
# Host a has slapd and the operator; both run this file and meet at files in /shared.
export ISMS_DIRECTORY=ldap
. "$(dirname "$0")/lib.sh"
rounds=${ISMS_ROUNDS-25}	# of double submissions

told() { wait_until 120 test -e "/shared/$1" >/dev/null; }	# wait for the other host
tell() { echo "${2-}" >"/shared/$1.new" && mv "/shared/$1.new" "/shared/$1"; }
meet() { # NAME: both are here
	touch "/shared/$1.$HOST"
	told "$1.a" && told "$1.b"
}
check "the wire" told linked
check "packages" install_packages
printf '%s\n' "$default_policy" >/run/policy
printf '[login]\nfailure-floor = 100\n[mfa]\nlock-after = 1000\ndelay-after = 100\n' >/run/mfa.conf
join() { # HOST-ENTRY
	/usr/bin/isms-userctl setup --yes --contact "$contact" --base $base --uri ldaps://10.99.0.1 --ca-file /shared/ca.pem \
		--host-dn "$(dn_of "$1")" --host-password-fd 8 8<<<"$1-password" &&
		cat /run/policy >/etc/isms/policy.conf && mkdir -p /etc/isms/conf.d && cp /run/mfa.conf /etc/isms/conf.d/mfa.conf && reload
}
if [ $HOST = a ]; then
	slapd_up() {
		mkdir -p $slapd_dir && ca ca && certificate server ca DNS:localhost,IP:10.99.0.1 && slapd_prepare &&
			slapd_start "ldaps://10.99.0.1 ldaps://localhost $slapd_local" && slapd_rules && cp $slapd_dir/tls/ca.pem /shared/
	}
	check "slapd" slapd_up
	check "join" join web1
	printf '#!/bin/bash\nexec /usr/bin/isms-userctl "$@" --bind-dn "%s" --bind-password-fd 9 9<<<alice-password\n' "$(dn_of alice)" >/usr/local/sbin/isms-userctl
	chmod 755 /usr/local/sbin/isms-userctl
	everywhere() { printf 'dn: cn=db,ou=hosts,%s\nchangetype: modify\nadd: member\nmember: uid=%s,ou=people,%s\n' $base "$1" $base | as_admin ldapmodify >/dev/null; }
	check "sponsor" add_person carol employee
	check "a contractor" contractor ada
	check "who works on both" everywhere ada
	hand_over() { cp -a $people/ada /shared/ada && tell ready; }
	check "her token, for the other host" hand_over
else
	check "slapd" told ready
	check "join" join db1
	check "known here" wait_until 10 getent passwd ada
	take_over() { mkdir -p $people && cp -a /shared/ada $people/ && write_askpass ada; }
	check "her token" take_over
fi
check "ready" meet ready-both

# ---- one code ------------------------------------------------------------------------------------
token_code() { oathtool $(cat $people/ada/token) -c "$1" -b "$(cat $people/ada/secret)"; }
first=$(($(cat $people/ada/counter) + 1))
by_code() { code=$(token_code "$1") by_ssh ada -- true; }
if [ $HOST = a ]; then
	check "a code at a" by_code $first
	tell used
	check "b is done" told reused
	refused "OT07a the code that b has used" by_code $((first + 1))
	check "OT07a its twin: the next one" by_code $((first + 2))
	tell turn
else
	check "a is done" told used
	refused "OT07a the code that a has used" by_code $first
	check "OT07a its twin: the next one" by_code $((first + 1))
	tell reused
	check "a's turn is over" told turn
fi

# ---- the same code at the same moment, again and again -----------------------------------------------
race() { # each round one of both is let in, exactly one
	local n rc=0
	for ((n = 0; n < rounds; n++)); do
		meet "round$n" || return
		if by_code $((first + 3 + n)) >/dev/null 2>&1; then echo 1 >"/shared/won$n.$HOST"; else echo 0 >"/shared/won$n.$HOST"; fi
		meet "over$n" || return
		[ $(($(cat "/shared/won$n.a") + $(cat "/shared/won$n.b"))) = 1 ] || { echo "round $n: $(cat "/shared/won$n.a") $(cat "/shared/won$n.b")"; rc=1; }
	done
	return $rc
}
check "OT07a $rounds codes at the same moment: one of both is in" race

# ---- a change --------------------------------------------------------------------------------------
seconds() { # SECONDS COMMAND...: it succeeds within them
	local start
	start=$(date +%s%3N)
	wait_until "$@" && echo "$(($(date +%s%3N) - start)) ms"
}
no_session() { ! has_session ada && no_processes ada; }
code=$(token_code $((first + 4 + rounds + $([ $HOST = a ] && echo 0 || echo 1))))
if [ $HOST = a ]; then
	by_ssh ada -tt -- 'sleep 300' >/dev/null 2>&1 &
	check "a session at a" wait_until 15 has_session ada
	tell session-a
	check "a session at b" told session-b
	change() { printf 'dn: uid=ada,ou=people,%s\nchangetype: modify\nreplace: loginShell\nloginShell: /bin/sh\n' $base | as_admin ldapmodify >/dev/null && tell changed; }
	check "a change" change
	check "seen at a within a second" seconds 1 bash -c 'getent passwd ada | grep -q :/bin/sh$'
	check "b has seen it" told seen
	disable() { isms-userctl disable ada --reason "left" --yes && tell disabled; }
	check "disabled at a" disable
	check "a: the session is gone within five seconds" seconds 5 no_session
else
	check "a session at a" told session-a
	by_ssh ada -tt -- 'sleep 300' >/dev/null 2>&1 &
	check "a session at b" wait_until 15 has_session ada
	tell session-b
	check "a change" told changed
	check "seen at b within a second" seconds 1 bash -c 'getent passwd ada | grep -q :/bin/sh$'
	tell seen
	check "disabled at a" told disabled
	check "b: the session is gone within five seconds" seconds 5 no_session
	check "mark" mark
	unset code
	refused "b: refused" by_code $((first + 10 + rounds))
	check "b: because disabled" denied_with disabled ada
fi
check "the end" meet end
finish
