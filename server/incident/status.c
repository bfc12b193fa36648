#include "server/incident/status.h"

#include <string.h>

static bool is(const char *text, const char *word)
{
	return strcmp(text, word) == 0;
}

bool dl_run_took_effect(const char *run_state)
{
	return is(run_state, "removed") || is(run_state, "unverified");
}

bool dl_run_went_wrong(const char *run_state)
{
	return is(run_state, "failed") || is(run_state, "stale") || is(run_state, "refused") ||
	       is(run_state, "skipped");
}

/* NULL when no undo says anything about the step. */
static const char *undo_status(const struct dl_step_facts *facts)
{
	if (is(facts->undo_order_state, "queued") || is(facts->undo_order_state, "claimed"))
		return "undoing";
	if (is(facts->undo_run_state, "restored"))
		return "restored";
	if (is(facts->undo_order_state, "finished") || is(facts->undo_order_state, "refused"))
		return "undo_failed";
	return NULL; /* cancelled and expired undos leave the step as it was */
}

const char *dl_step_status(const struct dl_step_facts *facts)
{
	if (facts->manual)
		return facts->done ? "manual_done" : "manual_todo";
	const char *undo = undo_status(facts);
	if (undo)
		return undo;
	if (is(facts->choice, "rejected"))
		return "rejected";
	if (is(facts->order_state, "queued"))
		return "queued";
	if (is(facts->order_state, "claimed") &&
	    (is(facts->run_state, "pending") || is(facts->run_state, "running")))
		return "running";
	if (facts->run_state[0])
		return facts->run_state;
	return "proposed";
}
