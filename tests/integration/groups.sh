#!/bin/bash
# groups: every service of the machine gives the filtered groups, with a forbidden group in the directory and in
# /etc/group, and a local one that policy leaves (issue 2, done when 4; CASES PS03a, PS04a, PS08a, NS13a).
. "$(dirname "$0")/lib.sh"
groupadd -g 980 log-read
groupadd -g 981 wheelhouse
groupadd -g 982 no-usb
prepare "$default_policy
[groups]
deny-acl = no-usb"
systemctl start cron
check "contractor" contractor ada --group web-deploy --group docker
check "local groups that list her" gpasswd -a ada log-read
check "local groups that list her: forbidden" gpasswd -a ada wheelhouse
check "local groups that list her: deny-acl" gpasswd -a ada no-usb
check "key" make_key ada
echo 'local ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/isms-test
echo 'ada ALL=(ALL) NOPASSWD: ALL' >>/etc/sudoers.d/isms-test
check "local user" local_people

wanted="ada isms-mfa log-read no-usb web-deploy"
# A file, for sudo -i and cron have their own ideas of quoting.
cat >/run/real-groups <<-'S'
	#!/bin/sh
	names=$(for g in $(sed -n 's/^Groups://p' /proc/self/status) $(id -g); do getent group "$g" | cut -d: -f1; done | sort -u)
	echo "groups:" $names
S
chmod 755 /run/real-groups
real_groups=/run/real-groups
has_groups() { # COMMAND...: its output has a line with exactly the wanted groups
	"$@" 2>&1 | tr -d '\r' | sed 's/\x1b\[[?0-9;]*[a-zA-Z]//g' | tee /dev/stderr | grep -q "^groups: $wanted *$"
}
publisher_has_seen() { [ "$(id -Gn ada | tr ' ' '\n' | sort | tr '\n' ' ' | sed 's/ $//')" = "$wanted" ]; }
check "id" wait_until 5 publisher_has_seen
check "PS03a ssh: password and code" has_groups by_ssh ada -- "$real_groups"
check "PS04a ssh: key and code" has_groups by_key ada -- "$real_groups"
check "PS03a login" has_groups by_login ada "$real_groups"
check "PS03a su" has_groups by_su ada "$real_groups"
check "PS03a root's su" has_groups root_su ada "$real_groups"
check "PS03a sudo by a local user" has_groups setpriv --reuid local --regid local --init-groups sudo -n -u ada $real_groups
check "PS03a sudo -i" has_groups setpriv --reuid local --regid local --init-groups sudo -n -u ada -i $real_groups
check "PS03a cron" has_groups by_cron ada $real_groups
check "PS03a user manager" has_groups by_user_manager ada $real_groups
check "PS03a unit with User=" has_groups systemd-run --quiet --pipe --wait -p User=ada $real_groups
check "NS13a getent group: a dropped directory group does not list her" test "$(getent group docker | cut -d: -f4)" = ""
check "getent group: a kept one does" test "$(getent group web-deploy | cut -d: -f4)" = ada
check "PS08a deny-acl: no event says that it was dropped" bash -c '! journalctl -o json | jq -e -s "any(.[]; .ISMS_EVENT == \"groups.dropped\" and (.ISMS_GROUPS | test(\"no-usb\")))"'
check "status and doctor name what sg gives back" bash -c 'isms-userctl status | grep -q wheelhouse; isms-userctl doctor | grep wheelhouse'
check "groups of the local user are untouched" test "$(id -Gn local)" = local
finish
