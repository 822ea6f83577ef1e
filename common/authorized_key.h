/*
 * authorized_key.h - public keys as directory entries hold them: read strictly, written as lines for sshd.
 *
 * A value is "TYPE BASE64 [comment]" and never has options: what a key may do is the record's to say, not the value's.
 */
#ifndef ISMS_AUTHORIZED_KEY_H
#define ISMS_AUTHORIZED_KEY_H

#include <stddef.h>
#include <stdint.h>

#define AUTHORIZED_KEY_TYPE_MAX		40
#define AUTHORIZED_KEY_BLOB_MAX		2832	/* characters of base64; RSA of 16384 bits has 2778 */
#define AUTHORIZED_KEY_BYTES_MAX	(AUTHORIZED_KEY_BLOB_MAX / 4 * 3)
#define AUTHORIZED_KEY_TEXT_MAX		4096	/* a whole value */
#define AUTHORIZED_KEY_COMMENT_MAX	127	/* of a longer one the rest is not kept */
#define AUTHORIZED_KEY_PRINT_SIZE	51	/* "SHA256:", 43 characters, NUL */
#define AUTHORIZED_KEY_LINE_MAX		7000	/* of a written line, its end included */
#define AUTHORIZED_KEY_COMMAND_MAX	1023
#define AUTHORIZED_KEYS_MAX		32	/* of one account; more are not looked at */

struct authorized_key {
	char type[AUTHORIZED_KEY_TYPE_MAX + 1];
	char blob[AUTHORIZED_KEY_BLOB_MAX + 1];		/* canonical base64 */
	char comment[AUTHORIZED_KEY_COMMENT_MAX + 1];	/* for people alone, never for sshd */
	char fingerprint[AUTHORIZED_KEY_PRINT_SIZE];	/* as ssh-keygen -l shows it */
	int64_t added_utc_sec;				/* by the mark of isms-userctl in the comment; 0: none */
};

/* What a line lets its key do. */
struct authorized_key_limits {
	int64_t until_utc_sec;		/* expiry-time; 0: none */
	const char *from;		/* networks, separated by spaces; "": from anywhere */
	const char *command;		/* forced; "": none */
	int restricted;			/* 1: no terminal, forwarding or rc file */
};

/*
 * Read a value.
 *
 *  text,len   untrusted; white space at its end alone is not looked at
 *  ret        wholly written on success
 *  ret_fault  static words on what is wrong; may be NULL
 *
 * Returns 0 or -EINVAL: another type than the common ones (no certificates, no DSA, no RSA below 2048 bits), base64
 * that is not canonical, a blob that is not such a key from its first byte to its last, a control character, anything
 * in front.
 */
int authorized_key_parse(const char *text, size_t len, struct authorized_key *ret, const char **ret_fault);

/*
 * The fingerprint of a key as sshd names it in SSH_AUTH_INFO_0: its type and base64, judged as above.
 *
 * Returns 0 or -EINVAL.
 */
int authorized_key_print(const char *type, size_t type_len, const char *blob, size_t blob_len,
    char ret[static AUTHORIZED_KEY_PRINT_SIZE]);

/* Whether text is "SHA256:" and 43 characters of base64: a fingerprint as sshd's %f gives it. */
int authorized_key_is_print(const char *text);

/* 0 for a forced command that can stand in a line: printable, not too long, no backslash at its end. Else -EINVAL. */
int authorized_key_command_check(const char *command);

/*
 * Write the line for sshd, with its line end.
 *
 *  limits  from and command are judged here once more
 *
 * Returns its length, -EINVAL for limits that no line can say, or -ENOBUFS.
 */
int authorized_key_line(const struct authorized_key *key, const struct authorized_key_limits *limits, char *buf,
    size_t size);

#endif
