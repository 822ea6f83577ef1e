# wrong_clock.sh - units of ours under libfaketime: their wall clock, right or wrong, is one that the test sets; boot
# clock and monotonic clock stay the kernel's. Sourced after lib.sh by whoever has set units and, where their right
# clock is not the kernel's, right: the seconds that it is ahead.
fake=/usr/lib/isms-fake-clock.so offset=/run/isms-clock/offset

# Version 0.9.10 moves timers of every clock by the offset of the wall clock: all of them fail or stop. Without that
# name it has no say in them, and they are the kernel's.
make_fake() { sed 's/timerfd_settime/timerfd_xettime/g' /usr/lib/*/faketime/libfaketimeMT.so.1 >"$fake" && chmod 755 "$fake"; }
fake_environment="LD_PRELOAD=$fake FAKETIME_TIMESTAMP_FILE=$offset FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1"
put_under_fake() { # [VARIABLE=VALUE...]
	local u
	for u in $units; do
		mkdir -p "/run/systemd/system/$u.service.d" &&
			printf '[Service]\nEnvironment=%s\n' "$fake_environment $*" >"/run/systemd/system/$u.service.d/clock.conf" || return
	done
	systemctl daemon-reload
}
# clock_is SECONDS: how far the wall clock of all of them is wrong from here on.
clock_is() {
	mkdir -p "${offset%/*}" && printf '%+d\n' $((${right-0} + $1)) >"$offset.new" && mv "$offset.new" "$offset"
}
all_under_fake() {
	local u
	for u in $units; do grep -F "$fake" "/proc/$(systemctl show -P MainPID $u)/maps" | tail -n 1 | grep . || return; done
}
