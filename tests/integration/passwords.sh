#!/bin/bash
# passwords: one that must be changed first, at the login over ssh: changed and let in, or neither; also where the
# application does not ask for the change (THREATS I1; CASES PX06a, LD08a). On slapd its password policy says so, by
# pwdReset and, with ada's twin ben, by an expired password that is let in for a change.
. "$(dirname "$0")/lib.sh"
# Who is employed logs in by a password alone, so that nothing but it is due.
prepare "${default_policy%mfa *}mfa = none
"
check "must change" contractor ada --must-change
mkdir -p $people/changes

# changes NAME OLD NEW: a login by ssh in which the password is changed; what was asked is in prompts.
changes() {
	cat >$people/changes/askpass <<-A
		#!/bin/bash
		printf '%s\n' "\$1" >>$people/$1/prompts
		case \$1 in
			*Current*) echo '$2' ;; *New*) echo '$3' ;;
			*ssword*) cat $people/$1/password ;; *code*) echo "\$code" ;;
		esac
	A
	chmod 755 $people/changes/askpass
	: >"$people/$1/prompts"
	code=$(fresh_code "$1") SSH_ASKPASS=$people/changes/askpass SSH_ASKPASS_REQUIRE=force \
		ssh $ssh_options "$1@localhost" id -un </dev/null
}
with_new() { # NAME: let in, at once, and by the new password alone from then on
	changes "$1" "$(cat "$people/$1/password")" "a better sentence for it" >$people/changes/out || return
	grep -qx "$1" $people/changes/out
}
asked() { # what, in this order: the old password where the directory wants it for a change
	sed '/^([^)]*) Access refused: your password must be changed/d; s/^([^)]*) //; s/: *$//' "$people/$1/prompts" | diff - <(printf '%s\n' Password 'One-time code'
		if on_slapd; then echo 'Current password'; fi; printf '%s\n' 'New password' 'New password')
}
codes_are() { # WANTED-CODES NAME STAGE...: an application that goes on whatever account says
	local wanted=$1 name=$2
	shift 2
	code=$([ ! -e "$people/$name/token" ] || fresh_code "$name") password=$(cat "$people/$name/password") old=${old-$(cat "$people/$name/password")} \
		new="a better sentence for it" python3 -ISB "$tests/integration/skips.py" login "$name" "$@" >$people/changes/out
	cat $people/changes/out
	[ "$(sed -nE 's/^(authenticate|account|change|open) ([0-9]+)$/\2/p' $people/changes/out | xargs)" = "$wanted" ]
}
due() { event_is '.ISMS_DECISION == "denied"' ".ISMS_USER == \"$1\"" ".ISMS_SERVICE == \"$2\"" '.ISMS_REASON == "password-change-required"'; }

must_change() { # NAME HOW: neither without a change; 12 is PAM_NEW_AUTHTOK_REQD, 14 PAM_SESSION_ERR
	local name=$1 how=$2
	check "mark" mark
	check "PX06a $how: an application that skips the change gets no session" codes_are "0 12 14" "$name" authenticate account open
	check "PX06a $how: event" due "$name" login
	check "PX06a $how: nor without asking" codes_are "0 14" "$name" authenticate open
	if on_slapd; then
		check "mark" mark
		refused "$how: the wrong old password" changes "$name" not-the-old-password "a better sentence for it"
		check "$how: reason password-failed" denied_with password-failed "$name"
		check "PX06a $how: a change that failed opens no session" eval "old=wrong codes_are '0 12 20 14' $name authenticate account change open"
	fi
	refused "$how: a new password that is too short" changes "$name" "$(cat "$people/$name/password")" short
	check "PX06a $how: by ssh, changed and in" with_new "$name"
	check "$how: what was asked" asked "$name"
	check "$how: event" event_is '.ISMS_EVENT == "account.changed"' ".ISMS_USER == \"$name\"" '.ISMS_NOTE == "password changed"'
	check "mark" mark
	refused "$how: the old one is none any more" by_ssh "$name" -- true
	check "$how: reason password-failed" denied_with password-failed "$name"
	echo "a better sentence for it" >"$people/$name/password"
	check "$how: the new one is" by_ssh "$name" -- true
	check "PX06a $how: its twin, an application that skips nothing that is due" codes_are "0 0 0" "$name" authenticate account open
}

# ---- reset by an operator ------------------------------------------------------------------------
check "mark" mark
refused "PX06a reset: an unattended service" pamtester cron ada acct_mgmt
check "PX06a reset: event" due ada cron
must_change ada reset
check "PX06a its twin: changed, the unattended service" pamtester cron ada acct_mgmt

# The session is judged right after the change: it must not take the reset for one that is still due.
check "without a second factor" add_person joy employee --must-change
check "visible" wait_user joy
check "PX06a changed and in, at once" codes_are "0 12 0 0" joy authenticate account change open

# ---- expired at the server -------------------------------------------------------------------------
if on_slapd; then
	dn=uid=ben,ou=people,$base
	short_policy() { # GRACE-LOGINS
		as_admin ldapmodify -c <<-L
			dn: cn=short,$base
			changetype: add
			objectClass: device
			objectClass: pwdPolicy
			cn: short
			pwdAttribute: userPassword
			pwdMaxAge: 86400

			dn: cn=short,$base
			changetype: modify
			replace: pwdGraceAuthNLimit
			pwdGraceAuthNLimit: $1

			dn: $dn
			changetype: modify
			replace: pwdPolicySubentry
			pwdPolicySubentry: cn=short,$base
		L
		[ "$(value_of pwdGraceAuthNLimit "cn=short,$base")" = "$1" ] && [ "$(value_of pwdPolicySubentry $dn)" = "cn=short,$base" ]
	}
	expire() { printf 'dn: %s\nchangetype: modify\nreplace: pwdChangedTime\npwdChangedTime: 20200101000000Z\n' $dn | as_admin ldapmodify -e relax; }
	check "a contractor whose password ages" contractor ben
	check "a policy without grace" short_policy 0
	check "LD08a not expired: in" by_ssh ben -- true
	check "expired" expire
	check "mark" mark
	refused "LD08a expired, no grace" by_ssh ben -- true
	check "LD08a reason password-expired" denied_with password-expired ben
	check "some grace" short_policy 20
	must_change ben expired
	check "LD08a nothing is due at the server" test -z "$(value_of pwdGraceUseTime $dn)"

	# The second question has no proof any more, which without a second factor is no reason to refuse.
	dn=uid=sam,ou=people,$base
	check "without a second factor" add_person sam employee
	check "his password ages, too, and three binds are left: a login, and a login with its change" short_policy 3
	check "not expired: no change is due" codes_are "0 0 0" sam authenticate account open
	check "his has expired" expire
	check "PX06a an application that asks twice gets no session" codes_are "0 12 12 14" sam authenticate account account open
	check "PX06a its twin: what is due is done" codes_are "0 12 0 0" sam authenticate account change open

	# A server that is read every five minutes: what is known here still says that the change is due.
	polled() {
		slapd_stop
		rm "$slapd_dir/config/cn=config/olcDatabase={1}mdb/olcOverlay="*syncprov.ldif && slapd_start &&
			set_option directory poll-interval 5m && systemctl restart ismsd-directory && wait_until 10 connected
	}
	connected() { isms-userctl status | grep -q '^connected *yes'; }
	check "reset, and without content synchronisation" add_person kay employee --must-change
	check "visible" wait_user kay
	check "polled" polled
	check "PX06a changed and in, though facts are old" codes_are "0 12 0 0" kay authenticate account change open
	check "PX06a its twin: facts are old" why_says kay password-change-required
fi
finish
