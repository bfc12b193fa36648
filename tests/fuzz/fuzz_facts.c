/* Footholds made of arbitrary facts: a survey of them can always be read, and
 * a plan for them never assists what was not provably created, never targets
 * what the never-list holds, and can always be read. */
#include "fuzz.h"

#include "core/base/bytes.h"
#include "core/plan/plan.h"

#include <string.h>

enum { FOOTHOLDS = 12, OBJECTS = 5 };

struct input {
	const uint8_t *data;
	size_t size;
};

static unsigned int take(struct input *input, unsigned int choices)
{
	if (input->size == 0)
		return 0;
	input->size--;
	return *input->data++ % choices;
}

/* NULL, a name from a small set (so that names meet), or raw bytes spelled. */
static char *take_text(struct input *input)
{
	static const char *const names[] = { "/opt/x", "/opt/y", "/etc/x.service", "x.service" };
	unsigned int choice = take(input, 8);
	if (choice == 0)
		return NULL;
	if (choice < 6)
		return dl_strdup(names[choice % DL_COUNT(names)]);
	size_t length = take(input, 64);
	if (length > input->size)
		length = input->size;
	char *text = choice == 6 ? dl_bytes_encode(input->data, length) :
				   dl_strndup((const char *)input->data, length);
	input->data += length;
	input->size -= length;
	return text;
}

static void take_object(struct input *input, struct dl_object *object)
{
	static const char hash[] = "9f86d081884c7d659a2feaa0c55ad015"
				   "a3bf4f1b2b0b822cd15d6c15b0f00a08";
	object->role = (enum dl_object_role)take(input, DL_ROLE_COUNT);
	object->type = (enum dl_object_type)take(input, DL_TYPE_COUNT);
	object->baseline = (enum dl_baseline)take(input, DL_BASELINE_COUNT);
	object->path = take_text(input);
	object->link_target = take_text(input);
	object->sha256 = take(input, 2) ? dl_strdup(hash) : NULL;
	object->package = take(input, 4) ? NULL : take_text(input);
	object->protected_by = take(input, 4) ? NULL : take_text(input);
	object->mode = take(input, 256);
}

static struct dl_foothold *take_foothold(struct input *input)
{
	struct dl_foothold *foothold =
		dl_foothold_new((enum dl_kind)take(input, DL_KIND_COUNT));
	foothold->scope = take_text(input);
	foothold->location = take_text(input);
	foothold->name = take_text(input);
	foothold->line = take_text(input);
	foothold->command = take_text(input);
	foothold->user = take_text(input);
	foothold->activates = take_text(input);
	foothold->manual_because = take(input, 4) ? NULL : take_text(input);
	foothold->occurrence = take(input, 3);
	for (unsigned int n = take(input, OBJECTS); n > 0; n--)
		take_object(input, dl_foothold_add_object(foothold));
	dl_foothold_seal(foothold);
	return foothold;
}

static void targets_only_what_was_created(const struct dl_plan *plan)
{
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct dl_step *step = &plan->steps[i];
		if (step->verb == DL_VERB_MANUAL)
			continue;
		for (size_t k = 0; k < step->object_count; k++) {
			must(step->objects[k].baseline == DL_BASELINE_ABSENT);
			must(!step->objects[k].protected_by);
		}
	}
}

static void plan_holds(const struct dl_survey *survey, const char *const *keys, size_t count)
{
	struct dl_plan_edit edit = { .keys = keys, .key_count = count };
	dl_auto(dl_plan) plan = NULL;
	dl_auto(dl_plan) again = NULL;
	must(dl_plan_propose(survey, &edit, &plan, NULL) == 0);
	targets_only_what_was_created(plan);
	dl_autojson *json = dl_plan_to_json(plan);
	must(dl_plan_from_json(json, &again, NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	dl_auto(dl_survey) survey = dl_survey_new();
	dl_auto(dl_survey) again = NULL;
	for (int i = 0; i < FOOTHOLDS && input.size > 0; i++)
		dl_survey_add(survey, take_foothold(&input));
	dl_autojson *json = dl_survey_to_json(survey);
	must(dl_survey_from_json(json, &again, NULL) == 0);
	const char *keys[FOOTHOLDS];
	for (size_t i = 0; i < survey->foothold_count; i++)
		keys[i] = survey->footholds[i]->key;
	plan_holds(survey, keys, survey->foothold_count);
	plan_holds(survey, keys, survey->foothold_count / 2);
	return 0;
}
