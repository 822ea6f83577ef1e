# lib.sh - for the files of tests/integration: a booted system, our packages, and people who log in. Sourced;
# refuses to work anywhere but inside the test bed. A file is named in tests/run; its checks bear the ids of
# CASES.md where they are one of those cases.
grep -qz '^container=isms-testbed$' /proc/1/environ || { echo "only inside tests/bed" >&2; exit 2; }
set -uo pipefail
export LC_ALL=C.UTF-8 HOME=/root DEBIAN_FRONTEND=noninteractive PAGER=cat SYSTEMD_PAGER=cat
tests=$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")
. "$tests/check.sh"
. "$tests/integration/people.sh"
# The same files run on both kinds of directory: the embedded one, and a real slapd (ISMS_DIRECTORY=ldap).
. "$tests/integration/directory.sh"

# ---- the world of most files ---------------------------------------------------------------------

# Packages, setup, a policy (default_policy if not given), and carol, who sponsors. One check.
prepare() {
	local policy=${1-}
	check "prepare: packages" install_packages
	printf '%s\n' "${policy:-$default_policy}" >/run/policy
	check "prepare: setup and policy" setup_with_policy /run/policy
	check "prepare: sponsor" add_person carol employee
	check "prepare: mark" mark
}

default_policy='
[role contractor]
match          = kind:contractor
allow-services = sshd login su su-l sudo sudo-i cron
mfa            = required
require-expiry = yes
keep-groups    = web-deploy log-read

[role employee]
match          = kind:employee
allow-services = sshd login su su-l sudo sudo-i cron
mfa            = required
keep-groups    = web-deploy log-read
'

# contractor NAME [ADD-OPTION...]: with a counter token, which needs no waiting between two logins.
contractor() {
	local name=$1
	shift
	add_person "$name" contractor --until +2h --sponsor carol "$@" && wait_user "$name" && enroll_person "$name" --hotp
}

# A local administrator and a local user, who must never depend on any of ours.
local_people() {
	mkdir -p $people/local && echo local-password >$people/local/password && write_askpass local &&
		useradd -m -s /bin/bash local && echo "local:local-password" | chpasswd &&
		mkdir -p $people/root && echo root-password >$people/root/password && write_askpass root &&
		echo "root:root-password" | chpasswd &&
		echo 'PermitRootLogin yes' >/etc/ssh/sshd_config.d/0-root.conf && systemctl restart ssh
}
local_logs_in() { code='' by_login local 'id -un' && code='' by_ssh local -- true; }
root_logs_in() { code='' by_login root 'id -un' && code='' by_ssh root -- true; }
# cron reads its tables in the second after a minute began: a table written after this counts from the next minute on.
within_a_minute() {
	local second=$(($(date +%s) % 60))
	if [ $second -lt 3 ]; then sleep 3; elif [ $second -gt 50 ]; then sleep $((63 - second)); fi
}
sshd_drop_in() { # present|absent
	case $1 in
		absent) mv /etc/ssh/sshd_config.d/isms.conf /run/isms-sshd.conf ;;
		present) mv /run/isms-sshd.conf /etc/ssh/sshd_config.d/isms.conf ;;
	esac
	systemctl restart ssh
}
