# userctl_scene.sh - the real isms-userctl on a root in a temp folder, as whoever runs the tests; sourced by the
# test_userctl*.sh, test_keys.sh and test_life.sh, never run.
set -u
umask 022
tool=$PWD/isms-userctl
[ -x "$tool" ] || { echo "run me in the build folder"; exit 2; }
root=$(mktemp -d /tmp/isms-userctl-XXXXXX)
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$root"' EXIT
ldif=$root/var/lib/isms/directory/directory.ldif
canary=correct-horse-canary-$RANDOM
failed=0 count=0
export LC_ALL=C.UTF-8 TZ=UTC
mkdir -p "$root/etc"
printf 'root:x:0:0::/root:/bin/sh\nlocal:x:1000:1000::/home/local:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\nlocal:x:1000:\nsudo:x:27:local\ndocker:x:998:\n' >"$root/etc/group"
echo "$canary" >"$root/password"
echo "$canary" >"$root/canary"	# for grep -f: no argument may hold it

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
lacks() { ! grep -qF -- "$1" "$root/out" "$root/err" || wrong "says: $1"; }
has() { grep -qxF -- "$1" "$ldif" || wrong "not in the directory: $1"; }
hasnt() { ! grep -qF -- "$1" "$ldif" || wrong "in the directory: $1"; }
json() { # WANTED PYTHON: the output is JSON, and an expression over it (d) is as wanted
	local got
	got=$(python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$root/out" "$2" 2>&1)
	[ "$got" = "$1" ] || wrong "JSON: $2 is $got instead of $1"
}
# unchanged STATUS ARGUMENT...: refused, and no byte of the directory is another.
unchanged() {
	local before after
	before=$(sha256sum "$ldif"; ls -Ai "$(dirname "$ldif")")
	run "$@"
	after=$(sha256sum "$ldif"; ls -Ai "$(dirname "$ldif")")
	[ "$before" = "$after" ] || wrong "the directory was touched: $*"
}
add() { run "$1" add "${@:2}" --password-fd 3 3<"$root/password"; }
