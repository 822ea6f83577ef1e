/*
 * server_scene.h - a server of daemon/server.h on a loop that is turned by hand, and clients in the same process.
 *
 * Link with -Wl,--wrap=getsockopt: what the kernel says of a peer can then be another uid, or nothing.
 */
#ifndef ISMS_TESTS_SERVER_SCENE_H
#define ISMS_TESTS_SERVER_SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "common/proto.h"
#include "daemon/peers.h"
#include "daemon/server.h"

#define HOST_PATH_SIZE 64

/* Of the server that host_begin() made last. */
struct host {
	char path[HOST_PATH_SIZE];
	sd_event *event;
	struct server *server;
	struct peers peers;		/* as the server sees them; may be changed */
	bool no_credentials;		/* SO_PEERCRED fails */
	bool claims;			/* SO_PEERCRED says what claim() returns for the truth, below */
	uid_t (*claim)(pid_t pid);
};
extern struct host host;

/* Listen; root: the uid that counts as root. Aborts the test on failure. */
void host_begin(uid_t root, const struct server_handler *handlers);
/* The same with frames of up to so many bytes. */
void host_begin_sized(uid_t root, const struct server_handler *handlers, size_t frame_max);
void host_end(void);

/* The socket of the host that a process makes. */
void host_path(pid_t pid, char ret[static HOST_PATH_SIZE]);

/* Let the server do all that it has to do now. */
void host_turn(void);

/* A new client; the server does not know it before the next turn. */
int host_join(void);
/* Whether the server has hung up on a client, after a turn. */
bool host_hung_up(int fd);

/* A message as a frame; returns its length. */
size_t host_frame(enum message number, const void *msg, uint8_t *buf, size_t size);
/* Send a message, or any bytes; then a turn. */
void host_send(int fd, enum message number, const void *msg);
void host_send_bytes(int fd, const void *bytes, size_t size);

#endif
