#include "server/store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

/* A writer of another process (a backup, `dislodged admin`) may hold the lock. */
enum { LOCK_WAIT_MS = 10000 };

struct dl_db {
	sqlite3 *handle;
};

struct dl_query {
	struct dl_db *db;
	sqlite3_stmt *statement;
	struct dl_error problem; /* first failure of prepare or bind; code 0: none */
};

static int sqlite_code(int status)
{
	if (status == SQLITE_CONSTRAINT_UNIQUE || status == SQLITE_CONSTRAINT_PRIMARYKEY)
		return DL_E_EXISTS;
	switch (status & 0xff) {
	case SQLITE_FULL:
		return DL_E_NO_SPACE;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return DL_E_BUSY;
	case SQLITE_TOOBIG:
		return DL_E_LIMIT;
	default:
		return DL_E_IO;
	}
}

static int db_error(struct dl_db *db, struct dl_error *err, const char *doing)
{
	return dl_error_set(err, sqlite_code(sqlite3_extended_errcode(db->handle)),
			    "database: %s: %s", doing, sqlite3_errmsg(db->handle));
}

/* The file holds secrets of enrolment keys and hashes of passwords: it exists
 * with its mode before SQLite writes the first byte; WAL and SHM inherit it. */
static int make_private_file(const char *path, struct dl_error *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return dl_error_errno(err, errno, "opening '%s'", path);
	close(fd);
	return 0;
}

static int set_up(struct dl_db *db, bool writes, struct dl_error *err)
{
	sqlite3_extended_result_codes(db->handle, 1);
	sqlite3_busy_timeout(db->handle, LOCK_WAIT_MS);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	int r = dl_db_exec(db, "PRAGMA foreign_keys = ON", err);
	if (r < 0 || !writes)
		return r < 0 ? r : dl_db_exec(db, "PRAGMA query_only = ON", err);
	r = dl_db_exec(db, "PRAGMA journal_mode = WAL", err);
	if (r < 0)
		return r;
	return dl_db_exec(db, "PRAGMA synchronous = FULL", err);
}

int dl_db_open(const char *path, bool writes, struct dl_db **ret_db, struct dl_error *err)
{
	int r = writes ? make_private_file(path, err) : 0;
	if (r < 0)
		return r;
	dl_auto(dl_db) db = DL_NEW(struct dl_db);
	/* Read-only is `query_only`, not SQLITE_OPEN_READONLY: a WAL reader must
	 * be able to write the shared-memory index. */
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
	if (sqlite3_open_v2(path, &db->handle, flags, NULL) != SQLITE_OK)
		return db_error(db, err, path);
	r = set_up(db, writes, err);
	if (r < 0)
		return r;
	*ret_db = DL_TAKE(db);
	return 0;
}

void dl_db_close(struct dl_db *db)
{
	if (!db)
		return;
	sqlite3_close(db->handle);
	free(db);
}

int dl_db_exec(struct dl_db *db, const char *sql, struct dl_error *err)
{
	if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
		return db_error(db, err, "exec");
	return 0;
}

int64_t dl_db_changes(const struct dl_db *db)
{
	return sqlite3_changes64(db->handle);
}

struct dl_query *dl_query_new(struct dl_db *db, const char *sql)
{
	struct dl_query *query = DL_NEW(struct dl_query);
	query->db = db;
	if (sqlite3_prepare_v2(db->handle, sql, -1, &query->statement, NULL) != SQLITE_OK)
		db_error(db, &query->problem, sql);
	return query;
}

void dl_query_free(struct dl_query *query)
{
	if (!query)
		return;
	sqlite3_finalize(query->statement);
	free(query);
}

/* 0 when the query is already broken or has no such parameter. */
static int parameter(struct dl_query *query, const char *name)
{
	char spelled[64] = ":";
	if (query->problem.code < 0)
		return 0;
	strncat(spelled, name, sizeof(spelled) - 2);
	int index = sqlite3_bind_parameter_index(query->statement, spelled);
	if (!index)
		dl_error_set(&query->problem, DL_E_INVALID, "database: no parameter '%s' in: %s",
			     name, sqlite3_sql(query->statement));
	return index;
}

static void note_bind(struct dl_query *query, int status)
{
	if (status != SQLITE_OK && query->problem.code == 0)
		db_error(query->db, &query->problem, "bind");
}

void dl_query_int(struct dl_query *query, const char *name, int64_t value)
{
	int index = parameter(query, name);
	if (index)
		note_bind(query, sqlite3_bind_int64(query->statement, index, value));
}

void dl_query_text(struct dl_query *query, const char *name, const char *value)
{
	int index = parameter(query, name);
	if (index)
		note_bind(query, sqlite3_bind_text(query->statement, index, value, -1,
						   SQLITE_TRANSIENT));
}

void dl_query_id(struct dl_query *query, const char *name, int64_t value)
{
	int index = parameter(query, name);
	if (!index)
		return;
	note_bind(query, value ? sqlite3_bind_int64(query->statement, index, value)
			       : sqlite3_bind_null(query->statement, index));
}

int dl_query_step(struct dl_query *query, struct dl_error *err)
{
	if (query->problem.code < 0)
		return dl_error_set(err, query->problem.code, "%s", query->problem.text);
	int status = sqlite3_step(query->statement);
	if (status == SQLITE_ROW)
		return 1;
	if (status == SQLITE_DONE)
		return 0;
	return db_error(query->db, err, "step");
}

int dl_query_run(struct dl_query *query, struct dl_error *err)
{
	int r;
	do
		r = dl_query_step(query, err);
	while (r > 0);
	if (query->statement)
		sqlite3_reset(query->statement);
	return r;
}

int dl_query_one(struct dl_query *query, const char *what, struct dl_error *err)
{
	int r = dl_query_step(query, err);
	if (r == 0)
		return dl_error_set(err, DL_E_NOT_FOUND, "no such %s", what);
	return r < 0 ? r : 0;
}

/* -1, which SQLite reads as NULL, for a name that is not there. */
static int column_index(struct dl_query *query, const char *column)
{
	int count = sqlite3_column_count(query->statement);
	for (int i = 0; i < count; i++)
		if (strcmp(sqlite3_column_name(query->statement, i), column) == 0)
			return i;
	return -1;
}

int64_t dl_row_int(struct dl_query *query, const char *column)
{
	return sqlite3_column_int64(query->statement, column_index(query, column));
}

const char *dl_row_text(struct dl_query *query, const char *column)
{
	const unsigned char *text = sqlite3_column_text(query->statement,
							column_index(query, column));
	return text ? (const char *)text : "";
}

bool dl_row_is_null(struct dl_query *query, const char *column)
{
	return sqlite3_column_type(query->statement, column_index(query, column)) == SQLITE_NULL;
}
