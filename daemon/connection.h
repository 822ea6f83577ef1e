/*
 * connection.h - what server.c and connection.c share: one peer, and the server that it belongs to.
 * Handlers include server.h only.
 */
#ifndef ISMS_CONNECTION_H
#define ISMS_CONNECTION_H

#include <sys/socket.h>

#include "daemon/flood.h"
#include "daemon/server.h"

#define SERVER_REFUSALS_SHOWN 5

/* Linux 6.16; where headers are older, the number that most architectures have. */
#if !defined(SO_PASSRIGHTS) && !defined(__sparc__) && !defined(__hppa__)
#define SO_PASSRIGHTS 83
#endif

struct connection {
	struct connection *next, *prev;
	struct server *server;		/* NULL once closed */
	void *context;
	sd_event *event;		/* owned */
	unsigned refs;
	int socket;			/* -1 once closed */
	uid_t uid;
	pid_t pid;
	bool is_root;
	enum proto_state state;
	sd_event_source *readable, *deadline;	/* owned */
	void *data;			/* the handler's */
	void (*closed)(void *data);
	int fd;				/* received with the message being handled; -1 */
	unsigned fd_count;
};

struct server {
	struct server_config config;
	sd_event *event;		/* owned */
	sd_event_source *acceptor;	/* owned */
	struct flood *refusals;		/* owned */
	struct connection *connections;	/* owned: one reference each */
	unsigned count;
	int listen_fd, reserve_fd;
	uint8_t *frame;			/* owned; the datagram being handled, wiped after */
	void *message;			/* owned; its struct, wiped after */
	size_t message_size;
	bool takes_fd;			/* a message of this server's may bring a descriptor */
};

/* Enter a peer; owns socket from then on. Returns NULL without memory. */
struct connection *connection_new(struct server *s, int socket, const struct ucred *peer);

/* Handler of the deadline's timer: hang up. */
int connection_on_deadline(sd_event_source *source, uint64_t usec, void *arg);

/*
 * The listening socket of a path: systemd's when it passed one, else made here.
 *
 *  mode  of a socket made here
 *
 * Returns 0 or -errno.
 */
int listener_open(const char *path, mode_t mode, int *ret_fd);

#endif
