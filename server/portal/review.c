/* Review of the remediation plan, and the decision about it. */
#include "server/incident/code.h"
#include "server/portal/handler.h"
#include "server/portal/incident.h"

#include <inttypes.h>
#include <string.h>

static json_t *reject_reasons(void)
{
	static const char *const codes[] = { "not_malicious", "incomplete",	"too_risky",
					     "other_means",   "wrong_host",	"other" };
	json_t *list = json_array();
	for (size_t i = 0; i < DL_COUNT(codes); i++)
		json_array_append_new(list, json_pack("{ss ss}", "code", codes[i], "words",
						      dl_reject_reason_sentence(codes[i])));
	return list;
}

static void finish_review(struct dl_screen *screen, struct dl_request *request)
{
	const json_t *incident = json_object_get(screen->view, "incident");
	const json_t *can = json_object_get(incident, "can");
	const json_t *review = json_object_get(incident, "review");
	bool deciding = json_is_true(json_object_get(can, "decide")) &&
			json_is_true(json_object_get(review, "possible"));
	dl_incident_title(screen);
	json_object_set_new(screen->view, "deciding", json_boolean(deciding));
	json_object_set_new(screen->view, "expand", json_true());
	json_object_set_new(screen->view, "reasons", reject_reasons());
	dl_screen_reply(screen, request, 200);
}

void dl_portal_review(struct dl_request *request, void *app)
{
	static const struct dl_load loads[] = { { "incident", dl_screen_load_incident } };
	struct dl_screen *screen =
		dl_screen_new(request, app, dl_template_review, "Review", "queue");
	if (dl_screen_take_id(screen, request))
		dl_screen_load(screen, loads, DL_COUNT(loads), finish_review);
}

/* What approve and reject have in common; texts are borrowed from the request. */
static bool read_decision(struct dl_request *request, struct dl_decide_request *ret)
{
	struct dl_error err;
	int r = dl_request_param_id(request, "id", &ret->incident, &err);
	if (r < 0) {
		dl_reply_failure(request, r, &err);
		return false;
	}
	const char *useful = dl_request_form(request, "useful");
	ret->digest = dl_request_form(request, "digest");
	ret->reason = dl_request_form(request, "reason");
	ret->comment = dl_request_form(request, "comment");
	ret->useful = !useful || strcmp(useful, "0") != 0;
	return true;
}

/* Back to the form with the words of a notice. */
static void ask_again(struct dl_request *request, int64_t incident, const char *notice)
{
	dl_autobuf path = DL_BUF_INIT;
	dl_buf_printf(&path, "/incidents/%" PRId64 "/review?notice=%s", incident, notice);
	dl_reply_redirect(request, path.data);
}

void dl_portal_approve(struct dl_request *request, void *app)
{
	struct dl_portal *portal = app;
	struct dl_decide_request decision = { .approve = true };
	dl_autojson *steps = dl_incident_chosen(request);
	if (!read_decision(request, &decision))
		return;
	if (json_array_size(steps) == 0) {
		ask_again(request, decision.incident, "no-steps");
		return;
	}
	decision.steps = steps;
	dl_store_decide(portal->store, dl_screen_actor(request), &decision, dl_screen_redirect,
			dl_screen_then(request, "/incidents/%" PRId64 "/remediations?notice=approved",
				       decision.incident));
}

void dl_portal_reject(struct dl_request *request, void *app)
{
	struct dl_portal *portal = app;
	struct dl_decide_request decision = { .approve = false };
	if (!read_decision(request, &decision))
		return;
	if (!decision.reason || !*decision.reason) {
		ask_again(request, decision.incident, "no-reason");
		return;
	}
	dl_store_decide(portal->store, dl_screen_actor(request), &decision, dl_screen_redirect,
			dl_screen_then(request, "/incidents/%" PRId64 "?notice=rejected",
				       decision.incident));
}
