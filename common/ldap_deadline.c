/*
 * ldap_deadline.c - a layer of the connection, below TLS, that lets no read wait beyond an instant.
 *
 * Used by the directory process (on its threads) and isms-userctl. It must never stay after the handshake: a
 * connection that only listens may be silent for hours.
 */
#include <config.h>

#include "common/ldap_deadline.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/channel.h"

#define LEVEL ((LBER_SBIOD_LEVEL_PROVIDER + LBER_SBIOD_LEVEL_TRANSPORT) / 2)

static int
setup(Sockbuf_IO_Desc *layer, void *arg)
{
	layer->sbiod_pvt = arg;	/* now owned by the layer */
	return 0;
}

static int
dispose(Sockbuf_IO_Desc *layer)
{
	free(layer->sbiod_pvt);
	layer->sbiod_pvt = NULL;
	return 0;
}

static int
control(Sockbuf_IO_Desc *layer, int option, void *arg)
{
	return LBER_SBIOD_CTRL_NEXT(layer, option, arg);
}

static ber_slen_t
read_layer(Sockbuf_IO_Desc *layer, void *buf, ber_len_t len)
{
	const int64_t *until_ms = layer->sbiod_pvt;
	struct pollfd fd = { .fd = -1, .events = POLLIN };
	int64_t left_ms;
	ber_slen_t n;
	int r;

	for (;;) {
		n = LBER_SBIOD_READ_NEXT(layer, buf, len);
		if (n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
			return n;
		left_ms = *until_ms - channel_now_ms();
		if (left_ms <= 0 || ber_sockbuf_ctrl(layer->sbiod_sb, LBER_SB_OPT_GET_FD, &fd.fd) < 0)
			break;
		r = poll(&fd, 1, (int)left_ms);
		if (r < 0 && errno != EINTR)
			return -1;
	}
	errno = ETIMEDOUT;
	return -1;
}

static ber_slen_t
write_layer(Sockbuf_IO_Desc *layer, void *buf, ber_len_t len)
{
	return LBER_SBIOD_WRITE_NEXT(layer, buf, len);
}

static Sockbuf_IO deadline = {
	.sbi_setup = setup, .sbi_remove = dispose, .sbi_ctrl = control, .sbi_read = read_layer, .sbi_write = write_layer,
};

int
ldap_deadline_begin(LDAP *ld, int timeout_sec)
{
	int64_t *until_ms = malloc(sizeof *until_ms);
	Sockbuf *buffer = NULL;

	if (until_ms == NULL)
		return -ENOMEM;
	*until_ms = channel_now_ms() + (int64_t)timeout_sec * 1000;
	if (ldap_get_option(ld, LDAP_OPT_SOCKBUF, &buffer) != LDAP_OPT_SUCCESS || buffer == NULL ||
	    ber_sockbuf_add_io(buffer, &deadline, LEVEL, until_ms) < 0) {
		free(until_ms);
		return -EPROTO;
	}
	return 0;
}

void
ldap_deadline_end(LDAP *ld)
{
	Sockbuf *buffer = NULL;

	if (ldap_get_option(ld, LDAP_OPT_SOCKBUF, &buffer) == LDAP_OPT_SUCCESS && buffer != NULL)
		(void)ber_sockbuf_remove_io(buffer, &deadline, LEVEL);
}
