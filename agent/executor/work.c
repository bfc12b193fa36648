#include "agent/executor/work.h"

#include "agent/executor/record.h"
#include "agent/local/act.h"
#include "agent/survey/survey.h"
#include "core/base/time.h"

#include <string.h>

static int carry_out(const struct dl_work *work, const struct dl_order *order,
		     enum dl_remedy_scope scope, json_t **ret_result, struct dl_error *err)
{
	return order->kind == DL_ORDER_UNDO
		       ? dl_remedy_undo(work->remedy, order, scope, ret_result, err)
		       : dl_remedy_apply(work->remedy, order, scope, ret_result, err);
}

/* Only what has not begun can still be refused for want of room. */
static int allow_room(const struct dl_work *work, const struct dl_order *order,
		      struct dl_error *err)
{
	dl_autojson *begun = NULL;
	dl_auto(dl_host) host = NULL;
	struct dl_limits limits;
	if (order->kind == DL_ORDER_UNDO)
		return 0;
	int r = dl_journal_runs(work->journal, order->plan_id, &begun, err);
	if (r < 0 || json_array_size(begun) > 0)
		return r;
	r = dl_host_open(NULL, &host, err);
	if (r >= 0)
		r = dl_limits_read(host, &limits, err);
	return r < 0 ? r : dl_limits_allow(&limits, work->journal, order->plan, order->chosen, err);
}

/* The order was claimed, so it is finished: with every run refused. */
static int refuse_for_room(const struct dl_work *work, const struct dl_order *order,
			   const struct dl_error *why, struct dl_error *err)
{
	dl_autojson *result = dl_remedy_refusal(order, DL_REASON_NO_SPACE, why->text);
	json_t *run;
	size_t i;
	json_object_set_new(result, "state", json_string("finished"));
	json_object_set_new(result, "reason", json_string(""));
	json_object_set_new(result, "detail", json_string(""));
	json_array_foreach(json_object_get(result, "runs"), i, run) {
		int r = dl_journal_run_put(work->journal, order->plan_id, run, err);
		if (r < 0)
			return r;
	}
	return dl_record_result(work->journal, work->identity, result, DL_JOURNAL_FINISHED, err);
}

int dl_work_do(const struct dl_work *work, const struct dl_order *order, struct dl_error *err)
{
	dl_autojson *result = NULL;
	struct dl_error full = { 0 };
	int r = allow_room(work, order, &full);
	if (r == DL_E_NO_SPACE)
		return refuse_for_room(work, order, &full, err);
	if (r < 0)
		return dl_error_set(err, r, "%s", full.text);
	r = carry_out(work, order, DL_REMEDY_ALL, &result, err);
	if (r < 0)
		return dl_error_prefix(err, r, "carrying out plan %s", order->plan_id);
	return dl_record_result(work->journal, work->identity, result, DL_JOURNAL_FINISHED, err);
}

static json_t *never_ran(int64_t step, enum dl_verdict verdict)
{
	enum dl_run_state state = verdict == DL_VERDICT_EXPIRED ? DL_RUN_EXPIRED
								: DL_RUN_CANCELLED;
	int64_t now = dl_time_now_ms();
	return json_pack("{s:I, s:s, s:s, s:s, s:{s:[], s:b, s:b}, s:[], s:[], s:I, s:I}", "step",
			 (json_int_t)step, "state", dl_run_state_name(state), "reason", "",
			 "detail", "", "flags", "still_running", "partial", 0, "needs_reboot", 0,
			 "evidence", "quarantine", "started", (json_int_t)now, "finished",
			 (json_int_t)now);
}

/* A run that is terminal already says so (DL_E_STATE) and stays as it is. */
static int forbid_runs(struct dl_journal *journal, const struct dl_order *order,
		       enum dl_verdict verdict, struct dl_error *err)
{
	for (size_t i = 0; i < order->plan->step_count; i++) {
		if (!order->chosen[i])
			continue;
		dl_autojson *run = never_ran(order->plan->steps[i].id, verdict);
		int r = dl_journal_run_put(journal, order->plan_id, run, err);
		if (r < 0 && r != DL_E_STATE)
			return r;
	}
	return 0;
}

/* The server knows its own verdict: a plan that never began needs no result. */
int dl_work_forbid(const struct dl_work *work, const struct dl_order *order,
		   enum dl_verdict verdict, struct dl_error *err)
{
	dl_autoplan plan = { 0 };
	dl_autojson *result = NULL;
	int r = forbid_runs(work->journal, order, verdict, err);
	if (r >= 0)
		r = dl_journal_plan(work->journal, order->plan_id, &plan, err);
	if (r < 0)
		return r;
	if (plan.state == DL_JOURNAL_RECEIVED)
		return dl_journal_plan_move(work->journal, order->plan_id, DL_JOURNAL_RECEIVED,
					    DL_JOURNAL_REFUSED, err);
	r = carry_out(work, order, DL_REMEDY_STARTED_ONLY, &result, err);
	if (r < 0)
		return r;
	return dl_record_result(work->journal, work->identity, result, DL_JOURNAL_FINISHED, err);
}

int dl_work_refuse(const struct dl_work *work, const struct dl_refusal *refusal,
		   const char *detail, struct dl_error *err)
{
	dl_autojson *result = dl_remedy_refusal(refusal->order, refusal->reason, detail);
	return dl_record_result(work->journal, work->identity, result, DL_JOURNAL_REFUSED, err);
}

static size_t count_chosen(const struct dl_order *order)
{
	size_t count = 0;
	for (size_t i = 0; i < order->plan->step_count; i++)
		count += order->chosen[i];
	return count;
}

/* What a crash interrupted goes on under the ticket it had; the rest asks again. */
static int resume(const struct dl_work *work, const char *plan_id, struct dl_error *err)
{
	dl_auto(dl_order) order = NULL;
	dl_autojson *result = NULL;
	int r = dl_admission_recall(work->admission, plan_id, &order, err);
	if (r >= 0)
		r = carry_out(work, order, DL_REMEDY_STARTED_ONLY, &result, err);
	if (r < 0)
		return r;
	if (json_array_size(json_object_get(result, "runs")) < count_chosen(order))
		return dl_admission_ask(work->admission, plan_id, err);
	return dl_record_result(work->journal, work->identity, result, DL_JOURNAL_FINISHED, err);
}

static int recover_plan(const struct dl_work *work, const char *plan_id, struct dl_error *err)
{
	dl_autoplan plan = { 0 };
	int r = dl_journal_plan(work->journal, plan_id, &plan, err);
	if (r < 0)
		return r;
	if (strcmp(plan.key, DL_LOCAL_KEY) == 0)
		return 0; /* dl_local_recover's */
	return plan.state == DL_JOURNAL_CLAIMED ? resume(work, plan_id, err)
						: dl_admission_ask(work->admission, plan_id, err);
}

/* One plan that cannot be recovered does not keep the others from it. */
int dl_work_recover(const struct dl_work *work, struct dl_error *err)
{
	dl_autojson *plans = NULL;
	size_t i;
	json_t *plan_id;
	int r = dl_remedy_recover(work->remedy, err);
	if (r >= 0)
		r = dl_journal_plans_open(work->journal, &plans, err);
	if (r < 0)
		return dl_error_prefix(err, r, "recovering");
	json_array_foreach(plans, i, plan_id)
	{
		struct dl_error failure = { 0 };
		int failed = recover_plan(work, json_string_value(plan_id), &failure);
		if (failed < 0)
			r = dl_error_set(err, failed, "%s", failure.text);
	}
	return r;
}

/* The journal remembers when it first met each foothold; one transaction for all. */
static int remember_first_seen(struct dl_journal *journal, struct dl_survey *survey,
			       struct dl_error *err)
{
	size_t count = survey->foothold_count;
	dl_autofree const char **keys = dl_alloc(count, sizeof(keys[0]));
	dl_autofree int64_t *times = dl_alloc(count, sizeof(times[0]));
	for (size_t i = 0; i < count; i++)
		keys[i] = survey->footholds[i]->key;
	int r = dl_journal_first_seen(journal, keys, count, dl_time_now_ms(), times, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		survey->footholds[i]->first_seen = times[i];
	return 0;
}

int dl_work_survey(const struct dl_work *work, struct dl_error *err)
{
	const struct dl_survey_options options = { .all = false };
	dl_auto(dl_host) host = NULL;
	dl_auto(dl_survey) survey = NULL;
	int r = dl_host_open(NULL, &host, err);
	if (r >= 0)
		r = dl_survey_make(host, &options, &survey, err);
	if (r >= 0)
		r = remember_first_seen(work->journal, survey, err);
	if (r < 0)
		return dl_error_prefix(err, r, "surveying");
	dl_autojson *content = dl_survey_to_json(survey);
	return dl_record_survey(work->journal, work->identity, content, err);
}
