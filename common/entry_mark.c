/*
 * entry_mark.c - see entry_mark.h. Directory process. Must never make a mark of what is none: then nothing is compared.
 */
#include <config.h>

#include "common/entry_mark.h"

#include <string.h>

#include "common/civil_date.h"

#define SECOND		1000000ull
#define SERVER_BITS	12
#define SERVER_MASK	((1ull << SERVER_BITS) - 1)
#define WHOLE_SECOND	(SECOND - 1)	/* of a time without fraction: some time within it */
#define CSN_MIN		32		/* "20061208120000Z#000000#00#000000": the form of old servers */
#define NUMBER_DIGITS	6		/* hexadecimal: of changes at that time, and of one within its change */
#define SEC_MAX		4000000000ll	/* later than any clock: no mark */

static uint64_t
mark_of(int64_t utc_sec, uint64_t usec, uint64_t server)
{
	return utc_sec > 0 && utc_sec < SEC_MAX ? ((uint64_t)utc_sec * SECOND + usec) << SERVER_BITS | server : 0;
}

/* Digits of a base, exactly len of them. */
static bool
read_digits(const char *text, size_t len, unsigned base, uint64_t *ret)
{
	*ret = 0;
	for (size_t i = 0; i < len; i++) {
		unsigned c = (unsigned char)text[i], digit = c >= '0' && c <= '9' ? c - '0' :
		    (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : 16;

		if (digit >= base)
			return false;
		*ret = *ret * base + digit;
	}
	return true;
}

uint64_t
entry_mark_csn(const char *text, size_t len)
{
	const char *end = memchr(text, '#', len), *server, *more;
	uint64_t usec = 0, by, number;
	int64_t sec;
	size_t time_len;

	if (len < CSN_MIN || end == NULL)
		return 0;
	time_len = (size_t)(end - text);
	server = memchr(end + 1, '#', len - time_len - 1);
	more = server != NULL ? memchr(server + 1, '#', len - (size_t)(server + 1 - text)) : NULL;
	if (more == NULL || more - server > 4 || !read_digits(server + 1, (size_t)(more - server) - 1, 16, &by))
		return 0;
	/* Two numbers beside it and nothing else: what a cookie holds is told apart by what no CSN holds. */
	if (server - end != 1 + NUMBER_DIGITS || !read_digits(end + 1, NUMBER_DIGITS, 16, &number) ||
	    text + len - more != 1 + NUMBER_DIGITS || !read_digits(more + 1, NUMBER_DIGITS, 16, &number) ||
	    memchr(text, ',', time_len) != NULL)
		return 0;
	if (civil_date_parse_generalized(text, time_len, &sec) < 0)
		return 0;
	if (time_len == 22 && text[14] == '.' && !read_digits(text + 15, 6, 10, &usec))
		return 0;
	return mark_of(sec, time_len == 22 ? usec : WHOLE_SECOND, by);
}

void
entry_mark_take(struct entry *e, bool alike)
{
	const char *csn = NULL, *modified = NULL;
	int64_t sec;

	e->mark = 0;
	if (alike && entry_single(e, "entryCSN", &csn) == 1)
		e->mark = entry_mark_csn(csn, strlen(csn));
	if (alike && e->mark == 0 && entry_single(e, "modifyTimestamp", &modified) == 1 &&
	    civil_date_parse_generalized(modified, strlen(modified), &sec) == 0)
		e->mark = mark_of(sec, WHOLE_SECOND, 0);
	(void)entry_set(e, "entryCSN", NULL);		/* what only takes away does not fail */
	(void)entry_set(e, "modifyTimestamp", NULL);
}

bool
entry_mark_older(uint64_t a, uint64_t b)
{
	const uint64_t x = a >> SERVER_BITS, y = b >> SERVER_BITS;

	if (a == 0 || b == 0 || x >= y)
		return false;
	/* Within one second nothing is known of what has no fraction. */
	return x / SECOND < y / SECOND || y % SECOND != WHOLE_SECOND;
}

int
entry_mark_server(uint64_t mark)
{
	return (int)(mark & SERVER_MASK);
}

uint64_t
entry_mark_known(const uint8_t *cookie, size_t len, int server)
{
	const char *text = (const char *)cookie;
	uint64_t newest = 0, own = 0;
	size_t end;

	for (size_t at = 0; at < len; at = end + 1) {
		uint64_t mark;

		for (end = at; end < len && strchr("=;,", text[end]) == NULL; end++)
			;
		mark = entry_mark_csn(text + at, end - at);
		newest = mark > newest ? mark : newest;
		if (mark != 0 && entry_mark_server(mark) == server)
			own = mark;
	}
	return own != 0 ? own : newest;
}
