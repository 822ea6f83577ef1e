/*
 * identity_maker.c - see identity_maker.h. Test programs only.
 */
#include <config.h>

#include "tests/unit/identity_maker.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ldif_store.h"
#include "tests/unit/suite.h"

struct settings settings;
struct entries entries;
struct identities all;
const struct identity_holders *holders;
struct facts facts;
char *text;
static size_t text_used, text_room;

void
begin(void)
{
	settings_defaults(&settings);
	holders = NULL;
	text_used = 0;
	text_room = 64u << 20;
	text = malloc(text_room);
	text[0] = '\0';
}

void
add(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_used += (size_t)vsnprintf(text + text_used, text_room - text_used, format, args);
	va_end(args);
	ck_assert_uint_lt(text_used, text_room);
}

void
add_user(const char *name, unsigned uid, const char *more)
{
	add("dn: uid=%s,ou=people," BASE "\nobjectClass: inetOrgPerson\nobjectClass: posixAccount\nuid: %s\ncn: %s\n"
	    "uidNumber: %u\ngidNumber: %u\nhomeDirectory: /home/%s\nloginShell: /bin/bash\nemployeeType: contractor\n%s\n",
	    name, name, name, uid, uid, name, more);
}

void
build_after(const struct identities *previous)
{
	char error[256];

	ck_assert_msg(ldif_store_parse(text, text_used, "t", &entries, error, sizeof error) == 0, "%s", error);
	ck_assert_int_eq(identities_build_after(&entries, &settings, previous, holders, &all), 0);
}

const struct facts *
facts_of(const char *name)
{
	identity_facts(&all, identities_find(&all, name), &facts);
	return &facts;
}

void
end(void)
{
	identities_done(&all);
	entries_done(&entries);
	free(text);
}

/* A good entry with attribute lines of the change's name replaced by it. */
void
add_changed(const char *change)
{
	static const char *const lines[] = { "uid: ada", "cn: Ada", "uidNumber: 2000", "gidNumber: 2000",
		"homeDirectory: /home/ada", "loginShell: /bin/bash", "employeeType: contractor" };
	const char *name = change + (change[0] == '-');
	size_t len = strcspn(name, ":");

	add("dn: uid=ada,ou=people," BASE "\nobjectClass: posixAccount\n");
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		if (strncmp(lines[i], name, len) != 0 || lines[i][len] != ':')
			add("%s\n", lines[i]);
	if (change[0] != '-')
		add("%s\n", change);
	add("\n");
}
