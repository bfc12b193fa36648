#include "server/store/view_step.h"

#include <string.h>

static void set_reason(json_t *view, const char *reason)
{
	dl_set_text(view, "reason", reason);
	dl_set_text(view, "reason_words",
		    reason[0] ? dl_reason_sentence(dl_reason_parse(reason)) : NULL);
}

/* ---- steps ---- */

/* The step as the revision has it, with what everybody wants to read beside it. */
static int step_base(struct dl_tx *tx, int64_t agent, const struct dl_step *step,
		     json_t **ret_view, struct dl_error *err)
{
	dl_autojson *view = dl_step_to_json(step);
	json_t *foothold = NULL;
	bool manual = step->verb == DL_VERB_MANUAL;
	int r = step->key[0] ? dl_view_foothold(tx, agent, step->key, &foothold, err) : 0;
	if (r < 0 && r != DL_E_NOT_FOUND)
		return r;
	json_object_set_new(view, "foothold", foothold ? foothold : json_null());
	json_object_set_new(view, "assisted", json_boolean(!manual));
	dl_set_text(view, "manual_words", manual && step->manual_because != DL_REASON_NONE
						  ? dl_reason_sentence(step->manual_because)
						  : NULL);
	json_object_set_new(view, "run", json_null());
	json_object_set_new(view, "note", json_null());
	json_object_set_new(view, "done_by", json_null());
	json_object_set_new(view, "done_at", json_null());
	*ret_view = DL_TAKE(view);
	return 0;
}

static json_t *run_row_view(struct dl_query *row)
{
	json_t *view = json_loads(dl_row_text(row, "report"), 0, NULL);
	if (!view)
		view = json_object();
	if (!json_object_get(view, "flags"))
		json_object_set_new(view, "flags", json_pack("{s:[],s:b,s:b}", "still_running",
							     "partial", 0, "needs_reboot", 0));
	if (!json_object_get(view, "evidence"))
		json_object_set_new(view, "evidence", json_array());
	if (!json_object_get(view, "quarantine"))
		json_object_set_new(view, "quarantine", json_array());
	dl_set_text(view, "plan_id", dl_row_text(row, "plan_id"));
	dl_set_text(view, "kind", dl_row_text(row, "kind"));
	dl_set_text(view, "state", dl_row_text(row, "state"));
	dl_set_text(view, "detail", dl_row_text(row, "detail"));
	set_reason(view, dl_row_text(row, "reason"));
	dl_set_id(view, "started", dl_row_int(row, "started"));
	dl_set_id(view, "finished", dl_row_int(row, "finished"));
	return view;
}

static int set_run(struct dl_tx *tx, const char *plan_id, int64_t step, json_t *view,
		   struct dl_error *err)
{
	if (!plan_id[0])
		return 0;
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT s.*, o.kind FROM step_run s JOIN plan_order o ON o.plan_id = s.plan_id "
		"WHERE s.plan_id = :plan AND s.step = :step");
	dl_query_text(query, "plan", plan_id);
	dl_query_int(query, "step", step);
	int r = dl_query_one(query, "run", err);
	if (r == 0)
		json_object_set_new(view, "run", run_row_view(query));
	return r;
}

static int set_done(struct dl_tx *tx, int64_t revision, int64_t step, json_t *view,
		    struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT * FROM step WHERE revision_id = :revision AND no = :no");
	dl_query_int(query, "revision", revision);
	dl_query_int(query, "no", step);
	int r = dl_query_one(query, "step", err);
	if (r < 0)
		return r;
	dl_set_text(view, "note", dl_row_text(query, "note"));
	dl_set_text(view, "done_by", dl_row_text(query, "done_by"));
	dl_set_id(view, "done_at", dl_row_int(query, "done_at"));
	return 0;
}

static int step_view(struct dl_tx *tx, const struct dl_incident_row *incident, int64_t revision,
		     const struct dl_step *step, const struct dl_step_standing *standing,
		     json_t **ret_view, struct dl_error *err)
{
	dl_autojson *view = NULL;
	int r = step_base(tx, incident->agent, step, &view, err);
	if (r == 0)
		r = set_run(tx, standing->plan_id, step->id, view, err);
	if (r == 0 && standing->done)
		r = set_done(tx, revision, step->id, view, err);
	if (r < 0)
		return r;
	dl_set_text(view, "status", standing->status);
	*ret_view = DL_TAKE(view);
	return 0;
}

int dl_view_steps(struct dl_tx *tx, const struct dl_incident_row *incident,
		  const struct dl_revision_row *revision, const struct dl_plan *plan, json_t *view,
		  struct dl_error *err)
{
	dl_autofree struct dl_step_standing *standing = NULL;
	size_t count = 0;
	json_t *items = json_array();
	json_object_set_new(view, "steps_view", items);
	int r = dl_steps_standing(tx, revision->id, &standing, &count, err);
	for (size_t i = 0; r == 0 && i < plan->step_count && i < count; i++) {
		json_t *item = NULL;
		r = step_view(tx, incident, revision->id, &plan->steps[i], &standing[i], &item, err);
		if (r == 0)
			json_array_append_new(items, item);
	}
	return r;
}

int dl_view_plan(struct dl_tx *tx, int64_t agent, const struct dl_plan *plan, json_t **ret_view,
		 struct dl_error *err)
{
	dl_autofree char *because = NULL;
	size_t assisted = dl_plan_assisted_count(plan);
	bool possible = dl_report_reviewable(plan, &because);
	dl_autojson *steps = json_array();
	for (size_t i = 0; i < plan->step_count; i++) {
		json_t *item = NULL;
		int r = step_base(tx, agent, &plan->steps[i], &item, err);
		if (r < 0)
			return r;
		dl_set_text(item, "status", plan->steps[i].verb == DL_VERB_MANUAL ? "manual_todo"
										  : "proposed");
		json_array_append_new(steps, item);
	}
	json_t *review = json_pack("{s:b}", "possible", possible);
	dl_set_text(review, "because", because);
	*ret_view = json_pack("{s:O,s:I,s:I,s:o,s:n}", "steps", steps, "assisted",
			      (json_int_t)assisted, "manual",
			      (json_int_t)(plan->step_count - assisted), "review", review, "digest");
	return 0;
}

/* ---- orders ---- */

static int order_steps(struct dl_tx *tx, const char *plan_id, json_t *view, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT step FROM step_run WHERE plan_id = :plan ORDER BY step");
	dl_query_text(query, "plan", plan_id);
	json_t *ids = json_array();
	json_object_set_new(view, "steps", ids);
	int r;
	while ((r = dl_query_step(query, err)) > 0)
		json_array_append_new(ids, json_integer(dl_row_int(query, "step")));
	return r;
}

/* Ids of steps that lie in quarantine and are not on their way back. */
static int order_undoable(struct dl_tx *tx, const char *plan_id, int64_t revision, json_t *view,
			  struct dl_error *err)
{
	dl_autofree struct dl_step_standing *steps = NULL;
	size_t count = 0;
	json_t *ids = json_array();
	json_object_set_new(view, "can_undo", ids);
	int r = dl_steps_standing(tx, revision, &steps, &count, err);
	for (size_t i = 0; r == 0 && i < count; i++)
		if (strcmp(steps[i].remove_plan, plan_id) == 0 && dl_step_is_undoable(&steps[i]))
			json_array_append_new(ids, json_integer((json_int_t)i + 1));
	return r;
}

static int order_row_view(struct dl_tx *tx, struct dl_query *row, json_t **ret_view,
			  struct dl_error *err)
{
	const char *plan_id = dl_row_text(row, "plan_id"), *state = dl_row_text(row, "state");
	dl_autojson *view = json_pack(
		"{s:s,s:s,s:I,s:s,s:I,s:I,s:s,s:b,s:[]}", "plan_id", plan_id, "kind",
		dl_row_text(row, "kind"), "revision", (json_int_t)dl_row_int(row, "revision_no"),
		"state", state, "created", (json_int_t)dl_row_int(row, "created"), "not_after",
		(json_int_t)dl_row_int(row, "not_after"), "approved_by",
		dl_row_text(row, "approved_by"), "can_cancel", strcmp(state, "queued") == 0,
		"can_undo");
	dl_set_text(view, "undo_of", dl_row_text(row, "undo_of"));
	dl_set_text(view, "detail", dl_row_text(row, "detail"));
	set_reason(view, dl_row_text(row, "reason"));
	dl_set_id(view, "claimed", dl_row_int(row, "claimed"));
	dl_set_id(view, "finished", dl_row_int(row, "finished"));
	int r = order_steps(tx, plan_id, view, err);
	if (r == 0 && strcmp(dl_row_text(row, "kind"), "remove") == 0 &&
	    strcmp(state, "finished") == 0)
		r = order_undoable(tx, plan_id, dl_row_int(row, "revision_id"), view, err);
	if (r == 0)
		*ret_view = DL_TAKE(view);
	return r;
}

int dl_view_orders(struct dl_tx *tx, int64_t incident, json_t *view, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT o.*, r.no AS revision_no FROM plan_order o "
		"JOIN revision r ON r.id = o.revision_id "
		"WHERE o.incident_id = :incident ORDER BY o.id DESC");
	dl_query_int(query, "incident", incident);
	json_t *items = json_array();
	json_object_set_new(view, "orders", items);
	int r;
	while ((r = dl_query_step(query, err)) > 0) {
		json_t *item = NULL;
		r = order_row_view(tx, query, &item, err);
		if (r < 0)
			return r;
		json_array_append_new(items, item);
	}
	return r;
}
