/* Which path leads to which route, seen by how much body it takes. */
#include "server/http/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* cmocka.h needs the three above */
#include <cmocka.h>

enum { STRAY = DL_ROUTE_SMALL_BODY_BYTES }; /* what leads nowhere may send, to be told so */

static void handle(struct dl_request *request, void *app)
{
	(void)request;
	(void)app;
}

static const struct dl_route things[] = {
	{ "GET", "/api/things", DL_AUTH_BEARER, DL_MAY_ANY, 1, handle },
	{ "POST", "/api/things", DL_AUTH_BEARER, DL_MAY_ANALYST, 2, handle },
	{ "POST", "/api/things/{id}", DL_AUTH_BEARER, DL_MAY_ANALYST, 3, handle },
	{ "POST", "/api/things/{id}/parts/{part}/mend", DL_AUTH_BEARER, DL_MAY_ANALYST, 4, handle },
};
static const struct dl_route files[] = {
	{ "GET", "/static/{path*}", DL_AUTH_NONE, 0, 5, handle },
	{ "GET", "/", DL_AUTH_SESSION, DL_MAY_ANY, 6, handle },
	{ "POST", "/open", DL_AUTH_NONE, 0, 8 * 1024 * 1024, handle },
	{ "POST", "/guarded", DL_AUTH_AGENT, 0, 8 * 1024 * 1024, handle },
};
static const struct dl_route_table things_table = { "/api/", things, DL_COUNT(things), NULL, NULL };
static const struct dl_route_table files_table = { "/", files, DL_COUNT(files), NULL, NULL };

static size_t limit_of(const char *method, const char *path)
{
	dl_auto(dl_router) router = dl_router_new(NULL, NULL);

	dl_router_add(router, &things_table);
	dl_router_add(router, &files_table);
	return dl_router_body_limit(router, method, path, strlen(path));
}

static void tells_methods_apart(void **state)
{
	(void)state;
	assert_int_equal(limit_of("GET", "/api/things"), 1);
	assert_int_equal(limit_of("HEAD", "/api/things"), 1);
	assert_int_equal(limit_of("POST", "/api/things"), 2);
	assert_int_equal(limit_of("DELETE", "/api/things"), STRAY);
}

static void a_parameter_takes_exactly_one_segment(void **state)
{
	(void)state;
	assert_int_equal(limit_of("POST", "/api/things/7"), 3);
	assert_int_equal(limit_of("POST", "/api/things/7/parts/x%2Fy/mend"), 4);
	assert_int_equal(limit_of("POST", "/api/things/"), STRAY);
	assert_int_equal(limit_of("POST", "/api/things/7/"), STRAY);
	assert_int_equal(limit_of("POST", "/api/things/7/parts//mend"), STRAY);
	assert_int_equal(limit_of("POST", "/api/things/7/parts/8/9/mend"), STRAY);
	assert_int_equal(limit_of("POST", "/api/things/7/parts/8/mend/"), STRAY);
}

static void a_path_matches_whole_or_not_at_all(void **state)
{
	(void)state;
	assert_int_equal(limit_of("GET", "/api/thing"), STRAY);
	assert_int_equal(limit_of("GET", "/api/thingss"), STRAY);
	assert_int_equal(limit_of("GET", "/API/things"), STRAY);
	assert_int_equal(limit_of("GET", "/api%2Fthings"), STRAY);
	assert_int_equal(limit_of("GET", ""), STRAY);
	assert_int_equal(limit_of("GET", "/"), 6);
}

static void a_starred_parameter_takes_the_rest(void **state)
{
	(void)state;
	assert_int_equal(limit_of("GET", "/static/a"), 5);
	assert_int_equal(limit_of("GET", "/static/a/b.css"), 5);
	assert_int_equal(limit_of("GET", "/static/"), STRAY);
}

static void takes_little_from_those_who_prove_nothing(void **state)
{
	(void)state;
	assert_int_equal(limit_of("POST", "/open"), DL_ROUTE_SMALL_BODY_BYTES);
	assert_int_equal(limit_of("POST", "/guarded"), 8 * 1024 * 1024);
}

static void names_every_route_with_its_roles(void **state)
{
	dl_auto(dl_router) router = dl_router_new(NULL, NULL);

	(void)state;
	dl_router_add(router, &things_table);
	dl_router_add(router, &files_table);
	json_t *routes = dl_router_to_json(router);
	assert_int_equal(json_array_size(routes), 8);
	const json_t *post = json_array_get(routes, 1);
	assert_string_equal(json_string_value(json_object_get(post, "auth")), "bearer");
	assert_string_equal(json_string_value(json_array_get(json_object_get(post, "roles"), 0)),
			    "analyst");
	assert_int_equal(json_array_size(json_object_get(json_array_get(routes, 0), "roles")), 4);
	json_decref(routes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_methods_apart),
		cmocka_unit_test(a_parameter_takes_exactly_one_segment),
		cmocka_unit_test(a_path_matches_whole_or_not_at_all),
		cmocka_unit_test(a_starred_parameter_takes_the_rest),
		cmocka_unit_test(takes_little_from_those_who_prove_nothing),
		cmocka_unit_test(names_every_route_with_its_roles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
