#!/bin/bash
# story: the main job, end to end (issue: done when 1, 2, 6). One contractor, from the packages to the
# second the contract ends. Every refusal stands beside its positive twin.
. "$(dirname "$0")/lib.sh"

check "packages install" install_packages
check "setup" setup
groupadd -g 990 docker
check "policy" tee /etc/isms/policy.conf <<'P'
P
check "a contractor, by one command" add_person ada contractor --until +1d --sponsor carol --group web-deploy
usermod -aG docker ada 2>/dev/null || sed -i 's/^docker:.*/&ada/' /etc/group
check "the account is visible within a second" wait_until 1 getent passwd ada
check "a code is enrolled" enroll_person ada

# ---- in -----------------------------------------------------------------------------------------
mark
check "ssh: password and code" by_ssh ada -- true
check "event: login granted" event_is '.ISMS_EVENT == "login.granted"' '.ISMS_USER == "ada"' '.ISMS_SERVICE == "sshd"'
groups_of_ada() { [ "$(by_ssh ada -- id -Gn | tr ' ' '\n' | sort | tr '\n' ' ')" = "ada isms-mfa web-deploy " ]; }
check "id: the allowed groups only" groups_of_ada

# ---- refused ------------------------------------------------------------------------------------
code=000000 refused "ssh: a wrong code" by_ssh ada -- true
again() { code=$(fresh_code ada) && by_ssh ada -- true && ! by_ssh ada -- true; }
check "ssh: a code is good once" again

# ---- the end ------------------------------------------------------------------------------------
end_soon() {
	by_ssh ada -- sleep 60 &
	local client=$! rc=0
	wait_until 10 has_session ada && isms-userctl set-expiry ada +20s --reason "the story's end" || return
	wait $client || rc=$?
	[ $rc != 0 ]
}
check "the end bites within 25 s" end_soon
refused "ssh after the end" by_ssh ada -- true
check "event: refused, because expired" event_is '.ISMS_EVENT == "login.denied"' '.ISMS_REASON == "expired"'
check "why says expired" why_says ada expired
finish
