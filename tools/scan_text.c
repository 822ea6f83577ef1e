/*
 * scan_text.c - see scan_text.h.
 *
 * Runs in isms-userctl, as root, on files that users write. Must never read past a line, and never take time that grows
 * faster than the file.
 */
#include <config.h>

#include "tools/scan_text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LINE_MAX_BYTES 8192	/* of a longer one, the rest is not looked at */

/* Lines of a text, one at a time, each as a string. */
struct lines {
	const char *at, *end;
	unsigned number;		/* of the line in buf */
	unsigned next;			/* of the one that follows */
	bool joins;			/* a backslash at the end goes on with the next line */
	char buf[LINE_MAX_BYTES];
};

static void
begin(struct lines *l, const char *text, size_t len, bool joins)
{
	*l = (struct lines){ .at = text, .end = text + len, .next = 1, .joins = joins };
}

/* The next line, with those that it goes on with, blanks at its begin and end left out; NULL at the end. */
static char *
next_line(struct lines *l)
{
	size_t used = 0;
	bool more = true;

	if (l->at >= l->end)
		return NULL;
	l->number = l->next;
	while (more && l->at < l->end) {
		const char *eol = memchr(l->at, '\n', (size_t)(l->end - l->at));
		const char *stop = eol != NULL ? eol : l->end;
		size_t len = (size_t)(stop - l->at);

		more = l->joins && len > 0 && stop[-1] == '\\';
		len -= more;
		if (len > sizeof l->buf - 1 - used)
			len = sizeof l->buf - 1 - used;
		for (size_t i = 0; i < len; i++)	/* a NUL ends no line for those who obey it */
			l->buf[used++] = l->at[i] != '\0' ? l->at[i] : '?';
		l->at = eol != NULL ? eol + 1 : l->end;
		l->next++;
	}
	while (used > 0 && strchr(" \t\r", l->buf[used - 1]) != NULL)
		used--;
	l->buf[used] = '\0';
	return l->buf + strspn(l->buf, " \t");
}

static void
put(char *part, const char *text, size_t len)
{
	(void)snprintf(part, SCAN_TEXT_PART_MAX, "%.*s", (int)(len < SCAN_TEXT_PART_MAX ? len : SCAN_TEXT_PART_MAX - 1), text);
}

/* ---- authorized_keys ---- */

/* Past options or a word: to the next blank that stands in no quotes. */
static const char *
skip_word(const char *p)
{
	bool quoted = false;

	for (; *p != '\0' && (quoted || (*p != ' ' && *p != '\t')); p++) {
		if (*p == '\\' && p[1] == '"')
			p++;
		else if (*p == '"')
			quoted = !quoted;
	}
	return p;
}

static bool
is_key_type(const char *p)
{
	static const char *const begins[] = { "ssh-", "ecdsa-", "sk-", "rsa-", "cert-authority" };

	for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++)
		if (strncmp(p, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

void
scan_text_keys(const char *text, size_t len, scan_text_each *each, void *arg)
{
	struct lines lines;
	const char *p;

	begin(&lines, text, len, false);
	while ((p = next_line(&lines)) != NULL) {
		struct scan_text_item item = { .line = lines.number };
		const char *type = p, *end, *comment;

		if (*p == '\0' || *p == '#')
			continue;
		if (!is_key_type(p) || strncmp(p, "cert-authority", 14) == 0) {	/* options come first */
			end = skip_word(p);
			type = end + strspn(end, " \t");
		}
		end = skip_word(type);
		comment = end + strspn(end, " \t");
		comment = skip_word(comment);
		comment += strspn(comment, " \t");
		if (is_key_type(type))
			(void)snprintf(item.detail, sizeof item.detail, "%.*s%s%.160s%s", (int)(end - type < 60 ? end - type : 60),
			    type, *comment != '\0' ? " " : "", comment, type != p ? ", with options" : "");
		else
			(void)snprintf(item.detail, sizeof item.detail, "not understood: %.200s", p);
		each(arg, &item);
	}
}

/* ---- sudoers ---- */

/* "@include FILE", "#includedir DIR": told as an include. */
static bool
take_include(const char *p, struct scan_text_item *item)
{
	const char *name;
	size_t len;
	bool is_folder;

	if ((*p != '@' && *p != '#') || strncmp(p + 1, "include", 7) != 0)
		return false;
	is_folder = strncmp(p + 8, "dir", 3) == 0;
	name = p + (is_folder ? 11 : 8);
	if (*name != ' ' && *name != '\t')
		return false;
	name += strspn(name, " \t\"");
	len = strcspn(name, " \t\"");
	(void)snprintf(item->detail, sizeof item->detail, "%.*s%s", (int)(len < 200 ? len : 200), name, is_folder ? "/" : "");
	item->is_include = true;
	return true;
}

/* Whether a line gives nobody anything: a comment (but "#1001" is a user), a setting, or an alias. */
static bool
is_no_rule(const char *p)
{
	return *p == '\0' || (*p == '#' && (p[1] < '0' || p[1] > '9')) || strncmp(p, "Defaults", 8) == 0 ||
	    strncmp(p, "Cmnd_Alias", 10) == 0 || strncmp(p, "Cmd_Alias", 9) == 0 || strncmp(p, "Host_Alias", 10) == 0 ||
	    strncmp(p, "Runas_Alias", 11) == 0;
}

/* One name of a list; a backslash takes what follows as it is. */
static const char *
skip_name(const char *p)
{
	bool quoted = false;

	for (; *p != '\0' && (quoted || strchr(" \t,", *p) == NULL); p++) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		else if (*p == '"')
			quoted = !quoted;
	}
	return p;
}

void
scan_text_sudoers(const char *text, size_t len, scan_text_each *each, void *arg)
{
	struct lines lines;
	const char *p;

	begin(&lines, text, len, true);
	while ((p = next_line(&lines)) != NULL) {
		struct scan_text_item item = { .line = lines.number };
		const char *first = p, *rule, *end;

		if (take_include(p, &item)) {
			each(arg, &item);
			continue;
		}
		if (is_no_rule(p))
			continue;
		if (strncmp(p, "User_Alias", 10) == 0)	/* who is in it is told beside the rules that name it */
			first = p += 10 + strspn(p + 10, " \t");
		for (rule = p;; rule += strspn(rule + 1, " \t") + 1) {	/* past the last name of "a, b, %c" */
			end = skip_name(rule);
			rule = end + strspn(end, " \t");
			if (*rule != ',')
				break;
		}
		put(item.detail, rule, strlen(rule));
		for (end = first; first < rule && *first != '\0'; first = end + strspn(end, " \t,")) {
			end = skip_name(first);
			if (end == first || first >= rule)
				break;
			put(item.who, first, (size_t)(end - first));
			each(arg, &item);
		}
	}
}

/* ---- crontabs ---- */

/* "NAME = value" sets a variable; a job's first field has no letters before a sign of equality. */
static bool
is_setting(const char *p)
{
	size_t len = strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_\"'");

	p += len + strspn(p + len, " \t");
	return len > 0 && *p == '=';
}

void
scan_text_crontab(const char *text, size_t len, bool has_users, scan_text_each *each, void *arg)
{
	struct lines lines;
	const char *p;

	begin(&lines, text, len, false);
	while ((p = next_line(&lines)) != NULL) {
		struct scan_text_item item = { .line = lines.number };
		int fields = *p == '@' ? 1 : 5;

		if (*p == '\0' || *p == '#' || is_setting(p))
			continue;
		for (; fields > 0; fields--) {
			p += strcspn(p, " \t");
			p += strspn(p, " \t");
		}
		if (has_users) {
			put(item.who, p, strcspn(p, " \t"));
			p += strcspn(p, " \t");
			p += strspn(p, " \t");
		}
		put(item.detail, p, strlen(p));
		each(arg, &item);
	}
}
