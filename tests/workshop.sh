# workshop.sh - a private folder in which an ordinary user builds the project; sourced by tests/run and
# tools/demo. Set before: top (the tree), user (who builds), keep ('' or 1). Call workshop_open first.
#
#   $work/src       the sources as they stand in the tree, with configure
#   $work/NAME      build folders          $work/debs   the packages          $work/log   logs
# The folder goes when the shell that opened it ends; nothing else on the machine is changed but packages.

die() { echo "${0##*/}: $*" >&2; exit 2; }

workshop_open() {
	[ "$(id -u)" = 0 ] || die "must run as root (installs packages, boots the test bed; builds as $user)"
	uid=$(id -u "$user") && gid=$(id -g "$user") || die "no such user: $user"
	work=$(mktemp -d "${TMPDIR:-/var/tmp}/isms-workshop.XXXXXX") || exit 2
	trap workshop_close EXIT
	trap 'exit 130' HUP INT TERM
	chmod 755 "$work"
	mkdir "$work"/{log,home,src,debs,tmp}
}

workshop_close() {
	trap - EXIT
	# shellcheck disable=SC2046
	kill $(jobs -p) 2>/dev/null
	wait
	if [ -n "$keep" ]; then echo "kept: $work"; else rm -rf "$work"; fi
}

# ---- what it needs ------------------------------------------------------------------------------
# apt-get only where something is missing, so that a machine without a network can run the tests too.
# One at a time: suites run beside each other, and apt-get would not wait for all of its locks.
install_missing() { (flock 9 && install_alone "$@") 9>"$work/apt.lock" || exit 2; }	# PACKAGE...
install_alone() {
	local p missing=()
	for p; do
		[ "$(dpkg-query -Wf '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
	done
	[ ${#missing[@]} = 0 ] && return
	[ -e "$work/apt.updated" ] || { apt-get -qq update >&2 9>&- && touch "$work/apt.updated"; }
	apt-get -qq -y -o DPkg::Lock::Timeout=300 --no-install-recommends install "${missing[@]}" >"$work/apt.log" 2>&1 9>&- ||
		{ cat "$work/apt.log"; die "apt-get install ${missing[*]} failed"; } >&2
}

install_build_deps() {
	install_missing dpkg-dev
	(cd "$top" && dpkg-checkbuilddeps debian/control 2>/dev/null) && return
	apt-get -qq update >&2
	(cd "$top" && apt-get -qq -y -o DPkg::Lock::Timeout=300 --no-install-recommends build-dep ./) >"$work/apt.log" 2>&1 ||
		{ cat "$work/apt.log"; die "apt-get build-dep failed"; } >&2
}

# Run a command as the ordinary user, with nothing of root's environment.
as_user() {
	setpriv --reuid="$uid" --regid="$gid" --clear-groups --no-new-privs \
		env -i HOME="$work/home" TMPDIR="$work/tmp" LC_ALL=C.UTF-8 \
		PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin "$@"
}

copy_sources() {
	if git -C "$top" -c safe.directory="$top" rev-parse --git-dir >/dev/null 2>&1; then
		git -C "$top" -c safe.directory="$top" ls-files -co --exclude-standard -z |
			while IFS= read -r -d '' f; do [ -e "$top/$f" ] && printf '%s\0' "$f"; done
	else
		(cd "$top" && find . -type f -print0)
	fi | tar -C "$top" --null -T - -cf - | tar -C "$work/src" -xf -
	chown -R "$uid:$gid" "$work"/{home,src,debs,tmp}
	(cd "$work/src" && as_user autoreconf -fi) >"$work/log/autoreconf" 2>&1 ||
		{ cat "$work/log/autoreconf"; die "autoreconf failed"; }
}

configure() { # NAME CONFIGURE-ARGUMENT...: a build folder $work/NAME
	local dir=$work/$1
	shift
	install -d -o "$uid" -g "$gid" "$dir" && cd "$dir" &&
		as_user "$work/src/configure" --quiet --prefix=/usr --sysconfdir=/etc --localstatedir=/var "$@"
}

# configure and make below $work/NAME, once for all suites that want it.
build() { (flock 9 && build_alone "$@") 9>"$work/$1.lock"; }	# NAME CONFIGURE-ARGUMENT...
build_alone() {
	[ -e "$work/$1/.built" ] || { configure "$@" && as_user make -s -j2 && touch "$work/$1/.built"; }
}

# The Debian packages, once, into $work/debs. Their own tests run in the other suites.
build_debs() { (flock 9 && build_debs_alone) 9>"$work/debs.lock"; }
build_debs_alone() {
	[ ! -e "$work/debs/.built" ] || return 0
	as_user mkdir "$work/debs/tree" &&
		tar -C "$work/src" --exclude=./autom4te.cache -cf - . | as_user tar -C "$work/debs/tree" -xf - &&
		(cd "$work/debs/tree" &&
			as_user DEB_BUILD_OPTIONS="nocheck noautodbgsym parallel=2" dpkg-buildpackage -us -uc -b) &&
		rm -rf "$work/debs/tree" && touch "$work/debs/.built"
}
