#!/bin/bash
# test_keys.sh: keys, service and break-glass accounts by the real isms-userctl on a root in a temp folder, as whoever
# runs the tests: exit status, JSON, what stands in the directory afterwards.
. "${srcdir:-.}/tests/unit/userctl_scene.sh"
ed=AAAAC3NzaC1lZDI1NTE5AAAAIJwcbgZh5k/FdMefRGw0mP0bb60T5OtVxV6e73Rk/47Q
print=SHA256:G6KzWJFdTwHq17+U+jvKyp5Jza4rVoLvj0jks/E74tg
ec="AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBE3W9mvg1xnAVUba65Av8Ba6ahqBpT46tb8OJB6rI5hN"
ec+="JS+uveVORNhpgqXVXyDwlu3VQqOHWfmHgMBmGOV53KQ="
print2=SHA256:A4OfKjD5/RaMKVoSgePzOu0BI6jSOk3KXGXhHUvCFok
echo "ssh-ed25519 $ed ops@desk" >"$root/ed.pub"
echo "ecdsa-sha2-nistp256 $ec" >"$root/ec.pub"
cat "$root/ed.pub" "$root/ec.pub" >"$root/two.pub"
echo "command=\"sh\" ssh-ed25519 $ed" >"$root/options.pub"
printf 'ssh-ed25519 %s a\033[2Jb\n' "$ed" >"$root/escape.pub"
echo "ssh-ed25519 $ed isms-added=20200101000000Z" >"$root/old.pub"

# A long value is folded: without the folds it stands there so often.
values() { sed -e ':a' -e 'N;$!ba' -e 's/\n //g' "$ldif" | grep -cE "$1"; }
person() { add 0 "$@"; }

run 0 setup --yes
person carol --until +90d
person bob --until +90d
run 0 disable bob

# ---- service accounts -------------------------------------------------------------------------------
svc=(add svc --kind service --until +90d --owner carol)
unchanged 2 add svc --kind service --until +90d; says "needs an owner and an end"
unchanged 2 add svc --kind service --owner carol; says "needs an owner and an end"
unchanged 2 add eve --owner carol; says "for service accounts"
unchanged 2 add eve --command ls; says "for service accounts"
unchanged 1 add svc --kind service --until +90d --owner nobody-here; says "no such person"
unchanged 1 add svc --kind service --until +90d --owner bob; says "is disabled"
unchanged 2 "${svc[@]}" --source 192.0.2.1/24; says "beyond its 24"
unchanged 2 "${svc[@]}" --source local; says "no network"
unchanged 2 "${svc[@]}" --source "192.0.2.0/24 ::/0"; says "one network"
unchanged 2 "${svc[@]}" --command 'x\'; says "--command needs"
unchanged 2 "${svc[@]}" --command $'a\nb'; says "--command needs"
unchanged 1 "${svc[@]}" --key-file "$root/absent"; says "No such file"
unchanged 1 "${svc[@]}" --key-file "$root/two.pub"; says "control character"
unchanged 1 "${svc[@]}" --key-file "$root/options.pub"; says "must have no options"
unchanged 1 "${svc[@]}" --key-file "$root/escape.pub"; says "control character"
unchanged 1 "${svc[@]}" --key-file "$root"; says "--key-file"
run 0 "${svc[@]}" --key-file "$root/ed.pub" --source 192.0.2.0/24 --source 2001:db8::/32 --command '/bin/backup "a b"'
says "Owner"; says "$print"; says "192.0.2.0/24 2001:db8::/32"; says '/bin/backup "a b"'; says "who-can --all"
unchanged 1 set-expiry svc none; says "without an end"
has "owner: uid=carol,ou=people,dc=isms,dc=local"; has "ismsSource: 192.0.2.0/24"; has "ismsSource: 2001:db8::/32"
has 'ismsCommand: /bin/backup "a b"'; has "employeeType: service"
[ "$(values "^ismsKey: ssh-ed25519 $ed ops@desk isms-added=[0-9]{14}Z\$")" = 1 ] || wrong "ismsKey"
unchanged 1 add svc2 --kind service --until +90d --owner svc; says "no such person"
run 0 show svc --json
json "$print" 'd["keys"][0]["fingerprint"]'; json 0 'd["keys"][0]["age_days"]'
json "192.0.2.0/24 2001:db8::/32" 'd["sources"]'; json "uid=carol,ou=people,dc=isms,dc=local" 'd["owner"]'
run 0 show svc; says "$print"
person dora
unchanged 1 set-sponsor carol svc; says "no person"
run 0 set-sponsor svc dora --json; json "('carol', 'dora')" '(d["old"], d["new"])'
has "owner: uid=dora,ou=people,dc=isms,dc=local"; [ "$(values '^manager:')" = 0 ] || wrong "the owner of a service account is no manager"
run 0 set-sponsor svc carol

# ---- keys -------------------------------------------------------------------------------------------
unchanged 2 key add carol; says "--key-file is missing"
unchanged 1 key add nobody-here --key-file "$root/ec.pub"
unchanged 1 key add svc --key-file "$root/old.pub"; says "already"
run 0 key add svc --key-file "$root/ec.pub" --ticket CR-9; says "key=$print2"; says "ticket=CR-9"; says "account changed"
run 0 key add carol --key-file "$root/old.pub"
[ "$(values "^ismsKey: ssh-ed25519 $ed isms-added=20200101")" = 0 ] || wrong "a foreign mark was taken for ours"
run 0 key list svc --json; json 2 'len(d)'; json "None" 'd[0].get("fault")'
json "['ops@desk', '']" '[k["comment"] for k in d]'
run 0 key list svc; says "$print2"; says "ecdsa-sha2-nistp256"; says "FINGERPRINT"
unchanged 2 key remove svc "MD5:aa"; says "is no fingerprint"
unchanged 1 key remove svc "SHA256:wQVCxxZ6sPcvQIwqMWbh7BcIbiAeptn3aDSyjl5mIH8"; says "has no key"
unchanged 0 key remove svc "$print" --dry-run; says "dry run"
run 0 key remove svc "$print"; says "a running session goes on"
run 0 key list svc --json; json 1 'len(d)'; json "$print2" 'd[0]["fingerprint"]'
run 0 key list carol --json; json "$print" 'd[0]["fingerprint"]'

# ---- break-glass ------------------------------------------------------------------------------------
person glas --kind break-glass
arm=(arm glas --for 1h --reason "disk is full")
unchanged 2 arm glas --for 1h; says "--for and --reason are needed"
unchanged 2 arm glas --reason x; says "--for and --reason are needed"
unchanged 2 arm glas --for soon --reason x; says "is no time"
unchanged 2 arm glas --for 0s --reason x; says "is no time"
unchanged 2 arm glas --for 1h --reason $'a\nb'; says "plain text"
unchanged 1 arm glas --for 9h --reason x --as carol; says "longest-arming"
unchanged 2 "${arm[@]}"; says "is no account of the directory: log in as one"; says "say who arms: --as USER"
unchanged 1 "${arm[@]}" --as nobody-here; says "no such account in the directory"
unchanged 1 "${arm[@]}" --as glas; says "nobody arms himself"
unchanged 1 "${arm[@]}" --as bob; says "bob is disabled, and arms nothing"
unchanged 1 "${arm[@]}" --as svc; says "no person's account"
unchanged 1 arm carol --for 1h --reason x --as bob; says "break-glass accounts alone"
unchanged 0 "${arm[@]}" --as carol --dry-run; says "dry run"
run 0 "${arm[@]}" --as carol; says "break-glass armed user=glas"; says "armed_by=carol"; says 'note="disk is full"'
has "ismsArmedBy: uid=carol,ou=people,dc=isms,dc=local"; has "ismsArmedReason: disk is full"
run 0 show glas --json; json True 'd["armed_until"] > "2026"'; json "disk is full" 'd["armed_reason"]'
run 0 "${arm[@]}" --as carol --json; json True 'd["old"].startswith("armed until")'
unchanged 1 disarm carol; says "break-glass accounts alone"
run 0 disarm glas; says "armed until"; says "not armed"; hasnt ismsArmed
run 0 disable glas
unchanged 1 "${arm[@]}" --as carol; says "is disabled"
run 3 enable glas; run 0 "${arm[@]}" --as carol
# Whoever is logged in cannot say that he is somebody else, and does not arm himself.
actor=$(sed -n 's/.* actor=\([^ ]*\).*/\1/p' "$root/err" | head -n 1)
if [ "$actor" != root ]; then
	person "$actor" --kind break-glass
	unchanged 1 arm "$actor" --for 1h --reason x; says "nobody arms himself"
	unchanged 1 arm "$actor" --for 1h --reason x --as carol; says "you are known as $actor"
	unchanged 1 "${arm[@]}" --as carol; says "you are known as $actor"
	unchanged 1 "${arm[@]}"; says "no person's account"
	unchanged 1 exempt carol mfa --until +1d --reason x --as bob; says "you are known as $actor"
	unchanged 1 exempt "$actor" mfa --until +1d --reason x; says "nobody approves for himself"
	unchanged 1 exempt carol mfa --until +1d --reason x; says "no person's account"
	sed -i "/^dn: uid=$actor,/,/^\$/s/^employeeType: .*/employeeType: employee/" "$ldif"
	run 0 exempt carol mfa --until +1d --reason x; says "approved by uid=$actor,"
fi

[ $failed = 0 ] || { echo "$failed of $count runs and their checks failed"; exit 1; }
