#include "server/api/answer.h"
#include "server/api/api.h"
#include "server/api/handler.h"

#include "core/plan/step.h"

#include <string.h>

static int filter_read(struct dl_request *request, struct dl_incident_filter *ret,
		       struct dl_error *err)
{
	struct dl_incident_filter filter = {
		.state = dl_request_query(request, "state"),
		.severity = dl_request_query(request, "severity"),
	};
	const char *needs = dl_request_query(request, "needs");

	int r = dl_answer_query_number(request, "organization", INT64_MAX, &filter.organization,
				       err);
	if (r >= 0)
		r = dl_answer_query_number(request, "host", INT64_MAX, &filter.host, err);
	if (r >= 0 && needs && strcmp(needs, "me"))
		r = dl_error_set(err, DL_E_INVALID, "'needs' can only be 'me'");
	if (r < 0)
		return r;
	filter.needs_me = needs;
	*ret = filter;
	return 0;
}

void dl_api_incident_list(struct dl_request *request, void *app)
{
	struct dl_api *api = app;
	struct dl_incident_filter filter;
	struct dl_page page;
	struct dl_error err;

	int r = filter_read(request, &filter, &err);
	if (r >= 0)
		r = dl_answer_page(request, &page, &err);
	if (!dl_answer_failed(request, r, &err))
		dl_store_incident_list(api->store, dl_answer_actor(request), &filter, page,
				       dl_answer_view, dl_answer_later(request));
}

void dl_api_incident_get(struct dl_request *request, void *app)
{
	struct dl_api *api = app;
	int64_t incident, revision = 0;
	struct dl_error err;

	int r = dl_request_param_id(request, "id", &incident, &err);
	if (r >= 0)
		r = dl_answer_query_number(request, "revision", INT64_MAX, &revision, &err);
	if (!dl_answer_failed(request, r, &err))
		dl_store_incident_get(api->store, dl_answer_actor(request), incident, revision,
				      dl_answer_view, dl_answer_later(request));
}

/* What approve and reject have in common; texts are borrowed from *ret_body. */
static int decide_read(struct dl_request *request, const char *const *names,
		       struct dl_decide_request *ret, json_t **ret_body, struct dl_error *err)
{
	struct dl_decide_request decide = { 0 };
	dl_autojson *body = NULL;

	int r = dl_request_param_id(request, "id", &decide.incident, err);
	if (r >= 0)
		r = dl_answer_body(request, names, &body, err);
	if (r >= 0)
		r = dl_json_hex(body, "digest", DL_SHA256_SIZE, &decide.digest, err);
	if (r >= 0)
		r = dl_json_str_opt(body, "reason", DL_STORE_NAME_MAX_BYTES, &decide.reason, err);
	if (r >= 0)
		r = dl_json_str_opt(body, "comment", DL_STORE_TEXT_MAX_BYTES, &decide.comment, err);
	if (r < 0)
		return r;
	*ret = decide;
	*ret_body = DL_TAKE(body);
	return 0;
}

void dl_api_incident_approve(struct dl_request *request, void *app)
{
	static const char *const names[] = { "digest", "steps", "reason", "comment", NULL };
	struct dl_api *api = app;
	struct dl_decide_request decide;
	dl_autojson *body = NULL;
	json_t *steps = NULL;
	struct dl_error err;

	int r = decide_read(request, names, &decide, &body, &err);
	if (r >= 0)
		r = dl_json_array_opt(body, "steps", DL_PLAN_STEPS_MAX, &steps, &err);
	if (dl_answer_failed(request, r, &err))
		return;
	decide.approve = true;
	decide.steps = steps;
	dl_store_decide(api->store, dl_answer_actor(request), &decide, dl_answer_view,
			dl_answer_later(request));
}

void dl_api_incident_reject(struct dl_request *request, void *app)
{
	static const char *const names[] = { "digest", "reason", "comment", "useful", NULL };
	struct dl_api *api = app;
	struct dl_decide_request decide;
	dl_autojson *body = NULL;
	struct dl_error err;

	int r = decide_read(request, names, &decide, &body, &err);
	if (r >= 0 && !decide.reason)
		r = dl_error_set(&err, DL_E_INVALID, "'reason' is missing");
	if (r >= 0 && !json_is_boolean(json_object_get(body, "useful")))
		r = dl_error_set(&err, DL_E_INVALID, "'useful' must be true or false");
	if (dl_answer_failed(request, r, &err))
		return;
	decide.useful = json_is_true(json_object_get(body, "useful"));
	dl_store_decide(api->store, dl_answer_actor(request), &decide, dl_answer_view,
			dl_answer_later(request));
}

void dl_api_manual_done(struct dl_request *request, void *app)
{
	static const char *const names[] = { "note", NULL };
	struct dl_api *api = app;
	dl_autojson *body = NULL;
	const char *note;
	int64_t incident, step;
	struct dl_error err;

	int r = dl_request_param_id(request, "id", &incident, &err);
	if (r >= 0)
		r = dl_request_param_id(request, "step", &step, &err);
	if (r >= 0)
		r = dl_answer_body(request, names, &body, &err);
	if (r >= 0)
		r = dl_json_str(body, "note", DL_STORE_TEXT_MAX_BYTES, &note, &err);
	if (!dl_answer_failed(request, r, &err))
		dl_store_manual_done(api->store, dl_answer_actor(request), incident, step, note,
				     dl_answer_view, dl_answer_later(request));
}

void dl_api_incident_close(struct dl_request *request, void *app)
{
	static const char *const names[] = { "reason", "comment", NULL };
	struct dl_api *api = app;
	dl_autojson *body = NULL;
	const char *reason, *comment = NULL;
	int64_t incident;
	struct dl_error err;

	int r = dl_request_param_id(request, "id", &incident, &err);
	if (r >= 0)
		r = dl_answer_body(request, names, &body, &err);
	if (r >= 0)
		r = dl_json_str(body, "reason", DL_STORE_NAME_MAX_BYTES, &reason, &err);
	if (r >= 0)
		r = dl_json_str_opt(body, "comment", DL_STORE_TEXT_MAX_BYTES, &comment, &err);
	if (!dl_answer_failed(request, r, &err))
		dl_store_incident_close(api->store, dl_answer_actor(request), incident, reason,
					comment, dl_answer_view, dl_answer_later(request));
}
