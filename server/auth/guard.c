#include "server/auth/guard.h"

#include "server/auth/csrf.h"
#include "server/auth/session.h"

#include <string.h>

/* A proof that is being looked up. */
struct asking {
	struct dl_http *http;
	uint64_t request;
	struct dl_caller *caller;
};

const struct dl_caller *dl_caller_of(const struct dl_request *request)
{
	return dl_request_attached(request);
}

static void caller_free(void *value)
{
	struct dl_caller *caller = value;

	if (!caller)
		return;
	json_decref(caller->session);
	free((char *)caller->actor.address);
	explicit_bzero(caller, sizeof(*caller));
	free(caller);
}

static void refuse_signed_out(struct dl_request *request)
{
	dl_reply_error(request, 401, "signed_out", "please sign in");
}

static unsigned roles_of(const json_t *session)
{
	static const struct {
		const char *name;
		unsigned bit;
	} known[] = {
		{ "administrator", DL_MAY_ADMINISTRATOR },
		{ "analyst", DL_MAY_ANALYST },
		{ "technician", DL_MAY_TECHNICIAN },
		{ "reader", DL_MAY_READ_ONLY },
	};
	unsigned roles = 0;
	size_t i;
	json_t *role;

	json_array_foreach(json_object_get(session, "roles"), i, role)
		for (size_t k = 0; k < DL_COUNT(known); k++)
			if (!strcmp(json_string_value(role), known[k].name))
				roles |= known[k].bit;
	return roles;
}

static bool changes_something(const struct dl_request *request)
{
	const char *method = dl_request_method(request);

	return strcmp(method, "GET") && strcmp(method, "HEAD");
}

/* The session is good: is it enough for this route? */
static void admit_session(struct dl_request *request, const struct dl_caller *caller)
{
	const struct dl_route *route = dl_request_route(request);

	if (!(caller->roles & route->roles))
		dl_reply_error(request, 403, dl_error_name(DL_E_DENIED),
			       "your role does not allow this");
	else if (route->auth == DL_AUTH_SESSION && changes_something(request) &&
		 !dl_csrf_matches(request, caller->csrf))
		dl_reply_error(request, 403, "csrf",
			       "this form is out of date; please load the page again");
	else
		dl_router_admit(request);
}

static void caller_take_session(struct dl_caller *caller, json_t *session)
{
	caller->session = json_incref(session);
	caller->roles = roles_of(session);
	caller->actor.kind = DL_ACTOR_USER;
	caller->actor.id =
		json_integer_value(json_object_get(json_object_get(session, "user"), "id"));
}

static void caller_take_agent(struct dl_caller *caller, json_t *view)
{
	caller->actor.kind = DL_ACTOR_AGENT;
	caller->actor.id = json_integer_value(json_object_get(view, "agent_id"));
}

static void guard_on_answer(void *arg, int result, json_t *view, const struct dl_error *err)
{
	struct asking *asking = arg;
	struct dl_request *request = dl_request_find(asking->http, asking->request);
	struct dl_caller *caller = DL_TAKE(asking->caller);

	free(asking);
	if (!request || result < 0) {
		caller_free(caller);
		if (request && result == DL_E_NOT_FOUND)
			refuse_signed_out(request);
		else if (request)
			dl_reply_failure(request, result, err);
		return;
	}
	dl_request_attach(request, caller, caller_free);
	if (dl_request_route(request)->auth == DL_AUTH_AGENT) {
		caller_take_agent(caller, view);
		dl_router_admit(request);
		return;
	}
	caller_take_session(caller, view);
	admit_session(request, caller);
}

static struct asking *asking_new(struct dl_request *request, const char *token)
{
	struct asking *asking = DL_NEW(struct asking);
	struct dl_caller *caller = DL_NEW(struct dl_caller);

	caller->actor.address = dl_strdup(dl_request_peer(request));
	dl_sha256_text(token, strlen(token), caller->token_hash);
	dl_csrf_of_token(token, caller->csrf);
	asking->http = dl_request_http(request);
	asking->request = dl_request_id(request);
	asking->caller = caller;
	return asking;
}

void dl_guard(struct dl_request *request, const struct dl_route *route, void *store)
{
	static const struct dl_actor system = { .kind = DL_ACTOR_SYSTEM };
	const char *token = route->auth == DL_AUTH_SESSION ? dl_session_cookie(request) :
							     dl_session_bearer(request);

	if (!token) {
		refuse_signed_out(request);
		return;
	}
	struct asking *asking = asking_new(request, token);
	if (route->auth == DL_AUTH_AGENT)
		dl_store_agent_authenticate(store, asking->caller->token_hash, guard_on_answer,
					    asking);
	else
		dl_store_session_get(store, &system, asking->caller->token_hash, guard_on_answer,
				     asking);
}
