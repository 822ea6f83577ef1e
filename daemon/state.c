/*
 * state.c - the front's durable memory in SQLite (see state.h).
 *
 * Runs in the front alone, which holds the file exclusively. It must never report a write that a power cut could
 * take back, never lower a token's mark, and never start afresh over a file that it cannot read.
 */
#include <config.h>

#include "daemon/state.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "daemon/loop.h"
#include "daemon/report.h"
#include "daemon/state_login.h"
#include "daemon/state_parts.h"

#define SCHEMA_VERSION	1
#define REOPEN_MS	3000

static const char schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE token (id TEXT PRIMARY KEY, last INTEGER NOT NULL, accepted_utc_sec INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE failure (user TEXT, scope INTEGER, count INTEGER NOT NULL, last_utc_sec INTEGER NOT NULL,"
    " locked_until_utc_sec INTEGER NOT NULL, PRIMARY KEY (user, scope)) WITHOUT ROWID;"
    "CREATE TABLE last_use (user TEXT PRIMARY KEY, utc_sec INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE session (txn TEXT PRIMARY KEY, user TEXT NOT NULL, uid INTEGER NOT NULL, service TEXT NOT NULL,"
    " tty TEXT NOT NULL, factors INTEGER NOT NULL, opened_utc_sec INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE clock (one INTEGER PRIMARY KEY CHECK (one = 1), mark_sec INTEGER NOT NULL,"
    " anchor_wall_sec INTEGER NOT NULL, anchor_boot_sec INTEGER NOT NULL, boot_id TEXT NOT NULL);"
    "CREATE TABLE sequence (one INTEGER PRIMARY KEY CHECK (one = 1), value INTEGER NOT NULL);"
    "INSERT INTO sequence VALUES (1, 0);"
    "PRAGMA user_version = 1;"
    "COMMIT;";

enum sql {
	SQL_BEGIN, SQL_COMMIT, SQL_ROLLBACK,
	SQL_TOKEN_GET, SQL_TOKEN_RAISE,
	SQL_FAILURE_GET, SQL_FAILURE_SET, SQL_FAILURE_CLEAR, SQL_FAILURE_FORGET, SQL_FAILURE_LOCKED,
	SQL_SEQUENCE_RAISE, SQL_LAST_USE,
	SQL_CLOCK_GET, SQL_CLOCK_SET,
	SQL_SESSION_ADD, SQL_SESSION_REMOVE, SQL_SESSION_EACH,
	SQL_COUNT
};

static const char *const statements[SQL_COUNT] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_TOKEN_GET] = "SELECT last FROM token WHERE id = ?1",
	[SQL_TOKEN_RAISE] = ("INSERT INTO token VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET last = ?2,"
	    " accepted_utc_sec = ?3 WHERE last < ?2"),
	[SQL_FAILURE_GET] = "SELECT count, last_utc_sec, locked_until_utc_sec FROM failure WHERE user = ?1 AND scope = ?2",
	[SQL_FAILURE_SET] = "INSERT OR REPLACE INTO failure VALUES (?1, ?2, ?3, ?4, ?5)",
	[SQL_FAILURE_CLEAR] = "DELETE FROM failure WHERE user = ?1 AND scope = ?2",
	[SQL_FAILURE_FORGET] = "DELETE FROM failure WHERE user = ?1",
	[SQL_FAILURE_LOCKED] = "SELECT count(DISTINCT user) FROM failure WHERE locked_until_utc_sec > ?1",
	[SQL_SEQUENCE_RAISE] = "UPDATE sequence SET value = value + 1 RETURNING value",
	[SQL_LAST_USE] = "INSERT OR REPLACE INTO last_use VALUES (?1, ?2)",
	[SQL_CLOCK_GET] = "SELECT mark_sec, anchor_wall_sec, anchor_boot_sec, boot_id FROM clock",
	[SQL_CLOCK_SET] = "INSERT OR REPLACE INTO clock VALUES (1, ?1, ?2, ?3, ?4)",
	[SQL_SESSION_ADD] = "INSERT OR REPLACE INTO session VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[SQL_SESSION_REMOVE] = "DELETE FROM session WHERE txn = ?1",
	[SQL_SESSION_EACH] = "SELECT txn, user, uid, service, tty, factors, opened_utc_sec FROM session",
};

struct state {
	char dir[PATH_MAX], path[PATH_MAX];
	ino_t ino;			/* of the open file */
	sqlite3 *db;			/* owned; NULL: not usable */
	sqlite3_stmt *stmt[SQL_COUNT];	/* owned */
	char fault[256];
	bool failing;			/* the last write failed; fault says why */
	int64_t tried_ms;
};

int
state_error(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
		return -EROFS;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	default:
		return -EIO;
	}
}

static void
drop_db(struct state *s)
{
	for (unsigned i = 0; i < SQL_COUNT; i++) {
		(void)sqlite3_finalize(s->stmt[i]);
		s->stmt[i] = NULL;
	}
	(void)sqlite3_close(s->db);
	s->db = NULL;
}

/* A folder or file that somebody else could have made is not our memory. */
static int
check_owner(const char *path, mode_t type, struct stat *st)
{
	if (lstat(path, st) < 0)
		return -errno;
	if ((st->st_mode & S_IFMT) != type || st->st_uid != geteuid() || (st->st_mode & 022) != 0)
		return -EPERM;
	return 0;
}

/* Whether the open file is still the one at its place: what goes to another is lost at the next start (THREATS I9). */
static bool
is_in_place(const struct state *s)
{
	struct stat st;

	return check_owner(s->dir, S_IFDIR, &st) == 0 && check_owner(s->path, S_IFREG, &st) == 0 && st.st_ino == s->ino;
}

static int
on_version(void *arg, int columns, char **values, char **names)
{
	(void)names;
	if (columns != 1 || values[0] == NULL)
		return 1;
	*(int *)arg = atoi(values[0]);
	return 0;
}

static int
set_up(struct state *s)
{
	int version = -1, rc;

	/*
	 * WAL with synchronous=FULL syncs the log at each commit: one write and one fsync. locking_mode=EXCLUSIVE keeps
	 * every other process out and needs no shared memory.
	 */
	rc = sqlite3_exec(s->db, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
	    "PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF; PRAGMA mmap_size=0;", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(s->db, "PRAGMA user_version", on_version, &version, NULL);
	if (rc == SQLITE_OK && version == 0)
		rc = sqlite3_exec(s->db, schema, NULL, NULL, NULL);
	else if (rc == SQLITE_OK && version != SCHEMA_VERSION)
		return -EPROTONOSUPPORT;
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(s->db, state_login_schema, NULL, NULL, NULL);
	for (unsigned i = 0; rc == SQLITE_OK && i < SQL_COUNT; i++)
		rc = sqlite3_prepare_v3(s->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT, &s->stmt[i], NULL);
	if (rc == SQLITE_OK)	/* a store that can only be read is no store: find out now, not at the first login */
		rc = sqlite3_exec(s->db, "BEGIN IMMEDIATE; UPDATE sequence SET value = value; COMMIT;", NULL, NULL, NULL);
	return state_error(rc);
}

static int
try_open(struct state *s)
{
	struct stat st;
	int r, rc;

	s->tried_ms = loop_now_ms();
	r = check_owner(s->dir, S_IFDIR, &st);
	if (r < 0)
		return r;
	r = check_owner(s->path, S_IFREG, &st);
	if (r < 0 && r != -ENOENT)
		return r;
	rc = sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
	    SQLITE_OPEN_NOFOLLOW, NULL);
	r = rc == SQLITE_OK ? set_up(s) : state_error(rc);
	if (r == 0)
		r = check_owner(s->path, S_IFREG, &st);
	if (r < 0)
		drop_db(s);
	else
		s->ino = st.st_ino;
	return r;
}

static const char *
fault_text(int error)
{
	switch (error) {
	case -ENOENT:
		return "the folder is missing; restart ismsd-front, systemd makes it";
	case -EPERM:
		return "the folder or file belongs to somebody else, or others may write it; chown -R isms: it, chmod 0700";
	case -EUCLEAN:
		return "the file is corrupt; restore it from a backup, or remove it: used codes are then forgotten";
	case -EPROTONOSUPPORT:
		return "the file was written by a newer version";
	default:
		return strerror(-error);
	}
}

/* Open it if it is not, or not in its place any more, and it is time. Returns 0 when usable. */
static int
need(struct state *s)
{
	char before[sizeof s->fault];
	int keep_log = 1, r;

	if (s->db != NULL && is_in_place(s))
		return 0;
	if (s->db == NULL && s->tried_ms != 0 && loop_now_ms() - s->tried_ms < REOPEN_MS)
		return -EROFS;
	memcpy(before, s->fault, sizeof before);
	if (s->db != NULL)	/* closing would delete the log by its name, which may be another's by now */
		(void)sqlite3_file_control(s->db, NULL, SQLITE_FCNTL_PERSIST_WAL, &keep_log);
	drop_db(s);
	r = try_open(s);
	s->fault[0] = '\0';
	if (r < 0)
		(void)snprintf(s->fault, sizeof s->fault, "%.100s: %s", s->dir, fault_text(r));
	if (r < 0 && strcmp(before, s->fault) != 0)
		report_log(LOG_ERR, "state cannot be kept, logins that need it are refused: %s", s->fault);
	return r < 0 ? -EROFS : 0;
}

int
state_use(struct state *s, sqlite3 **ret)
{
	int r = need(s);

	*ret = s->db;
	return r;
}

int
state_open(const char *dir, struct state **ret)
{
	struct state *s = calloc(1, sizeof *s);

	if (s == NULL)
		return -ENOMEM;
	if ((size_t)snprintf(s->dir, sizeof s->dir, "%s", dir) >= sizeof s->dir ||
	    (size_t)snprintf(s->path, sizeof s->path, "%s/%s", dir, STATE_FILE_NAME) >= sizeof s->path) {
		free(s);
		return -ENAMETOOLONG;
	}
	(void)need(s);
	*ret = s;
	return 0;
}

void
state_close(struct state *s)
{
	if (s == NULL)
		return;
	drop_db(s);
	free(s);
}

const char *
state_fault(struct state *s)
{
	return need(s) < 0 || s->failing ? s->fault : NULL;
}

static void
bind_text(sqlite3_stmt *st, int at, const char *text)
{
	(void)sqlite3_bind_text(st, at, text, -1, SQLITE_STATIC);
}

static void
bind_int(sqlite3_stmt *st, int at, int64_t value)
{
	(void)sqlite3_bind_int64(st, at, value);
}

/* After the last step of a statement, which said rc. */
static int
done(sqlite3_stmt *st, int rc)
{
	(void)sqlite3_reset(st);
	(void)sqlite3_clear_bindings(st);
	return state_error(rc);
}

/* Run a bound statement to its end. Returns 0 or -errno. */
static int
run(sqlite3_stmt *st)
{
	int rc;

	do
		rc = sqlite3_step(st);
	while (rc == SQLITE_ROW);
	return done(st, rc);
}

/* End a transaction: commit after 0, else roll back. Returns r, or why the commit failed. */
static int
finish(struct state *s, int r)
{
	if (r == 0)
		r = run(s->stmt[SQL_COMMIT]);
	if (r < 0 && sqlite3_get_autocommit(s->db) == 0)
		(void)run(s->stmt[SQL_ROLLBACK]);
	return r;
}

int
state_told(struct state *s, int r)
{
	if (r == -EEXIST || r == -ERANGE)	/* says something of the token, not of the store */
		return r;
	if (r < 0 && !s->failing)
		report_log(LOG_ERR, "state could not be stored: %s", strerror(-r));
	s->failing = r < 0;
	if (r < 0)
		(void)snprintf(s->fault, sizeof s->fault, "%.100s: %s", s->dir, strerror(-r));
	return r;
}

int
state_token_mark(struct state *s, const char *id, struct otp_mark *ret)
{
	sqlite3_stmt *st;
	int rc, r = need(s);

	if (r < 0)
		return r;
	st = s->stmt[SQL_TOKEN_GET];
	bind_text(st, 1, id);
	rc = sqlite3_step(st);
	*ret = (struct otp_mark){ .known = rc == SQLITE_ROW };
	if (ret->known)
		ret->last = (uint64_t)sqlite3_column_int64(st, 0);
	return done(st, rc);
}

int
state_failures(struct state *s, const char *user, enum scope scope, struct failures *ret)
{
	sqlite3_stmt *st;
	int rc, r = need(s);

	if (r < 0)
		return r;
	st = s->stmt[SQL_FAILURE_GET];
	bind_text(st, 1, user);
	bind_int(st, 2, scope);
	rc = sqlite3_step(st);
	*ret = (struct failures){ .count = 0 };
	if (rc == SQLITE_ROW) {
		ret->count = (unsigned)sqlite3_column_int(st, 0);
		ret->last_utc_sec = sqlite3_column_int64(st, 1);
		ret->locked_until_utc_sec = sqlite3_column_int64(st, 2);
	}
	return done(st, rc);
}

int
state_set_failures(struct state *s, const char *user, enum scope scope, const struct failures *f)
{
	sqlite3_stmt *st;
	int r = need(s);

	if (r < 0)
		return r;
	st = s->stmt[f->count == 0 ? SQL_FAILURE_CLEAR : SQL_FAILURE_SET];
	bind_text(st, 1, user);
	bind_int(st, 2, scope);
	if (f->count != 0) {
		bind_int(st, 3, f->count);
		bind_int(st, 4, f->last_utc_sec);
		bind_int(st, 5, f->locked_until_utc_sec);
	}
	return state_told(s, run(st));
}

int
state_forget_failures(struct state *s, const char *user, unsigned *ret_count)
{
	int r = need(s);

	if (r < 0)
		return r;
	bind_text(s->stmt[SQL_FAILURE_FORGET], 1, user);
	r = state_told(s, run(s->stmt[SQL_FAILURE_FORGET]));
	if (r == 0)
		*ret_count = (unsigned)sqlite3_changes(s->db);
	return r;
}

int
state_locked_count(struct state *s, int64_t now_utc_sec, unsigned *ret)
{
	sqlite3_stmt *st;
	int rc, r = need(s);

	if (r < 0)
		return r;
	st = s->stmt[SQL_FAILURE_LOCKED];
	bind_int(st, 1, now_utc_sec);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*ret = (unsigned)sqlite3_column_int(st, 0);
	return done(st, rc);
}

static int
set_clock(struct state *s, const struct clock_mark *mark)
{
	sqlite3_stmt *st = s->stmt[SQL_CLOCK_SET];

	bind_int(st, 1, mark->mark_sec);
	bind_int(st, 2, mark->anchor_wall_sec);
	bind_int(st, 3, mark->anchor_boot_sec);
	bind_text(st, 4, mark->boot_id);
	return run(st);
}

static int
raise_token(struct state *s, const char *id, uint64_t last, int64_t now_utc_sec)
{
	sqlite3_stmt *st = s->stmt[SQL_TOKEN_RAISE];
	int r;

	if (last > INT64_MAX)
		return -ERANGE;
	bind_text(st, 1, id);
	bind_int(st, 2, (int64_t)last);
	bind_int(st, 3, now_utc_sec);
	r = run(st);
	if (r == 0 && sqlite3_changes(s->db) != 1)
		r = -EEXIST;
	return r;
}

int
state_accept(struct state *s, const struct acceptance *a)
{
	int r = need(s);

	if (r < 0)
		return r;
	r = run(s->stmt[SQL_BEGIN]);
	if (r < 0)
		return state_told(s, r);
	if (a->token != NULL)
		r = raise_token(s, a->token, a->last, a->now_utc_sec);
	if (r == 0) {
		bind_text(s->stmt[SQL_FAILURE_CLEAR], 1, a->user);
		bind_int(s->stmt[SQL_FAILURE_CLEAR], 2, a->scope);
		r = run(s->stmt[SQL_FAILURE_CLEAR]);
	}
	if (r == 0)
		r = set_clock(s, a->mark);
	return state_told(s, finish(s, r));
}

int
state_next_sequence(struct state *s, const char *user, int64_t now_utc_sec, uint64_t *ret)
{
	sqlite3_stmt *st;
	uint64_t value = 0;
	int rc, r = need(s);

	if (r < 0)
		return r;
	r = run(s->stmt[SQL_BEGIN]);
	if (r < 0)
		return state_told(s, r);
	st = s->stmt[SQL_SEQUENCE_RAISE];
	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		value = (uint64_t)sqlite3_column_int64(st, 0);
	r = done(st, rc);
	if (r == 0 && user != NULL) {
		bind_text(s->stmt[SQL_LAST_USE], 1, user);
		bind_int(s->stmt[SQL_LAST_USE], 2, now_utc_sec);
		r = run(s->stmt[SQL_LAST_USE]);
	}
	r = state_told(s, finish(s, r));
	if (r == 0)
		*ret = value;
	return r;
}

int
state_load_clock(struct state *s, struct clock_mark *ret)
{
	const unsigned char *boot_id;
	sqlite3_stmt *st;
	int rc, r = need(s);

	*ret = (struct clock_mark){ .known = false };
	if (r < 0)
		return r;
	st = s->stmt[SQL_CLOCK_GET];
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		ret->mark_sec = sqlite3_column_int64(st, 0);
		ret->anchor_wall_sec = sqlite3_column_int64(st, 1);
		ret->anchor_boot_sec = sqlite3_column_int64(st, 2);
		boot_id = sqlite3_column_text(st, 3);
		if (boot_id != NULL)
			(void)snprintf(ret->boot_id, sizeof ret->boot_id, "%s", (const char *)boot_id);
		ret->known = true;
	}
	return done(st, rc);
}

int
state_save_clock(struct state *s, const struct clock_mark *mark)
{
	int r = need(s);

	return r < 0 ? r : state_told(s, set_clock(s, mark));
}

int
state_add_session(struct state *s, const struct session_row *row)
{
	sqlite3_stmt *st;
	int r = need(s);

	if (r < 0)
		return r;
	st = s->stmt[SQL_SESSION_ADD];
	bind_text(st, 1, row->txn);
	bind_text(st, 2, row->user);
	bind_int(st, 3, row->uid);
	bind_text(st, 4, row->service);
	bind_text(st, 5, row->tty);
	bind_int(st, 6, row->factors);
	bind_int(st, 7, row->opened_utc_sec);
	return state_told(s, run(st));
}

int
state_remove_session(struct state *s, const char *txn)
{
	int r = need(s);

	if (r < 0)
		return r;
	bind_text(s->stmt[SQL_SESSION_REMOVE], 1, txn);
	return state_told(s, run(s->stmt[SQL_SESSION_REMOVE]));
}

static void
copy_column(sqlite3_stmt *st, int column, char *to, size_t size)
{
	const unsigned char *text = sqlite3_column_text(st, column);

	(void)snprintf(to, size, "%s", text == NULL ? "" : (const char *)text);
}

int
state_each_session(struct state *s, void (*each)(const struct session_row *row, void *arg), void *arg)
{
	sqlite3_stmt *st;
	int rc, r = need(s);

	if (r < 0)
		return r;
	st = s->stmt[SQL_SESSION_EACH];
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct session_row row = { .uid = (uint32_t)sqlite3_column_int64(st, 2) };

		copy_column(st, 0, row.txn, sizeof row.txn);
		copy_column(st, 1, row.user, sizeof row.user);
		copy_column(st, 3, row.service, sizeof row.service);
		copy_column(st, 4, row.tty, sizeof row.tty);
		row.factors = (unsigned)sqlite3_column_int(st, 5);
		row.opened_utc_sec = sqlite3_column_int64(st, 6);
		each(&row, arg);
	}
	return done(st, rc);
}
