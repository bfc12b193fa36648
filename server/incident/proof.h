/* Proof: when an incident may call itself resolved.
 *
 * It holds when nothing is under way, every trigger of the current revision is
 * absent from a trusted survey that covered its kind completely and is newer
 * than the last thing done on the host (or was accepted as legitimate), and
 * every manual step that is about no foothold is acknowledged. Leftover
 * payloads do not block; neither does a failed step whose trigger is gone.
 */
#ifndef DL_SERVER_INCIDENT_PROOF_H
#define DL_SERVER_INCIDENT_PROOF_H

#include "core/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dl_proof_trigger {
	bool accepted;       /* disposition: legitimate, stays */
	bool present;        /* not known to be gone */
	int64_t covered_seq; /* newest trusted survey with complete coverage of its kind; 0: none */
	int64_t seen_seq;    /* newest survey that showed it; 0: none */
};

struct dl_proof {
	int64_t since_seq; /* last run's result, or the evidence the revision was made from */
	size_t orders_in_flight;
	size_t manual_open; /* manual steps without a foothold, not acknowledged */
	size_t manual_done; /* … acknowledged */
	const struct dl_proof_trigger *triggers;
	size_t trigger_count;
};

bool dl_proof_holds(const struct dl_proof *proof);

/* How one trigger stands, in words for "Remaining Footholds"; acted_seq: the last
 * run's result, 0 if nothing was done yet. Static. */
const char *dl_proof_trigger_words(const struct dl_proof_trigger *trigger, int64_t since_seq,
				   int64_t acted_seq);

/* Whether this trigger is proved gone or accepted. */
bool dl_proof_trigger_settled(const struct dl_proof_trigger *trigger, int64_t since_seq);

#endif
