/* dislodge-agent: the program on each host. Joins the rooms and nothing else. */
#include "agent/command.h"

#include "core/base/mem.h"

#include <stdio.h>
#include <string.h>

/* In the order in which one works. */
static const struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *words;
} verbs[] = {
	{ "survey", dl_cmd_survey, "list the footholds of this host" },
	{ "propose", dl_cmd_propose, "make a plan that removes chosen footholds" },
	{ "check", dl_cmd_check, "say what a plan would do now; changes nothing" },
	{ "apply", dl_cmd_apply, "carry a plan out, after asking" },
	{ "verify", dl_cmd_verify, "look whether what a plan removed is gone" },
	{ "undo", dl_cmd_undo, "put back what a plan removed, after asking" },
	{ "quarantine", dl_cmd_quarantine, "list, show, restore or purge what was removed" },
	{ "status", dl_cmd_status, "whether the agent runs here and what it holds" },
	{ "enrol", dl_cmd_enrol, "make this host an agent of an organization" },
	{ "run", dl_cmd_run, "the service: carry out what the server approved, and survey" },
};

static void print_usage(FILE *out)
{
	fputs("usage: dislodge-agent COMMAND [options]\n\n", out);
	for (size_t i = 0; i < DL_COUNT(verbs); i++)
		fprintf(out, "  %-10s %s\n", verbs[i].name, verbs[i].words);
	fputs("\nAll but enrol and run work without a server. COMMAND --help says more;\n"
	      "--version prints the version; dislodge-agent(8) is the manual.\n", out);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		print_usage(stderr);
		return DL_COMMAND_USAGE;
	}
	for (size_t i = 0; i < DL_COUNT(verbs); i++)
		if (strcmp(argv[1], verbs[i].name) == 0)
			return verbs[i].run(argc - 1, argv + 1);
	if (strcmp(argv[1], "--version") == 0) {
		puts("dislodge-agent " DL_VERSION);
		return 0;
	}
	bool asked = strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0;
	if (!asked)
		fprintf(stderr, "dislodge-agent: there is no command '%s'\n\n", argv[1]);
	print_usage(asked ? stdout : stderr);
	return asked ? 0 : DL_COMMAND_USAGE;
}
