#!/bin/bash
# story: the whole life of a contract on two hosts and one slapd (tests/bed/pair): hired, in, warned, extended by the
# sponsor, given a privileged group for ten seconds, and put out by leave on host a: within five seconds nothing of hers is
# alive on host b, her cron job does not run any more, her key is not offered and opens nothing; and the report proves it,
# step by step (issue 5, done when 1). tools/demo tells a shorter one to people.
. "$(dirname "$0")/pair.sh"
default_policy=${default_policy//keep-groups    = /keep-groups    = db-admin }'
[groups]
privileged = db-admin
'
# The sponsor is an operator, too: she extends and grants by her own name and password.
sponsor_may() {
	as_admin ldapmodify <<-L
		dn: cn=account-operators,ou=roles,$base
		changetype: modify
		add: member
		member: uid=carol,ou=people,$base

		dn: ou=grants,$base
		changetype: add
		objectClass: organizationalUnit

		dn: cn=approvers,ou=roles,$base
		changetype: add
		objectClass: groupOfNames
		member: uid=carol,ou=people,$base
		member: cn=alice,ou=roles,$base
	L
}
# With a key in the directory, which sshd gets from isms-authorized-keys, and none in her home.
hired() {
	contractor ada --group web-deploy --group docker && works_at_b ada &&
		ssh-keygen -q -t ed25519 -N '' -f $people/ada/key </dev/null && isms-userctl key add ada --key-file $people/ada/key.pub &&
		cp -a $people/ada /shared/
}
as_carol() { /usr/bin/isms-userctl "$@" --bind-dn "uid=carol,ou=people,$base" --bind-password-fd 9 9<$people/carol/password; }
both_join <<-C
	[directory]
	note-last-use = 1
C
if on a; then
	check "the sponsor may extend and grant" sponsor_may
	check "somebody has the privileged group" add_person dave employee --group db-admin
	check "hired, with a key" hired
	tell hired
else
	check "hired" told hired 300
	check "her token" take_over ada
	check "cron" systemctl start cron
	echo '%db-admin ALL=(root) NOPASSWD: /usr/bin/id' >/etc/sudoers.d/db-admin
fi
check "both are ready" meet ready 300

# ---- in, on host b -------------------------------------------------------------------------------
runs() { pgrep -u ada -f "sleep $1" >/dev/null; }
# What sshd is told of her key, and what it says of it to a client.
offered() { [ -n "$(/usr/libexec/isms-access/isms-authorized-keys ada "$(ssh-keygen -lf $people/ada/key.pub | cut -d' ' -f2)")" ]; }
by_key_aloud() { by_key ada -v -- id -nG >$people/ada/said 2>$people/ada/ssh; local rc=$?; cat $people/ada/ssh; return $rc; }
accepted() { grep 'Server accepts key:' $people/ada/ssh; }
groups_are() { [ "$(tr ' ' '\n' <$people/ada/said | sort | tr '\n' ' ')" = "$* " ]; }
on_a_terminal() { by_key ada -tt -- 'sleep 3000' >$people/ada/terminal 2>&1 & wait_until 10 has_session ada; }
if on b; then
	check "her key is offered" wait_until 10 offered
	check "a login by key and code" by_key_aloud
	check "sshd accepts the key" accepted
	check "with the groups that her role keeps, and no other" groups_are ada isms-mfa web-deploy
	check "on a terminal" on_a_terminal
	echo '* * * * * ada date +\%s >>/tmp/cron.ada' >/etc/cron.d/isms-ada
	tell working
else
	last_use_seen() { [ "$(value_of ismsLastUse uid=ada,ou=people,$base)" = "$(date -u +%Y%m%d000000Z)" ]; }
	check "she works at b" told working 300
	check "her last use is in the directory" wait_until 20 last_use_seen
fi

# ---- warned, and extended by the sponsor ------------------------------------------------------------
if on a; then
	check "the contract ends soon" isms-userctl set-expiry ada +40s --reason "end of order" --yes
	check "b has seen the warning" told warned
	check "carol extends it" as_carol set-expiry ada +2h --reason "order extended" --ticket T-1 --yes
	tell extended "$(date +%s)"
	check "its time has passed" told survived
else
	first_end_has_passed() { [ "$(date +%s)" -ge $(($(cat /shared/extended) + 45)) ]; }
	check "warned" wait_until 30 grep -qi "contract\|access.*end" $people/ada/terminal
	tell warned
	check "extended" told extended
	check "her contract's first end passes" wait_until 60 first_end_has_passed
	check "the session lives on" runs 3000
	check "mark" mark
	in_group() { id -nG ada | tr ' ' '\n' | grep -qx db-admin; }
	not_in_group() { ! in_group; }
	check "she is not in db-admin" not_in_group
	tell survived
fi

# ---- a privileged group for ten seconds ---------------------------------------------------------------
if on a; then
	granted() { as_carol grant ada db-admin --for 10s --reason "migration" --ticket T-3 --json >/run/grant.json; }
	check "carol grants db-admin for ten seconds" granted
	tell granted "$(date -d "$(jq -r .until /run/grant.json)" +%s%3N)"
else
	privileged() { # and stays in it
		by_key ada -tt -- 'id -nG; sudo -n /usr/bin/id -u; sleep 3001' >$people/ada/privileged 2>&1 &
		wait_until 8 grep '^0' $people/ada/privileged && grep -w db-admin $people/ada/privileged && runs 3001
	}
	lost() { # at its end, neither before nor later than a second after it
		local end before
		end=$(cat /shared/granted)
		while before=$(date +%s%3N); in_group; do [ "$before" -lt $((end + 5000)) ] && sleep .1 || return; done
		echo "after $((before - end)) ms"
		[ "$(date +%s%3N)" -ge "$end" ] && [ "$before" -le $((end + 1000)) ]
	}
	unprivileged() { by_key ada -- 'echo in; ! sudo -n /usr/bin/id -u' >$people/ada/said 2>&1 && grep -x in $people/ada/said; }
	check "granted" told granted
	check "in the group within a second" wait_until 1 in_group
	check "at work with it: sudo is root's" privileged
	check "out of it at the grant's end, neither before nor a second later" lost
	check "what ran is ended within five seconds of the end" wait_until 4 no_processes ada
	check "and was told why" grep 'membership of group db-admin has ended' $people/ada/privileged
	check "she is let in without it: sudo is nobody's" unprivileged
	check "event grant.begun" event_is '.ISMS_EVENT == "grant.begun"' '.ISMS_USER == "ada"' '.ISMS_GROUPS == "db-admin"'
	check "event grant.ended" event_is '.ISMS_EVENT == "grant.ended"' '.ISMS_USER == "ada"' '.ISMS_GROUPS == "db-admin"'
	ended_for() { event_is '.ISMS_EVENT == "session.terminated"' '.ISMS_USER == "ada"' ".ISMS_REASON == \"$1\""; }
	check "event session.terminated says why" ended_for grant-ended
fi

# ---- at work on both ----------------------------------------------------------------------------------
through_tunnel() { # to sshd behind it, which greets
	timeout 5 bash -c 'exec 3<>/dev/tcp/localhost/2222 && read -r line <&3 && [[ $line == SSH-2.0-* ]]' 2>/dev/null
}
at_work() { # a shell, tmux, what a logged-out session left, a tunnel, a job of cron
	on_a_terminal && by_ssh ada -- 'tmux new-session -d "sleep 3002"' &&
		by_ssh ada -- 'setsid nohup sleep 3003 >/dev/null 2>&1 </dev/null &' || return
	code=$(fresh_code ada) SSH_ASKPASS=$people/ada/askpass SSH_ASKPASS_REQUIRE=force \
		ssh $ssh_options -N -L 2222:localhost:22 ada@localhost >/dev/null 2>&1 </dev/null &
	wait_until 75 test -s /tmp/cron.ada && wait_until 10 through_tunnel || return
	local n
	for n in 3000 3002 3003; do wait_until 10 runs $n || { echo "sleep $n does not run"; return 1; }; done
}
if on b; then
	check "at work" at_work
	check "mark" mark
	tell at-work
else
	session_here() { by_ssh ada -tt -- 'sleep 3004' >/dev/null 2>&1 & wait_until 10 has_session ada; }
	check "she is at work on b" told at-work
	# b has used up codes: what it has counted is ahead of what a knows.
	echo 12 >$people/ada/counter
	check "a session here, too" session_here
	# What show says of her: of the grant that is to come, and not of the one that has ended.
	shown() { isms-userctl show ada --json | jq -e '.grants | map([.group, .state, .approver]) == [["db-admin", "future", "carol"]]'; }
	check "and a grant to come" as_carol grant ada db-admin --from +1h --for 10m --reason "the rest of it" --ticket T-3
	check "which show tells of" shown
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
	at_home() {
		install -d -m 700 -o ada -g "$(id -g ada)" /home/ada/.ssh &&
			install -m 600 -o ada -g "$(id -g ada)" $people/ada/key.pub /home/ada/.ssh/authorized_keys
	}
	check "she is put out" told left
	check "session, tmux and tunnel are gone" wait_until 30 nothing_left
	took=$(($(date +%s%3N) - $(cat /shared/left)))
	echo "after $took ms"
	check "within five seconds" test $took -le 5000
	wc -l </tmp/cron.ada >/run/jobs
	refused "her key is not offered any more" offered
	code=12345678
	refused "her key opens nothing" by_key_aloud
	refused "sshd does not accept it" accepted
	check "because she is disabled" denied_with disabled ada
	check "b's journal has the end" ended_for disabled
	check "mark" mark
	check "the same key in a file of her home" at_home
	refused "opens nothing either" by_key_aloud
	check "though sshd accepts it" accepted
	check "because she is disabled" denied_with disabled ada
	unset code
	sleep 65		# cron looks at its tables every minute
	check "her cron job does not run any more" test "$(wc -l </tmp/cron.ada)" = "$(cat /run/jobs)"
	check "cron was refused" event_is '.ISMS_EVENT == "login.denied"' '.ISMS_USER == "ada"' '.ISMS_SERVICE == "cron"'
fi
check "both have seen it" meet left 240

# ---- the proof ------------------------------------------------------------------------------------
if on a; then
	proof=/run/leavers.json
	leavers() { isms-userctl report --leavers --json >$proof; local rc=$?; cat $proof; return $rc; }
	check "report --leavers" leavers
	check "she is the one" jq -e 'length == 1 and .[0].user == "ada" and .[0].state == "disabled" and .[0].ticket == "T-2" and .[0].reason == "order done"' $proof
	grants_left() { isms-userctl grant --list --json | jq -e 'map([.user, .group, .state, .ticket]) == [["ada", "db-admin", "ended", "T-3"]]'; }
	check "the grant that has ended stays as evidence, what was to come does not" grants_left
	check "nothing is left over" jq -e '.[0].left_over == []' $proof
	for step in disable:done sessions:done tokens:done recovery-codes:nothing keys:done grants:done requests:nothing \
		exemptions:nothing groups:done; do
		check "step ${step%:*}: ${step#*:}, with its time and event" jq -e --arg step ${step%:*} --arg state ${step#*:} \
			'.[0].steps[] | select(.step == $step) | .state == $state and (.time | fromdateiso8601 > 0) and (.event_id | length == 36)' $proof
	done
	steps() { jq -c "$1[] | [.step, .event_id]" "$2"; }
	same_steps() { diff <(steps '.[0].steps' $proof) <(steps .steps $report); }
	check "they are what leave told" same_steps
	in_journal() { diff <(steps '.[0].steps' $proof) <(events | jq -c 'select(.ISMS_EVENT == "account.left" and .ISMS_USER == "ada") | [.ISMS_STEP, .ISMS_ID]'); }
	check "and what the journal has" in_journal
	check "her last login, and the end of her session here" jq -e '.[0].last_login.event_id != null and .[0].sessions_ended.event_id != null' $proof
	for_people() { # a line for each step
		isms-userctl report --leavers 1 >/run/leavers && grep "^Left  *ada" /run/leavers || return
		jq -r '.[0].steps[] | "^\(.step)  *\(.state)  *\(.time) .*\(.event_id)"' $proof >/run/lines && [ "$(wc -l </run/lines)" = 9 ] || return
		while read -r line; do grep -E "$line" /run/leavers || { echo "no $line"; cat /run/leavers; return 1; }; done </run/lines
	}
	check "for people, a line for each step" for_people
	refused "she does not get in here either" by_ssh ada -- true
	check "because she is disabled" denied_with disabled ada
fi
# What goes wrong in the dark would be seen nowhere else. Refusals are events of their own, and no errors.
no_errors() {
	journalctl --sync && journalctl -q -b -o short -p err -u 'ismsd-*' >/run/errors &&
		journalctl -q -b -o short -p err -t pam_isms -t libnss_isms >>/run/errors || return
	cat /run/errors
	[ ! -s /run/errors ]
}
check "none of ours wrote an error to the journal" no_errors
check "both are done" meet done 120		# the wire goes with either
finish
