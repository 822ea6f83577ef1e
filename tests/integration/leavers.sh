#!/bin/bash
# leavers: the whole life of a contract on two hosts and one slapd (tests/bed/pair): hired, in, warned, extended by the
# sponsor, and put out by leave on host a: within five seconds nothing of hers is alive on host b, her cron job does not
# run any more, her key opens nothing; and the report proves it, step by step (issue 5, done when 1).
. "$(dirname "$0")/pair.sh"
# The sponsor is an operator, too: she extends by her own name and password.
sponsor_may() {
	printf 'dn: cn=account-operators,ou=roles,%s\nchangetype: modify\nadd: member\nmember: uid=carol,ou=people,%s\n' $base $base |
		as_admin ldapmodify
}
as_carol() { /usr/bin/isms-userctl "$@" --bind-dn "uid=carol,ou=people,$base" --bind-password-fd 9 9<$people/carol/password; }
both_join <<-C
	[directory]
	note-last-use = 1
C
if on a; then
	check "the sponsor may extend" sponsor_may
	check "hired, and known on both hosts" everywhere ada
	tell hired
else
	check "hired" told hired 300
	check "her token" take_over ada
	check "cron" systemctl start cron
fi
check "both are ready" meet ready 300

# ---- at work on host b ---------------------------------------------------------------------------
through_tunnel() { # to sshd behind it, which greets
	timeout 5 bash -c 'exec 3<>/dev/tcp/localhost/2222 && read -r line <&3 && [[ $line == SSH-2.0-* ]]' 2>/dev/null
}
runs() { pgrep -u ada -f "sleep $1" >/dev/null; }
at_work() { # a shell, tmux, what a logged-out session left, a tunnel, a job of cron
	by_key ada -tt -- 'sleep 300' >$people/ada/terminal 2>&1 &
	wait_until 10 has_session ada || return
	by_ssh ada -- 'tmux new-session -d "sleep 301"' && by_ssh ada -- 'setsid nohup sleep 302 >/dev/null 2>&1 </dev/null &' || return
	code=$(fresh_code ada) SSH_ASKPASS=$people/ada/askpass SSH_ASKPASS_REQUIRE=force \
		ssh $ssh_options -N -L 2222:localhost:22 ada@localhost >/dev/null 2>&1 </dev/null &
	echo '* * * * * ada date +\%s >>/tmp/cron.ada' >/etc/cron.d/isms-ada
	wait_until 75 test -s /tmp/cron.ada && wait_until 10 through_tunnel || return
	local n
	for n in 300 301 302; do wait_until 10 runs $n || { echo "sleep $n does not run"; return 1; }; done
}
if on b; then
	check "a key" make_key ada
	check "a login by key and code" by_key ada -- true
	check "at work" at_work
	tell working
else
	session_here() { by_ssh ada -tt -- 'sleep 303' >/dev/null 2>&1 & wait_until 10 has_session ada; }
	check "she works at b" told working 300
	# b has used up codes: what it has counted is ahead of what a knows.
	echo 10 >$people/ada/counter
	last_use_seen() { [ "$(value_of ismsLastUse uid=ada,ou=people,$base)" = "$(date -u +%Y%m%d000000Z)" ]; }
	check "her last use is in the directory" wait_until 20 last_use_seen
fi

# ---- warned, and extended by the sponsor ------------------------------------------------------------
if on a; then
	check "the contract ends soon" isms-userctl set-expiry ada +40s --reason "end of order" --yes
	check "b has seen the warning" told warned
	check "carol extends it" as_carol set-expiry ada +2h --reason "order extended" --ticket T-1 --yes
	tell extended "$(date +%s)"
	check "its time has passed" told survived
	check "a session here, too" session_here
else
	check "warned" wait_until 30 grep -qi "contract\|access.*end" $people/ada/terminal
	tell warned
	check "extended" told extended
	sleep 45
	check "the session lives on" runs 300
	tell survived
fi
check "both look on" meet leaving 120

# ---- leave --------------------------------------------------------------------------------------
report=/run/leave.json
if on a; then
	check "mark" mark
	leaves() { date +%s%3N >/shared/left.new && mv /shared/left.new /shared/left && isms-userctl leave ada --reason "order done" --ticket T-2 --yes --json >$report; }
	check "leave" leaves
	check "every step came through" jq -e '.complete and ([.steps[].step] == ["disable", "sessions", "tokens", "recovery-codes", "keys", "grants", "requests", "exemptions", "groups"])' $report
	check "the session here was ended by it" jq -e '.steps[] | select(.step == "sessions") | .state == "done"' $report
	check "nothing of hers runs here" no_processes ada
else
	nothing_left() { no_processes ada && ! through_tunnel; }
	check "she is put out" told left
	check "session, tmux and tunnel are gone" wait_until 30 nothing_left
	took=$(($(date +%s%3N) - $(cat /shared/left)))
	echo "after $took ms"
	check "within five seconds" test $took -le 5000
	wc -l </tmp/cron.ada >/run/jobs
	code=12345678
	refused "her key opens nothing" by_key ada -- true
	check "because she is disabled" denied_with disabled ada
	unset code
	sleep 65		# cron looks at its tables every minute
	check "her cron job does not run any more" test "$(wc -l </tmp/cron.ada)" = "$(cat /run/jobs)"
	check "cron was refused" event_is '.ISMS_EVENT == "login.denied"' '.ISMS_USER == "ada"' '.ISMS_SERVICE == "cron"'
	check "b's journal has the end" event_is '.ISMS_EVENT == "session.terminated"' '.ISMS_USER == "ada"'
fi
check "both have seen it" meet left 240

# ---- the proof ------------------------------------------------------------------------------------
if on a; then
	proof=/run/leavers.json
	leavers() { isms-userctl report --leavers --json >$proof; local rc=$?; cat $proof; return $rc; }
	check "report --leavers" leavers
	check "she is the one" jq -e 'length == 1 and .[0].user == "ada" and .[0].state == "disabled" and .[0].ticket == "T-2" and .[0].reason == "order done"' $proof
	check "nothing is left over" jq -e '.[0].left_over == []' $proof
	check "each step with its time and event" jq -e '.[0].steps | length == 9 and all(.[]; .time != null and (.event_id | length == 36))' $proof
	ids() { jq -r "$1" "$2" | sort; }
	same_ids() { diff <(ids '.[0].steps[].event_id' $proof) <(ids '.steps[].event_id' $report); }
	check "the same events as leave told" same_ids
	in_journal() { local id; for id in $(ids '.[0].steps[].event_id' $proof); do event_is ".ISMS_ID == \"$id\"" || return; done; }
	check "each is in the journal" in_journal
	check "her last login, and the end of her session here" jq -e '.[0].last_login.event_id != null and .[0].sessions_ended.event_id != null' $proof
	check "for people" bash -c 'isms-userctl report --leavers 1 | grep -q "^Left  *ada"'
	refused "she does not get in here either" by_ssh ada -- true
	check "because she is disabled" denied_with disabled ada
fi
check "both are done" meet done 120		# the wire goes with either
finish
