#include "server/incident/report.h"

#include "core/base/buf.h"
#include "core/wire/order.h"

#include <string.h>

/* What an order holds besides the revision: ids, choice, approvals. */
enum { ORDER_FRAME_BYTES = 8 * 1024 };

int dl_report_check(const struct dl_report *report, struct dl_error *err)
{
	static const char *const severities[] = { "low", "high", "critical" };
	bool known = false;
	for (size_t i = 0; i < DL_COUNT(severities); i++)
		known = known || strcmp(severities[i], report->severity) == 0;
	if (!known)
		return dl_error_set(err, DL_E_INVALID, "severity is low, high or critical");
	if (report->subject[strspn(report->subject, " \t\r\n")] == '\0')
		return dl_error_set(err, DL_E_INVALID, "the report needs a subject");
	return 0;
}

/* Texts of an array, borrowed from it; the vector is owned by the caller. */
static int text_vector(const json_t *edit, const char *name, const char *const **ret_texts,
		       size_t *ret_count, struct dl_error *err)
{
	json_t *array = NULL;
	int r = dl_json_array_opt(edit, name, DL_PLAN_STEPS_MAX, &array, err);
	if (r < 0)
		return r;
	size_t count = json_array_size(array);
	dl_autofree const char **texts = dl_alloc(count, sizeof(*texts));
	for (size_t i = 0; i < count; i++) {
		texts[i] = json_string_value(json_array_get(array, i));
		if (!texts[i])
			return dl_error_set(err, DL_E_INVALID, "'%s' holds something that is no text",
					    name);
	}
	*ret_texts = DL_TAKE(texts);
	*ret_count = count;
	return 0;
}

int dl_report_propose(const struct dl_survey *survey, const json_t *edit,
		      struct dl_plan **ret_plan, struct dl_error *err)
{
	static const char *const members[] = { "keys", "leave_payloads", "downgrade", "manual",
					       "requires", NULL };
	dl_autofree const char *const *keys = NULL, *const *leave = NULL;
	json_t *downgrade = NULL, *manual = NULL, *requires = NULL;
	struct dl_plan_edit wish = { 0 };
	int r = dl_json_only(edit, members, err);
	if (r == 0)
		r = text_vector(edit, "keys", &keys, &wish.key_count, err);
	if (r == 0)
		r = text_vector(edit, "leave_payloads", &leave, &wish.leave_count, err);
	if (r == 0)
		r = dl_json_array_opt(edit, "downgrade", DL_PLAN_STEPS_MAX, &downgrade, err);
	if (r == 0)
		r = dl_json_array_opt(edit, "manual", DL_PLAN_STEPS_MAX, &manual, err);
	if (r == 0)
		r = dl_json_array_opt(edit, "requires", DL_PLAN_STEPS_MAX, &requires, err);
	if (r < 0)
		return r;
	if (!wish.key_count && !json_array_size(manual))
		return dl_error_set(err, DL_E_INVALID,
				    "choose at least one foothold, or add a manual step");
	wish.keys = keys;
	wish.leave_payloads = leave;
	wish.downgrade = downgrade;
	wish.manual = manual;
	wish.requires = requires;
	return dl_plan_propose(survey, &wish, ret_plan, err);
}

/* An order carries the body as one JSON string: what counts is its spelled length. */
static int check_size(const char *body, struct dl_error *err)
{
	dl_autojson *text = json_string(body);
	size_t spelled = json_dumpb(text, NULL, 0, JSON_ENCODE_ANY | JSON_COMPACT);
	if (!spelled || spelled > DL_ORDER_MAX_BYTES - ORDER_FRAME_BYTES)
		return dl_error_set(err, DL_E_LIMIT,
				    "the report is too large: shorten its texts or split the plan");
	return 0;
}

int dl_report_to_body(const struct dl_report *report, int64_t incident, int64_t no,
		      const struct dl_plan *plan, char **ret_body,
		      char ret_digest[DL_SHA256_TEXT_SIZE], struct dl_error *err)
{
	dl_autojson *revision = json_pack(
		"{s:i,s:I,s:I,s:s,s:s,s:s,s:s,s:o}", "version", 1, "incident_id",
		(json_int_t)incident, "no", (json_int_t)no, "subject", report->subject, "severity",
		report->severity, "summary", report->summary, "recommendations",
		report->recommendations, "steps", dl_plan_to_json(plan));
	if (!revision)
		return dl_error_set(err, DL_E_INVALID, "a text of the report is not UTF-8");
	dl_autofree char *body = dl_json_text(revision);
	int r = check_size(body, err);
	if (r < 0)
		return r;
	dl_sha256_text(body, strlen(body), ret_digest);
	*ret_body = DL_TAKE(body);
	return 0;
}

int dl_report_from_body(const char *body, json_t **ret_revision, struct dl_plan **ret_plan,
			struct dl_error *err)
{
	dl_autojson *revision = NULL;
	json_t *steps = NULL;
	int r = dl_json_parse(body, strlen(body), DL_ORDER_MAX_BYTES, &revision, err);
	if (r == 0)
		r = dl_json_array(revision, "steps", DL_PLAN_STEPS_MAX, &steps, err);
	if (r == 0)
		r = dl_plan_from_json(steps, ret_plan, err);
	if (r < 0)
		return r;
	*ret_revision = DL_TAKE(revision);
	return 0;
}

bool dl_report_reviewable(const struct dl_plan *plan, char **ret_because)
{
	if (dl_plan_assisted_count(plan) > 0)
		return true;
	dl_autobuf because = DL_BUF_INIT;
	dl_buf_puts(&because, "Nothing in this plan can be done by the agent.");
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct dl_step *step = &plan->steps[i];
		const char *why = step->detail ? step->detail
				: step->downgraded ? "chosen to be done by hand"
				: dl_reason_sentence(step->manual_because);
		dl_buf_printf(&because, "\n%s: %s", step->title ? step->title : "Manual step",
			      why && why[0] ? why : "to be done by hand");
	}
	*ret_because = dl_buf_take(&because);
	return false;
}
