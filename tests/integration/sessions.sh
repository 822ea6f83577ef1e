#!/bin/bash
# sessions: isms-userctl sessions: who is in, by ssh and su, managed and local; proven with what, from where, until when
# and why; and inventory --scan on a real system.
. "$(dirname "$0")/lib.sh"

policy="$(sed 's/^require-expiry.*/&\nmax-session    = 90m/' <<<"$default_policy")"
prepare "$policy"
check "ada ends in an hour, ben in two" contractor ada
check "ben" contractor ben
check "ada's end" isms-userctl set-expiry ada +1h
check "local people" local_people

out=/run/sessions-out
says() { isms-userctl sessions --json >$out && jq . $out && jq -e "$1" <$out >/dev/null; }
of() { echo ".[] | select(.user == \"$1\" and .service != \"systemd-user\")"; }
stays() { # NAME: logs in, and stays until /run/stay goes
	touch /run/stay
	code=${code-$(fresh_code "$1")} by_ssh "$1" -- 'while [ -e /run/stay ]; do sleep .2; done' &
	wait_until 15 has_session "$1"
}
check "nobody is in" says "map(select(.managed)) == []"
check "ada is in" stays ada
is_told='(.proven | sort) == ["otp", "password"] and .service == "sshd" and .managed and (.from | test("127.0.0.1|::1|localhost")) and .session != null'
check "how she came in" says "$(of ada) | $is_told"
check "since when" says "$(of ada) | (.since | fromdate) <= now and (.since | fromdate) > now - 60"
check "until when: her contract" says "$(of ada) | .ends_by == \"pwdEndTime\" and (.ends | fromdate) > now + 3000 and (.ends | fromdate) <= now + 3600"
check "ben is in" stays ben
check "until when: his longest session" says "$(of ben) | .ends_by == \"max-session\" and (.ends | fromdate) - (.since | fromdate) == 5400"
moved() { isms-userctl set-expiry ada +80m && wait_until 10 says "$(of ada) | (.ends | fromdate) > now + 4000 and .ends_by == \"pwdEndTime\""; }
check "an end that is moved" moved
code=
stays_local() { code='' stays local; }
check "a local user is in" stays_local
unset code
check "he is none of ours" says "$(of local) | .managed == false and .ends == null and .proven == null and .session != null"
su_stays() { systemd-run --quiet --unit=su-stays su - ben -c 'while [ -e /run/stay ]; do sleep .2; done' && wait_until 10 says "map(select(.user == \"ben\" and (.service | startswith(\"su\")))) | length == 1"; }
check "a su by root is told" su_stays
nothing_proven() { says "$(of ben) | select(.service | startswith(\"su\")) | .proven == [] and .from == null"; }
check "it is proven with nothing" nothing_proven
check "as a table" bash -c 'isms-userctl sessions | grep -q "^ada .*sshd"'
check "as CSV" bash -c "isms-userctl sessions --csv | grep -q '\"ada\"'"
out_again() { isms-userctl disable ada && wait_until 10 says 'map(select(.user == "ada")) == []'; }
check "who is put out is not in" out_again
rm -f /run/stay
check "all have left" wait_until 15 says 'map(select(.managed)) == []'
without_front() { systemctl stop ismsd-front.socket ismsd-front; status_is 3 isms-userctl sessions; local rc=$?; systemctl start ismsd-front.socket ismsd-front; return $rc; }
check "without a front nothing is told" without_front

# ---- inventory --scan: this system --------------------------------------------------------------------
found() { isms-userctl inventory --scan --json >$out && jq .host $out && jq -e "$1" <$out >/dev/null; }
check "the local account is found" found '.host | any(.what == "account" and .who == "local" and .state == "undeclared")'
hidden() {
	install -d -o local -g local /home/local/.ssh /home/local/.config /home/local/.config/systemd /home/local/.config/systemd/user
	echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDwn local@elsewhere' >/home/local/.ssh/authorized_keys
	echo 'local ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/hidden
	echo '* * * * * local /usr/bin/true' >/etc/cron.d/hidden
	touch /home/local/.config/systemd/user/hidden.service
	found '[.host[] | select(.who == "local") | .what] | contains(["keys", "sudo", "cron", "unit"])'
}
check "what was hidden is found" hidden
declared() {
	printf '[declared local]\nwhat = account keys sudo cron unit\nowner = carol\nreason = the test\n' >/etc/isms/declared.conf
	found '.host | all(.who != "local")'
}
check "declared it is not" declared
carol_left() { isms-userctl disable carol && found '[.host[] | select(.who == "local") | .state] | unique == ["owner-ended"]'; }
check "until who declared it has left" carol_left
keys_of_ours() {
	install -d -o ben -g "$(id -g ben)" /home/ben/.ssh && echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDwn ben@desk' >/home/ben/.ssh/authorized_keys &&
		found '.host | all(.who != "ben")' && isms-userctl disable ben && found '.host | any(.who == "ben" and .state == "account-ended" and .what == "keys")'
}
check "keys of one of ours are found once he has left" keys_of_ours
links() { # nothing is read through a link, and a pipe holds nobody up
	mkdir -p /home/liar && ln -s /etc/shadow /home/liar/x && ln -s /root /home/liar/.ssh && mkfifo /home/ben/.ssh/authorized_keys2 &&
		timeout 10 isms-userctl inventory --scan --json >$out && jq -e '[.host[] | select(.state == "not-read") | .detail] | sort == ["a link, not followed", "a link, not followed", "no regular file"]' <$out
}
check "links and pipes" links
finish
