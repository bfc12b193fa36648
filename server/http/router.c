#include "server/http/loop.h"

#include <string.h>

struct dl_router {
	dl_guard_fn guard;
	void *guard_arg;
	const struct dl_route_table *tables[DL_ROUTER_TABLES_MAX];
	size_t count;
};

struct dl_router *dl_router_new(dl_guard_fn guard, void *guard_arg)
{
	struct dl_router *router = DL_NEW(struct dl_router);

	router->guard = guard;
	router->guard_arg = guard_arg;
	return router;
}

void dl_router_free(struct dl_router *router)
{
	free(router);
}

void dl_router_add(struct dl_router *router, const struct dl_route_table *table)
{
	if (router->count == DL_ROUTER_TABLES_MAX)
		abort(); /* the tables are compiled in */
	router->tables[router->count++] = table;
}

/* One place where a path and a pattern are walked side by side. */
struct match {
	size_t count;
	struct {
		const char *name, *value;
		size_t name_size, value_size;
	} params[DL_ROUTE_PARAMS_MAX];
};

static bool match_param(struct match *match, const char **pattern, const char **path,
			const char *path_end)
{
	size_t name_size = strcspn(*pattern + 1, "*}");
	bool rest = (*pattern)[1 + name_size] == '*';
	const char *end = rest ? path_end : memchr(*path, '/', (size_t)(path_end - *path));

	if (!end)
		end = path_end;
	if (end == *path || match->count == DL_ROUTE_PARAMS_MAX)
		return false;
	match->params[match->count].name = *pattern + 1;
	match->params[match->count].name_size = name_size;
	match->params[match->count].value = *path;
	match->params[match->count++].value_size = (size_t)(end - *path);
	*pattern += name_size + (rest ? 3 : 2);
	*path = end;
	return true;
}

static bool match_path(const char *pattern, const char *path, size_t size, struct match *ret)
{
	const char *end = path + size;

	ret->count = 0;
	while (*pattern) {
		if (*pattern == '{') {
			if (!match_param(ret, &pattern, &path, end))
				return false;
		} else if (path == end || *pattern++ != *path++) {
			return false;
		}
	}
	return path == end;
}

static bool match_method(const struct dl_route *route, const char *method)
{
	return !strcmp(route->method, method) ||
	       (!strcmp(method, "HEAD") && !strcmp(route->method, "GET"));
}

struct found {
	const struct dl_route_table *table;
	const struct dl_route *route;
	struct match match;
	bool other_method;
};

static void table_find(const struct dl_route_table *table, const char *method, const char *path,
		       size_t size, struct found *found)
{
	for (size_t i = 0; i < table->count && !found->route; i++) {
		if (!match_path(table->routes[i].pattern, path, size, &found->match))
			continue;
		found->other_method = true;
		if (!match_method(&table->routes[i], method))
			continue;
		found->route = &table->routes[i];
		found->table = table;
	}
}

static const struct dl_route_table *table_of_path(const struct dl_router *router, const char *path,
						  size_t size)
{
	for (size_t i = 0; i < router->count; i++) {
		size_t prefix = strlen(router->tables[i]->prefix);
		if (size >= prefix && !memcmp(path, router->tables[i]->prefix, prefix))
			return router->tables[i];
	}
	return router->count ? router->tables[router->count - 1] : NULL;
}

static struct found router_find(const struct dl_router *router, const char *method,
				const char *path, size_t size)
{
	struct found found = { 0 };

	for (size_t i = 0; i < router->count && !found.route; i++)
		table_find(router->tables[i], method, path, size, &found);
	if (!found.route)
		found.table = table_of_path(router, path, size);
	return found;
}

size_t dl_router_body_limit(const struct dl_router *router, const char *method, const char *path,
			    size_t path_size)
{
	struct found found = router_find(router, method, path, path_size);

	if (!found.route)
		return DL_ROUTE_SMALL_BODY_BYTES;
	if (found.route->auth == DL_AUTH_NONE && found.route->body_limit > DL_ROUTE_SMALL_BODY_BYTES)
		return DL_ROUTE_SMALL_BODY_BYTES;
	return found.route->body_limit;
}

void dl_router_dispatch(struct dl_request *request)
{
	const struct dl_router *router = dl_request_router(request);
	const char *path = dl_request_raw_path(request);
	struct found found = router_find(router, dl_request_method(request), path, strlen(path));
	struct dl_error err;

	dl_request_set_route(request, found.route, found.table);
	if (!found.route && found.other_method) {
		dl_reply_error(request, 405, "method", "this path does not answer that method");
		return;
	}
	if (!found.route) {
		dl_reply_error(request, 404, dl_error_name(DL_E_NOT_FOUND), "there is no such thing");
		return;
	}
	int r = dl_request_read_fields(request, &err);
	if (r < 0) {
		dl_reply_failure(request, r, &err);
		return;
	}
	for (size_t i = 0; i < found.match.count; i++)
		dl_request_set_param(request, i, found.match.params[i].name,
				     found.match.params[i].name_size, found.match.params[i].value,
				     found.match.params[i].value_size);
	if (found.route->auth == DL_AUTH_NONE)
		dl_router_admit(request);
	else
		router->guard(request, found.route, router->guard_arg);
}

static const char *refusal_code(int status)
{
	switch (status) {
	case 408:
		return dl_error_name(DL_E_TIMEOUT);
	case 413:
	case 431:
		return dl_error_name(DL_E_LIMIT);
	case 503:
		return dl_error_name(DL_E_BUSY);
	default:
		return dl_error_name(DL_E_INVALID);
	}
}

void dl_router_refuse(struct dl_request *request, const struct dl_refusal *refusal,
		      const char *path)
{
	/* Nobody's path, nobody's page: plain JSON. */
	if (*path)
		dl_request_set_route(request, NULL, table_of_path(dl_request_router(request), path,
								  strlen(path)));
	if (refusal->status == 503)
		dl_reply_header(request, "Retry-After", "5" /* seconds */);
	dl_reply_error(request, refusal->status, refusal_code(refusal->status), refusal->words);
}

void dl_router_admit(struct dl_request *request)
{
	dl_request_route(request)->handle(request, dl_request_table(request)->app);
}

static json_t *roles_to_json(unsigned roles)
{
	static const struct {
		unsigned bit;
		const char *name;
	} known[] = {
		{ DL_MAY_ADMINISTRATOR, "administrator" },
		{ DL_MAY_ANALYST, "analyst" },
		{ DL_MAY_TECHNICIAN, "technician" },
		{ DL_MAY_READ_ONLY, "reader" },
	};
	json_t *array = json_array();

	for (size_t i = 0; i < DL_COUNT(known); i++)
		if (roles & known[i].bit)
			json_array_append_new(array, json_string(known[i].name));
	return array;
}

static json_t *route_to_json(const struct dl_route *route)
{
	static const char *const auth_names[] = {
		[DL_AUTH_NONE] = "none",
		[DL_AUTH_SESSION] = "session",
		[DL_AUTH_BEARER] = "bearer",
		[DL_AUTH_AGENT] = "agent",
	};
	return json_pack("{ss ss ss so sI}", "method", route->method, "pattern", route->pattern,
			 "auth", auth_names[route->auth], "roles", roles_to_json(route->roles),
			 "body_limit", (json_int_t)route->body_limit);
}

json_t *dl_router_to_json(const struct dl_router *router)
{
	json_t *array = json_array();

	for (size_t i = 0; i < router->count; i++)
		for (size_t k = 0; k < router->tables[i]->count; k++)
			json_array_append_new(array, route_to_json(&router->tables[i]->routes[k]));
	return array;
}
