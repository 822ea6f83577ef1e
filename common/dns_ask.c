/*
 * dns_ask.c - asks the name servers for SRV records (see dns_srv.h).
 *
 * Directory process (on the thread that follows the servers) and isms-userctl. It must come back in a bounded time:
 * never over TCP, which the resolver connects without a deadline.
 */
#include <config.h>

#include "common/dns_srv.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>

#define TRY_SEC		2	/* of each name server, of which the resolver has three at most */
#define ANSWER_BYTES	4096

int
dns_srv_ask(const char *name, struct dns_srv_list *ret)
{
	uint8_t answer[ANSWER_BYTES];
	struct __res_state state;
	int n, r;

	*ret = (struct dns_srv_list){ .count = 0 };
	memset(&state, 0, sizeof state);
	if (res_ninit(&state) != 0)
		return -EHOSTUNREACH;
	state.retrans = TRY_SEC;
	state.retry = 1;
	/* An answer that is cut names some servers of many, which is enough; nor does resolv.conf lead to TCP ("use-vc"). */
	state.options |= RES_IGNTC | RES_USE_EDNS0;
	state.options &= ~(unsigned long)RES_USEVC;
	n = res_nquery(&state, name, ns_c_in, ns_t_srv, answer, sizeof answer);
	if (n >= 0)
		r = dns_srv_decode(answer, (size_t)n < sizeof answer ? (size_t)n : sizeof answer, ret);
	else
		r = state.res_h_errno == HOST_NOT_FOUND || state.res_h_errno == NO_DATA ? -ENOENT : -EHOSTUNREACH;
	res_nclose(&state);
	return r;
}
