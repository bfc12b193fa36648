#include "agent/remedy/round.h"

#include <string.h>

static void work_clear(struct work *work)
{
	for (size_t i = 0; i < work->run_count; i++)
		run_clear(&work->runs[i]);
	free(work->runs);
	dl_control_free(work->control);
	dl_host_free(work->host);
	*work = (struct work){ 0 };
}
#define dl_autowork __attribute__((cleanup(work_clear))) struct work

int dl_remedy_open(int state_folder, struct dl_journal *journal, struct dl_remedy **ret_remedy,
		   struct dl_error *err)
{
	dl_auto(dl_remedy) remedy = DL_NEW(struct dl_remedy);
	int r = dl_quarantine_open(state_folder, journal, &remedy->quarantine, err);

	if (r < 0)
		return r;
	remedy->journal = journal;
	*ret_remedy = DL_TAKE(remedy);
	return 0;
}

void dl_remedy_free(struct dl_remedy *remedy)
{
	if (!remedy)
		return;
	dl_quarantine_free(remedy->quarantine);
	free(remedy);
}

int dl_remedy_recover(struct dl_remedy *remedy, struct dl_error *err)
{
	return dl_quarantine_recover(remedy->quarantine, err);
}

const struct verb *verb_of(enum dl_verb verb)
{
	switch (verb) {
	case DL_VERB_SYSTEMD_UNIT_REMOVE:
		return &verb_unit;
	case DL_VERB_CRON_LINE_REMOVE:
		return &verb_cron_line;
	case DL_VERB_FILE_QUARANTINE:
		return &verb_file;
	default:
		return NULL;
	}
}

static void work_list_runs(struct work *work, const struct dl_plan *plan, const bool *chosen)
{
	work->runs = dl_alloc(plan->step_count + 1, sizeof(*work->runs));
	work->run_count = plan->step_count;
	for (size_t i = 0; i < plan->step_count; i++)
		work->runs[i] = (struct run){
			.step = &plan->steps[i],
			.chosen = chosen[i],
			.state = DL_RUN_PENDING,
			.evidence = json_array(),
			.quarantine = json_array(),
			.still_running = json_array(),
		};
}

/* Fresh facts for every order; what an earlier start did comes from the journal. */
static int work_open(struct work *work, struct dl_remedy *remedy, const struct dl_plan *plan,
		     const bool *chosen, struct dl_error *err)
{
	int r;

	work->remedy = remedy;
	work_list_runs(work, plan, chosen);
	r = dl_host_open(NULL, &work->host, err);
	for (size_t i = 0; r == 0 && i < work->run_count && !work->dry; i++)
		if (work->runs[i].chosen)
			r = run_load(work, &work->runs[i], err);
	return r;
}

/* How far a round looks ahead of its first step. */
enum { ROUND_REACH = 4 * DL_BATCH_MAX };

/* What is left to do in this call. */
static bool run_is_due(const struct run *run, enum dl_remedy_scope scope)
{
	if (!run->chosen || dl_run_state_is_terminal(run->state))
		return false;
	return scope == DL_REMEDY_ALL || run->state == DL_RUN_RUNNING;
}

/* The units of a batch count as done while they wait for the reload. */
static bool requirement_holds(const struct run *needed, const struct run *run)
{
	if (needed->state == DL_RUN_REMOVED || needed->state == DL_RUN_ALREADY_GONE)
		return true;
	return needed->state == DL_RUN_RUNNING && verb_of(needed->step->verb)->settle_apply &&
	       verb_of(run->step->verb)->settle_apply;
}

/* A step that had begun before a crash had its requirements met then. */
static void require(struct work *work, struct run *run)
{
	for (size_t i = 0; i < run->step->require_count && run->state == DL_RUN_PENDING; i++) {
		int64_t id = run->step->requires[i];
		const struct run *needed = &work->runs[id - 1];
		struct dl_error why = { 0 };

		if (requirement_holds(needed, run))
			continue;
		dl_error_set(&why, 0, "step %lld, which it requires, is %s", (long long)id,
			     dl_run_state_name(needed->state));
		run_end(run, DL_RUN_SKIPPED, DL_REASON_REQUIREMENT_FAILED, &why);
		run->started = run->finished;
	}
}

static bool require_verb(struct run *run)
{
	struct dl_error why = { 0 };

	if (verb_of(run->step->verb))
		return true;
	dl_error_set(&why, 0, "this agent has no verb %s", dl_verb_name(run->step->verb));
	run_end(run, DL_RUN_REFUSED, DL_REASON_UNSUPPORTED, &why);
	run->started = run->finished;
	return false;
}

/* One step up to its end, or up to the reload. */
static int apply_step(struct work *work, struct run *run, enum dl_remedy_scope scope,
		      struct dl_error *err)
{
	int r = 0;

	if (!run_is_due(run, scope))
		return 0;
	if (require_verb(run))
		require(work, run);
	if (!dl_run_state_is_terminal(run->state)) {
		r = run_begin(work, run, err);
		if (r == 0)
			r = verb_of(run->step->verb)->apply(work, run, err);
	}
	if (r == 0 && dl_run_state_is_terminal(run->state))
		r = run_finish(work, run, err);
	return r;
}

static bool run_is_unit(const struct run *run)
{
	return run->step->verb == DL_VERB_SYSTEMD_UNIT_REMOVE;
}

/* What starts others goes before what is started. */
static bool run_is_service(const struct run *run)
{
	const char *dot = run->step->unit ? strrchr(run->step->unit, '.') : NULL;

	return dot && strcmp(dot, ".service") == 0;
}

static bool run_awaits_reload(const struct run *run)
{
	return run->chosen && run->state == DL_RUN_RUNNING && run_is_unit(run);
}

static size_t count_awaiting(const struct work *work)
{
	size_t count = 0;

	for (size_t i = 0; i < work->run_count; i++)
		count += run_awaits_reload(&work->runs[i]);
	return count;
}

/* No reload happened: the files of this batch go back, so that nothing is half done. */
static int refuse_batch(struct work *work, const struct dl_error *why, struct dl_error *err)
{
	int r = 0;

	for (size_t i = work->run_count; r == 0 && i-- > 0;) {
		struct run *run = &work->runs[i];
		struct dl_error restoring = { 0 };
		dl_automoves moves = { 0 };

		if (!run_awaits_reload(run))
			continue;
		r = work_moves(work, work->plan_id, run, &moves, err);
		if (r == 0 && moves_restore(work, &moves, &restoring) < 0)
			run_note(run, "putting back what had been taken failed: %s", restoring.text);
		run_end(run, DL_RUN_REFUSED, DL_REASON_NEEDS_ATTENTION, why);
		if (r == 0)
			r = run_finish(work, run, err);
	}
	return r;
}

static int end_batch(struct work *work, enum dl_run_state state, const struct dl_error *why,
		     struct dl_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < work->run_count; i++) {
		if (!run_awaits_reload(&work->runs[i]))
			continue;
		run_end(&work->runs[i], state, DL_REASON_NEEDS_ATTENTION, why);
		r = run_finish(work, &work->runs[i], err);
	}
	return r;
}

/* A generator may have come since the steps looked; then nothing is reloaded. */
static int reload_for_apply(struct work *work, struct dl_error *err)
{
	struct dl_error why = { 0 };

	if (generators_are_owned(work, &why) < 0)
		return refuse_batch(work, &why, err);
	if (dl_control_reload(work->control, &why) < 0)
		return end_batch(work, DL_RUN_UNVERIFIED, &why, err);
	return 0;
}

static int settle_unit(struct work *work, struct run *run, bool undo, struct dl_error *err)
{
	int r;

	if (!run_awaits_reload(run))
		return 0;
	r = undo ? verb_unit.settle_undo(work, run, err) : verb_unit.settle_apply(work, run, err);
	return r < 0 ? r : run_finish(work, run, err);
}

/* Files of timers (and other triggers), files of services; one reload; then each is stopped. */
static int apply_units(struct work *work, enum dl_remedy_scope scope, struct dl_error *err)
{
	int r = 0;

	for (int services = 0; services <= 1; services++)
		for (size_t i = 0; r == 0 && i < work->run_count; i++)
			if (run_is_unit(&work->runs[i]) &&
			    run_is_service(&work->runs[i]) == (services == 1))
				r = apply_step(work, &work->runs[i], scope, err);
	if (r < 0 || count_awaiting(work) == 0)
		return r;
	r = reload_for_apply(work, err);
	for (int services = 0; services <= 1; services++)
		for (size_t i = 0; r == 0 && i < work->run_count; i++)
			if (run_is_service(&work->runs[i]) == (services == 1))
				r = settle_unit(work, &work->runs[i], false, err);
	return r;
}

/* Still to come in this call: what requires it waits. */
static bool run_waits(const struct work *work, const struct run *run, enum dl_remedy_scope scope)
{
	for (size_t i = 0; i < run->step->require_count; i++)
		if (run_is_due(&work->runs[run->step->requires[i] - 1], scope))
			return true;
	return false;
}

/* From the first step that is due, whose requirements have ended because they
 * come before it, the next ones that are ready too. A round's steps lie close
 * together: looking at the whole plan for each would cost its square. */
static int apply_round(struct work *work, size_t first, enum dl_remedy_scope scope,
		       struct dl_error *err)
{
	struct round round = { .undo = false };

	for (size_t i = first; i < work->run_count && i - first < ROUND_REACH; i++) {
		struct run *run = &work->runs[i];

		if (!run_is_due(run, scope))
			continue;
		if (!round_verb_of(run, false) || round.count == DL_BATCH_MAX)
			break;
		if (i != first && run_waits(work, run, scope))
			continue;
		require(work, run);
		round.runs[round.count++] = run;
	}
	return round_carry_out(work, &round, err);
}

static int apply_others(struct work *work, enum dl_remedy_scope scope, struct dl_error *err)
{
	size_t first = 0;
	int r = 0;

	while (r == 0 && first < work->run_count) {
		struct run *run = &work->runs[first];

		if (run_is_unit(run) || !run_is_due(run, scope))
			first++;
		else if (round_verb_of(run, false))
			r = apply_round(work, first, scope, err);
		else
			r = apply_step(work, run, scope, err);
	}
	return r;
}

static json_t *result_of(const struct work *work, const char *kind, const char *state)
{
	json_t *result = json_pack("{s:s,s:s,s:s,s:s,s:s}", "plan_id", work->plan_id, "kind", kind,
				   "state", state, "reason", "", "detail", "");
	json_t *runs = json_array();

	for (size_t i = 0; i < work->run_count; i++)
		if (work->runs[i].chosen && work->runs[i].state != DL_RUN_PENDING)
			json_array_append_new(runs, run_result(&work->runs[i]));
	json_object_set_new(result, "runs", runs);
	return result;
}

int dl_remedy_apply(struct dl_remedy *remedy, const struct dl_order *order,
		    enum dl_remedy_scope scope, json_t **ret_result, struct dl_error *err)
{
	dl_autowork work = { .plan_id = order->plan_id };
	int r;

	if (order->kind != DL_ORDER_REMOVE)
		return dl_error_set(err, DL_E_INVALID, "the order does not remove anything");
	r = work_open(&work, remedy, order->plan, order->chosen, err);
	if (r == 0)
		r = apply_units(&work, scope, err);
	if (r == 0)
		r = apply_others(&work, scope, err);
	if (r == 0)
		*ret_result = result_of(&work, "remove", "finished");
	return r;
}

static int undo_has_something(struct work *work, struct run *run, bool *ret_has,
			      struct dl_error *err)
{
	dl_automoves moves = { 0 };
	int r = work_moves(work, work->undo_of, run, &moves, err);

	*ret_has = false;
	for (size_t i = 0; r == 0 && i < moves.count; i++)
		if (moves.items[i].state == DL_MOVE_DONE && !move_is(&moves.items[i], "unit"))
			*ret_has = true;
	return r;
}

/* A run that a crash interrupted may have nothing left to move, yet is not over. */
static int undo_step(struct work *work, struct run *run, enum dl_remedy_scope scope,
		     struct dl_error *err)
{
	bool has = true;
	struct dl_error why = { 0 };
	int r = 0;

	if (!run_is_due(run, scope))
		return 0;
	if (run->state == DL_RUN_PENDING)
		r = undo_has_something(work, run, &has, err);
	if (r == 0)
		r = run_begin(work, run, err);
	if (r < 0)
		return r;
	if (!has || !verb_of(run->step->verb)) {
		dl_error_set(&why, 0, "nothing of this step is in quarantine");
		run_end(run, DL_RUN_FAILED, DL_REASON_PRECONDITION, &why);
	} else {
		r = verb_of(run->step->verb)->undo(work, run, err);
	}
	if (r == 0 && dl_run_state_is_terminal(run->state))
		r = run_finish(work, run, err);
	return r;
}

/* The steps before *end that are due, last first, while they can share a round. */
static int undo_round(struct work *work, size_t *end, enum dl_remedy_scope scope,
		      struct dl_error *err)
{
	struct round round = { .undo = true };

	for (; *end > 0 && round.count < DL_BATCH_MAX; (*end)--) {
		struct run *run = &work->runs[*end - 1];

		if (!run_is_due(run, scope))
			continue;
		if (!round_verb_of(run, true))
			break;
		round.runs[round.count++] = run;
	}
	return round_carry_out(work, &round, err);
}

/* The other way round: payloads and lines, then unit files, one reload, then
 * what was running runs again. */
static int undo_all(struct work *work, enum dl_remedy_scope scope, struct dl_error *err)
{
	struct dl_error why = { 0 };
	size_t end = work->run_count;
	int r = 0;

	while (r == 0 && end > 0) {
		if (round_verb_of(&work->runs[end - 1], true))
			r = undo_round(work, &end, scope, err);
		else
			r = undo_step(work, &work->runs[--end], scope, err);
	}
	if (r < 0 || count_awaiting(work) == 0)
		return r;
	if (generators_are_owned(work, &why) < 0 || dl_control_reload(work->control, &why) < 0)
		return end_batch(work, DL_RUN_FAILED, &why, err);
	for (size_t i = work->run_count; r == 0 && i-- > 0;)
		r = settle_unit(work, &work->runs[i], true, err);
	return r;
}

int dl_remedy_undo(struct dl_remedy *remedy, const struct dl_order *order,
		   enum dl_remedy_scope scope, json_t **ret_result, struct dl_error *err)
{
	dl_autowork work = { .plan_id = order->plan_id, .undo_of = order->undo_of };
	int r;

	if (order->kind != DL_ORDER_UNDO)
		return dl_error_set(err, DL_E_INVALID, "the order does not undo anything");
	r = work_open(&work, remedy, order->plan, order->chosen, err);
	if (r == 0)
		r = undo_all(&work, scope, err);
	if (r == 0)
		*ret_result = result_of(&work, "undo", "finished");
	return r;
}

int dl_remedy_check(struct dl_remedy *remedy, const struct dl_plan *plan, const bool *chosen,
		    json_t **ret_result, struct dl_error *err)
{
	dl_autowork work = { .plan_id = "", .dry = true };
	int r = work_open(&work, remedy, plan, chosen, err);

	for (size_t i = 0; r == 0 && i < work.run_count; i++) {
		struct run *run = &work.runs[i];

		if (!run->chosen || !require_verb(run))
			continue;
		r = run_begin(&work, run, err);
		if (r == 0)
			r = verb_of(run->step->verb)->check(&work, run, err);
	}
	if (r == 0)
		*ret_result = result_of(&work, "remove", "finished");
	return r;
}

json_t *dl_remedy_refusal(const struct dl_order *order, enum dl_reason reason, const char *detail)
{
	dl_autowork work = { .plan_id = order->plan_id };
	const char *kind = order->kind == DL_ORDER_UNDO ? "undo" : "remove";
	struct dl_error why = { 0 };
	json_t *result;

	dl_error_set(&why, 0, "%s", detail);
	work_list_runs(&work, order->plan, order->chosen);
	for (size_t i = 0; i < work.run_count; i++)
		run_end(&work.runs[i], DL_RUN_REFUSED, reason, &why);
	result = result_of(&work, kind, "refused");
	json_object_set_new(result, "reason", json_string(dl_reason_name(reason)));
	json_object_set_new(result, "detail", json_string(detail));
	return result;
}
