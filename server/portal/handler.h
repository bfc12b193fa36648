/* The handlers behind the routes of portal.c. `app` is the struct dl_portal. */
#ifndef DL_SERVER_PORTAL_HANDLER_H
#define DL_SERVER_PORTAL_HANDLER_H

#include "server/http/request.h"

#define DL_HANDLER(name) void name(struct dl_request *request, void *app)

/* static.c */
DL_HANDLER(dl_portal_static);

/* sign.c */
DL_HANDLER(dl_portal_sign_in_page);
DL_HANDLER(dl_portal_sign_in);
DL_HANDLER(dl_portal_sign_out);

/* queue.c */
DL_HANDLER(dl_portal_queue);

/* host.c */
DL_HANDLER(dl_portal_hosts);
DL_HANDLER(dl_portal_host);
DL_HANDLER(dl_portal_survey_request);
DL_HANDLER(dl_portal_host_confirm);

/* compose.c */
DL_HANDLER(dl_portal_compose_new);
DL_HANDLER(dl_portal_compose_draft);
DL_HANDLER(dl_portal_compose_draft_change);
DL_HANDLER(dl_portal_send);

/* incident.c */
DL_HANDLER(dl_portal_report);
DL_HANDLER(dl_portal_footholds);
DL_HANDLER(dl_portal_remediations);
DL_HANDLER(dl_portal_incident_activity);

/* review.c */
DL_HANDLER(dl_portal_review);
DL_HANDLER(dl_portal_approve);
DL_HANDLER(dl_portal_reject);

/* remediation.c */
DL_HANDLER(dl_portal_manual_done_page);
DL_HANDLER(dl_portal_manual_done);
DL_HANDLER(dl_portal_cancel);
DL_HANDLER(dl_portal_undo_page);
DL_HANDLER(dl_portal_undo);
DL_HANDLER(dl_portal_close_page);
DL_HANDLER(dl_portal_close);

/* audit.c */
DL_HANDLER(dl_portal_audit);
DL_HANDLER(dl_portal_audit_verify);

#endif
