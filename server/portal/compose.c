/* Composing a report: footholds in, proposed steps out, as often as the
 * analyst likes; then saved as a draft, looked at, and sent. */
#include "server/portal/handler.h"
#include "server/portal/incident.h"
#include "server/portal/report_form.h"

#include <inttypes.h>
#include <string.h>

/* The screen's member "report" holds the form while the page is made. */
static json_t *report_of(const struct dl_screen *screen)
{
	return json_object_get(screen->view, "report");
}

static int64_t host_of(const struct dl_screen *screen)
{
	const json_t *incident = json_object_get(screen->view, "incident");
	const json_t *host = json_object_get(incident, "host");
	return incident ? json_integer_value(json_object_get(host, "id")) : screen->id;
}

static void load_host(struct dl_screen *screen, struct dl_request *request, dl_store_done done,
		      void *arg)
{
	dl_store_host_get(screen->portal->store, dl_screen_actor(request), host_of(screen), done,
			  arg);
}

static void load_footholds(struct dl_screen *screen, struct dl_request *request,
			   dl_store_done done, void *arg)
{
	dl_store_host_footholds(screen->portal->store, dl_screen_actor(request), host_of(screen),
				false, (struct dl_page){ .limit = DL_STORE_PAGE_MAX }, done, arg);
}

/* A form that was not sent yet begins as the newest revision, as far as its
 * footholds are still there. */
static void begin_from_revision(struct dl_screen *screen)
{
	const json_t *incident = json_object_get(screen->view, "incident");
	const json_t *footholds = json_object_get(json_object_get(screen->view, "footholds"), "items");
	json_t *report = dl_report_form_of_revision(json_object_get(incident, "shown_revision"));
	dl_report_form_keep_present(report, footholds);
	json_object_set_new(screen->view, "report", report);
}

static void load_plan(struct dl_screen *screen, struct dl_request *request, dl_store_done done,
		      void *arg)
{
	if (!report_of(screen))
		begin_from_revision(screen);
	struct dl_report_request report = dl_report_form_request(report_of(screen));
	dl_store_report_preview(screen->portal->store, dl_screen_actor(request), host_of(screen),
				&report, done, arg);
}

/* The rejection that a re-issue answers; NULL when the newest decision is none. */
static const json_t *last_rejection(const json_t *incident)
{
	const json_t *newest = json_array_get(json_object_get(incident, "decisions"), 0);
	return newest && json_is_false(json_object_get(newest, "approve")) ? newest : NULL;
}

static void add_incident_words(struct dl_screen *screen)
{
	const json_t *incident = json_object_get(screen->view, "incident");
	const char *state = json_string_value(json_object_get(incident, "state"));
	const json_t *rejection = last_rejection(incident);
	bool reissue = state && strcmp(state, "draft") != 0;
	json_object_set_new(screen->view, "reissue", json_boolean(reissue));
	if (rejection)
		json_object_set_new(screen->view, "rejection", json_deep_copy(rejection));
	dl_screen_title(screen, reissue ? "Re-issue report" : "Edit report");
}

static void show_form(struct dl_screen *screen, struct dl_request *request, int status)
{
	json_t *report = report_of(screen);
	json_t *footholds = json_object_get(json_object_get(screen->view, "footholds"), "items");
	dl_report_form_mark_chosen(footholds, report);
	json_object_set(screen->view, "footholds", footholds);
	dl_report_form_name_targets(json_object_get(screen->view, "plan"), report);
	json_object_set_new(screen->view, "form", dl_report_form_fields(report));
	json_object_set_new(screen->view, "action", json_string(dl_request_path(request)));
	if (json_object_get(screen->view, "incident"))
		add_incident_words(screen);
	dl_screen_reply(screen, request, status);
}

static void show_form_good(struct dl_screen *screen, struct dl_request *request)
{
	show_form(screen, request, 200);
}

static void show_form_bad(struct dl_screen *screen, struct dl_request *request)
{
	show_form(screen, request, 400);
}

static const struct dl_load form_loads[] = {
	{ "host", load_host, false },
	{ "footholds", load_footholds, false },
	{ "plan", load_plan, true },
};

static const struct dl_load incident_and_form_loads[] = {
	{ "incident", dl_screen_load_incident, false },
	{ "host", load_host, false },
	{ "footholds", load_footholds, false },
	{ "plan", load_plan, true },
};

/* What a person can mend shows the form again, with the words. */
static bool is_mendable(int result)
{
	return result == DL_E_INVALID || result == DL_E_LIMIT || result == DL_E_STATE;
}

static void on_saved(struct dl_screen *screen, int result, json_t *view,
		     const struct dl_error *err, const struct dl_load *loads, size_t count)
{
	struct dl_request *request = dl_screen_request(screen);
	if (request && is_mendable(result)) {
		json_object_set_new(screen->view, "problem", json_string(err->text));
		dl_screen_load(screen, loads, count, show_form_bad);
		return;
	}
	dl_screen_drop(screen);
	if (request && result < 0) {
		dl_reply_failure(request, result, err);
	} else if (request) {
		dl_autobuf path = DL_BUF_INIT;
		dl_buf_printf(&path, "/incidents/%" JSON_INTEGER_FORMAT "?notice=saved",
			      json_integer_value(json_object_get(view, "id")));
		dl_reply_redirect(request, path.data);
	}
}

static void on_created(void *screen, int result, json_t *view, const struct dl_error *err)
{
	on_saved(screen, result, view, err, form_loads, DL_COUNT(form_loads));
}

static void on_draft_saved(void *screen, int result, json_t *view, const struct dl_error *err)
{
	on_saved(screen, result, view, err, incident_and_form_loads,
		 DL_COUNT(incident_and_form_loads));
}

static bool wants_save(struct dl_request *request)
{
	const char *what = dl_request_form(request, "do");
	return what && strcmp(what, "save") == 0;
}

/* The first form comes from the host page and says only which footholds. */
static void set_defaults(json_t *report)
{
	const char *severity = json_string_value(json_object_get(report, "severity"));
	if (!*severity)
		json_object_set_new(report, "severity", json_string("high"));
}

void dl_portal_compose_new(struct dl_request *request, void *app)
{
	struct dl_portal *portal = app;
	struct dl_screen *screen = dl_screen_new(request, portal, dl_template_compose,
						 "Open incident report", "hosts");
	if (!dl_screen_take_id(screen, request))
		return;
	json_t *report = dl_report_form_read(request);
	set_defaults(report);
	json_object_set_new(screen->view, "report", report);
	if (!wants_save(request)) {
		dl_screen_load(screen, form_loads, DL_COUNT(form_loads), show_form_good);
		return;
	}
	struct dl_report_request asked = dl_report_form_request(report);
	dl_store_incident_create(portal->store, dl_screen_actor(request), screen->id, &asked,
				 on_created, screen);
}

void dl_portal_compose_draft(struct dl_request *request, void *app)
{
	struct dl_screen *screen =
		dl_screen_new(request, app, dl_template_compose, "Edit report", "queue");
	if (dl_screen_take_id(screen, request))
		dl_screen_load(screen, incident_and_form_loads, DL_COUNT(incident_and_form_loads),
			       show_form_good);
}

void dl_portal_compose_draft_change(struct dl_request *request, void *app)
{
	struct dl_portal *portal = app;
	struct dl_screen *screen =
		dl_screen_new(request, portal, dl_template_compose, "Edit report", "queue");
	if (!dl_screen_take_id(screen, request))
		return;
	json_t *report = dl_report_form_read(request);
	json_object_set_new(screen->view, "report", report);
	if (!wants_save(request)) {
		dl_screen_load(screen, incident_and_form_loads, DL_COUNT(incident_and_form_loads),
			       show_form_good);
		return;
	}
	struct dl_report_request asked = dl_report_form_request(report);
	dl_store_draft_save(portal->store, dl_screen_actor(request), screen->id, &asked,
			    on_draft_saved, screen);
}

void dl_portal_send(struct dl_request *request, void *app)
{
	struct dl_portal *portal = app;
	struct dl_error err;
	int64_t incident;
	int r = dl_request_param_id(request, "id", &incident, &err);
	if (r < 0) {
		dl_reply_failure(request, r, &err);
		return;
	}
	dl_store_report_send(portal->store, dl_screen_actor(request), incident,
			     dl_request_form(request, "digest"), dl_screen_redirect,
			     dl_screen_then(request, "/incidents/%" PRId64 "?notice=sent", incident));
}
