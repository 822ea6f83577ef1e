/*
 * scan_file.h - files that users write, read by root: no link is followed, nothing is waited for, nothing is large.
 */
#ifndef ISMS_SCAN_FILE_H
#define ISMS_SCAN_FILE_H

#include <stddef.h>
#include <sys/stat.h>

#define SCAN_FILE_BYTES_MAX (1024 * 1024)

/*
 * Open a folder that is not below a user's hands itself, like /home or /var/spool/cron/crontabs.
 *
 * Returns a descriptor or -errno.
 */
int scan_file_folder(const char *path);

/*
 * Open what is below a folder, whoever may have written there: no link anywhere on the way, and nothing outside.
 *
 *  path   relative
 *  flags  O_DIRECTORY or 0
 *
 * Returns a descriptor or -errno; -ELOOP for a link, -EXDEV for a way out.
 */
int scan_file_below(int folder, const char *path, int flags);

/*
 * Read a regular file whole, and close it.
 *
 *  fd      of scan_file_below(); closed in any case
 *  ret     a new text, with a NUL behind it that is not counted; free()
 *  ret_st  may be NULL
 *
 * Returns 0 or -errno: -EFBIG beyond SCAN_FILE_BYTES_MAX, -EISDIR for a folder, -EINVAL for what else is no regular file.
 */
int scan_file_read(int fd, char **ret, size_t *ret_len, struct stat *ret_st);

#endif
