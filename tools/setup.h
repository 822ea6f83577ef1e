/*
 * setup.h - one run of isms-userctl setup: what was asked, what was made, what was started.
 */
#ifndef ISMS_SETUP_H
#define ISMS_SETUP_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "tools/invocation.h"
#include "tools/secret.h"
#include "tools/setup_files.h"
#include "tools/units.h"

#define SETUP_UNITS 6

struct setup {
	struct invocation *in;
	bool settings_there;		/* isms.conf existed before */
	bool changed;			/* something was written: running processes must read it */
	char base[256], contact[128], time_zone[64];	/* "": not asked for */
	char uri[1024], srv_targets[1024], host_dn[256], ca_file[256];	/* likewise; of LDAP servers */
	struct secret host_password;
	bool network;			/* a drop-in of the directory process was written: systemd must read it */
	struct setup_made made;
	struct units *units;		/* owned; NULL until setup_start() */
	bool started[SETUP_UNITS];	/* by us: did not run before */
	json_t *result;			/* owned; what is shown */
};

/* Note what became of one part: "written: /etc/isms/isms.conf". path may be NULL. */
void setup_say(struct setup *s, const char *key, const char *text, const char *path);

/*
 * Start the processes, or restart them where something changed, and wait until a snapshot is published.
 *
 * Returns EXIT_DONE, or has said what is wrong.
 */
enum exit_code setup_start(struct setup *s);

/*
 * Take --uri and what goes with it, and the password of --host-dn.
 *
 * Returns EXIT_DONE, or has said what is wrong.
 */
enum exit_code setup_ldap_answers(struct setup *s);

/*
 * See that a server of in->settings answers, and takes the host and, if one was named, the operator. Writes nothing.
 *
 * Returns EXIT_DONE, or has said what is wrong.
 */
enum exit_code setup_ldap_check(struct setup *s);

/* Write the host's password, and leave for the directory process to reach the servers. Returns as setup_ldap_check(). */
enum exit_code setup_ldap_write(struct setup *s);

/* Have systemd read its units again, where setup_ldap_write() or its undoing changed one. Returns 0 or -errno. */
int setup_reload(struct setup *s);

/* Stop the units that were started here. */
void setup_stop(struct setup *s);

/* The gid of a local group by name; fallback when there is none. */
gid_t setup_local_gid(const struct invocation *in, const char *name, gid_t fallback);

/* Free it. */
void setup_done(struct setup *s);

#endif
