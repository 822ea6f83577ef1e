/*
 * doctor.h - findings about a host: what is wrong and what cures it. One function per area.
 */
#ifndef ISMS_DOCTOR_H
#define ISMS_DOCTOR_H

#include <jansson.h>
#include <stdbool.h>

#include "tools/account.h"
#include "tools/invocation.h"

enum finding { FINDING_OK, FINDING_WARN, FINDING_BAD, FINDING_UNKNOWN };

struct doctor {
	struct invocation *in;
	const struct account *account;	/* borrowed; NULL when the directory cannot be read */
	json_t *findings;		/* owned: {"check", "state", "what", "cure"} */
	bool bad;
};

/*
 * Add a finding.
 *
 *  check  area, e.g. "sshd"
 *  cure   NULL for FINDING_OK
 */
void doctor_note(struct doctor *d, const char *check, enum finding state, const char *cure, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* sshd_config: UsePAM, KbdInteractiveAuthentication, the drop-in of ours. */
void doctor_sshd(struct doctor *d);

/* /etc/pam.d: our module in the account and session stage of every way in; home directories. */
void doctor_pam(struct doctor *d);

/* nsswitch.conf, nscd, SSSD, the group isms-mfa, lines of /etc/group that list managed users. */
void doctor_names(struct doctor *d);

/* [local] manage: whether it is in force, and whom it locks out. */
void doctor_local(struct doctor *d);

/* Owners and modes of our files, and whether the modules are there. */
void doctor_files(struct doctor *d);

/* Whether a table of mounts, like /proc/self/mounts, has a /proc that hides the processes of others (hidepid). */
bool doctor_hides_processes(const char *mounts);

/* What the LDAP servers allow this host, and whoever gives no name; after invocation_settings(). */
void doctor_directory(struct doctor *d);

/* The processes, settings, policy, refused entries, clock, /proc. */
void doctor_service(struct doctor *d);

#endif
