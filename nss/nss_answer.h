/*
 * nss_answer.h - from our results to glibc's: status, errno, and the event when there is no answer.
 */
#ifndef ISMS_NSS_ANSWER_H
#define ISMS_NSS_ANSWER_H

#include <nss.h>

#include "common/snapshot.h"

/*
 * Map a result.
 *
 *  r       1 found, 0 absent, or -errno
 *  errnop  glibc's; written only for TRYAGAIN and UNAVAIL
 *
 * SUCCESS, NOTFOUND; TRYAGAIN for -ERANGE and -ENOMEM; else UNAVAIL, with ENOENT for a snapshot that is
 * missing and EINVAL for one that is refused or corrupt.
 */
enum nss_status nss_answer(int r, int *errnop);

/*
 * Write the event NSS_UNAVAILABLE, once in the life of a process (and of its forked children) per kind of
 * fault: missing, refused, header corrupt, record corrupt, unreadable for another reason.
 *
 *  s  the snapshot whose record is corrupt, or NULL when there is none
 */
void nss_report_fault(int r, const struct snapshot *s);

#endif
