/*
 * secret_screen.c - shows a token's secret or recovery codes once, on a terminal, and takes them away again.
 *
 * Runs in isms-userctl only (enroll, recovery-codes). Must never write to anything but a terminal; the caller has asked
 * isatty(). stdio's buffer is wiped, since it held the secret.
 */
#include <config.h>

#include "tools/secret_screen.h"

#include <errno.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tools/qr_code.h"
#include "tools/secret.h"

static char buffer[16384];	/* of stdout while the secret is shown */

static bool
is_dumb(void)
{
	const char *term = getenv("TERM");

	return term == NULL || term[0] == '\0' || strcmp(term, "dumb") == 0;
}

/* Lines of text below the code, the prompt among them; the URI may be broken into several. */
static int
text_lines(const char *uri, int columns)
{
	return 7 + ((int)strlen(uri) + 10) / columns;
}

/*
 * Say why no code is drawn, or return true: the second screen keeps no history, so that a code of which the
 * top has left the window could never be scanned.
 */
static bool
code_fits(const char *uri)
{
	struct winsize window = { 0 };
	int columns = qr_code_columns(uri), lines;

	if (strcasecmp(nl_langinfo(CODESET), "UTF-8") != 0) {
		(void)printf("No QR code without a UTF-8 locale; with one: LC_ALL=C.UTF-8 isms-userctl enroll ...\n\n");
		return false;
	}
	if (columns < 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) < 0 || window.ws_row == 0 || window.ws_col == 0)
		return true;
	lines = (columns + 1) / 2 + text_lines(uri, window.ws_col > columns ? window.ws_col : columns);
	if (window.ws_col >= columns && window.ws_row >= lines)
		return true;
	(void)printf("The QR code needs a window of %d columns and %d lines; this one has %d and %d.\n"
		     "For the code, press Ctrl-C (the token is taken back), enlarge the window and enrol again.\n\n",
	    columns, lines, window.ws_col, window.ws_row);
	return false;
}

char *
secret_screen_issuer(const char *base, char *buf, size_t size)
{
	size_t used = 0, len;

	buf[0] = '\0';
	while (*base != '\0') {
		while (*base == ' ' || *base == ',')
			base++;
		len = strcspn(base, ",");
		if (strncasecmp(base, "dc=", 3) == 0 && used + len < size)
			used += (size_t)snprintf(buf + used, size - used, "%s%.*s", used > 0 ? "." : "", (int)len - 3, base + 3);
		base += len;
	}
	if (used == 0)
		(void)snprintf(buf, size, "isms");
	return buf;
}

/* From here on stdout's buffer can be wiped. */
static void
begin(void)
{
	(void)fflush(stdout);
	(void)setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
	if (!is_dumb())
		(void)fputs("\033[?1049h\033[H\033[2J", stdout);	/* second screen, cleared */
}

int
secret_screen_show(const struct token *token, const char *user, const char *base)
{
	char uri[1024], secret[2 * TOKEN_SECRET_MAX], issuer[128];
	bool drawn;
	int r;

	r = token_base32(token, secret, sizeof secret);
	if (r == 0)
		r = token_uri(token, user, secret_screen_issuer(base, issuer, sizeof issuer), uri, sizeof uri);
	if (r < 0)
		goto out;
	begin();
	drawn = code_fits(uri);
	if (drawn)
		r = qr_code_draw(stdout, uri, !is_dumb() && getenv("NO_COLOR") == NULL);
	(void)printf("%s authenticator app%s. It is shown this once.\n\n  Account  %s\n  Secret   %s\n  URI      %s\n\n",
	    drawn ? "Scan this with an" : "Type this into an", drawn ? ", or type it in" : "", user, secret, uri);
	if (fflush(stdout) != 0 && r == 0)
		r = -EIO;
out:
	explicit_bzero(uri, sizeof uri);
	explicit_bzero(secret, sizeof secret);
	explicit_bzero(buffer, sizeof buffer);
	return r;
}

int
secret_screen_codes(const struct recovery_code *codes, unsigned count, const char *user)
{
	struct secret answer = { 0 };
	int r = 0;

	begin();
	(void)printf("Recovery codes of %s. Each is good for one login, in place of a one-time code.\n"
	    "They are shown this once: print them, or write them down, and keep them apart from the token.\n\n", user);
	for (unsigned i = 0; i < count; i++)
		(void)printf("  %s\n", codes[i].shown);
	(void)printf("\n");
	if (fflush(stdout) != 0)
		r = -EIO;
	explicit_bzero(buffer, sizeof buffer);
	if (r == 0)
		r = secret_ask("Press Enter once they are noted: ", true, &answer);
	secret_done(&answer);
	if (r != -ENXIO)	/* nobody to wait for: they stay, rather than to be gone unseen */
		secret_screen_clear();
	return r == -EIO ? r : 0;
}

void
secret_screen_clear(void)
{
	if (!is_dumb())
		(void)fputs("\033[H\033[2J\033[?1049l", stdout);
	(void)fflush(stdout);
}
