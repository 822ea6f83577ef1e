# people.sh - acting as an administrator and as the people of the story, without a person: real ssh, real
# login, answers by prompt. Sourced by lib.sh (tests) and by tools/demo's story, inside the bed only.
#
# A person has a folder $people/NAME: password, secret (hex), algorithm, digits, key, askpass. What is
# typed at the code prompt is $code if that is set, else the present code, never one used before.

people=/run/people
contact=security@example.com
ssh_options="-F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=10"

install_packages() { dpkg -i /isms/debs/*.deb; }

# ---- administrator ------------------------------------------------------------------------------
setup() { isms-userctl setup --yes --contact "$contact"; }

# A new account with a password: add_person NAME KIND OPTION...
add_person() {
	local name=$1 kind=$2
	shift 2
	mkdir -p "$people/$name"
	echo "correct-horse-$name" >"$people/$name/password"
	isms-userctl add "$name" --kind "$kind" --password-fd 3 "$@" 3<"$people/$name/password" && write_askpass "$name"
}

# Enrol a token: the secret comes by a file descriptor, the confirming code goes to the command's input.
enroll_person() { # NAME OPTION...
	local name=$1
	shift
	rm -f "$people/$name/secret"
	mkfifo "$people/$name/code"
	(
		wait_until 20 test -s "$people/$name/secret" >&2
		oathtool --totp "$(cat "$people/$name/secret")" >"$people/$name/code"
	) &
	isms-userctl enroll "$name" --totp --secret-fd 3 "$@" 3>"$people/$name/secret" <"$people/$name/code"
	local rc=$?
	rm -f "$people/$name/code"
	return $rc
}

# ---- codes --------------------------------------------------------------------------------------
# A code is good once: wait for the next step if the present one was used for this person.
fresh_code() { # NAME
	local dir=$people/$1 step
	step=$(($(date +%s) / 30))
	while [ "$step" -le "$(cat "$dir/step" 2>/dev/null || echo 0)" ]; do
		sleep .2
		step=$(($(date +%s) / 30))
	done
	echo $step >"$dir/step"
	oathtool --totp --now "@$((step * 30))" "$(cat "$dir/secret")"
}

write_askpass() { # NAME: answers of ssh and sudo by prompt; what was asked is in prompts
	cat >"$people/$1/askpass" <<-A
		#!/bin/bash
		printf '%s\n' "\$1" >>$people/$1/prompts
		case \$1 in
			*ssword*) printf '%s\n' "\${password-\$(cat $people/$1/password)}" ;;
			*code*) printf '%s\n' "\${code?no code}" ;;
			*) exit 1 ;;
		esac
	A
	chmod 755 "$people/$1/askpass"
}

# ---- ways in ------------------------------------------------------------------------------------
# by_ssh NAME [SSH-OPTION...] -- COMMAND: password and code, unless options say otherwise.
by_ssh() {
	local name=$1 options=()
	shift
	while [ "${1---}" != -- ]; do options+=("$1"); shift; done
	shift
	: >"$people/$name/prompts"
	SSH_ASKPASS=$people/$name/askpass SSH_ASKPASS_REQUIRE=force \
		code=${code-$(fresh_code "$name")} \
		ssh $ssh_options -o NumberOfPasswordPrompts=1 "${options[@]}" "$name@localhost" "$@"
}

# ---- events -------------------------------------------------------------------------------------
# Events of ours as JSON lines, oldest first: events [JOURNALCTL-MATCH...]; since_mark: after mark.
mark() { journalctl --sync; journal_mark=$(journalctl -n 1 -o cat --show-cursor | sed -n 's/^-- cursor: //p'); }
events() { journalctl --sync; journalctl ${journal_mark:+--after-cursor="$journal_mark"} -o json --output-fields="$event_fields" "$@"; }
event_fields=MESSAGE,MESSAGE_ID,PRIORITY,_SYSTEMD_UNIT,_UID,_COMM
event_fields+=$(printf ',ISMS_%s' EVENT DECISION REASON USER UID KIND ROLES FACTORS SERVICE RHOST TTY NOT_AFTER \
	DATA_AGE_SEC CONTROL TXN SEQ ACTOR TICKET NOTE RULE COUNT GROUPS OLD NEW FAULT)
# event_is JQ-CONDITION...: some event since the mark fulfils all conditions.
event_is() {
	local condition=true c
	for c; do condition+=" and ($c)"; done
	events | jq -e -s "map(select(.ISMS_EVENT)) | any(.[]; $condition)" >/dev/null || { events | jq -c 'select(.ISMS_EVENT)'; return 1; }
}

has_session() { loginctl --no-legend --no-pager list-sessions | awk -v u="$1" '$3 == u { found = 1 } END { exit !found }'; }
why_says() { isms-userctl why "$1" --service sshd 2>&1 | tee /dev/stderr | grep -qw -- "$2"; }
