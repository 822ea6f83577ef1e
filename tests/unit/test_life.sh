#!/bin/bash
# test_life.sh: leave, reviews and the auditor's report by the real isms-userctl on a root in a temp folder, as whoever
# runs the tests: exit status, JSON, what stands in the directory afterwards.
set -u
umask 022
tool=$PWD/isms-userctl
[ -x "$tool" ] || { echo "run me in the build folder"; exit 2; }
root=$(mktemp -d /tmp/isms-life-XXXXXX)
trap 'rm -rf "$root"' EXIT
ldif=$root/var/lib/isms/directory/directory.ldif
base=dc=isms,dc=local
failed=0 count=0
export LC_ALL=C.UTF-8 TZ=UTC
mkdir -p "$root/etc"
printf 'root:x:0:0::/root:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\n' >"$root/etc/group"
echo correct-horse-battery >"$root/password"

wrong() { echo "FAIL: $*"; sed 's/^/    /' "$root/out" "$root/err"; failed=$((failed + 1)); }
# run WANTED_STATUS ARGUMENT...: without a terminal; output in $root/out, messages in $root/err.
run() {
	local want=$1 got=0
	shift
	count=$((count + 1))
	"$tool" --root "$root" "$@" >"$root/out" 2>"$root/err" </dev/null || got=$?
	[ $got = "$want" ] || wrong "status $got instead of $want: $*"
	! grep -q "runtime error\|AddressSanitizer\|LeakSanitizer" "$root/err" || wrong "sanitizer: $*"
}
says() { grep -qF -- "$1" "$root/out" "$root/err" || wrong "does not say: $1"; }
has() { grep -qxF -- "$1" "$ldif" || wrong "not in the directory: $1"; }
hasnt() { ! grep -qF -- "$1" "$ldif" || wrong "in the directory: $1"; }
json() { # WANTED PYTHON: the output is JSON, and an expression over it (d) is as wanted
	local got
	got=$(python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$root/out" "$2" 2>&1)
	[ "$got" = "$1" ] || wrong "JSON: $2 is $got instead of $1"
}
# unchanged STATUS ARGUMENT...: no byte of the directory is another.
unchanged() {
	local before
	before=$(sha256sum "$ldif")
	run "$@"
	[ "$before" = "$(sha256sum "$ldif")" ] || wrong "the directory was touched: $*"
}
add() { run 0 add "$@" --password-fd 3 3<"$root/password"; }
put() { cat >>"$ldif"; }	# entries on stdin, as another tool of ours would have written them

run 0 setup --base $base --yes
add carol --kind employee
add dave --kind employee
add ada --kind contractor --until +30d --sponsor carol --group web --group ops
add bob --kind contractor --until +30d --sponsor ada --group ops
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
has "pwdAccountLockedTime: 000001010000Z"
has "ismsState: refused"; has "ismsState: open"
grep -A9 "^dn: cn=ops," "$ldif" | grep -q "memberUid: ada" && wrong "still in a group"
grep -A9 "^dn: cn=ops," "$ldif" | grep -q "memberUid: bob" || wrong "bob is not in his group any more"
for stays in "oathTokenSerialNumber: T-bob" "cn: g-bob" "cn: e-bob" "ismsKey: ssh-ed25519 AAAAC3Nz bob@laptop"; do has "$stays"; done
unchanged 0 leave ada --json; json "['nothing']" "list({s['state'] for s in d['steps']})"
run 0 leave ada; says "ada still answers for bob"
run 0 show ada --json; json disabled "d['state']"
run 0 show bob --json; json active "d['state']"

[ $failed = 0 ] || { echo "$failed of $count failed"; exit 1; }
