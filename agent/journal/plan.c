#include "agent/journal/database.h"

#include <string.h>

void dl_journal_plan_clear(struct dl_journal_plan *plan)
{
	free(plan->order);
	free(plan->key);
	*plan = (struct dl_journal_plan){ 0 };
}

int dl_journal_plan_add(struct dl_journal *journal, const char *plan_id, const char *order,
			const char *key, int64_t now, struct dl_error *err)
{
	db_autolock *locked = db_lock(journal);

	return db_run(journal, NULL, err,
		      "INSERT INTO plan(plan_id, state, nonce, order_text, key_text, received)"
		      " VALUES(?, ?, '', ?, ?, ?)",
		      "sissi", plan_id, (int64_t)DL_JOURNAL_RECEIVED, order, key, now);
}

int dl_journal_plan(struct dl_journal *journal, const char *plan_id,
		    struct dl_journal_plan *ret_plan, struct dl_error *err)
{
	db_autolock *locked = db_lock(journal);
	db_autostmt *statement = NULL;
	int r = db_prepare(journal, &statement, err,
			   "SELECT plan_id, state, nonce, order_text, key_text, received"
			   " FROM plan WHERE plan_id=?",
			   "s", plan_id);

	if (r < 0)
		return r;
	r = db_step(journal, statement, err);
	if (r < 0)
		return r;
	if (r == 0)
		return dl_error_set(err, DL_E_NOT_FOUND, "journal: no plan %s", plan_id);
	*ret_plan = (struct dl_journal_plan){
		.state = (enum dl_journal_plan_state)sqlite3_column_int(statement, 1),
		.order = dl_strdup(db_text(statement, 3)),
		.key = dl_strdup(db_text(statement, 4)),
		.received = sqlite3_column_int64(statement, 5),
	};
	strncpy(ret_plan->plan_id, db_text(statement, 0), sizeof(ret_plan->plan_id) - 1);
	strncpy(ret_plan->nonce, db_text(statement, 2), sizeof(ret_plan->nonce) - 1);
	return 0;
}

/* A statement that must change exactly the plan it names. */
static int plan_changed(int r, int changes, const char *plan_id, struct dl_error *err)
{
	if (r < 0)
		return r;
	if (changes != 1)
		return dl_error_set(err, DL_E_STATE, "journal: plan %s is not in the state for this",
				    plan_id);
	return 0;
}

int dl_journal_plan_nonce(struct dl_journal *journal, const char *plan_id, const char *nonce,
			  struct dl_error *err)
{
	db_autolock *locked = db_lock(journal);
	int changes = 0;
	int r = db_run(journal, &changes, err,
		       "UPDATE plan SET nonce=? WHERE plan_id=? AND state IN (?, ?)", "ssii", nonce,
		       plan_id, (int64_t)DL_JOURNAL_RECEIVED, (int64_t)DL_JOURNAL_CLAIMED);

	return plan_changed(r, changes, plan_id, err);
}

int dl_journal_plan_move(struct dl_journal *journal, const char *plan_id,
			 enum dl_journal_plan_state from, enum dl_journal_plan_state to,
			 struct dl_error *err)
{
	db_autolock *locked = db_lock(journal);
	int changes = 0;
	int r = db_run(journal, &changes, err,
		       "UPDATE plan SET state=? WHERE plan_id=? AND state=?", "isi", (int64_t)to,
		       plan_id, (int64_t)from);

	return plan_changed(r, changes, plan_id, err);
}

int dl_journal_plans_open(struct dl_journal *journal, json_t **ret_ids, struct dl_error *err)
{
	db_autolock *locked = db_lock(journal);
	db_autostmt *statement = NULL;
	dl_autojson *ids = json_array();
	int r = db_prepare(journal, &statement, err,
			   "SELECT plan_id FROM plan WHERE state IN (?, ?) ORDER BY n", "ii",
			   (int64_t)DL_JOURNAL_RECEIVED, (int64_t)DL_JOURNAL_CLAIMED);

	while (r >= 0 && (r = db_step(journal, statement, err)) == 1)
		json_array_append_new(ids, json_string(db_text(statement, 0)));
	if (r < 0)
		return r;
	*ret_ids = DL_TAKE(ids);
	return 0;
}

int dl_journal_run_put(struct dl_journal *journal, const char *plan_id, const json_t *run,
		       struct dl_error *err)
{
	db_autolock *locked = db_lock(journal);
	dl_autofree char *body = dl_json_text(run);
	int64_t step = json_integer_value(json_object_get(run, "step"));
	const char *state_name = json_string_value(json_object_get(run, "state"));
	enum dl_run_state state;
	int changes = 0;
	int r = dl_run_state_parse(state_name ? state_name : "", &state, err);

	if (r < 0)
		return r;
	r = db_run(journal, &changes, err,
		   "INSERT INTO run(plan_id, step, terminal, body) VALUES(?, ?, ?, ?)"
		   " ON CONFLICT(plan_id, step) DO UPDATE SET terminal=excluded.terminal,"
		   " body=excluded.body WHERE terminal=0",
		   "siis", plan_id, step, (int64_t)dl_run_state_is_terminal(state), body);
	return plan_changed(r, changes, plan_id, err);
}

int dl_journal_run(struct dl_journal *journal, const char *plan_id, int64_t step, json_t **ret_run,
		   struct dl_error *err)
{
	db_autolock *locked = db_lock(journal);
	db_autostmt *statement = NULL;
	int r = db_prepare(journal, &statement, err,
			   "SELECT body FROM run WHERE plan_id=? AND step=?", "si", plan_id, step);

	if (r < 0)
		return r;
	r = db_step(journal, statement, err);
	if (r < 0)
		return r;
	if (r == 0)
		return dl_error_set(err, DL_E_NOT_FOUND, "journal: step %lld of %s has not run",
				    (long long)step, plan_id);
	return db_json(statement, 0, ret_run, err);
}

int dl_journal_runs(struct dl_journal *journal, const char *plan_id, json_t **ret_runs,
		    struct dl_error *err)
{
	db_autolock *locked = db_lock(journal);
	db_autostmt *statement = NULL;
	dl_autojson *runs = json_array();
	int r = db_prepare(journal, &statement, err,
			   "SELECT body FROM run WHERE plan_id=? ORDER BY step", "s", plan_id);

	while (r >= 0 && (r = db_step(journal, statement, err)) == 1) {
		json_t *run = NULL;

		r = db_json(statement, 0, &run, err);
		if (r == 0)
			json_array_append_new(runs, run);
	}
	if (r < 0)
		return r;
	*ret_runs = DL_TAKE(runs);
	return 0;
}
