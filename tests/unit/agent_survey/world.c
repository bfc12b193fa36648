#include "world.h"

struct dl_survey *survey_of(struct fake_host *fake, bool all)
{
	dl_auto(dl_host) host = fake_host_open(fake);
	struct dl_survey *survey = NULL;
	struct dl_survey_options options = { .all = all };
	assert_int_equal(dl_survey_make(host, &options, &survey, NULL), 0);
	return survey;
}

const struct dl_foothold *named(const struct dl_survey *survey, const char *name)
{
	const struct dl_foothold *found = NULL;
	for (size_t i = 0; i < survey->foothold_count; i++) {
		const struct dl_foothold *foothold = survey->footholds[i];
		if (!foothold->name || strcmp(foothold->name, name) != 0)
			continue;
		assert_null(found);
		found = foothold;
	}
	assert_non_null(found);
	return found;
}

const struct dl_foothold *lined(const struct dl_survey *survey, const char *line)
{
	for (size_t i = 0; i < survey->foothold_count; i++)
		if (survey->footholds[i]->line && strcmp(survey->footholds[i]->line, line) == 0)
			return survey->footholds[i];
	fail_msg("no line '%s'", line);
	return NULL;
}

char *objects_of(const struct dl_foothold *foothold)
{
	dl_autobuf words = DL_BUF_INIT;
	for (size_t i = 0; i < foothold->object_count; i++) {
		const struct dl_object *object = &foothold->objects[i];
		if (object->baseline != DL_BASELINE_SAME)
			dl_buf_printf(&words, "%s%s:%s", words.size ? " " : "",
				      dl_object_role_name(object->role), object->path);
	}
	return dl_buf_take(&words);
}
