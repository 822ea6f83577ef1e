/*
 * publisher_store.c - hands the roster's descriptor to systemd and takes it back after a restart.
 *
 * Runs in the publisher. What comes back is judged like any candidate; its name says when it had come.
 */
#include <config.h>

#include "daemon/publisher_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define NAME_PREFIX "roster."

static char stored_name[48];

void
publisher_store_roster(int fd, int64_t confirmed_utc_sec)
{
	char name[sizeof stored_name], state[96];

	(void)snprintf(name, sizeof name, NAME_PREFIX "%lld", (long long)confirmed_utc_sec);
	if (stored_name[0] != '\0') {
		(void)snprintf(state, sizeof state, "FDSTOREREMOVE=1\nFDNAME=%s", stored_name);
		(void)sd_notify(0, state);
	}
	(void)snprintf(state, sizeof state, "FDSTORE=1\nFDNAME=%s", name);
	(void)sd_pid_notify_with_fds(0, 0, state, &fd, 1);
	memcpy(stored_name, name, sizeof stored_name);
}

int
publisher_stored_roster(int64_t *ret_confirmed_utc_sec)
{
	char **names = NULL;
	int n, fd = -ENOENT;

	n = sd_listen_fds_with_names(0, &names);
	for (int i = 0; i < n; i++) {
		if (strncmp(names[i], NAME_PREFIX, strlen(NAME_PREFIX)) == 0 && fd < 0) {
			(void)snprintf(stored_name, sizeof stored_name, "%s", names[i]);
			*ret_confirmed_utc_sec = strtoll(names[i] + strlen(NAME_PREFIX), NULL, 10);
			fd = SD_LISTEN_FDS_START + i;
		}
		free(names[i]);
	}
	if (n > 0)
		free(names);
	return fd;
}
