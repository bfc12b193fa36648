/* Orders after the decision: cancel, undo, expire. */
#include "server/store/incident.h"
#include "server/store/order.h"
#include "server/store/view.h"

#include <string.h>

enum { EXPIRE_PER_RUN = 100 };

/* The order with its incident, if the actor may touch it. */
static int load_order(struct dl_tx *tx, const json_t *args, unsigned int roles,
		      struct dl_order_row *order, struct dl_error *err)
{
	const char *plan_id = NULL;
	int r = dl_arg_text(args, "plan_id", DL_ID_TEXT_SIZE - 1, &plan_id, err);
	if (r == 0)
		r = dl_order_load(tx, plan_id, order, err);
	return r < 0 ? r : dl_tx_require(tx, order->organization, roles, "order", err);
}

static int cancel(struct dl_tx *tx, const json_t *args, json_t **ret_view, struct dl_error *err)
{
	struct dl_order_row order;
	int r = load_order(tx, args, DL_ROLE_TECHNICIAN | DL_ROLE_ANALYST, &order, err);
	if (r == 0 && strcmp(order.state, "claimed") == 0)
		return dl_error_set(err, DL_E_STATE, "the host has begun: too late to cancel");
	if (r == 0)
		r = dl_order_end_unstarted(tx, &order, "cancelled", "", "", err);
	return r < 0 ? r : dl_view_incident(tx, order.incident, 0, ret_view, err);
}

/* ---- undo ---- */

struct undo {
	struct dl_order_row removed; /* the order to put back */
	struct dl_step_standing *steps; /* owned */
	size_t count;
	bool *chosen; /* owned */
	bool legitimate;
	const char *comment;
};

static void undo_clear(struct undo *undo)
{
	free(undo->steps);
	free(undo->chosen);
}

static bool is_undoable(const struct undo *undo, size_t i)
{
	return strcmp(undo->steps[i].remove_plan, undo->removed.plan_id) == 0 &&
	       dl_step_is_undoable(&undo->steps[i]);
}

static int choose_undo(struct undo *undo, const json_t *wanted, struct dl_error *err)
{
	size_t i, count = 0;
	json_t *item;
	undo->chosen = dl_alloc(undo->count, sizeof(*undo->chosen));
	for (i = 0; !wanted && i < undo->count; i++)
		undo->chosen[i] = is_undoable(undo, i);
	json_array_foreach(wanted, i, item) {
		int64_t id = json_is_integer(item) ? json_integer_value(item) : 0;
		if (id < 1 || id > (int64_t)undo->count)
			return dl_error_set(err, DL_E_INVALID, "the plan has no such step");
		if (!is_undoable(undo, (size_t)id - 1))
			return dl_error_set(err, DL_E_STATE, "step %d left nothing to put back",
					    (int)id);
		undo->chosen[id - 1] = true;
	}
	for (i = 0; i < undo->count; i++)
		count += undo->chosen[i];
	if (!count)
		return dl_error_set(err, DL_E_STATE, "this order left nothing to put back");
	return 0;
}

/* What was legitimate stays, and no survey that shows it reopens the incident. A
 * file that comes back says nothing about the trigger that ran it. */
static int accept_keys(struct dl_tx *tx, const struct undo *undo, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"UPDATE incident_foothold SET disposition = :disposition "
		"WHERE incident_id = :incident AND key = :key");
	for (size_t i = 0; i < undo->count; i++) {
		if (!undo->chosen[i] || !undo->steps[i].key[0] || undo->steps[i].payload)
			continue;
		dl_query_text(query, "disposition", undo->legitimate ? "accepted" : "open");
		dl_query_int(query, "incident", undo->removed.incident);
		dl_query_text(query, "key", undo->steps[i].key);
		int r = dl_query_run(query, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int reopen(struct dl_tx *tx, const struct undo *undo, struct dl_incident_row *incident,
		  struct dl_error *err)
{
	if (undo->legitimate || strcmp(incident->state, "resolved") != 0)
		return 0;
	return dl_incident_set_state(tx, incident, "open", "incident.reopened",
				     json_pack("{s:s,s:s}", "undo_of", undo->removed.plan_id,
					       "comment", undo->comment), err);
}

static int order_undo(struct dl_tx *tx, struct undo *undo, struct dl_incident_row *incident,
		      struct dl_error *err)
{
	struct dl_revision_row revision __attribute__((cleanup(dl_revision_clear))) = { 0 };
	int r = dl_revision_load(tx, incident->id, undo->removed.revision_no, &revision, err);
	if (r == 0)
		r = accept_keys(tx, undo, err);
	if (r == 0)
		r = reopen(tx, undo, incident, err);
	if (r == 0)
		r = dl_order_create(tx, &(struct dl_order_wish){
			.kind = DL_ORDER_UNDO, .undo_of = undo->removed.plan_id,
			.organization = incident->organization, .agent = incident->agent,
			.incident = incident->id, .revision = revision.id,
			.revision_no = revision.no, .body = revision.body,
			.chosen = undo->chosen, .chosen_count = undo->count }, err);
	return r < 0 ? r : dl_incident_settle(tx, incident->id, err);
}

static int read_undo(struct dl_tx *tx, const json_t *args, struct undo *undo, struct dl_error *err)
{
	json_t *wanted = NULL;
	undo->legitimate = dl_arg_bool(args, "legitimate");
	int r = dl_arg_text(args, "comment", DL_STORE_TEXT_MAX_BYTES, &undo->comment, err);
	if (r == 0)
		r = load_order(tx, args, DL_ROLE_TECHNICIAN, &undo->removed, err);
	if (r == 0 && (strcmp(undo->removed.kind, "remove") != 0 ||
		       strcmp(undo->removed.state, "finished") != 0))
		return dl_error_set(err, DL_E_STATE, "only a finished removal can be undone");
	if (r == 0)
		r = dl_json_array_opt(args, "steps", DL_PLAN_STEPS_MAX, &wanted, err);
	if (r == 0)
		r = dl_steps_standing(tx, undo->removed.revision, &undo->steps, &undo->count, err);
	return r < 0 ? r : choose_undo(undo, wanted, err);
}

static int undo_order(struct dl_tx *tx, const json_t *args, json_t **ret_view,
		      struct dl_error *err)
{
	struct undo undo __attribute__((cleanup(undo_clear))) = { 0 };
	struct dl_incident_row incident;
	if (tx->actor_kind != DL_ACTOR_USER)
		return dl_error_set(err, DL_E_DENIED, "only a person decides");
	int r = read_undo(tx, args, &undo, err);
	if (r == 0)
		r = dl_incident_load(tx, undo.removed.incident, DL_ROLE_TECHNICIAN, &incident, err);
	if (r == 0 && strcmp(incident.state, "closed") == 0)
		return dl_error_set(err, DL_E_STATE, "the incident is closed");
	if (r == 0)
		r = order_undo(tx, &undo, &incident, err);
	return r < 0 ? r : dl_view_incident(tx, undo.removed.incident, 0, ret_view, err);
}

/* ---- expiry ---- */

static int expire_orders(struct dl_tx *tx, int64_t *ret_count, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT plan_id FROM plan_order WHERE state = 'queued' AND not_after < :now "
		"ORDER BY id LIMIT :limit");
	dl_query_int(query, "now", tx->now);
	dl_query_int(query, "limit", EXPIRE_PER_RUN);
	char ids[EXPIRE_PER_RUN][DL_ID_TEXT_SIZE];
	size_t count = 0;
	int r;
	while ((r = dl_query_step(query, err)) > 0) {
		memcpy(ids[count], dl_row_text(query, "plan_id"), DL_ID_TEXT_SIZE);
		count++;
	}
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct dl_order_row order;
		r = dl_order_load(tx, ids[i], &order, err);
		if (r == 0)
			r = dl_order_end_unstarted(tx, &order, "expired", "", "", err);
	}
	*ret_count = (int64_t)count;
	return r;
}

static int expire(struct dl_tx *tx, const json_t *args, json_t **ret_view, struct dl_error *err)
{
	(void)args;
	int64_t count = 0;
	if (tx->actor_kind != DL_ACTOR_SYSTEM)
		return dl_error_set(err, DL_E_DENIED, "this is the server's own timer");
	int r = expire_orders(tx, &count, err);
	if (r < 0)
		return r;
	dl_auto(dl_query) query = dl_query_new(tx->db, "DELETE FROM session WHERE expires < :now");
	dl_query_int(query, "now", tx->now);
	r = dl_query_run(query, err);
	if (r == 0)
		*ret_view = json_pack("{s:I}", "expired", (json_int_t)count);
	return r;
}

/* ---- the face ---- */

static const struct dl_case case_cancel = { "order cancel", .writes = true, .shows_hosts = true,
					    .run = cancel };
static const struct dl_case case_undo = { "order undo", .writes = true, .shows_hosts = true,
					  .run = undo_order };
static const struct dl_case case_expire = { "expire", .writes = true, .run = expire };

void dl_store_order_cancel(struct dl_store *store, const struct dl_actor *actor,
			   const char *plan_id, dl_store_done done, void *arg)
{
	dl_store_call(store, &case_cancel, actor, json_pack("{s:s?}", "plan_id", plan_id), done,
		      arg);
}

void dl_store_order_undo(struct dl_store *store, const struct dl_actor *actor,
			 const struct dl_undo_request *request, dl_store_done done, void *arg)
{
	json_t *args = json_pack("{s:s?,s:o?,s:b,s:s?}", "plan_id", request->plan_id, "steps",
				 json_deep_copy(request->steps), "legitimate", request->legitimate, "comment",
				 request->comment);
	dl_store_call(store, &case_undo, actor, args, done, arg);
}

void dl_store_expire(struct dl_store *store, const struct dl_actor *actor, dl_store_done done,
		     void *arg)
{
	dl_store_call(store, &case_expire, actor, json_object(), done, arg);
}
