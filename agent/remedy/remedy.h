/* Remedy: carries out the chosen steps of an order, proves what came of each,
 * and puts them back.
 *
 * Best effort: a step that fails stops only the steps that require it, which
 * become `skipped`. Unit steps are one batch: files first (timers, then
 * services), one reload, then each unit is stopped and asked for. Cron lines
 * and payload files follow. No process is killed, nothing is run, nothing is
 * left for the next boot.
 *
 * Everything is journalled before it is done; calling dl_remedy_apply or
 * dl_remedy_undo again for the same plan goes on where it was left (I2): runs
 * that are terminal are returned as they are.
 */
#ifndef DL_AGENT_REMEDY_REMEDY_H
#define DL_AGENT_REMEDY_REMEDY_H

#include "agent/journal/journal.h"
#include "core/wire/order.h"

struct dl_remedy;

/* `state_folder` and `journal` are borrowed and outlive the remedy. */
int dl_remedy_open(int state_folder, struct dl_journal *journal, struct dl_remedy **ret_remedy,
		   struct dl_error *err);
void dl_remedy_free(struct dl_remedy *remedy);
DL_DEFINE_AUTO(dl_remedy, dl_remedy_free)

/* After a start, before anything else: every half-done move reaches an end
 * state. Runs stay `running`; dl_remedy_apply with DL_REMEDY_STARTED_ONLY ends them. */
int dl_remedy_recover(struct dl_remedy *remedy, struct dl_error *err);

enum dl_remedy_scope {
	DL_REMEDY_ALL,
	/* Only steps whose run is already `running`: what a crash interrupted is
	 * finished under the old ticket, what had not started needs a new one. */
	DL_REMEDY_STARTED_ONLY,
};

/* Runs the chosen steps of a `remove` order whose claim said go.
 * *ret_result is the result content of docs/protocol.md with one run per
 * chosen step (with STARTED_ONLY: those that have one), a new reference. Fails
 * only when nothing can be journalled; what goes wrong with a step is in its run. */
int dl_remedy_apply(struct dl_remedy *remedy, const struct dl_order *order,
		    enum dl_remedy_scope scope, json_t **ret_result, struct dl_error *err);

/* Restores the chosen steps of plan `order->undo_of`, last first: an `undo`
 * order. A run ends `restored`, or `failed` with nothing overwritten. */
int dl_remedy_undo(struct dl_remedy *remedy, const struct dl_order *order,
		   enum dl_remedy_scope scope, json_t **ret_result, struct dl_error *err);

/* The result content of an order that never starts: all chosen runs `refused`. */
json_t *dl_remedy_refusal(const struct dl_order *order, enum dl_reason reason, const char *detail);

/* Read only: what apply would say now. Runs have the state apply would most
 * likely end in (`removed`, `already_gone`, `stale`, `refused`). */
int dl_remedy_check(struct dl_remedy *remedy, const struct dl_plan *plan, const bool *chosen,
		    json_t **ret_result, struct dl_error *err);

#endif
