#include "cli/incident.h"

#include "cli/screen.h"
#include "core/base/mem.h"
#include "core/plan/step.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int dl_incident_fetch(int64_t id, json_t **ret_incident, struct dl_error *err)
{
	return dl_call_saved("GET", NULL, ret_incident, err, "/api/incidents/%" PRId64, id);
}

static void member_print(const char *label, const json_t *object, const char *name)
{
	dl_autofree char *text = dl_screen_member(object, name);

	printf("%-12s %s\n", label, text);
}

static void section_print(const char *title, const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	if (!text || !*text)
		return;
	putchar('\n');
	dl_screen_tone(DL_TONE_BOLD, title);
	putchar('\n');
	dl_screen_paragraph(text);
}

static enum dl_tone status_tone(const char *status)
{
	static const char *const good[] = { "removed", "already_gone", "manual_done", "restored" };
	static const char *const bad[] = { "failed", "refused", "stale", "undo_failed", "unverified" };

	for (size_t i = 0; i < DL_COUNT(good); i++)
		if (!strcmp(status, good[i]))
			return DL_TONE_GOOD;
	for (size_t i = 0; i < DL_COUNT(bad); i++)
		if (!strcmp(status, bad[i]))
			return DL_TONE_BAD;
	return DL_TONE_WARN;
}

static void objects_print(const json_t *step)
{
	size_t i;
	json_t *object;

	json_array_foreach(json_object_get(step, "objects"), i, object) {
		dl_autofree char *path = dl_screen_member(object, "path");
		dl_autofree char *sha256 = dl_screen_member(object, "sha256");
		printf("       %s\n", path);
		if (json_object_get(object, "sha256"))
			printf("         sha256 %s\n", sha256);
	}
}

static void step_print(const json_t *step)
{
	dl_autofree char *id = dl_screen_member(step, "id");
	dl_autofree char *title = dl_screen_member(step, "title");
	dl_autofree char *status = dl_screen_member(step, "status");
	const json_t *run = json_object_get(step, "run");
	const char *manual = json_string_value(json_object_get(step, "detail"));
	const char *detail = json_string_value(json_object_get(run, "detail"));

	printf("  %3s  %s  [", id, title);
	dl_screen_tone(status_tone(status), status);
	puts("]");
	objects_print(step);
	if (manual && *manual)
		dl_screen_paragraph(manual);
	if (detail && *detail)
		dl_screen_paragraph(detail);
}

static void steps_print(const json_t *incident)
{
	size_t i;
	json_t *step;

	putchar('\n');
	dl_screen_tone(DL_TONE_BOLD, "Remediation plan");
	putchar('\n');
	json_array_foreach(json_object_get(incident, "steps_view"), i, step)
		step_print(step);
	if (!i)
		puts("  no steps");
}

static void orders_print(const json_t *incident)
{
	size_t i;
	json_t *order;

	json_array_foreach(json_object_get(incident, "orders"), i, order) {
		dl_autofree char *plan = dl_screen_member(order, "plan_id");
		dl_autofree char *kind = dl_screen_member(order, "kind");
		dl_autofree char *state = dl_screen_member(order, "state");
		printf("%s%-7s %s  %s\n", i ? "" : "\nOrders\n", kind, plan, state);
	}
}

void dl_incident_print(const json_t *incident)
{
	const json_t *revision = json_object_get(incident, "shown_revision");
	const json_t *review = json_object_get(incident, "review");
	dl_autofree char *subject = dl_screen_member(revision, "subject");

	dl_screen_tone(DL_TONE_BOLD, subject);
	putchar('\n');
	member_print("incident", incident, "id");
	member_print("severity", revision, "severity");
	member_print("state", incident, "state");
	member_print("needs", incident, "needs");
	member_print("host", json_object_get(incident, "host"), "hostname");
	member_print("online", json_object_get(incident, "host"), "online");
	member_print("organization", json_object_get(incident, "organization"), "name");
	member_print("revision", revision, "no");
	member_print("status", revision, "state");
	member_print("digest", revision, "digest");
	section_print("Recommendations", revision, "recommendations");
	section_print("Summary", revision, "summary");
	steps_print(incident);
	if (!json_is_true(json_object_get(review, "possible")))
		section_print("Why it cannot be approved", review, "because");
	orders_print(incident);
}

int dl_incident_steps(const char *text, json_t **ret_steps, struct dl_error *err)
{
	dl_autojson *steps = NULL;
	char *end;

	if (!text) {
		*ret_steps = NULL;
		return 0;
	}
	steps = json_array();
	for (;; text = end + 1) {
		long long step = strtoll(text, &end, 10);
		if (end == text || step < 1 || step > DL_PLAN_STEPS_MAX || (*end && *end != ','))
			return dl_error_set(err, DL_E_INVALID,
					    "steps are numbers with commas between: 1,2,5");
		json_array_append_new(steps, json_integer(step));
		if (!*end)
			break;
	}
	*ret_steps = DL_TAKE(steps);
	return 0;
}

static bool says_yes(const json_t *may)
{
	return json_is_true(may) || json_array_size(may);
}

int dl_incident_order(const json_t *incident, const char *may, const char **ret_plan_id,
		      struct dl_error *err)
{
	size_t i;
	json_t *order;

	json_array_foreach(json_object_get(incident, "orders"), i, order) {
		if (!says_yes(json_object_get(order, may)))
			continue;
		*ret_plan_id = json_string_value(json_object_get(order, "plan_id"));
		return 0;
	}
	return dl_error_set(err, DL_E_STATE, "this incident has no order for which that is possible");
}

int dl_incident_act(const json_t *body, bool as_json, struct dl_error *err,
		    const char *path_format, ...)
{
	dl_autojson *incident = NULL;
	char path[256];
	va_list args;

	va_start(args, path_format);
	vsnprintf(path, sizeof(path), path_format, args);
	va_end(args);
	if (!body)
		return dl_error_set(err, DL_E_INVALID, "arguments must be UTF-8");
	int r = dl_call_saved("POST", body, &incident, err, "%s", path);
	if (r < 0)
		return r;
	if (as_json) {
		dl_screen_json(incident);
		return 0;
	}
	dl_autofree char *id = dl_screen_member(incident, "id");
	dl_autofree char *state = dl_screen_member(incident, "state");
	dl_autofree char *needs = dl_screen_member(incident, "needs");
	printf("incident %s is %s, needs %s\n", id, state, needs);
	return 0;
}
