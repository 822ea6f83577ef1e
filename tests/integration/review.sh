#!/bin/bash
# review: access is reviewed by somebody else, on fresh data, one result for each; who is not confirmed is out; the record
# stays as it was made (issue 5; CASES UC05a, UC07a).
. "$(dirname "$0")/lib.sh"
prepare
check "contractors" contractor ada --group web-deploy
check "and" contractor bob --group web-deploy
out=/run/out
ctl() { isms-userctl "$@" >$out 2>&1; local rc=$?; cat $out; return $rc; }
says() { status_is "$1" ctl "${@:3}" && grep -q -- "$2" $out; }
open_items() { isms-userctl review list --json | jq -r '.[].user' | sort | tr '\n' ' '; }
# Who decides: on slapd alice, who is an operator there and no account; on the file whom root names.
as=() by=alice
on_slapd || { as=(--as carol) by=carol; }

check "mark" mark
check "a review of a group" ctl review start --name web --scope group:web-deploy --due +30d --ticket T-1
check "two wait" test "$(open_items)" = "ada bob "
check "UC07a what was looked at too long ago is flagged" bash -c 'isms-userctl review list --seen 25h --json | jq -e "all(.[]; .stale != null)"'
check "UC07a and not signed" says 1 "max-data-age" review confirm ada "${as[@]}" --seen 25h
check "UC07a its twin: looked at an hour ago" ctl review confirm ada "${as[@]}" --seen 1h --reason "still needed"
check "event review.decided" event_is '.ISMS_EVENT == "review.decided"' '.ISMS_USER == "ada"' '.ISMS_REVIEW == "web"' '.ISMS_NEW == "confirm"' '.ISMS_ID != null'
check "one waits" test "$(open_items)" = "bob "
check "decided once" says 1 "decided already" review remove ada "${as[@]}"
in_group() { id -Gn "$1" | grep -qw web-deploy; }
out_of_group() { ! in_group "$1"; }
check "bob is in the group" in_group bob
check "his membership is removed" ctl review remove bob "${as[@]}"
check "he is out of it within a second" wait_until 1 out_of_group bob
check "ada is not" in_group ada
check "he still logs in" by_ssh bob -- true
check "the review is closed" test -z "$(open_items)"
check "who decided" bash -c "isms-userctl review export --review web --json | jq -e 'length == 2 and all(.[]; .decided_by == \"$by\" or (.decided_by | test(\"cn=$by,\")))'"
check "the export is CSV" bash -c 'isms-userctl review export --review web | grep -q "^\"web\",\"group:web-deploy\",\"ada\","'

check "a review of all contractors" ctl review start --name contractors --scope kind:contractor
open_session() { by_ssh bob -tt -- 'sleep 3000' >/dev/null 2>&1 & wait_until 10 has_session bob; }
check "bob has a session" open_session
check "mark" mark
check "bob's access is removed" ctl review remove bob "${as[@]}"
check "he is put out within five seconds" wait_until 5 no_processes bob
refused "and does not get in" by_ssh bob -- true
check "because he is disabled" denied_with disabled bob
check "ada does" by_ssh ada -- true

# ---- about himself, and as somebody else -----------------------------------------------------------
if on_slapd; then
	ada_may() {
		printf 'dn: cn=account-operators,ou=roles,%s\nchangetype: modify\nadd: member\nmember: uid=ada,ou=people,%s\n' $base $base |
			as_admin ldapmodify
	}
	as_ada() { /usr/bin/isms-userctl "$@" --bind-dn "uid=ada,ou=people,$base" --bind-password-fd 9 9<$people/ada/password >$out 2>&1; local rc=$?; cat $out; return $rc; }
	check "ada is an operator" ada_may
	by_herself() { status_is 1 as_ada review confirm ada && grep -q "nobody decides about himself" $out; }
	check "she does not decide about herself" by_herself
	named() { status_is 2 as_ada review confirm ada --as carol && grep -q "for root alone" $out; }
	check "nor in somebody's name" named
	by_alice() { # ada, in a session of her own, with the password of an operator's entry
		by_ssh ada -- "echo alice-password | /usr/bin/isms-userctl review confirm $1 --bind-dn $(dn_of alice) --bind-password-fd 0" >$out 2>&1
		local rc=$?
		cat $out
		return $rc
	}
	by_her_operator() { status_is 1 by_alice ada && grep -q "nobody decides about himself" $out; }
	check "nor as an operator of another name" by_her_operator
	rewrites() { # what was decided stays: by the tool's own name at the server
		printf 'dn: cn=ada,cn=web,ou=reviews,%s\nchangetype: modify\nreplace: ismsDecision\nismsDecision: remove\n' $base |
			status_is 50 as alice ldapmodify
	}
	check "an operator cannot rewrite what was decided" rewrites
	removes() { status_is 50 as alice ldapdelete "cn=ada,cn=web,ou=reviews,$base"; }
	check "nor delete it" removes
	check "its twin: alice decides about ada" ctl review confirm ada
	check "and ada about carol, as that operator" ctl review start --name again --scope kind:employee
	check "its twin: about carol" by_alice carol
	check "an auditor reads it" bash -c "$(declare -f with_password dn_of); base=$base; with_password audrey /usr/bin/isms-userctl review export --review web --json | jq -e 'length == 2'"
else
	check "nobody decides about himself" says 1 "nobody decides about himself" review confirm ada --as ada
	check "its twin: carol decides about ada" ctl review confirm ada --as carol
fi

# ---- UC05a many ------------------------------------------------------------------------------------
many=${ISMS_MANY-500}
people_in_bulk() {
	local n
	for n in $(seq "$many"); do
		printf 'dn: uid=p%d,ou=people,%s\nobjectClass: inetOrgPerson\nobjectClass: posixAccount\nobjectClass: ismsAccount\nemployeeType: employee\nsn: p\nuid: p%d\ncn: p%d\nuidNumber: %d\ngidNumber: %d\nhomeDirectory: /home/p%d\nloginShell: /bin/sh\n\n' \
			$n "$1" $n $n $((20000 + n)) $((20000 + n)) $n
	done
}
add_many() {
	if on_slapd; then people_in_bulk $base | as_admin ldapadd >/dev/null; return; fi
	local f=/var/lib/isms/directory/directory.ldif
	cp -p $f $f.new && { echo; people_in_bulk dc=isms,dc=local; } >>$f.new && mv $f.new $f
}
check "$many accounts" add_many
check "known here" wait_until 30 getent passwd p$many
check "a review of all" ctl review start --name everybody
check "UC05a $many in one go want a yes" says 1 "say --yes" review remove $(seq -f p%g "$many") --review everybody "${as[@]}"
check "nobody was touched" by_ssh ada -- true
check "UC05a with it: one name is wrong, and the others are done" status_is 1 ctl review remove $(seq -f p%g "$many") nosuch --review everybody "${as[@]}" --yes --json
results() { sed -n '/^\[/,$p' $out | jq -e "length == $many + 1 and ([.[] | select(.result == \"done\")] | length == $many) and (.[-1].result == \"refused\")"; }
check "UC05a each has its own result" results
check "all are disabled" bash -c "[ \$(isms-userctl list --json | jq '[.[] | select(.state == \"disabled\" and (.user | test(\"^p[0-9]\")))] | length') = $many ]"

# ---- the auditor's summary ----------------------------------------------------------------------------
check "report" bash -c 'isms-userctl report --json | jq -e ".may_enter | map(.user) | index(\"ada\") != null and index(\"bob\") == null"'
check "report for people" bash -c 'isms-userctl report | grep -q "^Second factor: "'
check "overdue reviews are in it" bash -c 'isms-userctl report --json | jq -e ".reviews | map(.review) | index(\"web\") != null"'
finish
