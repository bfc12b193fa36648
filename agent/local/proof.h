/* Proof: whether what a plan names is gone, by a fresh look at the host; a
 * call that returned 0 proves nothing (I5). Reads only. */
#ifndef DL_AGENT_LOCAL_PROOF_H
#define DL_AGENT_LOCAL_PROOF_H

#include "core/plan/plan.h"

enum dl_proof_state {
	DL_PROOF_GONE,
	DL_PROOF_THERE,
	DL_PROOF_OTHER,       /* something else stands in its place */
	DL_PROOF_NOT_CHECKED, /* the survey does not cover it, or cannot be trusted */
	DL_PROOF_COUNT
};
const char *dl_proof_state_name(enum dl_proof_state state); /* gone, there, other, not_checked */

/* `words` is owned: why, where it is not gone. */
struct dl_proof {
	enum dl_proof_state state;
	char *words;
};
void dl_proof_clear(struct dl_proof *proof);

/* `survey` was made with `all`. */
void dl_proof_of(const struct dl_survey *survey, const struct dl_step *step,
		 struct dl_proof *ret_proof);

#endif
