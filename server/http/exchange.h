/* What a request is made of; shared by request.c, reply.c and park.c only. */
#ifndef DL_SERVER_HTTP_EXCHANGE_H
#define DL_SERVER_HTTP_EXCHANGE_H

#include "server/http/fields.h"
#include "server/http/loop.h"

struct dl_request {
	uint64_t id;
	struct dl_listener *listener;
	struct dl_connection *connection; /* NULL: the client left */
	struct evhttp_request *evhttp_request;
	char *raw_path, *path, *cookie;
	char *peer; /* borrowed from evhttp */
	const struct dl_route *route;
	const struct dl_route_table *table;
	struct {
		char *name, *value;
	} params[DL_ROUTE_PARAMS_MAX];
	size_t param_count;
	struct dl_fields *query, *form; /* NULL: none */
	bool body_ended;
	void *attached;
	void (*release)(void *value);

	struct event *timer; /* parked: its end; left open: patience's end */
	dl_wake_fn wake;     /* parked */
	void *wake_arg;
};

void dl_request_free(struct dl_request *request);

#endif
