/*
 * new_password.c - the first password of an account.
 *
 * Runs in isms-userctl add only. Must never take a password from argv or environment nor show one anywhere
 * but on a terminal. Its yescrypt hash goes on from here; itself it goes only to a server that hashes, over TLS.
 */
#include <config.h>

#include "tools/new_password.h"

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/output.h"

#define GENERATED_LEN 20	/* 5 bits each: 100 bits */

/* Put "{CRYPT}" and the yescrypt hash of a password into ret. */
static int
hash(const char *password, char *ret, size_t size)
{
	char salt[CRYPT_GENSALT_OUTPUT_SIZE];
	struct crypt_data *data;
	int n = -1;

	if (crypt_gensalt_rn("$y$", 0, NULL, 0, salt, sizeof salt) == NULL)
		return -EIO;
	data = calloc(1, sizeof *data);
	if (data == NULL)
		return -ENOMEM;
	if (crypt_rn(password, salt, data, (int)sizeof *data) != NULL)
		n = snprintf(ret, size, "{CRYPT}%s", data->output);
	explicit_bzero(data, sizeof *data);
	free(data);
	return n < 0 || (size_t)n >= size ? -EIO : 0;
}

/* Length in characters; what is no UTF-8 counts by bytes. */
static size_t
characters(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static bool
is_long_enough(const struct new_password *new)
{
	if (characters(new->clear.text) >= NEW_PASSWORD_LEN_MIN)
		return true;
	output_error("the password has fewer than %d characters; take a longer one; nothing was changed", NEW_PASSWORD_LEN_MIN);
	return false;
}

/* Judge and hash ret->clear. */
static enum exit_code
take(struct new_password *ret)
{
	if (!is_long_enough(ret))
		return EXIT_REFUSED;
	if (hash(ret->clear.text, ret->hash, sizeof ret->hash) < 0) {
		output_error("the password could not be hashed by yescrypt (libcrypt)");
		return EXIT_REFUSED;
	}
	return EXIT_DONE;
}

static enum exit_code
from_descriptor(uint32_t fd, struct new_password *ret)
{
	int r;

	r = secret_read((int)fd, &ret->clear);
	if (r < 0) {
		output_error("--password-fd %u: %s", fd, r == -ENODATA ? "nothing to read" : r == -E2BIG ?
		    "longer than 1024 bytes, or holds a NUL" : strerror(-r));
		return r == -EBADF ? EXIT_USAGE : EXIT_REFUSED;
	}
	return take(ret);
}

static enum exit_code
from_terminal(bool optional, struct new_password *ret)
{
	struct secret again = { 0 };
	enum exit_code code = EXIT_REFUSED;
	char prompt[64];
	int r;

	(void)snprintf(prompt, sizeof prompt, "New password (%d characters or more): ", NEW_PASSWORD_LEN_MIN);
	r = secret_ask(prompt, false, &ret->clear);
	if (r == -ENXIO && optional)
		return EXIT_DONE;
	if (r == -ENXIO) {
		output_error("no terminal to ask for a password; give --password-fd N or --generate-password");
		return EXIT_USAGE;
	}
	if (r == 0 && !is_long_enough(ret))
		return EXIT_REFUSED;
	if (r == 0)
		r = secret_ask("The same again: ", false, &again);
	if (r < 0)
		output_error("no password was read; nothing was changed");
	else if (strcmp(ret->clear.text, again.text) != 0)
		output_error("the two passwords differ; nothing was changed");
	else
		code = take(ret);
	secret_done(&again);
	return code;
}

static enum exit_code
generate(const struct invocation *in, struct new_password *ret)
{
	if (!command_line_has(&in->line, OPTION_add_secret_fd) && (isatty(STDOUT_FILENO) == 0 || in->json)) {
		output_error("--generate-password has no terminal to show the password on; run it on one or give --secret-fd N");
		return EXIT_USAGE;
	}
	if (secret_generate(GENERATED_LEN, &ret->clear) < 0) {
		output_error("no random bytes");
		return EXIT_REFUSED;
	}
	ret->was_generated = true;
	return take(ret);
}

enum exit_code
new_password_get(const struct invocation *in, bool optional, struct new_password *ret)
{
	bool make = command_line_has(&in->line, OPTION_add_generate_password);
	uint32_t fd = 0;
	int given;

	given = command_line_number(&in->line, OPTION_add_password_fd, 0, 65535, &fd);
	if (given < 0 || (given > 0 && make)) {
		output_error(given < 0 ? "--password-fd needs a number" : "--password-fd and --generate-password exclude each other");
		return EXIT_USAGE;
	}
	if (command_line_number(&in->line, OPTION_add_secret_fd, 0, 65535, &(uint32_t){ 0 }) < 0) {
		output_error("--secret-fd needs a number");
		return EXIT_USAGE;
	}
	if (in->dry_run) {	/* nobody types a password for nothing */
		(void)snprintf(ret->hash, sizeof ret->hash, "%s", given > 0 || make || !optional ? "{CRYPT}*" : "");
		ret->was_generated = make;
		return EXIT_DONE;
	}
	if (make)
		return generate(in, ret);
	return given > 0 ? from_descriptor(fd, ret) : from_terminal(optional, ret);
}

enum exit_code
new_password_show(const struct invocation *in, const struct new_password *password)
{
	uint32_t fd = STDOUT_FILENO;
	int r;

	if (!password->was_generated)
		return EXIT_DONE;
	if (command_line_number(&in->line, OPTION_add_secret_fd, 0, 65535, &fd) == 0) {
		(void)printf("Password  (shown once) ");
		(void)fflush(stdout);
	}
	r = secret_write((int)fd, password->clear.text);
	if (r == 0)
		return EXIT_DONE;
	output_error("the account is made, but its password could not be handed over: %s; set another one", strerror(-r));
	return EXIT_REFUSED;
}

const char *
new_password_word(const struct new_password *password)
{
	return password->was_generated ? "generated" : password->hash[0] != '\0' ? "set" : "none";
}

void
new_password_done(struct new_password *password)
{
	secret_done(&password->clear);
	explicit_bzero(password, sizeof *password);
}
