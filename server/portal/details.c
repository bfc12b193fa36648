#include "server/portal/details.h"

#include "core/base/mem.h"
#include "core/json/json.h"

#include <stdio.h>
#include <string.h>

static json_t *spell_value(json_t *value)
{
	if (json_is_string(value) || json_is_integer(value))
		return json_incref(value);
	if (json_is_boolean(value))
		return json_string(json_is_true(value) ? "yes" : "no");
	dl_autofree char *text = dl_json_text(value);
	return json_string(text);
}

static json_t *spell_detail(json_t *detail)
{
	json_t *words = json_array(), *value;
	const char *name;
	json_object_foreach(detail, name, value) {
		bool is_empty = json_is_null(value) || (json_is_string(value) && !json_string_length(value));
		if (!is_empty)
			json_array_append_new(words, json_pack("{ss so}", "name", name, "value",
							       spell_value(value)));
	}
	return words;
}

/* An object that only repeats the incident, which is shown as a link anyway. */
static bool names_its_incident(const json_t *event)
{
	char name[32];
	snprintf(name, sizeof(name), "incident %" JSON_INTEGER_FORMAT,
		 json_integer_value(json_object_get(event, "incident")));
	const char *object = json_string_value(json_object_get(event, "object"));
	return object && strcmp(object, name) == 0;
}

void dl_details_spell(json_t *events)
{
	size_t i;
	json_t *event;
	json_array_foreach(events, i, event) {
		json_object_set_new(event, "words", spell_detail(json_object_get(event, "detail")));
		if (names_its_incident(event))
			json_object_del(event, "object");
	}
}
