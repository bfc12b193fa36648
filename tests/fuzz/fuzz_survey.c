/* An accepted survey is written and read back unchanged. Footholds carry a
 * hash over their facts, so their entries are also read as bare objects. */
#include "fuzz.h"

#include "core/plan/survey.h"

static void read_objects(const json_t *survey)
{
	size_t i, k;
	json_t *foothold, *entry;
	json_array_foreach(json_object_get(survey, "footholds"), i, foothold) {
		json_array_foreach(json_object_get(foothold, "objects"), k, entry) {
			struct dl_object object = { 0 }, again = { 0 };
			if (dl_object_from_json(entry, &object, NULL) < 0)
				continue;
			dl_autojson *written = dl_object_to_json(&object);
			must(dl_object_from_json(written, &again, NULL) == 0);
			dl_object_clear(&object);
			dl_object_clear(&again);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	dl_autojson *json = NULL;
	dl_auto(dl_survey) survey = NULL;
	dl_auto(dl_survey) again = NULL;
	if (dl_json_parse((const char *)data, size, DL_SURVEY_MAX_BYTES, &json, NULL) < 0)
		return 0;
	read_objects(json);
	if (dl_survey_from_json(json, &survey, NULL) < 0)
		return 0;
	dl_autojson *written = dl_survey_to_json(survey);
	must(dl_survey_from_json(written, &again, NULL) == 0);
	dl_autojson *rewritten = dl_survey_to_json(again);
	must(json_equal(written, rewritten));
	return 0;
}
