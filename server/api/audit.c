#include "server/api/answer.h"
#include "server/api/api.h"
#include "server/api/handler.h"

void dl_api_audit_list(struct dl_request *request, void *app)
{
	struct dl_api *api = app;
	struct dl_audit_filter filter = { 0 };
	struct dl_page page;
	struct dl_error err;

	int r = dl_answer_query_number(request, "organization", INT64_MAX, &filter.organization,
				       &err);
	if (r >= 0)
		r = dl_answer_query_number(request, "incident", INT64_MAX, &filter.incident, &err);
	if (r >= 0)
		r = dl_answer_page(request, &page, &err);
	if (!dl_answer_failed(request, r, &err))
		dl_store_audit_list(api->store, dl_answer_actor(request), &filter, page,
				    dl_answer_view, dl_answer_later(request));
}

void dl_api_audit_verify(struct dl_request *request, void *app)
{
	struct dl_api *api = app;

	dl_store_audit_verify(api->store, dl_answer_actor(request), dl_answer_view,
			      dl_answer_later(request));
}
