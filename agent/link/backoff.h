/* Back-off: how long to wait after the n-th failure in a row.
 *
 * Doubles from `start_ms` to `max_ms`; the wait itself is drawn evenly from
 * the upper half, so that thousands of agents whose server came back do not
 * arrive in step.
 */
#ifndef DL_AGENT_LINK_BACKOFF_H
#define DL_AGENT_LINK_BACKOFF_H

#include <stdint.h>

enum { DL_BACKOFF_START_MS = 500, DL_BACKOFF_MAX_MS = 60000 };

struct dl_backoff {
	int64_t max_ms; /* 0: DL_BACKOFF_MAX_MS */
	int64_t step_ms; /* of the latest failure; 0 while all is well */
};

/* Counts a failure and returns the milliseconds to wait. */
int64_t dl_backoff_fail(struct dl_backoff *backoff);
void dl_backoff_reset(struct dl_backoff *backoff);

#endif
