#!/bin/bash
# story: the main job, end to end (issue 2, done when 1). One contractor, from the packages to the second the
# contract ends. tools/demo tells the same story to people.
. "$(dirname "$0")/lib.sh"

prepare
check "a contractor, by one command" add_person ada contractor --until +1d --sponsor carol --group web-deploy --group docker
check "visible to lookups within a second" wait_until 1 getent passwd ada
check "a code is enrolled" enroll_person ada

# ---- in -----------------------------------------------------------------------------------------
check "mark" mark
logs_in() { by_ssh ada -- id -Gn >/run/people/ada/groups; }
code=$(fresh_code ada)
check "ssh: password and code" logs_in
check "event: login granted" event_is '.ISMS_EVENT == "login.granted"' '.ISMS_USER == "ada"' '.ISMS_SERVICE == "sshd"'
check "id: the allowed groups only" test "$(tr ' ' '\n' <$people/ada/groups | sort | tr '\n' ' ')" = "ada isms-mfa web-deploy "

# ---- refused ------------------------------------------------------------------------------------
refused "ssh: a code is good once" by_ssh ada -- true
check "event: mfa-replayed" denied_with mfa-replayed ada
code=000000
refused "ssh: a wrong code" by_ssh ada -- true
check "event: mfa-failed" denied_with mfa-failed ada
unset code

# ---- the end ------------------------------------------------------------------------------------
end_bites() {
	local client rc=0 end ended code
	code=$(fresh_code ada)
	by_ssh ada -tt -- 'echo in; sleep 60' >/run/people/ada/terminal 2>&1 &
	client=$!
	unset code
	wait_until 10 has_session ada && isms-userctl set-expiry ada +20s --reason "end of the story" --yes &&
		end=$(isms-userctl show ada --json | jq -r '[.. | .not_after? // empty] | first') && end=$(date -d "$end" +%s) || return
	wait $client || rc=$?
	ended=$(date +%s)
	cat /run/people/ada/terminal
	echo "status $rc, $((ended - end)) s after the end"
	[ $rc != 0 ] && [ $ended -ge $end ] && [ $ended -le $((end + 5)) ]
}
check "put out when the contract ends" end_bites
check "warned before" grep -qi "contract\|access.*end" /run/people/ada/terminal
refused "ssh after the end" by_ssh ada -- true
check "event: refused, because expired" denied_with expired ada
check "why says expired" why_says ada expired
finish
