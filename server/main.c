/* dislodged: the server's program. */
#include "server/command/command.h"

#include <stdio.h>
#include <string.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const struct dl_command *const commands[] = {
	&dl_command_init,	 &dl_command_serve,
	&dl_command_admin_create, &dl_command_organization_create,
	&dl_command_user_create, &dl_command_enrol_key_create,
	&dl_command_audit_verify, &dl_command_routes,
};

static void help_print(FILE *to)
{
	fputs("dislodged, the server of Dislodge\n\n", to);
	for (size_t i = 0; i < DL_COUNT(commands); i++)
		fprintf(to, "  dislodged %-20s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\n`dislodged COMMAND --help` tells more. Exit code 0: done, 1: failed, 2: wrong usage.\n",
	      to);
}

/* How many words of argv the command's name takes; 0: it is another. */
static int command_matches(const struct dl_command *command, int argc, char **argv)
{
	const char *second = strchr(command->name, ' ');
	size_t size = second ? (size_t)(second - command->name) : strlen(command->name);

	if (argc < 2 || strlen(argv[1]) != size || strncmp(argv[1], command->name, size))
		return 0;
	if (!second)
		return 1;
	return argc > 2 && !strcmp(argv[2], second + 1) ? 2 : 0;
}

static bool asks_for(const char *option, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], option))
			return true;
	return false;
}

static int command_run(const struct dl_command *command, int argc, char **argv)
{
	struct dl_error err = { 0 };

	if (asks_for("--help", argc, argv)) {
		fputs(command->usage, stdout);
		return EXIT_DONE;
	}
	if (command->run(argc, argv, &err) >= 0)
		return EXIT_DONE;
	fprintf(stderr, "dislodged: %s\n", err.text);
	return err.code == DL_E_INVALID ? EXIT_USAGE : EXIT_FAILED;
}

int main(int argc, char **argv)
{
	for (size_t i = 0; i < DL_COUNT(commands); i++) {
		int words = command_matches(commands[i], argc, argv);
		if (words)
			return command_run(commands[i], argc - words, argv + words);
	}
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		puts("dislodged " DL_VERSION);
		return EXIT_DONE;
	}
	help_print(argc == 2 && !strcmp(argv[1], "--help") ? stdout : stderr);
	return argc == 2 && !strcmp(argv[1], "--help") ? EXIT_DONE : EXIT_USAGE;
}
