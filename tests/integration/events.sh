#!/bin/bash
# events: what a SIEM is told: each decision once, complete, numbered without gaps, not forgeable (issue 2, done
# when 7; CASES JL01a, JL02a, JL04a, JL05a, JL06a, UC02a).
. "$(dirname "$0")/lib.sh"
prepare
check "contractor" contractor ada
check "local people" local_people

decisions() { events | jq -c 'select(.ISMS_DECISION == "granted" or .ISMS_DECISION == "denied" or .ISMS_DECISION == "passed")'; }
all_true() { jq -e -s "map($1) | all" >/dev/null || { decisions | jq -r .MESSAGE; return 1; }; }

# ---- one decision, one event ---------------------------------------------------------------------
check "mark" mark
check "a login" by_ssh ada -- true
sleep 1
of_sshd() { jq -c 'select(.ISMS_SERVICE == "sshd")'; }	# logind starts her user manager, which is a decision of its own
of_a_login() { [ "$(decisions | of_sshd | jq -r '.ISMS_EVENT' | sort | tr '\n' ' ')" = "auth.passed login.granted " ] || { decisions | jq -r .MESSAGE; return 1; }; }
check "a login leaves auth.passed and login.granted, once each" of_a_login
check "they carry every field of a decision" bash -c "
	. $tests/check.sh; . $tests/integration/people.sh; journal_mark='$journal_mark'
	events | jq -e -s 'map(select(.ISMS_EVENT == \"login.granted\" and .ISMS_SERVICE == \"sshd\")) | .[0] | (.MESSAGE_ID | test(\"^[0-9a-f]{32}$\"))
		and .ISMS_REASON == \"ok\" and .ISMS_USER == \"ada\" and .ISMS_UID and .ISMS_KIND == \"contractor\" and .ISMS_ROLES
		and .ISMS_FACTORS and .ISMS_SERVICE == \"sshd\" and .ISMS_RHOST and .ISMS_TXN and .ISMS_SEQ and .ISMS_NOT_AFTER
		and .ISMS_DATA_AGE_SEC and .ISMS_CONTROL and ._SYSTEMD_UNIT == \"ismsd-front.service\"
		and (.MESSAGE | test(\"login granted.*user=ada.*reason=ok.*service=sshd\"))' ||
	{ events | jq 'select(.ISMS_EVENT == \"login.granted\")'; false; }"
one_transaction() { [ "$(events | of_sshd | jq -r 'select(.ISMS_USER == "ada" and .ISMS_TXN) | .ISMS_TXN' | sort -u | wc -l)" = 1 ]; }
check "auth, account, session and close bear one transaction" one_transaction
check "session.opened and session.closed" bash -c "
	. $tests/check.sh; . $tests/integration/people.sh; journal_mark='$journal_mark'
	event_is '.ISMS_EVENT == \"session.opened\"' && event_is '.ISMS_EVENT == \"session.closed\"'"
check "mark" mark
code=000000 refused "a refusal" by_ssh ada -- true
sleep 1
of_a_refusal() { [ "$(decisions | wc -l)" = 1 ] || { decisions | jq -r .MESSAGE; return 1; }; }
check "a refusal leaves one event" of_a_refusal
catalog() { journalctl -x -n 200 --no-pager -u ismsd-front | tee /dev/stderr | grep -qi 'A one-time code was wrong'; }
check "journalctl -x explains it" catalog

# ---- numbers ---------------------------------------------------------------------------------------
no_gap() { journalctl --sync; journalctl -o json --all | jq -s -e '[.[] | select(.ISMS_SEQ) | .ISMS_SEQ | tonumber] | . == [range(.[0]; .[0] + length)]' >/dev/null ||
	{ journalctl -o json --all | jq -r 'select(.ISMS_SEQ) | .ISMS_SEQ + " " + .MESSAGE'; return 1; }; }
some_logins() { local i; for i in 1 2 3 4; do by_ssh ada -- true && ! code=000000 by_ssh ada -- true || return; done; }
check "JL06a logins and refusals" some_logins
check "JL06a the sequence has no gap" no_gap
check "JL06a nor after a restart" bash -c "systemctl restart ismsd-front; sleep 1"
check "JL06a login" by_ssh ada -- true
check "JL06a the sequence goes on" no_gap
each_once() { events | jq -s -e '[.[] | select(.ISMS_SEQ) | .ISMS_SEQ] | length == (unique | length)' >/dev/null; }
check "JL06a no number twice" each_once

# ---- hostile ---------------------------------------------------------------------------------------
check "mark" mark
by_name() { # NAME: ssh with any name
	mkdir -p $people/x && echo x >$people/x/password && write_askpass x
	password=x code=x SSH_ASKPASS=$people/x/askpass SSH_ASKPASS_REQUIRE=force ssh $ssh_options -l "$1" localhost true </dev/null
}
refused "JL05a a password typed as a name" by_name my-secret-passphrase
never_logged() { sleep 1; journalctl --sync; ! journalctl -o json --after-cursor="$journal_mark" | jq -c 'select(.ISMS_EVENT)' | grep -i 'my-secret-passphrase'; }
check "JL05a is in no event of ours" never_logged
check "JL05a a fixed marker is" event_is '.ISMS_USER == "<unknown>"'
refused "JL01a a name with a newline" by_name 'ada
ISMS_DECISION=granted'
check "JL01a no event was forged" bash -c "journalctl --sync; ! journalctl -o json --after-cursor='$journal_mark' ISMS_DECISION=granted | grep -q ."
forge() { setpriv --reuid local --regid local --init-groups logger --journald <<-'L'
	MESSAGE=login granted user=root reason=ok
	MESSAGE_ID=3b87cd295b054a06b8df6b36001ed0d1
	ISMS_EVENT=login.granted
	ISMS_DECISION=granted
	ISMS_USER=forged
	ISMS_SEQ=999999
L
}
check "JL04a a forged event" forge
check "JL04a it is in the journal" bash -c 'journalctl --sync; journalctl ISMS_USER=forged | grep -q .'
check "JL04a isms-userctl events leaves it out" bash -c '! isms-userctl events --format json | grep forged'
check "JL04a --all shows it as not genuine" bash -c 'isms-userctl events --all | tee /dev/stderr | grep "not genuine.*login granted user=root"'
tool_json() { isms-userctl events --user ada --format json | tee /dev/stderr | jq -e -s 'any(.[]; .ISMS_EVENT == "login.granted")' >/dev/null; }
check "isms-userctl events --format json" tool_json

# ---- an administrator's change -----------------------------------------------------------------------
check "set-expiry" isms-userctl set-expiry ada +3h --reason 'more work' --ticket CHG-42 --yes
check "UC02a event with old, new, actor, reason, ticket" event_is '.ISMS_EVENT == "account.expiry-changed"' '.ISMS_USER == "ada"' \
	'.ISMS_OLD' '.ISMS_NEW' '.ISMS_ACTOR' '.ISMS_TICKET == "CHG-42"' '.ISMS_NOTE == "more work"'

# ---- no journal --------------------------------------------------------------------------------------
no_journal() { systemctl stop systemd-journald.socket systemd-journald-dev-log.socket systemd-journald-audit.socket systemd-journald.service 2>/dev/null; true; }
check "JL02a journald stopped" no_journal
check "JL02a login works" by_ssh ada -- true
check "JL02a journald started" systemctl start systemd-journald.socket systemd-journald-dev-log.socket systemd-journald.service
check "JL02a login works again" by_ssh ada -- true
gap() { journalctl --sync; journalctl -o json --all | jq -s -e '[.[] | select(.ISMS_SEQ) | .ISMS_SEQ | tonumber] | sort | [.[1:], .[:-1]] | transpose | map(.[0] - .[1]) | max >= 2 and min >= 1'; }
check "JL02a the numbers went on meanwhile: the gap is visible" gap
finish
