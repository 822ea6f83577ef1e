#!/bin/bash
# lookups: through glibc on the real system: no system call of the module's own, nothing outside its folder, never a
# wait (issue 2, done when 3; CASES NS09a, NS10a).
. "$(dirname "$0")/lib.sh"
prepare
check "a user of the directory" add_person ada contractor --until +2h --sponsor carol
check "visible" wait_user ada

# Warm up, then a thousand lookups of each kind between two marks that strace can see.
cat >/run/lookups.py <<'P'
import grp, os, pwd, sys, time
uid, gid, more = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
kinds = [lambda: pwd.getpwnam("ada"), lambda: pwd.getpwuid(uid), lambda: grp.getgrgid(gid),
         lambda: os.getgrouplist("ada", gid)]
for kind in kinds:
    kind()
os.write(2, b"<mark>")
took = []
for i in range(1000):
    for kind in kinds:
        start = time.perf_counter_ns()
        kind()
        took.append(time.perf_counter_ns() - start)
for path in more:
    os.stat(path)
os.write(2, b"<mark>")
took.sort()
print("p99", took[len(took) * 99 // 100], "ns, max", took[-1], "ns")
sys.exit(not (took[len(took) * 99 // 100] < 1000000 and took[-1] < 50000000))
P
ids="$(id -u ada) $(id -g ada)"
# What glibc itself does: it looks at nsswitch.conf at each lookup, reads /etc/passwd or /etc/group (files come first),
# and asks for nscd now and then. The interpreter's list for getgrouplist comes and goes by brk. Nothing else may be left.
explained() {
	sed -E -e 's/^[0-9]+ +//' -e 's/AT_FDCWD<[^>]*>/AT_FDCWD/' "$1" | grep -vE \
		-e '^newfstatat\(AT_FDCWD, "/etc/nsswitch\.conf", ' \
		-e '^openat\(AT_FDCWD, "/etc/(passwd|group)", O_RDONLY\|O_CLOEXEC\) += [0-9]+</etc/(passwd|group)>$' \
		-e '^(newfstatat|lseek|read|close)\([0-9]+</etc/(passwd|group)>[,)]' \
		-e '^socket\(AF_UNIX, SOCK_STREAM\|SOCK_CLOEXEC\|SOCK_NONBLOCK, 0\) ' \
		-e '^connect\([0-9]+<[^>]*>, \{sa_family=AF_UNIX, sun_path="/var/run/nscd/socket"\}, 110\) += -1 ENOENT ' \
		-e '^close\([0-9]+<(socket|UNIX)[^>]*>\)' \
		-e '^brk\(' \
		-e '^write\(2<.*"<mark>", 6\) '
	[ "${PIPESTATUS[*]}" = "0 1" ]		# grep has seen all, and found nothing
}
own_calls() { # [PATH]: a path that the caller itself asks about between the marks
	rm -f /run/lookups.strace /run/between
	strace -f -y -o /run/lookups.strace python3 -IS /run/lookups.py $ids "$@" >/dev/null 2>&1
	sed -n '/<mark>/,/<mark>/p' /run/lookups.strace >/run/between
	[ "$(grep -c '<mark>' /run/between)" = 2 ] || { echo "not both marks"; return 2; }
	[ "$(grep -c '"/etc/nsswitch.conf"' /run/between)" -ge 4000 ] || { echo "strace saw too few lookups"; return 2; }
	explained /run/between >/run/unexplained || { sort /run/unexplained | uniq -c | head -n 20; return 1; }
}
check "NS09a no system call of the module's own" own_calls
check "NS09a its twin: one call more is seen" status_is 1 own_calls /var/lib/isms/nss/base.1.snap

# A folder full of what a careless opener would take, and an environment that points there. strace -u keeps what the
# setuid bit gives; of that environment, glibc itself follows some in a plain program and drops them in a setuid one.
hostile=/tmp/hostile
mkdir -p $hostile/var/lib/isms/nss
for f in base.1.snap epoch nsswitch.conf passwd libnss_isms.so.2 preload.so; do echo hostile >$hostile/$f; done
cp $hostile/{base.1.snap,epoch} $hostile/var/lib/isms/nss/
chmod -R a+rX $hostile
install -m 755 /usr/bin/id /usr/local/bin/id-plain
install -m 4755 /usr/bin/id /usr/local/bin/id-setuid
environment=()
for v in HOME TMPDIR PWD LANG NLSPATH HOSTALIASES ISMS_ROOT ISMS_NSS ISMS_SNAPSHOT; do
	environment+=(-E "$v=$hostile")
done
environment+=(-E ISMS_DEBUG=1)
of_glibc=(-E LD_LIBRARY_PATH=$hostile -E LD_PRELOAD=$hostile/preload.so)
of_glibc+=(-E LOCPATH=$hostile -E GCONV_PATH=$hostile)
in_hostile() { # STRACE-OPTION... COMMAND...: as ada, in that folder
	rm -f /run/hostile.strace
	(cd $hostile && strace -f -y -u ada -e trace=%file,%network -o /run/hostile.strace "${environment[@]}" "$@") \
		>/run/hostile.out 2>&1
	cat /run/hostile.out
	sed -i -E -e 's/^[0-9]+ +//' -e 's/AT_FDCWD<[^>]*>/AT_FDCWD/' /run/hostile.strace
}
# Nothing by a relative path, nothing that lies in that folder, and of ours only the three files and the module.
only_fixed() {
	local file=/run/hostile.strace bad ours='/var/lib/isms/nss/(base\.1\.snap|delta\.1\.[0-9a-f]{16}\.snap|epoch)'
	grep -q '^openat(AT_FDCWD, "/var/lib/isms/nss/base\.1\.snap", .* = [0-9]' $file ||
		{ echo "no snapshot was opened"; return 2; }
	bad=$(grep -E -e '^[a-z0-9_]+\((AT_FDCWD, |[0-9]+<[^>]*>, )?"[^/"]' -e "[\"<]$hostile" $file
		grep -E -e isms -e 'base\.1\.snap' -e epoch $file | grep -vE \
			-e "^openat\(AT_FDCWD, \"$ours\", .*O_NOFOLLOW.*(<$ours>| -1 ENOENT .*)$" \
			-e "^newfstatat\([0-9]+<$ours>" \
			-e "^newfstatat\(AT_FDCWD, \"$ours\", .*, AT_SYMLINK_NOFOLLOW\)" \
			-e '^openat\(AT_FDCWD, "/(usr/)?lib/[^".]*/libnss_isms\.so\.2", .*</usr/lib/[^>.]*/libnss_isms\.so\.2[.0-9]*>' \
			-e '^newfstatat\([0-9]+</usr/lib/[^>.]*/libnss_isms\.so\.2[.0-9]*>')
	[ -z "$bad" ] || { echo "$bad"; return 1; }
}
plain() { in_hostile /usr/local/bin/id-plain && grep -q '(ada) .*(isms-mfa)' /run/hostile.out && only_fixed; }
setuid() {
	in_hostile "${of_glibc[@]}" /usr/local/bin/id-setuid &&
		grep -q '(ada) .*euid=0(root) .*(isms-mfa)' /run/hostile.out && only_fixed
}
check "NS09a hostile folder and environment: only its own files" plain
check "NS09a the same for a setuid caller, with glibc's own variables too" setuid
followed() {
	in_hostile "${of_glibc[@]}" /usr/local/bin/id-plain
	grep "^openat.*\"$hostile/libnss_isms\.so\.2\".* = [0-9]" /run/hostile.strace
}
relative() { in_hostile sh -c 'id; cat base.1.snap'; only_fixed; }
check "NS09a its twin: without the setuid bit that environment leads glibc there" followed
check "NS09a its twin: a relative path is seen" status_is 1 relative
rm -rf $hostile /usr/local/bin/id-plain /usr/local/bin/id-setuid

# SN03a: whoever has taken over the front or the directory process can shorten nothing under those who look up.
base=/var/lib/isms/nss/base.1.snap
for who in isms isms-dir; do
	as_process() { setpriv --reuid $who --regid $who --clear-groups "$@"; }
	refused "SN03a $who cannot cut the snapshot short" as_process truncate -s 0 $base
	refused "SN03a $who cannot write into it" as_process dd if=/dev/zero of=$base bs=1 count=1 conv=notrunc
	refused "SN03a $who cannot remove it" as_process rm -f $base
	refused "SN03a $who cannot put one beside it" as_process touch /var/lib/isms/nss/delta.1.0000000000000001.snap
	check "SN03a its twin: $who can read it" as_process cmp $base $base
done
check "SN03a ada is found" getent passwd ada

# Before all else that runs on the machine, which may be many: what counts is what a lookup takes, not when it gets its turn.
timed() { chrt -f 1 python3 -IS /run/lookups.py $ids 2>/dev/null; }
check "NS10a with everything running" timed
check "NS10a stop all" systemctl stop ismsd-front.socket ismsd-directory.socket ismsd-publisher.socket ismsd-front ismsd-directory ismsd-publisher
check "NS10a with everything stopped" timed
# 2 is getent's "not found": a time-out, or a source that gives up, is another status.
check "NS10a a name that nobody has" status_is 2 timeout 2 getent passwd nobody-has-this-name
check "NS10a its twin: a name of the directory" timeout 2 getent passwd ada
finish
