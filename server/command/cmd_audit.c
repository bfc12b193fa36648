#include "server/command/command.h"
#include "server/command/option.h"

#include <stdio.h>

static int say_broken(const json_t *view, struct dl_error *err)
{
	const char *problem = json_string_value(json_object_get(view, "problem"));
	const json_t *at = json_object_get(view, "broken_at");

	if (!json_is_integer(at))
		return dl_error_set(err, DL_E_STALE, "the audit log is not sure: %s", problem);
	return dl_error_set(err, DL_E_STALE, "the audit log was tampered with at event %lld: %s",
			    (long long)json_integer_value(at), problem);
}

static int audit_run(int argc, char **argv, struct dl_error *err)
{
	static const struct option known[] = {
		{ "data", required_argument, NULL, 'd' },
		{ 0 },
	};
	const char *folder = NULL;
	dl_autodesk desk = { 0 };
	dl_autojson *view = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option != 'd')
			return dl_option_unknown(argv, err);
		folder = optarg;
	}
	if (!folder)
		return dl_option_missing("--data", err);
	int r = dl_option_no_more(argc, argv, err);
	if (r >= 0)
		r = dl_desk_open(folder, &desk, err);
	if (r < 0)
		return r;
	struct dl_wait *wait = dl_wait_new();
	dl_store_audit_verify(desk.store, &dl_desk_actor, dl_wait_done, wait);
	r = dl_wait_end(wait, &view, err);
	if (r < 0)
		return r;
	if (!json_is_true(json_object_get(view, "ok")))
		return say_broken(view, err);
	printf("the audit log is whole: %lld events, %lld of them anchored\n",
	       (long long)json_integer_value(json_object_get(view, "events")),
	       (long long)json_integer_value(json_object_get(view, "anchored")));
	return 0;
}

const struct dl_command dl_command_audit_verify = {
	.name = "audit verify",
	.summary = "recompute the audit log's chain and say whether it is whole",
	.usage = "dislodged audit verify --data FOLDER\n",
	.run = audit_run,
};
