/* What can be done about a plan after the decision: finish manual steps,
 * cancel, undo, close. Questions that need an answer have a page of their own,
 * so that the live page can be replaced at any time. */
#include "server/portal/handler.h"
#include "server/portal/incident.h"

#include <inttypes.h>
#include <string.h>

static const struct dl_load incident_only[] = { { "incident", dl_screen_load_incident } };

static void finish_nothing_here(struct dl_screen *screen, struct dl_request *request)
{
	dl_screen_drop(screen);
	dl_reply_error(request, 404, "not_found", "There is no such thing on this server.");
}

static void ask(struct dl_request *request, struct dl_portal *portal,
		void (*show)(struct dl_html *html), const char *title,
		void (*finish)(struct dl_screen *screen, struct dl_request *request))
{
	struct dl_screen *screen = dl_screen_new(request, portal, show, title, "queue");
	if (dl_screen_take_id(screen, request))
		dl_screen_load(screen, incident_only, DL_COUNT(incident_only), finish);
}

static void finish_manual_done(struct dl_screen *screen, struct dl_request *request)
{
	int64_t id;
	const json_t *incident = json_object_get(screen->view, "incident"), *step = NULL;
	if (dl_request_param_id(request, "step", &id, NULL) == 0)
		step = dl_incident_step(incident, id);
	if (!step) {
		finish_nothing_here(screen, request);
		return;
	}
	json_object_set_new(screen->view, "step", json_deep_copy(step));
	dl_screen_reply(screen, request, 200);
}

void dl_portal_manual_done_page(struct dl_request *request, void *app)
{
	ask(request, app, dl_template_manual_done, "Mark manual step as done", finish_manual_done);
}

void dl_portal_manual_done(struct dl_request *request, void *app)
{
	struct dl_portal *portal = app;
	int64_t incident, step;
	struct dl_error err;
	int r = dl_request_param_id(request, "id", &incident, &err);
	if (r == 0)
		r = dl_request_param_id(request, "step", &step, &err);
	if (r < 0) {
		dl_reply_failure(request, r, &err);
		return;
	}
	dl_store_manual_done(portal->store, dl_screen_actor(request), incident, step,
			     dl_request_form(request, "note"), dl_screen_redirect,
			     dl_screen_then(request,
					    "/incidents/%" PRId64 "/remediations?notice=done",
					    incident));
}

void dl_portal_cancel(struct dl_request *request, void *app)
{
	struct dl_portal *portal = app;
	int64_t incident;
	struct dl_error err;
	int r = dl_request_param_id(request, "id", &incident, &err);
	if (r < 0) {
		dl_reply_failure(request, r, &err);
		return;
	}
	dl_store_order_cancel(portal->store, dl_screen_actor(request),
			      dl_request_param(request, "plan"), dl_screen_redirect,
			      dl_screen_then(request,
					     "/incidents/%" PRId64 "/remediations?notice=cancelled",
					     incident));
}

/* The steps of an order that can be put back, with their titles. */
static json_t *undoable_steps(const json_t *incident, const json_t *order)
{
	json_t *steps = json_array(), *id;
	size_t i;
	json_array_foreach(json_object_get(order, "can_undo"), i, id) {
		const json_t *step = dl_incident_step(incident, json_integer_value(id));
		if (step)
			json_array_append_new(steps, json_deep_copy(step));
	}
	return steps;
}

static void finish_undo(struct dl_screen *screen, struct dl_request *request)
{
	const json_t *incident = json_object_get(screen->view, "incident");
	const json_t *order = dl_incident_order(incident, dl_request_param(request, "plan"));
	if (!order) {
		finish_nothing_here(screen, request);
		return;
	}
	json_object_set_new(screen->view, "steps", undoable_steps(incident, order));
	json_object_set_new(screen->view, "order", json_deep_copy(order));
	dl_screen_reply(screen, request, 200);
}

void dl_portal_undo_page(struct dl_request *request, void *app)
{
	ask(request, app, dl_template_undo, "Undo removal", finish_undo);
}

void dl_portal_undo(struct dl_request *request, void *app)
{
	struct dl_portal *portal = app;
	const char *legitimate = dl_request_form(request, "legitimate");
	dl_autojson *steps = dl_incident_chosen(request);
	int64_t incident;
	struct dl_error err;
	int r = dl_request_param_id(request, "id", &incident, &err);
	if (r == 0 && json_array_size(steps) == 0)
		r = dl_error_set(&err, DL_E_INVALID, "Tick at least one step to undo.");
	if (r == 0 && !legitimate)
		r = dl_error_set(&err, DL_E_INVALID, "Say whether it was legitimate.");
	if (r < 0) {
		dl_reply_failure(request, r, &err);
		return;
	}
	struct dl_undo_request undo = {
		.plan_id = dl_request_param(request, "plan"),
		.steps = steps,
		.legitimate = strcmp(legitimate, "1") == 0,
		.comment = dl_request_form(request, "comment"),
	};
	dl_store_order_undo(portal->store, dl_screen_actor(request), &undo, dl_screen_redirect,
			    dl_screen_then(request,
					   "/incidents/%" PRId64 "/remediations?notice=undo",
					   incident));
}

static void finish_close(struct dl_screen *screen, struct dl_request *request)
{
	dl_screen_reply(screen, request, 200);
}

void dl_portal_close_page(struct dl_request *request, void *app)
{
	ask(request, app, dl_template_close, "Close without remediation", finish_close);
}

void dl_portal_close(struct dl_request *request, void *app)
{
	struct dl_portal *portal = app;
	int64_t incident;
	struct dl_error err;
	int r = dl_request_param_id(request, "id", &incident, &err);
	if (r < 0) {
		dl_reply_failure(request, r, &err);
		return;
	}
	dl_store_incident_close(portal->store, dl_screen_actor(request), incident,
				dl_request_form(request, "reason"),
				dl_request_form(request, "comment"), dl_screen_redirect,
				dl_screen_then(request, "/incidents/%" PRId64 "?notice=closed",
					       incident));
}
