#include "cli/call.h"
#include "cli/command.h"

#include <inttypes.h>
#include <stdio.h>

static int survey_run(int argc, char **argv, struct dl_error *err)
{
	static const char *const taken[] = { NULL };
	struct dl_options options = { 0 };
	dl_autojson *body = json_object(), *host = NULL;
	int64_t id;

	int r = dl_options_read(argc, argv, taken, 1, &options, err);
	if (r >= 0)
		r = dl_options_id(&options, 0, &id, err);
	if (r >= 0)
		r = dl_call_saved("POST", body, &host, err, "/api/hosts/%" PRId64 "/survey", id);
	if (r < 0)
		return r;
	puts(json_is_true(json_object_get(host, "online")) ?
		     "asked for a survey" :
		     "asked for a survey; the host is offline and does it when it is back");
	return 0;
}

const struct dl_command dl_command_survey = {
	.name = "survey",
	.arguments = "HOST-ID",
	.summary = "ask a host to look for footholds now",
	.run = survey_run,
};
