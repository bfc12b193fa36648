/* Fault: what the kinds of trouble share: their count, and what must be true
 * after each. */
#ifndef DL_TESTS_FAULT_FAULT_H
#define DL_TESTS_FAULT_FAULT_H

#include "tests/crash/trial.h"

/* Shared by all workers. */
struct totals {
	long points, violations;
	long litter; /* empty folders of the agent's own that a disk would not let go */
};

struct fault {
	struct totals *totals;
	struct trial trial;
	const char *only; /* a story's name, or NULL */
	bool whole;       /* the long form */
	int worker, workers;
	long turn; /* points considered by this worker; each does every nth */
};

/* Whether the next point is this worker's; counts it if so. */
bool fault_is_mine(struct fault *fault);
bool fault_is_wanted(const struct fault *fault, const struct story *story);
/* Prints and counts; `broken` NULL is no violation. */
void fault_judge(struct fault *fault, const char *where, const char *broken);

/* One undisturbed start; words (owned) if it failed. */
char *fault_start_well(struct fault *fault, enum act act);

/* Right after the trouble: nothing is lost, nothing untrue is said, and what
 * did not work has words that say what happened (I3, I5). */
char *fault_check_answer(const struct trial *trial, enum tracer_end end);
/* Later, without trouble: recovery, the same order again, and an undo of what
 * was removed leave the host exactly as it was (I4, I6). */
char *fault_check_later(struct fault *fault, enum act act);

/* The kinds of trouble; each tries all its points on all stories. */
void fault_inject(struct fault *fault);
void fault_fill_disk(struct fault *fault);
void fault_cut_power(struct fault *fault);

#endif
