/*
 * pam_paths.c - the fixed paths and deadlines of pam_isms on a real system.
 *
 * Loaded into every PAM application. Holds constants only; it must never learn to read them from
 * anywhere, since whoever moves the socket or the snapshot decides who may log in.
 */
#include <config.h>

#include "pam/pam_paths.h"

#include "common/guarded.h"

static const struct pam_paths real = {
	.socket = "/run/isms/ismsd.sock",
	.passwd = "/etc/passwd",
	.snapshot = "/var/lib/isms/nss/base.1.snap",
	.guarded = "/var/lib/isms/nss/" GUARDED_FILE,
	.server_user = "isms",
	.owner = 0,
	.privileged = 0,
	.connect_ms = 5000,
	.total_ms = 15000,
	.tell_ms = 3000,
	.person_ms = 120000,
};

const struct pam_paths *
pam_paths(void)
{
	return &real;
}
