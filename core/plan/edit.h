/* What a person changed about a proposal, read strictly. Private to core/plan. */
#ifndef DL_CORE_PLAN_EDIT_H
#define DL_CORE_PLAN_EDIT_H

#include "core/plan/plan.h"

/* Half of a step's words stays free for the rules' own reason. */
enum { DL_INSTRUCTIONS_MAX_BYTES = DL_STEP_TEXT_MAX_BYTES / 2 };

/* Every list has its closed schema and at most DL_PLAN_STEPS_MAX entries. */
int dl_edit_check(const struct dl_plan_edit *edit, struct dl_error *err);

/* Instructions of the downgrade whose `member` ("key" or "path") has this
 * value; NULL when there is none. Borrowed from the edit, which was checked. */
const char *dl_edit_downgrade(const struct dl_plan_edit *edit, const char *member,
			      const char *value);

/* One entry of `manual` as a step; owned by the caller. */
int dl_edit_written(const json_t *entry, struct dl_step *ret_step, struct dl_error *err);

/* Keeps the ids ascending and without repetition. */
int dl_edit_add_require(struct dl_step *step, int64_t id, struct dl_error *err);

/* On the finished plan: every downgrade names a step, and the extra
 * requirements are added. */
int dl_edit_apply(const struct dl_plan_edit *edit, struct dl_plan *plan, struct dl_error *err);

#endif
