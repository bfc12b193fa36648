#include "server/command/command.h"
#include "server/command/option.h"

#include <stdio.h>

struct options {
	const char *folder;
	const char *names[DL_DATA_NAMES_MAX];
	size_t name_count;
};

static int options_read(int argc, char **argv, struct options *ret, struct dl_error *err)
{
	static const struct option known[] = {
		{ "data", required_argument, NULL, 'd' },
		{ "name", required_argument, NULL, 'n' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'd')
			ret->folder = optarg;
		else if (option == 'n' && ret->name_count < DL_DATA_NAMES_MAX)
			ret->names[ret->name_count++] = optarg;
		else
			return dl_option_unknown(argv, err);
	}
	if (!ret->folder)
		return dl_option_missing("--data", err);
	return dl_option_no_more(argc, argv, err);
}

static int init_run(int argc, char **argv, struct dl_error *err)
{
	struct options options = { 0 };
	dl_autodesk desk = { 0 };

	int r = options_read(argc, argv, &options, err);
	if (r >= 0)
		r = dl_data_create(options.folder, options.names, options.name_count, err);
	if (r >= 0)
		r = dl_desk_open(options.folder, &desk, err); /* makes the database */
	if (r < 0)
		return r;
	printf("made a server in %s\nroot key id %s\n", options.folder, desk.data->root_key_id);
	return 0;
}

const struct dl_command dl_command_init = {
	.name = "init",
	.summary = "make keys, certificate and database of a new server",
	.usage = "dislodged init --data FOLDER [--name HOST]…\n\n"
		 "Makes FOLDER (mode 700) with the root and signing keys, a TLS certificate for\n"
		 "the HOSTs (names or addresses agents reach this server by, and loopback) and an\n"
		 "empty database. Keep a copy of root.key elsewhere.\n",
	.run = init_run,
};
