/* What the files of server/http share: the loop, its listeners, its
 * connections. Nobody else includes this. */
#ifndef DL_SERVER_HTTP_LOOP_H
#define DL_SERVER_HTTP_LOOP_H

#include "core/base/buf.h"
#include "server/http/precheck.h"
#include "server/http/router.h"

#include <event2/event.h>
#include <event2/http.h>
#include <openssl/ssl.h>
#include <pthread.h>

enum { DL_HTTP_LISTENERS_MAX = 8, DL_HTTP_TIMERS_MAX = 8, DL_HTTP_WORDS_SIZE = 160,
       DL_HTTP_BODY_MAX_BYTES = 16 * 1024 * 1024 };

struct dl_connection;

struct dl_listener {
	struct dl_http *http;
	struct evhttp *evhttp;
	struct evconnlistener *socket; /* owned by evhttp */
	SSL_CTX *tls;                  /* NULL: plain */
	const struct dl_router *router;
};

struct dl_post {
	void (*call)(void *arg);
	void *arg;
	struct dl_post *next;
};

struct dl_timer {
	struct event *event;
	void (*call)(void *arg);
	void *arg;
};

/* Where open requests are found by id: id = generation << 32 | place. */
struct dl_request_slot {
	struct dl_request *request;
	uint32_t generation;
};

struct dl_http {
	struct event_base *base;
	struct dl_listener listeners[DL_HTTP_LISTENERS_MAX];
	size_t listener_count;
	size_t connections, connections_max;
	size_t collected; /* bytes of bodies that all connections hold */
	struct event *signals[2];
	struct dl_timer timers[DL_HTTP_TIMERS_MAX];
	size_t timer_count;
	bool stopping;

	struct dl_connection **by_fd; /* borrowed */
	size_t by_fd_count;
	struct dl_request_slot *slots;
	size_t slot_count, slot_next, open_count;

	int wake_fd; /* eventfd: something was posted */
	struct event *wake;
	pthread_mutex_t posted_lock;
	struct dl_post *posted, **posted_tail;
};

/* Stops or goes on accepting on every listener. */
void dl_http_accept(struct dl_http *http, bool accept);

/* connection.c: evhttp asks for the buffer of each accepted connection. */
struct bufferevent *dl_connection_new(struct event_base *base, void *listener);
void dl_connection_dispatch(struct evhttp_request *evhttp_request, void *listener);
/* The request it carries was answered or given up. */
void dl_connection_release(struct dl_connection *connection);
/* evhttp was given an answer: send it. */
void dl_connection_flush(struct dl_connection *connection);
/* A handler left its request open: notice from now on when the client leaves. */
void dl_connection_watch(struct dl_connection *connection);

/* request.c */
struct dl_refusal {
	int status; /* 0: none */
	char words[DL_HTTP_WORDS_SIZE];
};
struct dl_request *dl_request_new(struct dl_listener *listener, struct dl_connection *connection,
				  struct evhttp_request *evhttp_request);
/* The client left: nobody can be answered any more. Frees the request. */
void dl_request_lost(struct dl_request *request);
/* Reads the query and the form. DL_E_INVALID: they are refused. */
int dl_request_read_fields(struct dl_request *request, struct dl_error *err);
/* Called when the handler returned. Frees nothing. */
void dl_request_left_open(struct dl_request *request);
void dl_request_shutdown(struct dl_http *http);
void dl_request_set_route(struct dl_request *request, const struct dl_route *route,
			  const struct dl_route_table *table);
const struct dl_route_table *dl_request_table(const struct dl_request *request);
const struct dl_router *dl_request_router(const struct dl_request *request);
/* The path as it was sent, still percent-encoded, without the query. */
const char *dl_request_raw_path(const struct dl_request *request);
void dl_request_set_param(struct dl_request *request, size_t n, const char *name,
			  size_t name_size, const char *raw, size_t raw_size);

/* router.c */
void dl_router_dispatch(struct dl_request *request);
void dl_router_refuse(struct dl_request *request, const struct dl_refusal *refusal,
		      const char *path);
/* How much body the route takes; what leads nowhere may send a little, so that
 * it can be told so. */
size_t dl_router_body_limit(const struct dl_router *router, const char *method, const char *path,
			    size_t path_size);

/* tls.c */
int dl_tls_context_new(const char *certificate, const char *private_key, SSL_CTX **ret_context,
		       struct dl_error *err);

#endif
