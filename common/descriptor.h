/*
 * descriptor.h - descriptors in somebody else's process.
 */
#ifndef ISMS_DESCRIPTOR_H
#define ISMS_DESCRIPTOR_H

/*
 * Move a descriptor out of the way of stdio. A caller may have closed 0 to 2; what we open there could be
 * taken for its standard input, or be overwritten by its next freopen() (THREATS 5.1, PH01a).
 *
 *  fd  just opened, or -1 with errno; owned by this function
 *
 * Returns a close-on-exec descriptor of 3 or above, or -1 with errno.
 */
int descriptor_above_stdio(int fd);

#endif
