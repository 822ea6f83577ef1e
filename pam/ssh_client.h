/*
 * ssh_client.h - where the client of an sshd process is.
 */
#ifndef ISMS_SSH_CLIENT_H
#define ISMS_SSH_CLIENT_H

#include <stddef.h>
#include <sys/types.h>

/*
 * The address of the one network peer of a process.
 *
 *  sshd      our parent, the monitor of a connection
 *  ret,size  receives an address as PAM_RHOST has it; "" where it cannot be told: no rights, no socket or several peers
 */
void ssh_client_address(pid_t sshd, char *ret, size_t size);

#endif
