/* Batch: takes or restores that share their syncs. A disk takes as long to
 * sync one name as a hundred, and most of a removal's time is syncing.
 *
 * The order of removal holds for each object; the batch only moves the syncs
 * together. Its phases, which the caller walks through, are:
 *
 *   take, restore    reads only: open, compare, ask the guard
 *   find_holders     reads only: who has them open, one walk of /proc
 *   intend           in a group of the journal, with the caller's own words:
 *                    every intent is on the disk before anything is done
 *   act              each object by itself, as if it were alone; then the
 *                    quarantine and each folder are synced once and every
 *                    name is looked at again
 *   conclude         in a second group: what came of each
 *
 * Killed at any point, every object is whole at its place or in quarantine
 * and its intent says where to look (dl_quarantine_recover). An object whose
 * act fails does not keep the others from theirs; a folder that cannot be
 * synced fails every object of it, for good.
 */
#ifndef DL_AGENT_QUARANTINE_BATCH_H
#define DL_AGENT_QUARANTINE_BATCH_H

#include "agent/quarantine/quarantine.h"

/* Bounds open handles (two an object) and what a power cut leaves to recovery. */
enum { DL_BATCH_MAX = DL_HOLDERS_OBJECTS_MAX };

struct dl_batch;

/* `quarantine` is borrowed. */
struct dl_batch *dl_batch_new(struct dl_quarantine *quarantine);
/* What was not concluded stays as the journal has it, for recovery. */
void dl_batch_free(struct dl_batch *batch);
DL_DEFINE_AUTO(dl_batch, dl_batch_free)
bool dl_batch_is_empty(const struct dl_batch *batch);

/* Adds one object; *ret_item numbers it in this batch. DL_E_NOT_FOUND,
 * DL_E_STALE, DL_E_DENIED by the guard with *ret_reason: it was not added.
 * DL_E_LIMIT: the batch is full. */
int dl_batch_take(struct dl_batch *batch, const struct dl_errand *errand,
		  const struct dl_object *approved, size_t *ret_item, enum dl_reason *ret_reason,
		  struct dl_error *err);
/* The same for undoing a done move, which is copied. DL_E_STATE: it is not done. */
int dl_batch_restore(struct dl_batch *batch, const struct dl_move *move, size_t *ret_item,
		     struct dl_error *err);

void dl_batch_find_holders(struct dl_batch *batch);
int dl_batch_intend(struct dl_batch *batch, struct dl_error *err);
void dl_batch_act(struct dl_batch *batch);
int dl_batch_conclude(struct dl_batch *batch, struct dl_error *err);

/* After dl_batch_act: 0, or how this one failed, as dl_quarantine_take and
 * dl_quarantine_restore say it. */
int dl_batch_result(const struct dl_batch *batch, size_t item, struct dl_outcome *ret_outcome,
		    struct dl_error *err);
/* The item's move as it stands; borrowed until the batch is freed. */
const struct dl_move *dl_batch_move(const struct dl_batch *batch, size_t item);

#endif
