/*
 * doctor_service.c - isms-userctl doctor: the processes, policy, refused entries, clock, /proc.
 *
 * Must never take an answer for the process's health alone: what it says of itself is looked at too.
 */
#include <config.h>

#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>

#include "common/policy.h"
#include "tools/ask_daemon.h"
#include "tools/doctor.h"

/* What the front says of its own files, policy, state and clock. */
static void
check_front(struct doctor *d, const json_t *object)
{
	static const struct { const char *key, *well, *cure; } lines[] = {
		{ "configuration", "ok", "mend it; isms-userctl config check, policy check" },
		{ "policy", "ok", "isms-userctl policy check, then systemctl reload ismsd-front ismsd-directory ismsd-publisher" },
		{ "state", "ok", "make /var/lib/isms/state writable again: is the disk full?" },
		{ "clock", "trusted", "mend time synchronisation, then isms-userctl clock trust" },
	};
	const char *text;
	size_t i;

	for (i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		text = json_string_value(json_object_get(object, lines[i].key));
		if (text != NULL && strcmp(text, lines[i].well) != 0)
			doctor_note(d, "service", FINDING_BAD, lines[i].cure, "ismsd-front, %s: %s", lines[i].key, text);
	}
}

/* What the directory process says of its servers; returns whether there is nothing to say. */
static bool
check_servers(struct doctor *d, const json_t *object)
{
	const char *fault = json_string_value(json_object_get(object, "fault"));
	const char *reading = json_string_value(json_object_get(object, "reading"));
	const char *held = json_string_value(json_object_get(object, "held"));
	const char *unit = ask_daemon_unit(PROCESS_DIRECTORY);
	const json_t *connected = json_object_get(object, "connected");
	bool lost = json_is_string(connected) && strcmp(json_string_value(connected), "no") == 0;

	if (held != NULL)
		doctor_note(d, "service", FINDING_WARN, "isms-userctl snapshot show", "%s holds changes back: %s", unit, held);
	if (reading != NULL)
		doctor_note(d, "service", FINDING_BAD, fault != NULL ? "wait, and mend that if it fails again" : "wait, and look again",
		    "%s is reading the directory: %s%s%s", unit, reading, fault != NULL ? "; the attempt before: " : "",
		    fault != NULL ? fault : "");
	else if (lost && settings_uses_ldap(&d->in->settings))
		doctor_note(d, "service", FINDING_BAD, "mend the server or the way to it; isms-userctl doctor --directory tries it",
		    "%s: %s", unit, fault != NULL ? fault : "no server is connected");
	else
		return true;
	return false;
}

static void
check_process(struct doctor *d, enum process process, enum message number, struct msg_report *report)
{
	char nothing[1] = "", cure[128];
	const char *fault;
	json_t *object;
	int r;

	(void)ask_daemon_cure(d->in, process, cure, sizeof cure);
	r = ask_daemon(d->in, process, number, nothing, MSG_REPORT, report);
	if (r < 0) {
		doctor_note(d, "service", FINDING_BAD, cure, "%s does not answer: %s", ask_daemon_unit(process), strerror(-r));
		return;
	}
	object = ask_daemon_report(report);
	fault = json_string_value(json_object_get(object, "fault"));
	if (process != PROCESS_DIRECTORY || check_servers(d, object)) {
		if (fault != NULL && fault[0] != '\0')
			doctor_note(d, "service", FINDING_BAD, cure, "%s: %s", ask_daemon_unit(process), fault);
		else
			doctor_note(d, "service", FINDING_OK, NULL, "%s answers", ask_daemon_unit(process));
	}
	if (process == PROCESS_FRONT)
		check_front(d, object);
	json_decref(object);
}

static void
check_policy(struct doctor *d)
{
	struct policy *policy = NULL;
	char error[512] = "";

	if (policy_load(d->in->paths.etc, &policy, error, sizeof error) < 0)
		doctor_note(d, "policy", FINDING_BAD, invocation_is_set_up(d->in) ? "mend it; isms-userctl policy check" :
		    "isms-userctl setup", "%s",
		    error[0] != '\0' ? error : "policy.conf cannot be read");
	else if (policy_role_count(policy) == 0)
		doctor_note(d, "policy", FINDING_BAD, "write a role; see isms-policy(5)", "policy.conf has no role: everybody is refused");
	else
		doctor_note(d, "policy", FINDING_OK, NULL, "policy.conf has %zu role%s", policy_role_count(policy),
		    policy_role_count(policy) == 1 ? "" : "s");
	policy_free(policy);
}

static void
check_clock(struct doctor *d)
{
	struct timex t = { 0 };

	if (d->in->root[0] != '\0')
		return;		/* that is this host's clock, not that root's */
	if (adjtimex(&t) == TIME_ERROR || (t.status & STA_UNSYNC) != 0)
		doctor_note(d, "clock", FINDING_BAD, "install and start chrony or systemd-timesyncd",
		    "the clock is not synchronised: codes by time fail and ends come at the wrong instant");
	else
		doctor_note(d, "clock", FINDING_OK, NULL, "the clock is synchronised");
}

bool
doctor_hides_processes(const char *mounts)
{
	static const char *const open_to_all[] = { "hidepid=0", "hidepid=off" };
	FILE *f = setmntent(mounts, "re");
	const struct mntent *m;
	const char *option;
	bool hides = false;

	while (f != NULL && (m = getmntent(f)) != NULL) {
		if (strcmp(m->mnt_dir, "/proc") != 0)
			continue;
		option = hasmntopt(m, "hidepid");
		hides = option != NULL;		/* the last mount is the one that is seen */
		for (size_t i = 0; option != NULL && i < 2; i++) {
			size_t len = strlen(open_to_all[i]);

			if (strcspn(option, ",") == len && strncmp(option, open_to_all[i], len) == 0)
				hides = false;
		}
	}
	if (f != NULL)
		(void)endmntent(f);
	return hides;
}

static void
check_proc(struct doctor *d)
{
	if (d->in->root[0] != '\0')
		return;		/* that is this host's /proc, not that root's */
	if (doctor_hides_processes("/proc/self/mounts"))
		doctor_note(d, "proc", FINDING_BAD, "take hidepid out of /etc/fstab and mount -o remount,hidepid=0 /proc",
		    "/proc is mounted with hidepid: processes outside logind's sessions are not ended with the contract");
	else
		doctor_note(d, "proc", FINDING_OK, NULL, "/proc shows the processes of all users");
}

static void
check_entries(struct doctor *d)
{
	size_t i;

	for (i = 0; d->account != NULL && i < d->account->identities.fault_count; i++)
		doctor_note(d, "directory", FINDING_WARN, "mend the entry", "%s", d->account->identities.faults[i].text);
	if (d->account != NULL && i == 0)
		doctor_note(d, "directory", FINDING_OK, NULL, "%zu account%s, no entry is refused",
		    d->account->identities.user_count, d->account->identities.user_count == 1 ? "" : "s");
}

void
doctor_service(struct doctor *d)
{
	struct msg_report *report = calloc(1, sizeof *report);

	if (report != NULL) {
		check_process(d, PROCESS_FRONT, MSG_STATUS, report);
		check_process(d, PROCESS_DIRECTORY, MSG_DIRECTORY_STATUS, report);
		check_process(d, PROCESS_PUBLISHER, MSG_PUBLISHER_STATUS, report);
	}
	free(report);
	check_policy(d);
	check_entries(d);
	check_clock(d);
	check_proc(d);
}
