#!/bin/bash
# leave: one command puts a person out for good and proves it: lock, sessions on this host, token, recovery codes, keys,
# groups; each step in the report and in the journal; again it does what is left; a step that fails keeps no other (issue 5).
. "$(dirname "$0")/lib.sh"
prepare
check "contractor" contractor ada --group web-deploy --group log-read
check "one who stays" contractor bob --group log-read
codes() { isms-userctl recovery-codes "$1" --secret-fd 3 3>/run/codes; }
check "recovery codes" codes ada
check "of both" codes bob
has_person() { # NAME ATTRIBUTE
	if on_slapd; then [ -n "$(value_of "$2" "uid=$1,ou=people,$base")" ]
	else sed -n "/^dn: uid=$1,/,/^\$/p" /var/lib/isms/directory/directory.ldif | grep -q "^$2:"; fi
}
report=/run/leave.json
leaves() { isms-userctl leave "$@" --reason "contract ended" --ticket T-7 --json >$report; local rc=$?; cat $report; return $rc; }
step() { jq -e ".steps[] | select(.step == \"$1\") | $2" $report >/dev/null; }

# ---- with a session open -------------------------------------------------------------------------
open_session() { by_ssh ada -tt -- 'sleep 3000' >/dev/null 2>&1 & wait_until 10 has_session ada; }
check "a session" open_session
check "what she left running" by_ssh ada -- 'setsid nohup sleep 3002 >/dev/null 2>&1 </dev/null &'
check "mark" mark
check "a dry run" leaves ada --dry-run
check "it would disable" step disable '.state == "planned"'
check "and changes nothing" has_session ada
started=$(date +%s)
check "leave" leaves ada
check "within five seconds" test $(($(date +%s) - started)) -le 5
check "nothing of hers runs when it is over" no_processes ada
for s in disable sessions tokens recovery-codes groups; do check "$s is done" step $s '.state == "done" and .time != null and .event_id != null'; done
for s in keys grants requests exemptions; do check "$s: there was nothing" step $s '.state == "nothing"'; done
check "her token is named" step tokens '.items | length == 1'
check "two groups" step groups '.count == 2'
for s in disable sessions tokens recovery-codes keys grants requests exemptions groups; do
	id=$(jq -r ".steps[] | select(.step == \"$s\") | .event_id" $report)
	check "event account.left of $s" event_is '.ISMS_EVENT == "account.left"' '.ISMS_USER == "ada"' ".ISMS_STEP == \"$s\"" \
		".ISMS_ID == \"$id\"" '.ISMS_TICKET == "T-7"' '.ISMS_NOTE == "contract ended"' '._UID == "0"'
done
check "event session.terminated" event_is '.ISMS_EVENT == "session.terminated"' '.ISMS_USER == "ada"'
refused "the directory has no token of hers" has_person ada oathHOTPToken
refused "nor recovery codes" has_person ada ismsRecoveryCode
check "its twin has both" has_person bob oathHOTPToken
check "and his codes" has_person bob ismsRecoveryCode
out_of() { isms-userctl show "$1" --json | jq -e "[.groups[].group] | index(\"log-read\") == null" >/dev/null; }
check "she is in no group" out_of ada
check "her twin is" bash -c '! isms-userctl show bob --json | jq -e "[.groups[].group] | index(\"log-read\") == null" >/dev/null'
refused "she does not get in" by_ssh ada -- true
check "because she is disabled" denied_with disabled ada
check "her twin does" by_ssh bob -- true

# ---- again, and half --------------------------------------------------------------------------
check "again: done, with nothing to do" leaves ada
check "nothing" bash -c "jq -e '[.steps[].state] | unique == [\"nothing\"]' $report"
if on_slapd; then
	check "somebody else's rule keeps the tokens" slapd_rules 's/^  by group.exact="cn=token-operators,ou=roles,dc=example,dc=com" write$/  by group.exact="cn=token-operators,ou=roles,dc=example,dc=com" read/'
	half() { status_is 1 leaves bob; }
	check "leave: a step fails, and the exit code tells" half
	check "which" step tokens '.state == "failed" and (.note | test("does not allow"))'
	check "it is not complete" bash -c "jq -e '.complete == false' $report"
	for s in disable groups; do check "$s is done all the same" step $s '.state == "done"'; done
	check "event of the failure" event_is '.ISMS_EVENT == "account.left"' '.ISMS_USER == "bob"' '.ISMS_STEP == "tokens"' '.ISMS_NEW == "failed"'
	check "the sample's rules" slapd_rules
	check "leave again: what was left is done" leaves bob
	check "his token is gone" step tokens '.state == "done"'
	check "nothing else was to do" step groups '.state == "nothing"'
fi
refused "nobody of that name" leaves nobody
finish
