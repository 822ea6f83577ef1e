#!/bin/bash
# nss/isms-nsswitch over the nsswitch.conf files of the world: added as wanted, twice is once, and what is
# removed leaves the file as it was, byte for byte.
tool=${srcdir:-.}/nss/isms-nsswitch
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir "$root/etc"
file=$root/etc/nsswitch.conf
failed=0

try() { # NAME BEFORE AFTER
	printf '%b' "$2" >"$file"
	chmod 640 "$file"
	for times in once twice; do
		"$tool" add "$root"
		diff <(printf '%b' "$3") "$file" || { echo "FAIL $1: add $times"; failed=1; }
	done
	for times in once twice; do
		"$tool" remove "$root"
		diff <(printf '%b' "$2") "$file" || { echo "FAIL $1: remove $times"; failed=1; }
	done
	[ "$(stat -c %a "$file")" = 640 ] || { echo "FAIL $1: mode"; failed=1; }
	[ "$(ls "$root/etc")" = nsswitch.conf ] || { echo "FAIL $1: something is left over"; failed=1; }
}

mark='# Written by libnss-isms and removed with it:\n'
try minimal 'passwd: files\ngroup: files\nshadow: files\n' \
	"passwd: files isms\ngroup: files isms\n${mark}initgroups:     isms files\nshadow: files\n"
try debian '# x\npasswd:         files systemd\ngroup:          files systemd\nshadow:         files systemd\n\nhosts: files dns\n' \
	"# x\npasswd:         files isms systemd\ngroup:          files isms systemd\n${mark}initgroups:     isms files [SUCCESS=continue] systemd\nshadow:         files systemd\n\nhosts: files dns\n"
try fedora 'passwd:     sss files systemd # why\ngroup:\tfiles [SUCCESS=merge] sss [SUCCESS=merge] systemd\n' \
	"passwd:     sss files isms systemd # why\ngroup:\tfiles [SUCCESS=merge] isms sss [SUCCESS=merge] systemd\n${mark}initgroups:     isms files [SUCCESS=merge] sss [SUCCESS=merge] systemd\n"
try own-initgroups 'passwd: compat\ngroup: compat\ninitgroups: files sss\n' \
	'passwd: compat isms\ngroup: compat isms\ninitgroups: isms files sss\n'
try other-names 'passwd: files ismsx\ngroup: files # isms\nnetgroup: isms\n' \
	"passwd: files isms ismsx\ngroup: files isms # isms\n${mark}initgroups:     isms files\nnetgroup: isms\n"

rm "$file"
"$tool" add "$root" || { echo "FAIL no file"; failed=1; }
"$tool" nonsense "$root" 2>/dev/null && { echo "FAIL nonsense accepted"; failed=1; }
exit $failed
