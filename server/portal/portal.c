#include "server/portal/portal.h"

#include "server/auth/caller.h"
#include "server/portal/handler.h"
#include "server/portal/screen.h"

#include <string.h>

enum { ANY = DL_MAY_ANY, COMPOSE = DL_MAY_COMPOSE, DECIDE = DL_MAY_DECIDE,
       ACT = DL_MAY_ACT, SURVEY = DL_MAY_SURVEY, ADMINISTER = DL_MAY_ADMINISTER,
       FORM = DL_PORTAL_FORM_MAX_BYTES };

static const struct dl_route routes[] = {
	{ "GET", "/static/{file*}", DL_AUTH_NONE, 0, 0, dl_portal_static },
	{ "GET", "/sign-in", DL_AUTH_NONE, 0, 0, dl_portal_sign_in_page },
	{ "POST", "/sign-in", DL_AUTH_NONE, 0, DL_PORTAL_SIGN_IN_MAX_BYTES, dl_portal_sign_in },
	{ "POST", "/sign-out", DL_AUTH_SESSION, ANY, FORM, dl_portal_sign_out },

	{ "GET", "/", DL_AUTH_SESSION, ANY, 0, dl_portal_queue },
	{ "GET", "/hosts", DL_AUTH_SESSION, ANY, 0, dl_portal_hosts },
	{ "GET", "/hosts/{id}", DL_AUTH_SESSION, ANY, 0, dl_portal_host },
	{ "POST", "/hosts/{id}/survey", DL_AUTH_SESSION, SURVEY, FORM, dl_portal_survey_request },
	{ "POST", "/hosts/{id}/confirm", DL_AUTH_SESSION, DL_MAY_ADMINISTER, FORM,
	  dl_portal_host_confirm },
	{ "POST", "/hosts/{id}/compose", DL_AUTH_SESSION, COMPOSE, FORM, dl_portal_compose_new },

	{ "GET", "/incidents/{id}", DL_AUTH_SESSION, ANY, 0, dl_portal_report },
	{ "GET", "/incidents/{id}/footholds", DL_AUTH_SESSION, ANY, 0, dl_portal_footholds },
	{ "GET", "/incidents/{id}/remediations", DL_AUTH_SESSION, ANY, 0, dl_portal_remediations },
	{ "GET", "/incidents/{id}/activity", DL_AUTH_SESSION, ANY, 0, dl_portal_incident_activity },
	{ "GET", "/incidents/{id}/compose", DL_AUTH_SESSION, COMPOSE, 0, dl_portal_compose_draft },
	{ "POST", "/incidents/{id}/compose", DL_AUTH_SESSION, COMPOSE, FORM,
	  dl_portal_compose_draft_change },
	{ "POST", "/incidents/{id}/send", DL_AUTH_SESSION, COMPOSE, FORM, dl_portal_send },
	{ "GET", "/incidents/{id}/review", DL_AUTH_SESSION, ANY, 0, dl_portal_review },
	{ "POST", "/incidents/{id}/approve", DL_AUTH_SESSION, DECIDE, FORM, dl_portal_approve },
	{ "POST", "/incidents/{id}/reject", DL_AUTH_SESSION, DECIDE, FORM, dl_portal_reject },
	{ "GET", "/incidents/{id}/steps/{step}/done", DL_AUTH_SESSION, ACT, 0,
	  dl_portal_manual_done_page },
	{ "POST", "/incidents/{id}/steps/{step}/done", DL_AUTH_SESSION, ACT, FORM,
	  dl_portal_manual_done },
	{ "POST", "/incidents/{id}/orders/{plan}/cancel", DL_AUTH_SESSION, ACT, FORM,
	  dl_portal_cancel },
	{ "GET", "/incidents/{id}/orders/{plan}/undo", DL_AUTH_SESSION, DECIDE, 0,
	  dl_portal_undo_page },
	{ "POST", "/incidents/{id}/orders/{plan}/undo", DL_AUTH_SESSION, DECIDE, FORM,
	  dl_portal_undo },
	{ "GET", "/incidents/{id}/close", DL_AUTH_SESSION, COMPOSE, 0, dl_portal_close_page },
	{ "POST", "/incidents/{id}/close", DL_AUTH_SESSION, COMPOSE, FORM, dl_portal_close },

	{ "GET", "/audit", DL_AUTH_SESSION, ANY, 0, dl_portal_audit },
	{ "GET", "/audit/verify", DL_AUTH_SESSION, ADMINISTER, 0, dl_portal_audit_verify },
};

static void show_error(struct dl_request *request, int status, const char *code,
		       const char *message, void *app)
{
	(void)app;
	if (status == 401 && strcmp(dl_request_method(request), "GET") == 0)
		dl_screen_ask_to_sign_in(request);
	else
		dl_screen_error(request, status, code, message);
}

struct dl_route_table dl_portal_table(struct dl_portal *portal)
{
	return (struct dl_route_table){
		.prefix = "/",
		.routes = routes,
		.count = DL_COUNT(routes),
		.app = portal,
		.show_error = show_error,
	};
}
