/* dislodge-agent check: what a plan would do on this host now. */
#include "agent/local_command.h"
#include "agent/report.h"

#include <stdio.h>

static const char usage[] =
	"usage: dislodge-agent check PLAN [--steps 1,2] [--json]\n"
	"\n"
	"Says for each step of the plan in the file PLAN what 'apply' would do on this host\n"
	"now, and why not if not. Reads only. Needs root.\n"
	"\n"
	"Exit code: 0 every step would end as planned; 1 failed; 2 wrong usage;\n"
	"3 some would; 4 none would (stale or refused).\n";

static int check(const struct dl_local_options *options, const struct dl_document *document,
		 json_t **ret_result, struct dl_error *err)
{
	dl_autofree bool *chosen = NULL;
	int r = dl_local_choose(options, document->plan, &chosen, err);
	if (r < 0)
		return r;
	dl_autojson *ask = json_pack("{s:s,s:o,s:o}", "act", "check", "plan",
				     dl_document_to_json(document), "chosen",
				     dl_local_ids(document->plan, chosen));
	return dl_local_ask(&options->place, ask, ret_result, err);
}

int dl_cmd_check(int argc, char **argv)
{
	struct dl_local_options options;
	struct dl_error error = { 0 };
	dl_autodocument document = { 0 };
	dl_autojson *result = NULL;
	int r = dl_local_options_parse(argc, argv, usage, "js", &options);
	if (r != 0)
		return r == DL_COMMAND_DONE ? 0 : r;
	if (options.word_count != 1) {
		fputs(usage, stderr);
		return DL_COMMAND_USAGE;
	}
	r = dl_command_needs_root(&error);
	if (r >= 0)
		r = dl_local_plan_read(options.words[0], &document, &error);
	if (r >= 0)
		r = check(&options, &document, &result, &error);
	if (r < 0)
		return dl_local_fail(&error);
	const json_t *runs = json_object_get(result, "runs");
	struct dl_page page = dl_page_stdout();
	if (options.json)
		dl_local_print_json(result);
	else
		dl_report_runs(&page, document.plan, runs, true);
	return dl_report_exit(runs);
}
