#include "server/store/order.h"

#include "server/incident/issue.h"
#include "server/incident/transition.h"
#include "server/store/agent.h"
#include "server/store/incident.h"

#include <stdio.h>
#include <string.h>

static void copy(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text);
}

int dl_order_load(struct dl_tx *tx, const char *plan_id, struct dl_order_row *ret_row,
		  struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT o.*, r.no AS revision_no FROM plan_order o "
		"JOIN revision r ON r.id = o.revision_id WHERE o.plan_id = :plan");
	dl_query_text(query, "plan", plan_id);
	int r = dl_query_one(query, "order", err);
	if (r < 0)
		return r;
	*ret_row = (struct dl_order_row){
		.organization = dl_row_int(query, "organization_id"),
		.agent = dl_row_int(query, "agent_id"),
		.incident = dl_row_int(query, "incident_id"),
		.revision = dl_row_int(query, "revision_id"),
		.revision_no = dl_row_int(query, "revision_no"),
		.not_after = dl_row_int(query, "not_after"),
	};
	copy(ret_row->plan_id, sizeof(ret_row->plan_id), dl_row_text(query, "plan_id"));
	copy(ret_row->sha256, sizeof(ret_row->sha256), dl_row_text(query, "sha256"));
	copy(ret_row->undo_of, sizeof(ret_row->undo_of), dl_row_text(query, "undo_of"));
	copy(ret_row->state, sizeof(ret_row->state), dl_row_text(query, "state"));
	copy(ret_row->kind, sizeof(ret_row->kind), dl_row_text(query, "kind"));
	return 0;
}

int dl_audit_order(struct dl_tx *tx, const char *action, const struct dl_order_row *row,
		   json_t *detail, struct dl_error *err)
{
	return dl_audit_write(tx, &(struct dl_audit_event){
		.action = action, .organization = row->organization, .incident = row->incident,
		.revision = row->revision_no, .object = row->plan_id, .detail = detail }, err);
}

/* ---- making ---- */

static int insert_order(struct dl_tx *tx, const struct dl_order_wish *wish,
			const struct dl_order *order, const json_t *envelope, const char *sha256,
			const char *approved_by, struct dl_error *err)
{
	dl_autofree char *text = dl_json_text(envelope);
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"INSERT INTO plan_order (plan_id, organization_id, agent_id, incident_id, "
		"revision_id, kind, undo_of, state, envelope, sha256, approved_by, created, "
		"not_after) VALUES (:plan, :organization, :agent, :incident, :revision, :kind, "
		":undo_of, 'queued', :envelope, :sha256, :approved_by, :now, :not_after)");
	dl_query_text(query, "plan", order->plan_id);
	dl_query_int(query, "organization", wish->organization);
	dl_query_int(query, "agent", wish->agent);
	dl_query_int(query, "incident", wish->incident);
	dl_query_int(query, "revision", wish->revision);
	dl_query_text(query, "kind", wish->kind == DL_ORDER_UNDO ? "undo" : "remove");
	dl_query_text(query, "undo_of", wish->kind == DL_ORDER_UNDO ? wish->undo_of : NULL);
	dl_query_text(query, "envelope", text);
	dl_query_text(query, "sha256", sha256);
	dl_query_text(query, "approved_by", approved_by);
	dl_query_int(query, "now", tx->now);
	dl_query_int(query, "not_after", order->not_after);
	return dl_query_run(query, err);
}

static int insert_runs(struct dl_tx *tx, const char *plan_id, const struct dl_order_wish *wish,
		       struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"INSERT INTO step_run (plan_id, step, state) VALUES (:plan, :step, 'pending')");
	for (size_t i = 0; i < wish->chosen_count; i++) {
		if (!wish->chosen[i])
			continue;
		dl_query_text(query, "plan", plan_id);
		dl_query_int(query, "step", (int64_t)i + 1);
		int r = dl_query_run(query, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The order in the wire's form, to be signed. */
static int fill_order(struct dl_tx *tx, const struct dl_order_wish *wish, const char *approved_by,
		      struct dl_order *order, struct dl_error *err)
{
	struct dl_agent agent __attribute__((cleanup(dl_agent_clear))) = { 0 };
	dl_autojson *body = NULL;
	int r = dl_agent_load(tx, wish->agent, &agent, err);
	if (r == 0)
		r = dl_report_from_body(wish->body, &body, &order->plan, err);
	if (r < 0)
		return r;
	if (agent.revoked)
		return dl_error_set(err, DL_E_STATE, "this host's agent was revoked: it enrolled "
						     "again as another host");
	dl_random_id(order->plan_id);
	order->kind = wish->kind;
	copy(order->undo_of, sizeof(order->undo_of),
	     wish->kind == DL_ORDER_UNDO ? wish->undo_of : "");
	order->organization = wish->organization;
	order->agent = wish->agent;
	order->incident = wish->incident;
	copy(order->agent_key_id, sizeof(order->agent_key_id), agent.key_id);
	order->issued = tx->now;
	order->not_after = tx->now + DL_ORDER_WAIT_MS;
	order->revision = dl_strdup(wish->body);
	order->chosen = dl_memdup(wish->chosen, wish->chosen_count * sizeof(bool));
	order->approvals = json_pack("[{s:s,s:s,s:I,s:s}]", "user", approved_by, "role",
				     "technician", "time", (json_int_t)tx->now, "method", "session");
	return 0;
}

int dl_order_create(struct dl_tx *tx, const struct dl_order_wish *wish, struct dl_error *err)
{
	dl_auto(dl_order) order = DL_NEW(struct dl_order);
	dl_autofree char *approved_by = NULL;
	dl_autojson *envelope = NULL;
	char sha256[DL_SHA256_TEXT_SIZE];
	struct dl_order_row row;
	int r = dl_tx_actor_name(tx, &approved_by, err);
	if (r == 0)
		r = fill_order(tx, wish, approved_by, order, err);
	if (r == 0)
		r = dl_order_issue(order, tx->options->key, &envelope, sha256, err);
	if (r == 0)
		r = insert_order(tx, wish, order, envelope, sha256, approved_by, err);
	if (r == 0)
		r = insert_runs(tx, order->plan_id, wish, err);
	if (r == 0)
		r = dl_order_load(tx, order->plan_id, &row, err);
	if (r < 0)
		return r;
	tx->wake = wish->agent;
	return dl_audit_order(tx, "order.created", &row,
			      json_pack("{s:s,s:s}", "kind", row.kind, "sha256", sha256), err);
}

/* ---- moving ---- */

int dl_order_set_state(struct dl_tx *tx, struct dl_order_row *row, const char *to,
		       struct dl_error *err)
{
	int r = dl_order_move(row->state, to, err);
	if (r < 0)
		return r;
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"UPDATE plan_order SET state = :to, "
		"claimed = CASE WHEN :to = 'claimed' THEN :now ELSE claimed END, "
		"finished = CASE WHEN :to = 'claimed' THEN finished ELSE :now END "
		"WHERE plan_id = :plan AND state = :from");
	dl_query_text(query, "to", to);
	dl_query_text(query, "from", row->state);
	dl_query_text(query, "plan", row->plan_id);
	dl_query_int(query, "now", tx->now);
	r = dl_query_run(query, err);
	if (r < 0)
		return r;
	if (dl_db_changes(tx->db) == 0)
		return dl_error_set(err, DL_E_STATE, "the order is no longer %s", row->state);
	copy(row->state, sizeof(row->state), to);
	return 0;
}

static int end_runs(struct dl_tx *tx, const char *plan_id, const char *state, const char *reason,
		    struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"UPDATE step_run SET state = :state, reason = :reason, finished = :now "
		"WHERE plan_id = :plan AND state = 'pending'");
	dl_query_text(query, "state", state);
	dl_query_text(query, "reason", reason);
	dl_query_int(query, "now", tx->now);
	dl_query_text(query, "plan", plan_id);
	return dl_query_run(query, err);
}

static int note_end(struct dl_tx *tx, const char *plan_id, const char *reason, const char *detail,
		    struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"UPDATE plan_order SET reason = :reason, detail = :detail WHERE plan_id = :plan");
	dl_query_text(query, "reason", reason);
	dl_query_text(query, "detail", detail);
	dl_query_text(query, "plan", plan_id);
	return dl_query_run(query, err);
}

/* A newer revision may have been sent meanwhile; then there is nothing to give back. */
static int give_back(struct dl_tx *tx, const struct dl_order_row *row, struct dl_error *err)
{
	dl_auto(dl_query) revision = dl_query_new(tx->db,
		"UPDATE revision SET state = 'sent' WHERE id = :revision AND state = 'approved'");
	dl_query_int(revision, "revision", row->revision);
	int r = dl_query_run(revision, err);
	if (r < 0 || dl_db_changes(tx->db) == 0)
		return r;
	dl_auto(dl_query) step = dl_query_new(tx->db,
		"UPDATE step SET choice = '' WHERE revision_id = :revision");
	dl_query_int(step, "revision", row->revision);
	return dl_query_run(step, err);
}

int dl_order_end_unstarted(struct dl_tx *tx, struct dl_order_row *row, const char *to,
			   const char *reason, const char *detail, struct dl_error *err)
{
	char action[32];
	snprintf(action, sizeof(action), "order.%s", to);
	int r = dl_order_set_state(tx, row, to, err);
	if (r == 0)
		r = end_runs(tx, row->plan_id, to, reason, err);
	if (r == 0)
		r = note_end(tx, row->plan_id, reason, detail, err);
	if (r == 0 && strcmp(row->kind, "remove") == 0)
		r = give_back(tx, row, err);
	if (r == 0)
		r = dl_audit_order(tx, action, row,
				   json_pack("{s:s,s:s}", "reason", reason, "detail", detail), err);
	return r < 0 ? r : dl_incident_settle(tx, row->incident, err);
}
