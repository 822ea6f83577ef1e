/*
 * conf_file.h - INI files of ours, line by line, read with inih.
 *
 * What inih does silently is an error here: lines longer than its buffer, names that it would cut,
 * NUL bytes, sections without their bracket, text after it. A line that begins with a space continues the
 * value above; the parts are joined by one space.
 */
#ifndef ISMS_CONF_FILE_H
#define ISMS_CONF_FILE_H

#include <stdbool.h>
#include <stddef.h>

#define CONF_FILE_BYTES_MAX	(1024 * 1024)
#define CONF_FILES_MAX		256		/* in a folder NAME.d */

/* One value, or (key NULL) the beginning of a section. */
struct conf_line {
	const char *file;
	unsigned line;			/* where the key, or the section, stands */
	unsigned section_line;		/* where its section began */
	const char *section;		/* as in the brackets; "" before the first */
	const char *key, *value;	/* value may be "" */
};

/*
 * Takes one line.
 *
 *  error  to fill in with what is wrong, without file and line
 *
 * Returns 0, or -EINVAL with error set: reading stops.
 */
typedef int conf_handler(void *arg, const struct conf_line *line, char *error, size_t size);

/* Write what is wrong with a value into error. Returns -EINVAL. */
int conf_wrong(char *error, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/*
 * Parse text.
 *
 *  name   stands in messages as the file's name
 *  error  receives "NAME:LINE: what is wrong"
 *
 * Returns 0, -EINVAL with error set, or -ENOMEM.
 */
int conf_parse(const char *text, size_t len, const char *name, conf_handler *handler, void *arg, char *error, size_t size);

/*
 * Parse DIR/FILE, then each NAME.conf of DIR/FOLDER in strcmp order; what does not exist is skipped.
 * Each must be a regular file (no symlink), of root or of the effective uid, not writable by group or others,
 * in folders of which the same is true, and at most CONF_FILE_BYTES_MAX long.
 *
 *  files      receives how many files were read; may be NULL
 *
 * Returns 0, -EINVAL with error set, or another -errno, error set too.
 */
int conf_load(const char *dir, const char *file, const char *folder, conf_handler *handler, void *arg,
    unsigned *files, char *error, size_t size);

#endif
