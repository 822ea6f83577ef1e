/*
 * channel.h - one datagram in, one datagram out, with a deadline and a known peer.
 *
 * Client side of every socket of ours (pam_isms, isms-userctl, front -> directory ...). Blocking
 * with poll() and CLOCK_MONOTONIC deadlines; servers use their event loop and proto.h instead.
 * libc only. No descriptor below 3 is ever used (THREATS PH01), none is left open on failure,
 * SIGPIPE is never raised.
 */
#ifndef ISMS_CHANNEL_H
#define ISMS_CHANNEL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/proto.h"

/* CLOCK_MONOTONIC now, in milliseconds; deadlines are absolute values of it. */
int64_t channel_now_ms(void);

/*
 * Connect to one of our sockets and make sure that it is ours.
 *
 *  path         absolute
 *  owners       uids of which the peer (the process that called listen()) must be one
 *  owner_count  at least 1
 *  deadline_ms  CLOCK_MONOTONIC
 *  ret_fd       close-on-exec, 3 or above; the caller closes it
 *
 * Returns 0, -EPERM for a peer that is not ours, -ETIMEDOUT, or the errno of socket/connect.
 */
int channel_connect(const char *path, const uid_t *owners, size_t owner_count, int64_t deadline_ms, int *ret_fd);

/*
 * Send one message; the frame's copy on the stack is wiped. Returns 0, -ETIMEDOUT, -EPIPE ... .
 */
int channel_send(int fd, enum message number, const void *msg, int64_t deadline_ms);

/*
 * As channel_send(), with a descriptor attached by SCM_RIGHTS; the caller keeps its own copy.
 */
int channel_send_fd(int fd, enum message number, const void *msg, int attach_fd, int64_t deadline_ms);

/*
 * Receive one message of any kind.
 *
 *  buf,size  room for the frame; the caller wipes it
 *  ret_info  the row of the message; decode with proto_decode(info, buf, *ret_size, ...)
 *
 * Returns 0, -ETIMEDOUT, -ECONNRESET at the end of the stream, -EBADMSG for a malformed or truncated
 * frame or one with descriptors attached.
 */
int channel_recv(int fd, uint8_t *buf, size_t size, int64_t deadline_ms, const struct message_info **ret_info,
    size_t *ret_size);

/*
 * Ask and wait for one answer of a given kind.
 *
 *  want     number that the answer must have; else -EBADMSG
 *  ret_msg  struct of that message
 */
int channel_ask(int fd, enum message number, const void *msg, enum message want, void *ret_msg, int64_t deadline_ms);

#endif
