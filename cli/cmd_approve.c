#include "cli/incident.h"
#include "cli/screen.h"

#include "core/base/mem.h"

#include <inttypes.h>
#include <stdio.h>

/* Shows the plan and lets the person say yes to what was shown. */
static int digest_confirm(int64_t id, const struct dl_options *options, char **ret_digest,
			  struct dl_error *err)
{
	dl_autojson *incident = NULL;

	if (options->digest) {
		*ret_digest = dl_strdup(options->digest);
		return 0;
	}
	int r = dl_incident_fetch(id, &incident, err);
	if (r < 0)
		return r;
	const char *digest = json_string_value(
		json_object_get(json_object_get(incident, "shown_revision"), "digest"));
	if (!digest)
		return dl_error_set(err, DL_E_STATE, "this incident was not sent yet");
	if (!options->json)
		dl_incident_print(incident);
	if (!options->yes && !dl_screen_confirm("\nApprove this plan?"))
		return dl_error_set(err, DL_E_STATE, "not approved%s",
				    dl_screen_can_ask() ? "" :
				    "; without a terminal give --yes or --digest");
	*ret_digest = dl_strdup(digest);
	return 0;
}

static int approve_run(int argc, char **argv, struct dl_error *err)
{
	static const char *const taken[] = { "steps", "digest", "reason", "comment", "yes", "json",
					     NULL };
	struct dl_options options = { 0 };
	dl_autofree char *digest = NULL;
	json_t *steps = NULL;
	int64_t id;

	int r = dl_options_read(argc, argv, taken, 1, &options, err);
	if (r >= 0)
		r = dl_options_id(&options, 0, &id, err);
	if (r >= 0)
		r = digest_confirm(id, &options, &digest, err);
	if (r >= 0)
		r = dl_incident_steps(options.steps, &steps, err);
	if (r < 0)
		return r;
	dl_autojson *body = json_pack("{ss so* ss* ss*}", "digest", digest, "steps", steps, "reason",
				      options.reason, "comment", options.comment);
	return dl_incident_act(body, options.json, err, "/api/incidents/%" PRId64 "/approve", id);
}

const struct dl_command dl_command_approve = {
	.name = "approve",
	.arguments = "ID [--steps 1,2] [--digest DIGEST | --yes] [--reason CODE] [--comment TEXT]\n"
		     "                    [--json]",
	.summary = "approve a remediation plan, all of it or the steps named",
	.details = "Shows the plan and asks. What is approved is exactly the revision that was shown;\n"
		   "if the plan changed meanwhile the server refuses. --digest names the revision read\n"
		   "before. --reason and --comment say why steps were left out.\n",
	.run = approve_run,
};
