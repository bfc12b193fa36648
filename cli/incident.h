/* Incident: how the commands fetch one and show it. */
#ifndef DL_CLI_INCIDENT_H
#define DL_CLI_INCIDENT_H

#include "cli/call.h"
#include "cli/command.h"

int dl_incident_fetch(int64_t id, json_t **ret_incident, struct dl_error *err);

/* Head, report and plan, as a technician must have read them to decide. */
void dl_incident_print(const json_t *incident);

/* "1,2,5" as an array of numbers; NULL text gives NULL. */
int dl_incident_steps(const char *text, json_t **ret_steps, struct dl_error *err);

/* The newest order the incident's view says may be cancelled ("can_cancel") or
 * undone ("can_undo"). DL_E_STATE: none. Borrowed from `incident`. */
int dl_incident_order(const json_t *incident, const char *may, const char **ret_plan_id,
		      struct dl_error *err);

/* POSTs and says in a line what the incident's state is now, or prints JSON. */
int dl_incident_act(const json_t *body, bool as_json, struct dl_error *err,
		    const char *path_format, ...) __attribute__((format(printf, 4, 5)));

#endif
