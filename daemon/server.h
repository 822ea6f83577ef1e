/*
 * server.h - the listening side of our sockets: SOCK_SEQPACKET on the event loop, one message per datagram.
 *
 * Each message passes, in this order: size, header (proto_peek), peer, state, decode, handler, wipe. What breaks
 * proto.def is hung up on, without an answer; a peer without the right is besides reported (request.refused).
 *
 *   - A connection that sends nothing for 2 s is closed, one that has not come to its end after 120 s as well.
 *   - Users other than root have 4 connections each, and together at most three quarters of all (THREATS 5.3).
 *   - When all are taken, nobody is accepted until one is free: peers wait in the backlog, as long as they care to.
 *   - Replies never wait: a peer that does not read is dropped.
 *   - Descriptors that no message takes are never received: the kernel drops them, and the peer is hung up on.
 *
 * States of a connection: ST_NEW takes a request; while its handler's answer is under way (ST_WAITING) every
 * message is a breach; connection_send() says what is legal next.
 */
#ifndef ISMS_SERVER_H
#define ISMS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "common/proto.h"
#include "daemon/peers.h"

#define SERVER_CONNECTIONS_MAX	512
#define SERVER_OTHERS_MAX	(SERVER_CONNECTIONS_MAX / 4 * 3)	/* the rest is root's alone */
#define SERVER_PER_UID_MAX	4					/* of a uid that is not root */
#define SERVER_HEADER_MS	2000
#define SERVER_OVERALL_MS	120000

struct connection;
struct server;

struct server_handler {
	enum message number;
	/*
	 * Handle one message; msg is the decoded struct, wiped after the call. Answer with connection_send(), now or
	 * later (connection_ref()). Returns 0, or -errno to hang up.
	 */
	int (*handle)(struct connection *c, const void *msg);
	bool takes_fd;		/* exactly one descriptor may come along: connection_take_fd() */
};

struct server_config {
	const char *path;	/* of the socket: taken from systemd when it passed that one, else made here */
	mode_t mode;		/* of a socket made here */
	size_t frame_max;	/* PROTO_FRAME_MAX or PROTO_PRIVATE_MAX */
	const struct peers *peers;		/* borrowed */
	const struct server_handler *handlers;	/* borrowed; ends with handle == NULL */
	void *context;		/* for connection_context(); borrowed */
};

/*
 * Listen and serve on the loop.
 *
 * Returns 0 or -errno. Free with server_free(), which closes every connection.
 */
int server_new(sd_event *event, const struct server_config *config, struct server **ret);
void server_free(struct server *s);

/* Connections of now, for status. */
unsigned server_connection_count(const struct server *s);

/* ---- for handlers ---- */

/* The server's context. */
void *connection_context(const struct connection *c);
/* What the kernel says of the peer as it was when it connected. The pid is for pidfd_open() and logs, never for authorisation. */
uid_t connection_uid(const struct connection *c);
pid_t connection_pid(const struct connection *c);
bool connection_is_root(const struct connection *c);
/* The loop that the connection is served on. */
sd_event *connection_event(const struct connection *c);

/*
 * Send an answer.
 *
 *  next  what is legal then: ST_NEW (a further request), ST_PROMPTED, ST_DECIDED, or ST_WAITING (more answers follow)
 *
 * Returns 0, -ENOTCONN when the peer has gone, or -errno; the connection is closed on any failure.
 */
int connection_send(struct connection *c, enum message number, const void *msg, enum proto_state next);

/* Hang up; what is held by connection_ref() stays valid. */
void connection_close(struct connection *c);
bool connection_is_open(const struct connection *c);

/* Keep the struct (not the socket) over an async operation. Unref accepts NULL. */
struct connection *connection_ref(struct connection *c);
void connection_unref(struct connection *c);

/*
 * Hang a handler's own state on the connection.
 *
 *  closed  called once when the connection closes, whoever closes it; data is then no longer the connection's
 */
void connection_set_data(struct connection *c, void *data, void (*closed)(void *data));
void *connection_data(const struct connection *c);

/* The descriptor that came with the message being handled, once; -1 when none. The caller closes it. */
int connection_take_fd(struct connection *c);

#endif
