/*
 * module.h - the built module, loaded as glibc would, and what it does to the process around it.
 *
 * Every test runs in a child of its own (module_test), so that each begins with a module that was never
 * used. There MUST() ends the child with a message instead of libcheck's assertions.
 */
#ifndef ISMS_TESTS_MODULE_H
#define ISMS_TESTS_MODULE_H

#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

#include "daemon/snapshot_write.h"

#define MUST(condition) \
	do { \
		if (!(condition)) \
			module_failed(__FILE__, __LINE__, #condition); \
	} while (0)

_Noreturn void module_failed(const char *file, int line, const char *what);

/* The entry points, by module_load(). */
struct module {
	void *handle;
	enum nss_status (*getpwnam_r)(const char *, struct passwd *, char *, size_t, int *);
	enum nss_status (*getpwuid_r)(uid_t, struct passwd *, char *, size_t, int *);
	enum nss_status (*getgrnam_r)(const char *, struct group *, char *, size_t, int *);
	enum nss_status (*getgrgid_r)(gid_t, struct group *, char *, size_t, int *);
	enum nss_status (*initgroups_dyn)(const char *, gid_t, long *, long *, gid_t **, long, int *);
	enum nss_status (*setpwent)(int);
	enum nss_status (*getpwent_r)(struct passwd *, char *, size_t, int *);
	enum nss_status (*endpwent)(void);
	enum nss_status (*setgrent)(int);
	enum nss_status (*getgrent_r)(struct group *, char *, size_t, int *);
	enum nss_status (*endgrent)(void);
};
extern struct module module;

/* dlopen; the folder is the present one of scratch.h. */
void module_load(void);

/* Run a test in a child with an empty folder. Returns whether it ended well within a minute. */
bool module_test(void (*test)(void));

/* What the module asked of the system, counted by functions that stand before libc's. */
extern _Atomic int module_opens, module_sends;
extern _Atomic int module_fail_opens;	/* of the next files that are no epoch page so many cannot be opened */
extern char module_last_event[4096];	/* fields with newlines, as journald would get them */
extern _Atomic bool module_strange_open;	/* outside the test's folder */

/* Publish population p; must succeed. */
struct population;
void module_publish(const struct population *p, const struct snapshot_header_in *header);

/* The page says of no base any more that it has no delta. */
void module_withdraw_bare(void);

/* Put an image under the snapshot's name and advance the epoch, whatever is in it. */
struct snapshot_image;
void module_publish_image(const struct snapshot_image *image);

/* How many mappings of bases and of deltas the process has; descriptors it has open. */
int module_mappings(void);
int module_delta_mappings(void);
int module_descriptors(void);

/* Where the one base is mapped. */
uintptr_t module_mapping(void);

#endif
