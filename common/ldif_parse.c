/*
 * ldif_parse.c - LDIF text -> entries.
 *
 * Directory process, isms-userctl and the fuzzer. Values are decoded by libldap's ldif_parse_line2();
 * the splitting into records and lines is ours, for three reasons: ldif_read_record() follows
 * "include:" lines into other files, leaves unwiped copies of secrets behind, and tells no line
 * numbers. It must never open anything, and never take a record that is not a plain entry.
 */
#include <config.h>

#include "common/ldif_store.h"

#include <errno.h>
#include <ldap.h>
#include <stdio.h>
#include <ldif.h>		/* needs FILE */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME_BYTES_MAX	128
#define VALUES_MAX	(1u << 20)	/* of one entry */

struct reader {
	char *at, *end;		/* borrowed text, changed in place; *end is NUL */
	unsigned long line;	/* of the next physical line */
	const char *name;
	char *error;
	size_t error_size;
};

static int
refuse(const struct reader *r, unsigned long line, const char *what)
{
	(void)snprintf(r->error, r->error_size, "%s:%lu: %s", r->name, line, what);
	return -EBADMSG;
}

/* Cut off one physical line; NULL at the end of the text. */
static char *
physical_line(struct reader *r, size_t *ret_len)
{
	char *line = r->at, *newline;

	if (r->at >= r->end)
		return NULL;
	newline = memchr(line, '\n', (size_t)(r->end - line));
	r->at = newline != NULL ? newline + 1 : r->end;
	r->line++;
	if (newline == NULL)
		newline = r->end;
	if (newline > line && newline[-1] == '\r')
		newline--;
	*ret_len = (size_t)(newline - line);
	return line;
}

/*
 * The next logical line, continuation lines joined, comments left out. An empty one ends a record.
 *
 * Returns 1, 0 at the end of the text.
 */
static int
logical_line(struct reader *r, char **ret, unsigned long *ret_line)
{
	size_t len, more;
	char *line, *next;

	do {
		*ret_line = r->line;
		line = physical_line(r, &len);
		if (line == NULL)
			return 0;
		while (len > 0 && r->at < r->end && *r->at == ' ') {
			next = physical_line(r, &more);
			memmove(line + len, next + 1, more - 1);
			len += more - 1;
		}
		line[len] = '\0';
	} while (line[0] == '#');
	*ret = line;
	return 1;
}

/* libldap's decoder stops silently at the first "=": what follows must not differ from what was meant. */
static bool
is_base64(const char *s)
{
	size_t body = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
	size_t pad = strspn(s + body, "=");

	return s[body + pad] == '\0' && pad <= 2 && (body + pad) % 4 == 0;
}

static bool
is_attribute_name(const char *s, size_t len)
{
	if (len == 0 || len > NAME_BYTES_MAX)
		return false;
	return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.;_") == len;
}

/* Decode "name: value" in place. */
static int
parse_line(const struct reader *r, unsigned long number, char *line, struct berval *type, struct berval *value)
{
	const char *colon = strchr(line, ':');
	int must_free = 0;

	if (line[0] == ' ')
		return refuse(r, number, "a continuation line continues nothing");
	if (colon == NULL)
		return refuse(r, number, "no \":\" in this line");
	if (!is_attribute_name(line, (size_t)(colon - line)))
		return refuse(r, number, "not the name of an attribute");
	if (colon[1] == '<')
		return refuse(r, number, "values by URL (\":<\") are not allowed; write the value itself");
	if (colon[1] == ':' && (!is_base64(colon + 2 + strspn(colon + 2, " ")) || colon[2 + strspn(colon + 2, " ")] == '\0'))
		return refuse(r, number, "not base64");
	if (ldif_parse_line2(line, type, value, &must_free) != 0)
		return refuse(r, number, "not LDIF");
	return 0;
}

/* The first line of a record: makes the entry. */
static int
parse_dn(const struct reader *r, unsigned long number, const struct berval *type, const struct berval *value,
    struct entry **ret)
{
	if (strcasecmp(type->bv_val, "include") == 0)
		return refuse(r, number, "include is not allowed; write the entries into this file");
	if (strcasecmp(type->bv_val, "dn") != 0)
		return refuse(r, number, "a record must begin with \"dn:\"");
	if (strlen(value->bv_val) != value->bv_len)
		return refuse(r, number, "the dn holds a NUL byte");
	*ret = entry_new(value->bv_val);
	if (*ret == NULL)
		return refuse(r, number, "not a distinguished name");
	return 0;
}

static int
parse_attribute(const struct reader *r, unsigned long number, const struct berval *type, const struct berval *value,
    struct entry *e, unsigned *values)
{
	if (strcasecmp(type->bv_val, "changetype") == 0 || strcasecmp(type->bv_val, "control") == 0)
		return refuse(r, number, "change records are not allowed; this file holds entries");
	if (strcasecmp(type->bv_val, "dn") == 0)
		return refuse(r, number, "a second \"dn:\" in one record; an empty line is missing above");
	if (++*values > VALUES_MAX)
		return refuse(r, number, "too many values in one entry");
	return entry_add_value(e, type->bv_val, value->bv_val, value->bv_len);
}

/* Take a finished entry into the list. */
static int
finish_entry(const struct reader *r, unsigned long number, struct entries *all, struct entry **e)
{
	int rc;

	if (*e == NULL)
		return 0;
	rc = entries_add(all, *e);
	if (rc == -EEXIST)
		return refuse(r, number, "an entry of this dn stands above already");
	if (rc == 0)
		*e = NULL;		/* now owned by the list */
	return rc;
}

static int
parse_text(struct reader *r, struct entries *all)
{
	struct berval type, value;
	unsigned long number, first = 0;
	struct entry *e = NULL;
	unsigned values = 0;
	char *line;
	int rc = 0;

	while (rc == 0 && logical_line(r, &line, &number) == 1) {
		if (line[0] == '\0') {
			rc = finish_entry(r, first, all, &e);
			continue;
		}
		rc = parse_line(r, number, line, &type, &value);
		if (rc < 0)
			break;
		if (e != NULL) {
			rc = parse_attribute(r, number, &type, &value, e, &values);
			continue;
		}
		if (all->count == 0 && strcasecmp(type.bv_val, "version") == 0) {
			if (strcmp(value.bv_val, "1") != 0)
				rc = refuse(r, number, "not LDIF version 1");
			continue;
		}
		first = number;
		values = 0;
		rc = parse_dn(r, number, &type, &value, &e);
	}
	if (rc == 0)
		rc = finish_entry(r, first, all, &e);
	entry_free(e);
	return rc;
}

int
ldif_store_parse_in_place(char *text, size_t len, const char *name, struct entries *ret, char *error, size_t size)
{
	struct reader r = { .at = text, .end = text + len, .line = 1, .name = name, .error = error, .error_size = size };
	struct entries all = { 0 };
	const char *nul;
	int rc;

	nul = memchr(text, '\0', len);
	if (nul != NULL) {
		for (const char *p = text; p < nul; p++)
			r.line += *p == '\n';
		return refuse(&r, r.line, "a NUL byte; this is not a text file");
	}
	rc = parse_text(&r, &all);
	if (rc < 0) {
		entries_done(&all);
		if (rc == -ENOMEM)
			(void)snprintf(error, size, "%s: out of memory", name);
		return rc;
	}
	*ret = all;			/* now owned by *ret */
	return 0;
}

int
ldif_store_parse(const char *text, size_t len, const char *name, struct entries *ret, char *error, size_t size)
{
	char *copy;
	int r;

	if (len > LDIF_STORE_BYTES_MAX) {
		(void)snprintf(error, size, "%s: larger than %u bytes", name, LDIF_STORE_BYTES_MAX);
		return -EBADMSG;
	}
	copy = malloc(len + 1);
	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, text, len);
	copy[len] = '\0';
	r = ldif_store_parse_in_place(copy, len, name, ret, error, size);
	explicit_bzero(copy, len);
	free(copy);
	return r;
}
