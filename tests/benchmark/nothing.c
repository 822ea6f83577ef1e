/*
 * nothing.c - libnss_nothing.so.2: a service that knows nobody. What a first lookup takes with it, glibc takes.
 */
#include <nss.h>
#include <pwd.h>
#include <stddef.h>

enum nss_status _nss_nothing_getpwnam_r(const char *name, struct passwd *pw, char *buf, size_t size, int *error);

enum nss_status
_nss_nothing_getpwnam_r(const char *name, struct passwd *pw, char *buf, size_t size, int *error)
{
	(void)name;
	(void)pw;
	(void)buf;
	(void)size;
	(void)error;
	return NSS_STATUS_NOTFOUND;
}
