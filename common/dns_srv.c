/*
 * dns_srv.c - SRV records: taken out of an answer, and put into order (see dns_srv.h).
 *
 * Directory process and isms-userctl; pure. Every byte may be hostile: a name that is none, or would mean something
 * else in a URI, drops its record.
 */
#include <config.h>

#include "common/dns_srv.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FIXED_BYTES	6	/* priority, weight, port */

/* A host name in lower case, without a last dot. Returns whether it is one. */
static bool
take_host(const char *name, char ret[DNS_SRV_HOST_MAX + 1])
{
	size_t len = strlen(name);

	if (len > 0 && name[len - 1] == '.')
		len--;
	if (len == 0 || len > DNS_SRV_HOST_MAX || name[0] == '.' || name[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		bool is_upper = name[i] >= 'A' && name[i] <= 'Z';

		if (!is_upper && memchr("abcdefghijklmnopqrstuvwxyz0123456789-.", name[i], 38) == NULL)
			return false;
		ret[i] = is_upper ? (char)(name[i] - 'A' + 'a') : name[i];
	}
	ret[len] = '\0';
	return true;
}

/* Returns 0, or -ENOENT for the record that says: there is no such service. */
static int
take_record(const ns_msg *msg, const ns_rr *rr, struct dns_srv_list *ret)
{
	const uint8_t *data = ns_rr_rdata(*rr);
	struct dns_srv *r = &ret->record[ret->count];
	char name[NS_MAXDNAME];
	int len;

	if (ret->count == DNS_SRV_MAX || ns_rr_rdlen(*rr) <= FIXED_BYTES) {
		ret->dropped++;
		return 0;
	}
	len = dn_expand(ns_msg_base(*msg), ns_msg_end(*msg), data + FIXED_BYTES, name, sizeof name);
	if (len == ns_rr_rdlen(*rr) - FIXED_BYTES && (name[0] == '\0' || strcmp(name, ".") == 0))
		return -ENOENT;
	r->priority = (uint16_t)ns_get16(data);
	r->weight = (uint16_t)ns_get16(data + 2);
	r->port = (uint16_t)ns_get16(data + 4);
	if (len != ns_rr_rdlen(*rr) - FIXED_BYTES || r->port == 0 || !take_host(name, r->host)) {
		ret->dropped++;
		return 0;
	}
	if (ret->count++ == 0 || ns_rr_ttl(*rr) < ret->ttl_sec)
		ret->ttl_sec = ns_rr_ttl(*rr);
	return 0;
}

static int
decode(const uint8_t *answer, size_t size, struct dns_srv_list *ret)
{
	ns_msg msg;
	ns_rr rr;

	if (size > NS_MAXMSG || ns_initparse(answer, (int)size, &msg) < 0)
		return -EBADMSG;
	for (int i = 0; i < ns_msg_count(msg, ns_s_an); i++) {
		if (ns_parserr(&msg, ns_s_an, i, &rr) < 0)
			return -EBADMSG;
		if (ns_rr_type(rr) != ns_t_srv || ns_rr_class(rr) != ns_c_in)
			continue;	/* a CNAME on the way */
		if (take_record(&msg, &rr, ret) < 0)
			return -ENOENT;
	}
	return ret->count > 0 ? 0 : ret->dropped > 0 ? -EBADMSG : -ENOENT;
}

int
dns_srv_decode(const uint8_t *answer, size_t size, struct dns_srv_list *ret)
{
	int r;

	*ret = (struct dns_srv_list){ .count = 0 };
	r = decode(answer, size, ret);
	if (r < 0)
		*ret = (struct dns_srv_list){ .count = 0 };
	return r;
}

/* ---- order ---- */

/* Those of weight 0 first within a priority, as RFC 2782 has them before the drawing. */
static int
compare(const void *a, const void *b)
{
	const struct dns_srv *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return (x->weight > y->weight) - (x->weight < y->weight);
}

/* Which of count records of one priority comes first. */
static unsigned
draw(const struct dns_srv *records, unsigned count, uint32_t chance)
{
	uint64_t total = 0, sum = 0, point;
	unsigned i;

	for (i = 0; i < count; i++)
		total += records[i].weight;
	point = (total + 1) * chance >> 32;	/* 0..total */
	for (i = 0; i + 1 < count; i++) {
		sum += records[i].weight;
		if (sum >= point)
			break;
	}
	return i;
}

void
dns_srv_order(struct dns_srv_list *list, uint32_t (*chance)(void *arg), void *arg)
{
	struct dns_srv *all = list->record, first;
	unsigned count, i;

	qsort(all, list->count, sizeof *all, compare);
	for (unsigned at = 0; at < list->count; at++) {
		for (count = 1; at + count < list->count && all[at + count].priority == all[at].priority; count++)
			;
		i = at + draw(&all[at], count, chance(arg));
		first = all[i];
		memmove(&all[at + 1], &all[at], (i - at) * sizeof *all);
		all[at] = first;
	}
}

bool
dns_srv_is_below(const char *host, const char *domain)
{
	size_t len = strlen(host), tail = strlen(domain);

	if (tail == 0 || len < tail || strcasecmp(host + len - tail, domain) != 0)
		return false;
	return len == tail || host[len - tail - 1] == '.';
}
