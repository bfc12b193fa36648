#include "agent/journal/database.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { DB_SCHEMA = 1, DB_PATH_SIZE = 64, DB_JSON_MAX = 16 * 1024 * 1024 };

static const char db_schema[] =
	"CREATE TABLE setting(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE seen(key TEXT PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL)"
	" WITHOUT ROWID;"
	"CREATE INDEX seen_by_last ON seen(last);"
	"CREATE TABLE plan(n INTEGER PRIMARY KEY, plan_id TEXT NOT NULL UNIQUE,"
	" state INTEGER NOT NULL, nonce TEXT NOT NULL, order_text TEXT NOT NULL,"
	" key_text TEXT NOT NULL, received INTEGER NOT NULL);"
	"CREATE INDEX plan_by_state ON plan(state);"
	"CREATE TABLE run(plan_id TEXT NOT NULL, step INTEGER NOT NULL, terminal INTEGER NOT NULL,"
	" body TEXT NOT NULL, PRIMARY KEY(plan_id, step)) WITHOUT ROWID;"
	"CREATE TABLE move(n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
	" plan_id TEXT NOT NULL, step INTEGER NOT NULL, state INTEGER NOT NULL,"
	" about TEXT NOT NULL);"
	"CREATE INDEX move_by_plan ON move(plan_id, step);"
	"CREATE INDEX move_by_state ON move(state);"
	"CREATE TABLE record(seq INTEGER PRIMARY KEY AUTOINCREMENT, survey INTEGER NOT NULL,"
	" envelope TEXT NOT NULL);"
	"PRAGMA user_version=1;";

struct dl_journal *db_lock(struct dl_journal *journal)
{
	sqlite3_mutex_enter(sqlite3_db_mutex(journal->handle));
	return journal;
}

void db_unlock(struct dl_journal **journal)
{
	sqlite3_mutex_leave(sqlite3_db_mutex((*journal)->handle));
}

int db_error(struct dl_journal *journal, struct dl_error *err, const char *words)
{
	int code = sqlite3_extended_errcode(journal->handle);
	int mapped = DL_E_IO;

	if ((code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED)
		mapped = DL_E_BUSY;
	else if ((code & 0xff) == SQLITE_FULL)
		mapped = DL_E_NO_SPACE;
	else if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY)
		mapped = DL_E_EXISTS;
	return dl_error_set(err, mapped, "journal: %s: %s", words, sqlite3_errmsg(journal->handle));
}

static int db_bind(struct dl_journal *journal, sqlite3_stmt *statement, const char *types,
		   va_list arguments, struct dl_error *err)
{
	for (int i = 0; types[i]; i++) {
		int code = SQLITE_MISUSE;

		if (types[i] == 's')
			code = sqlite3_bind_text(statement, i + 1, va_arg(arguments, const char *),
						 -1, SQLITE_STATIC);
		else if (types[i] == 'i')
			code = sqlite3_bind_int64(statement, i + 1, va_arg(arguments, int64_t));
		if (code != SQLITE_OK)
			return db_error(journal, err, "binding");
	}
	return 0;
}

void db_put_back(sqlite3_stmt **statement)
{
	if (!*statement)
		return;
	sqlite3_reset(*statement);
	sqlite3_clear_bindings(*statement);
}

/* SQLite lists what is prepared; parsing SQL again costs more than a step's whole journalling. */
static sqlite3_stmt *db_find_prepared(const struct dl_journal *journal, const char *sql)
{
	sqlite3_stmt *statement = NULL;

	while ((statement = sqlite3_next_stmt(journal->handle, statement)))
		if (!sqlite3_stmt_busy(statement) && strcmp(sqlite3_sql(statement), sql) == 0)
			return statement;
	return NULL;
}

static int db_prepare_list(struct dl_journal *journal, sqlite3_stmt **ret_statement,
			   struct dl_error *err, const char *sql, const char *types,
			   va_list arguments)
{
	db_autostmt *statement = db_find_prepared(journal, sql);
	int r;

	if (!statement && sqlite3_prepare_v3(journal->handle, sql, -1, SQLITE_PREPARE_PERSISTENT,
					     &statement, NULL) != SQLITE_OK)
		return db_error(journal, err, "preparing");
	r = db_bind(journal, statement, types, arguments, err);
	if (r < 0)
		return r;
	*ret_statement = DL_TAKE(statement);
	return 0;
}

int db_prepare(struct dl_journal *journal, sqlite3_stmt **ret_statement, struct dl_error *err,
	       const char *sql, const char *types, ...)
{
	va_list arguments;
	int r;

	va_start(arguments, types);
	r = db_prepare_list(journal, ret_statement, err, sql, types, arguments);
	va_end(arguments);
	return r;
}

int db_step(struct dl_journal *journal, sqlite3_stmt *statement, struct dl_error *err)
{
	int code = sqlite3_step(statement);

	if (code == SQLITE_ROW)
		return 1;
	return code == SQLITE_DONE ? 0 : db_error(journal, err, "writing");
}

int db_run(struct dl_journal *journal, int *ret_changes, struct dl_error *err, const char *sql,
	   const char *types, ...)
{
	db_autostmt *statement = NULL;
	va_list arguments;
	int r;

	va_start(arguments, types);
	r = db_prepare_list(journal, &statement, err, sql, types, arguments);
	va_end(arguments);
	if (r < 0)
		return r;
	r = db_step(journal, statement, err);
	if (r >= 0 && ret_changes)
		*ret_changes = sqlite3_changes(journal->handle);
	return r < 0 ? r : 0;
}

const char *db_text(sqlite3_stmt *statement, int column)
{
	const unsigned char *text = sqlite3_column_text(statement, column);

	return text ? (const char *)text : "";
}

int db_json(sqlite3_stmt *statement, int column, json_t **ret_value, struct dl_error *err)
{
	const char *text = db_text(statement, column);

	return dl_json_parse(text, strlen(text), DB_JSON_MAX, ret_value, err);
}

int db_begin(struct db_transaction *transaction, struct dl_journal *journal, struct dl_error *err)
{
	if (sqlite3_exec(journal->handle, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		return db_error(journal, err, "beginning");
	transaction->journal = journal;
	return 0;
}

int db_commit(struct db_transaction *transaction, struct dl_error *err)
{
	if (sqlite3_exec(transaction->journal->handle, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		return db_error(transaction->journal, err, "committing");
	transaction->journal = NULL;
	return 0;
}

void db_rollback(struct db_transaction *transaction)
{
	if (transaction->journal)
		sqlite3_exec(transaction->journal->handle, "ROLLBACK", NULL, NULL, NULL);
	transaction->journal = NULL;
}

int dl_journal_group_begin(struct dl_journal_group *group, struct dl_journal *journal,
			   struct dl_error *err)
{
	struct db_transaction transaction = { NULL };
	int r;

	db_lock(journal);
	r = db_begin(&transaction, journal, err);
	if (r < 0)
		db_unlock(&journal);
	group->journal = transaction.journal;
	return r;
}

int dl_journal_group_end(struct dl_journal_group *group, struct dl_error *err)
{
	struct db_transaction transaction = { group->journal };
	int r = db_commit(&transaction, err);

	if (r < 0)
		return r;
	db_unlock(&group->journal);
	group->journal = NULL;
	return 0;
}

void dl_journal_group_abandon(struct dl_journal_group *group)
{
	struct db_transaction transaction = { group->journal };

	if (!group->journal)
		return;
	db_rollback(&transaction);
	db_unlock(&group->journal);
	group->journal = NULL;
}

static int db_pragma(struct dl_journal *journal, const char *sql, struct dl_error *err)
{
	if (sqlite3_exec(journal->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
		return db_error(journal, err, sql);
	return 0;
}

static int db_version(struct dl_journal *journal, int64_t *ret_version, struct dl_error *err)
{
	db_autostmt *statement = NULL;
	int r = db_prepare(journal, &statement, err, "PRAGMA user_version", "");

	if (r < 0)
		return r;
	r = db_step(journal, statement, err);
	if (r < 0)
		return r;
	*ret_version = sqlite3_column_int64(statement, 0);
	return 0;
}

/* The first write also takes the exclusive lock, which is then kept: a second
 * agent on the same state folder is refused here and nowhere later. */
static int db_set_up(struct dl_journal *journal, struct dl_error *err)
{
	db_autotransaction transaction = { NULL };
	int64_t version = 0;
	int r = db_pragma(journal, "PRAGMA locking_mode=EXCLUSIVE", err);

	if (r == 0)
		r = db_pragma(journal, "PRAGMA journal_mode=WAL", err);
	if (r == 0)
		r = db_pragma(journal, "PRAGMA synchronous=FULL", err);
	if (r == 0)
		r = db_begin(&transaction, journal, err);
	if (r == 0)
		r = db_version(journal, &version, err);
	if (r < 0)
		return r;
	if (version > DB_SCHEMA)
		return dl_error_set(err, DL_E_UNSUPPORTED,
				    "journal: written by a newer agent (schema %lld)",
				    (long long)version);
	if (version == 0) {
		r = db_pragma(journal, db_schema, err);
		if (r < 0)
			return r;
	}
	return db_commit(&transaction, err);
}

int dl_journal_open(int state_folder, struct dl_journal **ret_journal, struct dl_error *err)
{
	dl_auto(dl_journal) journal = DL_NEW(struct dl_journal);
	char path[DB_PATH_SIZE];
	int code, r;

	/* SQLite takes names only; the kernel's name for the handle cannot be led astray. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d/journal.db", state_folder);
	code = sqlite3_open_v2(path, &journal->handle,
			       SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX,
			       NULL);
	if (code != SQLITE_OK)
		return dl_error_set(err, DL_E_IO, "journal: %s", sqlite3_errstr(code));
	sqlite3_extended_result_codes(journal->handle, 1);
	r = db_set_up(journal, err);
	if (r < 0)
		return r;
	*ret_journal = DL_TAKE(journal);
	return 0;
}

void dl_journal_close(struct dl_journal *journal)
{
	sqlite3_stmt *statement;

	if (!journal)
		return;
	while ((statement = sqlite3_next_stmt(journal->handle, NULL)))
		sqlite3_finalize(statement);
	sqlite3_close(journal->handle);
	free(journal);
}
