#include "core/plan/edit.h"

#include <string.h>

static int check_downgrade(const json_t *entry, struct dl_error *err)
{
	static const char *const members[] = { "key", "path", "instructions", NULL };
	const char *key = NULL, *path = NULL, *instructions = NULL;
	int r = dl_json_only(entry, members, err);
	if (r == 0)
		r = dl_json_str_opt(entry, "key", DL_SHA256_TEXT_SIZE - 1, &key, err);
	if (r == 0)
		r = dl_json_str_opt(entry, "path", DL_PATH_MAX_BYTES, &path, err);
	if (r == 0)
		r = dl_json_str(entry, "instructions", DL_INSTRUCTIONS_MAX_BYTES, &instructions,
				err);
	if (r == 0 && !key == !path)
		r = dl_error_set(err, DL_E_INVALID, "either 'key' or 'path' is needed");
	return r;
}

static int check_written(const json_t *entry, struct dl_error *err)
{
	struct dl_step step = { 0 };
	int r = dl_edit_written(entry, &step, err);
	dl_step_clear(&step);
	return r;
}

static int check_edge(const json_t *entry, struct dl_error *err)
{
	static const char *const members[] = { "step", "requires", NULL };
	const char *step = NULL, *requires = NULL;
	int r = dl_json_only(entry, members, err);
	if (r == 0)
		r = dl_json_str(entry, "step", DL_PATH_MAX_BYTES, &step, err);
	if (r == 0)
		r = dl_json_str(entry, "requires", DL_PATH_MAX_BYTES, &requires, err);
	return r;
}

static int check_list(const json_t *list, const char *name,
		      int (*check)(const json_t *, struct dl_error *), struct dl_error *err)
{
	size_t i;
	json_t *entry;
	if (!list)
		return 0;
	if (!json_is_array(list))
		return dl_error_set(err, DL_E_INVALID, "'%s' is not a list", name);
	if (json_array_size(list) > DL_PLAN_STEPS_MAX)
		return dl_error_set(err, DL_E_LIMIT, "'%s' has more than %d entries", name,
				    DL_PLAN_STEPS_MAX);
	json_array_foreach(list, i, entry) {
		int r = check(entry, err);
		if (r < 0)
			return dl_error_prefix(err, r, "'%s'", name);
	}
	return 0;
}

int dl_edit_check(const struct dl_plan_edit *edit, struct dl_error *err)
{
	int r = check_list(edit->downgrade, "downgrade", check_downgrade, err);
	if (r == 0)
		r = check_list(edit->manual, "manual", check_written, err);
	if (r == 0)
		r = check_list(edit->requires, "requires", check_edge, err);
	return r;
}

const char *dl_edit_downgrade(const struct dl_plan_edit *edit, const char *member,
			      const char *value)
{
	size_t i;
	json_t *entry;
	json_array_foreach(edit->downgrade, i, entry) {
		const char *named = json_string_value(json_object_get(entry, member));
		if (named && strcmp(named, value) == 0)
			return json_string_value(json_object_get(entry, "instructions"));
	}
	return NULL;
}

int dl_edit_written(const json_t *entry, struct dl_step *ret_step, struct dl_error *err)
{
	static const char *const members[] = { "title", "instructions", NULL };
	const char *title = NULL, *instructions = NULL;
	int r = dl_json_only(entry, members, err);
	if (r == 0)
		r = dl_json_str(entry, "title", DL_NAME_MAX_BYTES, &title, err);
	if (r == 0 && !*title)
		r = dl_error_set(err, DL_E_INVALID, "'title' is empty");
	if (r == 0)
		r = dl_json_str(entry, "instructions", DL_INSTRUCTIONS_MAX_BYTES, &instructions,
				err);
	if (r < 0)
		return r;
	*ret_step = (struct dl_step){
		.verb = DL_VERB_MANUAL,
		.title = dl_strdup(title),
		.detail = dl_strdup(instructions),
	};
	return 0;
}

int dl_edit_add_require(struct dl_step *step, int64_t id, struct dl_error *err)
{
	size_t at = 0;
	while (at < step->require_count && step->requires[at] < id)
		at++;
	if (at < step->require_count && step->requires[at] == id)
		return 0;
	if (step->require_count == DL_STEP_REQUIRES_MAX)
		return dl_error_set(err, DL_E_LIMIT, "a step requires more than %d others",
				    DL_STEP_REQUIRES_MAX);
	step->requires = dl_realloc(step->requires, step->require_count + 1,
				    sizeof(step->requires[0]));
	memmove(step->requires + at + 1, step->requires + at,
		(step->require_count - at) * sizeof(step->requires[0]));
	step->requires[at] = id;
	step->require_count++;
	return 0;
}

static bool is_about_payload(const struct dl_step *step)
{
	return step->object_count == 1 && step->objects[0].role == DL_ROLE_PAYLOAD;
}

/* A trigger's step by its foothold key, or a payload's step by its path. */
static struct dl_step *find_step(const struct dl_plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->step_count; i++) {
		struct dl_step *step = &plan->steps[i];
		const char *own = is_about_payload(step) ? step->objects[0].path : step->key;
		if (*own && strcmp(own, name) == 0)
			return step;
	}
	return NULL;
}

static int check_downgraded(const struct dl_plan_edit *edit, const struct dl_plan *plan,
			    struct dl_error *err)
{
	size_t i;
	json_t *entry;
	json_array_foreach(edit->downgrade, i, entry) {
		const char *key = json_string_value(json_object_get(entry, "key"));
		const char *path = json_string_value(json_object_get(entry, "path"));
		if (!find_step(plan, key ? key : path))
			return dl_error_set(err, DL_E_INVALID, "'downgrade' names no step");
	}
	return 0;
}

int dl_edit_apply(const struct dl_plan_edit *edit, struct dl_plan *plan, struct dl_error *err)
{
	size_t i;
	json_t *entry;
	int r = check_downgraded(edit, plan, err);
	if (r < 0)
		return r;
	json_array_foreach(edit->requires, i, entry) {
		struct dl_step *step =
			find_step(plan, json_string_value(json_object_get(entry, "step")));
		const struct dl_step *first =
			find_step(plan, json_string_value(json_object_get(entry, "requires")));
		if (!step || !first)
			return dl_error_set(err, DL_E_INVALID, "'requires' names no step");
		if (step->verb == DL_VERB_MANUAL || first->verb == DL_VERB_MANUAL)
			return dl_error_set(err, DL_E_INVALID, "'requires' names a manual step");
		if (first->id >= step->id)
			return dl_error_set(err, DL_E_INVALID,
					    "'requires' names a step that does not come earlier");
		r = dl_edit_add_require(step, first->id, err);
		if (r < 0)
			return r;
	}
	return 0;
}
