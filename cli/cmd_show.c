#include "cli/incident.h"
#include "cli/screen.h"

static int show_run(int argc, char **argv, struct dl_error *err)
{
	static const char *const taken[] = { "json", NULL };
	struct dl_options options = { 0 };
	dl_autojson *incident = NULL;
	int64_t id;

	int r = dl_options_read(argc, argv, taken, 1, &options, err);
	if (r >= 0)
		r = dl_options_id(&options, 0, &id, err);
	if (r >= 0)
		r = dl_incident_fetch(id, &incident, err);
	if (r < 0)
		return r;
	if (options.json)
		dl_screen_json(incident);
	else
		dl_incident_print(incident);
	return 0;
}

const struct dl_command dl_command_show = {
	.name = "show",
	.arguments = "ID [--json]",
	.summary = "show an incident: report, plan, how far it is",
	.run = show_run,
};
