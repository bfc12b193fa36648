/* The claim: where delivery becomes permission. What the ticket says is decided
 * here, once, by the order's state; the host's clock has no say in it. */
#include "server/incident/issue.h"
#include "server/store/agent.h"
#include "server/store/incident.h"
#include "server/store/intake.h"
#include "server/store/order.h"

#include <string.h>

enum { CLAIM_MAX_BYTES = 4096, TICKETS_PER_ORDER_MAX = 64 };

struct claim {
	json_t *fields; /* owned */
	const char *plan_id, *order_sha256, *nonce; /* borrowed from fields */
};

static void claim_clear(struct claim *claim)
{
	json_decref(claim->fields);
}

static int read_claim(const json_t *envelope, const struct dl_agent *agent, struct claim *claim,
		      struct dl_error *err)
{
	static const char *const members[] = { "version", "agent_id", "plan_id", "order_sha256",
					       "nonce", NULL };
	const char *body = NULL;
	int64_t number = 0;
	int r = dl_envelope_verify(envelope, DL_TYPE_CLAIM, agent->public_key, CLAIM_MAX_BYTES,
				   &body, err);
	if (r == 0)
		r = dl_json_parse(body, strlen(body), CLAIM_MAX_BYTES, &claim->fields, err);
	if (r == 0)
		r = dl_json_only(claim->fields, members, err);
	if (r == 0)
		r = dl_json_int(claim->fields, "version", 1, 1, &number, err);
	if (r == 0)
		r = dl_json_int(claim->fields, "agent_id", agent->id, agent->id, &number, err);
	if (r == 0)
		r = dl_json_hex(claim->fields, "plan_id", 16, &claim->plan_id, err);
	if (r == 0)
		r = dl_json_hex(claim->fields, "order_sha256", DL_SHA256_SIZE, &claim->order_sha256,
				err);
	if (r == 0)
		r = dl_json_hex(claim->fields, "nonce", 16, &claim->nonce, err);
	return r;
}

static json_t *ticket_view(struct dl_tx *tx, json_t *envelope)
{
	return json_pack("{s:o,s:o}", "key", dl_tx_key_cert(tx), "ticket", envelope);
}

/* 1: the nonce has its ticket. */
static int find_ticket(struct dl_tx *tx, const struct claim *claim, json_t **ret_view,
		       struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT envelope FROM ticket WHERE plan_id = :plan AND nonce = :nonce");
	dl_query_text(query, "plan", claim->plan_id);
	dl_query_text(query, "nonce", claim->nonce);
	int r = dl_query_step(query, err);
	if (r > 0)
		*ret_view = ticket_view(tx, json_loads(dl_row_text(query, "envelope"), 0, NULL));
	return r;
}

static int count_tickets(struct dl_tx *tx, const char *plan_id, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"SELECT COUNT(*) AS n FROM ticket WHERE plan_id = :plan");
	dl_query_text(query, "plan", plan_id);
	int r = dl_query_one(query, "ticket", err);
	if (r == 0 && dl_row_int(query, "n") >= TICKETS_PER_ORDER_MAX)
		return dl_error_set(err, DL_E_LIMIT, "this order was claimed too often");
	return r;
}

static int keep_ticket(struct dl_tx *tx, const struct claim *claim, const json_t *envelope,
		       struct dl_error *err)
{
	dl_autofree char *text = dl_json_text(envelope);
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"INSERT INTO ticket (plan_id, nonce, envelope, created) "
		"VALUES (:plan, :nonce, :envelope, :now)");
	dl_query_text(query, "plan", claim->plan_id);
	dl_query_text(query, "nonce", claim->nonce);
	dl_query_text(query, "envelope", text);
	dl_query_int(query, "now", tx->now);
	return dl_query_run(query, err);
}

static int take_order(struct dl_tx *tx, struct dl_order_row *order, struct dl_error *err)
{
	int r = dl_order_set_state(tx, order, "claimed", err);
	if (r == 0)
		r = dl_audit_order(tx, "order.claimed", order, NULL, err);
	return r < 0 ? r : dl_incident_settle(tx, order->incident, err);
}

/* Nothing starts after cancel or expiry: also not the rest of an order that was
 * claimed in time, interrupted, and asked for again too late. */
static int decide_verdict(struct dl_tx *tx, struct dl_order_row *order,
			  enum dl_verdict *ret_verdict, struct dl_error *err)
{
	bool late = tx->now > order->not_after;
	*ret_verdict = late ? DL_VERDICT_EXPIRED : DL_VERDICT_GO;
	if (strcmp(order->state, "queued") == 0)
		return late ? dl_order_end_unstarted(tx, order, "expired", "", "", err)
			    : take_order(tx, order, err);
	if (strcmp(order->state, "claimed") == 0)
		return 0;
	if (strcmp(order->state, "cancelled") == 0)
		*ret_verdict = DL_VERDICT_CANCELLED;
	else if (strcmp(order->state, "expired") == 0)
		*ret_verdict = DL_VERDICT_EXPIRED;
	else
		return dl_error_set(err, DL_E_STATE, "the order is %s", order->state);
	return 0;
}

static int make_ticket(struct dl_tx *tx, const struct claim *claim, struct dl_order_row *order,
		       json_t **ret_view, struct dl_error *err)
{
	struct dl_ticket ticket = { .server_time = tx->now,
				    .start_within_ms = DL_TICKET_START_MS };
	dl_autojson *envelope = NULL;
	memcpy(ticket.plan_id, order->plan_id, sizeof(ticket.plan_id));
	memcpy(ticket.order_sha256, order->sha256, sizeof(ticket.order_sha256));
	memcpy(ticket.nonce, claim->nonce, sizeof(ticket.nonce));
	int r = count_tickets(tx, claim->plan_id, err);
	if (r == 0)
		r = decide_verdict(tx, order, &ticket.verdict, err);
	if (r == 0)
		r = dl_ticket_issue(&ticket, tx->options->key, &envelope, err);
	if (r == 0)
		r = keep_ticket(tx, claim, envelope, err);
	if (r == 0)
		*ret_view = ticket_view(tx, DL_TAKE(envelope));
	return r;
}

static const struct dl_case case_claim_refused;

static int refuse(struct dl_tx *tx, const struct claim *claim, const char *because,
		  struct dl_error *err)
{
	tx->follow = &case_claim_refused;
	tx->follow_args = json_pack("{s:s,s:s}", "plan_id", claim->plan_id, "because", because);
	return dl_error_set(err, DL_E_DENIED, "the claim is refused: %s", because);
}

static int answer(struct dl_tx *tx, const struct dl_agent *agent, const struct claim *claim,
		  json_t **ret_view, struct dl_error *err)
{
	struct dl_order_row order;
	int r = dl_order_load(tx, claim->plan_id, &order, err);
	if (r < 0)
		return r;
	if (order.agent != agent->id)
		return dl_error_set(err, DL_E_NOT_FOUND, "no such order");
	if (agent->forked)
		return refuse(tx, claim, "this agent's records contradict each other "
					 "(a cloned or reverted machine)", err);
	if (agent->unconfirmed)
		return refuse(tx, claim, "another agent enrolled as this machine before, and no "
					 "administrator has said which is the host", err);
	if (strcmp(order.sha256, claim->order_sha256) != 0)
		return refuse(tx, claim, "the host holds another order under this plan id", err);
	r = find_ticket(tx, claim, ret_view, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return make_ticket(tx, claim, &order, ret_view, err);
}

static int claim_order(struct dl_tx *tx, const json_t *args, json_t **ret_view,
		       struct dl_error *err)
{
	struct dl_agent agent __attribute__((cleanup(dl_agent_clear))) = { 0 };
	struct claim claim __attribute__((cleanup(claim_clear))) = { 0 };
	int r = dl_agent_load_actor(tx, &agent, err);
	if (r == 0)
		r = read_claim(args, &agent, &claim, err);
	return r < 0 ? r : answer(tx, &agent, &claim, ret_view, err);
}

/* Said as often as an agent's intake lets it: the event stays for ever. */
static int claim_refused(struct dl_tx *tx, const json_t *args, json_t **ret_view,
			 struct dl_error *err)
{
	(void)ret_view;
	struct dl_agent agent __attribute__((cleanup(dl_agent_clear))) = { 0 };
	struct dl_order_row order;
	int r = dl_order_load(tx, json_string_value(json_object_get(args, "plan_id")), &order, err);
	if (r == 0)
		r = dl_agent_load_actor(tx, &agent, err);
	if (r < 0 || dl_intake_spent(tx, &agent))
		return r;
	r = dl_intake_add(tx, &agent, DL_INTAKE_EVENT_BYTES, err);
	if (r < 0)
		return r;
	return dl_audit_order(tx, "order.claim_refused", &order,
			      json_pack("{s:O}", "because", json_object_get(args, "because")), err);
}

static const struct dl_case case_claim = { "claim", .writes = true, .run = claim_order };
static const struct dl_case case_claim_refused = { "claim refused", .writes = true,
						   .run = claim_refused };

void dl_store_claim(struct dl_store *store, const struct dl_actor *actor, const json_t *envelope,
		    dl_store_done done, void *arg)
{
	dl_store_call(store, &case_claim, actor, json_deep_copy(envelope), done, arg);
}
