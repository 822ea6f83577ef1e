#!/bin/bash
# hosts: two hosts and one LDAP directory, joined by a wire (tests/bed/pair): a code counts once on all of them, also
# when ismsd is killed half way; a change is seen by both, and an account that an operator disables ends on both (issue
# 3, done when 2 and 3; CASES OT07a, OT11a, OT13a). The wire itself is wire.sh's.
. "$(dirname "$0")/pair.sh"
rounds=${ISMS_ROUNDS-1000}	# of double submissions, of each kind
kills=${ISMS_KILLS-15}		# on each host
race=/shared/race
logins() { python3 -I "$people_lib/logins.py" "$@"; }

# slapd expands the set of the sample's rules, hundreds of people, at each look at a token: while they race a host
# reads and moves all tokens. Of the entries the tokens have no mark yet: the first round is one of two additions.
racers() {
	mkdir -m 777 $race && logins make $race "$rounds" "$rounds" $base >/run/racers.ldif && slapd_rules '/by dn.onelevel="ou=hosts/s/ set="[^"]*"//' &&
		as_admin ldapmodify -a -f /run/racers.ldif
}
both_join racers <<-C
	[login]
	failure-floor = 100
	[mfa]
	totp-window = 2
	lock-after = 1000
	delay-after = 100
	[events]
	aggregate-after = 1000
C

# ---- the same code at the same moment, again and again -----------------------------------------------
check "mark" mark
race_mark=$journal_mark
check "ready" meet racers 300
check "everybody is known here" wait_until 30 getent passwd "hotp$(((rounds - 1) / 25))"
check "ready to race" meet race
check "OT07a $rounds TOTP and $rounds HOTP codes, each at the same moment" logins race $race $HOST
check "both have raced" meet raced 600
journal_mark=$race_mark
race_reasons() {
	events | jq -r 'select(.ISMS_USER // "" | test("^[th]otp[0-9]")) | .ISMS_EVENT + " " + (.ISMS_REASON // "")' | sort | uniq -c
}
refusals() {
	race_reasons | tee /dev/stderr |
		awk '$2 ~ /failed|denied/ && $3 != "mfa-replayed" { bad = 1 } $3 == "mfa-replayed" { n += $1 } END { exit bad || n == 0 }'
}
check "OT07a whoever was refused was so because the code was used" refusals
if on a; then
	check "OT07a exactly one of both is in, each time" logins judge $race
	# What both had found unused, and the directory gave to one: its answers 16 and 19, 20 to a modify (RFC 4511 4.6).
	slapd_answered() {
		journalctl --sync
		journalctl -u isms-slapd _TRANSPORT=syslog -o cat | sed -n 's/.* RESULT tag=103 \(err=[0-9]*\) .*/\1/p' | sort | uniq -c
	}
	swaps() {
		slapd_answered | tee /dev/stderr |
			awk -v want=$((rounds / 10)) '$2 ~ /^err=(16|19|20)$/ { n += $1 } END { exit n < want }'
	}
	check "OT07a many of them were refused by the compare and swap alone" swaps
	check "the sample's rules" slapd_rules
	check "contractors of both hosts" everywhere ada bea kim lou pia pat
	tell people
else
	check "contractors of both hosts" told people 300
	check "their tokens" take_over ada bea kim lou pia pat
fi
check "ready" meet ready 300

# ---- one code ------------------------------------------------------------------------------------
token_code() { oathtool $(cat "$people/$1/token") -c "$2" -b "$(cat "$people/$1/secret")"; }
first=$(($(cat $people/ada/counter) + 1))
by_code() { code=$(token_code ada "$1") by_ssh ada -- true; }
if on a; then
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
echo $((first + 2)) >$people/ada/counter

# ---- killed between the write in the directory and the answer ----------------------------------------
# kim logs in at a and lou at b, and ismsd is killed there; pia and pat tell that a host serves again. Then both try
# that code again, at both hosts: of all three logins at most one is let in. Between b and slapd stands one who can keep
# slapd's answer to the write back, by 400 ms for now: most of a login is between write and answer there.
if on a; then victim=kim other=lou steady=pia; else victim=lou other=kim steady=pat; fi
fit() { by_pam $steady >/dev/null; }
middle=/shared/middle
behind_middle() {
	option directory uri "ldap://$server:1389" && option directory allow-cleartext yes && systemctl reload ismsd-directory &&
		wait_until 20 fit
}
if on a; then
	mkdir -p -m 777 $middle && echo pass >$middle/mode && echo 0.4 >$middle/delay
	check "a man in the middle" systemd-run --quiet --unit=middle python3 -I "$people_lib/middle.py" $server:1389 $server:389 $middle
	meet middle
else
	meet middle
	check "b speaks through him" behind_middle
fi
killed_login() { # WHEN SERVICE...: rc of a login during which WHEN is waited for, and then they are killed
	local when=$1 login u rc=0 pids=()
	shift
	for u; do pids+=("$(systemctl show -P MainPID "$u")"); done
	rm -f /run/asked
	asked=/run/asked by_pam $victim >/dev/null &
	login=$!
	until [ -e /run/asked ] || ! kill -0 $login 2>/dev/null; do sleep .005; done
	$when && kill -9 "${pids[@]}"
	wait $login || rc=$?
	return $rc
}
again() { if code=$1 by_pam "$2" >/dev/null; then echo in; else echo out; fi; }
fresh_is_in() { # what a kill has left half done must not keep the next code out
	local try
	for try in 1 2 3; do by_pam $victim >/dev/null && return; sleep 1; done
	return 1
}
kill_round() { # ROUND LOGIN...: a login, done so; who was let in by its code stands in /shared/ROUND.NAME.HOST
	local round=$1 used n=out
	shift
	used=$(fresh_code $victim)
	tell "$round.$victim" "$used"
	if code=$used "$@"; then n=in; fi
	wait_until 20 fit || return
	meet "$round.killed" || return
	echo "$n $(again "$used" $victim)" >"/shared/$round.$victim.$HOST"
	again "$(cat "/shared/$round.$other")" $other >"/shared/$round.$other.$HOST"
	meet "$round.tried" || return
	n=$(cat "/shared/$round.$victim".[ab] | tr ' ' '\n' | grep -cx in)
	echo "$round, ${*:2}: let in $n times"
	[ "$n" != 0 ] || burnt=$((burnt + 1))
	[ "$n" -le 1 ] && fresh_is_in
}
at_random() { sleep "$(printf '0.%03d' $((RANDOM % most_ms)))"; }
burnt=0
most_ms=$(on a && echo 120 || echo 500)		# after the code was asked for
kill_rounds() {
	local n rc=0
	for ((n = 0; n < kills; n++)); do
		case $((n % 3)) in
			0) set -- ismsd-directory ;;
			1) set -- ismsd-front ;;
			2) set -- ismsd-front ismsd-directory ;;
		esac
		kill_round "kill$n" killed_login at_random "$@" || rc=1
	done
	echo "$burnt codes were used up and let nobody in"
	[ $rc = 0 ] && { on a || [ $burnt -gt 0 ]; }
}
check "killed at any moment, $kills times: no code counts twice, and the next one counts" kill_rounds
meet killing-over
on b || rm $middle/delay

# Not at random: the front is killed when it enters one of its own system calls after the code was typed, each of them
# once: what makes a failure or the code durable here, what asks the directory and answers the module, what writes events.
gone() { [ ! -e "/proc/$1" ] || grep -q '^State:.*Z' "/proc/$1/status"; }
traced_login() { # SYSCALL N: rc of a login during which the front is killed at its Nth SYSCALL
	local pid tracer login rc=0
	pid=$(systemctl show -P MainPID ismsd-front)
	rm -f /run/asked /run/go
	asked=/run/asked go=/run/go by_pam $victim >/dev/null &
	login=$!
	wait_until 10 test -e /run/asked
	strace -f -qq -p "$pid" -e trace="$1" -e inject="$1:signal=KILL:when=$2" -o /run/trace 2>/run/trace.err &
	tracer=$!
	wait_until 10 grep -q '^TracerPid:.*[1-9]' "/proc/$pid/status"
	touch /run/go
	wait $login || rc=$?
	if wait_until 3 gone "$pid"; then died=$((died + 1)); else kill $tracer; fi
	wait $tracer
	return $rc
}
died=0
traced_rounds() {
	local n rc=0
	burnt=0
	for n in 1 2 3; do kill_round "sync$n" traced_login fdatasync $n || rc=1; done
	for n in 1 2 3 4 5; do kill_round "send$n" traced_login sendto $n || rc=1; done
	kill_round event traced_login sendmsg 1 || rc=1
	echo "$died times killed, $burnt codes were used up and let nobody in"
	[ $rc = 0 ] && [ $died = 9 ] && [ $burnt -gt 1 ]
}
check "the front killed at each of its system calls: no code counts twice, and the next one counts" traced_rounds

# And slapd's answer to the write is kept back until they are killed.
held() { wait_until 10 test -e $middle/held; }
held_round() { # SERVICE...: at b; the code is used up, and nobody is in
	local used rc=0
	used=$(fresh_code lou)
	rm -f $middle/held && touch $middle/hold
	! code=$used killed_login held "$@" || rc=1
	[ -e $middle/held ] || rc=2
	rm -f $middle/hold
	echo "killed with the answer held: $rc"
	wait_until 20 fit && tell "held.$1$#" "$used" && [ $rc = 0 ] && [ "$(again "$used" lou)" = out ] && told "held.$1$#.tried" &&
		fresh_is_in
}
after_held() { # NAME: at a
	local rc=0
	told "held.$1" && wait_until 20 fit && [ "$(again "$(cat "/shared/held.$1")" lou)" = out ] || rc=1
	tell "held.$1.tried"
	return $rc
}
for kind in ismsd-directory ismsd-front "ismsd-front ismsd-directory"; do
	if on a; then
		check "$kind of b killed between write and answer: the code is used up at a" after_held "${kind%% *}$(wc -w <<<"$kind")"
	else check "$kind killed between write and answer: the code is used up, the next one counts" held_round $kind; fi
done
if on b; then
	answered() {
		rm -f $middle/held && touch $middle/hold && { (sleep 1; rm -f $middle/hold) & } && by_pam lou && test -e $middle/held
	}
	check "its twin, not killed: the answer came late, and lets in" answered
	rm /etc/isms/conf.d/directory-{uri,allow-cleartext}.conf
	check "b speaks to slapd itself" systemctl reload ismsd-directory
	check "b is fit" wait_until 20 fit
fi
check "all of it" meet held-over

# ---- a change --------------------------------------------------------------------------------------
# A third place: a workstation with a network of its own and no ismsd.
desk_up() {
	ip netns add desk && ip link add desk0 type veth peer name desk1 netns desk && ip addr add 10.98.0.1/24 dev desk0 &&
		ip link set desk0 up && ip -n desk addr add 10.98.0.2/24 dev desk1 && ip -n desk link set desk1 up &&
		ip -n desk route add default via 10.98.0.1 && mkdir -p /run/desk/conf.d &&
		printf '[directory]\nuri = ldaps://%s\nbase = %s\nca-file = /shared/ca.pem\n' $server $base >/run/desk/conf.d/directory.conf
}
at_desk() {
	nsenter --net=/run/netns/desk unshare -m sh -c \
		'mount --bind /run/desk /etc/isms && mount -t tmpfs none /run/isms && exec "$@"' desk "$@"
}
now_ms() { date +%s%3N; }
since() { # MILLISECONDS FILE COMMAND...: it succeeds before so long after the instant that stands in FILE
	local limit=$1 start took
	start=$(cat "/shared/$2")
	shift 2
	until "$@"; do
		[ $(($(now_ms) - start)) -lt "$limit" ] || { echo "not after $(($(now_ms) - start)) ms"; return 1; }
		sleep .02
	done
	took=$(($(now_ms) - start))
	echo "$took ms"
	[ $took -le "$limit" ]
}
modify_at_once() { local t; t=$(now_ms); as_admin ldapmodify >/dev/null && tell "$1" "$t"; }	# WORD; the change is on stdin
set_value() { printf 'dn: uid=%s,ou=people,%s\nchangetype: modify\nreplace: %s\n%s\n' "$1" $base "$2" "${3:+$2: $3}"; }
no_session() { ! has_session ada && no_processes ada; }
shell_is_sh() { getent passwd ada | grep -q ':/bin/sh$'; }
second_after() { # FILE: until a second after the instant that stands there
	while [ "$(now_ms)" -lt $(($(cat "/shared/$1") + 1000)) ]; do sleep .01; done
}
bea_first=$(cat $people/bea/counter)
judged_after() {
	second_after "$1" && mark && ! code=$(token_code bea $((bea_first + $2))) by_pam bea && denied_with disabled bea
}
let_in_after() { second_after "$1" && code=$(token_code bea $((bea_first + $2))) by_pam bea; }
counter=$(cat $people/ada/counter)
on a || counter=$((counter + 1))	# each host has codes of its own
session() { code=$(token_code ada $((counter + 1))) by_ssh ada -tt -- 'sleep 3000' >/dev/null 2>&1; }
for host in a b; do
	if on $host; then
		session &
		check "a session at $host" wait_until 15 has_session ada
		tell "session-$host"
	else
		check "a session at $host" told "session-$host"
	fi
done
change() { set_value ada loginShell /bin/sh | modify_at_once changed; }
on b || check "a change" change
check "a change" told changed
check "seen at $HOST within a second" since 1000 changed shell_is_sh
if on a; then
	lock() { set_value bea pwdAccountLockedTime 000001010000Z | modify_at_once locked; }
	check "one is locked" lock
fi
check "one is locked" told locked
check "$HOST: the next login, a second later, is judged by it" judged_after locked 1
meet judged
if on a; then
	unlock() { set_value bea pwdAccountLockedTime | modify_at_once unlocked; }
	check "and unlocked" unlock
	check "a: the next login, a second later, is in" let_in_after unlocked 1
	tell in-at-a
	check "so is that at b" told in-at-b
else
	check "and unlocked" told unlocked
	check "a: the next login is in" told in-at-a
	check "b: the next login, too" let_in_after unlocked 2
	tell in-at-b
fi
if on a; then
	check "a workstation" desk_up
	disable() {
		local t
		t=$(now_ms)
		with_password alice at_desk /usr/bin/isms-userctl disable ada --reason left --yes && tell disabled "$t"
	}
	no_daemon_there() { test -S /run/isms/ismsd.sock && at_desk sh -c '! test -e /run/isms/ismsd.sock'; }
	check "without ismsd" no_daemon_there
	check "disabled by an operator there" disable
else
	check "disabled by an operator at his workstation" told disabled
fi
check "$HOST: the session is gone within five seconds" since 5000 disabled no_session
check "mark" mark
disabled_login() { code=$(token_code ada $((counter + 5))) by_ssh ada -- true; }
refused "$HOST: refused" disabled_login
check "$HOST: because disabled" denied_with disabled ada
check "so far" meet disabled-both

# ---- OT11a: locked out from afar -------------------------------------------------------------------
from_afar() { SSH_ASKPASS=$people/kim/askpass SSH_ASKPASS_REQUIRE=force ssh $ssh_options kim@$server true </dev/null; }
if on a; then
	check "OT11a six failures lock" option mfa lock-after 6
	reload
	sits() { by_ssh kim -tt -- 'sleep 3000' >/dev/null 2>&1 & wait_until 15 has_session kim; }
	check "OT11a kim works at a" sits
	cp $people/kim/counter /shared/kim.counter && tell attack
	check "OT11a an attacker at b" told attacked
	check "OT11a kim is locked" event_is '.ISMS_EVENT == "mfa.locked"' '.ISMS_USER == "kim"'
	echo $(($(cat $people/kim/counter) + 1)) >$people/kim/counter
	check "OT11a her console" by_login kim 'id -un'
	check "OT11a her session" pgrep -u kim -f '^sleep 3000'
	check "OT11a its twin: failures forgotten" isms-userctl enable kim --reason "it was not her" --yes
	tell unlocked-kim
	check "OT11a its twin: in from afar" told in-from-afar
	check "OT11a her session still" pgrep -u kim -f '^sleep 3000'
else
	check "OT11a a session at a" told attack
	attack() { local n; for n in 1 2 3 4 5 6; do ! code=000000 password=wrong from_afar || return; done; }
	check "OT11a an attacker: six wrong passwords" attack
	echo $(($(cat /shared/kim.counter) + 1)) >$people/kim/counter
	locked() { ! code=$(fresh_code kim) from_afar; }
	check "OT11a locked from afar: right password and code" locked
	tell attacked
	check "OT11a" told unlocked-kim
	echo $(($(cat /shared/kim.counter) + 2)) >$people/kim/counter
	in_from_afar() { code=$(fresh_code kim) from_afar; }
	check "OT11a its twin, unlocked: in from afar" in_from_afar
	tell in-from-afar
fi

# ---- OT13a: a clock that is wrong by 90 seconds ------------------------------------------------------
if on a; then
	tim() {
		add_person tim contractor --until +2h --sponsor carol && wait_user tim && enroll_person tim && works_at_b tim &&
			cp -a $people/tim /shared/
	}
	check "OT13a tim has a TOTP token" tim
	tell tim
	check "OT13a b is done" told ot13 300
	check "the end" meet end
	finish
fi
units=ismsd-front
. "$tests/integration/wrong_clock.sh"
check "OT13a tim has a TOTP token" told tim
check "OT13a tim is known at b" take_over tim
wrong_clock() {
	option mfa totp-window 1 && reload && make_fake && clock_is 0 && put_under_fake && systemctl restart ismsd-front &&
		wait_until 5 systemctl -q is-active ismsd-front && all_under_fake
}
check "OT13a b's front has a clock of its own" wrong_clock
state_mark() { # of all tokens of the state: what is written there. The front keeps the file locked: a copy
	rm -rf /run/state && mkdir /run/state && cp /var/lib/isms/state/state.db* /run/state/ &&
		python3 -I -c 'import sqlite3; print(sorted(sqlite3.connect("/run/state/state.db").execute("SELECT id, last FROM token")))'
}
directory_mark() {
	LDAPTLS_CACERT=/shared/ca.pem ldapsearch -LLL -x -H ldaps://$server -D "$(dn_of alice)" -w alice-password -b "ou=tokens,$base" \
		'(objectClass=oathTOTPToken)' oathTOTPLastTimeStep | sort
}
marks() { state_mark && directory_mark; }
clock_skew() {
	local code
	code=$(fresh_code tim)
	marks >/run/marks && grep -q oathTOTPLastTimeStep: /run/marks && clock_is 90 && mark && ! by_pam tim &&
		denied_with mfa-failed tim || return
	marks | diff /run/marks - && clock_is 0 && by_pam tim && ! marks | diff -q /run/marks - >/dev/null
}
check "OT13a the clock is 90 s ahead: denied, no mark moves; then right: the same code is in, and they move" clock_skew
tell ot13
check "the end" meet end
finish
