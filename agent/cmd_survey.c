/* dislodge-agent survey: looks at this host, or at a folder that holds one,
 * without a server and without changing anything. */
#include "agent/command.h"

#include "agent/platform/terminal.h"
#include "agent/survey/survey.h"
#include "agent/table.h"

#include <getopt.h>
#include <stdio.h>

struct options {
	const char *root;
	bool json;
	bool all;
};

static const char usage[] =
	"usage: dislodge-agent survey [--json] [--all] [--root DIR]\n"
	"\n"
	"Lists the footholds of this host: services, timers and cron lines that no\n"
	"package brought or that were changed, with the files they run. Changes nothing.\n"
	"\n"
	"  --json      print JSON, as in the survey content of docs/protocol.md\n"
	"  --all       list what packages own and nobody changed as well\n"
	"  --root DIR  look at the files under DIR instead of this running host\n"
	"\n"
	"Exit code: 0 complete; 1 failed; 2 wrong usage; 3 done, but some kind is not\n"
	"covered completely or the host cannot be trusted (the last lines say why).\n"
	"NO_COLOR in the environment turns colours off.\n";

static int parse_options(int argc, char **argv, struct options *ret)
{
	static const struct option names[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "all", no_argument, NULL, 'a' },
		{ "root", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	*ret = (struct options){ 0 };
	for (int c; (c = getopt_long(argc, argv, "", names, NULL)) >= 0;) {
		switch (c) {
		case 'j': ret->json = true; break;
		case 'a': ret->all = true; break;
		case 'r': ret->root = optarg; break;
		case 'h': fputs(usage, stdout); return DL_COMMAND_DONE;
		default: return DL_COMMAND_USAGE;
		}
	}
	if (optind == argc)
		return 0;
	fputs(usage, stderr);
	return DL_COMMAND_USAGE;
}

static bool is_complete(const struct dl_survey *survey)
{
	for (int kind = 0; kind < DL_KIND_COUNT; kind++)
		if (survey->coverage[kind] == DL_COVERAGE_PARTIAL)
			return false;
	return survey->trusted;
}

static void print_json(const struct dl_survey *survey)
{
	dl_autojson *json = dl_survey_to_json(survey);
	json_dumpf(json, stdout, JSON_INDENT(2));
	putchar('\n');
}

static int survey_host(const struct options *options, struct dl_survey **ret_survey,
		       struct dl_error *err)
{
	dl_auto(dl_host) host = NULL;
	int r = dl_host_open(options->root, &host, err);
	if (r < 0)
		return r;
	return dl_survey_make(host, &(struct dl_survey_options){ .all = options->all }, ret_survey,
			      err);
}

int dl_cmd_survey(int argc, char **argv)
{
	struct options options;
	struct dl_error error = { 0 };
	dl_auto(dl_survey) survey = NULL;
	int r = parse_options(argc, argv, &options);
	if (r != 0)
		return r == DL_COMMAND_DONE ? 0 : r;
	r = survey_host(&options, &survey, &error);
	if (r < 0) {
		fprintf(stderr, "dislodge-agent survey: %s\n", error.text);
		return DL_COMMAND_FAILED;
	}
	if (options.json)
		print_json(survey);
	else
		dl_table_print(stdout, survey,
			       &(struct dl_table_look){ .width = dl_terminal_width(),
							.colour = dl_terminal_has_colour() });
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "dislodge-agent survey: the output could not be written\n");
		return DL_COMMAND_FAILED;
	}
	return is_complete(survey) ? 0 : DL_COMMAND_PARTLY;
}
