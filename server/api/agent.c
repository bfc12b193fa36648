/* The agent endpoint of docs/protocol.md. */
#include "server/api/answer.h"
#include "server/api/api.h"

#include "core/base/time.h"
#include "core/crypto/random.h"
#include "server/auth/throttle.h"

/* The body's members are checked by the store, which knows their schema. */
static int agent_body(struct dl_request *request, json_t **ret_body, struct dl_error *err)
{
	size_t size;
	const char *text = dl_request_body(request, &size);

	int r = dl_json_parse(text, size, dl_request_route(request)->body_limit, ret_body, err);
	if (r < 0)
		return r;
	if (json_is_object(*ret_body))
		return 0;
	json_decref(DL_TAKE(*ret_body));
	return dl_error_set(err, DL_E_INVALID, "the body must be an object");
}

struct enrolling {
	struct dl_api *api;
	void *later;
	char *address;
};

/* Only attempts that fail are counted against an address. */
static void on_enrolled(void *arg, int result, json_t *view, const struct dl_error *err)
{
	struct enrolling *enrolling = arg;

	if (result >= 0)
		dl_throttle_succeed(enrolling->api->enrolments, NULL, enrolling->address,
				    dl_time_monotonic_ms());
	dl_answer_view(enrolling->later, result, view, err);
	free(enrolling->address);
	free(enrolling);
}

static void agent_enrol(struct dl_request *request, void *app)
{
	struct dl_api *api = app;
	struct dl_actor actor = { .kind = DL_ACTOR_SYSTEM, .address = dl_request_peer(request) };
	dl_autojson *body = NULL;
	struct dl_error err;

	if (dl_throttle_begin(api->enrolments, NULL, dl_request_peer(request),
			      dl_time_monotonic_ms())) {
		dl_reply_error(request, 429, dl_error_name(DL_E_BUSY), "too many enrolments");
		return;
	}
	if (dl_answer_failed(request, agent_body(request, &body, &err), &err))
		return;
	struct enrolling *enrolling = DL_NEW(struct enrolling);
	enrolling->api = api;
	enrolling->later = dl_answer_later(request);
	enrolling->address = dl_strdup(dl_request_peer(request));
	dl_store_enrol(api->store, &actor, body, on_enrolled, enrolling);
}

/* One poll, from its question to the store until its answer. */
struct poll {
	struct dl_api *api;
	uint64_t request;
	int64_t agent;
	json_t *body;
};

static void poll_ask(struct poll *poll, struct dl_request *request);

static void poll_end(struct poll *poll, bool left)
{
	dl_dispatch_end(poll->api->dispatch, poll->agent, poll->request, left);
	json_decref(poll->body);
	free(poll);
}

static int64_t poll_hold_ms(void)
{
	uint16_t jitter;

	dl_random(&jitter, sizeof(jitter));
	return DL_AGENT_POLL_MS + jitter % DL_AGENT_POLL_JITTER_MS;
}

static void poll_on_wake(struct dl_request *request, enum dl_wake why, void *arg)
{
	struct poll *poll = arg;

	if (why == DL_WAKE_CALLED &&
	    dl_dispatch_is_newest(poll->api->dispatch, poll->agent, poll->request)) {
		poll_ask(poll, request);
		return;
	}
	poll_end(poll, why == DL_WAKE_DISCONNECT);
	if (why != DL_WAKE_DISCONNECT)
		dl_reply_empty(request, 204);
}

static bool poll_says_nothing(const json_t *view)
{
	return !json_array_size(json_object_get(view, "orders")) &&
	       !json_is_true(json_object_get(view, "survey"));
}

static void poll_on_answer(void *arg, int result, json_t *view, const struct dl_error *err)
{
	struct poll *poll = arg;
	struct dl_request *request = dl_request_find(poll->api->http, poll->request);

	if (!request || result < 0) {
		poll_end(poll, !request);
		if (request)
			dl_reply_failure(request, result, err);
		return;
	}
	if (!poll_says_nothing(view)) {
		poll_end(poll, false);
		dl_answer_json(request, 200, view);
		return;
	}
	if (dl_dispatch_may_park(poll->api->dispatch, poll->agent))
		dl_request_park(request, poll_hold_ms(), poll_on_wake, poll);
	else
		poll_ask(poll, request);
}

static void poll_ask(struct poll *poll, struct dl_request *request)
{
	dl_store_agent_poll(poll->api->store, dl_answer_actor(request), poll->body, poll_on_answer,
			    poll);
}

static void agent_poll(struct dl_request *request, void *app)
{
	dl_autojson *body = NULL;
	struct dl_error err;

	if (dl_answer_failed(request, agent_body(request, &body, &err), &err))
		return;
	struct poll *poll = DL_NEW(struct poll);
	poll->api = app;
	poll->request = dl_request_id(request);
	poll->agent = dl_answer_actor(request)->id;
	poll->body = DL_TAKE(body);
	dl_dispatch_begin(poll->api->dispatch, poll->agent, poll->request);
	poll_ask(poll, request);
}

static void agent_claim(struct dl_request *request, void *app)
{
	struct dl_api *api = app;
	dl_autojson *envelope = NULL;
	struct dl_error err;

	if (!dl_answer_failed(request, agent_body(request, &envelope, &err), &err))
		dl_store_claim(api->store, dl_answer_actor(request), envelope, dl_answer_view,
			       dl_answer_later(request));
}

static void agent_records(struct dl_request *request, void *app)
{
	static const char *const names[] = { "records", NULL };
	struct dl_api *api = app;
	dl_autojson *body = NULL;
	json_t *records;
	struct dl_error err;

	int r = agent_body(request, &body, &err);
	if (r >= 0)
		r = dl_json_only(body, names, &err);
	if (r >= 0)
		r = dl_json_array(body, "records", DL_STORE_RECORDS_MAX, &records, &err);
	if (!dl_answer_failed(request, r, &err))
		dl_store_records(api->store, dl_answer_actor(request), records, dl_answer_view,
				 dl_answer_later(request));
}

static const struct dl_route routes[] = {
	{ "POST", "/agent/v1/enrol", DL_AUTH_NONE, 0, DL_AGENT_BODY_MAX_BYTES, agent_enrol },
	{ "POST", "/agent/v1/poll", DL_AUTH_AGENT, 0, DL_AGENT_BODY_MAX_BYTES, agent_poll },
	{ "POST", "/agent/v1/claim", DL_AUTH_AGENT, 0, DL_AGENT_BODY_MAX_BYTES, agent_claim },
	{ "POST", "/agent/v1/records", DL_AUTH_AGENT, 0, DL_AGENT_RECORDS_MAX_BYTES,
	  agent_records },
};

struct dl_route_table dl_agent_table(struct dl_api *api)
{
	return (struct dl_route_table){
		.prefix = "/agent/",
		.routes = routes,
		.count = DL_COUNT(routes),
		.app = api,
	};
}
