/* Decisions: approve, reject, acknowledge by hand, close. A decision names the
 * digest of what was read; anything else by now is another plan. */
#include "server/incident/code.h"
#include "server/store/incident.h"
#include "server/store/order.h"
#include "server/store/view.h"

#include <string.h>

struct decision {
	int64_t incident_id;
	const char *digest, *reason, *comment; /* borrowed from the arguments */
	const json_t *steps; /* NULL: every assisted one */
	bool approve, useful;
};

static int read_decision(const json_t *args, struct decision *decision, struct dl_error *err)
{
	json_t *steps = NULL;
	decision->incident_id = dl_arg_id(args, "incident");
	decision->approve = dl_arg_bool(args, "approve");
	decision->useful = dl_arg_bool(args, "useful");
	int r = dl_json_hex(args, "digest", DL_SHA256_SIZE, &decision->digest, err);
	if (r == 0)
		r = dl_json_array_opt(args, "steps", DL_PLAN_STEPS_MAX, &steps, err);
	if (r == 0)
		r = dl_arg_text(args, "reason", 64, &decision->reason, err);
	if (r == 0)
		r = dl_arg_text(args, "comment", DL_STORE_TEXT_MAX_BYTES, &decision->comment, err);
	if (r < 0)
		return r;
	if (decision->reason[0] && !dl_reject_reason_sentence(decision->reason)) {
		dl_autofree char *codes = dl_reject_reason_codes();
		return dl_error_set(err, DL_E_INVALID, "'reason' is none of %s", codes);
	}
	if (!decision->approve && !decision->reason[0])
		return dl_error_set(err, DL_E_INVALID, "a rejection needs a reason");
	decision->steps = steps;
	return 0;
}

/* The revision the decision is about: the current one, unchanged, undecided. */
static int load_decidable(struct dl_tx *tx, const struct decision *decision,
			  struct dl_incident_row *incident, struct dl_revision_row *revision,
			  struct dl_error *err)
{
	int r = dl_incident_load(tx, decision->incident_id, DL_ROLE_TECHNICIAN, incident, err);
	if (r < 0)
		return r;
	if (strcmp(incident->state, "open") != 0)
		return dl_error_set(err, DL_E_STATE, "the incident is %s", incident->state);
	r = dl_revision_load(tx, incident->id, incident->current_no, revision, err);
	if (r < 0)
		return r;
	if (strcmp(revision->digest, decision->digest) != 0)
		return dl_error_set(err, DL_E_STALE, "the plan changed since you read it: read "
						     "revision %d", (int)revision->no);
	if (strcmp(revision->state, "sent") != 0)
		return dl_error_set(err, DL_E_STATE, "this revision is %s already",
				    revision->state);
	return 0;
}

/* ---- choosing ---- */

/* What is carried out is what the person ticked: a requirement is named, never added behind him. */
static int check_requirements(const struct dl_plan *plan, const bool *chosen, struct dl_error *err)
{
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct dl_step *step = &plan->steps[i];
		for (size_t k = 0; chosen[i] && k < step->require_count; k++)
			if (!chosen[step->requires[k] - 1])
				return dl_error_set(err, DL_E_INVALID,
						    "step %d requires step %d: choose both, or neither",
						    (int)step->id, (int)step->requires[k]);
	}
	return 0;
}

static int choose_named(const struct dl_plan *plan, const json_t *steps, bool *chosen,
			struct dl_error *err)
{
	size_t i;
	json_t *item;
	json_array_foreach(steps, i, item) {
		int64_t id = json_is_integer(item) ? json_integer_value(item) : 0;
		if (id < 1 || id > (int64_t)plan->step_count)
			return dl_error_set(err, DL_E_INVALID, "the plan has no such step");
		if (plan->steps[id - 1].verb == DL_VERB_MANUAL)
			return dl_error_set(err, DL_E_STATE,
					    "step %d can only be done by hand, so it cannot be "
					    "approved", (int)id);
		chosen[id - 1] = true;
	}
	return check_requirements(plan, chosen, err);
}

static int choose(const struct decision *decision, const struct dl_plan *plan, bool *chosen,
		  size_t *ret_count, struct dl_error *err)
{
	dl_autofree char *because = NULL;
	if (!dl_report_reviewable(plan, &because))
		return dl_error_set(err, DL_E_STATE, "%s", because);
	for (size_t i = 0; !decision->steps && i < plan->step_count; i++)
		chosen[i] = plan->steps[i].verb != DL_VERB_MANUAL;
	int r = decision->steps ? choose_named(plan, decision->steps, chosen, err) : 0;
	if (r < 0)
		return r;
	size_t count = 0;
	for (size_t i = 0; i < plan->step_count; i++)
		count += chosen[i];
	if (!count)
		return dl_error_set(err, DL_E_INVALID, "choose at least one step, or reject the report");
	if (count < dl_plan_assisted_count(plan) && !decision->reason[0])
		return dl_error_set(err, DL_E_INVALID,
				    "not every step is chosen: 'reason' must say why the others are "
				    "rejected");
	*ret_count = count;
	return 0;
}

static json_t *chosen_ids(const bool *chosen, size_t count)
{
	json_t *ids = json_array();
	for (size_t i = 0; i < count; i++)
		if (chosen[i])
			json_array_append_new(ids, json_integer((json_int_t)i + 1));
	return ids;
}

/* ---- writing it down ---- */

static int insert_decision(struct dl_tx *tx, const struct decision *decision, int64_t revision,
			   const json_t *steps, struct dl_error *err)
{
	dl_autofree char *name = NULL, *text = dl_json_text(steps);
	int r = dl_tx_actor_name(tx, &name, err);
	if (r < 0)
		return r;
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"INSERT INTO decision (revision_id, approve, account_id, account_name, time, reason, "
		"comment, useful, steps) VALUES (:revision, :approve, :account, :name, :now, :reason, "
		":comment, CASE WHEN :approve = 0 THEN :useful END, :steps)");
	dl_query_int(query, "revision", revision);
	dl_query_int(query, "approve", decision->approve);
	dl_query_int(query, "account", tx->actor_id);
	dl_query_text(query, "name", name);
	dl_query_int(query, "now", tx->now);
	dl_query_text(query, "reason", decision->reason);
	dl_query_text(query, "comment", decision->comment);
	dl_query_int(query, "useful", decision->useful);
	dl_query_text(query, "steps", text);
	r = dl_query_run(query, err);
	if (r < 0)
		return r;
	dl_auto(dl_query) incident = dl_query_new(tx->db,
		"UPDATE incident SET decided = :now WHERE id = :incident");
	dl_query_int(incident, "now", tx->now);
	dl_query_int(incident, "incident", decision->incident_id);
	return dl_query_run(incident, err);
}

/* chosen NULL: every assisted step is rejected. */
static int write_choice(struct dl_tx *tx, int64_t revision, const struct dl_plan *plan,
			const bool *chosen, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"UPDATE step SET choice = :choice WHERE revision_id = :revision AND no = :no");
	for (size_t i = 0; i < plan->step_count; i++) {
		if (plan->steps[i].verb == DL_VERB_MANUAL)
			continue;
		dl_query_text(query, "choice", chosen && chosen[i] ? "approved" : "rejected");
		dl_query_int(query, "revision", revision);
		dl_query_int(query, "no", plan->steps[i].id);
		int r = dl_query_run(query, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int approve(struct dl_tx *tx, const struct decision *decision,
		   const struct dl_incident_row *incident, struct dl_revision_row *revision,
		   const struct dl_plan *plan, struct dl_error *err)
{
	dl_autofree bool *chosen = dl_alloc(plan->step_count, sizeof(*chosen));
	size_t count = 0;
	int r = choose(decision, plan, chosen, &count, err);
	if (r < 0)
		return r;
	dl_autojson *ids = chosen_ids(chosen, plan->step_count);
	r = dl_revision_set_state(tx, revision, "approved", err);
	if (r == 0)
		r = insert_decision(tx, decision, revision->id, ids, err);
	if (r == 0)
		r = write_choice(tx, revision->id, plan, chosen, err);
	if (r == 0)
		r = dl_audit_incident(tx, "revision.approved", incident, revision->no,
				      json_pack("{s:s,s:O,s:s,s:s}", "digest", revision->digest,
						"steps", ids, "reason", decision->reason, "comment",
						decision->comment), err);
	if (r < 0)
		return r;
	return dl_order_create(tx, &(struct dl_order_wish){
		.kind = DL_ORDER_REMOVE, .organization = incident->organization,
		.agent = incident->agent, .incident = incident->id, .revision = revision->id,
		.revision_no = revision->no, .body = revision->body, .chosen = chosen,
		.chosen_count = plan->step_count }, err);
}

static int reject(struct dl_tx *tx, const struct decision *decision,
		  const struct dl_incident_row *incident, struct dl_revision_row *revision,
		  const struct dl_plan *plan, struct dl_error *err)
{
	dl_autojson *none = json_array();
	int r = dl_revision_set_state(tx, revision, "rejected", err);
	if (r == 0)
		r = insert_decision(tx, decision, revision->id, none, err);
	if (r == 0)
		r = write_choice(tx, revision->id, plan, NULL, err);
	if (r == 0)
		r = dl_audit_incident(tx, "revision.rejected", incident, revision->no,
				      json_pack("{s:s,s:s,s:s,s:b}", "digest", revision->digest,
						"reason", decision->reason, "comment",
						decision->comment, "useful", decision->useful), err);
	return r;
}

static int decide(struct dl_tx *tx, const json_t *args, json_t **ret_view, struct dl_error *err)
{
	struct decision decision = { 0 };
	struct dl_incident_row incident;
	struct dl_revision_row revision __attribute__((cleanup(dl_revision_clear))) = { 0 };
	dl_autojson *report = NULL;
	dl_auto(dl_plan) plan = NULL;
	int r = read_decision(args, &decision, err);
	if (r == 0 && tx->actor_kind != DL_ACTOR_USER)
		return dl_error_set(err, DL_E_DENIED, "only a person decides");
	if (r == 0)
		r = load_decidable(tx, &decision, &incident, &revision, err);
	if (r == 0)
		r = dl_report_from_body(revision.body, &report, &plan, err);
	if (r < 0)
		return r;
	r = decision.approve ? approve(tx, &decision, &incident, &revision, plan, err)
			     : reject(tx, &decision, &incident, &revision, plan, err);
	if (r == 0)
		r = dl_incident_settle(tx, incident.id, err);
	return r < 0 ? r : dl_view_incident(tx, incident.id, 0, ret_view, err);
}

/* ---- by hand ---- */

static int write_done(struct dl_tx *tx, int64_t revision, int64_t step, const char *note,
		      struct dl_error *err)
{
	dl_autofree char *name = NULL;
	int r = dl_tx_actor_name(tx, &name, err);
	if (r < 0)
		return r;
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"UPDATE step SET done_by = :name, done_at = :now, note = :note "
		"WHERE revision_id = :revision AND no = :no AND verb = 'manual' AND done_at IS NULL");
	dl_query_text(query, "name", name);
	dl_query_int(query, "now", tx->now);
	dl_query_text(query, "note", note);
	dl_query_int(query, "revision", revision);
	dl_query_int(query, "no", step);
	r = dl_query_run(query, err);
	if (r == 0 && dl_db_changes(tx->db) == 0)
		return dl_error_set(err, DL_E_STATE,
				    "step %d is no manual step, or is done already", (int)step);
	return r;
}

static int manual_done(struct dl_tx *tx, const json_t *args, json_t **ret_view,
		       struct dl_error *err)
{
	struct dl_incident_row incident;
	struct dl_revision_row revision __attribute__((cleanup(dl_revision_clear))) = { 0 };
	int64_t step = dl_arg_id(args, "step");
	const char *note = NULL;
	int r = dl_incident_load(tx, dl_arg_id(args, "incident"),
				 DL_ROLE_TECHNICIAN | DL_ROLE_ANALYST, &incident, err);
	if (r == 0)
		r = dl_arg_words(args, "note", DL_STORE_TEXT_MAX_BYTES, &note, err);
	if (r == 0 && strcmp(incident.state, "open") != 0)
		return dl_error_set(err, DL_E_STATE, "the incident is %s", incident.state);
	if (r == 0)
		r = dl_revision_load(tx, incident.id, incident.current_no, &revision, err);
	if (r == 0)
		r = write_done(tx, revision.id, step, note, err);
	if (r == 0)
		r = dl_audit_incident(tx, "step.manual_done", &incident, revision.no,
				      json_pack("{s:I,s:s}", "step", (json_int_t)step, "note", note),
				      err);
	if (r == 0)
		r = dl_incident_settle(tx, incident.id, err);
	return r < 0 ? r : dl_view_incident(tx, incident.id, 0, ret_view, err);
}

/* ---- closing ---- */

static int cancel_waiting(struct dl_tx *tx, int64_t incident, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT plan_id FROM plan_order WHERE incident_id = :incident "
		"AND state IN ('queued', 'claimed') ORDER BY id");
	dl_query_int(query, "incident", incident);
	int r;
	while ((r = dl_query_step(query, err)) > 0) {
		struct dl_order_row order;
		r = dl_order_load(tx, dl_row_text(query, "plan_id"), &order, err);
		if (r == 0 && strcmp(order.state, "claimed") == 0)
			return dl_error_set(err, DL_E_STATE, "the host is working on an order of this "
							     "incident: wait for its result");
		if (r == 0)
			r = dl_order_end_unstarted(tx, &order, "cancelled", "",
						   "The incident was closed.", err);
		if (r < 0)
			return r;
	}
	return r;
}

static int write_close(struct dl_tx *tx, int64_t incident, const char *reason, const char *comment,
		       struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"UPDATE incident SET close_reason = :reason, close_comment = :comment WHERE id = :id");
	dl_query_text(query, "reason", reason);
	dl_query_text(query, "comment", comment);
	dl_query_int(query, "id", incident);
	return dl_query_run(query, err);
}

static int close_incident(struct dl_tx *tx, const json_t *args, json_t **ret_view,
			  struct dl_error *err)
{
	struct dl_incident_row incident;
	const char *reason = NULL, *comment = NULL;
	int r = dl_incident_load(tx, dl_arg_id(args, "incident"), DL_ROLE_ANALYST, &incident, err);
	if (r == 0)
		r = dl_arg_text(args, "reason", 64, &reason, err);
	if (r == 0)
		r = dl_arg_text(args, "comment", DL_STORE_TEXT_MAX_BYTES, &comment, err);
	if (r < 0)
		return r;
	if (!dl_close_reason_sentence(reason))
		return dl_error_set(err, DL_E_INVALID, "'reason' is no reason to close an incident");
	r = cancel_waiting(tx, incident.id, err);
	if (r == 0)
		r = dl_incident_set_state(tx, &incident, "closed", "incident.closed",
					  json_pack("{s:s,s:s}", "reason", reason, "comment",
						    comment), err);
	if (r == 0)
		r = write_close(tx, incident.id, reason, comment, err);
	if (r == 0)
		r = dl_incident_settle(tx, incident.id, err);
	return r < 0 ? r : dl_view_incident(tx, incident.id, 0, ret_view, err);
}

/* ---- the face ---- */

static const struct dl_case case_decide = { "decide", .writes = true, .shows_hosts = true,
					    .run = decide };
static const struct dl_case case_manual = { "manual done", .writes = true, .shows_hosts = true,
					    .run = manual_done };
static const struct dl_case case_close = { "incident close", .writes = true, .shows_hosts = true,
					   .run = close_incident };

void dl_store_decide(struct dl_store *store, const struct dl_actor *actor,
		     const struct dl_decide_request *request, dl_store_done done, void *arg)
{
	json_t *args = json_pack("{s:I,s:s?,s:b,s:o?,s:s?,s:s?,s:b}", "incident",
				 (json_int_t)request->incident, "digest", request->digest,
				 "approve", request->approve, "steps",
				 json_deep_copy(request->steps), "reason", request->reason, "comment", request->comment, "useful",
				 request->useful);
	dl_store_call(store, &case_decide, actor, args, done, arg);
}

void dl_store_manual_done(struct dl_store *store, const struct dl_actor *actor, int64_t incident,
			  int64_t step, const char *note, dl_store_done done, void *arg)
{
	json_t *args = json_pack("{s:I,s:I,s:s?}", "incident", (json_int_t)incident, "step",
				 (json_int_t)step, "note", note);
	dl_store_call(store, &case_manual, actor, args, done, arg);
}

void dl_store_incident_close(struct dl_store *store, const struct dl_actor *actor,
			     int64_t incident, const char *reason, const char *comment,
			     dl_store_done done, void *arg)
{
	json_t *args = json_pack("{s:I,s:s?,s:s?}", "incident", (json_int_t)incident, "reason",
				 reason, "comment", comment);
	dl_store_call(store, &case_close, actor, args, done, arg);
}
