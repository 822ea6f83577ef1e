/*
 * ldif_store.h - the embedded directory: one LDIF file, edited atomically.
 *
 * Used by the directory process (reads, password changes) and by isms-userctl (edits). Every edit is
 * lock, read, change, write new file, fsync, same owner and mode, rename, fsync folder; so a reader
 * sees the old or the new file, whole. Values are decoded and written by libldap (ldif.h). The lock is
 * flock() on the folder. Comments in the file do not survive an edit.
 */
#ifndef ISMS_LDIF_STORE_H
#define ISMS_LDIF_STORE_H

#include <stddef.h>

#include "common/entry.h"
#include "common/paths.h"

#define LDIF_STORE_BYTES_MAX (256u * 1024 * 1024)

/*
 * Read all entries of a file. Refuses a file that others than owner can write, by its mode or
 * its folder's, symlinks and non-files (-EPERM, -ELOOP).
 *
 *  error  receives "FILE:LINE: what is wrong" on -EBADMSG, "FILE: what is wrong" on any other failure
 *
 * Returns 0, -EBADMSG, or another -errno. *ret must be zeroed and is filled only on success.
 */
int ldif_store_read(const char *path, struct entries *ret, char *error, size_t size);

/*
 * The same from memory, for the fuzzer. ldif_store_parse_in_place() changes text, which has room for len + 1
 * bytes with a NUL at text[len]; the caller wipes it.
 */
int ldif_store_parse(const char *text, size_t len, const char *name, struct entries *ret, char *error, size_t size);
int ldif_store_parse_in_place(char *text, size_t len, const char *name, struct entries *ret, char *error, size_t size);

/* An edit in progress: the file is locked against other editors until it ends. */
struct ldif_edit {
	char *path;		/* owned */
	int lock_fd;		/* owned; the folder, locked */
	struct entries entries;	/* change these */
};

/* Lock (waiting at most timeout_ms: -ETIMEDOUT) and read. */
int ldif_store_begin(const char *path, int timeout_ms, struct ldif_edit *ret, char *error, size_t size);
/* Write and rename; ends the edit. On failure the old file stays and the edit is ended too. */
int ldif_store_commit(struct ldif_edit *edit);
/* End without writing; a zeroed edit is fine. */
void ldif_store_abort(struct ldif_edit *edit);

/*
 * The file that a [directory] uri names, below the root of paths.
 *
 *  uri  "file:///var/lib/isms/directory/directory.ldif"
 *
 * Returns 0, -EINVAL for another kind of uri (or one with "..", "%" or a host), -ENAMETOOLONG.
 */
int ldif_store_locate(const struct paths *paths, const char *uri, char *ret, size_t size);

/*
 * Create a directory file with its base entries; -EEXIST when there is one already.
 *
 *  owner,group  ids the file shall have
 */
int ldif_store_create(const char *path, const char *base, unsigned owner, unsigned group);

#endif
