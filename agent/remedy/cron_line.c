/* cron.line_remove: exactly one line of one table. cron re-reads a table only
 * after the table's folder and the table changed by a whole second, which
 * dl_quarantine_replace sees to; an edit in place would go on firing. */
#include "agent/remedy/lines.h"
#include "agent/remedy/work.h"

#include "core/base/bytes.h"

#include <string.h>

/* A table read for one step. */
struct table {
	const struct dl_object *object; /* borrowed from the step */
	char *path;                     /* raw */
	char *wanted;                   /* the line, raw */
	struct dl_held *held;
	char *data;
	size_t size;
};

static void table_clear(struct table *table)
{
	free(table->path);
	free(table->wanted);
	dl_held_free(table->held);
	free(table->data);
	*table = (struct table){ 0 };
}
#define dl_autotable __attribute__((cleanup(table_clear))) struct table

static struct text table_text(const struct table *table)
{
	return (struct text){ table->data, table->size };
}

static const struct dl_object *table_object(const struct dl_step *step)
{
	return step->object_count == 1 && step->objects[0].role == DL_ROLE_TABLE ?
		       &step->objects[0] :
		       NULL;
}

static int table_hold(const char *path, struct dl_held **ret_held, struct dl_error *err)
{
	const char *slash = strrchr(path, '/');
	dl_autofree char *folder_path = NULL;
	dl_auto(dl_folder) folder = NULL;
	int r;

	if (!slash || slash == path)
		return dl_error_set(err, DL_E_INVALID, "'%s' is no table", path);
	folder_path = dl_strndup(path, (size_t)(slash - path));
	r = dl_folder_open(folder_path, &folder, err);
	return r < 0 ? r : dl_held_open(folder, slash + 1, ret_held, err);
}

/* What was approved about the table itself: that it is a file of this owner. */
static int table_compare(const struct table *table, struct dl_error *err)
{
	const struct dl_facts *facts = dl_held_facts(table->held);

	if (facts->type != DL_TYPE_FILE)
		return dl_error_set(err, DL_E_STALE, "%s is no regular file any more",
				    table->object->path);
	if (facts->uid != table->object->uid)
		return dl_error_set(err, DL_E_STALE, "the owner of %s changed",
				    table->object->path);
	return 0;
}

static int table_read(const struct dl_step *step, struct table *ret_table, struct dl_error *err)
{
	dl_autotable table = { .object = table_object(step) };
	int r;

	if (!table.object || !step->line || step->occurrence < 1)
		return dl_error_set(err, DL_E_INVALID, "the step names no line of a table");
	r = dl_bytes_decode_str(table.object->path, &table.path, err);
	if (r == 0)
		r = dl_bytes_decode_str(step->line, &table.wanted, err);
	if (r == 0)
		r = table_hold(table.path, &table.held, err);
	if (r == 0)
		r = table_compare(&table, err);
	if (r == 0)
		r = dl_held_read(table.held, DL_HOST_FILE_MAX, &table.data, &table.size, err);
	if (r < 0)
		return r;
	*ret_table = table;
	table = (struct table){ 0 };
	return 0;
}

static bool cron_is_earlier_twin(const struct run *other, const struct run *run)
{
	const struct dl_object *one = table_object(other->step), *two = table_object(run->step);

	return other->step->verb == DL_VERB_CRON_LINE_REMOVE && other->state == DL_RUN_REMOVED &&
	       one && two && other->step->line && strcmp(one->path, two->path) == 0 &&
	       strcmp(other->step->line, run->step->line) == 0 &&
	       other->step->occurrence < run->step->occurrence;
}

/* The survey counted before this plan removed equal lines above this one. */
static int64_t cron_occurrence(const struct work *work, const struct run *run)
{
	int64_t occurrence = run->step->occurrence;

	for (size_t i = 0; !work->dry && i < work->run_count; i++)
		occurrence -= cron_is_earlier_twin(&work->runs[i], run);
	return occurrence;
}

/* Reads the table and finds the line; ends the run when there is nothing to do. */
static bool cron_find(struct work *work, struct run *run, struct table *table,
		      struct line *ret_line)
{
	struct dl_error why = { 0 };
	int r = table_read(run->step, table, &why);

	if (r < 0) {
		guard_end(run, r == DL_E_INVALID ? DL_E_STALE : r, DL_REASON_NONE, &why);
		return false;
	}
	if (lines_find(table_text(table), table->wanted, cron_occurrence(work, run), ret_line))
		return true;
	dl_error_set(&why, DL_E_NOT_FOUND, "the table %s has no such line (occurrence %lld)",
		     table->object->path, (long long)run->step->occurrence);
	run_end(run, DL_RUN_ALREADY_GONE, DL_REASON_NONE, &why);
	return false;
}

static int cron_check(struct work *work, struct run *run, struct dl_error *err)
{
	struct guard guard = { work, DL_ROLE_TABLE };
	enum dl_reason reason = DL_REASON_NONE;
	struct dl_error why = { 0 };
	dl_autotable table = { 0 };
	struct line line;
	int r;

	(void)err;
	if (!cron_find(work, run, &table, &line))
		return 0;
	r = guard_allows(&guard, table.path, table.held, &reason, &why);
	if (r < 0)
		guard_end(run, r, reason, &why);
	else
		run_end(run, DL_RUN_REMOVED, DL_REASON_NONE, NULL);
	return 0;
}

static void cron_note_text(json_t *note, const char *name, struct text text)
{
	dl_autofree char *spelled = dl_bytes_encode(text.data, text.size);

	json_object_set_new(note, name, json_string(spelled));
}

/* What undo needs when the table was edited since. */
static json_t *cron_note(const struct table *table, struct line line)
{
	struct neighbours around = lines_around(table_text(table), line);
	int64_t left = lines_count(table_text(table), table->wanted) - 1;
	json_t *note = json_pack("{s:I,s:b,s:I}", "position", (json_int_t)line.start, "ended",
				 (int)line.ended, "left", (json_int_t)left);

	cron_note_text(note, "line", (struct text){ table->data + line.start, line.length });
	if (around.has_before)
		cron_note_text(note, "before", around.before);
	if (around.has_after)
		cron_note_text(note, "after", around.after);
	return note;
}

/* The table is read again: one such line fewer than before. */
static void cron_verify(struct run *run, int64_t left)
{
	dl_autotable table = { 0 };
	struct dl_error why = { 0 };
	int r = table_read(run->step, &table, &why);

	if (r < 0 && r != DL_E_NOT_FOUND) {
		run_end(run, DL_RUN_UNVERIFIED, DL_REASON_NEEDS_ATTENTION, &why);
		return;
	}
	if (r == 0 && lines_count(table_text(&table), table.wanted) > left) {
		dl_error_set(&why, 0, "the line is there again: something puts it back");
		run_end(run, DL_RUN_FAILED, DL_REASON_NEEDS_ATTENTION, &why);
		return;
	}
	run_note(run, "read %s again: the line is not there", run->step->objects[0].path);
	run_note(run, "the table's and its folder's time changed by a second: cron reads it anew "
		      "before the next minute");
	run_end(run, DL_RUN_REMOVED, DL_REASON_NONE, NULL);
}

static int cron_cut(struct work *work, struct run *run, const struct table *table, struct line line)
{
	struct guard guard = { work, DL_ROLE_TABLE };
	struct dl_errand errand = { work->plan_id, run->step->id, guard_allows, &guard };
	dl_autojson *note = cron_note(table, line);
	dl_autobuf rest = DL_BUF_INIT;
	struct dl_outcome outcome = { 0 };
	struct dl_error why = { 0 };
	int r;

	lines_without(table_text(table), line, &rest);
	r = dl_quarantine_replace(work->remedy->quarantine, &errand,
				  &(struct dl_draft){ table->path, table->held,
						      rest.data ? rest.data : "", rest.size, note },
				  &outcome, &why);
	if (r < 0)
		guard_end(run, r, outcome.reason, &why);
	return r;
}

/* The edit that this step made, before a crash kept it from saying so. */
static const struct dl_move *cron_made(const struct dl_moves *moves)
{
	for (size_t i = 0; i < moves->count; i++)
		if (moves->items[i].state == DL_MOVE_DONE)
			return &moves->items[i];
	return NULL;
}

static int64_t cron_left(const struct dl_move *move)
{
	return json_integer_value(json_object_get(json_object_get(move->about, "note"), "left"));
}

static int cron_apply(struct work *work, struct run *run, struct dl_error *err)
{
	dl_automoves moves = { 0 };
	dl_autotable table = { 0 };
	struct line line;
	int r = work_moves(work, work->plan_id, run, &moves, err);

	if (r < 0)
		return r;
	if (cron_made(&moves)) {
		cron_verify(run, cron_left(cron_made(&moves)));
		return 0;
	}
	if (!cron_find(work, run, &table, &line))
		return 0;
	if (cron_cut(work, run, &table, line) == 0)
		cron_verify(run, lines_count(table_text(&table), table.wanted) - 1);
	return 0;
}

static int cron_note_read(const json_t *note, const char *name, char **ret_data, size_t *ret_size,
			  bool *ret_has, struct dl_error *err)
{
	const char *spelled = json_string_value(json_object_get(note, name));

	*ret_has = spelled != NULL;
	return spelled ? dl_bytes_decode(spelled, ret_data, ret_size, err) : 0;
}

/* The table was edited since: the line goes back between its old neighbours, or not at all. */
static int cron_weave(const struct table *table, const json_t *note, struct dl_buf *ret_text,
		      struct dl_error *err)
{
	dl_autofree char *before = NULL, *after = NULL, *words = NULL;
	struct neighbours around = { 0 };
	struct text line = { 0 };
	size_t position = (size_t)json_integer_value(json_object_get(note, "position"));
	bool has_line = false;
	int r = cron_note_read(note, "line", &words, &line.size, &has_line, err);

	if (r == 0)
		r = cron_note_read(note, "before", &before, &around.before.size,
				   &around.has_before, err);
	if (r == 0)
		r = cron_note_read(note, "after", &after, &around.after.size, &around.has_after,
				   err);
	if (r < 0)
		return r;
	line.data = words;
	around.before.data = before;
	around.after.data = after;
	if (!has_line || !lines_place(table_text(table), &around, position, &position) ||
	    !lines_with(table_text(table), position, line,
			json_is_true(json_object_get(note, "ended")), ret_text))
		return dl_error_set(err, DL_E_STALE,
				    "%s was edited around that line since; put it back by hand",
				    table->object->path);
	return 0;
}

static int cron_insert(struct work *work, struct run *run, const struct dl_move *move,
		       struct dl_error *err)
{
	struct guard guard = { work, DL_ROLE_TABLE };
	struct dl_errand errand = { work->plan_id, run->step->id, guard_allows, &guard };
	dl_autojson *note = json_pack("{s:s}", "for", move->id);
	struct dl_outcome outcome = { 0 };
	dl_autotable table = { 0 };
	dl_autobuf text = DL_BUF_INIT;
	int r = table_read(run->step, &table, err);

	if (r == 0)
		r = cron_weave(&table, json_object_get(move->about, "note"), &text, err);
	if (r < 0)
		return r;
	return dl_quarantine_replace(work->remedy->quarantine, &errand,
				     &(struct dl_draft){ table.path, table.held, text.data,
							 text.size, note },
				     &outcome, err);
}

/* Whether a crash came between putting the line back and saying so. */
static int cron_was_inserted(struct work *work, struct run *run, const struct dl_move *move,
			     bool *ret_was, struct dl_error *err)
{
	dl_automoves moves = { 0 };
	int r = work_moves(work, work->plan_id, run, &moves, err);

	*ret_was = false;
	for (size_t i = 0; r == 0 && i < moves.count; i++) {
		const json_t *note = json_object_get(moves.items[i].about, "note");
		const char *what_for = json_string_value(json_object_get(note, "for"));

		if (moves.items[i].state == DL_MOVE_DONE && what_for &&
		    strcmp(what_for, move->id) == 0)
			*ret_was = true;
	}
	return r;
}

static int cron_put_back(struct work *work, struct run *run, struct dl_move *move,
			 struct dl_error *err)
{
	bool was_inserted = false;
	int r = cron_was_inserted(work, run, move, &was_inserted, err);

	if (r == 0 && !was_inserted) {
		r = dl_quarantine_restore(work->remedy->quarantine, move, err);
		if (r != DL_E_STALE)
			return r;
		r = cron_insert(work, run, move, err);
	}
	if (r < 0)
		return r;
	run_note(run, "the table was edited since: the line went back between its old neighbours");
	return dl_quarantine_supersede(work->remedy->quarantine, move, err);
}

static int cron_undo(struct work *work, struct run *run, struct dl_error *err)
{
	dl_automoves moves = { 0 };
	struct dl_error why = { 0 };
	int r = work_moves(work, work->undo_of, run, &moves, err);

	if (r < 0)
		return r;
	for (size_t i = moves.count; i-- > 0;) {
		if (moves.items[i].state != DL_MOVE_DONE)
			continue;
		if (cron_put_back(work, run, &moves.items[i], &why) < 0) {
			run_end(run, DL_RUN_FAILED, DL_REASON_PRECONDITION, &why);
			return 0;
		}
	}
	run_note(run, "the line is in %s again", run->step->objects[0].path);
	run_end(run, DL_RUN_RESTORED, DL_REASON_NONE, NULL);
	return 0;
}

const struct verb verb_cron_line = {
	.check = cron_check,
	.apply = cron_apply,
	.undo = cron_undo,
};
