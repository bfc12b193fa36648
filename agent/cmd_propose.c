/* dislodge-agent propose: from footholds of this host to a plan document. */
#include "agent/local_command.h"
#include "agent/platform/private_file.h"
#include "agent/report.h"
#include "agent/survey/survey.h"

#include <stdio.h>
#include <string.h>

enum { KEY_START_MIN = 6, FILE_NAME_MAX = 4096 };

static const char usage[] =
	"usage: dislodge-agent propose KEY... [--output FILE] [--json]\n"
	"\n"
	"Looks at this host, and makes a plan that removes the footholds with these keys\n"
	"('dislodge-agent survey' shows them; the first 6 or more digits do). Prints the plan\n"
	"with the reason for every step that a person has to do by hand, and writes it to\n"
	"FILE (dislodge-plan-ID.json here, if not said). Removes nothing. Needs root.\n"
	"\n"
	"Exit code: 0 the plan is written; 1 failed; 2 wrong usage;\n"
	"4 written, but all of it has to be done by hand.\n";

/* The one whole key that starts with these digits. */
static int find_key(const struct dl_survey *survey, const char *start, const char **ret_key,
		    struct dl_error *err)
{
	const char *found = NULL;
	size_t length = strlen(start);
	if (length < KEY_START_MIN || strspn(start, "0123456789abcdef") != length)
		return dl_error_set(err, DL_E_INVALID, "'%s' is no key: %d or more of its hexadecimal "
				    "digits, as the survey shows them", start, KEY_START_MIN);
	for (size_t i = 0; i < survey->foothold_count; i++) {
		const char *key = survey->footholds[i]->key;
		if (strncmp(key, start, length) != 0)
			continue;
		if (found)
			return dl_error_set(err, DL_E_INVALID,
					    "more than one foothold's key starts with %s", start);
		found = key;
	}
	if (!found)
		return dl_error_set(err, DL_E_NOT_FOUND,
				    "this host has no foothold with the key %s", start);
	*ret_key = found;
	return 0;
}

static int propose(const struct dl_local_options *options, struct dl_document *document,
		   struct dl_error *err)
{
	size_t count = (size_t)options->word_count;
	dl_auto(dl_host) host = NULL;
	dl_auto(dl_survey) survey = NULL;
	dl_autofree const char **keys = dl_alloc(count, sizeof(keys[0]));
	struct dl_plan *plan;
	int r = dl_command_needs_root(err);
	if (r >= 0)
		r = dl_host_open(NULL, &host, err);
	if (r >= 0)
		r = dl_survey_make(host, &(struct dl_survey_options){ .all = true }, &survey, err);
	for (size_t i = 0; r >= 0 && i < count; i++)
		r = find_key(survey, options->words[i], &keys[i], err);
	if (r >= 0)
		r = dl_plan_propose(survey,
				    &(struct dl_plan_edit){ .keys = keys, .key_count = count },
				    &plan, err);
	if (r >= 0)
		dl_document_make(document, survey->host.hostname, plan);
	return r;
}

/* Split by hand: the folder must exist, the name in it is replaced as a whole. */
static int write_document(const char *path, const json_t *json, struct dl_error *err)
{
	static const struct dl_account root = { 0, 0 };
	const char *slash = strrchr(path, '/');
	dl_autofree char *folder = slash ? dl_strndup(path, (size_t)(slash - path) + 1) :
					   dl_strdup(".");
	dl_autofree char *text = json_dumps(json, JSON_INDENT(1));
	const char *name = slash ? slash + 1 : path;
	if (!*name)
		return dl_error_set(err, DL_E_INVALID, "'%s' names no file", path);
	return dl_private_file_write(folder, name, &root, text, strlen(text), err);
}

static void show(const struct dl_document *document, const char *path)
{
	struct dl_page page = dl_page_stdout();
	size_t assisted = dl_plan_assisted_count(document->plan);
	dl_report_head(&page, document->plan_id, document->hostname, document->made);
	dl_report_plan(&page, document->plan, NULL);
	printf("%zu step%s can be assisted, %zu to be done by hand. Nothing was changed yet.\n",
	       assisted, assisted == 1 ? "" : "s", document->plan->step_count - assisted);
	printf("The plan is in %s\n", path);
	if (assisted)
		printf("Next: dislodge-agent check %s\n      dislodge-agent apply %s\n", path, path);
}

int dl_cmd_propose(int argc, char **argv)
{
	struct dl_local_options options;
	struct dl_error error = { 0 };
	dl_autodocument document = { 0 };
	char path[FILE_NAME_MAX];
	int r = dl_local_options_parse(argc, argv, usage, "jo", &options);
	if (r != 0)
		return r == DL_COMMAND_DONE ? 0 : r;
	if (options.word_count == 0) {
		fputs(usage, stderr);
		return DL_COMMAND_USAGE;
	}
	r = propose(&options, &document, &error);
	if (r < 0)
		return dl_local_fail(&error);
	dl_autojson *json = dl_document_to_json(&document);
	snprintf(path, sizeof(path), "dislodge-plan-%.8s.json", document.plan_id);
	const char *file = options.output ? options.output : path;
	if (write_document(file, json, &error) < 0)
		return dl_local_fail(&error);
	if (options.json)
		dl_local_print_json(json);
	else
		show(&document, file);
	return dl_plan_assisted_count(document.plan) ? DL_COMMAND_OK : DL_COMMAND_REFUSED;
}
