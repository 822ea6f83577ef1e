/*
 * bulk.h - one verb for many accounts: a CSV file whose columns are the verb's operands and options.
 *
 * All lines or none: each is checked, in memory, before anything is written; then the plan is shown and asked about on
 * a terminal, and written by one commit: an embedded directory is changed whole; of a server it is said of each line
 * what became of it.
 */
#ifndef ISMS_BULK_H
#define ISMS_BULK_H

#include <jansson.h>

#include "tools/account.h"
#include "tools/output.h"

#define BULK_LINES_MAX 5000

struct bulk_verb {
	enum option_id file;		/* its --from-csv */
	const char *question;		/* "disable, and all their sessions end" */
	const struct column *columns;	/* of a plan; "line" and "result" come beside */
	/*
	 * Once for each line before the directory is opened for writing; NULL: nothing to do. Returns EXIT_DONE, or has said
	 * what is wrong.
	 */
	enum exit_code (*prepare)(struct invocation *in, size_t i, void *arg);
	/*
	 * Check in->line and hand its changes to the directory.
	 *
	 *  ret_row  what is done, as an object with "user" and "dn"; "changed": false when there is nothing to do
	 *
	 * Returns EXIT_DONE, or has said what is wrong.
	 */
	enum exit_code (*plan)(struct invocation *in, struct account *account, size_t i, void *arg, json_t **ret_row);
	/* It is written: write the event. */
	void (*record)(const struct invocation *in, const struct account *account, const json_t *row);
	/* After all was written; NULL: nothing to do. Returns EXIT_DONE, or has said what is wrong. */
	enum exit_code (*finish)(struct invocation *in, const json_t *rows, void *arg);
	void *arg;
};

/*
 * Whether a verb is to work on a file; says so where neither the file nor all operands, or both, are given.
 *
 *  ret_many  whether
 *
 * Returns EXIT_DONE or EXIT_USAGE.
 */
enum exit_code bulk_wanted(const struct invocation *in, enum option_id file, bool *ret_many);

/* Do it. Returns an exit code; says what is wrong with each line. */
enum exit_code bulk_run(struct invocation *in, const struct bulk_verb *verb);

#endif
