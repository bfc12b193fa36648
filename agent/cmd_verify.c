/* dislodge-agent verify: whether what was removed is gone, by a fresh survey. */
#include "agent/local_command.h"
#include "agent/local/proof.h"
#include "agent/report.h"
#include "agent/survey/survey.h"

#include <stdio.h>
#include <string.h>

enum { STATE_WIDTH = 14 };

static const char usage[] =
	"usage: dislodge-agent verify [PLAN] [--json]\n"
	"\n"
	"Looks at this host again and says for each step of the plan that was carried out\n"
	"whether what it names is gone. PLAN is the plan's file or its id; without it, every\n"
	"plan this host carried out is looked at. Reads only. Needs root.\n"
	"\n"
	"Exit code: 0 all of it is gone; 1 something is there (again), or failed;\n"
	"2 wrong usage; 3 something could not be checked.\n";

struct verification {
	const struct dl_local_options *options;
	struct dl_survey *survey; /* owned */
	struct dl_page page;
	json_t *plans; /* owned: what --json prints */
	size_t count[DL_PROOF_COUNT];
};

static void verification_clear(struct verification *verification)
{
	dl_survey_free(verification->survey);
	json_decref(verification->plans);
}

static bool has_id(const json_t *ids, int64_t step)
{
	size_t i;
	json_t *id;
	json_array_foreach(ids, i, id)
		if (json_integer_value(id) == step)
			return true;
	return false;
}

static void print_proof(const struct dl_page *page, const struct dl_step *step,
			const struct dl_proof *proof)
{
	static const struct {
		const char *sign, *words;
		enum dl_ink ink;
	} looks[DL_PROOF_COUNT] = {
		[DL_PROOF_GONE] = { "✓", "gone", DL_INK_GREEN },
		[DL_PROOF_THERE] = { "✗", "still there", DL_INK_RED },
		[DL_PROOF_OTHER] = { "✗", "replaced", DL_INK_RED },
		[DL_PROOF_NOT_CHECKED] = { "?", "not checked", DL_INK_YELLOW },
	};
	fprintf(page->out, "%s%s%4lld  %-*s%s", dl_page_ink(page, looks[proof->state].ink),
		looks[proof->state].sign, (long long)step->id, STATE_WIDTH,
		looks[proof->state].words, dl_page_ink(page, DL_INK_PLAIN));
	dl_page_cut(page, step->title ? step->title : "", 7 + STATE_WIDTH);
	dl_page_words(page, "detail", proof->words);
}

static json_t *verify_step(struct verification *verification, const struct dl_step *step)
{
	struct dl_proof proof = { 0 };
	dl_proof_of(verification->survey, step, &proof);
	verification->count[proof.state]++;
	if (!verification->options->json)
		print_proof(&verification->page, step, &proof);
	json_t *told = json_pack("{s:I,s:s}", "step", (json_int_t)step->id, "state",
				 dl_proof_state_name(proof.state));
	dl_json_put_str(told, "detail", proof.words ? proof.words : "");
	dl_proof_clear(&proof);
	return told;
}

/* What was put back is meant to be there. */
static void verify_steps(struct verification *verification, const struct dl_plan *plan,
			 const json_t *told)
{
	const json_t *chosen = json_object_get(told, "chosen");
	const json_t *restored = json_object_get(told, "restored");
	const char *plan_id = json_string_value(json_object_get(told, "plan_id"));
	json_t *steps = json_array();
	if (!verification->options->json)
		printf("Plan %s\n", plan_id);
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct dl_step *step = &plan->steps[i];
		if (!has_id(chosen, step->id))
			continue;
		if (!has_id(restored, step->id))
			json_array_append_new(steps, verify_step(verification, step));
		else if (!verification->options->json)
			printf(" %4lld  was put back\n", (long long)step->id);
	}
	json_array_append_new(verification->plans,
			      json_pack("{s:s,s:o}", "plan_id", plan_id, "steps", steps));
}

/* Undo plans and acts on the quarantine have nothing to be proved gone. */
static int verify_plan(struct verification *verification, const char *plan_id, bool named,
		       struct dl_error *err)
{
	dl_autojson *ask = json_pack("{s:s,s:s}", "act", "plan", "plan_id", plan_id);
	dl_autojson *told = NULL;
	dl_auto(dl_plan) plan = NULL;
	int r = dl_local_ask(&verification->options->place, ask, &told, err);
	if (r == DL_E_UNSUPPORTED && !named)
		return 0;
	if (r < 0)
		return r;
	if (strcmp(json_string_value(json_object_get(told, "kind")), "remove") != 0)
		return named ? dl_error_set(err, DL_E_INVALID, "%s put things back", plan_id) : 0;
	r = dl_plan_from_json(json_object_get(told, "steps"), &plan, err);
	if (r >= 0)
		verify_steps(verification, plan, told);
	return r;
}

static int verify_all(struct verification *verification, struct dl_error *err)
{
	dl_autojson *ask = json_pack("{s:s}", "act", "plans");
	dl_autojson *list = NULL;
	json_t *plan;
	size_t i;
	int r = dl_local_ask(&verification->options->place, ask, &list, err);
	if (r < 0)
		return r;
	json_array_foreach(json_object_get(list, "plans"), i, plan) {
		const char *state = json_string_value(json_object_get(plan, "state"));
		if (strcmp(state, "finished") != 0)
			continue;
		r = verify_plan(verification, json_string_value(json_object_get(plan, "plan_id")),
				false, err);
		if (r < 0)
			return r;
	}
	if (json_array_size(verification->plans) == 0 && !verification->options->json)
		puts("This host carried out no plan yet.");
	return 0;
}

static int verify(struct verification *verification, struct dl_error *err)
{
	const struct dl_local_options *options = verification->options;
	dl_auto(dl_host) host = NULL;
	char plan_id[DL_ID_TEXT_SIZE];
	int r = dl_command_needs_root(err);
	if (r >= 0 && options->word_count)
		r = dl_local_plan_id(options->words[0], plan_id, err);
	if (r >= 0)
		r = dl_host_open(NULL, &host, err);
	if (r >= 0)
		r = dl_survey_make(host, &(struct dl_survey_options){ .all = true },
				   &verification->survey, err);
	if (r < 0)
		return r;
	return options->word_count ? verify_plan(verification, plan_id, true, err)
				   : verify_all(verification, err);
}

static int exit_of(const struct verification *verification)
{
	if (verification->count[DL_PROOF_THERE] || verification->count[DL_PROOF_OTHER])
		return DL_COMMAND_FAILED;
	return verification->count[DL_PROOF_NOT_CHECKED] ? DL_COMMAND_PARTLY : DL_COMMAND_OK;
}

int dl_cmd_verify(int argc, char **argv)
{
	struct dl_local_options options;
	struct dl_error error = { 0 };
	int r = dl_local_options_parse(argc, argv, usage, "j", &options);
	if (r != 0)
		return r == DL_COMMAND_DONE ? 0 : r;
	if (options.word_count > 1) {
		fputs(usage, stderr);
		return DL_COMMAND_USAGE;
	}
	__attribute__((cleanup(verification_clear))) struct verification verification = {
		.options = &options, .page = dl_page_stdout(), .plans = json_array(),
	};
	if (verify(&verification, &error) < 0)
		return dl_local_fail(&error);
	if (options.json) {
		dl_autojson *told = json_pack("{s:O}", "plans", verification.plans);
		dl_local_print_json(told);
	}
	return exit_of(&verification);
}
