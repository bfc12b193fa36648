#include "agent/journal/database.h"

static int outbox_bytes(struct dl_journal *journal, int64_t *ret_bytes, struct dl_error *err)
{
	db_autostmt *statement = NULL;
	int r = db_prepare(journal, &statement, err,
			   "SELECT coalesce(sum(length(envelope)), 0) FROM record", "");

	if (r == 0)
		r = db_step(journal, statement, err);
	if (r < 0)
		return r;
	*ret_bytes = sqlite3_column_int64(statement, 0);
	return 0;
}

static int outbox_admit(struct dl_journal *journal, struct dl_error *err)
{
	int64_t bytes = 0;
	int r = outbox_bytes(journal, &bytes, err);

	if (r < 0)
		return r;
	if (bytes > DL_OUTBOX_MAX_BYTES)
		return dl_error_set(err, DL_E_LIMIT,
				    "the outbox is full: the server has not taken %lld bytes",
				    (long long)bytes);
	return 0;
}

/* The number comes from inserting first: AUTOINCREMENT never gives one out twice. */
static int outbox_insert(struct dl_journal *journal, bool survey, dl_record_seal seal,
			 void *context, int64_t *ret_seq, struct dl_error *err)
{
	dl_autofree char *envelope = NULL;
	int64_t seq;
	int r = db_run(journal, NULL, err, "INSERT INTO record(survey, envelope) VALUES(?, '')",
		       "i", (int64_t)survey);

	if (r < 0)
		return r;
	seq = sqlite3_last_insert_rowid(journal->handle);
	r = seal(context, seq, &envelope, err);
	if (r < 0)
		return r;
	*ret_seq = seq;
	return db_run(journal, NULL, err, "UPDATE record SET envelope=? WHERE seq=?", "si",
		      envelope, seq);
}

static int outbox_end_plan(struct dl_journal *journal, const char *plan_id,
			   enum dl_journal_plan_state to, struct dl_error *err)
{
	int64_t other = to == DL_JOURNAL_REFUSED ? DL_JOURNAL_RECEIVED : DL_JOURNAL_CLAIMED;
	int changes = 0;
	int r = db_run(journal, &changes, err,
		       "UPDATE plan SET state=? WHERE plan_id=? AND state IN (?, ?)", "isii",
		       (int64_t)to, plan_id, (int64_t)DL_JOURNAL_CLAIMED, other);

	if (r == 0 && changes != 1)
		return dl_error_set(err, DL_E_STATE, "journal: plan %s is already over", plan_id);
	return r;
}

int dl_journal_record_add(struct dl_journal *journal, bool survey, dl_record_seal seal,
			  void *context, const char *plan_id, enum dl_journal_plan_state to,
			  int64_t *ret_seq, struct dl_error *err)
{
	db_autolock *locked = db_lock(journal);
	db_autotransaction transaction = { NULL };
	int64_t seq = 0;
	int r = db_begin(&transaction, journal, err);

	if (r == 0 && survey)
		r = outbox_admit(journal, err);
	if (r == 0)
		r = outbox_insert(journal, survey, seal, context, &seq, err);
	if (r == 0 && plan_id)
		r = outbox_end_plan(journal, plan_id, to, err);
	if (r == 0)
		r = db_commit(&transaction, err);
	if (r == 0 && ret_seq)
		*ret_seq = seq;
	return r;
}

int dl_journal_records(struct dl_journal *journal, size_t limit, size_t limit_bytes,
		       json_t **ret_envelopes, struct dl_error *err)
{
	db_autolock *locked = db_lock(journal);
	db_autostmt *statement = NULL;
	dl_autojson *envelopes = json_array();
	size_t bytes = 0;
	int r = db_prepare(journal, &statement, err,
			   "SELECT envelope FROM record ORDER BY seq LIMIT ?", "i", (int64_t)limit);

	while (r >= 0 && (r = db_step(journal, statement, err)) == 1) {
		json_t *envelope = NULL;

		bytes += (size_t)sqlite3_column_bytes(statement, 0);
		if (bytes > limit_bytes && json_array_size(envelopes) > 0)
			break;
		r = db_json(statement, 0, &envelope, err);
		if (r == 0)
			json_array_append_new(envelopes, envelope);
	}
	if (r < 0)
		return r;
	*ret_envelopes = DL_TAKE(envelopes);
	return 0;
}

int dl_journal_last_seq(struct dl_journal *journal, int64_t *ret_seq, struct dl_error *err)
{
	db_autolock *locked = db_lock(journal);
	db_autostmt *statement = NULL;
	int r = db_prepare(journal, &statement, err,
			   "SELECT seq FROM sqlite_sequence WHERE name='record'", "");

	if (r == 0)
		r = db_step(journal, statement, err);
	if (r < 0)
		return r;
	*ret_seq = r == 1 ? sqlite3_column_int64(statement, 0) : 0;
	return 0;
}

int dl_journal_acked(struct dl_journal *journal, int64_t through, struct dl_error *err)
{
	db_autolock *locked = db_lock(journal);
	int64_t last = 0;
	int r = dl_journal_last_seq(journal, &last, err);

	if (r < 0)
		return r;
	if (through < 0 || through > last)
		return dl_error_set(err, DL_E_INVALID,
				    "the server acknowledged record %lld, the last one is %lld",
				    (long long)through, (long long)last);
	return db_run(journal, NULL, err, "DELETE FROM record WHERE seq<=?", "i", through);
}
