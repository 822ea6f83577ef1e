/*
 * doctor_files.c - isms-userctl doctor: owners and modes of our files, and whether the modules are there.
 *
 * Must never follow a link in place of a file of ours.
 */
#include <config.h>

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/snapshot.h"
#include "tools/doctor.h"
#include "tools/setup.h"

#define CHECK "files"

enum owner { OWNER_ROOT, OWNER_SHARED /* root's, and the directory process reads it */, OWNER_FRONT, OWNER_DIRECTORY };

struct expected {
	const char *path;	/* a pattern of glob(3) */
	enum owner owner;
	mode_t forbidden;	/* bits that must not be set */
	bool needed;
	const char *cure;
};

static const struct expected files[] = {
	{ "/etc/isms", OWNER_ROOT, 022, true, "isms-userctl setup" },
	{ "/etc/isms/isms.conf", OWNER_ROOT, 022, false, "chown root:root, chmod 0644" },
	{ "/etc/isms/conf.d/*.conf", OWNER_ROOT, 022, false, "chown root:root, chmod 0644" },
	{ "/etc/isms/policy.conf", OWNER_ROOT, 022, true, "isms-userctl setup, or chown root:root, chmod 0644" },
	{ "/etc/isms/policy.d/*.conf", OWNER_ROOT, 022, false, "chown root:root, chmod 0644" },
	{ "/etc/isms/*password*", OWNER_SHARED, 077, false, "chown root:isms-dir, chmod 0640: it holds a secret" },
	{ "/var/lib/isms", OWNER_ROOT, 022, true, "systemd-tmpfiles --create isms.conf" },
	{ "/var/lib/isms/nss", OWNER_ROOT, 022, true, "systemd-tmpfiles --create isms.conf" },
	{ "/var/lib/isms/nss/" SNAPSHOT_BASE_NAME, OWNER_ROOT, 022, true,
		"if it is missing and isms-userctl status says reading: wait; else systemctl restart ismsd-publisher ismsd-directory" },
	{ "/var/lib/isms/state", OWNER_FRONT, 077, true, "systemd-tmpfiles --create isms.conf" },
	{ "/var/lib/isms/state/*", OWNER_FRONT, 077, false, "chown isms:isms, chmod 0600" },
	{ "/var/lib/isms/directory", OWNER_DIRECTORY, 077, true, "systemd-tmpfiles --create isms.conf" },
	{ "/var/lib/isms/directory/*", OWNER_DIRECTORY, 077, false, "chown isms-dir:isms-dir, chmod 0600: it holds secrets" },
	{ "/var/lib/isms/replica", OWNER_DIRECTORY, 077, false, "systemctl restart ismsd-directory" },
	{ "/var/lib/isms/replica/*", OWNER_DIRECTORY, 077, false, "chown isms-dir:isms-dir, chmod 0600" },
	{ "/run/isms/private", OWNER_ROOT, 027, false, "systemd-tmpfiles --create isms.conf" },
};

/* The uid that a file must have; below a --root that is not root's own, the caller's. */
static int64_t
owner_uid(const struct doctor *d, enum owner owner)
{
	if (d->in->root[0] != '\0' && geteuid() != 0)
		return geteuid();
	if (owner == OWNER_ROOT || owner == OWNER_SHARED)
		return 0;
	return invocation_local_uid(d->in, owner == OWNER_FRONT ? "isms" : "isms-dir");
}

/* The bits that a file must not have: if its group is the directory process's, that may read what is shared with it. */
static mode_t
forbidden_bits(const struct doctor *d, const struct expected *e, const struct stat *st)
{
	bool own = d->in->root[0] != '\0' && geteuid() != 0;
	gid_t group = own ? getegid() : setup_local_gid(d->in, "isms-dir", (gid_t)-1);

	return e->owner == OWNER_SHARED && group != (gid_t)-1 && st->st_gid == group ? e->forbidden & ~(mode_t)040 : e->forbidden;
}

/* Returns whether all is well. */
static bool
check_path(struct doctor *d, const struct expected *e, const char *path)
{
	struct stat st;
	mode_t forbidden;
	bool well = true;

	if (lstat(path, &st) < 0) {
		doctor_note(d, CHECK, FINDING_BAD, invocation_is_set_up(d->in) ? e->cure : "isms-userctl setup", "%s: %s", path,
		    strerror(errno));
		return false;
	}
	if (S_ISLNK(st.st_mode)) {
		doctor_note(d, CHECK, FINDING_BAD, "put the file itself there", "%s is a link", path);
		return false;
	}
	if ((int64_t)st.st_uid != owner_uid(d, e->owner)) {
		doctor_note(d, CHECK, FINDING_BAD, e->cure, "%s belongs to uid %u", path, (unsigned)st.st_uid);
		well = false;
	}
	forbidden = forbidden_bits(d, e, &st);
	if ((st.st_mode & forbidden) != 0) {
		doctor_note(d, CHECK, FINDING_BAD, e->cure, "%s has mode %04o: others may %s it", path,
		    (unsigned)st.st_mode & 07777, (st.st_mode & forbidden & 022) != 0 ? "write" : "read");
		well = false;
	}
	return well;
}

static bool
check_pattern(struct doctor *d, const struct expected *e)
{
	char path[PATH_MAX];
	bool well = true;
	glob_t found;
	size_t i;

	(void)snprintf(path, sizeof path, "%s%s", d->in->root, e->path);
	if (glob(path, GLOB_NOMAGIC, NULL, &found) != 0)
		return true;	/* a pattern that nothing matches */
	for (i = 0; i < found.gl_pathc; i++)
		if (e->needed || access(found.gl_pathv[i], F_OK) == 0)
			well &= check_path(d, e, found.gl_pathv[i]);
	globfree(&found);
	return well;
}

static void
check_module(struct doctor *d, const char *path, const char *package)
{
	char full[PATH_MAX], cure[96];
	struct stat st;

	(void)snprintf(full, sizeof full, "%s%s", d->in->root, path);
	(void)snprintf(cure, sizeof cure, "install the package %s again", package);
	if (stat(full, &st) < 0)
		doctor_note(d, CHECK, FINDING_BAD, cure, "%s: %s", full, strerror(errno));
	else if (!S_ISREG(st.st_mode) || st.st_size == 0 || (st.st_mode & 0444) != 0444 || (st.st_mode & 022) != 0)
		doctor_note(d, CHECK, FINDING_BAD, cure, "%s is not a module that everybody can read and root alone can write", full);
	else
		doctor_note(d, CHECK, FINDING_OK, NULL, "%s is there", full);
}

void
doctor_files(struct doctor *d)
{
	bool well = true;
	size_t i;

	for (i = 0; i < sizeof files / sizeof files[0]; i++)
		well &= check_pattern(d, &files[i]);
	if (well)
		doctor_note(d, CHECK, FINDING_OK, NULL, "owners and modes are right");
	check_module(d, ISMS_PAMDIR "/pam_isms.so", "libpam-isms");
	check_module(d, ISMS_NSSDIR "/libnss_isms.so.2", "libnss-isms");
}
