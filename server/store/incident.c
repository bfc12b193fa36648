#include "server/store/incident.h"

#include "server/incident/transition.h"

#include <stdio.h>
#include <string.h>

#define COPY(array, text) snprintf(array, sizeof(array), "%s", text)

int dl_incident_load(struct dl_tx *tx, int64_t id, unsigned int roles,
		     struct dl_incident_row *ret_row, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db, "SELECT * FROM incident WHERE id = :id");
	dl_query_int(query, "id", id);
	int r = dl_query_one(query, "incident", err);
	if (r == 0)
		r = dl_tx_require(tx, dl_row_int(query, "organization_id"), roles, "incident", err);
	if (r < 0)
		return r;
	*ret_row = (struct dl_incident_row){
		.id = id,
		.organization = dl_row_int(query, "organization_id"),
		.agent = dl_row_int(query, "agent_id"),
		.current_no = dl_row_int(query, "current_no"),
		.draft_no = dl_row_int(query, "draft_no"),
	};
	COPY(ret_row->state, dl_row_text(query, "state"));
	return 0;
}

int dl_audit_incident(struct dl_tx *tx, const char *action, const struct dl_incident_row *row,
		      int64_t revision_no, json_t *detail, struct dl_error *err)
{
	char object[64];
	snprintf(object, sizeof(object), "incident %lld", (long long)row->id);
	return dl_audit_write(tx, &(struct dl_audit_event){
		.action = action, .organization = row->organization, .incident = row->id,
		.revision = revision_no, .object = object, .detail = detail }, err);
}

int dl_incident_set_state(struct dl_tx *tx, struct dl_incident_row *row, const char *to,
			  const char *action, json_t *detail, struct dl_error *err)
{
	dl_autojson *kept = detail; /* released also where the audit is not reached */
	int r = dl_incident_move(row->state, to, err);
	if (r < 0)
		return r;
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"UPDATE incident SET state = :to, "
		"resolved = CASE :to WHEN 'resolved' THEN :now WHEN 'open' THEN NULL "
		"ELSE resolved END, "
		"closed = CASE :to WHEN 'closed' THEN :now ELSE closed END "
		"WHERE id = :id AND state = :from");
	dl_query_text(query, "to", to);
	dl_query_text(query, "from", row->state);
	dl_query_int(query, "now", tx->now);
	dl_query_int(query, "id", row->id);
	r = dl_query_run(query, err);
	if (r < 0)
		return r;
	COPY(row->state, to);
	return dl_audit_incident(tx, action, row, row->current_no, json_incref(kept), err);
}

/* ---- revisions ---- */

void dl_revision_clear(struct dl_revision_row *row)
{
	free(row->body);
}

int dl_revision_load(struct dl_tx *tx, int64_t incident, int64_t no,
		     struct dl_revision_row *ret_row, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT * FROM revision WHERE incident_id = :incident AND no = :no");
	dl_query_int(query, "incident", incident);
	dl_query_int(query, "no", no);
	int r = dl_query_one(query, "revision", err);
	if (r < 0)
		return r;
	*ret_row = (struct dl_revision_row){
		.id = dl_row_int(query, "id"),
		.no = no,
		.evidence_seq = dl_row_int(query, "evidence_seq"),
		.body = dl_strdup(dl_row_text(query, "body")),
	};
	COPY(ret_row->state, dl_row_text(query, "state"));
	COPY(ret_row->digest, dl_row_text(query, "digest"));
	return 0;
}

int dl_revision_set_state(struct dl_tx *tx, struct dl_revision_row *row, const char *to,
			  struct dl_error *err)
{
	int r = dl_revision_move(row->state, to, err);
	if (r < 0)
		return r;
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"UPDATE revision SET state = :to WHERE id = :id AND state = :from");
	dl_query_text(query, "to", to);
	dl_query_text(query, "from", row->state);
	dl_query_int(query, "id", row->id);
	r = dl_query_run(query, err);
	if (r == 0)
		COPY(row->state, to);
	return r;
}

/* ---- standing of steps ---- */

static int load_steps(struct dl_tx *tx, int64_t revision, struct dl_step_standing **ret_steps,
		      size_t *ret_count, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT * FROM step WHERE revision_id = :revision ORDER BY no");
	dl_query_int(query, "revision", revision);
	dl_autofree struct dl_step_standing *steps = NULL;
	size_t count = 0;
	int r;
	while ((r = dl_query_step(query, err)) > 0) {
		steps = dl_realloc(steps, count + 1, sizeof(*steps));
		struct dl_step_standing *step = &steps[count++];
		*step = (struct dl_step_standing){
			.manual = strcmp(dl_row_text(query, "verb"), "manual") == 0,
			.done = !dl_row_is_null(query, "done_at"),
			.payload = strcmp(dl_row_text(query, "verb"), "file.quarantine") == 0,
		};
		COPY(step->key, dl_row_text(query, "key"));
		COPY(step->choice, dl_row_text(query, "choice"));
	}
	if (r < 0)
		return r;
	*ret_steps = DL_TAKE(steps);
	*ret_count = count;
	return 0;
}

/* Runs come oldest first, so the newest has the last word; a new attempt to
 * remove makes an earlier undo history. */
static void apply_run(struct dl_step_standing *step, struct dl_query *row)
{
	COPY(step->plan_id, dl_row_text(row, "plan_id"));
	if (strcmp(dl_row_text(row, "kind"), "undo") == 0) {
		COPY(step->undo_order_state, dl_row_text(row, "order_state"));
		COPY(step->undo_run_state, dl_row_text(row, "run_state"));
		return;
	}
	COPY(step->remove_plan, dl_row_text(row, "plan_id"));
	COPY(step->order_state, dl_row_text(row, "order_state"));
	COPY(step->run_state, dl_row_text(row, "run_state"));
	step->undo_order_state[0] = '\0';
	step->undo_run_state[0] = '\0';
}

static int apply_runs(struct dl_tx *tx, int64_t revision, struct dl_step_standing *steps,
		      size_t count, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT s.step, s.state AS run_state, o.plan_id, o.kind, o.state AS order_state "
		"FROM plan_order o JOIN step_run s ON s.plan_id = o.plan_id "
		"WHERE o.revision_id = :revision ORDER BY o.id, s.step");
	dl_query_int(query, "revision", revision);
	int r;
	while ((r = dl_query_step(query, err)) > 0) {
		int64_t no = dl_row_int(query, "step");
		if (no >= 1 && no <= (int64_t)count)
			apply_run(&steps[no - 1], query);
	}
	return r;
}

int dl_steps_standing(struct dl_tx *tx, int64_t revision, struct dl_step_standing **ret_steps,
		      size_t *ret_count, struct dl_error *err)
{
	dl_autofree struct dl_step_standing *steps = NULL;
	size_t count = 0;
	int r = load_steps(tx, revision, &steps, &count, err);
	if (r == 0)
		r = apply_runs(tx, revision, steps, count, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		steps[i].status = dl_step_status(&(struct dl_step_facts){
			.manual = steps[i].manual, .done = steps[i].done, .choice = steps[i].choice,
			.order_state = steps[i].order_state, .run_state = steps[i].run_state,
			.undo_order_state = steps[i].undo_order_state,
			.undo_run_state = steps[i].undo_run_state });
	*ret_steps = DL_TAKE(steps);
	*ret_count = count;
	return 0;
}

bool dl_step_is_undoable(const struct dl_step_standing *step)
{
	return dl_run_took_effect(step->status) ||
	       (strcmp(step->status, "undo_failed") == 0 && dl_run_took_effect(step->run_state));
}

/* ---- standing of the proof ---- */

void dl_proof_standing_clear(struct dl_proof_standing *standing)
{
	free(standing->triggers);
}

static int load_triggers(struct dl_tx *tx, const struct dl_incident_row *incident,
			 int64_t revision, struct dl_proof_standing *standing, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT t.key, COALESCE(d.disposition, 'open') AS disposition, "
		"f.last_seq, f.gone_seq, "
		"(SELECT MAX(c.seq) FROM survey_coverage c JOIN survey s "
		" ON s.agent_id = c.agent_id AND s.seq = c.seq WHERE c.agent_id = :agent "
		" AND c.kind = t.kind AND c.state = 'complete' AND s.trusted = 1) AS covered "
		"FROM revision_foothold t "
		"LEFT JOIN incident_foothold d ON d.incident_id = :incident AND d.key = t.key "
		"LEFT JOIN foothold f ON f.agent_id = :agent AND f.key = t.key "
		"WHERE t.revision_id = :revision ORDER BY t.key");
	dl_query_int(query, "agent", incident->agent);
	dl_query_int(query, "incident", incident->id);
	dl_query_int(query, "revision", revision);
	int r;
	while ((r = dl_query_step(query, err)) > 0) {
		standing->triggers = dl_realloc(standing->triggers, standing->trigger_count + 1,
						sizeof(*standing->triggers));
		struct dl_trigger_standing *trigger =
			&standing->triggers[standing->trigger_count++];
		*trigger = (struct dl_trigger_standing){
			.accepted = strcmp(dl_row_text(query, "disposition"), "accepted") == 0,
			.present = dl_row_is_null(query, "gone_seq"),
			.covered_seq = dl_row_int(query, "covered"),
			.last_seq = dl_row_int(query, "last_seq"),
		};
		COPY(trigger->key, dl_row_text(query, "key"));
	}
	return r;
}

/* Orders of every revision count: what an earlier one still does on the host
 * would make a proof too early. */
static int load_orders(struct dl_tx *tx, int64_t incident, struct dl_proof_standing *standing,
		       struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT COALESCE(SUM(CASE WHEN state IN ('queued', 'claimed') THEN 1 ELSE 0 END), 0) "
		"AS in_flight, COALESCE(MAX(finished_seq), 0) AS last_seq "
		"FROM plan_order WHERE incident_id = :incident");
	dl_query_int(query, "incident", incident);
	int r = dl_query_one(query, "orders", err);
	if (r < 0)
		return r;
	standing->orders_in_flight = (size_t)dl_row_int(query, "in_flight");
	standing->acted_seq = dl_row_int(query, "last_seq");
	if (standing->acted_seq > standing->since_seq)
		standing->since_seq = standing->acted_seq;
	return 0;
}

static int load_manual(struct dl_tx *tx, int64_t revision, struct dl_proof_standing *standing,
		       struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT COUNT(*) AS total, COUNT(done_at) AS done FROM step "
		"WHERE revision_id = :revision AND verb = 'manual' AND key = ''");
	dl_query_int(query, "revision", revision);
	int r = dl_query_one(query, "steps", err);
	if (r < 0)
		return r;
	standing->manual_done = (size_t)dl_row_int(query, "done");
	standing->manual_open = (size_t)dl_row_int(query, "total") - standing->manual_done;
	return 0;
}

int dl_proof_load(struct dl_tx *tx, const struct dl_incident_row *incident,
		  const struct dl_revision_row *revision, struct dl_proof_standing *ret_standing,
		  struct dl_error *err)
{
	ret_standing->since_seq = revision->evidence_seq;
	int r = load_triggers(tx, incident, revision->id, ret_standing, err);
	if (r == 0)
		r = load_orders(tx, incident->id, ret_standing, err);
	if (r == 0)
		r = load_manual(tx, revision->id, ret_standing, err);
	return r;
}
