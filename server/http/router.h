/* Routes: one table says what exists, who may ask, and how large a body may be.
 *
 * Denied by default: what no table names is 404; a route names the kind of
 * proof it wants and the roles it admits, and the guard checks both before
 * the handler runs. Handlers still pass the caller to the store, which limits
 * every query to the caller's organizations.
 */
#ifndef DL_SERVER_HTTP_ROUTER_H
#define DL_SERVER_HTTP_ROUTER_H

#include "server/http/request.h"

#include <jansson.h>

enum dl_auth {
	DL_AUTH_NONE,    /* anybody: sign-in page, static files */
	DL_AUTH_SESSION, /* portal: session cookie; forms need the CSRF token besides */
	DL_AUTH_BEARER,  /* API: Authorization: Bearer; a cookie is not looked at */
	DL_AUTH_AGENT,   /* agents: Authorization: Bearer of an enrolled agent */
};

/* Roles as bits of a set, then who may do what: the API's routes, the portal's and its buttons all
 * name these (docs/api.md). The store asks again, in the organization of the thing itself. */
enum {
	DL_MAY_ANALYST = 1 << 0,
	DL_MAY_TECHNICIAN = 1 << 1,
	DL_MAY_ADMINISTRATOR = 1 << 2,
	DL_MAY_READ_ONLY = 1 << 3,
	DL_MAY_COMPOSE = DL_MAY_ANALYST,
	DL_MAY_DECIDE = DL_MAY_TECHNICIAN,
	DL_MAY_ACT = DL_MAY_COMPOSE | DL_MAY_DECIDE, /* cancel, and what is done by hand */
	DL_MAY_SURVEY = DL_MAY_ACT | DL_MAY_ADMINISTRATOR,
	DL_MAY_ADMINISTER = DL_MAY_ADMINISTRATOR,
	DL_MAY_ANY = DL_MAY_ANALYST | DL_MAY_TECHNICIAN | DL_MAY_ADMINISTRATOR | DL_MAY_READ_ONLY,
};

enum { DL_ROUTE_PARAMS_MAX = 4, DL_ROUTER_TABLES_MAX = 8,
       DL_ROUTE_SMALL_BODY_BYTES = 64 * 1024 /* the most anybody may send to DL_AUTH_NONE */ };

struct dl_route {
	const char *method;  /* "GET" (answers HEAD too), "POST", "PUT", "DELETE" */
	const char *pattern; /* "/api/incidents/{id}"; a last "{path*}" takes the rest */
	enum dl_auth auth;
	unsigned roles;      /* DL_MAY_* of the roles admitted; unused for NONE and AGENT */
	size_t body_limit;   /* bytes; 0: no body is accepted */
	void (*handle)(struct dl_request *request, void *app);
};

struct dl_route_table {
	const char *prefix; /* "/api/": also the paths whose errors this table shows */
	const struct dl_route *routes;
	size_t count;
	void *app; /* passed to the handlers */
	void (*show_error)(struct dl_request *request, int status, const char *code,
			   const char *message, void *app);
};

/* Called for every route but DL_AUTH_NONE. It may answer later (the proof is
 * in the store): it ends in dl_router_admit or in a reply. */
typedef void (*dl_guard_fn)(struct dl_request *request, const struct dl_route *route, void *arg);

struct dl_router *dl_router_new(dl_guard_fn guard, void *guard_arg);
void dl_router_free(struct dl_router *router);
DL_DEFINE_AUTO(dl_router, dl_router_free)

/* The table is borrowed. Tables are searched in the order they were added. */
void dl_router_add(struct dl_router *router, const struct dl_route_table *table);

/* The guard is satisfied: runs the route's handler. */
void dl_router_admit(struct dl_request *request);

/* [{"method","pattern","auth","roles":[…],"body_limit"}], for tests and people. */
json_t *dl_router_to_json(const struct dl_router *router);

#endif
