/*
 * giver.c - a PAM module for the tests: leaves a password for the modules behind it, as pam_unix would.
 */
#include <config.h>

#include <security/pam_modules.h>

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
