/* The handlers behind the routes of api.c; docs/api.md says what each takes
 * and answers. `app` is the struct dl_api. */
#ifndef DL_SERVER_API_HANDLER_H
#define DL_SERVER_API_HANDLER_H

#include "server/http/request.h"

#define DL_HANDLER(name) void name(struct dl_request *request, void *app)

/* sign.c */
DL_HANDLER(dl_api_login);
DL_HANDLER(dl_api_logout);
DL_HANDLER(dl_api_session);

/* account.c */
DL_HANDLER(dl_api_user_list);
DL_HANDLER(dl_api_user_add);
DL_HANDLER(dl_api_user_set_password);
DL_HANDLER(dl_api_membership_add);
DL_HANDLER(dl_api_membership_remove);

/* organization.c */
DL_HANDLER(dl_api_organization_list);
DL_HANDLER(dl_api_organization_add);
DL_HANDLER(dl_api_enrol_key_list);
DL_HANDLER(dl_api_enrol_key_create);
DL_HANDLER(dl_api_enrol_key_revoke);

/* host.c */
DL_HANDLER(dl_api_host_list);
DL_HANDLER(dl_api_host_get);
DL_HANDLER(dl_api_host_footholds);
DL_HANDLER(dl_api_survey_request);
DL_HANDLER(dl_api_host_confirm);

/* report.c */
DL_HANDLER(dl_api_report_preview);
DL_HANDLER(dl_api_incident_create);
DL_HANDLER(dl_api_draft_save);
DL_HANDLER(dl_api_report_send);

/* incident.c */
DL_HANDLER(dl_api_incident_list);
DL_HANDLER(dl_api_incident_get);
DL_HANDLER(dl_api_incident_approve);
DL_HANDLER(dl_api_incident_reject);
DL_HANDLER(dl_api_manual_done);
DL_HANDLER(dl_api_incident_close);

/* order.c */
DL_HANDLER(dl_api_order_cancel);
DL_HANDLER(dl_api_order_undo);

/* audit.c */
DL_HANDLER(dl_api_audit_list);
DL_HANDLER(dl_api_audit_verify);

#endif
