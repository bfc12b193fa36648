#include "cli/call.h"
#include "cli/command.h"
#include "cli/screen.h"

#include "core/base/mem.h"

static char *survey_words(const json_t *host)
{
	const json_t *survey = json_object_get(host, "survey");

	return dl_screen_time(survey, "finished");
}

static void hosts_print(const json_t *hosts)
{
	static const char *const heads[] = { "ID",       "HOST",   "ORGANIZATION", "ONLINE", "LAST CONTACT",
					     "SURVEYED", "OPEN",   "WAITING",      NULL };
	dl_auto(dl_table) table = dl_table_new(heads);
	size_t i;
	json_t *host;

	json_array_foreach((json_t *)hosts, i, host) {
		char *cells[] = {
			dl_screen_member(host, "id"),
			dl_screen_member(host, "hostname"),
			dl_screen_member(json_object_get(host, "organization"), "name"),
			dl_screen_member(host, "online"),
			dl_screen_time(host, "last_contact"),
			survey_words(host),
			dl_screen_member(host, "open_incidents"),
			dl_screen_member(host, "waiting_orders"),
		};
		dl_table_add(table, cells);
	}
	dl_table_print(table, "no host has enrolled yet");
}

static int hosts_run(int argc, char **argv, struct dl_error *err)
{
	static const char *const taken[] = { "json", NULL };
	struct dl_options options = { 0 };
	dl_autojson *hosts = NULL;

	int r = dl_options_read(argc, argv, taken, 0, &options, err);
	if (r >= 0)
		r = dl_call_list("/api/hosts", &hosts, err);
	if (r < 0)
		return r;
	if (options.json)
		dl_screen_json(hosts);
	else
		hosts_print(hosts);
	return 0;
}

const struct dl_command dl_command_hosts = {
	.name = "hosts",
	.arguments = "[--json]",
	.summary = "list the hosts",
	.run = hosts_run,
};
