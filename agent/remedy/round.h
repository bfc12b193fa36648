/* Round: steps that are carried out together, so that they share their syncs
 * (agent/quarantine/batch.h); private to agent/remedy.
 *
 * All of a round is journalled twice: that the runs began, with every intent,
 * before anything is done, and what came of each at the end. A crash in
 * between leaves runs that are `running`, which the next start finishes.
 */
#ifndef DL_AGENT_REMEDY_ROUND_H
#define DL_AGENT_REMEDY_ROUND_H

#include "agent/quarantine/batch.h"
#include "agent/remedy/work.h"

/* What a verb whose steps can share a round does about each. */
struct round_verb {
	/* Reads only: puts the step's one change into the batch as run->item and
	 * sets run->in_batch, or ends the run. */
	int (*prepare)(struct work *work, struct run *run, struct dl_batch *batch,
		       struct dl_error *err);
	/* After the batch acted: ends the run. */
	void (*conclude)(struct run *run, const struct dl_batch *batch);
};

struct round {
	bool undo;
	struct run *runs[DL_BATCH_MAX]; /* in the order in which they are acted upon */
	size_t count;
};

/* NULL: the steps of this run's verb are carried out one by one. */
const struct round_verb *round_verb_of(const struct run *run, bool undo);
/* Runs that have ended already (skipped) are only journalled. */
int round_carry_out(struct work *work, const struct round *round, struct dl_error *err);

#endif
