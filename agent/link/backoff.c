#include "agent/link/backoff.h"

#include "core/crypto/random.h"

int64_t dl_backoff_fail(struct dl_backoff *backoff)
{
	int64_t max = backoff->max_ms > 0 ? backoff->max_ms : DL_BACKOFF_MAX_MS;
	int64_t next = backoff->step_ms > 0 ? backoff->step_ms * 2 : DL_BACKOFF_START_MS;
	backoff->step_ms = next < max ? next : max;
	uint32_t drawn;
	dl_random(&drawn, sizeof(drawn));
	int64_t half = backoff->step_ms / 2;
	return half + drawn % (half + 1);
}

void dl_backoff_reset(struct dl_backoff *backoff)
{
	backoff->step_ms = 0;
}
