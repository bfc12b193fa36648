#include "agent/journal/database.h"

#include <string.h>

void dl_move_clear(struct dl_move *move)
{
	json_decref(move->about);
	*move = (struct dl_move){ 0 };
}

void dl_moves_clear(struct dl_moves *moves)
{
	for (size_t i = 0; i < moves->count; i++)
		dl_move_clear(&moves->items[i]);
	free(moves->items);
	*moves = (struct dl_moves){ 0 };
}

int dl_journal_move_add(struct dl_journal *journal, const struct dl_move *move, struct dl_error *err)
{
	db_autolock *locked = db_lock(journal);
	dl_autofree char *about = dl_json_text(move->about);

	return db_run(journal, NULL, err,
		      "INSERT INTO move(id, plan_id, step, state, about) VALUES(?, ?, ?, ?, ?)",
		      "ssiis", move->id, move->plan_id, move->step, (int64_t)move->state, about);
}

static int move_changed(int r, int changes, struct dl_move *move, enum dl_move_state to,
			struct dl_error *err)
{
	if (r < 0)
		return r;
	if (changes != 1)
		return dl_error_set(err, DL_E_STATE, "journal: move %s is in another state",
				    move->id);
	move->state = to;
	return 0;
}

int dl_journal_move_to(struct dl_journal *journal, struct dl_move *move, enum dl_move_state to,
		       struct dl_error *err)
{
	db_autolock *locked = db_lock(journal);
	dl_autofree char *about = dl_json_text(move->about);
	int changes = 0;
	int r = db_run(journal, &changes, err,
		       "UPDATE move SET state=?, about=? WHERE id=? AND state=?", "issi",
		       (int64_t)to, about, move->id, (int64_t)move->state);

	return move_changed(r, changes, move, to, err);
}

int dl_journal_move_state(struct dl_journal *journal, struct dl_move *move, enum dl_move_state to,
			  struct dl_error *err)
{
	db_autolock *locked = db_lock(journal);
	int changes = 0;
	int r = db_run(journal, &changes, err, "UPDATE move SET state=? WHERE id=? AND state=?",
		       "isi", (int64_t)to, move->id, (int64_t)move->state);

	return move_changed(r, changes, move, to, err);
}

#define MOVE_COLUMNS "SELECT id, plan_id, step, state, about FROM move "

static int move_read(sqlite3_stmt *statement, struct dl_move *ret_move, struct dl_error *err)
{
	dl_automove move = {
		.step = sqlite3_column_int64(statement, 2),
		.state = (enum dl_move_state)sqlite3_column_int(statement, 3),
	};
	int r = db_json(statement, 4, &move.about, err);

	if (r < 0)
		return r;
	strncpy(move.id, db_text(statement, 0), sizeof(move.id) - 1);
	strncpy(move.plan_id, db_text(statement, 1), sizeof(move.plan_id) - 1);
	*ret_move = move;
	move.about = NULL;
	return 0;
}

int dl_journal_move(struct dl_journal *journal, const char *id, struct dl_move *ret_move,
		    struct dl_error *err)
{
	db_autolock *locked = db_lock(journal);
	db_autostmt *statement = NULL;
	int r = db_prepare(journal, &statement, err, MOVE_COLUMNS "WHERE id=?", "s", id);

	if (r < 0)
		return r;
	r = db_step(journal, statement, err);
	if (r < 0)
		return r;
	if (r == 0)
		return dl_error_set(err, DL_E_NOT_FOUND, "journal: no move %s", id);
	return move_read(statement, ret_move, err);
}

static int moves_select(struct dl_journal *journal, const char *plan_id, int64_t step,
			sqlite3_stmt **ret_statement, struct dl_error *err)
{
	if (!plan_id)
		return db_prepare(journal, ret_statement, err,
				  MOVE_COLUMNS "WHERE state IN (?, ?) ORDER BY n", "ii",
				  (int64_t)DL_MOVE_INTENT, (int64_t)DL_MOVE_UNDOING);
	/* One statement for both would not use the index for the step. */
	if (step == 0)
		return db_prepare(journal, ret_statement, err,
				  MOVE_COLUMNS "WHERE plan_id=? ORDER BY n", "s", plan_id);
	return db_prepare(journal, ret_statement, err,
			  MOVE_COLUMNS "WHERE plan_id=? AND step=? ORDER BY n", "si", plan_id, step);
}

int dl_journal_moves(struct dl_journal *journal, const char *plan_id, int64_t step,
		     struct dl_moves *ret_moves, struct dl_error *err)
{
	db_autolock *locked = db_lock(journal);
	db_autostmt *statement = NULL;
	dl_automoves moves = { 0 };
	int r = moves_select(journal, plan_id, step, &statement, err);

	while (r >= 0 && (r = db_step(journal, statement, err)) == 1) {
		moves.items = dl_realloc(moves.items, moves.count + 1, sizeof(*moves.items));
		r = move_read(statement, &moves.items[moves.count], err);
		if (r == 0)
			moves.count++;
	}
	if (r < 0)
		return r;
	*ret_moves = moves;
	moves = (struct dl_moves){ 0 };
	return 0;
}
