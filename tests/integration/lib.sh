# lib.sh - for the files of tests/integration: a booted system with our packages installed, and people
# who log in to it. Sourced; refuses to work anywhere but inside the test bed.

grep -qz '^container=isms-testbed$' /proc/1/environ || { echo "only inside tests/bed/boot" >&2; exit 2; }
set -uo pipefail
export LC_ALL=C.UTF-8 HOME=/root DEBIAN_FRONTEND=noninteractive PAGER=cat SYSTEMD_PAGER=cat
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
. "$here/../check.sh"
. "$here/people.sh"
