#include "agent/local/act.h"

#include "agent/journal/list.h"
#include "agent/local/document.h"
#include "agent/local/errand.h"
#include "core/base/time.h"

#include <string.h>

enum { ACT_NAME_MAX = 32, ID_BYTES = (DL_ID_TEXT_SIZE - 1) / 2 };

/* ---- reading an ask ---- */

static int read_chosen(const json_t *ask, const struct dl_plan *plan, bool **ret_chosen,
		       struct dl_error *err)
{
	dl_autofree bool *chosen = dl_alloc(plan->step_count + 1, sizeof(*chosen));
	json_t *ids, *id;
	size_t i;
	int r = dl_json_array(ask, "chosen", DL_PLAN_STEPS_MAX, &ids, err);
	if (r < 0)
		return r;
	json_array_foreach(ids, i, id) {
		json_int_t step = json_integer_value(id);
		if (step < 1 || (size_t)step > plan->step_count)
			return dl_error_set(err, DL_E_INVALID, "there is no step %lld in the plan",
					    (long long)step);
		chosen[step - 1] = true;
	}
	*ret_chosen = DL_TAKE(chosen);
	return 0;
}

static int read_proposal(const json_t *ask, struct dl_document *document, bool **ret_chosen,
			 struct dl_error *err)
{
	json_t *json;
	int r = dl_json_object(ask, "plan", &json, err);
	if (r >= 0)
		r = dl_document_from_json(json, document, err);
	if (r >= 0)
		r = read_chosen(ask, document->plan, ret_chosen, err);
	if (r < 0)
		return r;
	r = dl_plan_close_choice(document->plan, *ret_chosen, err);
	if (r < 0) {
		free(*ret_chosen);
		*ret_chosen = NULL;
	}
	return r;
}

static json_t *ids_of(const struct dl_plan *plan, const bool *chosen)
{
	json_t *ids = json_array();
	for (size_t i = 0; i < plan->step_count; i++)
		if (chosen[i])
			json_array_append_new(ids, json_integer(plan->steps[i].id));
	return ids;
}

/* ---- plans ---- */

static json_t *run_of(const json_t *runs, int64_t step)
{
	size_t i;
	json_t *run;
	json_array_foreach(runs, i, run)
		if (json_integer_value(json_object_get(run, "step")) == step)
			return run;
	return NULL;
}

static bool run_would_do(const json_t *run)
{
	const char *state = json_string_value(json_object_get(run, "state"));
	return state && (strcmp(state, dl_run_state_name(DL_RUN_REMOVED)) == 0 ||
			 strcmp(state, dl_run_state_name(DL_RUN_ALREADY_GONE)) == 0);
}

/* A dry run looks at each step for itself; apply would skip what requires a
 * step that comes to nothing. Required steps come earlier, so one pass does. */
static void skip_what_lacks(const struct dl_plan *plan, const json_t *runs)
{
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct dl_step *step = &plan->steps[i];
		json_t *run = run_of(runs, step->id);
		for (size_t k = 0; run && run_would_do(run) && k < step->require_count; k++) {
			if (run_would_do(run_of(runs, step->requires[k])))
				continue;
			json_object_set_new(run, "state",
					    json_string(dl_run_state_name(DL_RUN_SKIPPED)));
			json_object_set_new(
				run, "reason",
				json_string(dl_reason_name(DL_REASON_REQUIREMENT_FAILED)));
		}
	}
}

static int act_check(const struct dl_local *local, const json_t *ask, json_t **ret_answer,
		     struct dl_error *err)
{
	dl_autodocument document = { 0 };
	dl_autofree bool *chosen = NULL;
	int r = read_proposal(ask, &document, &chosen, err);
	if (r >= 0)
		r = dl_remedy_check(local->remedy, document.plan, chosen, ret_answer, err);
	if (r >= 0)
		skip_what_lacks(document.plan, json_object_get(*ret_answer, "runs"));
	return r;
}

static int do_errand(const struct dl_local *local, const struct dl_order *order,
		     const json_t *errand, json_t **ret_result, struct dl_error *err)
{
	dl_autojson *result = NULL;
	int r = errand_begin(local, order->plan_id, errand, err);
	if (r >= 0)
		r = errand_carry_out(local, order, DL_REMEDY_ALL, &result, err);
	if (r >= 0)
		r = errand_end_plan(local, order, errand, result, err);
	if (r >= 0)
		*ret_result = DL_TAKE(result);
	return r;
}

static int allow_room(const struct dl_local *local, const struct dl_order *order,
		      struct dl_error *err)
{
	dl_auto(dl_host) host = NULL;
	struct dl_limits limits;
	int r = dl_host_open(NULL, &host, err);
	if (r >= 0)
		r = dl_limits_read(host, &limits, err);
	return r < 0 ? r : dl_limits_allow(&limits, local->journal, order->plan, order->chosen, err);
}

static int act_apply(const struct dl_local *local, const json_t *ask, json_t **ret_answer,
		     struct dl_error *err)
{
	dl_autodocument document = { 0 };
	dl_autofree bool *chosen = NULL;
	json_t *by;
	int r = errand_by(ask, &by, err);
	if (r >= 0)
		r = read_proposal(ask, &document, &chosen, err);
	if (r < 0)
		return r;
	dl_autojson *errand = json_pack(
		"{s:i,s:s,s:s,s:O,s:I,s:o,s:o}", "local", 1, "act", "apply", "of", "", "by", by,
		"time", (json_int_t)dl_time_now_ms(), "document", dl_document_to_json(&document),
		"chosen", ids_of(document.plan, chosen));
	dl_auto(dl_order) order = order_of(document.plan_id, DL_TAKE(document.plan), chosen);
	r = allow_room(local, order, err);
	return r < 0 ? r : do_errand(local, order, errand, ret_answer, err);
}

static int act_undo(const struct dl_local *local, const json_t *ask, json_t **ret_answer,
		    struct dl_error *err)
{
	dl_autoknown known = { 0 };
	dl_autofree bool *chosen = NULL;
	const char *plan_id;
	json_t *by;
	int r = errand_by(ask, &by, err);
	if (r >= 0)
		r = dl_json_hex(ask, "plan_id", ID_BYTES, &plan_id, err);
	if (r >= 0)
		r = known_load(local->journal, plan_id, &known, err);
	if (r >= 0 && known.order->kind == DL_ORDER_UNDO)
		r = dl_error_set(err, DL_E_STATE, "%s undid a plan itself", plan_id);
	if (r >= 0 && known.state != DL_JOURNAL_FINISHED)
		r = dl_error_set(err, DL_E_STATE, "the plan %s did not run to its end", plan_id);
	if (r >= 0)
		r = read_chosen(ask, known.order->plan, &chosen, err);
	if (r < 0)
		return r;
	dl_autojson *errand = json_pack("{s:i,s:s,s:s,s:O,s:I,s:o}", "local", 1, "act", "undo",
					"of", plan_id, "by", by, "time",
					(json_int_t)dl_time_now_ms(), "chosen",
					ids_of(known.order->plan, chosen));
	dl_auto(dl_order) order = order_of("", DL_TAKE(known.order->plan), chosen);
	dl_random_id(order->plan_id);
	order->kind = DL_ORDER_UNDO;
	memcpy(order->undo_of, plan_id, DL_ID_TEXT_SIZE);
	return do_errand(local, order, errand, ret_answer, err);
}

/* Steps of which something is in this state: DONE, it lies in quarantine;
 * UNDONE, it was given back. */
static int steps_with(struct dl_journal *journal, const struct dl_order *order,
		      enum dl_move_state state, json_t **ret_ids, struct dl_error *err)
{
	dl_automoves moves = { 0 };
	dl_autofree bool *held = dl_alloc(order->plan->step_count + 1, sizeof(*held));
	int r = dl_journal_moves(journal, order->plan_id, 0, &moves, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < moves.count; i++) {
		const struct dl_move *move = &moves.items[i];
		const char *what = json_string_value(json_object_get(move->about, "what"));
		if (move->state == state && what && strcmp(what, "unit") != 0 &&
		    move->step >= 1 && (size_t)move->step <= order->plan->step_count)
			held[move->step - 1] = true;
	}
	*ret_ids = ids_of(order->plan, held);
	return 0;
}

static int act_plan(const struct dl_local *local, const json_t *ask, json_t **ret_answer,
		    struct dl_error *err)
{
	dl_autoknown known = { 0 };
	dl_autojson *runs = NULL, *undoable = NULL, *restored = NULL;
	const char *plan_id;
	int r = dl_json_hex(ask, "plan_id", ID_BYTES, &plan_id, err);
	if (r >= 0)
		r = known_load(local->journal, plan_id, &known, err);
	if (r >= 0)
		r = dl_journal_runs(local->journal, plan_id, &runs, err);
	if (r >= 0)
		r = steps_with(local->journal, known.order, DL_MOVE_DONE, &undoable, err);
	if (r >= 0)
		r = steps_with(local->journal, known.order, DL_MOVE_UNDONE, &restored, err);
	if (r < 0)
		return r;
	json_t *by = known.errand ? json_object_get(known.errand, "by") : NULL;
	*ret_answer = json_pack("{s:s,s:s,s:b,s:I,s:O,s:o,s:o,s:O,s:O,s:O}", "plan_id", plan_id, "kind",
				known.order->kind == DL_ORDER_UNDO ? "undo" : "remove", "finished",
				known.state == DL_JOURNAL_FINISHED, "received",
				(json_int_t)known.received, "by", by ? by : json_null(), "steps",
				dl_plan_to_json(known.order->plan), "chosen",
				ids_of(known.order->plan, known.order->chosen), "runs", runs,
				"undoable", undoable, "restored", restored);
	return 0;
}

static int act_plans(const struct dl_local *local, const json_t *ask, json_t **ret_answer,
		     struct dl_error *err)
{
	dl_autojson *plans = NULL;
	(void)ask;
	int r = dl_journal_plans(local->journal, DL_LOCAL_PLANS_MAX, &plans, err);
	if (r >= 0)
		*ret_answer = json_pack("{s:O}", "plans", plans);
	return r;
}

/* ---- the table ---- */

static const struct act {
	const char *name;
	const char *members[5]; /* NULL-terminated */
	int (*answer)(const struct dl_local *local, const json_t *ask, json_t **ret_answer,
		      struct dl_error *err);
	bool changes;
} acts[] = {
	{ "check", { "act", "plan", "chosen" }, act_check, false },
	{ "apply", { "act", "plan", "chosen", "by" }, act_apply, true },
	{ "undo", { "act", "plan_id", "chosen", "by" }, act_undo, true },
	{ "plan", { "act", "plan_id" }, act_plan, false },
	{ "plans", { "act" }, act_plans, false },
	{ "items", { "act" }, act_items, false },
	{ "item", { "act", "id" }, act_item, false },
	{ "restore", { "act", "ids", "by" }, act_restore, true },
	{ "purge", { "act", "ids", "by" }, act_purge, false },
};

int dl_local_answer(const struct dl_local *local, const json_t *ask, json_t **ret_answer,
		    bool *ret_changed, struct dl_error *err)
{
	const char *name;
	int r = dl_json_str(ask, "act", ACT_NAME_MAX, &name, err);
	*ret_changed = false;
	if (r < 0)
		return r;
	for (size_t i = 0; i < DL_COUNT(acts); i++) {
		if (strcmp(acts[i].name, name) != 0)
			continue;
		r = dl_json_only(ask, acts[i].members, err);
		*ret_changed = acts[i].changes && r >= 0;
		return r < 0 ? r : acts[i].answer(local, ask, ret_answer, err);
	}
	return dl_error_set(err, DL_E_INVALID, "there is no local act '%s'", name);
}
