#!/bin/bash
# events: what a SIEM is told: each decision once, complete, numbered without gaps, not forgeable (issue 2, done
# when 7; CASES JL01a, JL02a, JL04a, JL05a, JL06a, UC02a).
. "$(dirname "$0")/lib.sh"
prepare
check "contractor" contractor ada
check "local people" local_people

systemctl start cron
decisions() { events | jq -c 'select(.ISMS_DECISION == "granted" or .ISMS_DECISION == "denied" or .ISMS_DECISION == "passed")'; }
results() { decisions | jq -c 'select(.ISMS_DECISION != "passed")'; }
# until nothing more is told of what has ended meanwhile
silence() { local n=-1 m; while m=$(events | wc -l); [ "$m" != "$n" ]; do n=$m; sleep 1.5; done; }
documented() { zcat /usr/share/man/man7/isms-events.7.gz | sed -n '/^\.SH FIELDS/,/^\.SH REASONS/s/.*\(ISMS_[A-Z_]*\).*/\1/p' | sort -u; }

# What each result carries, and beside it what the front's and what a module's own one does.
carries() { local f c=true; for f; do c+=" and .ISMS_$f != null"; done; echo "$c"; }
complete='(.ISMS_TXN | test("^[0-9a-f]{32}$")) and .ISMS_USER == "ada" and .ISMS_UID == "'$(id -u ada)'" and '
complete+='(.ISMS_REASON as $reason | .MESSAGE | contains("user=ada") and contains("reason=" + $reason)) and '$(carries CONTROL)
of_front='(.ISMS_SEQ | test("^[0-9]+$")) and ._SYSTEMD_UNIT == "ismsd-front.service" and '
of_front+=$(carries KIND ROLES NOT_AFTER DATA_AGE_SEC)
of_module='.ISMS_SEQ == null and ._UID == "0" and .SYSLOG_IDENTIFIER == "pam_isms" and '$(carries FAULT)
granted='.MESSAGE_ID == "3b87cd295b054a06b8df6b36001ed0d1" and .ISMS_EVENT == "login.granted" and .ISMS_DECISION == "granted"'
denied='.MESSAGE_ID == "7d1c282bf2b54640b771c441a240bf13" and .ISMS_EVENT == "login.denied" and .ISMS_DECISION == "denied"'
results_are() { # SERVICE N JQ-CONDITION...: exactly N results, each as it says, complete, and a transaction of its own
	local service=$1 n=$2 c=$complete condition
	shift 2
	for condition; do c+=" and ($condition)"; done
	results | jq -s -e "map(select(.ISMS_SERVICE == \"$service\")) | length == $n and all(.[]; $c) and
		(map(.ISMS_TXN) | unique | length) == $n" >/dev/null && return
	results | jq --arg s "$service" 'select(.ISMS_SERVICE == $s) |
		with_entries(select(.key | test("^ISMS|^MESS|^_UID|^_SYSTEMD_UNIT")))'
	return 1
}
results_count() { [ "$(results | wc -l)" = "$1" ] || { results | jq -r .MESSAGE; return 1; }; }

# ---- one decision, one event ---------------------------------------------------------------------
check "mark" mark
check "a login" by_ssh ada -- true
sleep 1
of_sshd() { jq -c 'select(.ISMS_SERVICE == "sshd")'; }	# logind starts her user manager, which is a decision of its own
of_a_login() { [ "$(decisions | of_sshd | jq -r '.ISMS_EVENT' | sort | tr '\n' ' ')" = "auth.passed login.granted " ] || { decisions | jq -r .MESSAGE; return 1; }; }
check "a login leaves auth.passed and login.granted, once each" of_a_login
full='.ISMS_EVENT != "login.granted" or .ISMS_SERVICE != "sshd" or (.ISMS_REASON == "ok" and .ISMS_KIND == "contractor" and '
full+='.ISMS_FACTORS == "password otp" and .ISMS_ROLES == "contractor" and '$(carries RHOST TTY RULE)')'
check "they carry every field of a decision" results_are sshd 1 "$granted" "$full" "$of_front"
one_transaction() { [ "$(events | of_sshd | jq -r 'select(.ISMS_USER == "ada" and .ISMS_TXN) | .ISMS_TXN' | sort -u | wc -l)" = 1 ]; }
check "auth, account, session and close bear one transaction" one_transaction
check "session.opened" event_is '.ISMS_EVENT == "session.opened"' '.ISMS_SERVICE == "sshd"' '.ISMS_SEQ' '.ISMS_TXN'
check "session.closed" wait_until 5 event_is '.ISMS_EVENT == "session.closed"' '.ISMS_SERVICE == "sshd"' '.ISMS_SEQ' '.ISMS_TXN'
check "mark" mark
code=000000 refused "a refusal" by_ssh ada -- true
sleep 1
of_a_refusal() { [ "$(decisions | wc -l)" = 1 ] || { decisions | jq -r .MESSAGE; return 1; }; }
check "a refusal leaves one event" of_a_refusal
catalog() { journalctl -x -n 200 --no-pager -u ismsd-front | tee /dev/stderr | grep -qi 'A one-time code was wrong'; }
check "journalctl -x explains it" catalog

# ---- every way in, granted, denied, and with nobody to ask -------------------------------------------
echo 'ada ALL=(ALL) ALL' >/etc/sudoers.d/isms-test
echo 'Defaults passwd_tries=1' >>/etc/sudoers.d/isms-test
services="sshd su-l sudo login cron systemd-user"
cron_jobs() { # N: for the next minute, whoever else logs in meanwhile
	local left i
	within_a_minute
	left=$((60 - $(date +%s) % 60))
	rm -f /tmp/cron.ran
	for i in $(seq "$1"); do echo '* * * * * ada echo ran >>/tmp/cron.ran'; done >/etc/cron.d/isms-test
	(sleep $((left + 4)); rm /etc/cron.d/isms-test) &	# nor for the one after it, however long the others take
	cron_done=$!
}
cron_ran() { # N: so many of them did
	wait $cron_done && [ "$(cat /tmp/cron.ran 2>/dev/null | wc -l)" = "$1" ]
}
manager() { stop_user_manager ada; by_user_manager ada true; }
sudos="export SUDO_ASKPASS=$people/ada/askpass; for i in 1 2 3; do sudo -k -A true || exit; done"
three_times() { # the last login by ssh makes three by sudo; logind starts no manager beside the one that runs
	local i
	cron_jobs 3
	for i in 1 2 3; do manager || return; done
	for i in 1 2 3; do by_login ada 'id -un' && by_su ada 'id -un' || return; done
	by_ssh ada -- true && by_ssh ada -- true && by_ssh ada -- "$sudos" && cron_ran 3
}
sudo_once() { SUDO_ASKPASS=$people/ada/askpass code=000000 setpriv --reuid ada --regid ada --init-groups sudo -k -A true; }
no_way_in() {
	cron_jobs 1
	! manager && ! by_ssh ada -- true && ! by_login ada 'id -un' && ! by_su ada 'id -un' && ! sudo_once && cron_ran 0
}
check "a manager that stays" loginctl enable-linger ada
check "it runs" by_user_manager ada true
check "mark" mark
check "JL06a three logins by each way" three_times
for s in $services; do
	check "JL06a $s: three events, granted" results_are $s 3 "$granted" '.ISMS_REASON == "ok"' "$of_front"
done
check "JL06a and no other" results_count 18
check "disable" isms-userctl disable ada --reason test --yes
sleep 1
check "mark" mark
check "disabled: no way in" no_way_in
for s in $services; do
	check "disabled, $s: one event" results_are $s 1 "$denied" '.ISMS_REASON == "disabled"' "$of_front"
done
check "disabled: and no other" results_count 6
check "enable" isms-userctl enable ada --reason test --yes
systemctl stop ismsd-front.{socket,service}
check "mark" mark
check "front stopped: no way in" no_way_in
for s in $services; do
	check "front stopped, $s: one event of the module" results_are $s 1 "$denied" '.ISMS_REASON == "daemon-unavailable"' "$of_module"
done
check "front stopped: and no other" results_count 6
systemctl start ismsd-front.{socket,service}
check "front started: in" by_ssh ada -- true
only_documented() { # and the manual page documents some
	local seen
	seen=$(journalctl -o json --all | jq -r 'select(.ISMS_EVENT) | keys[] | select(startswith("ISMS_"))' | sort -u)
	[ "$(documented | wc -l)" -gt 25 ] && [ -n "$seen" ] && [ -z "$(comm -13 <(documented) <(echo "$seen"))" ]
}
check "no field that isms-events(7) does not document" only_documented
same_by_tool() { # isms-userctl shows what the journal holds, field by field
	local pick='with_entries(select(.key | test("^ISMS_|^MESSAGE")))'
	journalctl --sync
	isms-userctl events --json >/run/people/tool.json &&
		jq -e -s 'length > 50 and all(.[]; .genuine)' /run/people/tool.json >/dev/null &&
		jq -e -s "any(.[]; $granted)" /run/people/tool.json >/dev/null &&
		diff <(jq -S -c "$pick" /run/people/tool.json) \
			<(journalctl -o json --all | jq -S -c "select(.ISMS_EVENT) | $pick")
}
silence
check "isms-userctl events --json: all of them, with all their fields" same_by_tool

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
# No ssh client sends such a name; who calls PAM himself may claim any, and any address too.
claims() { # NAME RHOST
	printf 'x\nx\n' | pamtester -I rhost="$2" login "$1" authenticate
}
one_event() { # RHOST: exactly one of any kind since the mark, with the marker for the name and this address
	[ "$(events | wc -l)" = 1 ] || { events | jq -r .MESSAGE; return 1; }
	event_is '.ISMS_USER == "<unknown>"' '.ISMS_DECISION == "denied"' \
		'.ISMS_REASON == "unknown-user"' ".ISMS_RHOST == \"$1\"" '.MESSAGE | test("\n") | not' '.ISMS_SEQ' '.ISMS_TXN'
}
mark_alone() { systemctl stop "user@$(id -u ada)" && silence && mark; }	# what a login left has ended, and was told
newline=$'ada\nISMS_DECISION=granted'
check "JL01a mark" mark_alone
refused "JL01a a name and an address with a newline" claims "$newline" "$newline"
check "JL01a one event, escaped" one_event 'ada\\x0aISMS_DECISION=granted'
not_forged() { journalctl --sync && [ -z "$(journalctl -o json --after-cursor="$journal_mark" ISMS_DECISION=granted)" ]; }
check "JL01a no event was forged" not_forged
check "JL01a mark" mark_alone
refused "JL01a its twin, a name and an address without" claims stranger 192.0.2.7
check "JL01a its twin: one event" one_event 192.0.2.7
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
left_out() { # and not all the rest with it
	isms-userctl events --format json >/run/people/tool.json &&
		jq -e -s "any(.[]; $granted)" /run/people/tool.json >/dev/null && ! grep forged /run/people/tool.json
}
check "JL04a isms-userctl events leaves it out, and genuine ones not" left_out
check "JL04a --all shows it as not genuine" bash -c 'isms-userctl events --all | tee /dev/stderr | grep "not genuine.*login granted user=root"'
tool_json() { isms-userctl events --user ada --format json | tee /dev/stderr | jq -e -s 'any(.[]; .ISMS_EVENT == "login.granted")' >/dev/null; }
check "isms-userctl events --format json" tool_json

# ---- an administrator's change -----------------------------------------------------------------------
check "set-expiry" isms-userctl set-expiry ada +3h --reason 'more work' --ticket CHG-42 --yes
check "UC02a event with old, new, actor, reason, ticket" event_is '.ISMS_EVENT == "account.expiry-changed"' '.ISMS_USER == "ada"' \
	'.ISMS_OLD' '.ISMS_NEW' '.ISMS_ACTOR' '.ISMS_TICKET == "CHG-42"' '.ISMS_NOTE == "more work"'

check "mark" mark

# ---- no journal --------------------------------------------------------------------------------------
no_journal() { systemctl stop systemd-journald.socket systemd-journald-dev-log.socket systemd-journald-audit.socket systemd-journald.service 2>/dev/null; true; }
check "JL02a journald stopped" no_journal
check "JL02a login works" by_ssh ada -- true
check "JL02a journald started" systemctl start systemd-journald.socket systemd-journald-dev-log.socket systemd-journald.service
check "JL02a login works again" by_ssh ada -- true
gap_is_named() { # by the event: the numbers that the journal does not have, and no others
	local gaps missing count
	journalctl --sync
	gaps=$(journalctl -o json --all _SYSTEMD_UNIT=ismsd-front.service | jq -s -r '[.[] | select(.ISMS_SEQ) |
		.ISMS_SEQ | tonumber] | [.[1:], .[:-1]] | transpose | .[] | select(.[0] - .[1] != 1) |
		"\(.[0] - .[1] - 1) ISMS_SEQ \(.[1] + 1) to \(.[0] - 1)"')
	echo "missing: $gaps"
	read -r count missing <<<"$gaps"
	[ "$(wc -l <<<"$gaps")" = 1 ] && [ "$count" -ge 2 ] &&
		event_is '.ISMS_EVENT == "journal.gap"' ".ISMS_NOTE == \"$missing\"" ".ISMS_COUNT == \"$count\"" \
			'._SYSTEMD_UNIT == "ismsd-front.service"'
}
check "JL02a the numbers went on meanwhile, and the gap is reported" wait_until 10 gap_is_named
finish
