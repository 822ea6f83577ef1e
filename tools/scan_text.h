/*
 * scan_text.h - authorized_keys, sudoers and crontabs, as far as an inventory needs them: who may do something by them.
 *
 * Pure, and lenient where the programs that obey these files are: what cannot be read is told as it stands, never left
 * out, since it might be obeyed all the same.
 */
#ifndef ISMS_SCAN_TEXT_H
#define ISMS_SCAN_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define SCAN_TEXT_PART_MAX 256

/* One key, rule or job. */
struct scan_text_item {
	unsigned line;			/* where it begins, from 1 */
	bool is_include;		/* of sudoers: another file (or, with a slash at its end, folder), detail */
	char who[SCAN_TEXT_PART_MAX];	/* sudoers: user, %group, +netgroup, alias; system crontab: user; else "" */
	char detail[SCAN_TEXT_PART_MAX];	/* key: type and comment; rule and job: what they run; cut if need be */
};

typedef void scan_text_each(void *arg, const struct scan_text_item *item);

/* Each calls each() for every item. text is not changed, may hold anything, and needs no NUL at its end. */
void scan_text_keys(const char *text, size_t len, scan_text_each *each, void *arg);
void scan_text_sudoers(const char *text, size_t len, scan_text_each *each, void *arg);
void scan_text_crontab(const char *text, size_t len, bool has_users, scan_text_each *each, void *arg);

#endif
