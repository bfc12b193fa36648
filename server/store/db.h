/* Database: a thin face over one connection, so that SQL stays in the case
 * files and the driver's library in one body (db_sqlite.c).
 *
 * The SQL keeps to what SQLite and PostgreSQL both understand: parameters are
 * `:name`, new ids come back by RETURNING, conflicts by ON CONFLICT. A
 * connection and its queries belong to one thread at a time.
 */
#ifndef DL_SERVER_STORE_DB_H
#define DL_SERVER_STORE_DB_H

#include "core/base/error.h"
#include "core/base/mem.h"

#include <stdbool.h>
#include <stdint.h>

struct dl_db;
struct dl_query;

/* `writes`: makes the file when missing (mode 0600) and switches it to WAL. A
 * connection without it cannot change anything. Commits are synced (FULL). */
int dl_db_open(const char *path, bool writes, struct dl_db **ret_db, struct dl_error *err);
void dl_db_close(struct dl_db *db);
DL_DEFINE_AUTO(dl_db, dl_db_close)

/* Runs statements without parameters and results. */
int dl_db_exec(struct dl_db *db, const char *sql, struct dl_error *err);

/* Rows the last INSERT, UPDATE or DELETE changed: what a compare-and-swap asks. */
int64_t dl_db_changes(const struct dl_db *db);

/* Never NULL: what went wrong while preparing or binding is told by the next
 * dl_query_step. `sql` must outlive the query. */
struct dl_query *dl_query_new(struct dl_db *db, const char *sql);
void dl_query_free(struct dl_query *query);
DL_DEFINE_AUTO(dl_query, dl_query_free)

/* `name` without the colon; naming a parameter that is not there is an error.
 * Texts are copied; NULL binds SQL's NULL. */
void dl_query_int(struct dl_query *query, const char *name, int64_t value);
void dl_query_text(struct dl_query *query, const char *name, const char *value);
/* 0 binds NULL: optional references and times. */
void dl_query_id(struct dl_query *query, const char *name, int64_t value);

/* 1: a row is there; 0: no more. EXISTS: a unique index refused; NO_SPACE, BUSY, IO. */
int dl_query_step(struct dl_query *query, struct dl_error *err);
/* For statements without rows to read: 0 or an error. Ready for new values. */
int dl_query_run(struct dl_query *query, struct dl_error *err);
/* As step, but a missing row is DL_E_NOT_FOUND with `what` in the words. */
int dl_query_one(struct dl_query *query, const char *what, struct dl_error *err);

/* Columns of the present row by name; texts are borrowed until the next step.
 * NULL reads as 0 and "". */
int64_t dl_row_int(struct dl_query *query, const char *column);
const char *dl_row_text(struct dl_query *query, const char *column);
bool dl_row_is_null(struct dl_query *query, const char *column);

#endif
