/* Schema: numbered migrations, built into the program, each applied once and in
 * order. A migration that has been released is never edited; the next number
 * mends it. */
#ifndef DL_SERVER_STORE_MIGRATE_H
#define DL_SERVER_STORE_MIGRATE_H

#include "server/store/db.h"

/* DL_E_UNSUPPORTED: the database has a number this program does not know. */
int dl_store_migrate(struct dl_db *db, struct dl_error *err);

/* The table tools/embed-sql makes from migrations/NNNN_name.sql. */
struct dl_migration {
	int number;
	const char *name, *sql;
};
extern const struct dl_migration dl_migrations[];
extern const size_t dl_migration_count;

#endif
