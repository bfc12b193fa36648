#include "cli/call.h"
#include "cli/command.h"
#include "cli/screen.h"

#include "core/base/buf.h"
#include "core/base/mem.h"

#include <string.h>

static void incidents_print(const json_t *incidents)
{
	static const char *const heads[] = { "ID", "SEVERITY", "STATE", "NEEDS", "HOST", "REVISION",
					     "SENT", "SUBJECT", NULL };
	dl_auto(dl_table) table = dl_table_new(heads);
	size_t i;
	json_t *incident;

	json_array_foreach((json_t *)incidents, i, incident) {
		char *cells[] = {
			dl_screen_member(incident, "id"),
			dl_screen_member(incident, "severity"),
			dl_screen_member(incident, "state"),
			dl_screen_member(incident, "needs"),
			dl_screen_member(json_object_get(incident, "host"), "hostname"),
			dl_screen_member(incident, "revision"),
			dl_screen_time(incident, "sent"),
			dl_screen_member(incident, "subject"),
		};
		dl_table_add(table, cells);
	}
	dl_table_print(table, "no incidents");
}

/* Only plain words go into a query: nothing has to be escaped. */
static int add_filter(struct dl_buf *path, const char *name, const char *value,
		      struct dl_error *err)
{
	if (!value)
		return 0;
	if (!*value || value[strspn(value, "abcdefghijklmnopqrstuvwxyz")])
		return dl_error_set(err, DL_E_INVALID, "'%s' is no %s", value, name);
	dl_buf_printf(path, "%c%s=%s", strchr(path->data, '?') ? '&' : '?', name, value);
	return 0;
}

static int incidents_run(int argc, char **argv, struct dl_error *err)
{
	static const char *const taken[] = { "json", "state", "severity", NULL };
	struct dl_options options = { 0 };
	dl_autojson *incidents = NULL;
	dl_autobuf path = DL_BUF_INIT;

	dl_buf_puts(&path, "/api/incidents");
	int r = dl_options_read(argc, argv, taken, 0, &options, err);
	if (r >= 0)
		r = add_filter(&path, "state", options.state, err);
	if (r >= 0)
		r = add_filter(&path, "severity", options.severity, err);
	if (r >= 0)
		r = dl_call_list(path.data, &incidents, err);
	if (r < 0)
		return r;
	if (options.json)
		dl_screen_json(incidents);
	else
		incidents_print(incidents);
	return 0;
}

const struct dl_command dl_command_incidents = {
	.name = "incidents",
	.arguments = "[--state STATE] [--severity SEVERITY] [--json]",
	.summary = "list incidents, newest first",
	.details = "STATE: draft, open, resolved, closed. SEVERITY: low, high, critical.\n",
	.run = incidents_run,
};
