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
#include <sys/mman.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "daemon/roster.h"

#define WHOLE	"roster."
#define CHANGE	"change."
#define NAME_SIZE 128

/* What systemd has of us. */
static struct {
	char whole[NAME_SIZE];			/* "": nothing */
	int64_t confirmed_utc_sec, boot_usec;	/* of it */
	uint64_t whole_serial, serial;		/* of it; of the last change */
	struct stored list[STORE_KEPT_MAX];	/* without descriptors */
	unsigned changes;
	uint64_t change_bytes;			/* of all changes */
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

static void
name_whole(const struct wall_clock *clock, char name[NAME_SIZE])
{
	(void)snprintf(name, NAME_SIZE, WHOLE "%llx.%lld.%lld.%lld", (unsigned long long)kept.whole_serial,
	    (long long)kept.confirmed_utc_sec, (long long)clock->real_usec, (long long)clock->boot_usec);
}

/* Another one comes before the old ones go; the old whole one goes last: see take_whole(). */
void
publisher_store_whole(int fd, uint64_t serial, int64_t confirmed_utc_sec, const struct wall_clock *clock)
{
	char name[NAME_SIZE];

	kept.serial = kept.whole_serial = serial;
	kept.confirmed_utc_sec = confirmed_utc_sec;
	name_whole(clock, name);
	store(fd, name);
	for (unsigned i = 0; i < kept.changes; i++)
		discard_change(&kept.list[i]);
	if (kept.whole[0] != '\0' && strcmp(kept.whole, name) != 0)
		discard(kept.whole);
	memcpy(kept.whole, name, sizeof kept.whole);
	kept.boot_usec = clock->boot_usec;
	kept.changes = 0;
	kept.change_bytes = 0;
	kept.is_full = false;
}

/* ---- changes ---- */

/* Of what cannot be measured it is more than there is room for. */
static uint64_t
size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 || st.st_size < 0 ? ROSTER_BYTES_MAX + 1ull : (uint64_t)st.st_size;
}

static void
add_change(int fd, uint64_t serial, int64_t confirmed_utc_sec)
{
	struct stored *change = &kept.list[kept.changes++];
	char name[NAME_SIZE];

	*change = (struct stored){ .fd = -1, .serial = serial, .after = kept.serial, .confirmed_utc_sec = confirmed_utc_sec };
	name_change(change, name);
	store(fd, name);
	kept.serial = serial;
}

/* In its place comes what nobody can read: a restart must not take what is older for what was in force. */
static void
add_mark(uint64_t serial, int64_t confirmed_utc_sec)
{
	int fd = memfd_create("full", MFD_CLOEXEC);

	kept.is_full = true;
	if (fd < 0) {		/* then nothing at all is kept */
		discard(kept.whole);
		return;
	}
	add_change(fd, serial, confirmed_utc_sec);
	(void)close(fd);
}

bool
publisher_store_change(int fd, uint64_t serial, int64_t confirmed_utc_sec)
{
	uint64_t bytes = size_of(fd);

	if (kept.is_full)
		return false;
	if (kept.changes >= STORE_CHANGES_MAX || kept.change_bytes + bytes > ROSTER_BYTES_MAX) {
		add_mark(serial, confirmed_utc_sec);
		return false;
	}
	add_change(fd, serial, confirmed_utc_sec);
	kept.change_bytes += bytes;
	return true;
}

/* A memfd that systemd has already is not taken under a second name, so it is given up first. */

void
publisher_store_clock(int fd, const struct wall_clock *clock)
{
	char name[NAME_SIZE];

	name_whole(clock, name);
	if (fd < 0 || strcmp(kept.whole, name) == 0)
		return;
	discard(kept.whole);
	store(fd, name);
	memcpy(kept.whole, name, sizeof kept.whole);
	kept.boot_usec = clock->boot_usec;
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

/* Put each change behind the one of which it is a change; returns how many are in their place. */
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
	return placed;
}

/*
 * Take a whole one; of two, the newest: the publisher died before it gave the other one up, and no change of the newest
 * was kept yet. Returns whether there were two.
 */
static bool
take_whole(int fd, const char *name, struct stored *best, struct wall_clock *best_clock)
{
	struct stored found = { .fd = fd };
	struct wall_clock clock;
	bool is_second = kept.whole[0] != '\0', is_newer;

	read_whole(name, &found, &clock);
	is_newer = !is_second || found.confirmed_utc_sec > best->confirmed_utc_sec ||
	    (found.confirmed_utc_sec == best->confirmed_utc_sec && found.serial > best->serial);
	if (is_second) {
		discard(is_newer ? kept.whole : name);
		(void)close(is_newer ? best->fd : fd);
	}
	if (is_newer) {
		*best = found;
		*best_clock = clock;
		(void)snprintf(kept.whole, sizeof kept.whole, "%s", name);
	}
	return is_second;
}

/* Changes that belong to a whole one which was given up. */
static void
drop_strays(const struct stored *all, unsigned first, unsigned end)
{
	for (unsigned i = first; i < end; i++) {
		discard_change(&all[i]);
		(void)close(all[i].fd);
	}
}

unsigned
publisher_store_take(struct stored ret[STORE_KEPT_MAX], struct wall_clock *ret_clock, unsigned *ret_count)
{
	char **names = NULL;
	unsigned count = 1, placed;
	bool had_two = false;
	int n = sd_listen_fds_with_names(0, &names);

	memset(&kept, 0, sizeof kept);
	*ret_clock = (struct wall_clock){ .real_usec = 0 };
	*ret_count = 0;
	for (int i = 0; i < n; i++) {
		struct stored found = { .fd = SD_LISTEN_FDS_START + i };

		if (strncmp(names[i], WHOLE, strlen(WHOLE)) == 0) {
			had_two |= take_whole(found.fd, names[i], &ret[0], ret_clock);
		} else if (strncmp(names[i], CHANGE, strlen(CHANGE)) == 0 && count < STORE_KEPT_MAX) {
			read_change(names[i], &found);
			ret[count++] = found;
		}
		free(names[i]);
	}
	if (n > 0)
		free(names);
	if (kept.whole[0] == '\0') {
		drop_strays(ret, 1, count);	/* of what? */
		return 0;
	}
	placed = put_in_order(ret, count);
	if (had_two) {
		drop_strays(ret, placed, count);
		count = placed;
	}
	kept.confirmed_utc_sec = ret[0].confirmed_utc_sec;
	kept.boot_usec = ret_clock->boot_usec;
	kept.whole_serial = ret[0].serial;
	kept.serial = ret[placed - 1].serial;
	kept.changes = count - 1;
	memcpy(kept.list, &ret[1], kept.changes * sizeof kept.list[0]);
	for (unsigned i = 1; i < count; i++)
		kept.change_bytes += size_of(ret[i].fd);
	*ret_count = count;
	return placed;
}
