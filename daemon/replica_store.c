/*
 * replica_store.c - the replica's SQLite file (see replica_store.h).
 *
 * Directory process, on the thread of the source. The file is ours alone (folder 0700), yet what it says is checked:
 * a torn or foreign one is emptied, which costs a full refresh and nothing else.
 */
#include <config.h>

#include "daemon/replica_store.h"

#include <errno.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/entry_pack.h"

#define FORM "2"
#define MARK_SIZE sizeof(uint64_t)	/* what stands before an entry's block: its mark */

enum { SQL_PUT, SQL_UPDATE, SQL_REMOVE, SQL_CLEAR, SQL_DEPART, SQL_DEPARTED, SQL_DEPARTED_CLEAR, SQL_TOMB, SQL_TOMB_CLEAR, SQL_TOMBS,
	SQL_ALL, SQL_META_GET, SQL_META_SET, SQL_META_UNSET, SQL_COUNT };

static const char *const statements[SQL_COUNT] = {
	[SQL_PUT] = "INSERT OR REPLACE INTO packed (uuid, body) VALUES (?1, ?2)",
	[SQL_UPDATE] = "UPDATE packed SET body = ?2 WHERE uuid = ?1",
	[SQL_REMOVE] = "DELETE FROM packed WHERE uuid = ?1",
	[SQL_CLEAR] = "DELETE FROM packed",
	/* Rows only ever go all at once: the last rowid is their number. */
	[SQL_DEPART] = ("INSERT OR IGNORE INTO departed (is_number, key, entry_id) SELECT ?1, ?2, ?3"
	    " WHERE coalesce((SELECT max(rowid) FROM departed), 0) < ?4"),
	[SQL_DEPARTED] = "SELECT is_number, key, entry_id FROM departed ORDER BY is_number, key",
	[SQL_DEPARTED_CLEAR] = "DELETE FROM departed",
	[SQL_TOMB] = "INSERT OR REPLACE INTO tombs (uuid, mark) VALUES (?1, ?2)",
	[SQL_TOMB_CLEAR] = "DELETE FROM tombs WHERE uuid = ?1",
	[SQL_TOMBS] = "SELECT uuid, mark FROM tombs",
	[SQL_ALL] = "SELECT uuid, body FROM packed",
	[SQL_META_GET] = "SELECT value FROM meta WHERE key = ?1",
	[SQL_META_SET] = "INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)",
	[SQL_META_UNSET] = "DELETE FROM meta WHERE key = ?1",
};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS packed (uuid BLOB PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS departed (is_number INTEGER NOT NULL, key TEXT NOT NULL, entry_id TEXT NOT NULL,"
    " UNIQUE (is_number, key));"
    "CREATE TABLE IF NOT EXISTS tombs (uuid BLOB PRIMARY KEY, mark INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;";

struct replica_store {
	sqlite3 *db;			/* owned */
	sqlite3_stmt *stmt[SQL_COUNT];	/* owned */
};

static int
error_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_READONLY:
		return -EACCES;
	default:
		return -EIO;
	}
}

static int
run(sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);

	(void)sqlite3_reset(st);
	(void)sqlite3_clear_bindings(st);
	return error_of(rc);
}

/* ---- rows ---- */

static int
read_row(sqlite3_stmt *st, struct entry **ret)
{
	const uint8_t *body = sqlite3_column_blob(st, 1);
	size_t size = (size_t)sqlite3_column_bytes(st, 1);
	int r;

	if (body == NULL || size < MARK_SIZE || sqlite3_column_bytes(st, 0) != SYNC_UUID_SIZE)
		return -EBADMSG;
	r = entry_unpack(body + MARK_SIZE, size - MARK_SIZE, NULL, ret);
	if (r < 0)
		return r;
	memcpy(&(*ret)->mark, body, MARK_SIZE);
	(*ret)->waits = false;		/* for what is not stored: the server tells it once more */
	return 0;
}

/* unreadable_too: rows that cannot be read are passed over. */
static int
each_row(struct replica_store *s, bool unreadable_too, int (*take)(void *arg, const uint8_t uuid[SYNC_UUID_SIZE],
    struct entry *e), void *arg)
{
	sqlite3_stmt *st = s->stmt[SQL_ALL];
	struct entry *e;
	int r = 0, rc = SQLITE_DONE;

	while (r >= 0 && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		r = read_row(st, &e);
		if (r == 0)
			r = take(arg, sqlite3_column_blob(st, 0), e);
		else if (r == -EBADMSG && unreadable_too)
			r = 0;
	}
	(void)sqlite3_reset(st);
	return r < 0 ? r : error_of(rc);
}

/* ---- opening ---- */

static int
prepare(struct replica_store *s)
{
	int rc;

	rc = sqlite3_exec(s->db, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
	    "PRAGMA trusted_schema=OFF; PRAGMA journal_size_limit=67108864;", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(s->db, schema, NULL, NULL, NULL);
	for (int i = 0; i < SQL_COUNT && rc == SQLITE_OK; i++)
		rc = sqlite3_prepare_v3(s->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT, &s->stmt[i], NULL);
	return error_of(rc);
}

/* A value beside the entries. Returns its length, 0 when it is not there or does not fit, or -errno. */
static int
meta_get(struct replica_store *s, const char *key, void *buf, size_t size)
{
	sqlite3_stmt *st = s->stmt[SQL_META_GET];
	int len = 0, rc;

	(void)sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		len = sqlite3_column_bytes(st, 0);
		if (len < 0 || (size_t)len > size)
			len = 0;
		if (len > 0)
			memcpy(buf, sqlite3_column_blob(st, 0), (size_t)len);
	}
	(void)sqlite3_reset(st);
	(void)sqlite3_clear_bindings(st);
	rc = error_of(rc);
	return rc < 0 ? rc : len;
}

static int
meta_set(struct replica_store *s, const char *key, const void *bytes, size_t len)
{
	sqlite3_stmt *st = s->stmt[SQL_META_SET];

	(void)sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
	(void)sqlite3_bind_blob(st, 2, bytes, (int)len, SQLITE_STATIC);
	return run(st);
}

static int
meta_unset(struct replica_store *s, const char *key)
{
	(void)sqlite3_bind_text(s->stmt[SQL_META_UNSET], 1, key, -1, SQLITE_STATIC);
	return run(s->stmt[SQL_META_UNSET]);
}

static int
depart_user(void *arg, const uint8_t uuid[SYNC_UUID_SIZE], struct entry *e)
{
	int r = entry_has_class(e, "posixAccount") ? replica_store_depart(arg, e) : 0;

	(void)uuid;
	entry_free(e);
	return r;
}

/* Line n of an origin, with its end; of length 0 where there is none. */
struct line {
	const char *at;
	size_t len;
};

static struct line
line_of(const char *origin, size_t len, unsigned n)
{
	const char *end = origin + len, *at = origin, *next = origin;

	for (unsigned i = 0; i <= n && next != NULL; i++) {
		at = next;
		next = memchr(at, '\n', (size_t)(end - at));
		next = next != NULL ? next + 1 : NULL;
	}
	return (struct line){ at, next != NULL ? (size_t)(next - at) : 0 };
}

static bool
is_same_line(const char *x, size_t x_len, const char *y, size_t y_len, unsigned n)
{
	struct line a = line_of(x, x_len, n), b = line_of(y, y_len, n);

	return a.len > 0 && a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

enum { LINE_FORM, LINE_BASE };

/* What is held must have come from where we look now. */
static int
claim(struct replica_store *s, const char *origin)
{
	char wanted[4096], there[4096];
	size_t len;
	int n, r, there_len;

	n = snprintf(wanted, sizeof wanted, FORM "\n%s", origin);
	if (n < 0 || (size_t)n >= sizeof wanted)
		return -ENAMETOOLONG;
	len = (size_t)n;
	there_len = meta_get(s, "origin", there, sizeof there);
	if (there_len < 0 || ((size_t)there_len == len && memcmp(there, wanted, len) == 0))
		return there_len < 0 ? there_len : 0;
	r = replica_store_begin(s);
	if (r == 0 && !is_same_line(there, (size_t)there_len, wanted, len, LINE_BASE))
		r = replica_store_departed_clear(s);
	else if (r == 0 && is_same_line(there, (size_t)there_len, wanted, len, LINE_FORM))
		r = each_row(s, true, depart_user, s);
	if (r == 0)
		r = replica_store_clear(s);
	if (r == 0)
		r = error_of(sqlite3_exec(s->db, "DROP TABLE IF EXISTS entries", NULL, NULL, NULL));	/* of form 1 */
	if (r == 0)
		r = meta_set(s, "origin", wanted, len);
	if (r == 0)
		r = replica_store_finish(s, &(struct sync_cookie){ 0 }, 0);
	if (r < 0)
		replica_store_undo(s);
	return r;
}

static int
open_once(const char *path, const char *origin, struct replica_store **ret)
{
	struct replica_store *s = calloc(1, sizeof *s);
	int r;

	if (s == NULL)
		return -ENOMEM;
	r = error_of(sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
	    SQLITE_OPEN_NOFOLLOW, NULL));
	if (r == 0)
		r = prepare(s);
	if (r == 0)
		r = claim(s, origin);
	if (r < 0) {
		replica_store_close(s);
		return r;
	}
	*ret = s;
	return 0;
}

int
replica_store_open(const char *folder, const char *origin, struct replica_store **ret, char *fault, size_t size)
{
	static const char *const files[] = { "", "-wal", "-shm" };
	char path[PATH_MAX], file[PATH_MAX + 8];
	int n, r;

	n = snprintf(path, sizeof path, "%s/replica.db", folder);
	if (n < 0 || (size_t)n >= sizeof path)
		return -ENAMETOOLONG;
	r = open_once(path, origin, ret);
	if (r == -EBADMSG) {		/* no database any more: the server has all of it */
		for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
			(void)snprintf(file, sizeof file, "%s%s", path, files[i]);
			(void)remove(file);
		}
		r = open_once(path, origin, ret);
	}
	if (r < 0)
		(void)snprintf(fault, size, "%.255s: %s", path, strerror(-r));
	return r;
}

void
replica_store_close(struct replica_store *s)
{
	if (s == NULL)
		return;
	for (int i = 0; i < SQL_COUNT; i++)
		(void)sqlite3_finalize(s->stmt[i]);
	(void)sqlite3_close(s->db);
	free(s);
}

/* ---- reading ---- */

int
replica_store_read(struct replica_store *s, struct sync_cookie *ret_cookie, int64_t *ret_confirmed_utc_sec)
{
	int r;

	*ret_confirmed_utc_sec = 0;
	r = meta_get(s, "cookie", ret_cookie->bytes, sizeof ret_cookie->bytes);
	if (r < 0)
		return r;
	ret_cookie->len = (size_t)r;
	r = meta_get(s, "server", ret_cookie->server, sizeof ret_cookie->server - 1);
	if (r < 0)
		return r;
	ret_cookie->server[r] = '\0';
	ret_cookie->there = ret_cookie->len > 0 && r > 0;
	r = meta_get(s, "confirmed", ret_confirmed_utc_sec, sizeof *ret_confirmed_utc_sec);
	return r < 0 ? r : 0;
}

int
replica_store_each(struct replica_store *s, int (*take)(void *arg, const uint8_t uuid[SYNC_UUID_SIZE],
    struct entry *e), void *arg)
{
	return each_row(s, false, take, arg);
}

int
replica_store_each_tomb(struct replica_store *s, int (*take)(void *arg, const uint8_t uuid[SYNC_UUID_SIZE],
    uint64_t mark), void *arg)
{
	sqlite3_stmt *st = s->stmt[SQL_TOMBS];
	int r = 0, rc = SQLITE_DONE;

	while (r >= 0 && (rc = sqlite3_step(st)) == SQLITE_ROW)
		r = sqlite3_column_bytes(st, 0) != SYNC_UUID_SIZE ? -EBADMSG :
		    take(arg, sqlite3_column_blob(st, 0), (uint64_t)sqlite3_column_int64(st, 1));
	(void)sqlite3_reset(st);
	return r < 0 ? r : error_of(rc);
}

int
replica_store_departed(struct replica_store *s, struct identity_holders *ret)
{
	sqlite3_stmt *st = s->stmt[SQL_DEPARTED];
	int r = 0, rc = SQLITE_DONE;

	while (r >= 0 && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		const char *key = (const char *)sqlite3_column_text(st, 1), *id = (const char *)sqlite3_column_text(st, 2);

		r = key != NULL && id != NULL ? identity_holders_add(ret, sqlite3_column_int(st, 0) != 0, key, id) : -ENOMEM;
	}
	(void)sqlite3_reset(st);
	return r < 0 ? r : error_of(rc);
}

/* ---- writing ---- */

int
replica_store_begin(struct replica_store *s)
{
	return error_of(sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL));
}

static int
write_entry(sqlite3_stmt *st, const uint8_t uuid[SYNC_UUID_SIZE], const struct replica_packed *e)
{
	uint8_t *body;

	if (e->size > INT_MAX - MARK_SIZE)
		return -EFBIG;
	body = malloc(MARK_SIZE + e->size);
	if (body == NULL)
		return -ENOMEM;
	memcpy(body, &e->mark, MARK_SIZE);
	memcpy(body + MARK_SIZE, e->block, e->size);
	(void)sqlite3_bind_blob(st, 1, uuid, SYNC_UUID_SIZE, SQLITE_STATIC);
	(void)sqlite3_bind_blob(st, 2, body, (int)(MARK_SIZE + e->size), free);	/* now owned by the statement */
	return run(st);
}

int
replica_store_put(struct replica_store *s, const uint8_t uuid[SYNC_UUID_SIZE], const struct replica_packed *e)
{
	return write_entry(s->stmt[SQL_PUT], uuid, e);
}

int
replica_store_update(struct replica_store *s, const uint8_t uuid[SYNC_UUID_SIZE], const struct replica_packed *e)
{
	return write_entry(s->stmt[SQL_UPDATE], uuid, e);
}

int
replica_store_remove(struct replica_store *s, const uint8_t uuid[SYNC_UUID_SIZE])
{
	(void)sqlite3_bind_blob(s->stmt[SQL_REMOVE], 1, uuid, SYNC_UUID_SIZE, SQLITE_STATIC);
	return run(s->stmt[SQL_REMOVE]);
}

int
replica_store_depart(struct replica_store *s, const struct entry *before)
{
	static const char *const names[2] = { "uid", "uidNumber" };
	const char *uuid = entry_value(before, "entryUUID");
	struct identity_holders none = { 0 };
	char id[65] = "";
	int r = 0;

	for (size_t i = 0; uuid != NULL && uuid[i] != '\0' && i < sizeof id - 1; i++)	/* as identities write it */
		id[i] = (char)(uuid[i] >= 'A' && uuid[i] <= 'F' ? uuid[i] - 'A' + 'a' : uuid[i]);
	for (int i = 0; i < 2 && r == 0; i++) {
		const char *key = entry_value(before, names[i]);

		/* What cannot be a name or a number, nobody good had. */
		r = key != NULL ? identity_holders_add(&none, i == 1, key, id) : -EINVAL;
		if (r == 0) {
			sqlite3_stmt *st = s->stmt[SQL_DEPART];

			(void)sqlite3_bind_int(st, 1, i);
			(void)sqlite3_bind_text(st, 2, key, -1, SQLITE_STATIC);
			(void)sqlite3_bind_text(st, 3, id, -1, SQLITE_STATIC);
			(void)sqlite3_bind_int(st, 4, IDENTITY_HOLDERS_MAX);
			r = run(st);
		}
		r = r == -EINVAL ? 0 : r;
	}
	identity_holders_done(&none);
	return r;
}

int
replica_store_departed_clear(struct replica_store *s)
{
	return run(s->stmt[SQL_DEPARTED_CLEAR]);
}

int
replica_store_clear(struct replica_store *s)
{
	int r = run(s->stmt[SQL_CLEAR]);

	return r < 0 ? r : error_of(sqlite3_exec(s->db, "DELETE FROM tombs", NULL, NULL, NULL));
}

int
replica_store_tomb(struct replica_store *s, const uint8_t uuid[SYNC_UUID_SIZE], uint64_t mark)
{
	sqlite3_stmt *st = s->stmt[mark != 0 ? SQL_TOMB : SQL_TOMB_CLEAR];

	(void)sqlite3_bind_blob(st, 1, uuid, SYNC_UUID_SIZE, SQLITE_STATIC);
	if (mark != 0)
		(void)sqlite3_bind_int64(st, 2, (sqlite3_int64)mark);
	return run(st);
}

int
replica_store_finish(struct replica_store *s, const struct sync_cookie *cookie, int64_t confirmed_utc_sec)
{
	int r;

	r = cookie->there ? meta_set(s, "cookie", cookie->bytes, cookie->len) : meta_unset(s, "cookie");
	if (r == 0)
		r = meta_set(s, "server", cookie->server, strlen(cookie->server));
	if (r == 0)
		r = meta_set(s, "confirmed", &confirmed_utc_sec, sizeof confirmed_utc_sec);
	return r < 0 ? r : replica_store_commit(s);
}

int
replica_store_commit(struct replica_store *s)
{
	return error_of(sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL));
}

int
replica_store_suspend(struct replica_store *s)
{
	int r = meta_unset(s, "cookie");

	return r < 0 ? r : replica_store_commit(s);
}

void
replica_store_undo(struct replica_store *s)
{
	if (sqlite3_get_autocommit(s->db) == 0)
		(void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}
