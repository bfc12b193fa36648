#include "server/api/answer.h"
#include "server/api/api.h"
#include "server/api/handler.h"

/* The `report` of docs/api.md; texts and `edit` are borrowed from *ret_body. */
static int report_read(struct dl_request *request, struct dl_report_request *ret,
		       json_t **ret_body, struct dl_error *err)
{
	static const char *const names[] = { "subject", "severity", "summary", "recommendations",
					     "edit", NULL };
	struct dl_report_request report = { 0 };
	dl_autojson *body = NULL;
	json_t *edit;

	int r = dl_answer_body(request, names, &body, err);
	if (r >= 0)
		r = dl_json_str(body, "subject", DL_STORE_SUBJECT_MAX_BYTES, &report.subject, err);
	if (r >= 0)
		r = dl_json_str(body, "severity", DL_STORE_NAME_MAX_BYTES, &report.severity, err);
	if (r >= 0)
		r = dl_json_str(body, "summary", DL_STORE_TEXT_MAX_BYTES, &report.summary, err);
	if (r >= 0)
		r = dl_json_str(body, "recommendations", DL_STORE_TEXT_MAX_BYTES,
				&report.recommendations, err);
	if (r >= 0)
		r = dl_json_object(body, "edit", &edit, err);
	if (r < 0)
		return r;
	report.edit = edit;
	*ret = report;
	*ret_body = DL_TAKE(body);
	return 0;
}

/* The three that take a report on a thing named by its id. */
typedef void (*report_fn)(struct dl_store *store, const struct dl_actor *actor, int64_t id,
			  const struct dl_report_request *report, dl_store_done done, void *arg);

static void report_handle(struct dl_request *request, struct dl_api *api, report_fn call)
{
	struct dl_report_request report;
	dl_autojson *body = NULL;
	int64_t id;
	struct dl_error err;

	int r = dl_request_param_id(request, "id", &id, &err);
	if (r >= 0)
		r = report_read(request, &report, &body, &err);
	if (!dl_answer_failed(request, r, &err))
		call(api->store, dl_answer_actor(request), id, &report, dl_answer_view,
		     dl_answer_later(request));
}

void dl_api_report_preview(struct dl_request *request, void *app)
{
	report_handle(request, app, dl_store_report_preview);
}

void dl_api_incident_create(struct dl_request *request, void *app)
{
	report_handle(request, app, dl_store_incident_create);
}

void dl_api_draft_save(struct dl_request *request, void *app)
{
	report_handle(request, app, dl_store_draft_save);
}

void dl_api_report_send(struct dl_request *request, void *app)
{
	static const char *const names[] = { "digest", NULL };
	struct dl_api *api = app;
	dl_autojson *body = NULL;
	const char *digest;
	int64_t incident;
	struct dl_error err;

	int r = dl_request_param_id(request, "id", &incident, &err);
	if (r >= 0)
		r = dl_answer_body(request, names, &body, &err);
	if (r >= 0)
		r = dl_json_hex(body, "digest", DL_SHA256_SIZE, &digest, &err);
	if (!dl_answer_failed(request, r, &err))
		dl_store_report_send(api->store, dl_answer_actor(request), incident, digest,
				     dl_answer_view, dl_answer_later(request));
}
