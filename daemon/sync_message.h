/*
 * sync_message.h - the controls and messages of LDAP content synchronisation (RFC 4533), encoded and decoded.
 *
 * Pure. libldap's own ldap_sync_* blocks until a refresh is complete and hides whether it was one of presents or of
 * deletes (MEASURED 1), on which it depends who is still there.
 */
#ifndef ISMS_SYNC_MESSAGE_H
#define ISMS_SYNC_MESSAGE_H

#include <ldap.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SYNC_UUID_SIZE		16
#define SYNC_COOKIE_MAX		4096	/* bytes; a server's cookie that is longer is as good as none */

struct sync_cookie {
	bool there;
	size_t len;
	uint8_t bytes[SYNC_COOKIE_MAX];
	char server[256];	/* uri of the one that gave it; to another one it means nothing (RP12a) */
};

/* 3.2: what an entry's message is about. */
enum sync_state { SYNC_PRESENT, SYNC_ADD, SYNC_MODIFY, SYNC_DELETE };

/* 2.5: kinds of Sync Info Message. */
enum sync_info_kind { SYNC_NEW_COOKIE, SYNC_REFRESH_DELETE, SYNC_REFRESH_PRESENT, SYNC_ID_SET };

struct sync_info {
	enum sync_info_kind kind;
	bool refresh_done;		/* SYNC_REFRESH_*: the content is complete now */
	bool refresh_deletes;		/* SYNC_ID_SET: these are gone; else: these are there, unchanged */
	struct sync_cookie cookie;
	uint8_t (*uuids)[SYNC_UUID_SIZE];	/* owned; SYNC_ID_SET */
	size_t count;
};

/*
 * The value of the Sync Request Control, for refreshAndPersist (2.2).
 *
 *  cookie  of an earlier time; not there: everything is asked for
 *  ret     free with ber_bvfree()
 *
 * Returns 0 or -ENOMEM.
 */
int sync_request_encode(const struct sync_cookie *cookie, struct berval **ret);

/* The value of the Sync State Control of an entry. Returns 0 or -EBADMSG. */
int sync_state_decode(const struct berval *value, enum sync_state *ret_state, uint8_t ret_uuid[SYNC_UUID_SIZE],
    struct sync_cookie *ret_cookie);

/* The value of a Sync Info Message. Returns 0, -EBADMSG or -ENOMEM; free with sync_info_done(). */
int sync_info_decode(const struct berval *value, struct sync_info *ret);
void sync_info_done(struct sync_info *info);	/* a zeroed struct is fine */

#endif
