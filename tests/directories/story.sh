#!/bin/bash
# story: one directory after another, the same life in it: users, nested groups, lock, end, change, deletion, the server
# killed and back, its certificate not to be trusted. ISMS_SERVER names the server: a file beside this one, with its hand:
#
#   server_prepare                make it, with a host's account and an empty tree
#   server_start                  until it answers, with $tls/server.pem and .key; server_kill as by a power cut
#   server_settings               what isms.conf says besides uri and ca-file; $host_dn with the password $host_password
#   add_user NAME, add_group NAME MEMBER..., add_member GROUP MEMBER, drop_member GROUP MEMBER, remove_entry NAME
#   set_shell NAME SHELL, lock NAME, unlock NAME, end_at NAME EPOCH
#   group_name NAME               what its groups are called there
#   manner                        how it is read, in words of isms-userctl status
#   server_own                    what only this server does; its own checks
. "$(dirname "$(dirname "$(realpath "$0")")")/integration/lib.sh"
tls=$slapd_dir/tls host_password=Host-Secret-91
. "$(dirname "$0")/${ISMS_SERVER?}.sh"

policy='
[role employee]
match          = kind:employee
allow-services = sshd login su su-l
mfa            = if-enrolled
keep-groups    = inner_circle outer
'
settings() {
	mkdir -p /etc/isms/conf.d && printf '[directory]\nuri = ldaps://localhost\nca-file = %s\npoll-interval = 1s\n' $tls/ca.pem >/etc/isms/conf.d/server.conf &&
		server_settings >>/etc/isms/conf.d/server.conf && echo "$policy" >/run/policy
}
join_server() {
	/usr/bin/isms-userctl setup --yes --contact "$contact" --base "$base" --uri ldaps://localhost --ca-file $tls/ca.pem \
		--host-dn "$host_dn" --host-password-fd 8 8<<<$host_password && cat /run/policy >/etc/isms/policy.conf && reload
}
person() { # NAME: who logs in with a password alone
	mkdir -p "$people/$1" && echo "$person_password" >"$people/$1/password" && write_askpass "$1" && add_user "$1"
}
person_password=Correct-Horse-17
server_certificate() { # CA ALTERNATIVE-NAME
	certificate server "$1" "$2"
}

check "prepare: packages" install_packages
check "prepare: authorities" eval 'ca ca && ca stranger && server_certificate ca DNS:localhost'
check "prepare: the server" server_prepare
check "prepare: it runs" server_start
check "prepare: settings" settings
check "prepare: setup" join_server
check "prepare: mark" mark
[ $check_failed = 0 ] || finish

# ---- users ---------------------------------------------------------------------------------------
enters() { code='' by_ssh "$1" -- true; }
is_out() { # NAME REASON
	mark && ! enters "$1" && denied_with "$2" "$1"
}
check "users: ada" person ada
check "users: bob" person bob
check "users: ada is there" wait_until 20 getent passwd ada
check "users: bob, too" wait_until 20 getent passwd bob
check "users: she enters" enters ada
wrong_password() { mark && ! password=Wrong-Horse-18 enters ada && denied_with password-failed ada; }
check "users: not with another password" wrong_password
check "users: by number" eval '[ "$(getent passwd "$(id -u ada)" | cut -d: -f1)" = ada ]'
check "users: home and shell" eval 'getent passwd ada | grep ":/home/ada:/bin/bash$"'
reads() { isms-userctl status --json | grep "\"reads\": \"$1"; }
check "users: how the server is read" reads "$manner"

# ---- groups within groups -------------------------------------------------------------------------
in_groups() { # NAME GROUP...
	local name=$1 g
	shift
	id -nG "$name"
	for g; do id -nG "$name" | tr ' ' '\n' | grep -qx "$g" || return; done
}
not_in_groups() { # NAME GROUP...
	local name=$1 g
	shift
	id -nG "$name" || return
	for g; do ! id -nG "$name" | tr ' ' '\n' | grep -qx "$g" || return; done
}
check "groups: one with ada, and one with that one" eval 'add_group "$(group_name inner)" ada && add_group outer "$(group_name inner)"'
check "groups: ada is in both" wait_until 20 in_groups ada inner_circle outer
check "groups: bob is in none" not_in_groups bob inner_circle outer
group_members() { # GROUP MEMBER
	getent group "$1" | cut -d: -f4 | tr , '\n' | grep -qx "$2"
}
check "groups: the members of the inner one" group_members inner_circle ada
check "groups: in the session, too" eval 'code="" by_ssh ada -- id -nG | grep -w outer'
check "groups: bob joins" add_member "$(group_name inner)" bob
check "groups: he is in both" wait_until 20 in_groups bob inner_circle outer
check "groups: ada leaves" drop_member "$(group_name inner)" ada
check "groups: she is in none" wait_until 20 not_in_groups ada inner_circle outer

# ---- locks, ends, changes -------------------------------------------------------------------------
check "lock: ada" lock ada
check "lock: she stays out" wait_until 20 is_out ada disabled
check "lock: bob does not" enters bob
check "lock: taken away" unlock ada
check "lock: she enters" wait_until 20 enters ada
ends() { # NAME SECONDS-FROM-NOW
	end_at "$1" $(($(date +%s) + $2))
}
check "end: yesterday" ends ada -86400
check "end: she stays out" wait_until 20 is_out ada expired
check "end: in a week" ends ada 604800
check "end: she enters" wait_until 20 enters ada
has_shell() { getent passwd "$1" | grep ":$2\$"; }
check "change: a shell" set_shell ada /bin/sh
check "change: it is there" wait_until 20 has_shell ada /bin/sh

# ---- gone -----------------------------------------------------------------------------------------
gone() { ! getent passwd "$1" && ! enters "$1"; }
check "deletion: bob" remove_entry bob
check "deletion: he has gone" wait_until 20 gone bob
check "deletion: ada has not" enters ada
check "deletion: nor has his group" getent group inner_circle
check "deletion: his group" remove_entry "$(group_name inner)"
no_group() { ! getent group "$1"; }
check "deletion: it has gone" wait_until 20 no_group inner_circle
check "deletion: the other one has not" getent group outer

while_away() { # COMMAND...: while nobody of ours looks
	systemctl stop ismsd-directory.socket ismsd-directory && "$@" && systemctl start ismsd-directory.socket ismsd-directory
}
server_own

# ---- without the server ---------------------------------------------------------------------------
state_of() { getent passwd ada; getent group outer; id ada; }
as_before() { [ "$(state_of)" = "$before" ]; }
cut_off() { # lookups as before, and nobody enters
	as_before && is_out ada directory-unavailable && as_before
}
before=$(state_of)
check "killed: the server" server_kill
check "killed: lookups as before, logins refused" cut_off
check "killed: back" server_start
check "killed: she enters, with nobody's help" wait_until 40 enters ada
check "killed: changes arrive again" eval 'set_shell ada /bin/bash && wait_until 40 has_shell ada /bin/bash'

# ---- a server that cannot be trusted --------------------------------------------------------------
restart_with() { server_kill && server_certificate "$1" "$2" && server_start; }
before=$(state_of)
check "tls: an authority that nobody knows" restart_with stranger DNS:localhost
check "tls: lookups as before, logins refused" cut_off
check "tls: another server's name" restart_with ca DNS:other.example.com
check "tls: as before and refused, again" cut_off
check "tls: as it was" restart_with ca DNS:localhost
check "tls: she enters, with nobody's help" wait_until 40 enters ada
check "tls: nothing has changed" as_before
finish
