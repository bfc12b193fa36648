/* Intake: how much one agent may make the store keep in an hour. Internal to
 * the store.
 *
 * Some of what an agent sends stays for ever: the hash of each record, and the
 * audit event of each refusal. Without a bound a hostile one would fill the
 * disk of all. What is over the bound is not lost: the agent keeps its records
 * until the server takes them, and comes again.
 */
#ifndef DL_SERVER_STORE_INTAKE_H
#define DL_SERVER_STORE_INTAKE_H

#include "server/store/agent.h"

enum {
	DL_INTAKE_HOUR_BYTES = 64 * 1024 * 1024, /* as much as an agent's outbox holds */
	DL_INTAKE_RECORD_BYTES = 64 * 1024,      /* what a smaller record counts as */
	DL_INTAKE_EVENT_BYTES = 1024 * 1024,     /* what leaves an event of its own in the audit */
};

/* Is this hour's share used up? */
bool dl_intake_spent(const struct dl_tx *tx, const struct dl_agent *agent);
/* Counts, and begins a new hour when the last one is over. */
int dl_intake_add(struct dl_tx *tx, struct dl_agent *agent, int64_t bytes, struct dl_error *err);

#endif
