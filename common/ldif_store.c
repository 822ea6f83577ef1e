/*
 * ldif_store.c - the embedded directory on disk: safe to read, edited as a whole or not at all.
 *
 * Directory process and isms-userctl. Editors exclude each other by a lock on the folder, so that no
 * lock file can be left behind or be planted. It must never write into the file that readers have
 * open, never leave a second copy of the secrets in it behind, and never change its owner or mode.
 */
#include <config.h>

#include "common/ldif_store.h"

#include <errno.h>
#include <fcntl.h>
#include <ldap.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <ldif.h>		/* needs FILE */
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TEMP_SUFFIX	".new"
#define LOCK_POLL_MS	20

struct text {
	char *bytes;		/* owned; wiped */
	size_t len, room;
};

static void
text_done(struct text *t)
{
	if (t->bytes != NULL)
		explicit_bzero(t->bytes, t->len);
	free(t->bytes);
	*t = (struct text){ 0 };
}

static int
text_add(struct text *t, const char *bytes, size_t len)
{
	if (len > t->room - t->len) {
		size_t room = (t->len + len) * 2;
		char *grown = malloc(room);	/* not realloc(): the old copy must be wiped */

		if (grown == NULL)
			return -ENOMEM;
		if (t->bytes != NULL) {
			memcpy(grown, t->bytes, t->len);
			explicit_bzero(t->bytes, t->len);
			free(t->bytes);
		}
		t->bytes = grown;
		t->room = room;
	}
	memcpy(t->bytes + t->len, bytes, len);
	t->len += len;
	return 0;
}

/* Append "name: value" as libldap writes it: base64 where it must be. */
static int
text_add_value(struct text *t, const char *name, const char *bytes, size_t len)
{
	char *line = ldif_put(LDIF_PUT_VALUE, name, bytes, len);
	int r;

	if (line == NULL)
		return -ENOMEM;
	r = text_add(t, line, strlen(line));
	explicit_bzero(line, strlen(line));
	ber_memfree(line);
	return r;
}

static int
text_add_entry(struct text *t, const struct entry *e)
{
	int r = text_add_value(t, "dn", e->dn, strlen(e->dn));

	for (size_t i = 0; i < e->count && r == 0; i++)
		for (size_t j = 0; j < e->attributes[i].count && r == 0; j++)
			r = text_add_value(t, e->attributes[i].name, e->attributes[i].values[j].bytes,
			    e->attributes[i].values[j].len);
	return r == 0 ? text_add(t, "\n", 1) : r;
}

/* Open the folder of path. ret_name points into path. */
static int
open_folder(const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	char *folder;
	int fd;

	if (slash == NULL || slash[1] == '\0')
		return -EINVAL;
	folder = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (folder == NULL)
		return -ENOMEM;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	free(folder);
	*ret_name = slash + 1;
	return fd;
}

/*
 * Open the file for reading, if nobody but its owner can have written it: not by mode, and not by
 * replacing it in a folder that others may write. Owner is root, ourselves, or the folder's owner.
 */
static int
open_safely(int folder_fd, const char *name, struct stat *ret_st, const char **ret_why)
{
	struct stat folder;
	int fd, r;

	*ret_why = NULL;
	fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	r = -EPERM;
	if (fstat(fd, ret_st) < 0 || fstat(folder_fd, &folder) < 0)
		r = -errno;
	else if (!S_ISREG(ret_st->st_mode))
		*ret_why = "not a regular file";
	else if ((ret_st->st_mode & 022) != 0)
		*ret_why = "others than its owner may write it; chmod 600";
	else if ((folder.st_mode & 022) != 0)
		*ret_why = "others than its owner may write its folder; chmod 700";
	else if (ret_st->st_uid != 0 && ret_st->st_uid != geteuid() && ret_st->st_uid != folder.st_uid)
		*ret_why = "it belongs to somebody else than its folder";
	else if (ret_st->st_size > (off_t)LDIF_STORE_BYTES_MAX) {
		*ret_why = "too large";
		r = -EFBIG;
	} else
		return fd;
	(void)close(fd);
	return r;
}

static int
read_all(int fd, char *buf, size_t size, size_t *ret_len)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, buf + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*ret_len = len;
	return 0;
}

static int
read_entries(int folder_fd, const char *name, const char *path, struct entries *ret, struct stat *ret_st, char *error,
    size_t size)
{
	const char *why = NULL;
	char *text = NULL;
	size_t room = 0, len = 0;
	int fd, r;

	fd = open_safely(folder_fd, name, ret_st, &why);
	if (fd < 0) {
		(void)snprintf(error, size, "%s: %s", path, why != NULL ? why : strerror(-fd));
		return fd;
	}
	room = (size_t)ret_st->st_size;
	text = malloc(room + 1);
	r = text != NULL ? read_all(fd, text, room, &len) : -ENOMEM;
	if (r < 0) {
		(void)snprintf(error, size, "%s: %s", path, strerror(-r));
		goto out;
	}
	text[len] = '\0';
	r = ldif_store_parse_in_place(text, len, path, ret, error, size);
out:
	if (text != NULL)
		explicit_bzero(text, room);
	free(text);
	(void)close(fd);
	return r;
}

int
ldif_store_read(const char *path, struct entries *ret, char *error, size_t size)
{
	const char *name;
	struct stat st;
	int folder_fd, r;

	error[0] = '\0';
	folder_fd = open_folder(path, &name);
	if (folder_fd < 0) {
		(void)snprintf(error, size, "%s: %s", path, strerror(-folder_fd));
		return folder_fd;
	}
	r = read_entries(folder_fd, name, path, ret, &st, error, size);
	(void)close(folder_fd);
	return r;
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int
lock_folder(int fd, int timeout_ms)
{
	int64_t deadline_ms = now_ms() + timeout_ms;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return -errno;
		if (now_ms() >= deadline_ms)
			return -ETIMEDOUT;
		(void)nanosleep(&(struct timespec){ .tv_nsec = LOCK_POLL_MS * 1000000L }, NULL);
	}
	return 0;
}

int
ldif_store_begin(const char *path, int timeout_ms, struct ldif_edit *ret, char *error, size_t size)
{
	struct ldif_edit edit = { .lock_fd = -1 };
	const char *name;
	struct stat st;
	int r;

	error[0] = '\0';
	r = edit.lock_fd = open_folder(path, &name);
	if (r >= 0)
		r = lock_folder(edit.lock_fd, timeout_ms);
	if (r < 0) {
		(void)snprintf(error, size, "%s: %s", path, r == -ETIMEDOUT ? "somebody else is editing it" : strerror(-r));
		goto out;
	}
	r = -ENOMEM;
	edit.path = strdup(path);
	if (edit.path != NULL)
		r = read_entries(edit.lock_fd, name, path, &edit.entries, &st, error, size);
	if (r < 0)
		goto out;
	*ret = edit;			/* now owned by *ret */
	return 0;
out:
	if (edit.lock_fd >= 0)
		(void)close(edit.lock_fd);
	free(edit.path);
	return r;
}

static int
write_all(int fd, const char *buf, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

/*
 * Write the entries to a new file beside the old one and put it in its place.
 *
 *  replace  whether a file of that name may be there
 */
static int
write_entries(int folder_fd, const char *name, const struct entries *all, uid_t owner, gid_t group, mode_t mode,
    bool replace)
{
	struct text text = { 0 };
	char temp[256];
	int fd = -1, r;

	r = snprintf(temp, sizeof temp, "%s" TEMP_SUFFIX, name);
	if (r < 0 || (size_t)r >= sizeof temp)
		return -ENAMETOOLONG;
	r = text_add(&text, "version: 1\n\n", 12);
	for (size_t i = 0; i < all->count && r == 0; i++)
		r = text_add_entry(&text, all->list[i]);
	if (r == 0 && text.len > LDIF_STORE_BYTES_MAX)
		r = -EFBIG;
	if (r < 0)
		goto out;
	(void)unlinkat(folder_fd, temp, 0);	/* of an editor that was killed; the lock is ours */
	fd = openat(folder_fd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		r = -errno;
		goto out;
	}
	if ((owner != geteuid() || group != getegid()) && fchown(fd, owner, group) < 0)
		r = -errno;
	else if (fchmod(fd, mode) < 0)
		r = -errno;
	if (r == 0)
		r = write_all(fd, text.bytes, text.len);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && renameat2(folder_fd, temp, folder_fd, name, replace ? 0 : RENAME_NOREPLACE) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(folder_fd, temp, 0);
	else if (fsync(folder_fd) < 0)
		r = -errno;
out:
	if (fd >= 0)
		(void)close(fd);
	text_done(&text);
	return r;
}

int
ldif_store_commit(struct ldif_edit *edit)
{
	const char *name = strrchr(edit->path, '/') + 1;
	const char *why;
	struct stat st;
	int fd, r;

	fd = open_safely(edit->lock_fd, name, &st, &why);
	r = fd < 0 ? fd : write_entries(edit->lock_fd, name, &edit->entries, st.st_uid, st.st_gid, st.st_mode & 07777, true);
	if (fd >= 0)
		(void)close(fd);
	ldif_store_abort(edit);
	return r;
}

void
ldif_store_abort(struct ldif_edit *edit)
{
	if (edit->path != NULL)
		(void)close(edit->lock_fd);	/* gives the lock back */
	free(edit->path);
	entries_done(&edit->entries);
	*edit = (struct ldif_edit){ .lock_fd = -1 };
}

int
ldif_store_locate(const struct paths *paths, const char *uri, char *ret, size_t size)
{
	static const char scheme[] = "file://", folder[] = "/var/lib/isms/directory";
	const char *path = uri + strlen(scheme);
	size_t root_len = strlen(paths->directory) - strlen(folder);
	int n;

	if (strncmp(uri, scheme, strlen(scheme)) != 0 || path[0] != '/' || path[1] == '\0' ||
	    path[strlen(path) - 1] == '/' || strchr(path, '%') != NULL || strchr(path, '?') != NULL ||
	    strstr(path, "/../") != NULL || strstr(path, "//") != NULL)
		return -EINVAL;
	n = snprintf(ret, size, "%.*s%s", (int)root_len, paths->directory, path);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

/* An entry below base with the given object classes; rdn "" is base itself. */
static int
add_container(struct entries *all, const char *rdn, const char *base, const char *const *classes, const char *name,
    const char *value)
{
	char dn[1024];
	struct entry *e;
	int r = 0;

	if (snprintf(dn, sizeof dn, "%s%s%s", rdn, rdn[0] != '\0' ? "," : "", base) >= (int)sizeof dn)
		return -ENAMETOOLONG;
	e = entry_new(dn);
	if (e == NULL)
		return -EINVAL;
	for (; *classes != NULL && r == 0; classes++)
		r = entry_add_value(e, "objectClass", *classes, strlen(*classes));
	if (r == 0)
		r = entry_set(e, name, value);
	if (r == 0 && strcmp(name, "dc") == 0)
		r = entry_set(e, "o", value);
	if (r == 0)
		r = entries_add(all, e);
	if (r < 0)
		entry_free(e);
	return r;
}

/* The base entry; its class follows from its first RDN. */
static int
add_base(struct entries *all, const char *base)
{
	static const char *const domain[] = { "top", "dcObject", "organization", NULL };
	static const char *const organization[] = { "top", "organization", NULL };
	static const char *const unit[] = { "top", "organizationalUnit", NULL };
	char *ndn = entry_normalise_dn(base);
	char *equals, *end;
	int r = -EINVAL;

	equals = ndn != NULL ? strchr(ndn, '=') : NULL;
	if (equals != NULL) {
		*equals = '\0';
		end = equals + 1 + strcspn(equals + 1, ",");
		*end = '\0';
		if (strcmp(ndn, "dc") == 0)
			r = add_container(all, "", base, domain, "dc", equals + 1);
		else if (strcmp(ndn, "o") == 0)
			r = add_container(all, "", base, organization, "o", equals + 1);
		else if (strcmp(ndn, "ou") == 0)
			r = add_container(all, "", base, unit, "ou", equals + 1);
	}
	free(ndn);
	return r;
}

int
ldif_store_create(const char *path, const char *base, unsigned owner, unsigned group)
{
	static const char *const unit[] = { "top", "organizationalUnit", NULL };
	struct entries all = { 0 };
	const char *name;
	int folder_fd, r;

	folder_fd = open_folder(path, &name);
	if (folder_fd < 0)
		return folder_fd;
	r = lock_folder(folder_fd, 5000);
	if (r == 0)
		r = add_base(&all, base);
	if (r == 0)
		r = add_container(&all, "ou=people", base, unit, "ou", "people");
	if (r == 0)
		r = add_container(&all, "ou=groups", base, unit, "ou", "groups");
	if (r == 0)
		r = add_container(&all, "ou=tokens", base, unit, "ou", "tokens");
	if (r == 0)
		r = write_entries(folder_fd, name, &all, owner, group, 0600, false);
	entries_done(&all);
	(void)close(folder_fd);
	return r;
}
