#include "core/plan/plan.h"

#include <string.h>

struct dl_plan *dl_plan_new(void)
{
	return DL_NEW(struct dl_plan);
}

void dl_plan_free(struct dl_plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->step_count; i++)
		dl_step_clear(&plan->steps[i]);
	free(plan->steps);
	free(plan);
}

size_t dl_plan_assisted_count(const struct dl_plan *plan)
{
	size_t count = 0;
	for (size_t i = 0; i < plan->step_count; i++)
		count += plan->steps[i].verb != DL_VERB_MANUAL;
	return count;
}

int dl_plan_close_choice(const struct dl_plan *plan, bool *chosen, struct dl_error *err)
{
	/* Requirements are earlier steps, so one pass from the end finds them all. */
	for (size_t i = plan->step_count; i-- > 0;) {
		const struct dl_step *step = &plan->steps[i];
		if (!chosen[i])
			continue;
		if (step->verb == DL_VERB_MANUAL)
			return dl_error_set(err, DL_E_INVALID,
					    "step %d is manual and cannot be chosen", (int)step->id);
		for (size_t k = 0; k < step->require_count; k++) {
			if (step->requires[k] < 1 || step->requires[k] > (int64_t)i)
				return dl_error_set(err, DL_E_INVALID,
						    "step %d requires a step that is not earlier",
						    (int)step->id);
			chosen[step->requires[k] - 1] = true;
		}
	}
	return 0;
}

json_t *dl_plan_to_json(const struct dl_plan *plan)
{
	json_t *steps = json_array();
	for (size_t i = 0; i < plan->step_count; i++)
		json_array_append_new(steps, dl_step_to_json(&plan->steps[i]));
	return steps;
}

static int check_place(const struct dl_plan *plan, size_t index, struct dl_error *err)
{
	const struct dl_step *step = &plan->steps[index];
	if (step->id != (int64_t)index + 1)
		return dl_error_set(err, DL_E_INVALID, "step ids are not 1, 2, …");
	for (size_t i = 0; i < step->require_count; i++)
		if (plan->steps[step->requires[i] - 1].verb == DL_VERB_MANUAL)
			return dl_error_set(err, DL_E_INVALID, "step %zu requires a manual step",
					    index + 1);
	return 0;
}

int dl_plan_from_json(const json_t *steps, struct dl_plan **ret, struct dl_error *err)
{
	if (!json_is_array(steps))
		return dl_error_set(err, DL_E_INVALID, "the steps are not a list");
	if (json_array_size(steps) > DL_PLAN_STEPS_MAX)
		return dl_error_set(err, DL_E_LIMIT, "more than %d steps", DL_PLAN_STEPS_MAX);
	dl_auto(dl_plan) plan = dl_plan_new();
	plan->steps = dl_alloc(json_array_size(steps), sizeof(plan->steps[0]));
	size_t i;
	json_t *entry;
	json_array_foreach(steps, i, entry) {
		int r = dl_step_from_json(entry, &plan->steps[i], err);
		if (r < 0)
			return r;
		plan->step_count++;
		r = check_place(plan, i, err);
		if (r < 0)
			return r;
	}
	*ret = DL_TAKE(plan);
	return 0;
}
