/*
 * scan_parts.h - what the files of the scan share with each other; nobody else includes it.
 */
#ifndef ISMS_SCAN_PARTS_H
#define ISMS_SCAN_PARTS_H

#include "tools/declared.h"
#include "tools/scan.h"
#include "tools/scan_text.h"

#define SCAN_PATH_MAX 4352

struct scan {
	struct invocation *in;		/* borrowed */
	const struct account *account;	/* borrowed */
	struct declared declared;	/* owned */
	json_t *local;			/* owned; names of /etc/passwd as keys, their uids as values */
	json_t *homes;			/* owned; folders that were looked at, as keys */
	json_t *rows;			/* owned; findings */
	char key_files[1024];		/* AuthorizedKeysFile of sshd, separated by blanks */
};

/* Note a thing, unless it is declared, or its account stands for it. */
void scan_note(struct scan *s, enum declared_what what, const char *who, const char *where, const char *detail);

/* Note what could not be looked at: a link, a pipe, something too large. error: -errno. */
void scan_note_fault(struct scan *s, enum declared_what what, const char *who, const char *where, int error);

/* Items of a file: note each. */
struct scan_place {
	struct scan *scan;
	enum declared_what what;
	const char *who;		/* NULL: the item says */
	const char *path;
	int depth;			/* of includes */
};
void scan_note_item(void *arg, const struct scan_text_item *item);	/* scan_text_each; arg: struct scan_place */

/* scan_homes.c: keys and units in home folders. scan_jobs.c: sudo rules, crontabs, at jobs, lingering users. */
void scan_homes(struct scan *s);
/* scan_setid.c: programs below a home (a descriptor and its path) that run as somebody else than who starts them. */
void scan_setid(struct scan *s, int home, const char *home_path, const char *who);
void scan_jobs(struct scan *s);

#endif
