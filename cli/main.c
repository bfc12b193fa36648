/* dislodge: the command line. */
#include "cli/command.h"
#include "cli/screen.h"

#include "core/base/mem.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

/* Stable: scripts rely on them. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_DENIED = 3, EXIT_NOT_FOUND = 4,
       EXIT_CONFLICT = 5, EXIT_UNAVAILABLE = 6 };

static const struct dl_command *const commands[] = {
	&dl_command_login,     &dl_command_logout, &dl_command_hosts,   &dl_command_footholds,
	&dl_command_survey,    &dl_command_incidents, &dl_command_show, &dl_command_approve,
	&dl_command_reject,    &dl_command_undo,   &dl_command_cancel,  &dl_command_audit,
};

static void help_print(FILE *to)
{
	fputs("dislodge, the command line of Dislodge\n\n", to);
	for (size_t i = 0; i < DL_COUNT(commands); i++)
		fprintf(to, "  dislodge %-10s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\n`dislodge COMMAND --help` tells more. Colours are left out with NO_COLOR.\n"
	      "Exit codes: 0 done, 1 failed, 2 wrong usage or refused as invalid, 3 not signed in or\n"
	      "not allowed, 4 no such thing, 5 not possible now (changed meanwhile, already decided),\n"
	      "6 server not reached or busy.\n",
	      to);
}

static int exit_code(int result)
{
	switch (result) {
	case DL_E_INVALID:
		return EXIT_USAGE;
	case DL_E_DENIED:
		return EXIT_DENIED;
	case DL_E_NOT_FOUND:
		return EXIT_NOT_FOUND;
	case DL_E_STALE:
	case DL_E_STATE:
	case DL_E_EXISTS:
		return EXIT_CONFLICT;
	case DL_E_UNAVAILABLE:
	case DL_E_BUSY:
		return EXIT_UNAVAILABLE;
	default:
		return EXIT_FAILED;
	}
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	return false;
}

static int command_run(const struct dl_command *command, int argc, char **argv)
{
	struct dl_error err = { 0 };

	if (asks_for_help(argc, argv)) {
		printf("dislodge %s %s\n\n%s.\n%s", command->name, command->arguments,
		       command->summary, command->details ? command->details : "");
		return EXIT_DONE;
	}
	curl_global_init(CURL_GLOBAL_DEFAULT);
	int r = command->run(argc, argv, &err);
	curl_global_cleanup();
	if (r >= 0)
		return EXIT_DONE;
	dl_autofree char *words = dl_screen_safe(err.text);
	fprintf(stderr, "dislodge: %s\n", words);
	return exit_code(r);
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < DL_COUNT(commands); i++)
		if (!strcmp(argv[1], commands[i]->name))
			return command_run(commands[i], argc - 1, argv + 1);
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		puts("dislodge " DL_VERSION);
		return EXIT_DONE;
	}
	if (argc == 2 && (asks_for_help(argc, argv) || !strcmp(argv[1], "help"))) {
		help_print(stdout);
		return EXIT_DONE;
	}
	if (argc > 1) {
		dl_autofree char *word = dl_screen_safe(argv[1]);
		fprintf(stderr, "dislodge: there is no command '%s'; `dislodge --help` names them\n",
			word);
		return EXIT_USAGE;
	}
	help_print(stderr);
	return EXIT_USAGE;
}
