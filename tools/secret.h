/*
 * secret.h - a password, code or token secret on its way between a person or a descriptor and us.
 *
 * The only road in and out: never argv, never the environment, never stdout unless it is a terminal.
 */
#ifndef ISMS_SECRET_H
#define ISMS_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#define SECRET_TEXT_MAX 1024	/* bytes; longer ones are refused, never cut (THREATS 5.1) */

struct secret {
	char text[SECRET_TEXT_MAX + 1];
	size_t len;
};

/* Wipe it. */
void secret_done(struct secret *secret);

/*
 * Ask on the controlling terminal.
 *
 *  echo  whether what is typed may be seen
 *
 * Returns 0, -ENXIO without a terminal, -ENODATA at its end, -E2BIG, -EINTR after a signal (the terminal is as before).
 */
int secret_ask(const char *prompt, bool echo, struct secret *ret);

/* Read one line of a descriptor, no byte more. Returns 0, -ENODATA at its end, -E2BIG, -EINTR, or -errno. */
int secret_read(int fd, struct secret *ret);

/* Write text and a line end to a descriptor and close it if it is none of 0, 1, 2. Returns 0 or -errno. */
int secret_write(int fd, const char *text);

/*
 * Random text of letters and digits that are not mistaken for each other; 5 bits a character.
 *
 *  len  characters, at most SECRET_TEXT_MAX
 *
 * Returns 0 or -errno of getrandom.
 */
int secret_generate(size_t len, struct secret *ret);

#endif
