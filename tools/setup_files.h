/*
 * setup_files.h - the files that `setup` makes, each of which it can take back.
 */
#ifndef ISMS_SETUP_FILES_H
#define ISMS_SETUP_FILES_H

#include <limits.h>
#include <stddef.h>
#include <sys/types.h>

#define SETUP_MADE_MAX 16

/* What was made so far, in order. */
struct setup_made {
	struct { char path[PATH_MAX]; int is_folder; } list[SETUP_MADE_MAX];
	size_t count;
};

/*
 * Make a folder unless it is there.
 *
 *  owner  uid and gid; (uid_t)-1 leaves the caller's
 *
 * Returns 1 made, 0 was there, -errno.
 */
int setup_files_folder(struct setup_made *made, const char *path, mode_t mode, uid_t owner, gid_t group);

/* Write a file as a whole unless it is there (mode 0644, synced). Returns 1 made, 0 was there, -errno. */
int setup_files_write(struct setup_made *made, const char *path, const char *text);

/*
 * The same with other owners of mode 0640: a secret that one process may read.
 *
 *  group  (gid_t)-1 leaves the caller's
 */
int setup_files_secret(struct setup_made *made, const char *path, const char *text, gid_t group);

/* Note a file that somebody else made for us. */
void setup_files_note(struct setup_made *made, const char *path);

/* Take everything back, the last first. A folder in which others put something stays. */
void setup_files_undo(struct setup_made *made);

/* A line of the shipped isms.conf that gets a value of ours. */
struct setup_value {
	const char *key, *value;	/* "base"; NULL or "": the default, left as a comment */
};

/*
 * The shipped isms.conf with our settings in it, and the shipped policy.conf.
 *
 *  values  ended by a NULL key
 *
 * Returns a new string or NULL.
 */
char *setup_files_settings(const struct setup_value *values);
char *setup_files_policy(void);

#endif
