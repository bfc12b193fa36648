/* systemd.unit_remove. systemd runs nothing of a unit whose files are gone: so
 * the files go first, then one reload, then the stop (seen with systemd 252:
 * `systemctl stop` runs ExecStop and ExecStopPost, KillUnit runs ExecStopPost
 * and Restart= revives, `systemctl disable` follows Also= into other units). */
#include "agent/remedy/work.h"

#include "core/base/bytes.h"

#include <string.h>

/* The unit file, then what changes it, then what starts it. */
static const enum dl_object_role unit_roles[] = { DL_ROLE_UNIT, DL_ROLE_DROPIN, DL_ROLE_LINK };

struct dl_control *control_of(struct work *work, struct run *run)
{
	struct dl_error why = { 0 };
	int r;

	if (work->control)
		return work->control;
	r = dl_control_open(&work->control, &why);
	if (r == DL_E_UNSUPPORTED)
		run_end(run, DL_RUN_FAILED, DL_REASON_UNSUPPORTED, &why);
	else if (r < 0)
		run_end(run, DL_RUN_FAILED, DL_REASON_NEEDS_ATTENTION, &why);
	return r < 0 ? NULL : work->control;
}

static int unit_name(const struct run *run, char **ret_name, struct dl_error *err)
{
	return dl_bytes_decode_str(run->step->unit, ret_name, err);
}

/* Every object is judged before the first is touched. */
static size_t unit_look_at_objects(struct work *work, struct run *run)
{
	const struct dl_step *step = run->step;
	size_t gone = 0;

	for (size_t i = 0; i < step->object_count && run->state == DL_RUN_RUNNING; i++)
		if (guard_object(work, run, &step->objects[i])) {
			run_note(run, "%s was gone already", step->objects[i].path);
			gone++;
		}
	return gone;
}

static void unit_look_at_systemd(struct work *work, struct run *run, bool files_gone)
{
	struct dl_control *control = control_of(work, run);
	dl_autofree char *name = NULL;
	struct dl_unit_state state = { 0 };
	struct dl_error why = { 0 };
	int r;

	if (!control)
		return;
	r = unit_name(run, &name, &why);
	if (r == 0)
		r = dl_control_state(control, name, &state, &why);
	if (r == 0)
		r = generators_are_owned(work, &why);
	if (r == DL_E_DENIED)
		run_end(run, DL_RUN_REFUSED, DL_REASON_NEEDS_ATTENTION, &why);
	else if (r < 0)
		run_end(run, DL_RUN_FAILED, DL_REASON_NEEDS_ATTENTION, &why);
	else if (files_gone && strcmp(state.load, "not-found") == 0 &&
		 strcmp(state.active, "inactive") == 0)
		run_end(run, DL_RUN_ALREADY_GONE, DL_REASON_NONE, NULL);
}

static int unit_check(struct work *work, struct run *run, struct dl_error *err)
{
	size_t gone = unit_look_at_objects(work, run);

	(void)err;
	if (run->state == DL_RUN_RUNNING)
		unit_look_at_systemd(work, run, gone == run->step->object_count);
	if (run->state == DL_RUN_RUNNING)
		run_end(run, DL_RUN_REMOVED, DL_REASON_NONE, NULL);
	return 0;
}

static bool moves_have(const struct dl_moves *moves, const char *what)
{
	for (size_t i = 0; i < moves->count; i++)
		if (move_is(&moves->items[i], what))
			return true;
	return false;
}

/* What undo has to start again, from before anything was touched. */
static int unit_remember_activity(struct work *work, struct run *run, struct dl_error *err)
{
	dl_automoves moves = { 0 };
	dl_automove move = { .step = run->step->id, .state = DL_MOVE_DONE };
	dl_autofree char *name = NULL;
	struct dl_unit_state state = { 0 };
	int r = work_moves(work, work->plan_id, run, &moves, err);

	if (r < 0 || moves_have(&moves, "unit"))
		return r;
	r = unit_name(run, &name, err);
	if (r == 0)
		r = dl_control_state(work->control, name, &state, err);
	if (r < 0)
		return r;
	dl_random_id(move.id);
	strncpy(move.plan_id, work->plan_id, sizeof(move.plan_id) - 1);
	move.about = json_pack("{s:s,s:s,s:s}", "what", "unit", "unit", run->step->unit, "active",
			       state.active);
	return dl_journal_move_add(work->remedy->journal, &move, err);
}

/* A failed step leaves the host as it was. */
static int unit_roll_back(struct work *work, struct run *run, struct dl_error *err)
{
	dl_automoves moves = { 0 };
	struct dl_error why = { 0 };
	int r = work_moves(work, work->plan_id, run, &moves, err);

	if (r < 0)
		return r;
	if (moves_restore(work, &moves, &why) == 0)
		return 0;
	run->partial = true;
	run_note(run, "putting back what had been taken failed: %s", why.text);
	return 0;
}

/* A folder `x.service.d` that held only what was taken. */
static void unit_take_folder(struct work *work, struct run *run, const struct dl_object *dropin)
{
	struct guard guard = { work, DL_ROLE_DROPIN };
	struct dl_errand errand = { work->plan_id, run->step->id, guard_allows, &guard };
	struct dl_outcome outcome = { 0 };
	struct dl_error why = { 0 };
	dl_autofree char *path = NULL;
	char *slash;

	if (dl_bytes_decode_str(dropin->path, &path, NULL) < 0)
		return;
	slash = strrchr(path, '/');
	*slash = '\0';
	if (slash - path < 2 || strcmp(slash - 2, ".d") != 0)
		return;
	if (dl_quarantine_take_empty(work->remedy->quarantine, &errand, path, &outcome, &why) < 0)
		run_note(run, "the empty folder stays: %s", why.text);
}

/* 0, or the failure of one object, with which the run has ended. */
static int unit_take(struct work *work, struct run *run, const struct dl_object *object)
{
	struct guard guard = { work, object->role };
	struct dl_errand errand = { work->plan_id, run->step->id, guard_allows, &guard };
	struct dl_outcome outcome = { 0 };
	struct dl_error why = { 0 };
	int r = dl_quarantine_take(work->remedy->quarantine, &errand, object, &outcome, &why);

	if (r == DL_E_NOT_FOUND)
		return 0;
	if (r < 0) {
		guard_end(run, r, outcome.reason, &why);
		return r;
	}
	run_note(run, "%s moved to quarantine", object->path);
	if (object->role == DL_ROLE_DROPIN)
		unit_take_folder(work, run, object);
	return 0;
}

static int unit_take_all(struct work *work, struct run *run, struct dl_error *err)
{
	const struct dl_step *step = run->step;

	for (size_t role = 0; role < DL_COUNT(unit_roles); role++)
		for (size_t i = 0; i < step->object_count; i++)
			if (step->objects[i].role == unit_roles[role] &&
			    unit_take(work, run, &step->objects[i]) < 0)
				return unit_roll_back(work, run, err);
	return 0;
}

static int unit_apply(struct work *work, struct run *run, struct dl_error *err)
{
	dl_automoves moves = { 0 };
	size_t gone = unit_look_at_objects(work, run);
	int r = work_moves(work, work->plan_id, run, &moves, err);

	if (r == 0 && run->state == DL_RUN_RUNNING)
		unit_look_at_systemd(work, run,
				     gone == run->step->object_count && moves.count == 0);
	if (r < 0 || run->state != DL_RUN_RUNNING)
		return r < 0 ? r : unit_roll_back(work, run, err);
	r = unit_remember_activity(work, run, err);
	return r < 0 ? r : unit_take_all(work, run, err);
}

/* The consumer itself says whether it is gone. */
static void unit_verify(struct work *work, struct run *run, const char *name)
{
	struct dl_unit_state state = { 0 };
	struct dl_error why = { 0 };

	if (dl_control_state(work->control, name, &state, &why) < 0) {
		run_end(run, DL_RUN_UNVERIFIED, DL_REASON_NEEDS_ATTENTION, &why);
		return;
	}
	run_note(run, "asked systemd for %s: load state %s, active state %s, processes left: %lld",
		 run->step->unit, state.load, state.active, (long long)state.processes);
	if (strcmp(state.load, "not-found") != 0) {
		dl_error_set(&why, 0, "systemd still finds a file for this unit (%s)", state.load);
		run_end(run, DL_RUN_FAILED, DL_REASON_NEEDS_ATTENTION, &why);
	} else if (strcmp(state.active, "inactive") != 0 || state.processes != 0) {
		dl_error_set(&why, 0, "its file is gone, but the unit is %s with %lld processes",
			     state.active, (long long)state.processes);
		run_end(run, DL_RUN_UNVERIFIED, DL_REASON_NEEDS_ATTENTION, &why);
	} else {
		run_end(run, DL_RUN_REMOVED, DL_REASON_NONE, NULL);
	}
}

/* Whatever was recorded must be gone by name too: a link alone starts nothing,
 * but it would start the next unit of that name. */
static void unit_verify_objects(struct run *run)
{
	for (size_t i = 0; i < run->step->object_count && run->state == DL_RUN_REMOVED; i++) {
		struct dl_error why = { 0 };
		int r = dl_quarantine_check(&run->step->objects[i], NULL, &why);

		if (r == DL_E_NOT_FOUND)
			continue;
		dl_error_set(&why, 0, "%s is there again: something puts it back",
			     run->step->objects[i].path);
		run_end(run, DL_RUN_FAILED, DL_REASON_NEEDS_ATTENTION, &why);
	}
}

static int unit_settle_apply(struct work *work, struct run *run, struct dl_error *err)
{
	dl_autofree char *name = NULL;
	struct dl_error why = { 0 };
	int r = unit_name(run, &name, err);

	if (r < 0)
		return r;
	r = dl_control_stop(work->control, name, &why);
	if (r < 0 && r != DL_E_NOT_FOUND)
		run_note(run, "stopping: %s", why.text);
	if (dl_control_reset_failed(work->control, name, &why) < 0)
		run_note(run, "clearing its failure: %s", why.text);
	unit_verify(work, run, name);
	unit_verify_objects(run);
	return 0;
}

static int unit_undo(struct work *work, struct run *run, struct dl_error *err)
{
	dl_automoves moves = { 0 };
	struct dl_error why = { 0 };
	int r;

	if (!control_of(work, run))
		return 0;
	r = work_moves(work, work->undo_of, run, &moves, err);
	if (r < 0)
		return r;
	if (generators_are_owned(work, &why) < 0)
		run_end(run, DL_RUN_FAILED, DL_REASON_NEEDS_ATTENTION, &why);
	else if (moves_restore(work, &moves, &why) < 0)
		run_end(run, DL_RUN_FAILED, DL_REASON_PRECONDITION, &why);
	return 0;
}

static bool unit_was_active(const struct dl_move *move)
{
	const char *active = json_string_value(json_object_get(move->about, "active"));

	return active && (strcmp(active, "active") == 0 || strcmp(active, "activating") == 0 ||
			  strcmp(active, "reloading") == 0);
}

static int unit_start_again(struct work *work, struct run *run, bool *ret_was_active,
			    struct dl_error *err)
{
	dl_automoves moves = { 0 };
	dl_autofree char *name = NULL;
	struct dl_error why = { 0 };
	int r = work_moves(work, work->undo_of, run, &moves, err);

	if (r == 0)
		r = unit_name(run, &name, err);
	for (size_t i = 0; r == 0 && i < moves.count; i++) {
		struct dl_move *move = &moves.items[i];

		if (!move_is(move, "unit") || move->state != DL_MOVE_DONE)
			continue;
		*ret_was_active = unit_was_active(move);
		if (*ret_was_active && dl_control_start(work->control, name, &why) < 0)
			run_note(run, "starting it again: %s", why.text);
		r = dl_journal_move_to(work->remedy->journal, move, DL_MOVE_UNDONE, err);
	}
	return r;
}

static int unit_settle_undo(struct work *work, struct run *run, struct dl_error *err)
{
	dl_autofree char *name = NULL;
	struct dl_unit_state state = { 0 };
	struct dl_error why = { 0 };
	bool was_active = false;
	int r = unit_start_again(work, run, &was_active, err);

	if (r == 0)
		r = unit_name(run, &name, err);
	if (r < 0)
		return r;
	if (dl_control_state(work->control, name, &state, &why) < 0) {
		run_end(run, DL_RUN_FAILED, DL_REASON_NEEDS_ATTENTION, &why);
		return 0;
	}
	run_note(run, "asked systemd for %s: load state %s, active state %s", run->step->unit,
		 state.load, state.active);
	if (strcmp(state.load, "not-found") == 0 ||
	    (was_active && strcmp(state.active, "failed") == 0)) {
		dl_error_set(&why, 0, "its files are back, but systemd says %s, %s", state.load,
			     state.active);
		run_end(run, DL_RUN_FAILED, DL_REASON_NEEDS_ATTENTION, &why);
		return 0;
	}
	run_end(run, DL_RUN_RESTORED, DL_REASON_NONE, NULL);
	return 0;
}

const struct verb verb_unit = {
	.check = unit_check,
	.apply = unit_apply,
	.undo = unit_undo,
	.settle_apply = unit_settle_apply,
	.settle_undo = unit_settle_undo,
};
