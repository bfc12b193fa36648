#include "server/incident/proof.h"

bool dl_proof_trigger_settled(const struct dl_proof_trigger *trigger, int64_t since_seq)
{
	if (trigger->accepted)
		return true;
	return !trigger->present && trigger->covered_seq > since_seq;
}

bool dl_proof_holds(const struct dl_proof *proof)
{
	if (proof->orders_in_flight || proof->manual_open)
		return false;
	/* A report that names nothing at all proves nothing. */
	if (!proof->trigger_count && !proof->manual_done)
		return false;
	for (size_t i = 0; i < proof->trigger_count; i++)
		if (!dl_proof_trigger_settled(&proof->triggers[i], proof->since_seq))
			return false;
	return true;
}

const char *dl_proof_trigger_words(const struct dl_proof_trigger *trigger, int64_t since_seq,
				   int64_t acted_seq)
{
	if (trigger->accepted)
		return "Accepted as legitimate: it stays.";
	if (trigger->present && trigger->seen_seq > acted_seq)
		return "The newest survey still shows it.";
	if (trigger->present)
		return "Waiting for a survey after the last act on the host.";
	if (!trigger->covered_seq)
		return "No survey could look at everything of this kind yet.";
	if (trigger->covered_seq <= since_seq)
		return "Waiting for a survey after the last act on the host.";
	return "Gone: a later survey looked and did not find it.";
}
