#include "cli/incident.h"

#include "core/base/mem.h"

#include <inttypes.h>
#include <string.h>

static int yes_or_no(const char *name, const char *text, bool *ret, struct dl_error *err)
{
	if (strcmp(text, "yes") && strcmp(text, "no"))
		return dl_error_set(err, DL_E_INVALID, "%s must be yes or no", name);
	*ret = !strcmp(text, "yes");
	return 0;
}

static int digest_get(int64_t id, const char *given, char **ret_digest, struct dl_error *err)
{
	dl_autojson *incident = NULL;

	if (given) {
		*ret_digest = dl_strdup(given);
		return 0;
	}
	int r = dl_incident_fetch(id, &incident, err);
	if (r < 0)
		return r;
	const char *digest = json_string_value(
		json_object_get(json_object_get(incident, "shown_revision"), "digest"));
	if (!digest)
		return dl_error_set(err, DL_E_STATE, "this incident was not sent yet");
	*ret_digest = dl_strdup(digest);
	return 0;
}

static int reject_run(int argc, char **argv, struct dl_error *err)
{
	static const char *const taken[] = { "reason", "comment", "useful", "digest", "json", NULL };
	struct dl_options options = { .useful = "yes" };
	dl_autofree char *digest = NULL;
	bool useful;
	int64_t id;

	int r = dl_options_read(argc, argv, taken, 1, &options, err);
	if (r >= 0)
		r = dl_options_id(&options, 0, &id, err);
	if (r >= 0)
		r = yes_or_no("--useful", options.useful, &useful, err);
	if (r >= 0 && !options.reason)
		r = dl_error_set(err, DL_E_INVALID, "--reason is missing");
	if (r >= 0)
		r = digest_get(id, options.digest, &digest, err);
	if (r < 0)
		return r;
	dl_autojson *body = json_pack("{ss ss ss* sb}", "digest", digest, "reason", options.reason,
				      "comment", options.comment, "useful", useful);
	return dl_incident_act(body, options.json, err, "/api/incidents/%" PRId64 "/reject", id);
}

const struct dl_command dl_command_reject = {
	.name = "reject",
	.arguments = "ID --reason CODE [--comment TEXT] [--useful yes|no] [--digest DIGEST] [--json]",
	.summary = "send a report back to its analyst",
	.details = "CODE: not_malicious, incomplete, too_risky, other_means, wrong_host, other.\n",
	.run = reject_run,
};
