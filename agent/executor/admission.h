/* Admission: which orders this host takes, and when one of them may start.
 *
 *   order  → verified, for us, never seen      → kept (RECEIVED), claim signed
 *   ticket → answers a nonce made since start  → CLAIMED: work may start, or never
 *
 * Everything is decided here from bytes that were verified first; what is
 * refused changes nothing but the journal's memory of the plan id. Delivery is
 * not permission: only a `go` that answers the present claim is.
 */
#ifndef DL_AGENT_EXECUTOR_ADMISSION_H
#define DL_AGENT_EXECUTOR_ADMISSION_H

#include "agent/executor/identity.h"
#include "core/wire/order.h"

/* Orders held at once; past it a new one is refused unjournalled, so that the
 * server may bring it again. */
enum { DL_ADMISSION_PLANS_MAX = 64 };

struct dl_admission;

/* Both are borrowed and must outlive it. */
struct dl_admission *dl_admission_new(const struct dl_identity *identity,
				      struct dl_journal *journal);
void dl_admission_free(struct dl_admission *admission);
DL_DEFINE_AUTO(dl_admission, dl_admission_free)

/* Why something was refused: a reason code for the program, `err` for people.
 * `order` is set (owned) where a refused order was verified and is ours to
 * refuse: its plan must now end as refused, by a result. */
struct dl_refusal {
	enum dl_reason reason;
	struct dl_order *order;
};
void dl_refusal_clear(struct dl_refusal *refusal);
#define dl_autorefusal __attribute__((cleanup(dl_refusal_clear))) struct dl_refusal

/* Takes an order and signs its claim (*ret_claim: a new reference). */
int dl_admission_order(struct dl_admission *admission, const json_t *key, const json_t *order,
		       json_t **ret_claim, struct dl_refusal *ret_refusal, struct dl_error *err);

/* Takes the answer to a claim. With `go` the plan is CLAIMED in the journal
 * when this returns; with the other verdicts the caller ends it. The nonce is
 * used up in either case. */
struct dl_permit {
	enum dl_verdict verdict;
	struct dl_order *order; /* owned; verified again from the journal's bytes */
};
void dl_permit_clear(struct dl_permit *permit);
#define dl_autopermit __attribute__((cleanup(dl_permit_clear))) struct dl_permit
int dl_admission_ticket(struct dl_admission *admission, const json_t *key, const json_t *ticket,
			struct dl_permit *ret_permit, struct dl_refusal *ret_refusal,
			struct dl_error *err);

/* Asks anew for a plan that is in the journal and not over: after a start, or
 * when the work could not be begun. The claim waits in dl_admission_claims. */
int dl_admission_ask(struct dl_admission *admission, const char *plan_id, struct dl_error *err);

/* An order kept in the journal, verified again. The key's time is not looked
 * at: it was when the order came. */
int dl_admission_recall(struct dl_admission *admission, const char *plan_id,
			struct dl_order **ret_order, struct dl_error *err);

/* Claims that wait for their ticket, signed; a new array. */
json_t *dl_admission_claims(const struct dl_admission *admission);

#endif
