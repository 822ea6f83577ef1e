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

static char stored_name[96];
static int64_t stored_boot_usec;

void
publisher_store_roster(int fd, uint64_t serial, int64_t confirmed_utc_sec, const struct wall_clock *clock)
{
	char name[sizeof stored_name], state[160];

	(void)snprintf(name, sizeof name, NAME_PREFIX "%llx.%lld.%lld.%lld",
	    (unsigned long long)serial, (long long)confirmed_utc_sec,
	    (long long)clock->real_usec, (long long)clock->boot_usec);
	if (stored_name[0] != '\0') {
		(void)snprintf(state, sizeof state, "FDSTOREREMOVE=1\nFDNAME=%s", stored_name);
		(void)sd_notify(0, state);
	}
	(void)snprintf(state, sizeof state, "FDSTORE=1\nFDNAME=%s", name);
	(void)sd_pid_notify_with_fds(0, 0, state, &fd, 1);
	memcpy(stored_name, name, sizeof stored_name);
	stored_boot_usec = clock->boot_usec;
}

void
publisher_store_confirm(int fd, uint64_t serial, int64_t confirmed_utc_sec, const struct wall_clock *clock)
{
	if (fd >= 0 && stored_name[0] != '\0' && wall_clock_is_booting(stored_boot_usec) &&
	    !wall_clock_is_booting(clock->boot_usec))
		publisher_store_roster(fd, serial, confirmed_utc_sec, clock);
}

/* NAME_PREFIX SERIAL.CONFIRMED.REAL.BOOT; what is not there stays 0. */
static void
read_name(const char *name, uint64_t *ret_serial, int64_t *ret_confirmed_utc_sec, struct wall_clock *ret_clock)
{
	char *at;

	*ret_clock = (struct wall_clock){ .real_usec = 0 };
	*ret_confirmed_utc_sec = 0;
	*ret_serial = strtoull(name + strlen(NAME_PREFIX), &at, 16);
	if (*at == '.')
		*ret_confirmed_utc_sec = strtoll(at + 1, &at, 10);
	if (*at == '.')
		ret_clock->real_usec = strtoll(at + 1, &at, 10);
	if (*at == '.')
		ret_clock->boot_usec = strtoll(at + 1, &at, 10);
}

int
publisher_stored_roster(uint64_t *ret_serial, int64_t *ret_confirmed_utc_sec, struct wall_clock *ret_clock)
{
	char **names = NULL;
	int n, fd = -ENOENT;

	n = sd_listen_fds_with_names(0, &names);
	for (int i = 0; i < n; i++) {
		if (strncmp(names[i], NAME_PREFIX, strlen(NAME_PREFIX)) == 0 && fd < 0) {
			(void)snprintf(stored_name, sizeof stored_name, "%s", names[i]);
			read_name(names[i], ret_serial, ret_confirmed_utc_sec, ret_clock);
			fd = SD_LISTEN_FDS_START + i;
		}
		free(names[i]);
	}
	if (n > 0)
		free(names);
	return fd;
}
