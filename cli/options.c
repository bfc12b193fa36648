#include "cli/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_FIRST = 256 };

static const struct {
	const char *name;
	bool is_flag;
	size_t offset;
} known[] = {
	{ "json", true, offsetof(struct dl_options, json) },
	{ "yes", true, offsetof(struct dl_options, yes) },
	{ "gone", true, offsetof(struct dl_options, gone) },
	{ "server", false, offsetof(struct dl_options, server) },
	{ "ca-file", false, offsetof(struct dl_options, ca_file) },
	{ "login", false, offsetof(struct dl_options, login) },
	{ "state", false, offsetof(struct dl_options, state) },
	{ "severity", false, offsetof(struct dl_options, severity) },
	{ "steps", false, offsetof(struct dl_options, steps) },
	{ "digest", false, offsetof(struct dl_options, digest) },
	{ "reason", false, offsetof(struct dl_options, reason) },
	{ "comment", false, offsetof(struct dl_options, comment) },
	{ "useful", false, offsetof(struct dl_options, useful) },
	{ "legitimate", false, offsetof(struct dl_options, legitimate) },
	{ "order", false, offsetof(struct dl_options, order) },
};
enum { KNOWN_COUNT = sizeof(known) / sizeof(known[0]) };

static void table_fill(const char *const *taken, struct option table[KNOWN_COUNT + 1])
{
	size_t count = 0;

	for (int i = 0; i < KNOWN_COUNT; i++) {
		const char *const *name = taken;
		while (*name && strcmp(*name, known[i].name))
			name++;
		if (*name)
			table[count++] = (struct option){
				known[i].name, known[i].is_flag ? no_argument : required_argument,
				NULL, OPTION_FIRST + i };
	}
	table[count] = (struct option){ 0 };
}

static void option_store(struct dl_options *options, int index)
{
	char *place = (char *)options + known[index].offset;

	if (known[index].is_flag)
		*(bool *)place = true;
	else
		*(const char **)place = optarg;
}

int dl_options_read(int argc, char **argv, const char *const *taken, size_t words,
		    struct dl_options *ret, struct dl_error *err)
{
	struct option table[KNOWN_COUNT + 1];
	int option;

	table_fill(taken, table);
	opterr = 0;
	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (option == '?')
			return dl_error_set(err, DL_E_INVALID,
					    "'%s' is no option of this command, or lacks its value",
					    argv[optind - 1]);
		option_store(ret, option - OPTION_FIRST);
	}
	for (; optind < argc; optind++) {
		if (ret->word_count == words)
			return dl_error_set(err, DL_E_INVALID, "'%s' is one argument too many",
					    argv[optind]);
		ret->words[ret->word_count++] = argv[optind];
	}
	return 0;
}

int dl_options_id(const struct dl_options *options, size_t n, int64_t *ret_id,
		  struct dl_error *err)
{
	char *end;

	if (n >= options->word_count)
		return dl_error_set(err, DL_E_INVALID, "an id is missing");
	errno = 0;
	long long id = strtoll(options->words[n], &end, 10);
	if (errno || *end || id <= 0)
		return dl_error_set(err, DL_E_INVALID, "'%s' is not an id", options->words[n]);
	*ret_id = id;
	return 0;
}
