/*
 * secret.c - reads secrets from a terminal or a descriptor, writes them to a descriptor.
 *
 * Runs in isms-userctl only. Must never leave a terminal without echo, nor a copy in memory: stdio is not
 * used here, since its buffers cannot be wiped.
 */
#include <config.h>

#include "tools/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <termios.h>
#include <unistd.h>

static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
#define CAUGHT_COUNT (sizeof caught / sizeof caught[0])

static volatile sig_atomic_t interrupted;

static void
on_signal(int number)
{
	interrupted = number;
}

/* While a person is waited for, a signal ends the wait instead of the process, so that the caller can clean up. */
static void
catch_signals(struct sigaction old[static CAUGHT_COUNT])
{
	struct sigaction action = { .sa_handler = on_signal };	/* no SA_RESTART: read() returns */
	size_t i;

	interrupted = 0;
	for (i = 0; i < CAUGHT_COUNT; i++)
		(void)sigaction(caught[i], &action, &old[i]);
}

static void
restore_signals(const struct sigaction old[static CAUGHT_COUNT])
{
	size_t i;

	for (i = 0; i < CAUGHT_COUNT; i++)
		(void)sigaction(caught[i], &old[i], NULL);
}

static int
write_all(int fd, const char *text, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, text, len);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* One line, byte by byte: what follows belongs to the next reader. */
static int
read_line(int fd, struct secret *ret)
{
	bool too_long = false;
	ssize_t n;
	char c = '\0';

	ret->len = 0;
	for (;;) {
		n = interrupted != 0 ? -1 : read(fd, &c, 1);
		if (interrupted != 0)
			return -EINTR;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0 && ret->len == 0)
			return -ENODATA;
		if (n == 0 || c == '\n')
			break;
		if (c == '\0' || ret->len == SECRET_TEXT_MAX)
			too_long = true;
		else
			ret->text[ret->len++] = c;
	}
	ret->text[ret->len] = '\0';
	return too_long ? -E2BIG : 0;
}

void
secret_done(struct secret *secret)
{
	explicit_bzero(secret, sizeof *secret);
}

int
secret_read(int fd, struct secret *ret)
{
	struct sigaction old[CAUGHT_COUNT];
	int r;

	catch_signals(old);
	r = read_line(fd, ret);
	restore_signals(old);
	if (r < 0)
		secret_done(ret);
	return r;
}

int
secret_ask(const char *prompt, bool echo, struct secret *ret)
{
	struct sigaction old[CAUGHT_COUNT];
	struct termios before, quiet;
	int fd, r;

	fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -ENXIO;
	if (tcgetattr(fd, &before) < 0) {
		(void)close(fd);
		return -ENXIO;
	}
	quiet = before;
	if (!echo)
		quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	catch_signals(old);
	(void)tcsetattr(fd, TCSAFLUSH, &quiet);
	r = write_all(fd, prompt, strlen(prompt));
	if (r == 0)
		r = read_line(fd, ret);
	(void)tcsetattr(fd, TCSAFLUSH, &before);
	if (!echo || r == -EINTR)
		(void)write_all(fd, "\n", 1);
	restore_signals(old);
	(void)close(fd);
	if (r < 0)
		secret_done(ret);
	return r;
}

int
secret_write(int fd, const char *text)
{
	int r;

	r = write_all(fd, text, strlen(text));
	if (r == 0)
		r = write_all(fd, "\n", 1);
	if (fd > STDERR_FILENO && close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}

int
secret_generate(size_t len, struct secret *ret)
{
	static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789A";	/* 32: each byte's low 5 bits are uniform */
	size_t i;

	if (len > SECRET_TEXT_MAX)
		return -E2BIG;
	if (getrandom(ret->text, len, 0) != (ssize_t)len)
		return -EIO;
	for (i = 0; i < len; i++)
		ret->text[i] = letters[(unsigned char)ret->text[i] & 31];
	ret->text[len] = '\0';
	ret->len = len;
	return 0;
}
