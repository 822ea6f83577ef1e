/*
 * policy_service.c - PAM services and their classes (DESIGN 3.4).
 *
 * Runs in ismsd and isms-userctl; pure. Must never put a service that a person uses from afar into a
 * class that asks for less: what is in no table is remote, the strictest.
 */
#include <config.h>

#include <string.h>

#include "common/policy_parts.h"

static const struct {
	const char *service;
	enum service_class class;
} table[] = {
	{ "sshd", CLASS_REMOTE },
	{ "login", CLASS_REMOTE },
	{ "gdm-password", CLASS_REMOTE },
	{ "lightdm", CLASS_REMOTE },
	{ "sddm", CLASS_REMOTE },
	{ "cockpit", CLASS_REMOTE },
	{ "xrdp-sesman", CLASS_REMOTE },
	{ "sudo", CLASS_ELEVATION },
	{ "sudo-i", CLASS_ELEVATION },
	{ "su", CLASS_ELEVATION },
	{ "su-l", CLASS_ELEVATION },
	{ "run0", CLASS_ELEVATION },
	{ "polkit-1", CLASS_ELEVATION },
	{ "unprivileged", CLASS_ELEVATION },
	{ "cron", CLASS_UNATTENDED },
	{ "crond", CLASS_UNATTENDED },
	{ "atd", CLASS_UNATTENDED },
	{ "systemd-user", CLASS_UNATTENDED },
};

bool
policy_builtin_class(const char *service, enum service_class *ret)
{
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		if (strcmp(table[i].service, service) == 0) {
			*ret = table[i].class;
			return true;
		}
	}
	return false;
}

enum service_class
policy_class(const struct policy *policy, const char *service, bool root_caller)
{
	enum service_class class = CLASS_REMOTE;

	/* Root needs nobody's password; what it starts this way proves nothing about the person. */
	if (root_caller && (strcmp(service, "su") == 0 || strcmp(service, "su-l") == 0))
		return CLASS_UNATTENDED;
	if (policy_builtin_class(service, &class))
		return class;
	if (names_has(&policy->services[CLASS_ELEVATION], service))
		return CLASS_ELEVATION;
	if (names_has(&policy->services[CLASS_UNATTENDED], service))
		return CLASS_UNATTENDED;
	return CLASS_REMOTE;
}

/* A user manager and a locker come with any session; nobody lists them. */
static bool
is_implied(const char *service)
{
	return strcmp(service, "systemd-user") == 0 || strcmp(service, "unprivileged") == 0;
}

bool
policy_role_allows(const struct policy *policy, const struct role *role, const char *service)
{
	const struct names *list = &role->allow_services;

	if (names_has(list, service))
		return true;
	if (!is_implied(service))
		return false;
	for (const char *s = names_next(list, NULL); s != NULL; s = names_next(list, s)) {
		if (policy_class(policy, s, false) == CLASS_REMOTE)
			return true;
	}
	return false;
}
