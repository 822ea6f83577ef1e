#!/bin/bash
# wrong-input: every verb of isms-userctl with what it must refuse, by the table wrong-input.rows: one clear line, the
# right status, no byte of the directory changed; and two administrators at once, who lose nothing.
. "$(dirname "$0")/lib.sh"

policy="$(sed 's/^require-expiry.*/&\nmax-term       = 180d/; s/^keep-groups.*/& both/' <<<"$default_policy")"
prepare "$policy"
people_there() {
	add_person ada contractor --until +60d --sponsor carol --group web-deploy &&
		add_person late contractor --not-before +20d --until +30d --sponsor carol &&
		add_person shut contractor --until +60d --sponsor carol && isms-userctl disable shut && enroll_person ada --hotp
}
check "people" people_there
check "a key" ssh-keygen -q -t ed25519 -N "" -f /run/a-key

rows=$(dirname "$0")/wrong-input.rows
out=/run/wrong-out err=/run/wrong-err
whole() {
	if on_slapd; then slapcat -F $slapd_dir/config -n1 | grep -v '^pwdFailureTime\|^entryCSN\|^modif'
	else sha256sum <"$ldif"; ls -A "${ldif%/*}"; fi
}
ldif=/var/lib/isms/directory/directory.ldif
kind() { if on_slapd; then echo ldap; else echo ldif; fi; }

# ---- the table ----------------------------------------------------------------------------------
trim() { sed 's/^ *//; s/ *$//' <<<"$1"; }
each_row() { # FUNCTION FAULT...: for the rows of these faults on this kind of directory
	local run=$1 verb fault status text arguments wanted
	shift
	while IFS='|' read -r verb fault status text arguments; do
		verb=$(trim "$verb") fault=$(trim "$fault") status=$(trim "$status") text=$(trim "$text")
		case $verb in '' | '#'*) continue ;; esac
		case $fault in *@*) [ "${fault#*@}" = "$(kind)" ] || continue; fault=${fault%@*} ;; esac
		for wanted; do
			[ "$wanted" != "$fault" ] || [ "$status" = - ] || $run "$verb" "$fault" "$status" "$text" "$(trim "$arguments")"
		done
	done <"$rows"
}
# Whoever runs the tool: alice or root; in no-permission somebody who may nothing.
tool() {
	if [ "$stranger" = yes ] && on_slapd && [ "$only_root" = no ]; then with_password nobody-special command /usr/bin/isms-userctl "$@"
	elif [ "$stranger" = yes ]; then setpriv --reuid nobody --regid nogroup --clear-groups /usr/bin/isms-userctl "$@"
	else isms-userctl "$@"; fi
}
stranger=no only_root=no
# What a server or this host says to who may not.
refuses="only root may do this|the directory does not allow this|no such account in the directory|may not see it"
meets() { # VERB FAULT STATUS TEXT ARGUMENTS
	local verb=$1 fault=$2 status=$3 text=$4 arguments=$5 rc=0 only_root=no before
	[ "$text" != "only root" ] || only_root=yes
	before=$(whole)
	eval "tool $verb $arguments" >$out 2>$err </dev/null || rc=$?
	cat $out $err
	[ $rc = "${status%[*=]}" ] || { echo "status $rc, wanted $status"; return 1; }
	[ "$before" = "$(whole)" ] || { echo "the directory was changed"; return 1; }
	case $status in
		*=) ! grep -qw 'ada\|carol\|late' $out; return ;;
		*\*) ;;
		*) [ "$(wc -l <$err)" = 1 ] && [ ! -s $out ] && grep -q '^isms-userctl: ' $err || { echo "not one clear line"; return 1; } ;;
	esac
	if [ "$text" = permission ]; then grep -qE "$refuses" $out $err; else grep -qF -- "$text" $out $err; fi ||
		{ echo "does not say: $text"; return 1; }
}
row() { check "$2: $1 $5" meets "$@"; }

# ---- a verb that the table does not know ----------------------------------------------------------
has_row() { grep -qE "^$1 *\| *$2(@[a-z]+)? *\|" "$rows" || echo "$1 lacks a row of $2 in wrong-input.rows"; }
verbs() { isms-userctl --help | sed -n 's/^  \([a-z][a-z-]*\( [a-z]\+\)\?\)\( .*\)\?$/\1/p' | sed '/^Options/,$d'; }
complete_table() {
	local verb synopsis lacks
	verbs >/run/verbs
	[ "$(wc -l </run/verbs)" -ge 24 ] || { cat /run/verbs; return 1; }
	lacks=$(while read -r verb; do
		synopsis=$(isms-userctl $verb --help | sed -n '1,/^$/p' | tr -d '\n')
		has_row "$verb" no-permission
		has_row "$verb" unreachable
		case $synopsis in *" USER"*) has_row "$verb" '(unknown-user|-)' ;; esac
		case $synopsis in *" GROUP"*) has_row "$verb" no-group ;; esac
		case $synopsis in *WHEN* | *SPAN*) has_row "$verb" bad-date ;; esac
		case $synopsis in *"--until WHEN"* | *"USER WHEN"*) has_row "$verb" end-before-start; has_row "$verb" beyond-term ;; esac
	done </run/verbs)
	[ -z "$lacks" ] || { echo "$lacks"; return 1; }
	sed 's/ *|.*//; /^#/d; /^$/d' "$rows" | sort -u | while read -r verb; do
		grep -qx "$verb" /run/verbs || echo "no such verb: $verb"
	done | grep . && return 1
	return 0
}
check "every verb has its rows" complete_table

each_row row bad-date unknown-user no-group end-before-start beyond-term other
stranger=yes
each_row row no-permission
stranger=no

# ---- out of reach ---------------------------------------------------------------------------------
gone() {
	systemctl stop ismsd-front.socket ismsd-front ismsd-directory.socket ismsd-directory ismsd-publisher.socket ismsd-publisher || true
	if on_slapd; then slapd_stop; else mv "$ldif" "$ldif.gone"; fi
}
back() {
	if on_slapd; then slapd_start; else mv "$ldif.gone" "$ldif"; fi
	systemctl start ismsd-publisher ismsd-directory ismsd-front && wait_until 10 isms-userctl why ada --factors password,otp
}
check "nobody is there" gone
each_row row unreachable
check "they are back" back
hangs() { # a server that takes a connection and says nothing
	local before=$SECONDS rc=0
	systemctl kill -s STOP --kill-whom=main isms-slapd
	status_is 3 isms-userctl set-expiry ada +9d || rc=$?
	systemctl kill -s CONT --kill-whom=main isms-slapd
	[ $rc = 0 ] && [ $((SECONDS - before)) -le 20 ]
}
! on_slapd || check "a server that is silent" hangs

# ---- two at once ----------------------------------------------------------------------------------
# Whoever was too late is told, and does it again.
until_done() { # ARGUMENT...
	local i said
	said=$(mktemp /run/at-once.XXXXXX)
	for i in $(seq 60); do
		isms-userctl "$@" >"$said" 2>&1 3<<<correct-horse-many && return
		grep -qE "somebody else|look again" "$said" || break
		sleep ".$((RANDOM % 5 + 1))"
	done
	cat "$said"
	return 1
}
adding_at_once() {
	local i pids=() rc=0
	for i in 1 2 3 4 5 6; do until_done add "both$i" --group both --password-fd 3 & pids+=($!); done
	for i in "${pids[@]}"; do wait "$i" || rc=1; done
	[ $rc = 0 ] && isms-userctl list --json >/run/listed || return
	[ "$(jq -r '.[].user | select(startswith("both"))' /run/listed | wc -l)" = 6 ] || { echo "not six"; return 1; }
	[ -z "$(jq -r '.[].uid' /run/listed | sort | uniq -d)" ] || { echo "a uid twice"; return 1; }
	[ "$(isms-userctl who-can --group both --all --json | jq '.users | length')" = 6 ] || { echo "not six in the group"; return 1; }
}
check "six accounts added at once" adding_at_once
changing_at_once() { # each changes another thing of one account: all of it stands afterwards
	local i pids=() rc=0
	until_done set-expiry ada +70d & pids+=($!)
	until_done disable ada & pids+=($!)
	until_done recovery-codes ada --count 1 --secret-fd 4 4>/dev/null & pids+=($!)
	for i in "${pids[@]}"; do wait "$i" || rc=1; done
	[ $rc = 0 ] && isms-userctl show ada --json >/run/shown && jq . /run/shown &&
		jq -e '.disabled and .recovery_codes == 1 and (.not_after | fromdate) > now + 69 * 86400' /run/shown
}
check "one account changed by three at once" changing_at_once
check "ada may come back" isms-userctl enable ada
same_at_once() { # both move one end: one of the two stands, and whoever was too late was told
	local i pids=() done_=0
	for i in 71d 72d; do isms-userctl set-expiry ada "+$i" >/run/same.$i 2>&1 & pids+=($!); done
	for i in "${pids[@]}"; do wait "$i" && done_=$((done_ + 1)); done
	cat /run/same.*
	[ $done_ = 2 ] || { [ $done_ = 1 ] && grep -q "somebody else changed" /run/same.*; }
}
check "one end moved by two at once" same_at_once
finish
