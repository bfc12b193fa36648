#include "agent/journal/database.h"

#include <string.h>

int dl_journal_setting(struct dl_journal *journal, const char *name, char **ret_value,
		       struct dl_error *err)
{
	db_autolock *locked = db_lock(journal);
	db_autostmt *statement = NULL;
	int r = db_prepare(journal, &statement, err, "SELECT value FROM setting WHERE name=?", "s",
			   name);

	if (r < 0)
		return r;
	r = db_step(journal, statement, err);
	if (r < 0)
		return r;
	if (r == 0)
		return dl_error_set(err, DL_E_NOT_FOUND, "journal: no setting '%s'", name);
	*ret_value = dl_strdup(db_text(statement, 0));
	return 0;
}

static int setting_put(struct dl_journal *journal, const char *name, const char *value,
		       struct dl_error *err)
{
	if (!value)
		return db_run(journal, NULL, err, "DELETE FROM setting WHERE name=?", "s", name);
	if (strlen(value) > DL_SETTING_MAX_BYTES)
		return dl_error_set(err, DL_E_LIMIT, "journal: setting '%s' is too long", name);
	return db_run(journal, NULL, err, "INSERT OR REPLACE INTO setting(name, value) VALUES(?, ?)",
		      "ss", name, value);
}

int dl_journal_set(struct dl_journal *journal, const char *name, const char *value,
		   struct dl_error *err)
{
	return dl_journal_set_all(journal, &(struct dl_setting){ name, value }, 1, err);
}

int dl_journal_set_all(struct dl_journal *journal, const struct dl_setting *settings, size_t count,
		       struct dl_error *err)
{
	db_autolock *locked = db_lock(journal);
	db_autotransaction transaction = { NULL };
	int r = db_begin(&transaction, journal, err);

	for (size_t i = 0; r == 0 && i < count; i++)
		r = setting_put(journal, settings[i].name, settings[i].value, err);
	return r < 0 ? r : db_commit(&transaction, err);
}

static int seen_one(struct dl_journal *journal, const char *key, int64_t now, int64_t *ret_first,
		    struct dl_error *err)
{
	db_autostmt *statement = NULL;
	int r = db_run(journal, NULL, err,
		       "INSERT INTO seen(key, first, last) VALUES(?1, ?2, ?2)"
		       " ON CONFLICT(key) DO UPDATE SET last=excluded.last",
		       "si", key, now);

	if (r == 0)
		r = db_prepare(journal, &statement, err, "SELECT first FROM seen WHERE key=?", "s",
			       key);
	if (r == 0)
		r = db_step(journal, statement, err);
	if (r < 0)
		return r;
	*ret_first = sqlite3_column_int64(statement, 0);
	return 0;
}

/* Old ones go first, then the longest unmet beyond the limit. */
static int seen_forget(struct dl_journal *journal, int64_t now, struct dl_error *err)
{
	int r = db_run(journal, NULL, err, "DELETE FROM seen WHERE last<?", "i",
		       now - DL_SEEN_KEPT_MS);

	if (r < 0)
		return r;
	return db_run(journal, NULL, err,
		      "DELETE FROM seen WHERE key IN"
		      " (SELECT key FROM seen ORDER BY last DESC, key LIMIT -1 OFFSET ?)",
		      "i", (int64_t)DL_SEEN_MAX);
}

int dl_journal_first_seen(struct dl_journal *journal, const char *const *keys, size_t count,
			  int64_t now, int64_t *ret_times, struct dl_error *err)
{
	db_autolock *locked = db_lock(journal);
	db_autotransaction transaction = { NULL };
	int r = db_begin(&transaction, journal, err);

	if (r == 0)
		r = seen_forget(journal, now, err);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = seen_one(journal, keys[i], now, &ret_times[i], err);
	return r < 0 ? r : db_commit(&transaction, err);
}
