/*
 * proto.h - the wire format between pam_isms, isms-userctl and the processes of ismsd.
 *
 * One message is one SOCK_SEQPACKET datagram: no partial reads, hence no state machine for them.
 *
 *   frame   = version(u16) number(u16) length(u32) field*      little-endian; length = bytes of fields
 *   field   = u32 | u64 | i64 | length(u32) bytes              in the order of proto.def
 *
 *   ACK is 8 bytes:  01 00  05 00  00 00 00 00
 *
 * A frame is refused as a whole when its version or number is unknown, when a length passes its
 * maximum or the frame's end, when text holds a NUL, or when bytes are left over (THREATS 5.3).
 * Everything here is libc only and allocates nothing: it links into pam_isms.
 */
#ifndef ISMS_PROTO_H
#define ISMS_PROTO_H

#include <stddef.h>
#include <stdint.h>

#define PROTO_VERSION		1
#define PROTO_HEADER_SIZE	8
#define PROTO_FRAME_MAX		8192	/* on ismsd.sock */
#define PROTO_PRIVATE_MAX	65536	/* between our own processes: FACTS carries group names */

enum {	/* flags of a request */
	REQUEST_SILENT = 1 << 0,		/* PAM_SILENT: no messages; sudo asks its questions so */
	REQUEST_DISALLOW_NULL = 1 << 1,		/* PAM_DISALLOW_NULL_AUTHTOK; always so with us */
	REQUEST_USE_FIRST_PASS = 1 << 2,	/* first_pass stands for the first answer, even if empty */
	REQUEST_AUTH_CALLED = 1 << 3,		/* auth ran in this PAM handle */
	REQUEST_CHANGE_PRELIM = 1 << 4,		/* PAM_PRELIM_CHECK */
	REQUEST_LOCAL = 1 << 5,			/* a local account under policy ([local] manage): pam_unix has its password */
};

enum { ANSWER_FAILED, ANSWER_GIVEN };

enum factor {	/* bits */
	FACTOR_PASSWORD = 1 << 0,
	FACTOR_KEY = 1 << 1,
	FACTOR_OTP = 1 << 2,
	FACTOR_PASSWORD_STALE = 1 << 3,	/* the password was right, and the directory lets it in for a change only */
	FACTOR_RECOVERY = 1 << 4,	/* beside FACTOR_OTP: the code was a recovery code */
	FACTOR_PASSWORD_CHANGED = 1 << 5,	/* changed since, in this login: what the directory demanded before is done */
};

enum facts_state {
	FACTS_UNKNOWN,		/* no such user: everything else is empty */
	FACTS_MANAGED,
	FACTS_BROKEN,		/* an entry that cannot be trusted: deny (THREATS I10) */
	FACTS_NOT_READY,	/* the source has no complete view yet: deny, directory-unavailable */
};

/* How somebody stands who answers for another one: by his own entry, at the time of the question. */
enum care {
	CARE_NONE,		/* nobody is named */
	CARE_VALID,		/* until his end, if he has one */
	CARE_MISSING,	/* no account, or one that cannot be read */
	CARE_ENDED,		/* disabled, or his contract is over */
};

enum kind { KIND_UNKNOWN, KIND_EMPLOYEE, KIND_CONTRACTOR, KIND_SERVICE, KIND_BREAK_GLASS, KIND_COUNT };
enum token_type { TOKEN_NONE, TOKEN_TOTP, TOKEN_HOTP };
enum token_algorithm { TOKEN_SHA_NONE, TOKEN_SHA1, TOKEN_SHA256, TOKEN_SHA512 };

/* Who may send a message; judged by the kernel's peer credentials alone. */
enum peer { PEER_ANY = 1, PEER_ROOT, PEER_FRONT, PEER_DIRECTORY, PEER_OURS, PEER_SERVER };
/*
 * PEER_FRONT: uid of isms, or root; PEER_DIRECTORY: uid of isms-dir, or root; PEER_OURS: any of these; PEER_SERVER: an answer,
 * never a request.
 */

/* The receiver's state in which a message is legal. */
enum proto_state { ST_NEW = 1, ST_PROMPTED, ST_DECIDED, ST_WAITING };

/* One struct per message. Text fields are char[max + 1], NUL-terminated. */
#define MSG(NAME, type, number, sender, state) struct type {
#define U32(NAME, type, field) uint32_t field;
#define U64(NAME, type, field) uint64_t field;
#define I64(NAME, type, field) int64_t field;
#define STR(NAME, type, field, max) char field[(max) + 1];
#define SECRET(NAME, type, field, max) char field[(max) + 1];
#define END(NAME, type) char end_[1]; };
#include "common/proto.def"
#undef MSG
#undef U32
#undef U64
#undef I64
#undef STR
#undef SECRET
#undef END

enum message {
#define MSG(NAME, type, number, sender, state) MSG_##NAME = number,
#define U32(...)
#define U64(...)
#define I64(...)
#define STR(...)
#define SECRET(...)
#define END(...)
#include "common/proto.def"
#undef MSG
#undef U32
#undef U64
#undef I64
#undef STR
#undef SECRET
#undef END
};

enum field_kind { FIELD_END, FIELD_U32, FIELD_U64, FIELD_STR, FIELD_SECRET };

struct field {
	enum field_kind kind;
	const char *name;
	size_t offset;		/* in the message's struct */
	uint32_t max;		/* of text, without its NUL */
};

struct message_info {
	enum message number;
	const char *name;
	enum peer sender;
	enum proto_state state;
	size_t struct_size;
	const struct field *fields;
};

/*
 * The row of a message of proto.def.
 *
 *  number  from a frame's header, not trusted
 *
 * Returns the row, or NULL for a number that does not exist.
 */
const struct message_info *proto_find(uint32_t number);

/*
 * Write a message as one frame.
 *
 *  info      row of the message
 *  msg       its struct; text longer than its maximum cannot occur, since the arrays end there
 *  buf,size  receives the frame
 *
 * Returns the frame's length in bytes, or -ENOBUFS when it does not fit in size.
 */
int proto_encode(const struct message_info *info, const void *msg, uint8_t *buf, size_t size);

/*
 * Read a frame's header. Does not look at the fields, so that the peer is judged before any parsing.
 *
 *  ret_info  the row of the message
 *
 * Returns 0, or -EBADMSG: version, number or length are not as they must be.
 */
int proto_peek(const uint8_t *buf, size_t size, const struct message_info **ret_info);

/*
 * Decode a whole frame that proto_peek() took.
 *
 *  ret_msg   struct of info->struct_size bytes; zeroed first, wiped again on failure
 *
 * Returns 0 or -EBADMSG.
 */
int proto_decode(const struct message_info *info, const uint8_t *buf, size_t size, void *ret_msg);

#endif
