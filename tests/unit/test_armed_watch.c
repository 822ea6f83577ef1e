/*
 * test_armed_watch.c - that each arming of a break-glass account is told of once, and none is kept quiet.
 */
#include <config.h>

#include "daemon/armed_watch.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/report.h"
#include "tests/unit/suite.h"

#define NOW 1795683300

int __wrap_report_event(struct event *e);

static unsigned told;

/* In place of the journal. */
int
__wrap_report_event(struct event *e)
{
	event_finish(e);
	ck_assert_ptr_nonnull(strstr(e->message, "break-glass armed user=g"));
	told++;
	return 0;
}

static struct armed_watch watch;
static struct identity user;
static unsigned hooked;

static void
hook(const struct identity *armed, void *arg)
{
	ck_assert_ptr_eq(armed, &user);
	ck_assert_ptr_eq(arg, &watch);
	hooked++;
}

static unsigned
look(const char *name, int64_t until_utc_sec)
{
	const struct identities all = { .users = &user, .user_count = 1 };

	(void)snprintf(user.name, sizeof user.name, "%s", name);
	user.armed_until_utc_sec = until_utc_sec;
	told = hooked = 0;
	armed_watch_look(&watch, &all, NOW);
	ck_assert_uint_eq(hooked, told);
	return told;
}

static void
begin(void)
{
	char by[] = "uid=carol,dc=isms,dc=local";
	static struct entry *entry;

	entry = entry_new("uid=glas,dc=isms,dc=local");
	ck_assert_ptr_nonnull(entry);
	watch = (struct armed_watch){ .hook = hook, .arg = &watch };
	user = (struct identity){ .entry = entry, .state = FACTS_MANAGED, .kind = KIND_BREAK_GLASS, .uid = 2000 };
	user.armed_by = strdup(by);
}

static void
end(void)
{
	entry_free((struct entry *)(uintptr_t)user.entry);
	free(user.armed_by);
}

START_TEST(each_arming_once)
{
	begin();
	ck_assert_uint_eq(look("glas", 0), 0);
	ck_assert_uint_eq(look("glas", NOW), 0);		/* over */
	ck_assert_uint_eq(look("glas", NOW + 10), 1);
	ck_assert_uint_eq(look("glas", NOW + 10), 0);		/* touched for another thing */
	ck_assert_uint_eq(look("glas", NOW + 20), 1);		/* longer */
	ck_assert_uint_eq(look("glas2", NOW + 20), 1);
	ck_assert_uint_eq(look("glas", 0), 0);			/* disarmed */
	ck_assert_uint_eq(look("glas2", NOW + 20), 0);
	ck_assert_uint_eq(look("glas", NOW + 20), 1);
	user.kind = KIND_EMPLOYEE;
	ck_assert_uint_eq(look("gast", NOW + 20), 0);
	end();
}
END_TEST

START_TEST(none_is_quiet_for_want_of_room)
{
	char name[33];

	begin();
	for (unsigned i = 0; i < ARMED_WATCH_MAX + 8; i++) {
		(void)snprintf(name, sizeof name, "g%u", i);
		ck_assert_uint_eq(look(name, NOW + 10), 1);
	}
	ck_assert_uint_eq(look("g0", NOW + 10), 0);
	(void)snprintf(name, sizeof name, "g%u", ARMED_WATCH_MAX + 7);
	ck_assert_uint_eq(look(name, NOW + 10), 1);
	ck_assert_uint_eq(look("g0", 0), 0);			/* makes room */
	ck_assert_uint_eq(look(name, NOW + 10), 1);
	ck_assert_uint_eq(look(name, NOW + 10), 0);
	end();
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { each_arming_once, 0 }, { none_is_quiet_for_want_of_room, 0 } };

	return suite_run("armed_watch", rows, ROWS(rows), 30);
}
