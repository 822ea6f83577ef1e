/*
 * guarded.h - the name of the file that tells pam_isms which local accounts are under policy ([local] manage).
 *
 * Beside the snapshot, written by the publisher (daemon/guarded_list.h), read by pam/pam_guarded.c: one name a line and
 * nothing else. No date and no rule stands there: those are asked of the front.
 */
#ifndef ISMS_GUARDED_H
#define ISMS_GUARDED_H

#define GUARDED_FILE		"local-accounts"
#define GUARDED_BYTES_MAX	65536	/* of the file; about 2,000 names */

#endif
