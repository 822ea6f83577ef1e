/*
 * giver.c - a PAM module for the tests: leaves a password for the modules behind it, as pam_unix would (its argument;
 * "empty": one without a letter; "watch": none, but lets the application look at itself between two modules), and says
 * in open_session what pam_systemd would read there.
 */
#include <config.h>

#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stddef.h>
#include <string.h>

/* A message that the scene takes for a sign; nothing here touches errno. */
static int
watch(pam_handle_t *pamh)
{
	const struct pam_message message = { .msg_style = PAM_TEXT_INFO, .msg = "watch" };
	const struct pam_message *messages = &message;
	struct pam_response *response = NULL;
	const struct pam_conv *conv;
	const void *item = NULL;

	if (pam_get_item(pamh, PAM_CONV, &item) != PAM_SUCCESS || item == NULL)
		return PAM_ABORT;
	conv = item;
	return conv->conv(1, &messages, &response, conv->appdata_ptr) == PAM_SUCCESS ? PAM_IGNORE : PAM_ABORT;
}

__attribute__((visibility("default"))) int
pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)flags;
	if (argc > 0 && strcmp(argv[0], "empty") == 0)
		return pam_set_item(pamh, PAM_AUTHTOK, "");
	if (argc > 0 && strcmp(argv[0], "watch") == 0)
		return watch(pamh);
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
