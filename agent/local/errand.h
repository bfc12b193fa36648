/* Errand: one local act as the journal keeps it; private to agent/local.
 *
 *   {"local":1,"act","of":plan id or "","by":{"uid","login"},"time",
 *    "document":{…} (apply),"chosen":[ids],"items":[quarantine ids]}
 */
#ifndef DL_AGENT_LOCAL_ERRAND_H
#define DL_AGENT_LOCAL_ERRAND_H

#include "agent/local/act.h"
#include "core/wire/order.h"

/* A plan of this host, whoever approved it. */
struct known {
	struct dl_order *order; /* owned; only ids, plan, choice and undo_of are set for local ones */
	json_t *errand;         /* owned; NULL: the server's */
	enum dl_journal_plan_state state;
	int64_t received;
};
void known_clear(struct known *known);
#define dl_autoknown __attribute__((cleanup(known_clear))) struct known

/* DL_E_NOT_FOUND: the host never saw it. DL_E_UNSUPPORTED: an act on quarantine, without steps. */
int known_load(struct dl_journal *journal, const char *plan_id, struct known *ret_known,
	       struct dl_error *err);

/* An order for the plan, which is taken over; `chosen` gets a copy. */
struct dl_order *order_of(const char *plan_id, struct dl_plan *plan, const bool *chosen);

/* Journals the errand under a plan id, ready to be carried out (CLAIMED). */
int errand_begin(const struct dl_local *local, const char *plan_id, const json_t *errand,
		 struct dl_error *err);
/* The end: the record for the server, if there is one, and FINISHED at once. */
int errand_end(const struct dl_local *local, const char *plan_id, const json_t *content,
	       struct dl_error *err);

/* {"uid","login"} of an ask; borrowed. */
int errand_by(const json_t *ask, json_t **ret_by, struct dl_error *err);
/* Content of the record "local"; takes the three arrays. */
json_t *errand_content(const char *plan_id, const json_t *errand, json_t *steps, json_t *runs,
		       json_t *items);
/* Remedies for an order of root's own. */
int errand_carry_out(const struct dl_local *local, const struct dl_order *order,
		     enum dl_remedy_scope scope, json_t **ret_result, struct dl_error *err);
/* errand_end for what was carried out. */
int errand_end_plan(const struct dl_local *local, const struct dl_order *order,
		    const json_t *errand, const json_t *result, struct dl_error *err);

/* ---- acts on the quarantine, shelf.c ---- */
int act_items(const struct dl_local *local, const json_t *ask, json_t **ret_answer,
	      struct dl_error *err);
int act_item(const struct dl_local *local, const json_t *ask, json_t **ret_answer,
	     struct dl_error *err);
int act_restore(const struct dl_local *local, const json_t *ask, json_t **ret_answer,
		struct dl_error *err);
int act_purge(const struct dl_local *local, const json_t *ask, json_t **ret_answer,
	      struct dl_error *err);

#endif
