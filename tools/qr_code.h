/*
 * qr_code.h - a QR code as text for a terminal.
 */
#ifndef ISMS_QR_CODE_H
#define ISMS_QR_CODE_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Draw text as a QR code with UTF-8 half blocks, two modules a character, four modules of margin.
 *
 *  colour  set black on white by terminal sequences, so that it can be read on any background;
 *          without it, light modules are drawn and a dark background is assumed
 *
 * Returns 0, -E2BIG when the text is too long, -ENOMEM, or -EIO. Copies of the text are wiped.
 */
int qr_code_draw(FILE *to, const char *text, bool colour);

/* How many columns the drawing of text takes, its margin included; it takes half as many lines, rounded up. -1: none. */
int qr_code_columns(const char *text);

#endif
