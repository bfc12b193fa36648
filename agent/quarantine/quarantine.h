/* Quarantine: takes a named object off the host without losing it, and gives
 * it back exactly.
 *
 * Invariants: at every instant, crash or not, an object is whole at its place
 * or whole in quarantine (I3); undo gives back bytes, type, mode, owner, time,
 * xattrs, ACL, flags, link target (I4). The order of the acts is that of
 * take.c and restore.c; each intent is in the journal, synced, before the act.
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

/* Asked once about the very object that is about to be changed, after it was
 * found to be the approved one: may it be? 0, or an error with the reason in
 * *ret_reason (never-list, package ownership). `path` is raw bytes. */
typedef int (*dl_quarantine_guard)(void *context, const char *path, const struct dl_held *held,
				   enum dl_reason *ret_reason, struct dl_error *err);

/* For whom an act is done (journalled with it), and who may forbid it. */
struct dl_errand {
	const char *plan_id;
	int64_t step;
	dl_quarantine_guard guard;
	void *context;
};

/* What came of it. More is in the journal: the `about` of a done move has
 * "what" (take or replace), "path", "facts" (type, mode, uid, gid, size,
 * mtime_ns, links, locks, target, sha256, xattrs), and where it applies
 * "holders" [{pid, executable, user, runs}], "others" (further names of a hard
 * link, in words), "writer" (somebody still has it open for writing),
 * "note" (the caller's), "stray" (a wrong object that could not be put back). */
struct dl_outcome {
	enum dl_reason reason;    /* why it failed */
	char id[DL_ID_TEXT_SIZE]; /* in quarantine; "" if nothing was taken */
};

/* Whether what stands at the object's path is what was approved: DL_E_STALE
 * with the difference in words; DL_E_NOT_FOUND: nothing is there. Reads only.
 * `ret_held` may be NULL. */
int dl_quarantine_check(const struct dl_object *approved, struct dl_held **ret_held,
			struct dl_error *err);

/* Takes the approved object. DL_E_NOT_FOUND, DL_E_STALE, DL_E_DENIED by the
 * guard: nothing was done. Any other failure: the object is whole at its place
 * or whole in quarantine, and the words say which. */
int dl_quarantine_take(struct dl_quarantine *quarantine, const struct dl_errand *errand,
		       const struct dl_object *approved, struct dl_outcome *ret_outcome,
		       struct dl_error *err);

/* Takes a folder if it is empty, so that it comes back with mode and owner;
 * 0 and no id in the outcome if it is not empty or not there. `path` is raw. */
int dl_quarantine_take_empty(struct dl_quarantine *quarantine, const struct dl_errand *errand,
			     const char *path, struct dl_outcome *ret_outcome,
			     struct dl_error *err);

/* A file whose content is to be replaced, as it was when the new content was decided. */
struct dl_draft {
	const char *path;           /* raw */
	const struct dl_held *held; /* what stands there now */
	const void *data;
	size_t size;
	const json_t *note; /* kept with the move, for the caller's undo; may be NULL */
};

/* Puts new content in the place of the old object, which goes to quarantine;
 * owner, mode and attributes are the old one's. cron notices a table only when
 * the whole second of its and its folder's time differs from before
 * (cron 3.0pl1, database.c), so this waits for that. DL_E_STALE: the file is
 * not the held one any more. */
int dl_quarantine_replace(struct dl_quarantine *quarantine, const struct dl_errand *errand,
			  const struct dl_draft *draft, struct dl_outcome *ret_outcome,
			  struct dl_error *err);

/* Whether the name of a taken object is free for it: DL_E_EXISTS if not. A
 * folder that is missing is no obstacle here: it may be given back first. */
int dl_quarantine_can_restore(const struct dl_move *move, struct dl_error *err);

/* Undoes one done move. DL_E_EXISTS: the name is occupied; DL_E_STALE: the
 * replaced file was changed since; DL_E_STATE: not done, or already undone. */
int dl_quarantine_restore(struct dl_quarantine *quarantine, struct dl_move *move,
			  struct dl_error *err);

/* Marks a done replacement as undone by another one that the caller made (the
 * file had been changed since); its old object stays in quarantine. */
int dl_quarantine_supersede(struct dl_quarantine *quarantine, struct dl_move *move,
			    struct dl_error *err);

/* Brings every half-done move to an end state: forward when the object is
 * whole in quarantine, else back. Call once at start, before anything else. */
int dl_quarantine_recover(struct dl_quarantine *quarantine, struct dl_error *err);

#endif
