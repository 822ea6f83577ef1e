/*
 * ldapi_socket.c - see ldapi_socket.h.
 */
#include <config.h>

#include "tests/unit/ldapi_socket.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/suite.h"

int
ldapi_socket(char *uri, size_t size)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s/ldapi", suite_folder());
	(void)snprintf(uri, size, "ldapi://");
	for (const char *at = address.sun_path; *at != '\0'; at++)
		(void)snprintf(uri + strlen(uri), size - strlen(uri), *at == '/' ? "%%2f" : "%c", *at);
	(void)unlink(address.sun_path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}
