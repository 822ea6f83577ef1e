#!/bin/bash
# test_userctl_grants.sh: grants and requests by the real isms-userctl on a root in a temp folder: who may approve, how long,
# what stands in the directory afterwards.
. "${srcdir:-.}/tests/unit/userctl_scene.sh"
value() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$root/out" "$1"; }

run 0 setup --base dc=example,dc=com --yes
for user in ada bob carol; do
	add 0 $user --group ops
done
add 0 eve --kind contractor --until +1d --group web --group payroll
sed -i 's/^\[directory\]$/&\nmax-grant = 1d web=2h payroll=0s/' "$root/etc/isms/isms.conf"
run 0 config check

# ---- grant ----
unchanged 2 grant ada; says "grant needs USER GROUP"
unchanged 2 grant ada web --for 1h --as bob; says "--reason"
unchanged 2 grant ada web --as bob --reason deploy; says "either --until WHEN or --for SPAN"
unchanged 2 grant ada web --reason deploy --for 1h; says "is no account of the directory: log in as one"
unchanged 2 grant ada web --as bob --reason deploy --for 1h --until +1h; says "either --until"
unchanged 2 grant ada web --as bob --reason deploy --for soon; says "is no span"
unchanged 2 grant ada web --as bob --reason deploy --until soon; says "is no time"
unchanged 1 grant ada web --as bob --reason deploy --until 2020-01-01; says "before it begins"
unchanged 1 grant ada web --as bob --reason deploy --from 2020-01-01 --until 2020-01-02; says "in the past"
unchanged 1 grant ada web --as bob --reason deploy --from +2h --until +1h; says "before it begins"
unchanged 1 grant nobody web --as bob --reason deploy --for 1h; says "no such account"
unchanged 1 grant ada nothing --as bob --reason deploy --for 1h; says "no such group"
unchanged 1 grant ada web --as nobody --reason deploy --for 1h; says "no such account"
unchanged 1 grant ada web --as ada --reason deploy --for 1h; says "nobody approves for himself"
unchanged 1 grant ada web --as bob --reason deploy --for 121m; says "longest grant of this group is 2 hours"
unchanged 1 grant ada payroll --as bob --reason deploy --for 1m; says "takes no grants"
unchanged 0 grant ada web --as bob --reason deploy --for 2h --dry-run; says "dry run"
run 0 grant ada web --as bob --reason "deploy 7" --ticket CHG-7 --for 2h --json
json ada 'd["user"]'; json web 'd["group"]'; json bob 'd["approver"]'
says "event: grant added user=ada"; says "approver=bob"; says "ticket=CHG-7"
has "ismsMember: uid=ada,ou=people,dc=example,dc=com"
has "ismsGroup: cn=web,ou=groups,dc=example,dc=com"
has "ismsApprover: uid=bob,ou=people,dc=example,dc=com"
has "ismsTicket: CHG-7"
run 0 show eve --json; json "[[], [], []]" '[d["grants"], d["exemptions"], d["requests"]]'
run 0 show eve; lacks "Grants"; lacks "Exemptions"; lacks "Requests"
run 0 show ada --json; json "[('web', 'active')]" '[(g["group"], g["state"]) for g in d["grants"]]'
run 0 grant --list --json
json 1 'len(d)'; json active 'd[0]["state"]'; json None 'd[0]["fault"]'
run 0 grant ada ops --as bob --reason later --from +1h --for 1h
run 0 grant --list; says "future"; says "active"
# what a user holds for a time stands in show, as in the lists, and so does what will never count
run 0 exempt ada mfa --until +1h --service sshd --source 192.0.2.0/24 --reason "lost token" --ticket CHG-8 --as bob
run 0 exempt ada hours --until +2h --from +1h --reason "night shift" --as carol
printf '\ndn: cn=x9,ou=exemptions,dc=example,dc=com\nobjectClass: ismsExemption\ncn: x9\nismsMember: uid=ada,ou=people,dc=example,dc=com\nismsControl: all\nismsApprover: uid=bob,ou=people,dc=example,dc=com\n' >>"$ldif"
printf '\ndn: cn=x8,ou=exemptions,dc=example,dc=com\nobjectClass: ismsExemption\ncn: x8\nismsMember: uid=ada,ou=people,dc=example,dc=com\nismsControl: mfa\nismsApprover: uid=bob,ou=people,dc=example,dc=com\nismsReason: x\nismsFrom: 20191201000000Z\nismsUntil: 20200101000000Z\n' >>"$ldif"
run 0 exempt --list --json; json 4 'len(d)'
run 0 show ada --json
json "[('ops', 'future', 'bob'), ('web', 'active', 'bob')]" 'sorted((g["group"], g["state"], g["approver"]) for g in d["grants"])'
json "[('all', 'void'), ('hours', 'not yet'), ('mfa', 'active')]" 'sorted((x["control"], x["state"]) for x in d["exemptions"])'
json True 'all(x["fault"] for x in d["exemptions"] if x["state"] == "void") and all(x["user"] == "ada" for x in d["exemptions"])'
run 0 show ada
saysit() { grep -qE "$1" "$root/out" || wrong "no line $1"; }
saysit '^Grants +web: active until [-0-9]+T[:0-9]+Z, by bob: deploy 7 \(CHG-7\)$'
saysit '^ +ops: future, from [-0-9]+T[:0-9]+Z until [-0-9]+T[:0-9]+Z, by bob: later$'
saysit '^(Exemptions)? +mfa: active until [-0-9]+T[:0-9]+Z, for sshd 192\.0\.2\.0/24, by bob: lost token \(CHG-8\)$'
saysit '^(Exemptions)? +hours: not yet, from [-0-9]+T[:0-9]+Z until [-0-9]+T[:0-9]+Z, for any login, by carol: night shift$'
saysit '^(Exemptions)? +all: void \(.+\), by bob$'
run 0 show bob --json; json "[[], []]" '[d["grants"], d["exemptions"]]'
run 0 grant --active --json; json "['active', 'future']" 'sorted(g["state"] for g in d)'
unchanged 2 grant --active ada web; says "--list alone"
unchanged 2 grant --list ada
# who is put out approves nothing, and what he approved counts no more
run 0 disable bob --yes
unchanged 1 grant ada web --as bob --reason deploy --for 1h; says "bob is disabled, and approves nothing"
run 0 grant --list --json; json "['refused', 'refused']" '[g["state"] for g in d]'
says "the approver is disabled"
run 0 show ada; saysit '^Grants +web: refused \(.*the approver is disabled.*\), until .*, by bob: deploy 7 \(CHG-7\)$'
saysit 'mfa: void: approver until '
run 3 enable bob	# no front here to forget his failures
# a robot's owner is no second person: who approves is one
add 0 robot --kind service --until +1d --owner ada
unchanged 1 grant ada web --as robot --reason deploy --for 1h; says "robot is no person's account, and approves nothing"
unchanged 0 grant ada web --as bob --reason deploy --for 1h --dry-run
run 0 grant --list --json; json "['active', 'future']" 'sorted(g["state"] for g in d)'

# ---- ungrant ----
unchanged 1 ungrant eve ops; says "no grant of ops"
unchanged 0 ungrant ada web --dry-run
run 0 ungrant ada ops --reason "not needed"; says "event: grant removed"
run 0 grant --list --json; json 1 'len(d)'	# had not begun: gone
sleep 1.1					# a grant of no length would be malformed
run 0 ungrant ada web
run 0 grant --list --json; json ended 'd[0]["state"]'
run 0 grant --active --json; json "[]" d
unchanged 1 ungrant ada web
run 0 show ada --json; json "[]" 'd["grants"]'	# over, or gone

# ---- request, approve ----
unchanged 2 request ada web --reason x; says "request needs"
unchanged 2 request ada web --for 1h; says "request needs"
unchanged 2 request ada web --for soon --reason x --as ada; says "is no span"
unchanged 1 request ada web --for 3h --reason x --as ada; says "longest grant"
unchanged 1 request ada payroll --for 1s --reason x --as ada; says "takes no grants"
run 0 request ada web --for 1h --reason "deploy 8" --as carol --json
says "event: request added"
one=$(value 'd["name"]')
has "ismsState: open"
has "ismsRequestedBy: uid=carol,ou=people,dc=example,dc=com"
run 0 request --list --json; json open 'd[0]["state"]'; json carol 'd[0]["requester"]'
run 0 show ada; says "$one: web for 1h, waits"
run 0 request --open --json; json "['$one']" '[r["name"] for r in d]'
unchanged 1 approve nothing --as bob; says "no such request"
unchanged 1 approve 'x,ou=people' --as bob; says "no such request"
unchanged 1 approve "$one" --as ada; says "nobody decides about himself"
unchanged 1 approve "$one" --as carol; says "nobody decides about his own request"
unchanged 1 approve "$one" --as ada --refuse; says "nobody decides about himself"
unchanged 0 approve "$one" --as bob --dry-run
run 0 approve "$one" --as bob --json
json granted 'd["state"]'; json bob 'd["decider"]'; json True '0 <= d["turnaround_sec"] < 60'
says "event: request decided"; says "event: grant added"
has "ismsRequest: cn=$one,ou=requests,dc=example,dc=com"
has "ismsState: granted"
unchanged 1 approve "$one" --as bob; says "decided already: granted"
run 0 grant --list --json; json "['active', 'ended']" 'sorted(g["state"] for g in d)'
json bob '[g for g in d if g["state"] == "active"][0]["approver"]'
run 0 request eve web --for 10m --reason "look" --as eve --json
two=$(value 'd["name"]')
run 0 disable bob --yes; unchanged 1 approve "$two" --refuse --as bob; says "bob is disabled, and decides nothing"; run 3 enable bob
run 0 approve "$two" --refuse --as bob --reason "not yours"; says "refused"
has "ismsState: refused"
unchanged 1 approve "$two" --as bob; says "decided already: refused"
run 0 request --list; says "refused"; says "granted"
run 0 request --open --json; json "[]" d
unchanged 2 request --open ada web --for 1h --reason x; says "request needs"

# ---- whoever comes later under the name of one that left is another one ----
cp "$ldif" "$root/before"
comes_later() { sed -i "/^dn: uid=$1,/,/^\$/ s/^createTimestamp: .*/createTimestamp: 20990101000000Z/" "$ldif"; }
for user in ada bob; do
	run 0 grant --list --json; json True '"active" in [g["state"] for g in d]'
	comes_later $user
	run 0 grant --list --json; json False '"active" in [g["state"] for g in d]'
	says "is a later entry than the grant: it was another one's"
	cat "$root/before" >"$ldif"
done

# ---- what stands in another place is none, whatever it is called ----
cat >>"$ldif" <<L

dn: cn=odd,ou=requests,dc=example,dc=com
objectClass: ismsGrant
cn: odd
ismsMember: uid=eve,ou=people,dc=example,dc=com
ismsGroup: cn=web,ou=groups,dc=example,dc=com
ismsApprover: uid=bob,ou=people,dc=example,dc=com
ismsFrom: $(date -u -d '-1 minute' +%Y%m%d%H%M%SZ)
ismsUntil: $(date -u -d '+1 hour' +%Y%m%d%H%M%SZ)

dn: cn=ask,ou=people,dc=example,dc=com
objectClass: ismsRequest
cn: ask
ismsMember: uid=eve,ou=people,dc=example,dc=com
ismsGroup: cn=web,ou=groups,dc=example,dc=com
ismsState: open

dn: uid=mallory,ou=requests,dc=example,dc=com
objectClass: posixAccount
uid: mallory
cn: mallory
uidNumber: 20099
gidNumber: 20099
homeDirectory: /home/mallory

L
state_of_odd() { run 0 grant --list --json; json "$1" '[(g["state"], g["fault"]) for g in d if g["name"] == "odd"][0]'; }
state_of_odd "('refused', 'it counts directly below ou=grants of the base alone')"
run 0 list --json; json False '"mallory" in [u["user"] for u in d]'
run 0 request --list --json; json False '"ask" in [q["name"] for q in d]'
unchanged 1 approve ask --as bob; says "no such request"
unchanged 1 show mallory; says "no such account"
sed -i 's/^dn: cn=odd,ou=requests/dn: cn=odd,ou=grants/; s/^dn: cn=ask,ou=people/dn: cn=ask,ou=requests/; s/^dn: uid=mallory,ou=requests/dn: uid=mallory,ou=people/' "$ldif"
state_of_odd "('active', None)"
run 0 list --json; json True '"mallory" in [u["user"] for u in d]'
run 0 request --list --json; json True '"ask" in [q["name"] for q in d]'
sed -i 's/^dn: cn=odd,ou=grants/dn: cn=odd,cn=more,ou=grants/' "$ldif"
state_of_odd "('refused', 'it counts directly below ou=grants of the base alone')"

# ---- two at once lose nothing ----
for i in 1 2 3 4 5 6; do
	"$tool" --root "$root" grant eve ops --as bob --reason "race $i" --for 1m >/dev/null 2>&1 </dev/null &
done
wait
[ "$(grep -c '^ismsReason: race' "$ldif")" = 6 ] || wrong "$(grep -c '^ismsReason: race' "$ldif") of 6 grants that were written at once"

# ---- groups within groups: whoever is granted ops would be in payroll, which takes no grants ----
run 0 request carol ops --for 10m --reason x --as carol --json
three=$(value 'd["name"]')
sed -i '/^dn: cn=payroll,/a member: cn=Ops, ou=groups,dc=example,dc=com' "$ldif"
unchanged 1 grant carol ops --as bob --reason x --for 1m; says "ops: the group takes no grants, since it is a member of payroll"
unchanged 1 request carol ops --for 1m --reason x --as carol; says "since it is a member of payroll"
unchanged 1 approve "$three" --as bob; says "since it is a member of payroll"
run 0 grant --list --json; json "['refused']" 'sorted({g["state"] for g in d if g["group"] == "ops"})'
says "since it is a member of payroll"
run 0 show eve --json; json False '"payroll" in str(d["groups"]) and "ops" in str(d["groups"])'
sed -i 's/ payroll=0s$/ payroll=5m/' "$root/etc/isms/isms.conf"
unchanged 1 grant carol ops --as bob --reason x --for 6m; says "the longest grant of this group is 5 minutes, since it is a member of payroll"
unchanged 1 approve "$three" --as bob; says "is 5 minutes, since it is a member of payroll"
run 0 grant carol ops --as bob --reason x --for 5m
run 0 grant --list --json; json active '[g["state"] for g in d if g["user"] == "carol" and g["group"] == "ops"][0]'
sed -i '/^member: cn=Ops,/d' "$ldif"
run 0 approve "$three" --as bob
[ $failed = 0 ] || { echo "$failed of $count failed"; exit 1; }
