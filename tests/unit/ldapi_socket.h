/*
 * ldapi_socket.h - a socket below suite_folder() that a scripted LDAP server listens on.
 */
#ifndef ISMS_LDAPI_SOCKET_H
#define ISMS_LDAPI_SOCKET_H

#include <stddef.h>

/* Bind it; what was there before goes. uri receives its ldapi:// address. Returns the descriptor, or the test fails. */
int ldapi_socket(char *uri, size_t size);

#endif
