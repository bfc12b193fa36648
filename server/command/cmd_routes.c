#include "server/command/command.h"
#include "server/command/option.h"
#include "server/command/server.h"

#include <stdio.h>

static void routes_print(const json_t *routes)
{
	size_t i, k;
	json_t *route, *role;

	json_array_foreach((json_t *)routes, i, route) {
		printf("%-6s %-42s %-8s", json_string_value(json_object_get(route, "method")),
		       json_string_value(json_object_get(route, "pattern")),
		       json_string_value(json_object_get(route, "auth")));
		json_array_foreach(json_object_get(route, "roles"), k, role)
			printf("%s%s", k ? ", " : " ", json_string_value(role));
		putchar('\n');
	}
}

static int routes_run(int argc, char **argv, struct dl_error *err)
{
	static const struct option known[] = {
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	bool as_json = false;
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option != 'j')
			return dl_option_unknown(argv, err);
		as_json = true;
	}
	int r = dl_option_no_more(argc, argv, err);
	if (r < 0)
		return r;
	dl_autojson *routes = dl_server_routes();
	if (as_json) {
		dl_autofree char *text = dl_json_text(routes);
		puts(text);
	} else {
		routes_print(routes);
	}
	return 0;
}

const struct dl_command dl_command_routes = {
	.name = "routes",
	.summary = "list every route, the proof it asks for and the roles it admits",
	.usage = "dislodged routes [--json]\n",
	.run = routes_run,
};
