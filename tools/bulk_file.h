/*
 * bulk_file.h - a CSV file as command lines of one verb.
 */
#ifndef ISMS_BULK_FILE_H
#define ISMS_BULK_FILE_H

#include "tools/command_line.h"

struct bulk_item {
	unsigned line;			/* of the file */
	struct command_line words;	/* values are borrowed from the file's text, or from the verb's own command line */
};

struct bulk_file {
	char *text;			/* owned */
	struct bulk_item *items;	/* owned */
	size_t count;
};

/*
 * Read a file's text: a header of operands (in small letters) and options of the command, reason and ticket, then one
 * line a run. An empty cell gives nothing, of an option without a value "yes" gives it and "no" does not, of one that may
 * be given often each word (separated by blanks or ;) is one. What the verb's own command line has holds for all lines
 * that do not say otherwise. Options that are descriptors, secrets or files are no columns.
 *
 *  text   owned by *ret from then on, also on failure
 *  ret    zeroed; free with bulk_file_done(), on failure too
 *  error  receives "LINE: what is wrong" (size bytes, NUL-terminated)
 *
 * Returns 0, -EINVAL with error set, or -ENOMEM.
 */
int bulk_file_parse(const struct command_line *verb, char *text, size_t len, struct bulk_file *ret, char *error,
    size_t size);
void bulk_file_done(struct bulk_file *file);

#endif
