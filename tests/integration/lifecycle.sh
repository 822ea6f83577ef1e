#!/bin/bash
# lifecycle: service accounts by keys of the directory, and break-glass accounts (issue 5, done when 4): each refusal
# with its own reason, beside it the same account with one fact changed.
. "$(dirname "$0")/lib.sh"
prepare "${default_policy//log-read/log-read sudo}
[role robot]
match          = kind:service
allow-services = sshd cron

[role glass]
match          = kind:break-glass
allow-services = sshd
mfa            = none
"
cat >/usr/local/bin/job <<'J'
#!/bin/sh
tty=terminal
test -t 0 || tty=none
echo "job of $(id -un), terminal: $tty, asked: $SSH_ORIGINAL_COMMAND"
J
chmod 755 /usr/local/bin/job
new_key() { ssh-keygen -q -t ed25519 -N '' -C "$1" -f "/run/people/$1" </dev/null; }
print_of() { ssh-keygen -lf "/run/people/$1.pub" | cut -d' ' -f2; }
check "keys" eval 'new_key bound && new_key stray && new_key directory'
# from ADDRESS KEY NAME [SSH-OPTION...] -- COMMAND: no password and no question.
from() {
	local address=$1 key=$2 name=$3 options=()
	shift 3
	while [ "${1---}" != -- ]; do options+=("$1"); shift; done
	shift
	ssh $ssh_options -b "$address" -o BatchMode=yes -o IdentitiesOnly=yes -i "/run/people/$key" "${options[@]}" \
		"$name@127.0.0.1" "$@" </dev/null
}
service() { # NAME OWNER [OPTION...]
	isms-userctl add "$1" --kind service --until +2h --owner "$2" --key-file /run/people/bound.pub --source 127.0.1.0/24 "${@:3}" &&
		wait_user "$1"
}
runs() { from 127.0.1.7 bound "$1" -- please | grep -x "job of $1, terminal: none, asked: please"; }

# ---- a service account -------------------------------------------------------------------------------
check "a service account" service svc carol --command /usr/local/bin/job
in_group() { id -Gn svc | grep -w isms-service && ! id -Gn svc | grep -w isms-mfa; }
check "it is in isms-service, and asked for no code" in_group
lines() { /usr/libexec/isms-access/isms-authorized-keys "$@"; }
its_line() {
	lines svc "$(print_of bound)" | grep -E '^restrict,from="127.0.1.0/24",expiry-time="[0-9]{14}Z",command="/usr/local/bin/job" ssh-ed25519 ' &&
		[ "$(lines svc "$(print_of bound)" | wc -l)" = 1 ] && [ -z "$(lines svc "$(print_of stray)")" ]
}
check "isms-authorized-keys: its key with all that binds it, and no other" its_line
check "mark" mark
check "its key from its network runs its command" runs svc
granted() {
	event_is '.ISMS_EVENT == "login.granted"' '.ISMS_USER == "svc"' '.ISMS_KIND == "service"' ".ISMS_KEY == \"$(print_of bound)\"" &&
		event_is '.ISMS_EVENT == "session.opened"' '.ISMS_USER == "svc"' ".ISMS_KEY == \"$(print_of bound)\""
}
check "the events name it and its key" granted
with_terminal() { from 127.0.1.7 bound svc -tt -- please 2>&1 | tr -d '\r' >/run/tty; cat /run/tty; grep -q "PTY allocation request failed" /run/tty && ! grep -q "terminal: terminal" /run/tty; }
used_key() { isms-userctl key list svc --json | jq -e '.[0].last_use != null and .[0].last_rhost == "127.0.1.7" and .[0].age_days == 0'; }
check "the key's age and last use are known" used_key
check "there is no terminal for it" with_terminal
tunnel() { from 127.0.1.7 bound svc -o ExitOnForwardFailure=yes -R 127.0.0.1:2222:127.0.0.1:22 -- please; }
refused "nor a tunnel" tunnel

check "mark" mark
refused "the same key from elsewhere" from 127.0.2.7 bound svc -- please
check "reason source-not-allowed" denied_with source-not-allowed svc
there() { event_is '.ISMS_USER == "svc"' '.ISMS_RHOST == "127.0.2.7"' ".ISMS_KEY == \"$(print_of bound)\""; }
check "and from where" there
check "its twin, from its network" runs svc

check "mark" mark
refused "a key that is not bound" from 127.0.1.7 stray svc -- please
check "reason key-not-bound" denied_with key-not-bound svc
home_key() {
	install -d -m 700 -o svc -g "$(id -g svc)" /home/svc /home/svc/.ssh &&
		install -m 600 -o svc -g "$(id -g svc)" /run/people/stray.pub /home/svc/.ssh/authorized_keys
}
check "a key in its home" home_key
refused "which sshd does not look at" from 127.0.1.7 stray svc -- please

check "mark" mark
code='' password=anything refused "its password, by a client of PAM" by_pam svc sshd
check "reason password-not-allowed" denied_with password-not-allowed svc
check "mark" mark
code='' password=anything refused "on the console" by_pam svc login
check "reason kind-not-interactive" denied_with kind-not-interactive svc
refused "root's su - to it needs a role that lets su in" root_su svc true

# ---- without the fragment of sshd ---------------------------------------------------------------------
sshd_drop_in absent
check "mark" mark
refused "without the fragment: the key in its home" from 127.0.1.7 stray svc -- please
at_session() { event_is '.ISMS_USER == "svc"' '.ISMS_REASON == "key-not-bound"' '.ISMS_NOTE == "session"'; }
check "reason key-not-bound, at the opening of the session" at_session
refused "and nothing before it called the login granted" event_is '.ISMS_EVENT == "login.granted"' '.ISMS_USER == "svc"'
install -m 600 -o svc -g "$(id -g svc)" /run/people/bound.pub /home/svc/.ssh/authorized_keys
check "its twin: the bound key there, which opens a session" from 127.0.1.7 bound svc -- true
check "mark" mark
refused "without the fragment: the bound key from elsewhere" from 127.0.2.7 bound svc -- true
check "reason source-not-allowed" denied_with source-not-allowed svc
mkdir -p $people/svc && echo anything >$people/svc/password && write_askpass svc
check "mark" mark
code='' refused "without the fragment: its password" by_ssh svc -o PreferredAuthentications=password -- true
check "reason password-not-allowed" denied_with password-not-allowed svc
sshd_drop_in present
rm /home/svc/.ssh/authorized_keys

# ---- sshd asks somebody else for keys --------------------------------------------------------------------
# A file that is read before ours; its command says all of a key and nothing of what binds it.
other_keys() {
	printf '#!/bin/sh\ncat /run/people/bound.pub\n' >/usr/local/bin/other-keys && chmod 755 /usr/local/bin/other-keys &&
		printf 'AuthorizedKeysCommand /usr/local/bin/other-keys\nAuthorizedKeysCommandUser nobody\n' >/etc/ssh/sshd_config.d/00-other.conf &&
		systemctl restart ssh && sshd -T | grep -i '^authorizedkeyscommand /usr/local/bin/other-keys'
}
doctor_on_keys() { isms-userctl doctor >/run/doctor; grep -E "^$1  *sshd  *$2" /run/doctor; }
check "doctor: sshd asks for the directory's keys" doctor_on_keys ok 'sshd asks for the keys that the directory has'
check "another file names an AuthorizedKeysCommand first" other_keys
check "doctor says so" doctor_on_keys warning '/etc/ssh/sshd_config.d/00-other.conf: AuthorizedKeysCommand is /usr/local/bin/other-keys: '
check "a service account's key is bound all the same" runs svc
# The cure done by halves: our command as somebody to whom ismsd tells nothing.
sed -i /other-keys/d /etc/ssh/sshd_config.d/00-other.conf && systemctl restart ssh
check "doctor: ours, but not as root" doctor_on_keys bad '/etc/ssh/sshd_config.d/00-other.conf: AuthorizedKeysCommandUser is nobody: '
check "a service account's is root's all the same" runs svc
rm /etc/ssh/sshd_config.d/00-other.conf && systemctl restart ssh
check "doctor: it asks for the directory's keys again" doctor_on_keys ok 'sshd asks for the keys that the directory has'

# ---- one fact changed: the command, the owner, the key -------------------------------------------------
check "one without a command" service bare carol
check "mark" mark
refused "the same key without a command would be a shell" from 127.0.1.7 bound bare -- please
check "reason kind-not-interactive" denied_with kind-not-interactive bare
check "an owner" add_person dave employee
check "one that is his" service davesvc dave --command /usr/local/bin/job
check "he is valid: in" runs davesvc
check "his contract ends" isms-userctl set-expiry dave +1s --reason test --yes
sleep 2
check "mark" mark
refused "the owner's contract is over" from 127.0.1.7 bound davesvc -- please
check "reason owner-expired" denied_with owner-expired davesvc
check "his contract goes on" isms-userctl set-expiry dave +2h --reason test --yes
check "its twin: in again" wait_until 10 runs davesvc
check "the key is removed" isms-userctl key remove svc "$(print_of bound)"
check "mark" mark
gone() { ! runs svc; }
check "and opens nothing" wait_until 5 gone
check "reason key-not-bound" denied_with key-not-bound svc
check "the key is added" isms-userctl key add svc --key-file /run/people/bound.pub
check "its twin: in again" wait_until 10 runs svc

# ---- people -----------------------------------------------------------------------------------------
check "a contractor" contractor ada
check "his key in the directory" isms-userctl key add ada --key-file /run/people/directory.pub
has_line() { lines ada | grep -E '^expiry-time="[0-9]{14}Z" ssh-ed25519 '; }
check "isms-authorized-keys: until his contract's end" wait_until 10 has_line
by_directory_key() { by_ssh ada -o IdentityFile=/run/people/directory -o IdentitiesOnly=yes -- true && [ "$(grep -c . $people/ada/prompts)" = 1 ]; }
check "his key from the directory and a code" by_directory_key
check "mark" mark
check "disable" isms-userctl disable ada --reason test --yes
no_line() { ! has_line; }
check "isms-authorized-keys: nothing for him" wait_until 10 no_line
refused "his key is not offered" by_directory_key
check "reason disabled" denied_with disabled ada
local_people >/dev/null 2>&1
check "isms-authorized-keys: nothing of local people" eval '[ -z "$(lines root)$(lines local)$(lines nobody-at-all)" ]'
check "who log in all the same" local_logs_in
systemctl stop ismsd-front.socket ismsd-front
check "ismsd is down: local people log in" local_logs_in
quick() { local since=$SECONDS; ! lines svc && [ $((SECONDS - since)) -le 8 ]; }
check "isms-authorized-keys: no keys, and no waiting" quick
systemctl start ismsd-front.socket
check "its twin: in again" wait_until 20 runs svc

# ---- break-glass --------------------------------------------------------------------------------------
# Who arms is carol: at slapd by her bind, on the embedded directory by root's word.
on_slapd && check "carol is an approver" eval 'printf "dn: cn=approvers,ou=roles,%s\nobjectClass: groupOfNames\nmember: uid=carol,ou=people,%s\n" $base $base | as_admin ldapadd'
by_carol() {
	if on_slapd; then /usr/bin/isms-userctl "$@" --bind-dn "uid=carol,ou=people,$base" --bind-password-fd 9 9<$people/carol/password
	else isms-userctl "$@" --as carol; fi
}
glass() { code='' by_ssh glas -- "$@"; }
check "a break-glass account" add_person glas break-glass
check "it is seen" wait_user glas
check "mark" mark
refused "not armed" glass true
check "reason breakglass-not-armed" denied_with breakglass-not-armed glas
refused "armed by nobody of the directory" isms-userctl arm glas --for 1h --reason test
refused "armed for longer than is allowed" by_carol arm glas --for 9h --reason test
check "still out" eval '! glass true'
# Who administers this host has it on his terminal: root, a local one, one of the directory. bea does not.
at_terminal() { by_ssh "$1" -tt -- sleep 3417 >"/run/$1.terminal" 2>&1 & }
are_there() { [ "$(pgrep -cxf 'sleep 3417')" = 4 ]; }
administrators() { gpasswd -a local sudo && gpasswd -a carol sudo && enroll_person carol --hotp && wait_until 10 eval 'id -nG carol | grep -qw sudo'; }
check "administrators, and bea who is none" eval 'administrators && contractor bea'
code='' at_terminal root; code='' at_terminal local; at_terminal carol; at_terminal bea
check "each at a terminal" wait_until 30 are_there
told() { # TEXT: once on each of their terminals, and with no byte that moves one
	local name
	for name in root local carol; do
		[ "$(tr -d '\r' <"/run/$name.terminal" | grep -cE "^\*\*\* Break-glass account glas $1 by carol until [0-9TZ:-]{20}: disk is full$")" = 1 ] || { echo "$name:"; cat -v "/run/$name.terminal"; return 1; }
	done
}
check "mark" mark
check "armed" by_carol arm glas --for 1h --reason "disk is full"
check "their terminals tell them who armed it, until when and why" wait_until 5 told "was armed"
loud() { event_is '.ISMS_EVENT == "breakglass.armed"' '.ISMS_USER == "glas"' '.ISMS_ARMED_BY == "carol"' '.PRIORITY == "2"' '.ISMS_NOTE == "disk is full"'; }
check "loud" loud
every_host() { event_is '.ISMS_EVENT == "breakglass.armed"' '._SYSTEMD_UNIT == "ismsd-directory.service"' '.ISMS_USER == "glas"' '.PRIORITY == "2"' '.ISMS_ARMED_BY | startswith("uid=carol,")'; }
check "on every host that sees it" wait_until 10 every_host
check "armed: in" wait_until 10 glass true
check "and that it is used" wait_until 5 told "is used, armed"
not_told() { [ -e /run/bea.terminal ] && ! grep -q Break-glass /run/bea.terminal; }
check "bea's terminal is left alone" not_told
unheard() {
	systemctl kill -s STOP ismsd-publisher && by_carol arm glas --for 2h --reason "disk is full" && wait_until 10 at_once
}
at_once() { local since=$SECONDS; glass true && [ $((SECONDS - since)) -le 5 ]; }
check "nobody there who tells: armed and in all the same" unheard
check "goes on" systemctl kill -s CONT ismsd-publisher
pkill -xf "sleep 3417"
wait
used() { event_is '.ISMS_EVENT == "breakglass.used"' '.ISMS_USER == "glas"' '.PRIORITY == "1"' '.ISMS_NOTE == "disk is full"' '.ISMS_ACTOR | startswith("uid=carol,")'; }
check "its use is loud, with who armed it and why" used
in_session() { pgrep -u glas -x sleep >/dev/null; }
out_of_session() { ! pgrep -u glas >/dev/null; }
glass sleep 3000 &
check "a session" wait_until 10 in_session
check "disarmed" isms-userctl disarm glas
check "disarmed: its session is over" wait_until 5 out_of_session
wait
check "mark" mark
refused "disarmed: out" glass true
check "reason breakglass-not-armed" denied_with breakglass-not-armed glas
armed_at=$(date +%s)
check "armed for 20 seconds" by_carol arm glas --for 20s --reason "disk is full again"
check "in" wait_until 10 glass true
glass sleep 3000 &
check "a session" wait_until 10 in_session
its_end() { wait_until 40 out_of_session && [ $(($(date +%s) - armed_at)) -ge 20 ] && [ $(($(date +%s) - armed_at)) -le 27 ]; }
check "its end ends the session, and not sooner" its_end
wait
check "mark" mark
refused "it has disarmed itself" glass true
check "reason breakglass-not-armed" denied_with breakglass-not-armed glas
finish
