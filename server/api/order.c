#include "server/api/answer.h"
#include "server/api/api.h"
#include "server/api/handler.h"

#include "core/plan/step.h"

void dl_api_order_cancel(struct dl_request *request, void *app)
{
	static const char *const names[] = { NULL };
	struct dl_api *api = app;
	dl_autojson *body = NULL;
	struct dl_error err;

	if (!dl_answer_failed(request, dl_answer_body(request, names, &body, &err), &err))
		dl_store_order_cancel(api->store, dl_answer_actor(request),
				      dl_request_param(request, "plan"), dl_answer_view,
				      dl_answer_later(request));
}

void dl_api_order_undo(struct dl_request *request, void *app)
{
	static const char *const names[] = { "steps", "legitimate", "comment", NULL };
	struct dl_api *api = app;
	struct dl_undo_request undo = { .plan_id = dl_request_param(request, "plan") };
	dl_autojson *body = NULL;
	json_t *steps = NULL;
	struct dl_error err;

	int r = dl_answer_body(request, names, &body, &err);
	if (r >= 0)
		r = dl_json_array_opt(body, "steps", DL_PLAN_STEPS_MAX, &steps, &err);
	if (r >= 0)
		r = dl_json_str_opt(body, "comment", DL_STORE_TEXT_MAX_BYTES, &undo.comment, &err);
	if (r >= 0 && !json_is_boolean(json_object_get(body, "legitimate")))
		r = dl_error_set(&err, DL_E_INVALID, "'legitimate' must be true or false");
	if (dl_answer_failed(request, r, &err))
		return;
	undo.steps = steps;
	undo.legitimate = json_is_true(json_object_get(body, "legitimate"));
	dl_store_order_undo(api->store, dl_answer_actor(request), &undo, dl_answer_view,
			    dl_answer_later(request));
}
