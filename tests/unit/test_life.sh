#!/bin/bash
# test_life.sh: leave, reviews and the auditor's report by the real isms-userctl on a root in a temp folder, as whoever
# runs the tests: exit status, JSON, what stands in the directory afterwards.
. "${srcdir:-.}/tests/unit/userctl_scene.sh"
base=dc=isms,dc=local
person() { add 0 "$@"; }
put() { cat >>"$ldif"; }	# entries on stdin, as another tool of ours would have written them

run 0 setup --base $base --yes
person carol --kind employee
person dave --kind employee
person ada --kind contractor --until +30d --sponsor carol --group web --group ops
person bob --kind contractor --until +30d --sponsor ada --group ops
for user in ada bob; do
	put <<-L

		dn: cn=T-$user,ou=tokens,$base
		objectClass: device
		objectClass: oathHOTPToken
		objectClass: oathHOTPParams
		cn: T-$user
		oathTokenSerialNumber: T-$user
		oathSecret: 12345678901234567890
		oathOTPLength: 6
		oathHMACAlgorithm: 1.2.840.113549.2.7
		oathHOTPLookAhead: 10
		oathHOTPCounter: 0

		dn: cn=g-$user,ou=grants,$base
		objectClass: ismsGrant
		cn: g-$user
		ismsMember: uid=$user,ou=people,$base
		ismsGroup: cn=web,ou=groups,$base
		ismsUntil: 20991231000000Z

		dn: cn=e-$user,ou=exemptions,$base
		objectClass: ismsExemption
		cn: e-$user
		ismsMember: UID=$user, ou=people, $base
		ismsControl: mfa
		ismsApprover: uid=carol,ou=people,$base
		ismsReason: a robot's arm
		ismsUntil: 20991231000000Z

		dn: cn=g0-$user,ou=grants,$base
		objectClass: ismsGrant
		cn: g0-$user
		ismsMember: uid=$user,ou=people,$base
		ismsGroup: cn=web,ou=groups,$base
		ismsUntil: 20200101000000Z

		dn: cn=e0-$user,ou=exemptions,$base
		objectClass: ismsExemption
		cn: e0-$user
		ismsMember: uid=$user,ou=people,$base
		ismsControl: mfa
		ismsApprover: uid=carol,ou=people,$base
		ismsReason: it was a robot's arm
		ismsUntil: 20200101000000Z

		dn: cn=r-$user,ou=requests,$base
		objectClass: ismsRequest
		cn: r-$user
		ismsMember: uid=$user,ou=people,$base
		ismsGroup: cn=web,ou=groups,$base
		ismsState: open
	L
	sed -i "/^dn: uid=$user,/a oathHOTPToken: cn=T-$user,ou=tokens,$base\nobjectClass: oathHOTPUser\nismsKey: ssh-ed25519 AAAAC3Nz $user@laptop\nsshPublicKey: ssh-rsa AAAAB3Nz $user@old\nismsRecoveryCode: \$y\$j9T\$abc\$$user" "$ldif"
done

# ---- leave ----------------------------------------------------------------------------------------
run 1 leave nobody; says "no such account"
run 2 leave; says "leave needs USER"
unchanged 0 leave ada --dry-run --json; json planned "d['steps'][0]['state']"; json "[None]" "list({s['event_id'] for s in d['steps']})"
run 0 leave ada --reason "contract ended" --ticket T-1 --json
json True "d['complete']"
json "['disable', 'sessions', 'tokens', 'recovery-codes', 'keys', 'grants', 'requests', 'exemptions', 'groups']" "[s['step'] for s in d['steps']]"
json "['done', 'nothing', 'done', 'done', 'done', 'done', 'done', 'done', 'done']" "[s['state'] for s in d['steps']]"
json 9 "len({s['event_id'] for s in d['steps']})"
json "['T-ada']" "[s for s in d['steps'] if s['step'] == 'tokens'][0]['items']"
json "['ada@laptop', 'ada@old']" "sorted([s for s in d['steps'] if s['step'] == 'keys'][0]['items'])"
json 2 "[s for s in d['steps'] if s['step'] == 'groups'][0]['count']"
json "['bob']" "d['answers_for']"
for step in disable sessions tokens recovery-codes keys grants requests exemptions groups; do
	grep -q "^event: account left user=ada .*step=$step .*id=[0-9a-f-]\{36\}.*actor=.* ticket=T-1 note=\"contract ended\"" "$root/err" || wrong "no event of step $step"
done
grep -q "^event: account disabled user=ada" "$root/err" || wrong "no event account.disabled"
for gone in T-ada ada@laptop ada@old cn=g-ada cn=e-ada '$abc$ada'; do hasnt "$gone"; done
has "cn: g0-ada"; has "cn: e0-ada"	# they had ended: evidence of who had what
has "pwdAccountLockedTime: 000001010000Z"
has "ismsState: refused"; has "ismsState: open"
grep -A9 "^dn: cn=ops," "$ldif" | grep -q "memberUid: ada" && wrong "still in a group"
grep -A9 "^dn: cn=ops," "$ldif" | grep -q "memberUid: bob" || wrong "bob is not in his group any more"
for stays in "oathTokenSerialNumber: T-bob" "cn: g-bob" "cn: e-bob" "ismsKey: ssh-ed25519 AAAAC3Nz bob@laptop"; do has "$stays"; done
unchanged 0 leave ada --json; json "['nothing']" "list({s['state'] for s in d['steps']})"
run 0 leave ada; says "ada still answers for bob: isms-userctl set-sponsor bob"
# ... which is what that verb is for
unchanged 1 set-sponsor nosuch carol; says "no such account"
unchanged 1 set-sponsor bob nosuch; says "no such account"
unchanged 1 set-sponsor bob ada; says "ada: is disabled"
unchanged 1 set-sponsor bob bob; says "nobody answers for himself"
unchanged 2 set-sponsor bob; says "needs USER SPONSOR"
unchanged 0 set-sponsor bob carol --dry-run; says "dry run"
run 0 set-sponsor bob carol --ticket T-9 --json; json "('ada', 'carol', True)" "(d['old'], d['new'], d['changed'])"
says 'event: account changed user=bob'; says 'old="answered for by ada" new="answered for by carol"'; says "ticket=T-9"
has "manager: uid=carol,ou=people,$base"; hasnt "manager: uid=ada"
unchanged 0 set-sponsor bob carol; says "was so already"
unchanged 0 leave ada; ! grep -q "still answers" "$root/out" || wrong "ada answers for nobody"
run 0 show ada --json; json disabled "d['state']"
run 0 show bob --json; json active "d['state']"

# ---- reviews --------------------------------------------------------------------------------------
run 1 review list --review none; says "no such review"
run 1 review confirm bob --as carol; says "no review is open"
run 2 review start --scope everybody; says "is no scope"
run 2 review start --due yesterday; says "no time to come"
run 2 review start --name 'a/b'; says "cannot be the name"
unchanged 1 review start --scope group:nosuch; says "no such group"
unchanged 1 review start --reviewer nosuch; says "no such account"
unchanged 0 review start --dry-run --json; json 3 "d['items']"
run 0 review start --name q4 --reviewer carol --due +30d --ticket T-2 --json; json 3 "d['items']"
has "ismsReviewer: uid=carol,ou=people,$base"
unchanged 1 review start --name q4; says "there is a review of this name"
run 0 review list --json
json "['bob', 'carol', 'dave']" "sorted(i['user'] for i in d)"
json "[False]" "list({i['overdue'] for i in d})"
json "[None]" "list({i['stale'] for i in d})"
json "['bob', 'ops']" "sorted([i for i in d if i['user'] == 'bob'][0]['groups'])"
run 0 review list; says "LAST USE"
# what stands elsewhere is no review
cp "$ldif" "$root/before"
put <<-L

	dn: cn=stray,ou=requests,$base
	objectClass: ismsReview
	cn: stray
	ismsScope: all

L
unchanged 1 review list --review stray; says "no such review"
sed -i "s/^dn: cn=stray,ou=requests/dn: cn=stray,ou=reviews/" "$ldif"
run 0 review list --review stray
cat "$root/before" >"$ldif"
unchanged 1 review list --review stray; says "no such review"
# who decides, and about whom
unchanged 2 review confirm bob; says "say who decides: --as USER"
unchanged 1 review confirm bob --as nosuch; says "no such account"
unchanged 1 review confirm carol --as carol; says "nobody decides about himself"
unchanged 1 review confirm bob --as dave; says "names another reviewer"
unchanged 1 review confirm ada --as carol; says "without access"
unchanged 1 review confirm nosuch --as carol; says "no such account"
unchanged 2 review confirm --as carol; says "needs accounts, or --all"
unchanged 2 review confirm bob --all --as carol; says "not both"
# UC07a: data that was looked at too long ago is flagged, and not signed
run 0 review list --seen 25h --json; json 3 "len([i for i in d if 'max-data-age' in (i['stale'] or '')])"
unchanged 1 review confirm bob --as carol --seen 25h; says "older than max-data-age are not signed"
unchanged 2 review confirm bob --as carol --seen soon; says "is no time"
unchanged 0 review confirm bob --as carol --dry-run; says planned
run 0 review confirm bob --as carol --seen 23h --reason "still needed" --json
json "['done']" "[i['result'] for i in d]"
grep -q "^event: review decided user=bob .*review=q4 .*new=confirm\|^event: review decided user=bob .*new=confirm.*review=q4" "$root/err" || wrong "no event review.decided"
has "ismsReviewedBy: uid=carol,ou=people,$base"; has "ismsDecision: confirm"; has "ismsReason: still needed"
unchanged 1 review remove bob --as carol; says "decided already: confirm"
run 1 review remove dave nosuch --as carol --json
json "['done', 'refused']" "[i['result'] for i in d]"
run 0 show dave --json; json disabled "d['state']"
run 0 review list --json; json "['carol']" "[i['user'] for i in d]"
run 1 review confirm --all --as carol; says "nobody decides about himself"
hasnt "ismsClosedAt"
# a review of a group: the membership goes, the account stays
person erin --kind employee --group ops
run 0 review start --name ops --scope group:ops
run 1 review confirm bob --as carol; says "2 reviews are open"
unchanged 1 review remove bob --review ops --as dave; says "dave is disabled, and decides nothing"
run 0 review remove bob erin --review ops --as carol --json; json "['done', 'done']" "[i['result'] for i in d]"
for user in bob erin; do
	grep -A9 "^dn: cn=ops," "$ldif" | grep -q "memberUid: $user" && wrong "$user still in the group"
	run 0 show $user --json; json active "d['state']"
done
has "ismsDecision: remove"
grep -A12 "^dn: cn=ops,ou=reviews" "$ldif" | grep -q ismsClosedAt || wrong "the last decision does not close the review"
# the export is safe from formulas
sed -i "s/^displayName: erin\$//; /^dn: uid=erin,/a displayName: =HYPERLINK(\"x\";\"y\")" "$ldif"
run 0 review export --review ops
grep -qF '"'"'"'=HYPERLINK(""x"";""y"")"' "$root/out" || wrong "a formula in the export"
[ "$(head -1 "$root/out" | tr -d '\r')" = review,scope,user,display,kind,state,sponsor,not_after,last_use,tokens,groups,due,overdue,decision,decided_by,decided_at,reason,ticket,seen ] || wrong "headings"
run 0 review export --review ops --json; json "['carol', 'carol']" "[i['decided_by'] for i in d]"

# ---- the auditor's summary ------------------------------------------------------------------------
run 2 report --expiring soon; says "is no span"
run 2 report --leavers 0; says "needs a number"
run 2 report --leavers 5x; says "needs a number"; run 2 report 5; says "goes with --leavers"
run 3 report --leavers; says "the journal cannot be read"
run 3 report --leavers 5; says "the journal cannot be read"
run 0 report --expiring 60d --json
json "['bob', 'carol', 'erin']" "sorted(i['user'] for i in d['may_enter'])"
json "['contractor']" "[i['roles'] for i in d['may_enter'] if i['user'] == 'bob'][0]"
json "['bob']" "[i['user'] for i in d['expiring']]"
json "[('ada', False), ('bob', False), ('bob', True)]" "sorted((i['user'], i['active']) for i in d['exceptions'])"
json "['carol mfa']" "['%s %s' % (i['approver'], i['control']) for i in d['exceptions'] if i['active']]"
json "3 1 33" "'%d %d %d' % (d['mfa']['people'], d['mfa']['with_token'], d['mfa']['percent'])"
json "{'q4': 2, 'ops': 0}" "{r['review']: r['open'] for r in d['reviews']}"
run 0 report; says "Second factor: 1 of 3 people have a token"; says "a robot's arm"
sed -i "/^dn: uid=erin,/a ismsLastUse: 20260101000000Z" "$ldif"
run 0 report --json; json True "'erin' in [i['user'] for i in d['dormant']]"
run 0 report --dormant 36500d --json; json False "'erin' in [i['user'] for i in d['dormant']]"

# ---- UC05a: 500 in one go -------------------------------------------------------------------------
for n in $(seq 500); do
	printf '\ndn: uid=p%d,ou=people,%s\nobjectClass: account\nobjectClass: posixAccount\nuid: p%d\ncn: p%d\nuidNumber: %d\ngidNumber: %d\nhomeDirectory: /home/p%d\nloginShell: /bin/sh\nemployeeType: employee\n' \
		$n $base $n $n $((20000 + n)) $((20000 + n)) $n
done | put
run 0 review start --name all --scope kind:employee --json
unchanged 1 review remove $(seq -f p%g 500) --review all --as carol; says "500 accounts in one go, and no terminal to ask on: say --yes"
run 1 review remove $(seq -f p%g 499) nosuch --review all --as carol --yes --json
json "499 1 500" "'%d %d %d' % (sum(i['result'] == 'done' for i in d), sum(i['result'] == 'refused' for i in d), len(d))"
json 499 "len({i['event_id'] for i in d if i['result'] == 'done'})"
run 0 list --json; json 499 "sum(i['state'] == 'disabled' and i['user'][0] == 'p' for i in d)"
run 0 show p500 --json; json active "d['state']"

[ $failed = 0 ] || { echo "$failed of $count failed"; exit 1; }
