#include "agent/executor/admission.h"

#include "agent/executor/trust.h"
#include "core/base/time.h"

#include <inttypes.h>
#include <string.h>

/* A claim that was signed since this start and has no ticket yet. */
struct claim {
	char plan_id[DL_ID_TEXT_SIZE];
	char nonce[DL_ID_TEXT_SIZE];
	char order_sha256[DL_SHA256_TEXT_SIZE];
	int64_t made; /* monotonic */
	json_t *envelope; /* NULL: the place is free */
};

struct dl_admission {
	const struct dl_identity *identity;
	struct dl_journal *journal;
	struct claim claims[DL_ADMISSION_PLANS_MAX];
};

struct dl_admission *dl_admission_new(const struct dl_identity *identity,
				      struct dl_journal *journal)
{
	struct dl_admission *admission = DL_NEW(struct dl_admission);
	admission->identity = identity;
	admission->journal = journal;
	return admission;
}

static void claim_clear(struct claim *claim)
{
	json_decref(claim->envelope);
	*claim = (struct claim){ 0 };
}

void dl_admission_free(struct dl_admission *admission)
{
	if (!admission)
		return;
	for (size_t i = 0; i < DL_ADMISSION_PLANS_MAX; i++)
		claim_clear(&admission->claims[i]);
	free(admission);
}

void dl_refusal_clear(struct dl_refusal *refusal)
{
	dl_order_free(refusal->order);
	*refusal = (struct dl_refusal){ 0 };
}

void dl_permit_clear(struct dl_permit *permit)
{
	dl_order_free(permit->order);
	*permit = (struct dl_permit){ 0 };
}

static int refuse(struct dl_refusal *refusal, enum dl_reason reason, int code)
{
	refusal->reason = reason;
	return code;
}

static struct claim *find_claim(struct dl_admission *admission, const char *plan_id)
{
	for (size_t i = 0; i < DL_ADMISSION_PLANS_MAX; i++) {
		struct claim *claim = &admission->claims[i];
		if (claim->envelope && strcmp(claim->plan_id, plan_id) == 0)
			return claim;
	}
	return NULL;
}

static struct claim *free_place(struct dl_admission *admission)
{
	for (size_t i = 0; i < DL_ADMISSION_PLANS_MAX; i++)
		if (!admission->claims[i].envelope)
			return &admission->claims[i];
	return NULL;
}

static int sign_claim(const struct dl_identity *identity, struct claim *claim,
		      struct dl_error *err)
{
	dl_autojson *body = json_pack("{s:i, s:I, s:s, s:s, s:s}", "version", 1, "agent_id",
				      (json_int_t)identity->agent, "plan_id", claim->plan_id,
				      "order_sha256", claim->order_sha256, "nonce", claim->nonce);
	dl_autofree char *text = dl_json_text(body);
	return dl_envelope_sign(identity->key, DL_TYPE_CLAIM, text, &claim->envelope, err);
}

/* The nonce is in the journal before anybody can see the claim. */
static int make_claim(struct dl_admission *admission, const char *plan_id, const char *order_body,
		      json_t **ret_claim, struct dl_error *err)
{
	struct claim *claim = find_claim(admission, plan_id);
	if (claim)
		claim_clear(claim);
	else if (!(claim = free_place(admission)))
		return dl_error_set(err, DL_E_LIMIT, "%d orders wait already",
				    DL_ADMISSION_PLANS_MAX);
	memcpy(claim->plan_id, plan_id, DL_ID_TEXT_SIZE);
	dl_random_id(claim->nonce);
	dl_sha256_text(order_body, strlen(order_body), claim->order_sha256);
	claim->made = dl_time_monotonic_ms();
	int r = dl_journal_plan_nonce(admission->journal, plan_id, claim->nonce, err);
	if (r >= 0)
		r = sign_claim(admission->identity, claim, err);
	if (r < 0) {
		claim_clear(claim);
		return r;
	}
	if (ret_claim)
		*ret_claim = json_incref(claim->envelope);
	return 0;
}

static int check_target(const struct dl_identity *identity, const struct dl_order *order,
			struct dl_error *err)
{
	if (order->organization != identity->organization)
		return dl_error_set(err, DL_E_DENIED, "the order is for another organization");
	if (order->agent != identity->agent)
		return dl_error_set(err, DL_E_DENIED,
				    "the order is for agent %" PRId64 ", this is agent %" PRId64,
				    order->agent, identity->agent);
	if (strcmp(order->agent_key_id, identity->key_id) != 0)
		return dl_error_set(err, DL_E_DENIED, "the order names another key of this agent");
	return 0;
}

/* Known before anything else is judged, so that a replay is always called one. */
static int remember(struct dl_admission *admission, const char *plan_id, const json_t *key,
		    const json_t *order, int64_t now, struct dl_error *err)
{
	dl_autofree char *order_text = dl_json_text(order), *key_text = dl_json_text(key);
	int r = dl_journal_plan_add(admission->journal, plan_id, order_text, key_text, now, err);
	if (r == DL_E_EXISTS)
		return dl_error_set(err, r, "this host has seen the plan %s before", plan_id);
	return r;
}

static int open_order(struct dl_admission *admission, const json_t *key, const json_t *envelope,
		      int64_t now, const char **ret_body, struct dl_order **ret_order,
		      struct dl_refusal *refusal, struct dl_error *err)
{
	int r = dl_trust_open(admission->identity, key, envelope, DL_TYPE_ORDER,
			      DL_ORDER_MAX_BYTES, now, ret_body, err);
	if (r < 0)
		return refuse(refusal, DL_REASON_BAD_SIGNATURE, r);
	r = dl_order_from_body(*ret_body, ret_order, err);
	return r < 0 ? refuse(refusal, DL_REASON_UNSUPPORTED, r) : 0;
}

int dl_admission_order(struct dl_admission *admission, const json_t *key, const json_t *envelope,
		       json_t **ret_claim, struct dl_refusal *ret_refusal, struct dl_error *err)
{
	int64_t now;
	const char *body;
	dl_auto(dl_order) order = NULL;
	int r = dl_trust_now(admission->journal, &now, err);
	if (r < 0)
		return refuse(ret_refusal, DL_REASON_IO_ERROR, r);
	r = open_order(admission, key, envelope, now, &body, &order, ret_refusal, err);
	if (r < 0)
		return r;
	if (!free_place(admission))
		return refuse(ret_refusal, DL_REASON_NEEDS_ATTENTION,
			      dl_error_set(err, DL_E_LIMIT, "%d orders wait already",
					   DL_ADMISSION_PLANS_MAX));
	r = remember(admission, order->plan_id, key, envelope, now, err);
	if (r < 0)
		return refuse(ret_refusal, r == DL_E_EXISTS ? DL_REASON_PRECONDITION
							    : DL_REASON_IO_ERROR, r);
	r = check_target(admission->identity, order, err);
	if (r < 0) {
		ret_refusal->order = DL_TAKE(order);
		return refuse(ret_refusal, DL_REASON_WRONG_TARGET, r);
	}
	r = make_claim(admission, order->plan_id, body, ret_claim, err);
	return r < 0 ? refuse(ret_refusal, DL_REASON_IO_ERROR, r) : 0;
}

static int parse_envelope(const char *text, json_t **ret, struct dl_error *err)
{
	size_t size = strlen(text);
	return dl_json_parse(text, size, size, ret, err);
}

/* The journal's bytes are verified like the wire's: the folder is root's, but a
 * signature costs nothing to ask for again. */
static int recall(struct dl_admission *admission, const char *plan_id,
		  struct dl_journal_plan *ret_plan, json_t **ret_envelope, const char **ret_body,
		  struct dl_order **ret_order, struct dl_error *err)
{
	dl_autojson *key = NULL;
	int r = dl_journal_plan(admission->journal, plan_id, ret_plan, err);
	if (r >= 0)
		r = parse_envelope(ret_plan->key, &key, err);
	if (r >= 0)
		r = parse_envelope(ret_plan->order, ret_envelope, err);
	if (r >= 0)
		r = dl_trust_open(admission->identity, key, *ret_envelope, DL_TYPE_ORDER,
				  DL_ORDER_MAX_BYTES, ret_plan->received, ret_body, err);
	if (r >= 0)
		r = dl_order_from_body(*ret_body, ret_order, err);
	return r < 0 ? dl_error_prefix(err, r, "the kept order %s", plan_id) : 0;
}

int dl_admission_recall(struct dl_admission *admission, const char *plan_id,
			struct dl_order **ret_order, struct dl_error *err)
{
	dl_autoplan plan = { 0 };
	dl_autojson *envelope = NULL;
	const char *body;
	return recall(admission, plan_id, &plan, &envelope, &body, ret_order, err);
}

int dl_admission_ask(struct dl_admission *admission, const char *plan_id, struct dl_error *err)
{
	dl_autoplan plan = { 0 };
	dl_autojson *envelope = NULL;
	dl_auto(dl_order) order = NULL;
	const char *body;
	int r = recall(admission, plan_id, &plan, &envelope, &body, &order, err);
	if (r < 0)
		return r;
	return make_claim(admission, plan_id, body, NULL, err);
}

static int open_ticket(struct dl_admission *admission, const json_t *key, const json_t *envelope,
		       struct dl_ticket *ret, struct dl_refusal *refusal, struct dl_error *err)
{
	int64_t now;
	const char *body;
	int r = dl_trust_now(admission->journal, &now, err);
	if (r < 0)
		return refuse(refusal, DL_REASON_IO_ERROR, r);
	r = dl_trust_open(admission->identity, key, envelope, DL_TYPE_TICKET, DL_TICKET_MAX_BYTES,
			  now, &body, err);
	if (r >= 0)
		r = dl_ticket_from_body(body, ret, err);
	return r < 0 ? refuse(refusal, DL_REASON_BAD_SIGNATURE, r) : 0;
}

static int match_ticket(const struct claim *claim, const struct dl_ticket *ticket,
			struct dl_error *err)
{
	if (!claim || strcmp(claim->nonce, ticket->nonce) != 0)
		return dl_error_set(err, DL_E_DENIED,
				    "the ticket answers no claim made since this agent started");
	if (strcmp(claim->order_sha256, ticket->order_sha256) != 0)
		return dl_error_set(err, DL_E_DENIED, "the ticket is for other bytes of the order");
	if (dl_time_monotonic_ms() - claim->made > ticket->start_within_ms)
		return dl_error_set(err, DL_E_TIMEOUT, "the ticket came too late to start");
	return 0;
}

/* RECEIVED becomes CLAIMED; a plan that a crash interrupted is CLAIMED already. */
static int journal_go(struct dl_journal *journal, const char *plan_id, struct dl_error *err)
{
	dl_autoplan plan = { 0 };
	int r = dl_journal_plan(journal, plan_id, &plan, err);
	if (r < 0 || plan.state == DL_JOURNAL_CLAIMED)
		return r;
	return dl_journal_plan_move(journal, plan_id, DL_JOURNAL_RECEIVED, DL_JOURNAL_CLAIMED, err);
}

int dl_admission_ticket(struct dl_admission *admission, const json_t *key, const json_t *envelope,
			struct dl_permit *ret_permit, struct dl_refusal *ret_refusal,
			struct dl_error *err)
{
	struct dl_ticket ticket;
	dl_auto(dl_order) order = NULL;
	int r = open_ticket(admission, key, envelope, &ticket, ret_refusal, err);
	if (r < 0)
		return r;
	struct claim *claim = find_claim(admission, ticket.plan_id);
	r = match_ticket(claim, &ticket, err);
	if (r == DL_E_TIMEOUT) /* honest but slow: the next claim has a fresh nonce */
		dl_admission_ask(admission, ticket.plan_id, NULL);
	if (r < 0)
		return refuse(ret_refusal, DL_REASON_WRONG_TARGET, r);
	r = dl_admission_recall(admission, ticket.plan_id, &order, err);
	if (r >= 0)
		r = dl_trust_saw(admission->journal, ticket.server_time, err);
	if (r >= 0 && ticket.verdict == DL_VERDICT_GO)
		r = journal_go(admission->journal, ticket.plan_id, err);
	if (r < 0)
		return refuse(ret_refusal, DL_REASON_IO_ERROR, r);
	claim_clear(claim);
	ret_permit->verdict = ticket.verdict;
	ret_permit->order = DL_TAKE(order);
	return 0;
}

json_t *dl_admission_claims(const struct dl_admission *admission)
{
	json_t *claims = json_array();
	for (size_t i = 0; i < DL_ADMISSION_PLANS_MAX; i++)
		if (admission->claims[i].envelope)
			json_array_append(claims, admission->claims[i].envelope);
	return claims;
}
