#include "core/plan/survey.h"

#include <string.h>

/* Room for everything in a survey's JSON that is not a foothold. */
enum { SURVEY_HEAD_BYTES = 64 * 1024 };

static const char *const coverage_names[] = {
	[DL_COVERAGE_UNSUPPORTED] = "unsupported",
	[DL_COVERAGE_PARTIAL] = "partial",
	[DL_COVERAGE_COMPLETE] = "complete",
};

const char *dl_coverage_name(enum dl_coverage coverage)
{
	return coverage_names[coverage];
}

struct dl_survey *dl_survey_new(void)
{
	return DL_NEW(struct dl_survey);
}

void dl_survey_free(struct dl_survey *survey)
{
	if (!survey)
		return;
	for (size_t i = 0; i < survey->foothold_count; i++)
		dl_foothold_free(survey->footholds[i]);
	for (size_t i = 0; i < DL_KIND_COUNT; i++)
		free(survey->coverage_why[i]);
	free(survey->footholds);
	free(survey->untrusted_because);
	free(survey->host.hostname);
	free(survey->host.os);
	free(survey->host.kernel);
	free(survey->host.architecture);
	free(survey);
}

static void append(struct dl_survey *survey, struct dl_foothold *foothold)
{
	survey->footholds = dl_realloc(survey->footholds, survey->foothold_count + 1,
				       sizeof(survey->footholds[0]));
	survey->footholds[survey->foothold_count++] = foothold;
}

/* What a text counts for. A survey travels as a text within a text, where every
 * quote and backslash takes two bytes: made of them it could grow to twice its
 * size, past what the server takes in one request. Weighed like this a full one
 * has at most DL_SURVEY_MAX_BYTES by itself and 3/2 of them on its way. */
static size_t weigh(const char *text)
{
	size_t bytes = strlen(text) + 1, escaped = bytes;
	for (const char *at = text; *at; at++)
		escaped += *at == '"' || *at == '\\';
	return bytes > escaped / 3 * 2 ? bytes : escaped / 3 * 2;
}

/* NULL when the survey can take this foothold, else why not. */
static const char *refusal(struct dl_survey *survey, const struct dl_foothold *foothold)
{
	if (survey->foothold_count >= DL_SURVEY_FOOTHOLDS_MAX)
		return "more footholds than a survey may list";
	dl_autojson *json = dl_foothold_to_json(foothold);
	dl_auto(dl_foothold) again = NULL;
	if (dl_foothold_from_json(json, &again, NULL) < 0)
		return "a foothold's names or contents exceed what a survey may say";
	dl_autofree char *text = dl_json_text(json);
	size_t bytes = weigh(text);
	if (survey->foothold_bytes + bytes > DL_SURVEY_MAX_BYTES - SURVEY_HEAD_BYTES)
		return "more bytes than a survey may hold";
	survey->foothold_bytes += bytes;
	return NULL;
}

void dl_survey_add(struct dl_survey *survey, struct dl_foothold *foothold)
{
	const char *why = refusal(survey, foothold);
	if (!why) {
		append(survey, foothold);
		return;
	}
	dl_survey_cover(survey, foothold->kind, DL_COVERAGE_PARTIAL, why);
	dl_foothold_free(foothold);
}

void dl_survey_cover(struct dl_survey *survey, enum dl_kind kind, enum dl_coverage coverage,
		     const char *why)
{
	if (survey->coverage[kind] == DL_COVERAGE_PARTIAL && coverage == DL_COVERAGE_COMPLETE)
		return;
	survey->coverage[kind] = coverage;
	free(survey->coverage_why[kind]);
	survey->coverage_why[kind] = why ? dl_strndup(why, DL_WORDS_MAX_BYTES) : NULL;
}

static json_t *coverage_to_json(const struct dl_survey *survey)
{
	json_t *json = json_object();
	for (size_t i = 0; i < DL_KIND_COUNT; i++) {
		json_t *entry = json_object();
		const char *why = survey->coverage_why[i];
		dl_json_put_str(entry, "state", coverage_names[survey->coverage[i]]);
		dl_json_put_str(entry, "why", why ? why : "");
		dl_json_put(json, dl_kind_info((enum dl_kind)i)->name, entry);
	}
	return json;
}

static json_t *host_to_json(const struct dl_survey *survey)
{
	json_t *json = json_object();
	dl_json_put_str(json, "hostname", survey->host.hostname);
	dl_json_put_str(json, "os", survey->host.os);
	dl_json_put_str(json, "kernel", survey->host.kernel);
	dl_json_put_str(json, "architecture", survey->host.architecture);
	return json;
}

json_t *dl_survey_to_json(const struct dl_survey *survey)
{
	json_t *json = json_object(), *footholds = json_array();
	for (size_t i = 0; i < survey->foothold_count; i++)
		json_array_append_new(footholds, dl_foothold_to_json(survey->footholds[i]));
	const char *why = survey->untrusted_because;
	dl_json_put_int(json, "started", survey->started);
	dl_json_put_int(json, "finished", survey->finished);
	dl_json_put_bool(json, "trusted", survey->trusted);
	dl_json_put_str(json, "untrusted_because", why ? why : "");
	dl_json_put_int(json, "omitted", survey->omitted);
	dl_json_put(json, "host", host_to_json(survey));
	dl_json_put(json, "coverage", coverage_to_json(survey));
	dl_json_put(json, "footholds", footholds);
	return json;
}

static int read_coverage_entry(const json_t *entry, enum dl_kind kind, struct dl_survey *survey,
			       struct dl_error *err)
{
	static const char *const members[] = { "state", "why", NULL };
	const char *state = NULL;
	int r = dl_json_only(entry, members, err);
	if (r == 0)
		r = dl_json_str(entry, "state", DL_NAME_MAX_BYTES, &state, err);
	if (r == 0)
		r = dl_json_words_opt(entry, "why", DL_WORDS_MAX_BYTES,
				      &survey->coverage_why[kind], err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < DL_COUNT(coverage_names); i++) {
		if (strcmp(coverage_names[i], state) == 0) {
			survey->coverage[kind] = (enum dl_coverage)i;
			return 0;
		}
	}
	return dl_error_set(err, DL_E_INVALID, "no such coverage");
}

/* A kind that is not mentioned is unsupported: an older agent does not know it. */
static int read_coverage(const json_t *json, struct dl_survey *survey, struct dl_error *err)
{
	json_t *coverage = NULL, *entry;
	const char *name;
	int r = dl_json_object(json, "coverage", &coverage, err);
	if (r < 0)
		return r;
	json_object_foreach(coverage, name, entry) {
		enum dl_kind kind;
		r = dl_kind_parse(name, &kind, err);
		if (r == 0)
			r = read_coverage_entry(entry, kind, survey, err);
		if (r < 0)
			return dl_error_prefix(err, r, "coverage");
	}
	return 0;
}

static int read_host(const json_t *json, struct dl_survey *survey, struct dl_error *err)
{
	static const char *const members[] = { "hostname", "os", "kernel", "architecture", NULL };
	json_t *host = NULL;
	int r = dl_json_object(json, "host", &host, err);
	if (r == 0)
		r = dl_json_only(host, members, err);
	if (r == 0)
		r = dl_json_words_opt(host, "hostname", DL_NAME_MAX_BYTES,
				      &survey->host.hostname, err);
	if (r == 0)
		r = dl_json_words_opt(host, "os", DL_NAME_MAX_BYTES, &survey->host.os, err);
	if (r == 0)
		r = dl_json_words_opt(host, "kernel", DL_NAME_MAX_BYTES, &survey->host.kernel,
				      err);
	if (r == 0)
		r = dl_json_words_opt(host, "architecture", DL_NAME_MAX_BYTES,
				      &survey->host.architecture, err);
	return r;
}

static int read_head(const json_t *json, struct dl_survey *survey, struct dl_error *err)
{
	int r = dl_json_int(json, "started", 0, INT64_MAX, &survey->started, err);
	if (r == 0)
		r = dl_json_int(json, "finished", 0, INT64_MAX, &survey->finished, err);
	if (r == 0)
		r = dl_json_bool_opt(json, "trusted", &survey->trusted, err);
	if (r == 0)
		r = dl_json_words_opt(json, "untrusted_because", DL_WORDS_MAX_BYTES,
				      &survey->untrusted_because, err);
	if (r == 0)
		r = dl_json_int(json, "omitted", 0, INT32_MAX, &survey->omitted, err);
	return r;
}

static int read_footholds(const json_t *json, struct dl_survey *survey, struct dl_error *err)
{
	json_t *footholds = NULL, *entry;
	size_t i;
	int r = dl_json_array(json, "footholds", DL_SURVEY_FOOTHOLDS_MAX, &footholds, err);
	if (r < 0)
		return r;
	json_array_foreach(footholds, i, entry) {
		struct dl_foothold *foothold = NULL;
		r = dl_foothold_from_json(entry, &foothold, err);
		if (r < 0)
			return r;
		append(survey, foothold);
	}
	return 0;
}

int dl_survey_from_json(const json_t *json, struct dl_survey **ret, struct dl_error *err)
{
	static const char *const members[] = {
		"started", "finished", "trusted",   "untrusted_because", "omitted",
		"host",	   "coverage", "footholds", NULL,
	};
	dl_auto(dl_survey) survey = dl_survey_new();
	int r = dl_json_only(json, members, err);
	if (r == 0)
		r = read_head(json, survey, err);
	if (r == 0)
		r = read_host(json, survey, err);
	if (r == 0)
		r = read_coverage(json, survey, err);
	if (r == 0)
		r = read_footholds(json, survey, err);
	if (r < 0)
		return dl_error_prefix(err, r, "survey");
	*ret = DL_TAKE(survey);
	return 0;
}
