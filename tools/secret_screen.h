/*
 * secret_screen.h - shows a token's secret once, on a terminal, and takes it away again.
 */
#ifndef ISMS_SECRET_SCREEN_H
#define ISMS_SECRET_SCREEN_H

#include "common/recovery_code.h"
#include "tools/token.h"

/*
 * Show the QR code, the otpauth URI and the secret in base32 on stdout, which the caller knows to be a
 * terminal. A terminal that can shows them on its second screen, which keeps no history.
 *
 *  base  entry of the directory; its domain is shown as the issuer
 *
 * Returns 0 or -errno. To be followed by secret_screen_clear() in either case.
 */
int secret_screen_show(const struct token *token, const char *user, const char *base);

/*
 * Show recovery codes in the same way, until the person says that they are noted; then they are gone.
 *
 *  codes,count  of recovery_codes_make()
 *
 * Returns 0 or -errno.
 */
int secret_screen_codes(const struct recovery_code *codes, unsigned count, const char *user);

/* Take it away. */
void secret_screen_clear(void);

/* "dc=example,dc=com" -> "example.com"; a base without dc is "isms". Returns buf. */
char *secret_screen_issuer(const char *base, char *buf, size_t size);

#endif
