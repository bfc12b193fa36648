/* What the pages about one incident share. */
#ifndef DL_SERVER_PORTAL_INCIDENT_H
#define DL_SERVER_PORTAL_INCIDENT_H

#include "server/portal/screen.h"

/* A load: member "incident", in the revision the query names. */
void dl_screen_load_incident(struct dl_screen *screen, struct dl_request *request, dl_store_done done,
		      void *arg);

/* The step of this id, or the order of this plan id; borrowed, NULL when there is none. */
const json_t *dl_incident_step(const json_t *incident, int64_t id);
const json_t *dl_incident_order(const json_t *incident, const char *plan_id);

/* The page's title becomes the incident's subject. */
void dl_incident_title(struct dl_screen *screen);

/* The check boxes named "step" as a list of ids; NULL when one is no number.
 * Owned by the caller. */
json_t *dl_incident_chosen(struct dl_request *request);

#endif
