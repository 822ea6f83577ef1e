/*
 * session_warn.c - writes to other people's terminals, carefully.
 *
 * Runs in the publisher, as uid 0 in group tty, without any right over files. It must never wait for a terminal, never
 * acquire one, never follow a link, and never write a control character that came from a directory.
 */
#include <config.h>

#include "daemon/session_warn.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <systemd/sd-login.h>
#include <unistd.h>

#include "common/civil_date.h"

#define FIRST_USER_UID	1000u
#define TTY_MAJOR	4
#define TTY_LAST_MINOR	63	/* above are serial lines */
#define PTS_FIRST_MAJOR	136
#define PTS_LAST_MAJOR	143

static bool
is_terminal(const struct stat *st)
{
	unsigned number = major(st->st_rdev);

	if (!S_ISCHR(st->st_mode))
		return false;
	return (number == TTY_MAJOR && minor(st->st_rdev) >= 1 && minor(st->st_rdev) <= TTY_LAST_MINOR) ||
	    (number >= PTS_FIRST_MAJOR && number <= PTS_LAST_MAJOR);
}

/* A name made of a prefix and digits. */
static bool
is_numbered(const char *name, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(name, prefix, n) == 0 && isdigit((unsigned char)name[n]) &&
	    strspn(name + n, "0123456789") == strlen(name + n);
}

/* Write a text to the terminal if it still is the one of that owner. */
static bool
write_to(int dir_fd, const char *name, uid_t owner, const char *text)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	ssize_t n = -1;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && is_terminal(&st) && st.st_uid == owner)
		n = write(fd, text, strlen(text));
	(void)close(fd);
	return n > 0;
}

/* Terminals whose owners' uids are from least to most. */
static unsigned
visit_folder(const char *path, const char *prefix, uid_t least, uid_t most, bool (*text)(uint32_t uid, char *buf,
    size_t size, void *arg), void *arg)
{
	char buf[SESSION_WARN_TEXT_MAX];
	DIR *dir = opendir(path);
	const struct dirent *d;
	unsigned written = 0;
	struct stat st;

	if (dir == NULL)
		return 0;
	while ((d = readdir(dir)) != NULL) {
		if (!is_numbered(d->d_name, prefix))
			continue;
		if (fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !is_terminal(&st))
			continue;
		if (st.st_uid < least || st.st_uid > most || !text(st.st_uid, buf, sizeof buf, arg))
			continue;
		written += write_to(dirfd(dir), d->d_name, st.st_uid, buf);
	}
	(void)closedir(dir);
	return written;
}

unsigned
session_warn_each(const char *dev, bool (*text)(uint32_t uid, char *buf, size_t size, void *arg), void *arg)
{
	char pts[256];

	(void)snprintf(pts, sizeof pts, "%s/pts", dev);
	return visit_folder(pts, "", FIRST_USER_UID, UINT32_MAX, text, arg) +
	    visit_folder(dev, "tty", FIRST_USER_UID, UINT32_MAX, text, arg);
}

static bool
copy_text(uint32_t uid, char *buf, size_t size, void *arg)
{
	(void)uid;
	(void)snprintf(buf, size, "%s", (const char *)arg);
	return true;
}

/* A console of root's where nobody is logged in shows a prompt, or is not in use. */
static unsigned
visit_root_consoles(const char *dev, const char *text)
{
	char **sessions = NULL, *tty;
	int count = sd_uid_get_sessions(0, 0, &sessions), fd = open(dev, O_PATH | O_DIRECTORY | O_CLOEXEC);
	unsigned written = 0;

	for (int i = 0; i < count; i++) {
		tty = NULL;
		if (fd >= 0 && sd_session_get_tty(sessions[i], &tty) >= 0 && is_numbered(tty, "tty"))
			written += write_to(fd, tty, 0, text);
		free(tty);
		free(sessions[i]);
	}
	free(sessions);
	if (fd >= 0)
		(void)close(fd);
	return written;
}

unsigned
session_warn_root(const char *dev, const char *text)
{
	char pts[256];

	(void)snprintf(pts, sizeof pts, "%s/pts", dev);
	return visit_folder(pts, "", 0, 0, copy_text, (void *)(uintptr_t)text) + visit_root_consoles(dev, text);
}

/* Printable ASCII only: a terminal's character set is not known here. */
static void
clean(const char *from, char *to, size_t size)
{
	size_t n;

	for (n = 0; n < size - 1 && from[n] != '\0'; n++)
		to[n] = (char)(from[n] >= ' ' && from[n] < 0x7f ? from[n] : '?');
	to[n] = '\0';
}

void
session_warn_before(char *buf, size_t size, int64_t not_after_utc_sec, int64_t now_utc_sec, const char *contact)
{
	char date[32], span[32], whom[128];

	clean(contact, whom, sizeof whom);
	(void)snprintf(buf, size,
	    "\r\n*** Your access to this system ends in %s, at %s.\r\n"
	    "*** All your sessions will be closed then. Save your work. Contact: %s\r\n",
	    civil_date_format_span(not_after_utc_sec - now_utc_sec, span), civil_date_format(not_after_utc_sec, date),
	    whom);
}

void
session_warn_lost(char *buf, size_t size, const char *group, bool ends, const char *contact)
{
	char whom[128], name[40];

	clean(contact, whom, sizeof whom);
	clean(group, name, sizeof name);
	(void)snprintf(buf, size, "\r\n*** Your membership of group %s has ended. %s Contact: %s\r\n", name,
	    ends ? "Your sessions are closed for it; you may log in again." :
	    "Sessions that you opened with it keep it until you close them: please log in again.", whom);
}

void
session_warn_ended(char *buf, size_t size, const char *contact)
{
	char whom[128];

	clean(contact, whom, sizeof whom);
	(void)snprintf(buf, size, "\r\n*** Your access to this system has ended. Contact: %s\r\n", whom);
}

/* "uid=carol,ou=people,..." as carol. */
static void
short_name(const char *dn, char *buf, size_t size)
{
	const char *value = strchr(dn, '=');

	value = value != NULL ? value + 1 : dn;
	clean(value, buf, size);
	buf[strcspn(buf, ",+\\")] = '\0';
}

void
session_warn_emergency(char *buf, size_t size, const struct msg_emergency *m)
{
	char user[33], by[65], reason[129], until[32];

	clean(m->user, user, sizeof user);
	short_name(m->by, by, sizeof by);
	clean(m->reason, reason, sizeof reason);
	(void)snprintf(buf, size, "\r\n*** Break-glass account %s %s by %s until %s: %s\r\n", user,
	    m->used != 0 ? "is used, armed" : "was armed", by, civil_date_format(m->until_utc_sec, until), reason);
}
