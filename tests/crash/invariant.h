/* Invariants: what must hold of a trial at an instant, after a recovery and in
 * the end. Each answers NULL, or words for what is broken, owned by the caller,
 * that begin with the invariant's number. They read only: the journal is
 * looked at in a copy, so that looking does not mend it. */
#ifndef DL_TESTS_CRASH_INVARIANT_H
#define DL_TESTS_CRASH_INVARIANT_H

#include "trial.h"

/* At any instant, also right after a kill. Every object is whole at its place
 * or whole elsewhere where the agent keeps things (I3); what is not at its
 * place is in the journal (I1); no run claims what is not so (I5). */
char *invariant_at_an_instant(const struct trial *trial);

/* After a recovery that was not disturbed: no move is half done (I6), every
 * object exists once (I2), nothing of the agent's own lies about. */
char *invariant_when_settled(const struct trial *trial);

/* The last answer says that every step ended so, and it is true (I5): all
 * removed and kept, or the host exactly as before (I4). Nothing else on the host changed. */
char *invariant_when_removed(const struct trial *trial);
char *invariant_when_restored(const struct trial *trial);
/* The host is exactly as before, whatever the runs say. */
char *invariant_when_untouched(const struct trial *trial);

/* Whether any object of this step is kept in quarantine by a done move. */
bool invariant_step_is_kept(const struct trial *trial, size_t step);

#endif
