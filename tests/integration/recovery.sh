#!/bin/bash
# recovery: recovery codes, on the embedded directory and on slapd: made, good once, counted, told and revoked; in the
# directory as hashes that a host may read and delete and nothing else (CASES OT12a; THREATS 5.6, I8).
. "$(dirname "$0")/lib.sh"
prepare
check "contractor" contractor ada
check "another, without a token" add_person ned contractor --until +2h --sponsor carol

# ---- making them ------------------------------------------------------------------------------
codes=$people/ada/recovery
issue() { # [OPTION...]: a set, one a line
	isms-userctl recovery-codes ada "$@" --secret-fd 3 3>$codes || return
	cat $codes >>/run/people/every-code
}
nth() { sed -n "$1p" "${2-$codes}"; }
remain() { # N: what show says
	local n
	n=$(isms-userctl show ada --json | jq .recovery_codes)
	[ "$n" = "$1" ] || { echo "show says $n"; return 1; }
}
refused "nobody is shown codes without a terminal or a descriptor" isms-userctl recovery-codes ada
no_token() { isms-userctl recovery-codes ned --secret-fd 3 3>/run/people/none; local rc=$?; [ ! -s /run/people/none ] && return $rc; }
check "none without a token that they stand in for" status_is 1 no_token
check "none so far" remain 0
check "mark" mark
dry() { isms-userctl recovery-codes ada --dry-run --secret-fd 3 3>/run/people/none && [ ! -s /run/people/none ] && remain 0; }
check "a dry run shows and makes none" dry
check "its twin: ten" issue --reason "phone of her own" --ticket T-12
ten() { [ "$(grep -cxE '[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}' $codes)" = 10 ] && [ "$(sort -u $codes | wc -l)" = 10 ]; }
check "ten different ones of 80 bits" ten
check "show says how many" remain 10
made() { event_is '.ISMS_EVENT == "recovery.created"' '.ISMS_USER == "ada"' '.ISMS_OLD == "0"' '.ISMS_NEW == "10"' '.ISMS_TICKET == "T-12"' '.ISMS_ACTOR != null'; }
check "event recovery.created" made

# ---- used once ---------------------------------------------------------------------------------
by_code() { # CODE [SSH-OPTION...] -- COMMAND
	local code=$1
	shift
	by_ssh ada "$@"
}
check "mark" mark
check "OT12a a recovery code in place of a one-time code" by_code "$(nth 1)" -- true
prompts() { printf '(ada@localhost) %s: \n' Password 'One-time code' | diff - $people/ada/prompts; }
check "the prompts are the usual ones" prompts
alert() { event_is '.ISMS_EVENT == "recovery.used"' '.PRIORITY == "4"' '.ISMS_USER == "ada"' ".ISMS_REMAINING == \"$1\"" '.ISMS_RHOST != null' '.ISMS_SEQ != null'; }
check "OT12a alert on the first use" alert 9
granted() { event_is '.ISMS_EVENT == "login.granted"' '.ISMS_FACTORS == "password recovery"'; }
check "the login says recovery" granted
check "show counts them down" remain 9
check "mark" mark
refused "OT12a the same code again" by_code "$(nth 1)" -- true
check "reason mfa-replayed" denied_with mfa-replayed ada
refused "no alert for it" alert 9
check "OT12a its twin, another code" by_code "$(nth 2)" -- true
typed() { by_code "$(nth 3 | tr 'A-Z-' 'a-z ')" -- true; }
check "lower case and blanks" typed
# In a shell: sshd shows no messages to a command.
told_by_ssh() { code=$(nth 4) converse ada true ssh $ssh_options ada@localhost | tee /dev/stderr | grep -q '6 of them are left'; }
check "the person is told how many are left: ssh" told_by_ssh
by_login_told() { code=$(nth 5) converse ada true login | tee /dev/stderr | grep -q 'of them are left'; }
check "the person is told how many are left: console" by_login_told
check "a key and a code" make_key ada
by_key_and_code() { code=$(nth 6) by_key ada -- true; }
check "key and recovery code" by_key_and_code
refused "key and a used one" by_key_and_code
su_code() { code=$(nth 7) by_su ada 'id -un'; }
check "su" su_code
check "one-time codes go on" by_ssh ada -- true

# ---- not a way around anything ----------------------------------------------------------------------
left=$(isms-userctl show ada --json | jq .recovery_codes)
check "mark" mark
password=wrong refused "OT14a a wrong password and a right code" by_code "$(nth 8)" -- true
check "reason password-failed" denied_with password-failed ada
check "burns nothing" remain "$left"
refused "a code of nobody" by_code 0000-1111-2222-3333 -- true
check "reason mfa-failed" denied_with mfa-failed ada
check "its twin: the right one" by_code "$(nth 8)" -- true
locked() { # where two failures lock, two wrong recovery codes do
	local rc=0
	set_option mfa lock-after 2 && ! by_code 0000-1111-2222-3333 -- true && ! by_code 0000-1111-2222-333 -- true &&
		! by_code "$(nth 9)" -- true && denied_with mfa-locked ada || rc=1
	rm /etc/isms/conf.d/mfa-lock-after.conf && reload && isms-userctl enable ada && return $rc
}
check "OT10a wrong ones count and lock" locked
check "its twin: unlocked" by_code "$(nth 9)" -- true

# A write that the directory refuses is no success, and nothing is used up.
if [ "${ISMS_DIRECTORY-}" = ldap ]; then
	unwritable() { slapd_rules '/attrs=ismsRecoveryCode/,/by \* none/s/=zrscxd/read/'; }
	writable() { slapd_rules; }
else
	unwritable() { chmod 0770 /var/lib/isms/directory; }
	writable() { chmod 0700 /var/lib/isms/directory; }
fi
check "one is left" remain 1
check "the directory takes no changes" unwritable
check "mark" mark
refused "OT09a a code that cannot be taken out of it" by_code "$(nth 10)" -- true
check "denied" event_is '.ISMS_DECISION == "denied"' '.ISMS_USER == "ada"' '.ISMS_REASON == "state-unwritable" or .ISMS_REASON == "directory-unavailable"'
check "it takes them again" writable
check "still there" remain 1
last() { by_code "$(nth 10)" -- true && alert 0; }
check "its twin: the last one" last
check "none is left" remain 0

# ---- replaced, revoked ---------------------------------------------------------------------------
check "a set of three" issue --count 3
cp $codes /run/people/old
check "another set of three" issue --count 3 --yes
check "three, not six" remain 3
refused "a code of the old set" by_code "$(nth 1 /run/people/old)" -- true
check "its twin: one of the new" by_code "$(nth 1)" -- true
check "mark" mark
revoke() { isms-userctl recovery-codes ada --revoke --yes --reason lost && remain 0; }
check "revoked" revoke
check "event recovery.revoked" event_is '.ISMS_EVENT == "recovery.revoked"' '.ISMS_USER == "ada"' '.ISMS_OLD == "2"' '.ISMS_NEW == "0"'
refused "a revoked code" by_code "$(nth 2)" -- true
check "revoke what is not there" status_is 1 isms-userctl recovery-codes ada --revoke --yes
check "a set again" issue --count 2
check "its twin: one of it" by_code "$(nth 1)" -- true

# ---- the same code in many requests at the same moment -----------------------------------------------
check "a full set" issue --count 16
check "exactly one of eight requests has each of fifteen codes" "$tests/integration/recovery.py" ada $codes 15 8
check "the sixteenth is left" remain 1
check "its twin: and good" by_code "$(nth 16)" -- true

# ---- who may see and change them at a server ----------------------------------------------------------
check "a set" issue --count 4
if [ "${ISMS_DIRECTORY-}" = ldap ]; then
	dn=uid=ada,ou=people,$base
	hashes() { value_of ismsRecoveryCode "$dn"; }
	check "yescrypt hashes of one salt" test "$(hashes | grep -cE '^\$y\$j9T\$')$(hashes | cut -d'$' -f4 | sort -u | wc -l)" = 41
	sees() { # WHO N
		[ "$(as "$1" ldapsearch -LLL -o ldif-wrap=no -b "$base" '(uid=ada)' ismsRecoveryCode | grep -c '^ismsRecoveryCode')" = "$2" ]
	}
	check "a host of her group reads them" sees web1 4
	check "one of another group does not" sees db1 0
	check "one that the group does not list does not" sees stray 0
	check "an auditor counts them" sees audrey 4
	change_as() { # WHO OPERATION [VALUE]
		printf 'dn: %s\nchangetype: modify\n%s: ismsRecoveryCode\n' "$dn" "$2" >/run/people/change
		[ $# -lt 3 ] || printf 'ismsRecoveryCode: %s\n' "$3" >>/run/people/change
		as "$1" ldapmodify </run/people/change
	}
	own='$y$j9T$5wq3LgYFbs0r2mTCeVxQp/$abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ'
	check "a host adds none" status_is 50 change_as web1 add "$own"
	check "a host replaces none" status_is 50 change_as web1 replace "$own"
	check "a host of another group deletes none" status_is 50 change_as db1 delete "$(hashes | head -n1)"
	check "an auditor changes none" status_is 50 change_as audrey delete "$(hashes | head -n1)"
	check "the person adds none" status_is 50 env LDAPTLS_CACERT=$slapd_dir/tls/ca.pem ldapmodify -x -H $slapd_uri -D "$dn" \
		-w "$(cat $people/ada/password)" -f <(printf 'dn: %s\nchangetype: modify\nadd: ismsRecoveryCode\nismsRecoveryCode: %s\n' "$dn" "$own")
	used=$(hashes | head -n1)
	check "its twin: a host deletes a used one" change_as web1 delete "$used"
	check "and nobody finds it again" status_is 16 change_as web1 delete "$used"
	replicated() { grep -rlaF "$(hashes | head -n1)" /var/lib/isms; }
	check "the replica has none" status_is 1 replicated
	check "its twin: her name is there" grep -rqaF ada /var/lib/isms/replica
	check "a set" issue --count 4 --yes
fi

# A set that no version of ours made: not a hash of another cost, whatever the directory says.
hostile='$y$jFT$5wq3LgYFbs0r2mTCeVxQp/$abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ'
if [ "${ISMS_DIRECTORY-}" = ldap ]; then
	plant() { printf 'dn: uid=ada,ou=people,%s\nchangetype: modify\n%s: ismsRecoveryCode\nismsRecoveryCode: %s\n' $base "$1" "$hostile" | as_admin ldapmodify; }
else
	plant() {
		local ldif=/var/lib/isms/directory/directory.ldif
		case $1 in
			add) sed "/^dn: uid=ada,/a ismsRecoveryCode: $hostile" $ldif ;;
			delete) grep -vF "$hostile" $ldif ;;
		esac >$ldif.new && chown --reference=$ldif $ldif.new && chmod 600 $ldif.new && mv $ldif.new $ldif
	}
fi
check "a hash of a cost that would stop the host" plant add
check "mark" mark
refused "it makes the set unusable" by_code "$(nth 1)" -- true
check "reason bad-record" denied_with bad-record ada
check "its twin: one-time codes go on" by_ssh ada -- true
check "without it" plant delete
check "its twin: the set is good" by_code "$(nth 1)" -- true

# ---- they go with the token ------------------------------------------------------------------------
check "mark" mark
check "unenroll" isms-userctl unenroll ada --yes
check "the codes went with the token" remain 0
check "event recovery.revoked" event_is '.ISMS_EVENT == "recovery.revoked"' '.ISMS_OLD == "3"'
refused "nobody without a token" by_code "$(nth 2)" -- true
check "reason mfa-not-enrolled" denied_with mfa-not-enrolled ada

# ---- canaries --------------------------------------------------------------------------------------
hex() { printf %s "$1" | od -An -tx1 -v | tr -d ' \n'; }
while read -r line; do
	echo "shown $(hex "$line")"
	echo "typed $(hex "${line//-/}")"
done </run/people/every-code >/run/people/canaries
check "as many as were made" test "$(wc -l </run/people/canaries)" -ge 76
scan() { "$tests/integration/scan.py" "$@"; }
for p in front directory publisher; do
	check "I8 none is in the memory of the $p process" scan /run/people/canaries mem "$(systemctl show -P MainPID ismsd-$p)"
done
journal() { journalctl --sync && journalctl -o export >/run/people/journal && scan "$1" text </run/people/journal; }
check "I8 none is in the journal" journal /run/people/canaries
control() { echo "control $(hex "recovery.used")" >/run/people/control && status_is 1 journal /run/people/control; }
check "its twin: the name of the event is" control
check "I8 none is in a file" scan /run/people/canaries files / /run/people
planted() { nth 1 >/var/tmp/planted && status_is 1 scan /run/people/canaries files / /run/people; local rc=$?; rm -f /var/tmp/planted; return $rc; }
check "its twin: a planted one is found" planted
finish
