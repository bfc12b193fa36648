#include "server/api/answer.h"
#include "server/api/api.h"
#include "server/api/handler.h"

void dl_api_host_list(struct dl_request *request, void *app)
{
	struct dl_api *api = app;
	struct dl_page page;
	int64_t organization = 0;
	struct dl_error err;

	int r = dl_answer_page(request, &page, &err);
	if (r >= 0)
		r = dl_answer_query_number(request, "organization", INT64_MAX, &organization, &err);
	if (!dl_answer_failed(request, r, &err))
		dl_store_host_list(api->store, dl_answer_actor(request), organization, page,
				   dl_answer_view, dl_answer_later(request));
}

void dl_api_host_get(struct dl_request *request, void *app)
{
	struct dl_api *api = app;
	int64_t host;
	struct dl_error err;

	if (!dl_answer_failed(request, dl_request_param_id(request, "id", &host, &err), &err))
		dl_store_host_get(api->store, dl_answer_actor(request), host, dl_answer_view,
				  dl_answer_later(request));
}

void dl_api_host_footholds(struct dl_request *request, void *app)
{
	struct dl_api *api = app;
	struct dl_page page;
	int64_t host, gone = 0;
	struct dl_error err;

	int r = dl_request_param_id(request, "id", &host, &err);
	if (r >= 0)
		r = dl_answer_page(request, &page, &err);
	if (r >= 0)
		r = dl_answer_query_number(request, "gone", 1, &gone, &err);
	if (!dl_answer_failed(request, r, &err))
		dl_store_host_footholds(api->store, dl_answer_actor(request), host, gone, page,
					dl_answer_view, dl_answer_later(request));
}

void dl_api_survey_request(struct dl_request *request, void *app)
{
	static const char *const names[] = { NULL };
	struct dl_api *api = app;
	dl_autojson *body = NULL;
	int64_t host;
	struct dl_error err;

	int r = dl_request_param_id(request, "id", &host, &err);
	if (r >= 0)
		r = dl_answer_body(request, names, &body, &err);
	if (!dl_answer_failed(request, r, &err))
		dl_store_survey_request(api->store, dl_answer_actor(request), host, dl_answer_view,
					dl_answer_later(request));
}

void dl_api_host_confirm(struct dl_request *request, void *app)
{
	static const char *const names[] = { NULL };
	struct dl_api *api = app;
	dl_autojson *body = NULL;
	int64_t host;
	struct dl_error err;

	int r = dl_request_param_id(request, "id", &host, &err);
	if (r >= 0)
		r = dl_answer_body(request, names, &body, &err);
	if (!dl_answer_failed(request, r, &err))
		dl_store_host_confirm(api->store, dl_answer_actor(request), host, dl_answer_view,
				      dl_answer_later(request));
}
