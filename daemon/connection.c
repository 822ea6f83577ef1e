/*
 * connection.c - one peer of a server: lifetime, answers, deadline (see server.h).
 *
 * Runs in every process of ismsd, on its loop. A closed connection must never be written to again: its struct
 * lives on while an async operation holds a reference, its socket does not (IP07a).
 */
#include <config.h>

#include "daemon/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "daemon/loop.h"
#include "daemon/report.h"

struct connection *
connection_new(struct server *s, int socket, const struct ucred *peer)
{
	struct connection *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->server = s;
	c->context = s->config.context;
	c->event = sd_event_ref(s->event);
	c->refs = 1;
	c->socket = socket;
	c->uid = peer->uid;
	c->pid = peer->pid;
	c->is_root = peer->uid == s->config.peers->root;
	c->state = ST_NEW;
	c->fd = -1;
	c->next = s->connections;
	if (c->next != NULL)
		c->next->prev = c;
	s->connections = c;
	s->count++;
	return c;
}

struct connection *
connection_ref(struct connection *c)
{
	c->refs++;
	return c;
}

void
connection_unref(struct connection *c)
{
	if (c == NULL || --c->refs > 0)
		return;
	sd_event_unref(c->event);
	free(c);
}

void
connection_close(struct connection *c)
{
	struct server *s = c->server;
	void *data = c->data;

	if (s == NULL)
		return;
	c->server = NULL;
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		s->connections = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	c->next = c->prev = NULL;
	s->count--;
	(void)sd_event_source_set_enabled(s->acceptor, SD_EVENT_ON);	/* it is off while all places are taken */
	c->readable = sd_event_source_disable_unref(c->readable);
	c->deadline = sd_event_source_disable_unref(c->deadline);
	(void)close(c->socket);
	c->socket = -1;
	c->data = NULL;
	if (data != NULL && c->closed != NULL)
		c->closed(data);
	connection_unref(c);
}

int
connection_on_deadline(sd_event_source *source, uint64_t usec, void *arg)
{
	(void)source;
	(void)usec;
	connection_close(arg);
	return 0;
}

int
connection_send(struct connection *c, enum message number, const void *msg, enum proto_state next)
{
	uint8_t small[PROTO_FRAME_MAX], *frame = small;
	size_t size = sizeof small;
	ssize_t n;
	int r;

	if (c->server == NULL)
		return -ENOTCONN;
	if (c->server->config.frame_max > size) {
		size = c->server->config.frame_max;
		frame = malloc(size);
		if (frame == NULL) {
			connection_close(c);
			return -ENOMEM;
		}
	}
	r = proto_encode(proto_find(number), msg, frame, size);
	if (r < 0)
		goto out;
	n = send(c->socket, frame, (size_t)r, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		r = -errno;
	/* TOKEN answers carry secrets. */
	explicit_bzero(frame, n < 0 ? size : (size_t)n);
	if (r < 0)
		goto out;
	c->state = next;
	if (next == ST_NEW)
		r = loop_timer(c->event, &c->deadline, SERVER_HEADER_MS, connection_on_deadline, c);
	else
		r = 0;
out:
	if (frame != small)
		free(frame);
	if (r < 0)
		connection_close(c);
	return r < 0 ? r : 0;
}

void *
connection_context(const struct connection *c)
{
	return c->context;
}

uid_t
connection_uid(const struct connection *c)
{
	return c->uid;
}

pid_t
connection_pid(const struct connection *c)
{
	return c->pid;
}

bool
connection_is_root(const struct connection *c)
{
	return c->is_root;
}

sd_event *
connection_event(const struct connection *c)
{
	return c->event;
}

bool
connection_is_open(const struct connection *c)
{
	return c->server != NULL;
}

void
connection_set_data(struct connection *c, void *data, void (*closed)(void *data))
{
	c->data = data;
	c->closed = closed;
}

void *
connection_data(const struct connection *c)
{
	return c->data;
}

int
connection_take_fd(struct connection *c)
{
	int fd = c->fd;

	c->fd = -1;
	return fd;
}
