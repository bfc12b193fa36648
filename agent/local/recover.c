/* What a command or an executor left half done is brought to an end. */
#include "agent/local/errand.h"
#include "core/base/time.h"

#include <string.h>

/* Steps that had not begun; a run that is terminal already stays (DL_E_STATE). */
static int cancel_pending(const struct dl_local *local, const struct dl_order *order,
			  struct dl_error *err)
{
	json_int_t now = dl_time_now_ms();
	for (size_t i = 0; i < order->plan->step_count; i++) {
		dl_autojson *begun = NULL;
		int64_t id = order->plan->steps[i].id;
		if (!order->chosen[i])
			continue;
		int r = dl_journal_run(local->journal, order->plan_id, id, &begun, err);
		if (r == 0)
			continue;
		dl_autojson *run = json_pack(
			"{s:I,s:s,s:s,s:s,s:{s:[],s:b,s:b},s:[],s:[],s:I,s:I}", "step", (json_int_t)id,
			"state", dl_run_state_name(DL_RUN_CANCELLED), "reason", "", "detail",
			"the agent ended before this step began", "flags", "still_running", "partial",
			0, "needs_reboot", 0, "evidence", "quarantine", "started", now, "finished",
			now);
		if (r == DL_E_NOT_FOUND)
			r = dl_journal_run_put(local->journal, order->plan_id, run, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int recover_plan(const struct dl_local *local, const char *plan_id, struct dl_error *err)
{
	dl_autoplan plan = { 0 };
	dl_autoknown known = { 0 };
	dl_autojson *result = NULL;
	int r = dl_journal_plan(local->journal, plan_id, &plan, err);
	if (r < 0 || strcmp(plan.key, DL_LOCAL_KEY) != 0)
		return r;
	if (plan.state == DL_JOURNAL_RECEIVED)
		return dl_journal_plan_move(local->journal, plan_id, DL_JOURNAL_RECEIVED,
					    DL_JOURNAL_REFUSED, err);
	r = known_load(local->journal, plan_id, &known, err);
	if (r == DL_E_UNSUPPORTED) /* each item is whole on one side, and the journal says which */
		return dl_journal_plan_move(local->journal, plan_id, DL_JOURNAL_CLAIMED,
					    DL_JOURNAL_FINISHED, err);
	if (r >= 0)
		r = cancel_pending(local, known.order, err);
	if (r >= 0)
		r = errand_carry_out(local, known.order, DL_REMEDY_STARTED_ONLY, &result, err);
	return r < 0 ? r : errand_end_plan(local, known.order, known.errand, result, err);
}

int dl_local_recover(const struct dl_local *local, struct dl_error *err)
{
	dl_autojson *plans = NULL;
	size_t i;
	json_t *plan_id;
	int r = dl_journal_plans_open(local->journal, &plans, err);
	if (r < 0)
		return r;
	json_array_foreach(plans, i, plan_id) {
		struct dl_error failure = { 0 };
		int failed = recover_plan(local, json_string_value(plan_id), &failure);
		if (failed < 0)
			r = dl_error_set(err, failed, "%s", failure.text);
	}
	return r;
}
