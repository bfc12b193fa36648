/* Settling: after every change the incident says what is true of it now. */
#include "server/incident/proof.h"
#include "server/store/incident.h"

#include <string.h>

struct counts {
	int64_t assisted, manual, failed, done, manual_todo, restored;
};

static struct counts count_steps(const struct dl_step_standing *steps, size_t step_count)
{
	struct counts counts = { 0 };
	for (size_t i = 0; i < step_count; i++) {
		const char *status = steps[i].status;
		counts.assisted += !steps[i].manual;
		counts.manual += steps[i].manual;
		counts.manual_todo += strcmp(status, "manual_todo") == 0;
		counts.restored += strcmp(status, "restored") == 0;
		counts.failed += dl_run_went_wrong(status) || strcmp(status, "undo_failed") == 0;
		counts.done += dl_run_took_effect(status) || strcmp(status, "already_gone") == 0 ||
			       strcmp(status, "manual_done") == 0;
	}
	return counts;
}

static bool proof_holds(const struct dl_proof_standing *standing)
{
	dl_autofree struct dl_proof_trigger *triggers =
		dl_alloc(standing->trigger_count, sizeof(*triggers));
	for (size_t i = 0; i < standing->trigger_count; i++)
		triggers[i] = (struct dl_proof_trigger){ standing->triggers[i].accepted,
							 standing->triggers[i].present,
							 standing->triggers[i].covered_seq };
	return dl_proof_holds(&(struct dl_proof){
		.since_seq = standing->since_seq, .orders_in_flight = standing->orders_in_flight,
		.manual_open = standing->manual_open, .manual_done = standing->manual_done,
		.triggers = triggers, .trigger_count = standing->trigger_count });
}

/* A trigger that a survey showed after the last thing done on the host. */
static const char *returned_trigger(const struct dl_proof_standing *standing)
{
	for (size_t i = 0; i < standing->trigger_count; i++) {
		const struct dl_trigger_standing *trigger = &standing->triggers[i];
		if (trigger->present && !trigger->accepted &&
		    trigger->last_seq > standing->since_seq)
			return trigger->key;
	}
	return NULL;
}

/* Nobody decides this: the server does, from what the host reported. */
static int resolve_or_reopen(struct dl_tx *tx, struct dl_incident_row *incident,
			     const struct dl_proof_standing *standing, struct dl_error *err)
{
	struct dl_tx server = *tx;
	server.actor_kind = DL_ACTOR_SYSTEM;
	server.actor_id = 0;
	server.address = "";
	if (strcmp(incident->state, "open") == 0 && proof_holds(standing))
		return dl_incident_set_state(&server, incident, "resolved", "incident.resolved",
					     json_pack("{s:I}", "after_seq",
						       (json_int_t)standing->since_seq), err);
	const char *returned = returned_trigger(standing);
	if (strcmp(incident->state, "resolved") == 0 && returned)
		return dl_incident_set_state(&server, incident, "open", "incident.reopened",
					     json_pack("{s:s}", "returned", returned), err);
	return 0;
}

static const char *needs_of_approved(const struct dl_proof_standing *standing,
				     const struct counts *counts)
{
	if (standing->orders_in_flight)
		return "work";
	if (counts->manual_todo)
		return "manual";
	if (counts->failed)
		return "attention";
	if (counts->restored || returned_trigger(standing))
		return "reissue";
	return "survey";
}

static const char *needs_of(const struct dl_incident_row *incident,
			    const struct dl_revision_row *revision,
			    const struct dl_proof_standing *standing, const struct counts *counts)
{
	if (strcmp(incident->state, "open") != 0)
		return strcmp(incident->state, "draft") == 0 ? "send" : "";
	if (standing->orders_in_flight)
		return "work";
	const char *needs = strcmp(revision->state, "rejected") == 0 ? "reissue"
			    : strcmp(revision->state, "approved") == 0
				    ? needs_of_approved(standing, counts)
				    : "";
	if (strcmp(needs, "reissue") == 0 && incident->draft_no)
		return "send"; /* the next revision is being written */
	if (needs[0])
		return needs;
	if (counts->assisted)
		return "decision";
	return counts->manual_todo ? "manual" : "survey";
}

static int write_standing(struct dl_tx *tx, int64_t incident, const char *needs,
			  const struct counts *counts, struct dl_error *err)
{
	dl_auto(dl_query) query = dl_query_new(tx->db,
		"UPDATE incident SET needs = :needs, count_assisted = :assisted, "
		"count_manual = :manual, count_failed = :failed, count_done = :done WHERE id = :id");
	dl_query_text(query, "needs", needs);
	dl_query_int(query, "assisted", counts->assisted);
	dl_query_int(query, "manual", counts->manual);
	dl_query_int(query, "failed", counts->failed);
	dl_query_int(query, "done", counts->done);
	dl_query_int(query, "id", incident);
	return dl_query_run(query, err);
}

static int settle_revision(struct dl_tx *tx, struct dl_incident_row *incident,
			   const struct dl_revision_row *revision, struct dl_error *err)
{
	struct dl_proof_standing standing __attribute__((cleanup(dl_proof_standing_clear))) = { 0 };
	dl_autofree struct dl_step_standing *steps = NULL;
	size_t step_count = 0;
	int r = dl_steps_standing(tx, revision->id, &steps, &step_count, err);
	if (r == 0)
		r = dl_proof_load(tx, incident, revision, &standing, err);
	if (r == 0 && incident->current_no)
		r = resolve_or_reopen(tx, incident, &standing, err);
	if (r < 0)
		return r;
	struct counts counts = count_steps(steps, step_count);
	return write_standing(tx, incident->id, needs_of(incident, revision, &standing, &counts),
			      &counts, err);
}

int dl_incident_settle(struct dl_tx *tx, int64_t id, struct dl_error *err)
{
	struct dl_tx server = *tx;
	struct dl_incident_row incident;
	struct dl_revision_row revision __attribute__((cleanup(dl_revision_clear))) = { 0 };
	server.actor_kind = DL_ACTOR_SYSTEM; /* authority was asked for by the case */
	int r = dl_incident_load(&server, id, DL_ROLE_ANY, &incident, err);
	if (r < 0)
		return r;
	int64_t no = incident.current_no ? incident.current_no : incident.draft_no;
	r = dl_revision_load(tx, id, no, &revision, err);
	if (r < 0)
		return r;
	return settle_revision(tx, &incident, &revision, err);
}
