/*
 * emergency.h - what front and directory process have the publisher write on administrators' terminals: a break-glass
 * account was armed, or is used.
 */
#ifndef ISMS_EMERGENCY_H
#define ISMS_EMERGENCY_H

#include <systemd/sd-event.h>

#include "common/paths.h"
#include "common/proto.h"
#include "daemon/peers.h"

/*
 * Ask for it, and go on: whether anybody was told is no condition of anything, and a failure is logged.
 *
 *  m  copied; paths and peers are borrowed for as long as the loop runs
 */
void emergency_tell(sd_event *event, const struct paths *paths, const struct peers *peers, const struct msg_emergency *m);

#endif
