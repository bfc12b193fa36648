/* Ask: how a command of root reaches the one place that answers local acts:
 * the running executor by its socket; where none runs, this very process. */
#ifndef DL_AGENT_LOCAL_ASK_H
#define DL_AGENT_LOCAL_ASK_H

#include "core/json/json.h"

struct dl_local_place {
	const char *socket, *state;
};

/* Waits for the end of what was asked, in the executor's case at most
 * DL_LOCAL_WAIT_MS: longer work goes on, and 'status' tells of it. */
enum { DL_LOCAL_WAIT_MS = 30 * 60 * 1000 };
int dl_local_ask(const struct dl_local_place *place, const json_t *ask, json_t **ret_answer,
		 struct dl_error *err);

/* One request of docs/protocol.md to the executor, and its answer. DL_E_UNAVAILABLE: none runs. */
int dl_local_request(const struct dl_local_place *place, const json_t *request, int64_t wait_ms,
		     json_t **ret_answer, struct dl_error *err);

#endif
