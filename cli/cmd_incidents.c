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

/* "open, resolved or closed" */
static char *words_of(const char *const *words)
{
	dl_autobuf list = DL_BUF_INIT;

	for (size_t i = 0; words[i]; i++)
		dl_buf_printf(&list, "%s%s", !i ? "" : words[i + 1] ? ", " : " or ", words[i]);
	return dl_buf_take(&list);
}

/* A word that the server does not know would find nothing, which looks like good news. */
static int add_filter(struct dl_buf *path, const char *name, const char *value,
		      const char *const *known, struct dl_error *err)
{
	size_t i = 0;

	if (!value)
		return 0;
	while (known[i] && strcmp(known[i], value) != 0)
		i++;
	if (!known[i]) {
		dl_autofree char *words = words_of(known);
		return dl_error_set(err, DL_E_INVALID, "'%s' is no %s: %s", value, name, words);
	}
	dl_buf_printf(path, "%c%s=%s", strchr(path->data, '?') ? '&' : '?', name, value);
	return 0;
}

static int incidents_run(int argc, char **argv, struct dl_error *err)
{
	static const char *const taken[] = { "json", "state", "severity", NULL };
	static const char *const states[] = { "draft", "open", "resolved", "closed", NULL };
	static const char *const severities[] = { "low", "high", "critical", NULL };
	struct dl_options options = { 0 };
	dl_autojson *incidents = NULL;
	dl_autobuf path = DL_BUF_INIT;

	dl_buf_puts(&path, "/api/incidents");
	int r = dl_options_read(argc, argv, taken, 0, &options, err);
	if (r >= 0)
		r = add_filter(&path, "state", options.state, states, err);
	if (r >= 0)
		r = add_filter(&path, "severity", options.severity, severities, err);
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
