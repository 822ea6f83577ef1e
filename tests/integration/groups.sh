#!/bin/bash
# groups: every service of the machine gives the filtered groups, with a forbidden group in the directory and in
# /etc/group, a local one that policy leaves, and a caller that adds others by itself (issue 2, done when 4; CASES
# PS03a, PS04a, PS08a, NS13a).
. "$(dirname "$0")/lib.sh"
groupadd -g 980 log-read
groupadd -g 981 wheelhouse
groupadd -g 982 no-usb
groupadd -g 983 added
# The staff of this host log in with a key alone.
policy="${default_policy%\[role employee\]*}[role employee]
match          = kind:employee
allow-services = sshd
mfa            = none
keep-groups    = web-deploy log-read
"
prepare "$policy
[groups]
deny-acl = no-usb"
check "contractor" contractor ada --group web-deploy --group docker
check "without a second factor" add_person kim employee --group web-deploy --group docker
check "without a second factor: visible" wait_user kim
for user in ada kim; do
	check "local groups that list $user" gpasswd -a $user log-read
	check "local groups that list $user: forbidden" gpasswd -a $user wheelhouse
	check "local groups that list $user: deny-acl" gpasswd -a $user no-usb
	check "key of $user" make_key $user
done
check "local user" local_people
check "key of the local user" make_key local
echo 'local ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/isms-test
echo 'ada ALL=(ALL) NOPASSWD: ALL' >>/etc/sudoers.d/isms-test

# A file, for sudo -i and cron have their own ideas of quoting.
cat >/run/real-groups <<-'S'
	#!/bin/sh
	names=$(for g in $(sed -n 's/^Groups://p' /proc/self/status) $(id -g); do getent group "$g" | cut -d: -f1; done | sort -u)
	echo "groups:" $names
S
chmod 755 /run/real-groups
real_groups=/run/real-groups
ada="ada isms-mfa log-read no-usb web-deploy"
kim="kim log-read no-usb web-deploy"
local="added local no-usb"
groups_are() { # WANTED COMMAND...: its output has a line with exactly these groups
	local wanted=$1
	shift
	"$@" 2>&1 | tr -d '\r' | sed 's/\x1b\[[?0-9;]*[a-zA-Z]//g' >/run/groups-output
	cat /run/groups-output
	grep -q "^groups: $wanted *$" /run/groups-output || { journalctl --sync; journalctl -n 30; return 1; }
}

# ---- what lookups alone give: no module that changes credentials has run ---------------------------------
looked_up() { [ "$(id -Gn "$1" | tr ' ' '\n' | sort | tr '\n' ' ' | sed 's/ $//')" = "$2" ]; }
check "id" wait_until 5 looked_up ada "$ada"
check "id: without a second factor" wait_until 5 looked_up kim "$kim"
check "unit with User=" groups_are "$ada" systemd-run --quiet --pipe --wait -p User=ada $real_groups
check "NS13a getent group: a dropped directory group does not list her" test "$(getent group docker | cut -d: -f4)" = ""
check "getent group: a kept one does" test "$(getent group web-deploy | cut -d: -f4)" = ada,kim

# ---- what a caller adds: pam_group runs in each setcred before ours ------------------------------------
# She is not listed in the group "added": nothing but our setcred can take it away again. The local user shows each
# time that it would be there. Debian's login has a pam_group of its own behind common-auth, which would add it after us.
echo '*;*;ada|kim|local;Al0000-2400;added, no-usb' >>/etc/security/group.conf
sed -i 's/^auth.*pam_group\.so/# &/' /etc/pam.d/login
sed -i '0,/^auth.*pam_isms\.so/s//auth optional pam_group.so\n&/' /etc/pam.d/common-auth
first_two() { [ "$(grep -m 2 ^auth /etc/pam.d/common-auth | grep -oE 'pam_[a-z]+' | xargs)" = "pam_group pam_isms" ]; }
check "pam_group stands before us" first_two

stripped() { # SERVICE USER COMMAND...: filtered groups, and the event says what was taken away there
	local service=$1 user=$2
	shift 2
	mark && groups_are "${!user}" "$@" &&
		wait_until 5 event_is '.ISMS_EVENT == "groups.dropped"' ".ISMS_USER == \"$user\"" ".ISMS_SERVICE == \"$service\"" \
			'(.ISMS_GROUPS // "") | split(" ") | index("added")'
}
sudo_of_local() { setpriv --reuid local --regid local --init-groups sudo -n "$@"; }
# su by root calls no setcred (pam_rootok ends that chain), but -G gives groups before the session is opened.
su_with() { # NAME: all groups of hers, and one that she may not have
	local options=(-g "$1") g
	for g in ${!1} added no-usb; do [ "$g" = "$1" ] || options+=(-G "$g"); done
	su "${options[@]}" - "$1" -c $real_groups </dev/null
}
new_manager() { stop_user_manager "$1"; by_user_manager "$1" $real_groups; }
both_by_cron() {
	local name
	rm -f /tmp/cron.ada /tmp/cron.local
	for name in ada local; do echo "* * * * * $name $real_groups >/tmp/cron.$name 2>&1"; done >/etc/cron.d/isms-test
	systemctl start cron
	wait_until 75 test -s /tmp/cron.ada -a -s /tmp/cron.local
	local rc=$?
	rm -f /etc/cron.d/isms-test
	return $rc
}
of_cron() { [ "$1" != ada ] || both_by_cron; cat "/tmp/cron.$1"; }

check "PS03a ssh: password and code" stripped sshd ada by_ssh ada -- $real_groups
without_code() { local code=''; "$@"; }
check "PS03a its twin: the local user by ssh" groups_are "$local" without_code by_ssh local -- $real_groups
check "PS03a ssh: key and code" stripped sshd ada by_key ada -- $real_groups
check "PS03a login" stripped login ada by_login ada $real_groups
check "PS03a its twin: the local user by login" groups_are "$local" without_code by_login local $real_groups
check "PS03a su" stripped su-l ada by_su ada $real_groups
check "PS03a its twin: the local user by su" groups_are "$local" without_code by_su local $real_groups
check "PS03a root's su" stripped su-l ada su_with ada
check "PS03a its twin: the local user by root's su" groups_are "$local" su_with local
check "PS03a sudo by a local user" stripped sudo ada sudo_of_local -u ada $real_groups
check "PS03a its twin: the local user by sudo" groups_are "$local" sudo_of_local -u local $real_groups
check "PS03a sudo -i" stripped sudo-i ada sudo_of_local -u ada -i $real_groups
check "PS03a its twin: the local user by sudo -i" groups_are "$local" sudo_of_local -u local -i $real_groups
check "PS03a cron" stripped cron ada of_cron ada
check "PS03a its twin: the local user by cron" groups_are "$local" of_cron local
check "PS03a user manager" stripped systemd-user ada new_manager ada
check "PS03a its twin: the local user by the user manager" groups_are "$local" new_manager local

# ---- a key alone: setcred without authenticate ---------------------------------------------------------
key_alone() { without_code by_key "$1" -o PreferredAuthentications=publickey -- $real_groups; }
not_asked() { # NAME: sshd took a key, nobody was asked, and no auth stage of ours has passed since the mark
	journalctl --after-cursor="$journal_mark" | grep " sshd\[[0-9]*\]: Accepted publickey for $1 " &&
		test ! -s "$people/$1/prompts" && status_is 1 event_is '.ISMS_EVENT == "auth.passed"' ".ISMS_USER == \"$1\""
}
check "PS04a a key alone" stripped sshd kim key_alone kim
check "PS04a no authenticate went before" not_asked kim
check "PS04a its twin: the local user by a key alone" groups_are "$local" key_alone local
check "mark" mark
check "key and code again" by_key ada -- true
check "PS04a its twin: with a code the auth stage passed" event_is '.ISMS_EVENT == "auth.passed"' '.ISMS_USER == "ada"'

# ---- deny-acl: stays, and the event says so ------------------------------------------------------------
by_password() { by_ssh ada -- $real_groups; }
check "PS08a a group flagged deny-acl stays" stripped sshd ada by_password
check "PS08a the event names it as protected" wait_until 5 event_is '.ISMS_EVENT == "groups.dropped"' '.ISMS_USER == "ada"' \
	'.ISMS_SERVICE == "sshd"' '(.ISMS_GROUPS_PROTECTED // "") | split(" ") | index("no-usb")' \
	'(.ISMS_GROUPS // "") | split(" ") | (index("added") and (index("no-usb") | not))'
printf '%s\n' "$policy" >/etc/isms/policy.conf
check "PS08a without the flag" reload
ada="ada isms-mfa log-read web-deploy"
check "PS08a without the flag: lookups" wait_until 5 looked_up ada "$ada"
check "PS08a its twin: without the flag it is dropped" stripped sshd ada by_password
check "PS08a its twin: the event names it as dropped" wait_until 5 event_is '.ISMS_EVENT == "groups.dropped"' '.ISMS_USER == "ada"' \
	'.ISMS_SERVICE == "sshd"' '(.ISMS_GROUPS // "") | split(" ") | index("no-usb")' \
	'(.ISMS_GROUPS_PROTECTED // "") | split(" ") | index("no-usb") | not'

check "status and doctor name what sg gives back" bash -c 'isms-userctl status | grep -q wheelhouse; isms-userctl doctor | grep wheelhouse'
check "groups of the local user are untouched" test "$(id -Gn local)" = local
finish
