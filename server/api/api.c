#include "server/api/api.h"

#include "server/api/handler.h"

enum {
	ALL = DL_MAY_ANY,
	ADMINISTER = DL_MAY_ADMINISTER,
	SURVEY = DL_MAY_SURVEY,
	COMPOSE = DL_MAY_COMPOSE,
	DECIDE = DL_MAY_DECIDE,
	ACT = DL_MAY_ACT,
	BODY = DL_API_BODY_MAX_BYTES,
};

/* Roles are the ones held anywhere; the store asks for them in the thing's own
 * organization. */
static const struct dl_route routes[] = {
	{ "POST", "/api/login", DL_AUTH_NONE, 0, 4096, dl_api_login },
	{ "POST", "/api/logout", DL_AUTH_BEARER, ALL, 4096, dl_api_logout },
	{ "GET", "/api/session", DL_AUTH_BEARER, ALL, 0, dl_api_session },

	{ "GET", "/api/organizations", DL_AUTH_BEARER, ALL, 0, dl_api_organization_list },
	{ "POST", "/api/organizations", DL_AUTH_BEARER, ADMINISTER, BODY,
	  dl_api_organization_add },
	{ "GET", "/api/organizations/{id}/enrol-keys", DL_AUTH_BEARER, ADMINISTER, 0,
	  dl_api_enrol_key_list },
	{ "POST", "/api/organizations/{id}/enrol-keys", DL_AUTH_BEARER, ADMINISTER, BODY,
	  dl_api_enrol_key_create },
	{ "DELETE", "/api/enrol-keys/{key}", DL_AUTH_BEARER, ADMINISTER, 0,
	  dl_api_enrol_key_revoke },

	{ "GET", "/api/users", DL_AUTH_BEARER, ADMINISTER, 0, dl_api_user_list },
	{ "POST", "/api/users", DL_AUTH_BEARER, ADMINISTER, BODY, dl_api_user_add },
	{ "POST", "/api/users/{id}/password", DL_AUTH_BEARER, ALL, BODY,
	  dl_api_user_set_password },
	{ "POST", "/api/users/{id}/memberships", DL_AUTH_BEARER, ADMINISTER, BODY,
	  dl_api_membership_add },
	{ "DELETE", "/api/users/{id}/memberships", DL_AUTH_BEARER, ADMINISTER, 0,
	  dl_api_membership_remove },

	{ "GET", "/api/hosts", DL_AUTH_BEARER, ALL, 0, dl_api_host_list },
	{ "GET", "/api/hosts/{id}", DL_AUTH_BEARER, ALL, 0, dl_api_host_get },
	{ "GET", "/api/hosts/{id}/footholds", DL_AUTH_BEARER, ALL, 0, dl_api_host_footholds },
	{ "POST", "/api/hosts/{id}/survey", DL_AUTH_BEARER, SURVEY, BODY,
	  dl_api_survey_request },
	{ "POST", "/api/hosts/{id}/confirm", DL_AUTH_BEARER, ADMINISTER, BODY,
	  dl_api_host_confirm },
	{ "POST", "/api/hosts/{id}/preview", DL_AUTH_BEARER, COMPOSE, BODY,
	  dl_api_report_preview },
	{ "POST", "/api/hosts/{id}/incidents", DL_AUTH_BEARER, COMPOSE, BODY,
	  dl_api_incident_create },

	{ "GET", "/api/incidents", DL_AUTH_BEARER, ALL, 0, dl_api_incident_list },
	{ "GET", "/api/incidents/{id}", DL_AUTH_BEARER, ALL, 0, dl_api_incident_get },
	{ "PUT", "/api/incidents/{id}/draft", DL_AUTH_BEARER, COMPOSE, BODY, dl_api_draft_save },
	{ "POST", "/api/incidents/{id}/send", DL_AUTH_BEARER, COMPOSE, BODY, dl_api_report_send },
	{ "POST", "/api/incidents/{id}/approve", DL_AUTH_BEARER, DECIDE, BODY,
	  dl_api_incident_approve },
	{ "POST", "/api/incidents/{id}/reject", DL_AUTH_BEARER, DECIDE, BODY,
	  dl_api_incident_reject },
	{ "POST", "/api/incidents/{id}/steps/{step}/done", DL_AUTH_BEARER, ACT, BODY,
	  dl_api_manual_done },
	{ "POST", "/api/incidents/{id}/close", DL_AUTH_BEARER, COMPOSE, BODY,
	  dl_api_incident_close },

	{ "POST", "/api/orders/{plan}/cancel", DL_AUTH_BEARER, ACT, BODY,
	  dl_api_order_cancel },
	{ "POST", "/api/orders/{plan}/undo", DL_AUTH_BEARER, DECIDE, BODY,
	  dl_api_order_undo },

	{ "GET", "/api/audit", DL_AUTH_BEARER, ALL, 0, dl_api_audit_list },
	{ "GET", "/api/audit/verify", DL_AUTH_BEARER, ADMINISTER, 0, dl_api_audit_verify },
};

struct dl_route_table dl_api_table(struct dl_api *api)
{
	return (struct dl_route_table){
		.prefix = "/api/",
		.routes = routes,
		.count = DL_COUNT(routes),
		.app = api,
	};
}
