/*
 * nss_isms.h - the entry points that glibc finds by name (nsswitch: passwd, group, initgroups).
 *
 * Prototypes as in glibc's nss.h documentation; it ships none.
 */
#ifndef ISMS_NSS_ISMS_H
#define ISMS_NSS_ISMS_H

#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <sys/types.h>

#define NSS_EXPORT __attribute__((visibility("default")))

/*
 * Lookups: SUCCESS; NOTFOUND (errno untouched); TRYAGAIN with ERANGE when size is too small;
 * UNAVAIL while the snapshot is missing, refused or corrupt.
 */
NSS_EXPORT enum nss_status _nss_isms_getpwnam_r(const char *name, struct passwd *ret, char *buf, size_t size,
    int *errnop);
NSS_EXPORT enum nss_status _nss_isms_getpwuid_r(uid_t uid, struct passwd *ret, char *buf, size_t size, int *errnop);
NSS_EXPORT enum nss_status _nss_isms_getgrnam_r(const char *name, struct group *ret, char *buf, size_t size,
    int *errnop);
NSS_EXPORT enum nss_status _nss_isms_getgrgid_r(gid_t gid, struct group *ret, char *buf, size_t size, int *errnop);

/*
 * Add the supplementary groups of a user to an array.
 *
 *  group   the primary one, which the caller has put there itself; left out
 *  start   used elements, advanced; size: elements there is room for, raised with the array
 *  limit   most elements there may be; 0 or less: no limit
 *
 * SUCCESS for every user of the snapshot, with no groups too: glibc then asks no other source
 * (`initgroups: isms files`), so this list is the whole truth. NOTFOUND for everybody else.
 */
NSS_EXPORT enum nss_status _nss_isms_initgroups_dyn(const char *user, gid_t group, long *start, long *size,
    gid_t **groups, long limit, int *errnop);

/* Enumeration, if the snapshot allows it; else NOTFOUND at once. One cursor per process and map. */
NSS_EXPORT enum nss_status _nss_isms_setpwent(int stay_open);
NSS_EXPORT enum nss_status _nss_isms_getpwent_r(struct passwd *ret, char *buf, size_t size, int *errnop);
NSS_EXPORT enum nss_status _nss_isms_endpwent(void);
NSS_EXPORT enum nss_status _nss_isms_setgrent(int stay_open);
NSS_EXPORT enum nss_status _nss_isms_getgrent_r(struct group *ret, char *buf, size_t size, int *errnop);
NSS_EXPORT enum nss_status _nss_isms_endgrent(void);

#endif
