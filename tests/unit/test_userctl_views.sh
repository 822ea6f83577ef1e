#!/bin/bash
# test_userctl_views.sh: what isms-userctl shows of all accounts at once, on a root in a temp folder: who-can, matrix,
# filters of list, inventory, and that nothing that stands in a directory acts on a terminal or in a spreadsheet.
. "${srcdir:-.}/tests/unit/userctl_scene.sh"

run 0 setup --yes
next=$(($(date +%Y) + 2))
base=dc=isms,dc=local
person() { # NAME UID KIND [LINE...]: an entry and its private group, as add writes them
	local name=$1 uid=$2 kind=$3
	shift 3
	printf '\ndn: uid=%s,ou=people,%s\nobjectClass: top\nobjectClass: inetOrgPerson\nobjectClass: posixAccount\nobjectClass: shadowAccount\n' "$name" $base
	printf 'objectClass: ismsAccount\nuid: %s\ncn: %s\nsn: %s\nuidNumber: %s\ngidNumber: %s\nhomeDirectory: /home/%s\nemployeeType: %s\n' \
		"$name" "$name" "$name" "$uid" "$uid" "$name" "$kind"
	[ $# = 0 ] || printf '%s\n' "$@"
	printf '\ndn: cn=%s,ou=groups,%s\nobjectClass: top\nobjectClass: posixGroup\ncn: %s\ngidNumber: %s\n' "$name" $base "$name" "$uid"
}
group() { # NAME GID MEMBER...
	printf '\ndn: cn=%s,ou=groups,%s\nobjectClass: posixGroup\ncn: %s\ngidNumber: %s\n' "$1" $base "$1" "$2"
	shift 2
	[ $# = 0 ] || printf 'memberUid: %s\n' "$@"
}
carol="manager: uid=carol,ou=people,$base"
end="pwdEndTime: ${next}0101000000Z"
{
	printf '\ndn: ou=people,%s\nobjectClass: organizationalUnit\nou: people\n\ndn: ou=groups,%s\nobjectClass: organizationalUnit\nou: groups\n' $base $base
	person carol 1001 employee
	person ada 1002 contractor "$end" "$carol" 'displayName: Ada van Dam'
	person ben 1003 contractor "$end" "manager: uid=gone,ou=people,$base"
	person old 1004 contractor 'pwdEndTime: 20200101000000Z' "$carol"
	person rob 1005 service "$end" "owner: uid=carol,ou=people,$base"
	person alone 1006 contractor "$end"
	person local 1007 employee
	group web-deploy 2001 ada ben
} >"$root/entries"
grep -q '^dn: ou=people' "$ldif" && sed -i '/^dn: ou=\(people\|groups\)/,/^$/d' "$root/entries"
cat "$root/entries" >>"$ldif"
policy() { cat >"$root/etc/isms/policy.conf"; }
policy <<-'P'
	[role contractor]
	match = kind:contractor
	allow-services = sshd sudo
	allow-hosts = @web db7
	mfa = none
	keep-groups = web-deploy
	[role employee]
	match = kind:employee
	allow-services = sshd login
	mfa = none
	[role robots]
	match = kind:service
	allow-services = cron
	allow-hosts = db7
P
mkdir -p "$root/etc/isms/conf.d"
printf '[login]\nhost-name = web1\nhost-groups = web\n' >"$root/etc/isms/conf.d/host.conf"

# ---- who-can ----------------------------------------------------------------------------------------
names='[u["user"] for u in d["users"]]'
run 0 who-can --json; json "['ada', 'alone', 'ben', 'carol']" "$names"
json "('sshd', 'web1 @web', 'allow', ['contractor'], 'carol')" '(d["service"], d["host"], d["users"][0]["verdict"], d["users"][0]["roles"], d["users"][0]["sponsor"])'
run 0 who-can; says "role contractor: allow-services (policy.conf:3)"; lacks "old"
run 0 who-can --all --json
json "('deny', 'key-not-bound')" '[(u["verdict"], u["reason"]) for u in d["users"] if u["user"] == "rob"][0]'
json "expired" '[u["reason"] for u in d["users"] if u["user"] == "old"][0]'
json "not-managed" '[u["reason"] for u in d["users"] if u["user"] == "local"][0]'	# of /etc/passwd
run 0 who-can --host db9 --json; json "['carol', 'local']" "$names"
run 0 who-can --host db7 --service cron --json; json "['rob']" "$names"
run 0 who-can --host db9 --host @web --service sudo --json; json "['ada', 'alone', 'ben']" "$names"
run 0 who-can --group web-deploy --json; json "['ada', 'ben']" "$names"
run 0 who-can --group carol --json; json "['carol']" "$names"
# a local account comes under policy by name; an entry about local accounts is for those alone
cp "$root/etc/isms/policy.conf" "$root/policy.good"; cp "$ldif" "$root/ldif.good"
printf '[local]\nmanage = local\n' >>"$root/etc/isms/policy.conf"
run 0 who-can --json; json "['ada', 'alone', 'ben', 'carol', 'local']" "$names"
sed -i '/^uid: \(carol\|local\)$/a ismsLocalAccount: TRUE' "$ldif"
run 0 who-can --json; json "['ada', 'alone', 'ben', 'local']" "$names"
run 0 show local --json; json "(True, None)" '(d["local"], d["home"])'
mv "$root/policy.good" "$root/etc/isms/policy.conf"; cp "$root/ldif.good" "$ldif"; rm "$root/ldif.good"
sed -i 's/^keep-groups.*/drop-groups = web-deploy/' "$root/etc/isms/policy.conf"
run 0 who-can --group web-deploy --json; json "[]" "$names"
run 0 who-can --at $((next + 1))-01-01 --json; json "['carol']" "$names"
unchanged 1 who-can --group nothere; says "no such group"
unchanged 2 who-can --host 'a b'; says "is no host"
unchanged 2 who-can --host a --host b; says "has one name"
unchanged 2 who-can --at whenever; says "is no time"
run 0 who-can --csv; grep -qx $'"ada","contractor","allow","ok".*\r' "$root/out" || wrong "who-can --csv"
# somewhere else and later are said, not left out
limit() { sed -i "/^from\|^hours/d; s|^match = kind:contractor|&\n$1|" "$root/etc/isms/policy.conf"; }
limit 'from = 192.0.2.0/24 2001:db8::/32 local'
run 0 who-can --json; json "['192.0.2.0/24', '2001:db8::/32', 'local']" 'd["users"][0]["sources"]'
json "None" '[u["sources"] for u in d["users"] if u["user"] == "carol"][0]'
run 0 who-can --rhost 192.0.2.77 --json; json "['ada', 'alone', 'ben', 'carol']" "$names"
run 0 who-can --rhost 198.51.100.7 --json; json "['carol']" "$names"
today=$(date -u +%a)
others=$(printf '%s,' Mon Tue Wed Thu Fri Sat Sun | sed "s/$today,//; s/,\$//")
limit "hours = $others 07:00-07:30 UTC"
run 0 who-can --json; json "('ada', 'T07:00:00Z')" '(d["users"][0]["user"], d["users"][0]["next"][10:])'
json "None" '[u["next"] for u in d["users"] if u["user"] == "carol"][0]'
limit 'bogus = 1'
run 1 who-can; says "bogus"
sed -i '/^bogus/d' "$root/etc/isms/policy.conf"

# ---- matrix -----------------------------------------------------------------------------------------
cell='[(r["role"], r["host"], r["users"]) for r in d]'
run 0 matrix --json
json "[('contractor', 'web1 @web', ['ada', 'alone', 'ben']), ('employee', 'web1 @web', ['carol']), ('contractor', '@web', ['ada', 'alone', 'ben']), ('employee', '@web', ['carol', 'local']), ('contractor', 'db7', ['ada', 'alone', 'ben']), ('employee', 'db7', ['carol', 'local']), ('robots', 'db7', [])]" "$cell"
run 0 matrix; says "ROLE"; says "ada, alone, ben"
run 0 matrix --host db7 --service cron --json; json "[('contractor', 'db7', []), ('employee', 'db7', []), ('robots', 'db7', ['rob'])]" "$cell"
run 0 matrix --csv --host @web
[ "$(tr -d '\r' <"$root/out" | sed -n '1p;2p')" = "role,host,service,user,kind,display,sponsor,not_after,sources
\"contractor\",\"'@web\",\"sshd\",\"ada\",\"contractor\",\"Ada van Dam\",\"carol\",\"$next-01-01T00:00:00Z\"," ] || wrong "matrix --csv"
unchanged 2 matrix --host '@'; says "is no host"

# ---- list -------------------------------------------------------------------------------------------
listed='[u["user"] for u in d]'
run 0 list --without-sponsor --kind contractor --json; json "['alone', 'ben']" "$listed"
json "['none', 'missing']" '[u["sponsor_state"] for u in d]'
sed -i "s/^cn: carol\$/&\npwdAccountLockedTime: 000001010000Z/" "$ldif"
run 0 list --without-sponsor --kind contractor; says "ada"; says "ended"
sed -i /^pwdAccountLockedTime/d "$ldif"
days_ago() { date -u -d "$1 days ago" +%Y%m%d%H%M%SZ; }
sed -i "s/^uid: ada\$/&\nismsLastUse: $(days_ago 10)\ncreateTimestamp: $(days_ago 99)/; s/^uid: ben\$/&\ncreateTimestamp: $(days_ago 20)/" "$ldif"
run 0 list --dormant 15d --kind contractor --json; json "['alone', 'ben', 'old']" "$listed"
run 0 list --dormant 30d --kind contractor --json; json "['alone', 'old']" "$listed"
run 0 list --dormant 9d --kind contractor; says "LAST USE"; says "ada"
run 2 list --dormant ever; says "is no span"
run 0 list --mfa yes --json; json "[]" "$listed"
run 0 list --mfa no --json; json 7 'len(d)'
run 2 list --mfa maybe; says "--mfa needs one of"
run 0 list --csv; grep -q '^user,uid,kind' "$root/out" || wrong "list --csv"

# ---- the longest term -------------------------------------------------------------------------------
limit 'max-term = 180d'
run 0 set-expiry ada +90d
unchanged 1 set-expiry ada +181d; says "beyond the longest term, role contractor: max-term (policy.conf:"
run 0 set-expiry ada +180d; run 0 set-expiry carol +900d
unchanged 1 set-expiry ada $((next + 1))-01-01; says "longest term"
run 0 set-expiry ben $((next - 1))-12-31	# shorter than before, and longer than the term
unchanged 1 add eve --kind contractor --until +200d --password-fd 3 3<"$root/password"; says "longest term"
run 0 add eve --kind contractor --until +170d --password-fd 3 3<"$root/password"
run 0 add ivy --kind contractor --not-before +100d --until +270d --password-fd 3 3<"$root/password"
unchanged 1 add kim --kind contractor --not-before +100d --until +290d --password-fd 3 3<"$root/password"; says "longest term"
run 0 disable eve; unchanged 1 set-expiry eve +300d; says "longest term"
limit 'bogus = 1'; unchanged 1 set-expiry ada +200d; says "bogus"; limit 'mfa = none'; sed -i '0,/^mfa/{/^mfa/d}' "$root/etc/isms/policy.conf"
mv "$root/etc/isms/policy.conf" "$root/policy.kept"; run 0 set-expiry ada +200d; mv "$root/policy.kept" "$root/etc/isms/policy.conf"

# ---- inventory --------------------------------------------------------------------------------------
{
	person bot 1201 service "$end" "owner: uid=carol,ou=people,$base" 'ismsKey: ssh-ed25519 AAAA bot isms-added=20260101000000Z' \
		'sshPublicKey: ssh-ed25519 BBBB' 'ismsSource: 192.0.2.0/24' "ismsLastUse: $(days_ago 3)"
	person ned 1203 service "$end"
	person twin 1204 service "$end" "owner: uid=bot,ou=people,$base"
	person glass 1202 break-glass "owner: uid=old,ou=people,$base" "ismsArmedUntil: ${next}0101000000Z" "ismsArmedBy: uid=carol,ou=people,$base"
} >>"$ldif"
of() { printf '[a for a in d["accounts"] if a["user"] == "%s"][0]' "$1"; }
run 0 inventory --json; json "['bot', 'glass', 'ned', 'rob', 'twin']" '[a["user"] for a in d["accounts"]]'
json "('carol', 'valid', 2, '2026-01-01T00:00:00Z', ['192.0.2.0/24'], None)" "[(a['owner'], a['owner_state'], a['keys'], a['oldest_key'], a['sources'], a['armed_until']) for a in [$(of bot)]][0]"
json "('old', 'ended', '$next-01-01T00:00:00Z', 'carol', 0)" "[(a['owner'], a['owner_state'], a['armed_until'], a['armed_by'], a['keys']) for a in [$(of glass)]][0]"
json "(None, 'none')" "[(a['owner'], a['owner_state']) for a in [$(of ned)]][0]"
json "('bot', 'missing')" "[(a['owner'], a['owner_state']) for a in [$(of twin)]][0]"
run 0 inventory; says "OWNER"; says "bot"; lacks "nobody has declared"

# a host with one of everything
mkdir -p "$root"/etc/{ssh,cron.d,sudoers.d} "$root"/var/spool/cron/{crontabs,atjobs} "$root/var/lib/systemd/linger" "$root"/home/{local,ada,stray,liar}
printf 'svc:x:150:150::/srv/svc:/bin/bash\nquiet:x:151:151::/srv/quiet:/usr/sbin/nologin\nopen:x:152:152::/srv/open:/bin/false\nroot2:x:0:0::/root:/bin/sh\n' >>"$root/etc/passwd"
printf 'svc:!:1::::::\nquiet:*:1::::::\nopen:$y$j9T$x$y:1::::::\nroot2::1::::::\nlocal:!:1::::::\n' >"$root/etc/shadow"
printf 'AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/keys/%%u\nMatch User x\n\tAuthorizedKeysFile %%h/more\n' >"$root/etc/ssh/sshd_config"
mkdir -p "$root/etc/ssh/keys" "$root/home/local/.ssh" "$root/home/stray/.ssh" "$root/home/liar" "$root/home/local/.config/systemd/user"
key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDwn"
printf '# none\n%s local@desk\ncommand="echo \\"a b\\"",no-pty %s robot\n\nnonsense\n' "$key" "$key" >"$root/home/local/.ssh/authorized_keys"
echo "$key svc@host" >"$root/etc/ssh/keys/svc"; echo "$key ada" >"$root/etc/ssh/keys/ada"; echo "$key bot" >"$root/etc/ssh/keys/bot"; echo "$key old" >"$root/etc/ssh/keys/old"
echo "$key stray" >"$root/home/stray/.ssh/authorized_keys"; echo "$key more" >"$root/home/local/more"
ln -s /etc "$root/home/liar/.ssh"; mkfifo "$root/home/liar/more"
touch "$root/home/local/.config/systemd/user/miner.service" "$root/var/lib/systemd/linger/local"
cat >"$root/etc/sudoers" <<-'S'
	# "#" and Defaults are none
	Defaults env_reset
	User_Alias OPS = svc, local
	root ALL=(ALL:ALL) ALL
	%sudo	ALL=(ALL:ALL) ALL
	svc, %web-deploy, local ALL = NOPASSWD: \
		/usr/bin/rsync
	ada ALL=(ALL) ALL
	#1001 ALL=(ALL) ALL
	@includedir /etc/sudoers.d
S
echo '%wheel ALL=(ALL) ALL' >"$root/etc/sudoers.d/more"; echo '%not ALL=(ALL) ALL' >"$root/etc/sudoers.d/more.bak"
printf 'SHELL=/bin/sh\n17 *\t* * *\troot cd / && run-parts /etc/cron.hourly\n@reboot svc /srv/svc/start\n' >"$root/etc/crontab"
printf '*/5 * * * * ada /usr/bin/true\n' >"$root/etc/cron.d/ada"
echo '0 3 * * * /srv/svc/backup --all' >"$root/var/spool/cron/crontabs/svc"
echo x >"$root/var/spool/cron/atjobs/a00001"
what() { json "$2" "sorted((h['who'], h['state'], h['detail']) for h in d['host'] if h['what'] == '$1')"; }
# programs of users that run as their group or user; a folder's bit, and one without the group's x, are none
mkdir -p "$root/home/ada/bin/deep" "$root/home/spare/bin"
ln -s /usr "$root/home/ada/usr"
for file in ada/bin/group ada/bin/deep/both spare/bin/user ada/plain ada/locked; do
	echo x >"$root/home/$file"; [ "$(id -u)" != 0 ] || chown 1000 "$root/home/$file"; chmod 755 "$root/home/$file"
done
chmod g+s "$root/home/ada/bin/group" "$root/home/ada/bin"; chmod ug+s "$root/home/ada/bin/deep/both"; chmod u+s "$root/home/spare/bin/user"
chmod g-x,g+s "$root/home/ada/locked"
run 0 inventory --scan --json
what account "[('local', 'undeclared', 'uid 1000, shell /bin/sh'), ('open', 'undeclared', 'uid 152, shell /bin/false, password set'), ('root2', 'undeclared', 'uid 0, shell /bin/sh, no password is asked for'), ('svc', 'undeclared', 'uid 150, shell /bin/bash')]"
json "[('bot', 'undeclared', 'ssh-ed25519 bot'), ('local', 'undeclared', 'not understood: nonsense'), ('local', 'undeclared', 'ssh-ed25519 local@desk'), ('local', 'undeclared', 'ssh-ed25519 more'), ('local', 'undeclared', 'ssh-ed25519 robot, with options'), ('old', 'account-ended', 'ssh-ed25519 old'), ('svc', 'undeclared', 'ssh-ed25519 svc@host')]" \
	"sorted((h['who'], h['state'], h['detail']) for h in d['host'] if h['what'] == 'keys' and h['who'])"
json "[('stray/.ssh/authorized_keys:1', 'undeclared')]" "[(h['where'].split('/home/')[1], h['state']) for h in d['host'] if 'stray' in h['where']]"
json "[('liar/.ssh/authorized_keys', 'not-read', 'a link, not followed'), ('liar/more', 'not-read', 'no regular file')]" \
	"sorted((h['where'].split('/home/')[1], h['state'], h['detail']) for h in d['host'] if 'liar' in h['where'])"
what sudo "[('#1001', 'undeclared', 'ALL=(ALL) ALL'), ('%sudo', 'undeclared', 'ALL=(ALL:ALL) ALL'), ('%wheel', 'undeclared', 'ALL=(ALL) ALL'), ('OPS', 'undeclared', '= svc, local'), ('local', 'undeclared', 'ALL = NOPASSWD: /usr/bin/rsync'), ('svc', 'undeclared', 'ALL = NOPASSWD: /usr/bin/rsync')]"
what cron "[('root', 'undeclared', 'cd / && run-parts /etc/cron.hourly'), ('svc', 'undeclared', '/srv/svc/backup --all'), ('svc', 'undeclared', '/srv/svc/start')]"
what unit "[('local', 'undeclared', 'lingers: units run without a session'), ('local', 'undeclared', 'miner.service')]"
json 1 'len([h for h in d["host"] if h["what"] == "at"])'
gid=$(stat -c %g "$root/home/ada/plain")
json "[('ada', 'ada/bin/deep/both', 'runs as its user and group $gid'), ('ada', 'ada/bin/group', 'runs as group $gid'), (None, 'spare/bin/user', 'runs as its user')]" \
	"sorted(((h['who'], h['where'].split('/home/')[1], h['detail']) for h in d['host'] if h['what'] == 'setid'), key=str)"
run 0 inventory --scan; says "miner.service"; says "nobody has declared"
run 0 inventory --scan --csv; grep -q '^what,who,state,where,detail' "$root/out" || wrong "inventory --csv"

# declared: by whom, of what, and while its owner stands
declare() { printf '[declared svc]\nwhat = account keys sudo cron\nowner = %s\nreason = backup\n%s\n[declared %%sudo]\nwhat = sudo\nowner = carol\nreason = administrators\n' "$1" "${2-}" >"$root/etc/isms/declared.conf"; }
states() { json "$1" "sorted({h['state'] for h in d['host'] if h['who'] == 'svc'})"; }
declare carol; run 0 inventory --scan --json; states "[]"; what sudo "[('#1001', 'undeclared', 'ALL=(ALL) ALL'), ('%wheel', 'undeclared', 'ALL=(ALL) ALL'), ('OPS', 'undeclared', '= svc, local'), ('local', 'undeclared', 'ALL = NOPASSWD: /usr/bin/rsync')]"
declare old; run 0 inventory --scan --json; states "['owner-ended']"
declare nobody; run 0 inventory --scan --json; states "['owner-missing']"
declare carol 'until = 2020-01-01'; run 0 inventory --scan --json; states "['declaration-ended']"
declare carol "until = $next-01-01"; run 0 inventory --scan --json; states "[]"
sed -i 's/account keys sudo cron/keys/' "$root/etc/isms/declared.conf"; run 0 inventory --scan --json; states "['undeclared']"
for wrong_line in 'what = everything' 'owner = A!' 'owner=' 'until = soon' 'until = +90d' 'until = none' 'because = x' '[declared svc]' '[declared]' '[declared a b]' '[other x]'; do
	declare carol "$wrong_line"; run 1 inventory --scan; says "declared.conf:"
done
printf '[declared x]\nwhat = sudo\nowner = carol\n' >"$root/etc/isms/declared.conf"; run 1 inventory --scan; says "what, owner and reason are needed"
printf 'what = sudo\n' >"$root/etc/isms/declared.conf"; run 1 inventory --scan; says "stands before the first"
chmod 666 "$root/etc/isms/declared.conf"; run 1 inventory --scan; says "declared.conf"
printf '[declared ada]\nwhat = setid\nowner = carol\nreason = games\n' >"$root/etc/isms/declared.conf"
chmod 644 "$root/etc/isms/declared.conf"; run 0 inventory --scan --json; json "[None]" "[h['who'] for h in d['host'] if h['what'] == 'setid']"
rm "$root/etc/isms/declared.conf"

# ---- who-can: a service account comes by its own key, from its own networks -----------------------------
policy <<-'P'
	[role robots]
	match = kind:service
	allow-services = sshd cron
P
robot="ismsKey: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDwnPDwnPDwnPDwnPDwnPDwnPDwnPDwnPDwnPDwnPDwn robot"
{
	person keyed 1214 service "$end" "owner: uid=carol,ou=people,$base" "$robot" 'ismsSource: 192.0.2.0/24' 'ismsSource: 2001:db8::/32' 'ismsCommand: /usr/bin/true'
	person nonet 1205 service "$end" "owner: uid=carol,ou=people,$base" "$robot" 'ismsCommand: /usr/bin/true'
	person nocmd 1206 service "$end" "owner: uid=carol,ou=people,$base" "$robot" 'ismsSource: 192.0.2.0/24'
} >>"$ldif"
run 0 who-can --json; json "[('keyed', ['192.0.2.0/24', '2001:db8::/32'])]" '[(u["user"], u["sources"]) for u in d["users"]]'
run 0 who-can --rhost 192.0.2.9 --json; json "['keyed']" "$names"
run 0 who-can --rhost 198.51.100.9 --json; json "[]" "$names"
run 0 who-can --all --json
json "[('keyed', 'ok'), ('nocmd', 'kind-not-interactive'), ('nonet', 'source-not-allowed')]" '[(u["user"], u["reason"]) for u in d["users"] if u["user"] in ("keyed", "nonet", "nocmd")]'
run 0 matrix --host web1 --json; json "[('robots', 'web1', ['keyed'])]" "$cell"
echo 'from = 192.0.2.128/25 203.0.113.0/24' >>"$root/etc/isms/policy.conf"
run 0 who-can --json; json "[('keyed', ['192.0.2.128/25'])]" '[(u["user"], u["sources"]) for u in d["users"]]'

# ---- nothing of a directory, a file or a command line acts on a terminal --------------------------------
# Values with ESC, CSI of one byte and of two, BEL, backspace, a line end, DEL, and marks that turn the text around.
evil=$'x\e[2J\xc2\x9b31m\x9b31m\a\b\x7f\xe2\x80\xaey\xe2\x81\xa6z'
formula='=HYPERLINK("http://x";"y")'
raw() { printf '%s:: %s\n' "$1" "$(printf '%s' "$2" | base64 -w0)"; }
policy <<-'P'
	[role contractor]
	match = kind:contractor
	allow-services = sshd
	mfa = none
P
{
	person mallory 1101 contractor "$end" "$(raw displayName "$evil")" "$(raw manager "uid=$evil,ou=people,$base")" "$(raw owner "uid=$evil,ou=people,$base")"
	person trudy 1102 contractor "$end" "$(raw displayName "$formula")" "$(raw manager "cn=$formula,ou=people,$base")"
	person broken 1103 "contractor$(printf '\n%s' "$(raw employeeType "$evil")")" "$end"
	person rita 1104 service "$end" "$(raw owner "uid=$evil,ou=people,$base")" "$(raw ismsCommand "$evil")" "$(raw ismsKey "ssh-ed25519 AAAA $evil")"
	printf '\n%s\n' "$(raw dn "uid=x\\1b[2J\\c2\\9b,ou=people,$base")"
	printf 'objectClass: inetOrgPerson\nobjectClass: posixAccount\n%s\ncn: x\nsn: x\nuidNumber: 1105\ngidNumber: 1105\nhomeDirectory: /home/x\nemployeeType: employee\n' "$(raw uid "$evil")"
	printf '\n%s\nobjectClass: posixGroup\n%s\ngidNumber: 2101\nmemberUid: mallory\n' "$(raw dn "cn=x\\1b[2J\\c2\\9b,ou=groups,$base")" "$(raw cn "$evil")"
} >>"$ldif"
clean() { # no byte but text, blanks, line ends and, of CSV, carriage returns
	python3 - "$@" <<-'P' || wrong "bytes that act on a terminal: $what"
		import re, sys
		for path in sys.argv[1:]:
		    text = open(path, "rb").read().decode("utf-8")
		    assert not re.search("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ufeff]", text), path
		    assert not re.search("\\r(?!\\n)", text), path
	P
}
pure() { ! LC_ALL=C grep -q '[^ -~]' <(tr -d '\n' <"$root/out") || wrong "JSON that is not ASCII: $what"; }
printf '%s %s\n' "$key" "$evil" >"$root/home/local/.ssh/authorized_keys"
printf '%s ALL=%s\n' "$evil" "$evil" >"$root/etc/sudoers"
printf '* * * * * %s\n' "$evil" >"$root/var/spool/cron/crontabs/svc"
touch "$root/home/local/.config/systemd/user/${evil//\//}.service"
printf '[case %s]\nexpect = %s\n' "$evil" "$evil" >"$root/evil.cases"
printf 'user,display\n%s,%s\n' "$evil" "$evil" >"$root/evil.csv"
# VERB | ARGUMENTS: what prints names or values; @ stands for the hostile one. "-": prints none that others choose.
while IFS='|' read -r verb arguments; do
	verb=$(sed 's/ *$//' <<<"$verb") arguments=$(sed 's/^ *//' <<<"$arguments")
	echo "$verb" >>"$root/tried"
	[ "$arguments" != - ] || continue
	for json in '' --json; do
		words=()
		for word in $arguments; do [ "$word" = @ ] && words+=("$evil") || words+=("$word"); done
		what="$verb $arguments $json"
		count=$((count + 1))
		"$tool" --root "$root" $verb "${words[@]}" $json >"$root/out" 2>"$root/err" </dev/null
		clean "$root/out" "$root/err"
		[ -z "$json" ] || [ "${arguments/csv/}" != "$arguments" ] || pure
		! grep -q "runtime error\|AddressSanitizer" "$root/err" || wrong "sanitizer: $what"
	done
done <<V
list           |
list           | --csv
list           | --without-sponsor
list           | --expiring @
list           | @
show           | mallory
show           | broken
show           | @
who-can        | --all
who-can        | --all --csv
who-can        | --host @
who-can        | --group @
matrix         |
matrix         | --csv
inventory      | --scan
inventory      | --scan --csv
matrix         | --host @
policy show    |
policy check   |
policy test    | $root/evil.cases
policy test    | @
config check   |
config show    |
sessions       |
status         |
doctor         |
why            | @
why            | ada --service @ --at @
events         | --since @
add            | eve --display @ --dry-run
add            | eve --kind @
add            | @
add            | --from-csv @
add            | --from-csv $root/evil.csv
set-expiry     | mallory +30d
set-expiry     | mallory @
disable        | mallory --dry-run --reason @
disable        | @
enable         | mallory --dry-run
enroll         | mallory --secret-fd @
unenroll       | mallory --token @
recovery-codes | mallory --count @
setup          | --yes --contact @
set-sponsor    | mallory @
approve        | @
arm            | mallory --for 1h --reason @
arm            | @ --for @ --reason x
disarm         | @
exempt         | mallory mfa --until +1d --reason @
exempt         | mallory @ --until @ --key @ --service @ --source @
exempt         | --list
exempt         | --revoke @
grant          | mallory @ --for 1h --reason @
grant          |
ungrant        | @ @
request        | @ web-deploy --for 1h --reason @
request        |
key add        | mallory --key-file @
key list       | mallory
key remove     | mallory @
leave          | mallory --dry-run --reason @
report         |
report         | --leavers @
review start   | --scope @
review list    |
review confirm | @
review remove  | @
review export  |
snapshot show  |
snapshot approve | --reason @
snapshot reject | --reason @
clock trust    | --dry-run
V
"$tool" --help | sed -n 's/^  \([a-z][a-z-]*\( [a-z]*\)\?\) .*/\1/p' | grep -v '^--' | sed 's/ *$//' | sort -u | diff - <(sort -u "$root/tried") >"$root/out" || wrong "a verb was not tried with hostile values"
run 0 list; says 'x [2J??31m?31m   \xe2\x80\xaey\xe2\x81\xa6z'	# it was shown
run 0 list --csv; grep -q "\"'=HYPERLINK" "$root/out" || wrong "a formula in CSV"
! grep -q '\(^\|,\)"\?[=+@-][^0-9"]' "$root/out" || wrong "a formula in CSV"
"$tool" --root "$root" "$evil" >"$root/out" 2>"$root/err"; what=verb; clean "$root/out" "$root/err"

[ $failed = 0 ] || { echo "$failed of $count runs and their checks failed"; exit 1; }
