/* file.quarantine: one payload file or link. */
#include "agent/remedy/round.h"

static const struct dl_object *file_object(struct run *run)
{
	struct dl_error why = { 0 };

	if (run->step->object_count == 1)
		return &run->step->objects[0];
	dl_error_set(&why, DL_E_INVALID, "the step must name exactly one file");
	run_end(run, DL_RUN_REFUSED, DL_REASON_PRECONDITION, &why);
	return NULL;
}

static int file_check(struct work *work, struct run *run, struct dl_error *err)
{
	const struct dl_object *object = file_object(run);

	(void)err;
	if (!object)
		return 0;
	if (guard_object(work, run, object))
		run_end(run, DL_RUN_ALREADY_GONE, DL_REASON_NONE, NULL);
	else if (run->state == DL_RUN_RUNNING)
		run_end(run, DL_RUN_REMOVED, DL_REASON_NONE, NULL);
	return 0;
}

static bool file_was_taken(const struct dl_moves *moves)
{
	for (size_t i = 0; i < moves->count; i++)
		if (moves->items[i].state == DL_MOVE_DONE)
			return true;
	return false;
}

static void file_end_gone(struct run *run, const struct dl_object *object)
{
	run_note(run, "looked again: nothing is at %s", object->path);
	run_end(run, DL_RUN_REMOVED, DL_REASON_NONE, NULL);
}

/* The batch looked again after its act; after a crash that is still to be done. */
static void file_verify(struct run *run, const struct dl_object *object)
{
	struct dl_error why = { 0 };
	int r = dl_quarantine_check(object, NULL, &why);

	if (r == DL_E_NOT_FOUND) {
		file_end_gone(run, object);
		return;
	}
	dl_error_set(&why, 0, "%s is there again: something puts it back", object->path);
	run_end(run, DL_RUN_FAILED, DL_REASON_NEEDS_ATTENTION, &why);
}

/* Whether a crash came after the act and before the report. */
static int file_look_back(struct work *work, struct run *run, bool *ret_taken, struct dl_error *err)
{
	dl_automoves moves = { 0 };
	int r = 0;

	if (run->resumed)
		r = work_moves(work, work->plan_id, run, &moves, err);
	*ret_taken = r == 0 && file_was_taken(&moves);
	return r;
}

static int file_prepare_apply(struct work *work, struct run *run, struct dl_batch *batch,
			      struct dl_error *err)
{
	const struct dl_object *object = file_object(run);
	struct guard guard = { work, DL_ROLE_PAYLOAD };
	struct dl_errand errand = { work->plan_id, run->step->id, guard_allows, &guard };
	enum dl_reason reason = DL_REASON_NONE;
	struct dl_error why = { 0 };
	bool taken = false;
	int r = object ? file_look_back(work, run, &taken, err) : 0;

	if (r < 0 || !object)
		return r;
	if (taken) {
		file_verify(run, object);
		return 0;
	}
	r = dl_batch_take(batch, &errand, object, &run->item, &reason, &why);
	if (r < 0)
		guard_end(run, r, reason, &why);
	run->in_batch = r == 0;
	return 0;
}

static void file_conclude_apply(struct run *run, const struct dl_batch *batch)
{
	struct dl_outcome outcome = { 0 };
	struct dl_error why = { 0 };
	int r = dl_batch_result(batch, run->item, &outcome, &why);

	if (r < 0)
		guard_end(run, r, outcome.reason, &why);
	else
		file_end_gone(run, &run->step->objects[0]);
}

/* The one move that undo has to give back. NULL: there is none, or (which only
 * a crash amid a race leaves) there are more, *ret_count of them. */
static const struct dl_move *file_kept_move(const struct dl_moves *moves, size_t *ret_count)
{
	const struct dl_move *kept = NULL;

	*ret_count = 0;
	for (size_t i = 0; i < moves->count; i++)
		if (move_is_kept(&moves->items[i])) {
			kept = &moves->items[i];
			(*ret_count)++;
		}
	return *ret_count == 1 ? kept : NULL;
}

static void file_end_undo(struct run *run, int r, const struct dl_error *why)
{
	if (r < 0)
		run_end(run, DL_RUN_FAILED, DL_REASON_PRECONDITION, why);
	else
		run_end(run, DL_RUN_RESTORED, DL_REASON_NONE, NULL);
}

/* None, or several: no change that could share a round. */
static int file_undo_alone(struct work *work, struct run *run, struct dl_moves *moves, bool any,
			   struct dl_error *err)
{
	struct dl_error why = { 0 };
	int r = run_put(work, run, err);

	if (r < 0)
		return r;
	if (any || run->resumed)
		file_end_undo(run, moves_restore(work, moves, &why), &why);
	else
		file_end_undo(run, dl_error_set(&why, DL_E_STATE,
						"nothing of this step is in quarantine"), &why);
	return 0;
}

static int file_prepare_undo(struct work *work, struct run *run, struct dl_batch *batch,
			     struct dl_error *err)
{
	dl_automoves moves = { 0 };
	const struct dl_move *kept;
	struct dl_error why = { 0 };
	size_t count = 0;
	int r = work_moves(work, work->undo_of, run, &moves, err);

	if (r < 0)
		return r;
	kept = file_kept_move(&moves, &count);
	if (!kept)
		return file_undo_alone(work, run, &moves, count > 0, err);
	r = dl_batch_restore(batch, kept, &run->item, &why);
	if (r < 0)
		file_end_undo(run, move_words(kept, r, &why), &why);
	run->in_batch = r == 0;
	return 0;
}

static void file_conclude_undo(struct run *run, const struct dl_batch *batch)
{
	struct dl_outcome outcome = { 0 };
	struct dl_error why = { 0 };
	int r = dl_batch_result(batch, run->item, &outcome, &why);

	if (r < 0)
		move_words(dl_batch_move(batch, run->item), r, &why);
	file_end_undo(run, r, &why);
}

static const struct round_verb file_apply = { file_prepare_apply, file_conclude_apply };
static const struct round_verb file_undo = { file_prepare_undo, file_conclude_undo };

const struct verb verb_file = { .check = file_check, .round_apply = &file_apply,
				.round_undo = &file_undo };
