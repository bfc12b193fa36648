/* file.quarantine: one payload file or link. */
#include "agent/remedy/work.h"

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

/* The name itself is asked again, after the act. */
static void file_verify(struct run *run, const struct dl_object *object)
{
	struct dl_error why = { 0 };
	int r = dl_quarantine_check(object, NULL, &why);

	if (r == DL_E_NOT_FOUND) {
		run_note(run, "looked again: nothing is at %s", object->path);
		run_end(run, DL_RUN_REMOVED, DL_REASON_NONE, NULL);
		return;
	}
	dl_error_set(&why, 0, "%s is there again: something puts it back", object->path);
	run_end(run, DL_RUN_FAILED, DL_REASON_NEEDS_ATTENTION, &why);
}

static int file_apply(struct work *work, struct run *run, struct dl_error *err)
{
	const struct dl_object *object = file_object(run);
	struct guard guard = { work, DL_ROLE_PAYLOAD };
	struct dl_errand errand = { work->plan_id, run->step->id, guard_allows, &guard };
	struct dl_outcome outcome = { 0 };
	struct dl_error why = { 0 };
	dl_automoves moves = { 0 };
	int r;

	if (!object)
		return 0;
	r = work_moves(work, work->plan_id, run, &moves, err);
	if (r < 0)
		return r;
	/* A crash came after the act and before the report. */
	if (file_was_taken(&moves)) {
		file_verify(run, object);
		return 0;
	}
	r = dl_quarantine_take(work->remedy->quarantine, &errand, object, &outcome, &why);
	if (r < 0)
		guard_end(run, r, outcome.reason, &why);
	else
		file_verify(run, object);
	return 0;
}

static int file_undo(struct work *work, struct run *run, struct dl_error *err)
{
	dl_automoves moves = { 0 };
	struct dl_error why = { 0 };
	int r = work_moves(work, work->undo_of, run, &moves, err);

	if (r < 0)
		return r;
	if (moves_restore(work, &moves, &why) < 0)
		run_end(run, DL_RUN_FAILED, DL_REASON_PRECONDITION, &why);
	else
		run_end(run, DL_RUN_RESTORED, DL_REASON_NONE, NULL);
	return 0;
}

const struct verb verb_file = { .check = file_check, .apply = file_apply, .undo = file_undo };
