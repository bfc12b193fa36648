#include "cli/incident.h"

#include "core/base/mem.h"

#include <string.h>

/* The order is named, or it is the incident's newest that can be undone. */
static int plan_find(const struct dl_options *options, char **ret_plan, struct dl_error *err)
{
	dl_autojson *incident = NULL;
	const char *plan = NULL;
	int64_t id;

	int r = dl_options_id(options, 0, &id, err);
	if (r >= 0)
		r = dl_incident_fetch(id, &incident, err);
	if (r >= 0 && !options->order)
		r = dl_incident_order(incident, "can_undo", &plan, err);
	if (r < 0)
		return r;
	*ret_plan = dl_strdup(options->order ? options->order : plan);
	return 0;
}

static int undo_run(int argc, char **argv, struct dl_error *err)
{
	static const char *const taken[] = { "legitimate", "steps", "order", "comment", "json", NULL };
	struct dl_options options = { 0 };
	dl_autofree char *plan = NULL;
	json_t *steps = NULL;

	int r = dl_options_read(argc, argv, taken, 1, &options, err);
	if (r >= 0 && (!options.legitimate ||
		       (strcmp(options.legitimate, "yes") && strcmp(options.legitimate, "no"))))
		r = dl_error_set(err, DL_E_INVALID, "say --legitimate yes or --legitimate no");
	if (r >= 0)
		r = plan_find(&options, &plan, err);
	if (r >= 0)
		r = dl_incident_steps(options.steps, &steps, err);
	if (r < 0)
		return r;
	dl_autojson *body = json_pack("{so* sb ss*}", "steps", steps, "legitimate",
				      !strcmp(options.legitimate, "yes"), "comment", options.comment);
	return dl_incident_act(body, options.json, err, "/api/orders/%s/undo", plan);
}

const struct dl_command dl_command_undo = {
	.name = "undo",
	.arguments = "ID --legitimate yes|no [--steps 1,2] [--order PLAN-ID] [--comment TEXT] [--json]",
	.summary = "put back what was removed, byte for byte",
	.details = "Was it legitimate? yes: the footholds count as accepted. no: the incident reopens.\n"
		   "Without --order the incident's newest order that can be undone is meant.\n",
	.run = undo_run,
};
