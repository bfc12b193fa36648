/* Accepted steps are written and read back unchanged, and closing any choice
 * of assisted steps neither fails nor reaches a manual one. */
#include "fuzz.h"

#include "core/plan/plan.h"

enum { LIMIT = 256 * 1024 };

static void choice_closes(const struct dl_plan *plan)
{
	bool chosen[DL_PLAN_STEPS_MAX] = { false };
	for (size_t i = 0; i < plan->step_count; i++)
		chosen[i] = plan->steps[i].verb != DL_VERB_MANUAL && i % 2;
	must(dl_plan_close_choice(plan, chosen, NULL) == 0);
	for (size_t i = 0; i < plan->step_count; i++)
		must(!chosen[i] || plan->steps[i].verb != DL_VERB_MANUAL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	dl_autojson *json = NULL;
	dl_auto(dl_plan) plan = NULL;
	dl_auto(dl_plan) again = NULL;
	if (dl_json_parse((const char *)data, size, LIMIT, &json, NULL) < 0 ||
	    dl_plan_from_json(json, &plan, NULL) < 0)
		return 0;
	dl_autojson *written = dl_plan_to_json(plan);
	must(dl_plan_from_json(written, &again, NULL) == 0);
	dl_autojson *rewritten = dl_plan_to_json(again);
	must(json_equal(written, rewritten));
	choice_closes(plan);
	return 0;
}
