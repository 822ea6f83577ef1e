#!/bin/bash
# clock: the three processes under libfaketime: their wall clock is set back, jumps ten years and is corrected, their
# zone changes; what they decide, and whom they put out (CASES TM04a, TM05a, TM06a; THREATS 5.7, 5.9).
. "$(dirname "$0")/lib.sh"

# ---- a wall clock of their own -------------------------------------------------------------------
# Theirs is more than a year ahead of the kernel's, so that no timer of the kernel's wall clock helps out: what comes
# in time comes by the boot clock. sshd, logind and journald have the kernel's.
day=86400
tls_days=36500	# it is wrong by ten years, and none of this is about certificates
year=$(($(date +%Y) + 2))
right=$(($(date -d "$year-06-15T20:00:00Z" +%s) - $(date +%s)))	# seconds that the right clock is ahead of the kernel's
units="ismsd-front ismsd-directory ismsd-publisher"
. "$tests/integration/wrong_clock.sh"
isms-userctl() { env $fake_environment isms-userctl "$@"; }

right_now() { echo $(($(date +%s) + right)); }
utc() { date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ; }
past_boot_phase() { [ "$(cut -d. -f1 /proc/uptime)" -gt 120 ]; }	# until then a clock may be set right
status_has() { isms-userctl status | tee /dev/stderr | grep -Eq "$1"; }
trusted='^clock +trusted$' untrusted='^clock +untrusted'

# ---- people --------------------------------------------------------------------------------------
let_in() { # NAME...
	local n
	for n; do by_ssh "$n" -- true || { echo "$n"; return 1; }; done
}
turned_away() { # REASON NAME...: refused, and for this reason
	local n reason=$1
	shift
	for n; do
		mark
		if by_ssh "$n" -- true; then echo "$n was let in"; return 1; fi
		wait_until 3 denied_with "$reason" "$n" || { echo "$n"; return 1; }
	done
}
employee() { add_person "$1" employee "${@:2}" && wait_user "$1" && enroll_person "$1" --hotp; }
sits_there() { # NAME...: a session each
	local n
	for n; do
		by_ssh "$n" -tt -- 'sleep 3000' >/dev/null 2>&1 &
		wait_until 10 pgrep -u "$n" -f '^sleep 3000' || return
	done
}
still_there() { local n; for n; do pgrep -u "$n" -f '^sleep 3000' || { echo "$n is gone"; return 1; }; done; }
was_put_out() { # REASON NAME
	wait_until 6 no_processes "$2" &&
		wait_until 6 event_is '.ISMS_EVENT == "session.terminated"' ".ISMS_USER == \"$2\"" ".ISMS_REASON == \"$1\""
}
ends_in() { isms-userctl set-expiry "$1" "$(utc $(($(right_now) + $2)))" --reason test --yes; }	# NAME SECONDS
ends_at_its_instant() { # NAME INSTANT: not before, at most five seconds after
	while [ "$(right_now)" -lt $(($2 - 1)) ]; do sleep .1; done
	{ still_there "$1" || [ "$(right_now)" -ge "$2" ]; } && wait_until 6 no_processes "$1" && [ "$(right_now)" -le $(($2 + 5)) ]
}

check "libfaketime" make_fake
check "a right clock" clock_is 0
check "drop-ins" put_under_fake
prepare
check "the processes run under it" all_under_fake
check "boot phase is over" wait_until 120 past_boot_phase
check "ada, a contractor" contractor ada
check "eve, a contractor who will have left" contractor eve
check "gil, a contractor who will leave" contractor gil
check "zoe, a contractor" contractor zoe
check "bob, employed without an end" employee bob --group web-deploy
check "dan, employed, who will have left" employee dan --until +2h
check "the clock is trusted" status_has "$trusted"
check "all of them are let in" let_in ada eve zoe bob dan
check "ada stays until tomorrow" ends_in ada $day
check "zoe stays for twenty years" ends_in zoe $((7305 * day))
check "eve leaves" ends_in eve 2
check "dan leaves" ends_in dan 2
sleep 2

# ---- TM04a: set back -----------------------------------------------------------------------------
check "TM04a expired is refused" turned_away expired eve dan
check "TM04a sessions" sits_there ada gil bob
gil_end=$(($(right_now) + 30))
check "TM04a gil's contract ends soon" isms-userctl set-expiry gil "$(utc $gil_end)" --reason test --yes
check "mark" mark
since_set() { journal_mark=$set_mark "$@"; }	# COMMAND...: by the events since the clock was set
set_mark=$journal_mark
check "TM04a the clock is set back one day" clock_is -$day
check "TM04a expired stays expired" turned_away expired eve dan
check "TM04a a valid contractor: the clock is not to be trusted" turned_away clock-untrusted ada
check "TM04a event clock.untrusted" wait_until 5 since_set event_is '.ISMS_EVENT == "clock.untrusted"'
check "TM04a an employee is let in" let_in bob
check "TM04a status: untrusted" status_has "$untrusted"
check "TM04a a session ends at its contract's end all the same" ends_at_its_instant gil $gil_end
check "TM04a for this reason" since_set was_put_out expired gil
check "TM04a the others stay" still_there ada bob
check "TM04a three days back" clock_is $((-3 * day))
check "TM04a the front is restarted" systemctl restart ismsd-front
check "TM04a expired stays expired" turned_away expired eve dan
check "TM04a a valid contractor: still not to be trusted" turned_away clock-untrusted ada
check "TM04a an employee is let in, whose facts are as fresh as before" let_in bob
check "mark" mark
set_mark=$journal_mark
check "TM04a the clock is right again" clock_is 0
check "TM04a a valid contractor is let in" let_in ada
check "TM04a event clock.trusted" wait_until 5 since_set event_is '.ISMS_EVENT == "clock.trusted"'
check "TM04a expired is still expired" turned_away expired eve dan
check "TM04a extended: let in" eval 'ends_in eve 3600 && sleep 1 && let_in eve'

# ---- TM05a: forward and corrected ----------------------------------------------------------------
look() { isms-userctl disable dan --reason test --yes && isms-userctl enable dan --reason test --yes; }	# at who is live
outlasts() { sleep 1 && still_there "$@"; }
directory() { systemctl "$1" ismsd-directory.socket ismsd-directory.service; }
runs_as() { # NAME: a process of hers that needed no login
	setpriv --reuid "$1" --regid "$(id -g "$1")" --clear-groups sleep 3000 &
	wait_until 5 pgrep -u "$1" -f '^sleep 3000'
}
check "TM05a sessions" sits_there zoe
check "mark" mark
set_mark=$journal_mark
check "TM05a the clock jumps ten years" clock_is $((3652 * day))
check "TM05a contractors whose end it passed are refused" turned_away expired ada eve
check "TM05a a contractor whose end it did not reach: the clock is not to be trusted" turned_away clock-untrusted zoe
check "TM05a an employee is let in" let_in bob
check "TM05a the directory changes meanwhile" look
check "TM05a a session whose end it passed ends" since_set was_put_out expired ada
check "TM05a the others stay" outlasts bob zoe
check "TM05a front and publisher are restarted meanwhile" systemctl restart ismsd-front ismsd-publisher
check "TM05a still refused" turned_away expired ada
check "mark" mark
set_mark=$journal_mark
check "TM05a the clock is corrected" clock_is 0
check "TM05a all of them are let in" let_in ada eve zoe bob
check "TM05a event clock.trusted" wait_until 5 since_set event_is '.ISMS_EVENT == "clock.trusted"'
check "TM05a expired is still expired" turned_away expired dan
check "TM05a contractors have sessions again" sits_there ada
check "TM05a the directory changes again" look
check "TM05a all sessions stay" outlasts ada bob zoe
# An end that the jump had passed, and that comes when nobody tells the publisher of anything any more.
gil_end=$(($(right_now) + 25))
check "TM05a gil's contract ends soon" isms-userctl set-expiry gil "$(utc $gil_end)" --reason test --yes
check "TM05a the clock jumps again" clock_is $((3652 * day))
check "TM05a the publisher sees it" eval 'look && sleep 1'
check "TM05a without a directory process" directory stop
check "TM05a it is corrected again" clock_is 0
check "TM05a gil is there" runs_as gil
check "TM05a he must leave at his contract's end all the same" ends_at_its_instant gil $gil_end
check "TM05a the others stay again" still_there bob zoe
check "TM05a the directory process is back" directory start

# ---- a grant that has ended ------------------------------------------------------------------------
# The clock goes back to where it counted while the directory process is down, which keeps the boot's time beside it.
in_web() { id -nG ada | tr ' ' '\n' | grep -qx web-deploy; }
not_in_web() { ! in_web; }
trusted_at() { clock_is "$1" && isms-userctl clock trust --yes; }
granted() { not_in_web && as_actor carol grant ada web-deploy --for 410s --reason test && wait_until 5 in_web; }
back_while_down() { directory stop && clock_is 10 && directory start && wait_until 5 status_has '^connected +yes'; }
stays_out() { local n; for n in 1 2 3 4; do sleep .5; not_in_web || return; done; }
! on_slapd || check "entries" grant_entries
check "max-grant" set_option directory max-grant 1h
check "a grant: in the group" granted
check "later" trusted_at 400
check "its end" wait_until 14 not_in_web
check "the clock is set back while the directory process is down" back_while_down
check "what has ended stays so" stays_out
check "root says that the clock is right" isms-userctl clock trust --yes
check "its twin: then it counts" wait_until 5 in_web
check "later again: its end" eval 'trusted_at 420 && wait_until 5 not_in_web'
check "the clock is right" trusted_at 0

# ---- clock trust ---------------------------------------------------------------------------------
evening=$(($(date -d "$year-06-15T21:57:00Z" +%s) - $(right_now)))	# three minutes before midnight in Berlin
check "mark" mark
set_mark=$journal_mark
check "the clock was wrong, and is set right" clock_is $evening
check "contractors are refused" turned_away clock-untrusted ada
check "root says that it is right" isms-userctl clock trust --yes
check "event clock.trusted" wait_until 5 since_set event_is '.ISMS_EVENT == "clock.trusted"' '.ISMS_ACTOR != null'
check "contractors are let in" let_in ada
check "their sessions stay" eval "sits_there ada && outlasts ada bob zoe"

# ---- TM06a: zones --------------------------------------------------------------------------------
# A bare date ends in the zone of [login] time-zone, an instant in none. Far east the 16th is there already and will
# soon be half over; far west it is the 15th until noon.
berlin() { isms-userctl show "$1" --json | tee /dev/stderr | jq -e "[.. | .not_after? // empty] | first == \"$2\"" >/dev/null; }
local_zone() { ln -sfn "/usr/share/zoneinfo/$1" /etc/localtime && date +%Z; }
unit_zone() { put_under_fake "TZ=$1" && TZ=$1 && export TZ && systemctl restart $units && wait_until 5 systemctl -q is-active $units; }
on_the_15th() { TZ=$1 isms-userctl set-expiry "$2" "$year-06-$3" --reason test --yes && berlin "$2" "$year-06-$3T22:00:00Z"; }
as_before() { let_in ada gil bob && turned_away expired dan; }
check "TM06a [login] time-zone" set_option login time-zone Europe/Berlin
check "TM06a a date read in the east" on_the_15th Pacific/Kiritimati gil 15
check "TM06a a date read in the west" on_the_15th Etc/GMT+12 eve 16
check "TM06a decisions" as_before
check "TM06a /etc/localtime: east" local_zone Pacific/Kiritimati
check "TM06a decides as before" as_before
check "TM06a the units' TZ: west" unit_zone Etc/GMT+12
check "TM06a decides as before" as_before
check "mark" mark
set_mark=$journal_mark
check "TM06a gil is there" sits_there gil
check "TM06a midnight in Berlin has passed" clock_is $((evening + 240))
check "TM06a the 15th is over: expired" turned_away expired gil
check "TM06a the 16th is not: let in" let_in eve ada bob
check "TM06a the clock is still trusted: a small step" status_has "$trusted"
check "TM06a the directory changes" look
check "TM06a gil's session has ended" since_set was_put_out expired gil
check "TM06a the others stay" still_there ada bob zoe
check "TM06a back: UTC" eval 'local_zone Etc/UTC && unit_zone UTC'
check "TM06a decides as before: expired" turned_away expired gil dan
check "TM06a decides as before: let in" let_in eve ada bob
check "TM06a the others stay still" still_there ada bob zoe
finish
