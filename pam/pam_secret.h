/*
 * pam_secret.h - memory for passwords, codes and tickets, inside somebody else's process.
 */
#ifndef ISMS_PAM_SECRET_H
#define ISMS_PAM_SECRET_H

#include <stddef.h>

/*
 * Zeroed pages of their own: not in core files, not given to forked children, not in swap where the
 * limits of the caller allow, with an inaccessible page before and after.
 *
 * Returns NULL without memory. Free with secret_free() and the same size, which wipes; NULL is fine.
 */
void *secret_new(size_t size_bytes);
void secret_free(void *secret, size_t size_bytes);

#endif
