# check.sh - how every shell test of ours states a check and reports it; sourced, never run.
#
#   check NAME COMMAND...           COMMAND must succeed
#   refused NAME COMMAND...         COMMAND must fail (but not by 124..127: time-out, not found)
#   status_is WANT COMMAND...       for use in a check: COMMAND must end with exactly this status
#   wait_until SECONDS COMMAND...   for use in a check: repeat until it succeeds
#   finish                          last line of a file: says how many, exits 1 when one failed
#
# A check prints one line, "ok NAME" or "FAIL NAME (status N)" followed by the command's output, indented.
# tests/run counts those lines. COMMAND may be a function; it runs in this shell, without a terminal.

check_out=$(mktemp "${work:-/tmp}/check.XXXXXX")
check_count=0 check_failed=0

passed() { # NAME
	check_count=$((check_count + 1))
	echo "ok $1"
}

failed() { # NAME WHAT: what went wrong is on stdin, or nothing
	check_count=$((check_count + 1)) check_failed=$((check_failed + 1))
	echo "FAIL $1 ($2)"
	sed 's/^/     | /' | tail -n 60
}

check() {
	local name=$1 rc=0
	shift
	"$@" >"$check_out" 2>&1 </dev/null || rc=$?
	if [ $rc = 0 ]; then passed "$name"; else failed "$name" "status $rc" <"$check_out"; fi
}

refused() {
	local name=$1 rc=0
	shift
	"$@" >"$check_out" 2>&1 </dev/null || rc=$?
	case $rc in
		0) failed "$name" "was not refused" <"$check_out" ;;
		12[4-7]) failed "$name" "status $rc is no refusal" <"$check_out" ;;
		*) passed "$name" ;;
	esac
}

status_is() {
	local want=$1 rc=0
	shift
	"$@" || rc=$?
	[ $rc = "$want" ] || { echo "status $rc, wanted $want"; return 1; }
}

wait_until() {
	local end
	end=$(($(date +%s%N) + $1 * 1000000000))
	shift
	until "$@"; do
		[ "$(date +%s%N)" -lt $end ] || { echo "not within the time: $*"; return 1; }
		sleep .1
	done
}

finish() {
	rm -f "$check_out"
	echo "finished: $check_count checks, $check_failed failed"
	[ $check_failed = 0 ] && exit 0
	exit 1
}
