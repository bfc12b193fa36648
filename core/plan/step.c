#include "core/plan/step.h"

#include <string.h>

static const char *const verb_names[DL_VERB_COUNT] = {
	[DL_VERB_MANUAL] = "manual",
	[DL_VERB_SYSTEMD_UNIT_REMOVE] = "systemd.unit_remove",
	[DL_VERB_CRON_LINE_REMOVE] = "cron.line_remove",
	[DL_VERB_FILE_QUARANTINE] = "file.quarantine",
	[DL_VERB_REG_VALUE_DELETE] = "reg.value_delete",
};

static const char *const state_names[DL_RUN_STATE_COUNT] = {
	[DL_RUN_PENDING] = "pending",	    [DL_RUN_RUNNING] = "running",
	[DL_RUN_REMOVED] = "removed",	    [DL_RUN_ALREADY_GONE] = "already_gone",
	[DL_RUN_STALE] = "stale",	    [DL_RUN_FAILED] = "failed",
	[DL_RUN_REFUSED] = "refused",	    [DL_RUN_SKIPPED] = "skipped",
	[DL_RUN_UNVERIFIED] = "unverified", [DL_RUN_CANCELLED] = "cancelled",
	[DL_RUN_EXPIRED] = "expired",	    [DL_RUN_RESTORED] = "restored",
};

const char *dl_verb_name(enum dl_verb verb)
{
	return verb_names[verb];
}

const char *dl_run_state_name(enum dl_run_state state)
{
	return state_names[state];
}

int dl_run_state_parse(const char *name, enum dl_run_state *ret, struct dl_error *err)
{
	for (size_t i = 0; i < DL_RUN_STATE_COUNT; i++) {
		if (strcmp(state_names[i], name) == 0) {
			*ret = (enum dl_run_state)i;
			return 0;
		}
	}
	return dl_error_set(err, DL_E_INVALID, "no such state of a step");
}

bool dl_run_state_is_terminal(enum dl_run_state state)
{
	return state != DL_RUN_PENDING && state != DL_RUN_RUNNING;
}

void dl_step_clear(struct dl_step *step)
{
	for (size_t i = 0; i < step->object_count; i++)
		dl_object_clear(&step->objects[i]);
	free(step->objects);
	free(step->requires);
	free(step->title);
	free(step->why);
	free(step->detail);
	free(step->unit);
	free(step->line);
	*step = (struct dl_step){ 0 };
}

json_t *dl_step_to_json(const struct dl_step *step)
{
	json_t *json = json_object(), *objects = json_array(), *requires = json_array();
	for (size_t i = 0; i < step->object_count; i++)
		json_array_append_new(objects, dl_object_to_json(&step->objects[i]));
	for (size_t i = 0; i < step->require_count; i++)
		json_array_append_new(requires, json_integer(step->requires[i]));
	dl_json_put_int(json, "id", step->id);
	dl_json_put_str(json, "verb", verb_names[step->verb]);
	dl_json_put_str(json, "key", step->key);
	dl_json_put_str(json, "title", step->title);
	dl_json_put_str(json, "why", step->why);
	dl_json_put_str(json, "manual_because", dl_reason_name(step->manual_because));
	dl_json_put_str(json, "detail", step->detail);
	dl_json_put_bool(json, "downgraded", step->downgraded);
	dl_json_put_str(json, "unit", step->unit);
	dl_json_put_str(json, "line", step->line);
	dl_json_put_int(json, "occurrence", step->occurrence);
	dl_json_put(json, "objects", objects);
	dl_json_put(json, "requires", requires);
	return json;
}

static int read_verb(const json_t *json, struct dl_step *step, struct dl_error *err)
{
	const char *name = NULL;
	int r = dl_json_str(json, "verb", DL_NAME_MAX_BYTES, &name, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < DL_VERB_COUNT; i++) {
		if (strcmp(verb_names[i], name) == 0) {
			step->verb = (enum dl_verb)i;
			return 0;
		}
	}
	return dl_error_set(err, DL_E_INVALID, "no such verb");
}

static int read_key(const json_t *json, struct dl_step *step, struct dl_error *err)
{
	const char *key = NULL;
	int r = dl_json_str(json, "key", DL_SHA256_TEXT_SIZE - 1, &key, err);
	if (r == 0 && *key)
		r = dl_json_hex(json, "key", DL_SHA256_SIZE, &key, err);
	if (r == 0)
		memcpy(step->key, key, strlen(key) + 1);
	return r;
}

static int read_reason(const json_t *json, struct dl_step *step, struct dl_error *err)
{
	const char *name = NULL;
	int r = dl_json_str(json, "manual_because", DL_NAME_MAX_BYTES, &name, err);
	if (r < 0)
		return r;
	step->manual_because = dl_reason_parse(name);
	if (step->manual_because == DL_REASON_COUNT)
		return dl_error_set(err, DL_E_INVALID, "no such reason");
	return 0;
}

static int read_texts(const json_t *json, struct dl_step *step, struct dl_error *err)
{
	int r = dl_json_words_opt(json, "title", DL_STEP_TEXT_MAX_BYTES, &step->title, err);
	if (r == 0 && !step->title)
		r = dl_error_set(err, DL_E_INVALID, "'title' is missing");
	if (r == 0)
		r = dl_json_words_opt(json, "why", DL_STEP_TEXT_MAX_BYTES, &step->why, err);
	if (r == 0)
		r = dl_json_words_opt(json, "detail", DL_STEP_TEXT_MAX_BYTES, &step->detail, err);
	if (r == 0)
		r = dl_json_bytes_opt(json, "unit", DL_NAME_MAX_BYTES, &step->unit, err);
	if (r == 0)
		r = dl_json_bytes_opt(json, "line", DL_FOOTHOLD_LINE_MAX_BYTES, &step->line, err);
	return r;
}

static int read_objects(const json_t *json, struct dl_step *step, struct dl_error *err)
{
	json_t *objects = NULL, *entry;
	size_t i;
	int r = dl_json_array(json, "objects", DL_FOOTHOLD_OBJECTS_MAX, &objects, err);
	if (r < 0)
		return r;
	step->objects = dl_alloc(json_array_size(objects), sizeof(step->objects[0]));
	json_array_foreach(objects, i, entry) {
		r = dl_object_from_json(entry, &step->objects[i], err);
		if (r < 0)
			return r;
		step->object_count++;
	}
	return 0;
}

/* Ascending, so that none appears twice, and earlier than the step itself. */
static int read_requires(const json_t *json, struct dl_step *step, struct dl_error *err)
{
	json_t *requires = NULL, *entry;
	size_t i;
	int r = dl_json_array(json, "requires", DL_STEP_REQUIRES_MAX, &requires, err);
	if (r < 0)
		return r;
	step->requires = dl_alloc(json_array_size(requires), sizeof(step->requires[0]));
	json_array_foreach(requires, i, entry) {
		int64_t id = json_is_integer(entry) ? json_integer_value(entry) : 0;
		int64_t least = i == 0 ? 1 : step->requires[i - 1] + 1;
		if (id < least || id >= step->id)
			return dl_error_set(err, DL_E_INVALID,
					    "'requires' does not name earlier steps in order");
		step->requires[step->require_count++] = id;
	}
	return 0;
}

/* What the executor compares with the host must be complete. */
static bool is_exact(const struct dl_object *object)
{
	return (object->type == DL_TYPE_FILE && object->sha256) ||
	       (object->type == DL_TYPE_SYMLINK && object->link_target);
}

static bool is_unit_target(const struct dl_step *step)
{
	bool all = step->unit && *step->unit && step->object_count > 0;
	for (size_t i = 0; i < step->object_count; i++) {
		enum dl_object_role role = step->objects[i].role;
		all = all && is_exact(&step->objects[i]) &&
		      (role == DL_ROLE_UNIT || role == DL_ROLE_DROPIN || role == DL_ROLE_LINK);
	}
	return all;
}

/* The verbs are a closed table: each has one form of target. */
static bool has_right_target(const struct dl_step *step)
{
	const struct dl_object *only = step->object_count == 1 ? &step->objects[0] : NULL;
	switch (step->verb) {
	case DL_VERB_SYSTEMD_UNIT_REMOVE:
		return is_unit_target(step);
	case DL_VERB_CRON_LINE_REMOVE:
		return only && only->role == DL_ROLE_TABLE && only->type == DL_TYPE_FILE &&
		       step->line && step->occurrence >= 1;
	case DL_VERB_FILE_QUARANTINE:
		return only && only->role == DL_ROLE_PAYLOAD && is_exact(only);
	case DL_VERB_REG_VALUE_DELETE:
		return only && only->role == DL_ROLE_VALUE && only->type == DL_TYPE_REGISTRY;
	case DL_VERB_MANUAL: /* a person's work may have any target, or none */
		return true;
	case DL_VERB_COUNT:
		break;
	}
	return false;
}

static int check_step(const struct dl_step *step, struct dl_error *err)
{
	bool manual = step->verb == DL_VERB_MANUAL;
	if (!has_right_target(step))
		return dl_error_set(err, DL_E_INVALID, "the target does not fit the verb");
	if (!manual && (step->manual_because != DL_REASON_NONE || step->downgraded || !*step->key))
		return dl_error_set(err, DL_E_INVALID, "an assisted step that says it is manual");
	if (manual && step->require_count > 0)
		return dl_error_set(err, DL_E_INVALID, "a manual step that requires others");
	return 0;
}

static int read_step(const json_t *json, struct dl_step *step, struct dl_error *err)
{
	static const char *const members[] = {
		"id",	"verb", "key",	"title",      "why",	 "manual_because", "detail",
		"downgraded", "unit", "line", "occurrence", "objects", "requires", NULL,
	};
	int r = dl_json_only(json, members, err);
	if (r == 0)
		r = dl_json_int(json, "id", 1, DL_PLAN_STEPS_MAX, &step->id, err);
	if (r == 0)
		r = read_verb(json, step, err);
	if (r == 0)
		r = read_key(json, step, err);
	if (r == 0)
		r = read_reason(json, step, err);
	if (r == 0)
		r = read_texts(json, step, err);
	if (r == 0)
		r = dl_json_bool_opt(json, "downgraded", &step->downgraded, err);
	if (r == 0)
		r = dl_json_int(json, "occurrence", 0, INT32_MAX, &step->occurrence, err);
	if (r == 0)
		r = read_objects(json, step, err);
	if (r == 0)
		r = read_requires(json, step, err);
	return r < 0 ? r : check_step(step, err);
}

int dl_step_from_json(const json_t *json, struct dl_step *ret_step, struct dl_error *err)
{
	struct dl_step step = { 0 };
	int r = read_step(json, &step, err);
	if (r < 0) {
		dl_step_clear(&step);
		return dl_error_prefix(err, r, "step");
	}
	*ret_step = step;
	return 0;
}
