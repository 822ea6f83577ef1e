/*
 * publisher_store.c - hands descriptors of rosters to systemd and takes them back after a restart.
 *
 * Runs in the publisher. What comes back is judged like any candidate; the names say when it had come, and in which
 * order.
 */
#include <config.h>

#include "daemon/publisher_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define WHOLE	"roster."
#define CHANGE	"change."
#define NAME_SIZE 128

/* What systemd has of us. */
static struct {
	char whole[NAME_SIZE];			/* "": nothing */
	int64_t confirmed_utc_sec, boot_usec;	/* of it */
	uint64_t whole_serial, serial;		/* of it; of the last change */
	struct stored list[STORE_CHANGES_MAX + 1];	/* without descriptors */
	unsigned changes;
	bool is_full;
} kept;

static void
store(int fd, const char *name)
{
	char state[NAME_SIZE + 32];

	(void)snprintf(state, sizeof state, "FDSTORE=1\nFDNAME=%s", name);
	(void)sd_pid_notify_with_fds(0, 0, state, &fd, 1);
}

static void
discard(const char *name)
{
	char state[NAME_SIZE + 32];

	(void)snprintf(state, sizeof state, "FDSTOREREMOVE=1\nFDNAME=%s", name);
	(void)sd_notify(0, state);
}

static void
name_change(const struct stored *change, char name[NAME_SIZE])
{
	(void)snprintf(name, NAME_SIZE, CHANGE "%llx.%llx.%lld", (unsigned long long)change->serial,
	    (unsigned long long)change->after, (long long)change->confirmed_utc_sec);
}

static void
discard_change(const struct stored *change)
{
	char name[NAME_SIZE];

	name_change(change, name);
	discard(name);
}

/*
 * Keep the whole one under a name that says so. A memfd that systemd has already is not taken under a second name, so
 * that one is given up first; another one comes before the old one goes.
 */
static void
store_whole(int fd, bool is_same, const struct wall_clock *clock)
{
	char name[NAME_SIZE];

	(void)snprintf(name, sizeof name, WHOLE "%llx.%lld.%lld.%lld", (unsigned long long)kept.whole_serial,
	    (long long)kept.confirmed_utc_sec, (long long)clock->real_usec, (long long)clock->boot_usec);
	if (strcmp(kept.whole, name) == 0)
		return;
	if (is_same)
		discard(kept.whole);
	store(fd, name);
	if (!is_same && kept.whole[0] != '\0')
		discard(kept.whole);
	memcpy(kept.whole, name, sizeof kept.whole);
	kept.boot_usec = clock->boot_usec;
}

void
publisher_store_whole(int fd, uint64_t serial, int64_t confirmed_utc_sec, const struct wall_clock *clock)
{
	unsigned changes = kept.changes;

	kept.changes = 0;
	kept.is_full = false;
	kept.serial = kept.whole_serial = serial;
	kept.confirmed_utc_sec = confirmed_utc_sec;
	store_whole(fd, false, clock);
	for (unsigned i = 0; i < changes; i++)
		discard_change(&kept.list[i]);
}

bool
publisher_store_change(int fd, uint64_t serial, int64_t confirmed_utc_sec)
{
	struct stored *change = &kept.list[kept.changes];
	char name[NAME_SIZE];

	if (kept.is_full || kept.changes == STORE_CHANGES_MAX) {
		kept.is_full = true;
		return false;
	}
	*change = (struct stored){ .fd = -1, .serial = serial, .after = kept.serial, .confirmed_utc_sec = confirmed_utc_sec };
	name_change(change, name);
	store(fd, name);
	kept.serial = serial;
	kept.changes++;
	return true;
}

void
publisher_store_clock(int fd, const struct wall_clock *clock)
{
	if (fd >= 0)
		store_whole(fd, true, clock);
}

void
publisher_store_confirm(int fd, const struct wall_clock *clock)
{
	if (kept.whole[0] != '\0' && wall_clock_is_booting(kept.boot_usec) && !wall_clock_is_booting(clock->boot_usec))
		publisher_store_clock(fd, clock);
}

/* ---- taking back ---- */

static const char *
read_number(const char *at, int base, uint64_t *ret)
{
	char *end;

	*ret = strtoull(at, &end, base);
	return *end == '.' ? end + 1 : end;
}

/* WHOLE SERIAL.CONFIRMED.REAL.BOOT; what is not there stays 0. */
static void
read_whole(const char *name, struct stored *ret, struct wall_clock *ret_clock)
{
	uint64_t confirmed, real, boot;
	const char *at = read_number(name + strlen(WHOLE), 16, &ret->serial);

	at = read_number(at, 10, &confirmed);
	at = read_number(at, 10, &real);
	(void)read_number(at, 10, &boot);
	ret->confirmed_utc_sec = (int64_t)confirmed;
	*ret_clock = (struct wall_clock){ .real_usec = (int64_t)real, .boot_usec = (int64_t)boot };
}

/* CHANGE SERIAL.AFTER.CONFIRMED */
static void
read_change(const char *name, struct stored *ret)
{
	uint64_t confirmed;
	const char *at = read_number(name + strlen(CHANGE), 16, &ret->serial);

	at = read_number(at, 16, &ret->after);
	(void)read_number(at, 10, &confirmed);
	ret->confirmed_utc_sec = (int64_t)confirmed;
}

/* Put each change behind the one of which it is a change; returns how many are in their place. The others go. */
static unsigned
put_in_order(struct stored *all, unsigned count)
{
	struct stored next;
	unsigned placed = 1;

	for (unsigned i = placed; i < count; i++) {
		if (all[i].after == 0 || all[i].after != all[placed - 1].serial)
			continue;
		next = all[i];
		all[i] = all[placed];
		all[placed++] = next;
		i = placed - 1;		/* whatever is behind may be the next one */
	}
	for (unsigned i = placed; i < count; i++) {
		discard_change(&all[i]);
		(void)close(all[i].fd);
	}
	return placed;
}

unsigned
publisher_store_take(struct stored ret[STORE_CHANGES_MAX + 1], struct wall_clock *ret_clock)
{
	char **names = NULL;
	unsigned count = 1;
	bool has_whole = false;
	int n = sd_listen_fds_with_names(0, &names);

	*ret_clock = (struct wall_clock){ .real_usec = 0 };
	for (int i = 0; i < n; i++) {
		struct stored found = { .fd = SD_LISTEN_FDS_START + i };

		if (strncmp(names[i], WHOLE, strlen(WHOLE)) == 0 && !has_whole) {
			read_whole(names[i], &found, ret_clock);
			(void)snprintf(kept.whole, sizeof kept.whole, "%s", names[i]);
			ret[0] = found;
			has_whole = true;
		} else if (strncmp(names[i], CHANGE, strlen(CHANGE)) == 0 && count <= STORE_CHANGES_MAX) {
			read_change(names[i], &found);
			ret[count++] = found;
		}
		free(names[i]);
	}
	if (n > 0)
		free(names);
	if (!has_whole)
		return 0;
	count = put_in_order(ret, count);
	kept.confirmed_utc_sec = ret[0].confirmed_utc_sec;
	kept.boot_usec = ret_clock->boot_usec;
	kept.whole_serial = ret[0].serial;
	kept.serial = ret[count - 1].serial;
	kept.changes = count - 1;
	memcpy(kept.list, &ret[1], kept.changes * sizeof kept.list[0]);
	return count;
}
