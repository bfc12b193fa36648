/* The incident page: four tabs, kept up to date by polling.
 *
 * Each tab is an address of its own. The same address asked for by htmx
 * answers with the fragment only, or with 204 while nothing changed since the
 * state named by `seen`. */
#include "server/portal/incident.h"

#include "core/base/time.h"
#include "core/crypto/sha256.h"
#include "server/portal/details.h"
#include "server/portal/handler.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum { MS_PER_MINUTE = 60 * 1000 };

static int64_t wanted_revision(struct dl_request *request)
{
	const char *text = dl_request_query(request, "revision");
	char *end = NULL;
	errno = 0;
	long long number = text ? strtoll(text, &end, 10) : 0;
	return text && !errno && !*end && number > 0 ? number : 0;
}

void dl_screen_load_incident(struct dl_screen *screen, struct dl_request *request, dl_store_done done,
		      void *arg)
{
	dl_store_incident_get(screen->portal->store, dl_screen_actor(request), screen->id,
			      wanted_revision(request), done, arg);
}

const json_t *dl_incident_step(const json_t *incident, int64_t id)
{
	size_t i;
	json_t *step;
	json_array_foreach(json_object_get(incident, "steps_view"), i, step) {
		if (json_integer_value(json_object_get(step, "id")) == id)
			return step;
	}
	return NULL;
}

const json_t *dl_incident_order(const json_t *incident, const char *plan_id)
{
	size_t i;
	json_t *order;
	json_array_foreach(json_object_get(incident, "orders"), i, order) {
		const char *id = json_string_value(json_object_get(order, "plan_id"));
		if (id && plan_id && strcmp(id, plan_id) == 0)
			return order;
	}
	return NULL;
}

void dl_incident_title(struct dl_screen *screen)
{
	const json_t *incident = json_object_get(screen->view, "incident");
	const char *subject = json_string_value(json_object_get(incident, "subject"));
	dl_screen_title(screen, subject && *subject ? subject : "Incident");
}

json_t *dl_incident_chosen(struct dl_request *request)
{
	json_t *chosen = json_array();
	const char *text;
	for (size_t n = 0; (text = dl_request_form_nth(request, "step", n)); n++) {
		char *end;
		errno = 0;
		long long id = strtoll(text, &end, 10);
		if (errno || end == text || *end || id < 1) {
			json_decref(chosen);
			return NULL;
		}
		json_array_append_new(chosen, json_integer(id));
	}
	return chosen;
}

/* A name for what is shown now. Relative times are part of it, to the minute. */
static void name_state(const json_t *incident, char out[DL_SHA256_TEXT_SIZE])
{
	dl_autofree char *text = dl_json_text(incident);
	dl_autobuf all = DL_BUF_INIT;
	dl_buf_printf(&all, "%" PRId64 "\n%s", dl_time_now_ms() / MS_PER_MINUTE, text);
	dl_sha256_text(all.data, all.size, out);
}

/* For people who do not see the page change: how many steps ended how. */
static json_t *announcement(const json_t *incident)
{
	const json_t *counts = json_object_get(incident, "steps");
	const char *state = json_string_value(json_object_get(incident, "state"));
	return json_sprintf("Incident %s. %" JSON_INTEGER_FORMAT " steps done, %" JSON_INTEGER_FORMAT
			    " failed.",
			    state ? state : "", json_integer_value(json_object_get(counts, "done")),
			    json_integer_value(json_object_get(counts, "failed")));
}

static void finish_tab(struct dl_screen *screen, struct dl_request *request)
{
	json_t *incident = json_object_get(screen->view, "incident");
	bool fragment = dl_request_header(request, "HX-Request") != NULL;
	const char *seen = dl_request_query(request, "seen");
	char state[DL_SHA256_TEXT_SIZE];
	name_state(incident, state);
	if (fragment && seen && strcmp(seen, state) == 0) {
		dl_screen_drop(screen);
		dl_reply_empty(request, 204);
		return;
	}
	dl_incident_title(screen);
	dl_details_spell(json_object_get(incident, "activity"));
	dl_autobuf live = DL_BUF_INIT;
	dl_buf_printf(&live, "%s?seen=%s", dl_request_path(request), state);
	if (wanted_revision(request))
		dl_buf_printf(&live, "&revision=%" PRId64, wanted_revision(request));
	json_object_set_new(screen->view, "live", json_string(live.data));
	if (fragment) {
		json_object_set_new(screen->view, "announce", announcement(incident));
		screen->show = dl_template_incident_live;
	}
	dl_screen_reply(screen, request, 200);
}

static void show_tab(struct dl_request *request, struct dl_portal *portal, const char *tab)
{
	static const struct dl_load loads[] = { { "incident", dl_screen_load_incident } };
	struct dl_screen *screen =
		dl_screen_new(request, portal, dl_template_incident, "Incident", "queue");
	json_object_set_new(screen->view, "tab", json_string(tab));
	if (dl_screen_take_id(screen, request))
		dl_screen_load(screen, loads, DL_COUNT(loads), finish_tab);
}

void dl_portal_report(struct dl_request *request, void *app)
{
	show_tab(request, app, "report");
}

void dl_portal_footholds(struct dl_request *request, void *app)
{
	show_tab(request, app, "footholds");
}

void dl_portal_remediations(struct dl_request *request, void *app)
{
	show_tab(request, app, "remediations");
}

void dl_portal_incident_activity(struct dl_request *request, void *app)
{
	show_tab(request, app, "activity");
}
