/* dislodge-agent status: what the agent is, holds and did on this host. */
#include "agent/local_command.h"
#include "agent/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ANSWER_TIMEOUT_MS = 30 * 1000, HELD_MAX = 100000, NAME_MAX_BYTES = 256 };

static const char usage[] =
	"usage: dislodge-agent status [--json]\n"
	"\n"
	"Says whether the agent's service runs here, what it holds, how many plans this host\n"
	"carried out and what lies in quarantine. Needs root.\n"
	"\n"
	"Exit code: 0 the service runs; 1 failed; 2 wrong usage; 3 it does not run, and\n"
	"commands work alone.\n";

/* Null where no executor runs. */
static int ask_service(const struct dl_local_place *place, json_t **ret_answer,
		       struct dl_error *err)
{
	dl_autojson *request = json_pack("{s:s}", "request", "status");
	int r = dl_local_request(place, request, ANSWER_TIMEOUT_MS, ret_answer, err);
	if (r != DL_E_UNAVAILABLE)
		return r;
	*ret_answer = json_null();
	return 0;
}

static int ask_local(const struct dl_local_place *place, const char *act, json_t **ret_answer,
		     struct dl_error *err)
{
	dl_autojson *ask = json_pack("{s:s}", "act", act);
	return dl_local_ask(place, ask, ret_answer, err);
}

static int ask_all(const struct dl_local_place *place, json_t **ret_answer, struct dl_error *err)
{
	dl_autojson *service = NULL, *plans = NULL, *items = NULL;
	int r = dl_command_needs_root(err);
	if (r >= 0)
		r = ask_service(place, &service, err);
	if (r >= 0)
		r = ask_local(place, "plans", &plans, err);
	if (r >= 0)
		r = ask_local(place, "items", &items, err);
	if (r >= 0)
		*ret_answer = json_pack(
			"{s:s,s:O,s:O,s:{s:I,s:O}}", "version", DL_VERSION, "service", service,
			"plans", json_object_get(plans, "plans"), "quarantine", "objects",
			(json_int_t)json_array_size(json_object_get(items, "items")), "bytes",
			json_object_get(items, "bytes"));
	return r;
}

static int show_service(const json_t *answer, struct dl_error *err)
{
	int64_t agent, seq;
	const char *version;
	json_t *held;
	int r = dl_json_int(answer, "agent_id", 1, INT64_MAX, &agent, err);
	if (r >= 0)
		r = dl_json_int(answer, "last_seq", 0, INT64_MAX, &seq, err);
	if (r >= 0)
		r = dl_json_str(answer, "version", NAME_MAX_BYTES, &version, err);
	if (r >= 0)
		r = dl_json_array(answer, "held", HELD_MAX, &held, err);
	if (r < 0)
		return r;
	printf("dislodge-agent %s is running as agent %" PRId64 ".\n", version, agent);
	printf("Plans waiting or at work: %zu. Records made so far: %" PRId64 ".\n",
	       json_array_size(held), seq);
	return 0;
}

static int show(const json_t *told, struct dl_error *err)
{
	const json_t *service = json_object_get(told, "service");
	const json_t *kept = json_object_get(told, "quarantine");
	size_t plans = json_array_size(json_object_get(told, "plans"));
	if (json_is_null(service))
		printf("dislodge-agent %s: the service is not running here; commands work alone.\n",
		       DL_VERSION);
	else if (show_service(service, err) < 0)
		return err->code;
	printf("Plans and acts in the journal: %zu%s.\n", plans, plans == 1000 ? " or more" : "");
	printf("In quarantine: %lld objects, %lld bytes.\n",
	       (long long)json_integer_value(json_object_get(kept, "objects")),
	       (long long)json_integer_value(json_object_get(kept, "bytes")));
	return 0;
}

int dl_cmd_status(int argc, char **argv)
{
	struct dl_local_options options;
	struct dl_error error = { 0 };
	dl_autojson *told = NULL;
	int r = dl_local_options_parse(argc, argv, usage, "j", &options);
	if (r != 0)
		return r == DL_COMMAND_DONE ? 0 : r;
	if (options.word_count) {
		fputs(usage, stderr);
		return DL_COMMAND_USAGE;
	}
	r = ask_all(&options.place, &told, &error);
	if (r >= 0 && options.json)
		dl_local_print_json(told);
	else if (r >= 0)
		r = show(told, &error);
	if (r < 0)
		return dl_local_fail(&error);
	return json_is_null(json_object_get(told, "service")) ? DL_COMMAND_PARTLY : DL_COMMAND_OK;
}
