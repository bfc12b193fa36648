#include "server/store/migrate.h"

#include "core/base/time.h"

static int schema_number(struct dl_db *db, int64_t *ret_number, struct dl_error *err)
{
	int r = dl_db_exec(db, "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, "
			   "name TEXT NOT NULL, applied INTEGER NOT NULL)", err);
	if (r < 0)
		return r;
	dl_auto(dl_query) query = dl_query_new(db,
		"SELECT COALESCE(MAX(number), 0) AS number FROM migration");
	r = dl_query_one(query, "migration", err);
	if (r < 0)
		return r;
	*ret_number = dl_row_int(query, "number");
	return 0;
}

static int apply(struct dl_db *db, const struct dl_migration *migration, struct dl_error *err)
{
	int r = dl_db_exec(db, migration->sql, err);
	if (r < 0)
		return dl_error_prefix(err, r, "migration %s", migration->name);
	dl_auto(dl_query) query = dl_query_new(db,
		"INSERT INTO migration (number, name, applied) VALUES (:number, :name, :now)");
	dl_query_int(query, "number", migration->number);
	dl_query_text(query, "name", migration->name);
	dl_query_int(query, "now", dl_time_now_ms());
	return dl_query_run(query, err);
}

static int apply_missing(struct dl_db *db, struct dl_error *err)
{
	int64_t number = 0;
	int r = schema_number(db, &number, err);
	if (r < 0)
		return r;
	if (number > dl_migrations[dl_migration_count - 1].number)
		return dl_error_set(err, DL_E_UNSUPPORTED,
				    "the database is of a newer Dislodge (schema %lld)",
				    (long long)number);
	for (size_t i = 0; r == 0 && i < dl_migration_count; i++)
		if (dl_migrations[i].number > number)
			r = apply(db, &dl_migrations[i], err);
	return r;
}

int dl_store_migrate(struct dl_db *db, struct dl_error *err)
{
	int r = dl_db_exec(db, "BEGIN IMMEDIATE", err);
	if (r < 0)
		return r;
	r = apply_missing(db, err);
	if (r == 0)
		r = dl_db_exec(db, "COMMIT", err);
	if (r < 0)
		dl_db_exec(db, "ROLLBACK", NULL);
	return r;
}
