#include "cli/call.h"
#include "cli/command.h"
#include "cli/screen.h"

#include "core/base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { EVENTS_SHOWN = 50 };

static void events_print(const json_t *events)
{
	static const char *const heads[] = { "ID", "TIME", "WHO", "FROM", "WHAT", "INCIDENT", "OBJECT",
					     NULL };
	dl_auto(dl_table) table = dl_table_new(heads);
	size_t i;
	json_t *event;

	json_array_foreach((json_t *)events, i, event) {
		char *cells[] = {
			dl_screen_member(event, "id"),
			dl_screen_time(event, "time"),
			dl_screen_member(json_object_get(event, "actor"), "name"),
			dl_screen_member(event, "address"),
			dl_screen_member(event, "action"),
			dl_screen_member(event, "incident"),
			dl_screen_member(event, "object"),
		};
		dl_table_add(table, cells);
	}
	dl_table_print(table, "nothing has happened yet");
}

static int audit_verify(bool as_json, struct dl_error *err)
{
	dl_autojson *answer = NULL;

	int r = dl_call_saved("GET", NULL, &answer, err, "/api/audit/verify");
	if (r < 0)
		return r;
	if (as_json)
		dl_screen_json(answer);
	if (!json_is_true(json_object_get(answer, "ok"))) {
		dl_autofree char *problem = dl_screen_member(answer, "problem");
		return dl_error_set(err, DL_E_STALE, "the audit log was tampered with: %s", problem);
	}
	if (!as_json)
		printf("the audit log is whole: %" PRId64 " events, %" PRId64 " of them anchored\n",
		       (int64_t)json_integer_value(json_object_get(answer, "events")),
		       (int64_t)json_integer_value(json_object_get(answer, "anchored")));
	return 0;
}

static int audit_list(bool as_json, struct dl_error *err)
{
	dl_autojson *answer = NULL;

	int r = dl_call_saved("GET", NULL, &answer, err, "/api/audit?limit=%d", EVENTS_SHOWN);
	if (r < 0)
		return r;
	if (as_json)
		dl_screen_json(json_object_get(answer, "items"));
	else
		events_print(json_object_get(answer, "items"));
	return 0;
}

static int audit_run(int argc, char **argv, struct dl_error *err)
{
	static const char *const taken[] = { "json", NULL };
	struct dl_options options = { 0 };

	int r = dl_options_read(argc, argv, taken, 1, &options, err);
	if (r < 0)
		return r;
	if (!options.word_count)
		return audit_list(options.json, err);
	if (!strcmp(options.words[0], "verify"))
		return audit_verify(options.json, err);
	return dl_error_set(err, DL_E_INVALID, "'%s' is not `verify`", options.words[0]);
}

const struct dl_command dl_command_audit = {
	.name = "audit",
	.arguments = "[verify] [--json]",
	.summary = "list the newest events; `verify` checks that nothing was changed",
	.run = audit_run,
};
