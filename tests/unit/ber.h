/*
 * ber.h - bytes of LDAP messages as a scripted server says them.
 */
#ifndef ISMS_TESTS_BER_H
#define ISMS_TESTS_BER_H

#include <stddef.h>

#define BER_ROOM 16384

struct ber {
	unsigned char bytes[BER_ROOM];
	size_t len;
};

/* Append one element: tag, length in two bytes, content. */
void ber_put(struct ber *b, unsigned char tag, const void *content, size_t len);
/* Append an OCTET STRING. */
void ber_text(struct ber *b, const char *text);
/* Append an element whose content is another one. */
void ber_in(struct ber *b, unsigned char tag, const struct ber *content);

#endif
