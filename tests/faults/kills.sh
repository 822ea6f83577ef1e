#!/bin/bash
# kills: the three processes are killed at random instants during a stream of changes and logins: nobody is ever
# missed by a lookup, no code that was taken is taken again, and in the end all is as the directory says.
# kills.sh [KILLS [SEED]]; tests/run crash runs it on both kinds of directory.
. "$(dirname "$(dirname "$(realpath "$0")")")/integration/lib.sh"
kills=${1:-40} seed=${2:-$(date +%N)}
RANDOM=$((10#$seed % 32768))
echo "seed $seed"
here=/run/kills
mkdir -p $here
prepare
quick() { # and patient: most of the logins that fail have used a code up
	mkdir -p /etc/isms/conf.d && reload_with /etc/isms/conf.d/quick.conf <<-C
		[login]
		failure-floor = 100
		[mfa]
		hotp-look-ahead = 20
		delay-after = 100
		lock-after = 1000
	C
}
reload_with() { cat >"$1" && reload; }
check "settings" quick
check "contractor" contractor ada
people_here="kim lea max"
others() {
	local p
	for p in $people_here; do add_person "$p" employee || return; done
	for p in $people_here; do wait_user "$p" || return; done
}
check "others" others
check "in" by_pam ada

begin() { # NAME COMMAND...: beside us, until it is told to stop
	local name=$1
	shift
	( while [ ! -e $here/stop ]; do "$@" || sleep .1; done; touch "$here/$name.over" ) >"$here/$name" 2>&1 </dev/null &
}
change() {
	n=$(($(cat $here/n 2>/dev/null || echo 0) + 1))
	echo $n >$here/n
	set -- $people_here
	shift $((n % 3))
	edit_entry "$1" loginShell "/bin/$( ((n / 3 % 2)) && echo sh || echo bash)"
	sleep .1
}
login() { # a code, and once more the same
	local code
	code=$(fresh_code ada)
	code=$code by_pam ada || { wait_until 10 active; return; }
	echo "$code" >>$here/taken
	! code=$code by_pam ada || echo "$code" >>$here/twice
}
kill_one() { # at a random instant, a random one
	local processes=(front directory publisher) pid
	sleep .$((RANDOM % 5 + 1))$((RANDOM % 10))
	pid=$(systemctl show -P MainPID "ismsd-${processes[RANDOM % 3]}")
	[ "$pid" = 0 ] || { kill -s KILL "$pid" && echo >>$here/killed; }
}
active() { systemctl -q is-active ismsd-front ismsd-directory ismsd-publisher; }
watched() {
	! systemctl -q is-active isms-watch || systemctl stop isms-watch
	cat $here/watch
	grep -q '^looked [1-9]' $here/watch && ! grep -q missing $here/watch
}
stream() {
	systemd-run --quiet --unit=isms-watch python3 -I "$people_lib/watch.py" $here/watch $people_here ada carol &&
		begin changes change && begin logins login || return
	while [ "$(wc -l <$here/killed)" -lt "$kills" ]; do kill_one; done
	touch $here/stop
	wait_until 30 test -e $here/changes.over && wait_until 30 test -e $here/logins.over && wait
}
: >$here/killed
check "$kills kills" stream
check "nobody was missed by a lookup" watched
check "well again" wait_until 10 active
taken() { wc -l $here/taken; [ "$(wc -l <$here/taken)" -ge 2 ]; }
check "logins were let in meanwhile" taken
check "no code was taken twice" test ! -s $here/twice
changed() { cat $here/n; [ "$(cat $here/n)" -ge 20 ]; }
check "changes were made meanwhile" changed
has_shell() { getent passwd "$1" | grep -q ":$2\$"; }
directory_says() { # what the directory has of each
	local p
	for p in $people_here; do
		if on_slapd; then echo "$p $(value_of loginShell "uid=$p,ou=people,$base")"
		else echo "$p $(sed -n "/^dn: uid=$p,/,/^\$/s,^loginShell: ,,p" /var/lib/isms/directory/directory.ldif)"; fi
	done
}
lookups_say() { local p; for p in $people_here; do echo "$p $(getent passwd "$p" | sed 's/.*://')"; done; }
as_directory() { diff <(directory_says) <(lookups_say); }
check "lookups say what the directory says" wait_until 20 as_directory
refused "the last code once more" eval 'code=$(tail -n 1 $here/taken) by_pam ada'
check "its twin: the next one" by_pam ada
finish
