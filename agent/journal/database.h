/* The journal's database handle; private to agent/journal. */
#ifndef DL_AGENT_JOURNAL_DATABASE_H
#define DL_AGENT_JOURNAL_DATABASE_H

#include "agent/journal/journal.h"

#include <sqlite3.h>

struct dl_journal {
	sqlite3 *handle;
};

/* Holds the connection for this thread until the scope ends, so that a
 * function of several statements is atomic towards other threads. */
struct dl_journal *db_lock(struct dl_journal *journal);
void db_unlock(struct dl_journal **journal);
#define db_autolock __attribute__((cleanup(db_unlock), unused)) struct dl_journal

/* Ready for its next use; statements live until the journal is closed. */
void db_put_back(sqlite3_stmt **statement);
#define db_autostmt __attribute__((cleanup(db_put_back))) sqlite3_stmt

/* Prepares `sql`, unless it was prepared before and is at rest, and binds one
 * argument per letter of `types`: s (const char *, which must live as long
 * as the statement is used, NULL is NULL) or i (int64_t). */
int db_prepare(struct dl_journal *journal, sqlite3_stmt **ret_statement, struct dl_error *err,
	       const char *sql, const char *types, ...);
/* 1: a row is there; 0: no more rows; or an error. */
int db_step(struct dl_journal *journal, sqlite3_stmt *statement, struct dl_error *err);
/* Prepares, binds and runs a statement without rows; *ret_changes may be NULL. */
int db_run(struct dl_journal *journal, int *ret_changes, struct dl_error *err, const char *sql,
	   const char *types, ...);
/* A column's text, borrowed until the next step; never NULL. */
const char *db_text(sqlite3_stmt *statement, int column);
/* A column that holds JSON this journal wrote: a new reference. */
int db_json(sqlite3_stmt *statement, int column, json_t **ret_value, struct dl_error *err);
int db_error(struct dl_journal *journal, struct dl_error *err, const char *words);

/* A transaction rolls back at the scope's end unless it was committed. */
struct db_transaction {
	struct dl_journal *journal; /* NULL when not open */
};
int db_begin(struct db_transaction *transaction, struct dl_journal *journal, struct dl_error *err);
int db_commit(struct db_transaction *transaction, struct dl_error *err);
void db_rollback(struct db_transaction *transaction);
#define db_autotransaction __attribute__((cleanup(db_rollback))) struct db_transaction

#endif
