#!/bin/bash
# test_userctl.sh: the real isms-userctl on a root in a temp folder, as whoever runs the tests. Every verb that needs
# no running ismsd, with good and wrong input: exit status, JSON, what stands in the directory afterwards.
. "${srcdir:-.}/tests/unit/userctl_scene.sh"

# ---- command line ---------------------------------------------------------------------------------
run 0 --version; says "isms-userctl "
run 0 --help; says "set-expiry USER WHEN"; says "Exit status"
run 0 add --help; says "--password-fd N"
for command in setup add set-expiry disable enable enroll unenroll recovery-codes show list why status doctor events \
	"config check" "config show" "policy check" "policy show" "policy test" "clock trust"; do
	run 0 $command --help; says "isms-userctl $command"
done
run 2; says "no command"
run 2 frobnicate; says "is not a command"; run 2 config; says "check or show"
run 2 show; says "show needs USER"
run 2 show ada --password geheim; says "--password is not an option of show"
run 2 list --root /nowhere; says "--root is given too often"
"$tool" --root relative list >"$root/out" 2>"$root/err"; [ $? = 2 ] || wrong "relative root"
"$tool" --root /does/not/exist list >"$root/out" 2>"$root/err"; [ $? = 2 ] || wrong "root that is not there"

# the manual and the completion are made from the same table
manual=$PWD/tools/isms-userctl.8 completion=$PWD/tools/completion/isms-userctl
"$tool" --help | sed -n 's/^  \([a-z][a-z-]*\( [a-z]*\)\?\) .*/\1/p' | grep -v '^--' >"$root/commands"
[ "$(wc -l <"$root/commands")" = "$(grep -c '^COMMAND(' "${srcdir:-.}/tools/commands.def")" ] || wrong "--help lists $(wc -l <"$root/commands") commands"
while read -r command; do
	count=$((count + 1))
	grep -qF "isms\\-userctl ${command//-/\\-}" "$manual" || wrong "manual: $command"
	"$tool" $command --help | grep -o '^  --[a-z-]*' | while read -r option; do
		grep -qF "\\fB${option//-/\\-}\\fR" "$manual" || echo "manual: $command $option"
		grep -qF -- "$option " "$completion" || echo "completion: $command $option"
	done >"$root/out"
	[ ! -s "$root/out" ] || wrong "documents of $command"
done <"$root/commands"
run 0 review --help; says "review confirm [USER...]"; says "Options of every command"; lacks "snapshot show"
run 2 review; says "goes with a second word"; run 2 review all --help; says "is too much"
complete_() { (. "$completion"; COMP_WORDS=(isms-userctl "$@") COMP_CWORD=$#; _isms_userctl; echo "${COMPREPLY[*]}"); }
[ "$(complete_ se)" = "setup set-expiry set-sponsor sessions" ] || wrong "completion of se: $(complete_ se)"
[ "$(complete_ --json config '')" = "check show" ] || wrong "completion of config: $(complete_ --json config '')"
[ "$(complete_ add ada --kind s)" = "service" ] || wrong "completion of --kind s"
[ "$(complete_ add ada --pass)" = "--password-fd" ] || wrong "completion of --pass"

# ---- setup ----------------------------------------------------------------------------------------
run 3 list; says "isms-userctl setup"
run 3 status; says "run isms-userctl setup: it was never done here"; lacks "systemctl restart"
run 1 doctor; says "run isms-userctl setup: it was never done here"; lacks "systemctl restart"; lacks "policy check"
run 2 setup; says "no terminal to ask on"
run 1 setup --contact 'x ; y'; says "contact"
run 1 setup --yes --time-zone Mars/Olympus; says "no such zone"
run 1 setup --yes --base 'not a dn'
[ "$(cd "$root" && ls -d etc/isms var 2>/dev/null)" = "" ] || wrong "a failed setup left something behind"
# an end of the terminal is no answer (what ran in it says how it ended, for script(1) may not)
script -qc "'$tool' --root '$root' setup; echo ended \$?" /dev/null </dev/null >"$root/out" 2>&1
grep -q "nothing was written" "$root/out" && grep -q "ended 1" "$root/out" || wrong "setup took an end of file as an answer"
[ "$(cd "$root" && ls -d etc/isms var 2>/dev/null)" = "" ] || wrong "an unanswered setup wrote something"
run 0 setup --yes --dry-run; says "would be written"; says "dry run"
[ ! -e "$root/etc/isms" ] || wrong "a dry run wrote"
run 0 setup --contact security@example.com --time-zone UTC --json
json True 'd["settings"].startswith("written")'
[ "$(stat -c %a "$root/etc/isms/isms.conf" "$root/etc/isms/policy.conf" "$ldif" "$(dirname "$ldif")" | tr '\n' ' ')" = "644 644 600 700 " ] ||
	wrong "modes: $(stat -c '%a %n' "$root/etc/isms/isms.conf" "$root/etc/isms/policy.conf" "$ldif" "$(dirname "$ldif")")"
before=$(sha256sum "$ldif" "$root"/etc/isms/*)
run 0 setup; says "already there"
run 1 setup --base dc=other; says "the settings say"
[ "$before" = "$(sha256sum "$ldif" "$root"/etc/isms/*)" ] || wrong "a second setup changed something"

# ---- config, policy -------------------------------------------------------------------------------
run 0 config check; says "every setting is right"
run 0 config show --json; json security@example.com '[o["value"] for o in d if o["key"] == "contact"][0]'
json "[('contact', False), ('time-zone', True)]" '[(o["key"], o["is_default"]) for o in d if o["key"] in ("contact", "time-zone")]'
run 0 config show; says "id-range"
"$tool" --root "$root" config show 2>"$root/err" | true; [ ! -s "$root/err" ] || wrong "a reader that has gone is complained of"
"$tool" --root "$root" config show >/dev/full 2>"$root/err"; says "could not write all"
unchanged 1 why root; says "root is never judged"
run 0 policy check; says "2 roles"
run 0 policy show --json; json "['employee', 'contractor']" '[r["role"] for r in d]'
# a policy's own tests: one case as expected, the same with one word changed
cat >"$root/cases" <<'C'
[case a contractor by ssh]
kind = contractor
groups = web-deploy docker
end = +90d
at = 2026-06-30T22:00:00Z
expect = allow
expect-groups = web-deploy
[case his end]
kind = contractor
end = 2026-06-30T22:00:00Z
at = 2026-06-30T22:00:00Z
expect = expired
[case a key alone]
factors = key
expect = mfa-required
C
run 0 policy test "$root/cases"; says "3 cases, 0 failed"
run 0 policy test "$root/cases" --json; json "['allow', 'expired', 'mfa-required']" '[r["got"] for r in d]'
sed 's/22:00:00Z/21:59:59Z/2; s/^at = 2026-06-30T22:00:00Z/at = 2026-06-30T21:59:59Z/' "$root/cases" >"$root/cases.other"
run 1 policy test "$root/cases.other"; says "FAIL his end ("; says "expected expired, got allow"; says "3 cases, 1 failed"
sed 's/^expect-groups.*/expect-groups = web-deploy docker/' "$root/cases" >"$root/cases.other"
run 1 policy test "$root/cases.other"; says 'groups "web-deploy"'
mkdir -p "$root/another" && printf '[role all]\nmatch = any\nallow-services = login\n' >"$root/another/policy.conf"
run 1 policy test "$root/cases" --policy "$root/another"; says "got service-not-allowed"; says "role all: allow-services (policy.conf:3)"
while read -r line text; do
	printf '[case x]\nexpect = allow\n%s\n' "$line" >"$root/cases.other"
	run 1 policy test "$root/cases.other"; says "$text"
done <<'L'
knid=contractor unknown key
expect=allow stands in this case for the second time
kind=intern kind "intern" is none of employee
end=soon end: write 2026-12-31T18:00:00Z
factors=face factors: name some of
tokens=many tokens: how many
L
printf '[case x]\nexpect = perhaps\n' >"$root/cases.other"; run 1 policy test "$root/cases.other"; says "expect: write allow"
printf 'expect = allow\n' >"$root/cases.other"; run 1 policy test "$root/cases.other"; says "stands before the first"
: >"$root/cases.other"; run 1 policy test "$root/cases.other"; says "has no [case NAME]"
run 1 policy test "$root/cases.none"; says "No such file"
# the manual's own cases, with the roles and limits of the same manual; without the limits two are otherwise
plain() { sed 's/\\-/-/g' "${srcdir:-.}/daemon/isms-policy.5"; }
mkdir "$root/manual"
plain | sed -n '/^\[case a contractor/,/^\.fi/{/^\.fi/!p}' >"$root/cases"
plain | sed -n '/^\[role employee\]/,/^\.fi/{/^\.fi/!p}' >"$root/manual/policy.conf"
run 1 policy test "$root/cases" --policy "$root/manual"; says "4 cases, 2 failed"
limits=$(plain | grep -m 1 '^hours = '; plain | grep -m 1 '^from = ')
sed -i "/kind:contractor/r /dev/stdin" "$root/manual/policy.conf" <<<"$limits"
run 0 policy test "$root/cases" --policy "$root/manual"; says "4 cases, 0 failed"
sed -i 's/^contact.*/&\nfrobnicate = 1/' "$root/etc/isms/isms.conf"
run 1 config check; says "frobnicate"; says "isms.conf:"
run 1 list; says "frobnicate"
sed -i /frobnicate/d "$root/etc/isms/isms.conf"
cp "$root/etc/isms/policy.conf" "$root/policy.good"
# [local] manage: names of this host, never uid 0, and never all that could mend it
cp "$root/etc/passwd" "$root/passwd.good"; cp "$root/etc/group" "$root/group.good"
printf '[local]\nmanage = local\n' >>"$root/etc/isms/policy.conf"
run 1 policy check; says "no local administrator"
run 1 config check; says "no local administrator"
echo 'root:*:20000::::::' >"$root/etc/shadow"
run 1 config check; says "no local administrator"
echo 'root:$6$x$y:20000::::::' >"$root/etc/shadow"
run 0 config check; run 0 policy check
# in force once it is published, and what then still lacks
run 1 doctor; says "local is named in [local] manage and not under policy yet"; says "local is under policy and has no entry"
lacks "empty local password"
mkdir -p "$root/var/lib/isms/nss"
printf 'local\nother\n' >"$root/var/lib/isms/nss/local-accounts"
echo 'local::20000::::::' >>"$root/etc/shadow"
run 1 doctor; lacks "not under policy yet"; says "other is not named in [local] manage any more"
says "local has an empty local password"; lacks "does not fit the accounts"
rm "$root/etc/shadow"
run 1 doctor; says "[local] manage does not fit the accounts of this host"
rm -r "$root/var/lib/isms/nss"
sed -i 's/^sudo.*/&,mend/' "$root/etc/group"
run 1 config check; says "no local administrator"	# in the group, and no account
echo 'mend:x:1010:1010::/home/mend:/bin/sh' >>"$root/etc/passwd"
run 0 config check; run 0 policy check
echo 'twin:x:1000:1000::/home/local:/bin/sh' >>"$root/etc/passwd"
run 1 policy check; says "twin has the uid of local"
sed -i 's/^manage.*/manage = local twin/' "$root/etc/isms/policy.conf"
run 0 policy check
sed -i 's/^manage.*/manage = local twin nobody-here/' "$root/etc/isms/policy.conf"
run 1 policy check; says "nobody-here is not in /etc/passwd"
echo 'toor:x:0:0::/root:/bin/sh' >>"$root/etc/passwd"
sed -i 's/^manage.*/manage = local twin toor/' "$root/etc/isms/policy.conf"
run 1 policy check; says "toor has uid 0"
run 1 config check; says "toor has uid 0"
sed -i 's/^manage.*/manage = local twin root/' "$root/etc/isms/policy.conf"
run 1 policy check; says "root is never managed"
run 0 config check	# of a policy that cannot be read policy check says what is wrong
mv "$root/passwd.good" "$root/etc/passwd"; mv "$root/group.good" "$root/etc/group"
printf '[role x]\nmtach = any\n' >"$root/etc/isms/policy.conf"
run 1 policy check --json; json False 'd["ok"]'; says "mtach"
cp "$root/policy.good" "$root/etc/isms/policy.conf"

# who answers for somebody, use and review, sessions, exemptions
mkdir "$root/care"
printf '[role r]\nmatch = any\nallow-services = sshd cron\n%s\n' "require-sponsor = yes
review-every = 90d
dormant-after = 45d
max-sessions = 2
hours = Mon..Fri 00:00-24:00 UTC" >"$root/care/policy.conf"
case_of() { printf '[case %s]\nat = %s\n%s\n' "$1" "${3:-2026-11-27T10:00:00Z}" "$2"; }
{
	case_of welcome 'expect = allow'
	case_of sponsor $'sponsor = ended\nexpect = sponsor-missing'
	case_of review $'created = -91d\nlast-use = -1d\nexpect = review-overdue'
	case_of reviewed $'created = -91d\nlast-use = -1d\nreviewed = -89d\nexpect = allow'
	case_of unreviewed $'created = -91d\nlast-use = -1d\nexempt = review\nexpect = allow'
	case_of dormant $'created = -46d\nexpect = dormant'
	case_of used $'created = -46d\nlast-use = -44d\nexpect = allow'
	case_of asleep $'created = -46d\nexempt = dormant\nexpect = allow'
	case_of full $'sessions = 2\nexpect = too-many-sessions'
	case_of room $'sessions = 1\nexpect = allow'
	case_of key $'factors = key\nexpect = mfa-required'
	case_of bare $'factors = key\nexempt = hours mfa\nexpect = allow'
	case_of sunday 'expect = outside-hours' 2026-11-29T10:00:00Z
	case_of duty $'exempt = hours\nexpect = allow' 2026-11-29T10:00:00Z
	case_of robot $'kind = service\nend = +30d\nservice = cron\nowner = none\nexpect = owner-missing'
	case_of owned $'kind = service\nend = +30d\nservice = cron\nexpect = allow'
	case_of endless $'kind = service\nservice = cron\nexpect = no-expiry'
	bound=$'kind = service\nend = +30d\nfactors = key\nstage = session\nsources = 192.0.2.0/24\n'
	case_of bound "$bound"$'rhost = 192.0.2.7\nkey = bound\nexpect = allow'
	case_of stray "$bound"$'rhost = 192.0.2.7\nkey = other\nexpect = key-not-bound'
	case_of elsewhere "$bound"$'rhost = 203.0.113.7\nkey = bound\nexpect = source-not-allowed'
	case_of shell "$bound"$'rhost = 192.0.2.7\nkey = bound\ncommand = no\nexpect = kind-not-interactive'
	case_of glass $'kind = break-glass\nexpect = breakglass-not-armed'
	case_of armed $'kind = break-glass\narmed = +1h\nexpect = allow'
} >"$root/care.cases"
run 0 policy test "$root/care.cases" --policy "$root/care"; says "23 cases, 0 failed"
case_of odd $'exempt = all\nexpect = allow' >"$root/odd.cases"
run 1 policy test "$root/odd.cases" --policy "$root/care"; says "exempt: name some of mfa"

# ---- add ------------------------------------------------------------------------------------------
add 0 carol --display "Carol van Dam" --json
json 1001 'd["uid"]'; json employee 'd["kind"]'; json None 'd["not_after"]'; json set 'd["password"]'
has "uidNumber: 1001"; has "sn: Dam"; has "cn: carol"
add 0 ada --kind contractor --until 2030-12-31 --sponsor carol --group web-deploy --group log-read --reason "project x" --ticket CR-7
says "2031-01-01T00:00:00Z"; says 'ticket=CR-7'; says 'note="project x"'; says "account created user=ada uid=1002 kind=contractor"
has "pwdEndTime: 20310101000000Z"; has "shadowExpire: 22280"; has "manager: uid=carol,ou=people,dc=isms,dc=local"
has "memberUid: ada"; has "serialNumber: 1001-1004"
[ "$(grep -c 'e0NSWVBUfSR5J\|{CRYPT}\$y\$' "$ldif")" = 2 ] || wrong "passwords are not yescrypt"
hasnt "$canary"
uid_next=1005
unchanged 1 add ada; says "already"
unchanged 1 add local; says "local user or group"; says "put the local account under policy: --local"
unchanged 1 add root --local; says "are not root"
echo 'toor:x:0:0::/root:/bin/sh' >>"$root/etc/passwd"; unchanged 1 add toor --local; says "uid 0"; sed -i /^toor/d "$root/etc/passwd"
unchanged 1 add stranger --local; says "no such account in /etc/passwd"
unchanged 2 add local --local --generate-password; says "those of the account in /etc/passwd"
unchanged 2 add local --local --shell /bin/sh; says "those of the account in /etc/passwd"
unchanged 2 add local --local --kind service --until +30d --owner carol --command /bin/true; says "to a command"
run 0 add local --local --kind service --until +30d --owner carol --dry-run --json; says '"service"'
run 0 add local --local --kind contractor --until +30d --group web-deploy --json --dry-run
json "(True, None, 'none')" '(d["local"], d["home"], d["password"])'
unchanged 1 add docker; says "local user or group"
unchanged 1 add web-deploy; says "private group"
unchanged 2 add eve --kind contractor; says "needs an end"
unchanged 2 add eve --kind intern; says "--kind needs one of"
unchanged 2 add eve --until yesterday; says "is no time"
unchanged 1 add eve --until 2020-01-01; says "past"
unchanged 1 add eve --sponsor nobody; says "no such account"
unchanged 1 add eve --group docker; says "local group"
unchanged 1 add eve --group 'a b'; says "cannot be a group"
unchanged 2 add eve --group x --group x; says "twice"
unchanged 1 add eve --uid 1001; says "never given twice"
unchanged 1 add eve --uid 5; says "outside [nss] id-range"
unchanged 2 add eve --uid 12x; says "--uid needs a number"
unchanged 1 add eve --kind service --until +90d --owner carol --shell /bin/evil; says "[nss] shells"
unchanged 1 add eve --kind service --until +90d --owner carol --home /etc; says "homeDirectory"
unchanged 1 add eve --kind service --until +90d --owner carol --home /srv/eve; says "[nss] home-prefixes"
mkdir "$root/etc/isms/conf.d"
printf '[nss]\nhome-prefixes = /home/ /srv/\n' >"$root/etc/isms/conf.d/homes.conf"
add 0 eve --kind service --until +90d --owner carol --home /srv/eve --dry-run; hasnt "/srv/eve"
rm -r "$root/etc/isms/conf.d"
unchanged 2 add eve --kind service --until +90d --owner carol --display $'a\nb'; says "plain text"
unchanged 2 add eve; says "no terminal to ask for a password"
unchanged 2 add eve --password-fd 9; says "--password-fd 9"
unchanged 2 add eve --generate-password; says "--secret-fd"
unchanged 2 add eve --generate-password --password-fd 3 3<"$root/password"; says "exclude"
echo short >"$root/short"
run 1 add eve --password-fd 3 3<"$root/short"; says "fewer than 12"
# on a terminal it is told before, and not asked for twice
typed() { # WORD...: answers to the questions, in turn
	python3 - "$tool" --root "$root" add eve -- "$@" >"$root/out" 2>&1 <<-'P'
		import os, pty, sys
		words = sys.argv[sys.argv.index("--") + 1:]
		pid, fd = pty.fork()
		if pid == 0:
		    os.execvp(sys.argv[1], sys.argv[1:sys.argv.index("--")])
		out, seen = b"", b""
		try:
		    while data := os.read(fd, 4096):
		        out += data
		        seen += data
		        if seen.endswith(b": "):
		            os.write(fd, words.pop(0).encode() + b"\n")
		            seen = b""
		except OSError:
		    pass
		os.waitpid(pid, 0)
		sys.stdout.buffer.write(out)
	P
}
typed short; says "(12 characters or more)"; says "fewer than 12"; lacks "same again"; hasnt "uid: eve"
typed long-enough-now another-one-now; says "The same again"; says "two passwords differ"; hasnt "uid: eve"
head -c 2000 /dev/zero | tr '\0' x >"$root/long"
run 1 add eve --password-fd 3 3<"$root/long"; says "longer than 1024"
run 1 add eve --password-fd 3 3</dev/null; says "nothing to read"
hasnt "uid: eve"
cp -p "$ldif" "$root/directory.good"
printf '\ndn: cn=board,ou=groups,dc=isms,dc=local\nobjectClass: groupOfNames\ncn: board\nmember: uid=carol,ou=people,dc=isms,dc=local\n' >>"$ldif"
unchanged 1 add eve --kind service --until +90d --owner carol --group board --password-fd 3 3<"$root/password"; says "or of one of its --group, is there"
cat "$root/directory.good" >"$ldif"
# UC04a: names that are filters, paths, options or too long
for name in 'a)(uid=*' '../etc' 'Ada' '0' 'root!' '' 'a b' '-x' "$(printf 'a%.0s' {1..33})" $'a\nb' 'añ'; do
	for command in add show disable enable enroll unenroll recovery-codes why; do
		unchanged $([ "${name:0:1}" = - ] && echo 2 || echo 1) $command "$name"
	done
	unchanged $([ "${name:0:1}" = - ] && echo 2 || echo 1) set-expiry "$name" +1d
done
add 0 dry --dry-run; says "dry run"; hasnt "uid: dry"
run 0 add svc --kind service --until +90d --owner carol; says "none"; has "uidNumber: $uid_next"
unchanged 1 add eve --kind contractor --until +30d --sponsor svc --password-fd 3 3<"$root/password"; says "no person's account"
run 0 add gen --generate-password --secret-fd 3 --must-change 3>"$root/generated"
[[ $(cat "$root/generated") =~ ^[a-z2-9A]{20}$ ]] || wrong "generated password: $(cat "$root/generated")"
lacks "$(cat "$root/generated")"; has "pwdReset: TRUE"
add 0 high --uid 50000; add 0 low; says "1007"
# an id is not given again after its entry is gone
sed -i '/^dn: uid=low,/,/^$/d; /^dn: cn=low,/,/^$/d' "$ldif"
add 0 later; says "1008"
add 1 again --uid 1007; says "never given twice"

# ---- list, show -----------------------------------------------------------------------------------
run 0 list --json; json 6 'len(d)'; json "2031-01-01T00:00:00Z" '[u["not_after"] for u in d if u["user"] == "ada"][0]'
run 0 list --kind contractor --json; json "['ada']" '[u["user"] for u in d]'
run 0 list --expiring 30d --json; json 0 'len(d)'
run 0 list --expiring 4000d; says ada; lacks "Carol van Dam"
run 2 list --expiring soon; says "is no span"
run 0 show ada --json
json active 'd["state"]'; json carol 'd["sponsor"]'; json "['contractor']" 'd["roles"]'; json pwdEndTime 'd["not_after_source"]'
json "[('pwdEndTime', '2031-01-01T00:00:00Z'), ('shadowExpire', '2031-01-01T00:00:00Z')]" '[(e["attribute"], e["end"]) for e in d["ends"]]'
json "['kept', 'kept']" '[g["effect"] for g in d["groups"]]'
lacks '$y$'
run 0 show ada; says "web-deploy: kept"
sed -i 's/^docker:.*/docker:x:998:ada/' "$root/etc/group"
run 0 show ada --json; json "[('docker', 'dropped', True)]" '[(g["group"], g["effect"], g["local"]) for g in d["groups"] if g["local"]]'
run 1 show nobody; says "no such account"

# ---- set-expiry -----------------------------------------------------------------------------------
run 0 set-expiry ada 2031-06-30 --reason extension --json
json 2031-01-01T00:00:00Z 'd["old"]'; json 2031-07-01T00:00:00Z 'd["new"]'; json pwdEndTime 'd["old_source"]'
has "pwdEndTime: 20310701000000Z"
run 0 set-expiry ada 2031-06-30T18:00:00+02:00; says "2031-07-01T00:00:00Z"; says "2031-06-30T16:00:00Z"
has "pwdEndTime: 20310630160000Z"; has "shadowExpire: 22461"
run 0 set-expiry ada +90d --dry-run; says "dry run"; has "pwdEndTime: 20310630160000Z"
unchanged 1 set-expiry ada 2020-01-01; says "past"
unchanged 1 set-expiry ada none; says "without an end"
unchanged 2 set-expiry ada tomorrow; says "is no time"
unchanged 1 set-expiry nobody +1d; says "no such account"
run 0 set-expiry ada 2020-01-01 --force; has "pwdEndTime: 20200102000000Z"
run 0 show ada --json; json expired 'd["state"]'
run 0 list --expiring 1d --json; json "['ada']" '[u["user"] for u in d]'
run 0 set-expiry carol +30d; run 0 set-expiry carol none --json; json None 'd["new"]'
run 0 show carol --json; json None 'd["not_after"]'; json "[]" 'd["ends"]'
# other ends of the entry are moved along when they are earlier, and kept when they are later
sed -i 's/^employeeType: contractor$/&\nkrbPrincipalExpiration: 20290101000000Z\naccountExpires: 150000000000000000/' "$ldif"
run 0 set-expiry ada 2030-01-01T00:00:00Z --json; json "['krbPrincipalExpiration']" 'd["also_changed"]'
has "krbPrincipalExpiration: 20300101000000Z"; has "accountExpires: 150000000000000000"
run 0 show ada --json; json 2030-01-01T00:00:00Z 'd["not_after"]'
# an attribute twice is mended by setting it once; another fault of the entry is named and stays
sed -i 's/^pwdEndTime: 20300101000000Z$/&\npwdEndTime: 20400101000000Z/' "$ldif"
run 0 show ada --json; json broken 'd["state"]'
run 0 set-expiry ada 2030-01-01T00:00:00Z; run 0 show ada --json; json active 'd["state"]'
# UC03a: nobody extends the own contract, but anybody may shorten it
actor=$(sed -n 's/.* actor=\([^ ]*\).*/\1/p' "$root/err"); [ -n "$actor" ] || { run 0 set-expiry ada +1d; actor=$(sed -n 's/.* actor=\([^ ]*\).*/\1/p' "$root/err"); }
run 0 set-expiry ada 2030-01-01T00:00:00Z
if [[ $actor =~ ^[a-z_][a-z0-9_.-]*$ && $actor != root ]]; then	# no account may be called root
	cp "$root/etc/passwd" "$root/passwd.good"; cp "$root/etc/group" "$root/group.good"
	sed -i "/^$actor:/d" "$root/etc/passwd" "$root/etc/group"
	add 0 "$actor" --kind contractor --until 2030-01-01
	unchanged 1 set-expiry "$actor" 2031-01-01; says "own contract"
	run 0 set-expiry "$actor" 2029-01-01
	cp "$root/passwd.good" "$root/etc/passwd"; cp "$root/group.good" "$root/etc/group"
	sed -i "/^dn: uid=$actor,/,/^\$/d; /^dn: cn=$actor,/,/^\$/d" "$ldif"
fi

# ---- exempt: an end, a reason and an approver who is another one, or nothing is written ---------------
exempt() { run "$1" exempt "${@:2}"; }
why_not() { unchanged "$1" exempt "${@:2}" --reason r; }
exempt 0 --list; says "no exemptions"
unchanged 2 exempt; says "exempt --list"
unchanged 2 exempt ada; says "exempt --list"
unchanged 2 exempt ada mfa --list; says "exempt --list"
unchanged 2 exempt ada mfa --reason r --as carol; says "needs an end"
unchanged 2 exempt ada mfa --until +1d --as carol; says "needs a reason"
why_not 2 ada all --until +1d --as carol; says "none of mfa"
why_not 2 ada mfa --until tomorrow --as carol; says "is no time"
why_not 1 ada mfa --until 2020-01-01 --as carol; says "end before it begins"
why_not 1 ada mfa --from +2d --until +1d --as carol; says "end before it begins"
why_not 1 ada mfa --until +367d --as carol; says "366 days at most"
why_not 1 nobody mfa --until +1d --as carol; says "no such account"
why_not 1 ada mfa --until +1d --as nobody; says "no such account"
why_not 1 ada mfa --until +1d --as ada; says "nobody approves for himself"
why_not 1 ada mfa --until +1d --as carol --key SHA256:short; says "ismsKeyFingerprint"
why_not 1 ada mfa --until +1d --as carol --source example.com; says "ismsSource"
why_not 1 ada mfa --until +1d --as carol --service 'a b'; says "ismsService"
run 0 disable carol; why_not 1 ada mfa --until +1d --as carol; says "carol is disabled"
run 3 enable carol
exempt 0 ada mfa --until +1d --reason "token lost" --ticket CR-9 --as carol --dry-run; says "dry run"
exempt 0 --list; says "no exemptions"
exempt 0 ada mfa --until +1d --reason "token lost" --ticket CR-9 --as carol --service sshd --source 192.0.2.0/24 --source 2001:db8::/32 --json
says "exemption added user=ada"; says 'note="token lost"'; says "ticket=CR-9"; says "approved by uid=carol,ou=people"
json mfa 'd["control"]'; json active 'd["state"]'; json "sshd 192.0.2.0/24,2001:db8::/32" 'd["bound"]'
name=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["name"])' "$root/out")
has "objectClass: ismsExemption"; has "ismsReason: token lost"; has "dn: cn=$name,ou=exemptions,dc=isms,dc=local"
json carol 'd["approver"]'
exempt 0 ada hours --until +2d --from +1d --reason duty --as carol --json; json "not yet" 'd["state"]'
exempt 0 --list --json; json "['mfa', 'hours']" '[x["control"] for x in d]'
# whoever comes later under the name of one that left is another one
cp "$ldif" "$root/before"
for user in ada carol; do
	sed -i "/^dn: uid=$user,/,/^\$/ s/^createTimestamp: .*/createTimestamp: 20990101000000Z/" "$ldif"
	exempt 0 --list --json; json "{'void'}" '{x["state"] for x in d}'; says "was another one's"
	cat "$root/before" >"$ldif"
	exempt 0 --list --json; json "['active', 'not yet']" '[x["state"] for x in d]'
done
# complete by construction: what somebody else wrote, and what holds nothing, is listed with the reason
printf 'dn: cn=odd,ou=exemptions,dc=isms,dc=local\nobjectClass: ismsExemption\ncn: odd\nismsControl: mfa\nismsMember: uid=ada,ou=people,dc=isms,dc=local\n\n' >>"$ldif"
exempt 0 --list --json; json 3 'len(d)'; json void '[x for x in d if x["name"] == "odd"][0]["state"]'
exempt 0 --list; says "ismsReason is missing"
run 0 disable carol; exempt 0 --list --json; json "void: approver" 'd[0]["state"]'; run 3 enable carol
cp "$ldif" "$root/good.ldif"		# who approved it is nobody now, has another spelling, or is an operator by his own entry
for approver in uid=nobody,ou=people userid=ada,ou=people cn=alice,ou=roles; do
	sed "s/^ismsApprover: uid=carol,ou=people,/ismsApprover: $approver,/" "$root/good.ldif" >"$ldif"
	state='void: approver'; [ $approver != cn=alice,ou=roles ] || state=active
	exempt 0 --list --json; json "$state" 'd[0]["state"]'
done
cp "$root/good.ldif" "$ldif"
unchanged 1 exempt --revoke nothing; says "no such exemption"
exempt 0 --revoke "$name"; says "exemption removed user=ada"; hasnt "$name"
printf 'dn: cn=stray,ou=requests,dc=isms,dc=local\nobjectClass: ismsExemption\ncn: stray\nismsControl: mfa\nismsMember: uid=ada,ou=people,dc=isms,dc=local\nismsApprover: uid=carol,ou=people,dc=isms,dc=local\nismsFrom: %s\nismsUntil: %s\nismsReason: r\n\n' "$(date -u +%Y%m%d%H%M%SZ)" "$(date -u -d '+1 hour' +%Y%m%d%H%M%SZ)" >>"$ldif"
stray_is() { exempt 0 --list --json; json "$1" '[x["state"] for x in d if x["name"] == "stray"][0]'; }
stray_is void; says "counts directly below ou=exemptions"
unchanged 1 exempt --revoke stray; says "no such exemption"
sed -i 's/^dn: cn=stray,ou=requests/dn: cn=stray,ou=exemptions/' "$ldif"; stray_is active
exempt 0 --revoke stray
exempt 0 --revoke odd --json; json "('odd', 'ada', 'taken back')" '(d["name"], d["user"], d["note"])'; exempt 0 --list --json; json 1 'len(d)'
exempt 0 --revoke "$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[0]["name"])' "$root/out")"

# ---- disable, enable ------------------------------------------------------------------------------
run 0 disable ada --reason "left early" --json; json active 'd["old"]'; json disabled 'd["new"]'
has "pwdAccountLockedTime: 000001010000Z"
unchanged 0 disable ada; says "already"
run 0 show ada --json; json disabled 'd["state"]'
sed -i 's/^pwdAccountLockedTime:.*/&\nnsAccountLock: TRUE\nuserAccountControl: 514/' "$ldif"
unchanged 0 enable ada --dry-run; says "dry run"
run 3 enable ada; says "account enabled"; says "ismsd-front.service is not running"; says "were not forgotten"
hasnt pwdAccountLockedTime; hasnt nsAccountLock; has "userAccountControl: 512"
run 0 show ada --json; json active 'd["state"]'
unchanged 1 disable nobody

# ---- enroll, unenroll -----------------------------------------------------------------------------
# enrol STATUS OATHTOOL_OPTIONS ARGUMENT...: hands a code of oathtool back; $codes before it, one a line.
codes=
enrol() {
	local want=$1 options=$2
	shift 2
	rm -f "$root/secret" "$root/fifo"
	mkfifo "$root/fifo"
	(
		for ((i = 0; i < 1200; i++)); do [ ! -s "$root/secret" ] || break; sleep 0.05; done
		printf '%s' "$codes"
		[ -z "$options" ] || oathtool -b $options "$(cat "$root/secret")" || true
	) >"$root/fifo" &
	run "$want" enroll "$@" --secret-fd 3 --code-fd 4 3>"$root/secret" 4<"$root/fifo"
	kill $! 2>/dev/null; wait $! 2>/dev/null
	[ ! -s "$root/secret" ] || lacks "$(cat "$root/secret")"
}
tokens() { grep -c '^dn: cn=ISMS-' "$ldif"; }
unchanged 2 enroll ada; says "--secret-fd N"
unchanged 2 enroll ada --secret-fd 33; says "open descriptor"
unchanged 2 enroll ada --secret-fd x; says "open descriptor"
unchanged 2 enroll ada --totp --hotp --secret-fd 1; says "exclude"
unchanged 2 enroll ada --digits 5 --secret-fd 1; says "--digits needs one of"
unchanged 1 enroll nobody --secret-fd 3 3>"$root/secret"; says "no such account"
unchanged 1 recovery-codes ada --secret-fd 1; says "no token"
unchanged 0 enroll ada --dry-run --secret-fd 3 3>"$root/secret"; says "would be made"
if command -v oathtool >/dev/null; then
	# UC06a: wrong codes leave nothing
	before=$(grep -v '^#' "$ldif" | sha256sum)
	codes=$'12345\n1234567\nabcdef\n' enrol 1 "" ada; says "exactly 6 digits (3 of 3)"; says "nothing was activated"
	[ "$before" = "$(grep -v '^#' "$ldif" | sha256sum)" ] || wrong "wrong codes left a token"
	codes= enrol 1 "" ada; says "nothing was activated"
	[ "$(tokens)" = 0 ] || wrong "no code left a token"
	codes=$'00000000\n' enrol 0 "--totp=sha512 -d8" ada --digits 8 --algorithm sha512 --json
	json active 'd["state"]'; says "token enrolled user=ada"
	[ "$(tokens)" = 1 ] || wrong "not one token"
	grep -q '^oathTOTPLastTimeStep: [0-9]*$' "$ldif" || wrong "the code could be used again"
	has "oathOTPLength: 8"; has "oathHMACAlgorithm: 1.2.840.113549.2.11"; has "objectClass: oathTOTPUser"
	[ "$(wc -c <"$root/secret")" = 104 ] || wrong "the secret has not 64 bytes"
	unchanged 1 enroll ada --secret-fd 3 3>/dev/null; says "--replace"
	first=$(sed -n 's/^cn: \(ISMS-.*\)/\1/p' "$ldif")
	codes=$'000000\n' enrol 0 --hotp ada --hotp --replace --json; json "['$first']" 'd["removed"]'
	says "token removed user=ada token=$first"
	[ "$(tokens)" = 1 ] || wrong "the replaced token is still there"
	has "oathHOTPCounter: 1"; hasnt oathTOTPUser; has "objectClass: oathHOTPUser"
	enrol 0 --totp=sha256 carol --algorithm sha256
	run 0 show carol --json; json "[('totp', 6, 'sha256')]" '[(t["type"], t["digits"], t["algorithm"]) for t in d["tokens"]]'
	# recovery codes: shown once, hashed, whole sets
	codes_of() { run "$1" recovery-codes "${@:2}" --secret-fd 3 3>"$root/codes"; }
	hashes() { grep -c '^ismsRecoveryCode: \$y\$j9T\$' "$ldif"; }
	unchanged 2 recovery-codes ada; says "no terminal"
	unchanged 2 recovery-codes ada --json; says "--secret-fd"
	unchanged 2 recovery-codes ada --secret-fd 33; says "open descriptor"
	for n in 0 17 x -1; do unchanged 2 recovery-codes ada --secret-fd 1 --count $n; says "1 to 16"; done
	unchanged 2 recovery-codes ada --revoke --count 3; says "--revoke"
	unchanged 1 recovery-codes ada --revoke; says "no recovery codes"
	unchanged 1 recovery-codes nobody --secret-fd 1; says "no such account"
	unchanged 0 recovery-codes ada --dry-run --secret-fd 1; says "dry run"
	! grep -qE '[0-9A-Z]{4}-[0-9A-Z]{4}' "$root/out" || wrong "a dry run shows codes"
	codes_of 0 ada --json --reason test; json "('ada', 0, 10)" '(d["user"], d["old"], d["new"])'; says "recovery codes made user=ada"
	[ "$(grep -cxE '[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}' "$root/codes")" = 10 ] || wrong "not ten codes"
	[ "$(hashes)" = 10 ] || wrong "not ten hashes"; has "objectClass: ismsAccount"
	! grep -qF -f "$root/codes" "$ldif" "$root/out" "$root/err" || wrong "a code in the clear"
	run 0 show ada --json; json 10 'd["recovery_codes"]'
	before=$(grep '^ismsRecoveryCode' "$ldif")
	codes_of 0 ada --count 16 --json; json "(10, 16)" '(d["old"], d["new"])'
	[ "$(hashes)" = 16 ] && ! grep -qF "$before" "$ldif" || wrong "the old set is not replaced"
	codes_of 0 ada --count 1; [ "$(hashes)" = 1 ] || wrong "not one"
	run 1 recovery-codes ada --secret-fd 3 3</dev/null; says "make new ones"
	run 0 recovery-codes ada --revoke; says "recovery codes revoked user=ada"; [ "$(hashes)" = 0 ] || wrong "not revoked"
	# on a terminal: taken away again once noted, and asked before others are replaced
	noted() { # ANSWER: to the question about the old ones; "" for none
		TERM=xterm python3 - "$1" "$tool" --root "$root" recovery-codes ada --count 2 >"$root/out" <<-'P'
			import os, pty, sys
			pid, fd = pty.fork()
			if pid == 0:
			    os.execvp(sys.argv[2], sys.argv[2:])
			out = seen = b""
			try:
			    while data := os.read(fd, 4096):
			        out += data
			        seen += data
			        if b"[y/N] " in seen:
			            os.write(fd, sys.argv[1].encode() + b"\n")
			            seen = b""
			        if b"noted: " in seen:
			            os.write(fd, b"\n")
			            seen = b""
			except OSError:
			    pass
			os.waitpid(pid, 0)
			sys.stdout.buffer.write(out)
		P
	}
	noted ""; says "shown this once"; lacks "[y/N]"; says $'\033[?1049l'; [ "$(hashes)" = 2 ] || wrong "on a terminal: not two"
	before=$(grep '^ismsRecoveryCode' "$ldif")
	noted n; says "2 recovery codes -> new ones"; lacks "shown this once"; grep -qF "$before" "$ldif" || wrong "replaced without leave"
	noted y; says "shown this once"; ! grep -qF "$before" "$ldif" || wrong "not replaced"
	unchanged 1 unenroll ada --token ISMS-NONE; says "no such token"
	unchanged 0 unenroll ada --dry-run; says "dry run"
	run 0 unenroll ada --json; json 1 'len(d["removed"])'; json 2 'd["recovery_codes_revoked"]'
	[ "$(hashes)" = 0 ] || wrong "recovery codes without a token"
	says "recovery codes revoked user=ada"
	unchanged 1 recovery-codes ada --secret-fd 1; says "no token"
	unchanged 1 unenroll ada; says "ada has no token"
	[ "$(tokens)" = 1 ] || wrong "carol's token went with ada's"
	# interrupted while it waits for a code: the token is taken away again
	rm -f "$root/secret" "$root/fifo"; mkfifo "$root/fifo"
	"$tool" --root "$root" enroll ada --secret-fd 3 --code-fd 4 3>"$root/secret" 4<>"$root/fifo" >"$root/out" 2>"$root/err" &
	for ((i = 0; i < 1200; i++)); do [ ! -s "$root/secret" ] || break; sleep 0.05; done
	sleep 0.2; kill -TERM $!; wait $!; [ $? = 1 ] || wrong "interrupted: status"
	[ "$(tokens)" = 1 ] || wrong "interrupted: a token stays"
	# on a terminal: the code only where all of it stays in the window and can be drawn
	on_terminal() { # LINES COLUMNS LANG
		LC_ALL=$3 TERM=xterm python3 - "$1" "$2" "$tool" --root "$root" enroll ada --replace >"$root/out" <<-'P'
			import fcntl, os, pty, struct, sys, termios
			pid, fd = pty.fork()
			if pid == 0:
			    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("4H", int(sys.argv[1]), int(sys.argv[2]), 0, 0))
			    os.execvp(sys.argv[3], sys.argv[3:])
			out = b""
			try:
			    while data := os.read(fd, 4096):
			        out += data
			        if b"confirm: " in data:
			            os.write(fd, b"\x03")
			except OSError:
			    pass
			os.waitpid(pid, 0)
			sys.stdout.buffer.write(out)
		P
		[ "$(tokens)" = 1 ] || wrong "on a terminal: a token stays"
	}
	on_terminal 40 80 C.UTF-8; says "Scan this"; says "█"; lacks "needs a window"
	on_terminal 24 80 C.UTF-8; says "this one has 80 and 24"; says "Secret"; lacks "█"; lacks "Scan"
	on_terminal 40 40 C.UTF-8; says "this one has 40 and 40"; lacks "█"
	on_terminal 40 80 C; says "No QR code without a UTF-8 locale"; lacks "█"
else
	echo "oathtool is not installed: enrolment was not tested"; failed=$((failed + 1))
fi

# ---- what needs ismsd -----------------------------------------------------------------------------
run 3 why ada; says "ismsd-front.service is not running"
run 2 why ada --factors password,retina; says "--factors"
run 2 why ada --at someday; says "is no time"
run 3 status --json; json False 'd["front"]["answers"]'; json 0 'd["accounts"]["broken"]'
json "[{'user': 'ada', 'group': 'docker'}]" 'd["sg_newgrp"]'
run 3 status; says "sg and newgrp"
run 3 clock trust; says "systemctl restart"
run 0 clock trust --dry-run

# ---- IP08a: a socket at another path, offered by folder and environment, is never used; with --root it is ----------
python3 - "$tool" "$root" >"$root/out" 2>"$root/err" <<'END' || wrong "IP08a: isms-userctl and a socket at another path"
import os, socket, subprocess, sys, time
tool, root = sys.argv[1:]
path = root + "/run/isms/ismsd.sock"
os.makedirs(os.path.dirname(path))
listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
listener.bind(path)
listener.listen(8)
listener.setblocking(False)
names = ("ISMS_SOCKET", "ISMS_ROOT", "ISMS_PATH", "ISMSD_SOCKET", "ISMS_TEST_DIR", "ISMS_TEST_ROOT", "RUNTIME_DIRECTORY",
         "XDG_RUNTIME_DIR", "TMPDIR", "HOME", "PWD", "ROOT")
def came(value, arguments):
    child = subprocess.Popen([tool, *arguments, "why", "ada"], cwd=root, env=dict(os.environ, **dict.fromkeys(names, value)),
                             stdin=subprocess.DEVNULL)
    until = time.monotonic() + 30
    taken = False
    while child.poll() is None and time.monotonic() < until:
        try:
            listener.accept()[0].close()
            taken = True
        except BlockingIOError:
            time.sleep(0.01)
    assert child.wait(5) != 0, "nobody answers, and yet it succeeds"
    try:
        listener.accept()[0].close()
        taken = True
    except BlockingIOError:
        pass
    return taken
assert not came(path, []), "led by the path of a socket"
assert not came(root, []), "led by a root"
assert came("/nonexistent", ["--root", root]), "--root is not obeyed, so that nothing was shown"
os.unlink(path)
os.rmdir(os.path.dirname(path))
END
count=$((count + 1))

# ---- doctor ---------------------------------------------------------------------------------------
run 1 doctor --json; json True 'any(f["state"] == "bad" and f["cure"] for f in d)'
says "no isms"; says "isms-mfa"
run 3 status; says "systemctl restart ismsd-front.service"; lacks "isms-userctl setup"
run 0 doctor --directory; says "the directory is a file"
run 0 doctor --directory --json; json "['ok']" '[f["state"] for f in d]'
mkdir -p "$root/etc/ssh" "$root/etc/pam.d"
printf 'UsePAM no\nKbdInteractiveAuthentication no\n' >"$root/etc/ssh/sshd_config"
echo 'account required pam_unix.so' >"$root/etc/pam.d/sshd"
echo 'account sufficient pam_permit.so' >"$root/etc/pam.d/su"
echo 'account [success=1 default=die] pam_isms.so' >>"$root/etc/pam.d/su"
printf 'passwd: isms files\ngroup: files isms sss\ninitgroups: files isms winbind\nshadow: files ldap\n' >"$root/etc/nsswitch.conf"
run 1 doctor; says "lists ada in docker"
chmod 644 "$ldif"; chmod 666 "$root/etc/isms/policy.conf"
echo secret >"$root/etc/isms/bind.password"; chmod 660 "$root/etc/isms/bind.password"
run 1 doctor
for hole in "UsePAM is off" "KbdInteractiveAuthentication is off" "sshd: pam_isms is missing from the account stage" \
	"pam_permit.so can end the account stage" "passwd asks isms before files" "group is also served by sss" \
	"initgroups is also served by winbind" "shadow is also served by ldap" "there is no AuthorizedKeysCommand" \
	"initgroups does not begin with isms" "pam_mkhomedir" "directory.ldif has mode 0644" \
	"policy.conf has mode 0666" "bind.password has mode 0660"; do
	says "$hole"
done
printf 'UsePAM yes\nAuthorizedKeysCommand /usr/bin/sss_ssh_authorizedkeys %%u\nMatch Group isms-mfa\nAuthenticationMethods keyboard-interactive:pam\n' >"$root/etc/ssh/sshd_config"
printf 'account required pam_isms.so\nsession required pam_isms.so\nsession optional pam_mkhomedir.so\n' >"$root/etc/pam.d/sshd"
echo 'account required pam_isms.so' >"$root/etc/pam.d/su"
echo 'session [success=1 module_unknown=ignore default=ignore] pam_isms.so identify' >>"$root/etc/pam.d/su"
run 1 doctor; says "su: pam_isms is missing from the session stage"; says "/etc/ssh/sshd_config: AuthorizedKeysCommand is /usr/bin/sss_ssh_authorizedkeys"
lacks "asks another directory"
echo 'auth [success=1 default=ignore] pam_sss.so use_first_pass' >>"$root/etc/pam.d/sshd"
run 1 doctor; says "pam_sss.so asks another directory for sshd: "
sed -i 's,sss_ssh_authorizedkeys,isms-authorized-keys,' "$root/etc/ssh/sshd_config"; sed -i /pam_sss/d "$root/etc/pam.d/sshd"
run 1 doctor; says "AuthorizedKeysCommandUser is not set"; lacks "asks another directory"
sed -i '2i AuthorizedKeysCommandUser nobody' "$root/etc/ssh/sshd_config"
echo 'account [default=bad] pam_sss.so' >>"$root/etc/pam.d/su"
run 1 doctor; says "/etc/ssh/sshd_config: AuthorizedKeysCommandUser is nobody"; says "pam_sss.so asks another directory for su: "
sed -i 's,/usr/bin/isms-authorized-keys %u,none,' "$root/etc/ssh/sshd_config"
run 1 doctor; says "AuthorizedKeysCommand is none: people's keys in the directory open nothing"
sed -i 's,none,/usr/bin/isms-authorized-keys,; s,nobody,root,' "$root/etc/ssh/sshd_config"; sed -i /pam_sss/d "$root/etc/pam.d/su"
run 1 doctor; says "sshd asks for the keys that the directory has"; lacks "asks another directory"
echo 'session required pam_isms.so debug' >>"$root/etc/pam.d/su"
run 1 doctor; lacks "su: pam_isms is missing"; says "su asks pam_isms"
rm "$root/etc/pam.d/su"
# groups that come back after us: pam_group behind pam_isms, and a group.conf that gives some
mkdir -p "$root/etc/security"
printf 'auth required pam_isms.so\n@include more\nauth optional pam_group.so\naccount required pam_isms.so\nsession required pam_isms.so\n' >"$root/etc/pam.d/login"
: >"$root/etc/pam.d/more"
printf '# nothing but\n\n  # comments\n' >"$root/etc/security/group.conf"
run 1 doctor; lacks "pam_group"
echo 'login;*;*;Al0000-2400;audio' >>"$root/etc/security/group.conf"
run 1 doctor; says "login: pam_group runs after pam_isms"; lacks "sshd: pam_group"
sed -i '/pam_group/d; 1i auth optional pam_group.so' "$root/etc/pam.d/login"
run 1 doctor; lacks "pam_group runs"
rm -r "$root/etc/security" "$root/etc/pam.d/login"
printf 'passwd: files isms\ngroup: files isms\ninitgroups: isms files\n' >"$root/etc/nsswitch.conf"
printf 'isms-mfa:x:990:\nisms-service:x:989:\n' >>"$root/etc/group"
chmod 600 "$ldif"; chmod 644 "$root/etc/isms/policy.conf"; chmod 640 "$root/etc/isms/bind.password"	# as setup leaves it
run 1 doctor	# ismsd does not run, the modules are not there
for cured in "UsePAM is off" "KbdInteractive is off" "pam_isms is missing" "asks isms before" "also served by" "does not begin with isms" \
	"no group isms-mfa" "has mode"; do
	lacks "$cured"
done
rm "$root/etc/isms/bind.password"

run 3 events; says "journal"
run 2 events --since yesterday; says "is no time"
run 2 events --format csv; says "--format needs one of"

# ---- with the processes of ismsd, below the same root -----------------------------------------------
until_() { for ((i = 0; i < 600; i++)); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done; return 1; }
mkdir -p -m 755 "$root/run/isms" "$root/var/lib/isms/nss"
mkdir -p -m 700 "$root/run/isms/private" "$root/var/lib/isms/state"
for process in publisher directory front; do
	"$PWD/ismsd" $process --root "$root" --foreground >"$root/$process.log" 2>&1 </dev/null &
	last=$!	# the front
done
ask() { "$tool" --root "$root" "$@" </dev/null; }
who=ada
reason() { ask why $who --json "$@" | python3 -c 'import json,sys; d=json.load(sys.stdin); print(d["verdict"], d["reason"])'; }
becomes() { # WANTED ARGUMENT...: why's verdict and reason, within a minute
	local want=$1 got=
	shift
	for ((i = 0; i < 600; i++)); do got=$(reason "$@" 2>&1); [ "$got" != "$want" ] || return; sleep 0.1; done
	wrong "why $*: $got instead of $want"
}
published() { ask status --json | python3 -c 'import json,sys; sys.exit(json.load(sys.stdin)["snapshot"].get("users", 0) == 0)'; }
if until_ ask status && until_ published; then
	run 0 status --json; json True 'd["front"]["answers"] and d["directory"]["answers"] and d["publisher"]["answers"]'
	json True 'd["snapshot"]["users"] > 0'
	run 0 status; says "ismsd-publisher.service"
	becomes "deny mfa-not-enrolled"
	becomes "allow ok" --factors password,otp
	who=carol becomes "deny mfa-required" --factors key
	becomes "deny service-not-allowed" --service gdm-password --factors password,otp
	run 0 set-expiry ada +2h; becomes "expired expired" --at +2h --factors password,otp; becomes "allow ok" --at +1h --factors password,otp
	run 0 why ada --factors password,otp; says "allow-services (policy.conf:"
	run 1 why ada --service gdm-password; says "What to change"
	run 0 disable ada; becomes "deny disabled"
	run 0 show ada --json; json disabled 'd["login_now"]["reason"]'; json 0 'd["failures"]'
	run 0 enable ada --json; json "forgotten on this host" 'd["failures"]'
	becomes "allow ok" --factors password,otp
	run 0 set-expiry ada 2020-01-01 --force; becomes "expired expired"
	run 1 why nobody; says unknown-user
	run 0 clock trust --json; json True 'd["trusted"]'
	run 1 doctor; lacks "does not answer"; says "ismsd-front.service answers"
	kill $last; wait $last
	run 3 status; says "[front]"; says "systemctl restart ismsd-front.service"
	run 1 doctor; says "ismsd-front.service does not answer"
else
	run 0 status; for log in "$root"/*.log; do sed "s|^|${log##*/}: |" "$log"; done
fi

# ---- UC01a: no secret in arguments or environment --------------------------------------------------
mkfifo "$root/slow"
(sleep 0.3; cat "$root/password"; sleep 0.3) >"$root/slow" &
"$tool" --root "$root" add slow --password-fd 3 3<"$root/slow" >"$root/out" 2>"$root/err" </dev/null &
pid=$!
while kill -0 $pid 2>/dev/null; do
	! cat /proc/$pid/cmdline /proc/$pid/environ 2>/dev/null | grep -qaF -f "$root/canary" || wrong "UC01a: a secret in /proc/$pid"
done
wait $pid || wrong "add with a slow descriptor"
[ "$(find "$(dirname "$ldif")" -type f | wc -l)" = 1 ] || wrong "files were left beside the directory: $(ls -A "$(dirname "$ldif")")"

[ $failed = 0 ] || { echo "$failed of $count runs and their checks failed"; exit 1; }
