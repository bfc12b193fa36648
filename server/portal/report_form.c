#include "server/portal/report_form.h"

#include "core/plan/step.h"

#include <stdio.h>
#include <string.h>

enum { FIELD_NAME_SIZE = 32 };

static json_t *text_or_empty(const char *text)
{
	json_t *value = text ? json_string(text) : NULL; /* NULL for what is not UTF-8 */
	return value ? value : json_string("");
}

static const char *numbered(struct dl_request *request, const char *name, int n)
{
	char field[FIELD_NAME_SIZE];
	snprintf(field, sizeof(field), "%s.%d", name, n);
	return dl_request_form(request, field);
}

static json_t *read_repeated(struct dl_request *request, const char *name)
{
	json_t *list = json_array();
	const char *text;
	for (size_t n = 0; (text = dl_request_form_nth(request, name, n)); n++)
		json_array_append_new(list, text_or_empty(text));
	return list;
}

static bool contains(const json_t *list, const char *text)
{
	size_t i;
	json_t *item;
	json_array_foreach(list, i, item) {
		if (strcmp(json_string_value(item), text) == 0)
			return true;
	}
	return false;
}

/* A step whose foothold is no longer chosen, or whose payload is left alone,
 * is not in the plan any more: its downgrade goes with it. */
static json_t *read_downgrades(struct dl_request *request, const json_t *keys, const json_t *leave)
{
	json_t *list = json_array();
	for (int n = 1; n <= DL_PLAN_STEPS_MAX; n++) {
		const char *target = numbered(request, "target", n);
		const char *kind = numbered(request, "target-kind", n);
		if (!target || !kind || !numbered(request, "manual", n))
			continue;
		bool is_path = strcmp(kind, "path") == 0;
		if (is_path ? contains(leave, target) : !contains(keys, target))
			continue;
		json_t *entry = json_object();
		json_object_set_new(entry, is_path ? "path" : "key", text_or_empty(target));
		json_object_set_new(entry, "instructions",
				    text_or_empty(numbered(request, "instructions", n)));
		json_array_append_new(list, entry);
	}
	return list;
}

static json_t *read_extras(struct dl_request *request)
{
	json_t *list = json_array();
	for (int n = 1; n <= DL_PLAN_STEPS_MAX; n++) {
		const char *title = numbered(request, "extra-title", n);
		if (!title || !*title)
			continue;
		json_t *entry = json_object();
		json_object_set_new(entry, "title", text_or_empty(title));
		json_object_set_new(entry, "instructions",
				    text_or_empty(numbered(request, "extra-how", n)));
		json_array_append_new(list, entry);
	}
	return list;
}

json_t *dl_report_form_read(struct dl_request *request)
{
	static const char *const texts[] = { "subject", "severity", "summary", "recommendations" };
	json_t *report = json_object(), *edit = json_object();
	for (size_t i = 0; i < DL_COUNT(texts); i++)
		json_object_set_new(report, texts[i],
				    text_or_empty(dl_request_form(request, texts[i])));
	json_t *keys = read_repeated(request, "key");
	json_t *leave = read_repeated(request, "leave");
	json_object_set_new(edit, "downgrade", read_downgrades(request, keys, leave));
	json_object_set_new(edit, "keys", keys);
	json_object_set_new(edit, "leave_payloads", leave);
	json_object_set_new(edit, "manual", read_extras(request));
	json_object_set_new(report, "edit", edit);
	return report;
}

json_t *dl_report_form_of_revision(const json_t *revision)
{
	static const char *const members[] = { "subject", "severity", "summary", "recommendations",
					       "edit" };
	json_t *report = json_object();
	for (size_t i = 0; i < DL_COUNT(members); i++) {
		json_t *value = json_object_get(revision, members[i]);
		json_object_set_new(report, members[i], value ? json_deep_copy(value) : json_null());
	}
	return report;
}

static bool is_present(const json_t *footholds, const char *key)
{
	size_t i;
	json_t *foothold;
	json_array_foreach(footholds, i, foothold) {
		const char *present = json_string_value(json_object_get(foothold, "key"));
		if (present && strcmp(present, key) == 0)
			return true;
	}
	return false;
}

void dl_report_form_keep_present(json_t *report, const json_t *footholds)
{
	json_t *edit = json_object_get(report, "edit");
	json_t *keys = json_array(), *downgrades = json_array(), *item;
	size_t i;
	json_array_foreach(json_object_get(edit, "keys"), i, item) {
		if (is_present(footholds, json_string_value(item)))
			json_array_append(keys, item);
	}
	json_array_foreach(json_object_get(edit, "downgrade"), i, item) {
		const char *key = json_string_value(json_object_get(item, "key"));
		if (!key || contains(keys, key))
			json_array_append(downgrades, item);
	}
	json_object_set_new(edit, "keys", keys);
	json_object_set_new(edit, "downgrade", downgrades);
}

struct dl_report_request dl_report_form_request(const json_t *report)
{
	return (struct dl_report_request){
		.subject = json_string_value(json_object_get(report, "subject")),
		.severity = json_string_value(json_object_get(report, "severity")),
		.summary = json_string_value(json_object_get(report, "summary")),
		.recommendations = json_string_value(json_object_get(report, "recommendations")),
		.edit = json_object_get(report, "edit"),
	};
}

static void append_extra(json_t *rows, const char *title, const char *instructions)
{
	json_array_append_new(rows, json_pack("{sI ss ss}", "n",
					      (json_int_t)json_array_size(rows) + 1, "title", title,
					      "instructions", instructions));
}

json_t *dl_report_form_fields(const json_t *report)
{
	const json_t *edit = json_object_get(report, "edit");
	json_t *fields = json_copy((json_t *)report), *rows = json_array();
	size_t i;
	json_t *extra;
	json_array_foreach(json_object_get(edit, "manual"), i, extra)
		append_extra(rows, json_string_value(json_object_get(extra, "title")),
			     json_string_value(json_object_get(extra, "instructions")));
	append_extra(rows, "", "");
	json_object_set_new(fields, "manual", rows);
	json_object_set(fields, "leave_payloads", json_object_get(edit, "leave_payloads"));
	return fields;
}

/* The only object of a payload's own step; NULL for other steps. */
static const char *payload_path(const json_t *step)
{
	const json_t *objects = json_object_get(step, "objects");
	const json_t *object = json_array_get(objects, 0);
	const char *role = json_string_value(json_object_get(object, "role"));
	if (json_array_size(objects) != 1 || !role ||
	    strcmp(role, dl_object_role_name(DL_ROLE_PAYLOAD)) != 0)
		return NULL;
	return json_string_value(json_object_get(object, "path"));
}

static json_t *find_instructions(const json_t *edit, const char *kind, const char *target)
{
	size_t i;
	json_t *entry;
	json_array_foreach(json_object_get(edit, "downgrade"), i, entry) {
		const char *named = json_string_value(json_object_get(entry, kind));
		if (named && strcmp(named, target) == 0)
			return json_object_get(entry, "instructions");
	}
	return NULL;
}

void dl_report_form_name_targets(json_t *plan, const json_t *report)
{
	const json_t *edit = json_object_get(report, "edit");
	size_t i;
	json_t *step;
	json_array_foreach(json_object_get(plan, "steps"), i, step) {
		const char *path = payload_path(step);
		const char *key = json_string_value(json_object_get(step, "key"));
		const char *target = path ? path : key, *kind = path ? "path" : "key";
		if (!target || !*target)
			continue;
		json_object_set_new(step, "target", json_string(target));
		json_object_set_new(step, "target_kind", json_string(kind));
		json_t *instructions = find_instructions(edit, kind, target);
		if (instructions)
			json_object_set(step, "instructions", instructions);
	}
}

void dl_report_form_mark_chosen(json_t *footholds, const json_t *report)
{
	const json_t *keys = json_object_get(json_object_get(report, "edit"), "keys");
	size_t i;
	json_t *foothold;
	json_array_foreach(footholds, i, foothold) {
		const char *key = json_string_value(json_object_get(foothold, "key"));
		json_object_set_new(foothold, "chosen", json_boolean(key && contains(keys, key)));
	}
}
