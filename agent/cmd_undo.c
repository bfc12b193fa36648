/* dislodge-agent undo: puts back what a plan removed, whoever approved it. */
#include "agent/local_command.h"
#include "agent/report.h"

#include <stdio.h>

enum { QUESTION_SIZE = 256 };

static const char usage[] =
	"usage: dislodge-agent undo PLAN [--steps 1,2] [--yes] [--json]\n"
	"\n"
	"Shows what the plan removed and asks, then puts every object back exactly as it was\n"
	"and starts again what ran. PLAN is the plan's file or its id; a plan that the server\n"
	"approved can be undone too. Never replaces what stands there now. Needs root.\n"
	"\n"
	"Exit code: 0 everything is back; 1 failed; 2 wrong usage; 3 some is;\n"
	"4 nothing was done (nothing in quarantine, or not agreed to).\n";

static int load(const struct dl_local_options *options, const char *plan_id,
		struct dl_plan **ret_plan, json_t **ret_told, struct dl_error *err)
{
	dl_autojson *ask = json_pack("{s:s,s:s}", "act", "plan", "plan_id", plan_id);
	dl_autojson *told = NULL;
	int r = dl_local_ask(&options->place, ask, &told, err);
	if (r >= 0)
		r = dl_plan_from_json(json_object_get(told, "steps"), ret_plan, err);
	if (r >= 0)
		*ret_told = DL_TAKE(told);
	return r;
}

/* What of the plan lies in quarantine, as far as --steps wants it. An undo may
 * put any step back alone. */
static int choose(const struct dl_local_options *options, const struct dl_plan *plan,
		  const json_t *told, bool **ret_chosen, struct dl_error *err)
{
	const json_t *held = json_object_get(told, "undoable");
	dl_autofree bool *wanted = NULL;
	dl_autofree bool *chosen = dl_alloc(plan->step_count + 1, sizeof(*chosen));
	size_t i;
	json_t *id;
	int r = dl_local_pick(options, plan, &wanted, err);
	if (r < 0)
		return r;
	bool any = false;
	json_array_foreach(held, i, id) {
		size_t step = (size_t)json_integer_value(id) - 1;
		if (step < plan->step_count && wanted[step])
			any = chosen[step] = true;
	}
	if (!any)
		return dl_error_set(err, DL_E_STATE, "nothing of this is in quarantine");
	*ret_chosen = DL_TAKE(chosen);
	return 0;
}

static int agree(const struct dl_local_options *options, const struct dl_plan *plan,
		 const bool *chosen, struct dl_error *err)
{
	struct dl_page page = dl_page_stdout();
	char question[QUESTION_SIZE];
	size_t count = 0;
	for (size_t i = 0; i < plan->step_count; i++) {
		if (!chosen[i])
			continue;
		count++;
		if (options->json)
			continue;
		printf("%4zu  ", i + 1);
		dl_page_wrap(&page, plan->steps[i].title ? plan->steps[i].title : "", 6);
	}
	snprintf(question, sizeof(question), "Put back what %s removed?",
		 count == 1 ? "this step" : "these steps");
	return dl_local_consent(options, question, err);
}

static int undo(const struct dl_local_options *options, const char *plan_id,
		struct dl_plan **ret_plan, json_t **ret_result, struct dl_error *err)
{
	dl_autojson *told = NULL;
	dl_auto(dl_plan) plan = NULL;
	dl_autofree bool *chosen = NULL;
	int r = load(options, plan_id, &plan, &told, err);
	if (r >= 0)
		r = choose(options, plan, told, &chosen, err);
	if (r >= 0)
		r = agree(options, plan, chosen, err);
	if (r < 0)
		return r;
	dl_autojson *ask = json_pack("{s:s,s:s,s:o,s:o}", "act", "undo", "plan_id", plan_id,
				     "chosen", dl_local_ids(plan, chosen), "by", dl_local_by());
	r = dl_local_ask(&options->place, ask, ret_result, err);
	if (r >= 0)
		*ret_plan = DL_TAKE(plan);
	return r;
}

int dl_cmd_undo(int argc, char **argv)
{
	struct dl_local_options options;
	struct dl_error error = { 0 };
	char plan_id[DL_ID_TEXT_SIZE];
	dl_auto(dl_plan) plan = NULL;
	dl_autojson *result = NULL;
	int r = dl_local_options_parse(argc, argv, usage, "jsy", &options);
	if (r != 0)
		return r == DL_COMMAND_DONE ? 0 : r;
	if (options.word_count != 1) {
		fputs(usage, stderr);
		return DL_COMMAND_USAGE;
	}
	r = dl_command_needs_root(&error);
	if (r >= 0)
		r = dl_local_plan_id(options.words[0], plan_id, &error);
	if (r >= 0)
		r = undo(&options, plan_id, &plan, &result, &error);
	if (r < 0)
		return dl_local_fail(&error);
	const json_t *runs = json_object_get(result, "runs");
	struct dl_page page = dl_page_stdout();
	if (options.json)
		dl_local_print_json(result);
	else
		dl_report_runs(&page, plan, runs, false);
	return dl_report_exit(runs);
}
