/* Plan: footholds → ordered steps, or "manual because".
 *
 * The survey reports facts; these rules propose; the executor recomputes them
 * on fresh facts and may only refuse; people may only downgrade an assisted
 * step to manual. Order: trigger before payload (timers, then services, then
 * cron lines, then payload files, then what is manual). A payload shared by
 * several chosen triggers is one step that requires all of them; a payload
 * run by a foothold that was *not* chosen is left out of the plan.
 */
#ifndef DL_CORE_PLAN_PLAN_H
#define DL_CORE_PLAN_PLAN_H

#include "core/plan/step.h"
#include "core/plan/survey.h"

struct dl_plan {
	struct dl_step *steps;
	size_t step_count;
};

struct dl_plan *dl_plan_new(void);
void dl_plan_free(struct dl_plan *plan);
DL_DEFINE_AUTO(dl_plan, dl_plan_free)

/* What a person changed about the proposal. Objects are borrowed. */
struct dl_plan_edit {
	const char *const *keys;       /* chosen footholds */
	size_t key_count;
	const char *const *leave_payloads; /* payload paths the person leaves alone */
	size_t leave_count;
	const json_t *downgrade; /* [{"key"|"path", "instructions"}] or NULL */
	const json_t *manual;    /* [{"title","instructions"}] or NULL */
	const json_t *requires;  /* [{"step": key or path, "requires": key or path}], extra edges
				    to a step that comes earlier, or NULL */
};

/* Proposes the plan for chosen footholds of a survey. DL_E_NOT_FOUND: a key
 * is not in the survey; DL_E_LIMIT: too many steps; DL_E_INVALID: an edit
 * names a step that is not there or breaks the order. */
int dl_plan_propose(const struct dl_survey *survey, const struct dl_plan_edit *edit,
		    struct dl_plan **ret_plan, struct dl_error *err);

/* Whether this foothold's trigger may be removed by a step, by the rules
 * above: DL_REASON_NONE, or why not with the words in *ret_detail (owned). */
enum dl_reason dl_plan_judge(const struct dl_foothold *foothold, char **ret_detail);
enum dl_reason dl_plan_judge_object(const struct dl_object *object, char **ret_detail);

size_t dl_plan_assisted_count(const struct dl_plan *plan);

/* Adds what the chosen steps require; refuses unknown and manual ids.
 * `chosen[i]` belongs to steps[i]. */
int dl_plan_close_choice(const struct dl_plan *plan, bool *chosen, struct dl_error *err);

json_t *dl_plan_to_json(const struct dl_plan *plan); /* array of steps */
int dl_plan_from_json(const json_t *steps, struct dl_plan **ret, struct dl_error *err);

#endif
