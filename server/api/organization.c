#include "server/api/answer.h"
#include "server/api/api.h"
#include "server/api/handler.h"

struct new_key {
	struct dl_api *api;
	uint64_t request;
};

void dl_api_organization_list(struct dl_request *request, void *app)
{
	struct dl_api *api = app;

	dl_store_organization_list(api->store, dl_answer_actor(request), dl_answer_view,
				   dl_answer_later(request));
}

void dl_api_organization_add(struct dl_request *request, void *app)
{
	static const char *const names[] = { "name", NULL };
	struct dl_api *api = app;
	dl_autojson *body = NULL;
	const char *name;
	struct dl_error err;

	int r = dl_answer_body(request, names, &body, &err);
	if (r >= 0)
		r = dl_json_str(body, "name", DL_STORE_NAME_MAX_BYTES, &name, &err);
	if (!dl_answer_failed(request, r, &err))
		dl_store_organization_add(api->store, dl_answer_actor(request), name, dl_answer_view,
					  dl_answer_later(request));
}

void dl_api_enrol_key_list(struct dl_request *request, void *app)
{
	struct dl_api *api = app;
	int64_t organization;
	struct dl_error err;

	if (!dl_answer_failed(request, dl_request_param_id(request, "id", &organization, &err), &err))
		dl_store_enrol_key_list(api->store, dl_answer_actor(request), organization,
					dl_answer_view, dl_answer_later(request));
}

/* The view with the file to give to hosts. */
static void on_key_created(void *arg, int result, json_t *view, const struct dl_error *err)
{
	struct new_key *key = arg;
	struct dl_request *request = dl_request_find(key->api->http, key->request);

	if (request && !dl_answer_failed(request, result, err)) {
		dl_autofree char *file = dl_enrol_file_text(&key->api->enrol_server, view);
		dl_autojson *answer = json_copy(view);
		json_object_set_new(answer, "file", json_string(file));
		dl_answer_json(request, 200, answer);
	}
	free(key);
}

void dl_api_enrol_key_create(struct dl_request *request, void *app)
{
	static const char *const names[] = { "label", "host_limit", "expires", NULL };
	struct dl_api *api = app;
	struct dl_enrol_key_request create = { 0 };
	dl_autojson *body = NULL;
	struct dl_error err;

	int r = dl_request_param_id(request, "id", &create.organization, &err);
	if (r >= 0)
		r = dl_answer_body(request, names, &body, &err);
	if (r >= 0)
		r = dl_json_str(body, "label", DL_STORE_NAME_MAX_BYTES, &create.label, &err);
	if (r >= 0)
		r = dl_json_int(body, "host_limit", 1, 100000, &create.host_limit, &err);
	if (r >= 0)
		r = dl_json_int(body, "expires", 1, INT64_MAX, &create.expires, &err);
	if (dl_answer_failed(request, r, &err))
		return;
	struct new_key *key = DL_NEW(struct new_key);
	key->api = api;
	key->request = dl_request_id(request);
	dl_store_enrol_key_create(api->store, dl_answer_actor(request), &create, on_key_created, key);
}

void dl_api_enrol_key_revoke(struct dl_request *request, void *app)
{
	struct dl_api *api = app;

	dl_store_enrol_key_revoke(api->store, dl_answer_actor(request),
				  dl_request_param(request, "key"), dl_answer_view,
				  dl_answer_later(request));
}
