#include "agent/journal/list.h"

#include "agent/journal/database.h"

static const char *plan_state_name(enum dl_journal_plan_state state)
{
	static const char *const names[] = { "received", "claimed", "finished", "refused" };

	return names[state];
}

int dl_journal_plans(struct dl_journal *journal, size_t limit, json_t **ret_plans,
		     struct dl_error *err)
{
	db_autolock *locked = db_lock(journal);
	db_autostmt *statement = NULL;
	dl_autojson *plans = json_array();
	int r = db_prepare(journal, &statement, err,
			   "SELECT plan_id, state, received FROM plan ORDER BY n DESC LIMIT ?", "i",
			   (int64_t)limit);

	while (r >= 0 && (r = db_step(journal, statement, err)) == 1) {
		enum dl_journal_plan_state state =
			(enum dl_journal_plan_state)sqlite3_column_int(statement, 1);

		json_array_append_new(plans, json_pack("{s:s,s:s,s:I}", "plan_id",
						       db_text(statement, 0), "state",
						       plan_state_name(state), "received",
						       (json_int_t)sqlite3_column_int64(statement, 2)));
	}
	if (r < 0)
		return r;
	*ret_plans = DL_TAKE(plans);
	return 0;
}

static int ids_of_done(struct dl_journal *journal, size_t limit, json_t *ids, struct dl_error *err)
{
	db_autolock *locked = db_lock(journal);
	db_autostmt *statement = NULL;
	int r = db_prepare(journal, &statement, err,
			   "SELECT id FROM move WHERE state=? ORDER BY n LIMIT ?", "ii",
			   (int64_t)DL_MOVE_DONE, (int64_t)limit);

	while (r >= 0 && (r = db_step(journal, statement, err)) == 1)
		json_array_append_new(ids, json_string(db_text(statement, 0)));
	return r;
}

int dl_journal_moves_done(struct dl_journal *journal, size_t limit, struct dl_moves *ret_moves,
			  bool *ret_more, struct dl_error *err)
{
	dl_autojson *ids = json_array();
	dl_automoves moves = { 0 };
	int r = ids_of_done(journal, limit + 1, ids, err);
	size_t count = json_array_size(ids);

	if (r < 0)
		return r;
	*ret_more = count > limit;
	moves.items = dl_alloc(count + 1, sizeof(*moves.items));
	for (size_t i = 0; r == 0 && i < count && i < limit; i++) {
		r = dl_journal_move(journal, json_string_value(json_array_get(ids, i)),
				    &moves.items[i], err);
		if (r == 0)
			moves.count++;
	}
	if (r < 0)
		return r;
	*ret_moves = moves;
	moves = (struct dl_moves){ 0 };
	return 0;
}
