/* Incidents as the store keeps them: what the cases share. Internal to the store. */
#ifndef DL_SERVER_STORE_INCIDENT_H
#define DL_SERVER_STORE_INCIDENT_H

#include "server/incident/report.h"
#include "server/incident/status.h"
#include "server/store/tx.h"

struct dl_incident_row {
	int64_t id, organization, agent, current_no, draft_no; /* no 0: none */
	char state[16];
};

/* With the authority of dl_tx_require. */
int dl_incident_load(struct dl_tx *tx, int64_t id, unsigned int roles,
		     struct dl_incident_row *ret_row, struct dl_error *err);

/* Moves the incident and writes `action` into the audit. Takes `detail`. */
int dl_incident_set_state(struct dl_tx *tx, struct dl_incident_row *row, const char *to,
			  const char *action, json_t *detail, struct dl_error *err);

/* After anything that may change where the incident stands: resolves it when
 * the proof holds, opens it again when a trigger returned, and brings what it
 * needs and its counts up to date. */
int dl_incident_settle(struct dl_tx *tx, int64_t incident, struct dl_error *err);

int dl_audit_incident(struct dl_tx *tx, const char *action, const struct dl_incident_row *row,
		      int64_t revision_no, json_t *detail, struct dl_error *err);

/* ---- revisions ---- */

struct dl_revision_row {
	int64_t id, no, evidence_seq;
	char state[16];
	char digest[DL_SHA256_TEXT_SIZE];
	char *body; /* owned */
};
void dl_revision_clear(struct dl_revision_row *row);

int dl_revision_load(struct dl_tx *tx, int64_t incident, int64_t no,
		     struct dl_revision_row *ret_row, struct dl_error *err);
int dl_revision_set_state(struct dl_tx *tx, struct dl_revision_row *row, const char *to,
			  struct dl_error *err);

/* ---- where the steps of a revision stand ---- */

struct dl_step_standing {
	bool manual, done;
	bool payload; /* about a file a trigger runs, not about the trigger itself */
	char key[DL_SHA256_TEXT_SIZE]; /* "" when it is about no foothold */
	char choice[16], order_state[16], run_state[16], undo_order_state[16], undo_run_state[16];
	char plan_id[33];  /* of the newest run, "" if none */
	char remove_plan[33]; /* of the newest remove order that chose it */
	const char *status; /* static */
};

/* One entry per step, in plan order; owned by the caller. */
int dl_steps_standing(struct dl_tx *tx, int64_t revision, struct dl_step_standing **ret_steps,
		      size_t *ret_count, struct dl_error *err);

/* Something of its removal lies in the host's quarantine and is not on its way back. */
bool dl_step_is_undoable(const struct dl_step_standing *step);

/* ---- the proof ---- */

struct dl_trigger_standing {
	char key[DL_SHA256_TEXT_SIZE];
	bool accepted, present;
	int64_t covered_seq, last_seq;
};

struct dl_proof_standing {
	int64_t since_seq, acted_seq; /* acted: the last run's result; 0: nothing done yet */
	size_t orders_in_flight, manual_open, manual_done;
	struct dl_trigger_standing *triggers; /* owned */
	size_t trigger_count;
};
void dl_proof_standing_clear(struct dl_proof_standing *standing);

int dl_proof_load(struct dl_tx *tx, const struct dl_incident_row *incident,
		  const struct dl_revision_row *revision, struct dl_proof_standing *ret_standing,
		  struct dl_error *err);

#endif
