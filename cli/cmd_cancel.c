#include "cli/incident.h"

static int cancel_run(int argc, char **argv, struct dl_error *err)
{
	static const char *const taken[] = { "json", NULL };
	struct dl_options options = { 0 };
	dl_autojson *incident = NULL, *body = json_object();
	const char *plan;
	int64_t id;

	int r = dl_options_read(argc, argv, taken, 1, &options, err);
	if (r >= 0)
		r = dl_options_id(&options, 0, &id, err);
	if (r >= 0)
		r = dl_incident_fetch(id, &incident, err);
	if (r >= 0)
		r = dl_incident_order(incident, "can_cancel", &plan, err);
	return r < 0 ? r : dl_incident_act(body, options.json, err, "/api/orders/%s/cancel", plan);
}

const struct dl_command dl_command_cancel = {
	.name = "cancel",
	.arguments = "ID [--json]",
	.summary = "cancel an incident's waiting order before its host has claimed it",
	.run = cancel_run,
};
