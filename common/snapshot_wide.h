/*
 * snapshot_wide.h - the two loops of snapshot_members.c with registers of 32 bytes, where the processor has them.
 *
 * Each does what it can do in whole steps and leaves the rest to the caller's own loop.
 */
#ifndef ISMS_SNAPSHOT_WIDE_H
#define ISMS_SNAPSHOT_WIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether the other two may be called. glibc knows: no instruction that a hypervisor would have to answer. */
bool snapshot_wide_usable(void);

/*
 * Copy characters and look at them.
 *
 *  at,size      from where, bytes
 *  to           room for as many
 *  ret_allowed  whether all that were copied may stand in names
 *
 * Returns how many were copied: size, but for less than 64.
 */
size_t snapshot_wide_copy(const char *at, size_t size, char *to, bool *ret_allowed);

/*
 * Point at names that lie one behind the other, and end each.
 *
 *  lens,count  their lengths; of any size: eight of 255 do not pass 16 bits
 *  first,end   the first name, moved to the first one that is left; where the last one must end
 *  ret         room for as many pointers
 *  ret_allowed whether the lengths of all that were pointed at are those of names
 *
 * Returns how many were pointed at: count, but for less than 8, and for all from a name on that would pass the end.
 */
size_t snapshot_wide_point(const uint8_t *lens, size_t count, char **first, const char *end, char **ret, bool *ret_allowed);

#endif
