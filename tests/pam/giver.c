/*
 * giver.c - a PAM module for the tests: leaves a password for the modules behind it, as pam_unix would, and says in
 * open_session what pam_systemd would read there.
 */
#include <config.h>

#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stddef.h>

__attribute__((visibility("default"))) int
pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)flags;
	(void)argv;
	return pam_set_item(pamh, PAM_AUTHTOK, argc > 0 ? argv[0] : "given before");
}

__attribute__((visibility("default"))) int
pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_IGNORE;
}

__attribute__((visibility("default"))) int
pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	const void *limit = NULL;

	(void)flags;
	(void)argc;
	(void)argv;
	if (pam_get_data(pamh, "systemd.runtime_max_sec", &limit) == PAM_SUCCESS && limit != NULL)
		return pam_info(pamh, "limit %s", (const char *)limit);
	return pam_info(pamh, "no limit");
}

__attribute__((visibility("default"))) int
pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_IGNORE;
}
