# lib.sh - for the files of tests/integration: a booted system, our packages, and people who log in. Sourced;
# refuses to work anywhere but inside the test bed. A file is named in tests/run; its checks bear the ids of
# CASES.md where they are one of those cases.
grep -qz '^container=isms-testbed$' /proc/1/environ || { echo "only inside tests/bed" >&2; exit 2; }
set -uo pipefail
export LC_ALL=C.UTF-8 HOME=/root DEBIAN_FRONTEND=noninteractive PAGER=cat SYSTEMD_PAGER=cat
tests=$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")
. "$tests/check.sh"
. "$tests/integration/people.sh"
