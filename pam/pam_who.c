/*
 * pam_who.c - tells local, managed, foreign and unknown names apart.
 *
 * Runs inside every PAM application, in every stage anew. It must never ask NSS about a local name,
 * keep a descriptor, use one below 3, or call a managed name anything else because something failed:
 * whatever cannot be told is WHO_UNSURE, which denies (THREATS I1, I2, section 6).
 */
#include <config.h>

#include "pam/pam_who.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <nss.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/descriptor.h"
#include "pam/pam_guarded.h"

#define RECORD_START	4096
#define RECORD_MAX	(1u << 20)	/* a longer passwd record is refused */

typedef enum nss_status nss_getpwnam(const char *, struct passwd *, char *, size_t, int *);

static const char *const names[WHO_COUNT] = { "unsure", "none", "local", "other", "managed", "nobody", "guarded" };

/* A buffer of twice the size, or the first one. Returns 0, -ENOMEM, -ERANGE beyond RECORD_MAX. */
static int
grow(char **buf, size_t *size)
{
	size_t wanted = *buf == NULL ? RECORD_START : *size * 2;
	char *p;

	if (wanted > RECORD_MAX)
		return -ERANGE;
	p = realloc(*buf, wanted);
	if (p == NULL)
		return -ENOMEM;
	*buf = p;
	*size = wanted;
	return 0;
}

/* Open for reading, close-on-exec, not in the place of the caller's stdio. Returns the FILE or NULL and errno. */
static FILE *
open_file(const char *path)
{
	int fd = descriptor_above_stdio(open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY));
	FILE *f;

	if (fd < 0)
		return NULL;
	f = fdopen(fd, "re");
	if (f == NULL) {
		(void)close(fd);
		errno = ENOMEM;
	}
	return f;
}

int
who_local_search(const struct pam_paths *paths, bool (*is_it)(const struct passwd *record, void *arg), void *arg)
{
	struct passwd record, *found;
	char *buf = NULL;
	size_t size = 0;
	FILE *f;
	int r;

	f = open_file(paths->passwd);
	if (f == NULL)
		return errno == ENOENT ? 0 : -errno;
	r = grow(&buf, &size);
	while (r == 0) {
		int e = fgetpwent_r(f, &record, buf, size, &found);

		if (e == ERANGE) {	/* the record is read again */
			r = grow(&buf, &size);
			continue;
		}
		if (e != 0 || found == NULL) {
			r = e == ENOENT || e == 0 ? 0 : -e;
			break;
		}
		r = is_it(&record, arg) ? 1 : 0;
	}
	free(buf);
	(void)fclose(f);
	return r;
}

struct wanted {
	const char *name;
	uid_t uid;		/* found */
};

static bool
has_name(const struct passwd *record, void *arg)
{
	struct wanted *wanted = arg;

	wanted->uid = record->pw_uid;
	return strcmp(record->pw_name, wanted->name) == 0;
}

int
who_local_uid(const struct pam_paths *paths, const char *name, uid_t *ret_uid)
{
	struct wanted wanted = { .name = name };
	int r;

	/* glibc takes "+name" for a NIS line, not for an account. */
	if (*name == '\0' || *name == '+' || *name == '-')
		return 0;
	r = who_local_search(paths, has_name, &wanted);
	if (r == 1)
		*ret_uid = wanted.uid;
	return r;
}

/* Whether NSS knows the name: 1 and its uid, 0, or -errno where even that cannot be told. */
static int
ask_nss(const char *name, uid_t *ret_uid)
{
	struct passwd record, *found = NULL;
	char *buf = NULL;
	size_t size = 0;
	int e = ERANGE, r;

	do {
		r = grow(&buf, &size);
		if (r == 0)
			e = getpwnam_r(name, &record, buf, size, &found);
	} while (r == 0 && e == ERANGE);
	if (r == 0 && e == 0 && found != NULL) {
		*ret_uid = record.pw_uid;
		r = 1;
	} else if (r == 0 && (e == ENOMEM || e == EMFILE || e == ENFILE)) {
		r = -e;		/* any other failure: a source that is away resolves nobody */
	}
	free(buf);
	return r;
}

/*
 * Whether the answer came from libnss_isms, which goes on with an old mapping when the file is gone: such a
 * name is managed, however blind we are. Looks only at what this process has loaded already.
 */
static bool
resolved_by_isms(const char *name)
{
	void *library = dlopen("libnss_isms.so.2", RTLD_NOW | RTLD_NOLOAD);
	bool yes = true;	/* no memory to find out: deny */
	enum nss_status status;
	struct passwd record;
	nss_getpwnam *lookup;
	char *buf;
	int e = 0;

	if (library == NULL)
		return false;
	buf = malloc(RECORD_START);
	lookup = (nss_getpwnam *)dlsym(library, "_nss_isms_getpwnam_r");
	if (buf != NULL && lookup != NULL) {
		status = lookup(name, &record, buf, RECORD_START, &e);
		yes = status == NSS_STATUS_SUCCESS || status == NSS_STATUS_TRYAGAIN;
	}
	free(buf);
	(void)dlclose(library);
	return yes;
}

/* Look into the snapshot as it is now: 1 with ret's snapshot open, 0, or -errno and ret->fault. */
static int
find_managed(const struct pam_paths *paths, const char *name, const uid_t *uid, struct person *ret)
{
	struct snapshot snapshot = { 0 };
	int r = snapshot_open_state(paths->snapshot, paths->owner, &snapshot);

	if (r < 0) {
		ret->fault = r == -ENOENT ? "the snapshot of users is missing" : "the snapshot of users cannot be used";
		return r;
	}
	(void)snprintf(ret->contact, sizeof ret->contact, "%s", snapshot_contact(&snapshot));
	r = snapshot_find_user(&snapshot, name, &ret->user);
	if (r == 0 && uid != NULL)
		r = snapshot_find_uid(&snapshot, *uid, &ret->user);
	if (r == 1) {
		ret->snapshot = snapshot;	/* now owned by *ret */
		return 1;
	}
	if (r < 0)
		ret->fault = "the snapshot of users is corrupt";
	snapshot_close(&snapshot);
	return r;
}

/* A name that is neither local nor in the snapshot at first sight. blind: there is no usable snapshot. */
static enum who
judge_stranger(const struct pam_paths *paths, const char *name, bool blind, struct person *ret)
{
	uid_t uid = (uid_t)-1;
	int r = ask_nss(name, &uid);

	if (r < 0) {
		ret->fault = "users cannot be looked up";
		return WHO_UNSURE;
	}
	if (blind)
		return r == 1 && !resolved_by_isms(name) ? WHO_OTHER : WHO_UNSURE;
	if (r == 0)
		return WHO_NOBODY;
	/* Published a moment ago, or an alias of a managed uid: managed all the same (THREATS I1). */
	r = find_managed(paths, name, &uid, ret);
	if (r < 0)
		return WHO_UNSURE;
	return r == 1 ? WHO_MANAGED : WHO_OTHER;
}

/* A local account: under policy, or, as ever, nobody's but this host's. Root is never looked up (THREATS I2). */
static void
judge_local(const struct pam_paths *paths, const char *name, uid_t uid, struct person *ret)
{
	enum guarded guarded = uid == 0 ? GUARDED_NO : guarded_find(paths, name, uid);

	ret->user.uid = uid;
	ret->who = guarded == GUARDED_NO ? WHO_LOCAL : guarded == GUARDED_YES ? WHO_GUARDED : WHO_UNSURE;
	if (guarded == GUARDED_ALIAS)
		ret->fault = "the name has the uid of a local account that is under policy";
	else if (guarded == GUARDED_UNSURE)
		ret->fault = "which local accounts are under policy cannot be read";
}

void
who_find(const struct pam_paths *paths, const char *name, struct person *ret)
{
	uid_t uid;
	int r;

	*ret = (struct person){ .who = WHO_UNSURE };
	if (name == NULL || *name == '\0') {
		ret->who = WHO_NONE;
		return;
	}
	if (strnlen(name, WHO_NAME_MAX + 1) > WHO_NAME_MAX) {
		ret->who = WHO_NOBODY;
		return;
	}
	r = who_local_uid(paths, name, &uid);
	if (r == 1) {
		judge_local(paths, name, uid, ret);
		return;
	}
	if (r < 0) {
		ret->fault = "local accounts cannot be read";
		return;
	}
	r = find_managed(paths, name, NULL, ret);
	if (r == 1)
		ret->who = WHO_MANAGED;
	else
		ret->who = judge_stranger(paths, name, r < 0, ret);
}

void
who_done(struct person *person)
{
	snapshot_close(&person->snapshot);
	person->snapshot = (struct snapshot){ 0 };
}

const char *
who_name(enum who who)
{
	return (unsigned)who < WHO_COUNT ? names[who] : "?";
}
