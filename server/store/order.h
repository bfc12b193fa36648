/* Orders as the store keeps them: what the cases of decision, claim, undo and
 * report share. Internal to the store. */
#ifndef DL_SERVER_STORE_ORDER_H
#define DL_SERVER_STORE_ORDER_H

#include "core/wire/order.h"
#include "server/store/tx.h"

struct dl_order_row {
	char plan_id[DL_ID_TEXT_SIZE];
	char sha256[DL_SHA256_TEXT_SIZE];
	char undo_of[DL_ID_TEXT_SIZE]; /* "" unless kind is undo */
	char state[16], kind[8];
	int64_t organization, agent, incident, revision, revision_no, not_after;
};

/* NOT_FOUND: no such plan id. */
int dl_order_load(struct dl_tx *tx, const char *plan_id, struct dl_order_row *ret_row,
		  struct dl_error *err);

struct dl_order_wish {
	enum dl_order_kind kind;
	const char *undo_of;
	int64_t organization, agent, incident, revision, revision_no;
	const char *body;   /* the revision's exact bytes */
	const bool *chosen; /* per step of the plan */
	size_t chosen_count;
};
/* Signs and queues an order approved by the actor, with a pending run for each
 * chosen step, and asks for the agent to be woken. */
int dl_order_create(struct dl_tx *tx, const struct dl_order_wish *wish, struct dl_error *err);

/* Moves the order by compare-and-swap. STATE when it is no longer in row->state
 * or may not go there. */
int dl_order_set_state(struct dl_tx *tx, struct dl_order_row *row, const char *to,
		       struct dl_error *err);

/* Ends an order before it started (cancelled, expired, refused): its runs end
 * the same way, and a revision approved for it asks for a decision again.
 * Writes the audit event. */
int dl_order_end_unstarted(struct dl_tx *tx, struct dl_order_row *row, const char *to,
			   const char *reason, const char *detail, struct dl_error *err);

int dl_audit_order(struct dl_tx *tx, const char *action, const struct dl_order_row *row,
		   json_t *detail, struct dl_error *err);

#endif
