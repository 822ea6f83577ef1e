#!/bin/bash
# last-use: a login is noted by itself: on the host always, in the directory by its day, so that a person with a key alone
# is seen, and shown to its person at the next login, once (issue 5).
. "$(dirname "$0")/lib.sh"
prepare "${default_policy/%mfa            = required
keep-groups    = web-deploy log-read
/mfa            = none
}"
check "a person with a key and nothing else" add_person eve employee
check "known here" wait_user eve
check "her key" make_key eve
check "a contractor" contractor ada

last_use() { # NAME: as the directory has it
	if on_slapd; then value_of ismsLastUse "uid=$1,ou=people,$base"
	else sed -n "/^dn: uid=$1,/,/^\$/s/^ismsLastUse: //p" /var/lib/isms/directory/directory.ldif; fi
}
today=$(date -u +%Y%m%d000000Z)
is_today() { [ "$(last_use "$1")" = "$today" ]; }
key_alone() { code='' password='' by_key eve -o PasswordAuthentication=no -o KbdInteractiveAuthentication=no "$@"; }

# ---- noted -------------------------------------------------------------------------------------
check "never, at first" test -z "$(last_use eve)"
check "off: set to 0" set_option directory note-last-use 0
check "a login by key alone" key_alone -- true
sleep 3
check "off: nothing is noted" test -z "$(last_use eve)"
check "on: within a second" set_option directory note-last-use 1
runs_cron() { by_cron ada 'echo ran'; }
check "cron runs" runs_cron
check "a login by key alone" key_alone -- true
check "noted: the day alone" wait_until 10 is_today eve
check "a cron job is nobody being there" test -z "$(last_use ada)"
check "a login with password and code" by_ssh ada -- true
check "noted, too" wait_until 10 is_today ada
changed() { if on_slapd; then value_of entryCSN "uid=$1,ou=people,$base"; else stat -c %i /var/lib/isms/directory/directory.ldif; fi; }
before=$(changed eve)
check "again on the same day" key_alone -- true
sleep 3
check "the directory is written once a day" test "$(changed eve)" = "$before"
check "a day that was" edit_entry eve ismsLastUse 20260101000000Z
check "it moves forward" key_alone -- true
# The front has told of this day already: it tells again with the next day alone, and after its state was lost.
no_state() { systemctl stop ismsd-front.socket ismsd-front && rm -f /var/lib/isms/state/state.db* && systemctl start ismsd-front.socket ismsd-front; }
check "a host that knows nothing of it" no_state
check "a login there" key_alone -- true
check "noted again" wait_until 10 is_today eve

# ---- what keeps it from being noted keeps nobody out ---------------------------------------------
if on_slapd; then
	check "hosts may not write it" slapd_rules 's/^  by dn.onelevel=.*& this" write$/  by dn.onelevel="ou=hosts,dc=example,dc=com" read/'
	check "an older day" edit_entry eve ismsLastUse 20260101000000Z
	check "mark" mark
	check "a host that knows nothing of it" no_state
	check "the login all the same" key_alone -- true
	told_why() { journalctl --sync && journalctl -u ismsd-front --since -5min | grep -q "does not take the last use of eve.*acl-sample.ldif"; }
	check "the journal says what to do" wait_until 10 told_why
	check "nothing was noted" test "$(last_use eve)" = 20260101000000Z
	check "the sample's rules" slapd_rules
	no_other() { # VALUE ATTRIBUTE: the host changes nothing else of her entry
		printf 'dn: uid=eve,ou=people,%s\nchangetype: modify\nreplace: %s\n%s: %s\n' $base "$2" "$2" "$1" | status_is 50 as web1 ldapmodify
	}
	check "a host writes no other attribute" no_other 20991231000000Z ismsNotAfter
	check "its twin: this one" bash -c "printf 'dn: uid=eve,ou=people,$base\nchangetype: modify\nreplace: ismsLastUse\nismsLastUse: $today\n' |
		LDAPTLS_CACERT=$slapd_dir/tls/ca.pem ldapmodify -x -H $slapd_uri -D '$(dn_of web1)' -w web1-password"
	check "doctor --directory is content with the sample" isms-userctl doctor --directory
	stopped_server() { slapd_stop && key_alone -- true; }
fi

# ---- shown -------------------------------------------------------------------------------------
lines() { grep -c "Last login" /run/shown; }
by_shell() { # a shell on a terminal, by key
	converse eve 'id -un' ssh $ssh_options -i $people/eve/key eve@localhost >/run/shown 2>&1
	cat /run/shown
	grep -q eve /run/shown
}
check "a shell" by_shell
check "ssh shows the last login, once" test "$(lines)" = 1
check "when and from where" grep -Eq "Last login: 20[0-9-]+T[0-9:]+Z from (127\.0\.0\.1|::1|localhost) \(sshd\)" /run/shown
check "a shell on the console" by_login ada 'id -un'
on_console() { converse ada 'id -un' login >/run/shown 2>&1; cat /run/shown; grep -q entered /run/shown; }
check "once more" on_console
check "login shows it once" test "$(lines)" = 1
check "a file copy is not disturbed" test -z "$(key_alone -- cat /dev/null 2>&1)"
finish
