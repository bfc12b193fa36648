/* From chosen footholds to the proposed plan. Steps are made in plan order;
 * what no step may do is collected apart and follows at the end. */
#include "core/plan/plan.h"

#include "core/plan/edit.h"
#include "core/plan/words.h"

#include <string.h>

/* A payload's reasons name this many triggers, then count the rest. */
enum { NAMED_TRIGGERS_MAX = 5 };

struct proposal {
	const struct dl_survey *survey;
	const struct dl_plan_edit *edit;
	const struct dl_foothold **chosen;
	size_t chosen_count;
	struct dl_plan *plan;    /* assisted steps; at the end all */
	struct dl_plan *by_hand; /* manual steps */
};

static void proposal_clear(struct proposal *proposal)
{
	free(proposal->chosen);
	dl_plan_free(proposal->plan);
	dl_plan_free(proposal->by_hand);
}

static bool is_chosen(const struct proposal *proposal, const struct dl_foothold *foothold)
{
	for (size_t i = 0; i < proposal->chosen_count; i++)
		if (proposal->chosen[i] == foothold)
			return true;
	return false;
}

static const struct dl_foothold *find_foothold(const struct dl_survey *survey, const char *key)
{
	for (size_t i = 0; i < survey->foothold_count; i++)
		if (strcmp(survey->footholds[i]->key, key) == 0)
			return survey->footholds[i];
	return NULL;
}

static int choose(struct proposal *proposal, struct dl_error *err)
{
	const struct dl_plan_edit *edit = proposal->edit;
	if (edit->key_count > DL_SURVEY_FOOTHOLDS_MAX)
		return dl_error_set(err, DL_E_LIMIT, "more footholds than a survey lists");
	proposal->chosen = dl_alloc(edit->key_count, sizeof(proposal->chosen[0]));
	for (size_t i = 0; i < edit->key_count; i++) {
		const struct dl_foothold *foothold =
			find_foothold(proposal->survey, edit->keys[i]);
		if (!foothold)
			return dl_error_set(err, DL_E_NOT_FOUND, "the survey has no foothold %.64s",
					    edit->keys[i]);
		if (!is_chosen(proposal, foothold))
			proposal->chosen[proposal->chosen_count++] = foothold;
	}
	return 0;
}

/* Takes the step's content, and gives it its id within the list. */
static int append_step(struct dl_plan *plan, struct dl_step *step, struct dl_error *err)
{
	if (plan->step_count == DL_PLAN_STEPS_MAX) {
		dl_step_clear(step);
		return dl_error_set(err, DL_E_LIMIT, "the plan has more than %d steps",
				    DL_PLAN_STEPS_MAX);
	}
	plan->steps = dl_realloc(plan->steps, plan->step_count + 1, sizeof(plan->steps[0]));
	step->id = (int64_t)++plan->step_count;
	plan->steps[plan->step_count - 1] = *step;
	return 0;
}

/* A step stays assisted when neither rules nor a person object. */
static int append_judged(struct proposal *proposal, struct dl_step *step, struct dl_error *err)
{
	bool manual = step->verb == DL_VERB_MANUAL;
	return append_step(manual ? proposal->by_hand : proposal->plan, step, err);
}

static void add_object(struct dl_step *step, const struct dl_object *object)
{
	step->objects = dl_realloc(step->objects, step->object_count + 1,
				   sizeof(step->objects[0]));
	dl_object_copy(object, &step->objects[step->object_count++]);
}

static enum dl_verb verb_of(enum dl_kind kind)
{
	switch (kind) {
	case DL_KIND_SYSTEMD_SERVICE:
	case DL_KIND_SYSTEMD_TIMER:
		return DL_VERB_SYSTEMD_UNIT_REMOVE;
	case DL_KIND_CRON_SYSTEM:
	case DL_KIND_CRON_USER:
		return DL_VERB_CRON_LINE_REMOVE;
	case DL_KIND_REGISTRY_RUN:
		return DL_VERB_REG_VALUE_DELETE;
	case DL_KIND_COUNT:
		break;
	}
	return DL_VERB_MANUAL;
}

static char *trigger_title(const struct dl_foothold *foothold, enum dl_verb verb)
{
	static const char *const begin[DL_VERB_COUNT] = {
		[DL_VERB_MANUAL] = "Deal with ",
		[DL_VERB_SYSTEMD_UNIT_REMOVE] = "Stop and remove ",
		[DL_VERB_CRON_LINE_REMOVE] = "Remove ",
		[DL_VERB_REG_VALUE_DELETE] = "Delete ",
	};
	struct dl_buf title = DL_BUF_INIT;
	dl_buf_puts(&title, begin[verb]);
	dl_words_foothold(&title, foothold);
	if (verb == DL_VERB_MANUAL)
		dl_buf_puts(&title, " by hand");
	return dl_buf_take(&title);
}

static char *trigger_why(const struct dl_foothold *foothold)
{
	const char *command = foothold->command ? foothold->command : foothold->line;
	struct dl_buf why = DL_BUF_INIT;

	/* A timer has no command of its own: it starts another unit. */
	dl_buf_puts(&why, foothold->activates ? "It starts " : "It runs ");
	dl_words_quote(&why, foothold->activates ? foothold->activates : command);
	if (foothold->user)
		dl_buf_printf(&why, " as %.256s", foothold->user);
	if (foothold->schedule) {
		dl_buf_puts(&why, ", schedule ");
		dl_words_quote(&why, foothold->schedule);
	}
	dl_buf_puts(&why, ".");
	return dl_buf_take(&why);
}

static void downgrade(struct dl_step *step, const char *instructions)
{
	if (step->verb != DL_VERB_MANUAL) {
		step->verb = DL_VERB_MANUAL;
		step->downgraded = true;
		step->manual_because = DL_REASON_NEEDS_ATTENTION;
		step->detail = dl_strdup(instructions);
		return;
	}
	struct dl_buf detail = DL_BUF_INIT;
	dl_buf_printf(&detail, "%s\n\n%s", step->detail, instructions);
	free(step->detail);
	step->detail = dl_buf_take(&detail);
}

static int add_trigger(struct proposal *proposal, const struct dl_foothold *foothold,
		       struct dl_error *err)
{
	struct dl_step step = { .verb = verb_of(foothold->kind) };
	step.manual_because = dl_plan_judge(foothold, &step.detail);
	if (step.manual_because != DL_REASON_NONE)
		step.verb = DL_VERB_MANUAL;
	const char *instructions = dl_edit_downgrade(proposal->edit, "key", foothold->key);
	if (instructions)
		downgrade(&step, instructions);
	memcpy(step.key, foothold->key, sizeof(step.key));
	step.title = trigger_title(foothold, step.verb);
	step.why = trigger_why(foothold);
	if (verb_of(foothold->kind) == DL_VERB_SYSTEMD_UNIT_REMOVE && foothold->name)
		step.unit = dl_strdup(foothold->name);
	if (foothold->line)
		step.line = dl_strdup(foothold->line);
	step.occurrence = foothold->occurrence;
	for (size_t i = 0; i < foothold->object_count; i++)
		if (foothold->objects[i].role != DL_ROLE_PAYLOAD)
			add_object(&step, &foothold->objects[i]);
	return append_judged(proposal, &step, err);
}

static int add_triggers(struct proposal *proposal, struct dl_error *err)
{
	static const enum dl_kind order[] = {
		DL_KIND_SYSTEMD_TIMER, DL_KIND_SYSTEMD_SERVICE, DL_KIND_CRON_SYSTEM,
		DL_KIND_CRON_USER,     DL_KIND_REGISTRY_RUN,
	};
	_Static_assert(DL_COUNT(order) == DL_KIND_COUNT, "every kind has its place in the plan");
	for (size_t k = 0; k < DL_COUNT(order); k++) {
		for (size_t i = 0; i < proposal->chosen_count; i++) {
			const struct dl_foothold *foothold = proposal->chosen[i];
			if (foothold->kind != order[k])
				continue;
			int r = add_trigger(proposal, foothold, err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static bool runs(const struct dl_foothold *foothold, const char *path)
{
	for (size_t i = 0; i < foothold->object_count; i++)
		if (foothold->objects[i].role == DL_ROLE_PAYLOAD &&
		    strcmp(foothold->objects[i].path, path) == 0)
			return true;
	return false;
}

static bool consists_of(const struct dl_foothold *foothold, const char *path)
{
	for (size_t i = 0; i < foothold->object_count; i++)
		if (foothold->objects[i].role != DL_ROLE_PAYLOAD &&
		    strcmp(foothold->objects[i].path, path) == 0)
			return true;
	return false;
}

/* What another foothold still runs, or consists of, is not this plan's to move. */
static bool is_needed_elsewhere(const struct proposal *proposal, const char *path)
{
	for (size_t i = 0; i < proposal->survey->foothold_count; i++) {
		const struct dl_foothold *foothold = proposal->survey->footholds[i];
		if (consists_of(foothold, path))
			return true;
		if (runs(foothold, path) && !is_chosen(proposal, foothold))
			return true;
	}
	return false;
}

static bool is_left(const struct dl_plan_edit *edit, const char *path)
{
	for (size_t i = 0; i < edit->leave_count; i++)
		if (strcmp(edit->leave_payloads[i], path) == 0)
			return true;
	return false;
}

/* A payload that is as its package ships it, such as a shell, is a tool of the
 * system: the trigger misused it, and no plan mentions it as a target. */
static bool is_target(const struct proposal *proposal, const struct dl_object *payload)
{
	if (payload->type == DL_TYPE_MISSING)
		return false;
	if (payload->package && payload->baseline == DL_BASELINE_SAME)
		return false;
	return !is_left(proposal->edit, payload->path) &&
	       !is_needed_elsewhere(proposal, payload->path);
}

/* The trigger's step among the assisted ones: they come first. */
static int64_t assisted_trigger(const struct proposal *proposal, const char *key)
{
	for (size_t i = 0; i < proposal->plan->step_count; i++) {
		const struct dl_step *step = &proposal->plan->steps[i];
		if (strcmp(step->key, key) == 0 && step->verb != DL_VERB_FILE_QUARANTINE)
			return step->id;
	}
	return 0;
}

static char *payload_why(const struct proposal *proposal, const char *path)
{
	struct dl_buf why = DL_BUF_INIT;
	size_t named = 0;
	for (size_t i = 0; i < proposal->chosen_count; i++) {
		if (!runs(proposal->chosen[i], path) || named++ >= NAMED_TRIGGERS_MAX)
			continue;
		dl_buf_puts(&why, named == 1 ? "It is run by " : ", ");
		dl_words_foothold(&why, proposal->chosen[i]);
	}
	if (named > NAMED_TRIGGERS_MAX)
		dl_buf_printf(&why, " and %zu more", named - NAMED_TRIGGERS_MAX);
	dl_buf_puts(&why, ".");
	return dl_buf_take(&why);
}

/* A file that a trigger left to people still runs must not vanish under it: a
 * modified login service would then fail to start. */
static void wait_for_hand(struct dl_step *step, const struct dl_foothold *trigger)
{
	struct dl_buf detail = DL_BUF_INIT;
	dl_words_quote(&detail, step->objects[0].path);
	dl_buf_puts(&detail, " is still run by ");
	dl_words_foothold(&detail, trigger);
	dl_buf_puts(&detail, ", which has to be dealt with by hand first. Move the file away "
			     "after that.");
	step->verb = DL_VERB_MANUAL;
	step->manual_because = DL_REASON_NEEDS_ATTENTION;
	step->detail = dl_buf_take(&detail);
}

static int require_triggers(const struct proposal *proposal, struct dl_step *step,
			    struct dl_error *err)
{
	for (size_t i = 0; i < proposal->chosen_count && step->verb != DL_VERB_MANUAL; i++) {
		const struct dl_foothold *foothold = proposal->chosen[i];
		if (!runs(foothold, step->objects[0].path))
			continue;
		int64_t id = assisted_trigger(proposal, foothold->key);
		if (id == 0) {
			wait_for_hand(step, foothold);
			break;
		}
		int r = dl_edit_add_require(step, id, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static char *payload_title(const struct dl_step *step)
{
	const struct dl_object *object = &step->objects[0];
	bool manual = step->verb == DL_VERB_MANUAL;
	struct dl_buf title = DL_BUF_INIT;
	dl_buf_puts(&title, manual ? "Deal with " :
		    object->type == DL_TYPE_SYMLINK ? "Move the link " : "Move the file ");
	dl_words_quote(&title, object->path);
	dl_buf_puts(&title, manual ? " by hand" : " to quarantine");
	return dl_buf_take(&title);
}

static int fill_payload(const struct proposal *proposal, const struct dl_object *payload,
			struct dl_step *step, struct dl_error *err)
{
	add_object(step, payload);
	step->manual_because = dl_plan_judge_object(payload, &step->detail);
	step->verb = step->manual_because == DL_REASON_NONE ? DL_VERB_FILE_QUARANTINE :
							      DL_VERB_MANUAL;
	int r = require_triggers(proposal, step, err);
	if (r < 0)
		return r;
	const char *instructions = dl_edit_downgrade(proposal->edit, "path", payload->path);
	if (instructions)
		downgrade(step, instructions);
	if (step->verb == DL_VERB_MANUAL)
		step->require_count = 0;
	step->title = payload_title(step);
	step->why = payload_why(proposal, payload->path);
	return 0;
}

static bool has_payload_step(const struct dl_plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct dl_step *step = &plan->steps[i];
		if (step->object_count == 1 && step->objects[0].role == DL_ROLE_PAYLOAD &&
		    strcmp(step->objects[0].path, path) == 0)
			return true;
	}
	return false;
}

static int add_payload(struct proposal *proposal, const struct dl_foothold *foothold,
		       const struct dl_object *payload, struct dl_error *err)
{
	if (!is_target(proposal, payload) || has_payload_step(proposal->plan, payload->path) ||
	    has_payload_step(proposal->by_hand, payload->path))
		return 0;
	struct dl_step step = { 0 };
	memcpy(step.key, foothold->key, sizeof(step.key));
	int r = fill_payload(proposal, payload, &step, err);
	if (r < 0) {
		dl_step_clear(&step);
		return r;
	}
	return append_judged(proposal, &step, err);
}

static int add_payloads(struct proposal *proposal, struct dl_error *err)
{
	for (size_t i = 0; i < proposal->chosen_count; i++) {
		const struct dl_foothold *foothold = proposal->chosen[i];
		for (size_t k = 0; k < foothold->object_count; k++) {
			if (foothold->objects[k].role != DL_ROLE_PAYLOAD)
				continue;
			int r = add_payload(proposal, foothold, &foothold->objects[k], err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* Steps written by a person, without a foothold. */
static int add_written(struct proposal *proposal, struct dl_error *err)
{
	size_t i;
	json_t *entry;
	json_array_foreach(proposal->edit->manual, i, entry) {
		struct dl_step step = { 0 };
		int r = dl_edit_written(entry, &step, err);
		if (r == 0)
			r = append_step(proposal->by_hand, &step, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int append_by_hand(struct proposal *proposal, struct dl_error *err)
{
	struct dl_plan *by_hand = proposal->by_hand;
	for (size_t i = 0; i < by_hand->step_count; i++) {
		struct dl_step step = by_hand->steps[i];
		by_hand->steps[i] = (struct dl_step){ 0 };
		int r = append_step(proposal->plan, &step, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A path left alone that no chosen foothold runs is a mistake worth telling:
 * the file the person meant would be moved. */
static int check_left(const struct proposal *proposal, struct dl_error *err)
{
	for (size_t i = 0; i < proposal->edit->leave_count; i++) {
		bool found = false;
		for (size_t k = 0; k < proposal->chosen_count && !found; k++)
			found = runs(proposal->chosen[k], proposal->edit->leave_payloads[i]);
		if (!found)
			return dl_error_set(err, DL_E_INVALID,
					    "no chosen foothold runs the file to leave alone");
	}
	return 0;
}

static int propose(struct proposal *proposal, struct dl_error *err)
{
	int r = dl_edit_check(proposal->edit, err);
	if (r == 0)
		r = choose(proposal, err);
	if (r == 0)
		r = check_left(proposal, err);
	if (r == 0)
		r = add_triggers(proposal, err);
	if (r == 0)
		r = add_payloads(proposal, err);
	if (r == 0)
		r = add_written(proposal, err);
	if (r == 0)
		r = append_by_hand(proposal, err);
	if (r == 0)
		r = dl_edit_apply(proposal->edit, proposal->plan, err);
	return r;
}

int dl_plan_propose(const struct dl_survey *survey, const struct dl_plan_edit *edit,
		    struct dl_plan **ret_plan, struct dl_error *err)
{
	struct proposal proposal __attribute__((cleanup(proposal_clear))) = {
		.survey = survey,
		.edit = edit,
		.plan = dl_plan_new(),
		.by_hand = dl_plan_new(),
	};
	int r = propose(&proposal, err);
	if (r < 0)
		return dl_error_prefix(err, r, "plan");
	*ret_plan = DL_TAKE(proposal.plan);
	return 0;
}
