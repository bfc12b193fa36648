/* Hosts: the list, and one host with what a survey found on it. */
#include "core/plan/survey.h"
#include "server/portal/handler.h"
#include "server/portal/screen.h"

#include <inttypes.h>
#include <string.h>

static void load_hosts(struct dl_screen *screen, struct dl_request *request, dl_store_done done,
		       void *arg)
{
	dl_store_host_list(screen->portal->store, dl_screen_actor(request), 0,
			   dl_screen_page(request), done, arg);
}

static void finish_hosts(struct dl_screen *screen, struct dl_request *request)
{
	dl_screen_next(screen, request, "hosts");
	dl_screen_reply(screen, request, 200);
}

void dl_portal_hosts(struct dl_request *request, void *app)
{
	static const struct dl_load loads[] = { { "hosts", load_hosts } };
	struct dl_screen *screen = dl_screen_new(request, app, dl_template_hosts, "Hosts", "hosts");
	dl_screen_load(screen, loads, DL_COUNT(loads), finish_hosts);
}

static void load_host(struct dl_screen *screen, struct dl_request *request, dl_store_done done,
		      void *arg)
{
	dl_store_host_get(screen->portal->store, dl_screen_actor(request), screen->id, done, arg);
}

static bool wants_gone(struct dl_request *request)
{
	const char *gone = dl_request_query(request, "gone");
	return gone && strcmp(gone, "1") == 0;
}

static void load_footholds(struct dl_screen *screen, struct dl_request *request,
			   dl_store_done done, void *arg)
{
	struct dl_page page = dl_screen_page(request);
	page.limit = DL_STORE_PAGE_MAX;
	dl_store_host_footholds(screen->portal->store, dl_screen_actor(request), screen->id,
				wants_gone(request), page, done, arg);
}

static void load_incidents(struct dl_screen *screen, struct dl_request *request,
			   dl_store_done done, void *arg)
{
	struct dl_incident_filter filter = { .host = screen->id };
	dl_store_incident_list(screen->portal->store, dl_screen_actor(request), &filter,
			       (struct dl_page){ 0 }, done, arg);
}

/* The kinds a survey covered only in part: [{"name","why"}]. What this platform
 * does not have at all is no news. */
static json_t *partial_coverage(const json_t *survey)
{
	json_t *list = json_array();
	const char *kind;
	json_t *coverage;
	json_object_foreach(json_object_get(survey, "coverage"), kind, coverage) {
		const char *state = json_string_value(json_object_get(coverage, "state"));
		enum dl_kind known;
		if (!state || strcmp(state, dl_coverage_name(DL_COVERAGE_PARTIAL)) != 0)
			continue;
		bool is_known = dl_kind_parse(kind, &known, NULL) == 0;
		json_t *item = json_copy(coverage);
		json_object_set_new(item, "name",
				    json_string(is_known ? dl_kind_info(known)->words : kind));
		json_array_append_new(list, item);
	}
	return list;
}

static void finish_host(struct dl_screen *screen, struct dl_request *request)
{
	const json_t *host = json_object_get(screen->view, "host");
	const char *name = json_string_value(json_object_get(host, "hostname"));
	dl_screen_title(screen, name ? name : "Host");
	json_object_set_new(screen->view, "coverage",
			    partial_coverage(json_object_get(host, "survey")));
	json_object_set_new(screen->view, "with_gone", json_boolean(wants_gone(request)));
	dl_screen_next(screen, request, "footholds");
	dl_screen_reply(screen, request, 200);
}

void dl_portal_host(struct dl_request *request, void *app)
{
	static const struct dl_load loads[] = {
		{ "host", load_host }, { "footholds", load_footholds }, { "incidents", load_incidents },
	};
	struct dl_screen *screen = dl_screen_new(request, app, dl_template_host, "Host", "hosts");
	if (dl_screen_take_id(screen, request))
		dl_screen_load(screen, loads, DL_COUNT(loads), finish_host);
}

void dl_portal_survey_request(struct dl_request *request, void *app)
{
	struct dl_portal *portal = app;
	struct dl_error err;
	int64_t host;
	int r = dl_request_param_id(request, "id", &host, &err);
	if (r < 0) {
		dl_reply_failure(request, r, &err);
		return;
	}
	dl_store_survey_request(portal->store, dl_screen_actor(request), host, dl_screen_redirect,
				dl_screen_then(request, "/hosts/%" PRId64 "?notice=survey", host));
}

void dl_portal_host_confirm(struct dl_request *request, void *app)
{
	struct dl_portal *portal = app;
	struct dl_error err;
	int64_t host;
	int r = dl_request_param_id(request, "id", &host, &err);
	if (r < 0) {
		dl_reply_failure(request, r, &err);
		return;
	}
	dl_store_host_confirm(portal->store, dl_screen_actor(request), host, dl_screen_redirect,
			      dl_screen_then(request, "/hosts/%" PRId64 "?notice=confirmed", host));
}
