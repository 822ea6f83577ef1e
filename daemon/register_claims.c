/*
 * register_claims.c - how many users list a group (see register.h): counted in slots, of a fixed size.
 *
 * Runs in the publisher. A slot may be shared by gids: it says that nobody lists one, never that somebody does.
 */
#include <config.h>

#include "daemon/register.h"

#include <errno.h>
#include <stdlib.h>

#define CLAIMS_MIN 1024u
#define CLAIMS_MAX (1u << 20)

static uint32_t
claim_slot(const struct register_book *b, uint32_t gid)
{
	return (gid ^ gid >> 20) & (b->claim_slots - 1);	/* whoever makes gids meet costs us time, no more */
}

uint32_t
register_claims(const struct register_book *b, uint32_t gid)
{
	return b->claims == NULL ? 0 : b->claims[claim_slot(b, gid)];
}

/* As many slots as the first roster has users; a register that grows later looks at everybody more often. */
int
register_reserve_claims(struct register_book *b, uint32_t users)
{
	uint32_t slots = CLAIMS_MIN;

	if (b->claims != NULL)
		return 0;
	while (slots < users && slots < CLAIMS_MAX)
		slots *= 2;
	b->claims = calloc(slots, sizeof *b->claims);
	b->claim_slots = slots;
	return b->claims == NULL ? -ENOMEM : 0;
}

void
register_count_claims(struct register_book *b, const struct record *r, uint32_t more)
{
	struct user_lists lists;
	struct roster_user user;

	user_record_read(record_user(r), &lists, &user);
	for (uint32_t i = 0; i < user.group_count; i++)
		b->claims[claim_slot(b, user.groups[i])] += more;
}
