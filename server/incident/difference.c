#include "server/incident/difference.h"

#include "core/base/mem.h"

#include <stdbool.h>
#include <string.h>

static const char *text(const json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));
	return value ? value : "";
}

static bool same_text(const json_t *a, const json_t *b, const char *name)
{
	return strcmp(text(a, name), text(b, name)) == 0;
}

static bool same_step(const json_t *a, const json_t *b)
{
	const json_t *first_a = json_array_get(json_object_get(a, "objects"), 0);
	const json_t *first_b = json_array_get(json_object_get(b, "objects"), 0);
	if (!same_text(a, b, "key") || !same_text(first_a, first_b, "path"))
		return false;
	/* A step about a foothold stays the same step when it becomes manual. */
	return text(a, "key")[0] || first_a || same_text(a, b, "title");
}

static size_t find(const json_t *steps, const json_t *step)
{
	size_t i = 0;
	while (i < json_array_size(steps) && !same_step(json_array_get(steps, i), step))
		i++;
	return i;
}

/* Ids are positions, and `requires` speaks in ids: both move when a step is put
 * before; the content is what is left. */
static bool same_content(const json_t *a, const json_t *b)
{
	json_t *bare_a = json_copy((json_t *)a), *bare_b = json_copy((json_t *)b);
	json_object_del(bare_a, "id");
	json_object_del(bare_b, "id");
	json_object_del(bare_a, "requires");
	json_object_del(bare_b, "requires");
	bool same = json_equal(bare_a, bare_b);
	json_decref(bare_a);
	json_decref(bare_b);
	return same;
}

static json_t *or_null(json_t *value)
{
	return value ? json_incref(value) : json_null();
}

static void add_change(json_t *changes, const char *change, json_t *before, json_t *after)
{
	json_array_append_new(changes, json_pack("{s:s,s:s,s:o,s:o}", "change", change, "title",
						 text(after ? after : before, "title"), "before",
						 or_null(before), "after", or_null(after)));
}

/* Steps that both have must stand in the same order; one that comes before a
 * step it used to follow has moved. */
static json_t *step_changes(const json_t *before, const json_t *after)
{
	json_t *changes = json_array();
	size_t last = 0;
	for (size_t i = 0; i < json_array_size(after); i++) {
		json_t *step = json_array_get(after, i);
		size_t old = find(before, step);
		json_t *old_step = json_array_get(before, old);
		if (!old_step)
			add_change(changes, "added", NULL, step);
		else if (!same_content(old_step, step))
			add_change(changes, "changed", old_step, step);
		else if (old < last)
			add_change(changes, "moved", old_step, step);
		if (old_step && old > last)
			last = old;
	}
	for (size_t i = 0; i < json_array_size(before); i++) {
		json_t *step = json_array_get(before, i);
		if (find(after, step) == json_array_size(after))
			add_change(changes, "removed", step, NULL);
	}
	return changes;
}

json_t *dl_revision_difference(const json_t *before, const json_t *after)
{
	static const char *const names[] = { "subject", "severity", "summary", "recommendations" };
	json_t *fields = json_array();
	for (size_t i = 0; i < DL_COUNT(names); i++)
		if (!same_text(before, after, names[i]))
			json_array_append_new(fields, json_pack("{s:s,s:s,s:s}", "name", names[i],
								"before", text(before, names[i]),
								"after", text(after, names[i])));
	return json_pack("{s:O,s:o,s:o}", "against", json_object_get(before, "no"), "fields", fields,
			 "steps", step_changes(json_object_get(before, "steps"),
					       json_object_get(after, "steps")));
}
