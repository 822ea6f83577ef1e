/*
 * people.h - the population of tests/bench: who there is, and who is in which group. The same for every peer.
 *
 * user i (0 .. users-1):   name u<i>, uid and gid from PEOPLE_ID, gecos "User <i>", home /home/u<i>, shell /bin/bash
 * group j (0 .. groups-1): name g<j>, gid PEOPLE_ID + j; its members, some 50 to 90, are listed by name (RFC 2307)
 * group "everybody":       the first 10,000 users, listed by name
 *
 * A user is in 10 groups, every other one in 20, every hundredth in 100; the primary group and everybody count.
 */
#ifndef ISMS_TESTS_PEOPLE_H
#define ISMS_TESTS_PEOPLE_H

#include <stdint.h>

#define PEOPLE_ID		100000u		/* the first uid and the first gid */
#define PEOPLE_EVERYBODY	90000u		/* the gid of the large group */
#define PEOPLE_LARGE		10000u		/* its members, if there are as many users */
#define PEOPLE_STEP		7u		/* from a user's group to his next one; shares no factor with their number */

enum { PEOPLE_NAME = 12 };	/* bytes of a name with its NUL, at most */

/*
 * The name of user i. By hand: printf takes more than a lookup in the module, and would be measured in its place.
 *
 *  ret  PEOPLE_NAME bytes
 */
static inline void
people_name(uint32_t i, char *ret)
{
	char digits[10];
	unsigned count = 0;

	do
		digits[count++] = (char)('0' + i % 10);
	while ((i /= 10) > 0);
	*ret++ = 'u';
	while (count > 0)
		*ret++ = digits[--count];
	*ret = '\0';
}

/* How many groups there are besides everybody, for so many users. */
static inline uint32_t
people_groups(uint32_t users)
{
	return users / 5 + 1;
}

/* How many groups user i is in, all of them. */
static inline uint32_t
people_groups_of(uint32_t i)
{
	if (i % 100 == 50)
		return 100;
	return i % 2 == 1 ? 20 : 10;
}

/* Of these, how many are groups g<j>: the primary one, and those that list him. */
static inline uint32_t
people_small_groups_of(uint32_t i)
{
	return people_groups_of(i) - (i < PEOPLE_LARGE ? 1 : 0);
}

#endif
