/* Quarantine: takes a named object off the host without losing it, and gives
 * it back exactly.
 *
 * Invariants: at every instant, crash or not, an object is whole at its place
 * or whole in quarantine (I3); undo gives back bytes, type, mode, owner, time,
 * xattrs, ACL, flags, link target (I4). The order of the acts is that of
 * docs/removal.md; each intent is in the journal, synced, before the act.
 *
 * Objects lie under a random id in the `quarantine` folder (0700) of the
 * agent's state folder.
 */
#ifndef DL_AGENT_QUARANTINE_QUARANTINE_H
#define DL_AGENT_QUARANTINE_QUARANTINE_H

#include "agent/journal/journal.h"
#include "agent/platform/change.h"

struct dl_quarantine;

/* Both are borrowed and outlive the quarantine. */
int dl_quarantine_open(int state_folder, struct dl_journal *journal,
		       struct dl_quarantine **ret_quarantine, struct dl_error *err);
void dl_quarantine_free(struct dl_quarantine *quarantine);
DL_DEFINE_AUTO(dl_quarantine, dl_quarantine_free)

/* For whom an act is done: journalled with it. */
struct dl_errand {
	const char *plan_id;
	int64_t step;
};

/* What came of it. Texts are owned. */
struct dl_outcome {
	enum dl_reason reason;  /* why it failed, or partial_hardlinks of a success */
	char id[DL_ID_TEXT_SIZE]; /* in quarantine; "" if nothing was taken */
	char *sha256;           /* of what was taken; NULL for links and folders */
	int64_t size;
	char *others;           /* other names of a hard-linked file, for people */
	bool partial;           /* other names remain, or a writer has it open */
	bool cleared_locks;     /* +i or +a were taken off */
};
void dl_outcome_clear(struct dl_outcome *outcome);
#define dl_autooutcome __attribute__((cleanup(dl_outcome_clear))) struct dl_outcome

/* Whether what stands at the object's path is what was approved: DL_E_STALE
 * with the difference in words; DL_E_NOT_FOUND: nothing is there. Reads only.
 * `ret_held` may be NULL. */
int dl_quarantine_check(const struct dl_object *approved, struct dl_held **ret_held,
			struct dl_error *err);

/* Takes the approved object. DL_E_NOT_FOUND, DL_E_STALE: nothing was done.
 * Any other failure: the object is at its place, or the words say where. */
int dl_quarantine_take(struct dl_quarantine *quarantine, const struct dl_errand *errand,
		       const struct dl_object *approved, struct dl_outcome *ret_outcome,
		       struct dl_error *err);

/* Replaces the content of `path` (decided on `held`'s content) and keeps the
 * old object in quarantine. cron notices a table only when the whole second
 * of its and its folder's time differs from before: waits for that. */
int dl_quarantine_replace(struct dl_quarantine *quarantine, const struct dl_errand *errand,
			  const char *path, const struct dl_held *held, const void *data,
			  size_t size, const json_t *note, struct dl_outcome *ret_outcome,
			  struct dl_error *err);

/* Undoes one done move. DL_E_EXISTS: the name is occupied; DL_E_STALE: the
 * replaced file was changed since; DL_E_STATE: not done, or already undone. */
int dl_quarantine_restore(struct dl_quarantine *quarantine, struct dl_move *move,
			  struct dl_error *err);

/* Brings every half-done move to an end state: forward when the object is
 * whole in quarantine, else back. Call once at start, before anything else. */
int dl_quarantine_recover(struct dl_quarantine *quarantine, struct dl_error *err);

#endif
