/*
 * bulk.c - see bulk.h.
 *
 * Runs in isms-userctl only. Must never write anything while a line of the file is wrong, nor a plan that is not the one
 * that was shown.
 */
#include <config.h>

#include "tools/bulk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/bulk_file.h"
#include "tools/csv.h"

#define WRONG_LINES_MAX	20	/* whoever has more wrong looks at the file */
#define PATIENCE	20	/* as many are done before anybody asks how far it is */

struct bulk {
	struct invocation *in;
	const struct bulk_verb *verb;
	const char *path;
	struct bulk_file file;
	struct account account;
	json_t *rows;			/* owned; of the plan */
};

enum exit_code
bulk_wanted(const struct invocation *in, enum option_id file, bool *ret_many)
{
	const struct command_info *command = &command_infos[in->line.command];

	*ret_many = command_line_has(&in->line, file);
	if (*ret_many ? in->line.operand_count == 0 : in->line.operand_count == command->max)
		return EXIT_DONE;
	if (*ret_many)
		output_error("--from-csv: the file names whom; leave \"%.64s\" out", in->line.operands[0]);
	else
		output_error("%s needs %s, or --from-csv FILE; see isms-userctl %s --help", command->name, command->operands,
		    command->name);
	return EXIT_USAGE;
}

/* ---- reading ---- */

/* A pipe is waited for, as cat(1) would: what writes it may be slow. */
static int
read_text(const char *path, char **ret, size_t *ret_len)
{
	char *text = malloc(CSV_BYTES_MAX + 2);
	size_t len = 0;
	ssize_t n = 1;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), r = fd < 0 ? -errno : 0;

	if (r == 0 && text == NULL)
		r = -ENOMEM;
	if (r == 0 && (fstat(fd, &st) < 0 || S_ISDIR(st.st_mode)))
		r = -EISDIR;
	while (r == 0 && n > 0 && len <= CSV_BYTES_MAX) {
		n = read(fd, text + len, CSV_BYTES_MAX + 1 - len);
		if (n > 0)
			len += (size_t)n;
		else if (n < 0 && errno == EINTR)
			n = 1;
		else if (n < 0)
			r = -errno;
	}
	if (r == 0 && len > CSV_BYTES_MAX)
		r = -EFBIG;
	if (fd >= 0)
		(void)close(fd);
	if (r < 0) {
		free(text);
		return r;
	}
	text[len] = '\0';
	*ret = text;
	*ret_len = len;
	return 0;
}

static enum exit_code
read_file(struct bulk *b)
{
	char error[512] = "", *text = NULL;
	size_t len = 0;
	int r;

	r = read_text(b->path, &text, &len);
	if (r < 0) {
		output_error("%s: %s%s", b->path, strerror(-r), r == -EFBIG ? ": more than a MiB" : "");
		return EXIT_REFUSED;
	}
	r = bulk_file_parse(&b->in->line, text, len, &b->file, error, sizeof error);
	if (r == 0)
		return EXIT_DONE;
	output_error("%s:%s; nothing was changed", b->path, r == -ENOMEM ? " out of memory" : error);
	return r == -ENOMEM ? EXIT_UNREACHABLE : EXIT_USAGE;
}

/* ---- saying how far it is ---- */

static void
progress(size_t done, size_t total, void *arg)
{
	const struct bulk *b = arg;

	if (total < PATIENCE || b->in->json || isatty(STDERR_FILENO) != 1)
		return;
	if (done < total)
		(void)fprintf(stderr, "\r%zu of %zu ...", done, total);
	else
		(void)fprintf(stderr, "\r%*s\r", 40, "");
}

/* ---- all lines, in memory ---- */

enum step { STEP_PREPARE, STEP_PLAN };

/* One line, as if it was the command line. */
static enum exit_code
do_line(struct bulk *b, enum step step, size_t i)
{
	struct invocation *in = b->in;
	const struct command_line own = in->line;
	const char *reason = in->reason, *ticket = in->ticket;
	json_t *row = NULL;
	enum exit_code code;

	in->line = b->file.items[i].words;
	in->reason = command_line_value(&in->line, OPTION_global_reason);
	in->ticket = command_line_value(&in->line, OPTION_global_ticket);
	output_error_place(b->path, b->file.items[i].line);
	code = step == STEP_PREPARE ? b->verb->prepare(in, i, b->verb->arg) :
	    b->verb->plan(in, &b->account, i, b->verb->arg, &row);
	output_error_place(NULL, 0);
	in->line = own;
	in->reason = reason;
	in->ticket = ticket;
	if (row != NULL) {
		(void)json_object_set_new(row, "line", json_integer(b->file.items[i].line));
		(void)json_array_append_new(b->rows, row);
	}
	return code;
}

/* Every line, so that all that is wrong is told at once. */
static enum exit_code
do_lines(struct bulk *b, enum step step)
{
	enum exit_code worst = EXIT_DONE, code;
	size_t wrong = 0;

	json_decref(b->rows);
	b->rows = json_array();
	for (size_t i = 0; i < b->file.count && wrong < WRONG_LINES_MAX; i++) {
		code = do_line(b, step, i);
		progress(i + 1, b->file.count, b);
		if (code == EXIT_DONE)
			continue;
		wrong++;
		worst = code > worst ? code : worst;
		if (code == EXIT_UNREACHABLE || step == STEP_PREPARE)
			break;
	}
	if (wrong > 0)
		output_error("%s: %zu line%s wrong%s; nothing was changed", b->path, wrong, wrong == 1 ? " is" : "s are",
		    wrong == WRONG_LINES_MAX ? ", and perhaps more" : "");
	return worst;
}

/* ---- showing ---- */

static void
print(const struct bulk *b, const char *result)
{
	struct column columns[20] = { { "line", "LINE" } };
	size_t count = 1, i;
	json_t *row;

	for (const struct column *c = b->verb->columns; c->key != NULL && count < 18; c++)
		columns[count++] = *c;
	columns[count++] = (struct column){ "result", "RESULT" };
	json_array_foreach(b->rows, i, row)
		if (json_object_get(row, "result") == NULL)
			(void)json_object_set_new(row, "result", json_string(
			    json_is_false(json_object_get(row, "changed")) ? "nothing to do" : result));
	if (b->in->json)
		(void)output_json(b->rows);
	else
		output_table(b->rows, columns);
}

/* Without the lock: the plan, shown to whoever sits there. */
static enum exit_code
look_and_ask(struct bulk *b, json_t **ret_shown)
{
	char question[256];
	enum exit_code code = account_open(b->in, NULL, DIRECTORY_READ, &b->account);
	bool json = b->in->json;

	if (code == EXIT_DONE)
		code = do_lines(b, STEP_PLAN);
	account_done(&b->account);
	if (code != EXIT_DONE)
		return code;
	*ret_shown = json_deep_copy(b->rows);
	b->in->json = false;
	print(b, "planned");
	b->in->json = json;
	(void)fflush(stdout);
	(void)snprintf(question, sizeof question, "%zu accounts: %s?", b->file.count, b->verb->question);
	return invocation_confirm(b->in, question) ? EXIT_DONE : EXIT_REFUSED;
}

/* ---- writing ---- */

static void
record_all(struct bulk *b)
{
	const char *reason = b->in->reason, *ticket = b->in->ticket;
	const json_t *row;
	size_t i;

	json_array_foreach(b->rows, i, row) {
		const struct command_line own = b->in->line;

		if (json_is_false(json_object_get(row, "changed")))
			continue;
		b->in->line = b->file.items[i].words;
		b->in->reason = command_line_value(&b->in->line, OPTION_global_reason);
		b->in->ticket = command_line_value(&b->in->line, OPTION_global_ticket);
		b->verb->record(b->in, &b->account, row);
		b->in->line = own;
	}
	b->in->reason = reason;
	b->in->ticket = ticket;
}

/* What became of each line when a server did not do all of it; what it did is in the journal like anything else. */
static void
tell_fates(struct bulk *b)
{
	static const char *const words[] = {
		[FATE_NOT_DONE] = "not done", [FATE_DONE] = "done", [FATE_TAKEN_BACK] = "taken back", [FATE_UNKNOWN] = "not known",
	};
	const char *dn;
	json_t *row;
	size_t i;

	json_array_foreach(b->rows, i, row) {
		enum directory_fate fate;

		if (json_is_false(json_object_get(row, "changed")))
			continue;
		dn = json_string_value(json_object_get(row, "dn"));
		fate = dn != NULL ? directory_fate(b->account.directory, dn) : FATE_UNKNOWN;
		(void)json_object_set_new(row, "result", json_string(words[fate]));
		(void)json_object_set_new(row, "changed", json_boolean(fate == FATE_DONE));
	}
	record_all(b);
	json_array_foreach(b->rows, i, row)
		(void)json_object_del(row, "changed");
	print(b, "nothing to do");
}

static enum exit_code
change(struct bulk *b, const json_t *shown)
{
	enum exit_code code = do_lines(b, STEP_PLAN);

	if (code != EXIT_DONE)
		return code;
	if (shown != NULL && !json_equal(shown, b->rows)) {
		output_error("%s: somebody else changed one of these accounts meanwhile; nothing was changed, look again", b->path);
		return EXIT_REFUSED;
	}
	b->account.directory->progress = progress;
	b->account.directory->progress_arg = b;
	code = account_commit(&b->account);
	if (code != EXIT_DONE) {
		tell_fates(b);
		return code;
	}
	record_all(b);
	print(b, b->in->dry_run ? "dry run" : "done");
	return EXIT_DONE;
}

enum exit_code
bulk_run(struct invocation *in, const struct bulk_verb *verb)
{
	struct bulk b = { .in = in, .verb = verb, .path = command_line_value(&in->line, verb->file) };
	json_t *shown = NULL;
	enum exit_code code = read_file(&b);

	if (code == EXIT_DONE && invocation_asks(in))
		code = look_and_ask(&b, &shown);
	if (code == EXIT_DONE && verb->prepare != NULL)
		code = do_lines(&b, STEP_PREPARE);
	if (code == EXIT_DONE) {
		code = account_open(in, NULL, DIRECTORY_EDIT, &b.account);
		if (code == EXIT_DONE)
			code = change(&b, shown);
		account_done(&b.account);
	}
	if (code == EXIT_DONE && verb->finish != NULL && !in->dry_run)
		code = verb->finish(in, b.rows, verb->arg);
	json_decref(shown);
	json_decref(b.rows);
	bulk_file_done(&b.file);
	return code;
}
