/* dislodge-agent apply: root of this host approves a plan and has it carried out. */
#include "agent/local_command.h"
#include "agent/report.h"

#include <stdio.h>

enum { QUESTION_SIZE = 256 };

static const char usage[] =
	"usage: dislodge-agent apply PLAN [--steps 1,2] [--yes] [--json]\n"
	"\n"
	"Shows the plan in the file PLAN, asks, and carries it out: footholds are stopped and\n"
	"go to the quarantine, from where 'undo' gives them back exactly. A step whose target\n"
	"is not what the plan says is left alone. No process is ended. Needs root.\n"
	"\n"
	"  --steps 1,2  only these steps, and what they require\n"
	"  --yes        do not ask (and must be said where nobody can be asked)\n"
	"\n"
	"Exit code: 0 every step ended as planned; 1 failed; 2 wrong usage; 3 some did;\n"
	"4 nothing was done (stale, refused, or not agreed to).\n";

static int agree(const struct dl_local_options *options, const struct dl_document *document,
		 const bool *chosen, struct dl_error *err)
{
	struct dl_page page = dl_page_stdout();
	char question[QUESTION_SIZE];
	dl_autojson *ids = dl_local_ids(document->plan, chosen);
	size_t count = json_array_size(ids);
	if (!options->json) {
		dl_report_head(&page, document->plan_id, document->hostname, document->made);
		dl_report_plan(&page, document->plan, chosen);
	}
	snprintf(question, sizeof(question), "Carry out %zu step%s on this host now?", count,
		 count == 1 ? "" : "s");
	return dl_local_consent(options, question, err);
}

static int apply(const struct dl_local_options *options, const struct dl_document *document,
		 json_t **ret_result, struct dl_error *err)
{
	dl_autofree bool *chosen = NULL;
	int r = dl_local_choose(options, document->plan, &chosen, err);
	if (r >= 0)
		r = agree(options, document, chosen, err);
	if (r < 0)
		return r;
	dl_autojson *ask = json_pack("{s:s,s:o,s:o,s:o}", "act", "apply", "plan",
				     dl_document_to_json(document), "chosen",
				     dl_local_ids(document->plan, chosen), "by", dl_local_by());
	return dl_local_ask(&options->place, ask, ret_result, err);
}

static void show(const struct dl_document *document, const json_t *runs)
{
	struct dl_page page = dl_page_stdout();
	dl_report_runs(&page, document->plan, runs, false);
	printf("\nThis is plan %s.\n", document->plan_id);
	printf("Look again: dislodge-agent verify %s\n", document->plan_id);
	printf("Put back:   dislodge-agent undo %s\n", document->plan_id);
}

int dl_cmd_apply(int argc, char **argv)
{
	struct dl_local_options options;
	struct dl_error error = { 0 };
	dl_autodocument document = { 0 };
	dl_autojson *result = NULL;
	int r = dl_local_options_parse(argc, argv, usage, "jsy", &options);
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
		r = apply(&options, &document, &result, &error);
	if (r < 0)
		return dl_local_fail(&error);
	const json_t *runs = json_object_get(result, "runs");
	if (options.json)
		dl_local_print_json(result);
	else
		show(&document, runs);
	return dl_report_exit(runs);
}
