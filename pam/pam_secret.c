/*
 * pam_secret.c - guarded pages for secrets.
 *
 * Runs inside every PAM application. The heap of an application is dumped, swapped and inherited; these
 * pages are not (THREATS I8). It must never give pages back before they are wiped.
 */
#include <config.h>

#include "pam/pam_secret.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t
round_up(size_t size, size_t page)
{
	return (size + page - 1) / page * page;
}

void *
secret_new(size_t size_bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), body = round_up(size_bytes, page);
	uint8_t *all = mmap(NULL, body + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (all == MAP_FAILED)
		return NULL;
	/* Not dumping them is a duty; staying out of swap depends on the caller's limits. */
	if (mprotect(all + page, body, PROT_READ | PROT_WRITE) < 0 || madvise(all + page, body, MADV_DONTDUMP) < 0) {
		(void)munmap(all, body + 2 * page);
		return NULL;
	}
	(void)madvise(all + page, body, MADV_WIPEONFORK);
	(void)mlock(all + page, body);
	return all + page;
}

void
secret_free(void *secret, size_t size_bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), body = round_up(size_bytes, page);

	if (secret == NULL)
		return;
	explicit_bzero(secret, body);
	(void)munmap((uint8_t *)secret - page, body + 2 * page);
}
