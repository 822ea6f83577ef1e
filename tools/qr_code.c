/*
 * qr_code.c - a QR code as text for a terminal (libqrencode).
 *
 * Runs in isms-userctl only. What it draws is a secret: the caller makes sure that a terminal is at the
 * other end, the library's copy is wiped here.
 */
#include <config.h>

#include "tools/qr_code.h"

#include <errno.h>
#include <qrencode.h>
#include <string.h>

#define MARGIN 4	/* ISO/IEC 18004: four light modules around it */

/* Whether the module is dark; the margin is light. */
static bool
is_dark(const QRcode *code, int x, int y)
{
	if (x < 0 || y < 0 || x >= code->width || y >= code->width)
		return false;
	return (code->data[y * code->width + x] & 1) != 0;
}

/* A character shows an upper and a lower module; what is drawn is the light ones. */
static const char *
block(bool upper_dark, bool lower_dark)
{
	if (upper_dark)
		return lower_dark ? " " : "\xe2\x96\x84";		/* U+2584 lower half */
	return lower_dark ? "\xe2\x96\x80" : "\xe2\x96\x88";	/* U+2580 upper half, U+2588 full */
}

int
qr_code_columns(const char *text)
{
	QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
	int columns;

	if (code == NULL)
		return -1;
	columns = code->width + 2 * MARGIN;
	explicit_bzero(code->data, (size_t)code->width * (size_t)code->width);
	QRcode_free(code);
	return columns;
}

int
qr_code_draw(FILE *to, const char *text, bool colour)
{
	QRcode *code;
	int x, y, r = 0;

	code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
	if (code == NULL)
		return errno == ERANGE ? -E2BIG : -ENOMEM;
	for (y = -MARGIN; y < code->width + MARGIN; y += 2) {
		if (colour)
			(void)fputs("\033[40;97m", to);
		for (x = -MARGIN; x < code->width + MARGIN; x++)
			(void)fputs(block(is_dark(code, x, y), is_dark(code, x, y + 1)), to);
		(void)fputs(colour ? "\033[0m\n" : "\n", to);
	}
	if (fflush(to) != 0)
		r = -EIO;
	explicit_bzero(code->data, (size_t)code->width * (size_t)code->width);
	QRcode_free(code);
	return r;
}
