/* Parts of the incident view: steps and orders. Internal to the store. */
#ifndef DL_SERVER_STORE_VIEW_STEP_H
#define DL_SERVER_STORE_VIEW_STEP_H

#include "server/store/incident.h"
#include "server/store/view.h"

/* One row per incident, with what its summary shows. */
#define DL_INCIDENT_COLUMNS                                                                        \
	"SELECT i.*, o.name AS organization_name, a.hostname, a.last_contact, "                    \
	"r.no AS revision_no, r.state AS revision_state FROM incident i "                          \
	"JOIN organization o ON o.id = i.organization_id JOIN agent a ON a.id = i.agent_id "       \
	"JOIN revision r ON r.incident_id = i.id AND r.no = "                                      \
	"CASE WHEN i.current_no = 0 THEN i.draft_no ELSE i.current_no END "
json_t *dl_view_incident_row(struct dl_query *row);

/* Sets "steps_view". */
int dl_view_steps(struct dl_tx *tx, const struct dl_incident_row *incident,
		  const struct dl_revision_row *revision, const struct dl_plan *plan, json_t *view,
		  struct dl_error *err);

/* Sets "orders". */
int dl_view_orders(struct dl_tx *tx, int64_t incident, json_t *view, struct dl_error *err);

#endif
