/*
 * publisher_tell.h - the publisher's answer to EMERGENCY.
 */
#ifndef ISMS_PUBLISHER_TELL_H
#define ISMS_PUBLISHER_TELL_H

#include "daemon/server.h"

/* Tell root, and members of sudo, wheel and adm, where they are logged in. A handler of server.h; context is the publisher. */
int publisher_tell_emergency(struct connection *c, const void *msg);

#endif
