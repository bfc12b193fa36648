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

/* "       label text", or nothing where there is none. */
static void fact_print(const char *label, const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	const char *text = json_string_value(value);

	if (!value || json_is_null(value) || (text && !*text))
		return;
	dl_autofree char *shown = dl_screen_member(object, name);
	printf("       %-9s %s\n", label, shown);
}

static void object_print(const json_t *object)
{
	static const struct {
		const char *label, *name;
	} facts[] = {
		{ "sha256", "sha256" }, { "leads to", "link_target" }, { "package", "package" },
	};
	dl_autofree char *path = dl_screen_member(object, "path");
	dl_autofree char *type = dl_screen_member(object, "type");
	dl_autofree char *owner = dl_screen_member(object, "owner");
	json_int_t mode = json_integer_value(json_object_get(object, "mode"));

	printf("       %s\n         %s, mode %04o, owner %s\n", path, type, (unsigned int)mode, owner);
	for (size_t i = 0; i < DL_COUNT(facts); i++) {
		const char *text = json_string_value(json_object_get(object, facts[i].name));
		dl_autofree char *shown = dl_screen_member(object, facts[i].name);
		if (text && *text)
			printf("         %s %s\n", facts[i].label, shown);
	}
}

static void objects_print(const json_t *step)
{
	size_t i;
	json_t *object;

	json_array_foreach(json_object_get(step, "objects"), i, object)
		object_print(object);
}

static void requirements_print(const json_t *step)
{
	size_t i;
	json_t *id;

	json_array_foreach(json_object_get(step, "requires"), i, id)
		printf("%s%" JSON_INTEGER_FORMAT, i ? ", " : "       needs     step ",
		       json_integer_value(id));
	if (i)
		putchar('\n');
}

/* What a person has to know before saying yes. */
static void evidence_print(const json_t *step)
{
	const json_t *foothold = json_object_get(step, "foothold");

	fact_print("why", step, "why");
	fact_print("line", step, "line");
	fact_print("runs", foothold, "command");
	fact_print("as", foothold, "user");
	fact_print("when", foothold, "schedule");
	fact_print("state", foothold, "state");
	requirements_print(step);
	objects_print(step);
}

/* What the host asked and was answered, and what it keeps. */
static void proof_print(const json_t *run)
{
	size_t i;
	json_t *item;

	json_array_foreach(json_object_get(run, "evidence"), i, item) {
		dl_autofree char *words = dl_screen_safe(json_string_value(item));
		printf("       proof     %s\n", words);
	}
	json_array_foreach(json_object_get(run, "quarantine"), i, item) {
		dl_autofree char *id = dl_screen_member(item, "id");
		dl_autofree char *path = dl_screen_member(item, "path");
		printf("       kept      %s, from %s\n", id, path);
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
	evidence_print(step);
	if (manual && *manual)
		dl_screen_paragraph(manual);
	if (detail && *detail)
		dl_screen_paragraph(detail);
	proof_print(run);
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

static void revision_print(const json_t *revision)
{
	dl_autofree char *no = dl_screen_member(revision, "no");
	dl_autofree char *state = dl_screen_member(revision, "state");

	printf("%-12s %s, %s\n", "revision", no, state);
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
	revision_print(revision);
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
	return dl_error_set(err, DL_E_STATE, "this incident has no order that can be %s; "
			    "dislodge show says what it has",
			    !strcmp(may, "can_cancel") ? "cancelled" : "undone");
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
