/*
 * test_publisher_store.c - what systemd is told to keep, and what is made of it after a restart, whatever its order.
 *
 * The test stands for systemd: it takes sd_notify()'s datagrams, and passes descriptors on as sd_listen_fds(3) says. That
 * systemd itself does so is seen in tests/integration/publisher.sh.
 */
#include <config.h>

#include "daemon/publisher_store.h"

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "daemon/roster.h"
#include "tests/unit/suite.h"

#define KEPT_MAX 600

static sem_t done;		/* all that was asked for before is done */
static struct { char name[128]; int fd; } kept[KEPT_MAX];
static int kept_count;
static unsigned taken;		/* after a restart, also what fits nowhere */
static const struct wall_clock clock_1 = { .real_usec = 111, .boot_usec = 222 }, clock_2 = { .real_usec = 333, .boot_usec = 444 };

static void
keep(const char *name, int fd)
{
	ck_assert_int_lt(kept_count, KEPT_MAX);
	(void)snprintf(kept[kept_count].name, sizeof kept[0].name, "%s", name);
	kept[kept_count++].fd = fd;
}

static void
give_up(const char *name)
{
	for (int i = 0; i < kept_count; i++) {
		if (strcmp(kept[i].name, name) != 0)
			continue;
		(void)close(kept[i].fd);
		kept[i--] = kept[--kept_count];
	}
}

/* Do what is asked for, as it comes. */
static void *
manage(void *arg)
{
	union { struct cmsghdr align; char bytes[CMSG_SPACE(sizeof(int))]; } control;
	char text[512], *name;
	struct iovec iov = { text, sizeof text - 1 };
	int manager = (int)(intptr_t)arg, fd;

	for (;;) {
		struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			.msg_controllen = sizeof control };
		ssize_t n = recvmsg(manager, &mh, MSG_CMSG_CLOEXEC);

		ck_assert_int_ge(n, 0);
		text[n] = '\0';
		if (strcmp(text, "STATUS=served") == 0) {
			(void)sem_post(&done);
			continue;
		}
		name = strstr(text, "FDNAME=");
		ck_assert_ptr_nonnull(name);
		name += strlen("FDNAME=");
		name[strcspn(name, "\n")] = '\0';
		if (strncmp(text, "FDSTOREREMOVE=1", 15) == 0) {
			give_up(name);
			continue;
		}
		ck_assert_ptr_nonnull(CMSG_FIRSTHDR(&mh));
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&mh)), sizeof fd);
		keep(name, fd);
	}
	return arg;
}

/* Wait until all of it is done. */
static void
serve(void)
{
	ck_assert_int_gt(sd_notify(0, "STATUS=served"), 0);
	ck_assert_int_eq(sem_wait(&done), 0);
}

static void
begin(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	static int manager;		/* systemd's end, out of the way of what it passes on */
	pthread_t thread;
	int fd;

	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s/notify", suite_folder());
	(void)unlink(address.sun_path);
	kept_count = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	manager = fcntl(fd, F_DUPFD_CLOEXEC, SD_LISTEN_FDS_START + KEPT_MAX);
	(void)close(fd);
	ck_assert_int_eq(bind(manager, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(sem_init(&done, 0, 0), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, manage, (void *)(intptr_t)manager), 0);
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", address.sun_path, 1), 0);
}

static int
memfd_of(unsigned content)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	ck_assert_int_eq(write(fd, &content, sizeof content), sizeof content);
	return fd;
}

/* The descriptor goes back to its owner once it was handed over. */
static bool
store_change(unsigned content, uint64_t serial)
{
	int fd = memfd_of(content);
	bool kept_it = publisher_store_change(fd, serial, 1000 + content);

	(void)close(fd);
	serve();
	return kept_it;
}

static void
store_whole(unsigned content, uint64_t serial)
{
	int fd = memfd_of(content);

	publisher_store_whole(fd, serial, 1000 + content, &clock_1);
	(void)close(fd);
	serve();
}

static void
content_is(const struct stored *stored, unsigned content)
{
	unsigned found = 0;

	ck_assert_int_eq(pread(stored->fd, &found, sizeof found, 0), sizeof found);
	ck_assert_uint_eq(found, content);
	ck_assert_int_eq(stored->confirmed_utc_sec, 1000 + content);
}

/* Where systemd's descriptors will be, none of libcheck's may be: without fork it opens one anew after each test. */
static void
reserve_numbers(void)
{
	for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + KEPT_MAX; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)dup2(STDIN_FILENO, fd);
}

/* As systemd starts the next process: descriptors from 3 on, in this order. */
static unsigned
restart(struct stored *ret, struct wall_clock *ret_clock)
{
	static char names[KEPT_MAX * 128], number[16];
	unsigned taken_count;
	size_t used = 0;

	for (int i = 0; i < kept_count; i++) {		/* out of the way first */
		kept[i].fd = fcntl(kept[i].fd, F_DUPFD_CLOEXEC, SD_LISTEN_FDS_START + KEPT_MAX);
		ck_assert_int_ge(kept[i].fd, 0);
	}
	for (int i = 0; i < kept_count; i++) {
		ck_assert_int_eq(dup2(kept[i].fd, SD_LISTEN_FDS_START + i), SD_LISTEN_FDS_START + i);
		used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ":" : "", kept[i].name);
	}
	(void)snprintf(number, sizeof number, "%d", kept_count);
	ck_assert_int_eq(setenv("LISTEN_FDS", number, 1), 0);
	ck_assert_int_eq(setenv("LISTEN_FDNAMES", names, 1), 0);
	(void)snprintf(number, sizeof number, "%d", (int)getpid());
	ck_assert_int_eq(setenv("LISTEN_PID", number, 1), 0);
	taken_count = publisher_store_take(ret, ret_clock, &taken);
	reserve_numbers();
	return taken_count;
}

static void
shuffle(void)
{
	for (int i = kept_count - 1; i > 0; i--) {
		int k = (int)(random() % (i + 1));
		char name[128];
		int fd = kept[i].fd;

		memcpy(name, kept[i].name, sizeof name);
		memcpy(kept[i].name, kept[k].name, sizeof name);
		kept[i].fd = kept[k].fd;
		memcpy(kept[k].name, name, sizeof name);
		kept[k].fd = fd;
	}
}

START_TEST(in_order)
{
	static struct stored back[STORE_KEPT_MAX];
	struct wall_clock clock;

	begin();
	srandom(2);
	keep("publisher.socket", memfd_of(99));		/* not ours to take */
	store_whole(1, UINT64_MAX / 4);
	for (unsigned i = 0; i < 30; i++)
		ck_assert(store_change(2 + i, 100 + i));
	store_whole(50, 7);				/* all of before goes */
	ck_assert_int_eq(kept_count, 2);
	for (unsigned i = 0; i < 30; i++)
		ck_assert(store_change(51 + i, 8 + i * 5));
	ck_assert_int_eq(kept_count, 32);
	shuffle();
	ck_assert_uint_eq(restart(back, &clock), 31);
	ck_assert_uint_eq(taken, 31);
	ck_assert_int_eq(clock.real_usec, clock_1.real_usec);
	ck_assert_int_eq(clock.boot_usec, clock_1.boot_usec);
	ck_assert_uint_eq(back[0].serial, 7);
	ck_assert_uint_eq(back[0].after, 0);
	content_is(&back[0], 50);
	for (unsigned i = 0; i < 30; i++) {
		ck_assert_uint_eq(back[1 + i].serial, 8 + i * 5);
		ck_assert_uint_eq(back[1 + i].after, back[i].serial);
		content_is(&back[1 + i], 51 + i);
	}
	/* The next process goes on where this one was, and gives all of it up in the end. */
	publisher_store_clock(back[0].fd, &clock_2);
	serve();
	ck_assert(store_change(90, 777));
	ck_assert_int_eq(kept_count, 33);
	store_whole(91, 1000);
	ck_assert_int_eq(kept_count, 2);
}
END_TEST

/* With one missing the state in force is not known, and stays so for the next process, until a whole one comes. */
START_TEST(with_a_gap)
{
	static struct stored back[STORE_KEPT_MAX];
	struct wall_clock clock;

	begin();
	store_whole(1, 10);
	for (unsigned i = 0; i < 6; i++)
		ck_assert(store_change(2 + i, 11 + i));
	give_up("change.d.c.1004");			/* serial 13 */
	ck_assert_int_eq(kept_count, 6);
	ck_assert_uint_eq(restart(back, &clock), 3);
	ck_assert_uint_eq(taken, 6);
	ck_assert_uint_eq(back[2].serial, 12);
	serve();
	ck_assert_int_eq(kept_count, 6);
	store_whole(9, 100);
	ck_assert_int_eq(kept_count, 1);
}
END_TEST

/* Whoever died between keeping another whole one and giving up the old one: the newest counts, whatever comes first. */
START_TEST(two_whole)
{
	static struct stored back[STORE_KEPT_MAX];
	struct wall_clock clock;

	begin();
	store_whole(1, 1000);
	for (unsigned i = 0; i < 3; i++)
		ck_assert(store_change(2 + i, 1001 + i));
	keep("roster.7.1009.333.444", memfd_of(9));	/* of another directory process: a lower serial, a later time */
	if (_i == 1)
		give_up("change.3e9.3e8.1002");
	for (int i = 0; i < 5; i++)
		shuffle();
	ck_assert_uint_eq(restart(back, &clock), 1);
	ck_assert_uint_eq(taken, 1);
	ck_assert_uint_eq(back[0].serial, 7);
	ck_assert_int_eq(clock.boot_usec, 444);
	content_is(&back[0], 9);
	serve();
	ck_assert_int_eq(kept_count, 1);
	ck_assert_str_eq(kept[0].name, "roster.7.1009.333.444");
	ck_assert(store_change(10, 8));
	ck_assert_uint_eq(back[0].after, 0);
}
END_TEST

START_TEST(nothing_kept)
{
	static struct stored back[STORE_KEPT_MAX];
	struct wall_clock clock;

	begin();
	keep("publisher.socket", memfd_of(99));
	keep("change.2.1.5", memfd_of(1));		/* of what? */
	ck_assert_uint_eq(restart(back, &clock), 0);
	ck_assert_int_eq(clock.boot_usec, 0);
}
END_TEST

START_TEST(full)
{
	begin();
	store_whole(1, 1);
	for (unsigned i = 0; i < STORE_CHANGES_MAX; i++)
		ck_assert(store_change(2, 2 + i));
	ck_assert(!store_change(2, 5000));
	ck_assert(!store_change(2, 5001));
	ck_assert_int_eq(kept_count, STORE_CHANGES_MAX + 2);
	store_whole(1, 6000);
	ck_assert(store_change(2, 6001));
	ck_assert_int_eq(kept_count, 2);
}
END_TEST

/* A file of so many bytes, which takes no memory. */
static bool
store_large(off_t size, uint64_t new_serial)
{
	int fd = memfd_of(1);
	bool kept_it;

	ck_assert_int_eq(ftruncate(fd, size), 0);
	kept_it = publisher_store_change(fd, new_serial, 1001);
	(void)close(fd);
	serve();
	return kept_it;
}

/* Nor are more bytes kept than a whole roster may have; what has no room leaves a mark, which is no roster. */
START_TEST(too_large)
{
	static struct stored back[STORE_KEPT_MAX];
	struct wall_clock clock;
	char byte;

	begin();
	store_whole(1, 1);
	ck_assert(store_large((off_t)ROSTER_BYTES_MAX / 2, 2));
	ck_assert(store_large((off_t)ROSTER_BYTES_MAX / 2 - _i, 3));
	ck_assert_int_eq(store_large(1, 4), _i == 1);
	ck_assert(!store_large(1, 5));
	ck_assert_int_eq(kept_count, _i == 1 ? 5 : 4);
	ck_assert_uint_eq(restart(back, &clock), (unsigned)kept_count);
	ck_assert_uint_eq(back[kept_count - 1].serial, _i == 1 ? 5 : 4);
	ck_assert_int_eq(pread(back[kept_count - 1].fd, &byte, 1, 0), 0);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { in_order, 0 }, { with_a_gap, 0 }, { two_whole, 2 }, { nothing_kept, 0 },
		{ full, 0 }, { too_large, 2 } };

	reserve_numbers();
	return suite_run("publisher_store", rows, ROWS(rows), 30);
}
