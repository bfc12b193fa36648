#include "server/portal/details.h"

#include "core/json/json.h"
#include "core/base/mem.h"

static json_t *spell_value(json_t *value)
{
	if (json_is_string(value) || json_is_integer(value))
		return json_incref(value);
	if (json_is_boolean(value))
		return json_string(json_is_true(value) ? "yes" : "no");
	if (json_is_null(value))
		return json_string("none");
	dl_autofree char *text = dl_json_text(value);
	return json_string(text);
}

static json_t *spell_detail(json_t *detail)
{
	json_t *words = json_array(), *value;
	const char *name;
	json_object_foreach(detail, name, value)
		json_array_append_new(words, json_pack("{ss so}", "name", name, "value",
						       spell_value(value)));
	return words;
}

void dl_details_spell(json_t *events)
{
	size_t i;
	json_t *event;
	json_array_foreach(events, i, event)
		json_object_set_new(event, "words", spell_detail(json_object_get(event, "detail")));
}
