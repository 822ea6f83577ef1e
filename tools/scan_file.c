/*
 * scan_file.c - see scan_file.h.
 *
 * Runs in isms-userctl, as root. Must never read, wait for or name anything that a user could not have read himself by
 * putting a link, a pipe or a device into his home.
 */
#include <config.h>

#include "tools/scan_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int
scan_file_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : fd;
}

int
scan_file_below(int folder, const char *path, int flags)
{
	const struct open_how how = {
		.flags = (unsigned)(O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW | flags),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, folder, path, &how, sizeof how);

	return fd < 0 ? -errno : (int)fd;
}

int
scan_file_read(int fd, char **ret, size_t *ret_len, struct stat *ret_st)
{
	char *text = NULL;
	size_t len = 0;
	ssize_t n = 1;
	struct stat st;
	int r = 0;

	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode))
		r = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	else if (st.st_size > SCAN_FILE_BYTES_MAX)
		r = -EFBIG;
	if (r == 0 && (text = malloc(SCAN_FILE_BYTES_MAX + 1)) == NULL)
		r = -ENOMEM;
	while (r == 0 && n != 0 && len < SCAN_FILE_BYTES_MAX) {
		n = read(fd, text + len, SCAN_FILE_BYTES_MAX - len);
		if (n < 0 && errno != EINTR)
			r = -errno;
		else if (n > 0)
			len += (size_t)n;
	}
	(void)close(fd);
	if (r < 0) {
		free(text);
		return r;
	}
	text[len] = '\0';
	*ret = text;
	*ret_len = len;
	if (ret_st != NULL)
		*ret_st = st;
	return 0;
}
