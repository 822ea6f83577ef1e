/*
 * old_mapping.c - stands for a libnss_isms that goes on with an old mapping after the snapshot's file is gone: loaded by
 * a test under its soname, it still resolves "remembered".
 */
#include <config.h>

#include <nss.h>
#include <pwd.h>
#include <string.h>

enum nss_status _nss_isms_getpwnam_r(const char *name, struct passwd *record, char *buf, size_t size, int *error);

__attribute__((visibility("default"))) enum nss_status
_nss_isms_getpwnam_r(const char *name, struct passwd *record, char *buf, size_t size, int *error)
{
	(void)record;
	(void)buf;
	(void)size;
	(void)error;
	return strcmp(name, "remembered") == 0 ? NSS_STATUS_SUCCESS : NSS_STATUS_UNAVAIL;
}
