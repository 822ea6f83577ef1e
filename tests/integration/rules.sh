#!/bin/bash
# rules: one more role on somebody who is let in, with one limit: where from, when, where, how far ahead. Each beside
# the value that lets the same person in (DESIGN 4.3; CASES AR03a).
. "$(dirname "$0")/lib.sh"
prepare
systemctl start cron
check "contractor" contractor ada --group web-deploy
echo 'ada ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/isms-test
check "ssh: no limit yet" by_ssh ada -- true

mkdir -p /etc/isms/policy.d
limit() { printf '[role limit]\nmatch = user:ada\n%s\ncontact = gate@example.com\n' "$1" >/etc/isms/policy.d/limit.conf && isms-userctl policy check && reload && mark; }
inet() { by_ssh ada -o AddressFamily=inet "$@"; }

# ---- from ----------------------------------------------------------------------------------------
check "from: the network of this host" limit 'from = 127.0.0.0/8'
check "from: ssh from within" inet -- true
check "from: sudo in that session" inet -- sudo -n true
check "from: cron, which comes from nowhere" by_cron ada 'id -un'
refused "from: a console has no address" by_login ada 'id -un'
check "reason source-not-allowed" denied_with source-not-allowed ada
check "from: another network" limit 'from = 192.0.2.0/24 local'
refused "from: ssh from outside" inet -- true
check "reason source-not-allowed" denied_with source-not-allowed ada
check "from: the console, by its word" by_login ada 'id -un'
why_from() { isms-userctl why ada --rhost "$1" --json; }
names_the_rule() {
	why_from 127.0.0.1 >/run/people/why	# its status says: refused
	cat /run/people/why
	jq -e '.reason == "source-not-allowed" and .facts.rule == "role limit: from (limit.conf:3)"' /run/people/why
}
check "why names the rule" names_the_rule
check "why lets an address of the network in" why_from 192.0.2.9

# ---- hours ---------------------------------------------------------------------------------------
at() { date -ud "@$1" +%H:%M; }
day() { LC_ALL=C date -ud "@$1" +%a; }
# The window's end is the next full minute that leaves time for two logins.
end=$((($(date +%s) + 25 + 59) / 60 * 60))
span="$(day $((end - 600))) $(at $((end - 600)))-$(at $end | sed 's/00:00/24:00/')"
check "hours: until the minute is full" limit "hours = $span UTC"
check "hours: ssh within" by_ssh ada -- true
(code=$(fresh_code ada) by_ssh ada -- 'echo in; sleep 80; echo still in' >/run/hours-session 2>&1) &
check "hours: a session is open" wait_until 10 grep -qx in /run/hours-session
in_until_the_end() { while [ "$(date +%s)" -lt $end ]; do sleep .1; done; }
check "hours: the end comes" in_until_the_end
refused "hours: ssh after their end" by_ssh ada -- true
check "reason outside-hours" denied_with outside-hours ada
check "hours: root's su, which is unattended" root_su ada 'id -un'
check "hours: whoever is in stays in" has_session ada
check "hours: round the clock" limit 'hours = Mon..Sun 00:00-24:00 Europe/Berlin'
check "hours: ssh within those" by_ssh ada -- true

# ---- allow-hosts ---------------------------------------------------------------------------------
check "allow-hosts: a host and a group" limit 'allow-hosts = web1 @web'
refused "allow-hosts: a host without a name" by_ssh ada -- true
check "reason host-not-allowed" denied_with host-not-allowed ada
system_name=$(hostname)
check "host-name: what the system calls itself counts for nothing" hostname web1
refused "allow-hosts: still without one" by_ssh ada -- true
check "the system has its own name again" hostname "$system_name"	# by which libldap knows a server on localhost
check "host-name" set_option login host-name web1
check "allow-hosts: the host" by_ssh ada -- true
check "host-name: another" set_option login host-name web2
refused "allow-hosts: another host" by_ssh ada -- true
check "host-groups" set_option login host-groups 'db web'
check "allow-hosts: the group" by_ssh ada -- true

# ---- max-term ------------------------------------------------------------------------------------
check "max-term: shorter than the contract" limit 'max-term = 1h'
refused "max-term: an end too far ahead" by_ssh ada -- true
check "reason term-too-long" denied_with term-too-long ada
check "max-term: an end within it" isms-userctl set-expiry ada +50m --reason "the role's longest term" --yes
nearer() { isms-userctl why ada --rhost 127.0.0.1 --factors password,otp; }
check "max-term: the change arrives" wait_until 3 nearer
check "max-term: ssh" by_ssh ada -- true
finish
