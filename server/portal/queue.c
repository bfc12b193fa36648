/* Queue: what needs this person's decision first, then everything else. */
#include "server/portal/handler.h"
#include "server/portal/screen.h"

#include <errno.h>
#include <string.h>

/* A filter's value; an empty choice in the form counts as none. */
static const char *filter_text(struct dl_request *request, const char *name)
{
	const char *value = dl_request_query(request, name);
	return value && *value ? value : NULL;
}

static int64_t filter_number(struct dl_request *request, const char *name)
{
	const char *text = filter_text(request, name);
	char *end = NULL;
	errno = 0;
	long long number = text ? strtoll(text, &end, 10) : 0;
	return text && !errno && !*end && number > 0 ? number : 0;
}

static struct dl_incident_filter read_filter(struct dl_request *request)
{
	return (struct dl_incident_filter){
		.state = filter_text(request, "state"),
		.severity = filter_text(request, "severity"),
		.organization = filter_number(request, "organization"),
	};
}

static void load_mine(struct dl_screen *screen, struct dl_request *request, dl_store_done done,
		      void *arg)
{
	struct dl_incident_filter filter = read_filter(request);
	filter.needs_me = true;
	dl_store_incident_list(screen->portal->store, dl_screen_actor(request), &filter,
			       (struct dl_page){ .limit = DL_STORE_PAGE_MAX }, done, arg);
}

static void load_all(struct dl_screen *screen, struct dl_request *request, dl_store_done done,
		     void *arg)
{
	struct dl_incident_filter filter = read_filter(request);
	dl_store_incident_list(screen->portal->store, dl_screen_actor(request), &filter,
			       dl_screen_page(request), done, arg);
}

static bool holds_id(const json_t *list, const json_t *id)
{
	size_t i;
	json_t *item;
	json_array_foreach(list, i, item) {
		if (json_equal(json_object_get(item, "id"), id))
			return true;
	}
	return false;
}

static json_t *all_but(const json_t *all, const json_t *without)
{
	json_t *rest = json_array();
	size_t i;
	json_t *item;
	json_array_foreach(all, i, item) {
		if (!holds_id(without, json_object_get(item, "id")))
			json_array_append(rest, item);
	}
	return rest;
}

/* The choice of organizations, for those who see more than one. */
static json_t *organization_choice(const json_t *session, int64_t selected)
{
	const json_t *visible = json_object_get(session, "organizations");
	json_t *choice = json_array();
	size_t i;
	json_t *item;
	if (json_array_size(visible) < 2)
		return choice;
	json_array_foreach(visible, i, item) {
		json_t *copy = json_copy(item);
		bool is_it = json_integer_value(json_object_get(item, "id")) == selected;
		json_object_set_new(copy, "selected", json_boolean(is_it));
		json_array_append_new(choice, copy);
	}
	return choice;
}

static json_t *filter_view(const struct dl_incident_filter *filter)
{
	json_t *view = json_object();
	json_object_set_new(view, "state", json_string(filter->state ? filter->state : ""));
	json_object_set_new(view, "severity", json_string(filter->severity ? filter->severity : ""));
	return view;
}

static void finish(struct dl_screen *screen, struct dl_request *request)
{
	struct dl_incident_filter filter = read_filter(request);
	const json_t *all = json_object_get(json_object_get(screen->view, "all"), "items");
	const json_t *mine = json_object_get(json_object_get(screen->view, "mine"), "items");
	json_object_set_new(screen->view, "rest", all_but(all, mine));
	/* Later pages go on with the rest; what needs a decision stood on the first. */
	if (dl_screen_page(request).cursor)
		json_object_set_new(screen->view, "mine", json_object());
	json_object_set_new(screen->view, "filter", filter_view(&filter));
	json_object_set_new(screen->view, "filtered",
			    json_boolean(filter.state || filter.severity || filter.organization));
	json_object_set_new(screen->view, "organizations",
			    organization_choice(json_object_get(screen->view, "session"),
						filter.organization));
	dl_screen_next(screen, request, "all");
	dl_screen_reply(screen, request, 200);
}

void dl_portal_queue(struct dl_request *request, void *app)
{
	static const struct dl_load loads[] = { { "mine", load_mine }, { "all", load_all } };
	struct dl_screen *screen =
		dl_screen_new(request, app, dl_template_queue, "Queue", "queue");
	dl_screen_load(screen, loads, DL_COUNT(loads), finish);
}
