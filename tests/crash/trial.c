#include "trial.h"

#include "agent/journal/journal.h"
#include "agent/platform/change.h"
#include "agent/remedy/remedy.h"
#include "scratch.h"

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

const char *const act_names[ACT_COUNT] = { "check", "apply", "undo", "recovery of apply",
					   "recovery of undo" };

void trial_init(struct trial *trial)
{
	*trial = (struct trial){ .standin = standin_new() };
	trial->answer = mmap(NULL, sizeof(*trial->answer), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (trial->answer == MAP_FAILED)
		err(EXIT_FAILURE, "shared memory");
}

static void remember_originals(struct trial *trial)
{
	for (size_t step = 0; step < trial->plan->step_count; step++) {
		const struct story_object *objects = trial->story->steps[step].objects;

		for (size_t i = 0; objects[i].path; i++)
			trial->originals[step][i] =
				facts_read(scratch_path(objects[i].path), FACTS_WHOLE);
	}
}

void trial_begin(struct trial *trial, const struct story *story, void (*raise)(const struct story *))
{
	trial->story = story;
	strcpy(trial->undo_id, TRIAL_UNDO_ID);
	if (raise)
		raise(story);
	else
		scratch_raise(story->elsewhere);
	story->plant();
	story_age(story);
	trial->plan = story_plan(story);
	for (size_t i = 0; i < trial->plan->step_count; i++)
		trial->chosen[i] = true;
	trial->before = snapshot_take();
	remember_originals(trial);
	if (story_unit(story))
		standin_start(trial->standin, story_unit(story));
}

void trial_end(struct trial *trial)
{
	standin_stop(trial->standin);
	dl_plan_free(trial->plan);
	for (size_t step = 0; step < STORY_STEPS_MAX; step++)
		for (size_t i = 0; i < STORY_OBJECTS_MAX; i++) {
			free(trial->originals[step][i]);
			trial->originals[step][i] = NULL;
		}
	snapshot_free(trial->before);
	trial->plan = NULL;
	trial->before = NULL;
	scratch_raze();
}

void trial_undo_anew(struct trial *trial)
{
	trial->undo_id[DL_ID_TEXT_SIZE - 2]++;
}

/* ---- inside the scratch host ---- */

static struct dl_order order_of(struct trial *trial, bool undo)
{
	struct dl_order order = {
		.plan_id = TRIAL_REMOVE_ID,
		.kind = undo ? DL_ORDER_UNDO : DL_ORDER_REMOVE,
		.organization = 1,
		.agent = 1,
		.incident = 1,
		.plan = trial->plan,
		.chosen = trial->chosen,
	};

	if (undo) {
		strcpy(order.undo_of, TRIAL_REMOVE_ID);
		strcpy(order.plan_id, trial->undo_id);
	}
	return order;
}

static int start_act(struct trial *trial, enum act act, struct dl_remedy *remedy,
		     json_t **ret_result, struct dl_error *err)
{
	struct dl_order order = order_of(trial, act == ACT_UNDO || act == ACT_RESUME_UNDO);
	int r = dl_remedy_recover(remedy, err);

	if (r < 0)
		return r;
	switch (act) {
	case ACT_CHECK:
		return dl_remedy_check(remedy, trial->plan, trial->chosen, ret_result, err);
	case ACT_APPLY:
		return dl_remedy_apply(remedy, &order, DL_REMEDY_ALL, ret_result, err);
	case ACT_UNDO:
		return dl_remedy_undo(remedy, &order, DL_REMEDY_ALL, ret_result, err);
	case ACT_RESUME_APPLY:
		return dl_remedy_apply(remedy, &order, DL_REMEDY_STARTED_ONLY, ret_result, err);
	default:
		return dl_remedy_undo(remedy, &order, DL_REMEDY_STARTED_ONLY, ret_result, err);
	}
}

static int start_agent(struct trial *trial, enum act act, json_t **ret_result, struct dl_error *err)
{
	dl_auto(dl_journal) journal = NULL;
	dl_auto(dl_remedy) remedy = NULL;
	int state = -1;
	int r = dl_state_folder_open(SCRATCH_STATE, &state, err);

	if (r == 0)
		r = dl_journal_open(state, &journal, err);
	if (r == 0)
		r = dl_remedy_open(state, journal, &remedy, err);
	if (r == 0)
		r = start_act(trial, act, remedy, ret_result, err);
	return r;
}

__attribute__((noreturn))
static void live(struct trial *trial, enum act act, bool traced)
{
	struct answer *answer = trial->answer;
	struct dl_error why = { 0 };
	dl_autojson *result = NULL;
	dl_autofree char *text = NULL;

	if (chroot(SCRATCH_ROOT) < 0 || chdir("/") < 0)
		err(EXIT_FAILURE, "entering the scratch host");
	alarm(trial->patience);
	if (traced)
		tracer_offer();
	answer->error = start_agent(trial, act, &result, &why);
	snprintf(answer->words, sizeof(answer->words), "%s", why.text);
	text = result ? dl_json_text(result) : dl_strdup("");
	if (strlen(text) >= sizeof(answer->result))
		errx(EXIT_FAILURE, "the result is too long");
	strcpy(answer->result, text);
	_exit(EXIT_SUCCESS);
}

/* ---- from outside ---- */

static enum tracer_end wait_untraced(pid_t child)
{
	int status = 0;

	if (waitpid(child, &status, 0) != child)
		err(EXIT_FAILURE, "waiting");
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? TRACER_ENDED : TRACER_CRASHED;
}

enum tracer_end trial_start(struct trial *trial, enum act act, tracer_judge judge, void *context)
{
	pid_t child;

	trial->answer->error = 0;
	trial->answer->words[0] = trial->answer->result[0] = '\0';
	story_age(trial->story);
	child = fork();
	if (child < 0)
		err(EXIT_FAILURE, "fork");
	if (child == 0)
		live(trial, act, judge != NULL);
	return judge ? tracer_follow(child, judge, context) : wait_untraced(child);
}

static json_t *read_run(const struct trial *trial, size_t step)
{
	dl_autojson *result = json_loads(trial->answer->result, 0, NULL);
	json_t *run;
	size_t i;

	json_array_foreach(json_object_get(result, "runs"), i, run)
		if (json_integer_value(json_object_get(run, "step")) == (json_int_t)step + 1)
			return json_incref(run);
	return NULL;
}

const char *trial_run_state(const struct trial *trial, size_t step)
{
	static char state[32];
	dl_autojson *run = read_run(trial, step);
	const char *name = json_string_value(json_object_get(run, "state"));

	snprintf(state, sizeof(state), "%s", name ? name : "");
	return state;
}

char *trial_run_text(const struct trial *trial, size_t step)
{
	dl_autojson *run = read_run(trial, step);

	return run ? dl_json_text(run) : dl_strdup("no run");
}
