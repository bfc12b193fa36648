#include "server/command/server.h"

#include "core/base/buf.h"
#include "server/auth/guard.h"
#include "server/auth/throttle.h"
#include "server/command/certificate.h"
#include "server/log.h"
#include "server/portal/portal.h"

#include <string.h>

enum { EXPIRE_EVERY_MS = 30 * 1000 };

struct dl_server {
	struct dl_data *data;
	struct dl_http *http;
	struct dl_store *store;
	struct dl_sessions *sessions;
	struct dl_dispatch *dispatch;
	struct dl_throttle *enrolments;
	char *agent_url, *tls_pin;
	struct dl_api api;
	struct dl_portal portal;
	struct dl_route_table api_table, agent_table, portal_table;
	struct dl_router *portal_router, *agent_router;
};

static void server_post(void *ctx, void (*run)(void *), void *arg)
{
	struct dl_server *server = ctx;
	dl_http_post(server->http, run, arg);
}

static bool server_is_online(void *ctx, int64_t agent)
{
	struct dl_server *server = ctx;
	return dl_dispatch_is_online(server->dispatch, agent);
}

static void server_wake(void *ctx, int64_t agent)
{
	struct dl_server *server = ctx;
	dl_dispatch_wake(server->dispatch, agent);
}

static void on_expired(void *arg, int result, json_t *view, const struct dl_error *err)
{
	(void)arg;
	(void)view;
	if (result < 0)
		dl_log(DL_LOG_ERROR, "expiring waiting orders: %s", err->text);
}

static void server_expire(void *arg)
{
	static const struct dl_actor system = { .kind = DL_ACTOR_SYSTEM };
	struct dl_server *server = arg;

	dl_store_expire(server->store, &system, on_expired, NULL);
}

static int server_open_store(struct dl_server *server, struct dl_error *err)
{
	struct dl_store_options options = {
		.path = server->data->database,
		.key = server->data->signing_key,
		.key_cert = server->data->key_cert,
		.root_key = server->data->root_key,
		.post = server_post,
		.is_online = server_is_online,
		.wake = server_wake,
		.ctx = server,
	};
	return dl_store_open(&options, &server->store, err);
}

static void server_make_routes(struct dl_server *server)
{
	server->api_table = dl_api_table(&server->api);
	server->agent_table = dl_agent_table(&server->api);
	server->portal_table = dl_portal_table(&server->portal);
	server->portal_router = dl_router_new(dl_guard, server->store);
	server->agent_router = dl_router_new(dl_guard, server->store);
	dl_router_add(server->portal_router, &server->api_table);
	dl_router_add(server->portal_router, &server->portal_table);
	dl_router_add(server->agent_router, &server->agent_table);
}

static void server_fill_api(struct dl_server *server)
{
	server->api = (struct dl_api){
		.http = server->http,
		.store = server->store,
		.sessions = server->sessions,
		.dispatch = server->dispatch,
		.enrolments = server->enrolments,
		.enrol_server = { .url = server->agent_url,
				  .root_key_id = server->data->root_key_id,
				  .tls_pin = server->tls_pin },
	};
}

static int server_listen_portal(struct dl_server *server, const struct dl_server_options *options,
				struct dl_error *err)
{
	struct dl_listen listen = { .address = options->portal, .router = server->portal_router };
	int port;

	if (options->portal_tls) {
		listen.certificate = server->data->tls_certificate;
		listen.private_key = server->data->tls_key;
	}
	int r = dl_http_listen(server->http, &listen, &port, err);
	if (r < 0)
		return dl_error_prefix(err, r, "portal");
	dl_log(DL_LOG_INFO, "portal and API on %s://%s (port %d)",
	       options->portal_tls ? "https" : "http", options->portal, port);
	return 0;
}

static int server_listen_agents(struct dl_server *server, const struct dl_server_options *options,
				int *ret_port, struct dl_error *err)
{
	struct dl_listen listen = {
		.address = options->agent,
		.certificate = server->data->tls_certificate,
		.private_key = server->data->tls_key,
		.router = server->agent_router,
	};

	int r = dl_http_listen(server->http, &listen, ret_port, err);
	if (r < 0)
		return dl_error_prefix(err, r, "agent endpoint");
	dl_log(DL_LOG_INFO, "agents on https://%s (port %d)", options->agent, *ret_port);
	return 0;
}

/* What enrolment keys say about this server. */
static int server_describe(struct dl_server *server, const char *agent_url, int port,
			   struct dl_error *err)
{
	const char *certificate = server->data->tls_certificate;
	dl_autofree char *name = NULL;
	dl_autobuf url = DL_BUF_INIT;

	int r = dl_certificate_pin(certificate, &server->tls_pin, err);
	if (r >= 0)
		r = dl_certificate_name(certificate, &name, err);
	if (r < 0)
		return r;
	dl_buf_printf(&url, strchr(name, ':') ? "https://[%s]:%d" : "https://%s:%d", name, port);
	server->agent_url = agent_url ? dl_strdup(agent_url) : dl_buf_take(&url);
	return 0;
}

int dl_server_new(const struct dl_server_options *options, struct dl_server **ret_server,
		  struct dl_error *err)
{
	dl_auto(dl_server) server = DL_NEW(struct dl_server);
	int port;

	int r = dl_data_open(options->folder, &server->data, err);
	if (r >= 0)
		r = dl_http_new(&server->http, err);
	if (r < 0)
		return r;
	server->dispatch = dl_dispatch_new(server->http);
	server->enrolments = dl_throttle_new();
	r = server_open_store(server, err);
	if (r < 0)
		return r;
	server->sessions = dl_sessions_new(server->http, server->store);
	server_make_routes(server);
	r = server_listen_portal(server, options, err);
	if (r >= 0)
		r = server_listen_agents(server, options, &port, err);
	if (r >= 0)
		r = server_describe(server, options->agent_url, port, err);
	if (r < 0)
		return r;
	server_fill_api(server);
	server->portal = (struct dl_portal){ .store = server->store, .sessions = server->sessions };
	dl_http_every(server->http, EXPIRE_EVERY_MS, server_expire, server);
	*ret_server = DL_TAKE(server);
	return 0;
}

int dl_server_run(struct dl_server *server, struct dl_error *err)
{
	int r = dl_http_run(server->http, err);
	dl_log(DL_LOG_INFO, "ending");
	return r;
}

/* First whoever posts into the loop, then the loop, which runs what they
 * posted, then what those completions look at. */
void dl_server_free(struct dl_server *server)
{
	if (!server)
		return;
	if (server->sessions)
		dl_sessions_stop(server->sessions);
	if (server->store)
		dl_store_close(server->store);
	dl_http_free(server->http);
	dl_sessions_free(server->sessions);
	dl_dispatch_free(server->dispatch);
	dl_throttle_free(server->enrolments);
	dl_router_free(server->portal_router);
	dl_router_free(server->agent_router);
	dl_data_free(server->data);
	free(server->agent_url);
	free(server->tls_pin);
	free(server);
}

json_t *dl_server_routes(void)
{
	struct dl_server server = { 0 };

	server_make_routes(&server);
	json_t *routes = dl_router_to_json(server.portal_router);
	dl_autojson *agent = dl_router_to_json(server.agent_router);
	json_array_extend(routes, agent);
	dl_router_free(server.portal_router);
	dl_router_free(server.agent_router);
	return routes;
}
