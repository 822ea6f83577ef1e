/*
 * pam_guarded.c - reads the list of local accounts that are under policy (see pam_guarded.h).
 *
 * Runs inside every PAM application, for every local account but root's. It must never wait, ask NSS or a daemon, or let a
 * damaged list refuse whom it does not name. Its owner is not looked at: only root can put a file there, and a list that is
 * believed can but take from those whom it names, while one that is not would set them free.
 */
#include <config.h>

#include "pam/pam_guarded.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/descriptor.h"
#include "common/guarded.h"
#include "pam/pam_who.h"

static ssize_t
read_all(int fd, char *buf, size_t size)
{
	size_t used = 0;
	ssize_t n = 1;

	while (used < size && n > 0) {
		n = read(fd, buf + used, size - used);
		if (n < 0 && errno != EINTR)
			return -errno;
		used += n > 0 ? (size_t)n : 0;
		n = n < 0 ? 1 : n;
	}
	return (ssize_t)used;
}

/* The list as text, to be freed; NULL and 0: nobody is listed; NULL and -errno. */
static char *
load(const char *path, int *ret_error)
{
	int fd = descriptor_above_stdio(open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
	char *text = NULL;
	struct stat st;
	ssize_t n;

	*ret_error = 0;
	if (fd < 0) {
		*ret_error = errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno : 0;
		return NULL;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
		text = malloc(GUARDED_BYTES_MAX + 1);
		n = text == NULL ? -ENOMEM : read_all(fd, text, GUARDED_BYTES_MAX);
		if (n >= 0) {
			text[n] = '\0';
		} else {
			*ret_error = n == -ENOMEM ? -ENOMEM : 0;
			free(text);
			text = NULL;
		}
	}
	(void)close(fd);
	return text;
}

struct suspect {
	const char *list;
	uid_t uid;
};

static bool
lists(const char *list, const char *name)
{
	size_t len = strlen(name);

	while (*list != '\0') {
		size_t n = strcspn(list, "\n");

		if (n == len && memcmp(list, name, n) == 0)
			return true;
		list += list[n] == '\0' ? n : n + 1;
	}
	return false;
}

static bool
is_listed_twin(const struct passwd *record, void *arg)
{
	const struct suspect *suspect = arg;

	return record->pw_uid == suspect->uid && lists(suspect->list, record->pw_name);
}

enum guarded
guarded_find(const struct pam_paths *paths, const char *name, uid_t uid)
{
	struct suspect suspect = { .uid = uid };
	enum guarded found = GUARDED_YES;
	int error;
	char *list = load(paths->guarded, &error);

	if (list == NULL)
		return error < 0 ? GUARDED_UNSURE : GUARDED_NO;
	suspect.list = list;
	if (!lists(list, name)) {
		error = who_local_search(paths, is_listed_twin, &suspect);
		found = error < 0 ? GUARDED_UNSURE : error == 1 ? GUARDED_ALIAS : GUARDED_NO;
	}
	free(list);
	return found;
}
