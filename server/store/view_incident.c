/* The incident as people see it: summary, revision, decisions, orders, remaining
 * footholds and what the actor can do now. */
#include "server/incident/code.h"
#include "server/incident/difference.h"
#include "server/incident/proof.h"
#include "server/store/incident.h"
#include "server/store/view_step.h"

#include <string.h>

enum { ACTIVITY_MAX = 100, REVISION_MAX_BYTES = 256 * 1024 };

static void set_words(json_t *view, const char *name, const char *code, const char *sentence)
{
	dl_set_text(view, name, code[0] ? sentence : NULL);
}

/* ---- summary ---- */

json_t *dl_view_incident_row(struct dl_query *row)
{
	json_t *view = json_pack(
		"{s:I,s:s,s:s,s:s,s:{s:I,s:s},s:{s:I,s:s,s:b},s:I,s:s,s:I,s:{s:I,s:I,s:I,s:I}}", "id",
		(json_int_t)dl_row_int(row, "id"), "subject", dl_row_text(row, "subject"),
		"severity", dl_row_text(row, "severity"), "state", dl_row_text(row, "state"),
		"organization", "id", (json_int_t)dl_row_int(row, "organization_id"), "name",
		dl_row_text(row, "organization_name"), "host", "id",
		(json_int_t)dl_row_int(row, "agent_id"), "hostname", dl_row_text(row, "hostname"),
		"online", 0, "revision", (json_int_t)dl_row_int(row, "revision_no"),
		"revision_state", dl_row_text(row, "revision_state"), "created",
		(json_int_t)dl_row_int(row, "created"), "steps", "assisted",
		(json_int_t)dl_row_int(row, "count_assisted"), "manual",
		(json_int_t)dl_row_int(row, "count_manual"), "failed",
		(json_int_t)dl_row_int(row, "count_failed"), "done",
		(json_int_t)dl_row_int(row, "count_done"));
	dl_set_text(view, "needs", dl_row_text(row, "needs"));
	dl_set_id(view, "sent", dl_row_int(row, "sent"));
	dl_set_id(view, "decided", dl_row_int(row, "decided"));
	dl_set_id(view, "resolved", dl_row_int(row, "resolved"));
	dl_set_id(view, "closed", dl_row_int(row, "closed"));
	dl_set_id(json_object_get(view, "host"), "last_contact", dl_row_int(row, "last_contact"));
	return view;
}

static int summary(struct dl_tx *tx, int64_t incident, json_t **ret_view, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db, DL_INCIDENT_COLUMNS "WHERE i.id = :id");
	dl_query_int(query, "id", incident);
	int r = dl_query_one(query, "incident", err);
	if (r < 0)
		return r;
	json_t *view = dl_view_incident_row(query);
	dl_set_text(view, "close_reason", dl_row_text(query, "close_reason"));
	dl_set_text(view, "close_comment", dl_row_text(query, "close_comment"));
	*ret_view = view;
	return 0;
}

/* ---- revisions ---- */

static int revision_list(struct dl_tx *tx, int64_t incident, bool drafts, json_t *view,
			 struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT * FROM revision WHERE incident_id = :incident "
		"AND (:drafts = 1 OR state <> 'draft') ORDER BY no DESC");
	dl_query_int(query, "incident", incident);
	dl_query_int(query, "drafts", drafts);
	json_t *items = json_array();
	json_object_set_new(view, "revisions", items);
	int r;
	while ((r = dl_query_step(query, err)) > 0) {
		json_t *item = json_pack("{s:I,s:s,s:s,s:s}", "no",
					 (json_int_t)dl_row_int(query, "no"), "state",
					 dl_row_text(query, "state"), "author",
					 dl_row_text(query, "author_name"), "digest",
					 dl_row_text(query, "digest"));
		dl_set_id(item, "sent", dl_row_int(query, "sent"));
		json_array_append_new(items, item);
	}
	return r;
}

static json_t *parse_or_empty(const char *text)
{
	json_t *value = json_loads(text, 0, NULL);
	return value ? value : json_object();
}

static int revision_view(struct dl_tx *tx, const struct dl_incident_row *incident, int64_t no,
			 const json_t *report, json_t *view, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT r.*, s.finished AS evidence_time FROM revision r LEFT JOIN survey s "
		"ON s.agent_id = :agent AND s.seq = r.evidence_seq "
		"WHERE r.incident_id = :incident AND r.no = :no");
	dl_query_int(query, "agent", incident->agent);
	dl_query_int(query, "incident", incident->id);
	dl_query_int(query, "no", no);
	int r = dl_query_one(query, "revision", err);
	if (r < 0)
		return r;
	json_t *shown = json_pack(
		"{s:I,s:s,s:s,s:O,s:O,s:O,s:O,s:{s:I,s:s},s:I,s:{s:I,s:I},s:o}", "no",
		(json_int_t)no, "state", dl_row_text(query, "state"), "digest",
		dl_row_text(query, "digest"), "subject", json_object_get(report, "subject"),
		"severity", json_object_get(report, "severity"), "summary",
		json_object_get(report, "summary"), "recommendations",
		json_object_get(report, "recommendations"), "author", "id",
		(json_int_t)dl_row_int(query, "author_id"), "name",
		dl_row_text(query, "author_name"), "created",
		(json_int_t)dl_row_int(query, "created"), "evidence", "seq",
		(json_int_t)dl_row_int(query, "evidence_seq"), "finished",
		(json_int_t)dl_row_int(query, "evidence_time"), "edit",
		parse_or_empty(dl_row_text(query, "edit")));
	dl_set_id(shown, "sent", dl_row_int(query, "sent"));
	json_object_set_new(view, "shown_revision", shown);
	return 0;
}

static int difference_view(struct dl_tx *tx, int64_t incident, int64_t no, const json_t *report,
			   json_t *view, struct dl_error *err)
{
	struct dl_revision_row before __attribute__((cleanup(dl_revision_clear))) = { 0 };
	dl_autojson *old = NULL;
	json_object_set_new(view, "difference", json_null());
	if (no < 2)
		return 0;
	int r = dl_revision_load(tx, incident, no - 1, &before, err);
	if (r == 0)
		r = dl_json_parse(before.body, strlen(before.body), REVISION_MAX_BYTES, &old, err);
	if (r == 0)
		json_object_set_new(view, "difference", dl_revision_difference(old, report));
	return r;
}

/* ---- decisions ---- */

static json_t *decision_view(struct dl_query *row)
{
	const char *reason = dl_row_text(row, "reason");
	json_t *steps = json_loads(dl_row_text(row, "steps"), 0, NULL);
	json_t *view = json_pack("{s:I,s:b,s:{s:I,s:s},s:I,s:s,s:o}", "revision",
				 (json_int_t)dl_row_int(row, "no"), "approve",
				 (int)dl_row_int(row, "approve"), "user", "id",
				 (json_int_t)dl_row_int(row, "account_id"), "name",
				 dl_row_text(row, "account_name"), "time",
				 (json_int_t)dl_row_int(row, "time"), "comment",
				 dl_row_text(row, "comment"), "steps", steps ? steps : json_array());
	dl_set_text(view, "reason", reason);
	set_words(view, "reason_words", reason, dl_reject_reason_sentence(reason));
	json_object_set_new(view, "useful", dl_row_is_null(row, "useful")
		? json_null() : json_boolean(dl_row_int(row, "useful")));
	return view;
}

static int decision_list(struct dl_tx *tx, int64_t incident, json_t *view, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT d.*, r.no FROM decision d JOIN revision r ON r.id = d.revision_id "
		"WHERE r.incident_id = :incident ORDER BY d.id DESC");
	dl_query_int(query, "incident", incident);
	json_t *items = json_array();
	json_object_set_new(view, "decisions", items);
	int r;
	while ((r = dl_query_step(query, err)) > 0)
		json_array_append_new(items, decision_view(query));
	return r;
}

/* ---- remaining footholds ---- */

static struct dl_proof_trigger proof_of(const struct dl_trigger_standing *trigger)
{
	return (struct dl_proof_trigger){ .accepted = trigger->accepted,
					  .present = trigger->present,
					  .covered_seq = trigger->covered_seq,
					  .seen_seq = trigger->last_seq };
}

static json_t *remaining_trigger(const struct dl_trigger_standing *trigger,
				 const struct dl_proof_standing *standing, json_t *foothold)
{
	struct dl_proof_trigger proof = proof_of(trigger);
	const char *name = json_string_value(json_object_get(foothold, "name"));
	const char *line = json_string_value(json_object_get(foothold, "line"));
	json_t *item = json_pack("{s:s,s:s,s:s,s:s}", "key", trigger->key, "role", "trigger",
				 "disposition", trigger->accepted ? "accepted" : "open", "proof",
				 dl_proof_trigger_words(&proof, standing->since_seq,
							standing->acted_seq));
	bool known = trigger->accepted || trigger->last_seq > standing->acted_seq ||
		     trigger->covered_seq > standing->since_seq;
	json_object_set_new(item, "present", known ? json_boolean(trigger->present) : json_null());
	json_object_set(item, "kind", json_object_get(foothold, "kind"));
	json_object_set(item, "kind_words", json_object_get(foothold, "kind_words"));
	json_object_set(item, "path", json_object_get(foothold, "location"));
	json_object_set(item, "seen", json_object_get(foothold, "last"));
	dl_set_text(item, "title", name ? name : line);
	return item;
}

/* Payloads are leftovers: listed, without a word about proof, until a step
 * took them away. */
static void add_payloads(json_t *items, const json_t *steps)
{
	size_t i;
	json_t *step;
	json_array_foreach(steps, i, step) {
		const char *status = json_string_value(json_object_get(step, "status"));
		const json_t *object = json_array_get(json_object_get(step, "objects"), 0);
		const char *role = json_string_value(json_object_get(object, "role"));
		if (!role || strcmp(role, "payload") != 0 || dl_run_took_effect(status) ||
		    strcmp(status, "already_gone") == 0 || strcmp(status, "manual_done") == 0)
			continue;
		json_array_append_new(items, json_pack(
			"{s:O,s:s,s:n,s:s,s:O,s:O,s:n,s:n,s:s,s:s}", "key",
			json_object_get(step, "key"), "role", "payload", "kind", "kind_words", "file",
			"title", json_object_get(object, "path"), "path",
			json_object_get(object, "path"), "present", "seen", "disposition", "open",
			"proof", "Components may remain; what runs them decides."));
	}
}

static int remaining(struct dl_tx *tx, const struct dl_incident_row *incident,
		     const struct dl_revision_row *revision, json_t *view, struct dl_error *err)
{
	struct dl_proof_standing standing __attribute__((cleanup(dl_proof_standing_clear))) = { 0 };
	json_t *items = json_array();
	json_object_set_new(view, "remaining", items);
	int r = dl_proof_load(tx, incident, revision, &standing, err);
	for (size_t i = 0; r == 0 && i < standing.trigger_count; i++) {
		const struct dl_trigger_standing *trigger = &standing.triggers[i];
		struct dl_proof_trigger proof = proof_of(trigger);
		dl_autojson *foothold = NULL;
		if (!trigger->accepted && dl_proof_trigger_settled(&proof, standing.since_seq))
			continue;
		r = dl_view_foothold(tx, incident->agent, trigger->key, &foothold, err);
		if (r == 0)
			json_array_append_new(items, remaining_trigger(trigger, &standing, foothold));
	}
	if (r == 0)
		add_payloads(items, json_object_get(view, "steps_view"));
	return r;
}

/* ---- what can be done now ---- */

static bool any_true(const json_t *items, const char *member)
{
	size_t i;
	json_t *item;
	json_array_foreach(items, i, item) {
		const json_t *value = json_object_get(item, member);
		if (json_is_true(value) || json_array_size(value) > 0)
			return true;
	}
	return false;
}

static bool any_status(const json_t *steps, const char *status)
{
	size_t i;
	json_t *step;
	json_array_foreach(steps, i, step) {
		if (strcmp(json_string_value(json_object_get(step, "status")), status) == 0)
			return true;
	}
	return false;
}

static int add_abilities(struct dl_tx *tx, const struct dl_incident_row *incident,
			 const struct dl_revision_row *revision, json_t *view, struct dl_error *err)
{
	unsigned int roles = 0;
	int r = dl_tx_roles(tx, incident->organization, &roles, err);
	if (r < 0)
		return r;
	bool analyst = roles & DL_ROLE_ANALYST, technician = roles & DL_ROLE_TECHNICIAN;
	bool open = strcmp(incident->state, "open") == 0;
	bool draft = strcmp(incident->state, "draft") == 0;
	bool closed = strcmp(incident->state, "closed") == 0;
	bool current = revision->no == incident->current_no;
	const json_t *orders = json_object_get(view, "orders");
	json_object_set_new(view, "can", json_pack(
		"{s:b,s:b,s:b,s:b,s:b,s:b,s:b}",
		"decide", technician && open && current && strcmp(revision->state, "sent") == 0,
		"send", analyst && incident->draft_no && (open || draft),
		"edit", analyst && (open || draft),
		"cancel", (analyst || technician) && any_true(orders, "can_cancel"),
		"undo", technician && !closed && any_true(orders, "can_undo"),
		"manual_done", (analyst || technician) && open && current &&
			       any_status(json_object_get(view, "steps_view"), "manual_todo"),
		"close", analyst && (open || draft)));
	return 0;
}

static void add_review(json_t *view, const struct dl_plan *plan)
{
	dl_autofree char *because = NULL;
	bool possible = dl_report_reviewable(plan, &because);
	json_t *review = json_pack("{s:b}", "possible", possible);
	dl_set_text(review, "because", because);
	json_object_set_new(view, "review", review);
}

/* ---- the whole ---- */

/* Which revision is shown when none is named. */
static int shown_no(struct dl_tx *tx, const struct dl_incident_row *incident, int64_t wanted,
		    int64_t *ret_no, struct dl_error *err)
{
	unsigned int roles = 0;
	int r = dl_tx_roles(tx, incident->organization, &roles, err);
	if (r < 0)
		return r;
	bool drafts = roles & DL_ROLE_ANALYST;
	int64_t no = wanted ? wanted
		   : incident->draft_no && (drafts || !incident->current_no) ? incident->draft_no
		   : incident->current_no;
	if (no == incident->draft_no && incident->current_no && !drafts)
		return dl_error_set(err, DL_E_NOT_FOUND, "no such revision");
	*ret_no = no;
	return 0;
}

static int activity(struct dl_tx *tx, int64_t incident, json_t *view, struct dl_error *err)
{
	dl_autojson *events = NULL;
	int r = dl_audit_page(tx, 0, incident, (struct dl_page){ .limit = ACTIVITY_MAX }, &events,
			      err);
	if (r == 0)
		json_object_set(view, "activity", json_object_get(events, "items"));
	return r;
}

static int add_parts(struct dl_tx *tx, const struct dl_incident_row *incident,
		     const struct dl_revision_row *revision, json_t *view, struct dl_error *err)
{
	dl_autojson *report = NULL;
	dl_auto(dl_plan) plan = NULL;
	bool drafts = revision->no == incident->draft_no;
	int r = dl_report_from_body(revision->body, &report, &plan, err);
	if (r == 0)
		r = revision_view(tx, incident, revision->no, report, view, err);
	if (r == 0)
		r = revision_list(tx, incident->id, drafts, view, err);
	if (r == 0)
		r = difference_view(tx, incident->id, revision->no, report, view, err);
	if (r == 0)
		r = dl_view_steps(tx, incident, revision, plan, view, err);
	if (r == 0)
		r = dl_view_orders(tx, incident->id, view, err);
	if (r == 0)
		r = decision_list(tx, incident->id, view, err);
	if (r == 0)
		r = remaining(tx, incident, revision, view, err);
	if (r == 0)
		r = activity(tx, incident->id, view, err);
	if (r < 0)
		return r;
	add_review(view, plan);
	return add_abilities(tx, incident, revision, view, err);
}

int dl_view_incident(struct dl_tx *tx, int64_t id, int64_t revision_no, json_t **ret_view,
		     struct dl_error *err)
{
	struct dl_incident_row incident;
	struct dl_revision_row revision __attribute__((cleanup(dl_revision_clear))) = { 0 };
	dl_autojson *view = NULL;
	int64_t no = 0;
	int r = dl_incident_load(tx, id, DL_ROLE_ANY, &incident, err);
	if (r == 0)
		r = shown_no(tx, &incident, revision_no, &no, err);
	if (r == 0)
		r = dl_revision_load(tx, id, no, &revision, err);
	if (r == 0)
		r = summary(tx, id, &view, err);
	if (r == 0)
		r = add_parts(tx, &incident, &revision, view, err);
	if (r == 0)
		*ret_view = DL_TAKE(view);
	return r;
}
