#!/bin/bash
# grants: membership of a group for a limited time: there within a second, gone at its end on time also without a server,
# what becomes of sessions that hold it, who may approve, requests (issue 5; CASES AR, UC).
. "$(dirname "$0")/lib.sh"
policy='
[role contractor]
match          = kind:contractor
allow-services = sshd login su su-l sudo sudo-i
mfa            = required
require-expiry = yes
keep-groups    = web-deploy db-admin prod-root prod-devs lab vault vault-devs

[role employee]
match          = kind:employee
allow-services = sshd login su su-l sudo sudo-i
mfa            = if-enrolled
keep-groups    = web-deploy db-admin prod-root prod-devs lab vault vault-devs

[groups]
privileged = db-admin prod-root
'
prepare "$policy"
on_slapd || base=dc=isms,dc=local
check "people" contractor ada
check "people: bob" contractor bob --group web-deploy --group db-admin --group prod-root --group lab --group vault \
	--group prod-devs --group lab-devs --group vault-devs
check "people: dave" add_person dave employee
! on_slapd || check "entries" grant_entries
check "max-grant" set_option directory max-grant "1h db-admin=30m vault=0s"
check "they are there" bash -c "getent passwd dave && getent group db-admin"
echo '%db-admin ALL=(root) NOPASSWD: /usr/bin/id' >/etc/sudoers.d/db-admin

as_approver() { # carol, for verbs that have no --as
	if on_slapd; then as_actor carol "$@"; else isms-userctl "$@"; fi
}
in_group() { id -nG "$1" | tr ' ' '\n' | grep -qx "$2"; }
not_in_group() { ! in_group "$@"; }
within_a_second() { sleep 1 && "$@"; }
grant() { as_actor carol grant "$@" --reason test; }

# ---- granted, used, over ------------------------------------------------------------------------

granted() { not_in_group ada db-admin && grant ada db-admin --for 9s && within_a_second in_group ada db-admin; }
no_sudo() { ! by_ssh ada -- 'sudo -n /usr/bin/id -u'; }
sudo_as_root() { [ "$(by_ssh ada -- 'sudo -n /usr/bin/id -u')" = 0 ]; }
check "before it: no sudo" no_sudo
check "granted: in the group within a second" granted
check "used: sudo in a session" sudo_as_root
check "over: out of the group within a second of its end" bash -c "
	. $tests/check.sh; . $tests/integration/people.sh; sleep 8; ! id -nG ada | grep -qw db-admin"
check "over: no sudo" no_sudo
check "event grant.added has the approver" event_is '.ISMS_EVENT == "grant.added"' '.ISMS_USER == "ada"' '.ISMS_APPROVER == "carol"'
check "event grant.begun" event_is '.ISMS_EVENT == "grant.begun"' '.ISMS_USER == "ada"' '.ISMS_GROUPS == "db-admin"'
check "event grant.ended" event_is '.ISMS_EVENT == "grant.ended"' '.ISMS_USER == "ada"' '.ISMS_GROUPS == "db-admin"'
later() { grant ada db-admin --from +3s --for 3s && within_a_second not_in_group ada db-admin && sleep 3 && in_group ada db-admin && sleep 3 && not_in_group ada db-admin; }
check "a later begin: not before, then for its time" later
permanent() { grant bob db-admin --for 2s && sleep 4 && in_group bob db-admin; }
check "who is a member anyway stays one" permanent

# ---- an end needs nobody ------------------------------------------------------------------------

lose_directory() { if on_slapd; then slapd_stop; else mv /var/lib/isms/directory/directory.ldif /run/away.ldif; fi; }
find_directory() { if on_slapd; then slapd_start; else mv /run/away.ldif /var/lib/isms/directory/directory.ldif; fi; }
lost() { isms-userctl status | grep -q '^directory connected *no\|connected.*no'; }
ends_alone() {
	grant ada web-deploy --for 6s && within_a_second in_group ada web-deploy && lose_directory && wait_until 10 event_is '.ISMS_EVENT == "directory.lost"' || return
	wait_until 7 not_in_group ada web-deploy && id ada
}
check "mark" mark
check "the end holds without a directory" ends_alone
check "the directory is back" find_directory
check "the directory is back: seen" wait_until 30 event_is '.ISMS_EVENT == "directory.connected"'
while_down() {
	grant ada db-admin --for 5s && within_a_second in_group ada db-admin && systemctl stop ismsd-directory && sleep 6 &&
		systemctl start ismsd-directory && wait_until 5 not_in_group ada db-admin
}
check "an end that passes while the process is down holds at its start" while_down

# ---- sessions -----------------------------------------------------------------------------------

open_session() { # NAME SECONDS: on a terminal, its output in the person's folder
	by_ssh "$1" -tt -- "id -nG; sleep $2" >"$people/$1/shell" 2>&1 &
	wait_until 15 pgrep -u "$1" -f "sleep $2"
}
sleeps() { pgrep -u "$1" -f "sleep $2" >/dev/null; }
not_sleeping() { ! sleeps "$@"; }
privileged_session() {
	open_session ada 3401 && open_session bob 3402 && grant ada db-admin --for 15s && within_a_second in_group ada db-admin || return
	by_ssh ada -tt -- 'id -nG; sleep 3403' >$people/ada/shell2 2>&1 &
	wait_until 12 sleeps ada 3403 && wait_until 5 grep -w db-admin $people/ada/shell2 && sleeps ada 3401 &&
		wait_until 15 not_in_group ada db-admin && wait_until 5 not_sleeping ada 3403 && sleeps bob 3402
}
check "mark" mark
check "a session that holds a privileged group ends with the grant" privileged_session
check "event session.terminated says why" wait_until 5 event_is '.ISMS_EVENT == "session.terminated"' '.ISMS_USER == "ada"' '.ISMS_REASON == "grant-ended"'
check "it was told on its terminal" grep 'membership of group db-admin has ended' $people/ada/shell2
check "and may log in again" by_ssh ada -- true
without_it() { # opened before, hence without the group
	open_session ada 3404 && grant ada db-admin --for 3s && sleep 8 && not_in_group ada db-admin && sleeps ada 3404
}
check "a session that never had the group lives" without_it
told() {
	grant ada web-deploy --for 8s && within_a_second in_group ada web-deploy && open_session ada 3405 &&
		wait_until 12 not_in_group ada web-deploy && wait_until 5 grep 'membership of group web-deploy has ended' $people/ada/shell &&
		sleep 2 && sleeps ada 3405
}
check "another group: the session is told and lives" told
taken_back() {
	grant ada db-admin --for 10m && within_a_second in_group ada db-admin && open_session ada 3406 &&
		as_approver ungrant ada db-admin && wait_until 2 not_in_group ada db-admin && wait_until 5 not_sleeping ada 3406
}
check "ungrant: at once, sessions too" taken_back
publisher_down() { # what ends while nobody looks is seen at the start
	grant ada db-admin --for 12s && within_a_second in_group ada db-admin && open_session ada 3407 &&
		systemctl stop ismsd-directory ismsd-publisher.socket ismsd-publisher 2>/dev/null
	sleep 12
	systemctl start ismsd-publisher ismsd-directory && wait_until 8 not_sleeping ada 3407 && not_in_group ada db-admin
}
check "a session that held it while everything was down ends at the start" publisher_down

# ---- groups within groups -----------------------------------------------------------------------

nested() { # add|delete CHILD PARENT: a group in another one, or out of it, by no tool of ours
	local f=/var/lib/isms/directory/directory.ldif value="member: cn=$2,ou=groups,$base"
	if on_slapd; then
		printf 'dn: cn=%s,ou=groups,%s\nchangetype: modify\n%s: member\n%s\n' "$3" "$base" "$1" "$value" | as_admin ldapmodify
		return
	fi
	cp -p $f $f.new && if [ "$1" = add ]; then sed "/^dn: cn=$3,/a $value" $f >$f.new; else grep -vxF "$value" $f >$f.new; fi &&
		! cmp $f $f.new && mv $f.new $f
}
by_nesting() { # in both by a grant of the one within; the ends of both sessions are of one moment
	grant ada prod-devs --for 25s && grant ada lab-devs --for 25s && within_a_second in_group ada prod-root && in_group ada lab && open_session ada 3409 &&
		grep -w prod-root $people/ada/shell && grep -w lab $people/ada/shell
}
lost_by_nesting() { wait_until 30 not_in_group ada prod-root && not_in_group ada prod-devs && wait_until 5 not_sleeping ada 3409 && sleeps bob 3402; }
unprivileged_above() { # policy keeps the group above alone
	grant ada lab-devs --for 12s && within_a_second in_group ada lab && open_session ada 3410 && wait_until 15 not_in_group ada lab &&
		wait_until 5 grep 'membership of group lab has ended' $people/ada/shell && sleep 2 && sleeps ada 3410
}
check "a group in a privileged one" nested add prod-devs prod-root
check "a group in another one" nested add lab-devs lab
check "mark" mark
check "granted the one within: a session has both" by_nesting
check "its end ends the session, for the privileged group above; who has that anyway keeps his" lost_by_nesting
check "event session.terminated" wait_until 5 event_is '.ISMS_EVENT == "session.terminated"' '.ISMS_USER == "ada"' '.ISMS_REASON == "grant-ended"'
check "it was told of the group above" grep 'membership of group prod-root has ended' $people/ada/shell
check "its twin: no privileged group above; told, and lives" unprivileged_above

# ---- who may, how long, what is malformed -------------------------------------------------------

says() { # STATUS TEXT COMMAND...
	local want=$1 text=$2 rc=0
	shift 2
	"$@" >/run/said 2>&1 || rc=$?
	cat /run/said
	[ $rc = "$want" ] && grep -qF -- "$text" /run/said
}
check "self-approval is refused" says 1 "nobody approves for himself" as_actor dave grant dave web-deploy --for 1m --reason test
check "its twin: somebody else's" as_actor carol grant dave web-deploy --for 1m --reason test
check "its twin counts" within_a_second in_group dave web-deploy
check "too long is refused" says 1 "longest grant" grant ada db-admin --for 31m
check "its twin: the longest" grant ada db-admin --for 30m
check "its twin counts" within_a_second in_group ada db-admin
check "end it" as_approver ungrant ada db-admin
at() { date -u -d "$1" +%Y%m%d%H%M%SZ; }
raw_grant() { # NAME LINE...: an entry that no tool of ours wrote
	local name=$1 f=/var/lib/isms/directory/directory.ldif
	shift
	{ printf '\ndn: cn=%s,ou=grants,%s\nobjectClass: ismsGrant\ncn: %s\n' "$name" "$base" "$name"; printf '%s\n' "$@"; } >/run/entry.ldif
	if on_slapd; then as_admin ldapadd <<<"$(sed 1d /run/entry.ldif)"; return; fi
	cp -p $f $f.new && cat /run/entry.ldif >>$f.new && mv $f.new $f
}
by() { # APPROVER FROM UNTIL: bob's colleague dave in db-admin
	printf 'ismsMember: uid=dave,ou=people,%s\nismsGroup: cn=db-admin,ou=groups,%s\nismsApprover: %s\n' $base $base "$1"
	printf 'ismsFrom: %s\nismsUntil: %s\n' "$(at "$2")" "$(at "$3")"
}
never() { # NAME LINES: it is in the directory, told of as a fault, and gives nothing
	mark && raw_grant "$1" "$2" && wait_until 5 event_is '.ISMS_EVENT == "directory.entry-refused"' "(.ISMS_FAULT | contains(\"cn=$1,\"))" &&
		sleep 1 && not_in_group dave db-admin
}
counts() { raw_grant "$1" "$2" && within_a_second in_group dave db-admin; }
check "not in it yet" not_in_group dave db-admin
check "written by hand, approved by the member: never" never self "$(by "uid=dave,ou=people,$base" now +10min)"
check "written by hand, approved by nobody: never" never nobody "$(by "uid=eve,ou=people,$base" now +10min)"
check "written by hand, too long: never" never long "$(by "uid=carol,ou=people,$base" now +31min)"
check "written by hand, end before begin: never" never turned "$(by "uid=carol,ou=people,$base" +10min now)"
on_slapd || check "written by hand, no time: never" never timeless "$(by "uid=carol,ou=people,$base" now +10min | sed 's/^ismsUntil: .*/ismsUntil: tomorrow/')"
on_slapd || check "written by hand, two ends: never" never twice "$(by "uid=carol,ou=people,$base" now +10min; echo "ismsUntil: $(at +9min)")"
check "the twin of all of them counts" counts good "$(by "uid=carol,ou=people,$base" now +10min)"
in_vault() { by "uid=carol,ou=people,$base" now +10min | sed 's/cn=db-admin,/cn=vault-devs,/'; }
never_above() {
	mark && raw_grant vaulted "$(in_vault)" &&
		wait_until 5 event_is '.ISMS_EVENT == "directory.entry-refused"' '(.ISMS_FAULT | contains("cn=vaulted,") and contains("since it is a member of vault"))' &&
		sleep 1 && not_in_group dave vault && not_in_group dave vault-devs
}
counts_apart() { nested delete vault-devs vault && wait_until 2 in_group dave vault-devs && not_in_group dave vault; }
back_again() { nested add vault-devs vault && wait_until 2 not_in_group dave vault-devs && not_in_group dave vault; }
check "a group in one that takes no grants" nested add vault-devs vault
check "takes none: the tool" says 1 "since it is a member of vault" grant dave vault-devs --for 1m
check "takes none: written by hand" never_above
check "its twin: the same grant counts while the group stands alone" counts_apart
check "its twin: the tool grants it" grant ada vault-devs --for 1m
check "and in that group again it counts no more" back_again
approver_out() { isms-userctl disable carol --reason test --yes && within_a_second not_in_group dave db-admin && isms-userctl enable carol --reason test --yes && wait_until 2 in_group dave db-admin; }
check "an approver who is put out approves nothing any more; enabled again, he does" approver_out

# ---- requests -----------------------------------------------------------------------------------

request_approved() {
	local name
	name=$(as_actor dave request ada web-deploy --for 5m --reason "deploy" --json | jq -r .name) && [ "${name#r}" != "$name" ] || return
	isms-userctl request --list && says 1 "nobody decides about his own request" as_actor dave approve "$name" &&
		as_actor carol approve "$name" && within_a_second in_group ada web-deploy &&
		isms-userctl request --list --json | jq -e ".[] | select(.name == \"$name\") | .state == \"granted\" and .decider == \"carol\" and .turnaround_sec >= 0" &&
		says 1 "decided already" as_actor carol approve "$name"
}
check "mark" mark
check "a request, approved by somebody else" request_approved
check "event request.added" event_is '.ISMS_EVENT == "request.added"' '.ISMS_USER == "ada"'
check "event request.decided" event_is '.ISMS_EVENT == "request.decided"' '.ISMS_USER == "ada"' '.ISMS_NEW == "granted"'
request_refused() {
	local name
	name=$(as_actor dave request bob web-deploy --for 5m --reason "no" --json | jq -r .name) && as_actor carol approve "$name" --refuse &&
		isms-userctl request --list --json | jq -e ".[] | select(.name == \"$name\") | .state == \"refused\""
}
check "a request, refused" request_refused

# ---- the server's rules (slapd alone) -----------------------------------------------------------

if on_slapd; then
	bind_as() { local who=$1; shift; ldapmodify -x -H "$slapd_uri" -D "uid=$who,ou=people,$base" -w "correct-horse-$who" "$@"; }
	export LDAPTLS_CACERT=$slapd_dir/tls/ca.pem
	under_name() { printf 'dn: cn=%s,ou=grants,%s\nchangetype: add\nobjectClass: ismsGrant\ncn: %s\n' "$1" $base "$1"; by "uid=$2,ou=people,$base" now +5min | sed "s/uid=dave,ou=people/uid=ada,ou=people/"; }
	write_grant() { under_name "$1" "$3" | bind_as "$2"; }
	check "the server takes a grant under the approver's own name" write_grant own carol carol
	refused "the server refuses one under another's name" write_grant forged dave carol
	refused "the server refuses one by who is no approver" write_grant none bob bob
	lengthen() { printf 'dn: cn=good,ou=grants,%s\nchangetype: modify\nreplace: ismsUntil\nismsUntil: %s\n' $base "$(at +20min)" | bind_as "$1"; }
	refused "the server refuses the member to move his own end" lengthen dave
	check "its twin: an approver who is not the member" lengthen carol
	decide() { printf 'dn: %s\nchangetype: modify\nreplace: ismsState\nismsState: granted\n' "$2" | bind_as "$1"; }
	ask() { as_actor dave request dave web-deploy --for 5m --reason x --json | jq -r .name; }
	asked="cn=$(ask),ou=requests,$base"
	refused "the server refuses whoever asked to decide" decide dave "$asked"
	check "its twin: another approver" decide carol "$asked"

	# Who comes later under the name of one that left is let in by a person, and is another one all the same.
	another_dave() {
		in_group dave db-admin && as_admin ldapsearch -LLL -o ldif-wrap=no -s base -b "uid=dave,ou=people,$base" >/run/dave &&
			as_admin ldapdelete "uid=dave,ou=people,$base" && wait_until 10 not_in_group dave db-admin && as_admin ldapadd </run/dave &&
			wait_until 10 isms-userctl snapshot approve --reason test --yes && wait_until 10 getent passwd dave
	}
	check "mark" mark
	check "dave's entry goes, and another dave comes" another_dave
	check "the former one's grant is refused" wait_until 10 event_is '.ISMS_EVENT == "directory.entry-refused"' '(.ISMS_FAULT | contains("cn=good,")) and (.ISMS_FAULT | contains("the member is a later entry"))'
	check "and gives him nothing" not_in_group dave db-admin
	check "its twin: a grant anew" grant dave db-admin --for 5m
	check "which counts" within_a_second in_group dave db-admin
fi
finish
