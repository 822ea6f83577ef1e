/*
 * declared.h - what of this host somebody has declared: accounts, keys, sudo rules and jobs that no account of the
 * directory stands for, each with the person who answers for it (/etc/isms/declared.conf, declared.d).
 */
#ifndef ISMS_DECLARED_H
#define ISMS_DECLARED_H

#include <stddef.h>
#include <stdint.h>

/* What may be declared of somebody; bits. */
enum declared_what {
	DECLARED_ACCOUNT = 1, DECLARED_KEYS = 2, DECLARED_SUDO = 4, DECLARED_CRON = 8, DECLARED_AT = 16, DECLARED_UNIT = 32,
	DECLARED_SETID = 64,
};

struct declared_row {
	char who[65];			/* account of this host, or %GROUP as sudo has it */
	char owner[33];			/* account of the directory */
	char reason[129];
	unsigned what;			/* enum declared_what */
	int64_t until_utc_sec;		/* 0: no end */
	unsigned line;
};

struct declared {
	struct declared_row *rows;	/* owned */
	size_t count;
};

/*
 * Read declared.conf and declared.d/NAME.conf of a folder; none at all is no error.
 *
 *  zone   in which a bare date of until ends
 *  error  receives "FILE:LINE: what is wrong" (size bytes, NUL-terminated)
 *
 * Returns 0, -EINVAL with error set, or another -errno. *ret is written only on success; free with declared_done().
 */
int declared_load(const char *dir, const char *zone, struct declared *ret, char *error, size_t size);

/* The same from memory, for tests and the fuzzer. */
int declared_parse(const char *text, size_t len, const char *name, const char *zone, struct declared *ret, char *error,
    size_t size);
void declared_done(struct declared *all);

/* Who declared one thing of somebody; NULL: nobody. */
const struct declared_row *declared_find(const struct declared *all, const char *who, enum declared_what what);

/* "account", "keys", "sudo", "cron", "at", "unit", "setid". */
const char *declared_word(enum declared_what what);

#endif
