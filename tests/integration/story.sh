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
check "ssh: password and code" by_ssh ada -- true
check "event: login granted" event_is '.ISMS_EVENT == "login.granted"' '.ISMS_USER == "ada"' '.ISMS_SERVICE == "sshd"'
groups_of_ada() { id -Gn ada; [ "$(by_ssh ada -- id -Gn | tr ' ' '\n' | sort | tr '\n' ' ')" = "ada isms-mfa web-deploy " ]; }
check "id: the allowed groups only" groups_of_ada

# ---- refused ------------------------------------------------------------------------------------
code=000000 refused "ssh: a wrong code" by_ssh ada -- true
once() { local code; code=$(fresh_code ada) && by_ssh ada -- true && ! by_ssh ada -- true && denied_with mfa-replayed ada; }
check "ssh: a code is good once" once

# ---- the end ------------------------------------------------------------------------------------
end_bites() {
	local client rc=0 start code
	code=$(fresh_code ada)
	by_ssh ada -tt -- 'echo in; sleep 60' >/run/people/ada/terminal 2>&1 &
	client=$!
	unset code
	wait_until 10 has_session ada && start=$(date +%s) &&
		isms-userctl set-expiry ada +20s --reason "end of the story" --yes || return
	wait $client || rc=$?
	cat /run/people/ada/terminal
	[ $rc != 0 ] && [ $(($(date +%s) - start)) -ge 20 ] && [ $(($(date +%s) - start)) -le 25 ]
}
check "put out when the contract ends" end_bites
check "warned before" grep -qi "contract\|access.*end" /run/people/ada/terminal
refused "ssh after the end" by_ssh ada -- true
check "event: refused, because expired" denied_with expired ada
check "why says expired" why_says ada expired
finish
