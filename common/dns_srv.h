/*
 * dns_srv.h - the servers of a domain by DNS (RFC 2782): which they are, in which order to try them.
 *
 * DNS is not trusted: whoever answers may name any host. What is taken from it are names and ports alone; which names
 * may be followed says ldap_servers.c, and who is there proves it by a certificate for that name.
 */
#ifndef ISMS_DNS_SRV_H
#define ISMS_DNS_SRV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_SRV_MAX		32	/* records of one answer; what is beyond is dropped */
#define DNS_SRV_HOST_MAX	240	/* DNS has 253; so many fit a uri of LDAP_HANDLE_URI_MAX with scheme and port */

struct dns_srv {
	uint16_t priority, weight, port;
	char host[DNS_SRV_HOST_MAX + 1];	/* lower case, without the last dot */
};

struct dns_srv_list {
	struct dns_srv record[DNS_SRV_MAX];
	unsigned count;
	unsigned dropped;		/* records that cannot be used: no host name, port 0, or one too many */
	uint32_t ttl_sec;		/* the shortest of all */
};

/*
 * Take the SRV records out of an answer.
 *
 *  ret  wholly written; empty after an error
 *
 * Returns 0; -ENOENT when there are none, or the one that says there is no such service (RFC 2782, target ".");
 * -EBADMSG for what is no answer.
 */
int dns_srv_decode(const uint8_t *answer, size_t size, struct dns_srv_list *ret);

/*
 * Bring records into the order in which to try them: by priority, and by chance within one, a record's part being its
 * weight's (RFC 2782).
 *
 *  chance  gives 32 random bits
 */
void dns_srv_order(struct dns_srv_list *list, uint32_t (*chance)(void *arg), void *arg);

/* Whether host is domain or lies below it; whole labels, capitals or not. */
bool dns_srv_is_below(const char *host, const char *domain);

/*
 * Ask the name servers of /etc/resolv.conf. Blocks, ten seconds at most.
 *
 *  name  e.g. "_ldaps._tcp.example.com"
 *
 * Returns what dns_srv_decode() returns, in the answer's order; -ENOENT also for a name that does not exist;
 * -EHOSTUNREACH when nobody answers or a name server fails.
 */
int dns_srv_ask(const char *name, struct dns_srv_list *ret);

#endif
