/*
 * state_login.c - last use and last login in the front's store (see state_login.h), and its bound for tests (state.h).
 *
 * Runs in the front alone. Its statements are made when they are needed, a few times a login: none of them stands
 * between a person and the verdict. It must never change what state.c keeps against replays.
 */
#include <config.h>

#include "daemon/state_login.h"

#include <stdio.h>

#include "common/last_use.h"
#include "daemon/state_parts.h"

const char state_login_schema[] =
    "CREATE TABLE IF NOT EXISTS use_told (user TEXT PRIMARY KEY, utc_sec INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS login (user TEXT PRIMARY KEY, utc_sec INTEGER NOT NULL, service TEXT NOT NULL,"
    " rhost TEXT NOT NULL, tty TEXT NOT NULL) WITHOUT ROWID;";

/* Make a statement whose first parameter is a text; NULL: it has none. Returns 0 or -errno. */
static int
prepare(struct state *s, const char *sql, const char *first, sqlite3_stmt **ret)
{
	sqlite3 *db;
	int r = state_use(s, &db);

	if (r < 0)
		return r;
	r = state_error(sqlite3_prepare_v2(db, sql, -1, ret, NULL));
	if (r == 0 && first != NULL)
		r = state_error(sqlite3_bind_text(*ret, 1, first, -1, SQLITE_STATIC));
	if (r < 0)
		(void)sqlite3_finalize(*ret);
	return r;
}

/* Take one row. Returns 1, 0 or -errno; the statement is still to be finalized. */
static int
step(sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);

	return rc == SQLITE_ROW ? 1 : state_error(rc);
}

/* Run a statement that changes something, and finalize it. Returns 0 or -errno. */
static int
change(struct state *s, sqlite3_stmt *st)
{
	int r = state_error(sqlite3_step(st));

	(void)sqlite3_finalize(st);
	return state_told(s, r);
}

static void
copy_column(sqlite3_stmt *st, int column, char *to, size_t size)
{
	const unsigned char *text = sqlite3_column_text(st, column);

	(void)snprintf(to, size, "%s", text == NULL ? "" : (const char *)text);
}

int
state_last_use(struct state *s, const char *user, int64_t *ret_utc_sec)
{
	sqlite3_stmt *st = NULL;
	int r = prepare(s, "SELECT utc_sec FROM last_use WHERE user = ?1", user, &st);

	if (r < 0)
		return r;
	r = step(st);
	if (r > 0)
		*ret_utc_sec = sqlite3_column_int64(st, 0);
	(void)sqlite3_finalize(st);
	return r;
}

#define DUE "SELECT l.user, l.utc_sec FROM last_use l LEFT JOIN use_told t ON t.user = l.user" \
	    " WHERE l.utc_sec / 86400 > coalesce(t.utc_sec / 86400, -1)"

int
state_last_use_due(struct state *s, const char *only, char ret_user[static 33], int64_t *ret_utc_sec)
{
	sqlite3_stmt *st = NULL;
	int r;

	_Static_assert(LAST_USE_DAY_SEC == 86400, "the day of the statement");
	r = prepare(s, only != NULL ? DUE " AND l.user = ?1" : DUE " ORDER BY l.utc_sec LIMIT 1", only, &st);
	if (r < 0)
		return r;
	r = step(st);
	if (r > 0) {
		copy_column(st, 0, ret_user, 33);
		*ret_utc_sec = sqlite3_column_int64(st, 1);
	}
	(void)sqlite3_finalize(st);
	return r;
}

int
state_last_use_told(struct state *s, const char *user, int64_t utc_sec)
{
	sqlite3_stmt *st = NULL;
	int r = prepare(s, "INSERT OR REPLACE INTO use_told VALUES (?1, ?2)", user, &st);

	if (r < 0)
		return r;
	(void)sqlite3_bind_int64(st, 2, utc_sec);
	return change(s, st);
}

int
state_last_login(struct state *s, const char *user, struct login_row *ret)
{
	sqlite3_stmt *st = NULL;
	int r = prepare(s, "SELECT utc_sec, service, rhost, tty FROM login WHERE user = ?1", user, &st);

	if (r < 0)
		return r;
	r = step(st);
	if (r > 0) {
		ret->utc_sec = sqlite3_column_int64(st, 0);
		copy_column(st, 1, ret->service, sizeof ret->service);
		copy_column(st, 2, ret->rhost, sizeof ret->rhost);
		copy_column(st, 3, ret->tty, sizeof ret->tty);
	}
	(void)sqlite3_finalize(st);
	return r;
}

int
state_set_login(struct state *s, const char *user, const struct login_row *row)
{
	sqlite3_stmt *st = NULL;
	int r = prepare(s, "INSERT OR REPLACE INTO login VALUES (?1, ?2, ?3, ?4, ?5)", user, &st);

	if (r < 0)
		return r;
	(void)sqlite3_bind_int64(st, 2, row->utc_sec);
	(void)sqlite3_bind_text(st, 3, row->service, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(st, 4, row->rhost, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(st, 5, row->tty, -1, SQLITE_STATIC);
	return change(s, st);
}

int
state_set_max_pages(struct state *s, unsigned pages)
{
	char sql[64];
	sqlite3 *db;
	int r = state_use(s, &db);

	if (r < 0)
		return r;
	(void)snprintf(sql, sizeof sql, "PRAGMA max_page_count=%u", pages);
	return state_error(sqlite3_exec(db, sql, NULL, NULL, NULL));
}
