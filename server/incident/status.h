/* Status: the one word that says where a step stands (docs/api.md), derived
 * from what is stored about it and never stored itself. */
#ifndef DL_SERVER_INCIDENT_STATUS_H
#define DL_SERVER_INCIDENT_STATUS_H

#include <stdbool.h>

/* Texts are the stored states; "" where there is no such thing. */
struct dl_step_facts {
	bool manual, done;
	const char *choice;      /* "", "approved", "rejected" */
	const char *order_state; /* newest remove order that chose the step */
	const char *run_state;   /* its run */
	const char *undo_order_state; /* newest undo order of that order for the step */
	const char *undo_run_state;
};

const char *dl_step_status(const struct dl_step_facts *facts);

/* A run that ended with the thing gone from its place. */
bool dl_run_took_effect(const char *run_state);
/* A run that ended without it. */
bool dl_run_went_wrong(const char *run_state);

#endif
